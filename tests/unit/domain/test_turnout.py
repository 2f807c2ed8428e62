"""A group's turnout by the days of its own zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bot.domain.turnout import Came, turnout

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2027, 3, 2, 10, tzinfo=UTC)


def test_days_are_those_of_the_zone_and_today_is_the_last() -> None:
    late = datetime(2027, 3, 1, 15, 59, tzinfo=UTC)  # 23:59 there
    early = datetime(2027, 3, 1, 16, 0, tzinfo=UTC)  # 00:00 of the next day
    found = turnout(Came([late, early, early], [early], [NOW]), NOW, 3, SHANGHAI)
    assert found.first == date(2027, 2, 28)
    assert found.days[-1] == date(2027, 3, 2)
    assert (found.opened, found.quoted, found.paid) == ((0, 1, 2), (0, 0, 1), (0, 0, 1))
    assert not found.empty


def test_what_lies_before_is_not_counted() -> None:
    before = datetime(2027, 2, 27, 15, 59, tzinfo=UTC)
    assert turnout(Came([before]), NOW, 3, SHANGHAI).empty
