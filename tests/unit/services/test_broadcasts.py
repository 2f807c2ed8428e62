"""News to many: what can be said, steered and read of them, at nobody's night."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.broadcasts import Broadcast, BroadcastState, Reached
from bot.domain.chats import Preferences
from bot.domain.money import Money
from bot.ports import Outcome, Priority
from bot.services import notices
from bot.services.broadcasting import EVERY
from bot.services.broadcasts import MOST_WAIT, Broadcasts
from bot.services.desk import NotOperator
from bot.services.selling import Refused
from bot.store.tables import recipients
from bot.store.transactions import transaction
from tests.unit.services.broadcast_house import (
    EVERYBODY,
    FIRST,
    NEWS,
    Newsroom,
    newsroom,
)
from tests.unit.services.house import OPERATOR, SECOND
from tests.unit.store.samples import ALICE, BOB, NOW, chat


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as found:
        yield found


# ---- writing ---------------------------------------------------------------------------------


async def test_only_operators_write_news(room: Newsroom) -> None:
    one = await room.draft()
    desk = room.desk
    for attempt in (
        desk.draft(ALICE, 1),
        desk.say(ALICE, one.id, "en", "Hi"),
        desk.change(ALICE, one.id, renew=False),
        desk.narrow(ALICE, one.id, languages=()),
        desk.test(ALICE, one.id, 1),
        desk.start(ALICE, one.id, one.version, None, None),
        desk.pause(ALICE, one.id, None),
        desk.stop(ALICE, one.id, None),
        desk.take_back(ALICE, one.id),
    ):
        with pytest.raises(NotOperator):
            await attempt
    assert room.post.news == []


async def test_a_replayed_tap_makes_no_second_draft(room: Newsroom) -> None:
    first = await room.desk.draft(OPERATOR, 5)
    assert (await room.desk.draft(OPERATOR, 5)).id == first.id
    assert (await room.desk.draft(OPERATOR, 6)).id != first.id


async def test_what_was_confirmed_is_what_is_sent(room: Newsroom) -> None:
    one = await room.draft()
    changed = await room.desk.say(OPERATOR, one.id, "en", "Other news")
    with pytest.raises(Refused, match="moved"):
        await room.desk.start(OPERATOR, one.id, one.version, None, None)
    started = await room.desk.start(OPERATOR, one.id, changed.version, None, None)
    again = await room.desk.start(OPERATOR, one.id, changed.version, None, None)
    assert started.id == again.id
    with pytest.raises(Refused, match="moved"):
        await room.desk.say(OPERATOR, one.id, "en", "Too late")
    await room.live()
    assert sorted(room.post.news) == EVERYBODY
    await room.desk.start(OPERATOR, one.id, changed.version, None, None)  # a late second tap
    await room.live()
    assert len(room.post.news) == 25


async def test_what_can_not_be_sent_is_refused(room: Newsroom) -> None:
    desk = room.desk
    empty = await desk.draft(OPERATOR, 1)
    with pytest.raises(Refused, match="no_text"):
        await desk.start(OPERATOR, empty.id, empty.version, None, None)
    one = await room.draft()
    for at, why in ((room.clock.at, "in_past"), (room.clock.at + MOST_WAIT * 2, "too_far")):
        with pytest.raises(Refused, match=why):
            await desk.start(OPERATOR, one.id, one.version, at, None)
    long = await desk.say(OPERATOR, one.id, "en", f"<b>{'x' * 1001}</b>")
    long = await desk.change(OPERATOR, long.id, photo="file")
    with pytest.raises(Refused, match="too_long"):
        await desk.start(OPERATOR, one.id, long.version, None, None)
    fits = await desk.say(OPERATOR, one.id, "en", f"<b>{'x' * 1000}</b>")
    nobody = await desk.narrow(OPERATOR, fits.id, spent_least=Money(1, "USD"))
    with pytest.raises(Refused, match="nobody"):
        await desk.start(OPERATOR, one.id, nobody.version, None, None)
    await room.live()
    assert room.post.news == []


async def test_a_test_goes_to_the_one_who_writes(room: Newsroom) -> None:
    one = await room.draft()
    for _ in range(2):
        await room.desk.test(OPERATOR, one.id, 123)
    await room.live()
    assert room.post.news == [OPERATOR]
    assert (await room.report(one)).by_state == {}


# ---- steering --------------------------------------------------------------------------------


async def test_a_pause_holds_at_once_and_it_goes_on_where_it_was(room: Newsroom) -> None:
    one = await room.begin()
    await room.sender.worker.run()
    await room.outbox.worker.run()
    await room.sender.worker.run()
    assert await room.queued() == 10
    for _ in range(2):  # a second tap changes nothing
        assert (await room.desk.pause(OPERATOR, one.id, 78)).state is BroadcastState.PAUSED
    assert await room.queued() == 0
    room.clock.advance(hours=3)
    await room.live()
    assert len(room.post.news) == 10
    assert await room.sender.next_due() is None
    assert (await room.desk.resume(OPERATOR, one.id, 78)).state is BroadcastState.RUNNING
    await room.live()
    assert sorted(room.post.news) == EVERYBODY
    assert await room.state(one) is BroadcastState.DONE


async def test_a_stop_is_for_good(room: Newsroom) -> None:
    one = await room.begin()
    await room.sender.worker.run()
    await room.outbox.worker.run()
    await room.sender.worker.run()
    stopped = await room.desk.stop(OPERATOR, one.id, None)
    assert stopped.state is BroadcastState.STOPPED
    assert stopped.message_id == 77
    await room.live()
    assert len(room.post.news) == 10
    assert (await room.desk.resume(OPERATOR, one.id, None)).state is BroadcastState.STOPPED
    await room.live()
    assert len(room.post.news) == 10
    report = await room.report(one)
    assert report.count(Reached.SENT) == 10
    assert report.count(Reached.WAITING, Reached.QUEUED) == 0


async def test_what_is_under_way_at_a_pause_is_counted(room: Newsroom) -> None:
    one = await room.begin()
    await room.sender.worker.run()
    async with room.database.write() as tx:
        [claimed] = await tx.outbox.claim(room.clock.now(), 1, by="only", among=NEWS)
        assert claimed.id is not None
    await room.desk.pause(OPERATOR, one.id, None)
    async with room.database.write() as tx:
        assert await tx.outbox.settle(claimed.id, Outcome.SENT, room.clock.now(), by="only")
    await room.live()
    report = await room.report(one)
    assert (report.count(Reached.SENT), report.count(Reached.WAITING)) == (1, 24)
    await room.desk.resume(OPERATOR, one.id, None)
    await room.live()
    assert sorted([claimed.chat_id, *room.post.news]) == EVERYBODY


async def test_it_begins_at_its_time_and_can_be_taken_back_before(room: Newsroom) -> None:
    at = room.clock.at + timedelta(hours=2)
    one = await room.begin(at)
    assert await room.sender.next_due() == at
    await room.live()
    assert room.post.news == []
    draft = await room.desk.take_back(OPERATOR, one.id)
    assert (draft.state, draft.start_at) == (BroadcastState.DRAFT, None)
    await room.desk.start(OPERATOR, one.id, draft.version, at, 77)
    room.clock.advance(hours=2)
    await room.live()
    assert len(room.post.news) == 25
    assert (await room.desk.take_back(OPERATOR, one.id)).state is BroadcastState.DONE


async def test_who_came_in_the_meantime_gets_it_who_left_does_not(room: Newsroom) -> None:
    await room.begin(room.clock.at + timedelta(hours=2))
    async with room.database.write() as tx:
        await tx.chats.add(chat(FIRST + 500, language="en"))
        await tx.chats.set_blocked(FIRST, room.clock.now())
    await room.desk.wants(FIRST + 1, news=False)
    room.clock.advance(hours=2)
    await room.live()
    assert sorted(room.post.news) == [*EVERYBODY[2:], FIRST + 500]


# ---- people ----------------------------------------------------------------------------------


async def test_nobody_is_woken(room: Newsroom) -> None:
    quiet = Preferences(zone="Asia/Shanghai", quiet_start=time(20), quiet_end=time(8))
    async with room.database.write() as tx:
        await tx.chats.set_preferences(FIRST, quiet)  # NOW is 20:00 in Shanghai
    one = await room.begin()
    await room.live()
    assert sorted(room.post.news) == EVERYBODY[1:]
    room.clock.advance(seconds=5)  # how far it is can be told again
    await room.live()
    morning = await room.sender.next_due()
    assert morning == NOW + timedelta(hours=12)
    assert await room.queued() == 0, "who sleeps is in nobody's way"
    assert await room.state(one) is BroadcastState.RUNNING
    async with room.database.write() as tx:  # they get up later now
        await tx.chats.set_preferences(FIRST, replace(quiet, quiet_end=time(9)))
    room.clock.advance(hours=12)
    await room.live()
    assert FIRST not in room.post.news
    room.clock.advance(hours=1)
    await room.live()
    assert room.post.news[-1] == FIRST
    assert await room.state(one) is BroadcastState.DONE


async def test_the_wish_for_no_news_is_noted_and_kept(room: Newsroom) -> None:
    first = await room.begin()
    await room.live()
    mine = await recipient_of(room, first, FIRST)
    theirs = await recipient_of(room, first, FIRST + 1)
    await room.desk.wants(FIRST, news=False, recipient_id=mine)
    await room.desk.wants(FIRST, news=False, recipient_id=theirs)  # somebody else's button
    assert (await room.report(first)).left == 1
    second = await room.begin()
    await room.live()
    assert sorted(room.post.news[25:]) == EVERYBODY[1:]
    assert second.id != first.id
    await room.desk.wants(FIRST, news=True)
    third = await room.begin()
    await room.live()
    assert (await room.report(third)).count(Reached.SENT) == 25


async def recipient_of(room: Newsroom, one: Broadcast, chat_id: int) -> str:
    where = (recipients.c.broadcast_id == one.id, recipients.c.chat_id == chat_id)
    async with transaction(room.database._reader) as conn:
        return str(await conn.scalar(select(recipients.c.id).where(*where)))


async def test_a_tap_counts_for_its_own_reader_only(room: Newsroom) -> None:
    one = await room.begin()
    await room.live()
    mine = await recipient_of(room, one, FIRST)
    assert await room.desk.clicked(mine, FIRST + 1) is None
    assert await room.desk.clicked("test", FIRST) is None
    assert (await room.report(one)).clicked == 0
    for _ in range(2):
        found = await room.desk.clicked(mine, FIRST)
        assert found is not None
        assert found.id == one.id
    assert (await room.report(one)).clicked == 1


# ---- the operator ----------------------------------------------------------------------------


async def test_the_message_changes_no_faster_than_telegram_likes(tmp_path: Path) -> None:
    async with newsroom(tmp_path, people=60, window=2) as room:
        await room.begin()
        for _ in range(40):
            await room.sender.worker.run()
            await room.outbox.worker.run()
            room.clock.advance(seconds=1)
        told = [one for one in room.post.told if one.kind == notices.BROADCAST_PROGRESS]
        assert 1 < len(told) <= 40 / EVERY.total_seconds() + 1
        assert {one.chat_id for one in told} == {OPERATOR}


async def test_the_end_is_told_anew_when_it_took_a_while(room: Newsroom) -> None:
    await room.begin()
    await room.live()
    kinds = [one.kind for one in room.post.told]
    assert set(kinds) == {notices.BROADCAST_PROGRESS}, "who has just tapped looks at it"
    quiet = Preferences(zone="Asia/Shanghai", quiet_start=time(20), quiet_end=time(8))
    async with room.database.write() as tx:
        await tx.chats.set_preferences(BOB, quiet)
    await room.begin(languages=("zh_Hans",))
    await room.live()
    room.clock.advance(hours=12)
    await room.live()
    assert [one.kind for one in room.post.told][-1] == notices.BROADCAST_ENDED


async def test_a_scheduled_one_begins_with_a_message_of_its_own(room: Newsroom) -> None:
    one = await room.begin(room.clock.at + timedelta(hours=2))
    room.clock.advance(hours=2)
    await room.sender.worker.run()
    async with room.database.read() as tx:
        begun = await tx.broadcasts.get(one.id)
    assert begun is not None
    assert begun.message_id is None, "the old one would not ring"
    await room.live()
    assert room.post.told[0].kind == notices.BROADCAST_PROGRESS


async def test_a_decision_outlives_what_was_on_its_way_to_the_message(room: Newsroom) -> None:
    one = await room.begin()
    await room.sender.worker.run()
    async with room.database.write() as tx:
        [late] = await tx.outbox.claim(room.clock.now(), 1, by="only")  # of the start
    assert late.kind == notices.BROADCAST_PROGRESS
    await room.desk.pause(OPERATOR, one.id, 77)
    async with room.database.read() as tx:
        waits = await tx.outbox.backlog(room.clock.now())
    assert [(row.priority, row.waiting) for row in waits] == [(Priority.OPERATOR, 1)]


async def test_another_operators_message_is_not_taken_for_the_senders(room: Newsroom) -> None:
    desk = Broadcasts(room.database, room.clock, (OPERATOR, SECOND))
    one = await room.begin()
    await room.sender.worker.run()
    paused = await desk.pause(SECOND, one.id, 999)
    assert (paused.by, paused.message_id) == (OPERATOR, 77)
    resumed = await desk.resume(OPERATOR, one.id, 78)
    assert (resumed.by, resumed.message_id) == (OPERATOR, 78)


async def test_every_decision_is_written_down(room: Newsroom) -> None:
    one = await room.begin()
    await room.desk.stop(OPERATOR, one.id, None)
    async with room.database.read() as tx:
        deeds = [row.action for row in await tx.audit.latest(9)]
    assert deeds[:2] == ["broadcast_stopped", "broadcast_started"]
