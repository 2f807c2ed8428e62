"""PayPal: an order that the payer approves on PayPal's page, and that we then capture.

Nothing is taken before the capture, which `lookup` makes: only of an attempt that still waits, and
only when the order is of our reference, our amount and our currency. PayPal can't void an unpaid
order; one that we no longer wait for is just never captured and lapses by itself.

Its report, which `list_since` reads, lags behind by up to three hours and needs the permission
"Transaction Search"; look-ups of our own attempts lag behind by nothing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

import httpx
import structlog
from pydantic import SecretStr

from bot.domain.orders import PaymentState
from bot.domain.sales import Method, Payment, Refund
from bot.payments import paypal_events, paypal_report
from bot.payments.asking import Failed, SafeUrl
from bot.payments.charging import Charging
from bot.payments.paypal_api import (
    CURRENCIES,
    NAME,
    Api,
    Capture,
    Disputes,
    Order,
    Returned,
    Unit,
    written,
)
from bot.ports import (
    Bill,
    Call,
    Charge,
    Clock,
    Found,
    PaymentCapabilities,
    PaymentEvent,
    PaymentRefused,
    PaymentUnavailable,
    Return,
    Returns,
    Shown,
    Standing,
    Way,
    WebhookRefused,
)

log = structlog.get_logger(__name__)

PAGE_STANDS = timedelta(hours=3)
"""An order that nobody approved is forgotten after that."""
_WAITING = frozenset({PaymentState.CREATED, PaymentState.PENDING})
_OPEN = frozenset({"CREATED", "SAVED", "PAYER_ACTION_REQUIRED", "APPROVED"})
_TAKEN = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
_LOCALES = {"zh_hans": "zh-CN", "zh_hant": "zh-TW", "zh": "zh-CN"}

NOT_CAPTURED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "INSTRUMENT_DECLINED",
            "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
            "PAYER_ACCOUNT_RESTRICTED",
            "PAYER_CANNOT_PAY",
            "TRANSACTION_REFUSED",
        ),
        "declined",
    ),
    # An order before this one was captured under our reference; the shop's account takes it once.
    "DUPLICATE_INVOICE_ID": "already_paid",
}
"""What PayPal says when it captures nothing, and won't."""

NOT_REFUNDED: Mapping[str, tuple[str, bool]] = {
    "CAPTURE_FULLY_REFUNDED": ("already_returned", True),
    "REFUND_AMOUNT_EXCEEDED": ("over_captured", True),
    "REFUND_TIME_LIMIT_EXCEEDED": ("too_late", True),
    "TRANSACTION_DISPUTED": ("disputed", True),
    "REFUND_FAILED_INSUFFICIENT_FUNDS": ("no_money", False),
}
"""What it says when it sends nothing back: our code, and whether that is for good."""


class PayPalSettings(Charging):
    """The section of the settings that switches PayPal on."""

    client_id: SecretStr
    secret: SecretStr
    webhook_id: str | None = None
    """Of our webhook, as PayPal's dashboard names it; without it its calls are refused."""
    base_url: SafeUrl = "https://api-m.paypal.com"
    """https://api-m.sandbox.paypal.com takes no real money; it has keys of its own."""


class PayPal:
    """ports.PaymentMethod over Orders v2. `provider_ref` is the order, a charge is a capture."""

    method = Method.PAYPAL
    provider = NAME
    capabilities = PaymentCapabilities(
        way=Way.PAGE,
        currencies=CURRENCIES,
        returns=Returns.PART,
        finds=True,
        cancels=False,
        webhooks=True,
    )

    def __init__(
        self, settings: PayPalSettings, http: httpx.AsyncClient | None, clock: Clock
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one."""
        self._clock = clock
        self._webhook_id = settings.webhook_id
        self._api = Api(
            settings.client_id.get_secret_value(),
            settings.secret.get_secret_value(),
            settings.base_url,
            http,
            clock,
        )

    @classmethod
    def from_settings(cls, settings: PayPalSettings, clock: Clock) -> Self:
        """With a connection pool of its own."""
        return cls(settings, None, clock)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._api.close()

    # -- paying

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        """Create the order, once for our reference and these words as long as PayPal remembers it
        (6 hours). Of several orders only the one that the store knows is captured."""
        standing = await self._standing(payment)
        if standing is not None:
            return standing
        unit = {
            "reference_id": payment.id,
            "custom_id": payment.id,
            "invoice_id": payment.id,
            "description": bill.title[:127],
            "amount": written(payment.amount),
        }
        context = {
            "return_url": bill.back,
            "cancel_url": bill.back,
            "locale": _locale(bill.language),
            "shipping_preference": "NO_SHIPPING",
            "user_action": "PAY_NOW",
            # No cheques, whose money comes days after the quote's end.
            "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
        }
        body = {
            "intent": "CAPTURE",
            "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": context}},
        }
        # One that ended must not be answered again under its request id.
        digest = _digest({**body, "after": payment.provider_ref})
        try:
            order: Order = await self._api.post(
                Order, "/v2/checkout/orders", f"xuka-order-{payment.id}-{digest}", body
            )
        except Failed as failed:
            if failed.refused:
                log.warning("paypal.not_created", ref=payment.id, code=failed.code)
                raise PaymentRefused("refused") from None
            raise
        if order.page is None:
            raise PaymentUnavailable("no_page")
        return Shown(url=order.page, provider_ref=order.id, ends_at=self._clock.now() + PAGE_STANDS)

    async def _standing(self, payment: Payment) -> Shown | None:
        """The page shown before, while its order can be approved."""
        if payment.provider_ref is None or payment.url is None:
            return None
        order = await self._order(payment.provider_ref)
        if order is None or order.status not in _OPEN or order.unit.custom_id != payment.id:
            return None
        return Shown(url=payment.url, provider_ref=order.id, ends_at=payment.ends_at)

    async def lookup(self, payment: Payment) -> Found:
        """What became of the order. An approved one is captured, see this module's beginning."""
        if payment.provider_ref is None:
            # Nobody was shown a page: an order whose creation was not answered is never captured.
            return Found(Standing.UNKNOWN)
        order = await self._order(payment.provider_ref)
        if order is None:
            ended = payment.ends_at is not None and payment.ends_at <= self._clock.now()
            return Found(Standing.ENDED, reason="expired") if ended else Found(Standing.UNKNOWN)
        if order.unit.custom_id != payment.id:
            log.error("paypal.another_reference", ref=payment.id, order=order.id)
            return Found(Standing.UNKNOWN)
        if order.status == "APPROVED" and payment.state in _WAITING:
            return await self._captured(payment, order)
        if order.status in _OPEN and payment.state not in _WAITING:
            return Found(Standing.ENDED, reason="cancelled")
        found = self._told(order, payment)
        return await self._doubted(found) if payment.charge_id else found

    async def cancel(self, payment: Payment) -> Found:
        """Not declared: PayPal has no way to void an order."""
        raise PaymentUnavailable("not_offered")

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        """Not declared: nothing is kept."""
        raise PaymentUnavailable("not_offered")

    async def _captured(self, payment: Payment, order: Order) -> Found:
        if order.unit.amount is None or order.unit.amount.money != payment.amount:
            log.error("paypal.differs", ref=payment.id, order=order.id)
            return Found(Standing.ENDED, reason="differs")
        path = f"/v2/checkout/orders/{order.id}/capture"
        try:
            taken: Order = await self._api.post(Order, path, f"xuka-capture-{order.id}", {})
        except Failed as failed:
            if failed.code is not None and failed.code in NOT_CAPTURED:
                return Found(Standing.ENDED, reason=NOT_CAPTURED[failed.code])
            if failed.code in ("ORDER_NOT_APPROVED", "PAYER_ACTION_REQUIRED"):
                return Found(Standing.OPEN)
            if failed.code != "ORDER_ALREADY_CAPTURED":
                raise
        # Read again: what it answers to the capture may be the lesser part of the order.
        again = await self._order(order.id)
        return self._told(again or taken, payment)

    async def _order(self, order_id: str) -> Order | None:
        order: Order | None = await self._api.find(Order, f"/v2/checkout/orders/{order_id}")
        return order

    def _told(self, order: Order, payment: Payment) -> Found:
        captures = order.unit.payments.captures
        charges = tuple(
            self._charge(one, order.unit, payment.id) for one in captures if one.status in _TAKEN
        )
        if charges:
            return Found(Standing.PAID, charges)
        if _under_way(order):
            return Found(Standing.OPEN, reason="processing")
        if order.status in _OPEN:
            return Found(Standing.OPEN)
        if captures or order.status == "VOIDED":
            return Found(Standing.ENDED, reason="declined" if captures else "cancelled")
        log.warning("paypal.new_state", state=order.status)
        raise PaymentUnavailable("new_state")

    def _charge(self, capture: Capture, unit: Unit, reference: str) -> Charge:
        amount = capture.amount.money
        back = _returned(capture, unit)
        return Charge(
            id=capture.id,
            reference=capture.custom_id or reference,
            amount=amount,
            at=capture.create_time or self._clock.now(),
            returned=amount.minor if capture.status == "REFUNDED" else back,
        )

    async def _doubted(self, found: Found) -> Found:
        """With what PayPal's list of disputes says of the charges."""
        charges = []
        for charge in found.charges:
            params = {"disputed_transaction_id": charge.id}
            try:
                listed: Disputes = await self._api.get(Disputes, "/v1/customer/disputes", params)
            except Failed as failed:
                if failed.reason != "http_403":
                    raise
                # The account's app lacks the permission; the report tells later.
                listed = Disputes()
            disputed = any(one.status != "RESOLVED" for one in listed.items)
            charges.append(replace(charge, disputed=disputed))
        return replace(found, charges=tuple(charges))

    # -- sending back

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        """Refund a part of the capture, once for `refund.id`: it is looked for first, and its
        request id is remembered by PayPal for 45 days. Raises PaymentRefused."""
        if payment.charge_id is None:
            raise PaymentRefused("no_charge")
        capture, unit = await self._taken(payment, payment.charge_id)
        for one in unit.payments.refunds:
            if refund.id in (one.custom_id, one.invoice_id):
                return _became(one)
        left = capture.amount.money.minor - _returned(capture, unit)
        if refund.amount.currency != capture.amount.currency_code:
            raise PaymentRefused("currency")
        if refund.amount.minor > left:
            raise PaymentRefused("over_captured")
        body = {
            "amount": written(refund.amount),
            "custom_id": refund.id,
            "invoice_id": refund.id,
        }
        path = f"/v2/payments/captures/{capture.id}/refund"
        try:
            sent: Returned = await self._api.post(Returned, path, f"xuka-refund-{refund.id}", body)
        except Failed as failed:
            raise _not_refunded(failed) from None
        return _became(sent)

    async def _taken(self, payment: Payment, capture_id: str) -> tuple[Capture, Unit]:
        """The captured charge, and its order's unit, which lists what went back."""
        order_id = payment.provider_ref
        if order_id is None:
            known = await self._capture(capture_id)
            order_id = known.supplementary_data.related_ids.order_id if known else None
        order = await self._order(order_id) if order_id else None
        for one in order.unit.payments.captures if order else ():
            if one.id == capture_id and order is not None:
                return one, order.unit
        raise PaymentUnavailable("charge_not_found")

    async def _capture(self, capture_id: str) -> Capture | None:
        found: Capture | None = await self._api.find(Capture, f"/v2/payments/captures/{capture_id}")
        return found

    # -- hearing

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        """Which order changed, once PayPal itself has said that the call is its own. A call sent
        again days later is as good as new: it only makes us look."""
        if self._webhook_id is None:
            raise WebhookRefused("no webhook id is set")
        event, signed = paypal_events.read(call)
        if not await self._api.vouches(call.body, {**signed, "webhook_id": self._webhook_id}):
            raise WebhookRefused("not PayPal's")
        names = event.names()
        if isinstance(names, str):
            capture = await self._capture(names)
            order = capture.supplementary_data.related_ids.order_id if capture else None
            names = PaymentEvent(event.id, capture.custom_id, order) if capture else None
        if names is None or not (names.reference or names.provider_ref):
            return ()
        return (names,)

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        """From PayPal's report, see this module's beginning."""
        return await paypal_report.read(self._api, since, self._clock.now())


def _under_way(order: Order) -> bool:
    """Its money was captured and is not ours yet."""
    return any(one.status == "PENDING" for one in order.unit.payments.captures)


def _returned(capture: Capture, unit: Unit) -> int:
    """Minor units of a capture that went back or are on their way."""
    return sum(
        one.amount.money.minor
        for one in unit.payments.refunds
        if one.status in ("COMPLETED", "PENDING") and one.capture_id in (capture.id, None)
    )


def _not_refunded(failed: Failed) -> PaymentRefused | Failed:
    """What an error to a refund means; a repeat that it calls a duplicate may have been sent."""
    code = failed.code or ""
    if code in NOT_REFUNDED:
        reason, final = NOT_REFUNDED[code]
        return PaymentRefused(reason, final=final)
    if failed.refused and not code.startswith("DUPLICATE"):
        return PaymentRefused("refused")
    return failed


def _became(one: Returned) -> Return:
    """Raises PaymentRefused where PayPal gave it up."""
    if one.status == "COMPLETED":
        return Return.DONE
    if one.status == "PENDING":
        return Return.PENDING
    raise PaymentRefused("refund_failed")


def _digest(body: Mapping[str, Any]) -> str:
    """PayPal refuses a request id that it knows with another body."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def _locale(language: str) -> str:
    """As PayPal writes them: zh-CN."""
    return _LOCALES.get(language.lower().replace("-", "_"), "en-US")
