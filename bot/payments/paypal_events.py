"""What PayPal's calls to us are about. They are hints: whose order it is, nothing more."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ValidationError

from bot.payments.asking import from_json
from bot.payments.paypal_api import Links, Supplement, Text, Unit, as_list, as_table, up
from bot.ports import Call, PaymentEvent, WebhookRefused

_SIGNED = {
    "auth_algo": "paypal-auth-algo",
    "cert_url": "paypal-cert-url",
    "transmission_id": "paypal-transmission-id",
    "transmission_sig": "paypal-transmission-sig",
    "transmission_time": "paypal-transmission-time",
}
"""What its verify endpoint wants to hear, and in which header it came."""


class _Disputed(BaseModel):
    seller_transaction_id: Text = None


class _Resource(BaseModel):
    """An order, a capture, a refund or a dispute: the fields by which they name an order."""

    id: Text = None
    custom_id: Text = None
    purchase_units: Annotated[list[Unit], BeforeValidator(as_list)] = []
    disputed_transactions: Annotated[list[_Disputed], BeforeValidator(as_list)] = []
    supplementary_data: Annotated[Supplement, BeforeValidator(as_table)] = Supplement()
    links: Links = []


class Event(BaseModel):
    """A call, read but not yet believed."""

    id: str
    event_type: str
    resource: _Resource = _Resource()

    def names(self) -> PaymentEvent | str | None:
        """The order it is about; the id of the capture that knows it; None where it is about no
        money of ours."""
        about, kind = self.resource, self.event_type
        if kind.startswith("CHECKOUT.ORDER."):
            units = about.purchase_units
            return PaymentEvent(self.id, units[0].custom_id if units else None, about.id)
        if kind.startswith("CUSTOMER.DISPUTE."):
            return next((one.seller_transaction_id for one in about.disputed_transactions), None)
        if kind.startswith("PAYMENT.REFUND.") or kind.endswith((".REFUNDED", ".REVERSED")):
            # A refund's custom_id is the refund's own; it hangs below its capture.
            return up(about.links)
        if kind.startswith("PAYMENT.CAPTURE."):
            order = about.supplementary_data.related_ids.order_id
            return PaymentEvent(self.id, about.custom_id, order)
        return None


def read(call: Call) -> tuple[Event, Mapping[str, str]]:
    """The event, and what proves whose it is. Raises WebhookRefused for what is none."""
    signed = {name: call.headers.get(header, "") for name, header in _SIGNED.items()}
    if not all(signed.values()):
        raise WebhookRefused("not signed")
    try:
        return Event.model_validate(from_json(call.body)), signed
    except (ValidationError, ValueError, RecursionError):
        raise WebhookRefused("not an event") from None
