"""The inbox and the outbox."""

import asyncio

import pytest

from bot.ports import InboxRow, Notice, Outcome, Priority
from bot.store import Database
from bot.store.outbox import AT_ONCE
from tests.unit.store.samples import ALICE, BOB, NOW, minutes, notice


def update(number: int) -> InboxRow:
    """One update."""
    return InboxRow(number, f"chat:{number % 3}", f'{{"update_id": {number}, "text": "续卡"}}')


def keys(notices: list[Notice]) -> list[str]:
    """What the notices are called."""
    return [found.dedupe_key for found in notices]


async def add(db: Database, *notices: Notice) -> None:
    """Queue them, in one transaction."""
    async with db.write() as tx:
        for one in notices:
            assert await tx.outbox.add(one)


async def claim(db: Database, at: float = 0, limit: int = 99) -> list[Notice]:
    """Claim at that many minutes."""
    async with db.write() as tx:
        return await tx.outbox.claim(minutes(at), limit)


async def test_updates_are_kept_once(db: Database) -> None:
    async with db.write() as tx:
        assert await tx.inbox.append([], NOW) == []
        assert await tx.inbox.append([update(5), update(3), update(5)], NOW) == [True, True, False]
    async with db.write() as tx:
        news = await tx.inbox.append([update(4), update(3), update(9)], minutes(-1))
        assert news == [True, False, True]
        # Oldest first: by when they came, then by their number.
        assert await tx.inbox.unfinished() == [update(4), update(9), update(3), update(5)]


async def test_a_large_batch_is_kept(db: Database) -> None:
    rows = [update(number) for number in range(2500)]
    async with db.write() as tx:
        assert await tx.inbox.append(rows, NOW) == [True] * 2500
        assert await tx.inbox.append(rows[::2], NOW) == [False] * 1250


async def test_finished_updates_are_purged_in_time(db: Database) -> None:
    async with db.write() as tx:
        await tx.inbox.append([update(number) for number in range(4)], minutes(-60))
        await tx.inbox.done(0, minutes(-50), None)
        await tx.inbox.done(1, minutes(-10), "E123")
        await tx.inbox.done(2, minutes(-50), None)
        assert await tx.inbox.unfinished() == [update(3)]
        assert await tx.inbox.purge(minutes(-30)) == 2
        assert await tx.inbox.append([update(1), update(3)], NOW) == [False, False]
        assert await tx.inbox.purge(minutes(99)) == 1
        assert await tx.inbox.unfinished() == [update(3)]  # never the unfinished


async def test_a_key_is_queued_once_for_ever(db: Database) -> None:
    async with db.write() as tx:
        assert await tx.outbox.add(notice("k"))
        assert not await tx.outbox.add(notice("k", BOB))
    [taken] = await claim(db)
    async with db.write() as tx:
        assert taken.id is not None
        await tx.outbox.settle(taken.id, Outcome.SENT, NOW, 7)
        assert not await tx.outbox.add(notice("k"))
        assert await tx.outbox.next_due() is None


async def test_a_notice_comes_back_whole(db: Database) -> None:
    full = notice("k", priority=Priority.PAYMENT, not_before=minutes(-1), expires_at=minutes(9))
    await add(db, full, notice("plain", BOB, data={}))
    first, second = await claim(db)
    assert first == notice("k", priority=Priority.PAYMENT, not_before=minutes(-1),
                           expires_at=minutes(9), id=first.id)  # fmt: skip
    assert second == notice("plain", BOB, data={}, id=second.id)


async def test_the_most_urgent_goes_first_and_one_a_chat(db: Database) -> None:
    await add(
        db,
        notice("a-reminder"),
        notice("a-receipt", priority=Priority.TOPUP),
        notice("b-1", BOB),
        notice("b-2", BOB),
        notice("c", 3, priority=Priority.PAYMENT),
    )
    assert keys(await claim(db, limit=2)) == ["c", "a-receipt"]
    assert keys(await claim(db)) == ["b-1"]
    assert await claim(db) == []


async def test_a_chat_with_one_under_way_waits(db: Database) -> None:
    await add(db, notice("1"), notice("2"))
    [first] = await claim(db)
    await add(db, notice("urgent", priority=Priority.PAYMENT))
    assert await claim(db) == []
    async with db.write() as tx:
        assert first.id is not None
        await tx.outbox.settle(first.id, Outcome.SENT, NOW, 1)
    assert keys(await claim(db)) == ["urgent"]
    async with db.read() as tx:
        assert keys(await tx.outbox.claimed()) == ["urgent"]


async def test_a_notice_waits_for_its_moment(db: Database) -> None:
    await add(db, notice("tomorrow", not_before=minutes(60)), notice("now"))
    assert keys(await claim(db)) == ["now"]  # one that is planned for later blocks nobody
    await add(db, notice("b", BOB, not_before=minutes(30)))
    async with db.read() as tx:
        assert await tx.outbox.next_due() == minutes(30)
    assert await claim(db, 29) == []
    assert keys(await claim(db, 30)) == ["b"]


async def test_a_retry_keeps_its_place(db: Database) -> None:
    await add(db, notice("paid"), notice("verified"), notice("urgent", priority=Priority.PAYMENT,
                                                             not_before=minutes(1)))  # fmt: skip
    [first] = await claim(db)
    async with db.write() as tx:
        assert first.id is not None
        await tx.outbox.release(first.id, minutes(5))
    assert await claim(db) == []  # the later edit would be overwritten by the earlier one
    assert keys(await claim(db, 1)) == ["urgent"]
    async with db.write() as tx:
        [urgent] = await tx.outbox.claimed()
        assert urgent.id is not None
        await tx.outbox.settle(urgent.id, Outcome.SENT, NOW)
        assert await tx.outbox.next_due() == minutes(5)
    [again] = await claim(db, 5)
    assert (again.dedupe_key, again.tries, again.not_before) == ("paid", 1, minutes(5))


async def test_expired_notices_are_dropped(db: Database) -> None:
    await add(db, notice("old", expires_at=NOW), notice("good", expires_at=minutes(1)))
    assert keys(await claim(db)) == ["good"]
    async with db.write() as tx:
        [good] = await tx.outbox.claimed()
        assert good.id is not None
        await tx.outbox.release(good.id, NOW)
    assert await claim(db, 1) == []
    async with db.read() as tx:
        assert await tx.outbox.next_due() is None


async def test_next_due_counts_what_waits_for_the_clock_alone(db: Database) -> None:
    async with db.write() as tx:
        assert await tx.outbox.next_due() is None
        await tx.outbox.add(notice("1"))
        await tx.outbox.add(notice("2"))
        assert await tx.outbox.next_due() == AT_ONCE
        [first] = await tx.outbox.claim(NOW, 9)
        assert await tx.outbox.next_due() is None  # "2" waits for "1", not for the clock
        assert first.id is not None
        await tx.outbox.settle(first.id, Outcome.BLOCKED, NOW)
        assert await tx.outbox.next_due() == AT_ONCE


async def test_a_retry_is_not_an_end(db: Database) -> None:
    async with db.write() as tx:
        with pytest.raises(ValueError, match="released"):
            await tx.outbox.settle(1, Outcome.RETRY, NOW)


async def test_senders_at_once_share_the_queue(db: Database) -> None:
    chats = range(1, 21)
    await add(db, *(notice(f"{chat}-{n}", chat) for n in range(5) for chat in chats))
    sent: list[Notice] = []
    under_way: set[int] = set()

    async def sender() -> None:
        while batch := await claim(db, limit=4):
            for found in batch:
                assert found.chat_id not in under_way
                under_way.add(found.chat_id)
                await asyncio.sleep(0)
            async with db.write() as tx:
                for found in batch:
                    under_way.remove(found.chat_id)
                    assert found.id is not None
                    await tx.outbox.settle(found.id, Outcome.SENT, NOW)
            sent.extend(batch)

    await asyncio.gather(*(sender() for _ in range(4)))
    while batch := await claim(db):  # what was held back by the last ones under way
        sent.extend(batch)
        async with db.write() as tx:
            for found in batch:
                assert found.id is not None
                await tx.outbox.settle(found.id, Outcome.SENT, NOW)
    assert len(sent) == len(set(keys(sent))) == 100
    for chat in chats:
        mine = [found.dedupe_key for found in sent if found.chat_id == chat]
        assert mine == [f"{chat}-{n}" for n in range(5)]


async def test_urgent_news_during_a_claim_does_not_double_a_chat(db: Database) -> None:
    await add(db, *(notice(f"r{n}", ALICE) for n in range(3)))
    got: list[Notice] = []

    async def take() -> None:
        async with db.write() as tx:
            got.extend(await tx.outbox.claim(NOW, 9))
            await asyncio.sleep(0.05)

    first = asyncio.create_task(take())
    await asyncio.sleep(0.02)
    await asyncio.gather(
        first, add(db, notice("urgent", priority=Priority.PAYMENT)), take(), take()
    )
    assert len(got) == 1
