"""Presses on inline buttons: one answer each, in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.demo.botapi import params as p
from bot.demo.botapi.entities import utf16_len
from bot.demo.botapi.errors import QUERY_TOO_OLD, bad_request
from bot.demo.botapi.models import BOT_USERNAME, CallbackQuery, Json, Person, Stored
from bot.demo.botapi.params import Method, Params

if TYPE_CHECKING:
    from bot.demo.world import World

ANSWER_LIMIT = 200


def press(world: World, person: Person, stored: Stored, data: str) -> CallbackQuery:
    """Queue the callback query of a press; its `answer` future holds what the bot says."""
    forget_old(world)
    chat_id = stored.data["chat"]["id"]
    query = CallbackQuery(
        world.query_id(),
        person.id,
        chat_id,
        stored.message_id,
        world.clock.timestamp(),
        asyncio.get_running_loop().create_future(),
    )
    world.callbacks[query.id] = query
    world.push(
        "callback_query",
        {
            "id": query.id,
            "from": person.user,
            "message": stored.data,
            "chat_instance": str(7_000_000_000_000 + chat_id),
            "data": data,
        },
    )
    return query


def forget_old(world: World) -> None:
    """Drop queries that the bot may no longer answer (by the demo's clock)."""
    oldest = world.clock.timestamp() - world.callback_seconds
    for query in list(world.callbacks.values()):
        if query.created >= oldest:
            break
        del world.callbacks[query.id]


def answer_callback_query(world: World, params: Params) -> bool:
    text, url = params.get("text", ""), params.get("url", "")
    if utf16_len(text) > ANSWER_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    if url and not url.startswith((f"https://t.me/{BOT_USERNAME}?", f"t.me/{BOT_USERNAME}?")):
        raise bad_request("URL_INVALID")
    forget_old(world)
    query = world.callbacks.pop(params["callback_query_id"], None)
    if query is None:
        raise bad_request(QUERY_TOO_OLD)
    answer: Json = {"text": text, "show_alert": bool(params.get("show_alert"))}
    if url:
        answer["url"] = url
    if not query.answer.done():
        query.answer.set_result(answer)
    world.events.emit(
        "callback_answer",
        person_id=query.person_id,
        chat_id=query.chat_id,
        message_id=query.message_id,
        callback_query_id=query.id,
        answer=answer,
    )
    return True


METHODS = {
    "answerCallbackQuery": Method(
        answer_callback_query,
        {
            "callback_query_id": p.string,
            "text": p.string,
            "show_alert": p.boolean,
            "url": p.string,
            "cache_time": p.integer,
        },
        ("callback_query_id",),
        {"callback_query_id": 'parameter "callback_query_id" is required'},
    )
}
