"""Watches over eSIMs that wait for their activation, and the hints of webhooks."""

import pytest

from bot.ports import Activation, HintRow, Wait
from bot.store import Database
from tests.unit.store.samples import ALICE, BOB, NOW, chat, days, managed, minutes


@pytest.fixture
async def people(db: Database) -> Database:
    async with db.write() as tx:
        for person in (ALICE, BOB):
            await tx.chats.add(chat(person))
        await tx.sims.add(managed("m1", ALICE, iccid="891"))
        await tx.sims.add(managed("m2", BOB, iccid="892"))
    return db


async def test_one_sim_has_one_open_watch(people: Database) -> None:
    first = Activation("a1", "m1", ALICE, Wait.WATCHED, NOW, minutes(60))
    second = Activation("a2", "m1", ALICE, Wait.WATCHED, days(9), days(10))
    async with people.write() as tx:
        assert await tx.activations.add(first)
        assert not await tx.activations.add(second)
        assert await tx.activations.add(Activation("b1", "m2", BOB, Wait.WATCHED, NOW, minutes(5)))
        assert await tx.activations.move("a1", Wait.WATCHED, Wait.ACTIVE, next_at=None)
        assert not await tx.activations.move("a1", Wait.WATCHED, Wait.TOLD)
        assert await tx.activations.add(second)
        assert [one.id for one in await tx.activations.of_sim("m1")] == ["a2", "a1"]
        with pytest.raises(ValueError, match="cannot change"):
            await tx.activations.move("a2", Wait.WATCHED, Wait.TOLD, since=NOW)


async def test_a_watch_is_due_in_its_time_and_waits_for_a_person(people: Database) -> None:
    async with people.write() as tx:
        await tx.activations.add(Activation("a1", "m1", ALICE, Wait.WATCHED, NOW, minutes(60)))
        await tx.activations.add(Activation("b1", "m2", BOB, Wait.TOLD, NOW, minutes(5)))
        assert await tx.activations.next_due() == minutes(5)
        assert [one.id for one in await tx.activations.due(minutes(60), 9)] == ["b1", "a1"]
        await tx.activations.put_off("b1", minutes(90))
        assert [one.id for one in await tx.activations.due(minutes(60), 9)] == ["a1"]
        assert await tx.activations.escalated() == []
        assert await tx.activations.move("b1", Wait.TOLD, Wait.ESCALATED, next_at=None)
        await tx.activations.put_off("b1", minutes(1))
        [waiting] = await tx.activations.escalated()
        assert (waiting.id, waiting.next_at) == ("b1", None)


async def test_an_event_is_kept_once_a_supplier(db: Database) -> None:
    hint = HintRow("esim_access", "e1", None, "t1", None, NOW)
    async with db.write() as tx:
        assert await tx.hints.next_due() is None
        assert await tx.hints.add(hint)
        assert not await tx.hints.add(hint)
        assert await tx.hints.add(HintRow("airalo", "e1", "o1", None, "891", minutes(1)))
        assert await tx.hints.next_due() == NOW
        first, second = await tx.hints.waiting(9)
        assert (first.supplier_ref, second.ref, second.iccid) == ("t1", "o1", "891")
        assert first.id is not None
        await tx.hints.done(first.id, minutes(2))
        assert [one.supplier for one in await tx.hints.waiting(9)] == ["airalo"]
        assert not await tx.hints.add(hint), "a replay after the work is known too"
        assert await tx.hints.purge(minutes(3)) == 1
