"""Telegram's limits, held on our side: who may send when, answers first, nobody for ever last.

Bucket   tokens that come back one span after they were taken; pure arithmetic
Chats    one bucket a chat: a private one bears short bursts of answers, a group does not
Gate     all buckets of one bot, and who waits at them

Moments and spans are whole nanoseconds of a clock that never goes back, so that sums are exact.
A process that begins takes every token for taken: the one before it may have done so.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.ports import Place

SECOND = 1_000_000_000
PAID_PER_SECOND = 1000
PATIENCE = 5 * SECOND
"""Who would have to wait longer is told to come back instead."""
ANSWER = 0
"""The rank of what a person waits for; notices come after it, by their priority."""

_GROUP_EVERY = 3 * SECOND
"""Twenty a minute, evenly: a group is spoken to by the bot, not conversed with."""
_BURST = 4
"""Answers in a row that a private chat bears: Telegram allows "short bursts" over one a second."""
_SHARE = 10
"""Every so many turns the longest waiting one goes first, whatever its rank."""
_STEPS = 3
_ALL_AFTER = 3
"""So many chats that are asked to wait at once mean that Telegram asks the whole bot."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a second overall (several instances share Telegram's 30), whether broadcasts are
    paid for, and whether anything is limited at all (not so before a stand-in without limits)."""

    per_second: int = 30
    paid: bool = False
    limited: bool = True


class Bucket:
    """`most` tokens, each back one `span` after it was taken: never more in any such span."""

    __slots__ = ("_taken", "most", "span")

    def __init__(self, most: int, span: int, taken: Iterable[int] = ()) -> None:
        self.most = most
        self.span = span
        self._taken = deque(taken, maxlen=most)

    def wait(self, now: int) -> int:
        """Nanoseconds until a token is there; 0 when one is."""
        if len(self._taken) < self.most:
            return 0
        return max(0, self._taken[0] + self.span - now)

    def since(self, now: int) -> int:
        """Nanoseconds since the last token was taken; more than `span` when none was."""
        return now - self._taken[-1] if self._taken else self.span + 1

    def take(self, now: int) -> None:
        """Take a token that is there."""
        self._taken.append(now)

    def put_back(self, taken: int) -> None:
        """It was taken then, and nothing was sent for it."""
        if taken in self._taken:
            self._taken.remove(taken)


class Chats:
    """What each chat still bears. When the process has just `started`, all of them count as
    just written to."""

    def __init__(self, started: int) -> None:
        self._started = started
        self._buckets: dict[int, Bucket] = {}
        self._recent: deque[tuple[int, int]] = deque()

    def wait(self, chat_id: int, rank: int, now: int) -> int:
        """Nanoseconds until the chat takes one more."""
        bucket = self._buckets.get(chat_id) or self._fresh(chat_id)
        wait = bucket.wait(now)
        if rank == ANSWER or chat_id < 0:
            return wait
        return max(wait, SECOND - bucket.since(now))

    def take(self, chat_id: int, now: int) -> None:
        """Count one message."""
        bucket = self._buckets.get(chat_id)
        if bucket is None:
            bucket = self._buckets[chat_id] = self._fresh(chat_id)
        bucket.take(now)
        self._recent.append((now, chat_id))

    def busy(self, rank: int, now: int) -> dict[int, int]:
        """Chats that take nothing now, and how long."""
        while self._recent and now - self._recent[0][0] > _BURST * SECOND:
            _, chat_id = self._recent.popleft()
            if self._buckets[chat_id].since(now) > _BURST * SECOND:
                del self._buckets[chat_id]  # left alone for so long that it is as good as new
        waits = {chat_id: self.wait(chat_id, rank, now) for _, chat_id in self._recent}
        return {chat_id: wait for chat_id, wait in waits.items() if wait > 0}

    def _fresh(self, chat_id: int) -> Bucket:
        if chat_id < 0:
            return Bucket(1, _GROUP_EVERY, (self._started,))
        # As full as one message a second leaves it.
        taken = (self._started - step * SECOND for step in reversed(range(_BURST)))
        return Bucket(_BURST, _BURST * SECOND, taken)


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody at the gate; `chat_id` is None for a place that has no message yet."""

    rank: int
    number: int
    chat_id: int | None = None
    edit: bool = False
    paid: bool = False
    place: Place | None = None
    at: int = 0
    """When it was let in."""
    told: asyncio.Future[int] | None = None


@dataclass(slots=True)
class _Holds:
    """Until when Telegram asked to be left alone, by everybody or in one chat."""

    everybody: int
    chats: dict[int, int] = field(default_factory=dict)


class Gate:
    """One for a bot: every message that goes out passes it. `now` counts nanoseconds."""

    def __init__(
        self,
        limits: Limits,
        *,
        now: Callable[[], int] = time.monotonic_ns,
        started: int | None = None,
    ) -> None:
        self.limits = limits
        self._now = now
        start = now() if started is None else started
        per_second = limits.per_second
        self._overall = Bucket(per_second, SECOND, [start] * per_second)
        # A full second's tokens are not spent at once: an answer would have to wait for the next.
        self._steps = Bucket(_STEPS, _STEPS * SECOND * 9 // (10 * per_second))
        self._paid = Bucket(PAID_PER_SECOND, SECOND, [start] * PAID_PER_SECOND)
        self._chats = Chats(start)
        self._holds = _Holds(start)
        self._waiters: list[Waiter] = []
        self._number = 0
        self._turns = 0
        self._timer: asyncio.TimerHandle | None = None

    # ---- for those who send --------------------------------------------------------------

    async def turn(self, chat_id: int, *, edit: bool = False, place: Place | None = None) -> int:
        """Wait until one message may go to a chat: with a `place`, in its rank, else as an
        answer. 0 then; the nanoseconds still to wait when that would be too long."""
        if place is None:
            return await self._pass(Waiter(ANSWER, self._next(), chat_id, edit))
        ready = None if place.used else place
        return await self._pass(Waiter(place.rank, self._next(), chat_id, edit, place.paid, ready))

    async def places(self, most: int, rank: int, *, paid: bool = False) -> list[Place]:
        """Wait for the right to send something, and take as many as are there, at most `most`;
        none when that would take too long. What is not used goes back: `put_back`."""
        first = Waiter(rank, self._next(), paid=paid)
        if await self._pass(first):
            return []
        found, now, one = [Place(rank, first.at, paid)], self._now(), Waiter(rank, 0, paid=paid)
        while len(found) < most and self._wait(one, now) == 0:
            self._take(one, now)
            found.append(Place(rank, now, paid))
        return found

    def put_back(self, places: Iterable[Place]) -> None:
        """These will not be used, unless they were."""
        for place in places:
            if not place.used:
                place.used = True
                for bucket in self._buckets(place.rank, place.paid):
                    bucket.put_back(place.at)
        self._serve()

    def busy(self) -> dict[int, int]:
        """Chats that no notice may go to at this moment, each with the nanoseconds to wait."""
        now = self._now()
        found = self._chats.busy(ANSWER + 1, now) if self.limits.limited else {}
        for chat_id, until in list(self._holds.chats.items()):
            if until <= now:
                del self._holds.chats[chat_id]
            else:
                found[chat_id] = max(found.get(chat_id, 0), until - now)
        return found

    def held(self) -> int:
        """Nanoseconds for which Telegram asked the whole bot to be silent; 0 when it does not."""
        return max(0, self._holds.everybody - self._now())

    def refused(self, chat_id: int, seconds: float) -> None:
        """Telegram asks to wait so long. It does not say who: the chat, unless others were asked
        too and still have to wait, which means everybody."""
        now = self._now()
        until = now + int(seconds * SECOND)
        self._holds.chats[chat_id] = max(until, self._holds.chats.get(chat_id, 0))
        waiting = sum(1 for moment in self._holds.chats.values() if moment > now)
        if waiting >= _ALL_AFTER:
            self._holds.everybody = max(until, self._holds.everybody)

    # ---- who is next ---------------------------------------------------------------------

    def admit(self, now: int, waiters: list[Waiter]) -> tuple[list[Waiter], int | None]:
        """Take out of `waiters` who may go now; and when (nanoseconds) to ask again, if ever."""
        admitted: list[Waiter] = []
        while waiters:
            self._turns += 1
            fair = self._turns % _SHARE == 0
            order = sorted(waiters, key=lambda w: w.number if fair else (w.rank, w.number))
            going = next((one for one in order if self._wait(one, now) == 0), None)
            if going is None:
                self._turns -= 1
                return admitted, min(self._wait(one, now) for one in waiters)
            self._take(going, now)
            waiters.remove(going)
            admitted.append(going)
        return admitted, None

    def _wait(self, one: Waiter, now: int) -> int:
        wait = max(0, self._holds.everybody - now)
        if one.chat_id is not None:
            wait = max(wait, self._holds.chats.get(one.chat_id, 0) - now)
        if not self.limits.limited:
            return wait
        if one.chat_id is not None and (not one.edit or one.chat_id < 0):
            wait = max(wait, self._chats.wait(one.chat_id, one.rank, now))
        if one.place is not None and now - one.place.at < SECOND:
            return wait  # its token is still out
        return max(wait, *(bucket.wait(now) for bucket in self._buckets(one.rank, one.paid)))

    def _take(self, one: Waiter, now: int) -> None:
        one.at = now
        buckets = self._buckets(one.rank, one.paid)
        if one.place is not None:
            one.place.used = True
            if now - one.place.at < SECOND:
                # What counts for Telegram is when it goes out; for an even pace it does not.
                buckets = buckets[:1]
                buckets[0].put_back(one.place.at)
        if not self.limits.limited:
            return
        if one.chat_id is not None and (not one.edit or one.chat_id < 0):
            self._chats.take(one.chat_id, now)
        for bucket in buckets:
            bucket.take(now)

    def _buckets(self, rank: int, paid: bool) -> tuple[Bucket, ...]:
        if paid:
            return (self._paid,)
        return (self._overall,) if rank == ANSWER else (self._overall, self._steps)

    # ---- waiting -------------------------------------------------------------------------

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _pass(self, one: Waiter) -> int:
        wait = self._wait(one, self._now())
        if wait > PATIENCE:
            return wait
        one.told = asyncio.get_running_loop().create_future()
        self._waiters.append(one)
        self._serve()
        try:
            return await one.told
        finally:
            if one in self._waiters:  # cancelled
                self._waiters.remove(one)

    def _serve(self) -> None:
        """Let in who may go, send away who would wait too long, and come again in time."""
        if not self._waiters:
            return
        now = self._now()
        admitted, wait = self.admit(now, self._waiters)
        for one in admitted:
            _tell(one, 0)
        for one in [each for each in self._waiters if self._wait(each, now) > PATIENCE]:
            self._waiters.remove(one)
            _tell(one, self._wait(one, now))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiters and wait is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait / SECOND, self._serve)


def _tell(one: Waiter, wait: int) -> None:
    if one.told is not None and not one.told.done():
        one.told.set_result(wait)
