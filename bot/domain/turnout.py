"""What a group's posts brought, day by day (F44)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.zones import local_date


@dataclass(frozen=True, slots=True)
class Came:
    """Moments (UTC) at which people opened posts, saw their price, and paid."""

    opened: Sequence[datetime] = ()
    quoted: Sequence[datetime] = ()
    paid: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class Turnout:
    """So many each day of the group's zone, from `first` on; the three are of one length."""

    first: date
    opened: tuple[int, ...]
    quoted: tuple[int, ...]
    paid: tuple[int, ...]

    @property
    def days(self) -> list[date]:
        """The days."""
        return [self.first + timedelta(days=n) for n in range(len(self.opened))]

    @property
    def empty(self) -> bool:
        """Whether nobody came."""
        return not any((*self.opened, *self.quoted, *self.paid))


def turnout(came: Came, now: datetime, days: int, tz: ZoneInfo) -> Turnout:
    """The last `days` days of the zone, today with them."""
    first = local_date(now, tz) - timedelta(days=days - 1)

    def each(moments: Iterable[datetime]) -> tuple[int, ...]:
        counted = Counter((local_date(moment, tz) - first).days for moment in moments)
        return tuple(counted[day] for day in range(days))

    return Turnout(first, each(came.opened), each(came.quoted), each(came.paid))
