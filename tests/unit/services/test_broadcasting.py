"""News to many on their way: once a person, whatever crashes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.broadcasts import BroadcastState, Reached
from bot.ports import Delivery, Notice, Outcome
from bot.services import broadcasting
from bot.services.broadcasting import Broadcasting
from bot.store.broadcasts import BroadcastRows
from tests.unit.services.broadcast_house import (
    AMBIGUOUS,
    EVERYBODY,
    FIRST,
    NEWS,
    RETRY,
    SENT,
    Newsroom,
    newsroom,
)
from tests.unit.services.house import OPERATOR, SECOND
from tests.unit.store.samples import ALICE, BOB, CHARLIE


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as found:
        yield found


# ---- sending ---------------------------------------------------------------------------------


async def test_everybody_of_the_segment_gets_it_once(room: Newsroom) -> None:
    one = await room.begin()
    await room.live()
    assert sorted(room.post.news) == EVERYBODY
    assert await room.state(one) is BroadcastState.DONE
    assert (await room.report(one)).by_state == {Reached.SENT: 25}
    await room.live()
    assert len(room.post.news) == 25


async def test_little_is_in_the_outbox_at_a_time(room: Newsroom) -> None:
    await room.begin()
    for _ in range(3):
        await room.sender.worker.run()
        assert await room.queued() == 10
    await room.live()
    assert len(room.post.news) == 25


async def test_two_broadcasts_share_the_room(room: Newsroom) -> None:
    await room.begin()
    await room.begin(languages=("zh_Hans",))
    await room.sender.worker.run()
    assert await room.queued() == 10
    await room.live()
    assert sorted(room.post.news) == [ALICE, BOB, OPERATOR, SECOND, *EVERYBODY, CHARLIE]


async def test_two_instances_at_once_send_it_once(room: Newsroom) -> None:
    one = await room.begin()
    others = [Broadcasting(room.database, room.clock, 10) for _ in range(3)]
    for _ in range(12):
        await asyncio.gather(*(other.worker.run() for other in others))
        await room.outbox.worker.run()
    assert sorted(room.post.news) == EVERYBODY
    assert await room.state(one) is BroadcastState.DONE


async def test_outcomes_are_counted(room: Newsroom) -> None:
    outcomes = [Outcome.BLOCKED, Outcome.DEACTIVATED, Outcome.DROPPED, Outcome.FAILED,
                Outcome.AMBIGUOUS]  # fmt: skip
    room.post.answer = lambda notice: (
        Delivery(outcomes[notice.chat_id - FIRST]) if notice.chat_id < FIRST + 5 else SENT
    )
    one = await room.begin()
    await room.live()
    report = await room.report(one)
    assert report.by_state == {
        Reached.BLOCKED: 1, Reached.DEACTIVATED: 1, Reached.DROPPED: 1, Reached.FAILED: 1,
        Reached.UNSURE: 1, Reached.SENT: 20,
    }  # fmt: skip
    assert report.over == 25
    async with room.database.read() as tx:
        gone = await tx.chats.get(FIRST)
    assert gone is not None
    assert gone.blocked_at is not None, "and is in no later one"


async def test_a_lost_answer_is_not_sent_again(room: Newsroom) -> None:
    room.post.answer = lambda _: AMBIGUOUS
    one = await room.begin()
    await room.live()
    room.clock.advance(hours=2)
    await room.live()
    assert sorted(room.post.news) == EVERYBODY
    assert (await room.report(one)).by_state == {Reached.UNSURE: 25}


async def test_what_certainly_did_not_go_out_is_tried_again(room: Newsroom) -> None:
    tries: dict[int, int] = {}

    def answer(notice: Notice) -> Delivery:
        tries[notice.chat_id] = tries.get(notice.chat_id, 0) + 1
        return RETRY if tries[notice.chat_id] < 3 else SENT

    room.post.answer = answer
    one = await room.begin()
    for _ in range(20):
        await room.live()
        room.clock.advance(minutes=1)
    assert await room.state(one) is BroadcastState.DONE
    assert (await room.report(one)).by_state == {Reached.SENT: 25}


# ---- crashes ---------------------------------------------------------------------------------


async def test_a_crash_between_claim_and_send_repeats_nothing(room: Newsroom) -> None:
    one = await room.begin()
    await room.sender.worker.run()
    async with room.database.write() as tx:
        claimed = await tx.outbox.claim(
            room.clock.now(),
            4,
            by="only",
            until=room.clock.now() + timedelta(minutes=3),
            among=NEWS,
        )
    assert len(claimed) == 4
    room.restart()  # whether these four got it nobody knows
    await room.outbox.recover()
    await room.live()
    doubtful = {notice.chat_id for notice in claimed}
    assert sorted(room.post.news) == [who for who in EVERYBODY if who not in doubtful]
    assert (await room.report(one)).by_state == {Reached.UNSURE: 4, Reached.SENT: 21}
    assert await room.state(one) is BroadcastState.DONE


class Killed(Exception):
    """The process dies here."""


@pytest.mark.parametrize("step", ["enrol", "queued", "sent_as", "set", "settle"])
async def test_a_crash_within_a_step_leaves_nothing_half_done(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(broadcasting, "SLICE", 8)
    one, left = await room.begin(), [2]
    whole = getattr(BroadcastRows, step)

    async def dies(*args: object, **named: object) -> object:
        done = await whole(*args, **named)
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return done

    monkeypatch.setattr(BroadcastRows, step, dies)
    for _ in range(6):
        await room.sender.worker.run()
        await room.outbox.worker.run()
    assert left[0] <= 0, "it has died"
    room.restart()
    await room.live()
    assert sorted(room.post.news) == EVERYBODY
    assert await room.state(one) is BroadcastState.DONE
