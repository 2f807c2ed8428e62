"""What Reloadly's operators sell, in our words, and what it costs us."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bot.carriers.reloadly_api import Operator
from bot.domain.money import Money
from bot.domain.plans import OpenAmount
from bot.ports import SupplierPlan


@dataclass(frozen=True, slots=True)
class Order:
    """One top-up as the supplier wants it asked for."""

    operator: Operator
    amount: Decimal
    local: bool
    """`amount` is in the currency the phone receives, not in our account's."""
    cost: Money
    delivered: Money


def sold(operator: Operator) -> list[SupplierPlan]:
    """One plan for each fixed amount, or one range; none while the operator is switched off.

    The supplier says nothing of validity or data: `days` is 0.
    """
    if not (_active(operator) and _priced(operator)):
        return []
    if operator.denomination_type == "FIXED":
        return [
            SupplierPlan(
                code=_code(operator, amount),
                cost=_cost(operator, amount, _fixed_local(operator)),
                days=0,
                data=None,
                name=_description(operator, amount),
            )
            for amount in _fixed(operator)
        ]
    amounts = _range(operator)
    if amounts is None:
        return []
    return [
        SupplierPlan(
            code=str(operator.operator_id),
            cost=None,
            days=0,
            data=None,
            amount=amounts,
            name=operator.name,
        )
    ]


def order_for(operator: Operator, code: str, amount: Money | None) -> Order | str:
    """What to ask for, or why it can't be had: a reason code the views know."""
    if not _active(operator):
        return "operator_down"
    if not _priced(operator):
        return "not_sold_now"
    if operator.denomination_type == "FIXED":
        for one in _fixed(operator):
            if _code(operator, one) == code:
                return _order(operator, one, _fixed_local(operator))
        return "not_sold_now"
    amounts = _range(operator)
    if amounts is None or code != str(operator.operator_id):
        return "not_sold_now"
    if amount is None:
        return "amount_needed"
    if not amounts.accepts(amount):
        return "amount_out_of_range"
    if _range_local(operator) or not _converted(operator):
        return _order(operator, amount.major, _range_local(operator))
    sender = Money.rounded(
        amount.major / operator.fx.rate, operator.sender_currency_code, ROUND_CEILING
    ).major
    return _order(operator, min(sender, operator.max_amount or sender), local=False)


def _active(operator: Operator) -> bool:
    return operator.status.upper() == "ACTIVE"


def _priced(operator: Operator) -> bool:
    """Its exchange rate is known where one is needed."""
    return operator.fx.rate > 0 or not _converted(operator)


def _converted(operator: Operator) -> bool:
    return operator.sender_currency_code != operator.destination_currency_code


def _order(operator: Operator, amount: Decimal, local: bool) -> Order:
    rate = operator.fx.rate if _converted(operator) and not local else Decimal(1)
    arrives = Money.rounded(amount * rate, operator.destination_currency_code, ROUND_FLOOR)
    return Order(operator, amount, local, _cost(operator, amount, local), arrives)


def _cost(operator: Operator, amount: Decimal, local: bool) -> Money:
    """What our account is charged, rounded up: the amount less its discount, and the fees, those
    of a local order in the phone's currency. The smaller discount is the local one's."""
    fees = operator.fees
    if local:
        discount, flat, share = operator.local_discount, fees.local, fees.local_percentage
    else:
        discount, flat = operator.international_discount, fees.international
        share = fees.international_percentage
    due = amount * (100 - discount + share) / 100 + flat
    if local and _converted(operator):
        due /= operator.fx.rate
    return Money.rounded(due, operator.sender_currency_code, ROUND_CEILING)


# ---- fixed amounts -----------------------------------------------------------------------


def _fixed_local(operator: Operator) -> bool:
    return operator.supports_local_amounts and bool(operator.local_fixed_amounts)


def _fixed(operator: Operator) -> list[Decimal]:
    """Each once, in the phone's currency where the supplier takes that, else in our account's."""
    local = _fixed_local(operator)
    return list(dict.fromkeys(operator.local_fixed_amounts if local else operator.fixed_amounts))


def _code(operator: Operator, amount: Decimal) -> str:
    """The currency stands with a local amount, so that the same figure never means another one
    when an operator begins or ends to take local amounts."""
    currency = operator.destination_currency_code if _fixed_local(operator) else ""
    return f"{operator.operator_id}:{_plain(amount)}{currency}"


def _plain(amount: Decimal) -> str:
    """15, 15.0 and 15.00 alike."""
    return f"{amount.normalize():f}"


def _description(operator: Operator, amount: Decimal) -> str:
    """The supplier's words for an amount; its keys are amounts with any number of zeros."""
    local = _fixed_local(operator)
    told = (
        operator.local_fixed_amounts_descriptions if local else operator.fixed_amounts_descriptions
    )
    for key, text in told.items():
        if text and _same(key, amount):
            return text
    currency = operator.destination_currency_code if local else operator.sender_currency_code
    return f"{operator.name} {_plain(amount)} {currency}"


def _same(key: str, amount: Decimal) -> bool:
    try:
        return Decimal(key) == amount
    except ArithmeticError:
        return False


# ---- ranges ------------------------------------------------------------------------------


def _range_local(operator: Operator) -> bool:
    return (
        operator.supports_local_amounts
        and operator.local_min_amount is not None
        and operator.local_max_amount is not None
    )


def _range(operator: Operator) -> OpenAmount | None:
    """What can be chosen, always in the phone's currency; converted inwards where the supplier
    takes only amounts of our account's. It names no step: any smallest unit is one."""
    if _range_local(operator):
        low, high, rate = operator.local_min_amount, operator.local_max_amount, Decimal(1)
    else:
        low, high = operator.min_amount, operator.max_amount
        rate = operator.fx.rate if _converted(operator) else Decimal(1)
    if low is None or high is None:
        return None
    currency = operator.destination_currency_code
    least = Money.rounded(low * rate, currency, ROUND_CEILING)
    most = Money.rounded(high * rate, currency, ROUND_FLOOR)
    return OpenAmount(least, most, Money(1, currency)) if least <= most else None
