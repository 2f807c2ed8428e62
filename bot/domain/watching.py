"""How often a SIM is read without being asked about, and how a wait for activation is watched."""

from datetime import datetime, timedelta
from zlib import crc32

from bot.domain.sims import LOW_DATA, Sim, SimState

TELL_AFTER = timedelta(hours=1)
"""An eSIM that waits so long for its activation: its owner hears what to try (F8)."""
ESCALATE_AFTER = timedelta(hours=24)
"""And after so long a person of the shop looks at it (F8)."""

_LAST_DAY = timedelta(minutes=30)
_LAST_DAYS = timedelta(hours=2)
_LAST_WEEK = timedelta(hours=6)
_CALM = timedelta(hours=24)
_SHORTEST_WAIT = timedelta(minutes=5)
_JITTER = 0.2

_FAILED = tuple(timedelta(minutes=count) for count in (5, 15, 45, 120, 360))


def every(sim: Sim, now: datetime, *, running: bool, waiting_since: datetime | None) -> timedelta:
    """How old a reading of the SIM may grow at `now`.

    `running` says that a paid order of it is under way, `waiting_since` (UTC) since when it has
    been watched for its activation: that interval grows with the wait.
    """
    found = [_by_dates(sim, now)]
    if running:
        found.append(_LAST_DAY)
    if waiting_since is not None:
        found.append(min(_LAST_WEEK, max(_SHORTEST_WAIT, (now - waiting_since) / 4)))
    return min(found)


def _by_dates(sim: Sim, now: datetime) -> timedelta:
    ahead = [end for end in (sim.expiry, sim.grace_end, sim.keep_deadline) if end and end > now]
    if not ahead:
        return _CALM
    left = min(ahead) - now
    if left <= timedelta(days=1):
        return _LAST_DAY
    share = sim.reading.data_share_left if sim.reading else None
    used = share is not None and share < LOW_DATA and sim.state_at(now) is not SimState.EXPIRED
    if used or left <= timedelta(days=3):
        return _LAST_DAYS
    return _LAST_WEEK if left <= timedelta(days=10) else _CALM


def jittered(span: timedelta, sim_id: str) -> timedelta:
    """A little less than `span`, by the SIM's id: SIMs that were read together drift apart."""
    return span * (1 - _JITTER * crc32(sim_id.encode()) / 2**32)


def next_read(
    sim: Sim, now: datetime, *, running: bool, waiting_since: datetime | None
) -> datetime:
    """When the SIM is to be read next (UTC); it may have passed. Never read: at once."""
    if sim.reading is None:
        return now
    span = every(sim, now, running=running, waiting_since=waiting_since)
    return sim.reading.taken_at + jittered(span, sim.id)


def after_failure(sim_id: str, failures: int) -> timedelta:
    """The pause after so many failed readings in a row, one at least."""
    return jittered(_FAILED[min(failures, len(_FAILED)) - 1], sim_id)
