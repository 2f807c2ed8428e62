"""A way to pay that lives outside our store."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.sales import Method, Payment


class PaymentUnavailable(Exception):
    """The provider could not be asked or gave no clear answer; nothing may be assumed."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What the payer reads on the provider's sheet, in their language."""

    title: str
    description: str
    label: str


class PaymentMethod(Protocol):
    """A way to pay that lives outside our store."""

    method: Method

    async def request(self, payment: Payment, bill: Bill) -> int | None:
        """Show the payer what to pay; the message's id if any. Raises PaymentUnavailable."""
        ...

    async def refund(self, payment: Payment) -> None:
        """Return the whole charge; done already counts as done. Raises PaymentUnavailable."""
        ...
