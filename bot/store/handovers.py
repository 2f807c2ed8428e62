"""Hand-overs of SIMs between their owners."""

from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.handover import OPEN, Handover, HandoverState
from bot.store.rows import Shape
from bot.store.tables import handovers

_HANDOVER = Shape(handovers, Handover)
_FIXED = frozenset({"id", "sim_id", "from_chat", "code_hash", "state", "created_at"})


class HandoverRows:
    """Implements `ports.Handovers`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, handover: Handover) -> None:
        """Raises an integrity error when the SIM has an open one."""
        await self._conn.execute(insert(handovers).values(_HANDOVER.dump(handover)))

    async def get(self, handover_id: str) -> Handover | None:
        """The hand-over, ended ones too."""
        return await self._one(handovers.c.id == handover_id)

    async def of_code(self, code_hash: str) -> Handover | None:
        """The one that a code is for, ended ones too."""
        return await self._one(handovers.c.code_hash == code_hash)

    async def open_of(self, sim_id: str) -> Handover | None:
        """The SIM's open one; it may have lapsed."""
        return await self._one(handovers.c.sim_id == sim_id, handovers.c.state.in_(OPEN))

    async def move(
        self, handover_id: str, old: HandoverState, new: HandoverState, **changes: Any
    ) -> bool:
        """Compare-and-set on the state; False when it had moved."""
        statement = (
            update(handovers)
            .where(handovers.c.id == handover_id, handovers.c.state == old)
            .values(state=new, **_HANDOVER.changes(changes, _FIXED))
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def _one(self, *conditions: ColumnElement[bool]) -> Handover | None:
        row = (await self._conn.execute(select(*_HANDOVER.columns).where(*conditions))).first()
        return None if row is None else _HANDOVER.load(row)
