"""The ledger of reminders: one row per SIM, cycle and stage."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Told
from bot.store.tables import reminders

_R = reminders.c
# Pairs of SIM and cycle would be more exact, but SQLite reads the whole index for them.
_SETTLED = select(_R.sim_id, _R.cycle, _R.stage).where(
    _R.sim_id.in_(bindparam("sims", expanding=True)),
    _R.cycle.in_(bindparam("cycles", expanding=True)),
)
_ADD = {
    dialect: insert(reminders).on_conflict_do_nothing().returning(_R.sim_id, _R.stage)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


class ReminderRows:
    """Implements `ports.Reminders`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def sent(self, sim_id: str, *cycles: str) -> frozenset[str]:
        """Codes of the stages that are settled (sent or skipped) in these cycles."""
        return (await self.settled({sim_id: cycles})).get(sim_id, frozenset())

    async def settled(self, cycles: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
        """The same of many SIMs, each with its cycles; of one without any stage nothing."""
        found: dict[str, set[str]] = defaultdict(set)
        names = sorted({cycle for of_sim in cycles.values() for cycle in of_sim})
        if names:
            wanted = {"sims": list(cycles), "cycles": names}
            for sim_id, cycle, stage in await self._conn.execute(_SETTLED, wanted):
                if cycle in cycles[sim_id]:
                    found[sim_id].add(stage)
        return {sim_id: frozenset(stages) for sim_id, stages in found.items()}

    async def add(self, sim_id: str, cycle: str, stage: str, *, sent: bool, at: datetime) -> bool:
        """False when the ledger has this stage already: somebody got there first."""
        return bool(await self.add_all([Told(sim_id, cycle, stage, sent)], at))

    async def add_all(self, rows: Collection[Told], at: datetime) -> frozenset[tuple[str, str]]:
        """SIM and stage of those that are new; of the others somebody got there first.

        In one order, whoever writes: two instances never wait for each other.
        """
        if not rows:
            return frozenset()
        values = [
            {"sim_id": row.sim_id, "cycle": row.cycle, "stage": row.stage, "sent": row.sent,
             "at": at}
            for row in sorted(rows, key=lambda row: (row.sim_id, row.cycle, row.stage))
        ]  # fmt: skip
        added = await self._conn.execute(_ADD[self._conn.dialect.name], values)
        return frozenset((sim_id, stage) for sim_id, stage in added)
