"""What payments need beside attempts: deposits, kept ways to pay, exchange rates."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ledger import Deposit
from bot.domain.quotes import Rate
from bot.domain.sales import Removal, Saved
from bot.store.rows import Shape, insert_new
from bot.store.tables import deposits, rates, removals, saved

_DEPOSIT = Shape(deposits, Deposit, money=("amount",))
_SAVED = Shape(saved, Saved)
_REMOVAL = Shape(removals, Removal)
_DEPOSIT_FIXED = frozenset({"id", "chat_id", "amount", "totals", "created_at"})
_WAITS = (deposits.c.paid_at.is_(None), deposits.c.ended_at.is_(None))


class DepositRows:
    """Implements `ports.Deposits`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, deposit: Deposit) -> None:
        """Save the intent, before anybody is called."""
        await self._conn.execute(insert(deposits).inline().values(_DEPOSIT.dump(deposit)))

    async def get(self, deposit_id: str) -> Deposit | None:
        """The deposit."""
        statement = select(*_DEPOSIT.columns).where(deposits.c.id == deposit_id)
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _DEPOSIT.load(row)

    async def expiring(self, now: datetime, limit: int) -> list[Deposit]:
        """Those that wait for money although their expires_at has passed, oldest first."""
        statement = select(*_DEPOSIT.columns).where(*_WAITS, deposits.c.expires_at <= now)
        rows = await self._conn.execute(statement.order_by(deposits.c.expires_at).limit(limit))
        return [_DEPOSIT.load(row) for row in rows]

    async def next_expiring(self) -> datetime | None:
        """When the next deposit runs out; None when none waits."""
        statement = select(deposits.c.expires_at).where(*_WAITS)
        return await self._conn.scalar(statement.order_by(deposits.c.expires_at).limit(1))

    async def paid_of(self, chat_id: int, limit: int) -> list[Deposit]:
        """The chat's paid ones, newest first."""
        statement = select(*_DEPOSIT.columns).where(
            deposits.c.chat_id == chat_id, deposits.c.paid_at.is_not(None)
        )
        rows = await self._conn.execute(statement.order_by(deposits.c.seq.desc()).limit(limit))
        return [_DEPOSIT.load(row) for row in rows]

    async def set(self, deposit_id: str, **changes: Any) -> None:
        """Change it. Raises ValueError for unknown names."""
        values = _DEPOSIT.changes(changes, _DEPOSIT_FIXED)
        await self._conn.execute(update(deposits).where(deposits.c.id == deposit_id).values(values))


class SavedRows:
    """Implements `ports.SavedMethods`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def keep(self, item: Saved) -> Saved:
        """Save it; the same token of the same chat is kept once."""
        if await insert_new(self._conn, saved, _SAVED.dump(item)):
            return item
        return next(
            known for known in await self.of_chat(item.chat_id) if known.token == item.token
        )

    async def get(self, saved_id: str) -> Saved | None:
        """One, removed or not."""
        statement = select(*_SAVED.columns).where(saved.c.id == saved_id)
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _SAVED.load(row)

    async def of_chat(self, chat_id: int) -> list[Saved]:
        """Those not removed, newest first."""
        statement = select(*_SAVED.columns).where(
            saved.c.chat_id == chat_id, saved.c.removed_at.is_(None)
        )
        rows = await self._conn.execute(statement.order_by(saved.c.seq.desc()))
        return [_SAVED.load(row) for row in rows]

    async def remove(self, saved_id: str, at: datetime) -> bool:
        """It is charged no more, and to be deleted at its provider; False when it was removed
        before. Its token is known to the removal alone from then on."""
        item = await self.get(saved_id)
        statement = (
            update(saved)
            .where(saved.c.id == saved_id, saved.c.removed_at.is_(None))
            .values(removed_at=at, token="")
        )
        if item is None or (await self._conn.execute(statement)).rowcount != 1:
            return False
        removal = Removal(item.id, item.method, item.token, at)
        await self._conn.execute(insert(removals).inline().values(_REMOVAL.dump(removal)))
        return True


class RemovalRows:
    """Implements `ports.Removals`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def due(self, now: datetime, limit: int) -> list[Removal]:
        """Those whose next_at has come, the longest due first."""
        statement = select(*_REMOVAL.columns).where(removals.c.next_at <= now)
        rows = await self._conn.execute(statement.order_by(removals.c.next_at).limit(limit))
        return [_REMOVAL.load(row) for row in rows]

    async def next_due(self) -> datetime | None:
        """When the next one is due; None when there is none."""
        return await self._conn.scalar(
            select(removals.c.next_at).order_by(removals.c.next_at).limit(1)
        )

    async def later(self, removal_id: str, next_at: datetime, tries: int) -> None:
        """It is asked for again then."""
        values = {"next_at": next_at, "tries": tries}
        await self._conn.execute(update(removals).where(removals.c.id == removal_id).values(values))

    async def done(self, removal_id: str) -> None:
        """It is gone there: nothing of it is kept here either."""
        await self._conn.execute(delete(removals).where(removals.c.id == removal_id))


class RateRows:
    """Implements `ports.ExchangeRates`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def all(self) -> list[Rate]:
        """Every rate that was pulled, fresh or stale."""
        columns = (rates.c.currency, rates.c.into, rates.c.per_unit, rates.c.source, rates.c.at)
        return [Rate(*row) for row in await self._conn.execute(select(*columns))]

    async def put(self, rate: Rate) -> None:
        """Replace what was known of the two currencies."""
        same = (rates.c.currency == rate.currency, rates.c.into == rate.into)
        await self._conn.execute(delete(rates).where(*same))
        values = {
            "currency": rate.currency, "into": rate.into, "per_unit": rate.per_unit,
            "source": rate.source, "at": rate.at,
        }  # fmt: skip
        await self._conn.execute(insert(rates).values(values))
