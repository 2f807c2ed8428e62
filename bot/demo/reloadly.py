"""A stand-in for Reloadly Airtime on loopback: its two hosts under one address, and misbehaviour
on demand.

Written from the supplier's documents, not from our adapter, so that the two check each other. What
they leave open is answered the unkind way: the check for a used customIdentifier comes before the
top-up is made, so two calls at the same moment both buy (as users of the real one report).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.reloadly_faults import FAULTS
from bot.demo.reloadly_shapes import (
    fixed_numbers,
    in_other_types,
    operator_shown,
    topup_shown,
    zoneless,
)
from bot.demo.reloadly_state import Operator, ReloadlyState, TopUp
from bot.demo.stand_in import Dropped, Json, StandIn
from bot.ports import Clock

NAME = "reloadly"
ACCEPT = "application/com.reloadly.topups-v1+json"
DEARER = Decimal(5)


class Refused(Exception):
    """An error answer; `code` None for those of the API's router."""

    def __init__(self, status: int, code: str | None, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


Handler = Callable[[Request, Json], Awaitable[Any]]


def reloadly_routes(
    state: ReloadlyState, clock: Clock, faults: FaultBoard, calls: CallLog
) -> list[Route]:
    """Paths of both hosts, to be mounted anywhere; its faults become known to the board."""
    its = _Supplier(state, clock, faults, calls)
    return [
        Route("/oauth/token", its.answering(its.token), methods=["POST"]),
        Route("/operators", its.answering(its.operators), methods=["GET"]),
        Route("/operators/{id:int}", its.answering(its.operator), methods=["GET"]),
        Route("/operators/countries/{iso}", its.answering(its.country), methods=["GET"]),
        Route(
            "/operators/auto-detect/phone/{phone}/countries/{iso}",
            its.answering(its.detect),
            methods=["GET"],
        ),
        Route("/topups", its.answering(its.topup), methods=["POST"]),
        Route("/topups/reports/transactions", its.answering(its.report), methods=["GET"]),
        Route("/topups/{id:int}/status", its.answering(its.status), methods=["GET"]),
        Route("/accounts/balance", its.answering(its.balance), methods=["GET"]),
        Route("/{rest:path}", its.answering(its.nowhere), methods=["GET", "POST"]),
    ]


class _Supplier(StandIn):
    def __init__(
        self, state: ReloadlyState, clock: Clock, faults: FaultBoard, calls: CallLog
    ) -> None:
        super().__init__(NAME, FAULTS, clock, faults, calls)
        self._state = state

    def answering(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """One call: limits, token, the path's own work, its misbehaviour, the log."""

        async def answer(request: Request) -> Response:
            path = _path(request)
            body = _parsed(await request.body())

            async def work() -> tuple[Json, Response]:
                self._state.settle(self._clock.now())
                try:
                    self._check(request, path)
                    told = await handler(request, body)
                except Refused as error:
                    told = self._error(path, error)
                asked = {**request.query_params, **body}
                return asked, told if isinstance(told, Response) else self._json(told)

            return await self._logged(f"{request.method} {path}", work)

        return answer

    def _check(self, request: Request, path: str) -> None:
        if self._struck("http_500"):
            raise Refused(500, None, "Internal Server Error")
        if self._struck("http_429"):
            raise Refused(429, None, "Retry-After")
        if self._struck("rate_reset"):
            raise Refused(429, None, "X-RateLimit-Reset")
        if path == "/oauth/token":
            return
        if ACCEPT not in request.headers.get("accept", ""):
            raise Refused(406, "MEDIA_TYPE_NOT_ACCEPTABLE", f"answers are {ACCEPT}")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        ends = self._state.tokens.get(token)
        if ends is None:
            raise Refused(401, "INVALID_TOKEN", "Full authentication is required")
        if self._struck("token_expired") or self._clock.now() >= ends:
            del self._state.tokens[token]
            raise Refused(401, "TOKEN_EXPIRED", "The token was expired")

    def _json(self, told: Any, status: int = 200) -> Response:
        told = fixed_numbers(told)
        return JSONResponse(in_other_types(told) if self._struck("other_types") else told, status)

    def _error(self, path: str, error: Refused) -> Response:
        headers = {}
        if error.status == 429:
            until = str(int(time.time()) + 2)
            headers = {error.text: "1" if error.text == "Retry-After" else until}
        if error.code is None:
            body: Json = {
                "timeStamp": zoneless(self._clock.now()),
                "status": error.status,
                "error": error.text,
                "message": error.text,
                "path": path,
            }
        else:
            body = {
                "timeStamp": int(self._clock.now().timestamp() * 1000),
                "message": error.text,
                "path": path,
                "errorCode": None if self._struck("nameless_errors") else error.code,
                "infoLink": None,
                "details": [],
            }
        return JSONResponse(body, error.status, headers)

    # -- the paths

    async def nowhere(self, request: Request, body: Json) -> Any:
        raise Refused(404, None, "Not Found")

    async def token(self, request: Request, body: Json) -> Any:
        if self._struck("no_token"):
            raise Refused(500, None, "Internal Server Error")
        keys = body.get("client_id"), body.get("client_secret")
        if keys != (self._state.client_id, self._state.client_secret):
            raise Refused(401, "INVALID_CREDENTIALS", "Access Denied")
        here = str(request.url).partition("/oauth/token")[0]
        if body.get("audience") != here or body.get("grant_type") != "client_credentials":
            raise Refused(401, "INVALID_AUDIENCE", "Access Denied")
        return {
            "access_token": self._state.new_token(self._clock.now()),
            "scope": "developer",
            "expires_in": self._state.token_seconds,
            "token_type": "Bearer",
        }

    def _known(self, operator_id: object) -> Operator:
        operator = self._state.operator(operator_id)
        if operator is None:
            raise Refused(404, "OPERATOR_NOT_FOUND", "Operator not found")
        return self._now(operator)

    def _now(self, operator: Operator) -> Operator:
        """With what the faults make of it."""
        if self._struck("operator_off"):
            operator = operator.model_copy(update={"active": False})
        if self._struck("price_changed"):
            operator = operator.model_copy(update={"fee": operator.fee + DEARER})
        return operator

    async def operators(self, request: Request, body: Json) -> Any:
        return _page(request, [operator_shown(self._now(one)) for one in self._state.operators])

    async def operator(self, request: Request, body: Json) -> Any:
        return operator_shown(self._known(request.path_params["id"]))

    async def country(self, request: Request, body: Json) -> Any:
        iso = request.path_params["iso"]
        found = [one for one in self._state.operators if one.iso == iso]
        if not found:
            raise Refused(404, "COUNTRY_NOT_SUPPORTED", f"{iso} is not supported")
        return [operator_shown(self._now(one)) for one in found]

    async def detect(self, request: Request, body: Json) -> Any:
        operator = self._state.operator_of(request.path_params["phone"].removeprefix("+"))
        if operator is None or operator.iso != request.path_params["iso"]:
            raise Refused(404, "COULD_NOT_AUTO_DETECT_OPERATOR", "Could not auto detect operator")
        return operator_shown(self._now(operator))

    async def balance(self, request: Request, body: Json) -> Any:
        empty = self._set("wallet_empty")
        return {
            "balance": Decimal(0) if empty else self._state.balance,
            "currencyCode": "USD",
            "currencyName": "US Dollar",
            "updatedAt": zoneless(self._clock.now() + timedelta(hours=5)),
        }

    async def report(self, request: Request, body: Json) -> Any:
        if self._struck("no_report"):
            raise Refused(500, None, "Internal Server Error")
        now, ref = self._clock.now(), request.query_params.get("customIdentifier")
        rows = [one for one in self._state.topups if one.visible_from <= now]
        if ref and not self._struck("filter_ignored"):
            rows = [one for one in rows if ref in one.ref]
        shown = [self._shown(one) for one in reversed(rows)]
        if self._struck("no_status_in_report"):
            for row in shown:
                del row["status"]
        return _page(request, shown)

    async def status(self, request: Request, body: Json) -> Any:
        one = self._state.topup(request.path_params["id"])
        if one is None:
            raise Refused(404, "TRANSACTION_NOT_FOUND", "Transaction not found")
        shown = self._shown(one)
        if self._struck("flat_status"):
            return shown
        under_way = shown["status"] == "PROCESSING"
        return {
            "code": None,
            "message": None,
            "status": shown["status"],
            "transaction": None if under_way else shown,
        }

    def _shown(self, one: TopUp) -> Json:
        return topup_shown(one, self._state, self._clock.now())

    # -- buying

    async def topup(self, request: Request, body: Json) -> Any:
        if self._struck("drop_before_accept"):
            return Dropped()
        if self._struck("server_error"):
            raise Refused(500, None, "Internal Server Error")
        if self._struck("topups_429"):
            raise Refused(429, None, "Retry-After")
        if self._struck("token_gone"):
            self._state.tokens.clear()
            raise Refused(401, "TOKEN_EXPIRED", "The token was expired")
        operator, number, amount, local, ref = self._checked(body)
        if self._struck("accepts_late"):
            await asyncio.sleep(self._state.late_seconds)
        now = self._clock.now()
        one = self._state.top_up(operator, number, amount, local, ref, now)
        self._burden(one, now)
        return self._arriving(self._json(self._shown(one)))

    def _burden(self, one: TopUp, now: datetime) -> None:
        """What the faults make of a top-up that was accepted."""
        if self._struck("lookup_lags"):
            one.visible_from = now + timedelta(seconds=self._state.lookup_lag_seconds)
        one.fails = self._struck("fails_later")
        if self._struck("stays_processing") or one.fails:
            one.final_at = now + timedelta(seconds=self._state.processing_seconds)
        if self._struck("refunded_later"):
            one.refunded_at = now + timedelta(seconds=self._state.refund_after_seconds)

    def _checked(self, body: Json) -> tuple[Operator, str, Decimal, bool, str]:
        """What is to be bought: operator, number, amount, whether it is of the phone's currency,
        and the reference."""
        ref, local = str(body.get("customIdentifier") or ""), body.get("useLocalAmount") is True
        phone = body.get("recipientPhone")
        if not isinstance(phone, dict):
            raise Refused(400, "INVALID_RECIPIENT_PHONE", "recipientPhone is required")
        if ref and self._state.by_ref(ref):
            raise Refused(
                400, "CUSTOM_IDENTIFIER_ALREADY_USED", "The custom identifier is already used"
            )
        operator, number = self._known(body.get("operatorId")), str(phone.get("number"))
        if not operator.active or self._struck("off_meanwhile"):
            raise Refused(400, "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE", "Operator is inactive")
        whose = self._state.operator_of(number)
        if whose is None or not whose.iso == operator.iso == phone.get("countryCode"):
            raise Refused(400, "INVALID_RECIPIENT_PHONE", "The recipient phone is not valid")
        lately = self._clock.now() - timedelta(seconds=self._state.pause_seconds)
        if any(one.number == number and one.at > lately for one in self._state.topups):
            raise Refused(400, "PHONE_RECENTLY_RECHARGED", "The phone was recently recharged")
        amount = _amount(body.get("amount"))
        if amount is None or not operator.takes(amount, local):
            raise Refused(400, "INVALID_AMOUNT_FOR_OPERATOR", "The amount is not valid")
        if self._struck("wallet_empty") or self._state.balance < operator.cost(amount, local):
            raise Refused(403, "INSUFFICIENT_BALANCE", "The account's balance is insufficient")
        return operator, number, amount, local, ref


def _path(request: Request) -> str:
    """The path as the supplier knows it, without where it is mounted."""
    path = request.url.path
    root: str = request.scope.get("root_path", "")
    return path.removeprefix(root)


def _parsed(raw: bytes) -> Json:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _amount(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _page(request: Request, rows: list[Json]) -> Json:
    """One page, the first by default and by number 1."""
    size = int(request.query_params.get("size", 10))
    number = max(1, int(request.query_params.get("page", 1)))
    shown = rows[(number - 1) * size : number * size]
    return {
        "content": shown,
        "totalElements": len(rows),
        "totalPages": -(-len(rows) // size),
        "last": number * size >= len(rows),
        "first": number == 1,
        "size": size,
        "number": number,
    }
