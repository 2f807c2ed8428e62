"""Stripe Checkout: cards, Alipay and WeChat Pay on a page of Stripe's; cards kept for later.

Facts: payments.md, and the changelog of the API's version that the package is made for
(2026-10-28: a page's ways to pay are `allowed_payment_method_types`, a filter). Its idempotency
keys are a help and not our guard: what was made before is looked for by our reference, which
stands in the metadata of everything we make.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

import structlog

from bot.domain.sales import Method, Payment, Refund
from bot.payments import stripe_told
from bot.payments.stripe_api import (
    METHOD,
    PAYMENT,
    REFUND,
    Api,
    ChargeRow,
    Intent,
    RefundRow,
    Rejected,
    SameKey,
    Session,
    after,
    moment,
)
from bot.payments.stripe_events import about, signed
from bot.payments.stripe_money import to_stripe
from bot.payments.stripe_saved import SavedCards
from bot.payments.stripe_settings import StripeSettings
from bot.payments.stripe_told import TYPES, charge_of, money_taken, of_session, together
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

_STANDS = timedelta(minutes=46)
"""How long a page stands after the attempt was made: Stripe's least are 30 minutes from the call,
which comes within the 15 minutes of a quote. Told by the attempt and not by the call, so that a
repeated call is the same, as its idempotency key demands."""
_LEAST = timedelta(minutes=31)

_CHINESE = frozenset(
    {"AUD", "CAD", "CNY", "EUR", "GBP", "HKD", "JPY", "MYR", "NZD", "SGD", "USD"}
)  # fmt: skip

_LOCALES: Mapping[str, str] = {"zh-hans": "zh", "zh-hant": "zh-TW", "en": "en"}


def _capabilities(currencies: frozenset[str] | None, *, saves: bool) -> PaymentCapabilities:
    return PaymentCapabilities(
        way=Way.PAGE,
        currencies=currencies,
        returns=Returns.PART,
        finds=True,
        cancels=True,
        saves=saves,
        webhooks=True,
    )


CAPABILITIES: Mapping[Method, PaymentCapabilities] = {
    Method.CARD: _capabilities(None, saves=True),
    Method.ALIPAY: _capabilities(_CHINESE, saves=False),
    Method.WECHAT: _capabilities(_CHINESE, saves=False),
}


class StripeCheckout:
    """ports.PaymentMethod for one way to pay on Stripe's page."""

    provider = "stripe"

    def __init__(self, method: Method, settings: StripeSettings, clock: Clock, api: Api) -> None:
        """`method` is CARD, ALIPAY or WECHAT; `api` is shared by the methods of one account."""
        self.method = method
        self.capabilities = CAPABILITIES[method]
        self._api = api
        self._clock = clock
        self._webhook_secret = settings.webhook_secret
        self._saved = SavedCards(api)

    @classmethod
    def from_settings(cls, settings: StripeSettings, clock: Clock) -> tuple[Self, ...]:
        """All methods that are switched on, over one client. Each may be closed; once is enough."""
        api = Api(settings.secret_key.get_secret_value(), settings.base_url)
        return tuple(
            cls(method, settings, clock, api) for method in dict.fromkeys(settings.methods)
        )

    async def close(self) -> None:
        """Release the connections, also those of the other methods of this account."""
        await self._api.close()

    # -- paying on the page

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        """A page to pay on. One that stands is shown again; one that ended is followed by
        another of the same reference."""
        units = to_stripe(payment.amount)
        before = None
        if payment.provider_ref:
            before = await self._session(payment.provider_ref)
            if before is not None and before.status == "open":
                return _shown(before)
            if before is not None and of_session(before).standing is not Standing.ENDED:
                raise PaymentRefused("already_paid")
        key = f"pay-{payment.id}" + (f"-{before.id}" if before else "")
        try:
            made = await self._made(self._page(payment, bill, units), key)
        except SameKey:
            # Asked before with other words, in another language say: that page is found.
            made = await self._standing_page(payment)
        if made.payment_method_types and TYPES[self.method] not in made.payment_method_types:
            log.error("stripe.method_off", method=self.method, offered=made.payment_method_types)
            raise PaymentRefused("method_off")
        return _shown(made)

    async def _made(self, page: dict[str, Any], key: str) -> Session:
        sessions = self._api.v1.checkout.sessions
        try:
            return await self._api.told(
                Session, sessions.create_async(page, {"idempotency_key": key})  # type: ignore[arg-type]
            )  # fmt: skip
        except Rejected as no:
            if no.code in ("amount_too_small", "amount_too_large"):
                raise PaymentRefused(stripe_told.reason_of(no.code)) from None
            if no.code in ("param:currency", "param:line_items[0][price_data][currency]"):
                raise PaymentRefused("currency") from None
            log.error("stripe.page_refused", code=no.code)
            raise PaymentRefused("method_off") from None

    def _page(self, payment: Payment, bill: Bill, units: int) -> dict[str, Any]:
        """What is asked for. The price is in our currency alone: Stripe's own conversion would
        show another amount than the quote."""
        ours = {PAYMENT: payment.id, METHOD: self.method.value}
        intent: dict[str, Any] = {"metadata": ours, "description": bill.title}
        ends = max(payment.created_at + _STANDS, self._clock.now() + _LEAST)
        page: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": payment.id,
            "metadata": ours,
            "payment_intent_data": intent,
            "allowed_payment_method_types": [TYPES[self.method]],
            "adaptive_pricing": {"enabled": False},
            "line_items": [{
                "quantity": 1,
                "price_data": {
                    "currency": payment.amount.currency.lower(),
                    "unit_amount": units,
                    "product_data": _product(bill),
                },
            }],
            "expires_at": int(ends.timestamp()),
            "locale": _LOCALES.get(bill.language.lower().replace("_", "-"), "auto"),
            "success_url": bill.back,
            "cancel_url": bill.back,
        }  # fmt: skip
        if self.method is Method.WECHAT:
            page["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        if bill.keep and self.capabilities.saves:
            intent["setup_future_usage"] = "off_session"
            page["customer_creation"] = "always"
        return page

    async def lookup(self, payment: Payment) -> Found:
        """What became of the attempt. Without Stripe's name for it, its lists are searched: they
        are exact, where its search lags."""
        if payment.saved_id is not None:
            return await self._saved.lookup(payment)
        if payment.provider_ref is None:
            return together([of_session(one) for one in await self._sessions(payment)])
        session = await self._session(payment.provider_ref)
        return of_session(session) if session is not None else Found(Standing.UNKNOWN)

    async def cancel(self, payment: Payment) -> Found:
        """Close every page of this attempt, those we never got to know included."""
        if payment.saved_id is not None:
            return await self._saved.cancel(payment)
        sessions = {one.id: one for one in await self._sessions(payment)}
        if payment.provider_ref is not None and payment.provider_ref not in sessions:
            known = await self._session(payment.provider_ref)
            sessions |= {known.id: known} if known else {}
        return together([await self._closed(one) for one in sessions.values()])

    async def _closed(self, session: Session) -> Found:
        if session.status == "open":
            try:
                asking = self._api.v1.checkout.sessions.expire_async(session.id)
                await self._api.told(Session, asking)
            except Rejected as no:
                # It was paid, or ended, between our question and our call.
                log.info("stripe.not_expired", code=no.code)
            again = await self._session(session.id)
            if again is None:
                raise PaymentUnavailable("session_gone")
            found = of_session(again)
        else:
            found = of_session(session)
        if found.standing is Standing.ENDED and found.reason == "expired":
            return Found(Standing.ENDED, reason="cancelled")
        return found

    async def _session(self, session_id: str) -> Session | None:
        asking = self._api.v1.checkout.sessions.retrieve_async(
            session_id, {"expand": ["payment_intent.latest_charge"]}
        )
        try:
            return await self._api.told(Session, asking)
        except Rejected as no:
            if no.status == 404:
                return None
            raise PaymentUnavailable(no.code) from None

    async def _sessions(self, payment: Payment) -> list[Session]:
        listing: Any = self._api.v1.checkout.sessions.list_async
        since = after(payment.created_at)
        try:
            rows = self._api.every(Session, listing, created=since)
            ids = [row.id async for row in rows if row.client_reference_id == payment.id]
        except Rejected as no:
            raise PaymentUnavailable(no.code) from None
        found = [await self._session(one) for one in ids]
        return [one for one in found if one is not None]

    async def _standing_page(self, payment: Payment) -> Session:
        for session in await self._sessions(payment):
            if session.status == "open":
                return session
            if of_session(session).standing is not Standing.ENDED:
                raise PaymentRefused("already_paid")
        raise PaymentUnavailable("same_key")

    # -- without the customer

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        """Charge a kept card. One that its bank wants confirmed is ENDED, as
        "needs_confirmation": the customer is asked to pay on a page instead."""
        return await self._saved.charge(payment, token, bill, to_stripe(payment.amount))

    async def forget_saved(self, token: str) -> None:
        """ports.Forgetting: delete the card there."""
        await self._saved.forget(token)

    # -- money back

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        """Send money back, once for `refund.id`.

        What went back is read first: Stripe forgets keys after a day, and our sum is checked by
        ourselves. PENDING until the bank has it; one that failed there is refused.
        """
        if payment.charge_id is None or payment.captured is None:
            raise PaymentRefused("no_charge")
        if refund.amount.currency != payment.captured.currency:
            raise PaymentRefused("currency")
        units, most = to_stripe(refund.amount), to_stripe(payment.captured)
        refunds = self._api.v1.refunds
        listing: Any = refunds.list_async
        try:
            listed = self._api.every(RefundRow, listing, payment_intent=payment.charge_id)
            rows = [row async for row in listed]
        except Rejected as no:
            raise PaymentUnavailable(no.code) from None
        for row in rows:
            if row.metadata.get(REFUND) == refund.id:
                return _returned(row)
        gone = sum(row.amount for row in rows if row.status not in ("failed", "canceled"))
        if units <= 0 or gone + units > most:
            raise PaymentRefused("over_captured")
        # A key gets its first answer again, be it a failure, for a day; after that it may be
        # forgotten. So each day has its own, once the list has shown that nothing was sent.
        day = (self._clock.now() - refund.created_at).days
        asking = refunds.create_async(
            {
                "payment_intent": payment.charge_id,
                "amount": units,
                "metadata": {REFUND: refund.id, PAYMENT: payment.id},
            },
            {"idempotency_key": f"refund-{refund.id}-{day}"},
        )
        try:
            return _returned(await self._api.told(RefundRow, asking))
        except Rejected as no:
            if no.code == "charge_already_refunded":
                raise PaymentRefused("already_returned") from None
            log.error("stripe.refund_refused", code=no.code)
            raise PaymentRefused("refused") from None

    # -- what it tells

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        """Which payment a call is about; without a secret in the settings none is taken.

        Raises PaymentUnavailable when it names only what has to be asked about: Stripe calls
        again.
        """
        if self._webhook_secret is None:
            raise WebhookRefused("no webhook secret is set")
        event = signed(self._api.client, self._webhook_secret.get_secret_value(), call)
        return await about(event, self._reference_of)

    async def _reference_of(self, intent_id: str) -> str | None:
        asking = self._api.v1.payment_intents.retrieve_async(intent_id)
        try:
            return (await self._api.told(Intent, asking)).metadata.get(PAYMENT)
        except Rejected as no:
            if no.status == 404:
                return None
            raise PaymentUnavailable(no.code) from None

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        """Everything this account took by this method; of another shop's, the reference is
        empty."""
        listing: Any = self._api.v1.charges.list_async
        created = {"gt": int(since.timestamp()) - 1}
        try:
            rows = [row async for row in self._api.every(ChargeRow, listing, created=created)]
        except Rejected as no:
            raise PaymentUnavailable(no.code) from None
        return [charge_of(row) for row in rows if money_taken(row) and self._mine(row)]

    def _mine(self, row: ChargeRow) -> bool:
        """Each charge is told by one method: what we asked for, else what it was paid with."""
        if METHOD in row.metadata:
            return row.metadata[METHOD] == self.method.value
        kind = row.payment_method_details.type if row.payment_method_details else ""
        by_type = {name: method for method, name in TYPES.items()}
        return by_type.get(kind, Method.CARD) is self.method


def _product(bill: Bill) -> dict[str, str]:
    product = {"name": bill.title[:250]}
    return {**product, "description": bill.description[:500]} if bill.description else product


def _shown(session: Session) -> Shown:
    if not session.url:
        raise PaymentUnavailable("no_page_told")
    return Shown(url=session.url, provider_ref=session.id, ends_at=moment(session.expires_at))


def _returned(row: RefundRow) -> Return:
    """Raises PaymentRefused when the money came back to us."""
    if row.status in ("failed", "canceled"):
        raise PaymentRefused("refund_failed")
    return Return.DONE if row.status == "succeeded" else Return.PENDING
