"""What became of a post's delivery: written down in the transaction that ends its notice.

The outbox tells it (`Outbox.told`). A post whose answer was lost may be there: it is never sent
again. A refusal says what has changed in the group, and the one who posted hears of it.
"""

from typing import Any

from bot.domain.campaigns import OPEN_POSTS, Post, Posting, PostingState, PostState
from bot.domain.groups import Standing, Topic
from bot.ports import Clock, Delivery, Notice, Outcome, Tx
from bot.services import notices
from bot.services.looks import GAP

_NOT_OUT = (PostState.QUEUED, PostState.FAILED)
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_NO_RIGHT = ("not enough rights", "administrator rights", "chat_write_forbidden", "have no rights",
             "need administrator", "chat_restricted", "chat_send_")  # fmt: skip
_TOPIC = ("topic_closed", "topic_deleted", "message thread not found")
_HOLDS = frozenset({"bot_out", "cannot_post", "topic_closed"})
_PHOTO = "photo"


def told(mark: str, *, photo: bool) -> str:
    """What a delivery says of a post that was sent or edited, as its `detail`."""
    return f"{_PHOTO if photo else 'text'}:{mark}"


class Posted:
    """Hears how posts and their edits ended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def sent(self, tx: Tx, notice: Notice, delivery: Delivery) -> None:
        """A new post has ended so."""
        post = await tx.posts.get(notice.data["post_id"])
        if post is None or await _moved(tx, notice, delivery):
            return
        now = self._clock.now()
        match delivery.outcome:
            case Outcome.SENT:
                await self._out(tx, post, delivery)
            case Outcome.AMBIGUOUS:
                if post.state in _NOT_OUT:
                    await tx.posts.move(post.id, post.state, PostState.UNSURE, "no_answer", now,
                                        posted_at=now, look_at=now + GAP)  # fmt: skip
                    await _news(tx, post, "unsure")
            case _ if post.state is PostState.QUEUED:
                why = _why(delivery)
                await tx.posts.move(post.id, post.state, PostState.FAILED, why, now, look_at=None)
                await self._lost(tx, post, why)

    async def _out(self, tx: Tx, post: Post, delivery: Delivery) -> None:
        """It is there. One that was ended on its way is there all the same, and edited so."""
        now = self._clock.now()
        kind, _, mark = (delivery.detail or "").partition(":")
        seen: dict[str, Any] = {
            "message_id": delivery.message_id, "photo": kind == _PHOTO, "shown": mark or None,
            "posted_at": now, "look_at": now,
        }  # fmt: skip
        if post.state in (*_NOT_OUT, PostState.UNSURE):
            await tx.posts.move(post.id, post.state, PostState.POSTED, "sent", now, **seen)
        else:
            await tx.posts.set(post.id, **seen)

    async def edited(self, tx: Tx, notice: Notice, delivery: Delivery) -> None:
        """An edit has ended so. It is counted, so that the next one may follow."""
        post = await tx.posts.get(notice.data["post_id"])
        if post is None or await _moved(tx, notice, delivery):
            return
        now = self._clock.now()
        seen: dict[str, Any] = {"edits": post.edits + 1, "look_at": now + GAP}
        if delivery.outcome is Outcome.SENT:
            _, _, mark = (delivery.detail or "").partition(":")
            seen |= {"shown": mark or None, "edited_at": now}
        elif delivery.outcome is Outcome.AMBIGUOUS:
            seen |= {"shown": None, "edited_at": now}  # nobody knows: it is edited once more
        elif _says(delivery, _GONE):
            seen |= {"message_id": None, "look_at": None}
            if post.state in OPEN_POSTS:
                await tx.posts.move(post.id, post.state, PostState.ENDED, "deleted", now,
                                    ended_at=now, end="deleted")  # fmt: skip
        elif delivery.outcome is not Outcome.DROPPED:
            seen["look_at"] = now + 60 * GAP
            await self._lost(tx, post, _why(delivery))
        await tx.posts.set(post.id, **seen)

    async def _lost(self, tx: Tx, post: Post, why: str) -> None:
        """Write down what the refusal says of the group; its admin hears of it once."""
        posting = await tx.posts.posting(post.posting_id)
        if posting is None:
            return
        if why == "bot_out":
            await tx.groups.set(post.group_id, standing=Standing.OUT, can_post=False)
        elif why == "cannot_post":
            await tx.groups.set(post.group_id, can_post=False)
        elif why == "topic_closed" and posting.thread_id is not None:
            await _close_topic(tx, posting)
        held = why in _HOLDS and posting.state is PostingState.ACTIVE
        if held:
            new, now = PostingState.HELD, self._clock.now()
            await tx.posts.move_posting(posting.id, posting.state, new, why, now, next_at=None)
        if held or post.state is PostState.QUEUED:
            await _news(tx, post, why)


async def _moved(tx: Tx, notice: Notice, delivery: Delivery) -> bool:
    """The group has another id: the notice goes there, and so does all else."""
    if delivery.outcome is not Outcome.MIGRATED or delivery.chat_id is None:
        return False
    await tx.groups.migrate(notice.chat_id, delivery.chat_id)
    return True


async def _close_topic(tx: Tx, posting: Posting) -> None:
    known = {topic.id: topic for topic in await tx.groups.topics(posting.group_id)}
    number = posting.thread_id or 0
    name = known[number].name if number in known else str(number)
    await tx.groups.topic(Topic(posting.group_id, number, name, closed=True))


def _why(delivery: Delivery) -> str:
    """What a refusal means: bot_out, cannot_post, topic_closed, not_posted."""
    if delivery.outcome in (Outcome.BLOCKED, Outcome.DEACTIVATED):
        return "bot_out"
    if _says(delivery, _TOPIC):
        return "topic_closed"
    return "cannot_post" if _says(delivery, _NO_RIGHT) else "not_posted"


def _says(delivery: Delivery, parts: tuple[str, ...]) -> bool:
    text = (delivery.detail or "").lower()
    return delivery.outcome is Outcome.FAILED and any(part in text for part in parts)


async def _news(tx: Tx, post: Post, why: str) -> None:
    await tx.outbox.add(notices.post_news(post.posting_id, post.by, why, post.id))
