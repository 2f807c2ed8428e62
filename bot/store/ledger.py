"""The wallets' books: entries, postings, and the balances that they add up to."""

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ledger import Entry, Line, Overdrawn, Posting, is_wallet
from bot.domain.money import Money
from bot.store.rows import insert_new
from bot.store.tables import balances, entries, postings


class LedgerRows:
    """Implements `ports.Ledger`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def post(self, entry: Entry) -> bool:
        """Post it once for its key; False when it was posted before, and nothing moves.

        Raises Overdrawn when a wallet would fall below zero: it has to leave the transaction.
        """
        head = {"key": entry.key, "kind": entry.kind, "at": entry.at, "about": entry.about}
        if not await insert_new(self._conn, entries, head):
            return False
        # In one order, so that two transactions that touch the same rows never wait for each other.
        for posting in sorted(entry.postings, key=lambda one: one.account):
            values = {
                "entry": entry.key, "account": posting.account,
                "minor": posting.amount.minor, "currency": posting.amount.currency,
            }  # fmt: skip
            await self._conn.execute(insert(postings).inline().values(values))
            await self._move(posting)
        return True

    async def _move(self, posting: Posting) -> None:
        account, amount = posting.account, posting.amount
        empty = {"account": account, "currency": amount.currency, "minor": 0}
        await insert_new(self._conn, balances, empty)
        statement = update(balances).where(
            balances.c.account == account, balances.c.currency == amount.currency
        )
        if is_wallet(account):
            statement = statement.where(balances.c.minor + amount.minor >= 0)
        moved = await self._conn.execute(statement.values(minor=balances.c.minor + amount.minor))
        if moved.rowcount != 1:
            raise Overdrawn(account)

    async def balance(self, account: str, currency: str) -> Money:
        """What stands on an account in one currency."""
        statement = select(balances.c.minor).where(
            balances.c.account == account, balances.c.currency == currency
        )
        return Money(await self._conn.scalar(statement) or 0, currency)

    async def balances(self, account: str) -> list[Money]:
        """What stands on an account, by currency; those with nothing left out."""
        statement = select(balances.c.minor, balances.c.currency).where(
            balances.c.account == account, balances.c.minor != 0
        )
        rows = await self._conn.execute(statement.order_by(balances.c.currency))
        return [Money(*row) for row in rows]

    async def posted(self, key: str, account: str) -> Money | None:
        """What the entry of that key added to an account; None when it did not touch it."""
        statement = select(postings.c.minor, postings.c.currency).where(
            postings.c.entry == key, postings.c.account == account
        )
        row = (await self._conn.execute(statement)).first()
        return None if row is None else Money(*row)

    async def history(self, account: str, limit: int, offset: int = 0) -> list[Line]:
        """Newest first."""
        statement = (
            select(
                entries.c.kind, postings.c.minor, postings.c.currency, entries.c.at, entries.c.about
            )
            .join(entries, entries.c.key == postings.c.entry)
            .where(postings.c.account == account)
            .order_by(postings.c.seq.desc())
        )
        rows = await self._conn.execute(statement.limit(limit).offset(offset))
        return [
            Line(kind, Money(minor, currency), at, about)
            for kind, minor, currency, at, about in rows
        ]
