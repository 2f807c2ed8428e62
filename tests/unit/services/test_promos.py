"""Promos in prices and orders: what they take off, their limits, what comes back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.domain.codes import digest
from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.ports import SupplierPlan
from bot.services.promos import Wish
from bot.services.selling import Refused
from tests.unit.services.house import PEPPER
from tests.unit.services.promo_house import (
    BIG,
    CROWD,
    ask,
    at_once,
    balance,
    buy,
    crowd,
    gift,
    pay,
    promo,
    promo_house,
    put,
    saves,
    usd,
    used,
)
from tests.unit.services.sale_house import CODE, REJECTED, S, Shop
from tests.unit.store.samples import ALICE, PLAN, days, managed, voucher


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with promo_house(tmp_path) as found:
        yield found


# ---- the price -----------------------------------------------------------------------------


async def test_a_code_lowers_the_price_and_what_is_charged(shop: Shop) -> None:
    await put(shop, promo())
    made = await ask(shop, code=" spring ")
    assert (made.price, made.due) == (usd(1290), usd(1161))
    assert [(one.promo, one.amount) for one in made.discounts] == [("spring", usd(129))]
    done = await buy(shop, made)
    assert (done.state, done.due, done.charge) == (S.FULFILLED, usd(1161), Money(894, "XTR"))


async def test_without_the_code_its_promo_is_not_there(shop: Shop) -> None:
    await put(shop, promo())
    assert (await ask(shop)).due == usd(1290)


async def test_one_code_and_every_promo_that_stacks(shop: Shop) -> None:
    await put(shop, promo(), saves("stacks", 1000, 100, stacks=True), saves("alone", 1000, 200))
    assert (await ask(shop)).due == usd(1090), "the one alone saves more than the one that stacks"
    made = await ask(shop, code="SPRING")
    assert made.due == usd(1290 - 129 - 100)
    assert [one.promo for one in made.discounts] == ["spring", "stacks"]


async def test_a_code_that_saves_less_than_what_applies_is_kept_for_later(shop: Shop) -> None:
    await put(shop, promo(), saves("alone", 1000, 500))
    with pytest.raises(Refused, match="promo_worse"):
        await ask(shop, code="SPRING")
    assert (await ask(shop)).due == usd(790)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ends_at": days(0)}, "promo_over"),
        ({"starts_at": days(1)}, "promo_early"),
        ({"active": False}, "promo_over"),
        ({"plans": ("another",)}, "promo_other_plan"),
        ({"carriers": ("Smart",)}, "promo_other_plan"),
        ({"min_spend": usd(1291)}, "promo_too_little"),
        ({"min_spend": Money(1, "CNY")}, "promo_too_little"),
        ({"total": 0}, "promo_gone"),
        ({"per_user": 0}, "promo_used"),
    ],
)
async def test_a_code_that_gives_nothing_says_why(
    shop: Shop, changes: dict[str, Any], reason: str
) -> None:
    await put(shop, promo(**changes))
    with pytest.raises(Refused, match=reason):
        await ask(shop, code="SPRING")
    assert (await ask(shop)).due == usd(1290)


async def test_an_unknown_code_says_so(shop: Shop) -> None:
    with pytest.raises(Refused, match="promo_unknown"):
        await ask(shop, code="nonsense")


async def test_a_new_price_keeps_the_amount_and_asks_for_another_wish(shop: Shop) -> None:
    await put(shop, promo())
    first = await ask(shop)
    line = managed("m1", ALICE, expiry=days(10))
    again = await shop.checkout.again(first, line, 5, Wish("SPRING"))
    assert (again.due, again.id != first.id) == (usd(1161), True)
    async with shop.database.write() as tx:
        await tx.catalogue.apply([])
    with pytest.raises(Refused, match="plan_inactive"):
        await shop.checkout.again(first, line, 6, Wish())


# ---- a bigger plan in its place ------------------------------------------------------------


async def test_a_bigger_plan_is_delivered_at_the_smaller_ones_price(shop: Shop) -> None:
    await put(shop, gift())
    made = await ask(shop, code="GIFT")
    assert (made.price, made.due, made.plan.code) == (usd(1290), usd(1290), PLAN.code)
    assert (made.plan.data, made.plan.supplier_code) == (BIG.data, BIG.supplier_code)
    assert [one.amount for one in made.discounts] == [usd(0)]
    done = await buy(shop, made)
    assert done.state is S.FULFILLED
    assert (await shop.topup(done.id)).supplier_code == "TOPUP_10"


async def test_a_bigger_plan_that_its_supplier_does_not_sell_is_not_promised(shop: Shop) -> None:
    await put(shop, gift(code=None))
    assert (await ask(shop)).plan.supplier_code == "TOPUP_10"
    shop.seller.on_sale = [SupplierPlan("TOPUP_5", usd(700), 30, 5 << 30)]
    assert (await ask(shop)).plan.supplier_code == "TOPUP_5"
    await put(shop, gift())
    with pytest.raises(Refused, match="promo_not_delivered"):
        await ask(shop, code="GIFT")


async def test_a_bigger_plan_of_another_supplier_is_not_promised(shop: Shop) -> None:
    await put(shop, gift(code=None))
    async with shop.database.write() as tx:
        await tx.catalogue.apply([PLAN, replace(BIG, supplier="airalo")])
    assert (await ask(shop)).plan == PLAN


# ---- limits --------------------------------------------------------------------------------


async def test_limits_hold_under_50_concurrent_redemptions(shop: Shop) -> None:
    await put(shop, promo(total=10))
    quotes = [await ask(shop, person, "SPRING") for person in await crowd(shop)]
    orders, refused = await at_once(shop, quotes)
    assert (len(orders), set(refused)) == (10, {"promo_gone"})
    assert len(refused) == CROWD - 10
    assert await used(shop) == 10
    async with shop.database.read() as tx:
        assert len(await tx.orders.in_states([S.AWAITING_PAYMENT])) == 10, "no order half made"


async def test_a_customers_own_limit_holds_over_50_sims_at_once(shop: Shop) -> None:
    await put(shop, promo(per_user=2))
    async with shop.database.write() as tx:
        for n in range(CROWD):
            await tx.sims.add(managed(f"a{n}", ALICE, iccid=f"89852000000000{n:04}", expiry=days(9),
                                      grace_end=None))  # fmt: skip
    quotes = [await ask(shop, code="SPRING", sim=f"a{n}") for n in range(CROWD)]
    orders, refused = await at_once(shop, quotes)
    assert (len(orders), set(refused)) == (2, {"promo_gone"})
    assert (await used(shop), await used(shop, person=ALICE)) == (2, 2)


async def test_50_taps_on_one_price_take_one_place(shop: Shop) -> None:
    await put(shop, promo(total=10))
    made = await ask(shop, code="SPRING")
    orders, refused = await at_once(shop, [made] * CROWD)
    assert ({order.id for order in orders}, refused) == ({orders[0].id}, [])
    assert await used(shop) == 1


async def test_a_promo_that_was_stopped_is_not_sold_any_more(shop: Shop) -> None:
    await put(shop, promo())
    made = await ask(shop, code="SPRING")
    async with shop.database.write() as tx:
        assert await tx.promos.stop("spring")
        assert not await tx.promos.stop("spring")
    with pytest.raises(Refused, match="promo_gone"):
        await shop.checkout.place(made.id, ALICE, 1)


async def test_a_price_shown_in_time_is_honoured_after_the_promos_end(shop: Shop) -> None:
    await put(shop, promo(ends_at=days(0.001)))
    made = await ask(shop, code="SPRING")
    shop.clock.advance(minutes=5)
    assert (await shop.checkout.place(made.id, ALICE, 1)).due == usd(1161)


async def test_only_who_is_new_gets_the_new_users_gift(shop: Shop) -> None:
    await put(shop, promo(new_user=True, per_user=1))
    early = await ask(shop, code="SPRING")
    await buy(shop, await ask(shop))
    with pytest.raises(Refused, match="promo_gone"):
        await shop.checkout.place(early.id, ALICE, 1)
    with pytest.raises(Refused, match="promo_new_only"):
        await ask(shop, code="SPRING")


# ---- what comes back -----------------------------------------------------------------------


async def test_an_order_that_ends_unpaid_gives_its_place_back(shop: Shop) -> None:
    await put(shop, promo(total=1, per_user=1))
    placed = await shop.checkout.place((await ask(shop, code="SPRING")).id, ALICE, 1)
    assert await used(shop) == 1
    async with shop.database.write() as tx:
        await tx.sims.add(managed("a2", ALICE, iccid="8985200000000000002", expiry=days(9),
                                  grace_end=None))  # fmt: skip
    with pytest.raises(Refused, match="promo_used"):
        await ask(shop, code="SPRING", sim="a2")
    await shop.paying.cancel(placed.id, ALICE)
    await shop.paying.cancel(placed.id, ALICE)
    assert (await used(shop), await used(shop, person=ALICE)) == (0, 0)
    assert (await ask(shop, code="SPRING")).due == usd(1161)


async def test_a_new_order_of_the_same_sim_frees_the_place_of_the_one_before(shop: Shop) -> None:
    await put(shop, promo(total=1))
    first, second = await ask(shop, code="SPRING"), await ask(shop, code="SPRING")
    await shop.checkout.place(first.id, ALICE, 1)
    assert (await shop.checkout.place(second.id, ALICE, 1)).due == usd(1161)
    assert await used(shop) == 1


async def test_the_code_of_an_unpaid_order_can_be_sent_again_for_its_sim(shop: Shop) -> None:
    await put(shop, promo(total=1, per_user=1))
    await shop.checkout.place((await ask(shop, code="SPRING")).id, ALICE, 1)
    again = await ask(shop, code="SPRING")
    assert (await shop.checkout.place(again.id, ALICE, 1)).due == usd(1161)
    assert (await used(shop), await used(shop, person=ALICE)) == (1, 1)


async def test_a_refund_gives_the_place_back(shop: Shop) -> None:
    await put(shop, promo(total=1))
    shop.seller.answers = [REJECTED]
    order = await buy(shop, await ask(shop, code="SPRING"))
    assert (order.state, await used(shop)) == (OrderState.REFUND_DUE, 1)
    await shop.refund()
    assert ((await shop.order(order.id)).state, await used(shop)) == (S.REFUNDED, 0)


async def test_late_money_is_honoured_while_the_promo_has_room(shop: Shop) -> None:
    await put(shop, promo(total=1))
    placed = await shop.checkout.place((await ask(shop, code="SPRING")).id, ALICE, 1)
    shop.clock.advance(minutes=16)
    await expired_then_paid(shop, placed.id)
    assert ((await shop.order(placed.id)).state, await used(shop)) == (S.PAID, 1)


async def test_late_money_goes_back_when_somebody_else_has_the_place(shop: Shop) -> None:
    await put(shop, promo(total=1))
    person = (await crowd(shop))[0]
    placed = await shop.checkout.place((await ask(shop, code="SPRING")).id, ALICE, 1)
    payment = await shop.stars(placed)
    shop.clock.advance(minutes=16)
    await shop.paying.expire_due()
    await shop.checkout.place((await ask(shop, person, "SPRING")).id, person, 1)
    await shop.pay(payment, amount=payment.amount)
    late = await shop.order(placed.id)
    assert (late.state, late.reason, await used(shop)) == (S.REFUND_DUE, "promo_late", 1)
    await shop.refund()
    assert ((await shop.order(placed.id)).state, await used(shop)) == (S.REFUNDED, 1)


async def expired_then_paid(shop: Shop, order_id: str) -> None:
    """The provider's news comes after the order's end."""
    async with shop.database.read() as tx:
        placed = await tx.orders.get(order_id)
    assert placed is not None
    shop.clock.advance(minutes=-16)
    payment = await shop.stars(placed)
    shop.clock.advance(minutes=16)
    await shop.paying.expire_due()
    assert (await shop.order(order_id)).state is S.EXPIRED
    assert await used(shop) == 0
    await shop.pay(payment, amount=payment.amount)


async def test_a_voucher_of_the_list_price_still_pays_a_lower_price(shop: Shop) -> None:
    await put(shop, saves("full", 1000, 200))
    placed = await shop.checkout.place((await ask(shop)).id, ALICE, 1)
    async with shop.database.write() as tx:
        await tx.vouchers.add(voucher(value=usd(1290)), digest(CODE, PEPPER.encode()), "b")
    assert (await shop.till.redeem(placed.id, ALICE, CODE)).state is S.PAID


# ---- the operator's file over time ---------------------------------------------------------


async def test_applying_a_file_again_keeps_the_count(shop: Shop) -> None:
    await put(shop, promo(total=10))
    await shop.checkout.place((await ask(shop, code="SPRING")).id, ALICE, 1)
    await put(shop, promo(total=10, percent=Decimal(20)))
    assert await used(shop) == 1
    async with shop.database.read() as tx:
        found = await tx.promos.get("spring")
    assert found is not None
    assert (found.version, found.percent) == (2, Decimal(20))
    await put(shop, promo("other"))
    async with shop.database.read() as tx:
        assert [one.id for one in await tx.promos.all()] == ["other"]
        running = await tx.promos.by_code("SPRING")
    assert running is not None
    assert running.id == "other", "a code may move from a stopped promo to another one"


async def test_points_are_earned_on_what_was_really_paid(shop: Shop) -> None:
    await put(shop, promo(points=7))
    made = await ask(shop, code="SPRING")
    assert made.earns == 116 + 7
    placed = await shop.checkout.place(made.id, ALICE, 1)
    await pay(shop, placed)
    assert await balance(shop) == 0, "not before it is delivered"
    await shop.fulfil()
    assert await balance(shop) == 123
