"""What a customer can buy for a SIM."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.domain.money import Money, decimals


class Length(StrEnum):
    """Groups by which plans are shown (F10)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class OpenAmount:
    """Any amount from `minimum` to `maximum` in steps of `step`, all of one currency."""

    minimum: Money
    maximum: Money
    step: Money

    def accepts(self, amount: Money) -> bool:
        """Whether the amount is within the range and on a step counted from the minimum."""
        if amount.currency != self.minimum.currency:
            return False
        if not self.minimum.minor <= amount.minor <= self.maximum.minor:
            return False
        return (amount.minor - self.minimum.minor) % self.step.minor == 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of the operator's catalogue. Exactly one of `price` and `open_amount` is set.

    `data` in bytes; `days` of validity (0 when it adds none); `unlimited` data may be throttled
    to `speed_after` once `data` is used. `max_cost` caps what the supplier may charge us.
    """

    code: str
    version: int
    carrier: str
    supplier: str
    supplier_code: str
    name: dict[str, str]
    """Shown name by locale: en, zh_Hans, zh_Hant."""
    days: int
    price: Money | None = None
    open_amount: OpenAmount | None = None
    data: int | None = None
    unlimited: bool = False
    minutes: int | None = None
    sms: int | None = None
    region: str | None = None
    speed_after: str | None = None
    roaming: tuple[str, ...] = ()
    devices: int | None = None
    extras: dict[str, str] | None = None
    max_cost: Money | None = None
    delivers: Money | None = None
    """What the SIM receives, where a fixed price buys airtime out of a supplier's range."""
    active: bool = True

    def __post_init__(self) -> None:
        if (self.price is None) == (self.open_amount is None):
            raise ValueError(f"plan {self.code}: set either a price or an open amount")

    @property
    def currency(self) -> str:
        """Currency of the list price."""
        money = self.price if self.open_amount is None else self.open_amount.minimum
        assert money is not None  # noqa: S101  __post_init__ guarantees one of the two
        return money.currency

    @property
    def length(self) -> Length:
        """The group it is listed under."""
        if self.open_amount is not None:
            return Length.AMOUNT
        for length, most in ((Length.DAY, 3), (Length.WEEK, 20), (Length.MONTH, 60),
                             (Length.SEASON, 200)):  # fmt: skip
            if self.days <= most:
                return length
        return Length.YEAR

    def price_per_day(self) -> Decimal | None:
        """Major units per day of validity, exact to the currency's decimals plus one."""
        if self.price is None or self.days < 2:
            return None
        return _rounded(self.price.major / self.days, self.currency)

    def price_per_gb(self) -> Decimal | None:
        """Major units per GiB; None when unlimited or without data."""
        if self.price is None or not self.data or self.unlimited:
            return None
        return _rounded(self.price.major * (1 << 30) / self.data, self.currency)


def _rounded(value: Decimal, currency: str) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-max(decimals(currency), 2)))


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan as it stands for one SIM right now."""

    plan: Plan
    unavailable: str | None = None
    """Why it can't be bought now, as a reason code the views know; None when it can."""
    cost: Money | None = None
    """What the supplier asks at this moment, when it told."""
