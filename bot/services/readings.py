"""SIMs read in the background: the more urgent, the more often; within each supplier's pace."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.domain.sims import Sim
from bot.domain.watching import after_failure
from bot.ports import Carrier, Clock, Store, SupplierUnavailable
from bot.services.planning import replan, take_reading
from bot.services.work import Worker

log = structlog.get_logger()

KEEP = timedelta(days=90)
"""How long the history of readings is kept."""

_BATCH = 50
_AT_ONCE = 3
"""SIMs of one supplier read at the same time: its adapter keeps the pace, and customers who ask
meanwhile stand behind no more than these."""
_LONGEST = 60.0
"""Seconds after which one reading is given up."""
_REST = timedelta(minutes=5)
"""How long the others of a supplier wait when several readings in a row have failed."""
_NOBODY = timedelta(hours=24)
"""When a SIM is looked at again whose supplier can't be asked at all."""

_Due = Sequence[tuple[Sim, int]]


async def read(store: Store, clock: Clock, carrier: Carrier, sim: Sim) -> Sim:
    """The SIM with its supplier's present word, kept, and all that follows from it planned.

    Raises SupplierUnavailable.
    """
    reading = await carrier.snapshot(sim)
    async with store.write() as tx:
        await take_reading(tx, sim.id, reading, clock.now())
        await replan(tx, sim.id, clock.now())
        fresh = await tx.sims.get(sim.id)
    return fresh or sim


class Readings:
    """The background job, and the end of old readings."""

    def __init__(self, store: Store, clock: Clock, carriers: Mapping[str, Carrier]) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self.worker = Worker("readings", self._tick)
        self.rings: list[Worker] = []
        """Workers to wake when a message or another reminder time has come of it."""

    async def next_due(self) -> datetime | None:
        """When the next SIM is to be read."""
        async with self._store.read() as tx:
            return await tx.sims.next_to_read()

    async def purge(self) -> None:
        """Forget old readings; every SIM keeps its newest."""
        async with self._store.write() as tx:
            await tx.sims.purge_readings(self._clock.now() - KEEP)

    async def _tick(self) -> None:
        while not self.worker.stopping:
            async with self._store.read() as tx:
                due = await tx.sims.to_read(self._clock.now(), _BATCH)
            if not due:
                return
            by_supplier: dict[str, list[tuple[Sim, int]]] = defaultdict(list)
            for sim, failures in due:
                by_supplier[sim.supplier].append((sim, failures))
            await asyncio.gather(
                *(self._read_all(self._carriers.get(name), sims)
                  for name, sims in by_supplier.items())
            )  # fmt: skip
            for worker in self.rings:
                worker.ring()

    async def _read_all(self, carrier: Carrier | None, due: _Due) -> None:
        """A few at a time. When all of those fail, the supplier does: the rest waits."""
        if carrier is None or not carrier.capabilities.reads:
            await self._put_off(due, _NOBODY)
            return
        for first in range(0, len(due), _AT_ONCE):
            if self.worker.stopping:
                return
            group = due[first : first + _AT_ONCE]
            read_ = await asyncio.gather(*(self._read(carrier, *one) for one in group))
            if not any(read_) and len(group) == _AT_ONCE:
                await self._put_off(due[first + _AT_ONCE :], _REST)
                return

    async def _read(self, carrier: Carrier, sim: Sim, failures: int) -> bool:
        """False, and a pause that grows, when it can't be read."""
        try:
            async with asyncio.timeout(_LONGEST):
                await read(self._store, self._clock, carrier, sim)
        except (SupplierUnavailable, TimeoutError) as error:
            log.warning("reading_failed", sim=sim.id, reason=str(error) or "timeout")
        except Exception:
            log.exception("reading_crashed", sim=sim.id)
        else:
            return True
        async with self._store.write() as tx:
            at = self._clock.now() + after_failure(sim.id, failures + 1)
            await tx.sims.set_next_read(sim.id, at, failures + 1)
        return False

    async def _put_off(self, due: _Due, span: timedelta) -> None:
        async with self._store.write() as tx:
            for sim, failures in due:
                await tx.sims.set_next_read(sim.id, self._clock.now() + span, failures)
