"""Messages that the bot starts itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Protocol


class Priority(IntEnum):
    """Classes of the outbox; a smaller number is sent first. The numbers are stored."""

    PAYMENT = 10
    TOPUP = 20
    OPERATOR = 30
    REMINDER = 40
    ALERT = 50
    PROMO = 60
    BROADCAST = 70


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to be sent: what it is about, not its words; those are made when it is sent.

    `dedupe_key` is unique for ever. `edits` is the message that this one replaces.
    """

    kind: str
    chat_id: int
    dedupe_key: str
    priority: Priority
    data: Mapping[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None
    expires_at: datetime | None = None
    id: int | None = None
    tries: int = 0
    doubtful: bool = False
    """It was sent once without an answer: it may have arrived."""


class Outcome(StrEnum):
    """What became of one delivery."""

    SENT = "sent"
    DROPPED = "dropped"  # outdated when its turn came
    BLOCKED = "blocked"  # blocked, kicked, never met: recorded, reminders pause
    DEACTIVATED = "deactivated"  # the account is gone: recorded, reminders pause
    MIGRATED = "migrated"  # the group has a new id: recorded, sent there
    RETRY = "retry"  # certainly not delivered; again at `retry_at`
    AMBIGUOUS = "ambiguous"  # the answer was lost: it may have been delivered
    FAILED = "failed"  # refused for good; a defect to look at


@dataclass(frozen=True, slots=True)
class Delivery:
    """Outcome of one notice. With RETRY, `retry_at` (UTC) is when Telegram asks us to come back;
    with MIGRATED, `chat_id` is the group's new id."""

    outcome: Outcome
    message_id: int | None = None
    retry_at: datetime | None = None
    detail: str | None = None
    chat_id: int | None = None


@dataclass(slots=True, eq=False)
class Place:
    """The right to send one message of a class (`rank`), `used` once; `paid` for in Stars."""

    rank: int
    paid: bool = False
    used: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """Notices of one class that are in the outbox: waiting since `oldest` (UTC), or planned."""

    priority: Priority
    waiting: int
    planned: int
    oldest: datetime | None


class Messenger(Protocol):
    """Turns notices into messages."""

    async def deliver(self, notice: Notice, place: Place | None = None) -> Delivery:
        """Send one notice in its place, and say what became of it; never raises for Telegram's
        answers."""
        ...
