"""Webhooks of suppliers and payment providers. What one says is never believed: it only makes us
ask sooner."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.orders import TopUpState
from bot.domain.sales import Method, TopUp
from bot.ports import Call, Carrier, Clock, HintRow, PaymentMethod, Store, Tx
from bot.services.work import Worker

log = structlog.get_logger()

KEEP = timedelta(days=30)
"""How long an event is known, so that its replay is: longer than any supplier repeats one."""

_BATCH = 50
_ASKED = (TopUpState.UNKNOWN, TopUpState.PROCESSING, TopUpState.SUCCEEDED)
"""Where the next step of a top-up is a question; one that is being sent must not be hurried."""


class Hints:
    """Takes what webhooks are about, and makes the SIMs, top-ups and payments due that they name.

    `methods` are the ways to pay; those of one provider share its address and read alike.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        methods: Mapping[Method, PaymentMethod],
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._methods = methods
        self._providers = {
            method.provider: method for method in methods.values() if method.capabilities.webhooks
        }
        self.worker = Worker("hints", self._work)
        self.rings: list[Worker] = []
        """Workers to wake when something has become due: readings, top-ups, payments."""

    def knows(self, caller: str) -> bool:
        """Whether that supplier or provider is switched on and calls us."""
        carrier = self._carriers.get(caller)
        return caller in self._providers or (carrier is not None and carrier.capabilities.webhooks)

    async def accept(self, caller: str, call: Call) -> str:
        """Keep what a call is about; what the caller wants to read. Raises WebhookRefused."""
        now = self._clock.now()
        provider = self._providers.get(caller)
        if provider is not None:
            events = await provider.parse_event(call)
            rows = [
                HintRow(caller, event.event_id, event.reference, event.provider_ref, None, now)
                for event in events
            ]
        else:
            hints = self._carriers[caller].parse_webhook(call.headers, call.body)
            rows = [
                HintRow(caller, hint.event_id, hint.ref, hint.supplier_ref, hint.iccid, now)
                for hint in hints
            ]
        # What names nothing only looks whether we listen.
        found = [row for row in rows if row.ref or row.supplier_ref or row.iccid]
        if found:
            async with self._store.write() as tx:
                fresh = [await tx.hints.add(row) for row in found]
            log.info("webhook", caller=caller, events=len(found), new=sum(fresh))
            self.worker.ring()
        return provider.capabilities.answer if provider is not None else ""

    async def next_due(self) -> datetime | None:
        """When the oldest hint that nobody has followed was received."""
        async with self._store.read() as tx:
            return await tx.hints.next_due()

    async def purge(self) -> None:
        """Forget events of long ago."""
        async with self._store.write() as tx:
            await tx.hints.purge(self._clock.now() - KEEP)

    async def _work(self) -> None:
        while not self.worker.stopping:
            now = self._clock.now()
            async with self._store.write() as tx:
                rows = await tx.hints.waiting(_BATCH)
                for row in rows:
                    assert row.id is not None  # noqa: S101  it came from the table
                    await self._follow(tx, row, now)
                    await tx.hints.done(row.id, now)
            if not rows:
                return
            for worker in self.rings:
                worker.ring()

    async def _follow(self, tx: Tx, row: HintRow, now: datetime) -> None:
        if row.supplier in self._providers:
            await self._look_at(tx, row, now)
            return
        if row.ref is not None:
            topup = await tx.topups.get(row.ref)
            if topup is not None and topup.supplier == row.supplier:
                await self._hurry(tx, topup, now)
        if row.supplier_ref is not None or row.iccid is not None:
            sim = await tx.sims.of_supplier(row.supplier, row.supplier_ref, row.iccid)
            if sim is not None and sim.owner_id is not None:
                await tx.sims.set_next_read(sim.id, now)

    async def _look_at(self, tx: Tx, row: HintRow, now: datetime) -> None:
        """The attempt is asked about now, by whoever asks about attempts."""
        payment = await tx.payments.get(row.ref) if row.ref else None
        if payment is None and row.supplier_ref is not None:
            payment = await tx.payments.by_provider_ref(row.supplier_ref)
        if payment is None:
            return
        method = self._methods.get(payment.method)
        if method is not None and method.provider == row.supplier:
            await tx.payments.set(payment.id, look_at=now)

    async def _hurry(self, tx: Tx, topup: TopUp, now: datetime) -> None:
        """Ask about it now; being asked early costs none of its tries."""
        if topup.next_at is not None and topup.next_at <= now:
            return
        if topup.state in _ASKED:
            await tx.topups.set(topup.id, next_at=now, tries=max(0, topup.tries - 1))
        elif topup.state is TopUpState.VERIFIED and self._reverses(topup):
            await tx.topups.set(topup.id, next_at=now, tries=topup.tries - 1)

    def _reverses(self, topup: TopUp) -> bool:
        carrier = self._carriers.get(topup.supplier)
        return carrier is not None and carrier.capabilities.reverses
