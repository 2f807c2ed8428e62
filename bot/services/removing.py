"""Kept cards that are kept no longer: charged no more at once, deleted at their provider soon.

What is to be deleted there is a row of its own, committed before anybody is asked, and gone only
with the provider's word: a lost answer is asked for again, for however long it takes.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.renewals import KEPT, Agreement, AgreementState
from bot.domain.sales import Method, Removal, Saved
from bot.ports import Clock, Forgetting, PaymentMethod, PaymentUnavailable, Store, Tx
from bot.services import agreements
from bot.services.selling import Refused
from bot.services.work import Worker

log = structlog.get_logger()

_PATIENCE = 20.0
"""Seconds a provider's answer may take."""
_AGAIN = tuple(timedelta(minutes=n) for n in (1, 5, 30, 120, 480, 1440))
_LONG = timedelta(days=1)
_BATCH = 50


class Removing:
    """The customer's wish, and the job."""

    def __init__(self, store: Store, clock: Clock, methods: Mapping[Method, PaymentMethod]) -> None:
        self._store = store
        self._clock = clock
        self._methods = methods
        self.worker = Worker("removals", self._run)
        self.rings: list[Worker] = []

    async def kept(self, chat_id: int) -> list[Saved]:
        """What the customer let providers keep, newest first."""
        async with self._store.read() as tx:
            return await tx.saved.of_chat(chat_id)

    async def charged(self, saved: Saved) -> list[Agreement]:
        """The agreements that would stop with it."""
        async with self._store.read() as tx:
            return await _charged(tx, saved)

    async def remove(self, saved_id: str, chat_id: int) -> Saved:
        """Charge it no more and have it deleted; renewals that it pays for stop.

        Raises Refused "unknown" when it is not theirs, or not kept any more.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            saved = await tx.saved.get(saved_id)
            if saved is None or saved.chat_id != chat_id:
                raise Refused("unknown")
            for one in await _charged(tx, saved):
                await agreements.end(
                    tx, one, AgreementState.CANCELLED, "customer", now,
                    told=False, actor=str(chat_id),
                )  # fmt: skip
            if not await tx.saved.remove(saved_id, now):
                raise Refused("unknown")
        log.info("saved_removed", method=saved.method.value)
        self.worker.ring()
        for worker in self.rings:
            worker.ring()
        return saved

    # ---- the job -----------------------------------------------------------------------------

    async def next_due(self) -> datetime | None:
        """When a provider is asked next."""
        async with self._store.read() as tx:
            return await tx.removals.next_due()

    async def _run(self) -> None:
        while not self.worker.stopping:
            async with self._store.read() as tx:
                due = await tx.removals.due(self._clock.now(), _BATCH)
            if not due:
                return
            for removal in due:
                await self._ask(removal)

    async def _ask(self, removal: Removal) -> None:
        """Once; the next time is committed first, so that a crash only delays it."""
        wait = _AGAIN[min(removal.tries, len(_AGAIN) - 1)]
        async with self._store.write() as tx:
            await tx.removals.later(removal.id, self._clock.now() + wait, removal.tries + 1)
        method = self._methods.get(removal.method)
        if not isinstance(method, Forgetting):
            log.warning("removal_method_off", method=removal.method.value)
            return  # switched off for now: it is tried again
        try:
            async with asyncio.timeout(_PATIENCE):
                await method.forget_saved(removal.token)
        except (PaymentUnavailable, TimeoutError) as error:
            say = log.error if wait >= _LONG else log.warning
            say("not_removed_there", method=removal.method.value, reason=str(error) or "timeout")
            return
        except Exception:
            # A defect at one provider must not hold up what others delete.
            log.exception("removal_crashed", method=removal.method.value)
            return
        async with self._store.write() as tx:
            await tx.removals.done(removal.id)


async def _charged(tx: Tx, saved: Saved) -> list[Agreement]:
    return [
        one
        for one in await tx.renewals.of_chat(saved.chat_id)
        if one.saved_id == saved.id and one.state in KEPT
    ]
