"""Points: earned once, spent once, never below nothing, given back and taken back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.codes import digest
from bot.domain.money import Money
from bot.domain.points import Effect, gone
from bot.domain.sales import Method, Order, Payment
from bot.services.selling import Refused
from bot.services.waiting import Action
from tests.unit.services.cashier import PAGE
from tests.unit.services.house import OPERATOR, PEPPER
from tests.unit.services.promo_house import (
    CROWD,
    ask,
    at_once,
    balance,
    buy,
    grant,
    pay,
    promo_house,
    usd,
)
from tests.unit.services.sale_house import BILL, CODE, REJECTED, S, Shop, charged
from tests.unit.store.samples import ALICE, days, managed, voucher


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with promo_house(tmp_path) as found:
        yield found


async def rich(shop: Shop, amount: int, expires: float = 100) -> Order:
    """Alice has bought before and has so many points left of it."""
    done = await buy(shop, await ask(shop), "before")
    async with shop.database.write() as tx:
        assert await tx.points.take_back(done.id, shop.clock.now()) == 129
        placed = await tx.orders.get(done.id)
    await grant_by(shop, amount, 1, expires)
    assert placed is not None
    return placed


async def grant_by(shop: Shop, amount: int, number: int, expires: float) -> None:
    """Points of another order of hers."""
    placed = await shop.place(number=number)
    await shop.paying.cancel(placed.id, ALICE)
    await grant(shop, amount, placed.id, expires)


async def effects(shop: Shop, order_id: str) -> list[tuple[Effect, int]]:
    """What an order did to the points."""
    async with shop.database.read() as tx:
        return [(one.effect, one.amount) for one in await tx.points.of_order(order_id)]


async def ledger_adds_up(shop: Shop) -> None:
    """The balance is what came less what went."""
    async with shop.database.read() as tx:
        rows = await tx.points.history(ALICE, 1000)
    assert sum(row.amount for row in rows) == await balance(shop)


# ---- earning -------------------------------------------------------------------------------


async def test_a_delivered_order_earns_once_until_its_expiry(shop: Shop) -> None:
    done = await buy(shop, await ask(shop))
    async with shop.database.write() as tx:
        assert not await tx.points.earn(ALICE, done.id, 129, days(9), shop.clock.now())
        [row] = await tx.points.of_order(done.id)
        assert await tx.points.next_expiry(ALICE, shop.clock.now()) == (row.expires_at, 129)
    assert (row.effect, row.amount) == (Effect.EARNED, 129)
    assert row.expires_at == days(0).replace(year=2027)


async def test_an_order_that_failed_earns_nothing(shop: Shop) -> None:
    shop.seller.answers = [REJECTED]
    await buy(shop, await ask(shop))
    await shop.refund()
    assert await balance(shop) == 0


# ---- spending ------------------------------------------------------------------------------


async def test_points_pay_for_half_of_a_price_at_most(shop: Shop) -> None:
    await rich(shop, 5000)
    made = await ask(shop, points=True)
    assert (made.points, made.points_worth, made.due) == (645, usd(645), usd(645))
    assert made.earns == 64, "points earn nothing themselves"
    done = await buy(shop, made)
    assert done.charge is not None
    assert done.due == usd(645)
    assert await balance(shop) == 5000 - 645 + 64
    await ledger_adds_up(shop)


async def test_those_that_expire_first_are_spent_first(shop: Shop) -> None:
    await rich(shop, 300, expires=50)
    await grant_by(shop, 400, 2, 5)
    placed = await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    assert await effects(shop, placed.id) == [(Effect.SPENT, -645)]
    async with shop.database.read() as tx:
        assert await tx.points.next_expiry(ALICE, shop.clock.now()) == (days(50), 55)


async def test_the_same_points_are_not_spent_by_50_orders_at_once(shop: Shop) -> None:
    await rich(shop, 1500)
    async with shop.database.write() as tx:
        for n in range(CROWD):
            await tx.sims.add(managed(f"a{n}", ALICE, iccid=f"89852000000000{n:04}", expiry=days(9),
                                      grace_end=None))  # fmt: skip
    quotes = [await ask(shop, points=True, sim=f"a{n}") for n in range(CROWD)]
    orders, refused = await at_once(shop, quotes)
    assert (len(orders), set(refused)) == (2, {"points_gone"})
    assert await balance(shop) == 1500 - 2 * 645
    await ledger_adds_up(shop)


async def test_points_of_an_unpaid_order_can_be_used_in_the_one_that_replaces_it(
    shop: Shop,
) -> None:
    await rich(shop, 645)
    await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    again = await ask(shop, points=True)
    assert again.points == 645
    assert (await shop.checkout.place(again.id, ALICE, 1)).due == usd(645)
    assert await balance(shop) == 0
    await ledger_adds_up(shop)


async def test_a_balance_is_never_below_nothing(shop: Shop) -> None:
    placed = await rich(shop, 10)
    async with shop.database.write() as tx:
        assert not await tx.points.spend(ALICE, placed.id, 11, shop.clock.now())
        assert await tx.points.spend(ALICE, placed.id, 10, shop.clock.now())
        assert not await tx.points.spend(ALICE, placed.id, 1, shop.clock.now()), "spent once"
    assert await balance(shop) == 0


async def test_points_that_expired_since_the_price_was_shown_are_not_spent(shop: Shop) -> None:
    await rich(shop, 700, expires=0.005)
    made = await ask(shop, points=True)
    shop.clock.advance(minutes=10)
    with pytest.raises(Refused, match="points_gone"):
        await shop.checkout.place(made.id, ALICE, 1)


# ---- what comes back -----------------------------------------------------------------------


async def test_an_order_that_ends_unpaid_gives_its_points_back_once(shop: Shop) -> None:
    await rich(shop, 645)
    placed = await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    assert await balance(shop) == 0
    await asyncio.gather(*(shop.paying.cancel(placed.id, ALICE) for _ in range(5)))
    assert await balance(shop) == 645
    assert await effects(shop, placed.id) == [(Effect.SPENT, -645), (Effect.RETURNED, 645)]
    await ledger_adds_up(shop)


async def test_a_refund_gives_points_back_even_those_that_expired_meanwhile(shop: Shop) -> None:
    await rich(shop, 645, expires=1)
    shop.seller.answers = [REJECTED]
    done = await buy(shop, await ask(shop, points=True))
    shop.clock.advance(days=2)
    async with shop.database.write() as tx:
        await tx.points.expire(shop.clock.now())
    await shop.refund()
    assert (await shop.order(done.id)).state is S.REFUNDED
    assert await balance(shop) == 645
    async with shop.database.read() as tx:
        assert await tx.points.next_expiry(ALICE, shop.clock.now()) == (days(32), 645)
    await ledger_adds_up(shop)


async def test_cancelling_does_not_make_old_points_last_longer(shop: Shop) -> None:
    await rich(shop, 645, expires=0.005)
    placed = await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    shop.clock.advance(minutes=10)
    await shop.paying.cancel(placed.id, ALICE)
    assert await balance(shop) == 0


async def test_a_refund_takes_back_what_the_order_earned_and_no_more(shop: Shop) -> None:
    done = await buy(shop, await ask(shop))
    async with shop.database.write() as tx:
        assert await tx.orders.move(done.id, S.FULFILLED, S.REFUND_DUE, "test", shop.clock.now())
    await shop.refund()
    assert (await shop.order(done.id)).state is S.REFUNDED
    assert await balance(shop) == 0
    assert await effects(shop, done.id) == [(Effect.EARNED, 129), (Effect.TAKEN_BACK, -129)]
    await ledger_adds_up(shop)


async def test_points_spent_meanwhile_are_taken_from_others_as_far_as_there_are(
    shop: Shop,
) -> None:
    first = await buy(shop, await ask(shop))
    async with shop.database.write() as tx:
        await tx.sims.add(managed("a2", ALICE, iccid="8985200000000000002", expiry=days(9),
                                  grace_end=None))  # fmt: skip
    second = await shop.checkout.place((await ask(shop, points=True, sim="a2")).id, ALICE, 1)
    assert await balance(shop) == 0
    await grant_by(shop, 100, 3, 100)
    async with shop.database.write() as tx:
        assert await tx.points.take_back(first.id, shop.clock.now()) == 100
        assert await tx.points.take_back(first.id, shop.clock.now()) == 0
    assert (await balance(shop), second.state) == (0, S.AWAITING_PAYMENT)


async def test_late_money_spends_the_points_again_or_goes_back(shop: Shop) -> None:
    await rich(shop, 645)
    placed = await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    payment = await shop.stars(placed)
    shop.clock.advance(minutes=16)
    await shop.paying.expire_due()
    assert await balance(shop) == 645
    await shop.pay(payment, amount=payment.amount)
    assert ((await shop.order(placed.id)).state, await balance(shop)) == (S.PAID, 0)
    assert [one[0] for one in await effects(shop, placed.id)] == [
        Effect.SPENT, Effect.RETURNED, Effect.SPENT,
    ]  # fmt: skip
    await ledger_adds_up(shop)


async def test_late_money_goes_back_when_its_points_are_gone(shop: Shop) -> None:
    await rich(shop, 645)
    placed = await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    payment = await shop.stars(placed)
    shop.clock.advance(minutes=16)
    await shop.paying.expire_due()
    async with shop.database.write() as tx:
        await tx.sims.add(managed("a2", ALICE, iccid="8985200000000000002", expiry=days(9),
                                  grace_end=None))  # fmt: skip
    await shop.checkout.place((await ask(shop, points=True, sim="a2")).id, ALICE, 1)
    await shop.pay(payment, amount=payment.amount)
    assert (await shop.order(placed.id)).state is S.REFUND_DUE
    await shop.refund()
    assert await balance(shop) == 0


async def test_money_returned_by_hand_gives_the_points_back_too(shop: Shop) -> None:
    await rich(shop, 645)
    placed = await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    await pay(shop, placed)
    async with shop.database.write() as tx:
        assert await tx.orders.move(placed.id, S.PAID, S.NEEDS_OPERATOR, "x", shop.clock.now())
        [topup] = await tx.topups.of_order(placed.id)
        await tx.orders.move(placed.id, S.NEEDS_OPERATOR, S.REFUND_DUE, "x", shop.clock.now())
        await tx.topups.set(topup.id, next_at=None)
    shop.clock.advance(minutes=20)
    await shop.desk.act(f"order:{placed.id}", Action.RETURNED, OPERATOR, 7)
    assert ((await shop.order(placed.id)).state, await balance(shop)) == (S.REFUNDED, 645)


async def test_a_voucher_that_pays_everything_leaves_the_points(shop: Shop) -> None:
    await rich(shop, 645)
    placed = await shop.checkout.place((await ask(shop, points=True)).id, ALICE, 1)
    async with shop.database.write() as tx:
        await tx.vouchers.add(voucher(value=usd(1290)), digest(CODE, PEPPER.encode()), "b")
    await shop.till.redeem(placed.id, ALICE, CODE)
    assert await balance(shop) == 645


# ---- expiry --------------------------------------------------------------------------------


async def test_expired_points_are_written_down_once(shop: Shop) -> None:
    await rich(shop, 50, expires=1)
    shop.clock.advance(days=1)
    assert await balance(shop) == 0
    async with shop.database.write() as tx:
        assert await tx.points.expire(shop.clock.now()) == 50
        assert await tx.points.expire(shop.clock.now()) == 0
        newest = (await tx.points.history(ALICE, 1))[0]
    assert (newest.effect, newest.amount) == (Effect.EXPIRED, -50)
    await ledger_adds_up(shop)


async def test_a_shop_without_points_gives_and_takes_none(shop: Shop) -> None:
    await rich(shop, 645)
    shop.checkout.selling = replace(shop.checkout.selling, points=None)
    made = await ask(shop, points=True)
    assert (made.points, made.earns, made.due) == (0, 0, usd(1290))


async def part(shop: Shop, payment: Payment, minor: int) -> None:
    """So much of its money goes back, and is back."""
    async with shop.database.write() as tx:
        current = await tx.payments.get(payment.id)
        assert current is not None
        assert await shop.refunds.begin(tx, current, Money(minor, "XTR"), "requested")
    await shop.refund()


async def test_a_part_of_the_money_takes_the_same_part_of_the_points(shop: Shop) -> None:
    done = await buy(shop, await ask(shop))
    shop.cashier.capabilities = PAGE
    [payment] = await shop.payments(done.id)
    assert payment.captured == Money(994, "XTR")
    await part(shop, payment, 497)
    assert (await effects(shop, done.id))[1:] == [(Effect.TAKEN_BACK, -64)], "half of 129 is 64.5"
    await part(shop, payment, 1)
    assert await balance(shop) == 129 - 64, "498 of 994 are 64.6 points"
    await part(shop, payment, 300)
    assert await balance(shop) == 129 - 103, "798 of 994 are 103.6"
    await part(shop, payment, 196)
    assert await balance(shop) == 0, "all of it"
    assert (await shop.order(done.id)).state is S.FULFILLED
    await ledger_adds_up(shop)


async def test_points_that_were_spent_are_not_taken_of_what_comes_later(shop: Shop) -> None:
    done = await buy(shop, await ask(shop))
    shop.cashier.capabilities = PAGE
    [payment] = await shop.payments(done.id)
    async with shop.database.write() as tx:
        await tx.sims.add(managed("a2", ALICE, iccid="8985200000000000002", expiry=days(9),
                                  grace_end=None))  # fmt: skip
    await shop.checkout.place((await ask(shop, points=True, sim="a2")).id, ALICE, 1)
    assert await balance(shop) == 0
    await part(shop, payment, 497)
    await grant_by(shop, 100, 3, 100)
    await part(shop, payment, 100)
    assert await balance(shop) == 100 - 13, "597 of 994 are 77, of which 64 had to go before"
    await ledger_adds_up(shop)


async def test_what_the_provider_returned_by_itself_takes_points_as_well(shop: Shop) -> None:
    done = await buy(shop, await ask(shop))
    [payment] = await shop.payments(done.id)
    told = charged(payment.id, payment.charge_id or "", Money(994, "XTR"))
    await shop.till.capture(payment.id, replace(told, returned=500))
    assert await balance(shop) == 129 - 64
    await shop.till.capture(payment.id, replace(told, returned=994))
    await shop.till.capture(payment.id, replace(told, returned=994))
    assert await balance(shop) == 0
    await ledger_adds_up(shop)


async def test_a_part_that_was_back_before_the_delivery_earns_nothing(shop: Shop) -> None:
    placed = await shop.checkout.place((await ask(shop)).id, ALICE, 1)
    payment = await shop.stars(placed)
    told = charged(payment.id, "c1", payment.amount)
    await shop.till.capture(payment.id, told)
    await shop.till.capture(payment.id, replace(told, returned=500))
    await shop.work_for(minutes=5)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert await balance(shop) == 129 - 64


async def test_a_second_charge_that_goes_back_takes_no_points(shop: Shop) -> None:
    placed = await shop.checkout.place((await ask(shop)).id, ALICE, 1)
    payment = await shop.paying.pay(placed.id, ALICE, Method.CARD, BILL)
    for charge in ("ch1", "ch2"):
        shop.card.takes(charge, payment.id, payment.amount)
    await shop.look()
    await shop.work_for(minutes=5)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert len(shop.card.returned) == 1
    assert await balance(shop) == 129


async def test_all_of_it_after_a_part_takes_back_the_rest(shop: Shop) -> None:
    done = await buy(shop, await ask(shop))
    shop.cashier.capabilities = PAGE
    [payment] = await shop.payments(done.id)
    await part(shop, payment, 497)
    async with shop.database.write() as tx:
        assert await tx.orders.move(done.id, S.FULFILLED, S.REFUND_DUE, "test", shop.clock.now())
    await shop.refund()
    assert (await shop.order(done.id)).state is S.REFUNDED
    assert [n for _, n in await effects(shop, done.id)] == [129, -64, -65]
    await ledger_adds_up(shop)


@pytest.mark.parametrize(
    ("returned", "captured", "points"),
    [(0, 1000, 0), (1, 1000, 0), (10, 1000, 1), (999, 1000, 99), (1000, 1000, 100),
     (2000, 1000, 100), (5, 0, 0)],
)  # fmt: skip
def test_a_fraction_of_a_point_stays_with_the_customer(
    returned: int, captured: int, points: int
) -> None:
    assert gone(100, returned, captured) == points
