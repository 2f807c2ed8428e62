"""The wallets' books are compared with what moved them, and no difference is overlooked."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Update, delete, insert, text, update

from bot.cli.reconcile import _told as printed
from bot.domain.books import Gap, Purses, Report
from bot.domain.ledger import Entry, EntryKind, Posting
from bot.domain.money import Money
from bot.domain.sales import Method
from bot.services.reconcile import LOOK_BACK, Reconciliation
from bot.services.waiting import Kind
from bot.store.tables import balances, entries, payments, postings
from tests.unit.services.sale_house import REJECTED, S, Shop
from tests.unit.services.test_wallet import OWN, WALLET, fill, opened
from tests.unit.store.samples import ALICE, NOW


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async for found in opened(tmp_path):
        yield found


async def reconciled(shop: Shop) -> Report:
    methods = {Method.CARD: shop.card}
    job = Reconciliation(shop.database, shop.clock, methods, WALLET, shop.till)
    return await job.run(shop.clock.now() - LOOK_BACK)


async def lived(shop: Shop) -> str:
    """A wallet that was filled twice, paid an order, got another one's money back, and gave a
    top-up back; the order that it paid."""
    await fill(shop, 5000, "d1")
    await fill(shop, 1000, "d2")
    paid = await shop.place()
    await shop.till.spend(paid.id, ALICE)
    await shop.work_for(minutes=5)
    assert (await shop.order(paid.id)).state is S.FULFILLED
    shop.seller.answers.append(REJECTED)
    other = await shop.place(2)
    await shop.till.spend(other.id, ALICE)
    await shop.work_for(minutes=5)
    assert (await shop.order(other.id)).state is S.REFUNDED
    newest, _ = await shop.deposits.unspent(ALICE)
    await shop.deposits.give_back(newest.payment.id, ALICE)
    await shop.work_for(minutes=5)
    return paid.id


async def test_books_that_agree_leave_nothing_to_do(shop: Shop) -> None:
    await lived(shop)
    report = await reconciled(shop)
    assert (report.adds_up, report.found) == (True, [])
    [purses] = report.purses.values()
    assert purses.stands == purses.entered > 0


def changed(statement: Update | Any) -> Callable[[Shop], Any]:
    async def change(shop: Shop) -> None:
        async with shop.database.write() as tx:
            conn = tx.ledger._conn  # type: ignore[attr-defined]
            await conn.execute(text("PRAGMA ignore_check_constraints = ON"))
            await conn.execute(statement)

    return change


MINE = (balances.c.account == OWN, balances.c.currency == "USD")
SPENT = postings.c.entry.in_(entries.select().with_only_columns(entries.c.key).where(
    entries.c.kind == EntryKind.ORDER))  # fmt: skip
CHARGED = (payments.c.method == Method.WALLET, payments.c.state == "captured")
WRONG = {
    "more stands on a wallet than came in": update(balances)
    .where(*MINE)
    .values(minor=balances.c.minor + 1),
    "a wallet is below zero": update(balances).where(*MINE).values(minor=-5),
    "a balance is lost": delete(balances).where(*MINE),
    "a posting was changed": update(postings)
    .where(SPENT, postings.c.account == OWN)
    .values(minor=postings.c.minor + 1),
    "a posting is lost": delete(postings).where(SPENT, postings.c.account == OWN),
    "a payment never left the wallet": update(payments)
    .where(*CHARGED)
    .values(captured_minor=payments.c.captured_minor + 1),
    "a wallet's payment was undone": update(payments).where(*CHARGED).values(state="cancelled"),
    "an entry belongs to nothing": insert(entries).values(
        key="payment:nobodys", kind=EntryKind.TOPUP, at=NOW
    ),
}


@pytest.mark.parametrize("what", WRONG)
async def test_whatever_differs_waits_for_a_person_once(shop: Shop, what: str) -> None:
    await lived(shop)
    await changed(WRONG[what])(shop)
    for _ in range(2):
        report = await reconciled(shop)
        assert Gap.LEDGER in {gap.gap for gap in report.found}
        shop.clock.at += timedelta(hours=1)
    queue = await shop.desk.queue()
    waiting = [item for item in queue if item.kind is Kind.DIFFERENCE]
    assert len(waiting) == len({item.subject for item in waiting}) == len(report.found)
    assert "gap_ledger" in await shop.whys()


async def test_money_given_twice_for_one_refund_is_seen(shop: Shop) -> None:
    await lived(shop)
    five = Money(500, "USD")
    async with shop.database.write() as tx:
        both = (Posting("sold", Money(-500, "USD")), Posting(OWN, five))
        now = shop.clock.now()
        await tx.ledger.post(Entry("refund:nobodys", EntryKind.RETURNED, now, both, None))
    report = await reconciled(shop)
    assert [gap.subject for gap in report.found] == ["entry:refund:nobodys"]
    assert report.adds_up, "it is in the books, without a cause"


async def test_the_totals_of_the_wallets_stand_in_the_report(shop: Shop) -> None:
    await fill(shop, 5000)
    assert (await reconciled(shop)).purses == {"USD": Purses(5000, 5000)}
    await changed(WRONG["more stands on a wallet than came in"])(shop)
    report = await reconciled(shop)
    assert report.purses == {"USD": Purses(5001, 5000)}
    assert not report.adds_up


async def test_the_command_prints_the_wallets_beside_the_methods(shop: Shop) -> None:
    await fill(shop, 5000)
    await changed(WRONG["more stands on a wallet than came in"])(shop)
    told = "\n".join(printed(await reconciled(shop)))
    assert "wallets USD: 50.01 stands in them, 50.00 entered  DOES NOT ADD UP" in told
    assert f"the wallets' books do not add up: account:{OWN}, 0.01 USD" in told
