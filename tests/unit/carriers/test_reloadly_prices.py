"""What Reloadly's operators sell, and what it costs us."""

from decimal import Decimal
from typing import Any

import pytest

from bot.carriers.reloadly_api import Operator
from bot.carriers.reloadly_prices import Order, order_for, sold
from bot.domain.money import Money

RANGE: dict[str, Any] = {
    "operatorId": 548,
    "name": "T-Mobile USA RTR",
    "denominationType": "RANGE",
    "senderCurrencyCode": "USD",
    "destinationCurrencyCode": "USD",
    "minAmount": 10,
    "maxAmount": 100,
    "country": {"isoName": "US"},
}


def operator(**changes: Any) -> Operator:
    return Operator.model_validate({**RANGE, **changes})


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({}, "25.00"),
        ({"internationalDiscount": 4.42}, "23.90"),
        ({"internationalDiscount": "4.42", "localDiscount": 50}, "23.90"),
        ({"fees": {"international": 0.5}}, "25.50"),
        ({"fees": {"internationalPercentage": 2, "local": 99}}, "25.50"),
        ({"fees": {"international": 1, "internationalPercentage": "1"}}, "26.25"),
        ({"internationalDiscount": 33.3333}, "16.67"),
        ({"fees": None, "fx": None, "internationalDiscount": None}, "25.00"),
    ],
)
def test_cost_is_less_its_discount_with_its_fees_rounded_up(
    changes: dict[str, Any], cost: str
) -> None:
    order = order_for(operator(**changes), "548", Money.of(25, "USD"))
    assert isinstance(order, Order)
    assert order.cost == Money.of(cost, "USD")


def test_fees_of_a_local_order_are_of_the_phones_currency() -> None:
    local = operator(
        destinationCurrencyCode="PHP",
        supportsLocalAmounts=True,
        localMinAmount=50,
        localMaxAmount=1000,
        localDiscount=2,
        internationalDiscount=50,
        fx={"rate": 50},
        fees={"local": 10, "localPercentage": 1, "international": 99},
    )
    order = order_for(local, "548", Money.of(100, "PHP"))
    assert isinstance(order, Order)
    assert (order.local, order.cost) == (True, Money.of("2.18", "USD"))


@pytest.mark.parametrize(
    "changes",
    [
        {"destinationCurrencyCode": "HTG"},
        {"destinationCurrencyCode": "HTG", "fx": {"rate": 0}},
        {"minAmount": None},
        {"maxAmount": ""},
        {"minAmount": 100, "maxAmount": 10},
        {"denominationType": "FIXED"},
        {"denominationType": "FIXED", "fixedAmounts": None},
    ],
)
def test_what_has_no_price_is_not_sold(changes: dict[str, Any]) -> None:
    assert sold(operator(**changes)) == []
    assert order_for(operator(**changes), "548", Money.of(25, "USD")) == "not_sold_now"


def test_an_operator_switched_off_may_come_back() -> None:
    off = operator(status="INACTIVE")
    assert sold(off) == []
    assert order_for(off, "548", Money.of(25, "USD")) == "operator_down"


def test_a_converted_amount_never_exceeds_the_suppliers_limit() -> None:
    haiti = operator(destinationCurrencyCode="HTG", fx={"rate": "67.129"}, maxAmount=104)
    (plan,) = sold(haiti)
    assert plan.amount is not None
    order = order_for(haiti, "548", plan.amount.maximum)
    assert isinstance(order, Order)
    assert (order.amount, order.local) == (Decimal(104), False)
    assert order.delivered == plan.amount.maximum


@pytest.mark.parametrize("written", [15, 15.0, "15.00", "15"])
def test_one_amount_has_one_code_however_it_is_written(written: object) -> None:
    fixed = operator(
        denominationType="FIXED",
        fixedAmounts=[written, 100, 0.5],
        fixedAmountsDescriptions={"15.00": "Fifteen", "odd": None},
    )
    plans = sold(fixed)
    assert [plan.code for plan in plans] == ["548:15", "548:100", "548:0.5"]
    assert [plan.name for plan in plans][:2] == ["Fifteen", "T-Mobile USA RTR 100 USD"]


def test_one_figure_in_two_currencies_is_two_codes() -> None:
    both = {"denominationType": "FIXED", "fixedAmounts": [100], "localFixedAmounts": [100]}
    far = {"destinationCurrencyCode": "PHP", "fx": {"rate": 55}}
    here = operator(**both, **far)
    there = operator(**both, **far, supportsLocalAmounts=True)
    assert [plan.code for plan in sold(here)] == ["548:100"]
    assert [plan.code for plan in sold(there)] == ["548:100PHP"]
    assert order_for(there, "548:100", None) == "not_sold_now"
