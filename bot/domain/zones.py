"""Local time: days, hours and quiet hours of a zone, as moments in UTC.

Every change point that the reminders use is a whole minute, so that a tick anywhere within a
minute sees what a tick at its beginning sees. Quiet hours follow the clock on the wall: an hour
that comes twice in autumn is quiet twice, one that is left out in spring is quiet never.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


def zone(name: str) -> ZoneInfo:
    """The zone with that IANA name. Raises ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"not a time zone: {name!r}") from error


def is_zone(name: str) -> bool:
    """Whether `name` is an IANA zone that this machine knows."""
    try:
        zone(name)
    except ValueError:
        return False
    return True


def floor_minute(moment: datetime) -> datetime:
    """The beginning of the minute that `moment` lies in, UTC."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def ceil_minute(moment: datetime) -> datetime:
    """The first whole minute at or after `moment`, UTC."""
    floor = floor_minute(moment)
    return floor if floor == moment else floor + _MINUTE


def local_date(moment: datetime, tz: ZoneInfo) -> date:
    """The date on the wall at `moment`."""
    return moment.astimezone(tz).date()


def at_local(day: date, clock: time, tz: ZoneInfo) -> datetime:
    """The moment (UTC) at which the wall shows that day and time.

    A time that the zone leaves out moves forward by what is left out (a whole day too, where a
    zone skipped one); of a time that comes twice it is the first.
    """
    return datetime.combine(day, clock, tz).replace(fold=0).astimezone(UTC)


def day_start(day: date, tz: ZoneInfo) -> datetime:
    """The first moment (UTC) whose local date is `day` or, when the zone skips it, a later one."""
    start = at_local(day, time(0), tz)
    # Where midnight itself is left out, at_local lands later than the day's first moment.
    if start.astimezone(tz).replace(tzinfo=None) != datetime.combine(day, time(0)):
        return _shift(start - 2 * _DAY, start, tz) or start
    return start


def day_end(day: date, tz: ZoneInfo) -> datetime:
    """The last second (UTC) of that local day, so that its date shown locally is `day`."""
    return day_start(day + _DAY, tz) - timedelta(seconds=1)


def _shift(low: datetime, high: datetime, tz: ZoneInfo) -> datetime | None:
    """The moment in (low, high] at which the zone's offset changes; None when it does not."""
    new = high.astimezone(tz).utcoffset()
    if low.astimezone(tz).utcoffset() == new:
        return None
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(tz).utcoffset() == new:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _minutes(clock: time | datetime) -> int:
    """What the clock shows, in minutes since midnight."""
    return clock.hour * 60 + clock.minute


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local hours in which nothing is sent: from `start` up to, not including, `end`.

    They may cross midnight; equal ends mean that there are none. Seconds are ignored.
    """

    start: time
    end: time
    tz: ZoneInfo

    def cover(self, moment: datetime) -> bool:
        """Whether the wall clock at `moment` lies in the quiet hours."""
        start, end = _minutes(self.start), _minutes(self.end)
        wall = _minutes(moment.astimezone(self.tz))
        if start <= end:
            return start <= wall < end
        return wall >= start or wall < end

    def next_allowed(self, moment: datetime) -> datetime:
        """The first moment at or after `moment` that is not quiet."""
        while self.cover(moment):
            wait = (_minutes(self.end) * _MINUTE - self._wall(moment)) % _DAY
            until = moment + wait
            # The wall jumps on the way: look again from the jump on.
            moment = _shift(moment, until, self.tz) or until
        return moment

    def quiet_since(self, moment: datetime) -> datetime:
        """Where the quiet hours that cover `moment` began; `moment` when they do not cover it."""
        while self.cover(moment):
            passed = (self._wall(moment) - _minutes(self.start) * _MINUTE) % _DAY
            began = moment - passed
            jump = _shift(began, moment, self.tz)
            began = jump if jump is not None else began
            if not self.cover(began - _MINUTE):
                return began
            moment = began - _MINUTE
        return moment

    def _wall(self, moment: datetime) -> timedelta:
        local = moment.astimezone(self.tz)
        return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second,
                         microseconds=local.microsecond)  # fmt: skip
