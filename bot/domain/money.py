"""Money as an integer of minor units plus a currency.

Decimals per currency follow ISO 4217; Telegram Stars ("XTR") have none.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

# ISO 4217 currencies whose number of decimals is not two; XTR is Telegram's own code for Stars.
_DECIMALS = {
    "XTR": 0, "JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "PYG": 0, "UGX": 0, "XAF": 0, "XOF": 0,
    "XPF": 0, "ISK": 0, "RWF": 0, "KMF": 0, "GNF": 0, "DJF": 0, "BIF": 0, "VUV": 0, "UYI": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip

STARS = "XTR"


def decimals(currency: str) -> int:
    """Number of decimals of a currency's smallest unit (ISO 4217)."""
    return _DECIMALS.get(currency, 2)


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum or comparison."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the smallest unit of its currency (cents, yen, Stars)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError(f"not a currency code: {self.currency!r}")

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> "Money":
        """From a major-unit amount. Raises ValueError when it has more decimals than the currency."""
        scaled = Decimal(amount).scaleb(decimals(currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more decimals than {currency}")
        return cls(int(scaled), currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-decimals(self.currency))

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} is not {other.currency}")

    def convert(self, rate: Decimal, currency: str) -> "Money":
        """At `rate` units of `currency` per one unit of ours, rounded up to its smallest unit.

        Rounded up, never to nearest: a quote may not sell below the rate the operator set.
        """
        minor = (self.major * rate).scaleb(decimals(currency))
        return Money(int(minor.to_integral_value(rounding=ROUND_CEILING)), currency)
