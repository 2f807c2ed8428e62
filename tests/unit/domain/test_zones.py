"""Local days and quiet hours, at the changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.zones import (
    QuietHours,
    at_local,
    ceil_minute,
    day_end,
    day_start,
    floor_minute,
    is_zone,
    local_date,
    zone,
)

MINUTE = timedelta(minutes=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize("name", ["", "Nowhere", "../etc/passwd", "Asia", "中国"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    assert not is_zone(name)
    with pytest.raises(ValueError, match="not a time zone"):
        zone(name)


def test_minutes_round_down_and_up() -> None:
    assert floor_minute(utc(2026, 1, 1, 8, 0, 59)) == utc(2026, 1, 1, 8)
    assert ceil_minute(utc(2026, 1, 1, 8, 0, 1)) == utc(2026, 1, 1, 8, 1)
    assert ceil_minute(utc(2026, 1, 1, 8)) == utc(2026, 1, 1, 8)


@pytest.mark.parametrize(
    ("name", "day", "clock", "moment"),
    [
        ("Asia/Shanghai", date(2026, 12, 3), time(9), utc(2026, 12, 3, 1)),
        ("Asia/Kathmandu", date(2026, 12, 3), time(9), utc(2026, 12, 3, 3, 15)),
        # 02:30 does not exist: an hour later on the wall.
        ("America/New_York", date(2026, 3, 8), time(2, 30), utc(2026, 3, 8, 7, 30)),
        # 01:30 comes twice: the first.
        ("America/New_York", date(2026, 11, 1), time(1, 30), utc(2026, 11, 1, 5, 30)),
        # Half an hour of summer time.
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), utc(2026, 10, 3, 15, 45)),
        # Samoa had no 30 December 2011: the same hour a day later.
        ("Pacific/Apia", date(2011, 12, 30), time(9), utc(2011, 12, 30, 19)),
    ],
)
def test_a_local_time_as_a_moment(name: str, day: date, clock: time, moment: datetime) -> None:
    assert at_local(day, clock, zone(name)) == moment


@pytest.mark.parametrize(
    ("name", "day", "end"),
    [
        ("Asia/Shanghai", date(2026, 12, 3), utc(2026, 12, 3, 15, 59, 59)),
        ("UTC", date(2028, 2, 28), utc(2028, 2, 28, 23, 59, 59)),
        # The day after begins at 01:00: midnight is left out.
        ("Africa/Cairo", date(2026, 4, 23), utc(2026, 4, 23, 21, 59, 59)),
        # The hour before midnight comes twice: the day ends after the second.
        ("Africa/Cairo", date(2026, 10, 29), utc(2026, 10, 29, 21, 59, 59)),
        ("Pacific/Apia", date(2011, 12, 29), utc(2011, 12, 30, 9, 59, 59)),
    ],
)
def test_the_last_second_of_a_local_day(name: str, day: date, end: datetime) -> None:
    tz = zone(name)
    assert day_end(day, tz) == end
    assert local_date(end, tz) == day
    assert local_date(end + timedelta(seconds=1), tz) > day


def test_a_day_that_begins_later_than_midnight() -> None:
    tz = zone("Africa/Cairo")
    start = day_start(date(2026, 4, 24), tz)
    assert start.astimezone(tz).time() == time(1)
    assert local_date(start - timedelta(seconds=1), tz) == date(2026, 4, 23)


def quiet(name: str, start: time = time(22), end: time = time(8)) -> QuietHours:
    return QuietHours(start, end, zone(name))


def test_quiet_hours_over_midnight_within_a_day_and_none() -> None:
    night = quiet("Asia/Shanghai")
    assert night.cover(utc(2026, 1, 1, 14))  # 22:00
    assert night.cover(utc(2026, 1, 1, 23, 59))  # 07:59
    assert not night.cover(utc(2026, 1, 2, 0))  # 08:00
    noon = quiet("Asia/Shanghai", time(12), time(14))
    assert noon.cover(utc(2026, 1, 1, 5))
    assert not noon.cover(utc(2026, 1, 1, 6))
    never = quiet("UTC", time(3), time(3))
    assert not any(never.cover(utc(2026, 1, 1, hour)) for hour in range(24))


# Near the changes: London and Lord Howe both ways, Cairo and Beirut at midnight, a skipped day in
# Samoa, Troll's two hours, and St John's change at a minute past midnight until 2011.
CHANGES = [
    ("Europe/London", utc(2026, 3, 29, 1)), ("Europe/London", utc(2026, 10, 25, 1)),
    ("Australia/Lord_Howe", utc(2026, 10, 3, 15, 30)), ("Australia/Lord_Howe", utc(2026, 4, 4, 15)),
    ("Africa/Cairo", utc(2026, 4, 23, 22)), ("Africa/Cairo", utc(2026, 10, 29, 21)),
    ("Asia/Beirut", utc(2026, 3, 28, 22)), ("Pacific/Apia", utc(2011, 12, 30, 10)),
    ("Antarctica/Troll", utc(2026, 3, 29, 1)), ("Antarctica/Troll", utc(2026, 10, 25, 1)),
    ("America/St_Johns", utc(2010, 11, 7, 2, 31)), ("America/New_York", utc(2026, 11, 1, 6)),
    ("Asia/Shanghai", utc(2026, 6, 1)),
]  # fmt: skip
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 30, 45]))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(CHANGES), st.integers(-1500, 1500), clocks, clocks, st.integers(0, 59))
def test_next_allowed_and_quiet_since_against_the_wall_clock(
    change: tuple[str, datetime], minutes: int, start: time, end: time, seconds: int
) -> None:
    """Both against a search minute by minute."""
    name, centre = change
    hours = quiet(name, start, end)
    moment = centre + minutes * MINUTE
    later = moment
    while hours.cover(later):
        later += MINUTE
    assert hours.next_allowed(moment) == later
    within = moment + timedelta(seconds=seconds)
    assert hours.next_allowed(within) == (within if later == moment else later)
    if hours.cover(moment):
        earlier = moment
        while hours.cover(earlier - MINUTE):
            earlier -= MINUTE
        assert hours.quiet_since(moment) == earlier
    else:
        assert hours.quiet_since(moment) == moment


def test_the_zone_is_kept_as_given() -> None:
    assert zone("Asia/Shanghai") == ZoneInfo("Asia/Shanghai")
