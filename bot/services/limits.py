"""Telegram's limits, held on our side: who may send when, answers first, nobody for ever last.

Bucket   tokens that come back evenly; pure arithmetic
Chats    one bucket a chat: a private one bears short bursts of answers, a group does not
Gate     all buckets of one bot, and who waits at them

Moments and spans are whole nanoseconds of a clock that never goes back, so that sums are exact.
A process that begins takes every bucket for empty: the one before it may have left it so.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.ports import Place

SECOND = 1_000_000_000
PAID_PER_SECOND = 1000
PATIENCE = 5 * SECOND
"""Who would have to wait longer is told to come back instead."""
ANSWER = 0
"""The rank of what a person waits for; notices come after it, by their priority."""

BURST = 5
"""Tokens that wait: what a busy machine was late with for a sixth of a second is caught up."""
CHAT_BURST = 4
"""Answers in a row that a private chat bears: Telegram allows "short bursts" over one a second."""
_GROUP_EVERY = 3 * SECOND
"""Twenty a minute, evenly: a group is spoken to by the bot, not conversed with."""
_SHARE = 10
"""Every so many turns the longest waiting one goes first, whatever its rank."""
AHEAD = SECOND // 2
"""How long before its token a notice gets its place: so long a claim, with its fsync, may take.
What is urgent still overtakes all that have a place; a crash finds as many more claimed."""
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
    """A token every `interval`, at most `burst` of them waiting: in any span no more are taken
    than `burst` and one for each whole interval in it."""

    __slots__ = ("_full_at", "burst", "interval")

    def __init__(self, interval: int, burst: int, now: int, *, empty: bool = False) -> None:
        self.interval = interval
        self.burst = burst
        self._full_at = now + burst * interval if empty else now

    def wait(self, now: int, count: int = 1, burst: int | None = None) -> int:
        """Nanoseconds until `count` tokens have been there, if those are taken at once; 0 when
        they are. Who may not go in a burst counts on a smaller one."""
        waiting = self.burst if burst is None else burst
        return max(0, max(self._full_at, now) + (count - waiting) * self.interval - now)

    def take(self, now: int) -> None:
        """Take a token that is there."""
        self._full_at = max(self._full_at, now) + self.interval


class Chats:
    """What each chat still bears."""

    def __init__(self, started: int) -> None:
        self._started = started
        self._buckets: dict[int, Bucket] = {}

    def wait(self, chat_id: int, rank: int, now: int) -> int:
        """Nanoseconds until the chat takes one more; notices come no faster than one a second."""
        bucket = self._buckets.get(chat_id) or self._fresh(chat_id)
        return bucket.wait(now, burst=bucket.burst if rank == ANSWER else 1)

    def take(self, chat_id: int, now: int) -> None:
        """Count one message."""
        bucket = self._buckets.get(chat_id)
        if bucket is None:
            bucket = self._buckets[chat_id] = self._fresh(chat_id)
        bucket.take(now)

    def busy(self, now: int) -> dict[int, int]:
        """Chats that take no notice now, and for how long; the others are forgotten."""
        waits = {chat_id: bucket.wait(now, burst=1) for chat_id, bucket in self._buckets.items()}
        found = {chat_id: wait for chat_id, wait in waits.items() if wait}
        self._buckets = {chat_id: self._buckets[chat_id] for chat_id in found}
        return found

    def _fresh(self, chat_id: int) -> Bucket:
        if chat_id < 0:
            return Bucket(_GROUP_EVERY, 1, self._started, empty=True)
        return Bucket(SECOND, CHAT_BURST, self._started, empty=True)


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody at the gate; `chat_id` is None for a place that has no message yet."""

    rank: int
    number: int
    chat_id: int | None = None
    edit: bool = False
    paid: bool = False
    place: Place | None = None
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
        self._overall = _even(limits.per_second, BURST, start)
        self._paid = _even(PAID_PER_SECOND, PAID_PER_SECOND // 10, start)
        self._chats = Chats(start)
        self._holds = _Holds(start)
        self._waiters: list[Waiter] = []
        self._places = {False: 0, True: 0}
        """Those that are out, by whether they are paid for."""
        self._number = 0
        self._turns = 0
        self._timer: asyncio.TimerHandle | None = None

    # ---- for those who send --------------------------------------------------------------

    async def turn(self, chat_id: int, *, edit: bool = False, place: Place | None = None) -> int:
        """Wait until one message may go to a chat: with a `place`, in its rank, else as an
        answer. 0 then; the nanoseconds still to wait when that would be too long."""
        if place is None:
            return await self._pass(Waiter(ANSWER, self._next(), chat_id, edit))
        one = Waiter(place.rank, self._next(), chat_id, edit, place.paid, place)
        return await self._pass(one)

    async def places(self, most: int, rank: int, *, paid: bool = False) -> list[Place]:
        """Wait until something may be sent in a moment, and take as many places as there are, at
        most `most`; none when that would take too long. What is not used goes back: `put_back`.

        A place is no token yet: in its `turn` a message waits for that, the most urgent first.
        """
        if await self._pass(Waiter(rank, self._next(), paid=paid)):
            return []
        found, one = [Place(rank, paid)], Waiter(rank, 0, paid=paid)
        while len(found) < most and self._wait(one, self._now()) == 0:
            self._places[paid] += 1
            found.append(Place(rank, paid))
        return found

    def put_back(self, places: Iterable[Place]) -> None:
        """These will not be used, unless they were."""
        for place in places:
            self._use(place)
        self._serve()

    def busy(self) -> dict[int, int]:
        """Chats that no notice may go to at this moment, each with the nanoseconds to wait."""
        now = self._now()
        found = self._chats.busy(now) if self.limits.limited else {}
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
        if one.chat_id is None:
            return max(wait, self._wait_for_place(one, now))
        if not one.edit or one.chat_id < 0:
            wait = max(wait, self._chats.wait(one.chat_id, one.rank, now))
        return max(wait, self._bucket(one).wait(now))

    def _wait_for_place(self, one: Waiter, now: int) -> int:
        bucket, out = self._bucket(one), self._places[one.paid]
        return max(0, bucket.wait(now, out + 1) - AHEAD)

    def _take(self, one: Waiter, now: int) -> None:
        if one.chat_id is None:
            self._places[one.paid] += 1
            return
        if one.place is not None:
            self._use(one.place)
        if not self.limits.limited:
            return
        if not one.edit or one.chat_id < 0:
            self._chats.take(one.chat_id, now)
        self._bucket(one).take(now)

    def _use(self, place: Place) -> None:
        if not place.used:
            place.used = True
            self._places[place.paid] -= 1

    def _bucket(self, one: Waiter) -> Bucket:
        return self._paid if one.paid else self._overall

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


def _even(per_second: int, burst: int, now: int) -> Bucket:
    """An empty bucket that never exceeds that rate."""
    return Bucket(-(-SECOND // per_second), min(burst, per_second), now, empty=True)


def _tell(one: Waiter, wait: int) -> None:
    if one.told is not None and not one.told.done():
        one.told.set_result(wait)
