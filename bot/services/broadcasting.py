"""Sending news to many (F46): slice by slice, at most once a person.

    people of the segment are written down ─► whose time has come is queued ─► what became of them
    is taken over from the outbox ─► done

Every step is one transaction and the store knows where it stands, so a restart goes on. A
recipient is queued by compare-and-set, and what was sent without an answer is never sent again.
Little is in the outbox at a time, so that a pause or a stop holds at once and a person's quiet
hours are looked at when their turn comes.
"""

from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.broadcasts import Broadcast, BroadcastState, Reached, Recipient
from bot.domain.chats import Chat
from bot.domain.zones import QuietHours, zone
from bot.ports import Clock, Store, Tx
from bot.services import notices
from bot.services.ids import new_id
from bot.services.work import Worker

log = structlog.get_logger()

WINDOW = 300
"""People in the outbox at once: ten seconds of Telegram's ordinary limit."""
SLICE = 200
"""People of one transaction."""
EVERY = timedelta(seconds=5)
"""How often the message that shows how far it is may change."""

_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
_ID = 12


class Broadcasting:
    """The sender of slices; `window` is how many may be in the outbox at once."""

    def __init__(self, store: Store, clock: Clock, window: int = WINDOW) -> None:
        self._store = store
        self._clock = clock
        self._window = window
        self.worker = Worker("broadcasts", self._run)
        self.rings: list[Worker] = []
        """Workers to wake when something is queued."""

    async def next_due(self) -> datetime | None:
        """When there is something to do next; None while all of it waits for the outbox."""
        now, found = self._clock.now(), list[datetime]()
        async with self._store.read() as tx:
            if await tx.broadcasts.to_settle():
                return _AT_ONCE
            room = self._window - await tx.broadcasts.under_way()
            for one in await tx.broadcasts.live():
                if one.state is BroadcastState.SCHEDULED:
                    found.append(one.start_at or _AT_ONCE)
                    continue
                waits = await tx.broadcasts.next_waiting(one.id)
                if not one.taken and room > 0:
                    return _AT_ONCE
                far = await tx.broadcasts.progress(one.id)
                if waits is not None and (room > 0 or waits > now):
                    found.append(waits)
                elif one.taken and waits is None and not far.count(Reached.QUEUED):
                    return _AT_ONCE
                if far.over != one.shown:
                    found.append((one.told_at or now) + EVERY)
        return min(found, default=None)

    async def _run(self) -> None:
        async with self._store.read() as tx:
            settled, live = await tx.broadcasts.to_settle(), await tx.broadcasts.live()
        if settled:
            async with self._store.write() as tx:
                await tx.broadcasts.settle()
        for one in live:
            while not self.worker.stopping and await self._step(one.id):
                pass

    async def _step(self, broadcast_id: str) -> bool:
        """One transaction of one broadcast; whether there may be more to do at once."""
        async with self._store.write() as tx:
            one, now = await tx.broadcasts.get(broadcast_id), self._clock.now()
            if one is None:
                return False
            if one.state is BroadcastState.SCHEDULED:
                return await _begin(tx, one, now)
            if one.state is not BroadcastState.RUNNING:
                return False
            more = await self._send_some(tx, one, now)
            if not more and not await self._end(tx, one, now):
                await _tell(tx, one, now)
        self._ring()
        return more

    async def _send_some(self, tx: Tx, one: Broadcast, now: datetime) -> bool:
        """Queue whose time has come, or write down more; whether there may be more to do."""
        room = min(SLICE, self._window - await tx.broadcasts.under_way())
        if room <= 0:
            return False
        ripe = await tx.broadcasts.waiting(one.id, now, room)
        if not ripe:
            return not one.taken and await _enrol(tx, one, now)
        going: dict[str, Chat] = {}
        for recipient, chat in ripe:
            at = awake(chat, now)
            if at > now:
                await tx.broadcasts.put_off(recipient.id, at)
            else:
                going[recipient.id] = chat
        keys: dict[str, str] = {}
        for recipient_id in await tx.broadcasts.queued(list(going)):
            notice = notices.broadcast(recipient_id, going[recipient_id].id, now)
            await tx.outbox.add(notice)
            keys[recipient_id] = notice.dedupe_key
        await tx.broadcasts.sent_as(keys)
        return True

    async def _end(self, tx: Tx, one: Broadcast, now: datetime) -> bool:
        """End it when nobody is left."""
        if not one.taken or await tx.broadcasts.next_waiting(one.id) is not None:
            return False
        if (await tx.broadcasts.progress(one.id)).count(Reached.QUEUED):
            return False
        done = BroadcastState.DONE
        if not await tx.broadcasts.move(
            one.id, BroadcastState.RUNNING, done, "all_reached", now, ended_at=now
        ):
            return False
        await _tell(tx, one, now, ended=True)
        log.info("broadcast_done", broadcast=one.id)
        return True

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


def awake(chat: Chat, now: datetime) -> datetime:
    """When the person may be written to: now, or after their quiet hours."""
    known = chat.preferences
    return QuietHours(known.quiet_start, known.quiet_end, zone(known.zone)).next_allowed(now)


async def _begin(tx: Tx, one: Broadcast, now: datetime) -> bool:
    if one.start_at is not None and one.start_at > now:
        return False
    people = sum((await tx.broadcasts.audience(one.segment, now)).values())
    if not await tx.broadcasts.move(
        one.id, one.state, BroadcastState.RUNNING, "its_time", now, started_at=now, people=people
    ):
        return False
    if one.told_at is None or now - one.told_at >= notices.LOOKS_FOR:
        # It was confirmed a while ago: a new message rings, an edit of the old one would not.
        await tx.broadcasts.set(one.id, message_id=None)
    await tell(tx, one, now, 0)
    return True


async def _enrol(tx: Tx, one: Broadcast, now: datetime) -> bool:
    """Write down the next people of the segment."""
    found = await tx.broadcasts.following(one.segment, one.cursor, now, SLICE)
    people = [Recipient(new_id(_ID), one.id, chat, Reached.WAITING, now) for chat in found]
    await tx.broadcasts.enrol(people)
    cursor = found[-1] if found else one.cursor
    await tx.broadcasts.set(one.id, cursor=cursor, taken=len(found) < SLICE)
    return True


async def _tell(tx: Tx, one: Broadcast, now: datetime, *, ended: bool = False) -> None:
    """Have the operator's message show how far it is, if it would show anything new."""
    over = (await tx.broadcasts.progress(one.id)).over
    early = one.told_at is not None and now - one.told_at < EVERY
    if not ended and (early or over == one.shown):
        return
    await tell(tx, one, now, over)
    if ended and one.started_at is not None and now - one.started_at >= notices.LOOKS_FOR:
        await tx.outbox.add(notices.broadcast_ended(one.id, one.by))


async def tell(tx: Tx, one: Broadcast, now: datetime, over: int) -> None:
    """Have the operator's message show how far it is, now that `over` have been reached."""
    number = one.tellings + 1
    await tx.outbox.add(notices.broadcast_progress(one.id, one.by, number))
    await tx.broadcasts.set(one.id, told_at=now, tellings=number, shown=over)
