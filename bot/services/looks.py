"""Posts that are out (F41, F45): kept true by edits, closed when they end, pinned if wished.

    queued ──sent──► posted ──┬─ shows something outdated ──► an edit, one at a time
       │  └─no answer─► unsure│
       └─refused─► failed     └─ over, stopped, not allowed, withdrawn, deleted ──► ended

A post is looked at when time changes its text and when a place was taken or freed; it is edited
when the poster's mark differs from the one shown, at most once a minute. Nobody tells a bot that a
message was deleted: an edit finds out.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from bot.domain.campaigns import OPEN_POSTS, Post, Posting, PostState
from bot.domain.groups import Approval, Group, Standing
from bot.domain.posters import next_change
from bot.ports import Clock, Rooms, RoomsUnavailable, Store, Tx
from bot.services import notices
from bot.services.posters import Offered, Showing, showing
from bot.services.posting_rules import meant_for
from bot.services.work import Worker

log = structlog.get_logger()

GAP = timedelta(minutes=1)
"""Between two edits of a post; a group bears 20 messages and edits a minute."""
OLD_GAP = timedelta(minutes=30)
"""The same for a post that a newer one of its campaign follows in its group."""
SHARE = timedelta(milliseconds=200)
"""A place that is taken changes every post of its offer: together they are edited five times a
second, of the thirty messages that Telegram takes of a bot."""
_AWAY = timedelta(hours=1)
"""When to look again where the bot may not write."""
_GIVEN_UP = notices.POSTED_WITHIN + timedelta(minutes=15)
"""A post without any news of its delivery for so long has not gone out."""
_CLOSING = timedelta(days=2)
"""How long an ended post's last edit is tried."""
_PINNING = timedelta(hours=48)
"""A post that is older than this when it is first looked at is not pinned any more."""
_BATCH = 50


class Looks:
    """The job that keeps posts true."""

    def __init__(self, store: Store, clock: Clock, rooms: Rooms) -> None:
        self._store = store
        self._clock = clock
        self._rooms = rooms
        self.worker = Worker("posts", self._tick)
        self.rings: list[Worker] = []

    async def next_look(self) -> datetime | None:
        """When the next post is to be looked at."""
        async with self._store.read() as tx:
            return await tx.posts.next_look()

    async def _tick(self) -> None:
        async with self._store.read() as tx:
            found = await tx.posts.to_look_at(self._clock.now(), _BATCH)
        for post in found:
            try:
                await self._look(post.id)
            except Exception:
                # One that breaks must not hold up the others.
                log.exception("post_crashed", post=post.id)
                async with self._store.write() as tx:
                    await tx.posts.set(post.id, look_at=self._clock.now() + GAP)
        if found:
            for worker in self.rings:
                worker.ring()
        if len(found) == _BATCH:
            self.worker.ring()

    async def _look(self, post_id: str) -> None:
        now = self._clock.now()
        async with self._store.write() as tx:
            post = await tx.posts.get(post_id)
            if post is None or post.look_at is None or post.look_at > now:
                return  # another process got there first
            # The row is ours before anything is read: what changes from here on waits to touch it.
            await tx.posts.set(post_id, look_at=None)
            shown = await showing(tx, post, now)
            if shown is None:
                raise LookupError(f"post {post_id} has lost what it belongs to")
            if post.state in (PostState.QUEUED, PostState.FAILED):
                await _wait(tx, post, shown.posting, now)
                return
            shown = await _ended(tx, shown, now)
            await tx.posts.set(post_id, look_at=await _edited(tx, shown, now))
            await _beyond_reach(tx, shown)
        await self._pin(shown.post, shown.posting, shown.group, now)

    async def _pin(self, post: Post, posting: Posting, group: Group, now: datetime) -> None:
        """Pin what its admin wants pinned; unpin what has ended. Telegram's no is no trouble."""
        fresh = post.posted_at is not None and now - post.posted_at < _PINNING
        wanted = post.to_pin and fresh and post.state is PostState.POSTED
        if post.message_id is None or not (wanted or post.state is PostState.ENDED):
            return
        if post.pinned == wanted:
            return
        try:
            done = await self._rooms.pin(group.chat_id, post.message_id, on=wanted)
        except RoomsUnavailable:
            async with self._store.write() as tx:
                await tx.posts.set(post.id, look_at=now + GAP)
            return
        async with self._store.write() as tx:
            if wanted and not done:
                await tx.posts.set(post.id, to_pin=False)
                await tx.posts.set_posting(posting.id, pin=False)
                await tx.outbox.add(
                    notices.post_news(posting.id, posting.by, "cannot_pin", post.id)
                )
                return
            await tx.posts.set(post.id, pinned=wanted, to_pin=False)


async def _wait(tx: Tx, post: Post, posting: Posting, now: datetime) -> None:
    """A post that has not gone out yet: given up when nothing was heard of it."""
    given_up = post.created_at + _GIVEN_UP
    if post.state is PostState.QUEUED and now < given_up:
        await tx.posts.set(post.id, look_at=given_up)
    elif post.state is PostState.QUEUED:
        await tx.posts.move(post.id, post.state, PostState.FAILED, "expired", now, look_at=None)
        await tx.outbox.add(notices.post_news(posting.id, posting.by, "not_posted", post.id))
    else:
        await tx.posts.set(post.id, look_at=None)


async def _ended(tx: Tx, shown: Showing, now: datetime) -> Showing:
    """End an open post whose campaign or group has ended."""
    post, end = shown.post, _end(shown.offered, shown.group)
    if post.state not in OPEN_POSTS or end is None:
        return shown
    changes: dict[str, Any] = {"ended_at": now, "end": end}
    await tx.posts.move(post.id, post.state, PostState.ENDED, end, now, **changes)
    return replace(shown, post=replace(post, state=PostState.ENDED, **changes))


def _end(offered: Offered, group: Group) -> str | None:
    """Why an open post ends now; None while it goes on."""
    if group.approval is not Approval.ALLOWED:
        return "banned" if group.approval is Approval.BANNED else "not_allowed"
    if not meant_for(offered.campaign, group):
        return "stopped"
    return {"campaign_over": "over", "campaign_stopped": "stopped"}.get(offered.why or "")


async def _beyond_reach(tx: Tx, shown: Showing) -> None:
    """An ended post whose number is not known (its answer was lost, or its group moved) can't say
    so: its admin is asked to delete it."""
    post = shown.post
    ended = post.state is PostState.ENDED and post.end != "deleted"
    if ended and post.message_id is None and post.posted_at is not None:
        why = notices.post_news(post.posting_id, post.by, "cannot_edit", post.id)
        await tx.outbox.add(why)


async def _edited(tx: Tx, shown: Showing, now: datetime) -> datetime | None:
    """Have it edited where it shows something outdated; when to look again."""
    post, group = shown.post, shown.group
    closed = post.state is PostState.ENDED
    later = None if closed else next_change(shown.offered.ends_at, now, ZoneInfo(group.zone))
    if post.message_id is None or shown.poster(now).mark() == post.shown:
        return later
    if closed and now - (post.ended_at or now) > _CLOSING:
        return None
    if group.standing is Standing.OUT or not group.can_post:
        return now + _AWAY
    gap = GAP if closed else await _gap(tx, post)
    at = (post.edited_at or post.posted_at or now - gap) + gap
    if at > now:
        return at
    await tx.outbox.add(notices.post_edit(post.id, group.chat_id, post.edits))
    return now + GAP


async def _gap(tx: Tx, post: Post) -> timedelta:
    """How long an open post rests between edits: one of many that all change at once takes no
    more than its share."""
    if await _followed(tx, post):
        return OLD_GAP
    return max(GAP, SHARE * await tx.posts.standing(post.campaign_id))


async def _followed(tx: Tx, post: Post) -> bool:
    """Whether a newer post of its campaign stands in its group."""
    newer = await tx.posts.of_group(post.group_id, post.created_at)
    return any(
        one.campaign_id == post.campaign_id
        and one.state is PostState.POSTED
        and one.created_at > post.created_at
        for one in newer
    )
