"""Money as an integer of minor units plus a currency.

Decimals per currency follow ISO 4217; Telegram Stars ("XTR") have none.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation

# ISO 4217 currencies whose number of decimals is not two; XTR is Telegram's own code for Stars.
_DECIMALS = {
    "XTR": 0, "JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "PYG": 0, "UGX": 0, "XAF": 0, "XOF": 0,
    "XPF": 0, "ISK": 0, "RWF": 0, "KMF": 0, "GNF": 0, "DJF": 0, "BIF": 0, "VUV": 0, "UYI": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip

STARS = "XTR"

_MOST_DIGITS = 15  # of the whole part; beyond it a typed "1e999999" would cost memory, not money


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
        code = self.currency
        if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
            raise ValueError(f"not a currency code: {self.currency!r}")

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> "Money":
        """From a major-unit amount.

        Raises ValueError when it is no number, is too large or has too many decimals.
        """
        try:
            value = Decimal(amount)
        except InvalidOperation:
            raise ValueError(f"not an amount: {amount!r}") from None
        if not value.is_finite() or value.adjusted() >= _MOST_DIGITS:
            raise ValueError(f"not an amount: {amount!r}")
        if value != value.quantize(Decimal(1).scaleb(-decimals(currency))):
            raise ValueError(f"{amount} has more decimals than {currency}")
        return cls(int(value.scaleb(decimals(currency))), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str, rounding: str) -> "Money":
        """From a major-unit amount with any number of decimals, rounded as decimal's `rounding`.

        Raises ValueError or ArithmeticError for what is no amount.
        """
        minor = amount.scaleb(decimals(currency)).to_integral_value(rounding=rounding)
        return cls(int(minor), currency)

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
        return Money.rounded(self.major * rate, currency, ROUND_CEILING)
