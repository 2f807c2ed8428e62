"""From a SIM to an order that waits for money, once, whoever taps how often."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.domain.quotes import Terms
from bot.domain.sales import Method
from bot.ports import PaymentUnavailable, SupplierPlan
from bot.services.paying import Paying
from bot.services.selling import Refused
from bot.services.work import Worker
from tests.unit.services.house import SELLING, fresh
from tests.unit.services.sale_house import BILL, P, S, Shop, sale_house
from tests.unit.store.samples import ALICE, BOB, OPEN_PLAN, PLAN, days, minutes, quote, sim


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        await found.stock()
        yield found


# ---- offers and quotes ---------------------------------------------------------------------


async def test_offers_name_the_reason_why_not(shop: Shop) -> None:
    line = await shop.stock()
    offer = (await shop.checkout.offers(line))[0]
    assert (offer.unavailable, offer.cost) == (None, Money(700, "USD"))
    shop.seller.on_sale = [SupplierPlan("TOPUP_5", Money(801, "USD"), 30, None)]
    assert (await shop.checkout.offers(line))[0].unavailable == "price_moved"
    shop.seller.on_sale = []
    assert (await shop.checkout.offers(line))[0].unavailable == "not_sold_now"
    shop.seller.reads_down = True
    assert (await shop.checkout.offers(line))[0].unavailable is None
    full = replace(line, reading=fresh(topups_left=0))
    assert (await shop.checkout.offers(full))[0].unavailable == "no_topups_left"
    over = replace(line, expiry=days(0))
    assert (await shop.checkout.offers(over))[0].unavailable == "expired"
    del shop.carriers["esim_access"]
    assert (await shop.checkout.offers(line))[0].unavailable == "supplier_off"


async def test_a_plan_of_another_country_is_not_offered(shop: Shop) -> None:
    line = await shop.stock(plan=replace(PLAN, region="PH"))
    assert await shop.checkout.offers(replace(line, country="US")) == []
    assert len(await shop.checkout.offers(replace(line, country="PH"))) == 1


async def test_a_replayed_tap_gets_the_first_quote(shop: Shop) -> None:
    line = await shop.stock()
    first = await shop.checkout.quote(ALICE, line, PLAN, None, 5)
    shop.clock.advance(minutes=3)
    assert await shop.checkout.quote(ALICE, line, PLAN, None, 5) == first
    assert (await shop.checkout.quote(ALICE, line, PLAN, None, 6)).id != first.id


@pytest.mark.parametrize(
    ("changes", "reason"), [({"expiry": days(0)}, "expired"), ({"supplier": "x"}, "supplier_off")]
)
async def test_no_quote_for_what_cannot_be_topped_up(
    shop: Shop, changes: dict[str, object], reason: str
) -> None:
    line = replace(await shop.stock(), **changes)  # type: ignore[arg-type]
    with pytest.raises(Refused, match=reason):
        await shop.checkout.quote(ALICE, line, PLAN, None, 5)


async def test_an_open_amount_must_be_in_its_range(shop: Shop) -> None:
    line = sim("s1", ALICE)
    for amount in (None, Money(1, "PHP"), Money(20_000, "USD")):
        with pytest.raises(Refused, match="amount"):
            await shop.checkout.quote(ALICE, line, OPEN_PLAN, amount, 5)


# ---- placing -------------------------------------------------------------------------------


async def test_a_second_tap_finds_the_order_of_the_first(shop: Shop) -> None:
    placed = await shop.place()
    assert placed.state is S.AWAITING_PAYMENT
    assert (await shop.checkout.place("q1", ALICE, 99)).id == placed.id


async def test_a_quote_that_is_over_or_not_theirs_makes_no_order(shop: Shop) -> None:
    async with shop.database.write() as tx:
        await tx.quotes.add(quote(sim_id="m1"), None)
    for who, name in [(BOB, "q1"), (ALICE, "q0")]:
        with pytest.raises(Refused, match="unknown"):
            await shop.checkout.place(name, who, 77)
    shop.clock.at = minutes(15)
    with pytest.raises(Refused, match="quote_expired"):
        await shop.checkout.place("q1", ALICE, 77)


async def test_no_order_for_a_sim_that_was_given_back(shop: Shop) -> None:
    async with shop.database.write() as tx:
        await tx.quotes.add(quote(sim_id="m1"), None)
        await tx.sims.update("m1", 1, owner_id=BOB)
    with pytest.raises(Refused, match="not_yours_sim"):
        await shop.checkout.place("q1", ALICE, 77)


async def test_a_new_order_replaces_the_unpaid_one(shop: Shop) -> None:
    first, payment = await shop.invoice()
    await shop.place(2)
    closed = await shop.order(first.id)
    assert (closed.state, closed.reason) == (S.CANCELLED, "replaced")
    assert [p.state for p in await shop.payments(first.id)] == [P.CANCELLED]
    assert await shop.till.precheck(payment.id, ALICE, payment.amount) == "cancelled"


async def test_while_a_paid_order_runs_there_is_no_second(shop: Shop) -> None:
    paid = await shop.paid()
    with pytest.raises(Refused, match="running") as refused:
        await shop.place(2)
    assert refused.value.order is not None
    assert refused.value.order.id == paid.id


# ---- paying --------------------------------------------------------------------------------


async def test_the_attempt_is_committed_before_the_invoice_is_shown(shop: Shop) -> None:
    placed = await shop.place()
    shop.cashier.down = True
    with pytest.raises(PaymentUnavailable):
        await shop.stars(placed)
    [attempt] = await shop.payments(placed.id)
    assert attempt.state is P.CREATED
    shop.cashier.down = False
    for _ in range(2):
        assert (await shop.stars(placed)).id == attempt.id
    assert shop.cashier.shown == [attempt.id, attempt.id]
    assert [p.state for p in await shop.payments(placed.id)] == [P.PENDING]


async def test_an_invoice_shown_before_a_crash_is_paid_once(shop: Shop) -> None:
    placed = await shop.place()
    payment = await shop.stars(placed)
    await shop.pay(payment)
    with pytest.raises(Refused, match="not_waiting"):
        await shop.stars(placed)


async def test_stars_need_a_rate_and_a_switch(shop: Shop) -> None:
    placed = await shop.place(1, totals=())
    with pytest.raises(Refused, match="method_off"):
        await shop.stars(placed)
    only_vouchers = replace(SELLING, terms={Method.VOUCHER: Terms()})
    off = Paying(shop.database, shop.clock, {Method.STARS: shop.cashier}, only_vouchers, shop.till)
    placed = await shop.place(2)
    with pytest.raises(Refused, match="method_off"):
        await off.pay(placed.id, ALICE, Method.STARS, BILL)


# ---- ending --------------------------------------------------------------------------------


async def test_cancelling_twice_is_cancelling_once(shop: Shop) -> None:
    placed, _ = await shop.invoice()
    for _ in range(2):
        assert (await shop.paying.cancel(placed.id, ALICE)).state is S.CANCELLED
    assert [p.state for p in await shop.payments(placed.id)] == [P.CANCELLED]
    with pytest.raises(Refused, match="unknown"):
        await shop.paying.cancel(placed.id, BOB)


async def test_a_paid_order_is_not_cancelled(shop: Shop) -> None:
    paid = await shop.paid()
    with pytest.raises(Refused, match="already_paid"):
        await shop.paying.cancel(paid.id, ALICE)


async def test_an_order_expires_at_its_moment_and_says_so_once(shop: Shop) -> None:
    placed, _ = await shop.invoice()
    assert await shop.paying.next_expiry() == minutes(15)
    await shop.paying.expire_due()
    assert (await shop.order(placed.id)).state is S.AWAITING_PAYMENT
    assert (await shop.checkout.open_order(ALICE)) is not None
    shop.clock.at = minutes(15)
    assert await shop.checkout.open_order(ALICE) is None
    for _ in range(2):
        await shop.paying.expire_due()
    assert (await shop.order(placed.id)).state is S.EXPIRED
    assert [p.state for p in await shop.payments(placed.id)] == [P.EXPIRED]
    assert await shop.told(placed.id) == ["expired"]
    assert await shop.paying.next_expiry() is None


async def test_nothing_expired_wakes_nobody(shop: Shop) -> None:
    async def nothing() -> None: ...

    worker = Worker("outbox", nothing)
    shop.paying.rings.append(worker)
    await shop.paying.expire_due()
    assert worker.idle
    await shop.invoice()
    shop.clock.at = minutes(15)
    await shop.paying.expire_due()
    assert not worker.idle
