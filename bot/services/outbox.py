"""Sends what the outbox holds: most urgent first, one a chat at a time, each outcome recorded.

    gate: a place ──► claim, with a lease ──► deliver ──► outcome, in one transaction with
          ▲                                               the next claim
          └───────────────────────────────────────────────┘

A message is claimed only when it may go out at once, so that what is urgent overtakes all that
waits and a crash finds few under way. Several instances may share the queue: a claim names its
instance and ends with its lease.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from bot.ports import Clock, Delivery, Messenger, Notice, Outcome, Place, Priority, Store, Tx
from bot.services import notices
from bot.services.limits import PATIENCE, SECOND, Gate, Limits
from bot.services.work import Worker

log = structlog.get_logger()

WIDTH = 32
"""Messages under way at once; answers need connections too."""
PAID_WIDTH = 200
"""The same where broadcasts are paid for: a thousand a second, each answered within a fifth."""
LEASE = timedelta(minutes=3)
KEEP = timedelta(days=90)
"""How long it is known what was sent, beyond what is needed for ever."""
LONGEST = 60.0
"""Seconds after which a delivery is given up, well within its lease."""

_SHARE = 10
"""Every so many messages the longest waiting one goes first, whatever its class."""
_GLANCE = 0.2
"""Seconds after which the queue is looked at again while messages are under way."""
_SLICE = 1000
"""Rows forgotten in one transaction."""
_GATHER = 0.01
"""Seconds for more to end, where much is under way: one transaction then records it all."""
_LONGEST_PAUSE = 60
_MOST_TRIES = 3 * 24 * 60
"""An outage of three days at one try a minute; what is certainly not delivered waits so long."""
_MOST_CRASHES = 5
_DOUBT = timedelta(seconds=30)
"""When a lost answer is followed by the one repetition: what broke it should be over."""
_AT_MOST_ONCE = frozenset({Priority.PROMO, Priority.BROADCAST})
"""Classes whose lost answer counts as sent. The others are worth one duplicate a crash."""
_GONE = (Outcome.BLOCKED, Outcome.DEACTIVATED)

Ended = tuple[Notice, Delivery]
Told = Callable[[Tx, Notice, Delivery], Awaitable[None]]
"""Hears in the transaction that records it how a notice ended, or that its chat has another id."""


@dataclass(slots=True)
class _Lane:
    """Classes that share a limit, and what of them is under way."""

    among: tuple[Priority, Priority] = (Priority.PAYMENT, Priority.BROADCAST)
    paid: bool = False
    sending: dict[asyncio.Task[Delivery], Notice] = field(default_factory=dict)
    asking: asyncio.Task[list[Place]] | None = None
    resting: bool = False
    """The queue had nothing to send."""
    share: int = 0

    def ended(self) -> list[Ended]:
        """Take out what is no longer under way."""
        done = [task for task in self.sending if task.done()]
        return [(self.sending.pop(task), task.result()) for task in done]

    def places(self) -> list[Place] | None:
        """Take the places that were asked for; None while they are not there."""
        if self.asking is None or not self.asking.done():
            return None
        found, self.asking = self.asking.result(), None
        return found


class Outbox:
    """The sender. Without a `gate` nothing is limited; `instance` names this process among those
    that share the database."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        messenger: Messenger,
        gate: Gate | None = None,
        instance: str = "only",
        width: int = WIDTH,
    ) -> None:
        self._store = store
        self._clock = clock
        self._messenger = messenger
        self._gate = gate or Gate(Limits(limited=False))
        self._instance = instance
        self._width = width
        self._unsettled: list[Ended] = []
        self._lanes = [_Lane()]
        self.told: dict[str, Told] = {}
        """By kind of notice: who has to hear how each of them ended."""
        if self._gate.limits.paid:
            first = _Lane((Priority.PAYMENT, Priority.ALERT))
            self._lanes = [first, _Lane((Priority.PROMO, Priority.BROADCAST), paid=True)]
        self.worker = Worker("outbox", self._drain)

    async def purge(self, slice_: int = _SLICE) -> None:
        """Forget what was sent long ago and is needed no more, a slice at a time: whoever sends
        waits for none of them long."""
        before, gone = self._clock.now() - KEEP, slice_
        while gone == slice_ and not self.worker.stopping:
            async with self._store.write() as tx:
                gone = await tx.outbox.purge(before, notices.PASSING, slice_)

    async def recover(self) -> None:
        """At start: settle what a dead process of this name was sending; it may have arrived."""
        await self._take_over(own=True)

    async def next_due(self) -> datetime | None:
        """When there is something to send next."""
        async with self._store.read() as tx:
            due = await tx.outbox.next_due()
        held = self._gate.held()
        if due is not None and held:
            return max(due, self._clock.now() + timedelta(seconds=held / SECOND))
        return due

    async def _take_over(self, *, own: bool) -> None:
        async with self._store.write() as tx:
            now = self._clock.now()
            for notice in await tx.outbox.take_over(now, self._instance, now + LEASE, own=own):
                assert notice.id is not None  # noqa: S101  it came from the table
                log.warning("notice_taken_over", notice=notice.id, kind=notice.kind)
                if notice.priority not in _AT_MOST_ONCE and notice.tries < _MOST_TRIES:
                    await tx.outbox.release(notice.id, now, by=self._instance)
                else:
                    await tx.outbox.settle(
                        notice.id, Outcome.AMBIGUOUS, now, by=self._instance
                    )  # fmt: skip
                    await self._tell(tx, notice, Delivery(Outcome.AMBIGUOUS))

    # ---- the round -----------------------------------------------------------------------

    async def _drain(self) -> None:
        left, self._unsettled = self._unsettled, []
        await self._settle_singly(left)
        await self._take_over(own=False)
        rounds = (self._run(lane) for lane in self._lanes)
        ends = await asyncio.gather(*rounds, return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end

    async def _run(self, lane: _Lane) -> None:
        lane.resting = False
        try:
            while await self._step(lane):
                pass
        finally:
            if lane.asking is not None:
                lane.asking.cancel()
                await asyncio.wait([lane.asking])
                if not lane.asking.cancelled():
                    self._gate.put_back(lane.asking.result())
                lane.asking = None
            if lane.sending:
                await asyncio.wait(lane.sending)
                await self._settle_singly(lane.ended())

    async def _step(self, lane: _Lane) -> bool:
        """Wait for a place or an outcome, record and claim; False when the round is over."""
        room = self._width - len(lane.sending)
        if lane.asking is None and room and not lane.resting and not self.worker.stopping:
            asking = self._gate.places(room, int(lane.among[0]), paid=lane.paid)
            lane.asking = asyncio.create_task(asking)
        under_way = {*lane.sending, *([lane.asking] if lane.asking else [])}
        if not under_way or (self.worker.stopping and not lane.sending):
            return not self.worker.stopping and await self._later(lane)
        await asyncio.wait(under_way, timeout=_GLANCE, return_when=asyncio.FIRST_COMPLETED)
        if len(lane.sending) > self._width // 2:
            await asyncio.sleep(_GATHER)
        lane.resting = False
        places, ended = lane.places(), lane.ended()
        if places and self.worker.stopping:
            self._gate.put_back(places)
            places = []
        claimed: list[Notice] = []
        if places or ended:
            claimed = await self._turn_over(lane, ended, places or [])
        if places is not None:
            lane.resting = not claimed
        return True

    async def _later(self, lane: _Lane) -> bool:
        """Nothing can go out now. Whether something can in a moment; waits for it."""
        busy = self._gate.busy()
        wait = min(busy.values(), default=PATIENCE + 1)
        if wait > PATIENCE or self._gate.held():
            return False
        async with self._store.read() as tx:
            due = await tx.outbox.next_due()
        if due is None or due > self._clock.now():
            return False
        await asyncio.sleep(wait / SECOND)
        lane.resting = False
        return True

    async def _turn_over(
        self, lane: _Lane, ended: Sequence[Ended], places: Sequence[Place]
    ) -> list[Notice]:
        """Record outcomes and claim as many as have a place, in one transaction."""
        now, claimed = self._clock.now(), list[Notice]()
        lane.share += len(places)
        longest = 1 if lane.share >= _SHARE else 0
        try:
            async with self._store.write() as tx:
                await self._settle_together(tx, ended)
                if places:
                    claimed = await tx.outbox.claim(
                        now,
                        len(places),
                        by=self._instance,
                        until=now + LEASE,
                        longest=longest,
                        without=self._gate.busy(),
                        among=lane.among,
                    )
        except BaseException:
            self._gate.put_back(places)
            # While they count as under way their chats get nothing else.
            await self._settle_singly(ended)
            raise
        if longest:
            lane.share = 0
        self._gate.put_back(places[len(claimed) :])
        for notice, place in zip(claimed, places, strict=False):
            lane.sending[asyncio.create_task(self._send(notice, place))] = notice
        return claimed

    async def _send(self, notice: Notice, place: Place) -> Delivery:
        """Deliver it; never raises."""
        limit = asyncio.timeout(LONGEST)
        try:
            async with limit:
                return await self._messenger.deliver(notice, place)
        except Exception as error:
            if limit.expired():
                return Delivery(Outcome.AMBIGUOUS, detail="no end")
            # The store may be out of reach for a moment; a defect must not block its chat for ever.
            log.exception("notice_failed", kind=notice.kind, notice=notice.id)
            outcome = Outcome.RETRY if notice.tries < _MOST_CRASHES else Outcome.FAILED
            return Delivery(outcome, detail=type(error).__name__)
        finally:
            self._gate.put_back([place])

    # ---- recording -----------------------------------------------------------------------

    async def _settle_together(self, tx: Tx, ended: Sequence[Ended]) -> None:
        """Record outcomes; most were sent, and one statement tells that of all of them."""
        sent: dict[int, int | None] = {}
        # In one order, whoever hears of them: two transactions never wait for each other's rows.
        for notice, delivery in sorted(ended, key=lambda one: one[0].dedupe_key):
            one_by_one = notice.kind in self.told
            if delivery.outcome is Outcome.SENT and notice.id is not None and not one_by_one:
                sent[notice.id] = delivery.message_id
            else:
                await self._settle(tx, notice, delivery)
        kept = await tx.outbox.sent(sent, self._clock.now(), self._instance)
        if kept < len(sent):
            log.warning("lease_lost", notices=len(sent) - kept, outcome=Outcome.SENT)

    async def _settle_singly(self, ended: Sequence[Ended]) -> None:
        """Record outcomes, each by itself; the next round tries again what can't be recorded."""
        for notice, delivery in ended:
            try:
                async with self._store.write() as tx:
                    await self._settle(tx, notice, delivery)
            except Exception:
                log.exception("notice_not_settled", notice=notice.id)
                self._unsettled.append((notice, delivery))

    async def _settle(self, tx: Tx, notice: Notice, delivery: Delivery) -> None:
        assert notice.id is not None  # noqa: S101  it came from the table
        now, mine = self._clock.now(), self._instance
        outcome = delivery.outcome
        repeated = notice.priority not in _AT_MOST_ONCE and not notice.doubtful
        if outcome is Outcome.RETRY and notice.tries < _MOST_TRIES:
            pause = timedelta(seconds=min(_LONGEST_PAUSE, 2 ** min(notice.tries, 6)))
            asked = max(delivery.retry_at or now + pause, now + timedelta(seconds=1))
            kept = await tx.outbox.release(notice.id, asked, by=mine)
        elif outcome is Outcome.AMBIGUOUS and repeated:
            kept = await tx.outbox.release(notice.id, now + _DOUBT, doubtful=True, by=mine)
        elif outcome is Outcome.MIGRATED and delivery.chat_id is not None:
            kept = await tx.outbox.release(notice.id, now, by=mine)
            await tx.chats.migrate(notice.chat_id, delivery.chat_id)
            await self._tell(tx, notice, delivery)
        else:
            end = Outcome.FAILED if outcome is Outcome.RETRY else outcome
            told = (delivery.message_id, delivery.detail)
            kept = await tx.outbox.settle(notice.id, end, now, *told, by=mine)
            await self._tell(tx, notice, replace(delivery, outcome=end))
        if outcome in _GONE:
            await tx.chats.set_blocked(notice.chat_id, now)
        if not kept:
            log.warning("lease_lost", notice=notice.id, outcome=outcome)

    async def _tell(self, tx: Tx, notice: Notice, delivery: Delivery) -> None:
        told = self.told.get(notice.kind)
        if told is not None:
            await told(tx, notice, delivery)
