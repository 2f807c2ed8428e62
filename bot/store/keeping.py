"""What keeps numbers alive: activities of SIMs, and the operator's rules of carriers."""

from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rules import Activity, Overridden
from bot.ports import ActivityRow
from bot.store.rows import Shape, insert_new
from bot.store.tables import activities, rule_overrides

_ACTIVITY = Shape(activities, ActivityRow)
_OVERRIDDEN = Shape(rule_overrides, Overridden)


class ActivityRows:
    """Implements `ports.Activities`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, row: ActivityRow) -> bool:
        """False when that kind of activity is known of that day."""
        return await insert_new(self._conn, activities, _ACTIVITY.dump(row))

    async def remove(self, sim_id: str, kind: Activity, day: date) -> bool:
        """False when it is not there."""
        statement = delete(activities).where(
            activities.c.sim_id == sim_id, activities.c.kind == kind, activities.c.day == day
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def of(self, sim_id: str) -> list[ActivityRow]:
        """The SIM's activities, the latest day first."""
        statement = select(*_ACTIVITY.columns).where(activities.c.sim_id == sim_id)
        ordered = statement.order_by(activities.c.day.desc(), activities.c.seq.desc())
        return [_ACTIVITY.load(row) for row in await self._conn.execute(ordered)]


class RuleRows:
    """Implements `ports.Rules`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, carrier: str) -> Overridden | None:
        """What the operator says of a carrier."""
        statement = select(*_OVERRIDDEN.columns).where(rule_overrides.c.carrier == carrier)
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _OVERRIDDEN.load(row)

    async def all(self) -> list[Overridden]:
        """By carrier."""
        statement = select(*_OVERRIDDEN.columns).order_by(rule_overrides.c.carrier)
        return [_OVERRIDDEN.load(row) for row in await self._conn.execute(statement)]

    async def set(self, said: Overridden) -> None:
        """Instead of what was said of that carrier before."""
        await self.remove(said.carrier)
        await insert_new(self._conn, rule_overrides, _OVERRIDDEN.dump(said))

    async def remove(self, carrier: str) -> bool:
        """False when nothing was said."""
        statement = delete(rule_overrides).where(rule_overrides.c.carrier == carrier)
        return (await self._conn.execute(statement)).rowcount == 1
