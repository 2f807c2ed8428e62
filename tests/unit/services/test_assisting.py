"""Orders prepared at the counter: the customer's own, paid in the chat or in cash, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.domain.orders import RefundState
from bot.domain.quotes import Quote
from bot.domain.requests import Why
from bot.domain.sales import Method, Order
from bot.services.assisting import Assisting, receipt_number
from bot.services.desk import NotOperator
from bot.services.requesting import Requesting
from bot.services.selling import Refused
from bot.services.waiting import Action, Kind
from tests.unit.services.house import OPERATOR, SECOND, SELLING
from tests.unit.services.sale_house import P, S, Shop, T, sale_house, states
from tests.unit.store.samples import ALICE, BOB, NOW, PLAN, days, managed, order, quote

PRICE = Money(1290, "USD")


@dataclass
class Counter:
    """The shop and its counter."""

    shop: Shop
    assisting: Assisting

    async def quote(self, update: int = 1) -> Quote:
        return await self.assisting.quote(OPERATOR, "m1", PLAN, None, update)

    async def cash(
        self, made: Quote, number: str = "A-17", who: int = OPERATOR, update: int = 2
    ) -> Order:
        return await self.assisting.cash(who, made.id, number, update)

    async def found(self, text: str) -> list[int]:
        return [chat.id for chat in await self.assisting.find(OPERATOR, text)]

    async def audited(self) -> list[str]:
        """What the counter has written down, oldest first."""
        async with self.shop.database.read() as tx:
            rows = await tx.audit.latest(50)
        return [row.action for row in reversed(rows) if row.action.startswith("assist")]


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with sale_house(tmp_path) as shop:
        await shop.stock(
            managed("m1", ALICE, supplier_ref="tran", expiry=days(10), grace_end=None,
                    iccid="89852022000000000015", msisdn="+85261234567")
        )  # fmt: skip
        yield Counter(
            shop,
            Assisting(shop.database, shop.clock, SELLING, shop.checkout, shop.paying, shop.till),
        )


async def test_a_customer_is_found_by_what_they_can_say(counter: Counter) -> None:
    async with counter.shop.database.write() as tx:
        await tx.quotes.add(quote(sim_id="m1"), None)
        await tx.orders.add(order("abc23", sim_id="m1"))
    for text in ("0015", "8985 2022 0000 0000 0015", "8985202200000000001",
                 "898520220000000000155",
                 "+852 6123 4567", "61234567", "061234567",
                 "XK-ABC23", "xk abc23", "ＸＫ－ＡＢＣ２３"):  # fmt: skip
        assert await counter.found(text) == [ALICE], text
    assert BOB in await counter.found("lic"), "samples are all called Alice"
    for text in ("", "015", "99999", "XK-NOBODY", "%", "nobody"):
        assert await counter.found(text) == [], text
    card = await counter.assisting.customer(OPERATOR, ALICE, 1)
    assert card is not None
    assert [sim.id for sim in card.sims] == ["m1"]
    assert [one.id for one in card.orders] == ["abc23"]
    assert await counter.assisting.customer(OPERATOR, 4711, 1) is None
    assert await counter.audited() == ["assist_opened"]


async def test_the_counter_is_for_operators_only(counter: Counter) -> None:
    made = await counter.quote()
    calls = (
        counter.assisting.find(ALICE, "0015"),
        counter.assisting.customer(ALICE, BOB, 1),
        counter.assisting.sim(ALICE, "m1"),
        counter.assisting.offers(ALICE, "m1"),
        counter.assisting.quote(ALICE, "m1", PLAN, None, 1),
        counter.assisting.send(ALICE, made.id, 1),
        counter.assisting.cash(ALICE, made.id, "A-17", 1),
    )
    for call in calls:
        with pytest.raises(NotOperator):
            await call


async def test_a_prepared_order_is_the_customers_to_pay(counter: Counter) -> None:
    made = await counter.quote()
    assert made.chat_id == ALICE
    sent = await counter.assisting.send(OPERATOR, made.id, 2)
    assert (sent.chat_id, sent.state) == (ALICE, S.AWAITING_PAYMENT)
    assert (await counter.assisting.send(SECOND, made.id, 3)).id == sent.id
    [told] = await counter.shop.notices("assisted")
    assert (told.chat_id, told.data["order_id"]) == (ALICE, sent.id)
    assert await counter.audited() == ["assist_sent"]
    await counter.shop.pay(await counter.shop.stars(sent), amount=Money(994, "XTR"))
    await counter.shop.fulfil()
    assert await states(counter.shop, sent) == (S.FULFILLED, T.VERIFIED)


async def test_a_prepared_order_expires_like_any(counter: Counter) -> None:
    sent = await counter.assisting.send(OPERATOR, (await counter.quote()).id, 2)
    counter.shop.clock.advance(minutes=16)
    await counter.shop.paying.expire_due()
    assert (await counter.shop.order(sent.id)).state is S.EXPIRED


async def test_cash_pays_and_tops_up_and_the_customer_is_told(counter: Counter) -> None:
    paid = await counter.cash(await counter.quote(), " a-17 ")
    assert (paid.state, paid.method, paid.charge) == (S.PAID, Method.CASH, PRICE)
    [payment] = await counter.shop.payments(paid.id)
    assert (payment.charge_id, payment.state) == ("cash:A-17", P.CAPTURED)
    await counter.shop.fulfil()
    assert await states(counter.shop, paid) == (S.FULFILLED, T.VERIFIED)
    assert await counter.shop.told(paid.id) == ["paid", "topping_up", "fulfilled"]
    assert await counter.audited() == ["assist_cash"]


async def test_an_order_of_the_customers_own_can_be_paid_in_cash(counter: Counter) -> None:
    placed, stars = await counter.shop.invoice()
    async with counter.shop.database.read() as tx:
        made = await tx.quotes.get(placed.quote_id)
    assert made is not None
    assert (await counter.cash(made)).id == placed.id
    [shown, cash] = await counter.shop.payments(placed.id)
    assert (shown.id, shown.state, cash.method) == (stars.id, P.CANCELLED, Method.CASH)
    assert await counter.shop.till.precheck(stars.id, ALICE, stars.amount) == "already_paid"


async def test_a_tap_replayed_takes_cash_once(counter: Counter) -> None:
    made = await counter.quote()
    first = await counter.cash(made)
    for _ in range(3):
        assert (await counter.cash(made)).id == first.id
    assert len(await counter.shop.payments(first.id)) == 1


async def test_a_receipt_is_good_for_one_order(counter: Counter) -> None:
    first = await counter.cash(await counter.quote())
    await counter.shop.fulfil()
    with pytest.raises(Refused, match="receipt_used") as refused:
        await counter.cash(await counter.quote(5), "a-17")
    assert refused.value.order is not None
    assert refused.value.order.id == first.id


@pytest.mark.parametrize("text", ["", "   ", "#!", "A" * 33, "A 17", "-17"])
def test_what_is_no_receipt_number(text: str) -> None:
    with pytest.raises(Refused, match="receipt_bad"):
        receipt_number(text)


async def test_two_operators_record_the_same_receipt_at_once(counter: Counter) -> None:
    """For two SIMs: one order is paid, the other still waits."""
    async with counter.shop.database.write() as tx:
        await tx.sims.add(managed("m2", BOB, supplier_ref="other", expiry=days(10)))
    one = await counter.quote()
    two = await counter.assisting.quote(SECOND, "m2", PLAN, None, 9)
    results = await asyncio.gather(
        counter.cash(one), counter.cash(two, who=SECOND, update=3), return_exceptions=True
    )
    paid = [result for result in results if isinstance(result, Order)]
    refused = [result for result in results if isinstance(result, Refused)]
    assert (len(paid), len(refused)) == (1, 1)
    assert refused[0].reason == "receipt_used"
    async with counter.shop.database.read() as tx:
        assert len(await tx.orders.in_states([S.PAID])) == 1


async def test_two_operators_take_cash_for_one_order(counter: Counter) -> None:
    """Two receipts were given: one pays, the other has to be handed back by a person."""
    made = await counter.quote()
    done = await asyncio.gather(
        counter.cash(made, "A-1"), counter.cash(made, "A-2", SECOND, 3), return_exceptions=True
    )
    assert any(isinstance(one, Order) for one in done)
    await counter.shop.fulfil()
    await counter.shop.refund()
    async with counter.shop.database.read() as tx:
        [sold] = await tx.orders.in_states([S.FULFILLED])
        back = await tx.refunds.in_states([RefundState.BY_HAND])
    taken = [one for one in await counter.shop.payments(sold.id) if one.captured is not None]
    assert len(taken) == 1 + len(back), "what pays nothing goes back"


async def test_cash_goes_back_by_hand(counter: Counter) -> None:
    paid = await counter.cash(await counter.quote())
    await counter.shop.fulfil()
    requesting = Requesting(counter.shop.database, counter.shop.clock, SELLING)
    request = await requesting.ask(paid.id, ALICE, Why.OTHER, "too slow", 50)
    part = Money(290, "USD")
    await counter.shop.desk.act(f"request:{request.id}", Action.PART, OPERATOR, 51, amount=part)
    assert len(await counter.shop.notices("request")) == 1
    [item] = await counter.shop.desk.queue()
    assert (item.kind, item.actions) == (Kind.REFUND, (Action.RETURNED,))
    assert item.refund is not None
    assert item.refund.amount == part
    await counter.shop.desk.act(item.subject, Action.RETURNED, OPERATOR, 52)
    assert len(await counter.shop.notices("request")) == 2, "told that it is back"
    assert await counter.shop.desk.queue() == []
    assert (await counter.shop.order(paid.id)).state is S.FULFILLED


async def test_a_lapsed_price_takes_no_cash(counter: Counter) -> None:
    made = await counter.quote()
    counter.shop.clock.at = NOW
    counter.shop.clock.advance(minutes=20)
    with pytest.raises(Refused, match="quote_expired"):
        await counter.cash(made)
    assert await counter.audited() == []
