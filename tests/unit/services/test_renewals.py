"""Renewals that pay by themselves: rules 19 to 21 of the payment state machines
(docs/payments.md)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.domain.renewals import AgreementState, RunState
from bot.domain.sales import Method
from bot.ports import Found, Standing
from tests.unit.services.renewal_house import (
    CHARGED_AT,
    DECLINED,
    PRICE,
    RenewalShop,
    away,
    renewal_house,
)
from tests.unit.services.sale_house import P, S
from tests.unit.store.samples import ALICE, days

A, R = AgreementState, RunState
PERIOD = days(10)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[RenewalShop]:
    async with renewal_house(tmp_path) as shop:
        yield shop


async def orders_of(shop: RenewalShop) -> list[OrderState]:
    async with shop.database.read() as tx:
        return [order.state for order in await tx.orders.of_chat(ALICE, 50)][::-1]


# ---- rule 19: unique (SIM, period), and a key derived from it ----------------------------------


async def test_rule_19_a_period_is_told_charged_and_delivered_once(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    await shop.until(days(3.9))
    assert await shop.heard() == []
    await shop.until(days(4.1))
    assert await shop.heard() == ["notice"]
    await shop.until(days(6.9))
    assert shop.bank.charges == {}
    await shop.until(days(9))
    [charge] = shop.bank.charges.values()
    assert charge.amount == PRICE
    assert (await shop.run_of(PERIOD)).state is R.PAID
    assert (await shop.sim()).expiry == days(40)
    assert await orders_of(shop) == [S.FULFILLED]
    await shop.until(days(38))
    assert await shop.heard() == ["notice", "notice"]
    assert len(shop.bank.charges) == 2
    assert (await shop.agreement(agreement.id)).state is A.ACTIVE


async def test_rule_19_many_workers_at_once_charge_once(shop: RenewalShop) -> None:
    await shop.agree()
    await shop.until(days(6.9))
    shop.clock.at = CHARGED_AT
    workers = [shop.renewals]
    for _ in range(4):
        shop.restart()
        workers.append(shop.renewals)
    await asyncio.gather(*(one.worker.run() for one in workers))
    await shop.until(days(9))
    assert len(shop.bank.asked) == 1
    assert len(shop.bank.charges) == 1


async def test_rule_19_a_lost_answer_is_asked_for_under_the_same_key(shop: RenewalShop) -> None:
    await shop.agree()
    shop.bank.says = [away(), away()]
    shop.bank.takes_anyway = True  # it took the money, and the answer was lost
    await shop.until(CHARGED_AT + timedelta(hours=1))
    assert len(set(shop.bank.asked)) == 1
    assert len(shop.bank.charges) == 1
    assert (await shop.run_of(PERIOD)).state is R.PAID
    assert await orders_of(shop) == [S.FULFILLED]


async def test_rule_19_an_answer_that_never_came_is_settled_before_a_retry(
    shop: RenewalShop,
) -> None:
    await shop.agree()
    await shop.until(days(6.9))
    shop.bank.down = True
    shop.bank.takes("ch-lost", "", PRICE)  # something else that was charged
    await shop.until(days(8.5))
    run = await shop.run_of(PERIOD)
    assert run.state is R.CHARGING  # nobody knows: it is not charged again
    assert run.payment_id is not None
    shop.bank.down = False
    shop.bank.takes(f"saved-{run.payment_id}", run.payment_id, PRICE)
    await shop.until(days(9))
    assert (await shop.run_of(PERIOD)).state is R.PAID
    assert await orders_of(shop) == [S.FULFILLED]  # late money is honoured
    assert shop.bank.asked == []


async def test_rule_19_a_crash_after_the_charge_finds_it(shop: RenewalShop) -> None:
    await shop.agree()
    await shop.until(days(6.9))
    shop.bank.says = [asyncio.CancelledError()]
    shop.bank.takes_anyway = True
    shop.clock.at = CHARGED_AT
    await shop.renew()
    shop.restart()
    await shop.until(days(8))
    assert len(shop.bank.charges) == 1
    assert (await shop.run_of(PERIOD)).state is R.PAID


async def test_rule_19_what_was_renewed_by_hand_is_skipped(shop: RenewalShop) -> None:
    await shop.agree()
    await shop.until(days(5))
    await shop.paid()
    await shop.until(days(9))
    assert shop.bank.charges == {}
    assert (await shop.run_of(PERIOD)).state is R.SKIPPED
    assert await shop.heard() == ["notice"]


async def test_rule_19_an_order_of_the_customers_own_is_waited_for(shop: RenewalShop) -> None:
    await shop.agree()
    await shop.until(days(6.99))
    placed, payment = await shop.invoice()
    shop.clock.at = CHARGED_AT
    await shop.renew()
    assert (await shop.order(placed.id)).state is S.AWAITING_PAYMENT
    await shop.pay(payment)
    await shop.until(days(9))
    assert shop.bank.charges == {}


async def test_rule_19_too_late_to_be_told_is_said(shop: RenewalShop) -> None:
    await shop.agree()
    shop.clock.at = days(9.5)  # the bot was down for a week
    await shop.until(days(10))
    assert await shop.heard() == ["skipped"]
    assert shop.bank.charges == {}


# ---- rule 20: declined, confirmed by the customer, bounded retries ---------------------------


async def test_rule_20_declined_is_told_and_tried_twice_more_in_48_hours(
    shop: RenewalShop,
) -> None:
    agreement = await shop.agree()
    shop.bank.says = [DECLINED] * 3
    await shop.until(days(7.5))
    assert await shop.heard() == ["notice", "declined"]
    assert (await shop.agreement(agreement.id)).state is A.FAILING
    await shop.until(days(8.5))
    assert len(shop.bank.asked) == 2
    await shop.until(days(9.5))
    assert len(set(shop.bank.asked)) == 3  # each with an attempt of its own
    assert await shop.heard() == ["notice", "declined", "declined", "failed"]
    assert (await shop.run_of(PERIOD)).state is R.FAILED
    await shop.until(days(30))
    assert len(shop.bank.asked) == 3
    assert (await shop.agreement(agreement.id)).state is A.PAUSED
    assert set(await orders_of(shop)) == {S.CANCELLED}


async def test_rule_20_a_retry_that_is_paid_goes_on(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    shop.bank.says = [DECLINED]
    await shop.until(days(9))
    assert (await shop.run_of(PERIOD)).state is R.PAID
    assert (await shop.agreement(agreement.id)).state is A.ACTIVE
    assert await orders_of(shop) == [S.CANCELLED, S.FULFILLED]


async def test_rule_20_what_needs_the_customer_gets_a_link(shop: RenewalShop) -> None:
    await shop.agree()
    link = "https://bank.example/confirm"
    shop.bank.says = [Found(Standing.OPEN, url=link)]
    await shop.until(CHARGED_AT + timedelta(minutes=1))
    run = await shop.run_of(PERIOD)
    assert (run.state, run.reason) == (R.DECLINED, "needs_confirmation")
    [payment] = await shop.payments(run.order_id or "")
    assert (payment.url, payment.state) == (link, P.PENDING)
    shop.bank.takes("ch1", payment.id, PRICE)
    await shop.look()
    assert (await shop.order(run.order_id or "")).state is S.PAID
    await shop.until(days(9))
    assert (await shop.run_of(PERIOD)).state is R.PAID
    assert len(shop.bank.asked) == 1


async def test_rule_20_a_declined_order_paid_all_the_same_ends_the_retries(
    shop: RenewalShop,
) -> None:
    await shop.agree()
    shop.bank.says = [DECLINED]
    await shop.until(days(7.2))
    run = await shop.run_of(PERIOD)
    assert run.payment_id is not None
    shop.bank.takes("late", run.payment_id, PRICE)  # it said no, and took it
    await shop.until(days(9.5))
    assert len(shop.bank.asked) == 1
    assert (await shop.run_of(PERIOD)).state is R.PAID
    assert await orders_of(shop) == [S.FULFILLED]


async def test_rule_20_a_wallet_without_enough_is_declined(shop: RenewalShop) -> None:
    await shop.agree(Method.WALLET)
    await shop.fill(1000)
    await shop.until(days(7.5))
    run = await shop.run_of(PERIOD)
    assert (run.state, run.reason) == (R.DECLINED, "wallet_short")
    await shop.fill(1000, "more")
    await shop.until(days(8.5))
    assert (await shop.run_of(PERIOD)).state is R.PAID
    async with shop.database.read() as tx:
        assert await tx.ledger.balance(f"wallet:{ALICE}", "USD") == Money(710, "USD")


# ---- rule 21: subscriptions in Stars ----------------------------------------------------------


async def test_rule_21_each_recurring_charge_is_its_own_order(shop: RenewalShop) -> None:
    agreement, first = await shop.subscribe()
    assert (await shop.agreement(agreement.id)).state is A.ACTIVE
    assert (await shop.sim()).expiry == days(40)
    for month in (1, 2):
        await shop.until(days(30 * month))
        for _ in range(2):  # Telegram tells it twice
            await shop.recur(first, f"sub-{month + 1}")
        await shop.fulfil()
    assert await orders_of(shop) == [S.FULFILLED] * 3
    assert (await shop.sim()).expiry == days(100)
    assert len(shop.seller.bought) == 3
    await shop.refund()
    assert shop.telegram.returned == []
    assert await shop.heard() == ["on", "notice", "notice"]


async def test_rule_21_a_dead_line_is_refunded_and_the_subscription_stopped(
    shop: RenewalShop,
) -> None:
    agreement, first = await shop.subscribe()
    async with shop.database.write() as tx:
        sim = await tx.sims.get("m1")
        assert sim is not None
        await tx.sims.update("m1", sim.version, removed_at=shop.clock.at)
    await shop.recur(first, "sub-2")
    await shop.refund()
    await shop.renew()
    assert shop.telegram.returned == ["sub-2"]
    assert shop.telegram.stopped == ["sub-1"]
    assert (await shop.agreement(agreement.id)).state is A.ENDED
    assert await orders_of(shop) == [S.FULFILLED, S.REFUNDED]


async def test_rule_21_no_charge_by_its_day_ends_it_and_is_told(shop: RenewalShop) -> None:
    agreement, _ = await shop.subscribe()
    await shop.until(days(32))
    assert (await shop.agreement(agreement.id)).reason == "not_charged"
    assert (await shop.heard())[-1] == "ended"


async def test_rule_21_a_charge_told_late_goes_on(shop: RenewalShop) -> None:
    agreement, first = await shop.subscribe()
    await shop.until(days(32))
    await shop.recur(first, "sub-2")
    await shop.fulfil()
    assert (await shop.agreement(agreement.id)).state is A.ACTIVE
    assert await orders_of(shop) == [S.FULFILLED] * 2


async def test_rule_21_stopping_tells_telegram_until_it_has_heard(shop: RenewalShop) -> None:
    agreement, first = await shop.subscribe()
    shop.telegram.away = 2
    await shop.agreeing.cancel(agreement.id, ALICE)
    await shop.until(days(0.1))
    assert shop.telegram.stopped == ["sub-1"]
    await shop.recur(first, "sub-2")  # it was charged all the same
    await shop.refund()
    await shop.renew()
    assert shop.telegram.returned == ["sub-2"]
    assert shop.telegram.stopped == ["sub-1", "sub-1"]


async def test_rule_21_a_subscription_whose_order_was_not_honoured_is_stopped(
    shop: RenewalShop,
) -> None:
    agreement = await shop.agree(Method.STARS)
    placed = await shop.place()
    await shop.agreeing.begins_with(agreement.id, placed.id)
    payment = await shop.stars(placed)
    await shop.change_plan(active=False)
    shop.clock.at = days(0.5)
    await shop.paying.expire_due()
    await shop.pay(payment, "sub-1")
    await shop.refund()
    await shop.renew()
    assert (shop.telegram.returned, shop.telegram.stopped) == (["sub-1"], ["sub-1"])
    assert (await shop.agreement(agreement.id)).state is A.ENDED


async def test_rule_21_a_plain_second_charge_still_goes_back(shop: RenewalShop) -> None:
    placed, payment = await shop.invoice()
    await shop.pay(payment)
    await shop.pay(payment, "c2")
    await shop.refund()
    assert shop.telegram.returned == ["c2"]
    assert [p.order_id for p in await shop.payments(placed.id)] == [placed.id] * 2
