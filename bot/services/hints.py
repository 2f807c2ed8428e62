"""Suppliers' webhooks. What one says is never believed: it only makes us ask sooner."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.orders import TopUpState
from bot.domain.sales import TopUp
from bot.ports import Carrier, Clock, HintRow, Store, Tx
from bot.services.work import Worker

log = structlog.get_logger()

KEEP = timedelta(days=30)
"""How long an event is known, so that its replay is: longer than any supplier repeats one."""

_BATCH = 50
_ASKED = (TopUpState.UNKNOWN, TopUpState.PROCESSING, TopUpState.SUCCEEDED)
"""Where the next step of a top-up is a question; one that is being sent must not be hurried."""


class Hints:
    """Takes what webhooks are about, and makes the SIMs and top-ups due that they name."""

    def __init__(self, store: Store, clock: Clock, carriers: Mapping[str, Carrier]) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self.worker = Worker("hints", self._work)
        self.rings: list[Worker] = []
        """Workers to wake when a SIM or a top-up has become due: readings, top-ups."""

    def knows(self, supplier: str) -> bool:
        """Whether that supplier is switched on and calls us."""
        carrier = self._carriers.get(supplier)
        return carrier is not None and carrier.capabilities.webhooks

    async def accept(self, supplier: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep what a webhook is about. Raises WebhookRefused; `headers` by lower-case name."""
        now = self._clock.now()
        found = [
            HintRow(supplier, hint.event_id, hint.ref, hint.supplier_ref, hint.iccid, now)
            for hint in self._carriers[supplier].parse_webhook(headers, body)
            if hint.ref or hint.supplier_ref or hint.iccid  # else it only looks whether we listen
        ]
        if not found:
            return
        async with self._store.write() as tx:
            fresh = [await tx.hints.add(row) for row in found]
        log.info("webhook", supplier=supplier, events=len(found), new=sum(fresh))
        self.worker.ring()

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
        if row.ref is not None:
            topup = await tx.topups.get(row.ref)
            if topup is not None and topup.supplier == row.supplier:
                await self._hurry(tx, topup, now)
        if row.supplier_ref is not None or row.iccid is not None:
            sim = await tx.sims.of_supplier(row.supplier, row.supplier_ref, row.iccid)
            if sim is not None and sim.owner_id is not None:
                await tx.sims.set_next_read(sim.id, now)

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
