"""Our balances at the suppliers: read regularly, operators told early, no sale beyond them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.domain.money import Money
from bot.ports import Carrier, Clock, Store, SupplierUnavailable
from bot.services.selling import Selling, tell_operators
from bot.services.work import Worker

log = structlog.get_logger()

_EVERY = timedelta(minutes=15)
_TRUSTED = timedelta(hours=1)
"""A balance older than this refuses nobody: it was perhaps filled up long ago."""
_YOUNG = timedelta(minutes=1)
_LONGEST = 8.0
"""Seconds a supplier's answer may take."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a supplier said, and when we asked (UTC)."""

    money: Money
    at: datetime


class Wallets:
    """The known balances. `low` is below what operators are told, by supplier."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        selling: Selling,
        low: Mapping[str, Money],
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._selling = selling
        self._low = low
        self._known: dict[str, Balance] = {}
        self._asked: dict[str, datetime] = {}
        self.away: dict[str, datetime] = {}
        """Suppliers that did not answer when last asked, each with since when (UTC)."""
        self.worker = Worker("wallets", self._tick)
        self.rings: list[Worker] = []

    def short(self, supplier: str, cost: Money | None) -> bool:
        """Whether the known balance can't pay `cost`; False when that can't be told."""
        known = self._known.get(supplier)
        if known is None or cost is None or self._clock.now() - known.at > _TRUSTED:
            return False
        return known.money.currency == cost.currency and known.money < cost

    async def refuses(self, supplier: str, cost: Money | None) -> bool:
        """Whether a sale has to be refused for lack of money, told by a fresh balance.

        Operators hear of it then, whatever the amount they are warned at.
        """
        if not self.short(supplier, cost):
            return False
        if self._clock.now() - self._known[supplier].at > _YOUNG:
            await self._ask(supplier)
            if not self.short(supplier, cost):
                return False
        await self._tell(supplier, self._known[supplier].money)
        return True

    async def _tick(self) -> None:
        now = self._clock.now()
        old = [
            name
            for name in self._carriers
            if name not in self._asked or now - self._asked[name] >= _EVERY
        ]
        await asyncio.gather(*(self._ask(name) for name in old))

    async def _ask(self, supplier: str) -> None:
        self._asked[supplier] = self._clock.now()
        try:
            async with asyncio.timeout(_LONGEST):
                money = await self._carriers[supplier].wallet()
        except (SupplierUnavailable, TimeoutError) as error:
            log.warning("wallet_unread", supplier=supplier, reason=str(error) or "timeout")
            self.away.setdefault(supplier, self._clock.now())
            return
        self.away.pop(supplier, None)
        if money is None:
            return
        self._known[supplier] = Balance(money, self._clock.now())
        low = self._low.get(supplier)
        if low is None:
            return
        if low.currency != money.currency:
            log.warning("wallet_currency", supplier=supplier, has=money.currency)
        elif money < low:
            await self._tell(supplier, money)

    async def _tell(self, supplier: str, money: Money) -> None:
        """Once a day and supplier."""
        day = f"{self._clock.now():%Y-%m-%d}"
        async with self._store.write() as tx:
            await tell_operators(
                tx, self._selling, f"supplier:{supplier}", "wallet_low", day, money
            )
        for worker in self.rings:
            worker.ring()
