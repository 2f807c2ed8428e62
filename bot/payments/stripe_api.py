"""Calls to Stripe through its own package, what their failures mean, and the parts we read.

PaymentUnavailable  no clear answer: nothing may be assumed
Rejected            Stripe looked at it and said no
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import httpx
import stripe
import structlog
from pydantic import BaseModel, BeforeValidator, ValidationError

from bot.ports import PaymentUnavailable

log = structlog.get_logger(__name__)

PAYMENT, REFUND, METHOD = "xuka_payment", "xuka_refund", "xuka_method"
"""Our ids in the metadata of what we make there: the account may serve other shops too."""

PAGE = 100
_PAGES = 200
_CONNECT_SECONDS = 5.0
_SKEW_SECONDS = 600
"""By how much its clock may differ from ours."""


class Rejected(Exception):
    """A definite no: by its `code`, or the parameter it did not like."""

    def __init__(self, code: str, status: int | None, intent: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.intent = intent
        """The payment intent that remains, where it names one."""


class SameKey(PaymentUnavailable):
    """The idempotency key was used with other parameters: what it made must be looked for."""


# ---- what we read of its answers ---------------------------------------------------------


def _texts(value: object) -> object:
    return {} if value is None else value


Metadata = Annotated[dict[str, str], BeforeValidator(_texts)]


class CardRow(BaseModel):
    """A card as a customer knows it."""

    brand: str | None = None
    last4: str | None = None


class Details(BaseModel):
    """What was paid with."""

    type: str = ""
    card: CardRow | None = None


class ChargeRow(BaseModel):
    """Money taken."""

    id: str
    amount: int
    amount_captured: int | None = None
    amount_refunded: int = 0
    currency: str
    created: int
    status: str
    captured: bool = True
    disputed: bool = False
    metadata: Metadata = {}
    payment_intent: str | None = None
    payment_method_details: Details | None = None


class Trouble(BaseModel):
    """Why a payment did not go through."""

    code: str | None = None
    decline_code: str | None = None


class Intent(BaseModel):
    """One payment, over all its tries."""

    id: str
    amount: int
    currency: str
    created: int
    status: str
    metadata: Metadata = {}
    latest_charge: ChargeRow | str | None = None
    customer: str | None = None
    payment_method: str | None = None
    setup_future_usage: str | None = None
    last_payment_error: Trouble | None = None
    cancellation_reason: str | None = None


class Session(BaseModel):
    """A page to pay on."""

    id: str
    url: str | None = None
    status: str
    payment_status: str
    created: int
    expires_at: int
    client_reference_id: str | None = None
    payment_method_types: list[str] = []
    payment_intent: Intent | str | None = None


class RefundRow(BaseModel):
    """Money sent back."""

    id: str
    amount: int
    currency: str
    status: str | None = None
    metadata: Metadata = {}


class Gone(BaseModel):
    """What was deleted, or taken from its customer."""

    id: str


class _Data(BaseModel):
    object: dict[str, Any]


class Event(BaseModel):
    """What it tells by itself."""

    id: Annotated[str, BeforeValidator(lambda value: value or None)]
    type: str
    data: _Data


Row = TypeVar("Row", bound=BaseModel)
Kind = TypeVar("Kind", ChargeRow, Intent, Session, RefundRow)


class _Page(BaseModel):
    object: Literal["list"]
    data: list[dict[str, Any]]
    has_more: bool


class Api:
    """One client for all methods of an account. Nothing is sent twice by itself."""

    def __init__(self, secret_key: str, base_url: str, seconds: float = 30.0) -> None:
        """`seconds` is how long an answer is waited for."""
        self._http = stripe.HTTPXClient(
            timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS)
        )
        self.client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": base_url.rstrip("/")},
            max_network_retries=0,
            http_client=self._http,
        )
        self.v1 = self.client.v1

    async def close(self) -> None:
        """Release the connections; closing again does nothing."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def told(self, kind: type[Row], asking: Awaitable[Any]) -> Row:
        """The answer to one call. Raises Rejected, PaymentUnavailable."""
        try:
            return kind.model_validate((await asking).to_dict())
        except stripe.StripeError as error:
            raise _meaning(error) from None
        except (ValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
            # The package itself stumbles over an answer that is none.
            log.warning("stripe.unreadable", kind=kind.__name__, error=type(error).__name__)
            raise PaymentUnavailable("unreadable") from None

    async def every(
        self, kind: type[Kind], listing: Callable[[dict[str, Any]], Awaitable[Any]], **params: Any
    ) -> AsyncIterator[Kind]:
        """All of a list, page by page. Raises what `told` does."""
        asked: dict[str, Any] = {**params, "limit": PAGE}
        for _ in range(_PAGES):
            page = await self.told(_Page, listing(asked))
            rows = [_row(kind, row) for row in page.data]
            for row in rows:
                yield row
            if not page.has_more:
                return
            if not rows or asked.get("starting_after") == rows[-1].id:
                break
            asked["starting_after"] = rows[-1].id
        log.error("stripe.endless_list", kind=kind.__name__)
        raise PaymentUnavailable("list_without_end")


def _row(kind: type[Kind], row: dict[str, Any]) -> Kind:
    try:
        return kind.model_validate(row)
    except ValidationError:
        log.warning("stripe.unreadable", kind=kind.__name__)
        raise PaymentUnavailable("unreadable") from None


def after(at: datetime) -> dict[str, int]:
    """The filter for what was made since `at` (UTC), with room for a clock that differs."""
    return {"gt": int(at.timestamp()) - _SKEW_SECONDS}


def moment(seconds: int) -> datetime:
    """UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _meaning(error: stripe.StripeError) -> Exception:
    """What a failed call tells. Its text is never logged: it may repeat what was sent."""
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        told = error.error
        code = error.code or (error.param and f"param:{error.param}") or "unnamed"
        decline = getattr(told, "decline_code", None)
        intent = getattr(getattr(told, "payment_intent", None), "id", None)
        log.info("stripe.rejected", code=code, decline=decline, status=error.http_status)
        return Rejected(str(decline or code), error.http_status, intent)
    if isinstance(error, stripe.IdempotencyError):
        log.warning("stripe.same_key")
        return SameKey("same_key")
    name = type(error).__name__
    log.warning("stripe.no_answer", kind=name, status=error.http_status)
    return PaymentUnavailable(name)
