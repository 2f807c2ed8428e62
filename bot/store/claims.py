"""Claim codes and claims: who proved that a managed SIM is theirs."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Claim
from bot.store.rows import Shape, insert_new, word
from bot.store.tables import claim_codes, claims

_WAITING = word("waiting")
_CLAIM = Shape(claims, Claim)


class ClaimRows:
    """Implements `ports.Claims`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add_code(self, code_hash: str, sim_id: str, expires_at: datetime) -> None:
        """Save a code handed out with a SIM; only its hash."""
        values = {"code_hash": code_hash, "sim_id": sim_id, "expires_at": expires_at}
        await self._conn.execute(insert(claim_codes).values(values))

    async def codes(self, sim_id: str, now: datetime) -> list[str]:
        """Hashes of the SIM's unused, unexpired codes."""
        statement = select(claim_codes.c.code_hash).where(
            claim_codes.c.sim_id == sim_id, _usable(now)
        )
        return list(await self._conn.scalars(statement))

    async def sim_of_code(self, code_hash: str, now: datetime) -> str | None:
        """The SIM that an unused, unexpired code opens."""
        statement = select(claim_codes.c.sim_id).where(
            claim_codes.c.code_hash == code_hash, _usable(now)
        )
        return await self._conn.scalar(statement)

    async def use_code(self, code_hash: str, chat_id: int, now: datetime) -> bool:
        """Use a code up; False when it is used, expired or unknown."""
        statement = (
            update(claim_codes)
            .where(claim_codes.c.code_hash == code_hash, _usable(now))
            .values(used_by=chat_id, used_at=now)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def ask(self, claim: Claim) -> bool:
        """Put a claim before the operator; False when this chat's claim already waits."""
        return await insert_new(self._conn, claims, _CLAIM.dump(claim))

    async def get(self, claim_id: str) -> Claim | None:
        """The claim, settled ones too."""
        statement = select(*_CLAIM.columns).where(claims.c.id == claim_id)
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _CLAIM.load(row)

    async def waiting(self) -> list[Claim]:
        """Claims in state "waiting", oldest first."""
        statement = select(*_CLAIM.columns).where(claims.c.state == _WAITING)
        rows = await self._conn.execute(statement.order_by(claims.c.seq))
        return [_CLAIM.load(row) for row in rows]

    async def settle(self, claim_id: str, state: str) -> bool:
        """Decide a waiting claim; False when somebody has."""
        statement = (
            update(claims)
            .where(claims.c.id == claim_id, claims.c.state == _WAITING)
            .values(state=state)
        )
        return (await self._conn.execute(statement)).rowcount == 1


def _usable(now: datetime) -> ColumnElement[bool]:
    return and_(claim_codes.c.used_at.is_(None), claim_codes.c.expires_at > now)
