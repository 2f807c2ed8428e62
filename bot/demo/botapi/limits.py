"""Telegram's sending limits as token buckets in real (monotonic) time.

Figures: 30 messages a second overall, 1 a second in one chat with a small burst, 20 a minute in
one group, up to 1000 a second for paid broadcasts (Telegram's Bot FAQ and Bot API).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from bot.demo.botapi.errors import too_many_requests

KEEP_BUCKETS = 20_000


class Bucket:
    """`capacity` tokens at most, refilled at `rate` a second."""

    __slots__ = ("capacity", "rate", "tokens", "updated")

    def __init__(self, capacity: float, rate: float, now: float) -> None:
        self.capacity, self.rate = capacity, rate
        self.tokens, self.updated = capacity, now

    def wait(self, now: float) -> float:
        """Seconds until one token is there; 0 if there is one now."""
        self.tokens = min(self.capacity, self.tokens + (now - self.updated) * self.rate)
        self.updated = now
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.rate


class Limiter:
    """Refuses with 429 what Telegram would refuse; `enabled = False` lets everything pass."""

    def __init__(
        self, *, enabled: bool = True, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self.enabled = enabled
        self._seconds = seconds
        now = seconds()
        self._overall = Bucket(30, 30, now)
        self._paid = Bucket(1000, 1000, now)
        self._chats: dict[int, Bucket] = {}
        self._groups: dict[int, Bucket] = {}

    def spend(self, chat_id: int, *, edit: bool = False, paid: bool = False) -> None:
        """Count one message (or edit) to a chat; ApiError 429 when it is one too many.

        Edits count overall and in groups; in private chats Telegram is lenient about them.
        """
        if not self.enabled:
            return
        now = self._seconds()
        buckets = [self._paid if paid else self._overall]
        if not edit:
            buckets.append(self._bucket(self._chats, chat_id, 5, 1.0, now))
        if chat_id < 0:
            buckets.append(self._bucket(self._groups, chat_id, 20, 20 / 60, now))
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > 0:
            raise too_many_requests(max(1, math.ceil(wait)))
        for bucket in buckets:
            bucket.tokens -= 1

    @staticmethod
    def _bucket(
        buckets: dict[int, Bucket], chat_id: int, capacity: float, rate: float, now: float
    ) -> Bucket:
        bucket = buckets.get(chat_id)
        if bucket is None:
            if len(buckets) >= KEEP_BUCKETS:
                for key in [key for key, old in buckets.items() if now - old.updated > 60]:
                    del buckets[key]
            bucket = buckets[chat_id] = Bucket(capacity, rate, now)
        return bucket
