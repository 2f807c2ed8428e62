"""What DingConnect V1 sends, in models that take every form seen of it.

Every answer, HTTP 400, 401, 500 and 503 too, is one envelope: a ResultCode (1 done, 2 nearest
match, 3 try later, 4 wrong request, 5 refused; 0 where the field was left at its default) and
ErrorCodes. An empty account is told with HTTP 500, so the status alone decides nothing.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Annotated, Any

import structlog
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.alias_generators import to_pascal

from bot.domain.money import Money

log = structlog.get_logger(__name__)

DONE = frozenset({0, 1})
NEAREST = 2
REFUSED_FROM = 3
RATE_LIMITED = "RateLimited"
REFUSED_BY_PROVIDER = "ProviderRefusedRequest"

# The names known to mean that nothing was charged. Any other, DuplicateTransactionPrevented and
# ProviderUnknownError among them, may hide a transfer and counts as unknown.
REFUSALS: Mapping[str, str] = {
    "InsufficientBalance": "no_money",
    "AccountNumberInvalid": "number_refused",
    "AccountNumberFailedRegex": "number_refused",
    REFUSED_BY_PROVIDER: "number_refused",
    "RechargeNotAllowed": "not_allowed",
    "ProductUnavailable": "not_sold_now",
    "ProviderTemporarilyUnavailable": "operator_down",
    "ProviderTimedOut": "operator_timeout",
    "AuthenticationFailed": "credentials",
    RATE_LIMITED: "busy",
    **dict.fromkeys(
        (
            "ParameterCombinationInvalid",
            "ParameterInvalid",
            "ParameterMissing",
            "ParameterOutOfRange",
            "RequestInvalid",
            "TooManyParameters",
        ),
        "bad_request",
    ),
}
# These only say that it is the operator's doing; what it did is in their context.
BY_PROVIDER = frozenset({"ProviderError", "TransientProviderError"})


def _list(value: object) -> object:
    return [] if value is None else value


def _table(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _record(value: object) -> object:
    """Items of a list of transfers come wrapped, each in an envelope of its own, and bare."""
    if isinstance(value, dict) and "TransferRecord" in value:
        return value["TransferRecord"] or {}
    return value


def _or_none(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    """None for what can't be read: beside a finished transfer nothing may make it doubtful."""
    try:
        return handler(value)
    except ValidationError:
        return None


Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class _Wire(BaseModel):
    """Fields in PascalCase, strings for numbers taken, unknown fields left alone."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="ignore", coerce_numbers_to_str=True)


class Error(_Wire):
    """Why a request failed; the context narrows it."""

    code: str = ""
    context: str | None = None

    @property
    def refusal(self) -> str | None:
        """A reason code where the supplier surely charged nothing; None where that is unknown."""
        if self.code in BY_PROVIDER:
            return REFUSALS.get(self.context or "")
        reason = REFUSALS.get(self.code)
        moved = reason == "bad_request" and (self.context or "").casefold() == "sendvalue"
        return "price_moved" if moved else reason

    @property
    def reason(self) -> str:
        """A reason code in any case."""
        name = self.context if self.code in BY_PROVIDER and self.context else self.code
        return self.refusal or f"code_{name or 'unnamed'}"


class Envelope(_Wire):
    """Around every answer."""

    result_code: int | None = None
    error_codes: Annotated[list[Error], BeforeValidator(_list)] = []

    @property
    def done(self) -> bool:
        """It did what was asked."""
        return self.result_code in DONE and not self.error_codes

    @property
    def refused(self) -> bool:
        """It says that it did not."""
        return self.result_code is not None and self.result_code >= REFUSED_FROM

    @property
    def reason(self) -> str:
        """A reason code for not being done."""
        return self.error_codes[0].reason if self.error_codes else f"result_{self.result_code}"

    @property
    def repeated(self) -> bool:
        """Our reference was used before: what became of that transfer is not said."""
        return any(error.code == "DuplicateTransactionPrevented" for error in self.error_codes)

    @property
    def rate_limited(self) -> bool:
        """We asked too often."""
        return any(error.code == RATE_LIMITED for error in self.error_codes)


class Match(_Wire):
    """A provider that a number may belong to."""

    provider_code: str
    region_code: str | None = None


class Lookup(Envelope):
    """Answer of GetAccountLookup. Nearest match: only the country is sure."""

    country_iso: str | None = None
    account_number_normalized: str | None = None
    items: Annotated[list[Match], BeforeValidator(_list)] = []

    @property
    def done(self) -> bool:
        """Also where it found no more than the country."""
        return super().done or self.result_code == NEAREST


class Provider(_Wire):
    """A network operator. `validation_regex` is .NET's, matched against the bare digits."""

    provider_code: str
    country_iso: str | None = None
    name: str | None = None
    short_name: str | None = None
    validation_regex: str | None = None

    def takes(self, account: str) -> bool:
        """Whether the supplier's own first check lets the number pass."""
        try:
            return not self.validation_regex or bool(re.search(self.validation_regex, account))
        except re.error:  # a construct that only .NET knows: the supplier will tell
            return True


class Providers(Envelope):
    """Answer of GetProviders."""

    items: Annotated[list[Provider], BeforeValidator(_list)] = []


class Status(_Wire):
    """Whether a provider takes transfers at this moment."""

    provider_code: str
    is_processing_transfers: bool = True


class Statuses(Envelope):
    """Answer of GetProviderStatus."""

    items: Annotated[list[Status], BeforeValidator(_list)] = []


class Price(_Wire):
    """What is sent and what arrives, in major units. We are charged send value and our fee."""

    send_value: Decimal
    send_currency_iso: Currency
    distributor_fee: Decimal = Decimal(0)
    receive_value: Decimal
    receive_currency_iso: Currency
    receive_value_excluding_tax: Decimal | None = None

    @property
    def sent(self) -> Money:
        """The send value, rounded up to the currency's decimals, as a transfer names it."""
        return Money.rounded(self.send_value, self.send_currency_iso, ROUND_CEILING)

    @property
    def cost(self) -> Money:
        """What we are charged, before any commission."""
        return self.sent + Money.rounded(
            self.distributor_fee, self.send_currency_iso, ROUND_CEILING
        )

    @property
    def delivered(self) -> Money:
        """What the line receives once its country's tax is off."""
        arrives = self.receive_value_excluding_tax or self.receive_value
        return Money.rounded(arrives, self.receive_currency_iso, ROUND_FLOOR)


class Setting(_Wire):
    """A further field that a product asks for."""

    is_mandatory: bool = False


class Product(_Wire):
    """A top-up on offer: fixed where minimum and maximum are the same, else a range."""

    provider_code: str
    sku_code: str
    minimum: Price
    maximum: Price
    setting_definitions: Annotated[list[Setting], BeforeValidator(_list)] = []
    redemption_mechanism: str = "Immediate"
    validity_period_iso: str | None = None
    default_display_text: str | None = None
    region_code: str | None = None
    lookup_bills_required: bool = False

    @property
    def fixed(self) -> bool:
        """One amount only."""
        return self.minimum.receive_value == self.maximum.receive_value

    @property
    def by_receipt(self) -> bool:
        """The receipt holds a code that the customer redeems."""
        return self.redemption_mechanism == "ReadReceipt"

    @property
    def sellable(self) -> bool:
        """Bills, products with questions of their own, and those with instructions for us are
        left out."""
        return (
            self.redemption_mechanism in ("Immediate", "ReadReceipt")
            and not self.lookup_bills_required
            and not any(setting.is_mandatory for setting in self.setting_definitions)
        )

    @property
    def days(self) -> int:
        """Validity in whole days: of "P30D", "P2W", "P1M" and "P1Y"; 0 where none is told."""
        match = re.fullmatch(r"P(\d+)([DWMY])", self.validity_period_iso or "")
        return int(match[1]) * {"D": 1, "W": 7, "M": 30, "Y": 365}[match[2]] if match else 0


def _readable(values: object) -> list[Product]:
    """The products that can be read: one strange one must not take the others off sale."""
    products = []
    for value in values if isinstance(values, list) else []:
        try:
            products.append(Product.model_validate(value))
        except ValidationError:
            log.warning("dingconnect.product_left_out")
    return products


class Products(Envelope):
    """Answer of GetProducts."""

    items: Annotated[list[Product], BeforeValidator(_readable)] = []


class Estimate(Envelope):
    """One estimated price."""

    price: Price | None = None
    sku_code: str | None = None


class Estimates(Envelope):
    """Answer of EstimatePrices."""

    items: Annotated[list[Estimate], BeforeValidator(_list)] = []


class TransferId(_Wire):
    """The supplier's reference, and ours."""

    transfer_ref: str | None = None
    distributor_ref: str | None = None


class Transfer(_Wire):
    """A transfer as it stands. `receipt_params` differ by provider and change without notice."""

    transfer_id: TransferId | None = None
    sku_code: str | None = None
    price: Annotated[Price | None, WrapValidator(_or_none)] = None
    processing_state: str = ""
    receipt_text: str | None = None
    receipt_params: Annotated[dict[str, Any], BeforeValidator(_table)] = {}

    def ref(self, name: str) -> str | None:
        """Its DistributorRef or TransferRef."""
        refs = self.transfer_id or TransferId()
        return refs.distributor_ref if name == "DistributorRef" else refs.transfer_ref

    def param(self, name: str) -> str | None:
        """A receipt parameter; the documents write both "pin" and "Pin"."""
        for key, value in self.receipt_params.items():
            if key.casefold() == name and value:
                return str(value)
        return None


class Sent(Envelope):
    """Answer of SendTransfer. A failed transfer has a record too."""

    transfer_record: Transfer | None = None


class Transfers(Envelope):
    """Answer of ListTransferRecords: the last two months."""

    items: Annotated[
        list[Annotated[Transfer, BeforeValidator(_record)]], BeforeValidator(_list)
    ] = []
    there_are_more_items: bool = False


class Balance(Envelope):
    """Answer of GetBalance. Transfers under way are not in it yet."""

    balance: Decimal | None = None
    currency_iso: Currency | None = None
