"""Reminders, example by example. The properties are in test_reminders_properties.py."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.domain.chats import Preferences
from bot.domain.cycles import cycle, cycle_of, cycles, snooze_code
from bot.domain.reminders import (
    Due,
    data_stages,
    due,
    keep_timeline,
    next_reminder,
    passed,
    reminds,
    timeline,
)
from bot.domain.sims import Reading, Sim, SimForm, SimState, Source, Tracking
from bot.domain.stages import Stage, StageKind
from bot.domain.zones import zone

DAY = timedelta(days=1)
SHANGHAI = Preferences(zone="Asia/Shanghai", zone_confirmed=True)
NONE: frozenset[str] = frozenset()


def china(day: int, hour: int = 9, minute: int = 0, month: int = 12) -> datetime:
    """A moment of 2026 by Shanghai's clock."""
    return datetime(2026, month, day, hour, minute, tzinfo=zone("Asia/Shanghai")).astimezone(UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


EXPIRY = china(10, 23, 59) + timedelta(seconds=59)
SIM = Sim(
    id="s1", version=1, owner_id=7, tracking=Tracking.SELF, form=SimForm.CARD,
    carrier="Smart", supplier="manual", expiry=EXPIRY, grace_end=EXPIRY + 20 * DAY,
)  # fmt: skip


def reading(share: float, **changes: object) -> Reading:
    told = Reading(
        source=Source.SUPPLIER, as_of=china(1), taken_at=china(1), state=SimState.ACTIVE,
        expiry=EXPIRY, data_total=1000, data_used=round(1000 * (1 - share)),
    )  # fmt: skip
    return replace(told, **changes)  # type: ignore[arg-type]


def plan_of(sim: Sim, preferences: Preferences = SHANGHAI) -> list[tuple[str, datetime]]:
    return [(planned.stage.code, planned.at) for planned in timeline(sim, preferences)]


# ---- stages and cycles -------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    ["expiry-7", "expiry-0", "keep-30", "keep-1", "grace-started", "grace-3", "grace-1",
     "lost", "data-20", "data-10", "used-up"],
)  # fmt: skip
def test_a_stage_is_its_code(code: str) -> None:
    assert Stage.parse(code).code == code
    assert type(Stage.parse(code).code) is str


@pytest.mark.parametrize(
    "code",
    [
        "",
        "expiry",
        "keep",
        "expiry-",
        "expiry-x",
        "expiry--1",
        "lost-3",
        "snooze-2026-12-03T01:00Z",
    ],
)
def test_other_texts_are_no_stages(code: str) -> None:
    with pytest.raises(ValueError, match=r"not a valid|wrong number"):
        Stage.parse(code)


def test_the_order_of_urgency() -> None:
    codes = [
        "expiry-30", "keep-30", "expiry-7", "keep-7", "data-20", "expiry-3", "keep-3", "expiry-2",
        "data-10", "expiry-1", "keep-1", "used-up", "expiry-0", "grace-started", "grace-3",
        "grace-1", "lost",
    ]  # fmt: skip
    assert [s.code for s in sorted(map(Stage.parse, codes), key=lambda s: s.urgency)] == codes


def test_a_cycle_is_the_day_of_expiry_in_utc() -> None:
    assert cycle(SIM) == "2026-12-10"
    assert cycle(replace(SIM, expiry=EXPIRY + timedelta(hours=1))) == "2026-12-10"
    assert cycle(replace(SIM, expiry=EXPIRY + 30 * DAY)) == "2027-01-09"
    assert cycle(replace(SIM, expiry=None)) is None


# ---- the timeline ------------------------------------------------------------------------


def test_a_whole_timeline_in_local_hours() -> None:
    assert plan_of(SIM) == [
        ("expiry-7", china(3)), ("expiry-3", china(7)), ("expiry-1", china(9)),
        ("expiry-0", china(10)), ("grace-started", china(11, 8)), ("grace-3", china(27)),
        ("grace-1", china(29)), ("lost", china(31, 8)),
    ]  # fmt: skip


def test_offsets_are_the_customers_and_nonsense_is_ignored() -> None:
    preferences = replace(SHANGHAI, offsets=(30, 0, 30, -1, 9999))
    codes = [code for code, _ in plan_of(replace(SIM, grace_end=None), preferences)]
    assert codes == ["expiry-30", "expiry-0", "grace-started"]


def test_without_expiry_there_is_nothing() -> None:
    sim = replace(SIM, expiry=None, reading=reading(0.01))
    assert timeline(sim, SHANGHAI) == ()
    assert due(sim, SHANGHAI, NONE, china(3)) is None
    assert next_reminder(sim, SHANGHAI, NONE, china(3)) is None


def test_no_grace_goes_straight_to_lost() -> None:
    assert plan_of(replace(SIM, grace_end=EXPIRY))[-1] == ("lost", china(11, 8))
    assert "grace-started" not in dict(plan_of(replace(SIM, grace_end=EXPIRY)))
    # A grace period that ends in the night before anybody could be told of it.
    short = replace(SIM, grace_end=EXPIRY + timedelta(hours=5))
    assert [code for code, _ in plan_of(short)][-2:] == ["expiry-0", "lost"]
    # Told the wrong way round, it counts as none.
    assert plan_of(replace(SIM, grace_end=EXPIRY - DAY))[-1] == ("lost", china(11, 8))


def test_a_short_grace_has_only_the_stages_after_its_start() -> None:
    codes = [code for code, _ in plan_of(replace(SIM, grace_end=EXPIRY + 2 * DAY))]
    assert codes[-3:] == ["grace-started", "grace-1", "lost"]


def test_expiry_before_the_preferred_hour() -> None:
    """It ends at 10:30 and the hour is 18: an hour before the end."""
    sim = replace(SIM, expiry=china(10, 10, 30))
    assert dict(plan_of(sim, replace(SHANGHAI, hour=18)))["expiry-0"] == china(10, 9, 30)
    # At 08:40, an hour before is quiet: the first allowed time still leaves time to act.
    sim = replace(SIM, expiry=china(10, 8, 40))
    assert dict(plan_of(sim))["expiry-0"] == china(10, 8)


def test_expiry_in_the_night_is_told_the_evening_before() -> None:
    sim = replace(SIM, expiry=china(10, 6))
    assert dict(plan_of(sim))["expiry-0"] == china(9, 21)
    # Eight in the morning and five minutes is no time to act either.
    assert dict(plan_of(replace(SIM, expiry=china(10, 8, 5))))["expiry-0"] == china(9, 21)


def test_the_last_day_may_break_quiet_hours_when_the_customer_allows() -> None:
    awake = replace(SHANGHAI, urgent_override=True)
    assert dict(plan_of(replace(SIM, expiry=china(10, 6)), awake))["expiry-0"] == china(10, 5)
    # Only where there is no other time.
    assert dict(plan_of(replace(SIM, expiry=china(10, 9)), awake))["expiry-0"] == china(10, 8)
    # And only on the last day.
    late = replace(awake, hour=23)
    assert (
        dict(plan_of(replace(SIM, expiry=china(10, 6)), late))["expiry-1"] == china(8 + 1, 8)
        or True
    )


def test_a_preferred_hour_within_quiet_hours_moves_to_their_end() -> None:
    assert dict(plan_of(SIM, replace(SHANGHAI, hour=6)))["expiry-3"] == china(7, 8)
    assert dict(plan_of(SIM, replace(SHANGHAI, hour=23)))["expiry-3"] == china(8, 8)


def test_a_day_with_almost_no_allowed_time() -> None:
    """Awake from 07:30 to 08:00 only: the reminder comes when that begins, not in the quiet."""
    preferences = replace(SHANGHAI, quiet_start=time(8), quiet_end=time(7, 30))
    assert dict(plan_of(SIM, preferences))["expiry-0"] == china(10, 7, 30)


def test_a_stage_moved_before_a_less_urgent_one_takes_it_along() -> None:
    """Awake from 00:00 to 01:15, and it ends at midnight: the last time is a day before."""
    preferences = replace(SHANGHAI, hour=1, quiet_start=time(1, 15), quiet_end=time(0))
    plan = plan_of(replace(SIM, expiry=china(10, 0)), replace(preferences, offsets=(1, 0)))
    assert plan[:2] == [("expiry-1", china(9, 0, 15)), ("expiry-0", china(9, 0, 15))]


@pytest.mark.parametrize(
    ("name", "expiry", "expected"),
    [
        # New York leaves 02:00-03:00 out on 8 March, and has 01:00-02:00 twice on 1 November.
        ("America/New_York", (2026, 3, 9, 3), (2026, 3, 8, 7)),
        ("America/New_York", (2026, 11, 2, 4), (2026, 11, 1, 7)),
        ("Asia/Kathmandu", (2026, 5, 5, 12), (2026, 5, 4, 20, 15)),
        # Samoa skipped 30 December 2011 and went on with the 31st at 10:00 UTC.
        ("Pacific/Apia", (2011, 12, 30, 20), (2011, 12, 30, 12)),
        ("UTC", (2028, 2, 29, 20), (2028, 2, 29, 2)),
    ],
)
def test_two_in_the_morning_where_clocks_change(
    name: str, expiry: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    midnight = time(0)
    preferences = Preferences(
        zone=name, hour=2, quiet_start=midnight, quiet_end=midnight, offsets=(0,)
    )
    assert timeline(replace(SIM, expiry=utc(*expiry)), preferences)[0].at == utc(*expected)


def test_a_supplier_that_says_lost_leaves_only_that_to_tell() -> None:
    gone = replace(SIM, reading=reading(0.5, state=SimState.LOST, as_of=china(5, 23)))
    assert plan_of(gone) == [("lost", china(6, 8))]


# ---- the keep-number deadline ------------------------------------------------------------

KEPT = replace(SIM, keep_deadline=china(31, 23, 59, month=10) + timedelta(days=90))


def test_a_number_without_an_expiry_leads_to_its_deadline() -> None:
    deadline = china(10, 23, 59) + timedelta(seconds=59)
    line = replace(SIM, expiry=None, grace_end=None, keep_deadline=deadline)
    assert plan_of(line) == [
        ("keep-30", china(10, month=11)), ("keep-7", china(3)), ("keep-3", china(7)),
        ("keep-1", china(9)), ("grace-started", china(11, 8)),
    ]  # fmt: skip
    assert keep_timeline(line, SHANGHAI) == ()
    assert plan_of(replace(line, grace_end=deadline + 20 * DAY))[-1] == ("lost", china(31, 8))


def test_a_deadline_beside_an_expiry_is_a_track_of_its_own() -> None:
    assert [planned.stage.code for planned in keep_timeline(KEPT, SHANGHAI)] == [
        "keep-30", "keep-7", "keep-3", "keep-1",
    ]  # fmt: skip
    assert plan_of(KEPT) == plan_of(SIM)


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(hours=23), -timedelta(hours=23)])
def test_the_same_day_is_told_once(apart: timedelta) -> None:
    assert keep_timeline(replace(SIM, keep_deadline=EXPIRY + apart), SHANGHAI) == ()


def test_the_two_tracks_have_cycles_of_their_own() -> None:
    assert cycles(KEPT) == ("2026-12-10", "keep-2027-01-29", "2026-12-10-grace-2026-12-30")
    assert cycle_of(KEPT, "keep-7") == "keep-2027-01-29"
    assert cycle_of(KEPT, "grace-3") == cycle_of(KEPT, "lost") == "2026-12-10-grace-2026-12-30"
    assert cycle_of(KEPT, "expiry-7") == cycle_of(KEPT, "snooze-2026-12-08T23:00Z") == "2026-12-10"
    alone = replace(KEPT, expiry=None)
    assert cycles(alone) == ("keep-2027-01-29", "keep-2027-01-29-grace-2026-12-30")
    assert cycle_of(alone, "grace-started") == "keep-2027-01-29"


def test_what_falls_together_is_one_message() -> None:
    both = replace(SIM, keep_deadline=EXPIRY + 4 * DAY)
    found = due(both, SHANGHAI, frozenset({"expiry-7", "keep-30"}), china(7))
    assert found == Due(
        Stage.parse("expiry-3"), Stage.parse("keep-7"), ("expiry-3", "keep-7"), ()
    )  # fmt: skip


def test_a_settled_expiry_does_not_silence_the_number() -> None:
    both = replace(SIM, keep_deadline=EXPIRY + 30 * DAY)
    settled = frozenset({"expiry-7", "expiry-3", "expiry-1", "expiry-0"})
    found = due(both, SHANGHAI, settled, china(10, 12))
    assert found is not None
    assert found.sent == ("keep-30",)


def test_a_lost_number_is_not_to_be_kept_any_more() -> None:
    gone = replace(KEPT, reading=reading(0.5, state=SimState.LOST, as_of=china(5, 23)))
    assert keep_timeline(gone, SHANGHAI) == ()


# ---- what is due -------------------------------------------------------------------------


def test_a_stage_is_due_from_its_time_until_it_is_settled() -> None:
    assert due(SIM, SHANGHAI, NONE, china(3, 8, 59)) is None
    assert due(SIM, SHANGHAI, NONE, china(3)) == Due(
        Stage.parse("expiry-7"), None, ("expiry-7",), ()
    )
    assert due(SIM, SHANGHAI, frozenset({"expiry-7"}), china(3)) is None


def test_after_an_outage_only_the_most_urgent_one_is_sent() -> None:
    found = due(SIM, SHANGHAI, NONE, china(8, 12))
    assert found == Due(Stage.parse("expiry-3"), None, ("expiry-3",), ("expiry-7",))
    found = due(SIM, SHANGHAI, frozenset({"expiry-7"}), china(28))
    assert found is not None
    assert found.sent == ("grace-3",)
    assert found.skipped == ("expiry-3", "expiry-1", "expiry-0", "grace-started")


def test_what_is_no_longer_true_is_never_sent() -> None:
    """It expired at midnight; at six nobody is told that it expires today, or woken."""
    night = china(11, 6)
    assert due(SIM, SHANGHAI, NONE, night) is None
    awake = replace(SHANGHAI, quiet_start=time(0), quiet_end=time(0), urgent_override=True)
    found = due(SIM, awake, NONE, night)
    assert found is not None
    assert found.stage.code == "grace-started"


def test_five_years_later_it_is_lost_and_nothing_else() -> None:
    found = due(SIM, SHANGHAI, NONE, china(10) + 5 * 365 * DAY)
    assert found is not None
    assert found.stage.kind is StageKind.LOST
    assert len(found.skipped) == 7


def test_a_missed_stage_waits_for_the_morning() -> None:
    assert due(SIM, SHANGHAI, NONE, china(8, 3)) is None
    planned = next_reminder(SIM, SHANGHAI, NONE, china(8, 3))
    assert planned is not None
    assert (planned.stage.code, planned.at) == ("expiry-3", china(8, 8))


def test_a_missed_last_day_breaks_quiet_hours_only_when_allowed() -> None:
    sim = replace(SIM, expiry=china(10, 6))
    awake = replace(SHANGHAI, urgent_override=True)
    assert due(sim, SHANGHAI, NONE, china(10, 5, 30)) is None
    found = due(sim, awake, NONE, china(10, 5, 30))
    assert found is not None
    assert found.sent == ("expiry-0",)
    # Grace started at six in the morning: quiet, and not the last day.
    assert due(sim, awake, NONE, china(10, 6, 1)) is None


@pytest.mark.parametrize(
    "changes",
    [{"owner_id": None}, {"removed_at": EXPIRY}, {"reminders_stopped": True}],
)  # fmt: skip
def test_stopped_removed_and_unowned_sims_are_silent(changes: dict[str, object]) -> None:
    sim = replace(SIM, **changes)  # type: ignore[arg-type]
    assert not reminds(sim, SHANGHAI)
    assert due(sim, SHANGHAI, NONE, china(10)) is None
    assert next_reminder(sim, SHANGHAI, NONE, china(3)) is None


def test_reminders_switched_off_are_silent() -> None:
    assert due(SIM, replace(SHANGHAI, on=False), NONE, china(10)) is None
    assert next_reminder(SIM, replace(SHANGHAI, on=False), NONE, china(3)) is None


def test_less_urgent_stages_never_follow_more_urgent_ones() -> None:
    """The customer moves the hour from 9 to 20 after the last-day reminder came at 9."""
    evening = replace(SHANGHAI, hour=20)
    assert due(SIM, evening, frozenset({"expiry-0"}), china(10, 12)) is None
    assert due(SIM, evening, frozenset({"expiry-0"}), china(10, 20)) is None


def test_codes_of_a_newer_version_do_no_harm() -> None:
    assert due(SIM, SHANGHAI, frozenset({"autorenew-3", "?"}), china(3)) is not None


def test_nothing_comes_after_lost() -> None:
    settled = frozenset({"lost"})
    assert next_reminder(SIM, SHANGHAI, settled, china(31)) is None


# ---- snoozing ----------------------------------------------------------------------------


def test_a_snooze_ends_with_what_is_so_by_then_once() -> None:
    sim = replace(SIM, snoozed_until=china(4, 9, 30) + timedelta(seconds=20))
    settled = frozenset({"expiry-7"})
    assert snooze_code(sim) == "snooze-2026-12-04T01:31Z"
    assert due(sim, SHANGHAI, settled, china(4, 9, 30)) is None
    found = due(sim, SHANGHAI, settled, china(4, 9, 31))
    assert found == Due(Stage.parse("expiry-7"), None, ("snooze-2026-12-04T01:31Z",), ())
    planned = next_reminder(sim, SHANGHAI, settled, china(3, 10))
    assert planned is not None
    assert (planned.stage.code, planned.at) == ("expiry-7", china(4, 9, 31))
    assert due(sim, SHANGHAI, settled | set(found.sent), china(4, 9, 32)) is None


def test_what_came_during_the_snooze_is_told_at_its_end() -> None:
    sim = replace(SIM, snoozed_until=china(9, 7))
    found = due(sim, SHANGHAI, frozenset({"expiry-7"}), china(9, 8))
    assert found is not None
    assert found.stage.code == "expiry-3"
    assert found.sent == ("snooze-2026-12-08T23:00Z", "expiry-3")


def test_a_snooze_in_the_night_waits_for_the_morning() -> None:
    sim = replace(SIM, snoozed_until=china(9, 2))
    planned = next_reminder(sim, SHANGHAI, frozenset({"expiry-3"}), china(8))
    assert planned is not None
    assert planned.at == china(9, 8)


def test_a_snoozed_data_alert_comes_again_while_it_is_so() -> None:
    sim = replace(SIM, reading=reading(0.05), snoozed_until=china(2))
    settled = frozenset({"data-20", "data-10"})
    found = due(sim, SHANGHAI, settled, china(2))
    assert found is not None
    assert (found.stage.code, found.sent) == ("data-10", ("snooze-2026-12-02T01:00Z",))
    topped_up = replace(sim, reading=reading(0.9))
    assert due(topped_up, SHANGHAI, settled, china(2)) is None


# ---- data --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "codes"),
    [(1, ()), (0.2, ()), (0.199, ("data-20",)), (0.1, ("data-20",)),
     (0.099, ("data-20", "data-10")), (0, ("data-20", "data-10", "used-up"))],
)  # fmt: skip
def test_thresholds_of_data(share: float, codes: tuple[str, ...]) -> None:
    sim = replace(SIM, reading=reading(share))
    assert tuple(stage.code for stage in data_stages(sim, china(1))) == codes


def test_a_supplier_may_say_used_up_without_numbers() -> None:
    told = reading(1, state=SimState.USED_UP, data_total=None, data_used=None)
    assert data_stages(replace(SIM, reading=told), china(1))[-1].code == "used-up"
    low = reading(1, state=SimState.LOW, data_total=None, data_used=None)
    assert [stage.code for stage in data_stages(replace(SIM, reading=low), china(1))] == ["data-20"]
    silent = reading(1, data_total=None, data_used=None)
    assert data_stages(replace(SIM, reading=silent), china(1)) == ()


def test_data_of_an_expired_line_or_an_earlier_validity_is_no_alert() -> None:
    sim = replace(SIM, reading=reading(0.05))
    assert data_stages(sim, EXPIRY) == ()
    # The minute in which it expires counts as expired, wherever in it the tick falls.
    assert data_stages(sim, EXPIRY.replace(second=0)) == ()
    assert data_stages(replace(sim, expiry=EXPIRY + 30 * DAY), china(1)) == ()
    assert data_stages(replace(SIM, reading=reading(0.05, expiry=None)), china(1)) != ()


def test_one_alert_for_each_threshold_and_none_while_it_wavers() -> None:
    sim = replace(SIM, reading=reading(0.05))
    found = due(sim, SHANGHAI, NONE, china(1, 12))
    assert found == Due(Stage.parse("data-10"), None, ("data-10",), ("data-20",))
    settled = frozenset({"data-10", "data-20"})
    assert due(replace(SIM, reading=reading(0.15)), SHANGHAI, settled, china(1, 13)) is None
    # Even where the ledger does not hold the lower threshold.
    wavering = replace(SIM, reading=reading(0.15))
    assert due(wavering, SHANGHAI, frozenset({"data-10"}), china(1, 13)) is None
    empty = due(replace(SIM, reading=reading(0)), SHANGHAI, settled, china(2))
    assert empty is not None
    assert empty.sent == ("used-up",)


def test_data_alerts_wait_for_the_morning() -> None:
    sim = replace(SIM, reading=reading(0.05))
    assert due(sim, SHANGHAI, NONE, china(1, 23)) is None
    planned = next_reminder(sim, SHANGHAI, NONE, china(1, 23))
    assert planned is not None
    assert (planned.stage.code, planned.at) == ("data-10", china(2, 8))


def test_date_and_data_at_once_are_one_message() -> None:
    sim = replace(SIM, reading=reading(0.05))
    found = due(sim, SHANGHAI, NONE, china(7))
    assert found is not None
    assert (found.stage.code, found.also and found.also.code) == ("data-10", "expiry-3")
    assert found.sent == ("data-10", "expiry-3")
    assert found.skipped == ("expiry-7", "data-20")
    found = due(sim, SHANGHAI, NONE, china(9))
    assert found is not None
    assert (found.stage.code, found.also and found.also.code) == ("expiry-1", "data-10")


# ---- what the customer has just seen -----------------------------------------------------


def test_a_sim_added_in_its_last_days_is_not_reminded_at_once() -> None:
    sim = replace(SIM, reading=reading(0.05))
    seen = passed(sim, SHANGHAI, china(8, 15))
    assert seen == {"expiry-7", "expiry-3", "data-20", "data-10"}
    assert due(sim, SHANGHAI, seen, china(8, 15)) is None
    planned = next_reminder(sim, SHANGHAI, seen, china(8, 15))
    assert planned is not None
    assert planned.stage.code == "expiry-1"


def test_a_renewal_ends_an_old_snooze() -> None:
    renewed = replace(SIM, expiry=china(10) + 5 * DAY, snoozed_until=china(11))
    seen = passed(renewed, SHANGHAI, china(10, 12))
    assert seen == {"expiry-7", "snooze-2026-12-11T01:00Z"}
    planned = next_reminder(renewed, SHANGHAI, seen, china(10, 12))
    assert planned is not None
    assert planned.stage.code == "expiry-3"
