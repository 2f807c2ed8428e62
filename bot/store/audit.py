"""What people did that others may ask about."""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import AuditRow
from bot.store.rows import Shape
from bot.store.tables import audit

_ROW = Shape(audit, AuditRow)


class AuditRows:
    """Implements `ports.Audit`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, row: AuditRow) -> None:
        """Write one line."""
        values = _ROW.dump(row) | {"details": dict(row.details)}
        await self._conn.execute(insert(audit).inline().values(values))

    async def latest(self, limit: int) -> list[AuditRow]:
        """Newest first."""
        statement = select(*_ROW.columns).order_by(audit.c.seq.desc()).limit(limit)
        return [_ROW.load(row) for row in await self._conn.execute(statement)]
