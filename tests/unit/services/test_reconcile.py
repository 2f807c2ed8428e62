"""Reconciliation: what providers list, what we hold, and the gaps between them (rule 22)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bot.domain.books import Gap, Line, Report
from bot.domain.money import Money
from bot.domain.sales import Method
from bot.ports import Charge
from bot.services.reconcile import LOOK_BACK, Reconciliation
from bot.services.waiting import Action, Kind
from tests.unit.services.house import OPERATOR, SELLING
from tests.unit.services.sale_house import REJECTED, P, S, Shop, charged, sale_house

USD = Money(1290, "USD")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as shop:
        await shop.stock()
        yield shop


async def reconciled(shop: Shop) -> Report:
    job = Reconciliation(shop.database, shop.clock, {Method.CARD: shop.card}, SELLING, shop.till)
    return await job.run(shop.clock.now() - LOOK_BACK)


def only(report: Report) -> Line:
    [line] = report.lines
    return line


async def test_rule_22_a_charge_nobody_told_of_is_taken_over(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    report = await reconciled(shop)
    assert report.captured_late == 1
    assert (await shop.order(placed.id)).state is S.PAID
    assert (await reconciled(shop)).captured_late == 0


async def test_rule_22_what_was_fulfilled_refunded_and_held_adds_up(shop: Shop) -> None:
    _, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    shop.card.takes("ch2", payment.id, USD)
    await shop.look()
    line = only(await reconciled(shop))
    assert (line.listed, line.captured, line.held) == (2580, 2580, 2580)
    await shop.work_for(minutes=5)
    report = await reconciled(shop)
    line = only(report)
    assert (line.captured, line.fulfilled, line.refunded, line.held) == (2580, 1290, 1290, 0)
    assert line.listed_back == 1290
    assert (report.adds_up, report.found) == (True, [])


async def test_rule_22_a_refund_outside_is_recorded(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    await shop.look()
    await shop.work_for(minutes=5)
    shop.card.charges["ch1"] = replace(shop.card.charges["ch1"], returned=1290)
    report = await reconciled(shop)
    [payment] = await shop.payments(placed.id)
    assert payment.state is P.REFUNDED
    assert only(report).refunded == 1290
    assert await shop.whys() == ["refunded_outside"]


@pytest.mark.parametrize("times", [1, 3])
async def test_rule_22_a_charge_that_its_provider_does_not_list_waits_for_a_person(
    shop: Shop, times: int
) -> None:
    _, payment = await shop.page()
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))
    assert (await reconciled(shop)).found == []  # the list may lag
    shop.clock.advance(hours=4)
    for _ in range(times):
        report = await reconciled(shop)
        [gap] = report.found
        assert (gap.gap, gap.subject) == (Gap.MISSING_THERE, f"payment:{payment.id}")
    assert (await shop.whys()).count("gap_missing_there") == 1


async def test_rule_22_a_charge_older_than_the_list_is_asked_for_before_anybody_is_called(
    shop: Shop,
) -> None:
    _, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    shop.clock.advance(hours=6)
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))  # we hear of it late
    await shop.work_for(minutes=5)
    shop.clock.advance(hours=68)
    assert (await reconciled(shop)).found == []


async def test_rule_22_a_provider_that_can_not_be_asked_is_not_said_to_miss_anything(
    shop: Shop,
) -> None:
    _, payment = await shop.page()
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))
    shop.clock.advance(hours=4)
    listing = shop.card.list_since

    async def lists_and_goes_away(since: datetime) -> Sequence[Charge]:
        listed = await listing(since)
        shop.card.down = True
        return listed

    shop.card.list_since = lists_and_goes_away  # type: ignore[method-assign]
    assert (await reconciled(shop)).found == []


async def test_rule_22_a_refund_that_its_provider_never_made_waits_for_a_person(
    shop: Shop,
) -> None:
    shop.seller.answers = [REJECTED]
    _, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    await shop.look()
    await shop.work_for(minutes=5)
    shop.card.refunded.clear()
    shop.clock.advance(hours=4)
    [gap] = (await reconciled(shop)).found
    assert (gap.gap, gap.amount) == (Gap.REFUND_MISSING_THERE, USD)


async def test_rule_22_a_charge_with_a_reference_of_nobody_waits_for_a_person(shop: Shop) -> None:
    shop.card.takes("ch1", "lost-reference", USD)
    shop.card.takes("ch2", "", USD)
    report = await reconciled(shop)
    assert [gap.gap for gap in report.found] == [Gap.NO_ORDER]
    assert report.foreign == 1


async def test_rule_22_money_without_an_end_for_a_day_waits_for_a_person(shop: Shop) -> None:
    _, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    await shop.look()
    shop.clock.advance(hours=25)
    assert [gap.gap for gap in (await reconciled(shop)).found] == [Gap.STUCK]


async def test_rule_22_a_fulfilled_order_that_nobody_paid_does_not_add_up(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    await shop.look()
    await shop.work_for(minutes=5)
    async with shop.database.write() as tx:  # as no code of ours does
        await tx.payments.set(payment.id, captured=Money(1, "USD"))
    report = await reconciled(shop)
    assert not report.adds_up
    assert Gap.UNPAID in {gap.gap for gap in report.found}
    assert (await shop.order(placed.id)).state is S.FULFILLED


async def test_rule_22_a_provider_that_is_away_is_said_to_be(shop: Shop) -> None:
    shop.card.down = True
    assert (await reconciled(shop)).away == [Method.CARD]


async def test_rule_22_a_gap_stays_in_the_queue_until_somebody_has_seen_to_it(shop: Shop) -> None:
    shop.card.takes("ch1", "lost-reference", USD)
    await reconciled(shop)
    [item] = await shop.desk.queue()
    assert (item.kind, item.reason) == (Kind.DIFFERENCE, "gap_no_order")
    await shop.desk.act(item.subject, Action.SEEN, OPERATOR, 1)
    assert await shop.desk.queue() == []
    assert (await reconciled(shop)).found == []
