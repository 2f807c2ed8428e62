"""How often a SIM is read: the more urgent, the more often."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.sims import SimState
from bot.domain.watching import after_failure, every, jittered, next_read
from tests.unit.store.samples import NOW, days, managed, minutes, reading

HOUR = timedelta(hours=1)


def line(expiry: float | None = 30, **read: Any) -> Any:
    end = None if expiry is None else days(expiry)
    return managed(expiry=end, grace_end=None, reading=reading(expiry=end, **read))


@pytest.mark.parametrize(
    ("left", "hours"), [(0.9, 0.5), (2.9, 2), (9, 6), (11, 24), (-5, 24), (None, 24)]
)
def test_the_nearer_the_end_the_oftener(left: float | None, hours: float) -> None:
    assert every(line(left), NOW, running=False, waiting_since=None) == hours * HOUR


def test_low_data_and_a_running_order_are_urgent() -> None:
    low = line(data_total=100, data_used=81)
    assert every(low, NOW, running=False, waiting_since=None) == 2 * HOUR
    assert every(line(), NOW, running=True, waiting_since=None) == HOUR / 2
    over = line(-1, data_total=100, data_used=100)
    assert every(over, NOW, running=False, waiting_since=None) == 24 * HOUR


def test_a_grace_period_is_watched_to_its_end() -> None:
    grace = managed(expiry=days(-20), grace_end=days(2), reading=reading(expiry=days(-20)))
    assert every(grace, NOW, running=False, waiting_since=None) == 2 * HOUR


@pytest.mark.parametrize(
    ("waited", "interval"), [(0, 5), (20, 5), (60, 15), (240, 60), (9999, 360)]
)
def test_a_wait_for_activation_is_watched_with_growing_intervals(
    waited: float, interval: float
) -> None:
    pending = line(179, state=SimState.PENDING_ACTIVATION)
    found = every(pending, NOW, running=False, waiting_since=minutes(-waited))
    assert found == timedelta(minutes=interval)


def test_jitter_is_the_sims_own_and_never_makes_it_later() -> None:
    found = {jittered(HOUR, f"sim-{number}") for number in range(200)}
    assert len(found) == 200
    assert all(0.8 * HOUR <= span <= HOUR for span in found)
    assert jittered(HOUR, "a") == jittered(HOUR, "a")


def test_what_was_never_read_is_read_at_once() -> None:
    fresh = managed()
    assert next_read(fresh, NOW, running=False, waiting_since=None) == NOW
    at = next_read(line(30), NOW, running=False, waiting_since=None)
    assert NOW + 0.8 * 24 * HOUR <= at <= NOW + 24 * HOUR


def test_failures_make_the_pause_longer_up_to_a_limit() -> None:
    pauses = [after_failure("a", failures) for failures in range(1, 9)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= timedelta(minutes=5)
    assert 4 * HOUR < pauses[-1] <= 6 * HOUR
