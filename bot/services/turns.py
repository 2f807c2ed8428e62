"""Postings whose turn has come (F40): rights asked again, then at most one post a turn.

    due ──► Telegram asked ──┬─► all is well: post + next turn + outbox row, one transaction
                             ├─► passing (cap, cooldown, no places, hours late): left out
                             ├─► lost (rights, group, topic): held, and its admin told
                             └─► the campaign is over: done

After downtime only the latest turn counts, and only while it is not LATE. A process that dies
before the transaction finds the posting due again; one that dies after it has its message in the
outbox, at most once.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.domain.campaigns import Post, Posting, PostingState, PostState, Repeat, next_turn
from bot.domain.groups import Group
from bot.ports import Clock, Rights, Rooms, RoomsUnavailable, Store, Tx
from bot.services import notices
from bot.services import posting_rules as rules
from bot.services.ids import new_id
from bot.services.posters import offered_now
from bot.services.work import Worker

log = structlog.get_logger()

LATE = timedelta(hours=6)
"""After so long a post that was meant for the morning would come at night."""
_BATCH = 20
"""Postings whose groups Telegram is asked about at once: many are due at nine in the morning."""
_PASSING = frozenset({"cap_reached", "cooldown", "campaign_gone", "campaign_early", "missed"})
"""Reasons that may be over by the next turn: a repeating posting leaves one turn out."""
_OVER = frozenset({"campaign_over", "campaign_stopped"})
"""Reasons after which a posting is done."""


async def make(tx: Tx, posting: Posting, group: Group, now: datetime) -> Posting:
    """The post of this turn, the next turn and the row in the outbox, together; nothing when
    somebody else has made this turn's, or wants no more of them."""
    post = Post(
        id=new_id(),
        posting_id=posting.id,
        turn=posting.turn,
        campaign_id=posting.campaign_id,
        group_id=group.id,
        by=posting.by,
        state=PostState.QUEUED,
        created_at=now,
        look_at=now + notices.POSTED_WITHIN,
        to_pin=posting.pin,
    )
    following = _following(posting, now)
    # The turn is taken first: an admin who pauses or withdraws at this moment either waits for
    # this post, and closes it, or was first, and there is none.
    if following is not None:
        taken = await tx.posts.take_turn(posting.id, posting.turn, following)
        moved = replace(posting, turn=posting.turn + 1, next_at=following)
    else:
        done = PostingState.DONE
        changes: Mapping[str, Any] = {"turn": posting.turn + 1, "next_at": None}
        taken = await tx.posts.move_posting(
            posting.id, PostingState.ACTIVE, done, "posted", now, **changes
        )
        moved = replace(posting, state=done, reason="posted", **changes)
    if not taken or not await tx.posts.add(post):
        return posting
    await tx.outbox.add(notices.post(post.id, group.chat_id, now))
    return moved


def _following(posting: Posting, now: datetime) -> datetime | None:
    """The turn after now; what was missed before is not made up for."""
    return None if posting.timing.repeat is Repeat.ONCE else next_turn(posting.timing, now)


def _latest(posting: Posting, now: datetime) -> datetime:
    """The last of the turns that have come."""
    found = posting.next_at or now
    while (later := next_turn(posting.timing, found)) is not None and later <= now:
        found = later
    return found


class Turns:
    """The job that posts what is due."""

    def __init__(self, store: Store, clock: Clock, rooms: Rooms) -> None:
        self._store = store
        self._clock = clock
        self._rooms = rooms
        self.worker = Worker("postings", self._tick)
        self.rings: list[Worker] = []

    async def next_due(self) -> datetime | None:
        """When the next posting is due."""
        async with self._store.read() as tx:
            return await tx.posts.next_due()

    async def _tick(self) -> None:
        async with self._store.read() as tx:
            found = await tx.posts.due(self._clock.now(), _BATCH)
        await asyncio.gather(*(self._safely(posting) for posting in found))
        if found:
            for worker in self.rings:
                worker.ring()
        if len(found) == _BATCH:
            self.worker.ring()

    async def _safely(self, posting: Posting) -> None:
        try:
            await self._turn(posting)
        except Exception:
            # One that breaks must not hold up the others.
            log.exception("posting_crashed", posting=posting.id)
            await self._later(posting)

    async def _turn(self, posting: Posting) -> None:
        async with self._store.read() as tx:
            group = await tx.groups.get(posting.group_id)
        if group is None:
            return
        try:
            rights = await self._rooms.rights(group.chat_id, fresh=True)
        except RoomsUnavailable:
            await self._later(posting)
            return
        async with self._store.write() as tx:
            await self._decide(tx, posting, rights)

    async def _decide(self, tx: Tx, seen: Posting, rights: Rights | None) -> None:
        now = self._clock.now()
        group = await tx.groups.get(seen.group_id)
        if group is None:
            return
        group = await rules.noted(tx, group, rights)
        posting = await tx.posts.posting(seen.id)
        if posting is None or posting != seen:
            return  # somebody has changed it, or made this turn's post
        campaign = await tx.campaigns.get(posting.campaign_id)
        why = rules.barred(group, rights, posting.by)
        why = why or await rules.barred_person(tx, posting.by)
        if why is None and campaign is not None:
            offered = await offered_now(tx, campaign, now)
            why = await rules.why_not_now(tx, offered, group, posting.thread_id, now)
        if why is None and now - _latest(posting, now) > LATE:
            why = "missed"
        if why is None and campaign is not None:
            await make(tx, posting, group, now)
            return
        await _left_out(tx, posting, why or "campaign_stopped", now)

    async def _later(self, posting: Posting) -> None:
        """Nobody can be asked now: not posted unproved, and not forgotten."""
        async with self._store.write() as tx:
            if await tx.posts.posting(posting.id) == posting:
                at = self._clock.now() + rules.SOON
                await tx.posts.set_posting(posting.id, next_at=at)


async def _left_out(tx: Tx, posting: Posting, why: str, now: datetime) -> None:
    """This turn is not posted, and its admin hears why."""
    step = f"{now:%Y-%m-%dT%H:%M}"
    following = _following(posting, now)
    if why in _PASSING and following is not None:
        await tx.posts.set_posting(posting.id, next_at=following, reason=why)
    else:
        state = PostingState.DONE if why in _OVER else PostingState.HELD
        await tx.posts.move_posting(posting.id, posting.state, state, why, now, next_at=None)
    await tx.outbox.add(notices.post_news(posting.id, posting.by, why, step))
