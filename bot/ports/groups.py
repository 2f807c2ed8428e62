"""The database, continued: groups, campaigns, posts, who came from them, what they earned; and
what Telegram says about rights in a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.campaigns import Campaign, Post, PostCounts, Posting, PostingState, PostState
from bot.domain.groups import Account, Earning, Group, Topic
from bot.domain.turnout import Came


class Groups(Protocol):
    async def add(self, group: Group) -> Group:
        """Save it; the stored one where its chat is known already."""
        ...

    async def get(self, group_id: str) -> Group | None: ...
    async def by_chat(self, chat_id: int) -> Group | None: ...
    async def all(self) -> list[Group]:
        """Oldest first."""
        ...

    async def of_admin(self, user_id: int) -> list[Group]:
        """Those where this person was last seen to be an admin: to be asked about, no proof."""
        ...

    async def set(self, group_id: str, **changes: Any) -> None: ...
    async def migrate(self, old: int, new: int) -> None:
        """The chat has another id; harmless when it is told twice."""
        ...

    async def admins(self, group_id: str, user_ids: Sequence[int]) -> None:
        """Remember who its admins were when Telegram was asked last."""
        ...

    async def topics(self, group_id: str) -> list[Topic]: ...
    async def topic(self, topic: Topic) -> None:
        """Save or change one."""
        ...


class Campaigns(Protocol):
    async def get(self, campaign_id: str) -> Campaign | None:
        """Stopped ones too."""
        ...

    async def all(self, *, active: bool = True) -> list[Campaign]:
        """In the order of the operator's file."""
        ...

    async def apply(self, campaigns: Sequence[Campaign], pictures: Mapping[str, bytes]) -> None:
        """Make these the campaigns: new and changed ones saved, others stopped."""
        ...

    async def stop(self, campaign_id: str) -> bool:
        """False when it was stopped before."""
        ...

    async def picture(self, campaign_id: str) -> tuple[bytes | None, str | None]:
        """Its picture, and Telegram's id of it once it was sent."""
        ...

    async def keep_file(self, campaign_id: str, file_id: str | None) -> None: ...


class Posts(Protocol):
    """Postings (wishes) and the messages they made. A `move` is a compare-and-set."""

    async def plan(self, posting: Posting, update_id: int | None) -> Posting:
        """Save it; a replay of the same update gets the one that the first run saved."""
        ...

    async def planned(self, update_id: int) -> Posting | None:
        """What that update saved."""
        ...

    async def posting(self, posting_id: str) -> Posting | None: ...
    async def postings_of(self, group_id: str) -> list[Posting]:
        """Newest first."""
        ...

    async def postings_by(self, user_id: int) -> list[Posting]:
        """Newest first."""
        ...

    async def due(self, now: datetime, limit: int) -> list[Posting]:
        """Active ones whose next_at has come."""
        ...

    async def next_due(self) -> datetime | None: ...
    async def take_turn(self, posting_id: str, turn: int, next_at: datetime) -> bool:
        """This turn is made now, the next one then; False when it was made before, or the posting
        is not active any more."""
        ...

    async def set_posting(self, posting_id: str, **changes: Any) -> None: ...
    async def move_posting(
        self,
        posting_id: str,
        old: PostingState,
        new: PostingState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...

    async def add(self, post: Post) -> bool:
        """False when its posting has made one for that turn."""
        ...

    async def get(self, post_id: str) -> Post | None: ...
    async def of_posting(self, posting_id: str) -> list[Post]:
        """Newest first."""
        ...

    async def of_group(self, group_id: str, since: datetime) -> list[Post]:
        """Made since then, newest first."""
        ...

    async def open_of(self, campaign_id: str) -> list[Post]:
        """Posts of a campaign whose link still sells."""
        ...

    async def standing(self, campaign_id: str) -> int:
        """How many of them there are."""
        ...

    async def to_look_at(self, now: datetime, limit: int) -> list[Post]: ...
    async def next_look(self) -> datetime | None: ...
    async def touch(
        self,
        now: datetime,
        *,
        campaign_id: str | None = None,
        group_id: str | None = None,
        posting_id: str | None = None,
    ) -> None:
        """Look now at the open posts of a campaign, a group, a posting."""
        ...

    async def set(self, post_id: str, **changes: Any) -> None: ...
    async def move(
        self,
        post_id: str,
        old: PostState,
        new: PostState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...

    # Who came from a post.

    async def visit(self, post_id: str, chat_id: int, at: datetime) -> None:
        """The person opened it; the first time counts."""
        ...

    async def quoted(self, post_id: str, chat_id: int, at: datetime) -> None: ...
    async def counts(self, post_ids: Sequence[str]) -> Mapping[str, PostCounts]: ...
    async def came(self, group_id: str, since: datetime) -> Came:
        """When people opened the group's posts, saw a price and paid; orders whose money went
        back are left out."""
        ...

    async def new_buyers(self, campaign_id: str, since: datetime, besides: int = 0) -> int:
        """People, other than `besides`, who had never paid before and ordered since then from
        its posts."""
        ...


class Earnings(Protocol):
    """What posts earned, and what of it was paid out."""

    async def add(self, earning: Earning) -> bool:
        """False when its key was written before."""
        ...

    async def of_order(self, order_id: str) -> list[Earning]:
        """Oldest first."""
        ...

    async def accounts(self, group_id: str | None = None, by: int | None = None) -> list[Account]:
        """What is not paid out, of all or of one group or person; the oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Rights:
    """What Telegram says of a chat: its admins' user ids (bots left out), and what our bot may
    do there."""

    admins: frozenset[int]
    posts: bool
    """Whether the bot may send messages there."""
    pins: bool = False
    is_admin: bool = False


class Rooms(Protocol):
    """Groups and channels as Telegram sees them now. Raises RoomsUnavailable when it can't be
    asked; None where the bot is not (any more)."""

    async def rights(self, chat_id: int, *, fresh: bool = False) -> Rights | None:
        """Asked at most every five minutes, unless it has to be `fresh`."""
        ...

    async def pin(self, chat_id: int, message_id: int, *, on: bool = True) -> bool:
        """Pin a message of ours without ringing, or unpin it; False when Telegram refuses."""
        ...


class RoomsUnavailable(Exception):
    """Telegram did not answer: nobody knows now."""
