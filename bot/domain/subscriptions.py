"""Payments that come again by themselves."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Recurring:
    """What a charge says of the subscription that it pays.

    `first`: it began the subscription, whose name at Telegram is this charge's id from then on.
    `until` (UTC) is when the next charge is due; None where Telegram does not tell.
    """

    first: bool
    until: datetime | None
