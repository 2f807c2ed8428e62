"""When postings are due, and what their texts may name."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.campaigns import Repeat, Timing, filled, next_turn, unknown_placeholders

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe",
         "America/Santiago", "Pacific/Apia")  # fmt: skip
MOMENTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001  hypothesis wants naive bounds
    datetime(2028, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(MOMENTS, CLOCKS, st.sampled_from(ZONES), st.sets(st.integers(0, 6), min_size=1))
def test_weekly_turns_come_on_their_days_and_none_is_left_out(
    after: datetime, clock: time, zone: str, weekdays: set[int]
) -> None:
    timing = Timing(Repeat.WEEKLY, clock, zone, weekdays=tuple(sorted(weekdays)))
    first = next_turn(timing, after)
    assert first is not None
    assert after < first <= after + timedelta(days=9)
    second = next_turn(timing, first)
    assert second is not None
    assert second > first
    # Whatever moment one asks from in between, the answer is the same.
    assert next_turn(timing, first + (second - first) / 2) == second
    wall = first.astimezone(ZoneInfo(zone))
    on_time = wall.replace(tzinfo=None).time() == clock and wall.weekday() in weekdays
    assert on_time or _left_out(first, zone), (wall, clock)


def _left_out(moment: datetime, zone: str) -> bool:
    """Whether the zone jumps forward within the day before: then a turn comes later on the wall."""
    tz = ZoneInfo(zone)
    before, now = ((moment - timedelta(hours=h)).astimezone(tz).utcoffset() for h in (26, 0))
    return before != now


@given(MOMENTS, st.integers(1, 31), st.sampled_from(ZONES))
def test_monthly_turns_come_every_month(after: datetime, day: int, zone: str) -> None:
    timing = Timing(Repeat.MONTHLY, time(12), zone, day=day)
    months = []
    for _ in range(14):
        moment = next_turn(timing, after)
        assert moment is not None
        local = moment.astimezone(ZoneInfo(zone)).date()
        following = local + timedelta(days=1)
        assert local.day == day or (following.day == 1 and local.day < day)
        months.append(local.year * 12 + local.month)
        after = moment
    assert months == list(range(months[0], months[0] + 14))


def test_chosen_dates_come_in_order_and_end() -> None:
    timing = Timing(Repeat.DATES, time(9), "UTC", (date(2027, 5, 2), date(2027, 5, 1)))
    first = next_turn(timing, datetime(2027, 1, 1, tzinfo=UTC))
    assert first == datetime(2027, 5, 1, 9, tzinfo=UTC)
    second = next_turn(timing, first)
    assert second == datetime(2027, 5, 2, 9, tzinfo=UTC)
    assert next_turn(timing, second) is None


def test_an_hour_that_comes_twice_is_posted_once() -> None:
    """In Berlin the hour from two to three came twice on 25 October 2026."""
    timing = Timing(Repeat.WEEKLY, time(2, 30), "Europe/Berlin", weekdays=(6,))
    first = next_turn(timing, datetime(2026, 10, 24, tzinfo=UTC))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_turn(timing, first) == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)


def test_placeholders() -> None:
    assert unknown_placeholders("{plan} {price} {} {until}") == ["price", ""]
    assert filled("{plan} for {after}{places}", {"plan": "5 GB", "after": "$8"}) == "5 GB for $8"
    assert filled("{plan}", {"plan": "{after}", "after": "x"}) == "{after}", "filled once"
