"""Money that goes back: once, whatever dies on the way, and never silently stuck."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.orders import PaymentState
from bot.domain.sales import Method, Payment, Refund
from bot.ports import Return, TopUpAnswer, TopUpStatus
from bot.services.refunds import STUCK_AFTER
from bot.services.waiting import Action
from tests.unit.services.house import OPERATOR
from tests.unit.services.sale_house import CODE, Killed, P, S, Shop, sale_house
from tests.unit.store.samples import ALICE, managed


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        await found.stock()
        yield found


async def owed(shop: Shop, number: int = 1, charge: str = "c1") -> str:
    """An order that was paid and surely not delivered."""
    shop.seller.answers = [TopUpAnswer(TopUpStatus.REJECTED, reason="refused")]
    paid = await shop.paid(number, charge)
    await shop.fulfil()
    assert (await shop.order(paid.id)).state is S.REFUND_DUE
    return paid.id


async def state(shop: Shop, order_id: str) -> PaymentState:
    [payment] = await shop.payments(order_id)
    return payment.state


async def test_the_whole_charge_goes_back_and_the_customer_is_told(shop: Shop) -> None:
    order_id = await owed(shop)
    await shop.refund()
    assert (await shop.order(order_id)).state is S.REFUNDED
    assert await state(shop, order_id) is P.REFUNDED
    assert shop.cashier.returned == ["c1"]
    assert await shop.told(order_id) == ["paid", "topping_up", "refund_due", "refunded"]
    await shop.refund()
    assert shop.cashier.returned == ["c1"]


async def test_the_intent_is_committed_before_the_provider_is_called(shop: Shop) -> None:
    order_id = await owed(shop)
    shop.cashier.fails_with = Killed()
    with pytest.raises(Killed):
        await shop.refund()
    assert (await shop.order(order_id)).state is S.REFUNDING
    assert await state(shop, order_id) is P.CAPTURED
    shop.cashier.fails_with = None
    await shop.die_and_rise()
    await shop.refund()
    assert (await shop.order(order_id)).state is S.REFUNDED
    assert shop.cashier.returned == ["c1"]


async def test_a_provider_that_is_down_is_tried_again_and_told_once(shop: Shop) -> None:
    order_id = await owed(shop)
    shop.cashier.down = True
    await shop.refund()
    assert await shop.whys() == []
    shop.clock.at += STUCK_AFTER * 1.1
    for _ in range(3):
        await shop.refund()
    assert await shop.whys() == ["refund_due"]
    [item] = await shop.desk.queue()
    assert item.subject == f"order:{order_id}"
    shop.cashier.down = False
    await shop.refund()
    assert (await shop.order(order_id)).state is S.REFUNDED
    assert await shop.desk.queue() == []


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_surplus_that_does_not_go_back_is_told_once(shop: Shop, by_hand: bool) -> None:
    paid = await shop.paid()
    [payment] = await shop.payments(paid.id)
    await shop.pay(payment, "c2")
    shop.cashier.down = True
    await shop.refund()
    shop.clock.at += STUCK_AFTER * 1.1
    for _ in range(3):
        await shop.refund()
    assert await shop.whys() == ["refund_due"]
    [item] = await shop.desk.queue()
    assert item.payment is not None
    assert (item.payment.charge_id, item.actions) == ("c2", (Action.REFUND, Action.RETURNED))
    if by_hand:
        await shop.desk.act(item.subject, Action.RETURNED, OPERATOR, 1)
    shop.cashier.down = False
    await shop.refund()
    assert shop.cashier.returned == ([] if by_hand else ["c2"])
    assert [p.state for p in await shop.payments(paid.id)] == [P.CAPTURED, P.REFUNDED]
    assert await shop.desk.queue() == []


async def test_one_refund_that_breaks_stops_no_other(shop: Shop) -> None:
    await shop.stock(managed("m2", ALICE, supplier_ref="other"))
    first = await owed(shop)
    shop.cashier.fails_with = RuntimeError("a defect")
    await shop.add_voucher()
    second = (await shop.place(2, sim_id="m2")).id
    await shop.till.redeem(second, ALICE, CODE)
    shop.seller.on_sale = []
    await shop.fulfil()
    await shop.refund()
    assert (await shop.order(first)).state is S.REFUNDING
    assert (await shop.order(second)).state is S.REFUNDED


async def test_a_method_switched_off_keeps_the_debt(shop: Shop) -> None:
    order_id = await owed(shop)
    shop.refunds._payments = {}
    await shop.refund()
    assert (await shop.order(order_id)).state is S.REFUNDING
    shop.refunds._payments = {Method.STARS: shop.cashier}
    await shop.refund()
    assert (await shop.order(order_id)).state is S.REFUNDED


async def test_a_charge_that_arrives_while_the_money_goes_back_goes_back_too(shop: Shop) -> None:
    order_id = await owed(shop)
    [first] = await shop.payments(order_id)
    refund = shop.cashier.refund

    async def meanwhile(payment: Payment, sent: Refund) -> Return:
        shop.cashier.refund = refund  # type: ignore[method-assign]
        await shop.pay(first, "c2")
        return await refund(payment, sent)

    shop.cashier.refund = meanwhile  # type: ignore[assignment]
    await shop.refund()
    await shop.refund()
    assert (await shop.order(order_id)).state is S.REFUNDED
    assert shop.cashier.returned == ["c1", "c2"]
    assert {payment.state for payment in await shop.payments(order_id)} == {P.REFUNDED}


async def test_an_order_that_an_operator_settled_meanwhile_is_left_alone(shop: Shop) -> None:
    order_id = await owed(shop)
    async with shop.database.read() as tx:
        stale = await tx.orders.get(order_id)
    assert stale is not None
    [payment] = await shop.payments(order_id)
    async with shop.database.write() as tx:
        now = shop.clock.now()
        await tx.payments.move(payment.id, P.CAPTURED, P.REFUNDED, "by hand", now)
        await tx.orders.move(order_id, S.REFUND_DUE, S.REFUNDING, "by hand", now)
        await tx.orders.move(order_id, S.REFUNDING, S.REFUNDED, "by hand", now)
    await shop.refunds._begin_order(stale)
    assert shop.cashier.returned == []
    assert "refunded" not in await shop.told(order_id)
