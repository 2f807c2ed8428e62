"""From paid to verified: one top-up per order, asked about after a lost answer, never repeated.

Every step is a row with a due time; a run takes the due ones, and a dead process's step is
found again by the next run.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.orders import OrderState, TopUpState
from bot.domain.sales import Order, TopUp
from bot.domain.sims import Reading, Sim
from bot.ports import (
    Carrier,
    Clock,
    Store,
    SupplierQuote,
    SupplierUnavailable,
    TopUpAnswer,
    TopUpStatus,
    Tx,
)
from bot.services.buying import PASSING, refusal, request_for
from bot.services.proof import Proof
from bot.services.selling import Selling
from bot.services.steps import Steps
from bot.services.work import Worker

log = structlog.get_logger()

LEASE = timedelta(minutes=3)
"""Longer than any supplier's answer may take: a submit older than this has lost its process."""
LONGEST_STEP = 150.0
"""Seconds after which a step is given up, so that no supplier keeps the others waiting."""

_READ_TRIES = 3
_LOOK_UP_AFTER = (5, 15, 45, 120, 300, 900)
"""Seconds between look-ups of a top-up whose answer was lost."""
_AFTER_FAILURE = timedelta(minutes=5)
_MOST_FAILURES = 6
_FINAL = (TopUpState.VERIFIED, TopUpState.REJECTED, TopUpState.NEEDS_OPERATOR, TopUpState.REVERSED)


class Fulfilment:
    """The top-up job; `instance` names this process among those that share the database."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        selling: Selling,
        instance: str = "only",
    ) -> None:
        self._instance = instance
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._steps = Steps(store, clock, selling)
        self._proof = Proof(store, clock, self._steps, selling.packs)
        self.worker = Worker("fulfilment", self._run_due)
        self.rings = self._steps.rings
        """Workers to wake when something is to be told or refunded."""

    async def recover(self) -> None:
        """At start: a top-up that a dead process was submitting may have happened; look it up.

        What another instance has is left to it until its lease is over, as any other step is.
        """
        now, under_way = self._clock.now(), [TopUpState.SUBMITTING, TopUpState.RECONCILING]
        async with self._store.write() as tx:
            for topup in await tx.topups.in_states(under_way):
                if topup.claimed_by not in (self._instance, None):
                    continue
                if topup.state is TopUpState.SUBMITTING:
                    await self._lost_answer(tx, topup, "process_died", now)
                else:
                    await tx.topups.move(
                        topup.id, topup.state, TopUpState.UNKNOWN, "process_died", now, next_at=now
                    )
        self.worker.ring()

    async def next_due(self) -> datetime | None:
        """When the next step is due."""
        async with self._store.read() as tx:
            return await tx.topups.next_due()

    async def _run_due(self) -> None:
        while not self.worker.stopping:
            async with self._store.read() as tx:
                due = await tx.topups.due(self._clock.now(), 20)
            if not due:
                return
            await asyncio.gather(*(self._guarded(topup) for topup in due))
            self._steps.ring()

    async def _guarded(self, topup: TopUp) -> None:
        try:
            async with asyncio.timeout(LONGEST_STEP):
                await self._step(topup)
        except Exception:
            # A defect here must not stop other customers' top-ups, nor spin on this one.
            log.exception("topup_step_failed", topup=topup.id, state=topup.state)
            await self._failed(topup.id)

    async def _failed(self, topup_id: str) -> None:
        """Try the step again later; one that fails again and again is a person's."""
        async with self._store.write() as tx:
            topup = await tx.topups.get(topup_id)
            order = await tx.orders.get(topup.order_id) if topup is not None else None
            if topup is None or order is None:
                return
            after = self._clock.now() + _AFTER_FAILURE
            await tx.topups.set(topup.id, tries=topup.tries + 1, next_at=after)
        if topup.tries >= _MOST_FAILURES and topup.state not in _FINAL:
            await self._steps.to_person(topup, order, "defect")

    async def _step(self, topup: TopUp) -> None:
        async with self._store.read() as tx:
            order = await tx.orders.get(topup.order_id)
            sim = await tx.sims.get(topup.sim_id)
        if order is None or sim is None:
            raise LookupError(f"top-up {topup.id} has lost its order or SIM")
        carrier = self._carriers.get(topup.supplier)
        if topup.state is TopUpState.VERIFIED and carrier and carrier.capabilities.reverses:
            await self._proof.watch(topup, order, sim, carrier)
        elif topup.state in _FINAL:
            async with self._store.write() as tx:
                await tx.topups.set(topup.id, next_at=None)
        elif carrier is None:
            await self._steps.to_person(topup, order, "supplier_off")
        elif topup.state is TopUpState.SAVED:
            await self._submit(topup, order, sim, carrier)
        elif topup.state is TopUpState.SUBMITTING:
            async with self._store.write() as tx:
                await self._lost_answer(tx, topup, "lease_over", self._clock.now())
        elif topup.state is TopUpState.SUCCEEDED:
            await self._proof.verify(topup, order, sim, carrier)
        elif topup.state in (TopUpState.UNKNOWN, TopUpState.PROCESSING):
            await self._look_up(topup, order, sim, carrier)
        else:  # reconciling
            now = self._clock.now()
            async with self._store.write() as tx:
                await tx.topups.move(
                    topup.id, topup.state, TopUpState.UNKNOWN, "lease_over", now, next_at=now
                )

    # ---- submitting ----------------------------------------------------------------------

    async def _submit(self, topup: TopUp, order: Order, sim: Sim, carrier: Carrier) -> None:
        """Look before buying: what the SIM shows and what the top-up costs now. Then buy once."""
        before, quoted = sim.reading, None
        if not carrier.capabilities.by_hand:
            try:
                before, quote = await self._look(topup, sim, carrier)
            except SupplierUnavailable as error:
                if await self._later(topup, error.reason):
                    return
            else:
                reason = refusal(topup, before, quote, carrier, self._clock.now())
                if reason in PASSING and await self._later(topup, reason):
                    return
                if reason is not None:
                    await self._steps.reject(topup, order, reason)
                    return
                quoted = quote.quoted
        if not await self._claim(topup, order, before):
            return
        # From here on a crash leaves SUBMITTING behind, which is looked up, never sent again.
        answer = await carrier.submit(request_for(topup, sim, quoted))
        log.info("topup_submitted", topup=topup.id, status=answer.status, reason=answer.reason)
        await self._answered(topup, order, TopUpState.SUBMITTING, answer, carrier)

    async def _look(
        self, topup: TopUp, sim: Sim, carrier: Carrier
    ) -> tuple[Reading | None, SupplierQuote]:
        """What the SIM shows, where that can be read, and the live price."""
        price = carrier.quote(sim, topup.supplier_code, topup.amount)
        if not carrier.capabilities.reads:
            return sim.reading, await price
        return await asyncio.gather(carrier.snapshot(sim), price)

    async def _later(self, topup: TopUp, reason: str) -> bool:
        """Without a look before, nothing can be verified: wait for it, but not for ever."""
        if topup.tries >= _READ_TRIES:
            return False
        log.warning("look_before_failed", topup=topup.id, reason=reason)
        async with self._store.write() as tx:
            pause = timedelta(seconds=_LOOK_UP_AFTER[topup.tries])
            await tx.topups.set(topup.id, tries=topup.tries + 1, next_at=self._clock.now() + pause)
        return True

    async def _claim(self, topup: TopUp, order: Order, before: Reading | None) -> bool:
        """Commit that we are about to submit; False when another run got there first."""
        now = self._clock.now()
        async with self._store.write() as tx:
            claimed = await tx.topups.move(
                topup.id,
                TopUpState.SAVED,
                TopUpState.SUBMITTING,
                "claimed",
                now,
                before=before,
                tries=0,
                next_at=now + LEASE,
                claimed_by=self._instance,
            )
            if claimed:
                await self._steps.order_to(tx, order, OrderState.TOPPING_UP, "submitting", now)
        self._steps.ring()
        return claimed

    async def _answered(
        self, topup: TopUp, order: Order, state: TopUpState, answer: TopUpAnswer, carrier: Carrier
    ) -> None:
        """Record a supplier's answer to a submit or a look-up."""
        now = self._clock.now()
        if answer.status in (TopUpStatus.REJECTED, TopUpStatus.REVERSED):
            # Taken back before the customer was told that it arrived: the money goes back too.
            await self._steps.reject(topup, order, answer.reason or answer.status.value, state)
            return
        if answer.status is TopUpStatus.PROCESSING:
            await self._processing(topup, order, state, answer, carrier)
            return
        async with self._store.write() as tx:
            if answer.status is TopUpStatus.SUCCEEDED:
                # False when its lease was over meanwhile: then a look-up or a person has it.
                if await tx.topups.move(
                    topup.id,
                    state,
                    TopUpState.SUCCEEDED,
                    "supplier",
                    now,
                    supplier_ref=answer.supplier_ref,
                    operator_ref=answer.operator_ref,
                    pin=answer.pin,
                    tries=0,
                    next_at=now,
                ):
                    await self._steps.order_to(tx, order, OrderState.TOPPING_UP, "delivered", now)
            elif answer.status is TopUpStatus.NOT_SENT and topup.tries < len(_LOOK_UP_AFTER):
                pause = timedelta(seconds=_LOOK_UP_AFTER[topup.tries])
                await tx.topups.move(
                    topup.id, state, TopUpState.SAVED, "not_sent", now,
                    tries=topup.tries + 1, next_at=now + pause,
                )  # fmt: skip
            else:
                await self._lost_answer(tx, topup, answer.reason or "no_answer", now)

    async def _processing(
        self, topup: TopUp, order: Order, state: TopUpState, answer: TopUpAnswer, carrier: Carrier
    ) -> None:
        """The supplier, or a person, is at it: ask again later, but not for ever."""
        by_hand = carrier.capabilities.by_hand
        if state is not TopUpState.SUBMITTING and topup.tries >= len(_LOOK_UP_AFTER):
            await self._steps.to_person(topup, order, "processing", state)
            return
        now = self._clock.now()
        pause = timedelta(seconds=_LOOK_UP_AFTER[min(topup.tries, 5)])
        changes: dict[str, object] = {
            "tries": topup.tries + 1,
            "next_at": None if by_hand else now + pause,
        }
        if answer.supplier_ref is not None:
            changes["supplier_ref"] = answer.supplier_ref
        async with self._store.write() as tx:
            if state is TopUpState.PROCESSING:
                await tx.topups.set(topup.id, **changes)
                return
            moved = await tx.topups.move(
                topup.id, state, TopUpState.PROCESSING, "supplier", now, **changes
            )
            if moved:
                await self._steps.order_to(tx, order, OrderState.TOPPING_UP, "processing", now)
            if moved and by_hand:
                await self._steps.tell_operators(tx, order, "by_hand")

    async def _lost_answer(self, tx: Tx, topup: TopUp, reason: str, now: datetime) -> None:
        moved = await tx.topups.move(
            topup.id, TopUpState.SUBMITTING, TopUpState.UNKNOWN, reason, now, tries=0, next_at=now
        )
        order = await tx.orders.get(topup.order_id)
        if moved and order is not None:
            await self._steps.order_to(tx, order, OrderState.TOPUP_UNKNOWN, reason, now)

    # ---- asking after a lost answer ------------------------------------------------------

    async def _look_up(self, topup: TopUp, order: Order, sim: Sim, carrier: Carrier) -> None:
        if not carrier.capabilities.finds:
            await self._steps.to_person(topup, order, "no_look_up")
            return
        now = self._clock.now()
        state = topup.state
        if state is TopUpState.UNKNOWN:
            async with self._store.write() as tx:
                if not await tx.topups.move(
                    topup.id, state, TopUpState.RECONCILING, "asking", now,
                    next_at=now + LEASE, claimed_by=self._instance,
                ):  # fmt: skip
                    return
            state = TopUpState.RECONCILING
        try:
            answer = await self._ask(topup, sim, carrier, state)
        except SupplierUnavailable as error:
            answer = TopUpAnswer(TopUpStatus.UNKNOWN, reason=error.reason)
        log.info("topup_looked_up", topup=topup.id, status=answer.status, tries=topup.tries)
        if answer.status is TopUpStatus.NOT_SENT:  # no word on what was sent before
            answer = TopUpAnswer(TopUpStatus.UNKNOWN, reason=answer.reason)
        if answer.status in (TopUpStatus.NOT_FOUND, TopUpStatus.UNKNOWN):
            await self._ask_again(topup, order, sim, carrier, state, answer)
        else:
            await self._answered(topup, order, state, answer, carrier)

    async def _ask(
        self, topup: TopUp, sim: Sim, carrier: Carrier, state: TopUpState
    ) -> TopUpAnswer:
        """By the supplier's own reference where it gave one, else by ours."""
        request = request_for(topup, sim)
        if state is TopUpState.PROCESSING and topup.supplier_ref is not None:
            return await carrier.status(request, topup.supplier_ref)
        return await carrier.find(request)

    async def _ask_again(
        self,
        topup: TopUp,
        order: Order,
        sim: Sim,
        carrier: Carrier,
        state: TopUpState,
        answer: TopUpAnswer,
    ) -> None:
        if topup.tries >= len(_LOOK_UP_AFTER):
            missing = answer.status is TopUpStatus.NOT_FOUND and not topup.resubmitted
            if missing and carrier.capabilities.unique_refs and state is TopUpState.RECONCILING:
                await self._resubmit(topup, order, sim, carrier)
                return
            # Not found for long: where no supplier promises that one reference buys once, a
            # second submit is a person's decision.
            await self._steps.to_person(topup, order, answer.status.value, state)
            return
        now = self._clock.now()
        after = now + timedelta(seconds=_LOOK_UP_AFTER[topup.tries])
        async with self._store.write() as tx:
            if state is TopUpState.RECONCILING:
                await tx.topups.move(
                    topup.id,
                    state,
                    TopUpState.UNKNOWN,
                    answer.status.value,
                    now,
                    tries=topup.tries + 1,
                    next_at=after,
                )
            else:
                await tx.topups.set(topup.id, tries=topup.tries + 1, next_at=after)

    async def _resubmit(self, topup: TopUp, order: Order, sim: Sim, carrier: Carrier) -> None:
        """Once more under the same reference, which the supplier promises to buy only once."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if not await tx.topups.move(
                topup.id, TopUpState.RECONCILING, TopUpState.SUBMITTING, "same_reference", now,
                resubmitted=True, tries=0, next_at=now + LEASE, claimed_by=self._instance,
            ):  # fmt: skip
                return
        answer = await carrier.submit(request_for(topup, sim))
        log.info("topup_resubmitted", topup=topup.id, status=answer.status, reason=answer.reason)
        if answer.status in (TopUpStatus.REJECTED, TopUpStatus.NOT_SENT):
            # Neither says anything of the first one, which may have been taken: look it up.
            answer = TopUpAnswer(TopUpStatus.UNKNOWN, reason=answer.reason)
        await self._answered(topup, order, TopUpState.SUBMITTING, answer, carrier)
