"""What a quote charges: exact to the smallest unit, in currencies of 0, 2 and 3 decimals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money, decimals
from bot.domain.quotes import Discount, Rate, Reduction, Terms, reduced, totals
from bot.domain.sales import Method
from bot.payments.stripe_money import NOT_CHARGED, STEPS, from_stripe, to_stripe

CURRENCIES = ("JPY", "KRW", "XTR", "USD", "CNY", "EUR", "MGA", "KWD", "BHD", "TND")
amounts = st.integers(1, 10**9)
percents = st.decimals("0", "50", places=2)
rates = st.decimals("0.0001", "10000", places=4)


@given(amounts, st.sampled_from(CURRENCIES), st.sampled_from(CURRENCIES), percents, rates)
def test_a_total_is_what_is_due_at_the_rate_and_its_fee_and_never_less(
    minor: int, own: str, into: str, percent: Decimal, per_unit: Decimal
) -> None:
    due = Money(minor, own)
    terms = {Method.CARD: Terms((into,), percent=percent, fixed=Decimal("0.3"))}
    table = {(own, into): Rate(own, into, per_unit)}
    [total] = totals(due, terms, table)
    assert (total.rate is None) == (own == into)
    assert total.amount.currency == total.fee.currency == into
    net = total.amount - total.fee
    exact = due.major if own == into else due.major * per_unit
    smallest = Decimal(1).scaleb(-decimals(into))
    assert exact <= net.major < exact + smallest
    fee = net.major * percent / 100 + Decimal("0.3")
    assert fee <= total.fee.major < fee + smallest


@given(amounts, st.sampled_from(CURRENCIES), percents)
def test_what_is_charged_in_its_own_currency_without_a_fee_is_the_price(
    minor: int, currency: str, percent: Decimal
) -> None:
    price = Money(minor, currency)
    assert [t.amount for t in totals(price, {Method.WALLET: Terms()}, {})] == [price]


@given(amounts, st.sampled_from([c for c in CURRENCIES if c not in NOT_CHARGED]), percents)
def test_what_is_quoted_for_a_card_can_be_charged_exactly(
    minor: int, currency: str, percent: Decimal
) -> None:
    terms = {Method.CARD: Terms((currency,), percent=percent, steps=STEPS)}
    [total] = totals(Money(minor, currency), terms, {})
    assert from_stripe(to_stripe(total.amount), currency) == total.amount
    assert (total.amount - total.fee).minor == minor


def test_a_total_below_the_least_is_not_offered() -> None:
    terms = {Method.CARD: Terms(("USD",), least=Decimal("0.5"))}
    assert totals(Money(49, "USD"), terms, {}) == ()
    assert len(totals(Money(50, "USD"), terms, {})) == 1


def test_without_a_rate_a_method_is_not_offered_and_the_others_are() -> None:
    terms = {Method.ALIPAY: Terms(("CNY",)), Method.CARD: Terms(("USD",))}
    assert [t.method for t in totals(Money(100, "USD"), terms, {})] == [Method.CARD]


@pytest.mark.parametrize(("off", "left"), [(0, 1000), (400, 600), (1000, 1), (5000, 1)])
def test_nothing_is_sold_for_nothing(off: int, left: int) -> None:
    promo = Discount("p", {"en": "p"}, Money(off, "USD"))
    assert reduced(Money(1000, "USD"), Reduction((promo,))) == Money(left, "USD")
