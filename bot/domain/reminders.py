"""When to remind, of what: a pure function of a SIM, its owner's preferences and the ledger.

Two tracks lead to a reminder. *Dates*: a timeline of stages before expiry, in the grace period
and at its end; only the last stage whose time has come can be sent, those before it are
superseded. *Data*: the lowest threshold that the newest reading is under. What is due on both
at the same moment goes into one message. A stage is settled (sent or skipped) once per cycle,
and nothing less urgent than a settled stage of the same track is sent in that cycle.

Every time in here is a whole minute, UTC. Silence while a payment or top-up runs is the
caller's affair, as is re-reading the SIM before a reminder is sent.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from bot.domain.chats import Preferences
from bot.domain.sims import LOW_DATA, Sim, SimState
from bot.domain.zones import QuietHours, at_local, ceil_minute, floor_minute, local_date, zone

GRACE_DAYS = (3, 1)  # F30: days before the grace period ends
VERY_LOW_DATA = 0.10  # F30: "data below 20 % and 10 %"
LEAD = timedelta(hours=1)
"""How long before an event, or before quiet hours begin, a reminder moved forward lies."""
TOO_LATE = timedelta(minutes=15)
"""A reminder nearer to its event than this helps nobody: it is sent earlier instead."""
MOST_DAYS = 366
"""The largest offset before expiry; larger ones are ignored."""


class StageKind(StrEnum):
    """What a reminder is about; the value begins its code in the ledger."""

    EXPIRY = "expiry"
    GRACE_STARTED = "grace-started"
    GRACE = "grace"
    LOST = "lost"
    DATA_LOW = "data"
    USED_UP = "used-up"


_NUMBERED = frozenset({StageKind.EXPIRY, StageKind.GRACE, StageKind.DATA_LOW})


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the reminders. `number` is days before the event, or per cent of the data."""

    kind: StageKind
    number: int | None = None

    def __post_init__(self) -> None:
        if (self.kind in _NUMBERED) != (self.number is not None):
            raise ValueError(f"wrong number for a stage {self.kind}: {self.number}")

    @property
    def code(self) -> str:
        """Its stable name in the ledger: "expiry-7", "grace-started", "data-20"."""
        return self.kind.value if self.number is None else f"{self.kind}-{self.number}"

    @classmethod
    def parse(cls, code: str) -> "Stage":
        """The stage of a code. Raises ValueError for any other text, a snooze's code too."""
        kind, _, number = code.rpartition("-")
        if number.isascii() and number.isdigit() and kind in _NUMBERED:
            return cls(StageKind(kind), int(number))
        return cls(StageKind(code))

    @property
    def urgency(self) -> tuple[int, float]:
        """Greater is more urgent. Data stages rank among the days before expiry."""
        match self.kind:
            case StageKind.EXPIRY:
                return (0, -float(self.number or 0))
            case StageKind.USED_UP:
                return (0, -0.5)  # after the expiry day, before the day ahead of it
            case StageKind.DATA_LOW:
                return (0, -1.5) if self.number == 10 else (0, -3.5)
            case StageKind.GRACE_STARTED:
                return (1, -float("inf"))
            case StageKind.GRACE:
                return (1, -float(self.number or 0))
            case StageKind.LOST:
                return (2, 0.0)

    @property
    def last_day(self) -> bool:
        """Whether it may break quiet hours where the customer allows that (F31)."""
        return self.code in ("expiry-0", "grace-1")

    @property
    def of_data(self) -> bool:
        """Whether it comes from a reading of the data, not from a date."""
        return self.kind in (StageKind.DATA_LOW, StageKind.USED_UP)


LOW = Stage(StageKind.DATA_LOW, 20)
VERY_LOW = Stage(StageKind.DATA_LOW, 10)
USED_UP = Stage(StageKind.USED_UP)
_GRACE_STARTED = Stage(StageKind.GRACE_STARTED)
_LOST = Stage(StageKind.LOST)


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage and when it is sent (UTC). It is true until `until`, for ever when None."""

    stage: Stage
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """One message to send now.

    `stage` is what it is about, `also` what it mentions besides. `sent` are the ledger codes it
    settles by being sent, `skipped` those it supersedes. After a snooze the first of `sent` is
    the snooze's own code, and `stage` may have been sent before.
    """

    stage: Stage
    also: Stage | None
    sent: tuple[str, ...]
    skipped: tuple[str, ...]


def cycle(sim: Sim) -> str | None:
    """The present validity, named by its expiry's date in UTC; None without an expiry.

    A renewal, or a correction to another day, begins a new cycle.
    """
    return sim.expiry.astimezone(UTC).date().isoformat() if sim.expiry else None


def snooze_code(sim: Sim) -> str | None:
    """The ledger's code of the SIM's snooze, by the minute it ends."""
    if sim.snoozed_until is None:
        return None
    return f"snooze-{ceil_minute(sim.snoozed_until):%Y-%m-%dT%H:%MZ}"


def reminds(sim: Sim, preferences: Preferences) -> bool:
    """Whether the SIM gets reminders at all."""
    wanted = preferences.on and not sim.reminders_stopped
    return wanted and sim.owner_id is not None and not sim.removed_at and sim.expiry is not None


def timeline(sim: Sim, preferences: Preferences) -> tuple[Planned, ...]:
    """The date stages of the present cycle, past and to come, in the order of their times.

    Stages of one moment stand in the order of urgency, so that the last one is sent.
    """
    if sim.expiry is None:
        return ()
    rules = _Rules(preferences)
    if sim.reading is not None and sim.reading.state is SimState.LOST:
        return (Planned(_LOST, rules.first_after(sim.reading.as_of)),)
    offsets = {days for days in preferences.offsets if 0 <= days <= MOST_DAYS}
    found = [rules.before(Stage(StageKind.EXPIRY, days), sim.expiry) for days in offsets]
    found += rules.after_expiry(sim.expiry, sim.grace_end)
    return _in_order(found)


def _in_order(found: list[Planned]) -> tuple[Planned, ...]:
    """By urgency; a stage whose time would come after a more urgent one's joins that one."""
    ordered: list[Planned] = []
    for planned in sorted(found, key=lambda each: each.stage.urgency, reverse=True):
        latest = ordered[-1].at if ordered else planned.at
        ordered.append(replace(planned, at=min(planned.at, latest)))
    return tuple(reversed(ordered))


class _Rules:
    """Turns stages into times, by one customer's preferences."""

    def __init__(self, preferences: Preferences) -> None:
        self.tz = zone(preferences.zone)
        self.hour = time(preferences.hour)
        self.quiet = QuietHours(preferences.quiet_start, preferences.quiet_end, self.tz)
        self.override = preferences.urgent_override

    def may_send(self, stage: Stage, until: datetime | None, now: datetime) -> bool:
        """Whether quiet hours let it through at `now`, when it is true until `until`."""
        if not self.quiet.cover(now):
            return True
        if not (self.override and stage.last_day and until is not None):
            return False
        return self.quiet.next_allowed(now) > until - TOO_LATE

    def first_after(self, event: datetime) -> datetime:
        """The first allowed minute at or after an event."""
        return self.quiet.next_allowed(ceil_minute(event))

    def before(self, stage: Stage, event: datetime) -> Planned:
        """The preferred hour, `stage.number` local days before an event.

        Out of quiet hours it moves forward while that leaves time to act, else back to the
        evening before; a last-day stage stays where the customer allows it.
        """
        end = floor_minute(event)
        day = local_date(event, self.tz) - timedelta(days=stage.number or 0)
        wanted = min(at_local(day, self.hour, self.tz), end - LEAD)
        at = self.quiet.next_allowed(wanted)
        if at > end - TOO_LATE:
            breaks = stage.last_day and self.override
            at = wanted if breaks else self._evening_before(wanted)
        return Planned(stage, at, end)

    def _evening_before(self, quiet: datetime) -> datetime:
        """LEAD before the quiet hours that cover `quiet`, or where the allowed span begins."""
        end = self.quiet.quiet_since(quiet)
        early = end - LEAD
        return min(self.quiet.next_allowed(early), end - timedelta(minutes=1))

    def after_expiry(self, expiry: datetime, grace_end: datetime | None) -> list[Planned]:
        """Grace started, the days before it ends, and the loss; without a known end the first."""
        started = self.first_after(expiry)
        if grace_end is None:
            return [Planned(_GRACE_STARTED, started)]
        end = max(expiry, grace_end)
        lost = Planned(_LOST, self.first_after(end))
        if started >= floor_minute(end):
            return [lost]
        closing = [self.before(Stage(StageKind.GRACE, days), end) for days in GRACE_DAYS]
        later = [planned for planned in closing if planned.at > started]
        return [Planned(_GRACE_STARTED, started, floor_minute(end)), *later, lost]


def data_stages(sim: Sim, now: datetime) -> tuple[Stage, ...]:
    """The data thresholds that the newest reading is under, least urgent first.

    None once the line has expired, nor from a reading of an earlier validity.
    """
    reading = sim.reading
    if reading is None or sim.expiry is None or now >= floor_minute(sim.expiry):
        return ()
    if reading.expiry is not None and reading.expiry.date() != sim.expiry.date():
        return ()
    share = reading.data_share_left
    if reading.state is SimState.USED_UP or share == 0:
        return (LOW, VERY_LOW, USED_UP)
    if share is None:
        return (LOW,) if reading.state is SimState.LOW else ()
    if share >= LOW_DATA:
        return ()
    return (LOW, VERY_LOW) if share < VERY_LOW_DATA else (LOW,)


def due(sim: Sim, preferences: Preferences, settled: frozenset[str], now: datetime) -> Due | None:
    """What to send at `now`, given the codes `settled` in this cycle; None when nothing is."""
    if not reminds(sim, preferences):
        return None
    return _due(sim, _Rules(preferences), timeline(sim, preferences), settled, now)


def next_reminder(
    sim: Sim, preferences: Preferences, settled: frozenset[str], now: datetime
) -> Planned | None:
    """The next message and its time: the first moment from `now` on at which something is due.

    Until then nothing is, unless the SIM, the preferences or the ledger change. What is overdue
    already is due at `now`.
    """
    if not reminds(sim, preferences):
        return None
    rules, plan = _Rules(preferences), timeline(sim, preferences)
    begins = {now} | {planned.at for planned in plan if planned.at > now}
    if sim.snoozed_until is not None and sim.snoozed_until > now:
        begins.add(ceil_minute(sim.snoozed_until))
    for moment in sorted(begins | {rules.quiet.next_allowed(begin) for begin in begins}):
        found = _due(sim, rules, plan, settled, moment)
        if found is not None:
            return Planned(found.stage, moment)
    return None


def passed(sim: Sim, preferences: Preferences, now: datetime) -> frozenset[str]:
    """Codes of all whose time has come by `now`, and of a snooze.

    To be settled as skipped when the customer has just seen the SIM's new dates (it was added,
    renewed, or they entered them), so that no reminder follows on the heels.
    """
    codes = {planned.stage.code for planned in timeline(sim, preferences) if planned.at <= now}
    codes |= {stage.code for stage in data_stages(sim, now)}
    snooze = snooze_code(sim)
    return frozenset(codes | {snooze} if snooze else codes)


def _due(
    sim: Sim, rules: _Rules, plan: tuple[Planned, ...], settled: frozenset[str], now: datetime
) -> Due | None:
    if sim.snoozed_until is not None and ceil_minute(sim.snoozed_until) > now:
        return None
    come = [planned for planned in plan if planned.at <= now]
    until = come[-1].until if come else None
    over = until is not None and now >= until
    dates = [] if over else [planned.stage for planned in come]
    data = list(data_stages(sim, now))
    current = [track[-1] for track in (dates, data) if track]
    snooze = snooze_code(sim)
    again = [snooze] if snooze is not None and snooze not in settled else []
    chosen = current if again else [stage for stage in current if _fresh(stage, settled)]
    chosen.sort(key=lambda stage: stage.urgency, reverse=True)
    if not chosen or not rules.may_send(chosen[0], until, now):
        return None
    sent = again + [stage.code for stage in chosen if stage.code not in settled]
    told = [stage for track in (dates, data) if track and track[-1] in chosen for stage in track]
    skipped = [stage.code for stage in told if stage.code not in settled and stage not in chosen]
    return Due(chosen[0], chosen[1] if chosen[1:] else None, tuple(sent), tuple(skipped))


def _fresh(stage: Stage, settled: frozenset[str]) -> bool:
    """Whether neither the stage nor a more urgent one of its track is settled."""
    others = [other for other in map(_stage_or_none, settled) if other is not None]
    return not any(
        other.of_data == stage.of_data and other.urgency >= stage.urgency for other in others
    )


def _stage_or_none(code: str) -> Stage | None:
    """The ledger also holds snoozes, and may hold stages that a newer version wrote."""
    try:
        return Stage.parse(code)
    except ValueError:
        return None
