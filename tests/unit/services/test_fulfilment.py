"""From paid to verified: one top-up per order, whatever answers are lost and whoever dies."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.domain.sales import Order
from bot.domain.sims import Sim
from bot.ports import SupplierPlan, SupplierUnavailable, TopUpAnswer, TopUpRequest
from bot.services.waiting import Action
from tests.unit.services.house import OPERATOR
from tests.unit.services.sale_house import (
    NOT_FOUND,
    NOT_SENT,
    PROCESSING,
    REJECTED,
    SUCCEEDED,
    UNKNOWN,
    Killed,
    S,
    Shop,
    T,
    sale_house,
    states,
)
from tests.unit.store.samples import ALICE, PLAN, days, sim


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        await found.stock()
        yield found


# ---- the straight way ----------------------------------------------------------------------


async def test_paid_is_topped_up_verified_and_receipted(shop: Shop) -> None:
    paid = await shop.paid()
    await shop.fulfil()
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)
    top = await shop.topup(paid.id)
    assert shop.seller.submitted == [top.id]
    assert top.before is not None
    assert top.after is not None
    assert (top.before.expiry, top.after.expiry) == (days(10), days(40))
    async with shop.database.read() as tx:
        line = await tx.sims.get("m1")
    assert line is not None
    assert (line.expiry, line.last_plan) == (days(40), PLAN.code)
    assert await shop.told(paid.id) == ["paid", "topping_up", "fulfilled"]
    assert await shop.fulfilment.next_due() is None


async def test_a_short_plan_is_not_reminded_of_in_the_same_breath(shop: Shop) -> None:
    shop.seller.expiry_days = -28  # and two days from now once it is topped up
    shop.seller.capabilities = replace(shop.seller.capabilities, after_expiry=True)
    paid = await shop.paid()
    await shop.fulfil()
    assert (await shop.order(paid.id)).state is S.FULFILLED
    async with shop.database.read() as tx:
        line = await tx.sims.get("m1")
    assert line is not None
    assert line.next_reminder_at is not None
    assert line.next_reminder_at > shop.clock.now()


async def test_two_runs_at_once_submit_once(shop: Shop) -> None:
    paid = await shop.paid()
    top = await shop.topup(paid.id)
    await asyncio.gather(*(shop.fulfilment._step(top) for _ in range(5)))
    assert len(shop.seller.submitted) == 1


# ---- refused before anything is bought -----------------------------------------------------


@pytest.mark.parametrize(
    ("plans", "reason"),
    [
        ([], "not_sold_now"),
        ([SupplierPlan("TOPUP_5", Money(801, "USD"), 30, None)], "price_moved"),
    ],
)
async def test_what_may_not_be_bought_is_returned(
    shop: Shop, plans: list[SupplierPlan], reason: str
) -> None:
    shop.seller.on_sale = plans
    paid = await shop.paid()
    await shop.fulfil()
    assert await states(shop, paid) == (S.REFUND_DUE, T.REJECTED)
    assert (await shop.order(paid.id)).reason == reason
    assert shop.seller.submitted == []


async def test_an_expired_profile_is_returned(shop: Shop) -> None:
    shop.seller.expiry_days = -1
    paid = await shop.paid()
    await shop.fulfil()
    assert (await shop.order(paid.id)).reason == "expired"


async def test_a_refusal_is_returned(shop: Shop) -> None:
    shop.seller.answers = [replace(REJECTED, reason="no_money")]
    paid = await shop.paid()
    await shop.fulfil()
    assert await states(shop, paid) == (S.REFUND_DUE, T.REJECTED)
    assert await shop.told(paid.id) == ["paid", "topping_up", "refund_due"]


async def test_a_reading_is_waited_for_but_not_for_ever(shop: Shop) -> None:
    shop.seller.reads_down = True
    paid = await shop.paid()
    await shop.fulfil()
    assert shop.seller.submitted == []
    await shop.work_for(minutes=3)
    assert len(shop.seller.submitted) == 1
    shop.seller.reads_down = False
    await shop.work_for(hours=1)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)


# ---- answers that are lost -----------------------------------------------------------------


async def test_a_lost_answer_is_looked_up_and_never_sent_again(shop: Shop) -> None:
    shop.seller.answers = [UNKNOWN]
    paid = await shop.paid()
    top = await shop.topup(paid.id)
    shop.seller.finds = [UNKNOWN, NOT_FOUND, SupplierUnavailable("timeout")]
    shop.seller.buys_anyway = True
    await shop.fulfil()
    assert (await shop.order(paid.id)).state is S.TOPUP_UNKNOWN
    await shop.work_for(minutes=10)
    assert shop.seller.submitted == [top.id]
    assert len(shop.seller.asked) == 4
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)


async def test_not_found_for_long_is_a_persons_decision(shop: Shop) -> None:
    shop.seller.answers = [UNKNOWN]
    paid = await shop.paid()
    await shop.work_for(hours=2)
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert await shop.whys() == ["not_found"]
    assert len(shop.seller.submitted) == 1
    [item] = await shop.desk.queue()
    await shop.desk.act(item.subject, Action.SUBMIT_AGAIN, OPERATOR, 1)
    await shop.work_for(minutes=5)
    first, second = await shop.topups(paid.id)
    assert (first.state, second.state) == (T.REJECTED, T.VERIFIED)
    assert shop.seller.submitted == [first.id, second.id]
    told = await shop.told(paid.id)
    assert told == ["paid", "topping_up", "topup_unknown", "needs_operator", "topping_up",
                    "fulfilled"]  # fmt: skip


async def test_refused_after_all_is_returned(shop: Shop) -> None:
    shop.seller.answers, shop.seller.finds = [UNKNOWN], [NOT_FOUND, REJECTED]
    paid = await shop.paid()
    await shop.work_for(minutes=5)
    await shop.refund()
    assert await states(shop, paid) == (S.REFUNDED, T.REJECTED)


async def test_a_supplier_without_look_up_goes_to_a_person(shop: Shop) -> None:
    shop.seller.capabilities = replace(shop.seller.capabilities, finds=False)
    shop.seller.answers = [UNKNOWN]
    paid = await shop.paid()
    await shop.fulfil()
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert await shop.whys() == ["no_look_up"]


async def test_what_never_left_is_sent_later_under_its_reference(shop: Shop) -> None:
    shop.seller.answers = [NOT_SENT, NOT_SENT]
    paid = await shop.paid()
    await shop.work_for(minutes=5)
    top = await shop.topup(paid.id)
    assert shop.seller.submitted == [top.id] * 3
    assert len(shop.seller.bought) == 1
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)


async def test_what_never_leaves_ends_with_a_person(shop: Shop) -> None:
    shop.seller.answers = [NOT_SENT] * 50
    paid = await shop.paid()
    await shop.work_for(hours=3)
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert len(await shop.desk.queue()) == 1


async def test_a_look_up_says_processing_until_it_is_done(shop: Shop) -> None:
    shop.seller.answers = [PROCESSING]
    shop.seller.finds = [PROCESSING, PROCESSING, NOT_FOUND]
    shop.seller.buys_anyway = True
    paid = await shop.paid()
    await shop.work_for(minutes=20)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)
    assert len(shop.seller.submitted) == 1


async def test_processing_for_ever_ends_with_a_person(shop: Shop) -> None:
    shop.seller.answers, shop.seller.finds = [PROCESSING], [PROCESSING] * 99
    paid = await shop.paid()
    await shop.work_for(hours=12)
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert len(shop.seller.asked) < 12
    shop.seller.finds = [SUCCEEDED]
    [item] = await shop.desk.queue()
    shop.seller.bought.append((await shop.topup(paid.id)).id)
    await shop.desk.act(item.subject, Action.LOOK_UP_AGAIN, OPERATOR, 1)
    await shop.work_for(minutes=5)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)


async def test_a_look_up_that_talks_nonsense_is_asked_again(shop: Shop) -> None:
    shop.seller.answers, shop.seller.finds = [UNKNOWN], [NOT_SENT]
    paid = await shop.paid()
    await shop.work_for(hours=2)
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert len(shop.seller.submitted) == 1


# ---- verification --------------------------------------------------------------------------


async def test_a_sim_that_does_not_show_it_goes_to_a_person(shop: Shop) -> None:
    shop.seller.hides = True
    paid = await shop.paid()
    await shop.work_for(hours=2)
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert await shop.whys() == ["unverified"]
    shop.seller.hides = False
    [item] = await shop.desk.queue()
    await shop.desk.act(item.subject, Action.LOOK_UP_AGAIN, OPERATOR, 1)
    await shop.work_for(minutes=5)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)


async def test_a_sim_that_can_not_be_read_for_a_while_is_verified_later(shop: Shop) -> None:
    paid = await shop.paid()
    submit = shop.seller.submit

    async def then_blind(request: TopUpRequest) -> TopUpAnswer:
        shop.seller.reads_down = True
        return await submit(request)

    shop.seller.submit = then_blind  # type: ignore[method-assign]
    await shop.work_for(minutes=2)
    assert await states(shop, paid) == (S.TOPPING_UP, T.SUCCEEDED)
    shop.seller.reads_down = False
    await shop.work_for(minutes=10)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)


# ---- by hand -------------------------------------------------------------------------------


async def by_hand(shop: Shop) -> Order:
    plan = replace(PLAN, supplier="manual", carrier="Smart")
    line: Sim = sim("s1", ALICE)
    async with shop.database.write() as tx:
        await tx.sims.add(line)
        await tx.catalogue.apply([plan])
    placed, payment = await shop.invoice(9, sim_id="s1", plan=plan)
    await shop.pay(payment, "c9")
    return placed


async def test_a_person_tops_up_by_hand(shop: Shop) -> None:
    placed = await by_hand(shop)
    await shop.work_for(days=2)
    assert await states(shop, placed) == (S.TOPPING_UP, T.PROCESSING)
    assert await shop.whys() == ["by_hand"]
    [item] = await shop.desk.queue()
    await shop.desk.act(item.subject, Action.DELIVERED, OPERATOR, 1)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert await shop.told(placed.id) == ["paid", "topping_up", "fulfilled"]


async def test_a_crash_while_a_person_is_asked_leaves_it_with_a_person(shop: Shop) -> None:
    placed = await by_hand(shop)
    shop.person.answers.insert(0, Killed())
    with pytest.raises(Killed):
        await shop.fulfil()
    await shop.die_and_rise()
    await shop.work_for(days=1)
    assert (await shop.order(placed.id)).state is S.NEEDS_OPERATOR
    [item] = await shop.desk.queue()
    await shop.desk.act(item.subject, Action.DELIVERED, OPERATOR, 1)
    assert (await shop.order(placed.id)).state is S.FULFILLED
