"""What the Reloadly stand-in knows (operators, numbers, top-ups, our wallet), and a world to
begin with.

Amounts are Decimal in major units, times UTC by the demo's clock. The operators' ids are this
stand-in's own, but for T-Mobile's and China Unicom's; a live account's are read from its list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from pydantic import BaseModel

CENT = Decimal("0.01")


class Operator(BaseModel):
    """A network's product. Plain amounts are dollars, `local` ones of its own currency."""

    id: int
    name: str
    iso: str
    country: str
    currency: str
    rate: Decimal = Decimal(1)
    """Units of its currency for one dollar."""
    local: bool = False
    """It takes orders in its own currency."""
    pin: bool = False
    active: bool = True
    discount: Decimal = Decimal(0)
    local_discount: Decimal = Decimal(0)
    """Per cent."""
    fee: Decimal = Decimal(0)
    """Dollars on top of each top-up."""
    range: tuple[Decimal, Decimal] | None = None
    local_range: tuple[Decimal, Decimal] | None = None
    fixed: list[Decimal] = []
    local_fixed: list[Decimal] = []
    words: dict[str, str] = {}
    """Descriptions of the fixed amounts, by amount with two decimals."""

    def takes(self, amount: Decimal, local: bool) -> bool:
        """Whether that can be ordered, in its own currency or in dollars."""
        if local and not self.local:
            return False
        bounds = self.local_range if local else self.range
        if bounds is not None:
            return bounds[0] <= amount <= bounds[1]
        return amount in (self.local_fixed if local else self.fixed)

    def cost(self, amount: Decimal, local: bool) -> Decimal:
        """Dollars we are charged, unrounded as the real account is: to five decimals."""
        dollars = amount / self.rate if local else amount
        less = dollars * (self.local_discount if local else self.discount) / 100
        return (dollars - less + self.fee).quantize(Decimal("0.00001"))


class TopUp(BaseModel):
    """A top-up the supplier has accepted; the clock says how it stands."""

    id: int
    ref: str
    operator_id: int
    number: str
    requested: Decimal
    currency: str
    delivered: Decimal
    cost: Decimal
    at: datetime
    final_at: datetime
    """PROCESSING before it."""
    fails: bool = False
    refunded_at: datetime | None = None
    visible_from: datetime
    """Later than `at` while the report lags behind the purchase."""
    pin: str | None = None
    paid_back: bool = False
    told: str | None = None
    """The last status a webhook told of."""

    def status_at(self, now: datetime) -> str:
        """As the supplier names it."""
        if now < self.final_at:
            return "PROCESSING"
        if self.fails:
            return "FAILED"
        return "REFUNDED" if self.refunded_at and now >= self.refunded_at else "SUCCESSFUL"


class ReloadlyState(BaseModel):
    """The stand-in's memory; pydantic's `model_dump_json` carries it over a restart."""

    client_id: str = "demo-client-id"
    client_secret: str = "demo-client-secret"  # noqa: S105  opens nothing but this stand-in
    webhook_secret: str = "demo-webhook-secret"  # noqa: S105  signs nothing else
    balance: Decimal = Decimal(1000)
    operators: list[Operator]
    numbers: dict[str, int]
    """Operators by the first digits of a number; the longest match counts."""
    topups: list[TopUp] = []
    tokens: dict[str, datetime] = {}
    """Bearer tokens and when they end."""
    token_seconds: int = 5_184_000
    last_token: int = 0
    last_id: int = 4_602_842
    lookup_lag_seconds: int = 120
    processing_seconds: int = 300
    refund_after_seconds: int = 3600
    late_seconds: float = 3.0
    """Real ones, between the call and its being taken up, where a fault asks for that."""
    pause_seconds: int = 120
    """A number takes no second top-up sooner."""

    def operator(self, operator_id: object) -> Operator | None:
        """The operator with that id; None without one."""
        return next((one for one in self.operators if str(one.id) == str(operator_id)), None)

    def operator_of(self, number: str) -> Operator | None:
        """The operator of a number (digits with the country's code), by its prefix."""
        fitting = [prefix for prefix in self.numbers if number.startswith(prefix)]
        return self.operator(self.numbers[max(fitting, key=len)]) if fitting else None

    def topup(self, topup_id: object) -> TopUp | None:
        """The top-up with that transactionId; None without one."""
        return next((one for one in self.topups if str(one.id) == str(topup_id)), None)

    def by_ref(self, ref: str) -> TopUp | None:
        """The top-up with that customIdentifier; None without one."""
        return next((one for one in self.topups if one.ref == ref), None)

    def new_token(self, now: datetime) -> str:
        """A bearer token, good for `token_seconds`."""
        self.last_token += 1
        token = f"demo-bearer-token-{self.last_token}"
        self.tokens[token] = now + timedelta(seconds=self.token_seconds)
        return token

    def top_up(
        self, operator: Operator, number: str, amount: Decimal, local: bool, ref: str, now: datetime
    ) -> TopUp:
        """Take the money and send the airtime, done and visible at once."""
        self.last_id += 1
        delivered = amount if local else amount * operator.rate
        made = TopUp(
            id=self.last_id,
            ref=ref,
            operator_id=operator.id,
            number=number,
            requested=amount,
            currency=operator.currency if local else "USD",
            delivered=delivered.quantize(CENT, ROUND_DOWN),
            cost=operator.cost(amount, local),
            at=now,
            final_at=now,
            visible_from=now,
            pin=f"7737097{self.last_id:08}" if operator.pin else None,
        )
        self.balance -= made.cost
        self.topups.append(made)
        return made

    def settle(self, now: datetime) -> None:
        """Give the money of failed and refunded top-ups back."""
        for one in self.topups:
            if not one.paid_back and one.status_at(now) in ("FAILED", "REFUNDED"):
                one.paid_back = True
                self.balance += one.cost


# ---- the world the demo begins with ------------------------------------------------------


def _amounts(*values: str | int) -> list[Decimal]:
    return [Decimal(value) for value in values]


def _bounds(low: str | int, high: str | int) -> tuple[Decimal, Decimal]:
    return Decimal(low), Decimal(high)


_SMART = Operator(
    id=423,
    name="Smart Philippines",
    iso="PH",
    country="Philippines",
    currency="PHP",
    rate=Decimal("55.86"),
    local=True,
    range=_bounds("0.90", 18),
    local_range=_bounds(50, 1000),
    discount=Decimal(6),
    local_discount=Decimal(2),
)


def demo_operators() -> list[Operator]:
    """Every kind there is: a dollar range and fixed dollars at home, a range in the phone's own
    currency, fixed amounts in it, a range that only takes dollars, and a PIN to be typed in."""
    return [*_american(), _SMART.model_copy(), *_chinese()]


def _american() -> list[Operator]:
    usa = {"iso": "US", "country": "United States", "currency": "USD"}
    return [
        Operator(
            id=548, name="T-Mobile USA RTR", **usa, range=_bounds(10, 100), discount=Decimal("4.42")
        ),
        Operator(
            id=1207,
            name="AT&T USA",
            **usa,
            fixed=_amounts(15, 30, 50, 100),
            discount=Decimal("3.5"),
            words={
                "15.00": "AT&T Prepaid 15 USD",
                "30.00": "AT&T Prepaid 30 USD",
                "50.00": "AT&T Prepaid 50 USD",
                "100.00": "AT&T Prepaid 100 USD",
            },
        ),
        Operator(id=711, name="H2O PayGo PIN USA", **usa, fixed=_amounts(10, 20, 30), pin=True),
    ]


def _chinese() -> list[Operator]:
    china = {"iso": "CN", "country": "China", "currency": "CNY"}
    return [
        Operator(
            id=85,
            name="China Mobile China",
            **china,
            rate=Decimal("6.85"),
            local=True,
            fixed=_amounts("7.30", "14.60", "29.20", "43.80"),
            local_fixed=_amounts(50, 100, 200, 300),
            discount=Decimal(2),
        ),
        Operator(
            id=86,
            name="China Unicom China",
            **china,
            rate=Decimal("6.53"),
            range=_bounds("3.52", 77),
            discount=Decimal(3),
        ),
        Operator(
            id=87,
            name="China Telecom China",
            **china,
            rate=Decimal("6.85"),
            local=True,
            range=_bounds("7.30", 73),
            local_range=_bounds(50, 500),
            discount=Decimal(2),
        ),
    ]


_PREFIXES: Iterable[tuple[int, str, str]] = (
    (548, "1", "305 786 206 425"),
    (1207, "1", "212 214 404 512"),
    (711, "1", "646"),
    (423, "63", "908 918 919 920 921 928 929 939 946 947 949 951 961 998 999"),
    (85, "86", "134 135 136 137 138 139 147 150 151 152 157 158 159 178 182 183 184 187 188 198"),
    (86, "86", "130 131 132 145 155 156 166 171 175 176 185 186"),
    (87, "86", "133 149 153 173 177 180 181 189 191 199"),
)


def demo_numbers() -> dict[str, int]:
    """Prefixes in the manner of each country; in the US they tell nothing in truth."""
    return {
        code + prefix: operator_id
        for operator_id, code, prefixes in _PREFIXES
        for prefix in prefixes.split()
    }


def demo_state() -> ReloadlyState:
    """A fresh world with 1000 dollars in our wallet."""
    return ReloadlyState(operators=demo_operators(), numbers=demo_numbers())
