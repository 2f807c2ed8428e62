"""Times of day as admins write them."""

from datetime import time

import pytest

from bot.chat.conversations.posting_times import parse_clock


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("20:30", time(20, 30)),
        ("8", time(8)),
        ("9h", time(9)),
        ("２０：３０", time(20, 30)),
        ("8点半", time(8, 30)),
        ("20點15分", time(20, 15)),
        ("晚上8点", time(20)),
        ("下午 3:05", time(15, 5)),
        ("早上9点", time(9)),
        ("8pm", time(20)),
        ("8:30 AM", time(8, 30)),
        ("12am", time(0)),
        ("12 pm", time(12)),
        ("下午12点半", time(12, 30)),
        ("晚上12点", None),
        ("晚12點", None),
        ("24:00", None),
        ("25:00", None),
        ("8:60", None),
        ("someday", None),
        ("", None),
    ],
)
def test_a_time_of_day(text: str, meant: time | None) -> None:
    assert parse_clock(text) == meant
