"""eSIMs that wait for their activation: told once, told when it came, handed on after a day."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.sims import Reading, SimState
from bot.ports import Wait
from bot.services.activation import Activations
from bot.services.buying import finish
from bot.services.desk import Desk
from bot.services.ownership import take_over
from bot.services.readings import Readings
from bot.services.refunds import Refunds
from bot.services.selling import Refused
from bot.services.waiting import Action, Kind
from bot.store import Database
from tests.unit.services.house import (
    OPERATOR,
    SECOND,
    SELLING,
    HandClock,
    Supplier,
    fresh,
    opened,
    queued,
)
from tests.unit.store.samples import ALICE, BOB, days, managed, order, quote

PENDING = fresh(state=SimState.PENDING_ACTIVATION, expiry=days(180), data_used=0)


@dataclass
class House:
    """Alice has claimed an eSIM that waits for its activation."""

    store: Database
    clock: HandClock
    supplier: Supplier
    readings: Readings
    activations: Activations
    desk: Desk
    told: list[tuple[int, object]] = field(default_factory=list)

    async def live(self, **span: float) -> None:
        """Every due step until then."""
        end = self.clock.now() + timedelta(**span)
        while True:
            await self.readings.worker.run()
            await self.activations.worker.run()
            dues = [await self.readings.next_due(), await self.activations.next_due()]
            due = min([*(one for one in dues if one is not None), end])
            if due >= end:
                break
            self.clock.at = due
        self.clock.at = end

    async def news(self) -> list[tuple[int, object]]:
        """Whom it was told, and what, since the last time."""
        return [(chat, data["state"]) for chat, data in await queued(self.store, "activation")]

    def show(self, reading: Reading) -> None:
        self.supplier.shown["m1"] = reading


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    supplier = Supplier(clock)
    carriers = {supplier.name: supplier}
    async with opened(tmp_path) as store:
        async with store.write() as tx:
            stock = managed("m1", iccid="89852022000000000015", expiry=None, grace_end=None)
            await tx.sims.add(stock)
            await take_over(tx, stock, ALICE, clock.now())
        supplier.shown["m1"] = PENDING
        yield House(
            store, clock, supplier, Readings(store, clock, carriers),
            Activations(store, clock, carriers, SELLING),
            Desk(store, clock, carriers, SELLING, Refunds(store, clock, {}, SELLING)),
        )  # fmt: skip


async def test_told_once_what_to_try_then_that_it_is_active(house: House) -> None:
    await house.live(minutes=59)
    assert await house.news() == []
    await house.live(minutes=5)
    assert await house.news() == [(ALICE, "told")]
    await house.live(hours=10)
    assert await house.news() == []
    house.show(fresh(expiry=days(30)))
    await house.live(hours=6)
    assert await house.news() == [(ALICE, "active")]
    await house.live(days=20)
    assert await house.news() == []
    assert await house.desk.queue() == []


async def test_activated_before_anybody_had_to_be_told(house: House) -> None:
    await house.live(minutes=10)
    house.show(fresh(expiry=days(30)))
    await house.live(days=3)
    assert await house.news() == [(ALICE, "active")]


async def test_after_a_day_a_person_helps(house: House) -> None:
    await house.live(hours=23, minutes=59)
    assert await house.desk.queue() == []
    await house.live(hours=1)
    [item] = await house.desk.queue()
    assert (item.kind, item.actions) == (Kind.ACTIVATION, (Action.HELPED,))
    assert item.sim is not None
    assert await queued(house.store, "queue") == [
        (operator, {"subject": item.subject, "why": "activation"})
        for operator in (OPERATOR, SECOND)
    ]
    assert (await house.desk.act(item.subject, Action.HELPED, OPERATOR, 7)).first
    assert (await house.desk.act(item.subject, Action.HELPED, OPERATOR, 7)).first, "a replay"
    assert not (await house.desk.act(item.subject, Action.HELPED, SECOND, 8)).first
    await house.live(days=5)
    assert await house.desk.queue() == []
    assert await queued(house.store, "queue") == []
    house.show(fresh(expiry=days(60)))
    await house.live(days=2)
    assert await house.news() == [(ALICE, "active")]


async def test_what_activates_while_a_person_looks_leaves_the_queue(house: House) -> None:
    await house.live(hours=25)
    [item] = await house.desk.queue()
    house.show(fresh(expiry=days(60)))
    await house.live(hours=8)
    assert await house.desk.queue() == []
    with pytest.raises(Refused, match="nothing_waits"):
        await house.desk.act(item.subject, Action.HELPED, OPERATOR, 9)


async def test_later_leaves_everybody_in_peace_until_it_is_active(house: House) -> None:
    await house.live(hours=2)
    assert await house.news() == [(ALICE, "told")]
    assert not await house.activations.later("m1", BOB)
    assert await house.activations.later("m1", ALICE)
    assert not await house.activations.later("m1", ALICE)
    await house.live(days=9)
    assert await house.desk.queue() == []
    house.show(fresh(expiry=days(60)))
    await house.live(days=2)
    assert await house.news() == [(ALICE, "active")]


async def test_without_a_reading_nobody_is_told_what_may_be_over(house: House) -> None:
    await house.live(minutes=30)
    house.supplier.shown.clear()
    await house.live(hours=30)
    assert await house.news() == []
    assert await house.desk.queue() == []
    house.show(PENDING)
    await house.live(minutes=40)
    assert await house.news() == [(ALICE, "told")]
    await house.live(minutes=15)
    assert await house.desk.queue() == [], "the customer has time to try it"
    await house.live(minutes=60)
    assert len(await house.desk.queue()) == 1


async def test_given_back_or_ended_unused_it_is_over(house: House) -> None:
    await house.live(minutes=10)
    house.show(fresh(state=SimState.EXPIRED, expiry=days(-1)))
    await house.live(days=3)
    assert await house.news() == []
    async with house.store.read() as tx:
        assert [one.state for one in await tx.activations.of_sim("m1")] == [Wait.OVER]


async def test_the_next_owner_is_watched_anew(house: House) -> None:
    await house.live(hours=2)
    async with house.store.write() as tx:
        sim = await tx.sims.get("m1")
        assert sim is not None
        await tx.sims.update("m1", sim.version, owner_id=None)
        sim = await tx.sims.get("m1")
        assert sim is not None
        await take_over(tx, sim, BOB, house.clock.now())
    assert await house.news() == [(ALICE, "told")]
    await house.live(hours=2)
    assert await house.news() == [(BOB, "told")]
    async with house.store.read() as tx:
        found = await tx.activations.of_sim("m1")
    assert [(one.chat_id, one.state) for one in found] == [(BOB, Wait.TOLD), (ALICE, Wait.OVER)]


async def test_a_top_up_begins_a_new_watch(house: House) -> None:
    await house.live(hours=2)
    await house.activations.later("m1", ALICE)
    assert await house.news() == [(ALICE, "told")]
    async with house.store.write() as tx:
        await tx.quotes.add(quote(sim_id="m1"), None)
        placed = await tx.orders.add(order(sim_id="m1", state="topping_up"))
        await finish(tx, {}, placed, house.clock.now())
    await house.live(hours=2)
    assert await house.news() == [(ALICE, "told")]


async def test_a_bot_that_was_down_tells_first_and_escalates_later(house: House) -> None:
    await house.live(minutes=5)
    house.clock.advance(days=3)
    await house.live(minutes=2)
    assert await house.news() == [(ALICE, "told")]
    assert await house.desk.queue() == []
    await house.live(hours=2)
    assert len(await house.desk.queue()) == 1
