"""Updates as Telegram sent them, kept until they are handled."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import InboxRow
from bot.store.rows import Shape
from bot.store.tables import inbox

_ROW = Shape(inbox, InboxRow)
_APPEND = {
    "sqlite": sqlite.insert(inbox).on_conflict_do_nothing().returning(inbox.c.update_id),
    "postgresql": postgresql.insert(inbox).on_conflict_do_nothing().returning(inbox.c.update_id),
}


class InboxRows:
    """Implements `ports.Inbox`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def append(self, rows: Sequence[InboxRow], at: datetime) -> list[bool]:
        """Save updates; False where that update_id was there before, or earlier in `rows`."""
        if not rows:
            return []
        values = [_ROW.dump(row) | {"received_at": at} for row in rows]
        fresh = set(await self._conn.scalars(_APPEND[self._conn.dialect.name], values))
        news = []
        for row in rows:
            news.append(row.update_id in fresh)
            fresh.discard(row.update_id)
        return news

    async def unfinished(self) -> list[InboxRow]:
        """Oldest first."""
        statement = select(*_ROW.columns).where(inbox.c.done_at.is_(None))
        rows = await self._conn.execute(statement.order_by(inbox.c.received_at, inbox.c.update_id))
        return [_ROW.load(row) for row in rows]

    async def done(self, update_id: int, at: datetime, error_id: str | None) -> None:
        """It was handled; `error_id` is what the customer was shown when that failed."""
        statement = update(inbox).where(inbox.c.update_id == update_id)
        await self._conn.execute(statement.values(done_at=at, error_id=error_id))

    async def purge(self, before: datetime) -> int:
        """Forget updates handled before that moment; how many went."""
        return (await self._conn.execute(delete(inbox).where(inbox.c.done_at < before))).rowcount
