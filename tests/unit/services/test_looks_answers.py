"""Posts that are out: what Telegram's answers teach, and what is pinned."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from bot.domain.campaigns import PostingState, PostState, Repeat, Timing
from bot.domain.groups import Standing
from bot.ports import Delivery, Outcome, Rights
from bot.services import notices
from bot.services.selling import Refused
from tests.unit.services.posting_house import (
    ADMIN,
    GROUP,
    OTHER,
    Square,
    edits,
    places,
    square,
    true,
)

P = PostState
RETRY = Delivery(Outcome.RETRY)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


# ---- what answers teach --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "why", "standing", "can_post"),
    [
        (Delivery(Outcome.BLOCKED, detail="Forbidden: bot was kicked"), "bot_out", Standing.OUT,
         False),
        (Delivery(Outcome.FAILED, detail="Bad Request: not enough rights to send text messages"),
         "cannot_post", Standing.MEMBER, False),
        (Delivery(Outcome.FAILED, detail="Bad Request: TOPIC_CLOSED"), "topic_closed",
         Standing.MEMBER, True),
    ],
)  # fmt: skip
async def test_a_refusal_holds_the_posting_and_tells_why(
    at: Square, answer: Delivery, why: str, standing: Standing, can_post: bool
) -> None:
    weekly = Timing(Repeat.WEEKLY, time(12), "UTC", weekdays=(0,))
    posting = await at.plan(timing=weekly, thread_id=7)
    at.press.script = [answer]
    await at.live(days=4)
    [post] = await at.posts(posting.id)
    held, group = await at.posting(posting.id), await at.group()
    assert (post.state, held.state, held.reason) == (P.FAILED, PostingState.HELD, why)
    assert (group.standing, group.can_post) == (standing, can_post)
    assert at.press.news() == [(ADMIN, why)]


async def test_a_lost_answer_counts_as_posted(at: Square) -> None:
    at.press.script = [Delivery(Outcome.AMBIGUOUS)]
    post = await at.out()
    await at.live(days=1)
    assert ((await at.post(post.id)).state, len(at.press.of(notices.POST))) == (P.UNSURE, 1)
    assert at.press.news() == [(ADMIN, "unsure")]
    await at.live(days=30)
    assert (await at.post(post.id)).state is P.ENDED
    assert edits(at) == 0, "nobody knows its number"
    assert at.press.news() == [(ADMIN, "unsure"), (ADMIN, "cannot_edit")]


async def test_an_edit_without_an_answer_is_made_again(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    at.press.script = [Delivery(Outcome.AMBIGUOUS)]
    await places(at, 9)
    await at.live(minutes=3)
    assert (edits(at), await true(at, post)) == (2, True)


async def test_a_group_that_moved_gets_its_post_once(at: Square) -> None:
    at.press.script = [Delivery(Outcome.MIGRATED, chat_id=-100_777)]
    post = await at.out()
    await at.live(minutes=1)
    assert [one.chat_id for one in at.press.of(notices.POST)] == [GROUP, -100_777]
    assert ((await at.post(post.id)).state, (await at.group()).chat_id) == (P.POSTED, -100_777)


async def test_after_a_move_old_messages_are_not_edited(at: Square) -> None:
    """In the new chat their numbers belong to other messages."""
    post = await at.out()
    async with at.database.write() as tx:
        await tx.groups.migrate(GROUP, -100_777)
    at.clock.advance(minutes=5)
    await places(at, 9)
    await at.live(days=1)
    assert (edits(at), (await at.post(post.id)).state) == (0, P.POSTED)
    await at.postings.withdraw(post.posting_id, ADMIN)
    await at.live(days=1)
    assert (edits(at), at.press.news()) == (0, [(ADMIN, "cannot_edit")])


async def test_posts_wait_for_a_bot_that_was_thrown_out(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    at.press.script = [Delivery(Outcome.BLOCKED, detail="Forbidden: bot was kicked")]
    await places(at, 9)
    await at.live(days=1)
    assert (edits(at), (await at.group()).standing) == (1, Standing.OUT)
    await at.set_group(standing=Standing.MEMBER, can_post=True)
    await at.live(hours=2)
    assert await true(at, post)


async def test_a_post_that_could_not_go_out_in_time_is_given_up(at: Square) -> None:
    """Its notice expires in the queue, of which nobody hears."""
    posting = await at.plan()
    at.clock.advance(hours=2)
    await at.live(minutes=1)
    [post] = await at.posts(posting.id)
    assert (post.state, at.press.of(notices.POST)) == (P.FAILED, [])
    assert at.press.news() == [(ADMIN, "not_posted")]


async def test_two_processes_look_once(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    await places(at, 9)
    await asyncio.gather(*(at.looks.worker.run() for _ in range(5)))
    await at.live(minutes=1)
    assert (edits(at), await true(at, post)) == (1, True)


# ---- pins ----------------------------------------------------------------------------------


async def test_a_post_first_looked_at_late_is_pinned_all_the_same(at: Square) -> None:
    """Nothing ran for a while."""
    post = await at.out(pin=True)
    at.clock.advance(hours=5)
    await at.work()
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], True)


async def test_a_post_of_two_days_ago_is_not_pinned_any_more(at: Square) -> None:
    await at.out(pin=True)
    at.clock.advance(hours=48)
    await at.work()
    assert at.room.pinned == []


async def test_what_an_admin_unpinned_stays_so(at: Square) -> None:
    post = await at.out(pin=True)
    await at.work()
    await at.postings.pin(post.id, ADMIN, on=False)
    at.clock.advance(minutes=5)
    await places(at, 9)
    await at.live(minutes=5)
    assert at.room.pinned == [(101, True), (101, False)]


async def test_a_post_is_pinned_when_wished(at: Square) -> None:
    post = await at.out(pin=True)
    await at.work()
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], True)
    await at.live(days=1)
    assert at.room.pinned == [(101, True)]


async def test_a_pin_that_telegram_refuses_is_told_once(at: Square) -> None:
    at.room.pins = False
    post = await at.out(pin=True)
    await at.live(days=1)
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], False)
    assert at.press.news() == [(ADMIN, "cannot_pin")]


async def test_a_pin_waits_for_telegram(at: Square) -> None:
    post = await at.out(pin=True)
    at.room.away = True
    await at.live(minutes=3)
    at.room.away = False
    await at.live(minutes=2)
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], True)


async def test_an_admin_pins_and_unpins(at: Square) -> None:
    post = await at.out()
    await at.postings.pin(post.id, OTHER)
    assert (await at.post(post.id)).pinned
    await at.postings.pin(post.id, ADMIN, on=False)
    assert at.room.pinned == [(101, True), (101, False)]
    at.room.rights = Rights(frozenset({ADMIN}), posts=True, pins=False)
    with pytest.raises(Refused, match="cannot_pin"):
        await at.postings.pin(post.id, ADMIN)
    at.room.rights = replace(at.room.rights, pins=True)
    at.room.pins = False
    with pytest.raises(Refused, match="cannot_pin"):
        await at.postings.pin(post.id, ADMIN)
    at.room.rights = Rights(frozenset({ADMIN}), posts=False)
    with pytest.raises(Refused, match="cannot_post"):
        await at.postings.pin(post.id, ADMIN)
