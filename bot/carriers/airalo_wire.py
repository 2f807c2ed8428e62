"""What Airalo Partners v2 sends, in every shape it was seen in.

Data is in megabytes of 2**20 bytes (its 3 GB are 3072), voice in minutes; prices are US dollars;
a time without a zone is UTC. Empty objects arrive as empty lists, numbers sometimes as strings.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.domain.money import Money

CURRENCY = "USD"
"""Of every price without a currency beside it; plans are priced in other currencies only for
show."""

_MB = 1 << 20


def _moment(value: object) -> object:
    """ "2022-01-01 00:00:00" (UTC is meant), or ISO 8601 with an offset."""
    if value in (None, ""):
        return None
    if isinstance(value, str):
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return value


def _object(value: object) -> object:
    """PHP writes an empty object as an empty list."""
    return None if value == [] else value


def _number(value: object) -> object:
    return None if value == "" else value


def _flag(value: object) -> object:
    return False if value in (None, "") else value


def _items(value: object) -> object:
    """A later page of a list comes as an object with the places as its keys."""
    if isinstance(value, Mapping):
        return list(value.values())
    return [] if value is None else value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Number = Annotated[Decimal | None, BeforeValidator(_number)]
Whole = Annotated[int | None, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]


def in_bytes(megabytes: Decimal | None) -> int | None:
    """None stays "not told"."""
    return None if megabytes is None else int(megabytes * _MB)


class _Wire(BaseModel):
    """Unknown fields are left alone: the supplier announces that it adds some."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class Granted(_Wire):
    """An access token, good for `expires_in` seconds."""

    access_token: str = Field(min_length=1)
    expires_in: int = 86_400


class Granting(_Wire):
    """Answer of POST /token."""

    data: Granted


class Pricing(_Wire):
    """How we are charged: "net_pricing" names the net price, "discount_pricing" a discount."""

    discount_percentage: Number = None


class Package(_Wire):
    """A top-up on offer. `price` is what it retails at, `net_price` what we pay."""

    id: str
    price: Decimal
    net_price: Number = None
    amount: Number = None
    day: int
    is_unlimited: Flag = False
    title: str | None = None

    @property
    def data(self) -> int | None:
        """Bytes; None for an unlimited one, whose amount says nothing."""
        return None if self.is_unlimited else in_bytes(self.amount)

    def cost(self, discount: Decimal) -> Money:
        """What we pay, rounded up to the cent."""
        paid = self.net_price
        if paid is None:
            paid = self.price * (100 - discount) / 100
        return Money.rounded(paid, CURRENCY, ROUND_CEILING)


class Topups(_Wire):
    """Answer of GET /sims/{iccid}/topups."""

    pricing: Annotated[Pricing | None, BeforeValidator(_object)] = None
    data: Annotated[list[Package], BeforeValidator(_items)] = []

    @property
    def discount(self) -> Decimal:
        """Per cent off the retail price, where no net price is named."""
        told = self.pricing.discount_percentage if self.pricing else None
        return told or Decimal(0)


class Usage(_Wire):
    """What is left on an eSIM, all its packages together."""

    status: str = ""
    remaining: Number = None
    total: Number = None
    expired_at: Moment = None
    is_unlimited: Flag = False
    remaining_voice: Whole = None
    total_voice: Whole = None
    remaining_text: Whole = None
    total_text: Whole = None


class UsageAnswer(_Wire):
    """Answer of GET /sims/{iccid}/usage."""

    data: Usage


class Bought(_Wire):
    """The order an eSIM came with."""

    package_id: str | None = None


class Esim(_Wire):
    """An eSIM of ours."""

    iccid: str
    qrcode: str | None = None
    simable: Annotated[Bought | None, BeforeValidator(_object)] = None


class EsimAnswer(_Wire):
    """Answer of GET /sims/{iccid}?include=order."""

    data: Esim


class Named(_Wire):
    """Something that only its ICCID is wanted of."""

    iccid: str | None = None


class State(_Wire):
    """Of an order."""

    slug: str | None = None


class Order(_Wire):
    """One order; of a top-up the description may be the supplier's own, not ours."""

    id: str
    type: str = ""
    package_id: str | None = None
    description: str | None = None
    created_at: Moment = None
    status: Annotated[State | None, BeforeValidator(_object)] = None
    sims: Annotated[list[Named], BeforeValidator(_items)] = []

    @property
    def slug(self) -> str:
        """Its state in one word; an answer that names none is of a finished order."""
        return (self.status.slug if self.status else None) or "completed"

    def for_sim(self, iccid: str) -> bool | None:
        """Whether it is for that eSIM; None when it does not say."""
        if self.sims:
            return any(sim.iccid == iccid for sim in self.sims)
        if self.says_nothing and self.description:
            return f"({iccid})" in self.description
        return None

    @property
    def says_nothing(self) -> bool:
        """Whether its description is the supplier's own ("Topup (8934…)") or empty."""
        return not self.description or self.description.startswith("Topup (")


class OrderAnswer(_Wire):
    """Answer of POST /orders/topups and GET /orders/{id}."""

    data: Order


class Meta(_Wire):
    """Around a list: how many pages it has."""

    last_page: Whole = None


class Orders(_Wire):
    """Answer of GET /orders."""

    data: Annotated[list[Order], BeforeValidator(_items)] = []
    meta: Annotated[Meta | None, BeforeValidator(_object)] = None

    @property
    def whole(self) -> bool:
        """Whether this page is all there is."""
        return self.meta is None or (self.meta.last_page or 1) <= 1


class Sold(_Wire):
    """A package of the catalogue."""

    id: str


class Operator(_Wire):
    """Whose packages share the days after expiry in which an eSIM still takes a top-up."""

    topup_grace_window_days: Whole = None
    packages: Annotated[list[Sold], BeforeValidator(_items)] = []


class Country(_Wire):
    """A country or region of the catalogue."""

    operators: Annotated[list[Operator], BeforeValidator(_items)] = []


class Catalogue(_Wire):
    """Answer of GET /packages."""

    data: Annotated[list[Country], BeforeValidator(_items)] = []
    meta: Annotated[Meta | None, BeforeValidator(_object)] = None

    @property
    def pages(self) -> int:
        """How many pages there are, this one included."""
        return (self.meta.last_page if self.meta else None) or 1

    def windows(self) -> Iterator[tuple[str, int]]:
        """Package ids with their grace in days, where it is told."""
        for country in self.data:
            for operator in country.operators:
                if operator.topup_grace_window_days is not None:
                    for package in operator.packages:
                        yield package.id, operator.topup_grace_window_days


class Available(_Wire):
    """What is left of our credit."""

    amount: Decimal
    currency: str = CURRENCY


class Balances(_Wire):
    """Named as the supplier names it."""

    available: Annotated[Available | None, BeforeValidator(_object)] = Field(
        None, alias="availableBalance"
    )


class Account(_Wire):
    """Of a partner without an account it is empty."""

    balances: Annotated[Balances | None, BeforeValidator(_object)] = None


class BalanceAnswer(_Wire):
    """Answer of GET /balance."""

    data: Annotated[Account | None, BeforeValidator(_object)] = None

    @property
    def available(self) -> Available | None:
        """Our credit; None when the supplier keeps no account for us."""
        balances = self.data.balances if self.data else None
        return balances.available if balances else None


class Problem(_Wire):
    """Both shapes of a refusal: a code with a reason, or fields with what is wrong with each."""

    code: Whole = None
    reason: str | None = None
    data: Any = None
    meta: Any = None

    @property
    def fields(self) -> Mapping[str, object]:
        """Field by field, what is wrong; empty in the other shape."""
        return self.data if isinstance(self.data, dict) else {}


class Event(_Wire):
    """A notification: low data names its eSIM and level, the others have texts of their own."""

    iccid: str | None = None
    level: str | None = None
    message: str | None = None
    request_id: str | None = None

    @property
    def known(self) -> bool:
        """Whether it is one of the documented kinds."""
        return bool((self.iccid and self.level) or self.message or self.request_id)
