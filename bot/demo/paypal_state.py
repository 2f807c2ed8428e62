"""What the PayPal stand-in knows: orders, what was captured and sent back, its calls to the shop.

Amounts are Decimal in major units, times UTC by the demo's clock.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel

UNPAID_STANDS = timedelta(hours=3)
HELD = timedelta(minutes=10)
"""How long a capture or a refund is on its way, when it is."""

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_id() -> str:
    """Like PayPal's own."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(17))


class Refund(BaseModel):
    """Money sent back; PENDING before `done_at`."""

    id: str
    amount: Decimal
    at: datetime
    done_at: datetime
    custom_id: str | None = None
    invoice_id: str | None = None
    fails: bool = False
    """It does not arrive: FAILED from `done_at` on."""

    def status(self, now: datetime) -> str:
        """As PayPal names it."""
        if now < self.done_at:
            return "PENDING"
        return "FAILED" if self.fails else "COMPLETED"


class Capture(BaseModel):
    """Money taken; PENDING before `done_at`."""

    id: str
    amount: Decimal
    at: datetime
    done_at: datetime
    refunds: list[Refund] = []
    disputed: bool = False

    def returned(self, now: datetime) -> Decimal:
        """What went back, or is on its way."""
        back = (one.amount for one in self.refunds if one.status(now) != "FAILED")
        return sum(back, Decimal(0))

    def status(self, now: datetime) -> str:
        if now < self.done_at:
            return "PENDING"
        back = self.returned(now)
        if not back:
            return "COMPLETED"
        return "REFUNDED" if back >= self.amount else "PARTIALLY_REFUNDED"


class Order(BaseModel):
    """A checkout. `approved` by the payer, `bad_card` with one that will be declined."""

    id: str
    custom_id: str
    invoice_id: str | None
    reference_id: str
    title: str
    currency: str
    amount: Decimal
    return_url: str
    cancel_url: str
    locale: str
    created_at: datetime
    approved: bool = False
    bad_card: bool = False
    captures: list[Capture] = []

    @property
    def status(self) -> str:
        if self.captures:
            return "COMPLETED"
        return "APPROVED" if self.approved else "PAYER_ACTION_REQUIRED"


class Answered(BaseModel):
    """What was answered to a request id, and to what body."""

    body: str
    status: int
    answer: str
    until: datetime


class Sent(BaseModel):
    """A call to the shop, as it was sent."""

    reference: str
    headers: dict[str, str]
    body: str


class PayPalState(BaseModel):
    """The whole memory of the stand-in."""

    client_id: str = "demo-paypal-client"
    secret: str = "demo-paypal-secret"  # noqa: S105 - the stand-in's own
    webhook_id: str = "8PT597110X687430LKGECATA"
    webhook_url: str = ""
    """Where the shop listens; nothing is sent without it."""
    signing_key: str = "demo-paypal-signing-key"
    orders: list[Order] = []
    tokens: dict[str, datetime] = {}
    answered: dict[str, Answered] = {}
    sent: list[Sent] = []

    def order(self, order_id: str, now: datetime) -> Order | None:
        """One that is not forgotten."""
        for order in self.orders:
            if order.id == order_id:
                stands = order.captures or now < order.created_at + UNPAID_STANDS
                return order if stands else None
        return None

    def capture(self, capture_id: str) -> tuple[Order, Capture] | None:
        """A capture, and the order it belongs to."""
        for order in self.orders:
            for capture in order.captures:
                if capture.id == capture_id:
                    return order, capture
        return None

    def take(self, order: Order, now: datetime, held: bool) -> Capture:
        """Capture an approved order."""
        done = now + HELD if held else now
        capture = Capture(id=new_id(), amount=order.amount, at=now, done_at=done)
        order.captures.append(capture)
        return capture

    def give_back(
        self, capture: Capture, amount: Decimal, now: datetime, *, held: bool = False,
        fails: bool = False, custom_id: str | None = None, invoice_id: str | None = None,
    ) -> Refund:  # fmt: skip
        """Refund a part of a capture."""
        refund = Refund(
            id=new_id(),
            amount=amount,
            at=now,
            done_at=now + HELD if held or fails else now,
            fails=fails,
            custom_id=custom_id,
            invoice_id=invoice_id,
        )
        capture.refunds.append(refund)
        return refund


def demo_state() -> PayPalState:
    """A world to begin with: an account that nobody has paid to yet."""
    return PayPalState()
