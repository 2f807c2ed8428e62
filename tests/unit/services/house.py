"""A shop to try the services in: a real SQLite file, a clock moved by hand, a supplier fake."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bot.domain.money import STARS, Money
from bot.domain.quotes import Rate, Terms
from bot.domain.sales import Method
from bot.domain.sims import Reading, Sim
from bot.ports import (
    Capabilities,
    Hint,
    Outcome,
    Resolved,
    SupplierPlan,
    SupplierQuote,
    SupplierUnavailable,
    TopUpAnswer,
    TopUpRequest,
    TopUpStatus,
    WebhookRefused,
)
from bot.services.selling import Selling
from bot.store import Database
from tests.unit.store.samples import ALICE, BOB, CHARLIE, NOW, chat, reading

PEPPER = "pepper"
OPERATOR, SECOND = 1004, 1007
SELLING = Selling(
    terms={
        Method.STARS: Terms((STARS,)),
        Method.CARD: Terms(("USD",)),
        Method.VOUCHER: Terms(),
    },
    rates={("USD", STARS): Rate("USD", STARS, Decimal(77))},
    pepper=PEPPER,
    operators=(OPERATOR, SECOND),
)


async def until(holds: Callable[[], bool], within: float = 5) -> None:
    """Wait for something to become true, at most `within` seconds."""
    for _ in range(int(within * 1000)):
        if holds():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came true")


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        """The moment set last."""
        return self.at

    def advance(self, **span: float) -> None:
        """Move on by a timedelta's arguments."""
        self.at += timedelta(**span)


@dataclass
class Supplier:
    """A supplier that answers what the test put there; it counts its readings."""

    clock: HandClock
    name: str = "esim_access"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            reads=True, finds=True, unique_refs=False, after_expiry=False
        )
    )
    shown: dict[str, Reading] = field(default_factory=dict)
    """Readings by the id of the SIM; one that is not here can't be read."""
    asked: list[str] = field(default_factory=list)

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        return None

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        return []

    async def snapshot(self, sim: Sim) -> Reading:
        self.asked.append(sim.id)
        if sim.id not in self.shown:
            raise SupplierUnavailable("timeout")
        now = self.clock.now()
        return replace(self.shown[sim.id], as_of=now, taken_at=now)

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        return TopUpAnswer(TopUpStatus.UNKNOWN, reason="no_answer")

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        return TopUpAnswer(TopUpStatus.NOT_FOUND)

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        for plan in await self.plans(sim):
            if plan.code == supplier_code:
                return SupplierQuote(cost=plan.cost, quoted=plan.quoted)
        return SupplierQuote()

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        return await self.find(request)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        raise WebhookRefused("no webhooks here")

    async def wallet(self) -> Money | None:
        return None

    async def close(self) -> None:
        return None


def by_hand(clock: HandClock) -> Supplier:
    """A supplier that is a person."""
    return Supplier(
        clock,
        "manual",
        Capabilities(reads=False, finds=False, unique_refs=False, after_expiry=True, by_hand=True),
    )


def fresh(**changes: object) -> Reading:
    """What the supplier shows."""
    return replace(reading(), **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Database]:
    """A database with Alice, Bob, Charlie and the operators in it."""
    database = await Database.open(f"sqlite:///{folder / 'shop.db'}")
    try:
        async with database.write() as tx:
            for person in (ALICE, BOB, CHARLIE, OPERATOR, SECOND):
                await tx.chats.add(chat(person))
        yield database
    finally:
        await database.close()


async def queued(database: Database, kind: str) -> list[tuple[int, dict[str, object]]]:
    """Send everything there is to send; chat and facts of the notices of one kind."""
    found: list[tuple[int, dict[str, object]]] = []
    async with database.write() as tx:
        while notices := await tx.outbox.claim(NOW + timedelta(days=300), 100):
            for notice in notices:
                assert notice.id is not None
                await tx.outbox.settle(notice.id, Outcome.SENT, NOW)
                if notice.kind == kind:
                    found.append((notice.chat_id, dict(notice.data)))
    return found
