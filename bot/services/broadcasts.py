"""News to many at once (F46): what an operator writes and decides, and what people do with it.

    draft ◄─► scheduled ─► running ◄─► paused ─► (stopped)
                              └─► done

How it is sent is in `broadcasting`.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.broadcasts import (
    Broadcast,
    BroadcastState,
    Reached,
    Segment,
    longest,
)
from bot.ports import AuditRow, Clock, Store, Tx
from bot.services import notices
from bot.services.broadcasting import tell
from bot.services.desk import NotOperator
from bot.services.ids import new_id
from bot.services.selling import Refused
from bot.services.work import Worker

MOST_WAIT = timedelta(days=60)
"""How far ahead it may be scheduled."""

_TAG = re.compile(r"<[^>]*>")
_CARRIERS = 12
_LIVE = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.PAUSED})
_SHOWN = frozenset({BroadcastState.RUNNING, BroadcastState.PAUSED})
_BEGUN = _LIVE | {BroadcastState.DONE}


class Broadcasts:
    """Broadcasts. What an operator asks raises NotOperator for anybody else, and Refused: unknown,
    moved (it has changed since), no_text, too_long, nobody, in_past, too_far.
    """

    def __init__(self, store: Store, clock: Clock, operators: tuple[int, ...]) -> None:
        self._store = store
        self._clock = clock
        self._operators = operators
        self.rings: list[Worker] = []
        """Workers to wake when something is to be sent."""

    # ---- writing -------------------------------------------------------------------------

    async def draft(self, by: int, update_id: int) -> Broadcast:
        """A fresh one; a replay gets the one it made before."""
        self._check(by)
        fresh = Broadcast(new_id(), 1, by, BroadcastState.DRAFT, self._clock.now())
        async with self._store.write() as tx:
            return await tx.broadcasts.add(fresh, update_id)

    async def change(self, by: int, broadcast_id: str, **changes: object) -> Broadcast:
        """Change a draft: segment, texts, photo, renew."""
        self._check(by)
        async with self._store.write() as tx:
            one = await _get(tx, broadcast_id, BroadcastState.DRAFT)
            await tx.broadcasts.change(one.id, one.version, **changes)
            return await _get(tx, broadcast_id, BroadcastState.DRAFT)

    async def narrow(self, by: int, broadcast_id: str, **changes: object) -> Broadcast:
        """Change whom a draft is for."""
        self._check(by)
        async with self._store.write() as tx:
            one = await _get(tx, broadcast_id, BroadcastState.DRAFT)
            segment = replace(one.segment, **changes)  # type: ignore[arg-type]
            await tx.broadcasts.change(one.id, one.version, segment=segment)
            return await _get(tx, broadcast_id, BroadcastState.DRAFT)

    async def say(self, by: int, broadcast_id: str, language: str, text: str | None) -> Broadcast:
        """Set or, with None, take out the text of one language."""
        self._check(by)
        async with self._store.write() as tx:
            one = await _get(tx, broadcast_id, BroadcastState.DRAFT)
            texts = {key: said for key, said in one.texts.items() if key != language}
            if text is not None:
                texts[language] = text
            await tx.broadcasts.change(one.id, one.version, texts=texts)
            return await _get(tx, broadcast_id, BroadcastState.DRAFT)

    async def audience(self, segment: Segment) -> Mapping[str, int]:
        """How many people a segment has now, by language."""
        async with self._store.read() as tx:
            return await tx.broadcasts.audience(segment, self._clock.now())

    async def carriers(self) -> list[str]:
        """Carriers to choose from."""
        async with self._store.read() as tx:
            return await tx.broadcasts.carriers(_CARRIERS)

    async def test(self, by: int, broadcast_id: str, update_id: int) -> Broadcast:
        """Send it to the one who writes it, once a tap, on the way that everybody's takes."""
        self._check(by)
        async with self._store.write() as tx:
            one = await _get(tx, broadcast_id, BroadcastState.DRAFT)
            _sendable(one)
            await tx.outbox.add(notices.broadcast_test(one.id, by, update_id))
        self._ring()
        return one

    # ---- deciding ------------------------------------------------------------------------

    async def start(
        self, by: int, broadcast_id: str, version: int, at: datetime | None, message_id: int | None
    ) -> Broadcast:
        """Begin a draft of that version, at once or then (UTC); what is begun already is left as
        it is. `message_id` is the message in their chat that will show how far it is."""
        self._check(by)
        now = self._clock.now()
        async with self._store.write() as tx:
            one = await tx.broadcasts.get(broadcast_id)
            if one is None:
                raise Refused("unknown")
            if one.state in _BEGUN and one.version == version:
                return one  # the same tap again, or a replay
            if one.state is not BroadcastState.DRAFT or one.version != version:
                raise Refused("moved")
            _sendable(one)
            if at is not None and at <= now:
                raise Refused("in_past")
            if at is not None and at > now + MOST_WAIT:
                raise Refused("too_far")
            if not await tx.broadcasts.audience(one.segment, now):
                raise Refused("nobody")
            changes = {"by": by, "start_at": at or now, "message_id": message_id, "told_at": now}
            await self._move(tx, one, BroadcastState.SCHEDULED, by, "broadcast_started", **changes)
            started = await _get(tx, broadcast_id)
        self._ring()
        return started

    async def pause(self, by: int, broadcast_id: str, message_id: int | None) -> Broadcast:
        """What nobody has begun to send waits."""
        return await self._steer(by, broadcast_id, BroadcastState.PAUSED, message_id)

    async def resume(self, by: int, broadcast_id: str, message_id: int | None) -> Broadcast:
        """Go on where it was."""
        return await self._steer(by, broadcast_id, BroadcastState.RUNNING, message_id)

    async def stop(self, by: int, broadcast_id: str, message_id: int | None) -> Broadcast:
        """For good: who has not got it does not get it. A draft is thrown away."""
        return await self._steer(by, broadcast_id, BroadcastState.STOPPED, message_id)

    async def take_back(self, by: int, broadcast_id: str) -> Broadcast:
        """One that has not begun becomes a draft again."""
        return await self._steer(by, broadcast_id, BroadcastState.DRAFT, None)

    async def _steer(
        self, by: int, broadcast_id: str, to: BroadcastState, message_id: int | None
    ) -> Broadcast:
        """Move it; one that is there already, or is over, is left as it is."""
        self._check(by)
        async with self._store.write() as tx:
            one = await _get(tx, broadcast_id)
            if one.state in _FROM[to]:
                changes: dict[str, object] = {}
                if by == one.by and message_id is not None:  # its id is one of their chat
                    changes["message_id"] = message_id
                if to is BroadcastState.STOPPED:
                    changes["ended_at"] = self._clock.now()
                if to is BroadcastState.DRAFT:
                    changes["start_at"] = None
                await self._move(tx, one, to, by, f"broadcast_{to}", **changes)
                if to in _HOLDING:
                    await tx.broadcasts.withdraw(one.id, _HOLDING[to])
                # What was on its way to the message tells the state before.
                if one.state in _SHOWN and (moved := await tx.broadcasts.get(one.id)):
                    await tell(tx, moved, self._clock.now(), moved.shown)
            found = await _get(tx, broadcast_id)
        self._ring()
        return found

    async def _move(
        self,
        tx: Tx,
        one: Broadcast,
        to: BroadcastState,
        operator: int,
        action: str,
        **changes: object,
    ) -> None:
        now, actor = self._clock.now(), f"operator:{operator}"
        if not await tx.broadcasts.move(one.id, one.state, to, action, now, actor=actor, **changes):
            raise Refused("moved")
        subject = f"broadcast:{one.id}"
        await tx.audit.add(AuditRow(now, actor, action, subject, {"version": one.version}))

    def _check(self, by: int) -> None:
        if by not in self._operators:
            raise NotOperator(str(by))

    # ---- what people do ------------------------------------------------------------------

    async def clicked(self, recipient_id: str, chat_id: int) -> Broadcast | None:
        """Somebody tapped the button below their news; the broadcast, None when it is not
        theirs."""
        async with self._store.write() as tx:
            mine = await tx.broadcasts.recipient(recipient_id)
            if mine is None or mine.chat_id != chat_id:
                return None
            await tx.broadcasts.note(mine.id, clicked_at=self._clock.now())
            return await tx.broadcasts.get(mine.broadcast_id)

    async def wants(self, chat_id: int, *, news: bool, recipient_id: str | None = None) -> None:
        """Somebody turned news on or off, below that one."""
        async with self._store.write() as tx:
            chat = await tx.chats.get(chat_id)
            if chat is None:
                return
            await tx.chats.set_preferences(chat_id, replace(chat.preferences, news=news))
            mine = await tx.broadcasts.recipient(recipient_id) if recipient_id else None
            if mine is not None and mine.chat_id == chat_id and not news:
                await tx.broadcasts.note(mine.id, left_at=self._clock.now())

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


_FROM: Mapping[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.PAUSED: frozenset({BroadcastState.RUNNING}),
    BroadcastState.RUNNING: frozenset({BroadcastState.PAUSED}),
    BroadcastState.DRAFT: frozenset({BroadcastState.SCHEDULED}),
    BroadcastState.STOPPED: frozenset({BroadcastState.DRAFT, *_LIVE}),
}
"""What a person may move to each state."""
_HOLDING = {
    BroadcastState.PAUSED: Reached.WAITING,
    BroadcastState.STOPPED: Reached.DROPPED,
}
"""What becomes of people who are queued when somebody holds it up."""


def _sendable(one: Broadcast) -> None:
    if not one.texts:
        raise Refused("no_text")
    if any(length(text) > longest(one) for text in one.texts.values()):
        raise Refused("too_long")


def length(text: str) -> int:
    """Characters of a text of ours as Telegram counts them: without the tags, in UTF-16."""
    return len(bare(text).encode("utf-16-le")) // 2


def bare(text: str) -> str:
    """A text of ours without its tags."""
    return html.unescape(_TAG.sub("", text))


async def _get(tx: Tx, broadcast_id: str, state: BroadcastState | None = None) -> Broadcast:
    one = await tx.broadcasts.get(broadcast_id)
    if one is None:
        raise Refused("unknown")
    if state is not None and one.state is not state:
        raise Refused("moved")
    return one
