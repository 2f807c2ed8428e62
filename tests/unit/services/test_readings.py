"""Readings in the background: what is due, what fails, what is forgotten."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.sims import Sim
from bot.ports import Capabilities
from bot.services.readings import KEEP, Readings
from bot.services.work import Worker
from bot.store import Database
from tests.unit.services.house import HandClock, Supplier, by_hand, fresh, opened
from tests.unit.store.samples import ALICE, days, managed, minutes, order, quote, reading


@dataclass
class House:
    """What a test needs."""

    store: Database
    clock: HandClock
    supplier: Supplier
    other: Supplier
    readings: Readings

    async def line(self, sim_id: str, expiry: float = 30, **changes: Any) -> Sim:
        """A managed SIM of Alice's that its supplier shows."""
        sim = replace(managed(sim_id, ALICE, expiry=None, grace_end=None), **changes)
        shop = self.other if sim.supplier == self.other.name else self.supplier
        shop.shown[sim_id] = fresh(expiry=days(expiry))
        async with self.store.write() as tx:
            assert await tx.sims.add(sim)
        return sim

    async def run(self) -> list[str]:
        """One run; what was asked for in it."""
        self.supplier.asked.clear()
        self.other.asked.clear()
        await self.readings.worker.run()
        return sorted(self.supplier.asked + self.other.asked)

    async def next(self, after: datetime | None = None) -> timedelta:
        """How long until the next SIM is due."""
        due = await self.readings.next_due()
        assert due is not None
        return due - self.clock.now()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    reads = Capabilities(reads=True, finds=True, unique_refs=False, after_expiry=True)
    supplier, other, person = Supplier(clock), Supplier(clock, "airalo", reads), by_hand(clock)
    carriers = {one.name: one for one in (supplier, other, person)}
    async with opened(tmp_path) as store:
        yield House(store, clock, supplier, other, Readings(store, clock, carriers))


async def test_only_what_is_due_is_read(house: House) -> None:
    await house.line("near", 0.5)
    await house.line("far", 60)
    assert await house.run() == ["far", "near"]
    assert await house.run() == []
    assert timedelta(minutes=24) <= await house.next() <= timedelta(minutes=30)
    house.clock.advance(minutes=31)
    assert await house.run() == ["near"]
    house.clock.advance(hours=25)
    assert await house.run() == ["far", "near"]


async def test_a_reading_keeps_its_history_and_wakes_the_reminders(house: House) -> None:
    await house.line("m1")
    woken = Worker("woken", house.readings.purge)
    house.readings.rings.append(woken)
    await house.run()
    assert not woken.idle
    async with house.store.read() as tx:
        found = await tx.sims.get("m1")
        assert found is not None
        assert found.expiry == days(30)
        assert found.next_reminder_at is not None
        assert len(await tx.sims.history("m1", days(-1))) == 1


async def test_a_sim_that_fails_is_left_alone_longer_and_longer(house: House) -> None:
    await house.line("m1")
    del house.supplier.shown["m1"]
    pauses = []
    for _ in range(4):
        assert await house.run() == ["m1"]
        pauses.append(await house.next())
        house.clock.advance(seconds=pauses[-1].total_seconds())
    assert pauses == sorted(pauses)
    assert pauses[0] <= timedelta(minutes=5)
    assert pauses[3] > timedelta(hours=1)
    house.supplier.shown["m1"] = fresh(expiry=days(60))
    assert await house.run() == ["m1"]
    house.supplier.shown.clear()
    house.clock.advance(hours=25)
    await house.run()
    assert await house.next() <= timedelta(minutes=5), "the failures of before are forgotten"


async def test_a_supplier_that_is_down_is_asked_a_few_times_and_holds_up_nobody(
    house: House,
) -> None:
    for number in range(12):
        await house.line(f"m{number:02}", iccid=None)
    await house.line("ours", supplier="airalo", iccid=None)
    house.supplier.shown.clear()
    asked = await house.run()
    assert len(asked) == 4
    assert "ours" in asked
    assert await house.run() == []
    house.clock.advance(minutes=6)
    assert len(await house.run()) == 3, "and again not all of them"


async def test_one_bad_sim_does_not_hold_up_the_others(house: House) -> None:
    for number in range(5):
        await house.line(f"m{number}", iccid=None)
    del house.supplier.shown["m1"]
    assert len(await house.run()) == 5
    assert await house.run() == []


async def test_nobody_is_asked_about_what_nobody_can_read(house: House) -> None:
    await house.line("hand", supplier="manual", iccid=None)
    await house.line("off", supplier="gone", iccid=None)
    assert await house.run() == []
    assert await house.next() == timedelta(hours=24)


async def test_a_paid_order_makes_its_sim_urgent(house: House) -> None:
    await house.line("m1", 60)
    await house.run()
    async with house.store.write() as tx:
        await tx.quotes.add(quote(sim_id="m1"), None)
        await tx.orders.add(order(sim_id="m1", state="paid"))
    house.clock.advance(hours=24)
    await house.run()
    assert await house.next() <= timedelta(minutes=30)


async def test_old_readings_are_forgotten(house: House) -> None:
    await house.line("m1")
    async with house.store.write() as tx:
        for age in (KEEP + timedelta(days=1), KEEP - timedelta(days=1)):
            await tx.sims.add_reading("m1", reading(taken_at=house.clock.now() - age))
    await house.readings.purge()
    async with house.store.read() as tx:
        assert len(await tx.sims.history("m1", minutes(-999_999))) == 1
