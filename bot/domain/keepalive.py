"""Self-tracked lines: from the last top-up and a rule to the dates that matter.

A line lives to the end of a local day in its owner's zone. The rules are the customer's or a rule
pack's (product F36); nothing about any carrier is written here.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain.days import DayProblem, parse_day, parse_days
from bot.domain.sims import KeepRule
from bot.domain.zones import day_end, zone

__all__ = ["Dates", "DayProblem", "dates_after", "dates_until", "parse_day", "parse_days"]


@dataclass(frozen=True, slots=True)
class Dates:
    """Last moments (UTC) of the validity and of the grace period.

    `grace_end` is None when nobody knows it, and equals `expiry` when there is no grace.
    """

    expiry: datetime
    grace_end: datetime | None


def dates_after(activity: date, rule: KeepRule, zone_name: str) -> Dates:
    """Dates of a line last topped up or used on `activity`, a local day of the zone."""
    return dates_until(activity + timedelta(days=rule.validity_days), rule.grace_days, zone_name)


def dates_until(last_day: date, grace_days: int | None, zone_name: str) -> Dates:
    """Dates of a line that is valid until the end of `last_day`, a local day of the zone."""
    tz = zone(zone_name)
    if grace_days is None:
        return Dates(day_end(last_day, tz), None)
    return Dates(day_end(last_day, tz), day_end(last_day + timedelta(days=grace_days), tz))
