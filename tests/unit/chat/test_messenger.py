"""Notices become messages, every answer of Telegram's a fact, and the last edit is the receipt."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram import Message, Update
from telegram.error import NetworkError, TimedOut
from telegram.ext import ExtBot, MessageHandler, filters

from bot.chat.context import Context
from bot.chat.messenger import TelegramMessenger
from bot.chat.notices import Renderer
from bot.chat.request import NotSent, ServerFailed
from bot.chat.screen import Screen
from bot.chat.shop import Merchant
from bot.domain.orders import OrderState
from bot.i18n import Html
from bot.ports import Delivery, Notice, Outcome, Priority
from bot.services import notices
from bot.services.outbox import Outbox
from tests.unit.chat.chat_house import Answer, Telegram, chat_house, refused, text
from tests.unit.services.sale_house import S, Shop, sale_house
from tests.unit.store.samples import ALICE, BOB


class Desk:
    """A messenger over a scripted Telegram."""

    def __init__(self, shop: Shop, store: Any = None) -> None:
        self.shop = shop
        self.telegram = Telegram()
        self.bot = ExtBot("1:a", request=self.telegram, get_updates_request=self.telegram)
        store = store or shop.database
        carriers: Any = shop.carriers
        renderer = Renderer(shop.database, shop.clock, carriers, Merchant("Shop"))
        self.messenger = TelegramMessenger(self.bot, store, shop.clock, renderer)
        self.outbox = Outbox(shop.database, shop.clock, self.messenger)

    async def deliver(self, notice: Notice, *answers: Answer) -> Delivery:
        """Deliver with Telegram answering so to whatever is asked."""
        for method in ("sendMessage", "editMessageText"):
            self.telegram.answers[method] = list(answers)
        return await self.messenger.deliver(notice)

    def texts(self) -> list[str]:
        """Every text sent or edited, oldest first."""
        changing = ("sendMessage", "editMessageText")
        return [given["text"] for name, given in self.telegram.calls if name in changing]


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    async with sale_house(tmp_path) as shop:
        await shop.stock()
        found = Desk(shop)
        await found.bot.initialize()
        yield found


def letter(chat: int = ALICE) -> Notice:
    """Something that is always a new message."""
    return Notice(
        notices.LETTER, chat, "l", Priority.OPERATOR, {"from": BOB, "answer": True, "text": "Hi"}
    )


async def moved(desk: Desk) -> Notice:
    """An order's message, to be edited."""
    paid = await desk.shop.paid()
    return notices.order_moved(paid.id, ALICE, OrderState.PAID)


@pytest.mark.parametrize(
    ("kind", "method", "name"),
    [("photo", "sendPhoto", "photo"), ("file", "sendDocument", "document")],
)
async def test_a_letters_picture_goes_with_it(
    desk: Desk, kind: str, method: str, name: str
) -> None:
    told = letter()
    assert (await desk.deliver(replace(told, data={**told.data, kind: "F1"}))).outcome is (
        Outcome.SENT
    )
    [given] = desk.telegram.of(method)
    assert given[name] == "F1"
    assert "Hi" in given["caption"]
    assert desk.texts() == []


async def test_a_picture_that_telegram_refuses_is_told_of_in_words(desk: Desk) -> None:
    told = letter()
    desk.telegram.answers["sendPhoto"] = [refused(400, "Bad Request: wrong file identifier")]
    sent = await desk.deliver(replace(told, data={**told.data, "photo": "F1"}))
    assert sent.outcome is Outcome.SENT
    assert len(desk.texts()) == 1
    assert "Hi" in desk.texts()[0]
    assert "图片" in desk.texts()[0]


# ---- what Telegram's answers mean ----------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sent", "edited"),
    [
        (refused(429, "Too Many Requests", retry_after=7), Outcome.RETRY, Outcome.RETRY),
        (refused(403, "Forbidden: bot was blocked by the user"), Outcome.BLOCKED, Outcome.BLOCKED),
        (refused(400, "Bad Request: chat not found"), Outcome.BLOCKED, Outcome.BLOCKED),
        (refused(403, "Forbidden: user is deactivated"), Outcome.DEACTIVATED, Outcome.DEACTIVATED),
        (
            refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=-1005,
            ),
            Outcome.MIGRATED,
            Outcome.MIGRATED,
        ),
        (refused(400, "Bad Request: message is too long"), Outcome.FAILED, Outcome.FAILED),
        (refused(400, "Bad Request: message is not modified"), Outcome.FAILED, Outcome.SENT),
        (NotSent("refused"), Outcome.RETRY, Outcome.RETRY),
        (ServerFailed("HTTP 502"), Outcome.RETRY, Outcome.RETRY),
        (TimedOut(), Outcome.AMBIGUOUS, Outcome.RETRY),
        (NetworkError("broken"), Outcome.AMBIGUOUS, Outcome.RETRY),
    ],
)
async def test_every_answer_is_a_fact(
    desk: Desk, answer: Answer, sent: Outcome, edited: Outcome
) -> None:
    assert (await desk.deliver(letter(), answer)).outcome is sent
    assert (await desk.deliver(await moved(desk), answer)).outcome is edited


async def test_a_groups_new_id_is_told(desk: Desk) -> None:
    upgraded = refused(400, "group chat was upgraded to a supergroup chat",
                       migrate_to_chat_id=-1005)  # fmt: skip
    assert (await desk.deliver(letter(), upgraded)).chat_id == -1005


async def test_telegrams_wait_is_kept(desk: Desk) -> None:
    delivery = await desk.deliver(letter(), refused(429, "Too Many Requests", retry_after=7))
    assert delivery.retry_at == desk.shop.clock.now() + timedelta(seconds=7)


@pytest.mark.parametrize(
    "description", ["Bad Request: message to edit not found", "Bad Request: MESSAGE_ID_INVALID"]
)
async def test_a_message_that_is_gone_is_sent_anew_and_edited_from_then_on(
    desk: Desk, description: str
) -> None:
    notice = await moved(desk)
    desk.telegram.answers["editMessageText"] = [refused(400, description)]
    delivery = await desk.messenger.deliver(notice)
    assert delivery.outcome is Outcome.SENT
    order = await desk.shop.order(notice.data["order_id"])
    assert order.message_id == delivery.message_id != 77
    again = await desk.messenger.deliver(notice)
    assert again.message_id == order.message_id
    assert len(desk.telegram.of("sendMessage")) == 1


async def test_what_was_sent_counts_as_sent_even_when_its_id_is_lost(desk: Desk) -> None:
    class Full:
        def write(self) -> object:
            raise OSError("disk full")

    other = Desk(desk.shop, Full())
    await other.bot.initialize()
    notice = await moved(other)
    other.telegram.answers["editMessageText"] = [refused(400, "message to edit not found")]
    assert (await other.messenger.deliver(notice)).outcome is Outcome.SENT


async def test_nobody_there_is_nothing_to_say(desk: Desk) -> None:
    assert (await desk.deliver(letter(chat=4))).outcome is Outcome.DROPPED
    assert desk.telegram.of("sendMessage") == []


# ---- the order's message -------------------------------------------------------------------


async def test_one_message_is_edited_from_paid_to_the_receipt(desk: Desk) -> None:
    paid = await desk.shop.paid()
    await desk.outbox.worker.run()
    await desk.shop.fulfil()
    await desk.outbox.worker.run()
    assert desk.telegram.of("sendMessage") == []
    edits = desk.telegram.of("editMessageText")
    assert {edit["message_id"] for edit in edits} == {77}
    assert len(edits) == 3
    assert paid.number in edits[-1]["text"]
    assert "c1" in edits[-1]["text"]  # the receipt names the charge


async def test_a_late_notice_tells_the_present_truth(desk: Desk) -> None:
    await desk.shop.paid()
    desk.telegram.answers["editMessageText"] = [refused(429, "Too Many Requests", retry_after=60)]
    await desk.outbox.worker.run()  # "paid" has to wait
    await desk.shop.fulfil()
    for _ in range(4):
        await desk.outbox.worker.run()
        desk.shop.clock.advance(minutes=1)
    receipts = ["c1" in words for words in desk.texts()]
    assert receipts[0] is False
    assert all(receipts[1:])
    assert len(receipts) == 4  # paid, topping up, fulfilled, and paid once more
    desk.shop.clock.advance(minutes=20)  # the word that an order waits has nothing to say any more
    await desk.outbox.worker.run()
    assert len(desk.texts()) == 4
    async with desk.shop.database.read() as tx:
        assert await tx.outbox.next_due() is None


async def test_a_screen_kept_back_does_not_stand_over_the_receipt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed, payment = await desk.shop.invoice()

    async def handler(update: Update, context: Context) -> None:
        await context.edit(77, Screen(Html("Waiting for your payment")))

    async with chat_house(desk.shop) as house:
        await house.intake.replay()
        house.telegram.answers["editMessageText"] = [
            refused(429, "Too Many Requests", retry_after=3)
        ]
        house.app.add_handler(MessageHandler(filters.TEXT, handler))
        await house.take(text(1))
        await house.settled()
    desk.shop.clock.advance(seconds=1)
    await desk.shop.pay(payment)
    await desk.shop.fulfil()
    await desk.outbox.worker.run()
    desk.shop.clock.advance(seconds=5)
    await desk.outbox.worker.run()
    assert (await desk.shop.order(placed.id)).state is S.FULFILLED
    assert "c1" in desk.texts()[-1]


@pytest.mark.parametrize(
    "answer",
    [refused(429, "Too Many Requests", retry_after=3), NotSent("refused"), ServerFailed("502")],
)
async def test_an_answer_that_can_not_go_out_follows_later(desk: Desk, answer: Answer) -> None:
    async def handler(update: Update, context: Context) -> None:
        assert isinstance(update.message, Message)
        await context.send(Screen(Html("The answer")))

    async with chat_house(desk.shop) as house:
        await house.intake.replay()
        house.telegram.answers["sendMessage"] = [answer]
        house.app.add_handler(MessageHandler(filters.TEXT, handler))
        await house.take(text(1))
        await house.settled()
        assert len(house.telegram.of("sendMessage")) == 1
    desk.shop.clock.advance(seconds=5)
    await desk.outbox.worker.run()
    assert desk.texts() == ["The answer"]
