"""The supplier of the payments' fault harness: it delivers, refuses or falls silent as is written
for a SIM, and keeps its own books. What suppliers do besides is the carriers' harness."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from bot.domain.money import Money
from bot.domain.sims import Reading, Sim
from bot.ports import (
    Capabilities,
    Clock,
    Hint,
    Resolved,
    SupplierPlan,
    SupplierQuote,
    SupplierUnavailable,
    TopUpAnswer,
    TopUpRequest,
    TopUpStatus,
    WebhookRefused,
)
from tests.unit.services.house import fresh
from tests.unit.store.samples import PLAN


class Fate(StrEnum):
    """What becomes of one purchase."""

    DELIVERS = "delivers"
    REJECTS = "rejects"
    SILENT = "silent"  # delivered, and the answer is lost
    LOSES = "loses"  # nothing bought, and no answer


class Supplier:
    """ports.Carrier over books of its own."""

    name = PLAN.supplier
    capabilities = Capabilities(reads=True, finds=True, unique_refs=False, after_expiry=True)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.fates: defaultdict[str, list[Fate]] = defaultdict(list)
        """What comes next, by SIM; it delivers when nothing is written."""
        self.hides: set[str] = set()
        """SIMs whose readings show nothing of what was bought."""
        self.away: Counter[str] = Counter()
        """So many look-ups for a SIM find nobody."""
        self.books: list[tuple[str, str]] = []
        """Reference and SIM of everything that was delivered: one reference may be there twice."""

    def writes(self, sim_id: str, fates: Sequence[Fate], away: int, hides: bool) -> None:
        """What will become of a SIM's purchases."""
        self.fates[sim_id] = list(fates)
        self.away[sim_id] = away
        if hides:
            self.hides.add(sim_id)

    def delivered(self, order_id: str) -> int:
        """How often it delivered for an order."""
        return sum(ref.startswith(f"{order_id}-") for ref, _ in self.books)

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        return None

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        return [SupplierPlan(PLAN.supplier_code, Money(700, "USD"), 30, PLAN.data, "70000")]

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        return SupplierQuote(cost=Money(700, "USD"), quoted="70000")

    async def snapshot(self, sim: Sim) -> Reading:
        shown = sum(one == sim.id for _, one in self.books)
        shown = 0 if sim.id in self.hides else shown
        now = self._clock.now()
        assert sim.created_at is not None
        expiry = sim.created_at + timedelta(days=10 + 30 * shown)
        return replace(fresh(), expiry=expiry, as_of=now, taken_at=now)

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        fates = self.fates[request.sim.id]
        fate = fates.pop(0) if fates else Fate.DELIVERS
        if fate in (Fate.DELIVERS, Fate.SILENT):
            self.books.append((request.ref, request.sim.id))
        if fate in (Fate.SILENT, Fate.LOSES):
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="no_answer")
        if fate is Fate.REJECTS:
            return TopUpAnswer(TopUpStatus.REJECTED, reason="refused")
        return TopUpAnswer(TopUpStatus.SUCCEEDED, f"s-{request.ref}")

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        if self.away[request.sim.id] > 0:
            self.away[request.sim.id] -= 1
            raise SupplierUnavailable("timeout")
        if request.ref in [ref for ref, _ in self.books]:
            return TopUpAnswer(TopUpStatus.SUCCEEDED, f"s-{request.ref}")
        return TopUpAnswer(TopUpStatus.NOT_FOUND)

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        return await self.find(request)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        raise WebhookRefused("no webhooks here")

    async def wallet(self) -> Money | None:
        return None

    async def close(self) -> None:
        return None
