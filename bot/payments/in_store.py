"""Settings of the ways to pay that no provider stands behind: the wallet, transfers by hand."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, FilePath, field_validator, model_validator

from bot.domain.money import Money
from bot.domain.quotes import Terms

_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_TEXT = 500

Amounts = dict[str, tuple[Decimal, ...]]
_AMOUNTS: Amounts = {"USD": (Decimal(5), Decimal(10), Decimal(20), Decimal(50))}


class WalletSettings(BaseModel):
    """Customers' wallets. `amounts` are offered for a top-up, by currency, in major units."""

    enabled: bool = False
    amounts: Amounts = Field(default_factory=lambda: dict(_AMOUNTS))
    most: Decimal = Field(Decimal(2000), gt=0)
    """The largest top-up, in major units."""

    @field_validator("amounts")
    @classmethod
    def _amounts_are_of_currencies(cls, amounts: Amounts) -> Amounts:
        for currency, some in amounts.items():
            if not _CURRENCY.fullmatch(currency) or any(amount <= 0 for amount in some):
                raise ValueError("write currencies and amounts above 0, like '{\"USD\": [10, 20]}'")
            for amount in some:
                Money.of(amount, currency)
        if not amounts:
            raise ValueError("name one currency or more")
        return amounts


def _labels(value: object) -> object:
    """One name for all languages, or one for each."""
    return {"en": value, "zh": value} if isinstance(value, str) else value


class TransferAccount(BaseModel):
    """Where customers send money to: an account of a bank, a collection code of Alipay's."""

    label: Annotated[dict[str, str], BeforeValidator(_labels)]
    """Its name, "en" and "zh"."""
    details: Annotated[str, Field(max_length=_MOST_TEXT)] = ""
    """What to type: account, holder, bank."""
    currency: Annotated[str, Field(pattern=_CURRENCY)]
    qr: FilePath | None = None
    """A picture of the code to scan."""

    @model_validator(mode="after")
    def _says_where_to(self) -> "TransferAccount":
        if not self.details.strip() and self.qr is None:
            raise ValueError("needs details, a qr, or both")
        if "en" not in self.label:
            raise ValueError('needs a label of "en"')
        return self


class TransferSettings(BaseModel):
    """Transfers that an operator checks by a photo of the proof; off without an account."""

    accounts: list[TransferAccount] = Field(default_factory=list)
    wait_hours: Annotated[int, Field(ge=1, le=24 * 14)] = 24
    """How long an order waits for a transfer, at the price shown."""
    unique_amount: bool = False
    """Lower each amount by some cents, so that it tells whose it is without a reference."""
    least: Decimal = Field(Decimal(0), ge=0)

    def terms(self) -> Terms:
        """As the quote needs them."""
        currencies = tuple(dict.fromkeys(account.currency for account in self.accounts))
        return Terms(currencies, least=self.least)
