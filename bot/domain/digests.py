"""Several SIMs of one person in one message.

What is due at the same moment goes together. Besides, a message takes along what would follow later
on the same local day, where that is as true now: nobody is written to twice in one morning.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.chats import Preferences
from bot.domain.reminders import Due, Planned, due, next_reminder
from bot.domain.sims import Sim
from bot.domain.zones import QuietHours, at_local, ceil_minute, local_date, zone

_MOST = 64
"""Messages of one SIM that are foreseen on the way to a day: more than its stages."""


@dataclass(frozen=True, slots=True)
class Line:
    """A SIM with how it is to be reminded of and what was told: all that decides."""

    sim: Sim
    preferences: Preferences
    settled: frozenset[str]

    def due(self, now: datetime) -> Due | None:
        """What is to be sent at `now`."""
        return due(self.sim, self.preferences, self.settled, now)

    def next(self, now: datetime) -> Planned | None:
        """Its own next message, whatever the person's other SIMs do."""
        return next_reminder(self.sim, self.preferences, self.settled, now)


def joins(line: Line, now: datetime) -> Due | None:
    """What a message about another SIM takes along at `now`; None when there is nothing such.

    Only what counts the days to an event: "has expired" is not true before it is so. Nothing in
    quiet hours, and nothing that was snoozed until later.
    """
    if not _may_join(line, now):
        return None
    planned = line.next(now)
    tz = zone(line.preferences.zone)
    if planned is None or planned.at <= now or local_date(planned.at, tz) != local_date(now, tz):
        return None
    found = line.due(planned.at)
    if found is None or not all(stage.ahead for stage in (found.stage, found.also) if stage):
        return None
    return found


def _may_join(line: Line, now: datetime) -> bool:
    snoozed, known = line.sim.snoozed_until, line.preferences
    if not known.digest or (snoozed is not None and ceil_minute(snoozed) > now):
        return False
    return not QuietHours(known.quiet_start, known.quiet_end, zone(known.zone)).cover(now)


def announced(line: Line, others: Iterable[Line], now: datetime) -> Planned | None:
    """The next message about a SIM and its time, beside its owner's other SIMs: true as long as
    nothing changes."""
    planned = line.next(now)
    if planned is None or planned.at <= now or not line.preferences.digest:
        return planned
    tz = zone(line.preferences.zone)
    day = max(now, at_local(local_date(planned.at, tz), datetime.min.time(), tz))
    moments = {
        moment
        for other in others
        if other.preferences.digest
        for moment in _moments(other, now, planned.at)
        if moment >= day
    }
    for moment in sorted(moments):
        if joins(line, moment) is not None:
            return replace(planned, at=moment)
    return planned


def _moments(line: Line, now: datetime, end: datetime) -> list[datetime]:
    """When messages about a SIM come from `now` on, before `end`."""
    found: list[datetime] = []
    moment = now
    for _ in range(_MOST):
        planned = line.next(moment)
        if planned is None or planned.at >= end:
            break
        hit = line.due(planned.at)
        if hit is None:
            break
        found.append(planned.at)
        line = replace(line, settled=line.settled | {*hit.sent, *hit.skipped})
        moment = planned.at
    return found
