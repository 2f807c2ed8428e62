"""Proof of a top-up: the SIM read again, or the operator's confirmation; and whether it lasts."""

from collections.abc import Mapping
from datetime import timedelta

import structlog

from bot.domain.orders import OrderState, TopUpState
from bot.domain.rules import Pack
from bot.domain.sales import Order, TopUp
from bot.domain.sims import Reading, Sim, Source
from bot.ports import Carrier, Clock, Store, SupplierUnavailable, TopUpStatus
from bot.services.buying import by_plan, finish, redate, request_for, verified
from bot.services.planning import settle_passed
from bot.services.steps import Steps

log = structlog.get_logger()

_VERIFY_AFTER = (5, 15, 60, 300, 900, 1800)
"""Seconds between readings until the SIM shows the top-up; their sum is the promised time."""
_WATCH_AFTER = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(hours=72))
"""When a success that may be taken back is asked about, counted from the proof."""


class Proof:
    """The last steps of a top-up."""

    def __init__(self, store: Store, clock: Clock, steps: Steps, packs: Mapping[str, Pack]) -> None:
        self._store = store
        self._clock = clock
        self._steps = steps
        self._packs = packs

    async def verify(self, topup: TopUp, order: Order, sim: Sim, carrier: Carrier) -> None:
        """Fulfilled only when the SIM itself shows it; a number's operator confirms instead."""
        if not carrier.capabilities.reads:
            after = by_plan(sim, order, Source.RULE, self._clock.now())
            await self._fulfil(topup, order, sim, carrier, after, "operator_confirmed")
            return
        try:
            reading = await carrier.snapshot(sim)
        except SupplierUnavailable as error:
            log.warning("reading_after_failed", topup=topup.id, reason=error.reason)
        else:
            if verified(topup.before, reading, order.plan.days):
                await self._fulfil(topup, order, sim, carrier, reading, "reading")
                return
        if topup.tries >= len(_VERIFY_AFTER):
            await self._steps.to_person(topup, order, "unverified")
            return
        async with self._store.write() as tx:
            later = self._clock.now() + timedelta(seconds=_VERIFY_AFTER[topup.tries])
            await tx.topups.set(topup.id, tries=topup.tries + 1, next_at=later)

    async def _fulfil(
        self,
        topup: TopUp,
        order: Order,
        sim: Sim,
        carrier: Carrier,
        after: Reading | None,
        reason: str,
    ) -> None:
        now = self._clock.now()
        watched = now + _WATCH_AFTER[0] if carrier.capabilities.reverses else None
        async with self._store.write() as tx:
            if not await tx.topups.move(
                topup.id, TopUpState.SUCCEEDED, TopUpState.VERIFIED, reason, now,
                after=after, tries=0, next_at=watched,
            ):  # fmt: skip
                return
            if after is not None and after.source is Source.RULE:
                await redate(tx, sim, after)
            elif after is not None:
                await tx.sims.add_reading(sim.id, after)
            await finish(tx, self._packs, order, now)
            await settle_passed(tx, sim.id, now)

    async def watch(self, topup: TopUp, order: Order, sim: Sim, carrier: Carrier) -> None:
        """Ask whether a success still stands; one taken back is a person's decision, for the
        customer may have used it."""
        status = TopUpStatus.UNKNOWN
        if topup.supplier_ref is not None:
            try:
                answer = await carrier.status(request_for(topup, sim), topup.supplier_ref)
                status = answer.status
            except SupplierUnavailable as error:
                log.warning("watch_failed", topup=topup.id, reason=error.reason)
        now = self._clock.now()
        async with self._store.write() as tx:
            if status in (TopUpStatus.REVERSED, TopUpStatus.REJECTED):
                if await tx.topups.move(
                    topup.id, TopUpState.VERIFIED, TopUpState.REVERSED, "reversed", now,
                    next_at=None,
                ):  # fmt: skip
                    await self._steps.order_to(
                        tx, order, OrderState.NEEDS_OPERATOR, "reversed", now
                    )
                    await self._steps.tell_operators(tx, order, "reversed")
            else:
                step = topup.tries + 1
                begun = order.fulfilled_at or now
                later = begun + _WATCH_AFTER[step] if step < len(_WATCH_AFTER) else None
                await tx.topups.set(topup.id, tries=step, next_at=later)
        self._steps.ring()
