"""eSIM Access on the wire: signed requests, the pace it allows, and what its answers look like.

Every call is a POST; errors come with HTTP 200 and a code; times are UTC, data is in bytes,
prices are ten-thousandths of a US dollar.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import httpx
import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from bot.carriers.asking import Failed, Line, parsed, patiently
from bot.tokens import pause

log = structlog.get_logger(__name__)

RATE = 8
CONCURRENCY = 8

SERVER_ERROR = "000001"
BUSY = "900001"
ALLOCATING = "200010"
NO_SUCH_SIM = frozenset({"310272", "310403"})

# The codes known to mean that nothing was bought. Any other code, a future "this transactionId
# was used" among them, may hide a purchase and counts as unknown.
REFUSALS: Mapping[str, str] = {
    **dict.fromkeys((f"00010{n}" for n in range(1, 8)), "bad_request"),
    **dict.fromkeys(("101001", "101002", "101003"), "credentials"),
    **dict.fromkeys(("200002", "200009"), "not_allowed"),
    **dict.fromkeys(("200005", "200006"), "price_moved"),
    "200007": "no_money",
    "200008": "bad_request",
    "200011": "not_sold_now",
    **dict.fromkeys(("310241", "310243"), "not_sold_now"),
    **dict.fromkeys(NO_SUCH_SIM, "unknown_sim"),
}


# ---- what the supplier sends -------------------------------------------------------------


def _moment(value: object) -> object:
    """Times arrive as "+0000", "Z", without a zone (UTC is meant) or as Unix milliseconds."""
    if value in (None, ""):
        return None
    if isinstance(value, str) and not value.isdigit():
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    if isinstance(value, str | int | float):
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _code(value: object) -> object:
    return None if value in (None, "", "0", 0) else str(value)


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Number = Annotated[int | None, BeforeValidator(_none_if_empty)]


class _Wire(BaseModel):
    """Fields in camelCase, strings for numbers taken, unknown fields left alone."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class Envelope(_Wire):
    """Around every answer; `error_code` is None for both ways of saying that there is none."""

    success: bool
    error_code: Annotated[str | None, BeforeValidator(_code)] = None
    obj: Any = None


class Bought(_Wire):
    """One entry of a profile's packageList: the package it was sold with, or a top-up."""

    esim_tran_no: str | None = None
    transaction_id: str | None = None


def _list(value: object) -> object:
    return [] if value is None else value


class Esim(_Wire):
    """A profile. Volumes in bytes; `expired_time` is its end or, unused, the end of its wait."""

    esim_tran_no: str
    iccid: str
    esim_status: str = ""
    msisdn: str | None = None
    ac: str | None = None
    expired_time: Moment = None
    total_volume: Number = None
    order_usage: Number = None
    package_list: Annotated[list[Bought], BeforeValidator(_list)] = []


class EsimList(_Wire):
    """Answer of /esim/query."""

    esim_list: Annotated[list[Esim], BeforeValidator(_list)] = []


class Usage(_Wire):
    """Bytes used, and when that was measured."""

    esim_tran_no: str
    data_usage: Number = None
    last_update_time: Moment = None


def _usage_list(value: object) -> object:
    """Seen both as a bare list and inside an object."""
    return value.get("esimUsageList") or [] if isinstance(value, dict) else _list(value)


Usages = Annotated[list[Usage], BeforeValidator(_usage_list)]


class Package(_Wire):
    """A top-up on offer: price in ten-thousandths of a dollar, volume in bytes."""

    package_code: str
    price: int
    currency_code: str = "USD"
    volume: Number = None
    duration: int
    duration_unit: str = "DAY"
    data_type: Number = 1

    @property
    def sellable(self) -> bool:
        """A day pass (dataType 2 and up) is priced per day, which a plan of ours can't say."""
        return (
            self.currency_code == "USD"
            and self.duration_unit.upper() == "DAY"
            and self.data_type in (None, 1)
        )


class PackageList(_Wire):
    """Answer of /package/list."""

    package_list: Annotated[list[Package], BeforeValidator(_list)] = []


class Balance(_Wire):
    """Answer of /balance/query, in ten-thousandths of a dollar."""

    balance: int


class About(_Wire):
    """What a notification is about."""

    esim_tran_no: str | None = None
    iccid: str | None = None


class Event(_Wire):
    """A notification. CHECK_HEALTH has no content worth reading."""

    notify_type: str
    notify_id: str
    content: About | None = None


# ---- asking --------------------------------------------------------------------------------


def sign(secret_key: str, timestamp: str, request_id: str, access_code: str, body: str) -> str:
    """RT-Signature: lower-case hex HMAC-SHA256 over the four texts joined, as documented."""
    text = timestamp + request_id + access_code + body
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


class Api:
    """The supplier's open API, every call signed and kept to its pace."""

    def __init__(
        self,
        access_code: str,
        secret_key: str,
        base_url: str,
        http: httpx.AsyncClient | None,
        rate: int,
    ) -> None:
        """`http` as for a Line. `rate` is the most requests a second."""
        self._access_code = access_code
        self._secret_key = secret_key
        self._root = base_url.rstrip("/") + "/api/v1/open"
        self._line = Line("esim_access", http, places=CONCURRENCY, rate=rate)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._line.close()

    async def read(self, kind: Any, path: str, body: Mapping[str, object]) -> Any:
        """A call that costs nothing, asked again a few times where the supplier says so. Raises
        Failed."""
        obj = await patiently(lambda: self.call(path, body))
        return parsed("esim_access", kind, obj or {})

    async def call(self, path: str, body: Mapping[str, object]) -> Any:
        """One signed request; the answer's `obj`. Raises Failed for everything else."""
        text = json.dumps(body, separators=(",", ":"))
        response = await self._line.send(
            "POST", self._root + path, content=text.encode(), headers=self._headers(text)
        )
        return _unwrapped(path, response)

    def _headers(self, body: str) -> dict[str, str]:
        # Real time, never the demo's: the supplier refuses an old or future timestamp.
        timestamp = str(time.time_ns() // 1_000_000)
        request_id = uuid4().hex
        return {
            "Content-Type": "application/json",
            "RT-AccessCode": self._access_code,
            "RT-RequestID": request_id,
            "RT-Timestamp": timestamp,
            "RT-Signature": sign(self._secret_key, timestamp, request_id, self._access_code, body),
        }


def _unwrapped(path: str, response: httpx.Response) -> Any:
    """The answer's `obj`, or Failed with the reason the envelope or the HTTP status gives."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        log.warning("esim_access.busy", path=path, status=response.status_code)
        raise Failed("busy", wait=pause(response))
    try:
        envelope = Envelope.model_validate_json(response.content)
    except ValidationError:
        reason = "unreadable" if response.is_success else f"http_{response.status_code}"
        log.warning("esim_access.unreadable", path=path, status=response.status_code)
        raise Failed(reason) from None
    code = envelope.error_code
    if envelope.success and code is None and response.is_success:
        return envelope.obj
    log.info("esim_access.refused", path=path, code=code, status=response.status_code)
    if code == BUSY:
        raise Failed("busy", code, wait=0.5)
    if code == ALLOCATING:
        raise Failed("allocating", code)
    if envelope.success or response.is_server_error or code is None or code == SERVER_ERROR:
        raise Failed("server_error")
    raise Failed(REFUSALS.get(code, f"code_{code}"), code)
