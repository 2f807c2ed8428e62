"""Posters: equal ones have equal marks, and time changes them when it is said to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.posters import COUNTED_DAYS, Poster, days_left, line, next_change
from bot.domain.promos import Kind, Promo, Step

PLAN = Plan("p", 1, "C", "s", "c", {"en": "P"}, 30, Money(1000, "USD"), data=1 << 30)
BIG = replace(PLAN, code="b", price=Money(2000, "USD"), data=5 << 30)
POSTER = Poster("c", 1, ("en",), "UTC", {"en": "T"}, ends_at=datetime(2027, 1, 1, tzinfo=UTC))
MOMENTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001  hypothesis wants naive bounds
    datetime(2026, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(
    MOMENTS,
    st.integers(0, 40 * 24 * 3600),
    st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin"]),
)
def test_the_days_change_when_it_is_said_and_not_before(
    now: datetime, seconds: int, zone: str
) -> None:
    tz, ends_at = ZoneInfo(zone), now + timedelta(seconds=seconds)
    change = next_change(ends_at, now, tz)
    if now >= ends_at:
        assert change is None
        return
    assert change is not None
    assert now < change <= ends_at
    shown = days_left(ends_at, now, tz)
    assert shown is None or 0 <= shown < COUNTED_DAYS
    for moment in (now + (change - now) / 2, change - timedelta(seconds=1)):
        if moment >= now:
            assert days_left(ends_at, moment, tz) == shown
    if change < ends_at:
        assert days_left(ends_at, change, tz) == (COUNTED_DAYS - 1 if shown is None else shown - 1)


def test_without_an_end_nothing_changes() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert next_change(None, now, ZoneInfo("UTC")) is None
    assert days_left(None, now, ZoneInfo("UTC")) is None


def test_equal_posters_have_equal_marks() -> None:
    assert POSTER.ends_at is not None
    same = replace(POSTER, ends_at=POSTER.ends_at.astimezone(timezone(timedelta(0), "Z")))
    assert same.mark() == POSTER.mark()
    others = [
        replace(POSTER, places=1), replace(POSTER, places=0), replace(POSTER, extra="x"),
        replace(POSTER, ended="over"), replace(POSTER, languages=("en", "zh_Hans")),
        replace(POSTER, days_left=1), replace(POSTER, ends_at=None), replace(POSTER, version=2),
        replace(POSTER, lines=(line(PLAN, promo(), None),)),
    ]  # fmt: skip
    assert len({POSTER.mark(), *(other.mark() for other in others)}) == len(others) + 1


def promo(**changes: object) -> Promo:
    base = Promo("x", 1, Kind.PERCENT, {}, percent=Decimal(10), posted=True)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_line_has_the_price_before_and_after() -> None:
    tenth = line(PLAN, promo(), None)
    assert (tenth.before, tenth.after) == (Money(1000, "USD"), Money(900, "USD"))
    everything = (Step(Money(0, "USD"), Money(5000, "USD")),)
    assert line(PLAN, promo(kind=Kind.SAVE, steps=everything), None).after == Money(1, "USD")
    bigger = line(PLAN, promo(kind=Kind.PLAN), BIG)
    assert bigger.after == Money(1000, "USD")
    assert bigger.bigger is not None
    assert (bigger.bigger.data, bigger.bigger.code) == (5 << 30, "p")
