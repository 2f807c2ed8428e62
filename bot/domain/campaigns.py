"""Campaigns that groups post, and when (F40-F42). A discount is always one of the shop's promos."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.zones import at_local, local_date

PLACEHOLDERS = ("plan", "before", "after", "saving", "places", "until", "shop")
"""What a campaign's text may name in braces; filled in from the store when it is shown."""
MOST_EXTRA = 200
"""Characters of an admin's own sentence."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_MONTHS_TRIED = 48


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign of the operator's file. `id` is its name there; times in UTC.

    Window, places and the limit for one person are those of its promo.
    """

    id: str
    version: int
    promo: str
    """The promo's id; it holds only for who comes from a post."""
    plans: tuple[str, ...]
    """Codes of the plans it shows, the first one foremost."""
    title: Mapping[str, str]
    texts: Mapping[str, str]
    """By language, with placeholders."""
    picture: str | None = None
    """Name of the picture that was read with the file."""
    groups: tuple[int, ...] = ()
    """Chat ids that may post it; empty for every group that the operator allowed."""
    most_posts: int = 3
    """So many posts in one group within `within`, and `cooldown` between any two."""
    within: timedelta = timedelta(days=7)
    cooldown: timedelta = timedelta(hours=12)
    earns_points: int = 0
    earns_percent: Decimal = Decimal(0)
    """What the one who posted earns of each delivered order: points, or percent of the price."""
    new_per_day: int | None = None
    """How many people who never bought before may use it in 24 hours."""
    active: bool = True


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and is none of PLACEHOLDERS."""
    return [name for name in _BRACES.findall(text) if name not in PLACEHOLDERS]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in; one without a value vanishes."""
    return _BRACES.sub(lambda found: values.get(found.group(1), ""), text)


class Repeat(StrEnum):
    """How often something is posted."""

    ONCE = "once"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Timing:
    """When to post, by the wall clock of `zone` (IANA name).

    ONCE and DATES name `dates`; WEEKLY `weekdays` (0 is Monday); MONTHLY the `day` of the month,
    its last one where the month is shorter. Each at `clock`.
    """

    repeat: Repeat
    clock: time
    zone: str
    dates: tuple[date, ...] = ()
    weekdays: tuple[int, ...] = ()
    day: int = 1


def next_turn(timing: Timing, after: datetime) -> datetime | None:
    """The first moment (UTC) later than `after`; None when there is no further one.

    An hour that the zone leaves out moves forward; of one that comes twice it is the first.
    """
    tz = ZoneInfo(timing.zone)
    for day in _days(timing, local_date(after, tz)):
        moment = at_local(day, timing.clock, tz)
        if moment > after:
            return moment
    return None


def _days(timing: Timing, first: date) -> Sequence[date]:
    # From the day before: in another zone's sense a moment may still lie ahead.
    start = first - timedelta(days=1)
    if timing.repeat is Repeat.WEEKLY:
        ahead = (start + timedelta(days=n) for n in range(16))
        return [day for day in ahead if day.weekday() in timing.weekdays]
    if timing.repeat is Repeat.MONTHLY:
        return [_in_month(start, n, timing.day) for n in range(_MONTHS_TRIED)]
    return sorted(timing.dates)


def _in_month(start: date, months: int, day: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return date(year, month + 1, min(day, last))


class PostingState(StrEnum):
    """A wish to post, once or again and again."""

    ACTIVE = "active"
    PAUSED = "paused"  # by its admin
    HELD = "held"  # rights were lost, the group closed, the cap is reached: with a reason
    DONE = "done"
    STOPPED = "stopped"  # withdrawn


POSTING: Mapping[PostingState, frozenset[PostingState]] = {
    PostingState.ACTIVE: frozenset(
        {PostingState.PAUSED, PostingState.HELD, PostingState.DONE, PostingState.STOPPED}
    ),
    PostingState.PAUSED: frozenset({PostingState.ACTIVE, PostingState.STOPPED}),
    PostingState.HELD: frozenset({PostingState.ACTIVE, PostingState.STOPPED}),
    PostingState.DONE: frozenset(),
    PostingState.STOPPED: frozenset(),
}
"""The moves of a posting."""


@dataclass(frozen=True, slots=True)
class Posting:
    """What an admin decided to post: one campaign in one group. `extra` is their own sentence,
    `by` their user id."""

    id: str
    campaign_id: str
    group_id: str
    by: int
    languages: tuple[str, ...]
    timing: Timing
    state: PostingState
    created_at: datetime
    thread_id: int | None = None
    extra: str | None = None
    picture: bool = True
    pin: bool = False
    next_at: datetime | None = None
    """When the next post is due (UTC)."""
    turn: int = 0
    """How many posts it has made."""
    reason: str | None = None


class PostState(StrEnum):
    """One message in a group."""

    QUEUED = "queued"  # in the outbox
    POSTED = "posted"
    UNSURE = "unsure"  # sent without an answer: it may be there; never sent again
    ENDED = "ended"  # its text says so
    FAILED = "failed"


POST: Mapping[PostState, frozenset[PostState]] = {
    PostState.QUEUED: frozenset(
        {PostState.POSTED, PostState.UNSURE, PostState.FAILED, PostState.ENDED}
    ),
    PostState.POSTED: frozenset({PostState.ENDED}),
    PostState.UNSURE: frozenset({PostState.POSTED, PostState.ENDED}),
    PostState.ENDED: frozenset(),
    # An answer that comes late all the same: it was there.
    PostState.FAILED: frozenset({PostState.POSTED, PostState.UNSURE}),
}
"""The moves of a post."""

OPEN_POSTS = frozenset({PostState.QUEUED, PostState.POSTED, PostState.UNSURE})
"""Posts whose link still sells."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post. Its random `id` is all that its button carries.

    `shown` is the mark of the text last sent; `look_at` when the text is to be compared with the
    truth again (UTC).
    """

    id: str
    posting_id: str
    turn: int
    campaign_id: str
    group_id: str
    by: int
    state: PostState
    created_at: datetime
    message_id: int | None = None
    photo: bool = False
    """Whether the message is a picture with a caption."""
    pinned: bool = False
    to_pin: bool = False
    """Whether it is wished to be pinned and that has not been tried yet."""
    shown: str | None = None
    edits: int = 0
    """How many edits of it were settled; at most one is on its way."""
    edited_at: datetime | None = None
    look_at: datetime | None = None
    posted_at: datetime | None = None
    ended_at: datetime | None = None
    end: str | None = None
    """Why it ended: over, stopped, withdrawn, banned, not_allowed, deleted. One without places left
    only says so, and opens again when a place comes back."""


@dataclass(frozen=True, slots=True)
class PostCounts:
    """What became of a post: people who opened it, got a price, orders paid, money that stayed
    by currency (refunds subtracted)."""

    opened: int = 0
    quoted: int = 0
    paid: int = 0
    amounts: Mapping[str, int] = field(default_factory=dict)
    """Minor units by currency."""
