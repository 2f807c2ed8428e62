"""Requests for money back, and what is looked up at the shop's counter."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.money import Money
from bot.domain.orders import Listed, OrderState, PaymentState
from bot.domain.requests import RefundRequest, RequestState, Why
from bot.store import Database
from tests.unit.store.samples import (
    ALICE,
    BOB,
    NOW,
    chat,
    minutes,
    order,
    payment,
    populate,
    quote,
    sim,
)

ASKED = RefundRequest("rq1", "o1", ALICE, Why.OTHER, "It does not work", RequestState.ASKED, NOW, 7)


@pytest.fixture
async def shop(db: Database) -> Database:
    """Alice's quote q1 and order o1."""
    await populate(db)
    return db


async def test_an_order_has_one_request_that_waits(shop: Database) -> None:
    async with shop.write() as tx:
        assert await tx.requests.add(ASKED)
        assert not await tx.requests.add(replace(ASKED, id="rq2", update_id=8))
        assert await tx.requests.waiting() == [ASKED]
        assert await tx.requests.decide("rq1", RequestState.DECLINED, answer="No", decided_by=1)
        assert not await tx.requests.add(replace(ASKED, id="rq2")), "a replay asks nothing anew"
        again = replace(ASKED, id="rq3", update_id=9)
        assert await tx.requests.add(again)
        assert await tx.requests.of_order("o1") == again
        assert (await tx.requests.get("rq1")) == replace(
            ASKED, state=RequestState.DECLINED, answer="No", decided_by=1
        )


async def test_a_request_is_decided_once(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.requests.add(ASKED)

    async def decide(state: RequestState) -> bool:
        async with shop.write() as tx:
            return await tx.requests.decide("rq1", state, amount=Money(1, "USD"), decided_at=NOW)

    states = (RequestState.APPROVED, RequestState.PART, RequestState.DECLINED)
    assert sum(await asyncio.gather(*(decide(state) for state in states * 2))) == 1


async def test_orders_are_listed_by_what_became_of_them(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.sims.add(sim("sim-b", msisdn="+639170000001"))
        for number, state in enumerate(
            (OrderState.FULFILLED, OrderState.REFUNDED, OrderState.PAID, OrderState.FULFILLED), 2
        ):
            await tx.quotes.add(quote(f"q{number}"), None)
            await tx.orders.add(order(f"o{number}", f"q{number}", state=state, sim_id="sim-b"))
        await tx.payments.add(
            payment(order_id="o5", state=PaymentState.CAPTURED, captured=Money(993, "XTR"))
        )
        assert await tx.payments.reserve("p1", 3)

        async def ids(listed: Listed, sim_id: str | None = None) -> list[str]:
            found = await tx.orders.of_chat(ALICE, 9, listed=listed, sim_id=sim_id)
            return [one.id for one in found]

        assert await ids(Listed.ALL) == ["o5", "o4", "o3", "o2", "o1"]
        assert await ids(Listed.RUNNING) == ["o4", "o1"]
        assert await ids(Listed.DONE) == ["o5", "o2"]
        assert await ids(Listed.REFUNDED) == ["o5", "o3"], "one of them only in part"
        assert await ids(Listed.ALL, "sim-a") == ["o1"]
        assert await tx.orders.of_chat(BOB, 9) == []


async def test_people_are_found_by_any_part_of_their_name(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.chats.add(chat(7, first_name="林小雨", username=None, created_at=minutes(1)))
        await tx.chats.add(chat(8, first_name="Alic_e", username="x", created_at=minutes(2)))

        async def ids(name: str) -> list[int]:
            return [one.id for one in await tx.chats.named(name, 9)]

        assert await ids("ali") == [8, ALICE]
        assert await ids("alic_") == [8], "an underscore is an underscore"
        assert await ids("林") == [7]
        assert await ids("小雨") == [7]
        assert await ids("LIC") == [8, ALICE]
        assert await ids("c_E") == [8]
        assert [one.id for one in await tx.chats.named("li", 1)] == [8], "not more than asked for"
        assert await ids("bob") == [BOB]
        assert await ids("%") == []


async def test_sims_are_found_by_their_last_characters(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.sims.add(sim("s1", BOB, iccid="89630000000000012345"))
        await tx.sims.add(sim("s2", BOB, msisdn="+639170012345"))
        await tx.sims.add(sim("s3", None, iccid="89630000000000092345"))
        await tx.sims.add(sim("s4", BOB, iccid="89630000000000082345", removed_at=NOW))
        assert [one.id for one in await tx.sims.ending("2345", 9)] == ["s2", "s1"]
        assert await tx.sims.ending("%", 9) == []
