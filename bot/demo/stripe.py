"""A stand-in for Stripe on loopback: the parts of its API that a shop of ours uses, its hosted
page (see stripe_page.py), its calls to us, and misbehaviour on demand.

Written from Stripe's documents and its OpenAPI description, not from our adapter, so that the two
check each other. It is as strict as the version of the API that it answers as.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.routing import Route

from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Json
from bot.demo.stripe_calls import Calls, Refused, path_of
from bot.demo.stripe_page import HostedPage
from bot.demo.stripe_shown import Shown
from bot.demo.stripe_state import Card, Intent, Page, StripeState
from bot.ports import Clock

LEAST = {"usd": 50, "eur": 50, "hkd": 400, "jpy": 50, "gbp": 30, "sgd": 50, "cny": 400}
"""The smallest charges, in its units; nothing is said here of other currencies."""
MOST = 99_999_999
THREE_DECIMALS = ("bhd", "jod", "kwd", "omr", "tnd")
UNDER_WAY = timedelta(minutes=5)


def stripe_routes(
    state: StripeState, clock: Clock, faults: FaultBoard, calls: CallLog
) -> list[Route]:
    """Paths of the API and of the hosted page, to be mounted anywhere; its faults become known to
    the board. After each step its due webhooks are sent to `state.webhook_url`."""
    its = _Provider(state, clock, faults, calls)
    page = HostedPage(state, clock, faults, its.telling)
    post, get = ["POST"], ["GET"]
    return [
        Route("/v1/checkout/sessions", its.making(its.new_page), methods=post),
        Route("/v1/checkout/sessions", its.reading(its.pages), methods=get),
        Route("/v1/checkout/sessions/{id}", its.reading(its.page), methods=get),
        Route("/v1/checkout/sessions/{id}/expire", its.making(its.expire), methods=post),
        Route("/v1/payment_intents", its.making(its.new_intent), methods=post),
        Route("/v1/payment_intents", its.reading(its.intents), methods=get),
        Route("/v1/payment_intents/{id}", its.reading(its.intent), methods=get),
        Route("/v1/payment_intents/{id}/cancel", its.making(its.cancel), methods=post),
        Route("/v1/payment_methods/{id}/detach", its.making(its.detach), methods=post),
        Route("/v1/customers/{id}", its.making(its.delete_customer), methods=["DELETE"]),
        Route("/v1/charges", its.reading(its.charges), methods=get),
        Route("/v1/refunds", its.making(its.new_refund), methods=post),
        Route("/v1/refunds", its.reading(its.refunds), methods=get),
        Route("/c/pay/{id}", page.show, methods=get, name="stripe_page"),
        Route("/c/pay/{id}", page.act, methods=post),
        Route("/{rest:path}", its.reading(its.nowhere), methods=["GET", "POST", "DELETE"]),
    ]


class _Provider(Calls):
    async def nowhere(self, request: Request, asked: Json) -> Json:
        raise Refused(
            404, None, f"Unrecognized request URL ({request.method}: {path_of(request)})."
        )

    # -- pages

    async def new_page(self, request: Request, asked: Json) -> Json:
        made = self._checked_page(asked)
        self._state.pages.append(made)
        shown = self.shown(asked).page(made)
        return {**shown, "url": str(request.url_for("stripe_page", id=made.id))}

    def _checked_page(self, asked: Json) -> Page:
        now = self._clock.now()
        if "payment_method_types" in asked:
            code = "payment_method_types_no_longer_supported"
            raise Refused(400, code, "Use allowed_payment_method_types.", "payment_method_types")
        allowed = [one for one in asked["allowed_payment_method_types"] if one in self._state.types]
        if asked.get("mode") != "payment" or not allowed:
            raise Refused(400, None, "No valid payment method types.", "mode")
        options = asked.get("payment_method_options", {})
        if allowed == ["wechat_pay"] and options.get("wechat_pay", {}).get("client") != "web":
            param = "payment_method_options[wechat_pay][client]"
            raise Refused(400, "parameter_missing", f"Missing required param: {param}.", param)
        ends = datetime.fromtimestamp(int(asked["expires_at"]), UTC)
        if not timedelta(minutes=30) <= ends - now.replace(microsecond=0) <= timedelta(hours=24):
            raise Refused(
                400, None, "The `expires_at` timestamp must be less than 24 hours and at least 30 "
                "minutes from Checkout Session creation.", "expires_at",
            )  # fmt: skip
        [line] = asked["line_items"]
        price, intent = line["price_data"], asked.get("payment_intent_data", {})
        keep = intent.get("setup_future_usage") == "off_session"
        if keep and allowed != ["card"]:
            raise Refused(400, None, "This can't be kept.", "payment_intent_data")
        amount, currency = int(price["unit_amount"]) * int(line["quantity"]), price["currency"]
        self._check_amount(amount, currency)
        return Page(
            id=self._state.new_id("cs_test"),
            type=allowed[0],
            reference=asked.get("client_reference_id", ""),
            amount=amount,
            currency=currency,
            title=price["product_data"]["name"],
            description=price["product_data"].get("description", ""),
            locale=asked.get("locale", "auto"),
            back=asked["success_url"],
            away=asked.get("cancel_url", asked["success_url"]),
            keep=keep,
            metadata=asked.get("metadata", {}),
            intent_metadata=intent.get("metadata", {}),
            created=now,
            expires_at=ends,
        )

    def _check_amount(self, amount: int, currency: str) -> None:
        if currency != currency.lower() or len(currency) != 3 or currency == "xtr":
            raise Refused(400, None, f"Invalid currency: {currency}.", "currency")
        if amount < LEAST.get(currency, 1):
            raise Refused(400, "amount_too_small", "The amount is too small.", "amount")
        if amount > MOST:
            raise Refused(400, "amount_too_large", "The amount is too large.", "amount")
        uneven = amount % 10 if currency in THREE_DECIMALS else amount % 100
        if uneven and currency in (*THREE_DECIMALS, "isk"):
            raise Refused(400, "invalid_amount", "The amount can't be charged exactly.", "amount")

    def _page_of(self, request: Request) -> Page:
        found = self._state.page(request.path_params["id"])
        if found is None:
            raise Refused(404, "resource_missing", "No such checkout.session", "session")
        return found

    def _with_url(self, request: Request, page: Page, asked: Json) -> Json:
        shown = self.shown(asked).page(page)
        address = str(request.url_for("stripe_page", id=page.id))
        return {**shown, "url": address if shown["status"] == "open" else None}

    async def page(self, request: Request, asked: Json) -> Json:
        return self._with_url(request, self._page_of(request), asked)

    async def pages(self, request: Request, asked: Json) -> Json:
        return self.listed(
            asked, self._state.pages,
            lambda one: self._with_url(request, one, asked), "/v1/checkout/sessions",
        )  # fmt: skip

    async def expire(self, request: Request, asked: Json) -> Json:
        page = self._page_of(request)
        if self._struck("paid_on_closing"):
            card = Card(id=self._state.new_id("pm"), type=page.type, brand="visa", last4="4242")
            self._state.cards.append(card)
            self._state.try_page(page, card, self._clock.now(), None)
        if self._state.page_status(page, self._clock.now()) != "open":
            raise Refused(400, None, "Only Checkout Sessions with a status in [\"open\"] can be "
                          "expired.")  # fmt: skip
        page.closed = True
        shown = self._with_url(request, page, asked)
        self._state.tell("checkout.session.expired", shown, self._clock.now())
        return shown

    # -- charges without the customer

    async def new_intent(self, request: Request, asked: Json) -> Json:
        now = self._clock.now()
        if "payment_method_types" in asked:
            code = "payment_method_types_no_longer_supported"
            raise Refused(400, code, "Use allowed_payment_method_types.", "payment_method_types")
        if (asked.get("confirm"), asked.get("off_session")) != ("true", "true"):
            raise Refused(400, None, "This stand-in charges kept cards only.", "off_session")
        card = self._state.card(asked.get("payment_method"))
        if card is None or card.customer is None or card.customer != asked.get("customer"):
            raise Refused(400, "resource_missing", "No such PaymentMethod", "payment_method")
        amount, currency = int(asked["amount"]), asked["currency"]
        self._check_amount(amount, currency)
        made = Intent(
            id=self._state.new_id("pi"),
            amount=amount,
            currency=currency,
            created=now,
            metadata=asked.get("metadata", {}),
            customer=card.customer,
            card=card.id,
        )
        self._state.intents.append(made)
        self._charge(made, card, now)
        return self.shown(asked).intent(made)

    def _charge(self, made: Intent, card: Card, now: datetime) -> None:
        refused = {"declined": "insufficient_funds", "asks": "authentication_required"}
        made.error = refused.get(card.later)
        late = self._set("webhook_late")
        if made.error is None:
            self._state.charge(made, card, now)
            body = Shown(self._state, now).intent(made)
            self._state.tell("payment_intent.succeeded", body, now, late)
            return
        shown = Shown(self._state, now).intent(made)
        self._state.tell("payment_intent.payment_failed", shown, now, late)
        told = shown["last_payment_error"]
        raise Refused(402, told["code"], told["message"], decline_code=told["decline_code"],
                      payment_intent=shown)  # fmt: skip

    def _intent_of(self, intent_id: object) -> Intent:
        found = self._state.intent(intent_id)
        if found is None:
            raise Refused(404, "resource_missing", "No such payment_intent", "intent")
        return found

    async def intent(self, request: Request, asked: Json) -> Json:
        return self.shown(asked).intent(self._intent_of(request.path_params["id"]))

    async def intents(self, request: Request, asked: Json) -> Json:
        shown = self.shown(asked).intent
        return self.listed(asked, self._state.intents, shown, "/v1/payment_intents")

    async def cancel(self, request: Request, asked: Json) -> Json:
        one = self._intent_of(request.path_params["id"])
        if not one.status.startswith("requires_"):
            raise Refused(400, "payment_intent_unexpected_state", "It can't be canceled.")
        one.status = "canceled"
        one.cancellation_reason = asked.get("cancellation_reason")
        return self.shown(asked).intent(one)

    async def detach(self, request: Request, asked: Json) -> Json:
        card = self._state.card(request.path_params["id"])
        if card is None:
            raise Refused(404, "resource_missing", "No such PaymentMethod", "payment_method")
        if card.customer is None:
            raise Refused(
                400, None, "The payment method you provided is not attached to a customer so "
                "detachment is impossible.",
            )  # fmt: skip
        card.customer = None
        return {"id": card.id, "object": "payment_method", "type": card.type, "customer": None}

    async def delete_customer(self, request: Request, asked: Json) -> Json:
        customer = request.path_params["id"]
        made = {page.customer for page in self._state.pages} - set(self._state.deleted)
        if customer not in made:
            raise Refused(404, "resource_missing", f"No such customer: '{customer}'", "id")
        self._state.deleted.append(customer)
        for card in self._state.cards:
            if card.customer == customer:
                card.customer = None
        return {"id": customer, "object": "customer", "deleted": True}

    # -- money taken and sent back

    async def charges(self, request: Request, asked: Json) -> Json:
        taken = [one for one in self._state.intents if one.charge]
        return self.listed(asked, taken, self.shown(asked).charge, "/v1/charges")

    async def new_refund(self, request: Request, asked: Json) -> Json:
        now = self._clock.now()
        intent = self._intent_of(asked.get("payment_intent"))
        if intent.charge is None:
            raise Refused(400, "charge_not_found", "There is no charge to refund.")
        amount = int(asked.get("amount", intent.amount))
        left = intent.amount - self._state.returned(intent, now)
        if not self._set("over_refund") and amount > left:
            code = None if left else "charge_already_refunded"
            raise Refused(400, code, "The refund is greater than what is left.", "amount")
        made = self._state.send_back(intent, amount, asked.get("metadata", {}), now)
        made.fails = self._struck("refund_fails")
        if self._struck("refund_pending") or made.fails:
            made.done_at = now + UNDER_WAY
        late = self._set("webhook_late")
        shown = self.shown(asked)
        self._state.tell("refund.created", shown.refund(made), now, late)
        self._state.tell("charge.refunded", shown.charge(intent), now, late)
        return shown.refund(made)

    async def refunds(self, request: Request, asked: Json) -> Json:
        rows = self._state.refunds
        if "payment_intent" in asked:
            intent = self._intent_of(asked["payment_intent"])
            rows = [one for one in rows if one.intent == intent.id]
        return self.listed(asked, rows, self.shown(asked).refund, "/v1/refunds")
