"""Groups and channels that sell: what the bot may do there, and who earns (F40-F45)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.money import Money


class Standing(StrEnum):
    """What the bot is in a group or channel."""

    ADMIN = "admin"
    MEMBER = "member"
    OUT = "out"  # removed, or never in it


class Approval(StrEnum):
    """Whether the operator lets a group post promos."""

    WAITING = "waiting"
    ALLOWED = "allowed"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Group:
    """A group or channel the bot is or was in. `id` is random and ours; Telegram's `chat_id`
    changes when a group becomes a supergroup."""

    id: str
    chat_id: int
    kind: str
    """Telegram's: group, supergroup, channel."""
    title: str
    standing: Standing
    can_post: bool
    """Whether the bot may send there: in a channel it needs the right."""
    approval: Approval
    language: str
    zone: str
    """IANA name, for times that its admins choose."""
    forum: bool = False
    username: str | None = None
    added_by: int | None = None
    greeted_at: datetime | None = None
    added_at: datetime | None = None
    former_id: int | None = None
    """Its chat id before it became a supergroup: the operator's file may still call it so."""

    @property
    def sells(self) -> bool:
        """Whether a promo may be posted there now."""
        return (
            self.approval is Approval.ALLOWED and self.standing is not Standing.OUT
            and self.can_post
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a forum, as far as the bot has seen it; `id` is Telegram's thread."""

    group_id: str
    id: int
    name: str
    closed: bool = False


class EarningKind(StrEnum):
    """Why a group's earnings changed."""

    EARNED = "earned"  # an order from its post was delivered
    TAKEN_BACK = "taken_back"  # that order's money went back
    PAID_OUT = "paid_out"


@dataclass(frozen=True, slots=True)
class Earning:
    """One row of what the posts of one person in one group earned: points, money, or both. Rows
    that take away are below zero. `key` names its cause and is written once for ever."""

    key: str
    kind: EarningKind
    group_id: str
    by: int
    """Who posted: the chat that is paid out."""
    at: datetime
    points: int = 0
    money: Money | None = None
    post_id: str | None = None
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What the posts of one person in one group earned and is not paid out. `rows` tells how many
    rows it is the sum of, so that nothing is paid out but what was looked at."""

    group_id: str
    by: int
    points: int
    money: tuple[Money, ...]
    rows: int
    paid_out: int = 0
    """How many of its rows are pay-outs."""

    @property
    def empty(self) -> bool:
        """Whether nothing is to be paid out."""
        return self.points <= 0 and not any(one.minor > 0 for one in self.money)
