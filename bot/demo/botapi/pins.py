"""Pinned messages: a chat has any number of them, the newest pin is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import BOT_ID, Stored
from bot.demo.botapi.params import CHAT_MISSING, Method, Params
from bot.demo.botapi.posting import SERVICE, Voice, own_voice, put, without_reply
from bot.demo.botapi.rooms import Group

if TYPE_CHECKING:
    from bot.demo.world import World


def may_pin(room: Group, user_id: int) -> bool:
    """Whether this administrator may pin here; in a channel whoever edits pins too."""
    right = "can_edit_messages" if room.type == "channel" else "can_pin_messages"
    return room.is_admin(user_id) and room.may(user_id, right)


def pin(world: World, stored: Stored, voice: Voice) -> None:
    """Pin a message; the chat is told by a service message."""
    chat_id = stored.data["chat"]["id"]
    pinned = world.pinned.setdefault(chat_id, [])
    if stored.message_id in pinned:
        pinned.remove(stored.message_id)
    pinned.append(stored.message_id)
    content = {"pinned_message": without_reply(stored)}
    for key in ("message_thread_id", "is_topic_message"):
        if key in stored.data:
            content[key] = stored.data[key]
    put(world, chat_id, voice, content)
    world.events.emit("chat", chat_id=chat_id)


def unpin(world: World, chat_id: int, message_id: int | None) -> None:
    """Unpin one message, or the newest pin; nobody is told."""
    pinned = world.pinned.get(chat_id, [])
    if message_id is None and pinned:
        message_id = pinned[-1]
    if message_id not in pinned:
        raise bad_request("message to unpin not found")
    pinned.remove(message_id)
    world.events.emit("chat", chat_id=chat_id)


def _chat(world: World, params: Params) -> int:
    chat_id = world.writable(params["chat_id"])
    room = world.groups.get(chat_id)
    if room is not None and not may_pin(room, BOT_ID):
        raise bad_request("not enough rights to manage pinned messages in the chat")
    return chat_id


def pin_chat_message(world: World, params: Params) -> bool:
    chat_id = _chat(world, params)
    stored = world.message(chat_id, params["message_id"])
    if stored is None:
        raise bad_request("message to pin not found")
    if not SERVICE.isdisjoint(stored.data):
        raise bad_request("message can't be pinned")
    room = world.groups.get(chat_id)
    user = world.bot_user
    pin(world, stored, Voice(user, None, BOT_ID) if room is None else own_voice(room, user))
    return True


def unpin_chat_message(world: World, params: Params) -> bool:
    unpin(world, _chat(world, params), params.get("message_id"))
    return True


def unpin_all_chat_messages(world: World, params: Params) -> bool:
    chat_id = _chat(world, params)
    world.pinned.pop(chat_id, None)
    world.events.emit("chat", chat_id=chat_id)
    return True


_TARGET = {"chat_id": p.chat, "message_id": p.integer}
METHODS = {
    "pinChatMessage": Method(
        pin_chat_message,
        {**_TARGET, "disable_notification": p.boolean},
        ("chat_id", "message_id"),
        CHAT_MISSING,
    ),
    "unpinChatMessage": Method(unpin_chat_message, _TARGET, ("chat_id",), CHAT_MISSING),
    "unpinAllChatMessages": Method(
        unpin_all_chat_messages, {"chat_id": p.chat}, ("chat_id",), CHAT_MISSING
    ),
}
