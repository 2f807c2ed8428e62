"""SIMs, readings, claims, the reminders' ledger."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.sims import KeepRule, Sim, SimState, Source
from bot.ports import Claim, Told
from bot.store import Database
from bot.store.transactions import transaction
from tests.unit.store.samples import (
    ALICE,
    BOB,
    NOW,
    chat,
    days,
    managed,
    minutes,
    reading,
    sim,
)

CHINA = "89860012345678901234"  # 20 digits


@pytest.fixture
async def people(db: Database) -> Database:
    """Alice and Bob, without SIMs."""
    async with db.write() as tx:
        await tx.chats.add(chat())
        await tx.chats.add(chat(BOB))
    return db


async def test_a_sim_comes_back_whole(people: Database) -> None:
    full = sim(
        iccid=CHINA, msisdn="+8613800138000", activation_code="LPA:1$smdp.example$X",
        nickname="妈妈", country="CN", reading=reading(), last_plan="p", reminders_stopped=True,
        snoozed_until=days(1), next_reminder_at=days(2), removed_at=None, supplier_ref="r",
    )  # fmt: skip
    async with people.write() as tx:
        assert await tx.sims.add(full)
    async with people.read() as tx:
        assert await tx.sims.get("sim-a") == full
        assert await tx.sims.get("other") is None


async def test_an_owner_has_an_iccid_or_number_once(people: Database) -> None:
    async with people.write() as tx:
        assert await tx.sims.add(sim("s1", iccid=CHINA, msisdn="+1"))
        assert not await tx.sims.add(sim("s2", iccid=CHINA))
        assert not await tx.sims.add(sim("s3", iccid=f"{CHINA[:4]} {CHINA[4:]}f"))
        assert not await tx.sims.add(sim("s4", msisdn="+1"))
        assert await tx.sims.add(sim("s5", BOB, iccid=CHINA, msisdn="+1"))
        assert await tx.sims.add(sim("s6"))
        assert await tx.sims.add(sim("s7"))
        assert [found.id for found in await tx.sims.owned(ALICE)] == ["s1", "s6", "s7"]


async def test_a_removed_sim_can_be_added_again(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(sim("s1", iccid=CHINA))
        assert await tx.sims.update("s1", 1, removed_at=NOW)
        assert await tx.sims.add(sim("s2", iccid=CHINA))
        assert await tx.sims.update("s2", 1, removed_at=NOW)
        assert await tx.sims.add(sim("s3", iccid=CHINA))
        assert [found.id for found in await tx.sims.owned(ALICE)] == ["s3"]
        assert await tx.sims.get("s1") is not None


async def test_an_iccid_is_managed_once(people: Database) -> None:
    async with people.write() as tx:
        assert await tx.sims.add(managed("m1", iccid=CHINA))
        assert not await tx.sims.add(managed("m2", iccid=CHINA))
        assert not await tx.sims.add(managed("m3", BOB, iccid=CHINA))
        assert await tx.sims.add(sim("s1", iccid=CHINA))  # what she tracks herself is her affair


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        (CHINA, CHINA),
        (CHINA, CHINA[:-1]),
        (CHINA[:-1], CHINA),
        (CHINA, CHINA + "F"),
        (CHINA, "8986 0012 3456 7890 1234"),
        (CHINA + "F", CHINA),
        ("898600A2345678901234", "898600a2345678901234"),
    ],
)
async def test_stock_is_found_however_it_is_printed(db: Database, stored: str, asked: str) -> None:
    async with db.write() as tx:
        await tx.sims.add(managed("m1", iccid=stored, msisdn="+1"))
        await tx.sims.add(managed("m2", iccid="89010000000000000001"))
        found = await tx.sims.stock(iccid=asked, msisdn=None)
        assert found is not None
        assert found.id == "m1"


async def test_stock_is_never_guessed(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(sim("mine", iccid=CHINA, msisdn="+1"))
        assert await tx.sims.stock(iccid=CHINA, msisdn="+1") is None  # self-tracked
        await tx.sims.add(managed("m1", iccid=CHINA[:-1] + "1"))
        await tx.sims.add(managed("m2", iccid=CHINA[:-1] + "2"))
        assert await tx.sims.stock(iccid=CHINA[:-1], msisdn=None) is None  # two could be meant
        exact = await tx.sims.stock(iccid=CHINA[:-1] + "2", msisdn=None)
        assert exact is not None
        assert exact.id == "m2"
        assert await tx.sims.stock(iccid="8901", msisdn=None) is None
        assert await tx.sims.stock(iccid=None, msisdn=None) is None


async def test_stock_by_number_is_the_newest_card(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(managed("m1", iccid=CHINA, msisdn="+1"))
        await tx.sims.add(managed("m2", ALICE, iccid="89010000000000000001", msisdn="+1"))
        found = await tx.sims.stock(iccid=None, msisdn="+1")
        assert found is not None
        assert found.id == "m2"
        await tx.sims.update("m2", 1, removed_at=NOW)
        found = await tx.sims.stock(iccid="89", msisdn="+1")
        assert found is not None
        assert found.id == "m1"


async def test_an_update_needs_the_version_that_was_read(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(sim())
        assert await tx.sims.update("sim-a", 1, nickname="Dad", rule=KeepRule(60), expiry=None)
        assert not await tx.sims.update("sim-a", 1, nickname="late")
        assert not await tx.sims.update("none", 1, nickname="x")
        found = await tx.sims.get("sim-a")
        assert found == sim(version=2, nickname="Dad", rule=KeepRule(60), expiry=None)


@pytest.mark.parametrize(
    "changes", [{"nick": "x"}, {"id": "x"}, {"created_at": NOW}, {"read_at": NOW}]
)
async def test_unknown_changes_are_refused(db: Database, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot change"):
        async with db.write() as tx:
            await tx.sims.update("sim-a", 1, **changes)


async def test_a_claimed_sim_meets_the_same_one_tracked_by_hand(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(sim("mine", iccid=CHINA))
        await tx.sims.add(managed("m1", iccid=CHINA))
    with pytest.raises(IntegrityError):
        async with people.write() as tx:
            await tx.sims.update("m1", 1, owner_id=ALICE)
    async with people.write() as tx:
        await tx.sims.update("mine", 1, removed_at=NOW)
        assert await tx.sims.update("m1", 1, owner_id=ALICE)


async def test_a_reading_becomes_the_newest_with_its_dates(people: Database) -> None:
    told = reading(expiry=days(40), grace_end=days(130))
    async with people.write() as tx:
        await tx.sims.add(sim())
        await tx.sims.add_reading("sim-a", told)
        assert await tx.sims.get("sim-a") == sim(
            reading=told, expiry=days(40), grace_end=days(130), dates_source=Source.SUPPLIER
        )


async def test_what_a_reading_does_not_tell_stays(people: Database) -> None:
    silent = reading(expiry=None, grace_end=None, state=SimState.UNKNOWN)
    async with people.write() as tx:
        await tx.sims.add(sim())
        await tx.sims.add_reading("sim-a", silent)
        assert await tx.sims.get("sim-a") == sim(reading=silent)
        await tx.sims.add_reading("sim-a", reading(expiry=days(40)))
        found = await tx.sims.get("sim-a")
        assert found is not None
        assert found.grace_end == days(100)  # still after the new expiry
        await tx.sims.add_reading("sim-a", reading(expiry=days(100)))
        found = await tx.sims.get("sim-a")
        assert found is not None
        assert found.grace_end is None  # it was the old cycle's


async def test_an_older_reading_is_kept_as_history_only(people: Database) -> None:
    newest, late = reading(), reading(taken_at=minutes(-1), expiry=days(1))
    async with people.write() as tx:
        await tx.sims.add(sim())
        await tx.sims.add_reading("sim-a", newest)
        await tx.sims.add_reading("sim-a", late)
        found = await tx.sims.get("sim-a")
        assert found is not None
        assert found.reading == newest
        assert found.expiry == newest.expiry
    async with transaction(people._reader) as conn:
        assert (await conn.execute(text("SELECT count(*) FROM readings"))).scalar() == 2


async def test_the_history_is_oldest_first_since_a_moment(people: Database) -> None:
    old, middle, newest = (reading(taken_at=days(n), as_of=days(n)) for n in (-31, -3, 0))
    async with people.write() as tx:
        await tx.sims.add(managed("m1", ALICE, iccid=CHINA))
        await tx.sims.add(sim())
        for one in (newest, old, middle):
            await tx.sims.add_reading("m1", one)
        await tx.sims.add_reading("sim-a", reading())
    async with people.read() as tx:
        assert await tx.sims.history("m1", days(-30)) == [middle, newest]
        assert await tx.sims.history("m1", days(-3)) == [middle, newest]
        assert await tx.sims.history("nobody", days(-30)) == []


async def test_nobody_sees_what_another_owner_used(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(managed("m1", ALICE, iccid=CHINA))
        await tx.sims.add(sim())
        await tx.sims.add_reading("m1", reading())
        await tx.sims.add_reading("sim-a", reading())
        assert not await tx.sims.update("m1", 7, owner_id=BOB)
        assert await tx.sims.update("m1", 1, owner_id=ALICE, nickname="mine still")
        assert len(await tx.sims.history("m1", days(-1))) == 1
        assert await tx.sims.update("m1", 2, owner_id=None)
        assert await tx.sims.history("m1", days(-1)) == []
        await tx.sims.add_reading("m1", reading())
        assert await tx.sims.update("m1", 3, owner_id=BOB)
        assert await tx.sims.history("m1", days(-1)) == []
        assert len(await tx.sims.history("sim-a", days(-1))) == 1


async def test_due_sims_come_oldest_first_and_only_where_one_can_write(people: Database) -> None:
    async with people.write() as tx:
        await tx.chats.add(chat(77, blocked_at=NOW))
        await tx.chats.add(chat(78, migrated_to=79))
        for id, owner, at in [
            ("late", ALICE, minutes(-1)), ("first", BOB, minutes(-9)), ("next", ALICE, minutes(5)),
            ("never", ALICE, None), ("blocked", 77, minutes(-99)), ("moved", 78, minutes(-99)),
            ("stock", None, minutes(-99)),
        ]:  # fmt: skip
            await tx.sims.add(sim(id, owner))
            await tx.sims.set_next_reminders({id: at})
        await tx.sims.add(sim("gone", removed_at=NOW, next_reminder_at=minutes(-99)))
        assert [found.id for found in await tx.sims.due(NOW, 9)] == ["first", "late"]
        assert [found.id for found in await tx.sims.due(NOW, 1)] == ["first"]
        assert await tx.sims.next_due() == minutes(-9)
        await tx.sims.set_next_reminders({"first": None, "late": None})
        assert await tx.sims.next_due() == minutes(5)
        await tx.sims.set_next_reminders({"next": None})
        assert await tx.sims.next_due() is None


async def test_readings_are_taken_when_they_are_due(people: Database) -> None:
    async with people.write() as tx:

        async def put(found: Sim, at: datetime | None = None, failures: int = 0) -> None:
            assert await tx.sims.add(found)
            if at is not None:
                await tx.sims.set_next_read(found.id, at, failures)

        await put(managed("new", ALICE, iccid="891"))
        await put(managed("later", ALICE, iccid="892"), minutes(30))
        await put(managed("failing", BOB, iccid="893"), minutes(-5), 2)
        await put(managed("stock", iccid="895"))
        await put(managed("gone", BOB, removed_at=NOW, iccid="896"))
        await put(sim("self"))
        found = await tx.sims.to_read(NOW, 9)
        assert [(one.id, failures) for one, failures in found] == [("new", 0), ("failing", 2)]
        assert len(await tx.sims.to_read(NOW, 1)) == 1
        await tx.sims.plan_reads({"new": minutes(60), "failing": minutes(60)})
        assert await tx.sims.next_to_read() == minutes(-5), "the pause after a failure stands"
        await tx.sims.add_reading("failing", reading())
        await tx.sims.plan_reads({"failing": minutes(60)})
        assert await tx.sims.next_to_read() == minutes(30)
        assert [one.id for one, _ in await tx.sims.to_read(minutes(30), 9)] == ["later"]


async def test_old_readings_are_forgotten_but_the_newest(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(sim())
        for day in (-100, -91, -20):
            await tx.sims.add_reading("sim-a", reading(taken_at=days(day)))
        assert await tx.sims.purge_readings(days(-90)) == 2
        assert [old.taken_at for old in await tx.sims.history("sim-a", days(-999))] == [days(-20)]
        assert await tx.sims.purge_readings(days(0)) == 1
        kept = await tx.sims.get("sim-a")
        assert kept is not None
        assert kept.reading is not None


async def test_a_supplier_names_its_sim_by_reference_or_iccid(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(managed("m1", ALICE, iccid="8985202200000000001", supplier_ref="t1"))
        await tx.sims.add(sim("mine", BOB, iccid="8985202200000000009"))
        for name, iccid in (
            ("t1", None),
            ("t9", "8985202200000000001F"),
            (None, "8985202200000000001"),
        ):
            found = await tx.sims.of_supplier("esim_access", name, iccid)
            assert found is not None
            assert found.id == "m1"
        assert await tx.sims.of_supplier("airalo", "t1", "8985202200000000001") is None
        assert await tx.sims.of_supplier("manual", None, "8985202200000000009") is None


async def test_a_claim_code_opens_one_sim_once(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(managed("m1"))
        await tx.claims.add_code("h1", "m1", days(1))
        await tx.claims.add_code("h2", "m1", days(2))
        assert sorted(await tx.claims.codes("m1", NOW)) == ["h1", "h2"]
        assert await tx.claims.codes("m1", days(1)) == ["h2"]
        assert await tx.claims.sim_of_code("h1", NOW) == "m1"
        assert await tx.claims.sim_of_code("h1", days(1)) is None
        assert not await tx.claims.use_code("h1", ALICE, days(1))
        assert await tx.claims.use_code("h1", ALICE, NOW)
        assert not await tx.claims.use_code("h1", BOB, NOW)
        assert await tx.claims.sim_of_code("h1", NOW) is None
        assert await tx.claims.codes("m1", NOW) == ["h2"]
        assert not await tx.claims.use_code("none", ALICE, NOW)


async def test_a_claim_waits_once_and_is_settled_once(people: Database) -> None:
    first = Claim("c1", ALICE, "m1", "waiting", NOW)
    async with people.write() as tx:
        await tx.sims.add(managed("m1"))
        assert await tx.claims.ask(first)
        assert not await tx.claims.ask(replace(first, id="c2"))
        assert await tx.claims.ask(replace(first, id="c3", chat_id=BOB))
        assert [claim.id for claim in await tx.claims.waiting()] == ["c1", "c3"]
        assert await tx.claims.settle("c1", "refused")
        assert not await tx.claims.settle("c1", "granted")
        assert await tx.claims.get("c1") == replace(first, state="refused")
        assert await tx.claims.ask(replace(first, id="c4"))
        assert [claim.id for claim in await tx.claims.waiting()] == ["c3", "c4"]


async def test_a_stage_is_settled_once_a_cycle(people: Database) -> None:
    async with people.write() as tx:
        await tx.sims.add(sim())
        assert await tx.reminders.add("sim-a", "2026-11-30", "expiry-7", sent=True, at=NOW)
        assert not await tx.reminders.add("sim-a", "2026-11-30", "expiry-7", sent=False, at=NOW)
        assert await tx.reminders.add("sim-a", "2026-11-30", "expiry-3", sent=False, at=NOW)
        assert await tx.reminders.add("sim-a", "2026-12-30", "expiry-7", sent=True, at=NOW)
        assert await tx.reminders.sent("sim-a", "2026-11-30") == {"expiry-7", "expiry-3"}
        assert await tx.reminders.sent("sim-a", "2027-01-01") == frozenset()


async def test_stages_of_many_are_settled_at_once_and_only_the_new_ones_named(
    people: Database,
) -> None:
    async with people.write() as tx:
        for name in ("a", "b"):
            await tx.sims.add(sim(name))
        await tx.reminders.add("a", "1", "expiry-7", sent=True, at=NOW)
        rows = [Told(name, "1", stage, sent=True) for name in ("b", "a")
                for stage in ("expiry-7", "expiry-3")]  # fmt: skip
        new = {("a", "expiry-3"), ("b", "expiry-7"), ("b", "expiry-3")}
        assert await tx.reminders.add_all(rows, NOW) == new
        assert await tx.reminders.add_all(rows, NOW) == frozenset()
        assert await tx.reminders.add_all([], NOW) == frozenset()
        assert await tx.reminders.settled({"a": ["1", "2"], "b": ["2"]}) == {
            "a": {"expiry-7", "expiry-3"}
        }
        assert await tx.reminders.settled({}) == {}
