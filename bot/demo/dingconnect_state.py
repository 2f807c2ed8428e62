"""What the DingConnect stand-in knows (operators, products, transfers, our wallet), and a world to
begin with.

Amounts are decimals in major units, as the supplier writes them; we pay in US dollars. Times are
UTC by the demo's clock.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from pydantic import BaseModel

CENT = Decimal("0.01")
COUNTRIES = {"63": "PH", "86": "CN", "1": "US"}


class Provider(BaseModel):
    """A network operator. `prefixes` of bare digits are the number ranges it was given."""

    code: str
    name: str
    short_name: str
    country: str
    regex: str
    prefixes: list[str]


class Product(BaseModel):
    """A top-up: `receive` in `currency` for `send` dollars, at both ends of its range."""

    sku: str
    provider: str
    text: str
    currency: str
    least: tuple[Decimal, Decimal]
    """Receive value and send value."""
    most: tuple[Decimal, Decimal]
    fee: Decimal = Decimal(0)
    validity: str | None = None
    by_receipt: bool = False
    """A code on the receipt, which the customer redeems."""

    @property
    def uat_number(self) -> str:
        """The number that always succeeds and is never charged."""
        return COUNTRY_DIGITS[self.provider[-2:]] + "0000000000"

    def receives(self, send: Decimal) -> Decimal:
        """What arrives for `send` dollars, rounded down."""
        return self._between(send, 1, 0).quantize(CENT, ROUND_DOWN)

    def sends(self, receive: Decimal) -> Decimal:
        """The dollars to send so that at least `receive` arrives."""
        return self._between(receive, 0, 1).quantize(CENT, ROUND_UP)

    def _between(self, value: Decimal, known: int, wanted: int) -> Decimal:
        span = self.most[known] - self.least[known]
        if not span:
            return self.least[wanted]
        share = (value - self.least[known]) / span
        return self.least[wanted] + share * (self.most[wanted] - self.least[wanted])

    def dearer(self, factor: Decimal) -> Product:
        """The same at other prices."""
        ends = {
            "least": (self.least[0], (self.least[1] * factor).quantize(CENT)),
            "most": (self.most[0], (self.most[1] * factor).quantize(CENT)),
        }
        return self.model_copy(update=ends)


COUNTRY_DIGITS = {country: digits for digits, country in COUNTRIES.items()}


class Transfer(BaseModel):
    """One transfer, under way until `settles_at`, then as `ends_as` says."""

    ref: str
    distributor_ref: str
    sku: str
    account: str
    send: Decimal
    receive: Decimal
    cost: Decimal
    """Taken from the balance."""
    at: datetime
    settles_at: datetime
    ends_as: str
    visible_from: datetime
    """Later than `at` while the list lags behind the transfer."""
    provider_ref: str
    pin: str | None = None
    settled: bool = False

    def state(self, now: datetime) -> str:
        """ProcessingState as the supplier names it."""
        if now >= self.settles_at:
            return self.ends_as
        return "Submitted" if now - self.at < (self.settles_at - self.at) / 2 else "Processing"


class DingConnectState(BaseModel):
    """The stand-in's memory; pydantic's `model_dump_json` carries it over a restart."""

    api_key: str = "demo-dingconnect-key"
    balance: Decimal = Decimal("500.00")
    providers: list[Provider]
    products: list[Product]
    transfers: list[Transfer] = []
    last_ref: int = 863_784_000
    lookup_lag_seconds: int = 120
    settle_seconds: int = 60
    """How long a transfer that is not answered at once stays under way."""

    def provider(self, code: str) -> Provider | None:
        """The operator with that code."""
        return next((one for one in self.providers if one.code == code), None)

    def product(self, sku: str) -> Product | None:
        """The product with that SkuCode."""
        return next((one for one in self.products if one.sku == sku), None)

    def of_number(self, account: str) -> list[Provider]:
        """The operators whose range the bare digits are in; two may share one."""
        return [p for p in self.providers if any(account.startswith(x) for x in p.prefixes)]

    def takes(self, product: Product, account: str) -> bool:
        """Whether the operator's pattern lets the number pass."""
        provider = self.provider(product.provider)
        return provider is not None and re.search(provider.regex, account) is not None

    def done(self, distributor_ref: str | None = None) -> list[Transfer]:
        """The transfers that were or will be delivered."""
        return [
            one
            for one in self.transfers
            if one.ends_as != "Failed" and distributor_ref in (None, one.distributor_ref)
        ]

    def settle(self, now: datetime) -> None:
        """Give back what transfers under way took and then failed."""
        for transfer in self.transfers:
            if not transfer.settled and now >= transfer.settles_at:
                transfer.settled = True
                if transfer.ends_as == "Failed":
                    self.balance += transfer.cost

    def next_ref(self) -> str:
        """A fresh TransferRef."""
        self.last_ref += 1
        return str(self.last_ref)


# ---- the world the demo begins with ------------------------------------------------------

_SMART = (
    "907 908 909 910 912 918 919 920 921 928 929 930 938 939 946 947 948 949 950 951 961 998 999"
)
_GLOBE = "905 906 915 916 917 926 927 935 936 937 945 953 954 955 956 965 966 967 975 977 995 996"
_CMCC = "134 135 136 137 138 139 147 150 151 152 157 158 159 178 182 183 184 187 188 198"
_UNICOM = "130 131 132 145 155 156 166 175 176 185 186 196"
_TELECOM = "133 149 153 173 177 180 181 189 191 199"
# Ranges of this demo only: the true ones of the United States are long, and numbers are ported.
# 917 is shared, as ranges are where the supplier can't tell.
_TMOBILE, _ATT = "206 305 425 917", "210 212 214 917"


def demo_providers() -> list[Provider]:
    """Smart, Globe, T-Mobile, AT&T and China's three, with their number ranges."""
    rows = (
        ("SMPH", "Smart Philippines", "Smart", "PH", r"^639\d{9}$", _SMART),
        ("GLPH", "Globe Philippines", "Globe", "PH", r"^639\d{9}$", _GLOBE),
        ("TMUS", "T-Mobile USA", "T-Mobile", "US", r"^1\d{10}$", _TMOBILE),
        ("ATUS", "AT&T USA", "AT&T", "US", r"^(1\d{10}|0000000000)$", _ATT),
        ("CMCN", "China Mobile China", "China Mobile", "CN", r"^861\d{10}$", _CMCC),
        ("CUCN", "China Unicom China", "China Unicom", "CN", r"^861\d{10}$", _UNICOM),
        ("CTCN", "China Telecom China", "China Telecom", "CN", r"^861\d{10}$", _TELECOM),
    )
    return [
        Provider(
            code=code,
            name=name,
            short_name=short,
            country=country,
            regex=regex,
            prefixes=[COUNTRY_DIGITS[country] + prefix for prefix in prefixes.split()],
        )
        for code, name, short, country, regex, prefixes in rows
    ]


def _range(sku: str, text: str, least: str, most: str, validity: str | None) -> Product:
    """From "50 PHP 1.00": receive value, its currency, send value."""
    ends = [tuple(map(Decimal, end.split()[::2])) for end in (least, most)]
    return Product(
        sku=sku,
        provider=sku[3:5] + sku[:2],
        text=text,
        currency=least.split()[1],
        least=(ends[0][0], ends[0][1]),
        most=(ends[1][0], ends[1][1]),
        validity=validity,
    )


def _fixed(provider: str, amount: int, currency: str, send: str, validity: str) -> Product:
    ends = (Decimal(amount), Decimal(send))
    return Product(
        sku=f"{provider}{amount:04}",
        provider=provider,
        text=f"{currency} {amount}.00",
        currency=currency,
        least=ends,
        most=ends,
        validity=validity,
    )


def demo_products() -> list[Product]:
    """Ranges PH_SM_TopUp, PH_GL_TopUp, US_TM_TopUp, US_AT_TopUp; fixed SMPH0100, CMCN0050 and so
    on; and ATUS0025PIN, a code."""
    cny = {50: "7.40", 100: "14.75", 200: "29.40", 300: "44.05", 500: "73.25"}
    unicom = {30: "4.45", 50: "7.40", 100: "14.75", 200: "29.40", 300: "44.05"}
    pin = _fixed("ATUS", 25, "USD", "24.25", "P30D").model_copy(
        update={
            "sku": "ATUS0025PIN",
            "text": "USD 25.00 PIN",
            "by_receipt": True,
            "fee": Decimal("0.25"),
        }
    )
    return [
        _range("PH_SM_TopUp", "PHP 50-1000", "50 PHP 1.00", "1000 PHP 20.00", "P30D"),
        _fixed("SMPH", 100, "PHP", "1.98", "P30D"),
        _range("PH_GL_TopUp", "PHP 50-1000", "50 PHP 1.00", "1000 PHP 20.00", "P30D"),
        _range("US_TM_TopUp", "USD 10-100", "10 USD 9.70", "100 USD 97.00", "P30D"),
        _range("US_AT_TopUp", "USD 10-150", "10 USD 9.80", "150 USD 147.00", None),
        pin,
        *(_fixed("CMCN", amount, "CNY", send, "P30D") for amount, send in cny.items()),
        *(_fixed("CUCN", amount, "CNY", send, "P30D") for amount, send in unicom.items()),
        *(_fixed("CTCN", amount, "CNY", send, "P30D") for amount, send in cny.items()),
    ]


def demo_state() -> DingConnectState:
    """A fresh world with 500 dollars in our wallet."""
    return DingConnectState(providers=demo_providers(), products=demo_products())
