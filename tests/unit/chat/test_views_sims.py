"""The card, the overview, and what stands around them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from telegram.constants import MessageLimit

from bot.chat.screen import Screen
from bot.chat.views import card as card_view
from bot.chat.views import pace as pace_views
from bot.chat.views import sims as views
from bot.domain.pace import Pace, pace
from bot.domain.reminders import Planned
from bot.domain.sims import KeepRule, Reading, Sim, SimState, Source
from bot.domain.stages import Stage, StageKind
from bot.i18n import words
from tests.unit.store.samples import NOW, days, managed, minutes, reading, sim

T = words("en")
GB = 1 << 30
EVIL = "<b>Mum & co</b>"


def card(one: Sim, planned: Planned | None = None, **options: Any) -> Screen:
    """The card now."""
    return card_view.card(T, one, planned, NOW, **{"stale": False, **options})


def verbs(screen: Screen) -> list[str]:
    """The data of a screen's buttons."""
    return [one.data or "" for row in screen.rows for one in row]


def test_a_card_shows_what_is_left_until_when_and_who_says_so() -> None:
    planned = Planned(Stage(StageKind.EXPIRY, 7), days(3))
    shown = card(managed(owner_id=1, expiry=days(10), grace_end=None, reading=reading()), planned)
    assert "<b>boom eSIM</b>" in shown.text
    assert "▓▓▓▓▓▓▓▓░░ 6 GB of 8 GB left" in shown.text
    assert "Valid until 30 Nov 12:00 (10 days left)" in shown.text
    assert "Source: supplier, 5 minutes ago" in shown.text
    assert "🔔 Next reminder: 23 Nov 12:00" in shown.text
    assert "sim:sim-m:fresh" in verbs(shown)


def test_a_nickname_cannot_bring_markup() -> None:
    one = sim(nickname=EVIL, msisdn="+639181234567")
    screens = [
        card(one), views.overview(T, [one], NOW), views.more(T, one), views.ask_remove(T, one),
        views.ask_name(T, one, 40), views.running(T, one),
    ]  # fmt: skip
    for screen in screens:
        assert "<b>Mum" not in screen.text
    assert views.removed(T, one).startswith("&lt;b&gt;Mum")


def test_a_self_tracked_card_lets_its_dates_be_changed() -> None:
    shown = card(sim(reading=None))
    assert "Source: you" in shown.text
    assert "Then grace until 28 Feb 2027" in shown.text
    assert "dates:sim-a" in verbs(shown)


def test_in_its_grace_period_the_days_left_to_save_it_count() -> None:
    shown = card(sim(expiry=days(-3), grace_end=days(5)))
    assert "🔴" in shown.text
    assert "Grace period until 25 Nov 12:00 (5 days left)" in shown.text


def test_data_of_an_expired_line_is_not_shown_as_left() -> None:
    one = managed(owner_id=1, expiry=days(-1), grace_end=None, reading=reading(expiry=days(-1)))
    assert "GB" not in card(one).text
    assert "GB" not in views.overview(T, [one], NOW).text


def test_unused_data_is_warned_of_in_the_last_week_only() -> None:
    soon = managed(owner_id=1, expiry=days(6), grace_end=None, reading=reading())
    assert "6 GB will be lost on 26 Nov" in card(soon).text
    assert "will be lost" not in card(replace(soon, expiry=days(8))).text
    assert "will be lost" not in card(replace(soon, reading=None)).text


def paced(per_day: float, expiry: datetime | None) -> tuple[Sim, Pace | None]:
    """A SIM with 6 GB left of which so many go in a day, and its pace."""
    one = managed(owner_id=1, expiry=expiry, grace_end=None, reading=reading(as_of=NOW))
    before = reading(as_of=days(-2), data_used=(1 << 31) - round(per_day * 2 * GB))
    return one, pace([before, reading(as_of=NOW)], expiry, NOW)


@pytest.mark.parametrize(
    ("per_day", "expiry", "said"),
    [
        (1, None, "At this pace it lasts until 26 Nov."),
        (0.5, days(8), "At this pace the data lasts until it expires on 28 Nov."),
        (0.1, days(10), "Light use: at this pace 5 GB will be left over and lost on 30 Nov."),
        (0, days(5), "Light use: at this pace 6 GB will be left over and lost on 25 Nov."),
    ],
)  # fmt: skip
def test_the_card_says_where_the_pace_leads(
    per_day: float, expiry: datetime | None, said: str
) -> None:
    one, known = paced(per_day, expiry)
    shown = card(one, pace=known)
    assert said in shown.text
    assert "will be lost" not in shown.text
    assert "pace:sim-m" in verbs(shown)


def test_heavy_use_says_how_much_a_day_would_last() -> None:
    one, known = paced(2, days(4))
    assert (
        "Heavy use: at this pace the data lasts until 23 Nov. With 1.5 GB a day it lasts until it "
        "expires on 24 Nov." in card(one, pace=known).text
    )


def test_on_the_last_day_the_pace_is_told_by_the_clock() -> None:
    one, known = paced(12, days(0.75))
    assert "lasts until 21 Nov 00:00. It expires at 21 Nov 06:00." in card(one, pace=known).text


def test_an_unknown_or_passed_pace_is_not_told() -> None:
    one, known = paced(1, days(-1))
    for pace_ in (known, None):
        shown = card(one, pace=pace_)
        assert "pace" not in shown.text
        assert "pace:sim-m" not in verbs(shown)
        assert {"pic:sim-m", "use:sim-m"} <= set(verbs(shown))
    assert "use:sim-a" not in verbs(card(sim()))


def test_the_arithmetic_shows_every_number_of_the_verdict() -> None:
    one, known = paced(2, days(4))
    text = pace_views.arithmetic(T, one, "boom", known, NOW).text
    for part in (
        "Used: 4 GB in 2 days", "= <b>2 GB a day</b>", "Left: 6 GB on 20 Nov 12:00",
        "6 GB ÷ 2 GB a day = 3 days", "= <b>until 23 Nov 12:00</b>",
        "Until it expires on 24 Nov: 4 days", "2 GB a day × 4 days = 8 GB", "<b>heavy use</b>",
        "6 GB ÷ 4 days = 1.5 GB a day", "last 14 days",
    ):  # fmt: skip
        assert part in text, part
    one, known = paced(0.1, days(10))
    assert "would be left over. Unused data is lost" in (
        pace_views.arithmetic(T, one, "boom", known, NOW).text
    )
    one, known = paced(1, None)
    assert "expires" not in pace_views.arithmetic(T, one, "boom", known, NOW).text
    assert "at least a day" in pace_views.arithmetic(T, one, "boom", None, NOW).text


def test_a_supplier_that_does_not_answer_is_named_so() -> None:
    one = managed(owner_id=1, reading=reading(taken_at=minutes(-40), as_of=minutes(-40)))
    assert "can't be reached" in card(one, stale=True).text
    assert "Asking the supplier" in card(one, asking=True).text


def test_a_guessed_zone_is_confirmed_by_the_clock() -> None:
    shown = card(sim(), ask_zone="America/Argentina/ComodRivadavia")
    assert "Is it 12:00 where you are?" in shown.text
    assert "zn:America/Argentina/ComodRivadavia" in verbs(shown)
    assert shown.markup is not None


def test_the_last_days_are_marked_before_the_line_expires() -> None:
    assert views.mark(sim(expiry=days(10)), NOW) == "🟢"
    assert views.mark(sim(expiry=days(2)), NOW) == "🟡"
    assert views.mark(sim(expiry=days(-1)), NOW) == "🔴"
    assert views.mark(sim(expiry=None, grace_end=None), NOW) == "⚪️"


def test_every_state_has_words_and_a_mark() -> None:
    assert set(views.STATES) == set(views.MARKS) == set(SimState)
    assert set(views.SOURCES) == set(Source)


def test_an_empty_overview_says_how_to_begin() -> None:
    shown = views.overview(T, [], NOW)
    assert "You have no SIM here yet" in shown.text
    assert verbs(shown) == ["add", "menu"]


@pytest.mark.parametrize(
    ("page", "first", "last"), [(0, 0, 7), (1, 8, 15), (6, 48, 49), (99, 48, 49)]
)
def test_many_sims_come_in_pages(page: int, first: int, last: int) -> None:
    many = [sim(f"s{n}", nickname="九" * 40) for n in range(50)]
    shown = views.overview(T, many, NOW, page)
    data = verbs(shown)
    assert [d for d in data if d.startswith("sim:")] == [
        f"sim:s{n}" for n in range(first, last + 1)
    ]
    assert f"{first + 1}–{last + 1} of 50" in shown.text
    assert len(shown.text) < MessageLimit.MAX_TEXT_LENGTH
    assert all(len(d.encode()) <= 64 for d in data)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (KeepRule(365), "A top-up keeps it 365 days"),
        (KeepRule(30, 0), "A top-up keeps it 30 days; no grace period"),
        (KeepRule(1, 1), "A top-up keeps it 1 day; then 1 day of grace"),
    ],
)
def test_a_rule_is_one_line(rule: KeepRule, said: str) -> None:
    assert views.rule_line(T, rule) == said


def test_more_shows_the_whole_number_to_its_owner() -> None:
    shown = views.more(T, sim(msisdn="+639181234567", iccid="8963031234567890123"))
    assert "<code>+639181234567</code>" in shown.text
    assert "<code>8963031234567890123</code>" in shown.text
    assert {"keep:sim-a", "how:sim-a", "rename:sim-a", "remove:sim-a"} < set(verbs(shown))
    assert "keep:sim-m" not in verbs(views.more(T, managed(owner_id=1)))


def renewed(expiry: datetime, **changes: Any) -> Sim:
    """The managed SIM after its supplier was asked again."""
    known: Reading = reading(expiry=expiry, **changes)
    return managed(owner_id=1, expiry=expiry, reading=known)


def test_reading_again_says_what_has_changed() -> None:
    old = renewed(days(1), data_used=1 << 32)
    say = views.read_again
    assert "21 Nov → <b>20 Dec" in say(T, old, renewed(days(30)), NOW, asked=True)
    more = renewed(days(1), data_used=0)
    assert "4 GB → <b>8 GB" in say(T, old, more, NOW, asked=True)
    assert "no renewal yet" in say(T, old, old, NOW, asked=True)
    assert "can't be asked" in say(T, old, old, NOW, asked=False)


def test_a_bar_is_never_empty_while_something_is_left() -> None:
    assert views.bar(0) == "░" * 10
    assert views.bar(0.001) == "▓" + "░" * 9
    assert views.bar(1) == "▓" * 10


# ---- what is said of the next reminder, of days and of sources -------------------------------


def test_a_reminder_that_a_running_order_holds_back_has_no_time() -> None:
    held = Planned(Stage(StageKind.EXPIRY, 1), NOW, held=True)
    shown = card(sim(), held).text
    assert "🔔 Next reminder: once the renewal under way is finished" in shown
    assert "12:00 · " not in shown


def test_a_reminder_whose_time_has_come_is_on_its_way() -> None:
    due = Planned(Stage(StageKind.EXPIRY, 1), NOW)
    assert "🔔 Next reminder: in a moment" in card(sim(), due).text


@pytest.mark.parametrize(
    ("zone", "until", "left"),
    [
        (
            "UTC",
            NOW + timedelta(days=2, hours=23),
            "3 days left",
        ),  # not 2: it is the date that people count to
        ("Asia/Shanghai", NOW + timedelta(days=1, hours=23), "2 days left"),
        ("Asia/Shanghai", NOW + timedelta(days=2, hours=5), "3 days left"),  # past midnight there
        ("UTC", NOW + timedelta(days=2, hours=5), "2 days left"),
        ("UTC", days(1), "1 day left"),
        ("UTC", NOW + timedelta(hours=23, minutes=59), "23 hours left"),
    ],
)
def test_days_left_are_days_of_the_calendar_that_dates_are_shown_in(
    zone: str, until: datetime, left: str
) -> None:
    assert views.span(words("en", zone), until, NOW) == left


def test_a_date_that_the_network_confirmed_is_not_called_a_rule() -> None:
    after = Reading(source=Source.RULE, as_of=NOW, taken_at=NOW, expiry=days(30))
    topped = sim(expiry=days(30), reading=after, dates_source=Source.RULE)
    assert "Source: network's confirmation of the top-up, just now" in card(topped).text
    counted = replace(topped, expiry=days(60))  # from what its owner did with it since
    assert "Source: carrier's rule" in card(counted).text


def test_dates_that_their_owner_changed_since_are_theirs() -> None:
    after = Reading(source=Source.OPERATOR, as_of=NOW, taken_at=NOW, expiry=days(30))
    moved = sim(expiry=days(40), reading=after, dates_source=Source.CUSTOMER)
    assert "<i>Source: you</i>" in card(moved).text
