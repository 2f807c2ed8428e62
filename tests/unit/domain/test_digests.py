"""Several SIMs in one message: what joins, what does not, and that it is announced so."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.chats import Preferences
from bot.domain.digests import Line, announced, joins
from bot.domain.reminders import carried, due, preferences_of, still_true
from bot.domain.sims import OwnReminders, Sim
from bot.domain.stages import Stage
from tests.unit.domain.test_reminders_properties import PROFILE, preference_sets
from tests.unit.store.samples import NOW, days, managed, reading, sim

EVENING = Preferences(hour=18)
MORNING = Preferences(hour=9)
DAY_7 = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # seven days before the sample's expiry


def line(one: Sim, preferences: Preferences = MORNING, *told: str) -> Line:
    return Line(one, preferences, frozenset(told))


def test_what_is_due_later_that_day_joins() -> None:
    found = joins(line(sim(), EVENING), DAY_7 + timedelta(hours=9))
    assert found is not None
    assert found.stage == Stage.parse("expiry-7")


@pytest.mark.parametrize(
    "one",
    [
        line(sim(), replace(EVENING, digest=False)),
        line(sim(snoozed_until=DAY_7 + timedelta(hours=12)), EVENING),
        line(sim(), EVENING, "expiry-7"),
        line(sim(), replace(EVENING, quiet_start=time(8), quiet_end=time(17))),
        line(sim(reminders_stopped=True), EVENING),
    ],
)
def test_what_does_not_join(one: Line) -> None:
    assert joins(one, DAY_7 + timedelta(hours=9)) is None


def test_what_is_not_true_yet_does_not_join() -> None:
    expires_at_six = sim(expiry=DAY_7 + timedelta(hours=18), grace_end=None)
    told = ("expiry-7", "expiry-3", "expiry-1", "expiry-0")
    assert joins(line(expires_at_six, MORNING, *told), DAY_7 + timedelta(hours=9)) is None


def test_the_announcement_tells_of_the_other_sims_message() -> None:
    late, early = line(sim(), EVENING), line(sim("b"), MORNING)
    planned = announced(late, [early], NOW)
    assert planned is not None
    assert planned.at == DAY_7 + timedelta(hours=9)
    alone = announced(late, [], NOW)
    assert alone is not None
    assert alone.at == DAY_7 + timedelta(hours=18)


@PROFILE
@given(
    preference_sets(),
    st.lists(st.tuples(st.integers(1, 40 * 24 * 60), st.integers(0, 23), st.booleans()),
             min_size=2, max_size=4),
)  # fmt: skip
def test_what_is_announced_beside_others_is_what_comes(
    wishes: Preferences, drawn: list[tuple[int, int, bool]]
) -> None:
    """A bot that runs from one announced moment to the next; every SIM is asked each time."""
    lines = {}
    for number, (minutes, hour, alone) in enumerate(drawn):
        end = NOW + timedelta(minutes=minutes)
        one = sim(f"s{number}", expiry=end, grace_end=end + timedelta(days=5),
                  own=OwnReminders(hour=hour, alone=alone))  # fmt: skip
        lines[one.id] = line(one, preferences_of(one, wishes))
    now = NOW
    for _ in range(12):
        planned = {
            name: announced(one, [o for n, o in lines.items() if n != name], now)
            for name, one in lines.items()
        }
        moments = [one.at for one in planned.values() if one is not None]
        if not moments:
            return
        now = min(moments)
        hits = {name: one.due(now) for name, one in lines.items()}
        if any(hit and lines[name].preferences.digest for name, hit in hits.items()):
            hits = {name: hit or joins(lines[name], now) for name, hit in hits.items()}
        assert any(hits.values())
        for name, hit in hits.items():
            promise = planned[name]
            assert (hit is not None) == (promise is not None and promise.at == now), (name, now)
            if hit is not None:
                assert promise is not None
                assert hit.stage == promise.stage
                told = lines[name].settled | {*hit.sent, *hit.skipped}
                lines[name] = replace(lines[name], settled=told)
        now += timedelta(minutes=1)


# ---- dates that are put right --------------------------------------------------------------


def test_a_correction_opens_the_right_stages_and_no_others() -> None:
    old = managed(owner_id=1, expiry=days(3), grace_end=None, reading=reading())
    told = frozenset({"expiry-7", "expiry-3"})
    later = replace(old, expiry=days(5.5))
    kept = carried(old, later, told, MORNING, NOW)
    assert kept == {"expiry-7"}, "told before; the three days are still to come"
    assert due(later, MORNING, kept, NOW) is None
    sooner = replace(old, expiry=days(0.9))
    kept = carried(old, sooner, told, MORNING, NOW)
    assert kept == {"expiry-7", "expiry-3"}
    found = due(sooner, MORNING, kept, NOW)
    assert found is not None
    assert found.stage == Stage.parse("expiry-1")


def test_the_same_day_told_anew_is_no_correction() -> None:
    old = managed(owner_id=1, expiry=days(3), grace_end=None)
    moved = replace(old, expiry=days(3) + timedelta(minutes=9))
    assert carried(old, moved, frozenset({"expiry-3"}), MORNING, NOW) == frozenset()


def test_a_snooze_that_is_over_is_not_repeated_after_a_correction() -> None:
    old = managed(owner_id=1, expiry=days(-2), grace_end=None, snoozed_until=days(-1))
    told = frozenset({"grace-started", "snooze-2026-11-19T12:00Z"})
    moved = replace(old, expiry=days(-5))
    kept = carried(old, moved, told, MORNING, NOW)
    assert due(moved, MORNING, kept, NOW) is None


def test_an_alert_of_data_is_repeated_only_when_there_was_more_again() -> None:
    low = reading(data_total=100, data_used=85, expiry=days(3))
    old = managed(owner_id=1, expiry=days(3), grace_end=None, reading=low)
    told = frozenset({"data-20"})
    same = replace(old, expiry=days(33), reading=replace(low, expiry=days(33)))
    assert carried(old, same, told, MORNING, NOW) >= {"data-20"}
    refilled = replace(low, data_total=200, data_used=165)
    assert carried(old, replace(old, reading=refilled), told, MORNING, NOW) == frozenset()


def test_of_a_sim_that_renews_by_itself_only_the_last_day_is_told() -> None:
    assert preferences_of(sim(), MORNING, renews=True).offsets == (0,)


def test_what_has_passed_is_not_true_any_more() -> None:
    one = sim(expiry=days(-1), grace_end=days(9), keep_deadline=days(-2))
    assert not still_true(one, Stage.parse("expiry-0"), NOW)
    assert not still_true(one, Stage.parse("keep-1"), NOW)
    assert still_true(one, Stage.parse("grace-started"), NOW)
    assert not still_true(one, Stage.parse("data-20"), NOW)
