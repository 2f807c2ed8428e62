"""SIMs: what a state is made of, what is urgent, and what a renewal does to the dates."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.sims import (
    Reading,
    Sim,
    SimForm,
    SimState,
    Source,
    Tracking,
    days_left,
    extended,
    mask,
    urgency,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GIB = 1 << 30
READING = Reading(Source.SUPPLIER, NOW, NOW, SimState.ACTIVE)
SIM = Sim("s1", 1, 1001, Tracking.MANAGED, SimForm.ESIM, "boom eSIM", "esim_access")


def line(
    *,
    expiry: timedelta | None = 10 * DAY,
    grace_end: timedelta | None = None,
    read: SimState | None = None,
    left: int | None = None,
    total: int = 100,
) -> Sim:
    """A SIM with dates relative to NOW and `left` of `total` MiB."""
    reading = replace(READING, state=read or SimState.UNKNOWN)
    if left is not None:
        reading = replace(reading, data_total=total << 20, data_used=(total - left) << 20)
    return replace(
        SIM,
        expiry=None if expiry is None else NOW + expiry,
        grace_end=None if grace_end is None else NOW + grace_end,
        reading=reading if read or left is not None else None,
    )


@pytest.mark.parametrize(
    ("sim", "state"),
    [
        (line(), SimState.ACTIVE),
        (line(expiry=None), SimState.UNKNOWN),
        (line(expiry=None, read=SimState.ACTIVE), SimState.ACTIVE),
        (line(expiry=None, read=SimState.EXPIRED), SimState.EXPIRED),
        (line(read=SimState.PENDING_ACTIVATION), SimState.PENDING_ACTIVATION),
        (line(read=SimState.SUSPENDED), SimState.SUSPENDED),
        (line(read=SimState.LOST), SimState.LOST),
        (line(read=SimState.USED_UP, left=50), SimState.USED_UP),
        (line(read=SimState.LOW), SimState.LOW),
        (line(left=20), SimState.ACTIVE),
        (line(left=19), SimState.LOW),
        (line(left=1), SimState.LOW),
        (line(left=0), SimState.USED_UP),
        (line(read=SimState.LOW, left=0), SimState.USED_UP),
        # Dates outweigh an older reading.
        (line(expiry=timedelta(0), read=SimState.ACTIVE), SimState.EXPIRED),
        (line(expiry=-DAY, left=80), SimState.EXPIRED),
        (line(expiry=-DAY, grace_end=DAY), SimState.EXPIRED),
        (line(expiry=-DAY, grace_end=timedelta(0)), SimState.LOST),
        (line(expiry=-DAY, grace_end=-DAY), SimState.LOST),
        # A renewal outweighs "expired", too.
        (line(expiry=DAY, read=SimState.EXPIRED), SimState.ACTIVE),
        # What only the carrier can know outweighs the dates.
        (line(expiry=-DAY, grace_end=DAY, read=SimState.LOST), SimState.LOST),
        (line(expiry=-DAY, read=SimState.SUSPENDED), SimState.SUSPENDED),
    ],
)
def test_the_state_at_a_moment(sim: Sim, state: SimState) -> None:
    assert sim.state_at(NOW) is state


@given(st.integers(-500, 500), st.integers(0, 100), st.integers(0, 500))
def test_a_line_with_dates_goes_from_active_to_expired_to_lost_and_never_back(
    start: int, grace: int, wait: int
) -> None:
    sim = line(expiry=start * DAY, grace_end=(start + grace) * DAY)
    order = [SimState.ACTIVE, SimState.EXPIRED, SimState.LOST]
    assert order.index(sim.state_at(NOW)) <= order.index(sim.state_at(NOW + wait * DAY))


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_data_left_is_never_negative_and_its_share_within_one(total: int, used: int) -> None:
    reading = replace(READING, data_total=total, data_used=used)
    left, share = reading.data_left, reading.data_share_left
    assert left == max(0, total - used)
    assert share is None if total == 0 else share is not None and 0 <= share <= 1


def test_what_was_not_told_is_not_zero() -> None:
    assert replace(READING, data_total=GIB).data_left is None
    assert replace(READING, data_used=GIB).data_left is None
    assert READING.data_share_left is None


def test_the_most_urgent_line_comes_first() -> None:
    in_grace_long = line(expiry=-2 * DAY, grace_end=30 * DAY)
    in_grace_short = line(expiry=-DAY, grace_end=2 * DAY)
    soon, later, undated = line(expiry=DAY), line(expiry=40 * DAY), line(expiry=None)
    lost = line(expiry=-90 * DAY, grace_end=-60 * DAY)
    mixed = [lost, later, undated, soon, in_grace_long, in_grace_short]
    assert sorted(mixed, key=lambda sim: urgency(sim, NOW)) == [
        in_grace_short,
        in_grace_long,
        soon,
        later,
        undated,
        lost,
    ]


@pytest.mark.parametrize("read", list(SimState))
@pytest.mark.parametrize("expiry", [None, -DAY, DAY])
@pytest.mark.parametrize("grace_end", [None, -timedelta(hours=1), 2 * DAY])
def test_every_line_has_a_place_in_the_list(
    read: SimState, expiry: timedelta | None, grace_end: timedelta | None
) -> None:
    key = urgency(line(expiry=expiry, grace_end=grace_end, read=read), NOW)
    assert key <= urgency(line(expiry=None, read=SimState.LOST), NOW)


@pytest.mark.parametrize(
    ("zone", "until", "days"),
    [
        ("UTC", "2026-11-20T23:59", 0),
        ("UTC", "2026-11-21T00:00", 1),
        ("UTC", "2026-11-23T11:00", 3),  # 71 hours from now, and three dates on
        ("UTC", "2026-11-19T13:00", -1),
        ("Asia/Shanghai", "2026-11-20T16:00", 1),  # midnight there
        ("America/New_York", "2026-11-21T04:59", 0),
        ("Europe/Berlin", "2027-03-29T00:00", 129),  # over a change of its clocks
    ],
)
def test_days_left_are_days_of_the_calendar_where_somebody_lives(
    zone: str, until: str, days: int
) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    end = datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert days_left(end, now, ZoneInfo(zone)) == days


@given(st.one_of(st.none(), st.integers(-1000, 1000)), st.integers(0, 1000))
def test_a_renewal_counts_from_the_later_of_expiry_and_now(left: int | None, days: int) -> None:
    expiry = None if left is None else NOW + left * DAY
    base = NOW if expiry is None else max(expiry, NOW)
    assert extended(expiry, days, NOW) == base + days * DAY


def test_two_renewals_are_as_good_as_one_long_one() -> None:
    expiry = NOW + 3 * DAY
    twice = extended(extended(expiry, 30, NOW), 60, NOW + DAY)
    assert twice == extended(expiry, 90, NOW)


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        ("", ""),
        ("123456", "••••••"),
        ("1234567", "••••67"),
        ("12345678901", "••••01"),
        ("+13055550100", "+130••••0100"),
        ("8985200000000000013", "8985••••0013"),
    ],
)
def test_identifiers_are_masked(identifier: str, shown: str) -> None:
    assert mask(identifier) == shown


@given(st.text("0123456789", max_size=22))
def test_a_mask_always_hides_four_characters_or_all(identifier: str) -> None:
    shown = mask(identifier).replace("•", "")
    assert len(identifier) - len(shown) >= min(4, len(identifier))
