"""A stand-in for eSIM Access on loopback: the published open API, and its misbehaviour on demand.

Written from the supplier's documents, not from our adapter, so that the two check each other. What
the documents leave open is answered the unkind way: a repeated transactionId buys a second time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.calls import CallLog
from bot.demo.esim_access_state import EsimAccessState, Package, Profile
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Dropped, Json, StandIn
from bot.ports import Clock

CLOCK_SKEW_SECONDS = 300
MAX_TOPUPS = 10

NAME = "esim_access"
FAULTS = (
    ("timeout_after_success", "eSIM Access: bought, answer lost", "eSIM Access：已充值，回复丢失",
     "The top-up is done, then the connection drops."),
    ("slow_after_success", "eSIM Access: bought, answer too slow", "eSIM Access：已充值，回复太慢",
     "The top-up is done, but its answer comes after the client has given up."),
    ("slow", "eSIM Access is slow", "eSIM Access 响应缓慢",
     "Every answer comes three seconds late."),
    ("drop_before_accept", "eSIM Access: top-up never arrives", "eSIM Access：充值请求没有送达",
     "The connection drops before anything is bought."),
    ("server_error", "eSIM Access: internal error (000001)", "eSIM Access：内部错误（000001）",
     "The top-up is answered with the server error code; nothing is bought."),
    ("http_500", "eSIM Access: HTTP 500", "eSIM Access：HTTP 500",
     "Every call breaks with HTTP 500."),
    ("busy_900001", "eSIM Access: busy (900001)", "eSIM Access：系统繁忙（900001）",
     "Calls are answered with the code for “busy, retry”."),
    ("http_429", "eSIM Access: too many requests", "eSIM Access：请求过多",
     "Calls are answered with HTTP 429 and Retry-After of one second."),
    ("lookup_lags", "eSIM Access: look-up lags", "eSIM Access：查询滞后",
     "A new top-up shows in queries only after two minutes of the demo's time."),
    ("reading_lags", "eSIM Access: usage lags", "eSIM Access：用量滞后",
     "Data use stays as last measured."),
    ("wallet_empty", "eSIM Access: wallet empty", "eSIM Access：余额不足",
     "The reseller's balance there does not cover a top-up."),
    ("price_changed", "eSIM Access: price just changed", "eSIM Access：价格刚变动",
     "The price a top-up was announced with is no longer right."),
    ("unlisted_ref", "eSIM Access: look-up hides references", "eSIM Access：查询不含流水号",
     "Queries list the top-ups without their transactionId."),
    ("string_success", "eSIM Access: answers in other types", "eSIM Access：回复的数据类型不同",
     "Numbers and success come as text, lists bare, and with fields nobody knows."),
    ("repeat_is_refused", "eSIM Access: repeats are refused", "eSIM Access：拒绝重复的流水号",
     "A repeated transactionId gets an error code instead of buying again."),
)  # fmt: skip


class Refused(Exception):
    """An answer with a code of the supplier's table."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def esim_access_routes(
    state: EsimAccessState, clock: Clock, faults: FaultBoard, calls: CallLog
) -> list[Route]:
    """The supplier's paths, to be mounted anywhere; its faults become known to the board."""
    supplier = _Supplier(state, clock, faults, calls)
    root = "/api/v1/open"
    return [Route(root + path, supplier.answer, methods=["POST"]) for path in supplier.paths]


class _Supplier(StandIn):
    def __init__(
        self, state: EsimAccessState, clock: Clock, faults: FaultBoard, calls: CallLog
    ) -> None:
        super().__init__(NAME, FAULTS, clock, faults, calls)
        self._state = state
        self._arrivals: deque[float] = deque(maxlen=state.requests_per_second)
        self.paths = {
            "/package/list": self._package_list,
            "/esim/query": self._esim_query,
            "/esim/usage/query": self._usage_query,
            "/esim/topup": self._topup,
            "/balance/query": self._balance,
        }

    async def answer(self, request: Request) -> Response:
        """One call: limits, signature, the path's own work, its misbehaviour, the log."""
        path = request.url.path.partition("/api/v1/open")[2]
        raw = await request.body()

        async def work() -> tuple[Json, Response]:
            refused = self._refused_by_gateway()
            if refused is not None:
                return {}, refused
            body: Json = {}
            try:
                self._check_signature(request, raw)
                body = _parsed(raw)
                return body, self._handled(path, body)
            except Refused as error:
                return body, self._envelope(error=error)

        return await self._logged(path, work)

    def _refused_by_gateway(self) -> Response | None:
        now = time.monotonic()
        full = len(self._arrivals) == self._arrivals.maxlen and now - self._arrivals[0] < 1.0
        if self._struck("http_429") or full:
            return Response("Too Many Requests", 429, {"Retry-After": "1"})
        self._arrivals.append(now)
        if self._struck("http_500"):
            return Response("Internal Server Error", 500)
        return None

    def _check_signature(self, request: Request, raw: bytes) -> None:
        """Headers of the signed kind, by real time."""
        code, request_id, timestamp, signature = (
            request.headers.get(f"RT-{name}", "")
            for name in ("AccessCode", "RequestID", "Timestamp", "Signature")
        )
        if not (code and request_id and timestamp and signature):
            raise Refused("000101", "request header error")
        if not timestamp.isdigit() or abs(int(timestamp) / 1000 - time.time()) > CLOCK_SKEW_SECONDS:
            raise Refused("101001", "timestamp expired")
        signed = (timestamp + request_id + code).encode() + raw
        right = hmac.new(self._state.secret_key.encode(), signed, hashlib.sha256).hexdigest()
        if code != self._state.access_code or not hmac.compare_digest(signature, right):
            raise Refused("101003", "signature error")

    def _handled(self, path: str, body: Json) -> Response:
        if self._struck("busy_900001"):
            raise Refused("900001", "system busy, retry later")
        if path != "/esim/topup":
            return self._envelope(self.paths[path](body))
        if self._struck("drop_before_accept"):
            return Dropped()
        if self._struck("server_error"):
            raise Refused("000001", "server error")
        return self._arriving(self._envelope(self._topup(body)))

    def _envelope(self, obj: Any = None, error: Refused | None = None) -> Response:
        answer: Json = {
            "success": error is None,
            "errorCode": error.code if error else "0",
            "errorMsg": error.text if error else None,
            "obj": obj,
        }
        if self._struck("string_success"):
            answer = _in_other_types(answer)
        return JSONResponse(answer)

    # -- the paths

    def _package_list(self, body: Json) -> Json:
        found = self._found(body)
        location = found[0].location if found else body.get("locationCode")
        if body.get("type") != "TOPUP":
            raise Refused("000104", "only top-ups are sold here")
        packages = [p for p in self._state.packages if p.location == location]
        return {"packageList": [_package_shown(package) for package in packages]}

    def _esim_query(self, body: Json) -> Json:
        if not isinstance(body.get("pager"), dict):
            raise Refused("000106", "pager is required")
        found = self._found(body)
        return {
            "esimList": [self._profile_shown(profile) for profile in found],
            "pager": {"pageNum": 1, "pageSize": 50, "total": len(found)},
        }

    def _usage_query(self, body: Json) -> Json:
        numbers = body.get("esimTranNoList")
        if not isinstance(numbers, list) or not 1 <= len(numbers) <= 10:
            raise Refused("000104", "esimTranNoList holds one to ten")
        found = [self._state.profile(str(number)) for number in numbers]
        return {"esimUsageList": [self._usage_shown(profile) for profile in found if profile]}

    def _balance(self, body: Json) -> Json:
        empty = self._set("wallet_empty")
        return {"balance": 0 if empty else self._state.balance}

    def _topup(self, body: Json) -> Json:
        ref = str(body.get("transactionId") or "")
        if not ref:
            raise Refused("000106", "transactionId is required")
        profile = self._state.profile(str(body.get("esimTranNo")))
        if profile is None:
            raise Refused("310403", "the eSIM is not in your orders")
        packages = {p.code: p for p in self._state.packages if p.location == profile.location}
        package = packages.get(str(body.get("packageCode")))
        if package is None:
            raise Refused("310241", "package unknown")
        self._check_topup(profile, package, body, ref)
        lag = self._state.lookup_lag_seconds if self._struck("lookup_lags") else 0
        now = self._clock.now()
        bought = self._state.top_up(profile, package, ref, now, timedelta(seconds=lag))
        return {
            "transactionId": ref,
            "iccid": profile.iccid,
            "expiredTime": _time(profile.expires_at),
            "totalVolume": profile.volume(),
            "totalDuration": sum(one.days for one in profile.bought),
            "orderUsage": profile.used,
            "topUpEsimTranNo": bought.esim_tran_no,
        }

    def _check_topup(self, profile: Profile, package: Package, body: Json, ref: str) -> None:
        repeated = any(one.transaction_id == ref for p in self._state.profiles for one in p.bought)
        if repeated and self._struck("repeat_is_refused"):
            raise Refused("200099", "transactionId was used")
        if profile.status_at(self._clock.now()) not in ("GOT_RESOURCE", "IN_USE", "USED_UP"):
            raise Refused("200002", "not allowed in this status")
        if len(profile.bought) > MAX_TOPUPS:
            raise Refused("200002", "no more than ten top-ups")
        amount = body.get("amount")
        changed = self._struck("price_changed")
        if amount is not None and (changed or str(amount) != str(package.price)):
            raise Refused("200005", "price error")
        if self._struck("wallet_empty") or self._state.balance < package.price:
            raise Refused("200007", "insufficient balance")

    # -- as shown

    def _found(self, body: Json) -> list[Profile]:
        number, iccid = (str(body.get(name) or "") for name in ("esimTranNo", "iccid"))
        if number:
            return [p for p in self._state.profiles if p.esim_tran_no == number]
        return [p for p in self._state.profiles if p.iccid == iccid]

    def _profile_shown(self, profile: Profile) -> Json:
        now = self._clock.now()
        self._measure(profile, now)
        seen = profile.seen(now)
        unseen_days = sum(one.days for one in profile.bought if one not in seen)
        waiting = profile.status == "GOT_RESOURCE"
        expires_at = profile.expires_at - timedelta(days=0 if waiting else unseen_days)
        hide = self._struck("unlisted_ref")
        return {
            "esimTranNo": profile.esim_tran_no,
            "orderNo": profile.order_no,
            "transactionId": profile.bought[0].transaction_id,
            "iccid": profile.iccid,
            "msisdn": "",
            "ac": profile.activation_code,
            "smdpStatus": "RELEASED" if waiting else "ENABLED",
            "esimStatus": profile.status_at(now),
            "dataType": 1,
            "expiredTime": _time(expires_at),
            "totalVolume": sum(one.volume for one in seen),
            "totalDuration": sum(one.days for one in seen),
            "durationUnit": "DAY",
            "orderUsage": profile.measured_used,
            "packageList": [
                {
                    "packageName": one.name,
                    "packageCode": one.code,
                    "duration": one.days,
                    "volume": one.volume,
                    "locationCode": profile.location,
                    "createTime": _time(one.at),
                    "esimTranNo": one.esim_tran_no,
                    "transactionId": None if hide else one.transaction_id,
                }
                for one in seen
            ],
        }

    def _usage_shown(self, profile: Profile) -> Json:
        self._measure(profile, self._clock.now())
        return {
            "esimTranNo": profile.esim_tran_no,
            "dataUsage": profile.measured_used,
            "totalData": sum(one.volume for one in profile.seen(self._clock.now())),
            "lastUpdateTime": _time(profile.measured_at),
        }

    def _measure(self, profile: Profile, now: datetime) -> None:
        if not self._set("reading_lags"):
            profile.measured_used, profile.measured_at = profile.used, now


def _parsed(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused("000102", "request body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused("000102", "request body is not an object")
    return body


def _package_shown(package: Package) -> Json:
    return {
        "packageCode": package.code,
        "slug": package.code.removeprefix("TOPUP_"),
        "name": package.name,
        "price": package.price,
        "currencyCode": "USD",
        "volume": package.volume,
        "duration": package.days,
        "durationUnit": "DAY",
        "location": package.location,
        "speed": "3G/4G/5G",
        "activeType": 2,
        "dataType": package.data_type,
        "supportTopUpType": 2,
    }


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _in_other_types(answer: Json) -> Json:
    """The same answer in the other forms seen of this supplier, and a field from its future."""

    def texts(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: texts(item) for key, item in value.items()}
        if isinstance(value, list):
            return [texts(item) for item in value]
        return str(value) if isinstance(value, int) else value

    told = texts(answer["obj"])
    if isinstance(told, dict):
        told = told.get("esimUsageList", {**told, "newField": {"a": 1}})
    success = "true" if answer["success"] else "false"
    code = None if answer["success"] else answer["errorCode"]
    return {"success": success, "errorCode": code, "obj": told, "serverTime": "soon"}
