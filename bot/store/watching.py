"""eSIMs that wait for their activation, and what suppliers' webhooks were about."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Activation, HintRow, Wait
from bot.store.rows import Shape, insert_new
from bot.store.tables import activations, hints

_ACTIVATION = Shape(activations, Activation)
_HINT = Shape(hints, HintRow)
_FIXED = frozenset({"id", "sim_id", "chat_id", "since", "state"})
_A = activations.c


class ActivationRows:
    """Implements `ports.Activations`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, activation: Activation) -> bool:
        """False when the SIM has an open watch."""
        return await insert_new(self._conn, activations, _ACTIVATION.dump(activation))

    async def get(self, activation_id: str) -> Activation | None:
        """One watch, ended ones too."""
        found = await self._many(_WATCHES.where(_A.id == activation_id))
        return found[0] if found else None

    async def of_sim(self, sim_id: str) -> list[Activation]:
        """Every watch over a SIM, the newest first."""
        return await self.of_sims([sim_id])

    async def of_sims(self, sim_ids: Collection[str]) -> list[Activation]:
        """Every watch over these SIMs, the newest first."""
        rows = await self._conn.execute(_OF_SIMS, {"sims": list(sim_ids)})
        return [_ACTIVATION.load(row) for row in rows]

    async def move(self, activation_id: str, old: Wait, new: Wait, **changes: Any) -> bool:
        """Compare-and-set on the state; False when it had moved."""
        values = _ACTIVATION.changes(changes, _FIXED) | {"state": new}
        held = (_A.id == activation_id, _A.state == old)
        result = await self._conn.execute(update(activations).where(*held).values(values))
        return result.rowcount == 1

    async def put_off(self, activation_id: str, next_at: datetime) -> None:
        """The next step is taken then."""
        statement = update(activations).where(_A.id == activation_id, _A.next_at.is_not(None))
        await self._conn.execute(statement.values(next_at=next_at))

    async def due(self, now: datetime, limit: int) -> list[Activation]:
        """Watches whose next step has come, the longest due first."""
        statement = _WATCHES.where(_A.next_at <= now).order_by(_A.next_at)
        return await self._many(statement.limit(limit))

    async def next_due(self) -> datetime | None:
        """The smallest next_at there is."""
        statement = select(_A.next_at).where(_A.next_at.is_not(None))
        return await self._conn.scalar(statement.order_by(_A.next_at).limit(1))

    async def escalated(self) -> list[Activation]:
        """What waits for a person, the longest first."""
        return await self._many(_WATCHES.where(_A.state == Wait.ESCALATED).order_by(_A.seq))

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Activation]:
        return [_ACTIVATION.load(row) for row in await self._conn.execute(statement)]


class HintRows:
    """Implements `ports.Hints`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, hint: HintRow) -> bool:
        """False when that supplier's event was there before."""
        values = _HINT.dump(hint)
        del values["id"]
        return await insert_new(self._conn, hints, values)

    async def waiting(self, limit: int) -> list[HintRow]:
        """Those nobody has worked yet, oldest first."""
        statement = select(*_HINT.columns).where(hints.c.done_at.is_(None)).order_by(hints.c.id)
        return [_HINT.load(row) for row in await self._conn.execute(statement.limit(limit))]

    async def done(self, hint_id: int, at: datetime) -> None:
        """It was worked."""
        statement = update(hints).where(hints.c.id == hint_id)
        await self._conn.execute(statement.values(done_at=at))

    async def next_due(self) -> datetime | None:
        """When the oldest one that waits was received."""
        statement = select(hints.c.received_at).where(hints.c.done_at.is_(None))
        return await self._conn.scalar(statement.order_by(hints.c.id).limit(1))

    async def purge(self, before: datetime) -> int:
        """Forget those worked before that moment; how many went."""
        return (await self._conn.execute(delete(hints).where(hints.c.done_at < before))).rowcount


_WATCHES = select(*_ACTIVATION.columns)
_OF_SIMS = _WATCHES.where(_A.sim_id.in_(bindparam("sims", expanding=True))).order_by(_A.seq.desc())
