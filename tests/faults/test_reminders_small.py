"""The year of reminders in small: it keeps its promises, and finds what it should."""

from datetime import timedelta

import pytest

from tests.faults.reminders import run, without


async def test_four_customers_get_every_reminder_right() -> None:
    report = await run(4, 1)
    assert report.examples == []
    assert report.counts["moments held against what was told"] > 200
    assert report.counts["announcements held against what came"] > 0


@pytest.mark.parametrize(
    ("guard", "found"),
    [
        ("ledger", "told twice"),
        ("quiet", "quiet hours"),
        ("catchup", "never told"),
        ("order", "while an order runs"),
        ("reread", "the supplier has moved"),
    ],
)
async def test_a_guard_that_is_off_is_noticed(guard: str, found: str) -> None:
    with without(guard):
        report = await run(4, 1, timedelta(days=100))
    assert any(found in example for example in report.examples)
