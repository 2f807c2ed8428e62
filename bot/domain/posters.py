"""What a post shows (F41): facts alone, so that a changed one can be told from an equal one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.promos import Promo, as_if, saving
from bot.domain.zones import day_start, local_date

COUNTED_DAYS = 7
"""So many days before its end a post counts them."""


@dataclass(frozen=True, slots=True)
class PosterLine:
    """One plan with its price before and after. None for both where any amount may be paid."""

    plan: Plan
    before: Money | None = None
    after: Money | None = None
    bigger: Plan | None = None
    """What is delivered in its place, at its price."""


@dataclass(frozen=True, slots=True)
class Poster:
    """Everything that a post's text tells. Times in UTC, shown in `zone`."""

    campaign_id: str
    version: int
    languages: tuple[str, ...]
    zone: str
    title: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[PosterLine, ...] = ()
    percent: Decimal = Decimal(0)
    """What the promo takes off, for lines without prices."""
    points: int = 0
    """Points that it adds to an order."""
    places: int | None = None
    """None where there is no limit."""
    ends_at: datetime | None = None
    days_left: int | None = None
    """Whole days after today, in its last days; 0 on the last one."""
    extra: str | None = None
    """The admin's own sentence."""
    ended: str | None = None
    """Why it can't be bought any more: over, gone, stopped, withdrawn, banned,
    not_allowed."""

    def mark(self) -> str:
        """Equal for equal posters, in every process."""
        # A moment may be written with another name of UTC; its number is the same.
        until = self.ends_at.timestamp() if self.ends_at is not None else None
        facts = f"{replace(self, ends_at=None)!r} {until}"
        return hashlib.sha256(facts.encode()).hexdigest()[:16]


def line(plan: Plan, promo: Promo, bigger: Plan | None) -> PosterLine:
    """A plan as the promo sells it; `bigger` is what the promo gives in its place, if it does."""
    if plan.price is None:
        return PosterLine(plan)
    left = max(plan.price.minor - saving(promo, plan.price).minor, 1)
    delivered = as_if(plan, bigger) if bigger is not None else None
    return PosterLine(plan, plan.price, Money(left, plan.price.currency), delivered)


def days_left(ends_at: datetime | None, now: datetime, tz: ZoneInfo) -> int | None:
    """Whole days of the zone between today and the last one; None unless these are few."""
    if ends_at is None or now >= ends_at:
        return None
    last = local_date(ends_at - timedelta(seconds=1), tz)
    days = (last - local_date(now, tz)).days
    return days if days < COUNTED_DAYS else None


def next_change(ends_at: datetime | None, now: datetime, tz: ZoneInfo) -> datetime | None:
    """When time alone changes what a post shows next; None when it never does."""
    if ends_at is None or now >= ends_at:
        return None
    today = local_date(now, tz)
    last = local_date(ends_at - timedelta(seconds=1), tz)
    first = max(today + timedelta(days=1), last - timedelta(days=COUNTED_DAYS - 1))
    return min(day_start(first, tz), ends_at)
