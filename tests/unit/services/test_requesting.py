"""Money asked back: once, decided once by a person, never more than was captured."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import ledger
from bot.domain.ledger import Posting, wallet
from bot.domain.money import Money
from bot.domain.orders import OrderState, RefundState, TopUpState
from bot.domain.quotes import Terms
from bot.domain.requests import RefundRequest, RequestState, Why
from bot.domain.sales import Method
from bot.ports import Returns
from bot.services.desk import Settled
from bot.services.requesting import Requesting
from bot.services.selling import Refused
from bot.services.waiting import Action, Kind, QueueItem
from tests.unit.services.cashier import PAGE
from tests.unit.services.desk_house import House, P, S, T, desk_house
from tests.unit.services.house import OPERATOR, SECOND, SELLING, queued
from tests.unit.services.sale_house import CODE, Shop, sale_house
from tests.unit.store.samples import ALICE, BOB, NOW

STARS = 993
PRICE = Money(1290, "USD")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A shop whose provider can send a part back."""
    async with desk_house(tmp_path) as found:
        found.cashier.capabilities = PAGE
        yield found


async def ask(house: House, update: int = 7, words: str = "", chat: int = ALICE) -> RefundRequest:
    """A customer asks for the money of o1."""
    requesting = Requesting(house.store, house.clock, SELLING)
    return await requesting.ask("o1", chat, Why.NOT_WORKING, words, update)


async def asked(house: House) -> RefundRequest:
    """Alice asks for the money of a delivered top-up."""
    await house.sale(S.FULFILLED, T.VERIFIED)
    return await ask(house, words=" It stays slow ")


async def told(house: House) -> list[str]:
    """Requests that the customer was written of."""
    return [str(data["request_id"]) for _, data in await queued(house.store, "request")]


async def back(house: House) -> list[int]:
    """What went back, in order."""
    await house.refunds.worker.run()
    return [minor for _, minor in house.cashier.refunded.values()]


async def decide(
    house: House, request: RefundRequest, action: Action, minor: int = 0, who: int = OPERATOR,
    update: int = 1, words: str = "",
) -> Settled:  # fmt: skip
    amount = Money(minor, "XTR") if minor else None
    return await house.desk.act(
        f"request:{request.id}", action, who, update, amount=amount, words=words
    )


async def item(house: House) -> QueueItem:
    [found] = [one for one in await house.desk.queue() if one.kind is Kind.REQUEST]
    return found


async def test_the_operator_reads_who_asks_for_what_and_why(house: House) -> None:
    request = await asked(house)
    assert (request.words, request.state) == ("It stays slow", RequestState.ASKED)
    found = await item(house)
    assert found.subject == f"request:{request.id}"
    assert found.actions == (Action.REFUND, Action.PART, Action.DECLINE)
    assert found.request == request
    assert (found.order, found.chat) != (None, None)
    assert [chat for chat, _ in await queued(house.store, "queue")] == [OPERATOR, SECOND]


async def test_a_wish_waits_once(house: House) -> None:
    first = await asked(house)
    assert await ask(house, update=8) == first
    assert await ask(house) == first, "a replay"
    assert len(await queued(house.store, "queue")) == 2, "two operators, told once each"


@pytest.mark.parametrize("state", [S.AWAITING_PAYMENT, S.REFUND_DUE, S.REFUNDED, S.EXPIRED])
async def test_nothing_is_asked_back_where_nothing_is(house: House, state: OrderState) -> None:
    await house.sale(state, None)
    with pytest.raises(Refused, match="nothing_to_return"):
        await ask(house)


async def test_somebody_elses_order_is_unknown(house: House) -> None:
    await house.sale(S.FULFILLED, T.VERIFIED)
    with pytest.raises(Refused, match="unknown"):
        await ask(house, chat=BOB)


async def test_all_of_a_delivered_top_up_goes_back_by_a_persons_word(house: House) -> None:
    request = await asked(house)
    assert await back(house) == []
    await decide(house, request, Action.REFUND)
    order = await house.order()
    assert (order.state, order.reason) == (S.REFUND_DUE, "requested")
    assert [top.state for top in await house.topups()] == [T.VERIFIED]
    assert await back(house) == [STARS]
    assert (await house.order()).state is S.REFUNDED
    assert await told(house) == [request.id]


async def test_a_part_goes_back_and_the_top_up_stays(house: House) -> None:
    request = await asked(house)
    await decide(house, request, Action.PART, 300)
    assert await told(house) == [request.id], "decided"
    assert await back(house) == [300]
    assert await told(house) == [request.id], "returned"
    assert (await house.order()).state is S.FULFILLED
    [paid] = await house.payments()
    assert (paid.state, paid.going_back) == (P.CAPTURED, 300)
    async with house.store.read() as tx:
        kept = await tx.requests.of_order("o1")
        assert kept is not None
        refund = await tx.refunds.get(kept.refund_id or "")
    assert refund is not None
    assert (refund.state, refund.amount) == (RefundState.DONE, Money(300, "XTR"))
    assert (kept.state, kept.amount, kept.decided_by) == (
        RequestState.PART, Money(300, "XTR"), OPERATOR,
    )  # fmt: skip


async def test_part_after_part_never_adds_up_to_more_than_was_captured(house: House) -> None:
    await decide(house, await asked(house), Action.PART, 600)
    second = await ask(house, update=9)
    for minor in (393, 394, 10_000):
        with pytest.raises(Refused, match="too_much"):
            await decide(house, second, Action.PART, minor, update=minor)
    with pytest.raises(Refused, match="amount_needed"):
        await decide(house, second, Action.PART)
    await decide(house, second, Action.PART, 392, update=3)
    third = await ask(house, update=10)
    assert (await item(house)).actions == (Action.REFUND, Action.DECLINE), "one Star has no part"
    await decide(house, third, Action.REFUND, update=4)
    assert sum(await back(house)) == STARS
    assert (await house.order()).state is S.REFUNDED
    with pytest.raises(Refused, match="nothing_to_return"):
        await ask(house, update=11)


async def test_declined_with_a_reason_and_asked_again(house: House) -> None:
    request = await asked(house)
    with pytest.raises(Refused, match="words_needed"):
        await decide(house, request, Action.DECLINE, words="  ")
    await decide(house, request, Action.DECLINE, words="It was used up")
    assert await told(house) == [request.id]
    assert await back(house) == []
    assert await house.desk.queue() == []
    assert (await ask(house)).state is RequestState.DECLINED, "a replay asks nothing anew"
    again = await ask(house, update=12)
    assert (again.id != request.id, again.state) == (True, RequestState.ASKED)


async def test_two_operators_at_once_decide_once(house: House) -> None:
    request = await asked(house)
    done = await asyncio.gather(
        *(
            decide(house, request, action, 300, who, update, "No")
            for update, (who, action) in enumerate(
                (who, action)
                for who in (OPERATOR, SECOND)
                for action in (Action.PART, Action.REFUND, Action.DECLINE)
            )
        )
    )
    assert sum(one.first for one in done) == 1
    assert len({one.action for one in done}) == 1, "the others hear what was decided"
    async with house.store.read() as tx:
        [row] = [one for one in await tx.audit.latest(9) if one.action.startswith("desk_")]
    assert row.subject == f"request:{request.id}"
    assert sum(await back(house)) in (300, STARS, 0)


async def test_the_same_tap_replayed_decides_once(house: House) -> None:
    request = await asked(house)
    for _ in range(3):
        assert (await decide(house, request, Action.PART, 300)).first
    assert await back(house) == [300]


async def test_a_provider_that_returns_whole_charges_only_has_no_part(house: House) -> None:
    house.cashier.capabilities = replace(PAGE, returns=Returns.WHOLE)
    request = await asked(house)
    assert (await item(house)).actions == (Action.REFUND, Action.DECLINE)
    with pytest.raises(Refused, match="nothing_waits"):
        await decide(house, request, Action.PART, 300)
    assert Method.STARS not in house.refunds.parts
    assert {Method.WALLET, Method.CASH} <= house.refunds.parts
    assert Method.VOUCHER not in house.refunds.parts


@pytest.mark.parametrize(
    ("state", "top", "whole"),
    [
        (S.PAID, T.SAVED, True),
        (S.TOPPING_UP, T.SUBMITTING, False),
        (S.TOPPING_UP, T.PROCESSING, False),
        (S.TOPUP_UNKNOWN, T.RECONCILING, False),
        (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, True),
    ],
)
async def test_money_does_not_go_back_while_somebody_delivers(
    house: House, state: OrderState, top: TopUpState, whole: bool
) -> None:
    await house.sale(state, top)
    request = await ask(house)
    actions = (Action.REFUND, Action.DECLINE) if whole else (Action.DECLINE,)
    assert (await item(house)).actions == actions
    if whole:
        await decide(house, request, Action.REFUND)
        assert await back(house) == [STARS]
        assert [one.state for one in await house.topups()] == [T.REJECTED]


async def test_a_wish_ends_with_its_order(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    await ask(house)
    await house.act(Action.REFUND)
    assert await house.desk.queue() == []
    assert await back(house) == [STARS]


# ---- ways to pay that are in our own store ---------------------------------------------------


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop that sells for vouchers and wallets."""
    async with sale_house(tmp_path) as found:
        found.selling = replace(SELLING, terms={**SELLING.terms, Method.WALLET: Terms()})
        found.restart()
        await found.stock()
        yield found


async def wish(shop: Shop, order_id: str, update: int = 50) -> str:
    """The subject of what the operators are asked."""
    requesting = Requesting(shop.database, shop.clock, shop.selling)
    return f"request:{(await requesting.ask(order_id, ALICE, Why.TWICE, '', update)).id}"


async def test_a_part_is_back_in_the_wallet_at_once_and_told_once(counter: Shop) -> None:
    async with counter.database.write() as tx:
        filled = (Posting(wallet(ALICE), PRICE), Posting(ledger.SOLD, ledger.minus(PRICE)))
        await tx.ledger.post(ledger.Entry("gift", ledger.EntryKind.TOPUP, NOW, filled))
    placed = await counter.place()
    await counter.till.spend(placed.id, ALICE)
    await counter.fulfil()
    subject = await wish(counter, placed.id)
    part = Money(290, "USD")
    await counter.desk.act(subject, Action.PART, OPERATOR, 51, amount=part)
    async with counter.database.read() as tx:
        assert await tx.ledger.balance(wallet(ALICE), "USD") == part
    assert len(await counter.notices("request")) == 1
    assert await counter.desk.queue() == []


async def test_a_voucher_has_no_part_and_works_again_when_all_of_it_goes_back(
    counter: Shop,
) -> None:
    await counter.add_voucher()
    placed = await counter.place()
    await counter.till.redeem(placed.id, ALICE, CODE)
    await counter.fulfil()
    subject = await wish(counter, placed.id)
    [item] = await counter.desk.queue()
    assert item.actions == (Action.REFUND, Action.DECLINE)
    await counter.desk.act(subject, Action.REFUND, OPERATOR, 51)
    await counter.refund()
    assert (await counter.order(placed.id)).state is S.REFUNDED
    again = await counter.place(2)
    assert (await counter.till.redeem(again.id, ALICE, CODE)).state is S.PAID
