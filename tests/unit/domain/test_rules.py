"""Keep-number rules: which one is in force, what counts, until when."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money
from bot.domain.rules import (
    Activity,
    Confidence,
    Evidence,
    Overridden,
    Override,
    Pack,
    Report,
    cautious,
    counts,
    deadline,
    effective,
    keep_rule,
    kept_days,
    pack_of,
    packs_for,
)
from bot.domain.sims import KeepRule, Source
from tests.unit.store.samples import NOW, sim

OFFICIAL = Evidence({"en": "page"}, Confidence.OFFICIAL, "2019")
DATASET = Evidence({"en": "review"}, Confidence.DATASET, "2026")
USERS = Evidence({"en": "users"}, Confidence.COMMUNITY)
A = Activity


def pack(**changes: object) -> Pack:
    """A carrier that counts use."""
    made = Pack(
        code="acme", name="Acme prepaid", carrier="Acme", aliases=("Acme Mobile",), country="GB",
        counts=(A.SMS, A.TOP_UP), counts_by=(OFFICIAL,), intervals=(Report(180, (OFFICIAL,)),),
        graces=(),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def said(**fields: object) -> Overridden:
    """The operator's word."""
    return Overridden("acme", Override(**fields), "cli:ann", NOW)  # type: ignore[arg-type]


def test_of_differing_reports_the_shorter_counts_and_the_other_stays_visible() -> None:
    reports = (Report(180, (DATASET,)), Report(120, (OFFICIAL,)))
    rule = effective("x", pack(graces=reports), None)
    assert rule is not None
    assert rule.grace is not None
    assert (rule.grace.days, rule.grace.source) == (120, Source.RULE)
    assert rule.grace.report == reports[1]
    assert rule.grace.differing == (reports[0],)


def test_of_equal_reports_the_more_believable_is_named() -> None:
    reports = (Report(120, (USERS,)), Report(120, (OFFICIAL, USERS)))
    assert cautious(reports) is reports[1]


def test_an_unverified_short_report_still_counts() -> None:
    """A number lost to a rule that was doubted is lost; a reminder too early costs an SMS."""
    rumour = Evidence({"en": "?"}, Confidence.UNVERIFIED)
    assert cautious((Report(365, (OFFICIAL,)), Report(30, (rumour,)))).days == 30


def test_the_operator_stands_above_the_pack_field_by_field() -> None:
    rule = effective("x", pack(graces=(Report(90, (OFFICIAL,)),)), said(grace_days=60))
    assert rule is not None
    assert rule.interval is not None
    assert rule.grace is not None
    assert (rule.interval.days, rule.interval.source) == (180, Source.RULE)
    assert (rule.grace.days, rule.grace.source) == (60, Source.OPERATOR)
    assert [report.days for report in rule.grace.differing] == [90]


def test_the_owner_stands_above_both_and_a_copy_is_no_word_of_theirs() -> None:
    own = effective("x", pack(), said(interval_days=60), KeepRule(30, 5))
    assert own is not None
    assert own.interval is not None
    assert (own.interval.days, own.source) == (30, Source.CUSTOMER)
    copied = effective("x", pack(), said(interval_days=60), KeepRule(180, None, Source.RULE))
    assert copied is not None
    assert copied.interval is not None
    assert (copied.interval.days, copied.source) == (60, Source.OPERATOR)


def test_nothing_known_is_no_rule_and_unknown_stays_unknown() -> None:
    assert effective("x", None, None) is None
    rule = effective("x", pack(intervals=(), counts=()), None)
    assert rule is not None
    assert (rule.interval, rule.grace, rule.counts) == (None, None, None)
    assert [kept_days(rule, kind) for kind in Activity] == [None] * 6
    assert keep_rule(rule) is None


@pytest.mark.parametrize(
    ("kinds", "counted"),
    [
        ((A.SMS, A.TOP_UP), {A.SMS, A.TOP_UP, A.USED}),
        ((A.TOP_UP,), {A.TOP_UP, A.USED}),
        ((A.USED,), set(A)),
    ],
)
def test_what_counts_is_what_the_rule_says(
    kinds: tuple[Activity, ...], counted: set[Activity]
) -> None:
    rule = effective("x", pack(counts=kinds), None)
    assert rule is not None
    assert {kind for kind in Activity if counts(rule, kind)} == counted


def test_an_owners_rule_without_a_pack_counts_a_top_up_and_nothing_else() -> None:
    rule = effective("Nobody Mobile", None, None, KeepRule(90))
    assert rule is not None
    assert {kind for kind in Activity if counts(rule, kind)} == {A.TOP_UP}
    assert rule.by_validity


def test_what_was_paid_decides_where_the_rule_says_so() -> None:
    tiers = (
        Report(30, (OFFICIAL,), Money(1000, "USD"), Money(2500, "USD")),
        Report(365, (OFFICIAL,), Money(10_000, "USD")),
    )
    rule = effective("x", pack(counts=(A.TOP_UP,), intervals=tiers), None)
    assert rule is not None
    assert rule.tiers == tiers
    assert kept_days(rule, A.TOP_UP) == 30
    assert kept_days(rule, A.TOP_UP, 1) == 365
    assert kept_days(rule, A.TOP_UP, 7) == 30
    assert kept_days(rule, A.SMS, 1) is None
    shops = effective("x", pack(intervals=tiers), said(interval_days=45))
    assert shops is not None
    assert shops.tiers == ()


@pytest.mark.parametrize(
    ("kinds", "by_validity"),
    [
        ((A.TOP_UP,), True),
        ((A.TOP_UP, A.PLAN), True),
        ((A.SMS, A.TOP_UP), False),
        ((A.USED,), False),
    ],
)
def test_only_payments_make_a_validity(kinds: tuple[Activity, ...], by_validity: bool) -> None:
    rule = effective("x", pack(counts=kinds), None)
    assert rule is not None
    assert rule.by_validity is by_validity


def test_a_deadline_is_the_end_of_a_local_day() -> None:
    found = deadline(date(2026, 1, 5), 180, "Asia/Shanghai")
    assert found == datetime(2026, 7, 4, 15, 59, 59, tzinfo=UTC)


ZONES = ["UTC", "Asia/Manila", "America/New_York", "Pacific/Kiritimati"]


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 3660), st.sampled_from(ZONES))
def test_a_later_activity_or_a_longer_rule_never_brings_a_deadline_closer(
    day: date, days: int, zone: str
) -> None:
    first = deadline(day, days, zone)
    assert first < deadline(day, days + 1, zone)
    assert first < deadline(day.fromordinal(day.toordinal() + 1), days, zone)


def test_packs_are_found_by_name_and_country() -> None:
    packs = {"acme": pack(), "far": pack(code="far", name="Far", country="PH", aliases=("Acme",))}
    assert [p.code for p in packs_for(packs, " ACME  mobile")] == ["acme"]
    assert [p.code for p in packs_for(packs, "Acme", "PH")] == ["far"]
    assert [p.code for p in packs_for(packs, "Acme")] == ["acme", "far"]
    assert packs_for(packs, "Acm") == ()


def test_a_sims_pack_is_the_chosen_one_or_the_only_one() -> None:
    packs = {"a": pack(code="a"), "b": pack(code="b", name="Acme plan")}
    line = sim(carrier="Acme", rule=None)
    assert pack_of(packs, line) is None
    assert pack_of({"a": packs["a"]}, line) == packs["a"]
    assert pack_of(packs, replace(line, rule=KeepRule(1, None, Source.RULE, "b"))) == packs["b"]
    assert pack_of(packs, replace(line, rule=KeepRule(1, None, Source.RULE, "gone"))) is None
