"""A whole python-telegram-bot application on the stand-in, by polling and by webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LabeledPrice, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    PreCheckoutQueryHandler,
    filters,
)

from tests.contract.botapi_schema import API_JSON, Schema
from tests.contract.botapi_server import XIAOYU, StandIn, serving

App = Application[Any, Any, Any, Any, Any, Any]
SECRET = "a-webhook-secret"


async def greet(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("买一份", callback_data="buy")]])
    await update.message.reply_html(
        "<b>你好</b>, <a href='https://example.com'>see</a>", reply_markup=keyboard
    )


async def offer(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    assert query
    await query.answer("OK")
    await query.edit_message_text("Pay below")
    prices = [LabeledPrice("one", 25)]
    await query.get_bot().send_invoice(
        XIAOYU, "One", "One of it", "o-1", "XTR", prices, start_parameter="o-1"
    )


async def allow(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.pre_checkout_query
    await update.pre_checkout_query.answer(True)


async def thank(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message
    await update.message.reply_text("Thank you")


def build(tg: StandIn) -> App:
    app = tg.application().concurrent_updates(True).build()
    app.add_handler(CommandHandler("start", greet))
    app.add_handler(CallbackQueryHandler(offer, "buy"))
    app.add_handler(PreCheckoutQueryHandler(allow))
    app.add_handler(MessageHandler(filters.SUCCESSFUL_PAYMENT, thank))
    return app


@asynccontextmanager
async def polling(tg: StandIn, app: App) -> AsyncIterator[None]:
    assert app.updater
    await app.updater.start_polling(timeout=5)
    yield
    await app.updater.stop()


class Hook:
    """The bot's side of a webhook; refuses its first `failures` posts."""

    def __init__(self, app: App, failures: int) -> None:
        self.app, self.failures = app, failures
        self.taken: list[int] = []

    async def take(self, request: Request) -> Response:
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == SECRET
        if self.failures:
            self.failures -= 1
            return Response(status_code=503)
        body = await request.json()
        self.taken.append(body["update_id"])
        await self.app.update_queue.put(Update.de_json(body, self.app.bot))
        return Response()


@asynccontextmanager
async def hooked(tg: StandIn, app: App) -> AsyncIterator[None]:
    hook = Hook(app, failures=2)
    async with serving(Starlette(routes=[Route("/hook", hook.take, methods=["POST"])])) as url:
        await app.bot.set_webhook(f"{url}/hook", secret_token=SECRET)
        yield
        info = await app.bot.get_webhook_info()
        assert info.pending_update_count == 0
        assert info.last_error_message == (
            "Wrong response from the webhook: 503 Service Unavailable"
        )
        assert hook.taken == sorted(set(hook.taken))
        await app.bot.delete_webhook()


async def wait_for(tg: StandIn, text: str) -> dict[str, Any]:
    """The last message once its text is this (or it is the invoice)."""
    for _ in range(500):
        last = await tg.last(XIAOYU) if await tg.messages(XIAOYU) else {}
        if text in (last.get("text"), last.get("invoice", {}).get("title")):
            return last
        await asyncio.sleep(0.01)
    raise AssertionError(f"{text!r} did not come")


@pytest.mark.parametrize("way", [polling, hooked])
async def test_greet_press_pay(tg: StandIn, way: Any) -> None:
    app = build(tg)
    async with app:
        await app.start()
        async with way(tg, app):
            hello = await wait_for(tg, "你好, see")
            assert [e["type"] for e in hello["entities"]] == ["bold", "text_link"]
            press = {"message_id": hello["message_id"], "text": "买一份"}
            answer = await tg.act(XIAOYU, "press", **press)
            assert answer["answer"]["text"] == "OK"
            invoice = await wait_for(tg, "One")
            paid = await tg.act(XIAOYU, "pay", message_id=invoice["message_id"])
            assert paid["status"] == "paid"
            await wait_for(tg, "Thank you")
            idle = await tg.http.post("/idle", json={"timeout": 5})
            assert idle.json()["idle"] is True
        await app.stop()
    if API_JSON.exists():
        calls = [call.as_dict() for call in tg.calls.after()]
        assert Schema().problems_of_calls(calls) == []


async def test_the_secret_of_the_webhook_is_not_in_the_log(tg: StandIn) -> None:
    await tg.call("setWebhook", url="http://127.0.0.1:9/", secret_token=SECRET)
    assert SECRET not in (await tg.http.get("/calls")).text
