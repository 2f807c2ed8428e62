"""Lines that no API tops up: a person does it and says so."""

from collections.abc import Mapping

from bot.domain.money import Money
from bot.domain.sims import Reading, Sim
from bot.ports import (
    Capabilities,
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


class Manual:
    """Carrier without a supplier behind it; what its owner or the operator entered is all there is.

    A top-up is an instruction for a person, so every submit is PROCESSING until that person
    settles it, and nothing can be read or looked up.
    """

    name = "manual"
    capabilities = Capabilities(
        reads=False, finds=False, unique_refs=False, after_expiry=True, by_hand=True
    )

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        """Always None: nobody to ask."""
        return None

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        """Always empty: the operator's catalogue alone says what is sold."""
        return []

    async def snapshot(self, sim: Sim) -> Reading:
        """Raises SupplierUnavailable."""
        raise SupplierUnavailable("by_hand")

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """PROCESSING: from here on a person acts. Sends nothing, so a repeat does no harm."""
        return TopUpAnswer(TopUpStatus.PROCESSING, reason="by_hand")

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        """Raises SupplierUnavailable: only the person knows."""
        raise SupplierUnavailable("by_hand")

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        """No cost that anybody knows."""
        return SupplierQuote()

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        """Raises SupplierUnavailable: only the person knows."""
        raise SupplierUnavailable("by_hand")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        """Raises WebhookRefused: nobody calls."""
        raise WebhookRefused("manual has no webhooks")

    async def wallet(self) -> Money | None:
        """Always None."""
        return None

    async def close(self) -> None:
        """Nothing to release."""
