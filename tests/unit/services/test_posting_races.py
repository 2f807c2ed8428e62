"""Two at once about one group: who comes second sees what the first has decided.

SQLite has one writer; with PostgreSQL what was read before waiting may be old by then. The tests
hand over what is old.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.campaigns import PostingState, Timing
from bot.domain.groups import Approval
from bot.ports import Rights
from bot.services import posting_rules as rules
from bot.services.turns import make
from tests.unit.services.posting_acts import day, on, weekly
from tests.unit.services.posting_house import ADMIN, Square, square


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


@pytest.mark.parametrize("timing", [weekly(0), on(day(1))])
async def test_what_was_withdrawn_meanwhile_is_not_posted(at: Square, timing: Timing) -> None:
    seen, group = await at.plan(timing=timing), await at.group()
    await at.postings.withdraw(seen.id, ADMIN)
    async with at.database.write() as tx:
        assert await make(tx, seen, group, at.clock.at) == seen
    after = await at.posting(seen.id)
    assert (after.state, after.turn, after.next_at) == (PostingState.STOPPED, 0, None)
    assert await at.posts(seen.id) == []


async def test_a_group_that_was_banned_meanwhile_is_seen_banned(at: Square) -> None:
    seen = await at.group()
    await at.set_group(approval=Approval.BANNED)
    async with at.database.write() as tx:
        now = await rules.noted(tx, seen, Rights(frozenset({ADMIN}), posts=True))
    assert now.approval is Approval.BANNED
