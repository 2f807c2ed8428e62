"""The rules of the payment state machines, each guarding a failure seen in the wild.

The numbers are those of the project's list of payment rules (docs/payments.md). Rules 19 to 21 are
about renewals that pay by themselves, rule 22 about reconciliation; they stand in files of their
own.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.domain.orders import PaymentState, RefundState
from bot.domain.sales import Method, Payment, Refund
from bot.ports import Charge, Found, PaymentUnavailable, Standing
from bot.services.selling import Refused
from tests.unit.services.sale_house import (
    BILL,
    CODE,
    REJECTED,
    STARS,
    P,
    S,
    Shop,
    charged,
    sale_house,
)
from tests.unit.store.samples import ALICE, BOB, PLAN, minutes

USD = Money(1290, "USD")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as shop:
        await shop.stock()
        yield shop


async def the_payment(shop: Shop, order_id: str) -> Payment:
    [payment] = await shop.payments(order_id)
    return payment


async def refunds_of(shop: Shop, payment_id: str) -> list[Refund]:
    async with shop.database.read() as tx:
        return await tx.refunds.of_payment(payment_id)


async def test_rule_01_total_currency_rate_fee_and_expiry_are_frozen_in_the_quote(
    shop: Shop,
) -> None:
    placed, payment = await shop.page()
    async with shop.database.write() as tx:
        dearer = replace(PLAN, price=Money(99999, "USD"), max_cost=Money(9999, "USD"))
        await tx.catalogue.apply([dearer])
    again = await shop.paying.pay(placed.id, ALICE, Method.CARD, BILL)
    assert (again.id, again.amount) == (payment.id, USD)
    assert placed.expires_at == minutes(15)


async def test_rule_02_the_attempt_is_saved_before_the_provider_is_called(shop: Shop) -> None:
    placed = await shop.place()
    shop.card.down = True
    with pytest.raises(PaymentUnavailable):
        await shop.paying.pay(placed.id, ALICE, Method.CARD, BILL)
    assert (await the_payment(shop, placed.id)).state is P.CREATED
    shop.card.down = False
    for _ in range(3):
        await shop.paying.pay(placed.id, ALICE, Method.CARD, BILL)
    assert (await the_payment(shop, placed.id)).state is P.PENDING
    assert len(shop.card.shown) == 1  # the page still stands


async def test_rule_03_a_lost_answer_is_looked_up_under_our_reference(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    shop.card.away = 1
    await shop.look()
    assert (await shop.order(placed.id)).state is S.AWAITING_PAYMENT
    await shop.look()
    assert (await shop.order(placed.id)).state is S.PAID


async def test_rule_04_another_method_first_closes_the_one_before(shop: Shop) -> None:
    placed, payment = await shop.page()
    stars = await shop.stars(placed)
    assert shop.card.closed == {payment.id}
    states = {p.method: p.state for p in await shop.payments(placed.id)}
    assert states == {Method.CARD: P.CANCELLED, Method.STARS: P.PENDING}
    await shop.pay(stars)
    assert (await shop.order(placed.id)).method is Method.STARS


async def test_rule_04_what_was_paid_before_the_change_is_captured(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    with pytest.raises(Refused, match="already_paid"):
        await shop.stars(placed)
    assert (await shop.order(placed.id)).method is Method.CARD
    assert [p.state for p in await shop.payments(placed.id)] == [P.CAPTURED]


async def test_rule_04_a_provider_that_cannot_be_asked_keeps_its_attempt(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.down = True
    with pytest.raises(Refused, match="provider_away"):
        await shop.stars(placed)
    assert [p.id for p in await shop.payments(placed.id)] == [payment.id]


@pytest.mark.parametrize(
    ("payer", "amount", "reason"),
    [
        (ALICE, STARS, None),
        (BOB, STARS, "not_yours"),
        (ALICE, Money(1, "XTR"), "amount_moved"),
        (ALICE, Money(993, "USD"), "amount_moved"),
    ],
)
async def test_rule_05_pre_checkout_is_answered_from_the_store(
    shop: Shop, payer: int, amount: Money, reason: str | None
) -> None:
    _, payment = await shop.invoice()
    shop.cashier.down = True
    assert await shop.till.precheck(payment.id, payer, amount) == reason


async def test_rule_05_what_is_captured_is_not_paid_again(shop: Shop) -> None:
    _, payment = await shop.invoice()
    await shop.pay(payment)
    assert await shop.till.precheck(payment.id, ALICE, STARS) == "already_paid"


@pytest.mark.parametrize("state", [P.CREATED, P.PENDING, P.CANCELLED, P.FAILED, P.EXPIRED])
async def test_rule_06_a_capture_is_accepted_from_every_state_before_it(
    shop: Shop, state: PaymentState
) -> None:
    placed, payment = await shop.page()
    async with shop.database.write() as tx:
        if state is P.CREATED:
            made = replace(payment, id=f"{placed.id}-new", state=P.CREATED)
            await tx.payments.add(made)
            payment = made
        elif state is not P.PENDING:
            await tx.payments.move(payment.id, P.PENDING, state, "test", shop.clock.now())
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))
    assert (await shop.order(placed.id)).state is S.PAID


@pytest.mark.parametrize(
    "charge",
    [
        charged("", "ch1", Money(1289, "USD")),
        charged("", "ch1", Money(1290, "EUR")),
        charged("somebody-elses", "ch1", USD),
    ],
)
async def test_rule_07_any_difference_is_held_for_a_person(shop: Shop, charge: Charge) -> None:
    placed, payment = await shop.page()
    await shop.till.capture(payment.id, charge)
    assert (await the_payment(shop, placed.id)).state is P.MISMATCH
    assert (await shop.order(placed.id)).state is S.NEEDS_OPERATOR
    assert await shop.whys() == ["mismatch"]
    assert await shop.topups(placed.id) == []


async def test_rule_08_failure_never_undoes_a_capture(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    await shop.look()
    await shop.paying._ended(payment, Found(Standing.ENDED, reason="declined"))
    assert (await the_payment(shop, placed.id)).state is P.CAPTURED
    assert (await shop.order(placed.id)).state is S.PAID


async def test_rule_08_an_attempt_that_waits_for_its_payer_has_not_failed(shop: Shop) -> None:
    placed, _ = await shop.page()
    for _ in range(5):
        await shop.look()
    assert (await the_payment(shop, placed.id)).state is P.PENDING


async def test_rule_09_paid_with_the_capture_and_the_top_up_job_in_one_transaction(
    shop: Shop,
) -> None:
    placed, payment = await shop.page()
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))
    assert (await shop.order(placed.id)).state is S.PAID
    assert len(await shop.topups(placed.id)) == 1
    assert await shop.told(placed.id) == ["paid"]


async def test_rule_10_expiry_asks_the_provider_first(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    shop.clock.at = minutes(15)
    await shop.paying.expire_due()
    assert (await shop.order(placed.id)).state is S.PAID


async def test_rule_10_expiry_waits_a_while_for_a_provider_that_is_away(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.down = True
    shop.clock.at = minutes(16)
    await shop.paying.expire_due()
    assert (await shop.order(placed.id)).state is S.AWAITING_PAYMENT
    shop.clock.at = minutes(26)
    await shop.paying.expire_due()
    assert (await shop.order(placed.id)).state is S.EXPIRED
    shop.card.down = False
    shop.card.takes("ch1", payment.id, USD)
    await shop.look()
    assert (await shop.order(placed.id)).state is S.PAID  # late money is honoured


@pytest.mark.parametrize("sold", [True, False])
async def test_rule_11_money_after_the_end_is_honoured_or_goes_back(shop: Shop, sold: bool) -> None:
    placed, payment = await shop.page()
    await shop.paying.cancel(placed.id, ALICE)
    if not sold:
        async with shop.database.write() as tx:
            await tx.catalogue.apply([])
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))
    await shop.refund()
    order = await shop.order(placed.id)
    assert order.state is (S.PAID if sold else S.REFUNDED)
    assert shop.card.returned == ([] if sold else ["ch1"])
    assert (await shop.told(placed.id))[-1] == ("paid" if sold else "refunded")


async def test_rule_12_a_second_capture_goes_back_by_itself(shop: Shop) -> None:
    placed, payment = await shop.page()
    shop.card.takes("ch1", payment.id, USD)
    shop.card.takes("ch2", payment.id, USD)
    await shop.look()
    await shop.refund()
    assert shop.card.returned == ["ch2"]
    states = sorted(p.state for p in await shop.payments(placed.id))
    assert states == [P.CAPTURED, P.REFUNDED]


async def test_rule_13_the_top_up_carries_our_own_reference(shop: Shop) -> None:
    placed = await shop.paid()
    await shop.fulfil()
    assert shop.seller.bought == [(await shop.topup(placed.id)).id]


async def test_rule_14_a_lost_top_up_answer_is_asked_about(shop: Shop) -> None:
    shop.seller.answers = [TimeoutError()]
    shop.seller.buys_anyway = True
    placed = await shop.paid()
    await shop.work_for(minutes=5)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert len(shop.seller.submitted) == 1


async def test_rule_15_fulfilled_with_the_suppliers_reference_and_a_receipt(shop: Shop) -> None:
    placed = await shop.paid()
    await shop.work_for(minutes=1)
    assert (await shop.topup(placed.id)).supplier_ref is not None
    assert (await shop.told(placed.id))[-1] == "fulfilled"


async def test_rule_16_a_definite_failure_makes_a_refund_due(shop: Shop) -> None:
    shop.seller.answers = [REJECTED]
    placed, payment = await shop.page()
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))
    await shop.fulfil()
    await shop.refund()
    assert (await shop.order(placed.id)).state is S.REFUNDED
    assert shop.card.refunded.popitem()[1] == ("ch1", 1290)


async def test_rule_17_the_key_of_a_refund_is_saved_first_and_used_again(shop: Shop) -> None:
    shop.seller.answers = [REJECTED]
    placed, payment = await shop.page()
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))
    await shop.fulfil()
    shop.card.mute = 2
    for _ in range(3):
        await shop.refund()
    [refund] = await refunds_of(shop, payment.id)
    assert (refund.state, list(shop.card.refunded)) == (RefundState.DONE, [refund.id])
    assert (await shop.order(placed.id)).state is S.REFUNDED


async def test_rule_17_never_more_goes_back_than_was_captured(shop: Shop) -> None:
    _, payment = await shop.page()
    await shop.till.capture(payment.id, charged(payment.id, "ch1", USD))

    async def some(minor: int) -> bool:
        async with shop.database.write() as tx:
            current = await tx.payments.get(payment.id)
            assert current is not None
            amount = Money(minor, "USD")
            return await shop.refunds.begin(tx, current, amount, "test") is not None

    began = await asyncio.gather(*(some(500) for _ in range(50)))
    assert sum(began) == 2
    assert await some(290)
    assert not await some(1)
    await shop.refund()
    assert sum(minor for _, minor in shop.card.refunded.values()) == 1290


async def test_rule_18_a_refund_outside_is_recorded_and_stops_the_purchase(shop: Shop) -> None:
    placed, payment = await shop.page()
    charge = charged(payment.id, "ch1", USD)
    await shop.till.capture(payment.id, charge)
    for _ in range(2):
        await shop.till.capture(payment.id, replace(charge, returned=1290))
    await shop.work_for(minutes=5)
    assert (await the_payment(shop, placed.id)).state is P.REFUNDED
    assert (await shop.order(placed.id)).state is S.NEEDS_OPERATOR
    assert shop.seller.bought == []
    assert await shop.whys() == ["refunded_outside"]
    assert shop.card.refunded == {}


async def test_rule_18_part_of_it_returned_outside_lowers_what_we_may_return(shop: Shop) -> None:
    placed, payment = await shop.page()
    charge = charged(payment.id, "ch1", USD)
    await shop.till.capture(payment.id, charge)
    await shop.work_for(minutes=1)
    await shop.till.capture(payment.id, replace(charge, returned=290))
    async with shop.database.write() as tx:
        current = await tx.payments.get(payment.id)
        assert current is not None
        assert await shop.refunds.begin(tx, current, USD, "test") is None
        assert await shop.refunds.begin(tx, current, Money(1000, "USD"), "test") is not None
    assert (await shop.order(placed.id)).state is S.FULFILLED


async def test_rule_18_a_dispute_is_recorded_once_and_shown(shop: Shop) -> None:
    placed, payment = await shop.page()
    charge = charged(payment.id, "ch1", USD)
    await shop.till.capture(payment.id, charge)
    await shop.work_for(minutes=1)
    for _ in range(2):
        await shop.till.capture(payment.id, replace(charge, disputed=True))
    assert (await the_payment(shop, placed.id)).state is P.DISPUTED
    assert await shop.whys() == ["disputed"]
    [item] = await shop.desk.queue()
    assert item.subject == f"payment:{payment.id}"


async def test_fifty_confirms_of_one_quote_make_one_order(shop: Shop) -> None:
    placed = await shop.place()
    found = await asyncio.gather(
        *(shop.checkout.place(placed.quote_id, ALICE, 77) for _ in range(50))
    )
    assert {order.id for order in found} == {placed.id}


async def test_two_methods_paid_at_once_keep_one_charge(shop: Shop) -> None:
    placed, payment = await shop.page()
    await shop.add_voucher()
    await asyncio.gather(
        shop.till.capture(payment.id, charged(payment.id, "ch1", USD)),
        shop.till.redeem(placed.id, ALICE, CODE),
        return_exceptions=True,
    )
    await shop.work_for(minutes=2)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    kept = [p for p in await shop.payments(placed.id) if p.state is P.CAPTURED]
    assert len(kept) == 1
    assert len(await shop.topups(placed.id)) == 1


async def test_an_attempt_is_looked_at_less_and_less_and_then_no_more(shop: Shop) -> None:
    placed, payment = await shop.page()
    await shop.paying.cancel(placed.id, ALICE)
    waits = []
    while (due := await shop.paying.next_look()) is not None:
        waits.append(due - shop.clock.at)
        await shop.look()
    assert waits == sorted(waits)
    assert sum(waits, timedelta()) < timedelta(days=4)
    shop.card.takes("ch1", payment.id, USD)
    async with shop.database.write() as tx:  # a webhook comes even later
        await tx.payments.set(payment.id, look_at=shop.clock.now())
    await shop.look()
    assert (await shop.order(placed.id)).state is S.PAID
