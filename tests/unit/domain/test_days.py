"""Dates and lengths as people type them, and the dates of self-tracked lines."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.days import DayProblem, add_months
from bot.domain.keepalive import dates_after, dates_until, parse_day, parse_days
from bot.domain.sims import KeepRule

TODAY = date(2026, 11, 20)
THE_DAY = date(2026, 12, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-03", "2026/12/3", "2026.12.3", "2026 12 3", "20261203", "２０２６－１２－０３",
        "2026年12月3日", "2026 年 12 月 3 号", "二〇二六年十二月三日", "12月3日", "12月3號",
        "十二月三日", "今年12月3日", "3.12.2026", "3 Dec", "3rd of December", "03-Dec-2026",
        "3 dec 26", "Dec 3", "December 3rd, 2026", "Dec. 3 2026", "3号", "3日", "下个月3号",
        "下月三日", "13 days", "in 13 days", "13天后", "13 天後", "十三天后", "+13", "+ 13 days",
        "13日之后", "再过13天", "expires on 3 Dec", "到期：2026-12-03", "有效期至2026年12月3日",
        "2026-12-03 23:59", "until 2026-12-03.", "12月3日到期",
    ],
)  # fmt: skip
def test_many_ways_to_write_one_day(text: str) -> None:
    assert parse_day(text, TODAY) == THE_DAY


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", date(2026, 11, 20)), ("今天", date(2026, 11, 20)),
        ("tomorrow", date(2026, 11, 21)), ("明天", date(2026, 11, 21)),
        ("聽日", date(2026, 11, 21)), ("后天", date(2026, 11, 22)), ("後天", date(2026, 11, 22)),
        ("大后天", date(2026, 11, 23)), ("day after tomorrow", date(2026, 11, 22)),
        ("in 2 weeks", date(2026, 12, 4)), ("两周后", date(2026, 12, 4)),
        ("3个月后", date(2027, 2, 20)), ("半年后", date(2027, 5, 20)),
        ("in one month", date(2026, 12, 20)), ("a year", date(2027, 11, 20)),
        ("月底", date(2026, 11, 30)), ("end of the month", date(2026, 11, 30)),
        ("明年1月2日", date(2027, 1, 2)), ("1月3日", date(2027, 1, 3)), ("Jan 3", date(2027, 1, 3)),
        ("11月20日", date(2026, 11, 20)), ("25/12", date(2026, 12, 25)),
        ("12/25/2026", date(2026, 12, 25)), ("25/12/2026", date(2026, 12, 25)),
        ("5/5/2027", date(2027, 5, 5)), ("2月29日", date(2028, 2, 29)),
        ("31号", date(2026, 12, 31)), ("20号", date(2026, 11, 20)),
    ],
)  # fmt: skip
def test_days_that_lie_ahead(text: str, day: date) -> None:
    assert parse_day(text, TODAY) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("昨天", date(2026, 11, 19)), ("yesterday", date(2026, 11, 19)),
        ("前天", date(2026, 11, 18)), ("3天前", date(2026, 11, 17)),
        ("2 weeks ago", date(2026, 11, 6)), ("a month ago", date(2026, 10, 20)),
        ("12月3日", date(2025, 12, 3)), ("3 Dec", date(2025, 12, 3)),
        ("11月19日", date(2026, 11, 19)), ("31号", date(2026, 10, 31)),
        ("Feb 29", date(2024, 2, 29)), ("2026-01-05", date(2026, 1, 5)),
    ],
)  # fmt: skip
def test_days_that_lie_behind(text: str, day: date) -> None:
    assert parse_day(text, TODAY, past=True) == day


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", DayProblem.EMPTY), ("  。", DayProblem.EMPTY), ("hello", DayProblem.NOT_UNDERSTOOD),
        ("30", DayProblem.NOT_UNDERSTOOD), ("周五", DayProblem.NOT_UNDERSTOOD),
        ("8986001234", DayProblem.NOT_UNDERSTOOD), ("二十十三天", DayProblem.NOT_UNDERSTOOD),
        ("3/12", DayProblem.AMBIGUOUS), ("3/12/2026", DayProblem.AMBIGUOUS),
        ("3-12-2026", DayProblem.AMBIGUOUS), ("26-12-03", DayProblem.AMBIGUOUS),
        ("3.12", DayProblem.AMBIGUOUS), ("30 Feb", DayProblem.NO_SUCH_DAY),
        ("31/04/2026", DayProblem.NO_SUCH_DAY), ("2026-02-29", DayProblem.NO_SUCH_DAY),
        ("13月3日", DayProblem.NO_SUCH_DAY), ("32号", DayProblem.NO_SUCH_DAY),
        ("0000-01-01", DayProblem.NO_SUCH_DAY), ("本月31号", DayProblem.NO_SUCH_DAY),
        ("2062-12-03", DayProblem.TOO_FAR), ("9999 days", DayProblem.TOO_FAR),
        ("9999 years ago", DayProblem.TOO_FAR),
    ],
)  # fmt: skip
def test_what_is_no_day_or_two_days_is_refused_with_the_reason(
    text: str, problem: DayProblem
) -> None:
    assert parse_day(text, TODAY) is problem


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("365", 365), ("365 天", 365), ("365日", 365), ("365 days", 365), ("１８０", 180),
        ("1 年", 365), ("一年", 365), ("a year", 365), ("6 months", 180), ("六个月", 180),
        ("半年", 180), ("half a year", 180), ("12 months", 365), ("18个月", 545),
        ("2 weeks", 14), ("两星期", 14), ("0", 0), ("none", 0), ("没有", 0),
    ],
)  # fmt: skip
def test_lengths(text: str, days: int) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", DayProblem.EMPTY), ("abc", DayProblem.NOT_UNDERSTOOD),
        ("-5", DayProblem.NOT_UNDERSTOOD),
        ("1.5", DayProblem.NOT_UNDERSTOOD), ("99999", DayProblem.NOT_UNDERSTOOD),
        ("50 years", DayProblem.TOO_FAR),
    ],
)  # fmt: skip
def test_lengths_that_are_none(text: str, problem: DayProblem) -> None:
    assert parse_days(text) is problem


@settings(max_examples=500, derandomize=True, database=None)
@given(st.text(alphabet="0123456789年月日号天后前 -/.+adnmoyectinkw一二十半个下明", max_size=14))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(parse_day(text, TODAY), date | DayProblem)
    assert isinstance(parse_day(text, date(2028, 2, 29), past=True), date | DayProblem)
    assert isinstance(parse_days(text), int | DayProblem)


def test_months_end_where_the_month_ends() -> None:
    assert add_months(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert add_months(date(2028, 2, 29), 12) == date(2029, 2, 28)
    assert add_months(date(2026, 1, 15), -1) == date(2025, 12, 15)


def test_a_line_lives_to_the_end_of_the_local_day() -> None:
    dates = dates_after(date(2026, 1, 5), KeepRule(365, 120), "Asia/Manila")
    assert dates.expiry == datetime(2027, 1, 5, 15, 59, 59, tzinfo=UTC)
    assert dates.grace_end == datetime(2027, 5, 5, 15, 59, 59, tzinfo=UTC)


def test_unknown_grace_and_no_grace_are_not_the_same() -> None:
    assert dates_after(TODAY, KeepRule(30), "UTC").grace_end is None
    none = dates_until(TODAY, 0, "America/New_York")
    assert none.grace_end == none.expiry == datetime(2026, 11, 21, 4, 59, 59, tzinfo=UTC)


@settings(max_examples=100, derandomize=True, database=None)
@given(
    st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(1, 400), st.integers(0, 400),
    st.sampled_from(["Africa/Cairo", "America/Santiago", "Pacific/Chatham", "Asia/Kathmandu"]),
)  # fmt: skip
def test_grace_is_never_before_expiry_and_both_show_their_day(
    day: date, validity: int, grace: int, zone: str
) -> None:
    from bot.domain.zones import local_date
    from bot.domain.zones import zone as zone_of

    dates = dates_after(day, KeepRule(validity, grace), zone)
    assert dates.grace_end is not None
    assert dates.grace_end >= dates.expiry
    assert local_date(dates.expiry, zone_of(zone)) == day + timedelta(days=validity)
    assert local_date(dates.grace_end, zone_of(zone)) == day + timedelta(days=validity + grace)
