"""How fast a SIM's data is used, and how far it reaches (F5).

Pure arithmetic over stored readings. Whatever the readings do not show is None: a pace is
measured or not told. Data is in bytes; every time is aware and UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from bot.domain.sims import Reading

WINDOW = timedelta(days=14)
"""What counts as lately: readings older than this say nothing of the present habit."""
ENOUGH = timedelta(days=1)
"""Less observed time than a day says nothing of a day."""
FRESH = timedelta(days=3)
"""A newest reading older than this is no ground for a forecast."""
FAR = timedelta(days=366)
"""A forecast beyond this would only look precise."""
HEAVY = 1.0
LIGHT = 0.5
"""Shares of what is left that will be used by the expiry: above HEAVY it runs out before, below
LIGHT more than half of it will be left over."""


class Use(StrEnum):
    """Use so far against the days left."""

    LIGHT = "light"
    NORMAL = "normal"
    HEAVY = "heavy"


@dataclass(frozen=True, slots=True)
class Pace:
    """A measured pace, with every number of its arithmetic.

    `used` bytes went in the time `span` of observation; `per_day` is their quotient. From
    `left` bytes at `as_of` follows `lasts_until` (None when nothing is used, or beyond a year).
    Against the expiry, None where that is unknown or passed: `to_expiry` is the time from
    `as_of` to it, `afford` the bytes a day that would just reach it, `unused` what will be
    lost at it, and `use` the verdict.
    """

    used: int
    span: timedelta
    per_day: int
    left: int
    as_of: datetime
    lasts_until: datetime | None
    to_expiry: timedelta | None = None
    afford: int | None = None
    unused: int | None = None
    use: Use | None = None


def ordered(readings: Sequence[Reading], now: datetime) -> list[Reading]:
    """The readings that tell data, by the time they were measured, one for each moment.

    One from the future (a supplier's clock ahead of ours, or a mistake) is left out.
    """
    told = [one for one in readings if one.data_left is not None and one.as_of <= now]
    newest = {one.as_of: one for one in sorted(told, key=lambda one: one.taken_at)}
    return [newest[moment] for moment in sorted(newest)]


def topped_up(before: Reading, after: Reading) -> bool:
    """Whether data was added between two readings: there is more of it than before."""
    grown = (after.data_total or 0) > (before.data_total or 0)
    return grown or (after.data_left or 0) > (before.data_left or 0)


def topups(readings: Sequence[Reading], now: datetime) -> list[datetime]:
    """When data was seen to have been added: the first reading after each top-up."""
    return [b.as_of for a, b in pairwise(ordered(readings, now)) if topped_up(a, b)]


def pace(readings: Sequence[Reading], expiry: datetime | None, now: datetime) -> Pace | None:
    """The pace at `now`, or None when the readings do not show one.

    Only stretches between two readings of one and the same allowance count. Over a top-up or a
    counter that began anew nobody knows what was used, so that stretch counts neither as use
    nor as time.
    """
    told = ordered(readings, now)
    if not told or now - told[-1].as_of > FRESH:
        return None
    recent = [pair for pair in pairwise(told) if pair[1].as_of > now - WINDOW]
    used, span = 0, timedelta(0)
    for before, after in recent:
        more = (after.data_used or 0) - (before.data_used or 0)
        if after.data_total == before.data_total and more >= 0:
            used += more
            span += after.as_of - before.as_of
    if span < ENOUGH:
        return None
    last = told[-1]
    left = last.data_left or 0
    per_day = round(used * (timedelta(days=1) / span))
    measured = Pace(used, span, per_day, left, last.as_of, _until(left, used, span, last.as_of))
    return measured if expiry is None or expiry <= now else _against(measured, expiry)


def _until(left: int, used: int, span: timedelta, start: datetime) -> datetime | None:
    """When `left` is gone at `used` bytes in `span`."""
    if left == 0:
        return start
    if used == 0 or left / used > FAR / span:
        return None
    return start + span * (left / used)


def _against(pace: Pace, expiry: datetime) -> Pace:
    """The measured pace held against an expiry that lies ahead."""
    ahead = expiry - pace.as_of
    expected = pace.used * (ahead / pace.span)
    if pace.left == 0 or expected > HEAVY * pace.left:
        use = Use.HEAVY
    else:
        use = Use.LIGHT if expected < LIGHT * pace.left else Use.NORMAL
    return replace(
        pace,
        to_expiry=ahead,
        afford=round(pace.left * (timedelta(days=1) / ahead)),
        unused=max(0, round(pace.left - expected)),
        use=use,
    )
