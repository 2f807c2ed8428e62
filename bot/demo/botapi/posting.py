"""How a message comes into a group or channel: as whom, into which topic, who hears of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import BOT_ID, BOT_USERNAME, Json, Stored
from bot.demo.botapi.rooms import ANONYMOUS_ADMIN, GENERAL, TELEGRAM, Group

if TYPE_CHECKING:
    from bot.demo.world import World

_KINDS = (
    ("photo", "can_send_photos", "photos"),
    ("document", "can_send_documents", "documents"),
    ("text", "can_send_messages", "text messages"),
    ("invoice", "can_send_messages", "invoice messages"),
)
SERVICE = frozenset(
    {
        "new_chat_members", "left_chat_member", "pinned_message", "forum_topic_created",
        "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "migrate_to_chat_id",
        "migrate_from_chat_id",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Voice:
    """As whom a message is written: what stands in `from`, in `sender_chat`, and who it is."""

    user: Json | None
    chat: Json | None
    author: int


def own_voice(room: Group, user: Json) -> Voice:
    """As this user writes here by themselves: in a channel as the channel, an anonymous
    administrator as the group."""
    if room.type == "channel":
        return Voice(None, room.chat, user["id"])
    if user["id"] in room.anonymous and room.is_admin(user["id"]):
        return Voice(ANONYMOUS_ADMIN, room.chat, user["id"])
    return Voice(user, None, user["id"])


def check_bot_may_post(room: Group, content: Json) -> None:
    """ApiError 400 when the bot's rights do not let it send this here."""
    if room.type == "channel":
        if not room.may(BOT_ID, "can_post_messages"):
            raise bad_request("need administrator rights in the channel chat")
        return
    for key, permission, words in _KINDS:
        if key in content:
            if not room.may(BOT_ID, permission):
                raise bad_request(f"not enough rights to send {words} to the chat")
            return


def threaded(
    world: World, room: Group, thread_id: int | None, target: Stored | None, user_id: int
) -> Json:
    """What says to which topic (or thread of replies) a message belongs; ApiError 400.

    General is named by no thread at all; 1 is refused, as by Telegram.
    A message of a topic that answers none is a reply to the topic's creation, as in Telegram.
    """
    if not room.is_forum:
        if thread_id is not None:
            raise bad_request("message thread not found")
        if target is None or room.type != "supergroup":
            return {}
        return {"message_thread_id": target.data.get("message_thread_id", target.message_id)}
    if thread_id is None and target is not None:
        thread_id = target.data.get("message_thread_id")
    topic = room.topics.get(GENERAL if thread_id is None else thread_id)
    if topic is None or thread_id == GENERAL:
        raise bad_request("message thread not found")
    if topic.closed and not (room.is_admin(user_id) and room.may(user_id, "can_manage_topics")):
        raise bad_request("TOPIC_CLOSED")
    if topic.id == GENERAL:
        return {}
    content: Json = {"message_thread_id": topic.id, "is_topic_message": True}
    created = world.messages[room.id][topic.id]
    if target is None:
        content["reply_to_message"] = without_reply(created)
    return content


def without_reply(stored: Stored) -> Json:
    """A message as it is shown inside another one."""
    return {key: value for key, value in stored.data.items() if key != "reply_to_message"}


def bot_sees(room: Group | None, stored: Stored) -> bool:
    """Privacy mode: in groups a bot that is no admin sees commands, replies to itself and service
    messages only.

    https://core.telegram.org/bots/features#privacy-mode
    """
    if room is None:
        return True
    if not room.has(BOT_ID):
        return False
    if room.is_admin(BOT_ID):
        return True
    data = stored.data
    if not SERVICE.isdisjoint(data):
        return True
    if data.get("reply_to_message", {}).get("from", {}).get("id") == BOT_ID:
        return True
    text: str = data.get("text") or data.get("caption") or ""
    match = re.match(r"/\w+(?:@(\w+))?", text)
    return match is not None and (match[1] or BOT_USERNAME).lower() == BOT_USERNAME


def put(world: World, chat_id: int, voice: Voice, content: Json) -> Stored:
    """Write a message and tell everybody who hears of it, the bot too."""
    room = world.groups.get(chat_id)
    stored = world.new_message(chat_id, voice.user, content)
    if voice.chat is not None:
        stored.data["sender_chat"] = voice.chat
    if voice.user is None or voice.chat is not None:
        stored.author = voice.author
    world.announce("message", stored)
    if bot_sees(room, stored):
        channel = room is not None and room.type == "channel"
        world.push("channel_post" if channel else "message", stored.data)
    if room is not None and room.linked is not None:
        echo(world, room, stored)
    return stored


def echo(world: World, room: Group, stored: Stored) -> None:
    """Forward a channel's post into its discussion group, as Telegram does by itself."""
    group = world.groups.get(room.linked or 0)
    if room.type != "channel" or group is None or not SERVICE.isdisjoint(stored.data):
        return
    origin = {
        "type": "channel",
        "chat": room.chat,
        "message_id": stored.message_id,
        "date": stored.data["date"],
    }
    content = _echoed(stored) | {"is_automatic_forward": True, "forward_origin": origin}
    stored.echo = put(
        world, group.id, Voice(TELEGRAM, room.chat, TELEGRAM["id"]), content
    ).message_id


def echo_edit(world: World, room: Group, stored: Stored) -> None:
    """Change the automatic forward of a post that was edited."""
    group = world.groups.get(room.linked or 0)
    if stored.echo is None or group is None:
        return
    copy = world.message(group.id, stored.echo)
    if copy is None:
        return
    kept = {key: value for key, value in copy.data.items() if key not in _CONTENT}
    copy.data = kept | _echoed(stored) | {"edit_date": world.unix_time()}
    copy.edited = True
    world.announce("edited", copy)
    if bot_sees(group, copy):
        world.push("edited_message", copy.data)


_CONTENT = (
    "text", "entities", "photo", "document", "caption", "caption_entities",
    "show_caption_above_media", "link_preview_options", "reply_markup",
)  # fmt: skip


def _echoed(stored: Stored) -> Json:
    """What a forward takes along: the content, and a keyboard that holds links only."""
    content = {key: stored.data[key] for key in _CONTENT if key in stored.data}
    rows = content.get("reply_markup", {}).get("inline_keyboard", [])
    if any("url" not in button for row in rows for button in row):
        del content["reply_markup"]
    return content
