"""Reminders and their settings in words."""

from dataclasses import replace
from datetime import date, time

import pytest
from telegram.constants import MessageLimit

from bot.carriers.rules import packs
from bot.chat.screen import Screen
from bot.chat.views import remind_settings as settings
from bot.chat.views import reminders as views
from bot.domain.chats import Preferences
from bot.domain.reminders import Planned
from bot.domain.rules import Rule, effective
from bot.domain.sims import OwnReminders
from bot.domain.stages import Stage, StageKind
from bot.i18n import words
from tests.unit.store.samples import NOW, days, managed, reading, sim

T = words("en")
MANILA = words("en", "Asia/Manila")
GRACE = Stage(StageKind.GRACE_STARTED)


def verbs(screen: Screen) -> list[str]:
    """The data of a screen's buttons."""
    return [one.data or "" for row in screen.rows for one in row]


def shown(
    stage: Stage, one: object = None, *, after: bool = True, also: Stage | None = None
) -> Screen:
    """A reminder now."""
    return views.reminder(T, one or sim(), stage, also, NOW, after_expiry=after)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expiry", "said"),
    [
        (7.0, "expires in 7 days, on 27 Nov"),
        (1.0, "expires tomorrow at 12:00"),
        (0.3, "expires today at 19:12"),
    ],
)
def test_before_expiry_the_day_is_said_by_its_distance(expiry: float, said: str) -> None:
    screen = shown(Stage(StageKind.EXPIRY, 7), sim(expiry=days(expiry)))
    assert said in screen.text
    buttons = {"again:sim-a", "snooze:sim-a", "done:sim-a", "stop:sim-a", "remove:sim-a"}
    assert buttons == set(verbs(screen))


def test_an_esim_that_expires_for_good_is_said_to_in_time() -> None:
    one = managed(owner_id=1, expiry=days(1), grace_end=None)
    assert (
        "can't be topped up after it expires"
        in shown(Stage(StageKind.EXPIRY, 1), one, after=False).text
    )


def test_once_it_has_expired_for_good_nothing_is_offered_that_cannot_be_done() -> None:
    one = managed(owner_id=1, expiry=days(-1), grace_end=None)
    screen = shown(GRACE, one, after=False)
    assert "can't be topped up any more" in screen.text
    assert "again:sim-m" not in verbs(screen)
    assert "replace:sim-m" in verbs(screen)


def test_in_the_grace_period_the_last_day_is_named() -> None:
    one = sim(expiry=days(-1), grace_end=days(9))
    assert "still yours until 29 Nov 12:00" in shown(GRACE, one).text
    assert "9 days left to save the number" in shown(Stage(StageKind.GRACE, 3), one).text


def test_a_lost_number_is_told_kindly_and_can_be_removed() -> None:
    screen = shown(Stage(StageKind.LOST), sim(expiry=days(-9), grace_end=days(-1)))
    assert "may still help" in screen.text
    assert verbs(screen) == ["done:sim-a", "remove:sim-a"]


def test_low_data_shows_the_bar_also_beside_a_date() -> None:
    one = managed(owner_id=1, reading=reading(data_used=(1 << 33) - (1 << 29)))
    assert "512 MB of 8 GB left" in shown(Stage(StageKind.DATA_LOW, 10), one).text
    both = shown(Stage(StageKind.EXPIRY, 7), one, also=Stage(StageKind.DATA_LOW, 10))
    assert "512 MB of 8 GB left" in both.text


def the_rule(code: str) -> Rule:
    """A rule pack as it is in force."""
    rule = effective("", packs()[code], None)
    assert rule is not None
    return rule


def test_in_grace_it_is_said_what_works_what_does_not_and_what_is_lost_when() -> None:
    one = sim(carrier="Smart", expiry=days(-1), grace_end=days(119))
    text = views.reminder(T, one, GRACE, None, NOW, after_expiry=True, rule=the_rule("smart")).text
    assert "still receives calls and SMS. Calling, sending and data are off" in text
    assert "still yours until 19 Mar" in text
    unknown = sim(expiry=days(-1), grace_end=None)
    text = shown(GRACE, unknown).text
    assert "may be off until you renew" in text
    assert "today is safest" in text
    line = managed(owner_id=1, expiry=days(-1), grace_end=days(9))
    text = shown(GRACE, line).text
    assert "Data is off until you renew; what was left" in text
    assert "can still be renewed until 29 Nov" in text
    assert "number" not in text + shown(Stage(StageKind.GRACE, 1), line).text


def test_losses_to_come_are_named_by_their_date() -> None:
    one = sim(carrier="EE", expiry=days(-1), grace_end=None)
    text = views.reminder(T, one, GRACE, None, NOW, after_expiry=True, rule=the_rule("ee_uk")).text
    assert "On 17 Feb" in text, text


def test_near_its_end_the_cheapest_way_and_how_to_do_it_without_the_bot() -> None:
    smart = the_rule("smart")
    for stage, said in ((Stage(StageKind.EXPIRY, 7), False), (Stage(StageKind.EXPIRY, 1), True)):
        one = sim(expiry=days(stage.number or 0))
        text = views.reminder(T, one, stage, None, NOW, after_expiry=True, rule=smart).text
        assert ("Cheapest way known: a top-up" in text) is said
        assert ("Without me: top it up" in text) is said
        assert ("dial <code>*123#</code>" in text) is said


def test_of_a_number_to_be_used_it_is_said_how() -> None:
    one = sim(expiry=None, grace_end=None, keep_deadline=days(3))
    text = views.reminder(
        T, one, Stage(StageKind.KEEP, 3), None, NOW, after_expiry=True, rule=the_rule("giffgaff")
    ).text
    assert "Cheapest way known: an SMS for £0.30" in text
    assert "Without me: send one SMS" in text
    assert "To see whether it has worked: dial <code>43430</code>" in text


def test_a_digest_of_many_fits_a_message_and_its_keyboard() -> None:
    items = [(sim(f"s{n}", nickname="九" * 40), GRACE, None) for n in range(200)]
    screen = views.digest(T, items, NOW)
    assert "200 SIMs need you" in screen.text
    assert "and 190 more SIMs" in screen.text
    assert len(screen.text) < MessageLimit.MAX_TEXT_LENGTH
    assert len(screen.rows) == views.MOST_TOLD + 1


def test_a_digest_tells_also_what_else_is_due() -> None:
    one = managed(owner_id=1, expiry=days(7), reading=reading(data_used=1 << 33))
    both = (one, Stage(StageKind.USED_UP), Stage(StageKind.EXPIRY, 7))
    text = views.digest(T, [both, (sim("s2"), GRACE, None)], NOW).text
    assert "the data is used up" in text
    assert "expires in 7 days" in text


def test_a_digest_offers_nothing_that_cannot_be_done() -> None:
    items = [(sim("s1"), GRACE, None), (sim("s2"), Stage(StageKind.LOST), None),
             (sim("s3"), GRACE, None)]  # fmt: skip
    assert verbs(views.digest(T, items, NOW, {"s1"})) == ["sim:s1", "sim:s2", "again:s3", "sims"]


def test_one_sim_may_differ_from_all() -> None:
    one = sim(own=OwnReminders(offsets=(14,), hour=18, urgent=True, alone=True))
    screen = settings.own(T, one, Preferences(), None, NOW)
    assert "About 18:00" in screen.text
    assert {"ownoff:sim-a:14:0", "ownoff:sim-a:7:1", "ownurgent:sim-a:0", "ownalone:sim-a:0",
            "ownnone:sim-a", "simrem:sim-a"} <= set(verbs(screen))  # fmt: skip
    same = settings.own(T, sim(), Preferences(), None, NOW)
    assert "ownnone:sim-a" not in verbs(same)
    assert all(len(data.encode()) <= 64 for data in verbs(screen))


def test_a_digest_has_a_button_for_each() -> None:
    items = [(sim(f"s{n}", nickname="<i>"), GRACE, None) for n in range(3)]
    screen = views.digest(T, items, NOW)
    assert "3 SIMs need you" in screen.text
    assert "<i>" not in screen.text
    assert verbs(screen) == ["again:s0", "again:s1", "again:s2", "sims"]


def test_settings_show_what_comes_next_and_set_what_they_say() -> None:
    planned = Planned(Stage(StageKind.EXPIRY, 7), days(3))
    screen = settings.settings(T, Preferences(), [(sim(), planned), (sim("b"), None)], NOW)
    assert "Next reminder: 23 Nov 12:00" in screen.text
    assert "No reminder planned" in screen.text
    assert "Quiet 22:00–08:00" in screen.text
    data = verbs(screen)
    assert {"off:7:0", "off:14:1", "urgent:1", "onoff:0", "hour", "quiet", "zone"} <= set(data)
    assert {"digest:0", "cal"} <= set(data)
    assert "I guess you live there" in screen.text
    alone = settings.settings(T, Preferences(digest=False, zone_confirmed=True), [], NOW)
    assert "digest:1" in verbs(alone)
    assert "guess" not in alone.text


def test_settings_without_quiet_hours_ask_for_no_exception() -> None:
    none = Preferences(quiet_start=time(0), quiet_end=time(0), on=False)
    screen = settings.settings(T, none, [], NOW)
    assert "No quiet hours" in screen.text
    assert "Reminders are off" in screen.text
    assert not any(data.startswith("urgent") for data in verbs(screen))
    assert "onoff:1" in verbs(screen)


def test_settings_of_many_sims_fit_a_message() -> None:
    many = [(sim(f"s{n}", nickname="九" * 40), None) for n in range(200)]
    screen = settings.settings(T, Preferences(), many, NOW)
    assert "and 190 more SIMs" in screen.text
    assert len(screen.text) < MessageLimit.MAX_TEXT_LENGTH


def test_snoozing_past_the_end_is_warned_of() -> None:
    assert "⚠️" not in views.snoozed(T, sim(expiry=days(5)), days(3), NOW)
    assert "expires before that" in views.snoozed(T, sim(expiry=days(2)), days(3), NOW)
    grace = sim(expiry=days(-2), grace_end=days(2))
    assert "number is lost" in views.snoozed(T, grace, days(3), NOW)
    assert "⚠️" not in views.snoozed(T, replace(grace, grace_end=days(9)), days(3), NOW)


def test_an_hour_in_the_quiet_hours_says_when_instead() -> None:
    assert "wait until 08:00" in settings.hour_set(MANILA, Preferences(hour=23))
    assert settings.hour_set(MANILA, Preferences(hour=9)) == "✓ I write at about 09:00."


def test_stopped_reminders_offer_to_start_again() -> None:
    screen = views.one_sim(T, sim(reminders_stopped=True), None, NOW, views.stopped(T))
    assert "start_again:sim-a" in verbs(screen)
    assert "again:sim-a" not in verbs(screen)


def test_every_question_has_a_way_back() -> None:
    mine = Preferences()
    for screen, back in (
        (settings.ask_hour(T, mine, settings.hour_problem(T)), "rem"),
        (settings.ask_quiet(T, mine, settings.quiet_problem(T)), "rem"),
        (settings.ask_zone(T, [], NOW, found=False, problem=settings.zone_problem(T)), "rem"),
        (views.ask_snooze_day(T, sim(), date(2026, 11, 20)), "snooze:sim-a"),
        (views.snooze(T, sim()), "simrem:sim-a"),
    ):
        assert verbs(screen)[-1] == back
