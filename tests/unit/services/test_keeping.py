"""Keeping numbers: deadlines from activities, the rule in force, the operator's word."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.carriers.rules import packs
from bot.domain.identify import Identified, Kind
from bot.domain.reminders import timeline
from bot.domain.rules import Activity, Override, keep_rule
from bot.domain.sims import KeepRule, Sim, SimForm, Source
from bot.domain.zones import day_end, zone
from bot.services.files import FileRefused
from bot.services.keeping import Keeping, RuleRefused, read_rules
from bot.services.ownership import SimRefused
from bot.services.sims import Sims
from bot.store import Database
from tests.unit.services.house import PEPPER, HandClock, opened
from tests.unit.store.samples import ALICE, BOB, NOW, days

TODAY = NOW.date()
NUMBERS = iter(f"+4477009{n:05d}" for n in range(10_000))


@dataclass
class House:
    """The services over one database."""

    database: Database
    clock: HandClock
    sims: Sims
    keeping: Keeping

    async def add(self, carrier: str, rule: KeepRule | None = None, **changes: Any) -> Sim:
        """Alice's new SIM of a carrier, following the only pack there is unless a rule is given."""
        if rule is None and (offered := await self.keeping.offered(carrier, None)):
            rule = keep_rule(offered[0])
        given: dict[str, Any] = {
            "identified": Identified(Kind.NUMBER, next(NUMBERS)), "carrier": carrier,
            "country": None, "form": SimForm.CARD, "expiry": None, "rule": rule,
        }  # fmt: skip
        return await self.sims.add_self(ALICE, **given | changes)

    async def fresh(self, sim: Sim) -> Sim:
        """The SIM as it is stored."""
        async with self.database.read() as tx:
            found = await tx.sims.get(sim.id)
        assert found is not None
        return found

    async def settled(self, sim: Sim, cycle: str) -> frozenset[str]:
        """The ledger's codes of a cycle."""
        async with self.database.read() as tx:
            return await tx.reminders.sent(sim.id, cycle)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    async with opened(tmp_path) as database:
        keeping = Keeping(database, clock, packs())
        yield House(database, clock, Sims(database, clock, {}, PEPPER, ()), keeping)


def end(day: date) -> datetime:
    """The end of a day where Alice is."""
    return day_end(day, zone("UTC"))


def ago(number: int) -> date:
    return TODAY - timedelta(days=number)


# ---- activities --------------------------------------------------------------------------


async def test_an_sms_keeps_a_number_that_counts_use(house: House) -> None:
    line = await house.add("giffgaff")
    done = await house.keeping.record(line, Activity.SMS, TODAY)
    assert done.counted
    assert done.sim.keep_deadline == end(TODAY + timedelta(days=180))
    assert done.sim.deadline_source is Source.RULE
    assert done.sim.expiry is None
    assert done.sim.next_reminder_at is not None
    assert (await house.keeping.last(line)) is not None


async def test_told_twice_it_is_once_and_an_older_day_shortens_nothing(house: House) -> None:
    line = await house.add("giffgaff")
    first = (await house.keeping.record(line, Activity.SMS, ago(3))).sim
    again = (await house.keeping.record(line, Activity.SMS, ago(3))).sim
    assert again == first
    older = (await house.keeping.record(line, Activity.CALL, ago(90))).sim
    assert older.keep_deadline == first.keep_deadline
    async with house.database.read() as tx:
        assert len(await tx.activities.of(line.id)) == 2


async def test_what_does_not_count_moves_nothing_and_is_noted(house: House) -> None:
    line = await house.add("Smart")
    done = await house.keeping.record(line, Activity.SMS, TODAY)
    assert not done.counted
    assert done.sim.expiry is None
    assert (await house.keeping.last(line)) is not None


async def test_a_top_up_makes_the_validity_of_a_prepaid_number_and_its_grace(house: House) -> None:
    line = await house.add("Smart")
    done = await house.keeping.record(line, Activity.TOP_UP, ago(5))
    assert done.sim.expiry == end(ago(5) + timedelta(days=365))
    assert done.sim.grace_end == end(ago(5) + timedelta(days=365 + 120))
    assert done.sim.dates_source is Source.RULE
    assert done.sim.keep_deadline is None  # it is the expiry itself: one date, one track


async def test_what_its_owner_knows_is_only_moved_on(house: House) -> None:
    line = await house.add("Smart", expiry=days(400))
    same = (await house.keeping.record(line, Activity.TOP_UP, TODAY)).sim
    assert (same.expiry, same.dates_source) == (days(400), Source.CUSTOMER)
    line = await house.add("Smart", expiry=days(10))
    moved = (await house.keeping.record(line, Activity.TOP_UP, TODAY)).sim
    assert moved.expiry == end(TODAY + timedelta(days=365))


async def test_a_plans_expiry_and_the_deadline_of_the_number_stand_side_by_side(
    house: House,
) -> None:
    line = await house.add("giffgaff", expiry=days(20))
    done = (await house.keeping.record(line, Activity.SMS, TODAY)).sim
    assert done.expiry == days(20)
    assert done.keep_deadline == end(TODAY + timedelta(days=180))


async def test_what_was_paid_decides(house: House) -> None:
    line = await house.add("AT&T US")
    cautious = (await house.keeping.record(line, Activity.TOP_UP, ago(2))).sim
    assert cautious.expiry == end(ago(2) + timedelta(days=30))
    paid = (await house.keeping.record(line, Activity.TOP_UP, ago(1), tier=2)).sim
    assert paid.expiry == end(ago(1) + timedelta(days=365))
    assert paid.grace_end == end(ago(1) + timedelta(days=365 + 60))


async def test_an_activity_told_by_mistake_leaves_nothing(house: House) -> None:
    line = await house.add("giffgaff")
    before = (await house.keeping.record(line, Activity.CALL, ago(60))).sim
    await house.keeping.record(line, Activity.SMS, TODAY)
    after = await house.keeping.forget(line, Activity.SMS, TODAY)
    assert after.keep_deadline == before.keep_deadline
    none = await house.keeping.forget(line, Activity.CALL, ago(60))
    assert (none.keep_deadline, none.deadline_source) == (None, None)


async def test_an_unknown_carrier_has_no_rule_until_its_owner_gives_one(house: House) -> None:
    line = await house.add("Nobody Mobile")
    assert await house.keeping.rule_of(line) is None
    assert not (await house.keeping.record(line, Activity.TOP_UP, TODAY)).counted
    own = await house.add("Nobody Mobile", KeepRule(90, 7))
    assert not (await house.keeping.record(own, Activity.CALL, TODAY)).counted
    done = await house.keeping.record(own, Activity.TOP_UP, TODAY)
    assert done.counted
    assert done.sim.expiry == end(TODAY + timedelta(days=90))


async def test_a_deadline_already_near_is_not_reminded_of_at_once(house: House) -> None:
    line = await house.add("giffgaff")
    done = (await house.keeping.record(line, Activity.SMS, ago(175))).sim
    name = f"keep-{(TODAY + timedelta(days=5)).isoformat()}"
    assert await house.settled(done, name) == {"keep-30", "keep-7"}
    assert done.next_reminder_at is not None
    assert done.next_reminder_at > NOW


async def test_a_snoozed_expiry_stays_snoozed_when_the_number_was_used(house: House) -> None:
    line = await house.add("giffgaff", expiry=days(5))
    async with house.database.write() as tx:
        assert await tx.sims.update(line.id, line.version, snoozed_until=days(2))
    done = (await house.keeping.record(await house.fresh(line), Activity.SMS, TODAY)).sim
    assert done.snoozed_until == days(2)
    cycle = days(5).date().isoformat()
    assert not any(code.startswith("snooze") for code in await house.settled(done, cycle))


async def test_somebody_elses_number_is_not_yours(house: House) -> None:
    line = await house.add("giffgaff")
    with pytest.raises(SimRefused, match="not_yours"):
        await house.keeping.record(replace(line, owner_id=BOB), Activity.SMS, TODAY)
    await house.sims.remove(line)
    with pytest.raises(SimRefused, match="not_yours"):
        await house.keeping.forget(line, Activity.SMS, TODAY)


# ---- following a rule --------------------------------------------------------------------


async def test_a_pack_can_be_followed_instead_of_ones_own_rule(house: House) -> None:
    line = await house.add("Tello", KeepRule(10))
    await house.keeping.record(line, Activity.TOP_UP, TODAY)
    rule = await house.keeping.rule_of(await house.fresh(line))
    assert rule is not None
    assert rule.source is Source.CUSTOMER
    changed = await house.keeping.follow(await house.fresh(line), "tello_paygo")
    assert changed.rule == KeepRule(90, None, Source.RULE, "tello_paygo")
    assert changed.expiry == end(TODAY + timedelta(days=90))
    with pytest.raises(SimRefused, match="rule_missing"):
        await house.keeping.follow(changed, "boom_mobile")


async def test_offers_name_every_pack_that_says_for_how_long(house: House) -> None:
    offered = await house.keeping.offered("Tello", "US")
    assert [rule.name for rule in offered] == ["Tello pay-as-you-go", "Tello plan"]
    assert await house.keeping.offered("Boom! Mobile", "US") == []
    assert await house.keeping.offered("Smart", "KH") == []  # another company of that name
    assert await house.keeping.offered("boom eSIM", None) == []


# ---- the operator ------------------------------------------------------------------------


async def test_the_operators_word_moves_every_number_that_follows_it(house: House) -> None:
    line = await house.add("giffgaff")
    await house.keeping.record(line, Activity.SMS, TODAY)
    own = await house.add("giffgaff", KeepRule(30))
    smart = await house.add("Smart")
    await house.keeping.record(smart, Activity.TOP_UP, TODAY)
    await house.keeping.say("giffgaff", Override(interval_days=90), "cli:ann")
    moved = await house.fresh(line)
    assert moved.keep_deadline == end(TODAY + timedelta(days=90))
    assert moved.deadline_source is Source.OPERATOR
    assert moved.rule == KeepRule(90, None, Source.OPERATOR, "giffgaff")
    assert (await house.fresh(own)).rule == KeepRule(30)
    await house.keeping.say("smart prepaid", Override(grace_days=30), "cli:ann")
    changed = await house.fresh(smart)
    assert changed.grace_end == end(TODAY + timedelta(days=395))
    assert await house.keeping.unsay("giffgaff", "cli:ann")
    assert (await house.fresh(line)).keep_deadline == end(TODAY + timedelta(days=180))
    async with house.database.read() as tx:
        actions = [(row.actor, row.action, row.subject) for row in await tx.audit.latest(3)]
    assert actions == [
        ("cli:ann", "rule_unsaid", "rule:giffgaff"), ("cli:ann", "rule_said", "rule:smart"),
        ("cli:ann", "rule_said", "rule:giffgaff"),
    ]  # fmt: skip


async def test_packs_that_say_something_else_since_are_counted_anew(house: House) -> None:
    line = await house.add("giffgaff")
    line = (await house.keeping.record(line, Activity.SMS, TODAY)).sim
    other = await house.add("Smart")
    own = await house.add("giffgaff", KeepRule(30, 0))
    before = [await house.fresh(one) for one in (line, other, own)]
    await house.keeping.worker.run()
    assert [await house.fresh(one) for one in (line, other, own)] == before  # nothing has changed
    known = packs()
    [pack] = [pack for pack in known.values() if pack.carrier == "giffgaff"]
    shorter = replace(pack, intervals=tuple(replace(one, days=90) for one in pack.intervals))
    newer = Keeping(house.database, house.clock, {**known, pack.code: shorter})
    await newer.worker.run()
    moved = await house.fresh(line)
    assert moved.keep_deadline == end(TODAY + timedelta(days=90))
    assert moved.rule is not None
    assert moved.rule.validity_days == 90
    assert moved.next_reminder_at is not None
    assert moved.next_reminder_at < moved.keep_deadline
    assert [await house.fresh(one) for one in (other, own)] == before[1:]


async def test_what_is_said_adds_to_what_was_said(house: House) -> None:
    await house.keeping.say("Globe", Override(interval_days=150), "cli:ann")
    said = await house.keeping.say("globe", Override(balance_code="*143#"), "cli:bob")
    assert said.fields == Override(interval_days=150, balance_code="*143#")
    [rule] = [rule for rule in await house.keeping.all() if rule.name == "Globe prepaid"]
    assert rule.override == said


async def test_the_operator_may_know_a_carrier_that_no_pack_knows(house: House) -> None:
    with pytest.raises(RuleRefused, match="interval"):
        await house.keeping.say("DITO", Override(grace_days=3), "cli:ann")
    await house.keeping.say("DITO", Override(interval_days=60), "cli:ann")
    [rule] = await house.keeping.offered("Dito", "PH")
    assert rule.source is Source.OPERATOR
    line = await house.add("dito")
    done = await house.keeping.record(line, Activity.TOP_UP, TODAY)
    assert done.sim.expiry == end(TODAY + timedelta(days=60))


async def test_a_name_of_several_packs_is_refused_with_their_codes(house: House) -> None:
    with pytest.raises(RuleRefused, match="tello_paygo, tello_plan"):
        await house.keeping.say("Tello", Override(grace_days=3), "cli:ann")
    assert (
        await house.keeping.say("Tello plan", Override(grace_days=3), "x")
    ).carrier == "tello_plan"
    assert not await house.keeping.unsay("Globe", "cli:ann")


def test_a_file_of_rules_is_read_or_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(
        "rules:\n- carrier: Smart\n  grace_days: 90\n  counts: top_up, sms\n"
        "- carrier: Globe\n  note: Ask us.\n",
        "utf-8",
    )
    first, second = (row.override() for row in read_rules(path))
    assert first == Override(grace_days=90, counts=(Activity.TOP_UP, Activity.SMS))
    assert second == Override(note="Ask us.")
    path.write_text("rules:\n- carrier: Smart\n- carrier: Globe\n  grace_days: soon\n", "utf-8")
    with pytest.raises(FileRefused) as refused:
        read_rules(path)
    assert [(p.line, p.row, p.field) for p in refused.value.problems] == [
        (2, "Smart", ""), (4, "Globe", "grace_days"),
    ]  # fmt: skip


async def test_a_kept_number_is_reminded_of_thirty_seven_three_and_one_day_before(
    house: House,
) -> None:
    line = await house.add("giffgaff")
    done = (await house.keeping.record(line, Activity.SMS, TODAY)).sim
    async with house.database.read() as tx:
        chat = await tx.chats.get(ALICE)
    assert chat is not None
    codes = [planned.stage.code for planned in timeline(done, chat.preferences)]
    assert codes == ["keep-30", "keep-7", "keep-3", "keep-1", "grace-started"]
