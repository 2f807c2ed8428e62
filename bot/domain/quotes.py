"""One frozen, complete price (F12). What a quote says is exactly what is charged."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.money import STARS, Money
from bot.domain.plans import Plan
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
    """`per_unit` Stars for one major unit of `currency`, as the operator set it."""

    currency: str
    per_unit: Decimal


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
    rate: Rate | None
    stars: Money | None
    """Total when paid in Telegram Stars; None when the operator set no rate."""
    old_expiry: datetime | None
    new_expiry: datetime | None
    created_at: datetime
    expires_at: datetime

    def stands(self, now: datetime) -> bool:
        """Whether it may still be confirmed."""
        return now < self.expires_at


def make_quote(
    *,
    id: str,
    chat_id: int,
    sim: Sim,
    plan: Plan,
    amount: Money | None,
    rates: dict[str, Decimal],
    now: datetime,
) -> Quote:
    """Price `plan` for `sim`. `rates` are Stars per major unit by currency.

    Stars are rounded up to a whole Star. Raises QuoteRefused with `amount_needed`,
    `amount_out_of_range` or `plan_inactive`.
    """
    if not plan.active:
        raise QuoteRefused("plan_inactive")
    price = plan.price
    if plan.open_amount is not None:
        if amount is None:
            raise QuoteRefused("amount_needed")
        if not plan.open_amount.accepts(amount):
            raise QuoteRefused("amount_out_of_range")
        price = amount
    assert price is not None  # noqa: S101  Plan guarantees one of the two
    per_unit = Decimal(1) if price.currency == STARS else rates.get(price.currency)
    return Quote(
        id=id,
        version=1,
        chat_id=chat_id,
        sim_id=sim.id,
        plan=plan,
        price=price,
        rate=None if per_unit is None else Rate(price.currency, per_unit),
        stars=None if per_unit is None else price.convert(per_unit, STARS),
        old_expiry=sim.expiry,
        new_expiry=extended(sim.expiry, plan.days, now) if plan.days else sim.expiry,
        created_at=now,
        expires_at=now + LIFETIME,
    )
