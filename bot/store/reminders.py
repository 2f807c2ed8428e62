"""The ledger of reminders: one row per SIM, cycle and stage."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.rows import insert_new
from bot.store.tables import reminders


class ReminderRows:
    """Implements `ports.Reminders`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def sent(self, sim_id: str, *cycles: str) -> frozenset[str]:
        """Codes of the stages that are settled (sent or skipped) in these cycles."""
        statement = select(reminders.c.stage).where(
            reminders.c.sim_id == sim_id, reminders.c.cycle.in_(cycles)
        )
        return frozenset(await self._conn.scalars(statement))

    async def add(self, sim_id: str, cycle: str, stage: str, *, sent: bool, at: datetime) -> bool:
        """False when the ledger has this stage already: somebody got there first."""
        values = {"sim_id": sim_id, "cycle": cycle, "stage": stage, "sent": sent, "at": at}
        return await insert_new(self._conn, reminders, values)
