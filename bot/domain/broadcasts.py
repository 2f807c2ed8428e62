"""News that the shop writes to many customers at once (F46): to whom, in which words, how far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.chats import LANGUAGES
from bot.domain.money import Money
from bot.domain.sims import Sim

MOST_TEXT = 3500
"""Characters of a text; Telegram takes 4096."""
MOST_CAPTION = 1000
"""The same under a picture, of which Telegram takes 1024."""
PAID_WITHIN = timedelta(days=7)
"""An order paid so soon after a tap on the news counts as brought by it."""
_NEAREST = {"zh_Hans": ("zh_Hant", "en"), "zh_Hant": ("zh_Hans", "en")}


class BroadcastState(StrEnum):
    """Where a broadcast stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"  # by a person; a draft was thrown away


BROADCAST: Mapping[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.DRAFT: frozenset({BroadcastState.SCHEDULED, BroadcastState.STOPPED}),
    BroadcastState.SCHEDULED: frozenset(
        {BroadcastState.DRAFT, BroadcastState.RUNNING, BroadcastState.STOPPED}
    ),
    BroadcastState.RUNNING: frozenset(
        {BroadcastState.PAUSED, BroadcastState.DONE, BroadcastState.STOPPED}
    ),
    BroadcastState.PAUSED: frozenset({BroadcastState.RUNNING, BroadcastState.STOPPED}),
    BroadcastState.DONE: frozenset(),
    BroadcastState.STOPPED: frozenset(),
}
"""The moves of a broadcast."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Whom a broadcast is for. What is left out does not narrow it; all that is given has to hold.

    Carriers and `ends` are said of one and the same SIM. Who has blocked the bot or wants no news
    is in no segment.
    """

    languages: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    ends: tuple[int, int] | None = None
    """A SIM of theirs ends between so many days from now; days that have passed are below zero."""
    bought: bool | None = None
    """Whether they have ever paid for an order that was not refunded."""
    spent_least: Money | None = None
    spent_most: Money | None = None
    """On such orders in that currency, all together."""
    idle_days: int | None = None
    """They have paid for nothing for so many days, and are known for as long."""
    group_id: str | None = None
    """They have opened a post of that group."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast. Times in UTC."""

    id: str
    version: int
    """Grows with every change of a draft: what was confirmed is what is sent."""
    by: int
    """The operator whose chat shows how far it is."""
    state: BroadcastState
    created_at: datetime
    segment: Segment = Segment()
    texts: Mapping[str, str] = field(default_factory=dict)
    """HTML by language."""
    photo: str | None = None
    """Telegram's id of the picture."""
    renew: bool = True
    """Whether a button below leads to renewing."""
    start_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cursor: int = 0
    """The last chat that was written down; chats are gone through by their ids."""
    taken: bool = False
    """Everybody of the segment has been written down."""
    people: int = 0
    """How many it was for when it began."""
    message_id: int | None = None
    """The message that shows how far it is."""
    told_at: datetime | None = None
    tellings: int = 0
    shown: int = 0
    """How many it had reached when that message was last told to change."""


class Reached(StrEnum):
    """What became of the news for one person; once it is over, the word of the outbox."""

    WAITING = "waiting"  # for their quiet hours to end, or for their turn
    QUEUED = "queued"  # in the outbox
    SENT = "sent"
    UNSURE = "ambiguous"  # sent without an answer: it may be there; never sent again
    BLOCKED = "blocked"
    DEACTIVATED = "deactivated"
    DROPPED = "dropped"  # they wanted no more news, or it was stopped
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of one broadcast. Its random `id` is all that their buttons carry."""

    id: str
    broadcast_id: str
    chat_id: int
    state: Reached
    due_at: datetime
    """Not before then (UTC)."""
    outbox_id: int | None = None
    settled_at: datetime | None = None
    clicked_at: datetime | None = None
    left_at: datetime | None = None
    """When they turned news off by it."""


@dataclass(frozen=True, slots=True)
class Report:
    """How far a broadcast is and what came of it."""

    by_state: Mapping[Reached, int] = field(default_factory=dict)
    clicked: int = 0
    left: int = 0
    paid: int = 0
    """Orders."""
    amounts: Mapping[str, int] = field(default_factory=dict)
    """What stayed of their money: minor units by currency."""

    def count(self, *states: Reached) -> int:
        """How many people are in one of these states."""
        return sum(self.by_state.get(state, 0) for state in states)

    @property
    def over(self) -> int:
        """People for whom it is over, one way or another."""
        return sum(self.by_state.values()) - self.count(Reached.WAITING, Reached.QUEUED)


def text_for(texts: Mapping[str, str], language: str) -> tuple[str, str] | None:
    """The text that a reader of that language gets, with the language it is in; None without any.

    Chinese falls back to the other Chinese first, everything else to English.
    """
    for one in (language, *_NEAREST.get(language, ("en",)), *LANGUAGES):
        if texts.get(one):
            return one, texts[one]
    return None


def has(segment: Segment, sim: Sim, now: datetime) -> bool:
    """Whether the segment is about this SIM, as far as it is about SIMs."""
    if segment.carriers and sim.carrier not in segment.carriers:
        return False
    if segment.ends is None:
        return True
    first, last = (now + timedelta(days=day) for day in segment.ends)
    return sim.end is not None and first <= sim.end <= last


def longest(broadcast: Broadcast) -> int:
    """How long its texts may be."""
    return MOST_CAPTION if broadcast.photo is not None else MOST_TEXT
