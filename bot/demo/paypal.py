"""A stand-in for PayPal on loopback: Orders v2, refunds, the report, webhooks and the payer's page,
and misbehaviour on demand.

Written from PayPal's documents, not from our adapter, so that the two check each other. What they
leave open is answered the unkind way: an error is kept under its request id as a success is, the
same id with another body is refused, and a webhook is verified over its very bytes.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.paypal_checkout import Checkout
from bot.demo.paypal_faults import FAULTS
from bot.demo.paypal_shown import (
    WHOLE,
    capture_shown,
    in_other_types,
    order_shown,
    refund_shown,
    report_rows,
)
from bot.demo.paypal_state import Answered, Capture, Order, PayPalState, new_id
from bot.demo.paypal_webhooks import Notifier
from bot.demo.stand_in import Dropped, Json, StandIn
from bot.ports import Clock

NAME = "paypal"
TOKEN_LIFE = timedelta(hours=9)
ORDER_KEYS_KEPT = timedelta(hours=6)
REFUND_KEYS_KEPT = timedelta(days=45)
REPORT_LAG = timedelta(hours=3)
MOVES = frozenset({
    "/v2/checkout/orders",
    "/v2/checkout/orders/{id}/capture",
    "/v2/payments/captures/{id}/refund",
})  # fmt: skip
"""Paths whose answer may be lost after they did their work."""


class Refused(Exception):
    """An error answer; `issue` is what of the body it is about."""

    def __init__(self, status: int, name: str, issue: str | None = None) -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.issue = issue


class PayPalStandIn(StandIn):
    """Its routes, to be mounted anywhere; its faults become known to the board."""

    def __init__(
        self, state: PayPalState, clock: Clock, faults: FaultBoard, calls: CallLog
    ) -> None:
        super().__init__(NAME, FAULTS, clock, faults, calls)
        self._state = state
        self.notifier = Notifier(state, clock, self._struck)
        self._checkout = Checkout(state, clock, self.notifier, self._struck)

    def routes(self) -> list[Route]:
        """The API, and the payer's page."""
        paths: tuple[tuple[str, str, Callable[[Request, Json], Any]], ...] = (
            ("POST", "/v1/oauth2/token", self._token),
            ("POST", "/v2/checkout/orders", self._create),
            ("GET", "/v2/checkout/orders/{id}", self._order),
            ("POST", "/v2/checkout/orders/{id}/capture", self._capture),
            ("GET", "/v2/payments/captures/{id}", self._taken),
            ("POST", "/v2/payments/captures/{id}/refund", self._refund),
            ("GET", "/v1/reporting/transactions", self._report),
            ("GET", "/v1/customer/disputes", self._disputes),
            ("POST", "/v1/notifications/verify-webhook-signature", self._verify),
        )
        api = [
            Route(path, self._answering(method, path, work), methods=[method])
            for method, path, work in paths
        ]
        return [*api, Route("/checkoutnow", self._checkout.page, methods=["GET", "POST"])]

    def _answering(
        self, method: str, path: str, work: Callable[[Request, Json], Any]
    ) -> Callable[[Request], Awaitable[Response]]:
        """One path: limits, token, request id, its own work, its misbehaviour, the log."""

        async def answer(request: Request) -> Response:
            raw = await request.body()

            async def done() -> tuple[Json, Response]:
                body = _parsed(raw)
                try:
                    self._check(request, path)
                    if self._struck("garbage"):
                        return body, Response("<html>Proxy</html>", media_type="text/html")
                    if path in MOVES and self._struck("drop_before_accept"):
                        return body, Dropped()
                    if path in MOVES and self._struck("server_error"):
                        raise Refused(500, "INTERNAL_SERVER_ERROR")
                    told = self._once(request, path, raw, lambda: work(request, body))
                except Refused as error:
                    told = _error(error)
                if path in MOVES and told.status_code < 400:
                    broken = _error(Refused(500, "INTERNAL_SERVER_ERROR"))
                    told = broken if self._struck("done_500") else self._arriving(told)
                return {**request.query_params, **body}, told

            return await self._logged(f"{method} {path}", done)

        return answer

    def _check(self, request: Request, path: str) -> None:
        if self._struck("http_429"):
            raise Refused(429, "RATE_LIMIT_REACHED")
        if self._struck("http_500"):
            raise Refused(500, "INTERNAL_SERVER_ERROR")
        if path == "/v1/oauth2/token":
            return
        if self._struck("token_expired"):
            self._state.tokens.clear()
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        ends = self._state.tokens.get(token)
        if ends is None or self._clock.now() >= ends:
            raise Refused(401, "invalid_token")

    def _once(self, request: Request, path: str, raw: bytes, work: Callable[[], Any]) -> Response:
        """Do it, or answer as the first time to its request id."""
        given = request.headers.get("paypal-request-id")
        now = self._clock.now()
        key = f"{path} {given}"
        kept = self._state.answered.get(key)
        if given and kept is not None and now < kept.until:
            # What is captured names its order in the path, so a body alone tells no difference.
            if kept.body != f"{request.url.path} {raw.decode()}":
                raise Refused(422, "UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID")
            return Response(kept.answer, kept.status, media_type="application/json")
        status = 200
        try:
            told = work()
            if path in MOVES:
                status = 201
            if self._set("other_types") and path != "/v1/oauth2/token":
                told = in_other_types(told)
            response: Response = JSONResponse(told, status)
        except Refused as error:
            response = _error(error)
        if given and path in MOVES and not self._struck("forgets_request_ids"):
            known = self._state.answered.items()
            self._state.answered = {name: one for name, one in known if now < one.until}
            lasts = REFUND_KEYS_KEPT if path.endswith("refund") else ORDER_KEYS_KEPT
            self._state.answered[key] = Answered(
                body=f"{request.url.path} {raw.decode()}",
                status=response.status_code,
                answer=bytes(response.body).decode(),
                until=now + lasts,
            )
        return response

    # -- the paths

    def _token(self, request: Request, _: Json) -> Json:
        keys = f"{self._state.client_id}:{self._state.secret}".encode()
        if request.headers.get("authorization") != f"Basic {base64.b64encode(keys).decode()}":
            raise Refused(401, "invalid_client")
        token = f"A21AA{secrets.token_urlsafe(40)}"
        now = self._clock.now()
        self._state.tokens = {one: ends for one, ends in self._state.tokens.items() if now < ends}
        self._state.tokens[token] = self._clock.now() + TOKEN_LIFE
        seconds = int(TOKEN_LIFE.total_seconds())
        return {"access_token": token, "token_type": "Bearer", "expires_in": seconds}

    def _create(self, request: Request, body: Json) -> Json:
        units = body.get("purchase_units") or []
        if body.get("intent") != "CAPTURE" or len(units) != 1:
            raise Refused(400, "INVALID_REQUEST", "INVALID_PARAMETER_VALUE")
        unit = units[0]
        amount, currency = _money(unit.get("amount"))
        context = body["payment_source"]["paypal"]["experience_context"]
        order = Order(
            id=new_id(),
            custom_id=str(unit.get("custom_id", "")),
            invoice_id=unit.get("invoice_id"),
            reference_id=str(unit.get("reference_id", "default")),
            title=str(unit.get("description", "")),
            currency=currency,
            amount=amount + 1 if self._struck("amount_differs") else amount,
            return_url=str(context["return_url"]),
            cancel_url=str(context["cancel_url"]),
            locale=str(context.get("locale", "en-US")),
            created_at=self._clock.now(),
        )
        self._state.orders.append(order)
        return order_shown(order, _root(request), self._clock.now())

    def _found(self, request: Request) -> Order:
        order = self._state.order(request.path_params["id"], self._clock.now())
        if order is None:
            raise Refused(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return order

    def _order(self, request: Request, _: Json) -> Json:
        return order_shown(self._found(request), _root(request), self._clock.now())

    def _capture(self, request: Request, _: Json) -> Json:
        order, now = self._found(request), self._clock.now()
        if order.captures:
            raise Refused(422, "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_CAPTURED")
        if not order.approved:
            raise Refused(422, "UNPROCESSABLE_ENTITY", "ORDER_NOT_APPROVED")
        if order.bad_card:
            raise Refused(422, "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED")
        if any(other.captures for other in self._state.orders if _same_invoice(other, order)):
            raise Refused(422, "UNPROCESSABLE_ENTITY", "DUPLICATE_INVOICE_ID")
        capture = self._state.take(order, now, self._struck("capture_pending"))
        kind = "PENDING" if now < capture.done_at else "COMPLETED"
        shown = capture_shown(order, capture, _root(request), now)
        self.notifier.tell(order.custom_id, f"PAYMENT.CAPTURE.{kind}", "capture", shown)
        return order_shown(order, _root(request), now)

    def _captured(self, capture_id: str) -> tuple[Order, Capture]:
        found = self._state.capture(capture_id)
        if found is None:
            raise Refused(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return found

    def _taken(self, request: Request, _: Json) -> Json:
        order, capture = self._captured(request.path_params["id"])
        return capture_shown(order, capture, _root(request), self._clock.now())

    def _refund(self, request: Request, body: Json) -> Json:
        order, capture = self._captured(request.path_params["id"])
        amount, currency = _money(body.get("amount"))
        if self._set("refunds_refused"):
            raise Refused(422, "UNPROCESSABLE_ENTITY", "REFUND_TIME_LIMIT_EXCEEDED")
        if capture.status(self._clock.now()) == "REFUNDED":
            raise Refused(422, "UNPROCESSABLE_ENTITY", "CAPTURE_FULLY_REFUNDED")
        now = self._clock.now()
        too_much = capture.returned(now) + amount > capture.amount
        if currency != order.currency or (too_much and not self._set("over_refund")):
            raise Refused(422, "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED")
        refund = self._state.give_back(
            capture, amount, now, held=self._struck("refund_pending"),
            fails=self._struck("refund_fails"),
            custom_id=body.get("custom_id"), invoice_id=body.get("invoice_id"),
        )  # fmt: skip
        shown = refund_shown(order, capture, refund, _root(request), now)
        self.notifier.tell(order.custom_id, "PAYMENT.CAPTURE.REFUNDED", "refund", shown)
        return shown

    def _report(self, request: Request, _: Json) -> Json:
        asked = request.query_params
        start = datetime.fromisoformat(asked["start_date"])
        end = datetime.fromisoformat(asked["end_date"])
        if end - start > timedelta(days=31, seconds=1):
            raise Refused(400, "INVALID_REQUEST", "DATE_RANGE_TOO_LONG")
        if self._set("report_lags"):
            end = min(end, self._clock.now() - REPORT_LAG)
        rows = [
            row
            for row in report_rows(self._state.orders, self._clock.now())
            if start <= datetime.fromisoformat(row["transaction_initiation_date"]) <= end
        ]
        size = 2 if self._set("short_pages") else int(asked["page_size"])
        page = int(asked["page"])
        shown = rows[(page - 1) * size : page * size]
        return {
            "transaction_details": [{"transaction_info": row} for row in shown],
            "page": page,
            "total_items": len(rows),
            "total_pages": max(1, -(-len(rows) // size)),
        }

    def _disputes(self, request: Request, _: Json) -> Json:
        if self._set("disputes_403"):
            raise Refused(403, "NOT_AUTHORIZED", "PERMISSION_DENIED")
        capture = self._captured(request.query_params["disputed_transaction_id"])[1]
        if not capture.disputed:
            return {"items": []}
        return {"items": [{"dispute_id": f"PP-D-{capture.id[:5]}", "status": "OPEN"}]}

    def _verify(self, _: Request, body: Json) -> Json:
        right = self.notifier.verifies(body, body.pop("_raw", ""))
        return {"verification_status": "SUCCESS" if right else "FAILURE"}


def _same_invoice(one: Order, other: Order) -> bool:
    return one is not other and one.invoice_id is not None and one.invoice_id == other.invoice_id


def _root(request: Request) -> str:
    """The address that the stand-in is mounted at."""
    return re.split(r"/v[12]/", str(request.url), maxsplit=1)[0]


def _money(told: Any) -> tuple[Decimal, str]:
    try:
        amount, currency = Decimal(told["value"]), str(told["currency_code"])
    except (InvalidOperation, KeyError, TypeError):
        raise Refused(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER") from None
    if amount <= 0:
        raise Refused(422, "UNPROCESSABLE_ENTITY", "CANNOT_BE_ZERO_OR_NEGATIVE")
    places = 0 if currency in WHOLE else 2
    if -int(amount.as_tuple().exponent) > places:
        raise Refused(422, "UNPROCESSABLE_ENTITY", "DECIMAL_PRECISION")
    return amount, currency


def _error(error: Refused) -> Response:
    body: Json = {"name": error.name, "message": "The requested action could not be performed."}
    if error.issue:
        body["details"] = [{"issue": error.issue, "description": "See the documents."}]
    headers = {"Retry-After": "1"} if error.status == 429 else None
    return JSONResponse(body, error.status, headers)


def _parsed(raw: bytes) -> Json:
    """A JSON object; of a webhook to verify also its bytes as they came."""
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    event = re.search(rb'"webhook_event"\s*:\s*(.*)\}\s*\Z', raw, re.DOTALL)
    return body | ({"_raw": event[1].decode()} if event else {})
