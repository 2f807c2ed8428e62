"""Sends what the outbox holds: most urgent first, one a chat at a time, each outcome recorded."""

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.ports import Clock, Delivery, Messenger, Notice, Outcome, Priority, Store
from bot.services.work import Worker

log = structlog.get_logger()

_BATCH = 30
_MOST_TRIES = 300
_LONGEST_PAUSE = 60
_REPEATABLE = frozenset({Priority.PAYMENT, Priority.TOPUP, Priority.OPERATOR, Priority.REMINDER})
"""Classes whose lost answer is worth one duplicate (architecture.md: at most one per crash)."""


class Outbox:
    """The sender. `paused_until` holds everybody while Telegram asked the whole bot to wait."""

    def __init__(self, store: Store, clock: Clock, messenger: Messenger) -> None:
        self._store = store
        self._clock = clock
        self._messenger = messenger
        self._paused_until: datetime | None = None
        self.worker = Worker("outbox", self._drain)

    async def recover(self) -> None:
        """Settle what a dead process was sending: it may have arrived."""
        async with self._store.write() as tx:
            now = self._clock.now()
            for notice in await tx.outbox.claimed():
                assert notice.id is not None  # noqa: S101  it came from the table
                if _again(notice):
                    await tx.outbox.release(notice.id, now)
                else:
                    await tx.outbox.settle(notice.id, Outcome.AMBIGUOUS, now)

    async def next_due(self) -> datetime | None:
        """When there is something to send next."""
        async with self._store.read() as tx:
            return await tx.outbox.next_due()

    async def _drain(self) -> None:
        while True:
            now = self._clock.now()
            if self._paused_until is not None and now < self._paused_until:
                return
            async with self._store.write() as tx:
                batch = await tx.outbox.claim(now, _BATCH)
            if not batch:
                return
            await asyncio.gather(*(self._send(notice) for notice in batch))

    async def _send(self, notice: Notice) -> None:
        try:
            delivery = await self._messenger.deliver(notice)
        except Exception as error:
            log.exception("notice_failed", kind=notice.kind, notice=notice.id)
            delivery = Delivery(Outcome.FAILED, detail=type(error).__name__)
        await self._settle(notice, delivery)

    async def _settle(self, notice: Notice, delivery: Delivery) -> None:
        assert notice.id is not None  # noqa: S101  it came from the table
        now = self._clock.now()
        if delivery.everyone:
            self._paused_until = delivery.retry_at
        async with self._store.write() as tx:
            if delivery.outcome is Outcome.RETRY and notice.tries < _MOST_TRIES:
                pause = timedelta(seconds=min(_LONGEST_PAUSE, 2 ** min(notice.tries, 6)))
                await tx.outbox.release(notice.id, delivery.retry_at or now + pause)
            elif delivery.outcome is Outcome.AMBIGUOUS and _again(notice):
                await tx.outbox.release(notice.id, now + timedelta(seconds=2))
            else:
                outcome = delivery.outcome
                if outcome is Outcome.RETRY:
                    outcome = Outcome.FAILED
                await tx.outbox.settle(
                    notice.id, outcome, now, delivery.message_id, delivery.detail
                )
            if delivery.outcome is Outcome.BLOCKED:
                await tx.chats.set_blocked(notice.chat_id, now)


def _again(notice: Notice) -> bool:
    """Whether a notice that may have arrived is sent once more: never more often than that."""
    return notice.priority in _REPEATABLE and notice.tries == 0
