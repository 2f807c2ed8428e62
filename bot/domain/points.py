"""Points: earned by paid orders, spent on orders, in lots that expire (F21)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from bot.domain.days import add_months
from bot.domain.money import Money


class Effect(StrEnum):
    """Why points came or went."""

    EARNED = "earned"
    SPENT = "spent"
    RETURNED = "returned"
    TAKEN_BACK = "taken_back"
    EXPIRED = "expired"
    POSTED = "posted"  # what the person's posts in groups earned, paid out as points


@dataclass(frozen=True, slots=True)
class PointTerms:
    """How a shop gives points and takes them; both by currency, so that a currency that is not
    there earns and pays nothing."""

    earn: Mapping[str, Decimal] = field(default_factory=dict)
    """Points for one major unit that was paid."""
    worth: Mapping[str, Decimal] = field(default_factory=dict)
    """Major units that one point pays."""
    months: int = 12
    most_percent: Decimal = Decimal(50)
    """How much of an order's price they may pay."""


@dataclass(frozen=True, slots=True)
class PointEntry:
    """One row of the ledger: points that came (above 0) or went (below 0); times in UTC."""

    effect: Effect
    amount: int
    at: datetime
    order_id: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lot:
    """Points that came together and are still there."""

    seq: int
    left: int
    expires_at: datetime


def earned(due: Money, terms: PointTerms) -> int:
    """Whole points for an order of that price."""
    per_unit = terms.earn.get(due.currency, Decimal(0))
    return int((due.major * per_unit).to_integral_value(rounding=ROUND_FLOOR))


def gone(earned: int, returned: int, captured: int) -> int:
    """How many of the points that an order earned go once so much of its money went back, both in
    minor units: a fraction of a point stays with the customer."""
    return earned * min(returned, captured) // captured if captured > 0 else 0


def expiry(now: datetime, terms: PointTerms) -> datetime:
    """Until when points earned now can be spent."""
    return datetime.combine(add_months(now.date(), terms.months), now.timetz())


def usable(due: Money, balance: int, terms: PointTerms) -> tuple[int, Money] | None:
    """The most points that may pay for `due`, and what they pay; None when they pay nothing.

    What they pay is rounded down to the smallest unit, and no point is taken for nothing.
    """
    worth = terms.worth.get(due.currency)
    if worth is None or balance <= 0:
        return None
    share = int((due.minor * terms.most_percent / 100).to_integral_value(rounding=ROUND_FLOOR))
    cap = Money(min(share, due.minor - 1), due.currency)
    owned = Money.rounded(balance * worth, due.currency, ROUND_FLOOR)
    pays = min(owned, cap)
    if pays.minor <= 0:
        return None
    needed = int((pays.major / worth).to_integral_value(rounding=ROUND_CEILING))
    return needed, pays


def drawn(lots: Sequence[Lot], amount: int) -> tuple[tuple[int, int], ...] | None:
    """How many of which lot pay `amount`, in the given order; None when they are too few."""
    found = []
    for lot in lots:
        part = min(lot.left, amount)
        if part > 0:
            found.append((lot.seq, part))
            amount -= part
    return tuple(found) if amount <= 0 else None
