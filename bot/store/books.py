"""What reconciliation found."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.books import Difference
from bot.store.rows import Shape, insert_new
from bot.store.tables.books import differences

_DIFFERENCE = Shape(differences, Difference, money=("amount",))
_SELECT = select(*_DIFFERENCE.columns)


class DifferenceRows:
    """Implements `ports.Differences`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, difference: Difference) -> bool:
        """False when that gap of that subject was found before."""
        return await insert_new(self._conn, differences, _DIFFERENCE.dump(difference))

    async def get(self, difference_id: str) -> Difference | None:
        """One, settled or not."""
        row = (await self._conn.execute(_SELECT.where(differences.c.id == difference_id))).first()
        return None if row is None else _DIFFERENCE.load(row)

    async def open(self) -> list[Difference]:
        """Those nobody has settled, oldest first."""
        statement = _SELECT.where(differences.c.settled_at.is_(None)).order_by(differences.c.seq)
        return [_DIFFERENCE.load(row) for row in await self._conn.execute(statement)]

    async def settle(self, difference_id: str, at: datetime, actor: str) -> bool:
        """False when it was settled before."""
        statement = (
            update(differences)
            .where(differences.c.id == difference_id, differences.c.settled_at.is_(None))
            .values(settled_at=at, settled_by=actor)
        )
        return (await self._conn.execute(statement)).rowcount == 1
