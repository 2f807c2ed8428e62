"""Reloadly Airtime on the wire: the token, the calls, and what its answers look like.

Errors come in two shapes, their code may be null; times are without a zone and differ by hours
within one record, so none is read. Numbers are taken as Decimal, never as float.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal

import httpx
import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from bot.ports import Clock, SupplierUnavailable

log = structlog.get_logger(__name__)

ACCEPT = "application/com.reloadly.topups-v1+json"
CONCURRENCY = 8
READ_TRIES = 3
LONGEST_PAUSE = 5.0
RENEW_BEFORE = timedelta(minutes=1)

BUYING_SECONDS = 90.0
"""A failing operator can hold the call that buys for about a minute."""


# ---- what the supplier sends -------------------------------------------------------------


def _text(value: object) -> object:
    """Ids arrive as numbers and as texts."""
    return None if value in (None, "") else str(value)


def _empty(value: object) -> object:
    return {} if value is None else value


def _none(value: object) -> object:
    return [] if value is None else value


def _zero(value: object) -> object:
    return 0 if value in (None, "") else value


def _absent(value: object) -> object:
    return None if value == "" else value


Text = Annotated[str | None, BeforeValidator(_text)]
Number = Annotated[Decimal, BeforeValidator(_zero)]
Limit = Annotated[Decimal | None, BeforeValidator(_absent)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Wire(BaseModel):
    """Fields in camelCase, texts for numbers taken, unknown fields left alone."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class Token(BaseModel):
    """Answer of /oauth/token; `expires_in` in seconds."""

    access_token: str
    expires_in: int = 3600


class Country(_Wire):
    """Where an operator is; ISO 3166 alpha-2."""

    iso_name: str


class Fx(_Wire):
    """What one unit of our account's currency becomes on the phone."""

    rate: Number = Decimal(0)


class Fees(_Wire):
    """What comes on top, in the order's currency and in per cent of its amount."""

    international: Number = Decimal(0)
    international_percentage: Number = Decimal(0)
    local: Number = Decimal(0)
    local_percentage: Number = Decimal(0)


class Operator(_Wire):
    """A network's product. Plain amounts are of our account's ("sender") currency, `local` ones
    of the currency the phone receives; discounts are per cent of the order's amount."""

    operator_id: int
    name: str
    pin: bool = False
    status: str = "ACTIVE"
    supports_local_amounts: bool = False
    denomination_type: Literal["FIXED", "RANGE"]
    sender_currency_code: Currency
    destination_currency_code: Currency
    international_discount: Number = Decimal(0)
    local_discount: Number = Decimal(0)
    min_amount: Limit = None
    max_amount: Limit = None
    local_min_amount: Limit = None
    local_max_amount: Limit = None
    country: Country
    fx: Annotated[Fx, BeforeValidator(_empty)] = Fx()
    fees: Annotated[Fees, BeforeValidator(_empty)] = Fees()
    fixed_amounts: Annotated[list[Decimal], BeforeValidator(_none)] = []
    fixed_amounts_descriptions: Annotated[dict[str, Text], BeforeValidator(_empty)] = {}
    local_fixed_amounts: Annotated[list[Decimal], BeforeValidator(_none)] = []
    local_fixed_amounts_descriptions: Annotated[dict[str, Text], BeforeValidator(_empty)] = {}


class Pin(_Wire):
    """A code that the customer redeems; the rest says how, in English."""

    code: Text = None


class Transaction(_Wire):
    """A top-up. Older answers of the supplier leave the status out."""

    transaction_id: Annotated[str, BeforeValidator(_text)]
    status: Text = None
    custom_identifier: Text = None
    operator_transaction_id: Text = None
    delivered_amount: Any = None
    delivered_amount_currency_code: Any = None
    pin_detail: Pin | None = None


class Status(_Wire):
    """Answer of /topups/{id}/status in its newer shape; `transaction` is null while it runs."""

    status: Text = None
    transaction: Transaction | None = None


class Page(_Wire):
    """One page of the report."""

    content: Annotated[list[Transaction], BeforeValidator(_none)]
    last: bool = True


class Balance(_Wire):
    """Our account."""

    balance: Decimal
    currency_code: Currency


class _Error(_Wire):
    """Either shape of an error: the API's own, or its router's, which has no code."""

    error_code: Text = None


def parsed(kind: Any, obj: Any) -> Any:
    """`obj` as `kind`. Raises SupplierUnavailable when it is something else."""
    try:
        return TypeAdapter(kind).validate_python(obj)
    except (ValidationError, ValueError, ArithmeticError) as error:
        log.warning("reloadly.unreadable", kind=str(kind), error=type(error).__name__)
        raise SupplierUnavailable("unreadable") from None


class Failed(Exception):
    """A call without a good answer. `code` is the supplier's own, where it gave one."""

    def __init__(
        self,
        reason: str,
        code: str | None = None,
        *,
        wait: float | None = None,
        sent: bool = True,
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.wait = wait
        """Seconds after which it is worth asking again; None when it is not."""
        self.sent = sent
        """False when the supplier surely never took the call up."""
        self.refused = refused
        """It was answered with a client error: the supplier looked at it and said no."""


# ---- asking --------------------------------------------------------------------------------


class Api:
    """Reloadly's airtime API with its token, renewed when it ends or is refused."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        base_url: str,
        auth_url: str,
        http: httpx.AsyncClient | None,
        clock: Clock,
    ) -> None:
        """`base_url` decides between the sandbox and real money, and is what the token is for.
        `http` brings its own time limits and stays its owner's to close; None makes one."""
        self._client_id = client_id
        self._client_secret = client_secret
        self._root = base_url.rstrip("/")
        self._auth = auth_url.rstrip("/")
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=httpx.Timeout(30.0, connect=5.0))
        self._clock = clock
        self._token: tuple[str, datetime] | None = None
        self._renewing = asyncio.Lock()
        self._places = asyncio.Semaphore(CONCURRENCY)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        if self._own:
            await self._http.aclose()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """A call that costs nothing, asked again a few times where that may help. Raises
        Failed."""
        for left in reversed(range(READ_TRIES)):
            try:
                return await self._call("GET", path, params=params)
            except Failed as failed:
                if not left or failed.wait is None or failed.wait > LONGEST_PAUSE:
                    raise
                await asyncio.sleep(failed.wait)
        raise AssertionError("the last try returns or raises")

    async def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """As `get`. Raises SupplierUnavailable."""
        try:
            return await self.get(path, params)
        except Failed as failed:
            raise SupplierUnavailable(failed.reason) from failed

    async def buy(self, body: Mapping[str, object]) -> Any:
        """The one call that costs money, made once. Raises Failed."""
        limit = httpx.Timeout(BUYING_SECONDS, connect=5.0) if self._own else None
        return await self._call("POST", "/topups", body=body, limit=limit)

    async def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        limit: httpx.Timeout | None = None,
    ) -> Any:
        async with self._places:
            token = await self._bearer()
            headers = {"Accept": ACCEPT, "Authorization": f"Bearer {token}"}
            response = await self._send(
                httpx.Request(method, self._root + path, params=params, json=body, headers=headers),
                limit,
            )
        try:
            return _answer(path, response)
        except Failed as failed:
            if failed.reason == "credentials":
                # Ended early. A read is made again at once with a new one, by its `wait`.
                self._forget(token)
            raise

    async def _bearer(self) -> str:
        """The token, fetched once for all who wait for it. Raises Failed, nothing being sent."""
        async with self._renewing:
            if self._token is None or self._clock.now() >= self._token[1] - RENEW_BEFORE:
                self._token = await self._fetched()
            return self._token[0]

    def _forget(self, token: str) -> None:
        if self._token is not None and self._token[0] == token:
            self._token = None

    async def _fetched(self) -> tuple[str, datetime]:
        body = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "grant_type": "client_credentials",
            "audience": self._root,
        }
        try:
            response = await self._send(
                httpx.Request("POST", f"{self._auth}/oauth/token", json=body), None
            )
            token: Token = parsed(Token, _answer("/oauth/token", response))
        except Failed as failed:
            wait = None if failed.reason == "credentials" else failed.wait
            raise Failed(failed.reason, failed.code, wait=wait, sent=False) from None
        except SupplierUnavailable as error:
            raise Failed(error.reason, sent=False) from None
        log.info("reloadly.token", seconds=token.expires_in)
        return token.access_token, self._clock.now() + timedelta(seconds=token.expires_in)

    async def _send(self, request: httpx.Request, limit: httpx.Timeout | None) -> httpx.Response:
        request.extensions["timeout"] = (limit or self._http.timeout).as_dict()
        try:
            return await self._http.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            failed = Failed("not_sent", wait=0.3, sent=False)
        except httpx.TimeoutException:
            failed = Failed("timeout")
        except httpx.HTTPError:
            failed = Failed("connection_lost", wait=0.3)
        log.warning("reloadly.no_answer", path=request.url.path, reason=failed.reason)
        raise failed


def _answer(path: str, response: httpx.Response) -> Any:
    """The JSON of a good answer, or Failed with what the error and the HTTP status say."""
    status = response.status_code
    if response.is_success:
        try:
            return _json(response)
        except ValueError:
            log.warning("reloadly.unreadable", path=path, status=status)
            raise Failed("unreadable") from None
    code = _code(response)
    log.info("reloadly.refused", path=path, code=code, status=status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Failed("busy", code, wait=_pause(response))
    if status == HTTPStatus.UNAUTHORIZED:
        raise Failed("credentials", code, wait=0.0, sent=False)
    reason = f"code_{code}" if code and response.is_client_error else f"http_{status}"
    raise Failed(reason, code, refused=response.is_client_error)


def _json(response: httpx.Response) -> Any:
    def never(name: str) -> Any:
        raise ValueError(name)

    return json.loads(response.content, parse_float=Decimal, parse_constant=never)


def _code(response: httpx.Response) -> str | None:
    try:
        return _Error.model_validate(_json(response)).error_code
    except (ValidationError, ValueError):
        return None


def _pause(response: httpx.Response) -> float:
    """Seconds to wait by Retry-After, else by X-RateLimit-Reset, which may be a length of time or
    a moment in seconds or milliseconds; a second where neither is a number."""
    for header in ("Retry-After", "X-RateLimit-Reset"):
        value = response.headers.get(header, "")
        if value.isascii() and value.isdigit():
            number = float(value)
            # Real time, as the supplier's: a length is never as long as the time since 1970.
            moment = number / 1000 if number > 1e11 else number
            return max(0.0, moment - time.time()) if number > 1e9 else number
    return 1.0
