"""Money: exact, one currency at a time, never rounded in the buyer's favour by accident."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import STARS, CurrencyMismatch, Money, decimals

CURRENCIES = st.sampled_from(["XTR", "USD", "CNY", "EUR", "PHP", "JPY", "KWD"])
MINOR = st.integers(-(10**12), 10**12)  # far beyond any price
RATES = st.decimals("0.000001", "1000000", places=6)
amounts = st.builds(Money, MINOR, CURRENCIES)


@pytest.mark.parametrize(
    ("currency", "expected"),
    [("XTR", 0), ("JPY", 0), ("VND", 0), ("USD", 2), ("CNY", 2), ("KWD", 3), ("TND", 3)],
)
def test_decimals_follow_iso_4217(currency: str, expected: int) -> None:
    assert decimals(currency) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("4.50", "USD", 450),
        ("4.5", "USD", 450),
        (10, "USD", 1000),
        ("0", "USD", 0),
        ("-1.05", "USD", -105),
        ("120", "JPY", 120),
        ("120.00", "JPY", 120),
        ("1.234", "KWD", 1234),
        (Decimal("77"), STARS, 77),
        ("1E+2", "USD", 10000),
    ],
)
def test_of_reads_major_units(amount: Decimal | str | int, currency: str, minor: int) -> None:
    assert Money.of(amount, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("amount", "currency"), [("4.505", "USD"), ("0.5", STARS), ("0.1", "JPY"), ("1.2345", "KWD")]
)
def test_of_refuses_a_part_of_the_smallest_unit(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="more decimals than"):
        Money.of(amount, currency)


@pytest.mark.parametrize(
    "amount",
    ["", "four", "1,50", "NaN", "sNaN", "Infinity", "-Infinity", "1e15", "1e999999999", "0E+99"],
)
def test_of_refuses_what_is_no_amount(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.of(amount, "USD")


@given(st.text(max_size=12))
def test_whatever_is_typed_is_money_or_a_value_error(typed: str) -> None:
    try:
        money = Money.of(typed, "PHP")
    except ValueError:
        return
    assert money.major == Decimal(typed)


@pytest.mark.parametrize("amount", ["1.0000000000000000000000000000000000000001", "1e-999999999"])
def test_no_decimal_is_too_small_to_be_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="more decimals than"):
        Money.of(amount, "USD")


@pytest.mark.parametrize("code", ["", "us", "usd", "USDT", "1.5", "$$$", "U D", "ＵＳＤ"])
def test_a_currency_is_three_capital_letters(code: str) -> None:
    with pytest.raises(ValueError, match="not a currency code"):
        Money(1, code)


@given(amounts)
def test_major_units_lead_back_to_the_same_money(money: Money) -> None:
    assert Money.of(money.major, money.currency) == money


@given(MINOR, MINOR, CURRENCIES)
def test_sums_and_order_are_those_of_the_integers(a: int, b: int, currency: str) -> None:
    one, other = Money(a, currency), Money(b, currency)
    assert (one + other).minor == a + b
    assert (one - other).minor == a - b
    assert (one + other) - other == one
    assert (one < other, one <= other, one > other, one >= other) == (a < b, a <= b, a > b, a >= b)


@given(amounts, amounts)
def test_two_currencies_never_meet(one: Money, other: Money) -> None:
    if one.currency == other.currency:
        return
    for act in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(CurrencyMismatch):
            act(one, other)
    assert one != other


@given(st.builds(Money, st.integers(0, 10**12), CURRENCIES), RATES, CURRENCIES)
def test_a_conversion_is_the_least_amount_not_below_the_rate(
    money: Money, rate: Decimal, currency: str
) -> None:
    converted = money.convert(rate, currency)
    exact = money.major * rate
    assert converted.currency == currency
    assert converted.major >= exact
    assert Money(converted.minor - 1, currency).major < exact


@given(st.integers(0, 10**9), st.integers(0, 10**9), RATES)
def test_a_dearer_plan_never_converts_to_less(a: int, b: int, rate: Decimal) -> None:
    low, high = Money(min(a, b), "USD"), Money(max(a, b), "USD")
    assert low.convert(rate, STARS) <= high.convert(rate, STARS)


@given(amounts)
def test_converting_at_par_changes_nothing(money: Money) -> None:
    assert money.convert(Decimal(1), money.currency) == money


@pytest.mark.parametrize(
    ("price", "rate", "stars"),
    [("4.50", "77", 347), ("0.01", "77", 1), ("10.00", "77", 770), ("0", "77", 0)],
)
def test_stars_are_rounded_up_to_a_whole_star(price: str, rate: str, stars: int) -> None:
    assert Money.of(price, "USD").convert(Decimal(rate), STARS) == Money(stars, STARS)


def test_money_is_frozen_and_hashable() -> None:
    money = Money(1, "USD")
    with pytest.raises(AttributeError):
        money.minor = 2  # type: ignore[misc]  # that it can't be set is what is tested
    assert len({money, Money(1, "USD"), Money(1, "CNY")}) == 2
