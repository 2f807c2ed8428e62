"""What the settings of every payment method hold: in what it charges, and its fee."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from bot.domain.money import STARS
from bot.domain.quotes import Rate, Terms

_CURRENCY = re.compile(r"[A-Z]{3}")


def _codes(value: object) -> object:
    """ "usd,cny" → ("USD", "CNY"): how people write lists in an environment file."""
    if isinstance(value, str):
        value = [part.strip() for part in value.replace(";", ",").split(",") if part.strip()]
    if isinstance(value, list | tuple):
        codes = tuple(str(part).upper() for part in value)
        if not codes or not all(_CURRENCY.fullmatch(code) for code in codes):
            raise ValueError("write three-letter codes with commas between them: USD,CNY")
        return codes
    return value


Currencies = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_codes)]


class Charging(BaseModel):
    """The part of a method's section that says what it charges.

    A plan is charged in its own currency where that is in `currencies`, else in the first of them
    at the shop's rate. The fee is shown before the method is chosen and is part of the total.
    """

    currencies: Currencies = ("USD",)
    fee_percent: Decimal = Field(Decimal(0), ge=0, le=50)
    fee_fixed: Decimal = Field(Decimal(0), ge=0)
    """In major units of the currency that is charged."""
    least: Decimal = Field(Decimal(0), ge=0)
    """The smallest total it is offered for, in major units of the currency that is charged."""

    def terms(self) -> Terms:
        """As the quote needs them."""
        return Terms(self.currencies, self.fee_percent, self.fee_fixed, self.least)


class StarsSettings(BaseModel):
    """Telegram Stars. `rates` are whole Stars per one major unit of a plan's currency."""

    enabled: bool = True
    rates: dict[str, Decimal] = Field(
        default_factory=lambda: {
            "USD": Decimal(77),
            "CNY": Decimal("10.8"),
            "PHP": Decimal("1.4"),
            "EUR": Decimal(84),
        }
    )

    @field_validator("rates")
    @classmethod
    def _rates_are_of_currencies(cls, rates: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, rate in rates.items():
            if not re.fullmatch(r"[A-Z]{3}", currency) or not rate > 0:
                raise ValueError("write currencies and Stars above 0, like '{\"USD\": 77}'")
        return rates

    def terms(self) -> Terms:
        """As the quote needs them."""
        return Terms((STARS,))

    def table(self) -> dict[tuple[str, str], Rate]:
        """As the quote needs them."""
        return {(code, STARS): Rate(code, STARS, rate) for code, rate in self.rates.items()}
