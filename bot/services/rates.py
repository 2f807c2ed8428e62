"""Exchange rates pulled from the configured source: kept as it gave them, crossed where needed."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from bot.domain.quotes import Rate
from bot.ports import Clock, RateSource, RatesUnavailable, Store
from bot.services.selling import Selling, tell_operators
from bot.services.work import Worker

log = structlog.get_logger()


class ExchangeRates:
    """The job that pulls them. Without a source it has nothing to do."""

    def __init__(
        self, store: Store, clock: Clock, source: RateSource | None, selling: Selling
    ) -> None:
        self._store = store
        self._clock = clock
        self._source = source
        self._selling = selling
        self.worker = Worker("rates", self._pull)
        self.rings: list[Worker] = []

    async def _pull(self) -> None:
        if self._source is None:
            return
        try:
            told = {rate.into: rate for rate in await self._source.rates()}
        except RatesUnavailable as error:
            log.warning("rates_not_pulled", reason=str(error))
            await self._tell_if_stale()
            return
        wanted = await self._wanted()
        async with self._store.write() as tx:
            for currency, into in sorted(wanted):
                rate = cross(told, currency, into)
                if rate is not None:
                    await tx.rates.put(rate)
        await self._tell_if_stale()

    async def _wanted(self) -> set[tuple[str, str]]:
        """From every currency of the catalogue to every one that a method charges in."""
        async with self._store.read() as tx:
            sold = {plan.currency for plan in await tx.catalogue.all()}
        charged = {
            code for terms in self._selling.terms.values() for code in terms.currencies or ()
        }
        pairs = {(currency, into) for currency in sold for into in charged if currency != into}
        return pairs - set(self._selling.rates)

    async def _tell_if_stale(self) -> None:
        """Once a day while a rate that the shop needs is too old to be quoted."""
        now = self._clock.now()
        wanted = await self._wanted()
        async with self._store.write() as tx:
            fresh = {
                (rate.currency, rate.into)
                for rate in await tx.rates.all()
                if rate.at is not None and now - rate.at <= self._selling.fresh
            }
            for currency, into in sorted(wanted - fresh):
                await tell_operators(
                    tx, self._selling, f"rate:{currency}/{into}", "rate_stale", f"{now:%Y-%m-%d}"
                )
        for worker in self.rings:
            worker.ring()


def cross(told: Mapping[str, Rate], currency: str, into: str) -> Rate | None:
    """The rate between two currencies from those of one base; None where one is missing.

    The older of the two times counts.
    """
    some = next(iter(told.values()), None)
    if some is None:
        return None
    first, second = told.get(currency), told.get(into)
    if currency == some.currency:
        return second
    if first is None:
        return None
    if into == some.currency:
        return Rate(currency, into, 1 / first.per_unit, first.source, first.at)
    if second is None:
        return None
    at: datetime | None = min(first.at, second.at) if first.at and second.at else None
    return Rate(currency, into, second.per_unit / first.per_unit, first.source, at)
