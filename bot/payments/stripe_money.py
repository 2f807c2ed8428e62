"""Amounts as Stripe writes them, where they differ from ours.

Nothing is ever rounded here: what can't be written exactly is refused.
"""

from bot.domain.money import Money, decimals
from bot.ports import PaymentRefused

# Its own table (docs.stripe.com/currencies), and not ISO 4217's: the ariary has no decimals there,
# the króna, kept compatible with former times, has two that must be 0.
_NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA",
     "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)  # fmt: skip
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Stars are Telegram's; the rest it does not charge, or (UGX) describes in two ways.
NOT_CHARGED = frozenset({"XTR", "IQD", "LYD", "UYI", "UGX"})
"""Currencies that we don't ask it for."""


STEPS = {**dict.fromkeys(sorted(_THREE_DECIMALS), 10), "MGA": 100}
"""Of how many of our smallest units an amount must be a multiple to be charged exactly."""


def to_stripe(money: Money) -> int:
    """In the unit that Stripe counts in. Three-decimal amounts must be multiples of ten there.

    Raises PaymentRefused for what it can't charge exactly.
    """
    if money.currency in NOT_CHARGED:
        raise PaymentRefused("currency")
    units, shift = money.minor, _decimals(money.currency) - decimals(money.currency)
    if shift >= 0:
        units *= int(10**shift)
    else:
        units, rest = divmod(units, int(10**-shift))
        if rest:
            raise PaymentRefused("amount_uneven")
    if money.currency in _THREE_DECIMALS and units % 10:
        raise PaymentRefused("amount_uneven")
    return units


def from_stripe(units: int, currency: str) -> Money:
    """Our money. Raises ValueError for what our smallest unit can't hold, or no currency."""
    code = currency.upper()
    shift = decimals(code) - _decimals(code)
    if shift >= 0:
        return Money(units * int(10**shift), code)
    minor, rest = divmod(units, int(10**-shift))
    if rest:
        raise ValueError(f"{units} {code} is no whole amount")
    return Money(minor, code)


def _decimals(currency: str) -> int:
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2
