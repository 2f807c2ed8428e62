"""Proofs of transfers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.transfers import Proof, ProofState, Same, same
from bot.store.rows import Shape, word
from bot.store.tables import proofs

_PROOF = Shape(proofs, Proof)
_COMPARED = 2000
"""So many of the newest proofs are looked at for pictures that only look alike."""
_FIXED = frozenset({"id", "payment_id", "chat_id", "state", "created_at"})


class ProofRows:
    """Implements `ports.Proofs`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, proof: Proof, update_id: int) -> Proof:
        """Save it in place of the transfer's earlier one that waits; a replay of the same update
        gets the one that the first run saved."""
        first = await self._many(_PROOFS.where(proofs.c.update_id == update_id))
        if first:
            return first[0]
        earlier = await self.waiting_of(proof.payment_id)
        if earlier is not None:
            await self.move(earlier.id, ProofState.WAITING, ProofState.REPLACED, proof.created_at)
        values = _PROOF.dump(proof) | {"update_id": update_id}
        await self._conn.execute(insert(proofs).inline().values(values))
        return proof

    async def get(self, proof_id: str) -> Proof | None:
        """The proof in any state."""
        found = await self._many(_PROOFS.where(proofs.c.id == proof_id))
        return found[0] if found else None

    async def waiting(self) -> list[Proof]:
        """Oldest first."""
        statement = _PROOFS.where(proofs.c.state == word(ProofState.WAITING))
        return await self._many(statement.order_by(proofs.c.seq))

    async def waiting_of(self, payment_id: str) -> Proof | None:
        """The transfer's one that waits."""
        statement = _PROOFS.where(
            proofs.c.payment_id == payment_id, proofs.c.state == ProofState.WAITING
        )
        found = await self._many(statement)
        return found[0] if found else None

    async def alike(self, proof: Proof) -> Sequence[tuple[Same, Proof]]:
        """Proofs of other transfers with the same picture, a like one, or the same number."""
        others = _PROOFS.where(proofs.c.payment_id != proof.payment_id)
        exact = proofs.c.sha256 == proof.sha256
        if proof.number is not None:
            exact = exact | (proofs.c.number == proof.number)
        newest = await self._many(others.order_by(proofs.c.seq.desc()).limit(_COMPARED))
        known = {one.id: one for one in await self._many(others.where(exact))}
        known |= {one.id: one for one in newest}
        found = [(same(proof, one), one) for one in known.values()]
        return [(shared, one) for shared, one in found if shared is not None]

    async def set_number(self, proof_id: str, number: str) -> None:
        """The transaction number, told after the picture."""
        await self._conn.execute(
            update(proofs).where(proofs.c.id == proof_id).values(number=number)
        )

    async def move(
        self, proof_id: str, old: ProofState, new: ProofState, at: datetime, **changes: Any
    ) -> bool:
        """Compare-and-set on the state; False when it had moved. Raises ValueError for unknown
        names."""
        values = _PROOF.changes(changes, _FIXED)
        statement = (
            update(proofs)
            .where(proofs.c.id == proof_id, proofs.c.state == old)
            .values(state=new, decided_at=at, **values)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Proof]:
        return [_PROOF.load(row) for row in await self._conn.execute(statement)]


_PROOFS = select(*_PROOF.columns)
