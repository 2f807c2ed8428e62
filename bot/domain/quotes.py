"""One frozen, complete price (F12). What a quote says is exactly what is charged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.sales import Method
from bot.domain.sims import Sim, extended

LIFETIME = timedelta(minutes=15)
"""How long a quote stands (payments.md, rule 1)."""


class QuoteRefused(ValueError):
    """No quote can be made; `reason` is a code the views know."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_unit` units of `into` for one major unit of `currency`, the shop's margin included."""

    currency: str
    into: str
    per_unit: Decimal
    source: str = "shop"
    """Who says so: "shop" for the operator's own table, else the source's name."""
    at: datetime | None = None
    """Of when it is (UTC); None for the operator's own, which stands until changed."""
    margin: Decimal = Decimal(0)
    """Percent that the shop has added to the source's rate."""


Rates = Mapping[tuple[str, str], Rate]
"""By currency and the one it is turned into; stale ones are not among them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a method charges: in `currencies`, the plan's own if it is one of them, else the first.

    None: in any. The fee is `percent` of the amount plus `fixed`, both part of the total.
    """

    currencies: tuple[str, ...] | None = None
    percent: Decimal = Decimal(0)
    fixed: Decimal = Decimal(0)
    """In major units of the charge's currency."""
    least: Decimal = Decimal(0)
    """The smallest total it takes, in major units of the charge's currency."""
    steps: Mapping[str, int] = field(default_factory=dict)
    """Currencies whose totals must be a multiple of so many smallest units."""


@dataclass(frozen=True, slots=True)
class Total:
    """What one method charges for a quote: `amount`, of which `fee` is its fee."""

    method: Method
    amount: Money
    fee: Money
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """A promo as it lowers this price. Its `amount` is in the plan's currency, 0 where it gives
    something else: extra days or data."""

    promo: str
    title: Mapping[str, str]
    """By language, as the operator wrote it."""
    amount: Money
    points: int = 0
    """Points it adds to what the order earns."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Everything that lowers a list price, and what promos and points give besides."""

    discounts: tuple[Discount, ...] = ()
    points: int = 0
    """Points spent."""
    points_worth: Money | None = None
    plan: Plan | None = None
    """What is delivered in the plan's place, at its price; None for the plan itself."""
    earns: int = 0
    """Points the order earns once it is delivered."""
    earns_until: datetime | None = None
    """When those expire (UTC)."""
    post_id: str | None = None
    """The group's post whose campaign gives something here."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A price frozen until `expires_at`; times in UTC."""

    id: str
    version: int
    chat_id: int
    sim_id: str
    plan: Plan
    """The plan as it stood, so that a later catalogue changes nothing."""
    price: Money
    """List price in the plan's currency; for an open amount, the amount chosen."""
    due: Money
    """The price after discounts and points, in the plan's currency."""
    totals: tuple[Total, ...]
    """What each method charges, in the shop's order."""
    old_expiry: datetime | None
    new_expiry: datetime | None
    created_at: datetime
    expires_at: datetime
    discounts: tuple[Discount, ...] = ()
    points: int = 0
    points_worth: Money | None = None
    earns: int = 0
    """Points the order earns once it is delivered; they last until `earns_until` (UTC)."""
    earns_until: datetime | None = None
    post_id: str | None = None
    """The group's post that the customer came from."""

    def stands(self, now: datetime) -> bool:
        """Whether it may still be confirmed."""
        return now < self.expires_at

    def total(self, method: Method) -> Total | None:
        """What this method charges; None when it can't be paid so."""
        return next((total for total in self.totals if total.method is method), None)


def reduced(price: Money, reduction: Reduction) -> Money:
    """What is left to pay: at least the currency's smallest unit, for nothing is sold for 0."""
    left = price
    for discount in reduction.discounts:
        left = left - discount.amount
    if reduction.points_worth is not None:
        left = left - reduction.points_worth
    return max(left, Money(1, price.currency))


def totals(due: Money, terms: Mapping[Method, Terms], rates: Rates) -> tuple[Total, ...]:
    """What each method charges for `due`; one whose rate is missing or stale is left out.

    Rounded up to the smallest unit, once for the rate and once for the fee: a quote may not sell
    below the rate that the operator set. What a provider's own step adds is shown as its fee.
    """
    found = []
    for method, term in terms.items():
        total = _total(due, method, term, rates)
        if total is not None and total.amount.major >= term.least:
            found.append(total)
    return tuple(found)


def _total(due: Money, method: Method, terms: Terms, rates: Rates) -> Total | None:
    choices = terms.currencies
    currency = due.currency if choices is None or due.currency in choices else choices[0]
    rate = None
    net = due
    if currency != due.currency:
        rate = rates.get((due.currency, currency))
        if rate is None:
            return None
        net = due.convert(rate.per_unit, currency)
    fee = Money.rounded(net.major * terms.percent / 100 + terms.fixed, currency, ROUND_CEILING)
    short = -(net + fee).minor % terms.steps.get(currency, 1)
    fee = fee + Money(short, currency)
    return Total(method, net + fee, fee, rate)


@dataclass(frozen=True, slots=True)
class Offered:
    """How the shop sells at this moment: what each method charges, at which rates."""

    terms: Mapping[Method, Terms]
    rates: Rates = field(default_factory=dict)


def list_price(plan: Plan, amount: Money | None) -> Money:
    """What a plan costs before discounts.

    Raises QuoteRefused with `amount_needed`, `amount_out_of_range` or `plan_inactive`.
    """
    if not plan.active:
        raise QuoteRefused("plan_inactive")
    if plan.open_amount is not None:
        if amount is None:
            raise QuoteRefused("amount_needed")
        if not plan.open_amount.accepts(amount):
            raise QuoteRefused("amount_out_of_range")
        return amount
    assert plan.price is not None  # noqa: S101  Plan guarantees one of the two
    return plan.price


def make_quote(
    *,
    id: str,
    chat_id: int,
    sim: Sim,
    plan: Plan,
    price: Money,
    reduction: Reduction,
    offered: Offered,
    now: datetime,
) -> Quote:
    """Freeze `price` (see `list_price`) less `reduction` for `sim`, for every method of the shop.

    A method whose rate is stale has no total; when none has one, the quote can't be paid.
    """
    due = reduced(price, reduction)
    plan = reduction.plan or plan
    return Quote(
        id=id,
        version=1,
        chat_id=chat_id,
        sim_id=sim.id,
        plan=plan,
        price=price,
        due=due,
        totals=totals(due, offered.terms, offered.rates),
        old_expiry=sim.expiry,
        new_expiry=extended(sim.expiry, plan.days, now) if plan.days else sim.expiry,
        created_at=now,
        expires_at=now + LIFETIME,
        discounts=reduction.discounts,
        points=reduction.points,
        points_worth=reduction.points_worth,
        earns=reduction.earns,
        earns_until=reduction.earns_until,
        post_id=reduction.post_id,
    )
