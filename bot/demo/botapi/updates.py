"""The bot's queue of updates, fetched by getUpdates or pushed to a webhook."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.demo.botapi.errors import conflict
from bot.demo.botapi.models import Json
from bot.demo.clock import WorldClock

KEEP_SECONDS = 24 * 3600
KEEP_QUERY_SECONDS = 150
QUERY_KINDS = frozenset({"callback_query", "pre_checkout_query", "shipping_query"})
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
    "webhook first"
)
OTHER_POLL = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)


@dataclass(frozen=True, slots=True)
class Pending:
    """An update that the bot has not acknowledged; `created` by the demo's clock."""

    update_id: int
    kind: str
    payload: Json
    created: float

    def as_update(self) -> Json:
        return {"update_id": self.update_id, self.kind: self.payload}


@dataclass(slots=True)
class Webhook:
    """Where updates are pushed, and how the last attempt went."""

    url: str
    secret_token: str = ""
    max_connections: int = 40
    last_error_at: int | None = None
    last_error: str = ""


class UpdateQueue:
    """Updates in order, kept until acknowledged or too old (24 h, queries 150 s)."""

    def __init__(self, clock: WorldClock, first_id: int = 100_000_001) -> None:
        self._clock = clock
        self.next_id = first_id
        self.pending: deque[Pending] = deque()
        self.allowed: list[str] | None = None
        self.webhook: Webhook | None = None
        self._poll = 0
        self._waiters: list[asyncio.Future[None]] = []

    def add(self, kind: str, payload: Json) -> int | None:
        """Queue an update; None when the bot did not ask for this kind."""
        if kind in NOT_BY_DEFAULT if self.allowed is None else kind not in self.allowed:
            return None
        update_id = self.next_id
        self.next_id += 1
        self.pending.append(Pending(update_id, kind, payload, self._clock.timestamp()))
        self.wake()
        return update_id

    def allow(self, kinds: list[str] | None) -> None:
        """Set the kinds wanted from now on; None keeps the setting, [] restores the default."""
        if kinds is not None:
            self.allowed = kinds or None

    def acknowledge(self, offset: int) -> None:
        """Forget updates before `offset`; a negative one keeps only the last -offset."""
        queue = self.pending
        while queue and (queue[0].update_id < offset if offset >= 0 else len(queue) > -offset):
            queue.popleft()
        self.wake()

    def expire(self) -> None:
        """Forget what Telegram no longer delivers, by the demo's clock."""
        queue = self.pending
        if not queue:
            return
        now = self._clock.timestamp()
        if now - queue[0].created <= KEEP_QUERY_SECONDS:
            return
        self.pending = deque(
            update
            for update in queue
            if now - update.created
            <= (KEEP_QUERY_SECONDS if update.kind in QUERY_KINDS else KEEP_SECONDS)
        )
        if len(self.pending) < len(queue):
            self.wake()

    async def fetch(
        self, offset: int, limit: int, timeout: float, allowed: list[str] | None
    ) -> list[Json]:
        """getUpdates: acknowledge, then wait up to `timeout` s (real) for something to give.

        ApiError 409 while a webhook is set or when another poll takes over.
        """
        if self.webhook:
            raise conflict(WEBHOOK_ACTIVE)
        self._poll += 1
        mine = self._poll
        self.allow(allowed)
        self.acknowledge(offset)
        deadline = time.monotonic() + timeout
        while True:
            self.expire()
            if self.pending:
                return [update.as_update() for update in islice(self.pending, limit)]
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return []
            await self.changed(remaining)
            if self.webhook:
                raise conflict("terminated by setWebhook request")
            if self._poll != mine:
                raise conflict(OTHER_POLL)

    def wake(self) -> None:
        """Wake whoever waits for a change of the queue."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, timeout: float) -> None:
        """Return after the next change of the queue, or after `timeout` s (real)."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def webhook_info(self) -> Json:
        """The Bot API's WebhookInfo."""
        hook = self.webhook
        info: dict[str, Any] = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        if hook:
            info["max_connections"] = hook.max_connections
            if hook.last_error_at is not None:
                info["last_error_date"] = hook.last_error_at
                info["last_error_message"] = hook.last_error
        if self.allowed is not None:
            info["allowed_updates"] = self.allowed
        return info
