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
from datetime import datetime, time, timedelta
from heapq import heappop, heappush

from bot.domain.chats import Preferences
from bot.domain.cycles import anew, snooze_code
from bot.domain.sims import LOW_DATA, Sim, SimState
from bot.domain.stages import (
    GRACE_DAYS,
    GRACE_STARTED,
    KEEP_DAYS,
    LOST,
    LOW,
    USED_UP,
    VERY_LOW,
    Stage,
    StageKind,
    parsed,
)
from bot.domain.zones import QuietHours, at_local, ceil_minute, floor_minute, local_date, zone

VERY_LOW_DATA = 0.10  # F30: "data below 20 % and 10 %"
LEAD = timedelta(hours=1)
"""How long before an event, or before quiet hours begin, a reminder moved forward lies."""
TOO_LATE = timedelta(minutes=15)
"""A reminder nearer to its event than this helps nobody: it is sent earlier instead."""
MOST_DAYS = 366  # the largest offset before expiry; larger ones are ignored


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


def preferences_of(sim: Sim, preferences: Preferences, *, renews: bool = False) -> Preferences:
    """How to remind of one SIM: as its owner wants it of all, or otherwise of this one.

    With `renews` it is going to be renewed by itself, of which they are told besides: of the days
    before its expiry only the last is left, should that fail. Zone and quiet hours are those of
    the person, who sleeps once.
    """
    own = sim.own
    if own is not None:
        preferences = replace(
            preferences,
            offsets=preferences.offsets if own.offsets is None else own.offsets,
            hour=preferences.hour if own.hour is None else own.hour,
            urgent_override=preferences.urgent_override if own.urgent is None else own.urgent,
            digest=preferences.digest and not own.alone,
        )
    if renews:
        preferences = replace(preferences, offsets=(0,) if 0 in preferences.offsets else ())
    return preferences


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
        return (Planned(LOST, rules.first_after(sim.reading.as_of)),)
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
        late = ordered and ordered[-1].at < planned.at
        ordered.append(replace(planned, at=ordered[-1].at) if late else planned)
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
            return [Planned(GRACE_STARTED, started)]
        end = max(expiry, grace_end)
        lost = Planned(LOST, self.first_after(end))
        if started >= floor_minute(end):
            return [lost]
        closing = [self.before(Stage(StageKind.GRACE, days), end) for days in GRACE_DAYS]
        later = [planned for planned in closing if planned.at > started]
        return [Planned(GRACE_STARTED, started, floor_minute(end)), *later, lost]


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
    seen: set[datetime] = set()
    waiting = sorted(begins)
    while waiting:
        moment = heappop(waiting)
        if moment in seen:
            continue
        seen.add(moment)
        found = _due(sim, rules, plans, settled, moment)
        if found is not None:
            return Planned(found.stage, moment)
        heappush(waiting, rules.quiet.next_allowed(moment))
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


def carried(
    old: Sim, new: Sim, settled: frozenset[str], preferences: Preferences, now: datetime
) -> frozenset[str]:
    """What counts as told in the cycles that begin because a reading moved a SIM's dates.

    `settled` are the codes of the old cycles. Of the new dates' stages whose time has come those
    that are no more urgent than what was told already are not told again; those more urgent, and
    all to come, are open. A data alert is told again only when there is more data than before.
    """
    if not anew(old, new):
        return frozenset()
    told = parsed(settled)
    codes: set[str] = set()
    for plan in _plans(new, preferences):
        for planned in plan:
            stage, track = planned.stage, _track(new, planned.stage)
            before = [one.urgency for one in told if _track(old, one) == track]
            if planned.at <= now and before and stage.urgency <= max(before):
                codes.add(stage.code)
    if not _refilled(old, new):
        codes |= {stage.code for stage in told if stage.of_data}
    snooze = snooze_code(new)
    if snooze is not None and snooze in settled:
        codes.add(snooze)
    return frozenset(codes)


def _refilled(old: Sim, new: Sim) -> bool:
    was = old.reading.data_left if old.reading else None
    left = new.reading.data_left if new.reading else None
    return was is not None and left is not None and left > was


def still_true(sim: Sim, stage: Stage, now: datetime) -> bool:
    """Whether what a stage says is so at `now`: the words for it are made later than it was due."""
    match stage.kind:
        case StageKind.EXPIRY:
            return sim.expiry is not None and now < sim.expiry
        case StageKind.KEEP:
            return sim.keep_deadline is not None and now < sim.keep_deadline
        case StageKind.GRACE_STARTED | StageKind.GRACE:
            return sim.grace_end is None or now < sim.grace_end
        case StageKind.LOST:
            return True
    return stage in data_stages(sim, now)


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
    return not any(
        _track(sim, other) == _track(sim, stage) and other.urgency >= stage.urgency
        for other in parsed(settled)
    )
