"""eSIMs that wait for their activation (F8): their owner hears once what to try, a person of the
shop looks after a day. `planning` begins and ends a watch, whoever took the reading.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.watching import ESCALATE_AFTER
from bot.ports import Activation, Carrier, Clock, Store, SupplierUnavailable, Wait
from bot.services import notices
from bot.services.planning import replan
from bot.services.readings import read
from bot.services.selling import Selling, tell_operators
from bot.services.work import Worker

log = structlog.get_logger()

_BATCH = 20
_FRESH = timedelta(minutes=5)
_AGAIN = timedelta(minutes=30)
"""A step whose SIM can't be read is tried again then: nobody is told what may be over."""
_AFTER_TELLING = timedelta(hours=1)
"""The owner has at least so long to try it, however late they heard."""


class Activations:
    """The steps of every watch that is open."""

    def __init__(
        self, store: Store, clock: Clock, carriers: Mapping[str, Carrier], selling: Selling
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._selling = selling
        self.worker = Worker("activations", self._tick)
        self.rings: list[Worker] = []

    async def next_due(self) -> datetime | None:
        """When the next step of a watch is due."""
        async with self._store.read() as tx:
            return await tx.activations.next_due()

    async def later(self, sim_id: str, chat_id: int) -> bool:
        """The owner will switch it on another day: nobody is bothered. False when nothing is
        open."""
        async with self._store.write() as tx:
            for watch in await tx.activations.of_sim(sim_id):
                if watch.chat_id == chat_id and watch.state in (Wait.WATCHED, Wait.TOLD):
                    return await tx.activations.move(
                        watch.id, watch.state, Wait.LATER, next_at=None
                    )
        return False

    async def _tick(self) -> None:
        while not self.worker.stopping:
            async with self._store.read() as tx:
                due = await tx.activations.due(self._clock.now(), _BATCH)
            if not due:
                return
            for watch in due:
                try:
                    done = await self._read(watch) and await self._step(watch)
                except Exception:
                    log.exception("activation_step_failed", watch=watch.id)
                    done = False
                if not done:
                    async with self._store.write() as tx:
                        await tx.activations.put_off(watch.id, self._clock.now() + _AGAIN)
            for worker in self.rings:
                worker.ring()

    async def _read(self, watch: Activation) -> bool:
        """Look at the SIM first; False when it can't be read."""
        async with self._store.read() as tx:
            sim = await tx.sims.get(watch.sim_id)
        carrier = self._carriers.get(sim.supplier) if sim is not None else None
        if sim is None or carrier is None:
            return False
        if sim.reading is not None and self._clock.now() - sim.reading.taken_at < _FRESH:
            async with self._store.write() as tx:
                await replan(tx, sim.id, self._clock.now())
            return True
        try:
            await read(self._store, self._clock, carrier, sim)
        except SupplierUnavailable as error:
            log.warning("reading_failed", sim=sim.id, reason=error.reason)
            return False
        return True

    async def _step(self, watch: Activation) -> bool:
        """Tell the owner, or hand it to a person. What the reading has ended is left alone."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if watch.state is Wait.WATCHED:
                at = max(watch.since + ESCALATE_AFTER, now + _AFTER_TELLING)
                if await tx.activations.move(watch.id, watch.state, Wait.TOLD, next_at=at):
                    await tx.outbox.add(notices.activation(watch.id, watch.chat_id, Wait.TOLD))
            elif await tx.activations.move(watch.id, watch.state, Wait.ESCALATED, next_at=None):
                await tell_operators(tx, self._selling, f"activation:{watch.id}", "activation")
        return True
