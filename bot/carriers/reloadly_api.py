"""Reloadly Airtime on the wire: the token, the calls, and what its answers look like.

Errors come in two shapes, their code may be null; times are without a zone and differ by hours
within one record, so none is read. Numbers are taken as Decimal, never as float.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal

import httpx
import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from bot.carriers.asking import Failed, Line, TokenRefused, loggable, parsed, patiently
from bot.ports import Clock
from bot.tokens import Token, pause

log = structlog.get_logger(__name__)

NAME = "reloadly"
ACCEPT = "application/com.reloadly.topups-v1+json"
CONCURRENCY = 8
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


class Granted(BaseModel):
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
    """Answer of /topups/{id}/status; `transaction` is null while it runs. In the older shape the
    answer is the bare transaction."""

    status: Text = None
    transaction: Transaction | None

    @model_validator(mode="before")
    @classmethod
    def _wrapped(cls, value: Any) -> Any:
        return (
            value if isinstance(value, dict) and "transaction" in value else {"transaction": value}
        )


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
        `http` as for a Line."""
        self._client_id = client_id
        self._client_secret = client_secret
        self._root = base_url.rstrip("/")
        self._auth = auth_url.rstrip("/")
        self._line = Line(NAME, http, places=CONCURRENCY)
        self._token = Token(self._granted, clock)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._line.close()

    async def read(self, kind: Any, path: str, params: Mapping[str, str] | None = None) -> Any:
        """A call that costs nothing, asked again a few times where that may help. Raises
        Failed."""
        return parsed(NAME, kind, await patiently(lambda: self._asked(path, params)))

    async def buy(self, body: Mapping[str, object]) -> Transaction:
        """The one call that costs money, made once. Raises Failed."""
        url = f"{self._root}/topups"

        async def send(headers: dict[str, str]) -> httpx.Response:
            return await self._line.send_patiently(
                "POST", url, BUYING_SECONDS, json=body, headers=headers
            )

        bought: Transaction = parsed(NAME, Transaction, await self._with_token("/topups", send))
        return bought

    async def _asked(self, path: str, params: Mapping[str, str] | None) -> Any:
        async def send(headers: dict[str, str]) -> httpx.Response:
            return await self._line.send("GET", self._root + path, params=params, headers=headers)

        return await self._with_token(path, send)

    async def _with_token(
        self, path: str, send: Callable[[dict[str, str]], Awaitable[httpx.Response]]
    ) -> Any:
        token = await self._token.get()
        response = await send({"Accept": ACCEPT, "Authorization": f"Bearer {token}"})
        try:
            return _answer(path, response)
        except TokenRefused:
            self._token.forget(token)
            raise

    async def _granted(self) -> tuple[str, timedelta]:
        """Raises Failed, nothing else being sent."""
        body = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "grant_type": "client_credentials",
            "audience": self._root,
        }
        try:
            response = await self._line.send("POST", f"{self._auth}/oauth/token", json=body)
            granted: Granted = parsed(NAME, Granted, _answer("/oauth/token", response))
        except Failed as failed:
            wait = None if isinstance(failed, TokenRefused) else failed.wait
            raise Failed(failed.reason, failed.code, wait=wait, unsent=True) from None
        log.info("reloadly.token", seconds=granted.expires_in)
        return granted.access_token, timedelta(seconds=granted.expires_in) - RENEW_BEFORE


def _answer(path: str, response: httpx.Response) -> Any:
    """The JSON of a good answer, or Failed with what the error and the HTTP status say."""
    status = response.status_code
    if response.is_success:
        try:
            return _json(response)
        except ValueError:
            log.warning("reloadly.unreadable", path=loggable(path), status=status)
            raise Failed("unreadable") from None
    code = _code(response)
    log.info("reloadly.refused", path=loggable(path), code=code, status=status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Failed("busy", code, wait=_pause(response))
    if status == HTTPStatus.UNAUTHORIZED:
        raise TokenRefused(code)
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
    reset = response.headers.get("X-RateLimit-Reset", "")
    if "Retry-After" in response.headers or not (reset.isascii() and reset.isdigit()):
        return pause(response)
    number = float(reset)
    # Real time, as the supplier's: a length is never as long as the time since 1970.
    moment = number / 1000 if number > 1e11 else number
    return max(0.0, moment - time.time()) if number > 1e9 else number
