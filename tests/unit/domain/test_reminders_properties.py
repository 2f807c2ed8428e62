"""Properties of the reminders over random SIMs, preferences, zones and clock jumps.

The fast profile is the default; XUKA_PROPERTIES=long runs 10,000 examples of each property.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.chats import Preferences
from bot.domain.cycles import cycle_of, cycles
from bot.domain.reminders import (
    TOO_LATE,
    Due,
    Planned,
    due,
    keep_timeline,
    next_reminder,
    passed,
    timeline,
)
from bot.domain.sims import Reading, Sim, SimForm, SimState, Source, Tracking
from bot.domain.stages import Stage, StageKind

LONG = os.environ.get("XUKA_PROPERTIES") == "long"
PROFILE = settings(
    max_examples=10_000 if LONG else 200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

# DST both ways and both hemispheres, half-hour DST, quarter-hour offsets, midnight changes, days
# that were skipped (Apia 2011, Kwajalein 1993), and zones that stopped changing.
ZONES = (
    "UTC", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran",
    "America/New_York", "America/St_Johns", "America/Santiago", "America/Havana",
    "America/Sao_Paulo", "Europe/London", "Europe/Kyiv", "Africa/Casablanca", "Africa/Cairo",
    "Asia/Beirut", "Asia/Amman", "Asia/Gaza", "Australia/Lord_Howe", "Australia/Adelaide",
    "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Kwajalein",
    "Antarctica/Troll",
)  # fmt: skip

# One number drawn, not each throw: Hypothesis takes longer over those than the bot over its work.
dice = st.integers(0, 2**32).map(Random)

FIRST = datetime(2009, 1, 1, tzinfo=UTC)
moments = st.integers(0, 25 * 366 * 86400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


@cache
def shifts(zone: str) -> list[datetime]:
    """The days from 2009 to 2034 on which the zone's offset changes."""
    tz = ZoneInfo(zone)
    days = [FIRST + day * DAY for day in range(25 * 366)]
    offsets = [day.astimezone(tz).utcoffset() for day in days]
    return [days[at] for at in range(1, len(days)) if offsets[at] != offsets[at - 1]]


clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 0, 0, 15, 30, 59]))


@st.composite
def preference_sets(draw: st.DrawFn) -> Preferences:
    usual = draw(st.booleans())
    return Preferences(
        zone=draw(st.sampled_from(ZONES)),
        hour=draw(st.integers(0, 23)),
        quiet_start=time(22) if usual else draw(clocks),
        quiet_end=time(8) if usual else draw(clocks),
        urgent_override=draw(st.booleans()),
        offsets=tuple(draw(st.sets(st.sampled_from([0, 1, 2, 3, 5, 7, 14, 30]), max_size=6))),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Sim, Preferences]:
    """A SIM and its owner's preferences; half of them expire near a change of the owner's clock."""
    preferences = draw(preference_sets())
    changes = shifts(preferences.zone)
    centre = draw(st.sampled_from(changes) | moments if changes else moments)
    expiry = centre + timedelta(seconds=draw(st.integers(-3 * 86400, 3 * 86400)))
    grace = draw(st.none() | st.sampled_from([0, 1, 2, 3, 4, 30, 60, 120]))
    sim = Sim(
        id="s", version=1, owner_id=7, tracking=Tracking.SELF, form=SimForm.CARD,
        carrier="Smart", supplier="manual", expiry=expiry,
        grace_end=None if grace is None else expiry + timedelta(days=grace),
    )  # fmt: skip
    if draw(st.booleans()):
        sim = replace(sim, reading=draw(readings(expiry)))
    return draw(kept(sim)), preferences


@st.composite
def kept(draw: st.DrawFn, sim: Sim) -> Sim:
    """The SIM with a keep-number deadline: none, beside its expiry, or instead of it."""
    assert sim.expiry is not None
    match draw(st.sampled_from(["none", "beside", "instead"])):
        case "beside":
            apart = timedelta(days=draw(st.integers(-40, 60)), hours=draw(st.integers(-9, 9)))
            return replace(sim, keep_deadline=sim.expiry + apart)
        case "instead":
            return replace(sim, keep_deadline=sim.expiry, expiry=None, reading=None)
    return sim


@st.composite
def readings(draw: st.DrawFn, expiry: datetime) -> Reading:
    at = expiry - timedelta(hours=draw(st.integers(1, 900)))
    return Reading(
        source=Source.SUPPLIER, as_of=at, taken_at=at, expiry=draw(st.sampled_from([expiry, None])),
        state=draw(st.sampled_from([SimState.ACTIVE, SimState.USED_UP, SimState.UNKNOWN])),
        data_total=1000, data_used=draw(st.integers(0, 1100)),
    )  # fmt: skip


# ---- what must hold, told without the code under test ------------------------------------


def is_quiet(moment: datetime, preferences: Preferences) -> bool:
    local = moment.astimezone(ZoneInfo(preferences.zone)).time()
    wall = local.replace(second=0, microsecond=0)
    start, end = preferences.quiet_start, preferences.quiet_end
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def allowed_minute_between(start: datetime, end: datetime, preferences: Preferences) -> bool:
    moment = start.replace(second=0, microsecond=0)
    while moment <= end:
        if not is_quiet(moment, preferences):
            return True
        moment += MINUTE
    return False


def may_be_sent(stage: Stage, moment: datetime, sim: Sim, preferences: Preferences) -> bool:
    """Quiet hours are kept, unless it is the last day, allowed, and there is no other time."""
    if not is_quiet(moment, preferences):
        return True
    if not preferences.urgent_override or stage.code not in ("expiry-0", "keep-1", "grace-1"):
        return False
    events = {StageKind.EXPIRY: sim.expiry, StageKind.KEEP: sim.keep_deadline}
    event = events.get(stage.kind, sim.grace_end)
    assert event is not None
    last = event.replace(second=0, microsecond=0) - TOO_LATE
    return not allowed_minute_between(moment, last, preferences)


def is_true_at(stage: Stage, moment: datetime, sim: Sim) -> bool:
    """Whether what the stage says is so at that moment."""
    end = sim.expiry or sim.keep_deadline
    assert end is not None
    if stage.kind is StageKind.LOST:
        return sim.grace_end is not None and moment >= sim.grace_end
    if stage.kind in (StageKind.GRACE, StageKind.GRACE_STARTED):
        return moment >= end and (sim.grace_end is None or moment < sim.grace_end)
    if stage.kind is StageKind.KEEP:
        return sim.keep_deadline is not None and moment < sim.keep_deadline
    return moment < end


def event_of(sim: Sim) -> datetime:
    """What the dates lead to."""
    end = sim.expiry or sim.keep_deadline
    assert end is not None
    return end


# ---- a bot that runs, stops and runs again -----------------------------------------------


@dataclass
class World:
    """A SIM, its ledger, and what was sent when; ticks come each minute at `phase` seconds."""

    sim: Sim
    preferences: Preferences
    ledger: set[tuple[str, str]] = field(default_factory=set)
    log: list[tuple[datetime, Due, Sim]] = field(default_factory=list)

    @property
    def settled(self) -> frozenset[str]:
        present = cycles(self.sim)
        return frozenset(code for name, code in self.ledger if name in present)

    def settle(self, code: str) -> None:
        name = cycle_of(self.sim, code)
        assert name is not None
        assert (name, code) not in self.ledger, f"{code} twice in {name}"
        self.ledger.add((name, code))

    def tick(self, now: datetime) -> Due | None:
        found = due(self.sim, self.preferences, self.settled, now)
        if found is not None:
            for code in (*found.sent, *found.skipped):
                self.settle(code)
            self.log.append((now, found, self.sim))
        return found

    def renew(self, now: datetime, days: int) -> None:
        end = max(event_of(self.sim), now) + timedelta(days=days)
        grace = None if self.sim.grace_end is None else end + timedelta(days=30)
        dated = replace(self.sim, grace_end=grace, reading=None)
        if self.sim.expiry is None:
            self.sim = replace(dated, keep_deadline=end)
        else:
            self.sim = replace(dated, expiry=end)
        for code in passed(self.sim, self.preferences, now) - self.settled:
            self.settle(code)

    def run(self, start: datetime, end: datetime, random: Random) -> Iterator[datetime]:
        """Tick from start to end, leaping over the minutes of which next_reminder says that
        nothing happens, and looking whether that is so."""
        now = start
        while now < end:
            planned = next_reminder(self.sim, self.preferences, self.settled, now)
            target = first_tick_at(planned, now)
            for minute in sample_minutes(now, min(target or end, end), random):
                assert self.tick(minute) is None, f"sent before the announced time: {minute}"
            if target is None or target >= end:
                return
            assert planned is not None
            found = self.tick(target)
            assert found is not None, f"announced {planned} and nothing came"
            assert found.stage == planned.stage
            yield target
            now = target + MINUTE


def first_tick_at(planned: Planned | None, now: datetime) -> datetime | None:
    if planned is None:
        return None
    return now + -((now - planned.at) // MINUTE) * MINUTE


def sample_minutes(start: datetime, end: datetime, random: Random) -> list[datetime]:
    count = max(0, -((start - end) // MINUTE))
    if not count:
        return []
    picked = {0, count - 1, *(random.randrange(count) for _ in range(6))}
    return [start + minute * MINUTE for minute in sorted(picked)]


def check_log(world: World) -> None:
    for moment, found, sim in world.log:
        for stage in (found.stage, found.also):
            assert stage is None or is_true_at(stage, moment, sim), (stage, moment)
        assert may_be_sent(found.stage, moment, sim, world.preferences), (found, moment)
        assert found.also is None or found.also.urgency < found.stage.urgency
        assert set(found.sent).isdisjoint(found.skipped)
    moments = [moment for moment, _, _ in world.log]
    assert len(moments) == len(set(moments)), "two messages for one SIM in one run"


# ---- the properties ----------------------------------------------------------------------


@PROFILE
@given(cases())
def test_planned_times_are_allowed_true_and_in_order(case: tuple[Sim, Preferences]) -> None:
    sim, preferences = case
    plans = timeline(sim, preferences), keep_timeline(sim, preferences)
    for planned in (*plans[0], *plans[1]):
        assert planned.at.second == 0
        assert may_be_sent(planned.stage, planned.at, sim, preferences), planned
        assert is_true_at(planned.stage, planned.at, sim), planned
        assert planned.until is None or planned.at < planned.until
    for plan in plans:
        assert [p.stage.urgency for p in plan] == sorted(p.stage.urgency for p in plan)
    codes = [p.stage.code for plan in plans for p in plan]
    assert len(codes) == len(set(codes))


@PROFILE
@given(cases())
def test_the_preferred_hour_is_kept_wherever_it_can_be(case: tuple[Sim, Preferences]) -> None:
    sim, preferences = case
    tz = ZoneInfo(preferences.zone)
    end = event_of(sim)
    last_day = end.astimezone(tz).date()
    plan = timeline(sim, preferences)
    for planned in plan:
        if planned.stage.kind not in (StageKind.EXPIRY, StageKind.KEEP):
            continue
        assert planned.stage.number is not None
        day = last_day - planned.stage.number * DAY
        wanted = datetime.combine(day, time(preferences.hour), tz).astimezone(UTC)
        shown = wanted.astimezone(tz)
        exists = (shown.date(), shown.hour, shown.minute) == (day, preferences.hour, 0)
        in_time = wanted <= end.replace(second=0) - timedelta(hours=1)
        if exists and in_time and not is_quiet(wanted, preferences):
            moved = [other.at for other in plan if other.stage.urgency > planned.stage.urgency]
            assert planned.at == min([wanted, *moved])


@PROFILE
@given(cases(), st.integers(0, 59), dice)
def test_a_bot_that_never_stops_sends_the_whole_timeline(
    case: tuple[Sim, Preferences], phase: int, random: Random
) -> None:
    sim, preferences = case
    sim = replace(sim, reading=None)
    plans = timeline(sim, preferences), keep_timeline(sim, preferences)
    moments_ = sorted(planned.at for plan in plans for planned in plan)
    if not moments_:
        return
    world = World(sim, preferences)
    start = moments_[0].replace(second=phase) - 2 * DAY
    for _ in world.run(start, moments_[-1] + 2 * DAY, random):
        pass
    expected: dict[datetime, list[Stage]] = {}
    for plan in plans:
        for at, stage in {planned.at: planned.stage for planned in plan}.items():
            expected.setdefault(at.replace(second=phase), []).append(stage)
    told = {
        moment: [stage for stage in (found.stage, found.also) if stage is not None]
        for moment, found, _ in world.log
    }
    assert told == {
        at: sorted(stages, key=lambda stage: stage.urgency, reverse=True)
        for at, stages in sorted(expected.items())
    }
    assert {p.stage.code for plan in plans for p in plan} == world.settled
    check_log(world)


@st.composite
def outages(draw: st.DrawFn) -> list[tuple[timedelta, timedelta]]:
    """Turns of running and being down, up to five years each."""
    length = st.sampled_from([2, 45, 300, 1440, 3000, 14_400, 100_000, 2_628_000])
    minutes = st.builds(lambda most, share: int(most * share), length, st.floats(0.01, 1))
    turns = draw(st.lists(st.tuples(minutes, minutes), min_size=1, max_size=6))
    return [(run * MINUTE, down * MINUTE) for run, down in turns]


@PROFILE
@given(
    cases(), outages(), st.integers(-40, 5), st.integers(0, 59),
    dice,
)  # fmt: skip
def test_outages_cost_at_most_what_was_superseded(
    case: tuple[Sim, Preferences],
    turns: list[tuple[timedelta, timedelta]],
    days: int,
    phase: int,
    random: Random,
) -> None:
    sim, preferences = case
    world = World(sim, preferences)
    plans = timeline(sim, preferences), keep_timeline(sim, preferences)
    now = (event_of(sim) + days * DAY).replace(second=phase)
    for running, down in turns:
        end = now + running
        for _ in world.run(now, end, random):
            pass
        for plan in plans:
            check_none_missed(world, plan, now, end)
        now = end + down
    check_log(world)
    for keeps in (False, True) if sim.expiry is not None else (None,):
        sent = [
            stage
            for _, found, _ in world.log
            for stage in (found.stage, found.also)
            if stage is not None and not stage.of_data
            and keeps in (None, stage.kind is StageKind.KEEP)
        ]  # fmt: skip
        assert [s.urgency for s in sent] == sorted({s.urgency for s in sent})


def check_none_missed(
    world: World, plan: tuple[Planned, ...], start: datetime, end: datetime
) -> None:
    """All whose time came while the bot ran are settled: sent then, or for a more urgent one."""
    for planned in plan:
        if start <= planned.at and planned.at + MINUTE <= end:
            done = [Stage.parse(code) for code in world.settled]
            apart = world.sim.expiry is not None
            keeps = planned.stage.kind is StageKind.KEEP
            assert any(
                not stage.of_data
                and stage.urgency >= planned.stage.urgency
                and not (apart and keeps is not (stage.kind is StageKind.KEEP))
                for stage in done
            ), planned


@PROFILE
@given(cases(), outages(), dice)
def test_renewals_snoozes_and_corrections_repeat_nothing(
    case: tuple[Sim, Preferences],
    turns: list[tuple[timedelta, timedelta]],
    random: Random,
) -> None:
    sim, preferences = case
    world = World(sim, preferences)
    now = event_of(sim) - 35 * DAY
    for running, down in turns:
        for moment in world.run(now, now + min(running, 400 * DAY), random):
            act(world, moment, random)
        now = now + running + down
        if random.random() < 0.3 and world.sim.expiry is not None:
            moved = world.sim.expiry + random.randrange(-9, 9) * DAY
            world.sim = replace(world.sim, expiry=moved, grace_end=None)
        if random.random() < 0.3 and world.sim.keep_deadline is not None:
            moved = world.sim.keep_deadline + random.randrange(-9, 90) * DAY
            world.sim = replace(world.sim, keep_deadline=moved)
    for moment, found, seen in world.log:
        assert may_be_sent(found.stage, moment, seen, preferences)
        assert is_true_at(found.stage, moment, seen)


def act(world: World, moment: datetime, random: Random) -> None:
    """What a customer may do with a reminder."""
    choice = random.random()
    if choice < 0.3:
        until = moment + random.choice([1, 3, 10]) * DAY + timedelta(seconds=random.randrange(60))
        world.sim = replace(world.sim, snoozed_until=until)
    elif choice < 0.5:
        world.renew(moment, random.choice([1, 7, 30, 365]))


@settings(PROFILE, max_examples=500 if LONG else 25)
@given(cases(), st.integers(-60, 60), st.integers(0, 59))
def test_next_reminder_minute_by_minute(
    case: tuple[Sim, Preferences], hours: int, phase: int
) -> None:
    """No leaps: every tick of eight hours around an event, against what was announced before."""
    sim, preferences = case
    event = sim.grace_end if sim.grace_end and hours % 2 else event_of(sim)
    world = World(sim, preferences)
    start = (event + timedelta(hours=hours)).replace(second=phase)
    announced = next_reminder(sim, preferences, frozenset(), start)
    for minute in range(8 * 60):
        now = start + minute * MINUTE
        found = world.tick(now)
        if announced is None or now < announced.at:
            assert found is None
        else:
            assert found is not None
            assert found.stage == announced.stage
            announced = next_reminder(sim, preferences, world.settled, now)
