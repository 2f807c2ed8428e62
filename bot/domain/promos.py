"""Promos: what they give, whom they fit, and which of them hold together (F21).

The rule, as customers are told it: one code and every automatic promo that says it stacks, or
the one automatic promo alone that saves more. Each saving is counted from the list price and
rounded down to the currency's smallest unit; something is always left to pay.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.quotes import Discount


class Kind(StrEnum):
    """What a promo gives."""

    PERCENT = "percent"
    SAVE = "save"  # spend so much, save so much; from 0 on it is a plain amount
    PLAN = "plan"  # a bigger plan at the smaller one's price: extra days or data
    POINTS = "points"  # more points for the order


@dataclass(frozen=True, slots=True)
class Step:
    """From a list price of `spend` on, `save` less; both of one currency."""

    spend: Money
    save: Money


@dataclass(frozen=True, slots=True)
class Promo:
    """One promo of the operator's file. `id` is its name there; times in UTC."""

    id: str
    version: int
    kind: Kind
    title: Mapping[str, str]
    """By language, as the customer reads it."""
    code: str | None = None
    """What a customer types, as `typed` makes it; None when it applies by itself."""
    percent: Decimal = Decimal(0)
    at_most: Money | None = None
    """The most that a percentage saves; it fits prices of this currency only."""
    steps: tuple[Step, ...] = ()
    gives: Mapping[str, str] = field(default_factory=dict)
    """By the plan that is paid: the plan that is delivered, both by their codes."""
    points: int = 0
    plans: tuple[str, ...] = ()
    """Codes of the plans it fits; empty for all."""
    carriers: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """The first moment at which it is over."""
    min_spend: Money | None = None
    per_user: int | None = None
    total: int | None = None
    """How many orders it holds for in all; None for any number."""
    new_user: bool = False
    """Only for who has paid no order before."""
    stacks: bool = False
    """An automatic one that holds together with a code and with others that stack."""
    posted: bool = False
    """It holds only for who comes from a group's post of a campaign."""
    active: bool = True


def typed(text: str) -> str:
    """A code as it is compared: full width, case, spaces and dashes say nothing."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in plain if unicodedata.category(c)[0] not in "ZPC")


def misfit(promo: Promo, plan: Plan, price: Money, now: datetime) -> str | None:
    """Why it gives nothing for this plan at this list price, as a reason code; None if it does."""
    if not promo.active or (promo.ends_at is not None and now >= promo.ends_at):
        return "promo_over"
    if promo.starts_at is not None and now < promo.starts_at:
        return "promo_early"
    if promo.carriers and plan.carrier not in promo.carriers:
        return "promo_other_plan"
    if promo.plans and plan.code not in promo.plans:
        return "promo_other_plan"
    if promo.kind is Kind.PLAN:
        return None if plan.code in promo.gives else "promo_other_plan"
    if promo.min_spend is not None and not _reaches(price, promo.min_spend):
        return "promo_too_little"
    if promo.kind is Kind.SAVE and not saving(promo, price).minor:
        return "promo_too_little"
    if promo.kind is Kind.PERCENT and not saving(promo, price).minor:
        return "promo_other_plan"
    return None


def _reaches(price: Money, least: Money) -> bool:
    return price.currency == least.currency and price.minor >= least.minor


def saving(promo: Promo, price: Money) -> Money:
    """What it takes off this list price, whatever else holds."""
    nothing = Money(0, price.currency)
    if promo.kind is Kind.PERCENT:
        if promo.at_most is not None and promo.at_most.currency != price.currency:
            return nothing
        found = Money.rounded(price.major * promo.percent / 100, price.currency, ROUND_FLOOR)
        return found if promo.at_most is None else min(found, promo.at_most)
    if promo.kind is Kind.SAVE:
        reached = [step.save for step in promo.steps if _reaches(price, step.spend)]
        return max(reached, default=nothing)
    return nothing


def delivers(plan: Plan, bigger: Plan) -> bool:
    """Whether the bigger plan can be delivered in the plan's place, and is not less."""
    fixed = plan.price is not None and bigger.price is not None
    same = (plan.carrier, plan.supplier, plan.region, plan.currency) == (
        bigger.carrier, bigger.supplier, bigger.region, bigger.currency,
    )  # fmt: skip
    more = bigger.days >= plan.days and (
        bigger.unlimited or (not plan.unlimited and (bigger.data or 0) >= (plan.data or 0))
    )
    return fixed and same and more and bigger.active and plan.code != bigger.code


def as_if(plan: Plan, bigger: Plan) -> Plan:
    """The bigger plan as it is sold in the plan's place: its content, under the plan's own code
    and price, so that vouchers, late money and the next renewal are the plan's."""
    return replace(bigger, code=plan.code, version=plan.version, price=plan.price)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A promo that fits, and the plan it delivers if it gives one."""

    promo: Promo
    bigger: Plan | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What holds for one price."""

    discounts: tuple[Discount, ...] = ()
    bigger: Plan | None = None

    def holds(self, promo: Promo) -> bool:
        """Whether the promo is among them."""
        return any(discount.promo == promo.id for discount in self.discounts)


def best(code: Candidate | None, automatic: Sequence[Candidate], price: Money) -> Chosen:
    """What saves the most by the rule above; of equals the one with the code."""
    stacking = [one for one in automatic if one.promo.stacks]
    together = [code, *stacking] if code is not None else stacking
    choices = [together, *([one] for one in automatic if not one.promo.stacks)]
    # max() keeps the first of equals: the code, then the operator's order.
    return _sum(max(choices, key=lambda choice: _worth(choice, price)), price)


def _worth(choice: Collection[Candidate], price: Money) -> tuple[int, int]:
    """What a choice is worth to the customer in minor units of the price; then its points."""
    chosen = _sum(choice, price)
    found = sum(discount.amount.minor for discount in chosen.discounts)
    if chosen.bigger is not None and chosen.bigger.price is not None:
        found += max(chosen.bigger.price.minor - price.minor, 0)
    return found, sum(discount.points for discount in chosen.discounts)


def _sum(choice: Collection[Candidate], price: Money) -> Chosen:
    """The lines of a choice: never more than leaves one smallest unit to pay, one plan at most."""
    left, found = max(price.minor - 1, 0), list[Discount]()
    bigger = None
    for one in choice:
        if one.bigger is not None and bigger is not None:
            continue
        bigger = bigger or one.bigger
        amount = min(saving(one.promo, price).minor, left)
        left -= amount
        if amount or one.bigger is not None or one.promo.points:
            less = Money(amount, price.currency)
            found.append(Discount(one.promo.id, one.promo.title, less, one.promo.points))
    return Chosen(tuple(found), bigger)
