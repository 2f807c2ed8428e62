"""Money arrives: early, late, twice, too little, for nothing; none of it is left without an end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.quotes import Terms
from bot.domain.sales import Method, VoucherState
from bot.services.selling import Refused
from bot.services.till import Till
from bot.services.waiting import Action
from tests.unit.services.house import OPERATOR, SELLING
from tests.unit.services.sale_house import (
    CODE,
    STARS,
    P,
    S,
    Shop,
    T,
    charged,
    sale_house,
)
from tests.unit.store.samples import ALICE, BOB, NOW, PLAN, minutes


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        await found.stock()
        yield found


async def hand_over(shop: Shop, owner: int | None) -> None:
    async with shop.database.write() as tx:
        sim = await tx.sims.get("m1")
        assert sim is not None
        await tx.sims.update(sim.id, sim.version, owner_id=owner)


# ---- may it be paid? -----------------------------------------------------------------------


async def test_an_open_order_may_be_paid_by_its_owner_alone(shop: Shop) -> None:
    _, payment = await shop.invoice()
    assert await shop.till.precheck(payment.id, ALICE, STARS) is None
    assert await shop.till.precheck(payment.id, BOB, STARS) == "not_yours"
    assert await shop.till.precheck(payment.id, ALICE, Money(1, "XTR")) == "amount_moved"
    assert await shop.till.precheck(payment.id, ALICE, Money(993, "USD")) == "amount_moved"
    assert await shop.till.precheck("nothing", ALICE, STARS) == "unknown"


async def test_a_price_that_is_over_is_not_paid(shop: Shop) -> None:
    _, payment = await shop.invoice()
    shop.clock.at = minutes(15)
    assert await shop.till.precheck(payment.id, ALICE, STARS) == "quote_expired"
    await shop.paying.expire_due()
    assert await shop.till.precheck(payment.id, ALICE, STARS) == "quote_expired"


async def test_what_is_paid_cancelled_or_returned_says_so(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    await shop.paying.cancel(placed.id, ALICE)
    assert await shop.till.precheck(payment.id, ALICE, STARS) == "cancelled"
    _, second = await shop.invoice(2)
    await shop.pay(second)
    assert await shop.till.precheck(second.id, ALICE, STARS) == "already_paid"
    shop.seller.on_sale = []
    await shop.fulfil()
    assert await shop.till.precheck(second.id, ALICE, STARS) == "not_waiting"
    await shop.refund()
    assert await shop.till.precheck(second.id, ALICE, STARS) == "not_waiting"


async def test_an_attempt_given_up_for_another_is_not_paid(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    await shop.add_voucher()
    await shop.till.redeem(placed.id, ALICE, CODE)
    assert await shop.till.precheck(payment.id, ALICE, STARS) == "already_paid"


@pytest.mark.parametrize("owner", [None, BOB])
async def test_a_sim_that_is_no_longer_theirs_is_not_paid_for(
    shop: Shop, owner: int | None
) -> None:
    placed, payment = await shop.invoice()
    await hand_over(shop, owner)
    assert await shop.till.precheck(payment.id, ALICE, STARS) == "cancelled"
    with pytest.raises(Refused, match="not_yours_sim"):
        await shop.stars(placed)
    await shop.add_voucher()
    with pytest.raises(Refused, match="not_yours_sim"):
        await shop.till.redeem(placed.id, ALICE, CODE)


# ---- taken once ----------------------------------------------------------------------------


async def test_money_moves_payment_order_topup_and_message_together(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    await shop.pay(payment)
    paid = await shop.order(placed.id)
    assert (paid.state, paid.charge, paid.method, paid.paid_at) == (
        S.PAID,
        STARS,
        Method.STARS,
        NOW,
    )
    [taken] = await shop.payments(placed.id)
    assert (taken.state, taken.charge_id, taken.captured, taken.payer_id) == (
        P.CAPTURED, "c1", STARS, ALICE,
    )  # fmt: skip
    top = await shop.topup(placed.id)
    assert (top.state, top.next_at, top.max_cost) == (T.SAVED, NOW, PLAN.max_cost)
    assert await shop.told(placed.id) == ["paid"]


async def test_a_replayed_capture_changes_nothing(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    for _ in range(3):
        await shop.pay(payment)
        shop.clock.advance(minutes=1)
    assert len(await shop.payments(placed.id)) == len(await shop.topups(placed.id)) == 1
    await shop.work_for(minutes=5)
    await shop.pay(payment)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert shop.cashier.returned == []


@pytest.mark.parametrize("when", ["paid", "topping_up", "fulfilled", "refund_due", "refunded"])
async def test_an_invoice_paid_again_goes_back_by_itself(shop: Shop, when: str) -> None:
    placed, payment = await shop.invoice()
    await shop.pay(payment)
    if when.startswith("refund"):
        shop.seller.on_sale = []
    if when != "paid":
        await shop.fulfil()
    if when == "refunded":
        await shop.refund()
    if when == "fulfilled":
        await shop.work_for(minutes=5)
    await shop.pay(payment, "c2")
    await shop.work_for(minutes=5)
    kept = when not in ("refund_due", "refunded")
    assert (await shop.order(placed.id)).state is (S.FULFILLED if kept else S.REFUNDED)
    assert sorted(shop.cashier.returned) == (["c2"] if kept else ["c1", "c2"])
    assert len(await shop.topups(placed.id)) == 1
    assert {p.charge_id: p.state for p in await shop.payments(placed.id)} == {
        "c1": P.CAPTURED if kept else P.REFUNDED,
        "c2": P.REFUNDED,
    }


async def test_stars_that_meet_a_voucher_go_back_and_the_voucher_stays_used(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    await shop.add_voucher()
    await shop.till.redeem(placed.id, ALICE, CODE)
    await shop.pay(payment)  # in the same moment, and its attempt is the older one
    await shop.work_for(minutes=5)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert shop.cashier.returned == ["c1"]
    async with shop.database.read() as tx:
        used = await tx.vouchers.of_order(placed.id)
    assert used is not None
    assert used.state is VoucherState.REDEEMED


# ---- money that comes late -----------------------------------------------------------------


@pytest.mark.parametrize("end", ["expired", "cancelled"])
async def test_late_money_is_honoured_at_the_same_price(shop: Shop, end: str) -> None:
    placed, payment = await shop.invoice()
    if end == "expired":
        shop.clock.at = minutes(16)
        await shop.paying.expire_due()
    else:
        await shop.paying.cancel(placed.id, ALICE)
    assert (await shop.order(placed.id)).state == end
    await shop.pay(payment)
    await shop.work_for(minutes=5)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert shop.cashier.returned == []


@pytest.mark.parametrize(
    "catalogue",
    [[], [replace(PLAN, version=2, price=Money(1490, "USD"))], [replace(PLAN, active=False)]],
)
async def test_late_money_goes_back_when_the_price_is_another(
    shop: Shop, catalogue: list[Plan]
) -> None:
    placed, payment = await shop.invoice()
    await shop.paying.cancel(placed.id, ALICE)
    async with shop.database.write() as tx:
        await tx.catalogue.apply(catalogue)
    await shop.pay(payment)
    order = await shop.order(placed.id)
    assert (order.state, order.reason, order.charge) == (S.REFUND_DUE, "late_money", STARS)
    await shop.refund()
    assert (await shop.order(placed.id)).state is S.REFUNDED
    assert shop.cashier.returned == ["c1"]
    assert await shop.told(placed.id) == ["refund_due", "refunded"]
    assert await shop.topups(placed.id) == []


async def test_late_money_goes_back_while_another_order_of_the_sim_runs(shop: Shop) -> None:
    first, payment = await shop.invoice()
    await shop.paying.cancel(first.id, ALICE)
    second = await shop.paid(2, "c2")
    await shop.pay(payment)
    await shop.work_for(minutes=5)
    assert (await shop.order(first.id)).state is S.REFUNDED
    assert (await shop.order(second.id)).state is S.FULFILLED
    assert shop.cashier.returned == ["c1"]


async def test_late_money_honoured_closes_the_open_order_of_the_same_sim(shop: Shop) -> None:
    first, late = await shop.invoice()
    second, open_ = await shop.invoice(2)
    assert (await shop.order(first.id)).state is S.CANCELLED
    await shop.pay(late)
    assert (await shop.order(second.id)).state is S.CANCELLED
    assert await shop.till.precheck(open_.id, ALICE, STARS) == "cancelled"
    await shop.pay(open_, "c2")
    await shop.work_for(minutes=5)
    assert (await shop.order(first.id)).state is S.FULFILLED
    assert (await shop.order(second.id)).state is S.REFUNDED
    assert shop.cashier.returned == ["c2"]


@pytest.mark.parametrize("owner", [None, BOB])
@pytest.mark.parametrize("state", ["waiting", "cancelled"])
async def test_money_for_a_sim_that_is_no_longer_theirs_goes_back(
    shop: Shop, state: str, owner: int | None
) -> None:
    placed, payment = await shop.invoice()
    if state == "cancelled":
        await shop.paying.cancel(placed.id, ALICE)
    await hand_over(shop, owner)
    await shop.pay(payment)
    await shop.work_for(minutes=5)
    assert (await shop.order(placed.id)).state is S.REFUNDED
    assert (shop.cashier.returned, shop.seller.submitted) == (["c1"], [])
    assert await shop.told(placed.id) == ["refund_due", "refunded"]


# ---- money that does not fit ---------------------------------------------------------------


@pytest.mark.parametrize("amount", [Money(992, "XTR"), Money(994, "XTR"), Money(993, "USD")])
@pytest.mark.parametrize("end", ["waiting", "expired", "cancelled"])
async def test_a_wrong_amount_waits_for_a_person(shop: Shop, amount: Money, end: str) -> None:
    placed, payment = await shop.invoice()
    if end == "cancelled":
        await shop.paying.cancel(placed.id, ALICE)
    if end == "expired":
        shop.clock.at = minutes(16)
        await shop.paying.expire_due()
    await shop.pay(payment, amount=amount)
    await shop.pay(payment, amount=amount)
    assert (await shop.order(placed.id)).state is S.NEEDS_OPERATOR
    [held] = await shop.payments(placed.id)
    assert (held.state, held.captured) == (P.MISMATCH, amount)
    assert await shop.topups(placed.id) == []
    assert await shop.whys() == ["mismatch"]
    assert len(await shop.desk.queue()) == 1


async def test_every_wrong_amount_is_told(shop: Shop) -> None:
    _, payment = await shop.invoice()
    await shop.pay(payment)
    for number in (2, 3):
        await shop.pay(payment, f"c{number}", Money(1, "XTR"))
    assert await shop.whys() == ["mismatch", "mismatch"]
    assert len(await shop.desk.queue()) == 2


async def test_a_wrong_amount_for_a_returned_order_can_go_back(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    await shop.pay(payment)
    shop.seller.on_sale = []
    await shop.work_for(minutes=1)
    await shop.pay(payment, "c2", Money(1, "XTR"))
    [item] = await shop.desk.queue()
    await shop.desk.act(item.subject, Action.REFUND, OPERATOR, 1)
    await shop.refund()
    assert (await shop.order(placed.id)).state is S.REFUNDED
    assert shop.cashier.returned == ["c1", "c2"]


async def test_money_without_an_order_is_told_to_a_person_once(shop: Shop) -> None:
    for _ in range(2):
        assert await shop.till.capture("nothing", charged("nothing")) is None
    assert await shop.whys() == ["gap_no_order"]
    [item] = await shop.desk.queue()
    assert item.reason == "gap_no_order"
    async with shop.database.read() as tx:
        rows = await tx.audit.latest(9)
    assert {(row.action, row.subject) for row in rows} == {("charge_without_order", "c1")}


# ---- vouchers ------------------------------------------------------------------------------


async def test_a_voucher_pays_once_and_a_replay_finds_it_paid(shop: Shop) -> None:
    await shop.add_voucher()
    placed = await shop.place()
    for _ in range(2):
        assert (await shop.till.redeem(placed.id, ALICE, CODE)).state is S.PAID
    assert len(await shop.topups(placed.id)) == 1
    await shop.work_for(minutes=5)
    second = await shop.place(2)
    with pytest.raises(Refused, match="voucher_used"):
        await shop.till.redeem(second.id, ALICE, CODE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": Money(1000, "USD")}, "voucher_value"),
        ({"value": Money(1290, "PHP")}, "voucher_value"),
        ({"plan_code": "another"}, "voucher_other_plan"),
        ({"expires_at": NOW}, "voucher_over"),
    ],
)
async def test_a_voucher_that_does_not_fit_leaves_the_invoice_payable(
    shop: Shop, changes: dict[str, object], reason: str
) -> None:
    placed, payment = await shop.invoice()
    await shop.add_voucher(**changes)
    with pytest.raises(Refused, match=reason):
        await shop.till.redeem(placed.id, ALICE, CODE)
    with pytest.raises(Refused, match="voucher_unknown"):
        await shop.till.redeem(placed.id, ALICE, "nonsense")
    assert await shop.till.precheck(payment.id, ALICE, STARS) is None


async def test_nobody_pays_or_sees_another_persons_order(shop: Shop) -> None:
    await shop.add_voucher()
    placed = await shop.place()
    with pytest.raises(Refused, match="unknown"):
        await shop.till.redeem(placed.id, BOB, CODE)
    await shop.till.redeem(placed.id, ALICE, CODE)
    with pytest.raises(Refused, match="unknown"):
        await shop.till.redeem(placed.id, BOB, CODE)


async def test_vouchers_switched_off_pay_nothing(shop: Shop) -> None:
    await shop.add_voucher()
    placed = await shop.place()
    till = Till(shop.database, shop.clock, replace(SELLING, terms={Method.STARS: Terms()}))
    with pytest.raises(Refused, match="method_off"):
        await till.redeem(placed.id, ALICE, CODE)


async def test_a_voucher_comes_back_once(shop: Shop) -> None:
    await shop.add_voucher()
    placed = await shop.place()
    await shop.till.redeem(placed.id, ALICE, CODE)
    shop.seller.on_sale = []
    await shop.work_for(minutes=1)
    assert (await shop.order(placed.id)).state is S.REFUNDED
    second = await shop.place(2)
    await shop.till.redeem(second.id, ALICE, CODE)
    await shop.work_for(minutes=1)
    async with shop.database.read() as tx:
        assert await tx.vouchers.of_order(placed.id) is None
    assert (await shop.order(second.id)).state is S.REFUNDED
