"""Promos and points as rules: what saves how much, what holds together, what points pay."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money
from bot.domain.plans import OpenAmount, Plan
from bot.domain.points import Lot, PointTerms, drawn, earned, expiry, usable
from bot.domain.promos import (
    Candidate,
    Kind,
    Promo,
    Step,
    as_if,
    best,
    delivers,
    misfit,
    saving,
    typed,
)
from bot.domain.quotes import Reduction, reduced

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = Plan(
    "small", 3, "boom eSIM", "esim_access", "T_5", {"en": "5 GB"}, 30, price=Money(1290, "USD"),
    data=5 << 30,
)  # fmt: skip
BIG = replace(PLAN, code="big", supplier_code="T_10", price=Money(2090, "USD"), data=10 << 30)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])


def promo(id: str = "p", kind: Kind = Kind.PERCENT, **changes: object) -> Promo:
    base = Promo(id, 1, kind, {"en": id}, percent=Decimal(10))
    return replace(base, **changes)  # type: ignore[arg-type]


def save(spend: int, less: int, currency: str = "USD", **changes: object) -> Promo:
    steps = (Step(Money(spend, currency), Money(less, currency)),)
    return promo("save", Kind.SAVE, steps=steps, **changes)


@st.composite
def promos(draw: st.DrawFn, currency: str = "USD") -> Promo:
    """Any promo there could be."""
    number = draw(st.integers(0, 10**6))
    kind = draw(st.sampled_from([Kind.PERCENT, Kind.SAVE, Kind.POINTS]))
    steps = draw(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 9000)), max_size=3))
    return promo(
        f"p{number}", kind, percent=draw(st.decimals("0.01", "99.99", places=2)),
        steps=tuple(Step(Money(a, currency), Money(b, currency)) for a, b in steps),
        points=draw(st.integers(0, 50)), stacks=draw(st.booleans()),
        at_most=draw(st.none() | st.builds(Money, st.integers(1, 900), st.just(currency))),
    )  # fmt: skip


def candidates(currency: str = "USD") -> st.SearchStrategy[list[Candidate]]:
    return st.lists(promos(currency).map(Candidate), max_size=5)


# ---- one promo -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "price", "less"),
    [
        (promo(), Money(1295, "USD"), 129),  # rounded down to the cent
        (promo(), Money(19, "JPY"), 1),
        (promo(), Money(1999, "KWD"), 199),
        (promo(at_most=Money(100, "USD")), Money(1290, "USD"), 100),
        (promo(at_most=Money(100, "CNY")), Money(1290, "USD"), 0),
        (save(1000, 200), Money(999, "USD"), 0),
        (save(1000, 200), Money(1000, "USD"), 200),
        (save(0, 200), Money(5, "USD"), 200),
        (save(1000, 200, "CNY"), Money(1290, "USD"), 0),
        (promo(kind=Kind.POINTS, points=9), Money(1290, "USD"), 0),
    ],
)
def test_what_a_promo_saves(one: Promo, price: Money, less: int) -> None:
    assert saving(one, price) == Money(less, price.currency)


def test_of_several_steps_the_highest_reached_counts() -> None:
    steps = tuple(Step(Money(a, "USD"), Money(b, "USD")) for a, b in ((1000, 100), (2000, 300)))
    tiers = promo("full", Kind.SAVE, steps=steps)
    assert [saving(tiers, Money(price, "USD")).minor for price in (999, 1500, 2000, 9000)] == [
        0, 100, 300, 300,
    ]  # fmt: skip


def test_a_window_begins_and_ends_to_the_moment() -> None:
    one = promo(starts_at=NOW, ends_at=NOW + timedelta(days=1))
    tick = timedelta(microseconds=1)
    price = Money(1290, "USD")
    found = [misfit(one, PLAN, price, NOW + span) for span in (-tick, tick * 0, timedelta(days=1))]
    assert found == ["promo_early", None, "promo_over"]
    assert misfit(one, PLAN, price, NOW + timedelta(days=1) - tick) is None


def test_a_code_is_understood_as_people_type_it() -> None:
    assert {
        typed(text) for text in (" spring-10", "ＳＰＲＩＮＧ１０", "Spring 10", "SPRING10.")
    } == {"SPRING10"}


def test_a_bigger_plan_must_come_from_the_same_supplier_and_be_no_less() -> None:
    assert delivers(PLAN, BIG)
    assert delivers(PLAN, replace(BIG, data=None, unlimited=True))
    wrong = [
        replace(BIG, supplier="airalo"), replace(BIG, carrier="Smart"), replace(BIG, region="JP"),
        replace(BIG, days=7), replace(BIG, data=1 << 30), replace(BIG, active=False), PLAN,
        replace(BIG, price=Money(2090, "CNY")),
        replace(BIG, price=None, open_amount=OpenAmount(*[Money(100, "USD")] * 3)),
    ]  # fmt: skip
    assert not any(delivers(PLAN, other) for other in wrong)
    assert not delivers(replace(PLAN, unlimited=True), BIG)


def test_a_bigger_plan_is_sold_under_the_smaller_ones_name() -> None:
    sold = as_if(PLAN, BIG)
    assert (sold.code, sold.version, sold.price) == (PLAN.code, PLAN.version, PLAN.price)
    assert (sold.supplier_code, sold.data) == (BIG.supplier_code, BIG.data)


# ---- together ------------------------------------------------------------------------------


@given(candidates(), st.none() | promos().map(Candidate), st.integers(1, 10**6))
def test_there_is_always_something_left_to_pay(
    automatic: list[Candidate], code: Candidate | None, minor: int
) -> None:
    price = Money(minor, "USD")
    chosen = best(code, automatic, price)
    off = sum(discount.amount.minor for discount in chosen.discounts)
    assert all(discount.amount.minor >= 0 for discount in chosen.discounts)
    assert reduced(price, Reduction(chosen.discounts)) == Money(minor - off, "USD")
    assert minor - off >= 1


@given(candidates(), promos().map(Candidate), promos().map(Candidate), st.integers(1, 10**6))
def test_one_more_promo_or_a_code_never_makes_it_dearer(
    automatic: list[Candidate], code: Candidate, more: Candidate, minor: int
) -> None:
    def due(code: Candidate | None, automatic: list[Candidate]) -> int:
        price = Money(minor, "USD")
        return reduced(price, Reduction(best(code, automatic, price).discounts)).minor

    alone = due(None, automatic)
    assert due(code, automatic) <= alone <= minor
    assert due(None, [*automatic, more]) <= alone
    assert due(code, [*automatic, more]) <= due(code, automatic)


@given(candidates(), st.none() | promos().map(Candidate), st.integers(1, 10**6))
def test_only_what_stacks_stands_with_others(
    automatic: list[Candidate], code: Candidate | None, minor: int
) -> None:
    chosen = best(code, automatic, Money(minor, "USD"))
    stacks = {one.promo.id for one in automatic if one.promo.stacks}
    others = [one for one in chosen.discounts if one.promo not in stacks]
    assert len(others) <= 1
    if others and (code is None or others[0].promo != code.promo.id):
        assert len(chosen.discounts) == 1


@given(promos(), st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_higher_price_never_saves_less(one: Promo, minor: int, more: int) -> None:
    low, high = (saving(one, Money(price, "USD")).minor for price in (minor, minor + more))
    assert low <= high


def test_of_equals_the_code_holds() -> None:
    code = Candidate(promo("code", code="A"))
    chosen = best(code, [Candidate(promo("automatic"))], Money(1000, "USD"))
    assert [one.promo for one in chosen.discounts] == ["code"]


def test_a_bigger_plan_counts_by_what_it_would_cost_and_one_is_enough() -> None:
    give = promo("gift", Kind.PLAN, gives={"small": "big"})
    price = Money(1290, "USD")
    chosen = best(Candidate(give, BIG), [Candidate(save(0, 799))], price)
    assert chosen.bigger == BIG, "800 of a bigger plan are more than 799"
    chosen = best(Candidate(give, BIG), [Candidate(save(0, 801))], price)
    assert (chosen.bigger, chosen.holds(give)) == (None, False)
    both = [Candidate(replace(give, id=name, stacks=True), BIG) for name in "ab"]
    assert [one.promo for one in best(None, both, price).discounts] == ["a"]


def test_points_alone_are_better_than_nothing() -> None:
    bonus = promo("bonus", Kind.POINTS, points=20)
    chosen = best(None, [Candidate(bonus)], Money(1290, "USD"))
    assert [(one.amount.minor, one.points) for one in chosen.discounts] == [(0, 20)]


# ---- points --------------------------------------------------------------------------------


@given(
    CURRENCIES, st.integers(1, 10**7), st.integers(0, 10**6),
    st.decimals("0.0001", "5", places=4), st.decimals("1", "100", places=2),
)  # fmt: skip
def test_points_pay_no_more_than_allowed_and_none_is_taken_for_nothing(
    currency: str, minor: int, balance: int, worth: Decimal, percent: Decimal
) -> None:
    due = Money(minor, currency)
    terms = PointTerms(worth={currency: worth}, most_percent=percent)
    found = usable(due, balance, terms)
    if found is None:
        return
    points, pays = found
    assert 0 < points <= balance
    assert 0 < pays.minor < minor
    assert pays.minor * 100 <= minor * percent
    assert pays.major <= points * worth
    assert (points - 1) * worth < pays.major, "one point less would not pay it"


def test_points_of_a_currency_that_has_no_worth_pay_nothing() -> None:
    assert usable(Money(1000, "CNY"), 100, PointTerms(worth={"USD": Decimal(1)})) is None


def test_earned_points_are_whole_ones() -> None:
    terms = PointTerms({"USD": Decimal(10)})
    assert [earned(Money(minor, "USD"), terms) for minor in (9, 10, 1299)] == [0, 1, 129]
    assert earned(Money(1000, "CNY"), terms) == 0


def test_points_last_whole_months() -> None:
    last = datetime(2026, 8, 31, 12, tzinfo=UTC)
    assert expiry(last, PointTerms(months=6)) == datetime(2027, 2, 28, 12, tzinfo=UTC)


@given(st.lists(st.integers(1, 100), max_size=6), st.integers(1, 500))
def test_points_are_drawn_exactly_and_in_order(lefts: list[int], amount: int) -> None:
    lots = [Lot(number, left, NOW) for number, left in enumerate(lefts)]
    found = drawn(lots, amount)
    if found is None:
        assert sum(lefts) < amount
        return
    assert sum(part for _, part in found) == amount
    assert [seq for seq, _ in found] == list(range(len(found)))
    assert all(part == lefts[seq] for seq, part in found[:-1])
