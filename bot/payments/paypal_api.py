"""PayPal on the wire: the token, the calls, and what its answers look like.

Amounts are texts in major units; JPY and, unlike elsewhere, HUF and TWD are written without
decimals. Fields that nobody asked about are left alone.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

import httpx
import structlog
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from bot.domain.money import Money, decimals
from bot.payments.asking import Failed, Line, TokenRefused, from_json, parsed, patiently
from bot.ports import Clock, PaymentRefused
from bot.tokens import Token, pause

log = structlog.get_logger(__name__)

NAME = "paypal"
RENEW_BEFORE = timedelta(minutes=1)
WHOLE_ONLY = frozenset({"HUF", "JPY", "TWD"})

CURRENCIES = frozenset(
    {
        *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS"),
        *("JPY", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"),
    }
)
"""What its accounts hold; BRL, CNY and MYR only within their countries."""


# ---- what PayPal sends -------------------------------------------------------------------


def as_list(value: object) -> object:
    """An absent list is empty."""
    return [] if value is None else value


def as_table(value: object) -> object:
    """An absent object is empty."""
    return {} if value is None else value


def _text(value: object) -> object:
    return None if value in (None, "") else str(value)


Text = Annotated[str | None, BeforeValidator(_text)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Amount(BaseModel):
    """Money in major units."""

    currency_code: Currency
    value: Decimal

    @model_validator(mode="after")
    def _is_money(self) -> "Amount":
        Money.of(self.value, self.currency_code)
        return self

    @property
    def money(self) -> Money:
        """Exact, in the smallest unit."""
        return Money.of(self.value, self.currency_code)


class Link(BaseModel):
    """What can be done next, or what this belongs to."""

    href: str = ""
    rel: str = ""


Links = Annotated[list[Link], BeforeValidator(as_list)]


class Related(BaseModel):
    """The order something belongs to."""

    order_id: Text = None


class Supplement(BaseModel):
    """More about a capture or a refund."""

    related_ids: Annotated[Related, BeforeValidator(as_table)] = Related()


class Capture(BaseModel):
    """Money taken. PENDING: on its way to us, it may still fail."""

    id: str
    status: str
    amount: Amount
    custom_id: Text = None
    create_time: datetime | None = None
    supplementary_data: Annotated[Supplement, BeforeValidator(as_table)] = Supplement()


class Returned(BaseModel):
    """Money sent back. `custom_id` is our refund's id, where we sent it."""

    id: str
    status: str
    amount: Amount
    custom_id: Text = None
    invoice_id: Text = None
    links: Links = []

    @property
    def capture_id(self) -> str | None:
        """Of which capture."""
        return up(self.links)


class Takings(BaseModel):
    """What was taken and sent back within an order."""

    captures: Annotated[list[Capture], BeforeValidator(as_list)] = []
    refunds: Annotated[list[Returned], BeforeValidator(as_list)] = []


class Unit(BaseModel):
    """An order's one purchase."""

    custom_id: Text = None
    amount: Amount | None = None
    payments: Annotated[Takings, BeforeValidator(as_table)] = Takings()


class Order(BaseModel):
    """An order as it stands."""

    id: str
    status: str
    purchase_units: Annotated[list[Unit], BeforeValidator(as_list)] = []
    links: Links = []

    @property
    def unit(self) -> Unit:
        """The first purchase; we never ask for a second."""
        return self.purchase_units[0] if self.purchase_units else Unit()

    @property
    def page(self) -> str | None:
        """Where the payer approves it."""
        pages = {link.rel: link.href for link in self.links}
        return pages.get("payer-action") or pages.get("approve")


class _Dispute(BaseModel):
    status: str = ""


class Disputes(BaseModel):
    """Disputes about one capture."""

    items: Annotated[list[_Dispute], BeforeValidator(as_list)] = []


class _Verdict(BaseModel):
    verification_status: str


class _Granted(BaseModel):
    access_token: str
    expires_in: int = 32_400


class _Issue(BaseModel):
    issue: str = ""


class _Error(BaseModel):
    name: Text = None
    error: Text = None
    details: Annotated[list[_Issue], BeforeValidator(as_list)] = []


def up(links: list[Link]) -> str | None:
    """The id at the end of the link to what this belongs to."""
    for link in links:
        if link.rel == "up":
            return link.href.rstrip("/").rpartition("/")[2] or None
    return None


def written(amount: Money) -> dict[str, str]:
    """As PayPal takes it. Raises PaymentRefused where it can't be written."""
    places = 0 if amount.currency in WHOLE_ONLY else decimals(amount.currency)
    if amount.currency not in CURRENCIES:
        raise PaymentRefused("currency")
    if amount.major != round(amount.major, places):
        raise PaymentRefused("amount_uneven")
    return {"currency_code": amount.currency, "value": f"{amount.major:.{places}f}"}


# ---- asking --------------------------------------------------------------------------------


class Api:
    """PayPal's API with its token, renewed when it ends or is refused.

    Every call may be repeated: those that move money carry a request id.
    """

    def __init__(
        self,
        client_id: str,
        secret: str,
        base_url: str,
        http: httpx.AsyncClient | None,
        clock: Clock,
    ) -> None:
        """`http` as for a Line."""
        self._keys = (client_id, secret)
        self._root = base_url.rstrip("/")
        self._line = Line(NAME, http)
        self._token = Token(self._granted, clock)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._line.close()

    async def get(self, kind: Any, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Read something. Raises Failed."""
        return parsed(NAME, kind, await patiently(lambda: self._call("GET", path, params=params)))

    async def find(self, kind: Any, path: str) -> Any:
        """As `get`; None for what PayPal does not know. Raises Failed."""
        try:
            return await self.get(kind, path)
        except Failed as failed:
            if failed.reason == "http_404":
                return None
            raise

    async def post(self, kind: Any, path: str, request_id: str, body: Mapping[str, Any]) -> Any:
        """Do something once for `request_id`, however often it is asked. Raises Failed."""
        headers = {"PayPal-Request-Id": request_id, "Prefer": "return=representation"}
        return parsed(
            NAME,
            kind,
            await patiently(lambda: self._call("POST", path, json=body, headers=headers)),
        )

    async def vouches(self, event: bytes, signed: Mapping[str, str]) -> bool:
        """Whether PayPal says that it sent this. The event goes back byte for byte: its
        signature is over them. Raises Failed."""
        about = json.dumps(signed)[1:-1]
        content = b"{" + about.encode() + b', "webhook_event": ' + event + b"}"
        headers = {"Content-Type": "application/json"}
        path = "/v1/notifications/verify-webhook-signature"
        try:
            answer = await patiently(
                lambda: self._call("POST", path, content=content, headers=headers)
            )
        except Failed as failed:
            if failed.refused:
                return False
            raise
        verdict: _Verdict = parsed(NAME, _Verdict, answer)
        return verdict.verification_status == "SUCCESS"

    async def _call(self, method: str, path: str, **parts: Any) -> Any:
        token = await self._token.get()
        parts["headers"] = {**parts.pop("headers", {}), "Authorization": f"Bearer {token}"}
        response = await self._line.send(method, self._root + path, **parts)
        try:
            return _answer(path, response)
        except TokenRefused:
            self._token.forget(token)
            raise

    async def _granted(self) -> tuple[str, timedelta]:
        path = "/v1/oauth2/token"
        response = await self._line.send(
            "POST", self._root + path, auth=self._keys, data={"grant_type": "client_credentials"}
        )
        try:
            granted: _Granted = parsed(NAME, _Granted, _answer(path, response))
        except TokenRefused:
            # Another try with the same keys would end the same.
            raise Failed("credentials") from None
        log.info("paypal.token", seconds=granted.expires_in)
        return granted.access_token, timedelta(seconds=granted.expires_in) - RENEW_BEFORE


def _answer(path: str, response: httpx.Response) -> Any:
    """The JSON of a good answer, or Failed with what the error and the HTTP status say."""
    status = response.status_code
    try:
        answer = from_json(response.content)
    except ValueError:
        answer = None
    if response.is_success:
        if answer is None:
            log.warning("paypal.unreadable", path=path, status=status)
            raise Failed("unreadable")
        return answer
    code = _code(answer)
    log.info("paypal.refused", path=path, code=code, status=status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Failed("busy", code, wait=pause(response))
    if status == HTTPStatus.UNAUTHORIZED:
        raise TokenRefused
    # 409: the first call under this request id is still being worked on.
    refused = response.is_client_error and status not in (
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_TIMEOUT,
    )
    raise Failed(f"http_{status}", code, refused=refused)


def _code(answer: Any) -> str | None:
    """The issue that an error names, else the error's own name."""
    try:
        error = _Error.model_validate(answer)
    except ValueError:
        return None
    issues = [detail.issue for detail in error.details if detail.issue]
    return issues[0] if issues else error.name or error.error
