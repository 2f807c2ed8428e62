"""Per-chat order, nothing lost, nothing in the way of a pre-checkout question."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from telegram import Update
from telegram.error import NetworkError
from telegram.ext import MessageHandler, filters

from bot.chat.context import Context
from tests.unit.chat.chat_house import House, chat_house, pre_checkout, text, until
from tests.unit.services.sale_house import sale_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with sale_house(tmp_path) as shop, chat_house(shop) as found:
        await shop.stock()
        await found.intake.replay()
        yield found


def handle(house: House, handler: Any) -> None:
    house.app.add_handler(MessageHandler(filters.TEXT, handler))


async def test_one_chat_in_order_others_meanwhile(house: House) -> None:
    seen: list[str] = []
    gate = asyncio.Event()

    async def handler(update: Update, context: Context) -> None:
        assert update.message is not None
        words = update.message.text or ""
        if words == "a1":
            await gate.wait()
        seen.append(words)

    handle(house, handler)
    for number, (chat, words) in enumerate([(1, "a1"), (1, "a2"), (2, "b1"), (1, "a3"), (2, "b2")]):
        await house.take(text(number + 1, chat, words))

    async def two() -> bool:
        return len(seen) == 2

    await until(two)
    assert seen == ["b1", "b2"]
    gate.set()
    await house.settled()
    assert seen == ["b1", "b2", "a1", "a2", "a3"]
    assert house.queue.idle


async def test_pre_checkout_never_waits_behind_hung_handlers(house: House) -> None:
    gate = asyncio.Event()

    async def handler(update: Update, context: Context) -> None:
        await gate.wait()

    handle(house, handler)
    _, payment = await house.shop.invoice()
    for number in range(400):
        await house.take(text(number + 1, 2000 + number))
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await house.take(pre_checkout(1000, payment.id))

    async def answered() -> bool:
        return bool(house.telegram.of("answerPreCheckoutQuery"))

    await until(answered)
    assert loop.time() - begin < 1
    assert house.telegram.of("answerPreCheckoutQuery")[0]["ok"] is True
    gate.set()
    await house.settled(30)


async def test_one_payers_hanging_answer_keeps_no_other_payer_waiting(house: House) -> None:
    _, payment = await house.shop.invoice()
    gate = asyncio.Event()

    async def hang(name: str, given: dict[str, Any]) -> None:
        if given.get("pre_checkout_query_id") == "q1":
            await gate.wait()

    house.telegram.hold = hang
    await house.take(pre_checkout(1, payment.id))
    await house.take(pre_checkout(2, payment.id))

    async def second() -> bool:
        return await house.left() == [1]

    await until(second)
    gate.set()
    await house.settled()


async def test_a_handler_that_raises_is_settled_and_the_person_told(house: House) -> None:
    async def handler(update: Update, context: Context) -> None:
        if context.text == "break":
            raise RuntimeError("a defect")

    handle(house, handler)
    await house.take(text(1, words="break"))
    await house.take(text(2, words="fine"))
    await house.settled()
    [told] = house.telegram.of("sendMessage")
    async with house.shop.database._reader.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT error_id FROM inbox ORDER BY update_id")
        first, second = (row[0] for row in rows)
    assert first is not None
    assert first in told["text"]
    assert second is None
    assert house.memory.errors == {}


async def test_what_a_dead_process_left_is_handled_again_in_order(tmp_path: Path) -> None:
    seen: list[str] = []

    async def handler(update: Update, context: Context) -> None:
        seen.append(context.text)

    async with sale_house(tmp_path) as shop:
        async with chat_house(shop) as dead:
            # Committed, and never handled: this process ends before its replay.
            for number in (1, 2, 3):
                await dead.take(text(number, words=f"old {number}"))
        async with chat_house(shop) as house:
            handle(house, handler)
            await house.take(text(4, words="new"))
            await house.intake.replay()
            await house.settled()
    assert seen == ["old 1", "old 2", "old 3", "new"]


class Failing:
    """A database out of reach for the next `writes` writing transactions."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.failures = 0

    def write(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        return self._database.write()

    def read(self) -> Any:
        return self._database.read()


async def test_a_store_that_fails_leaves_the_update_with_telegram(tmp_path: Path) -> None:
    async with sale_house(tmp_path) as shop:
        store: Any = Failing(shop.database)
        async with chat_house(shop, store) as house:
            await house.intake.replay()
            store.failures = 1
            with pytest.raises(NetworkError):
                await house.take(text(1))
            assert await house.left() == []
            await house.take(text(1))
            await house.settled()


async def test_an_update_that_could_not_be_settled_is_settled_a_moment_later(
    tmp_path: Path,
) -> None:
    async with sale_house(tmp_path) as shop:
        store: Any = Failing(shop.database)

        async def handler(update: Update, context: Context) -> None:
            context.draft["asked"] = "amount"
            store.failures = 1

        async with chat_house(shop, store) as house:
            handle(house, handler)
            await house.intake.replay()
            await house.take(text(1))
            await house.settled()
            assert await house.left() == []
        async with shop.database.read() as tx:
            assert await tx.talks.drafts() == {1001: {"asked": "amount"}}


async def test_a_stop_ends_what_is_under_way_and_leaves_the_rest_for_the_next_start(
    tmp_path: Path,
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    seen: list[str] = []

    async def handler(update: Update, context: Context) -> None:
        begun.set()
        await gate.wait()
        seen.append(context.text)

    async with sale_house(tmp_path) as shop:
        async with chat_house(shop) as house:
            handle(house, handler)
            await house.intake.replay()
            for number in (1, 2, 3):
                await house.take(text(number, words=f"{number}"))
            await begun.wait()

            async def stopping() -> bool:
                return not house.app.running

            stop = asyncio.create_task(house.app.stop())
            await until(stopping)
            await house.take(text(4, words="4", chat=1002))
            gate.set()
            async with asyncio.timeout(5):
                await stop
            assert await house.left() == [2, 3, 4]
        async with chat_house(shop) as after:
            handle(after, handler)
            await after.intake.replay()
            await after.settled()
    assert seen == ["1", "2", "3", "4"] or seen == ["1", "2", "4", "3"]
    assert sorted(seen) == ["1", "2", "3", "4"]
