"""What Stripe's objects mean to us: charges, where an attempt stands, and why."""

from collections.abc import Mapping

from bot.domain.sales import Method
from bot.payments.stripe_api import PAYMENT, ChargeRow, Intent, Session, Trouble, moment
from bot.payments.stripe_money import from_stripe
from bot.ports import Charge, Found, Kept, PaymentUnavailable, Standing

TYPES: Mapping[Method, str] = {
    Method.CARD: "card",
    Method.ALIPAY: "alipay",
    Method.WECHAT: "wechat_pay",
}
"""How it calls our methods."""

NEEDS_CONFIRMATION = "needs_confirmation"

# Its codes for what the views tell in their own words; any other is a plain "declined".
_REASONS: Mapping[str, str] = {
    "authentication_required": NEEDS_CONFIRMATION,
    "authentication_not_handled": NEEDS_CONFIRMATION,
    "payment_intent_authentication_failure": NEEDS_CONFIRMATION,
    "insufficient_funds": "insufficient_funds",
    "expired_card": "card_expired",
    "resource_missing": "saved_gone",
    "payment_method_unexpected_state": "saved_gone",
    "payment_method_invalid_parameter": "saved_gone",
    "amount_too_small": "too_small",
    "amount_too_large": "too_large",
}

_BRANDS: Mapping[str, str] = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def reason_of(code: str | None) -> str:
    """A code the views know."""
    return _REASONS.get(code or "", "declined")


def _trouble(trouble: Trouble | None) -> str | None:
    if trouble is None:
        return None
    known = _REASONS.get(trouble.decline_code or "")
    return known or reason_of(trouble.code)


def money_taken(row: ChargeRow) -> bool:
    """Whether the money is ours; a charge may also be pending, failed or only authorised."""
    return row.status == "succeeded" and row.captured


def charge_of(row: ChargeRow, reference: str | None = None, kept: Kept | None = None) -> Charge:
    """The charge, named by its payment intent: refunds are made by it, disputes name it, and it
    stays the same over all tries of one payment. Raises PaymentUnavailable."""
    taken = row.amount if row.amount_captured is None else row.amount_captured
    try:
        amount = from_stripe(taken, row.currency)
        returned = from_stripe(row.amount_refunded, row.currency)
    except ValueError:
        raise PaymentUnavailable("unreadable_amount") from None
    return Charge(
        id=row.payment_intent or row.id,
        reference=row.metadata.get(PAYMENT, "") if reference is None else reference,
        amount=amount,
        at=moment(row.created),
        returned=returned.minor,
        disputed=row.disputed,
        kept=kept,
    )


def _kept(intent: Intent, row: ChargeRow) -> Kept | None:
    details = row.payment_method_details
    if intent.setup_future_usage != "off_session" or details is None or details.card is None:
        return None
    if not (intent.customer and intent.payment_method):
        return None
    brand = details.card.brand or "card"
    label = f"{_BRANDS.get(brand, brand.capitalize())} ···· {details.card.last4 or '????'}"
    return Kept(f"{intent.customer}/{intent.payment_method}", label)


def of_intent(intent: Intent) -> Found:
    """Where a payment stands. Raises PaymentUnavailable for a state nobody knows."""
    if intent.status == "succeeded":
        row = intent.latest_charge
        if not isinstance(row, ChargeRow) or not money_taken(row):
            raise PaymentUnavailable("no_charge_told")
        charge = charge_of(row, intent.metadata.get(PAYMENT, ""), _kept(intent, row))
        return Found(Standing.PAID, (charge,))
    why = _trouble(intent.last_payment_error)
    if intent.status in ("processing", "requires_capture"):
        return Found(Standing.OPEN, reason="processing")
    if intent.status == "requires_action":
        return Found(Standing.OPEN, reason=NEEDS_CONFIRMATION)
    if intent.status in ("requires_payment_method", "requires_confirmation"):
        return Found(Standing.ENDED, reason=why or "declined")
    if intent.status == "canceled":
        # We abandon only what waits for a customer who isn't there.
        left = NEEDS_CONFIRMATION if intent.cancellation_reason == "abandoned" else "cancelled"
        return Found(Standing.ENDED, reason=why or left)
    raise PaymentUnavailable(f"state_{intent.status}")


def of_session(session: Session) -> Found:
    """Where a page stands. Money counts whatever the page says. Raises PaymentUnavailable."""
    intent = session.payment_intent
    told = of_intent(intent) if isinstance(intent, Intent) else None
    if told is not None and told.standing is Standing.PAID:
        return told
    if session.payment_status == "paid" or isinstance(intent, str):
        raise PaymentUnavailable("no_charge_told")
    if session.status == "open":
        # A declined try ends nothing: another card may follow on the same page.
        trouble = intent.last_payment_error if intent is not None else None
        return Found(Standing.OPEN, reason=_trouble(trouble))
    under_way = told is not None and told.standing is Standing.OPEN
    if session.status == "complete":
        if told is None or under_way:
            return Found(Standing.OPEN, reason="processing")
        return Found(Standing.ENDED, reason=told.reason)
    if session.status == "expired":
        if told is not None and told.reason == "processing":
            return told
        return Found(Standing.ENDED, reason="expired")
    raise PaymentUnavailable(f"state_{session.status}")


def together(founds: list[Found]) -> Found:
    """Several attempts of one reference: money first, then whatever may still bring some."""
    paid = tuple(charge for found in founds for charge in found.charges)
    if paid:
        return Found(Standing.PAID, paid)
    for standing in (Standing.OPEN, Standing.ENDED):
        for found in founds:
            if found.standing is standing:
                return found
    return Found(Standing.UNKNOWN)
