"""Sends what the outbox holds: most urgent first, one a chat at a time, each outcome recorded."""

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.ports import Clock, Delivery, Messenger, Notice, Outcome, Priority, Store
from bot.services.work import Worker

log = structlog.get_logger()

_BATCH = 30
_SECOND = 1.0
"""Telegram takes about thirty messages a second: a full batch lasts at least so long."""
_MANY = 3
"""So many chats of one batch that Telegram asks to wait mean that it asks the whole bot."""
_LONGEST_PAUSE = 60
_MOST_TRIES = 3 * 24 * 60
"""An outage of three days at one try a minute; what is certainly not delivered waits so long."""
_MOST_CRASHES = 5
_DOUBT = timedelta(seconds=30)
"""When a lost answer is followed by the one repetition: what broke it should be over."""
_REPEATABLE = frozenset({Priority.PAYMENT, Priority.TOPUP, Priority.OPERATOR, Priority.REMINDER})
"""Classes whose lost answer is worth one duplicate (architecture.md: at most one per crash)."""


class Outbox:
    """The sender. `paused_until` holds everybody while Telegram asked the whole bot to wait."""

    def __init__(self, store: Store, clock: Clock, messenger: Messenger) -> None:
        self._store = store
        self._clock = clock
        self._messenger = messenger
        self._paused_until: datetime | None = None
        self._unsettled: list[tuple[Notice, Delivery]] = []
        self.worker = Worker("outbox", self._drain)

    async def recover(self) -> None:
        """Settle what a dead process was sending: it may have arrived."""
        async with self._store.write() as tx:
            now = self._clock.now()
            for notice in await tx.outbox.claimed():
                assert notice.id is not None  # noqa: S101  it came from the table
                if notice.priority in _REPEATABLE and notice.tries < _MOST_TRIES:
                    await tx.outbox.release(notice.id, now)
                else:
                    await tx.outbox.settle(notice.id, Outcome.AMBIGUOUS, now)

    async def next_due(self) -> datetime | None:
        """When there is something to send next."""
        async with self._store.read() as tx:
            due = await tx.outbox.next_due()
        if due is not None and self._paused_until is not None:
            return max(due, self._paused_until)
        return due

    async def _drain(self) -> None:
        await self._settle_late()
        loop = asyncio.get_running_loop()
        while not self.worker.stopping:
            now = self._clock.now()
            if self._paused_until is not None and now < self._paused_until:
                return
            begin = loop.time()
            async with self._store.write() as tx:
                batch = await tx.outbox.claim(now, _BATCH)
            if not batch:
                return
            waits = await asyncio.gather(*(self._send(notice) for notice in batch))
            asked = sorted(wait for wait in waits if wait is not None)
            self._paused_until = asked[0] if len(asked) >= _MANY else None
            if len(batch) == _BATCH:
                await asyncio.sleep(begin + _SECOND - loop.time())

    async def _send(self, notice: Notice) -> datetime | None:
        """Deliver and record it; when Telegram wants to be left alone until."""
        try:
            delivery = await self._messenger.deliver(notice)
        except Exception as error:
            # The store may be out of reach for a moment; a defect must not block its chat for ever.
            log.exception("notice_failed", kind=notice.kind, notice=notice.id)
            outcome = Outcome.RETRY if notice.tries < _MOST_CRASHES else Outcome.FAILED
            delivery = Delivery(outcome, detail=type(error).__name__)
        try:
            await self._settle(notice, delivery)
        except Exception:
            # While it counts as under way its chat gets nothing else: the next run settles it.
            log.exception("notice_not_settled", notice=notice.id)
            self._unsettled.append((notice, delivery))
        return delivery.retry_at if delivery.outcome is Outcome.RETRY else None

    async def _settle_late(self) -> None:
        while self._unsettled:
            await self._settle(*self._unsettled[0])
            del self._unsettled[0]

    async def _settle(self, notice: Notice, delivery: Delivery) -> None:
        assert notice.id is not None  # noqa: S101  it came from the table
        now = self._clock.now()
        outcome = delivery.outcome
        repeated = notice.priority in _REPEATABLE and not notice.doubtful
        async with self._store.write() as tx:
            if outcome is Outcome.RETRY and notice.tries < _MOST_TRIES:
                pause = timedelta(seconds=min(_LONGEST_PAUSE, 2 ** min(notice.tries, 6)))
                asked = delivery.retry_at or now + pause
                await tx.outbox.release(notice.id, max(asked, now + timedelta(seconds=1)))
            elif outcome is Outcome.AMBIGUOUS and repeated:
                await tx.outbox.release(notice.id, now + _DOUBT, doubtful=True)
            else:
                end = Outcome.FAILED if outcome is Outcome.RETRY else outcome
                await tx.outbox.settle(notice.id, end, now, delivery.message_id, delivery.detail)
            if outcome is Outcome.BLOCKED:
                await tx.chats.set_blocked(notice.chat_id, now)
