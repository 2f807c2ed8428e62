"""A stand-in for Airalo Partners v2 on loopback: the published API, and its misbehaviour on demand.

Written from the supplier's documents, not from our adapter, so that the two check each other.
What the documents leave open is answered the unkind way: nothing keeps a top-up from being bought
twice, its description comes back as the supplier's own words, a missing signature is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.airalo_shown import (
    Refused,
    Shown,
    coded,
    in_other_types,
    nothing,
    wrong,
)
from bot.demo.airalo_state import AiraloState, Esim, Package
from bot.demo.airalo_webhooks import Notifier
from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Dropped, Json, StandIn
from bot.ports import Clock

TOKEN_LIFE = 31_622_400

NAME = "airalo"
FAULTS = (
    ("timeout_after_success", "Airalo: bought, answer lost", "Airalo：已充值，回复丢失",
     "The top-up is done, then the connection drops."),
    ("slow_after_success", "Airalo: bought, answer too slow", "Airalo：已充值，回复太慢",
     "The top-up is done, but its answer comes after the client has given up."),
    ("slow", "Airalo is slow", "Airalo 响应缓慢",
     "Every answer comes three seconds late."),
    ("drop_before_accept", "Airalo: top-up never arrives", "Airalo：充值请求没有送达",
     "The connection drops before anything is bought."),
    ("unexpected_53", "Airalo: something unexpected (53)", "Airalo：意外错误（53）",
     "The top-up is bought, but answered with the code for “something unexpected”."),
    ("http_500", "Airalo: HTTP 500", "Airalo：HTTP 500",
     "Every call breaks with HTTP 500."),
    ("http_429", "Airalo: too many requests", "Airalo：请求过多",
     "Calls are answered with HTTP 429 and Retry-After of one second."),
    ("token_revoked", "Airalo: token no longer good", "Airalo：令牌提前失效",
     "Every token given so far is refused, long before its end."),
    ("lookup_lags", "Airalo: look-up lags", "Airalo：查询滞后",
     "A new top-up shows in the lists only after two minutes of the demo's time."),
    ("reading_lags", "Airalo: usage lags", "Airalo：用量滞后",
     "Usage stays as last told."),
    ("wallet_empty", "Airalo: credit used up (11)", "Airalo：余额不足（11）",
     "The partner's credit does not cover a top-up."),
    ("price_changed", "Airalo: price just rose", "Airalo：价格刚上涨",
     "Top-ups cost half as much again."),
    ("maintenance_13", "Airalo: operator under maintenance (13)", "Airalo：运营商维护中（13）",
     "Top-ups are refused while the operator is being maintained."),
    ("disabled_23", "Airalo: top-up disabled (23)", "Airalo：充值已停用（23）",
     "The operator has disabled the top-up."),
    ("limit_reached", "Airalo: purchase limit reached", "Airalo：已达购买上限",
     "The top-up is refused, with the other shape of HTTP 422."),
    ("echoes_description", "Airalo: look-up shows our reference", "Airalo：查询显示我方流水号",
     "Orders are listed with the description they were sent with."),
    ("names_no_sim", "Airalo: look-up names no eSIM", "Airalo：查询不含 eSIM",
     "Orders are listed without saying which eSIM they are for."),
    ("discount_pricing", "Airalo: discount instead of net prices", "Airalo：折扣价而非净价",
     "Prices are retail with a discount beside them; net prices are empty."),
    ("other_types", "Airalo: answers in other types", "Airalo：回复的数据类型不同",
     "Numbers come as text, lists as objects, and with fields nobody knows."),
)  # fmt: skip


def airalo_routes(
    state: AiraloState, clock: Clock, faults: FaultBoard, calls: CallLog
) -> list[Route]:
    """The supplier's paths, to be mounted anywhere; its faults become known to the board."""
    supplier = _Supplier(state, clock, faults, calls)
    return [
        Route(f"/v2{path}", supplier.serving(path, work), methods=[method])
        for method, path, work in supplier.paths
    ]


class _Supplier(StandIn):
    def __init__(
        self, state: AiraloState, clock: Clock, faults: FaultBoard, calls: CallLog
    ) -> None:
        super().__init__(NAME, FAULTS, clock, faults, calls)
        self._state = state
        self._shown = Shown(state, clock, self._set)
        self._told: dict[str, Json] = {}
        self._arrivals: dict[str, deque[float]] = {}
        self._notifier = Notifier(state)
        self.paths: tuple[tuple[str, str, Callable[[Json], Any]], ...] = (
            ("POST", "/token", self._token),
            ("GET", "/packages", self._shown.packages),
            ("GET", "/sims/{iccid}", self._sim),
            ("GET", "/sims/{iccid}/usage", self._usage),
            ("GET", "/sims/{iccid}/topups", self._topups),
            ("POST", "/orders/topups", self._topup),
            ("GET", "/orders", self._shown.orders),
            ("GET", "/orders/{id}", self._order),
            ("GET", "/balance", self._balance),
            ("POST", "/notifications/opt-in", self._notifier.opt_in),
            ("POST", "/simulator/webhook", self._notifier.simulate),
        )

    def serving(
        self, path: str, work: Callable[[Json], Any]
    ) -> Callable[[Request], Awaitable[Response]]:
        """One path: limits, token, signature, its own work, its misbehaviour, the log."""

        async def serve(request: Request) -> Response:
            asked = await _asked(request)

            async def done() -> tuple[Json, Response]:
                try:
                    self._check(path, request, asked)
                    return asked, await self._done(path, work, asked)
                except Refused as error:
                    return asked, error.response

            return await self._logged(path, done)

        return serve

    def _check(self, path: str, request: Request, asked: Json) -> None:
        if self._struck("http_429"):
            raise _too_many(1)
        if self._struck("http_500"):
            raise Refused(500, {"message": "Server Error"})
        if path == "/token":
            self._limit("token", self._state.tokens_per_minute)
        else:
            if self._struck("token_revoked"):
                self._state.tokens.clear()
            kind, _, token = request.headers.get("Authorization", "").partition(" ")
            if kind != "Bearer" or token not in self._state.tokens:
                raise nothing(401, "Unauthenticated.")
        if path == "/orders/topups":
            text = json.dumps(asked, separators=(",", ":")).replace("/", "\\/")
            right = hmac.new(self._state.client_secret.encode(), text.encode(), hashlib.sha512)
            given = request.headers.get("airalo-signature", "")
            if not hmac.compare_digest(given.encode(), right.hexdigest().encode()):
                raise coded(14, "Invalid checksum: airalo-signature")

    def _limit(self, what: str, per_minute: int) -> None:
        arrivals = self._arrivals.setdefault(what, deque(maxlen=per_minute))
        now = time.monotonic()
        if len(arrivals) == per_minute and now - arrivals[0] < 60:
            raise _too_many(int(61 - (now - arrivals[0])))
        arrivals.append(now)

    async def _done(self, path: str, work: Callable[[Json], Any], asked: Json) -> Response:
        buys = path == "/orders/topups"
        if buys and self._struck("drop_before_accept"):
            return Dropped()
        answer = work(asked)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if buys and self._struck("unexpected_53"):
            raise coded(53, "Something unexpected happened. Please try again later.")
        told = JSONResponse(in_other_types(answer) if self._struck("other_types") else answer)
        return self._arriving(told) if buys else told

    # -- the paths

    def _token(self, asked: Json) -> Json:
        if asked.get("grant_type") != "client_credentials":
            raise wrong(grant_type="The selected grant type is invalid.")
        if asked.get("client_id") != self._state.client_id:
            raise wrong(client_id="The selected client id is invalid.")
        if asked.get("client_secret") != self._state.client_secret:
            raise nothing(401, "Client authentication failed")
        token = secrets.token_urlsafe(32)
        self._state.tokens = [*self._state.tokens[-9:], token]
        granted = {"token_type": "Bearer", "expires_in": TOKEN_LIFE, "access_token": token}
        return {"data": granted, "meta": {"message": "success"}}

    def _found(self, asked: Json) -> Esim:
        esim = self._state.esim(str(asked["iccid"]))
        if esim is None:
            raise nothing(404, "messages.resource_not_found")
        return esim

    def _sim(self, asked: Json) -> Json:
        return self._shown.sim(self._found(asked))

    def _usage(self, asked: Json) -> Json:
        esim = self._found(asked)
        self._limit(esim.iccid, self._state.usage_per_minute)
        if not (self._set("reading_lags") and esim.iccid in self._told):
            self._told[esim.iccid] = self._shown.usage(esim)
        return self._told[esim.iccid]

    def _topups(self, asked: Json) -> Json:
        esim = self._found(asked)
        if esim.status == "RECYCLED":
            raise _recycled(esim)
        return self._shown.topups(self._state.operator(esim))

    def _order(self, asked: Json) -> Json:
        for order in self._state.orders:
            if str(order.id) == str(asked["id"]):
                return {"data": self._shown.order(order, asked), "meta": {"message": "success"}}
        raise nothing(404, "messages.resource_not_found")

    def _balance(self, asked: Json) -> Json:
        cents = 0 if self._set("wallet_empty") else self._state.balance
        available = {"amount": cents / 100, "currency": "USD"}
        balances = {"name": "balance", "availableBalance": available}
        return {"data": {"balances": balances}, "meta": {"message": "success"}}

    def _topup(self, asked: Json) -> Json:
        missing = [name for name in ("package_id", "iccid") if not asked.get(name)]
        if missing:
            raise wrong(**{name: f"The {name} field is required." for name in missing})
        esim = self._state.esim(str(asked["iccid"]))
        if esim is None:
            raise wrong(iccid="The selected iccid is invalid.")
        package = self._sellable(esim, str(asked["package_id"]))
        paid = self._shown.paid(package)
        if self._set("wallet_empty") or self._state.balance < paid:
            raise coded(11, "Insufficient Airalo Credit: top up your account")
        lag = self._state.lookup_lag_seconds if self._struck("lookup_lags") else 0
        note = str(asked.get("description") or "")
        order = self._state.top_up(
            esim, package, paid, note, self._clock.now(), timedelta(seconds=lag)
        )
        return {"data": self._shown.order(order, {}), "meta": {"message": "success"}}

    def _sellable(self, esim: Esim, package_id: str) -> Package:
        if esim.status == "RECYCLED":
            raise _recycled(esim)
        if self._struck("maintenance_13"):
            raise coded(13, "The requested operator is currently undergoing maintenance.")
        if self._struck("disabled_23"):
            raise coded(23, "The requested top-up has been disabled by the operator.")
        if self._struck("limit_reached"):
            raise wrong(package_id="validation.order_exceed_limit")
        until = self._state.takes_topups_until(esim)
        packages = {one.id: one for one in self._state.operator(esim).topups}
        if package_id not in packages or (until is not None and self._clock.now() >= until):
            raise wrong(package_id="invalid topup package")
        return packages[package_id]


def _too_many(seconds: int) -> Refused:
    headers = {"Retry-After": str(seconds), "X-RateLimit-Remaining": "0"}
    return Refused(429, {"message": "Too Many Attempts."}, headers)


def _recycled(esim: Esim) -> Refused:
    return coded(
        73, f"The eSIM with iccid {esim.iccid} has been recycled. It can no longer be used or "
        "topped up."
    )  # fmt: skip


async def _asked(request: Request) -> Json:
    """What a request says: its form or JSON, or what its address holds."""
    if request.method == "GET":
        return {**request.query_params, **request.path_params}
    if request.headers.get("Content-Type", "").startswith("application/json"):
        body = await request.json()
        return body if isinstance(body, dict) else {}
    return {name: str(value) for name, value in (await request.form()).items()}
