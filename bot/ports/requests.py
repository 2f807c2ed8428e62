"""The database, continued: what customers ask of the shop."""

from typing import Any, Protocol

from bot.domain.requests import RefundRequest, RequestState


class Requests(Protocol):
    """Requests for money back."""

    async def add(self, request: RefundRequest) -> bool:
        """False when the order has one that waits, or the same update has asked before."""
        ...

    async def get(self, request_id: str) -> RefundRequest | None: ...
    async def of_order(self, order_id: str) -> RefundRequest | None:
        """The order's newest."""
        ...

    async def by_refund(self, refund_id: str) -> RefundRequest | None: ...
    async def waiting(self) -> list[RefundRequest]:
        """Those nobody has decided, oldest first."""
        ...

    async def decide(self, request_id: str, state: RequestState, **changes: Any) -> bool:
        """Compare-and-set from `asked`; False when somebody has decided."""
        ...
