"""Plans and the frozen price made of one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import STARS, Money
from bot.domain.plans import Length, OpenAmount, Plan
from bot.domain.quotes import (
    LIFETIME,
    Offered,
    Quote,
    QuoteRefused,
    Rate,
    Reduction,
    Terms,
    list_price,
    make_quote,
)
from bot.domain.sales import Method
from bot.domain.sims import Sim, SimForm, Tracking

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GIB = 1 << 30
RATES = {"USD": Decimal(77), "PHP": Decimal("1.4")}
SIM = Sim("s1", 1, 1001, Tracking.MANAGED, SimForm.ESIM, "boom eSIM", "esim_access")
PLAN = Plan(
    "boom-30d-5gb", 3, "boom eSIM", "esim_access", "T_30_5", {"en": "5 GB, 30 days"}, 30,
    price=Money(1200, "USD"), data=5 * GIB,
)  # fmt: skip
AMOUNT = OpenAmount(Money.of(50, "PHP"), Money.of(1000, "PHP"), Money.of(25, "PHP"))
OPEN = replace(PLAN, code="smart-any", price=None, open_amount=AMOUNT, data=None, days=365)


def quote(
    *,
    plan: Plan = PLAN,
    sim: Sim = SIM,
    amount: Money | None = None,
    rates: dict[str, Decimal] = RATES,
    now: datetime = NOW,
) -> Quote:
    table = {(code, STARS): Rate(code, STARS, rate) for code, rate in rates.items()}
    return make_quote(
        id="q1", chat_id=1001, sim=sim, plan=plan, price=list_price(plan, amount),
        reduction=Reduction(), offered=Offered({Method.STARS: Terms((STARS,))}, table), now=now,
    )  # fmt: skip


def stars(made: Quote) -> Money | None:
    """What it costs in Stars."""
    total = made.total(Method.STARS)
    return None if total is None else total.amount


# Plans


def test_a_plan_has_one_price_and_not_two() -> None:
    with pytest.raises(ValueError, match="either a price or an open amount"):
        replace(PLAN, price=None)
    with pytest.raises(ValueError, match="either a price or an open amount"):
        replace(PLAN, open_amount=AMOUNT)


def test_the_currency_is_that_of_what_is_set() -> None:
    assert (PLAN.currency, OPEN.currency) == ("USD", "PHP")


@pytest.mark.parametrize(
    ("days", "length"),
    [
        (1, Length.DAY),
        (3, Length.DAY),
        (7, Length.WEEK),
        (14, Length.WEEK),
        (28, Length.MONTH),
        (31, Length.MONTH),
        (90, Length.SEASON),
        (180, Length.SEASON),
        (365, Length.YEAR),
        (366, Length.YEAR),
    ],
)
def test_plans_are_grouped_by_length(days: int, length: Length) -> None:
    assert replace(PLAN, days=days).length is length


def test_an_open_amount_is_a_group_of_its_own() -> None:
    assert OPEN.length is Length.AMOUNT


@given(st.integers(0, 4000), st.integers(0, 4000))
def test_longer_plans_are_never_in_a_shorter_group(a: int, b: int) -> None:
    order = list(Length)
    short, long = replace(PLAN, days=min(a, b)).length, replace(PLAN, days=max(a, b)).length
    assert order.index(short) <= order.index(long)


@given(
    st.integers(0, 10**6), st.integers(1, 10**4), st.integers(0, 1000), st.integers(-(10**6), 10**8)
)
def test_an_open_amount_takes_exactly_the_steps_from_least_to_most(
    least: int, step: int, steps: int, asked: int
) -> None:
    most = least + step * steps
    amount = OpenAmount(Money(least, "PHP"), Money(most, "PHP"), Money(step, "PHP"))
    assert amount.accepts(Money(asked, "PHP")) == (asked in range(least, most + 1, step))
    assert amount.accepts(Money(least, "PHP"))
    assert amount.accepts(Money(most, "PHP"))
    assert not amount.accepts(Money(least, "USD"))


def test_price_per_day_and_gigabyte() -> None:
    assert PLAN.price_per_day() == Decimal("0.40")
    assert PLAN.price_per_gb() == Decimal("2.40")


def test_no_price_per_day_or_gigabyte_where_it_would_say_nothing() -> None:
    assert replace(PLAN, days=1).price_per_day() is None
    assert replace(PLAN, days=0).price_per_day() is None
    assert replace(PLAN, data=None).price_per_gb() is None
    assert replace(PLAN, data=0).price_per_gb() is None
    assert replace(PLAN, unlimited=True).price_per_gb() is None
    assert OPEN.price_per_day() is None
    assert OPEN.price_per_gb() is None


@given(st.integers(1, 10**9), st.integers(2, 3650), st.sampled_from(["USD", "JPY", "KWD", "XTR"]))
def test_price_per_day_is_within_half_a_shown_unit_of_the_truth(
    minor: int, days: int, currency: str
) -> None:
    plan = replace(PLAN, price=Money(minor, currency), days=days)
    shown, exact = plan.price_per_day(), Money(minor, currency).major / days
    assert shown is not None
    assert abs(shown - exact) <= Decimal("0.005")


# Quotes


def test_a_quote_freezes_plan_price_rate_total_and_dates() -> None:
    made = quote(sim=replace(SIM, expiry=NOW + timedelta(days=2)))
    assert made.plan is PLAN
    assert made.price == Money(1200, "USD")
    [total] = made.totals
    assert total.rate == Rate("USD", STARS, Decimal(77))
    assert total.amount == Money(924, STARS)
    assert (made.old_expiry, made.new_expiry) == (
        NOW + timedelta(days=2),
        NOW + timedelta(days=32),
    )
    assert (made.created_at, made.expires_at) == (NOW, NOW + LIFETIME)


def test_a_quote_stands_until_its_end_and_not_a_moment_longer() -> None:
    made = quote()
    assert made.stands(NOW)
    assert made.stands(made.expires_at - timedelta(microseconds=1))
    assert not made.stands(made.expires_at)


@pytest.mark.parametrize("expiry", [None, NOW - timedelta(days=40), NOW])
def test_a_line_that_is_over_or_unknown_counts_from_now(expiry: datetime | None) -> None:
    assert quote(sim=replace(SIM, expiry=expiry)).new_expiry == NOW + timedelta(days=30)


@pytest.mark.parametrize("expiry", [None, NOW - timedelta(days=1), NOW + timedelta(days=5)])
def test_a_plan_without_days_moves_no_date(expiry: datetime | None) -> None:
    made = quote(plan=replace(PLAN, days=0), sim=replace(SIM, expiry=expiry))
    assert made.new_expiry == made.old_expiry == expiry


@given(st.integers(-400, 400), st.integers(1, 400))
def test_a_renewal_never_takes_validity_away(left: int, days: int) -> None:
    expiry = NOW + timedelta(days=left)
    made = quote(plan=replace(PLAN, days=days), sim=replace(SIM, expiry=expiry))
    assert made.new_expiry is not None
    assert made.new_expiry >= expiry
    assert made.new_expiry >= NOW + timedelta(days=days)
    assert made.new_expiry == max(expiry, NOW) + timedelta(days=days)


def test_without_a_rate_there_is_no_total_in_stars() -> None:
    made = quote(rates={})
    assert (made.totals, made.price) == ((), Money(1200, "USD"))


def test_a_plan_priced_in_stars_needs_no_rate() -> None:
    made = quote(plan=replace(PLAN, price=Money(500, STARS)), rates={})
    assert stars(made) == made.price == Money(500, STARS)


@pytest.mark.parametrize("rates", [{STARS: Decimal(2)}, {}])
def test_no_setting_changes_a_price_in_stars(rates: dict[str, Decimal]) -> None:
    made = quote(plan=replace(PLAN, price=Money(500, STARS)), rates=rates)
    assert stars(made) == Money(500, STARS)


@given(st.integers(1, 10**7), st.decimals("0.0001", "10000", places=4))
def test_the_total_in_stars_is_never_below_the_rate(minor: int, rate: Decimal) -> None:
    price = Money(minor, "USD")
    made = quote(plan=replace(PLAN, price=price), rates={"USD": rate})
    total = stars(made)
    assert total is not None
    assert total.minor >= 1
    assert 0 <= total.minor - price.major * rate < 1


def test_an_open_amount_is_the_price() -> None:
    made = quote(plan=OPEN, amount=Money.of(150, "PHP"))
    assert made.price == Money.of(150, "PHP")
    assert stars(made) == Money(210, STARS)


@pytest.mark.parametrize(
    ("plan", "amount", "reason"),
    [
        (replace(PLAN, active=False), None, "plan_inactive"),
        (replace(OPEN, active=False), Money.of(150, "PHP"), "plan_inactive"),
        (OPEN, None, "amount_needed"),
        (OPEN, Money.of(49, "PHP"), "amount_out_of_range"),
        (OPEN, Money.of(1001, "PHP"), "amount_out_of_range"),
        (OPEN, Money.of(60, "PHP"), "amount_out_of_range"),
        (OPEN, Money.of(100, "USD"), "amount_out_of_range"),
        (OPEN, Money.of(-50, "PHP"), "amount_out_of_range"),
    ],
)
def test_what_can_not_be_quoted_says_why(plan: Plan, amount: Money | None, reason: str) -> None:
    with pytest.raises(QuoteRefused) as refused:
        quote(plan=plan, amount=amount)
    assert refused.value.reason == reason


def test_a_fixed_price_can_not_be_talked_down() -> None:
    assert quote(amount=Money(1, "USD")).price == Money(1200, "USD")
