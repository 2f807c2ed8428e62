"""Postings whose time went by while nobody could post: soon enough is made up for, once."""

from collections.abc import AsyncIterator
from datetime import time, timedelta
from pathlib import Path

import pytest

from bot.domain.campaigns import PostingState, Repeat, Timing
from tests.unit.services.posting_house import ADMIN, Square, square
from tests.unit.store.samples import days

NOON = time(12)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


async def _down_until(at: Square, **span: float) -> None:
    """The bot is down until so long after noon of the third day."""
    noon = days(3).replace(hour=12, minute=0, second=0, microsecond=0)
    at.clock.at = noon + timedelta(**span)
    at.restart()
    await at.work()


async def test_a_few_hours_late_it_is_posted_all_the_same(at: Square) -> None:
    posting = await at.plan(timing=Timing(Repeat.ONCE, NOON, "UTC", (days(3).date(),)))
    await _down_until(at, hours=5)
    assert len(await at.posts(posting.id)) == 1


async def test_what_is_too_late_is_held_and_its_admin_told(at: Square) -> None:
    posting = await at.plan(timing=Timing(Repeat.ONCE, NOON, "UTC", (days(3).date(),)))
    await _down_until(at, hours=7)
    held = await at.posting(posting.id)
    assert await at.posts(posting.id) == []
    assert (held.state, held.reason) == (PostingState.HELD, "missed")
    assert at.press.news() == [(ADMIN, "missed")]


async def test_of_many_turns_only_the_latest_counts_and_how_late_that_is(at: Square) -> None:
    await at.offer(ends_at=None)
    daily = Timing(Repeat.WEEKLY, NOON, "UTC", weekdays=tuple(range(7)))
    soon = await at.plan(timing=daily)
    await _down_until(at, days=20, hours=5)
    assert len(await at.posts(soon.id)) == 1
    await _down_until(at, days=30, hours=7)
    assert len(await at.posts(soon.id)) == 1
    went_on = await at.posting(soon.id)
    assert went_on.state is PostingState.ACTIVE
    assert went_on.next_at == days(3).replace(hour=12, minute=0) + timedelta(days=31)
