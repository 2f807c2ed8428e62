"""The iCalendar file: whole local days, stable names, folded by octets, escaped."""

import re
from datetime import UTC, date, datetime

import pytest

from bot.chat.views.calendar import calendar_file
from bot.domain.calendar import DateKind, Event, dates_of, ics, uid
from bot.domain.chats import LANGUAGES
from bot.i18n import words
from tests.unit.store.samples import NOW, days, sim


def unfolded(file: str) -> list[str]:
    """Its lines as a program reads them."""
    return re.sub(r"\r\n ", "", file).split("\r\n")


def test_a_day_is_the_one_on_the_owners_wall() -> None:
    end = datetime(2026, 12, 3, 20, 0, tzinfo=UTC)
    one = sim(expiry=end, grace_end=None, keep_deadline=None)
    assert dates_of(one, "Europe/London") == [(DateKind.EXPIRY, date(2026, 12, 3))]
    assert dates_of(one, "Asia/Shanghai") == [(DateKind.EXPIRY, date(2026, 12, 4))]


def test_every_date_has_its_event_and_no_grace_no_third() -> None:
    one = sim(expiry=days(1), grace_end=days(9), keep_deadline=days(5))
    assert [kind for kind, _ in dates_of(one, "UTC")] == ["expiry", "keep", "grace"]
    assert dates_of(sim(expiry=None, grace_end=None), "UTC") == []
    assert len(dates_of(sim(expiry=days(1), grace_end=days(1)), "UTC")) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_as_the_rules_of_calendars_say(language: str) -> None:
    one = sim(nickname="爸爸的 SIM; a, b \\ <i>" * 6)
    t = words(language, "Asia/Shanghai")
    file = calendar_file(t, [one], "Shop", NOW)
    assert all(len(line.encode()) <= 75 for line in file.split("\r\n"))
    assert "\n" not in file.replace("\r\n", "")
    lines = unfolded(file)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert f"UID:{uid(one, DateKind.EXPIRY)}" in lines
    assert "DTSTART;VALUE=DATE:20261130" in lines
    assert "DTEND;VALUE=DATE:20261201" in lines
    [summary] = [one for one in lines if one.startswith("SUMMARY") and "\\;" in one][:1]
    assert "\\, b \\\\ <i>" in summary


def test_a_line_break_in_a_name_begins_no_property() -> None:
    file = ics("x", [Event("u", date(2026, 1, 1), "a\r\nATTENDEE:b\x00", "d")], NOW)
    assert "SUMMARY:a\\nATTENDEE:b" in unfolded(file)


def test_a_moved_date_moves_its_event() -> None:
    first, second = (sim(expiry=days(n)) for n in (3, 33))
    assert uid(first, DateKind.EXPIRY) == uid(second, DateKind.EXPIRY)
