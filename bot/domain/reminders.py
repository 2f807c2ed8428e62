"""When to remind, of what: a pure function of a SIM, its owner's preferences and the ledger.

Three tracks lead to a reminder. *Dates*: a timeline of stages before expiry, in the grace period
and at its end; only the last stage whose time has come can be sent, those before it are
superseded. *Keep*: the same before a keep-number deadline that is another day than the expiry;
of a line without an expiry that deadline is what the dates lead to. *Data*: the lowest threshold
that the newest reading is under. What is due at the same moment goes into one message. A stage is
settled (sent or skipped) once per cycle, and nothing less urgent than a settled stage of the same
track is sent in that cycle.

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
KEEP_DAYS = (30, 7, 3, 1)  # F30: days before the keep-number deadline
VERY_LOW_DATA = 0.10  # F30: "data below 20 % and 10 %"
LEAD = timedelta(hours=1)
"""How long before an event, or before quiet hours begin, a reminder moved forward lies."""
TOO_LATE = timedelta(minutes=15)
"""A reminder nearer to its event than this helps nobody: it is sent earlier instead."""
MOST_DAYS = 366  # the largest offset before expiry; larger ones are ignored


class StageKind(StrEnum):
    """What a reminder is about; the value begins its code in the ledger."""

    EXPIRY = "expiry"
    KEEP = "keep"
    GRACE_STARTED = "grace-started"
    GRACE = "grace"
    LOST = "lost"
    DATA_LOW = "data"
    USED_UP = "used-up"


_NUMBERED = frozenset({StageKind.EXPIRY, StageKind.KEEP, StageKind.GRACE, StageKind.DATA_LOW})


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
            case StageKind.KEEP:  # a number is more than a validity that ends the same day
                return (0, 0.25 - float(self.number or 0))
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
        return self.code in ("expiry-0", "keep-1", "grace-1")

    @property
    def of_data(self) -> bool:
        """Whether it comes from a reading of the data, not from a date."""
        return self.kind in (StageKind.DATA_LOW, StageKind.USED_UP)


LOW = Stage(StageKind.DATA_LOW, 20)
VERY_LOW = Stage(StageKind.DATA_LOW, 10)
USED_UP = Stage(StageKind.USED_UP)
_GRACE_STARTED, _LOST = Stage(StageKind.GRACE_STARTED), Stage(StageKind.LOST)


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage and when it is sent (UTC); true until `until`, for ever when None. `held`: its time
    has come, and it waits for the end of an order that runs."""

    stage: Stage
    at: datetime
    until: datetime | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """One message to send now.

    `stage` is what it is about, `also` what it mentions besides; a third is left out. `sent` are
    the ledger codes it settles by being sent, `skipped` those it supersedes. After a snooze the
    first of `sent` is the snooze's own code, and `stage` may have been sent before.
    """

    stage: Stage
    also: Stage | None
    sent: tuple[str, ...]
    skipped: tuple[str, ...]


def cycle(sim: Sim) -> str | None:
    """The present validity, named by its expiry's date in UTC; None without any date.

    A renewal, or a correction to another day, begins a new cycle. Without an expiry it is that of
    the keep-number deadline.
    """
    return sim.expiry.astimezone(UTC).date().isoformat() if sim.expiry else _keep_cycle(sim)


def _keep_cycle(sim: Sim) -> str | None:
    if sim.keep_deadline is None:
        return None
    return f"{StageKind.KEEP}-{sim.keep_deadline.astimezone(UTC).date().isoformat()}"


def cycles(sim: Sim) -> tuple[str, ...]:
    """All present cycles of a SIM: of its validity, and of its keep-number deadline."""
    return tuple(dict.fromkeys(name for name in (cycle(sim), _keep_cycle(sim)) if name))


def cycle_of(sim: Sim, code: str) -> str | None:
    """The present cycle in which the ledger keeps a code."""
    stage = _stage_or_none(code)
    keeps = stage is not None and stage.kind is StageKind.KEEP
    return _keep_cycle(sim) if keeps else cycle(sim)


def snooze_code(sim: Sim) -> str | None:
    """The ledger's code of the SIM's snooze, by the minute it ends."""
    if sim.snoozed_until is None:
        return None
    return f"snooze-{ceil_minute(sim.snoozed_until):%Y-%m-%dT%H:%MZ}"


def reminds(sim: Sim, preferences: Preferences) -> bool:
    """Whether the SIM gets reminders at all."""
    wanted = preferences.on and not sim.reminders_stopped
    return wanted and sim.owner_id is not None and not sim.removed_at and sim.end is not None


def timeline(sim: Sim, preferences: Preferences) -> tuple[Planned, ...]:
    """The date stages of the present cycle, past and to come, in the order of their times.

    Stages of one moment stand in the order of urgency, so that the last one is sent.
    """
    if sim.end is None:
        return ()
    rules = _Rules(preferences)
    if sim.reading is not None and sim.reading.state is SimState.LOST:
        return (Planned(_LOST, rules.first_after(sim.reading.as_of)),)
    if sim.expiry is None:
        found = _keep_stages(rules, sim.end)
    else:
        offsets = {days for days in preferences.offsets if 0 <= days <= MOST_DAYS}
        found = [rules.before(Stage(StageKind.EXPIRY, days), sim.expiry) for days in offsets]
    return _in_order(found + rules.after_expiry(sim.end, sim.grace_end))


def keep_timeline(sim: Sim, preferences: Preferences) -> tuple[Planned, ...]:
    """The stages before a keep-number deadline that is another day than the expiry, in order.

    None of a line without an expiry, whose deadline is in `timeline`, nor of a lost one.
    """
    if not keeps_apart(sim) or sim.keep_deadline is None:
        return ()
    if sim.reading is not None and sim.reading.state is SimState.LOST:
        return ()
    return _in_order(_keep_stages(_Rules(preferences), sim.keep_deadline))


def keeps_apart(sim: Sim) -> bool:
    """Whether the keep-number deadline is another date than the expiry, beside which it stands."""
    if sim.expiry is None or sim.keep_deadline is None:
        return False
    return abs(sim.keep_deadline - sim.expiry) >= timedelta(days=1)


def _keep_stages(rules: "_Rules", deadline: datetime) -> list[Planned]:
    return [rules.before(Stage(StageKind.KEEP, days), deadline) for days in KEEP_DAYS]


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
    return _due(sim, _Rules(preferences), _plans(sim, preferences), settled, now)


def next_reminder(
    sim: Sim, preferences: Preferences, settled: frozenset[str], now: datetime
) -> Planned | None:
    """The next message and its time: the first moment from `now` on at which something is due.

    Until then nothing is, unless the SIM, the preferences or the ledger change. What is overdue
    already is due at `now`.
    """
    if not reminds(sim, preferences):
        return None
    rules, plans = _Rules(preferences), _plans(sim, preferences)
    begins = {now} | {planned.at for plan in plans for planned in plan if planned.at > now}
    if sim.snoozed_until is not None and sim.snoozed_until > now:
        begins.add(ceil_minute(sim.snoozed_until))
    for moment in sorted(begins | {rules.quiet.next_allowed(begin) for begin in begins}):
        found = _due(sim, rules, plans, settled, moment)
        if found is not None:
            return Planned(found.stage, moment)
    return None


def passed(sim: Sim, preferences: Preferences, now: datetime) -> frozenset[str]:
    """Codes of all whose time has come by `now`, and of a snooze.

    To be settled as skipped when the customer has just seen the SIM's new dates (it was added,
    renewed, or they entered them), so that no reminder follows on the heels.
    """
    plans = _plans(sim, preferences)
    codes = {planned.stage.code for plan in plans for planned in plan if planned.at <= now}
    codes |= {stage.code for stage in data_stages(sim, now)}
    snooze = snooze_code(sim)
    return frozenset(codes | {snooze} if snooze else codes)


_Plans = tuple[tuple[Planned, ...], tuple[Planned, ...]]


def _plans(sim: Sim, preferences: Preferences) -> _Plans:
    return timeline(sim, preferences), keep_timeline(sim, preferences)


def _come(plan: tuple[Planned, ...], now: datetime) -> tuple[list[Stage], datetime | None]:
    """The stages whose time has come, and until when the last of them is true; of a timeline
    whose last stage is no longer true, none."""
    come = [planned for planned in plan if planned.at <= now]
    until = come[-1].until if come else None
    over = until is not None and now >= until
    return ([] if over else [planned.stage for planned in come]), until


def _due(
    sim: Sim, rules: _Rules, plans: _Plans, settled: frozenset[str], now: datetime
) -> Due | None:
    if sim.snoozed_until is not None and ceil_minute(sim.snoozed_until) > now:
        return None
    (dates, date_until), (keep, keep_until) = (_come(plan, now) for plan in plans)
    tracks = [track for track in (dates, keep, list(data_stages(sim, now))) if track]
    current = [track[-1] for track in tracks]
    snooze = snooze_code(sim)
    again = [snooze] if snooze is not None and snooze not in settled else []
    chosen = current if again else [stage for stage in current if _fresh(sim, stage, settled)]
    ends = dict.fromkeys(dates, date_until) | dict.fromkeys(keep, keep_until)
    chosen = [stage for stage in chosen if rules.may_send(stage, ends.get(stage), now)]
    chosen.sort(key=lambda stage: stage.urgency, reverse=True)
    if not chosen:
        return None
    told, also = chosen[:2], chosen[1] if chosen[1:] else None
    sent = again + [stage.code for stage in told if stage.code not in settled]
    over = [stage for track in tracks if track[-1] in chosen for stage in track]
    skipped = [stage.code for stage in over if stage.code not in settled and stage not in told]
    return Due(chosen[0], also, tuple(sent), tuple(skipped))


def _track(sim: Sim, stage: Stage) -> str:
    if stage.of_data:
        return "data"
    return "keep" if stage.kind is StageKind.KEEP and sim.expiry is not None else "dates"


def _fresh(sim: Sim, stage: Stage, settled: frozenset[str]) -> bool:
    """Whether neither the stage nor a more urgent one of its track is settled."""
    others = [other for other in map(_stage_or_none, settled) if other is not None]
    return not any(
        _track(sim, other) == _track(sim, stage) and other.urgency >= stage.urgency
        for other in others
    )


def _stage_or_none(code: str) -> Stage | None:
    """The ledger also holds snoozes, and may hold stages that a newer version wrote."""
    try:
        return Stage.parse(code)
    except ValueError:
        return None
