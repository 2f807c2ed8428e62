"""What groups post, and who came from it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.campaigns import (
    OPEN_POSTS,
    POST,
    POSTING,
    Post,
    PostCounts,
    Posting,
    PostingState,
    PostState,
)
from bot.domain.orders import OrderState
from bot.domain.turnout import Came
from bot.store.rows import Shape, insert_new, move
from bot.store.tables import group_postings, orders, payments, posts, visits

_POSTING = Shape(group_postings, Posting)
_POST = Shape(posts, Post)
_POSTING_FIXED = frozenset({"id", "state", "group_id", "by", "campaign_id", "created_at"})
_POST_FIXED = frozenset({"id", "state", "posting_id", "turn", "campaign_id", "group_id", "by"})
_POSTINGS = select(*_POSTING.columns)
_POSTS = select(*_POST.columns)
_PC, _OC, _VC = group_postings.c, posts.c, visits.c


class PostRows:
    """Implements `ports.Posts`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    # ---- wishes ----------------------------------------------------------------------------

    async def plan(self, posting: Posting, update_id: int | None) -> Posting:
        """Save it; a replay of the same update gets the one that the first run saved."""
        values = _POSTING.dump(posting) | {"update_id": update_id}
        if await insert_new(self._conn, group_postings, values):
            return posting
        found = await self.planned(update_id) if update_id is not None else None
        if found is None:
            raise ValueError(f"posting {posting.id} is saved already, by another update")
        return found

    async def planned(self, update_id: int) -> Posting | None:
        """What that update saved."""
        found = await self._postings(_POSTINGS.where(_PC.update_id == update_id))
        return found[0] if found else None

    async def posting(self, posting_id: str) -> Posting | None:
        """The wish, ended ones too."""
        found = await self._postings(_POSTINGS.where(_PC.id == posting_id))
        return found[0] if found else None

    async def postings_of(self, group_id: str) -> list[Posting]:
        """Newest first."""
        mine = _POSTINGS.where(_PC.group_id == group_id)
        return await self._postings(mine.order_by(_PC.seq.desc()))

    async def postings_by(self, user_id: int) -> list[Posting]:
        """Newest first."""
        return await self._postings(_POSTINGS.where(_PC.by == user_id).order_by(_PC.seq.desc()))

    async def due(self, now: datetime, limit: int) -> list[Posting]:
        """Active ones whose next_at has come."""
        ripe = _POSTINGS.where(_PC.next_at <= now, _PC.state == PostingState.ACTIVE)
        return await self._postings(ripe.order_by(_PC.next_at).limit(limit))

    async def next_due(self) -> datetime | None:
        """When the next active one is due."""
        active = _PC.state == PostingState.ACTIVE
        found: datetime | None = await self._conn.scalar(
            select(_PC.next_at)
            .where(active, _PC.next_at.is_not(None))
            .order_by(_PC.next_at)
            .limit(1)
        )
        return found

    async def take_turn(self, posting_id: str, turn: int, next_at: datetime) -> bool:
        """See `ports.Posts`: a compare-and-set, which also holds up who moves the posting."""
        mine = (_PC.id == posting_id, _PC.turn == turn, _PC.state == PostingState.ACTIVE)
        values = {"turn": turn + 1, "next_at": next_at}
        done = await self._conn.execute(update(group_postings).where(*mine).values(values))
        return done.rowcount == 1

    async def set_posting(self, posting_id: str, **changes: Any) -> None:
        """Change what is not its state. Raises ValueError for unknown names."""
        values = _POSTING.changes(changes, _POSTING_FIXED)
        here = update(group_postings).where(_PC.id == posting_id)
        await self._conn.execute(here.values(values))

    async def move_posting(
        self, posting_id: str, old: PostingState, new: PostingState, reason: str, at: datetime,
        **changes: Any,
    ) -> bool:  # fmt: skip
        """See `rows.move`; `actor` among the changes says who did it, "bot" when left out."""
        actor = changes.pop("actor", "bot")
        values = _POSTING.changes({"reason": reason, **changes}, _POSTING_FIXED)
        return await move(
            self._conn, group_postings, "posting", POSTING, posting_id, old, new, reason, at,
            actor, values,
        )  # fmt: skip

    # ---- messages --------------------------------------------------------------------------

    async def add(self, post: Post) -> bool:
        """False when its posting has made one for that turn."""
        return await insert_new(self._conn, posts, _POST.dump(post))

    async def get(self, post_id: str) -> Post | None:
        """The post, ended ones too."""
        found = await self._posts(_POSTS.where(_OC.id == post_id))
        return found[0] if found else None

    async def of_posting(self, posting_id: str) -> list[Post]:
        """Newest first."""
        mine = _POSTS.where(_OC.posting_id == posting_id)
        return await self._posts(mine.order_by(_OC.seq.desc()))

    async def of_group(self, group_id: str, since: datetime) -> list[Post]:
        """Made since then, newest first."""
        mine = _POSTS.where(_OC.group_id == group_id, _OC.created_at >= since)
        return await self._posts(mine.order_by(_OC.seq.desc()))

    async def open_of(self, campaign_id: str) -> list[Post]:
        """Posts of a campaign whose link still sells."""
        mine = _POSTS.where(_OC.campaign_id == campaign_id, _OC.state.in_(sorted(OPEN_POSTS)))
        return await self._posts(mine.order_by(_OC.seq))

    async def standing(self, campaign_id: str) -> int:
        """How many of them there are."""
        mine = (_OC.campaign_id == campaign_id, _OC.state.in_(sorted(OPEN_POSTS)))
        found = await self._conn.scalar(select(func.count()).select_from(posts).where(*mine))
        return int(found or 0)

    async def to_look_at(self, now: datetime, limit: int) -> list[Post]:
        """Those whose text may be outdated, the longest due first."""
        ripe = _POSTS.where(_OC.look_at <= now).order_by(_OC.look_at).limit(limit)
        return await self._posts(ripe)

    async def next_look(self) -> datetime | None:
        """When the next one is to be looked at."""
        found: datetime | None = await self._conn.scalar(
            select(_OC.look_at).where(_OC.look_at.is_not(None)).order_by(_OC.look_at).limit(1)
        )
        return found

    async def touch(
        self, now: datetime, *, campaign_id: str | None = None, group_id: str | None = None,
        posting_id: str | None = None,
    ) -> None:  # fmt: skip
        """Look now at the open posts of a campaign, a group, a posting. Raises ValueError when
        none of them is named."""
        wanted = {_OC.campaign_id: campaign_id, _OC.group_id: group_id, _OC.posting_id: posting_id}
        where = [column == value for column, value in wanted.items() if value is not None]
        if not where:
            raise ValueError("say whose posts")
        where.append(_OC.state.in_(sorted(OPEN_POSTS)))
        if self._conn.dialect.name == "sqlite":
            # One writer: nobody is looking at those that are due. With several somebody may be,
            # and has read what was true before: they have to be due again after that.
            where.append(_OC.look_at.is_(None) | (_OC.look_at > now))
        else:
            # By their ids, as whoever records how several edits ended: two who want the same
            # posts then never wait for each other.
            mine = select(_OC.id).where(*where).order_by(_OC.id)
            await self._conn.execute(mine.with_for_update(key_share=True))
        await self._conn.execute(update(posts).where(*where).values(look_at=now))

    async def set(self, post_id: str, **changes: Any) -> None:
        """Change what is not its state. Raises ValueError for unknown names."""
        values = _POST.changes(changes, _POST_FIXED)
        await self._conn.execute(update(posts).where(_OC.id == post_id).values(values))

    async def move(
        self, post_id: str, old: PostState, new: PostState, reason: str, at: datetime,
        **changes: Any,
    ) -> bool:  # fmt: skip
        """See `rows.move`; `actor` among the changes says who did it, "bot" when left out."""
        actor = changes.pop("actor", "bot")
        values = _POST.changes(changes, _POST_FIXED)
        return await move(
            self._conn, posts, "post", POST, post_id, old, new, reason, at, actor, values
        )

    # ---- who came --------------------------------------------------------------------------

    async def visit(self, post_id: str, chat_id: int, at: datetime) -> None:
        """The person opened it; the first time counts."""
        values = {"post_id": post_id, "chat_id": chat_id, "opened_at": at}
        await insert_new(self._conn, visits, values)

    async def quoted(self, post_id: str, chat_id: int, at: datetime) -> None:
        """The person was shown a price; the first time counts."""
        here = (_VC.post_id == post_id, _VC.chat_id == chat_id, _VC.quoted_at.is_(None))
        await self._conn.execute(update(visits).where(*here).values(quoted_at=at))

    async def counts(self, post_ids: Sequence[str]) -> Mapping[str, PostCounts]:
        """Opened, quoted, paid, and what stayed of the money; one for each id."""
        came = await self._conn.execute(
            select(_VC.post_id, func.count(), func.count(_VC.quoted_at))
            .where(_VC.post_id.in_(post_ids))
            .group_by(_VC.post_id)
        )
        opened = {post_id: (one, other) for post_id, one, other in came}
        paid, amounts = await self._paid(post_ids)
        return {
            post_id: PostCounts(*opened.get(post_id, (0, 0)), paid[post_id], amounts[post_id])
            for post_id in post_ids
        }

    async def _paid(
        self, post_ids: Sequence[str]
    ) -> tuple[Mapping[str, int], Mapping[str, Mapping[str, int]]]:
        """Orders that kept money, and how much of it, by post."""
        kept = payments.c.captured_minor - payments.c.going_back
        rows = await self._conn.execute(
            select(
                orders.c.post_id,
                payments.c.captured_currency,
                func.count(func.distinct(orders.c.id)),
                func.sum(kept),
            )
            .join(payments, payments.c.order_id == orders.c.id)
            .where(orders.c.post_id.in_(post_ids), payments.c.captured_at.is_not(None), kept > 0)
            .group_by(orders.c.post_id, payments.c.captured_currency)
        )
        paid: defaultdict[str, int] = defaultdict(int)
        amounts: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for post_id, currency, count, minor in rows:
            paid[post_id] += count
            amounts[post_id][currency] = int(minor)
        return paid, amounts

    async def came(self, group_id: str, since: datetime) -> Came:
        """When people opened the group's posts, saw a price and paid; orders whose money went
        back are left out."""
        here = select(_OC.id).where(_OC.group_id == group_id)
        kept = payments.c.captured_minor > payments.c.going_back
        with_us = select(payments.c.order_id).where(kept)
        asked = (
            select(_VC.opened_at).where(_VC.post_id.in_(here), _VC.opened_at >= since),
            select(_VC.quoted_at).where(_VC.post_id.in_(here), _VC.quoted_at >= since),
            select(orders.c.paid_at).where(
                orders.c.post_id.in_(here), orders.c.paid_at >= since, orders.c.id.in_(with_us)
            ),
        )
        return Came(*[list(await self._conn.scalars(one)) for one in asked])

    async def new_buyers(self, campaign_id: str, since: datetime, besides: int = 0) -> int:
        """People, other than `besides`, whose first paid order, or one that waits for money, was
        made since then from the campaign's posts."""
        earlier = orders.alias("earlier")
        before = (
            select(earlier.c.id)
            .where(
                earlier.c.chat_id == orders.c.chat_id,
                earlier.c.paid_at.is_not(None),
                earlier.c.seq < orders.c.seq,
            )
            .exists()
        )
        gone = (OrderState.EXPIRED, OrderState.CANCELLED, OrderState.REFUNDED)
        found = await self._conn.scalar(
            select(func.count(func.distinct(orders.c.chat_id)))
            .join(posts, posts.c.id == orders.c.post_id)
            .where(
                posts.c.campaign_id == campaign_id,
                orders.c.created_at >= since,
                orders.c.chat_id != besides,
                orders.c.state.not_in(gone),
                ~before,
            )
        )
        return int(found or 0)

    async def _postings(self, statement: Select[*tuple[Any, ...]]) -> list[Posting]:
        return [_POSTING.load(row) for row in await self._conn.execute(statement)]

    async def _posts(self, statement: Select[*tuple[Any, ...]]) -> list[Post]:
        return [_POST.load(row) for row in await self._conn.execute(statement)]
