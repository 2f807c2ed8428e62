"""Every message passes the gate: what counts, what does not, and what Telegram's wishes do."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram.error import RetryAfter
from telegram.ext import ExtBot, MessageHandler, filters

from bot.chat import group
from bot.chat.context import Context
from bot.chat.limiter import Limiter
from bot.chat.messenger import TelegramMessenger
from bot.chat.notices import Renderer
from bot.chat.screen import Screen
from bot.chat.shop import Merchant
from bot.i18n import Html
from bot.ports import Notice, Place, Priority
from bot.services import notices
from bot.services.limits import SECOND, Gate, Limits
from tests.unit.chat.chat_house import Telegram, chat_house, refused, text
from tests.unit.services.sale_house import sale_house
from tests.unit.store.samples import ALICE, BOB, notice

GROUP = -100


class Post:
    """A bot behind a gate, before a scripted Telegram; its time stands still."""

    def __init__(self) -> None:
        self.at = 100 * SECOND
        self.gate = Gate(Limits(), now=lambda: self.at, started=0)
        self.telegram = Telegram()
        self.bot: ExtBot[Any] = ExtBot(
            "1:a", request=self.telegram, get_updates_request=self.telegram,
            rate_limiter=Limiter(self.gate),
        )  # fmt: skip

    def left(self, chat_id: int) -> bool:
        """Whether a chat takes a notice at this moment."""
        return chat_id not in self.gate.busy()


@pytest.fixture
async def post(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    found = Post()
    await found.bot.initialize()
    yield found
    await found.bot.shutdown()


async def test_messages_count_and_nothing_else_does(post: Post) -> None:
    await post.bot.send_chat_action(ALICE, "typing")
    await post.bot.answer_callback_query("q")
    await post.bot.edit_message_text("x", chat_id=ALICE, message_id=7)
    assert post.left(ALICE)  # Telegram is lenient about edits in private chats
    await post.bot.send_message(ALICE, "x")
    assert not post.left(ALICE)
    await post.bot.edit_message_text("x", chat_id=GROUP, message_id=7)
    assert not post.left(GROUP)
    await post.bot.send_photo(BOB, "F1")
    assert not post.left(BOB)


async def test_telegrams_wish_is_obeyed_without_asking_again(post: Post) -> None:
    post.telegram.answers["sendMessage"] = [refused(429, "Too Many Requests", retry_after=30)]
    with pytest.raises(RetryAfter):
        await post.bot.send_message(ALICE, "x")
    with pytest.raises(RetryAfter) as told:
        await post.bot.send_message(ALICE, "x")
    assert told.value.retry_after == timedelta(seconds=30)
    assert len(post.telegram.of("sendMessage")) == 1
    await post.bot.send_message(BOB, "x")  # it was this chat alone
    post.at += 30 * SECOND
    await post.bot.send_message(ALICE, "x")


async def test_a_notice_uses_its_place(post: Post, tmp_path: Path) -> None:
    async with sale_house(tmp_path) as shop:
        renderer = Renderer(shop.database, shop.clock, {}, Merchant("Shop"))
        messenger = TelegramMessenger(post.bot, shop.database, shop.clock, renderer)
        for paid in (False, True):
            place = Place(Priority.BROADCAST, paid)
            await messenger.deliver(_letter(), place)
            assert place.used
            assert post.telegram.of("sendMessage")[-1].get("allow_paid_broadcast", False) is paid
            post.at += SECOND


def _letter() -> Notice:
    data = {"from": BOB, "answer": True, "text": "Hi"}
    return Notice(notices.LETTER, ALICE, "l", Priority.BROADCAST, data)


async def test_an_answer_that_would_wait_too_long_follows_later(post: Post, tmp_path: Path) -> None:
    async def handler(update: object, context: Context) -> None:
        await context.send(Screen(Html("The answer")))

    async with sale_house(tmp_path) as shop, chat_house(shop) as house:
        await house.intake.replay()
        gate = Gate(Limits(limited=False), now=lambda: post.at)
        house.app.bot._rate_limiter = Limiter(gate)
        gate.refused(ALICE, 60)
        house.app.add_handler(MessageHandler(filters.TEXT, handler))
        await house.take(text(1))
        await house.settled()
        assert house.telegram.of("sendMessage") == []
        async with shop.database.read() as tx:
            assert await tx.outbox.next_due() == shop.clock.at + timedelta(seconds=60)


@pytest.mark.parametrize("told_in_the_old_one", [True, False])
async def test_a_group_that_becomes_a_supergroup_is_followed(
    tmp_path: Path, told_in_the_old_one: bool
) -> None:
    old, new = -5, -1005
    here, field, there = (
        (old, "migrate_to_chat_id", new) if told_in_the_old_one
        else (new, "migrate_from_chat_id", old)
    )  # fmt: skip
    handlers = group.handlers(frozenset())
    async with sale_house(tmp_path) as shop, chat_house(shop, handlers=handlers) as house:
        await house.intake.replay()
        async with shop.database.write() as tx:
            await tx.outbox.add(notice("1", old))
        raw = text(1)
        raw["message"] |= {field: there, "chat": {"id": here, "type": "group", "title": "G"}}
        del raw["message"]["text"]
        await house.take(raw)
        await house.settled()
        async with shop.database.write() as tx:
            [one] = await tx.outbox.claim(shop.clock.at, 9)
        assert one.chat_id == new
