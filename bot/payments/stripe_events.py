"""Stripe's calls to us: whose they are, and which payment they are about."""

from collections.abc import Awaitable, Callable

import stripe
from pydantic import ValidationError

from bot.payments.stripe_api import PAYMENT, Event
from bot.ports import Call, PaymentEvent, WebhookRefused

TOLERANCE = 300
"""Seconds after which a signed call is too old to be believed."""

_MONEY = (
    "checkout.session.",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.refunded",
    "charge.refund.",
    "charge.dispute.",
    "refund.",
)


def signed(client: stripe.StripeClient, secret: str, call: Call) -> Event:
    """The event, when it is Stripe's and fresh. Raises WebhookRefused."""
    try:
        header = call.headers.get("stripe-signature")
        told = client.construct_event(call.body, header, secret, TOLERANCE)
        return Event.model_validate(told.to_dict())
    except stripe.SignatureVerificationError:
        raise WebhookRefused("signature") from None
    except (ValidationError, ValueError, TypeError, AttributeError, KeyError, LookupError):
        raise WebhookRefused("unreadable") from None


async def about(
    event: Event, reference_of: Callable[[str], Awaitable[str | None]]
) -> list[PaymentEvent]:
    """Which payment it concerns; nothing where it is none of ours.

    Refunds made by hand and disputes name only the payment intent: `reference_of` asks for its
    reference, and may raise PaymentUnavailable.
    """
    if not event.type.startswith(_MONEY):
        return []
    row = event.data.object
    metadata = row.get("metadata")
    reference = metadata.get(PAYMENT) if isinstance(metadata, dict) else None
    intent = row.get("payment_intent")
    if not reference and isinstance(intent, str) and intent:
        reference = await reference_of(intent)
    if not reference:
        return []
    page = event.type.startswith("checkout.session.")
    own = str(row["id"]) if page and row.get("id") else None
    return [PaymentEvent(event.id, str(reference), own)]
