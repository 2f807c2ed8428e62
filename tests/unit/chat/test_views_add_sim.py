"""Adding a SIM and its dates in words; which carriers are offered."""

import re
from datetime import date, timedelta

import pytest

from bot.chat.application import conversation
from bot.chat.conversations.add_sim import _code, _countries, _meant, choices
from bot.chat.conversations.my_sims import ENTRY as MY_SIMS
from bot.chat.conversations.reminder_settings import _span
from bot.chat.screen import Screen
from bot.chat.views import add_sim as views
from bot.chat.views import dates as date_views
from bot.domain.days import DayProblem, parse_day
from bot.domain.identify import (
    Candidate,
    Identified,
    Kind,
    Problem,
    Reason,
    Why,
    carrier_of_number,
    identify,
    issuer,
)
from bot.i18n import words
from tests.unit.store.samples import NOW, days, sim

T = words("en")
TODAY = date(2026, 11, 20)
TOKEN = 9_999_999_999
SOLD = ["Smart", "T-Mobile US", "AT&T US", "China Mobile"]


def verbs(screen: Screen) -> list[str]:
    """The data of a screen's buttons."""
    return [one.data or "" for row in screen.rows for one in row]


@pytest.mark.parametrize("reason", list(Reason))
def test_every_problem_has_a_reason_an_example_and_a_way_out(reason: Reason) -> None:
    screen = views.not_identified(T, reason)
    assert "<code>" in screen.text
    assert verbs(screen)[-1] == "sims"


def test_the_examples_are_such() -> None:
    examples = re.findall(r"<code>(.+?)</code>", views.ask_identifier(T).text)
    found = [identify(example) for example in examples]
    assert [one.kind for one in found if isinstance(one, Identified)] == list(Kind)
    assert not any(one.doubtful for one in found if isinstance(one, Identified))


@pytest.mark.parametrize(
    ("language", "text", "numbers"),
    [
        ("zh_Hans", "13800138000", ["+8613800138000"]),
        ("en", "09181234567", ["+639181234567"]),
        ("en", "2125550188", ["+12125550188"]),
        ("zh_Hant", "0912345678", ["+886912345678"]),
        ("zh_Hans", "639181234567", ["+639181234567"]),
        ("en", "8986 12", []),
    ],
)
def test_a_number_without_its_country_may_be_tapped(
    language: str, text: str, numbers: list[str]
) -> None:
    guesses = _countries(language, text)
    assert [number for _, number in guesses][: len(numbers)] == numbers
    screen = views.not_identified(T, Reason.NEEDS_COUNTRY, guesses)
    assert all(f"addn:{number}" in verbs(screen) for number in numbers)


@pytest.mark.parametrize(
    "text", ["XUKS-3F7K-9M2P-Q4TD", "xuks 3f7k 9m2p q4td", "ＸＵＫＳ3F7K9M2PQ4TD"]
)
def test_a_claim_code_is_known_by_its_shape(text: str) -> None:
    assert _code(text) == text


@pytest.mark.parametrize("text", ["hello", "12:30", "1234 5678 9012", "in 3 days", "", "5 GB"])
def test_what_has_another_shape_is_no_claim_code(text: str) -> None:
    assert _code(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("hello", False), ("5", False), ("12:30", False), ("call me at 5", False),
        ("13800138000", True), ("LPA:1$", True), ("89860012", True), ("12345678901234567890", True),
    ],
)  # fmt: skip
def test_only_what_looks_like_a_sim_begins_to_add_one(text: str, meant: bool) -> None:
    found = identify(text)
    assert isinstance(found, Problem)
    assert _meant(text, found) is meant


def named(offered: list[views.Choice]) -> list[str]:
    """Carriers in the order they are offered."""
    return [choice.carrier for choice in offered]


def test_a_known_carrier_is_offered_as_the_shop_spells_it() -> None:
    assert named(choices(carrier_of_number("+639189876543"), "PH", SOLD)) == ["Smart"]
    assert named(choices(issuer("898600B1192000000019"), "CN", SOLD)) == ["China Mobile"]
    shouted = (Candidate("T-MOBILE", "US", Why.NUMBER_RANGE, "medium"),)
    assert named(choices(shouted, "US", SOLD)) == ["T-Mobile US"]


def test_a_similar_name_is_not_taken_for_the_same_carrier() -> None:
    other = (Candidate("China Mobile Hong Kong", "HK", Why.ICCID_ISSUER, "high"),)
    assert named(choices(other, "HK", SOLD)) == ["China Mobile Hong Kong"]


def test_of_a_country_alone_the_carriers_sold_come_first() -> None:
    only = carrier_of_number("+12125550188")
    assert named(choices(only, "US", SOLD))[:2] == ["T-Mobile US", "AT&T US"]


def test_without_a_clue_the_carriers_sold_are_offered() -> None:
    assert named(choices((), None, SOLD)) == SOLD


def test_reasons_stand_above_the_carriers() -> None:
    found = identify("+639189876543")
    assert isinstance(found, Identified)
    offered = choices(carrier_of_number(found.value), "PH", SOLD)
    screen = views.ask_carrier(T, found, "PH", offered, TOKEN)
    assert "🇵🇭 Philippines" in screen.text
    assert "• Smart: this number is in its range" in screen.text
    assert verbs(screen) == [f"addc:{TOKEN}:0", "sims"]


def test_a_doubtful_iccid_is_asked_about_with_its_reason() -> None:
    plain = Identified(Kind.ICCID, "89860119801234567890", doubtful=True)
    assert "check digit" in views.doubtful(T, plain, TOKEN).text
    letters = Identified(Kind.ICCID, "898600B1192000000019", doubtful=True)
    assert "It has letters" in views.doubtful(T, letters, TOKEN).text
    number = Identified(Kind.NUMBER, "+447700900123", doubtful=True)
    assert "+44 7700 900123" in views.doubtful(T, number, TOKEN).text


def test_a_refused_code_tells_nothing_of_the_sim() -> None:
    wrong = views.code_refused(T, "code_wrong", None, NOW)
    assert "not right, or it was used before" in wrong
    assert "at 20 Nov 13:00" in views.code_refused(T, "locked", NOW + timedelta(hours=1), NOW)
    assert "/support" in views.code_refused(T, "not_yours", None, NOW)


def test_dates_are_asked_with_buttons_that_fit() -> None:
    for past in (False, True):
        screen = date_views.ask_day(T, "<b>x", TOKEN, TODAY, NOW, past=past, unknown=True)
        assert "<b>&lt;b&gt;x</b>" in screen.text
        assert all(len(data.encode()) <= 64 for data in verbs(screen))
    ahead = date_views.ask_day(T, "x", TOKEN, TODAY, NOW, past=False, unknown=False)
    assert f"q:{TOKEN}:day:20261220" in verbs(ahead)
    assert f"q:{TOKEN}:day:u" not in verbs(ahead)


@pytest.mark.parametrize("problem", list(DayProblem))
def test_every_day_problem_shows_a_date_that_is_understood(problem: DayProblem) -> None:
    said = date_views.day_problem(T, problem, TODAY)
    example = said.rsplit(" ", 1)[-1]
    assert isinstance(parse_day(example, TODAY), date)


def test_a_renewal_names_the_expiry_it_is_for() -> None:
    one = sim(expiry=days(10))
    screen = date_views.ask_renewed(T, one, [(30, date(2026, 12, 30))], None, NOW)
    assert "dn:sim-a:20261230:20261130" in verbs(screen)
    assert "how:sim-a" in verbs(screen)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("22:30-7:30", ("22:30", "07:30")), ("22-8", ("22:00", "08:00")),
        ("22点到8点", ("22:00", "08:00")), ("23.15 to 6", ("23:15", "06:00")),
        ("none", ("00:00", "00:00")), ("24:00-9", ("00:00", "09:00")),
        ("22", None), ("25-3", None), ("9:75-10", None), ("soon", None),
    ],
)  # fmt: skip
def test_quiet_hours_as_people_write_them(text: str, span: tuple[str, str] | None) -> None:
    found = _span(text)
    assert (found and tuple(f"{one:%H:%M}" for one in found)) == span


def test_every_button_has_a_handler() -> None:
    patterns = [
        handler.pattern for handler in conversation().entry_points if hasattr(handler, "pattern")
    ]
    assert len(MY_SIMS) > 10
    found = identify("+639189876543")
    assert isinstance(found, Identified)
    screens = [
        views.ask_identifier(T),
        views.not_identified(T, Reason.NEEDS_COUNTRY, [("PH", "+639181234567")]),
        views.doubtful(T, found, TOKEN),
        views.ask_code(T, found, TOKEN),
        views.ask_carrier(T, found, "PH", choices((), None, SOLD), TOKEN),
        date_views.ask_keep(T, "x", TOKEN),
        date_views.ask_grace(T, "x", TOKEN),
        date_views.how_to(T, sim("sima", msisdn="+639181234567")),
    ]
    for data in [data for screen in screens for data in verbs(screen)]:
        assert any(re.match(pattern, data) for pattern in patterns), data


def test_a_suppliers_word_leaves_the_countrys_other_carriers_to_choose() -> None:
    told = (Candidate("T-Mobile US", "US", Why.SUPPLIER, "high"),)
    offered = choices(told, "US", SOLD)
    assert [(one.carrier, one.why) for one in offered[:2]] == [
        ("T-Mobile US", Why.SUPPLIER),
        ("AT&T US", None),
    ]
    assert len({one.carrier for one in offered}) == len(offered)
    found = Identified(Kind.NUMBER, "+13055550142")
    assert "our supplier says so" in views.ask_carrier(T, found, "US", offered, TOKEN).text
