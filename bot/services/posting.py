"""Posting campaigns in groups (F40-F42): planned by an admin, made when due, at most once a turn.

    wish ──► rights asked ──► posting saved ──► [now] post + outbox row in the same transaction
                                    │
                                    └──► [later, repeating] `turns`: rights asked again, then
                                         post + next turn + outbox row in one transaction

Who may do what is in `posting_rules`; what becomes of a post that is out, in `looks`.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.campaigns import (
    OPEN_POSTS,
    POSTING,
    Post,
    Posting,
    PostingState,
    PostState,
    Timing,
    next_turn,
)
from bot.domain.groups import Group
from bot.domain.posters import Poster
from bot.ports import Clock, Rights, Rooms, RoomsUnavailable, Store, Tx
from bot.services import posting_rules as rules
from bot.services.ids import new_id
from bot.services.posters import offered_now, poster_of
from bot.services.posting_rules import Choice, Wish
from bot.services.selling import Refused
from bot.services.turns import make
from bot.services.work import Worker


class Postings:
    """What admins post. Reasons of Refused, wherever a person asks for something:

    unknown, rooms_away (Telegram can't be asked: try again), not_admin, group_waiting,
    group_banned, cannot_post, bot_out, cannot_pin, campaign_over, campaign_stopped,
    campaign_early, campaign_gone, ends_before, topic_closed, cap_reached, cooldown, extra_too_long,
    extra_private, in_past, too_many, person_banned, not_waiting (it has ended, or is not in a
    state for that).
    """

    def __init__(self, store: Store, clock: Clock, rooms: Rooms) -> None:
        self._store = store
        self._clock = clock
        self._rooms = rooms
        self.rings: list[Worker] = []
        """The outbox, the turns, and who looks at posts."""

    # ---- choosing ------------------------------------------------------------------------

    async def offered(self, group: Group) -> list[Choice]:
        """The running campaigns that this group may post; why one can't be posted now."""
        async with self._store.read() as tx:
            return await rules.choices(tx, group, self._clock.now())

    async def preview(self, wish: Wish) -> tuple[Poster, bytes | None]:
        """What the post would show, and its picture. Raises Refused unknown."""
        async with self._store.read() as tx:
            group = await tx.groups.get(wish.group_id)
            campaign = await tx.campaigns.get(wish.campaign_id)
            if group is None or campaign is None:
                raise Refused("unknown")
            now = self._clock.now()
            offered = await offered_now(tx, campaign, now)
            extra = rules.said(wish.extra)
            picture = (await tx.campaigns.picture(campaign.id))[0] if wish.picture else None
            return poster_of(offered, group, wish.languages, extra, now), picture

    # ---- planning ------------------------------------------------------------------------

    async def plan(self, wish: Wish, update_id: int) -> Posting:
        """Post it now, or save when to; a replay of the update gets what the first run saved.

        Raises Refused.
        """
        async with self._store.read() as tx:
            known = await tx.posts.planned(update_id)
            group = await tx.groups.get(wish.group_id)
        if known is not None:
            return known
        if group is None:
            raise Refused("unknown")
        rights = await self._asked(group)
        async with self._store.write() as tx:
            posting = await self._planned(tx, wish, rights, update_id)
        self._ring()
        return posting

    async def _planned(self, tx: Tx, wish: Wish, rights: Rights | None, update_id: int) -> Posting:
        now = self._clock.now()
        group = await tx.groups.get(wish.group_id)
        campaign = await tx.campaigns.get(wish.campaign_id)
        if group is None or campaign is None:
            raise Refused("unknown")
        group = await rules.noted(tx, group, rights)
        extra = rules.said(wish.extra)
        if (reason := rules.unfit(extra)) is not None:
            raise Refused(reason)
        timing = wish.timing or rules.once(now, group.zone)
        first = next_turn(timing, now) if wish.timing is not None else None
        posting = await tx.posts.plan(
            Posting(
                id=new_id(),
                campaign_id=campaign.id,
                group_id=group.id,
                by=wish.by,
                languages=wish.languages,
                timing=timing,
                state=PostingState.ACTIVE,
                created_at=now,
                thread_id=wish.thread_id,
                extra=extra,
                picture=wish.picture,
                pin=wish.pin,
                next_at=first,
            ),
            update_id,
        )
        # What is refused from here on is not saved: the transaction is rolled back.
        reason = rules.barred(group, rights, wish.by)
        reason = reason or await rules.barred_person(tx, wish.by) or await rules.too_many(tx, group)
        offered = await offered_now(tx, campaign, now)
        if reason is None and wish.timing is None:
            reason = await rules.why_not_now(tx, offered, group, wish.thread_id, now)
        elif reason is None:
            reason = rules.why_not_then(offered, group, first) if first else "in_past"
        if reason is not None:
            raise Refused(reason)
        return posting if wish.timing is not None else await make(tx, posting, group, now)

    # ---- managing ------------------------------------------------------------------------

    async def pause(self, posting_id: str, by: int) -> Posting:
        """No further turn until it is resumed. Raises Refused."""
        posting, _, _ = await self._proved(posting_id, by, stopping=True)
        return await self._to(posting, PostingState.PAUSED, by, next_at=None)

    async def resume(self, posting_id: str, by: int) -> Posting:
        """Go on after a pause, or once what held it is repaired. Raises Refused."""
        posting, group, rights = await self._proved(posting_id, by)
        reason = rules.barred(group, rights, by)
        upcoming = next_turn(posting.timing, self._clock.now())
        if reason is not None or upcoming is None:
            raise Refused(reason or "in_past")
        return await self._to(posting, PostingState.ACTIVE, by, next_at=upcoming)

    async def withdraw(self, posting_id: str, by: int) -> Posting:
        """No further turn, and its open posts are closed. Raises Refused."""
        posting, _, _ = await self._proved(posting_id, by, stopping=True)
        now = self._clock.now()
        async with self._store.write() as tx:
            new = PostingState.STOPPED
            going_on = new in POSTING[posting.state]
            if going_on and not await self._move(tx, posting, new, by, next_at=None):
                raise Refused("not_waiting")
            for post in await tx.posts.of_posting(posting.id):
                await _close(tx, post, by, now)
        self._ring()
        return replace(posting, state=new if going_on else posting.state, next_at=None)

    async def withdraw_post(self, post_id: str, by: int) -> None:
        """Close one post; its posting goes on. Raises Refused."""
        post = await self._post(post_id)
        await self._proved(post.posting_id, by, stopping=True)
        async with self._store.write() as tx:
            await _close(tx, post, by, self._clock.now())
        self._ring()

    async def change(
        self,
        posting_id: str,
        by: int,
        *,
        extra: str | None = None,
        timing: Timing | None = None,
    ) -> Posting:
        """Another sentence ("" for none), another time; None leaves it. Open posts follow.

        Raises Refused.
        """
        posting, group, rights = await self._proved(posting_id, by)
        reason = rules.barred(group, rights, by)
        if reason is not None:
            raise Refused(reason)
        now, changes = self._clock.now(), dict[str, Any]()
        upcoming: datetime | None = None
        if extra is not None:
            changes["extra"] = rules.said(extra)
            if (wrong := rules.unfit(changes["extra"])) is not None:
                raise Refused(wrong)
        if timing is not None:
            if not POSTING[posting.state]:
                raise Refused("not_waiting")
            upcoming = next_turn(timing, now)
            if upcoming is None:
                raise Refused("in_past")
            changes["timing"] = timing
            if posting.state is PostingState.ACTIVE:
                changes["next_at"] = upcoming
        async with self._store.write() as tx:
            if timing is not None and upcoming is not None:
                await _possible_then(tx, posting, group, upcoming, now)
            if changes:
                await tx.posts.set_posting(posting.id, **changes)
            await tx.posts.touch(now, posting_id=posting.id)
        self._ring()
        return replace(posting, **changes)

    async def pin(self, post_id: str, by: int, *, on: bool = True) -> None:
        """Pin a post in its group, or unpin it. Raises Refused."""
        post = await self._post(post_id)
        _, group, rights = await self._proved(post.posting_id, by)
        reason = rules.barred(group, rights, by)
        if reason is not None:
            raise Refused(reason)
        if post.message_id is None or rights is None or not rights.pins:
            raise Refused("cannot_pin")
        try:
            done = await self._rooms.pin(group.chat_id, post.message_id, on=on)
        except RoomsUnavailable:
            raise Refused("rooms_away") from None
        if not done:
            raise Refused("cannot_pin")
        async with self._store.write() as tx:
            await tx.posts.set(post.id, pinned=on, to_pin=False)

    # ---- proofs --------------------------------------------------------------------------

    async def _asked(self, group: Group) -> Rights | None:
        try:
            return await self._rooms.rights(group.chat_id, fresh=True)
        except RoomsUnavailable:
            raise Refused("rooms_away") from None

    async def _proved(
        self, posting_id: str, by: int, *, stopping: bool = False
    ) -> tuple[Posting, Group, Rights | None]:
        """The posting, for an admin of its group. Who planned it may always stop it."""
        async with self._store.read() as tx:
            posting = await tx.posts.posting(posting_id)
            group = await tx.groups.get(posting.group_id) if posting is not None else None
        if posting is None or group is None:
            raise Refused("unknown")
        if stopping and posting.by == by:
            return posting, group, None
        rights = await self._asked(group)
        async with self._store.write() as tx:
            await rules.noted(tx, group, rights)
            banned = await rules.barred_person(tx, by)
        if rights is None or by not in rights.admins:
            raise Refused("not_admin")
        if banned is not None and not stopping:
            raise Refused(banned)
        return posting, group, rights

    async def _post(self, post_id: str) -> Post:
        async with self._store.read() as tx:
            post = await tx.posts.get(post_id)
        if post is None:
            raise Refused("unknown")
        return post

    async def _to(self, posting: Posting, new: PostingState, by: int, **changes: Any) -> Posting:
        """Move it, as somebody wants it. Raises Refused not_waiting."""
        async with self._store.write() as tx:
            fits = new in POSTING[posting.state]
            if not fits or not await self._move(tx, posting, new, by, **changes):
                raise Refused("not_waiting")
        self._ring()
        return replace(posting, state=new, reason="asked", **changes)

    async def _move(
        self, tx: Tx, posting: Posting, new: PostingState, by: int, **changes: Any
    ) -> bool:
        return await tx.posts.move_posting(
            posting.id,
            posting.state,
            new,
            "asked",
            self._clock.now(),
            actor=f"chat:{by}",
            **changes,
        )

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


async def _possible_then(
    tx: Tx, posting: Posting, group: Group, at: datetime, now: datetime
) -> None:
    """Raises Refused when the campaign can't be posted at that moment."""
    campaign = await tx.campaigns.get(posting.campaign_id)
    if campaign is None:
        raise Refused("campaign_stopped")
    reason = rules.why_not_then(await offered_now(tx, campaign, now), group, at)
    if reason is not None:
        raise Refused(reason)


async def _close(tx: Tx, post: Post, by: int, now: datetime) -> None:
    """Withdrawn: its link sells no more, and its text will say so."""
    if post.state in OPEN_POSTS:
        await tx.posts.move(
            post.id, post.state, PostState.ENDED, "withdrawn", now,
            actor=f"chat:{by}", ended_at=now, end="withdrawn", look_at=now,
        )  # fmt: skip
