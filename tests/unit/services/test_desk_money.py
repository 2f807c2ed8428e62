"""Wrong amounts, refunds and claims on the operator's desk."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.ports import Claim
from bot.services.refunds import STUCK_AFTER
from bot.services.selling import Refused
from bot.services.waiting import Action, Kind
from tests.unit.services.desk_house import House, P, S, T, desk_house
from tests.unit.services.house import SECOND, queued
from tests.unit.services.sale_house import charged
from tests.unit.store.samples import (
    ALICE,
    BOB,
    NOW,
    managed,
    minutes,
    order,
    payment,
    quote,
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with desk_house(tmp_path) as found:
        yield found


# ---- money ---------------------------------------------------------------------------------


async def underpaid(house: House) -> None:
    async with house.store.write() as tx:
        await tx.sims.add(managed("m1", ALICE, iccid="89852022000000000015"))
        await tx.quotes.add(quote(sim_id="m1"), None)
        await tx.orders.add(order(sim_id="m1", state=S.AWAITING_PAYMENT))
        await tx.payments.add(payment(state=P.PENDING))
    await house.till.capture("p1", charged("p1", "c1", Money(900, "XTR")))


async def test_a_wrong_amount_can_be_accepted(house: House) -> None:
    await underpaid(house)
    item = await house.only()
    assert (item.kind, item.subject, item.reason) == (Kind.MISMATCH, "order:o1", "mismatch")
    assert item.payment is not None
    assert item.payment.captured == Money(900, "XTR")
    await house.act(Action.ACCEPT)
    sold = await house.order()
    assert (sold.state, sold.charge) == (S.PAID, Money(900, "XTR"))
    assert [top.state for top in await house.topups()] == [T.SAVED]
    assert [paid.state for paid in await house.payments()] == [P.CAPTURED]


async def test_a_wrong_amount_can_be_sent_back(house: House) -> None:
    await underpaid(house)
    await house.act(Action.REFUND)
    assert (await house.order()).charge == Money(900, "XTR")
    await house.refunds.worker.run()
    assert (await house.order()).state is S.REFUNDED
    assert house.cashier.returned == ["c1"]
    assert await house.topups() == []


async def test_a_top_up_taken_back_can_be_refunded(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.REVERSED, "reversed")
    assert (await house.only()).actions == (Action.DELIVERED, Action.REFUND)
    await house.act(Action.REFUND)
    await house.refunds.worker.run()
    assert (await house.order()).state is S.REFUNDED
    assert house.cashier.returned == ["c1"]
    assert [top.state for top in await house.topups()] == [T.REVERSED]


async def test_a_top_up_taken_back_can_be_left_with_the_customer(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.REVERSED, "reversed")
    await house.act(Action.DELIVERED)
    assert (await house.order()).state is S.FULFILLED
    assert [top.state for top in await house.topups()] == [T.REVERSED]


async def test_a_wrong_amount_for_a_paid_order_waits_apart(house: House) -> None:
    await house.sale(S.FULFILLED, T.VERIFIED)
    await house.till.capture("p1", charged("p1", "c2", Money(1, "XTR")))
    item = await house.only()
    assert (item.kind, item.actions) == (Kind.MISMATCH, (Action.REFUND,))
    assert item.subject.startswith("payment:")
    again = await house.desk.item("order:o1")
    assert again is not None
    assert again.subject == item.subject
    await house.act(Action.REFUND, subject=item.subject)
    await house.refunds.worker.run()
    assert house.cashier.returned == ["c2"]
    assert (await house.order()).state is S.FULFILLED
    assert await house.desk.queue() == []


async def test_a_refund_is_shown_when_it_has_been_due_for_long(house: House) -> None:
    house.cashier.down = True
    await house.sale(S.REFUND_DUE, T.REJECTED, "refused")
    assert await house.desk.queue() == []
    house.clock.at = minutes(-2) + STUCK_AFTER + timedelta(seconds=1)
    item = await house.only()
    assert (item.kind, item.actions) == (Kind.REFUND, (Action.REFUND, Action.RETURNED))
    await house.act(Action.REFUND)
    house.cashier.down = False
    await house.refunds.worker.run()
    assert house.cashier.returned == ["c1"]
    assert await house.desk.queue() == []


async def test_money_returned_by_hand_is_not_sent_again(house: House) -> None:
    await house.sale(S.REFUND_DUE, T.REJECTED, "refused")
    house.clock.advance(hours=1)
    await house.act(Action.RETURNED)
    await house.refunds.worker.run()
    assert (await house.order()).state is S.REFUNDED
    assert [paid.state for paid in await house.payments()] == [P.REFUNDED]
    assert house.cashier.returned == []


async def test_the_longest_waiting_stands_first(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "unknown")
    async with house.store.write() as tx:
        await tx.sims.add(managed("m2"))
        await tx.claims.ask(Claim("k1", BOB, "m2", "waiting", minutes(-60)))
    assert [item.subject for item in await house.desk.queue()] == ["claim:k1", "order:o1"]


# ---- claims --------------------------------------------------------------------------------


async def claimed(house: House, owner_id: int | None = None) -> None:
    async with house.store.write() as tx:
        await tx.sims.add(managed("m1", owner_id, iccid="89852022000000000015"))
        await tx.claims.ask(Claim("k1", ALICE, "m1", "waiting", NOW))


@pytest.mark.parametrize(("action", "owner"), [(Action.APPROVE, ALICE), (Action.DECLINE, None)])
async def test_a_claim_is_settled_and_told(house: House, action: Action, owner: int | None) -> None:
    await claimed(house)
    assert (await house.only()).actions == (Action.APPROVE, Action.DECLINE)
    await house.act(action, subject="claim:k1")
    assert (await house.sim("m1")).owner_id == owner
    assert [chat_id for chat_id, _ in await queued(house.store, "claim")] == [ALICE]
    assert await house.desk.queue() == []
    late = await house.act(Action.APPROVE, subject="claim:k1", who=SECOND, update=2)
    assert (late.first, late.action) == (False, action)
    assert (await house.sim("m1")).owner_id == owner


async def test_somebody_elses_sim_is_not_given_away(house: House) -> None:
    await claimed(house, BOB)
    item = await house.only()
    assert (item.actions, item.reason) == ((Action.DECLINE,), "owned")
    with pytest.raises(Refused):
        await house.act(Action.APPROVE, subject="claim:k1")
    assert (await house.sim("m1")).owner_id == BOB
