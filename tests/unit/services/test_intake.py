"""Updates are committed before they count as taken, each is passed on once, oldest first."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports import InboxRow, Tx
from bot.services.intake import KEEP, Intake, lane_of
from bot.store import Database
from tests.unit.services.house import HandClock, opened, until

Raw = dict[str, object]


def text(update_id: int, chat: int = 7) -> Raw:
    """A message in a private chat."""
    body = {"message_id": update_id, "date": 0, "chat": {"id": chat, "type": "private"},
            "from": {"id": chat, "is_bot": False, "first_name": "A"}, "text": "hi"}  # fmt: skip
    return {"update_id": update_id, "message": body}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path) as found:
        yield found


def listening(database: Database) -> tuple[Intake, list[int]]:
    intake, got = Intake(database, HandClock()), list[int]()
    intake.listen(lambda row: got.append(row.update_id))
    return intake, got


async def left(database: Database) -> list[int]:
    async with database.read() as tx:
        return [row.update_id for row in await tx.inbox.unfinished()]


@pytest.mark.parametrize(
    ("update", "lane"),
    [
        (text(1), "chat:7"),
        ({"update_id": 1, "callback_query": {"id": "x", "from": {"id": 9},
                                             "message": {"chat": {"id": 7}}}}, "chat:7"),
        ({"update_id": 1, "callback_query": {"id": "x", "from": {"id": 9}}}, "chat:9"),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": 7}, "from": {"id": 9}}}, "chat:7"),
        ({"update_id": 1, "pre_checkout_query": {"id": "q1", "from": {"id": 7}}},
         "pre_checkout:q1"),
        ({"update_id": 1, "poll": {"id": "5"}}, "other"),
        ({"update_id": 1, "message": {"chat": {}}}, "chat:None"),
        ({"update_id": 1, "pre_checkout_query": None}, "other"),
    ],
)  # fmt: skip
def test_an_update_has_a_lane(update: Raw, lane: str) -> None:
    assert lane_of(update) == lane


async def test_an_update_is_committed_then_passed_on_once(database: Database) -> None:
    intake, got = listening(database)
    await intake.replay()
    for _ in range(3):
        await intake.accept(text(1))
    assert got == [1]
    assert await left(database) == [1]


async def test_a_replay_comes_before_what_is_new_and_nothing_twice(database: Database) -> None:
    old, _ = listening(database)
    for number in (1, 2, 3):
        await old.accept(text(number))
    new, got = listening(database)
    await new.accept(text(4))  # the webhook answers before the replay
    await new.accept(text(2))
    assert got == []
    assert await new.replay() == 4
    await new.accept(text(5))
    assert got == [1, 2, 3, 4, 5]


async def test_updates_that_come_during_the_replay_are_passed_on_once(database: Database) -> None:
    intake, got = listening(database)
    updates = [intake.accept(text(number)) for number in range(1, 30)]
    await asyncio.gather(*updates[:15], intake.replay(), *updates[15:])
    assert sorted(got) == list(range(1, 30))


async def test_an_update_that_can_not_be_read_is_closed_with_an_error_id(
    database: Database,
) -> None:
    def listener(row: InboxRow) -> None:
        if row.update_id == 2:
            raise TypeError("nonsense")
        got.append(row.update_id)

    first = Intake(database, HandClock())
    await first.accept(text(2))
    second, got = Intake(database, HandClock()), list[int]()
    second.listen(listener)
    await second.accept(text(1))
    await second.replay()
    assert got == [1]
    assert await left(database) == [1]


async def test_a_store_that_fails_is_told_to_the_caller(database: Database) -> None:
    class Full:
        def write(self) -> object:
            raise OSError("disk full")

        def read(self) -> object:
            return database.read()

    intake = Intake(Full(), HandClock())  # type: ignore[arg-type]
    with pytest.raises(OSError, match="disk full"):
        await intake.accept(text(1))


async def test_an_accept_that_is_cut_off_still_passes_on(database: Database) -> None:
    asked = asyncio.Event()

    class Asked:
        """Tells when somebody wants to write."""

        def write(self) -> object:
            asked.set()
            return database.write()

        def read(self) -> object:
            return database.read()

    intake, got = listening(Asked())  # type: ignore[arg-type]
    await intake.replay()
    async with database.write():
        asked.clear()
        task = asyncio.create_task(intake.accept(text(1)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert got == []
    await until(lambda: got == [1])


async def test_handled_updates_are_forgotten_in_time(database: Database) -> None:
    clock = HandClock()
    intake = Intake(database, clock)
    await intake.accept(text(1))
    await intake.accept(text(2))

    async def done(tx: Tx) -> None:
        await tx.inbox.done(1, clock.now(), None)

    async with database.write() as tx:
        await done(tx)
    clock.at += KEEP * 1.01
    await intake.purge()
    assert await left(database) == [2]
    async with database.write() as tx:
        assert await tx.inbox.append([InboxRow(1, "x", "{}")], clock.now()) == [True]
