"""Every notice is sent once or told apart: outages, lost answers, crashes, poison, blocks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ports import Delivery, Notice, Outcome, Place, Priority, Store, Tx
from bot.services.limits import SECOND, Gate, Limits
from bot.services.outbox import LEASE, WIDTH, Outbox
from bot.store import Database
from tests.unit.services.house import HandClock, opened, until
from tests.unit.store.samples import ALICE, BOB, CHARLIE, minutes, notice

LAST = Priority.BROADCAST
SENT, AMBIGUOUS, RETRY = (
    Delivery(outcome) for outcome in (Outcome.SENT, Outcome.AMBIGUOUS, Outcome.RETRY)
)


@dataclass
class Post:
    """A messenger that answers as its script says, then SENT."""

    script: list[Delivery | BaseException] = field(default_factory=list)
    got: list[str] = field(default_factory=list)
    answer: Callable[[Notice], Delivery] | None = None

    open: asyncio.Event = field(default_factory=asyncio.Event)
    """Not set: nothing that was begun ends."""

    def __post_init__(self) -> None:
        self.open.set()

    async def deliver(self, notice: Notice, place: Place | None = None) -> Delivery:
        self.got.append(notice.dedupe_key)
        await self.open.wait()
        if self.answer is not None:
            return self.answer(notice)
        answer = self.script.pop(0) if self.script else SENT
        if isinstance(answer, BaseException):
            raise answer
        return answer


@dataclass
class Office:
    database: Database
    clock: HandClock
    post: Post
    outbox: Outbox

    async def add(self, *notices: Notice) -> None:
        async with self.database.write() as tx:
            for each in notices:
                assert await tx.outbox.add(each)

    async def send(self) -> list[str]:
        """One run; what reached the messenger in it."""
        self.post.got.clear()
        await self.outbox.worker.run()
        return list(self.post.got)

    async def live(self, **span: float) -> list[str]:
        """Every run that is due within a span."""
        end, got = self.clock.at + timedelta(**span), await self.send()
        while (due := await self.outbox.next_due()) is not None and due <= end:
            self.clock.at = max(self.clock.at, due)
            got += await self.send()
        self.clock.at = end
        return got

    def restart(self) -> None:
        self.outbox = Outbox(self.database, self.clock, self.post)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as database:
        clock, post = HandClock(), Post()
        yield Office(database, clock, post, Outbox(database, clock, post))


async def test_the_most_urgent_first_and_each_chat_in_its_order(office: Office) -> None:
    await office.add(
        notice("a1"), notice("a2"), notice("b1", BOB),
        notice("paid", CHARLIE, priority=Priority.PAYMENT),
    )  # fmt: skip
    got = await office.send()
    assert got[0] == "paid"
    assert sorted(got) == ["a1", "a2", "b1", "paid"]
    assert got.index("a1") < got.index("a2")
    assert await office.send() == []


async def test_an_hour_without_telegram_loses_nothing(office: Office) -> None:
    await office.add(*(notice(f"{chat}-{n}", chat) for chat in (ALICE, BOB) for n in range(3)))
    end = office.clock.at + timedelta(hours=1)

    def down(each: Notice) -> Delivery:
        return RETRY if office.clock.at < end else SENT

    office.post.answer = down
    got = await office.live(hours=1, minutes=10)
    assert len(got) < 2 * 75 + 10  # about once a minute and chat, no storm
    assert [key for key in got[-6:] if key.startswith(f"{ALICE}")] == [
        f"{ALICE}-{n}" for n in range(3)
    ]
    assert await office.live(hours=1) == []


async def test_after_days_of_tries_it_is_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.outbox._MOST_TRIES", 9)
    await office.add(notice("1"))
    office.post.answer = lambda _: RETRY
    assert await office.live(hours=1) == ["1"] * 10


async def test_a_lost_answer_is_repeated_once(office: Office) -> None:
    await office.add(notice("1"))
    office.post.script = [AMBIGUOUS, AMBIGUOUS]
    assert await office.live(hours=1) == ["1", "1"]


async def test_an_answer_lost_after_an_outage_is_repeated_too(office: Office) -> None:
    await office.add(notice("1"))
    office.post.script = [RETRY, RETRY, AMBIGUOUS, RETRY]
    assert await office.live(hours=1) == ["1"] * 5


async def test_a_promo_whose_answer_is_lost_counts_as_sent(office: Office) -> None:
    await office.add(notice("1", priority=Priority.PROMO), notice("2", BOB, priority=LAST))
    office.post.script = [AMBIGUOUS, AMBIGUOUS]
    assert await office.live(hours=1) == ["1", "2"]


# ---- crashes -------------------------------------------------------------------------------


async def claim(office: Office) -> None:
    async with office.database.write() as tx:
        await tx.outbox.claim(office.clock.at, 30, by="only", until=office.clock.at + LEASE)


async def test_what_a_dead_process_was_sending_is_sent_again(office: Office) -> None:
    await office.add(notice("1"), notice("2"), notice("promo", BOB, priority=Priority.PROMO))
    await claim(office)
    office.restart()
    assert await office.send() == []  # its chat waits
    await office.outbox.recover()
    assert await office.send() == ["1", "2"]


async def test_each_crash_costs_at_most_one_duplicate_and_loses_nothing(office: Office) -> None:
    await office.add(notice("1"))
    office.post.script = [RETRY]
    await office.send()
    for _ in range(3):
        office.clock.advance(minutes=2)
        await claim(office)
        office.restart()
        await office.outbox.recover()
    assert await office.send() == ["1"]


class Failing:
    """The database, out of reach when told so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.writes = 1000

    def write(self) -> object:
        self.writes -= 1
        if self.writes < 0:
            raise OSError("disk full")
        return self._database.write()

    def read(self) -> object:
        return self._database.read()


async def test_an_outcome_that_could_not_be_stored_is_stored_later(office: Office) -> None:
    await office.add(notice("1"), notice("2"))
    failing = Failing(office.database)
    store: Store = failing  # type: ignore[assignment]
    office.outbox = Outbox(store, office.clock, office.post)
    failing.writes = 2  # the look for what is left and the claim work, its outcome does not
    assert await office.send() == ["1"]
    assert await office.send() == []
    failing.writes = 1000
    assert await office.send() == ["2"]


# ---- poison --------------------------------------------------------------------------------


async def test_one_that_can_not_be_rendered_blocks_its_chat_not_for_ever(office: Office) -> None:
    def poison(each: Notice) -> Delivery:
        if each.dedupe_key == "poison":
            raise KeyError("nonsense")
        return SENT

    office.post.answer = poison
    await office.add(notice("poison"), notice("good"), notice("b", BOB))
    assert await office.send() == ["poison", "b"]
    got = await office.live(minutes=2)
    assert got == ["poison"] * 5 + ["good"]


async def test_a_store_out_of_reach_for_a_moment_costs_no_message(office: Office) -> None:
    await office.add(notice("1"))
    office.post.script = [OSError("locked"), OSError("locked")]
    assert await office.live(minutes=1) == ["1"] * 3


async def test_a_refused_one_is_done_with(office: Office) -> None:
    await office.add(notice("1"), notice("2"))
    office.post.script = [Delivery(Outcome.FAILED, detail="too long")]
    assert await office.live(hours=1) == ["1", "2"]


# ---- Telegram's wishes ---------------------------------------------------------------------


async def test_one_chat_that_must_wait_stops_no_other(office: Office) -> None:
    await office.add(notice("a"), notice("b1", BOB), notice("b2", BOB))
    office.post.script = [Delivery(Outcome.RETRY, retry_at=minutes(5))]
    assert await office.send() == ["a", "b1", "b2"]
    assert await office.outbox.next_due() == minutes(5)
    assert await office.live(minutes=5) == ["a"]


async def test_when_everybody_must_wait_nothing_is_begun(office: Office) -> None:
    gate = Gate(
        Limits(limited=False), now=lambda: int(office.clock.at.timestamp()) * SECOND, started=0
    )
    office.outbox = Outbox(office.database, office.clock, office.post, gate)
    await office.add(*(notice(f"{n}", n) for n in range(40)))
    for chat in (901, 902, 903):
        gate.refused(chat, 60)
    assert await office.send() == []
    assert await office.outbox.next_due() == minutes(1)
    office.clock.at = minutes(1)
    assert len(await office.send()) == 40


async def test_a_wish_to_come_back_at_once_does_not_spin(office: Office) -> None:
    await office.add(notice("1"))
    office.post.answer = lambda _: Delivery(Outcome.RETRY, retry_at=office.clock.at)
    assert await office.send() == ["1"]


async def test_a_stop_ends_the_round(office: Office) -> None:
    await office.add(*(notice(f"{n}", n) for n in range(90)))
    office.post.open.clear()
    office.outbox.worker.start()
    office.outbox.worker.ring()
    await until(lambda: len(office.post.got) == WIDTH)
    stop = asyncio.create_task(office.outbox.worker.stop())
    await until(lambda: office.outbox.worker.stopping)
    office.post.open.set()
    await asyncio.wait_for(stop, 5)
    assert len(office.post.got) == WIDTH
    async with office.database.read() as tx:
        assert await tx.outbox.claimed() == []


async def test_ends_of_one_moment_are_heard_in_the_order_of_their_keys(office: Office) -> None:
    heard = list[str]()

    async def hear(tx: Tx, notice: Notice, delivery: Delivery) -> None:
        heard.append(notice.dedupe_key)

    office.outbox.told["reminder"] = hear
    await office.add(notice("c", ALICE), notice("b", BOB), notice("a", CHARLIE))
    office.post.open.clear()
    round_ = asyncio.create_task(office.outbox.worker.run())
    await until(lambda: len(office.post.got) == 3)
    office.post.open.set()
    await round_
    assert office.post.got == ["c", "b", "a"]
    assert heard == ["a", "b", "c"]


# ---- classes -------------------------------------------------------------------------------


async def test_what_is_urgent_overtakes_a_flood(office: Office) -> None:
    await office.add(*(notice(f"{n}", n, priority=LAST) for n in range(200)))
    office.post.open.clear()
    round_ = asyncio.create_task(office.outbox.worker.run())
    await until(lambda: len(office.post.got) == WIDTH)
    await office.add(notice("paid", CHARLIE, priority=Priority.PAYMENT))
    office.post.open.set()
    await round_
    assert len(office.post.got) == 201
    assert office.post.got.index("paid") <= 2 * WIDTH  # the next claim begins with it


async def test_nobody_waits_for_ever(office: Office) -> None:
    """As many urgent ones as can be sent, all the time: a broadcast gets its turn all the same."""
    await office.add(notice("old", BOB, priority=LAST))

    async def more() -> None:
        async with office.database.write() as tx:
            for _ in range(3):
                number = len(added)
                added.append(number)
                await tx.outbox.add(notice(f"u{number}", number, priority=Priority.PAYMENT))

    added: list[int] = []
    await more()
    for _ in range(20):
        await one_by_one(office)
        await more()
        if "old" in office.post.got:
            break
    assert "old" in office.post.got
    async with office.database.read() as tx:
        assert await tx.outbox.next_due() is not None  # the urgent ones were never all sent


async def one_by_one(office: Office) -> None:
    """A round of the narrowest sender, stopped after its first message."""
    office.outbox._width = 1
    office.post.answer = lambda _: stop()

    def stop() -> Delivery:
        office.outbox.worker.stopping = True
        return SENT

    await office.outbox.worker.run()
    office.outbox.worker.stopping = False


# ---- several instances ---------------------------------------------------------------------


async def test_another_instances_messages_are_left_to_it_until_its_lease_is_over(
    office: Office,
) -> None:
    await office.add(notice("1"), notice("promo", BOB, priority=Priority.PROMO))
    first = Outbox(office.database, office.clock, office.post, instance="first")
    office.post.open.clear()
    round_ = asyncio.create_task(first.worker.run())
    await until(lambda: len(office.post.got) == 2)
    office.outbox = Outbox(office.database, office.clock, office.post, instance="second")
    await office.outbox.recover()
    assert await office.send() == []  # not even what its own start could have left behind
    office.clock.at += LEASE
    office.post.open.set()
    second = asyncio.create_task(office.send())
    await second
    await round_
    # The first had not died, only been slow: one duplicate of the reminder, none of the promo.
    assert office.post.got == ["1"]
    assert await office.live(hours=1) == []


async def test_who_lost_its_lease_changes_nothing_any_more(office: Office) -> None:
    await office.add(notice("1"))
    async with office.database.write() as tx:
        [mine] = await tx.outbox.claim(minutes(0), 1, by="a", until=minutes(2))
        assert mine.id is not None
        assert await tx.outbox.take_over(minutes(1), "b", minutes(3), own=True) == []
        assert len(await tx.outbox.take_over(minutes(2), "b", minutes(4), own=False)) == 1
        assert not await tx.outbox.settle(mine.id, Outcome.SENT, minutes(2), by="a")
        assert not await tx.outbox.release(mine.id, minutes(2), by="a")
        assert await tx.outbox.settle(mine.id, Outcome.AMBIGUOUS, minutes(2), by="b")


# ---- people and groups ---------------------------------------------------------------------


async def test_a_group_that_moved_gets_its_messages_in_their_order(office: Office) -> None:
    group, moved = -100, -1007

    def answer(each: Notice) -> Delivery:
        return SENT if each.chat_id == moved else Delivery(Outcome.MIGRATED, chat_id=moved)

    office.post.answer = answer
    await office.add(notice("1", group), notice("2", group), notice("3", moved))
    got = await office.live(minutes=5)
    assert got[0] == "1"
    assert sorted(got) == ["1", "1", "2", "3"]
    assert got.index("2") > got.index("1", 1)


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.DEACTIVATED])
async def test_somebody_who_is_gone_is_remembered(office: Office, outcome: Outcome) -> None:
    await office.add(notice("1"))
    office.post.script = [Delivery(outcome)]
    assert await office.live(hours=1) == ["1"]

    async def blocked(tx: Tx) -> object:
        chat = await tx.chats.get(ALICE)
        assert chat is not None
        return chat.blocked_at

    async with office.database.read() as tx:
        assert await blocked(tx) is not None


async def test_what_is_outdated_is_not_sent(office: Office) -> None:
    await office.add(notice("1", expires_at=minutes(5)), notice("2"))
    office.clock.at = minutes(6)
    assert await office.send() == ["2"]
