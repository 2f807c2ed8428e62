"""The wallets' books: entries, postings, and the balances that they add up to."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, func, insert, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.books import Purses
from bot.domain.ledger import WALLET, Entry, EntryKind, Line, Overdrawn, Posting, is_wallet
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

    async def totals(self) -> dict[str, Purses]:
        """What stands in all wallets and what their postings come to, by currency."""
        found: dict[str, Purses] = {}
        for table, name in ((balances, "stands"), (postings, "entered")):
            statement = select(table.c.currency, func.sum(table.c.minor)).where(_of_wallets(table))
            for currency, minor in await self._conn.execute(statement.group_by(table.c.currency)):
                found[currency] = replace(found.get(currency, Purses()), **{name: int(minor)})
        return found

    async def unbalanced(self) -> list[tuple[str, Money]]:
        """Entries, by their keys, whose postings do not sum to zero, and what they sum to."""
        total = func.sum(postings.c.minor)
        statement = select(postings.c.entry, total, postings.c.currency)
        statement = statement.group_by(postings.c.entry, postings.c.currency).having(total != 0)
        rows = await self._conn.execute(statement.order_by(postings.c.entry))
        return [(key, Money(int(minor), currency)) for key, minor, currency in rows]

    async def drifted(self) -> list[tuple[str, Money]]:
        """Accounts that hold something else than their postings come to, with the difference;
        and wallets below zero, with what is on them."""
        both = union_all(
            select(balances.c.account, balances.c.currency, balances.c.minor),
            select(postings.c.account, postings.c.currency, -postings.c.minor),
        ).subquery()
        left = func.sum(both.c.minor)
        differ = select(both.c.account, left, both.c.currency)
        differ = differ.group_by(both.c.account, both.c.currency).having(left != 0)
        found = await self._conn.execute(differ.order_by(both.c.account))
        short = select(balances.c.account, balances.c.minor, balances.c.currency)
        below = short.where(_of_wallets(balances), balances.c.minor < 0)
        rows = [*found, *await self._conn.execute(below)]
        return [(account, Money(int(minor), currency)) for account, minor, currency in rows]

    async def posted_since(self, since: datetime) -> list[tuple[str, EntryKind]]:
        """Keys and kinds of the entries since then, oldest first."""
        statement = select(entries.c.key, entries.c.kind).where(entries.c.at >= since)
        rows = await self._conn.execute(statement.order_by(entries.c.seq))
        return [(key, kind) for key, kind in rows]

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


def _of_wallets(table: Table) -> ColumnElement[Any]:
    column: ColumnElement[Any] = table.c.account
    return column.startswith(WALLET, autoescape=True)
