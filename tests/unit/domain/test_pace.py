"""The pace of use: measured over top-ups and gaps, or not told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.pace import FAR, FRESH, WINDOW, Pace, Use, ordered, pace, topups
from bot.domain.sims import Reading, Source

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
GB = 1 << 30
PROFILE = settings(
    max_examples=200, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


def read(day: float, used: float | None, total: float | None = 10, asked: float = 0) -> Reading:
    """A reading that many days after NOW, in GB."""
    return Reading(
        source=Source.SUPPLIER, as_of=NOW + day * DAY, taken_at=NOW + (day + asked) * DAY,
        data_used=None if used is None else round(used * GB),
        data_total=None if total is None else round(total * GB),
    )  # fmt: skip


def after(days: float) -> datetime:
    """That many days after NOW."""
    return NOW + days * DAY


def known(found: Pace | None) -> Pace:
    """The pace, which is there."""
    assert found is not None
    return found


def test_use_divided_by_time_is_the_pace() -> None:
    found = known(pace([read(-4, 1), read(-2, 2), read(0, 3)], after(20), NOW))
    assert (found.used, found.span, found.per_day) == (2 * GB, 4 * DAY, GB // 2)
    assert found.left == 7 * GB
    assert found.lasts_until == after(14)
    assert found.use is Use.HEAVY
    assert found.afford == round(7 * GB / 20)
    assert found.unused == 0


@pytest.mark.parametrize(
    ("days", "use", "unused"),
    [(6, Use.LIGHT, 4), (7, Use.NORMAL, 3.5), (14, Use.NORMAL, 0), (15, Use.HEAVY, 0)],
)
def test_the_verdict_is_use_against_the_days_left(days: int, use: Use, unused: float) -> None:
    found = known(pace([read(-4, 1), read(0, 3)], after(days), NOW))
    assert found.use is use
    assert found.unused == unused * GB


def test_without_an_expiry_ahead_there_is_a_pace_and_no_verdict() -> None:
    for expiry in (None, after(0), after(-3)):
        found = known(pace([read(-4, 1), read(0, 3)], expiry, NOW))
        assert found.lasts_until == after(14)
        assert (found.to_expiry, found.afford, found.unused, found.use) == (None,) * 4


def test_few_young_or_old_readings_tell_no_pace() -> None:
    assert pace([], after(9), NOW) is None
    assert pace([read(0, 3)], after(9), NOW) is None
    assert pace([read(-0.9, 1), read(0, 3)], after(9), NOW) is None
    assert pace([read(-9, 1), read(-3.1, 3)], after(9), NOW) is None
    assert pace([read(-9, None), read(0, None)], after(9), NOW) is None
    assert pace([read(-9, 1, None), read(0, 2, None)], after(9), NOW) is None


def test_what_was_used_long_ago_does_not_count() -> None:
    old = [read(-29, 0), read(-20, 9)]
    assert known(pace([*old, read(-15, 9), read(0, 9)], after(9), NOW)).used == 0
    # The stretch that reaches into the last days counts whole: nobody knows how it was spread.
    assert known(pace([*old, read(0, 9.5)], after(9), NOW)).span == 20 * DAY


@pytest.mark.parametrize(
    "after_topup", [read(-2, 2.1, 15), read(-2, 0.1, 9), read(-2, 0, 10)],
    ids=["added on top", "new bundle", "same bundle anew"],
)  # fmt: skip
def test_a_topup_is_no_use(after_topup: Reading) -> None:
    used = (after_topup.data_used or 0) / GB
    total = (after_topup.data_total or 0) / GB
    readings = [read(-4, 1), read(-2.1, 2), after_topup, read(0, used + 1, total)]
    found = known(pace(readings, after(20), NOW))
    assert found.used == pytest.approx(2 * GB, abs=2)
    assert found.span == 3.9 * DAY
    assert topups(readings, NOW) == [after(-2)]


def test_data_used_up_lasts_until_the_reading_that_said_so() -> None:
    found = known(pace([read(-4, 9), read(-1, 10)], after(5), NOW))
    assert found.lasts_until == after(-1)
    assert found.use is Use.HEAVY


def test_nothing_used_lasts_for_ever_and_all_of_it_will_be_lost() -> None:
    found = known(pace([read(-4, 1), read(0, 1)], after(5), NOW))
    assert found.lasts_until is None
    assert (found.use, found.unused) == (Use.LIGHT, 9 * GB)


def test_readings_are_put_in_order_and_the_future_is_left_out() -> None:
    twice = read(-1, 3, asked=0.5)
    mixed = [read(0, 4), read(-4, 1), read(-1, 2), twice, read(2, 9), read(-2, None)]
    assert ordered(mixed, NOW) == [read(-4, 1), twice, read(0, 4)]


readings = st.lists(
    st.builds(
        read,
        st.floats(-30, 2),
        st.none() | st.floats(0, 60),
        st.sampled_from([None, 0, 0.01, 1, 10, 50]),
        st.floats(0, 1),
    ),
    max_size=12,
)


@PROFILE
@given(readings, st.none() | st.floats(-5, 400))
def test_a_pace_is_measured_or_not_told(found: list[Reading], ahead: float | None) -> None:
    expiry = None if ahead is None else after(ahead)
    one = pace(found, expiry, NOW)
    assert one == pace(found[::-1], expiry, NOW) or len({r.as_of for r in found}) < len(found)
    if one is None:
        return
    told = ordered(found, NOW)
    assert one.left == told[-1].data_left
    assert NOW - one.as_of <= FRESH
    assert DAY <= one.span <= told[-1].as_of - told[0].as_of
    assert 0 <= one.used <= sum(r.data_used or 0 for r in told)
    assert one.lasts_until is None or one.as_of <= one.lasts_until <= one.as_of + FAR
    assert (one.use is None) == (expiry is None or expiry <= NOW)
    if one.unused is not None and one.afford is not None and expiry is not None:
        assert 0 <= one.unused <= one.left
        sooner = one.lasts_until is not None and one.lasts_until < expiry
        assert (one.use is Use.HEAVY) or not sooner or one.unused <= 1


@PROFILE
@given(st.floats(0.01, 2), st.integers(2, 10), st.floats(0.3, 1), st.integers(1, 9))
def test_an_even_use_is_found_again_over_a_topup(
    rate: float, count: int, step: float, place: int
) -> None:
    if step * (count - 1) < 1.2 or step * count > WINDOW / DAY:
        return
    even = [read((at - count) * step, at * rate * step, 50) for at in range(count + 1)]
    topped = [
        one if at < place else read((at - count) * step, at * rate * step, 70)
        for at, one in enumerate(even)
    ]
    for series in (even, topped):
        found = pace(series, None, NOW)
        if found is not None:
            assert found.per_day == pytest.approx(rate * GB, rel=1e-6)
    assert len(topups(topped, NOW)) == (1 if place <= count else 0)
