"""How the stand-in brings updates to the bot, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from telegram.error import (
    BadRequest,
    Conflict,
    NetworkError,
    TimedOut,
)

from bot.demo.botapi.errors import QUERY_TOO_OLD
from tests.contract.botapi_server import EMMA, GO, XIAOYU, StandIn


class TestCallbacks:
    async def pressed(self, tg: StandIn, bot: Bot) -> str:
        sent = await bot.send_message(XIAOYU, "x", reply_markup=GO)
        answer = await tg.act(XIAOYU, "press", message_id=sent.message_id, text="Go", wait=False)
        assert answer["answer"] is None
        return str(answer["callback_query_id"])

    async def test_a_press_waits_for_the_one_answer(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(XIAOYU, "x", reply_markup=GO)
        press = asyncio.create_task(tg.act(XIAOYU, "press", message_id=sent.message_id, text="Go"))
        updates = await bot.get_updates(timeout=5)
        while updates[-1].callback_query is None:
            updates = await bot.get_updates(offset=updates[-1].update_id + 1, timeout=5)
        query = updates[-1].callback_query
        assert (query.data, query.from_user.id) == ("go", XIAOYU)
        assert query.message is not None
        assert query.message.message_id == sent.message_id
        await query.answer("Done", show_alert=True)
        assert (await press)["answer"] == {"text": "Done", "show_alert": True}
        with pytest.raises(BadRequest, match="Query is too old"):
            await query.answer()

    async def test_queries_expire(self, tg: StandIn, bot: Bot) -> None:
        query_id = await self.pressed(tg, bot)
        tg.world.clock.advance(151)
        text = await tg.refused("answerCallbackQuery", callback_query_id=query_id)
        assert text == f"Bad Request: {QUERY_TOO_OLD}"
        updates = await bot.get_updates()
        assert [update.callback_query for update in updates] == [None]

    async def test_an_answer_has_200_characters(self, tg: StandIn, bot: Bot) -> None:
        query_id = await self.pressed(tg, bot)
        params = {"callback_query_id": query_id, "text": "a" * 201}
        assert await tg.refused("answerCallbackQuery", **params) == "Bad Request: MESSAGE_TOO_LONG"

    async def test_an_unknown_label_names_those_there_are(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(XIAOYU, "x", reply_markup=GO)
        answer = await tg.act(XIAOYU, "press", message_id=sent.message_id, text="Stop")
        assert answer == {"ok": False, "error": "no such button", "labels": ["Go"]}

    async def test_links_are_opened_by_the_person(self, tg: StandIn, bot: Bot) -> None:
        rows = [
            [InlineKeyboardButton("Shop", url="https://example.com")],
            [InlineKeyboardButton("Open", url="https://t.me/xuka_demo_bot?start=promo_7")],
        ]
        sent = await bot.send_message(XIAOYU, "x", reply_markup=InlineKeyboardMarkup(rows))
        shop = await tg.act(XIAOYU, "press", message_id=sent.message_id, text="Shop")
        assert shop == {"ok": True, "url": "https://example.com/"}
        opened = await tg.act(XIAOYU, "press", message_id=sent.message_id, text="Open")
        assert opened["start"] == "promo_7"
        assert (await tg.act(EMMA, "start", payload="promo_7"))["text"] == "/start promo_7"


class TestUpdates:
    async def test_long_polling_acknowledges_by_offset(self, tg: StandIn, bot: Bot) -> None:
        first = (await bot.get_updates())[0]
        again = (await bot.get_updates())[0]
        assert again.update_id == first.update_id
        poll = asyncio.create_task(bot.get_updates(offset=first.update_id + 1, timeout=10))
        await asyncio.sleep(0.05)
        await tg.act(XIAOYU, "messages", text="hello")
        second = (await poll)[0]
        assert second.update_id == first.update_id + 1
        assert second.message is not None
        assert second.message.text == "hello"

    async def test_limit_and_negative_offset(self, tg: StandIn, bot: Bot) -> None:
        for number in range(5):
            await tg.act(XIAOYU, "messages", text=str(number))
        assert len(await bot.get_updates(limit=2)) == 2
        texts = [update.message.text for update in await bot.get_updates(offset=-2)]  # type: ignore[union-attr]
        assert texts == ["3", "4"]

    async def test_two_polls_conflict(self, tg: StandIn, bot: Bot) -> None:
        await bot.get_updates(offset=-1)
        tg.world.updates.pending.clear()
        older = asyncio.create_task(bot.get_updates(timeout=10))
        await asyncio.sleep(0.05)
        newer = asyncio.create_task(tg.bot().get_updates(timeout=1))
        with pytest.raises(Conflict) as caught:
            await older
        assert caught.value.message == (
            "Conflict: terminated by other getUpdates request; make sure that only one bot "
            "instance is running"
        )
        assert await newer == ()

    async def test_no_polling_beside_a_webhook(self, bot: Bot) -> None:
        await bot.set_webhook("http://127.0.0.1:9/hook")
        with pytest.raises(Conflict) as caught:
            await bot.get_updates()
        assert caught.value.message == (
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook "
            "to delete the webhook first"
        )
        await bot.delete_webhook()
        assert len(await bot.get_updates()) == 1

    async def test_only_wanted_kinds_are_queued(self, tg: StandIn, bot: Bot) -> None:
        await bot.get_updates(offset=-1, allowed_updates=["callback_query"])
        await tg.act(XIAOYU, "messages", text="not wanted")
        assert len(tg.world.updates.pending) == 1

    async def test_edits_by_people(self, tg: StandIn, bot: Bot) -> None:
        said = await tg.act(XIAOYU, "messages", text="teh")
        edited = await tg.act(XIAOYU, "edit", message_id=said["message_id"], text="the")
        assert (edited["text"], edited["edited"]) == ("the", True)
        update = (await bot.get_updates())[-1]
        assert update.edited_message is not None
        assert update.edited_message.text == "the"

    async def test_old_updates_are_gone(self, tg: StandIn, bot: Bot) -> None:
        tg.world.clock.advance(24 * 3600 + 1)
        assert await bot.get_updates() == ()


class TestFaults:
    async def test_down(self, tg: StandIn, bot: Bot) -> None:
        await tg.http.post("/faults", json={"name": "telegram_down", "on": True})
        with pytest.raises(NetworkError, match="Bad Gateway"):
            await bot.send_message(XIAOYU, "x")
        await tg.http.post("/faults", json={"name": "telegram_down", "on": False})
        await bot.send_message(XIAOYU, "x")

    async def test_a_lost_answer_leaves_the_message(self, tg: StandIn, bot: Bot) -> None:
        tg.faults.set("telegram_send_lost_answer", times=1)
        with pytest.raises(NetworkError) as caught:
            await bot.send_message(XIAOYU, "did it arrive?")
        assert not isinstance(caught.value, BadRequest | TimedOut)
        assert (await tg.last(XIAOYU))["text"] == "did it arrive?"
        assert tg.calls.after()[-1].status == 0

    async def test_flood_and_slowness(self, tg: StandIn, bot: Bot) -> None:
        tg.faults.set("telegram_flood", times=1)
        answer = await tg.call("sendMessage", chat_id=XIAOYU, text="x")
        assert answer["parameters"] == {"retry_after": 3}
        tg.world.slow_seconds = 0.1
        tg.faults.set("telegram_slow", times=1)
        started = time.monotonic()
        await bot.send_message(XIAOYU, "x")
        assert time.monotonic() - started >= 0.1

    async def test_unknown_faults_are_refused(self, tg: StandIn) -> None:
        answer = await tg.http.post("/faults", json={"name": "nothing", "on": True})
        assert answer.status_code == 404


class TestAround:
    async def test_clock_log_and_idle(self, tg: StandIn, bot: Bot) -> None:
        busy = await tg.http.post("/idle", json={"timeout": 0.05})
        assert busy.json() == {"idle": False, "undelivered": 1}
        updates = await bot.get_updates()
        waiting = asyncio.create_task(tg.http.post("/idle", json={"timeout": 5}))
        await asyncio.sleep(0.02)
        await bot.get_updates(offset=updates[-1].update_id + 1)
        assert (await waiting).json() == {"idle": True, "undelivered": 0}
        moved = (await tg.http.post("/clock", json={"advance_seconds": 3600})).json()
        assert moved["offset_seconds"] == 3600
        assert (await tg.http.post("/clock", json={"advance_seconds": -1})).status_code == 400
        calls = (await tg.http.get("/calls?after=1")).json()
        assert [call["method"] for call in calls] == ["getUpdates"]
        assert tg.world.token not in json.dumps(calls)

    async def test_events_tell_the_page(self, tg: StandIn, bot: Bot) -> None:
        with tg.world.events.subscribe() as queue:
            sent = await bot.send_message(XIAOYU, "x")
            await bot.send_chat_action(XIAOYU, "typing")
            await sent.delete()
            kinds = [(queue.get_nowait() or {})["type"] for _ in range(queue.qsize())]
        assert [kind for kind in kinds if kind != "call"] == ["message", "chat_action", "deleted"]

    async def test_the_event_stream_ends_with_the_world(self, tg: StandIn) -> None:
        async with tg.http.stream("GET", "/events") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            await tg.http.post("/faults", json={"name": "telegram_flood", "times": 0})
            rest = []
            async for line in lines:
                rest.append(line)
                if line.startswith("data:"):
                    tg.world.events.close()
        assert "event: fault" in rest
