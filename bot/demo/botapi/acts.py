"""What people do in their chats: write, press, pay, forward, edit, block.

Each act changes the world and queues the updates Telegram would send the bot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from bot.demo.botapi.entities import TEXT_LIMIT, find_entities, utf16_len
from bot.demo.botapi.errors import ApiError
from bot.demo.botapi.models import BOT_USERNAME, Json, Person, Stored
from bot.demo.botapi.params import Upload
from bot.demo.botapi.posting import (
    Voice,
    bot_sees,
    echo_edit,
    own_voice,
    put,
    threaded,
    without_reply,
)
from bot.demo.botapi.rooms import CHANNEL_BOT, GENERAL, Group
from bot.demo.botapi.sending import forwarded, is_content, payable_copy

if TYPE_CHECKING:
    from bot.demo.world import World

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{0,64}")


class CannotDo(Exception):
    """A person tries what Telegram's app would not let them; HTTP status, reason, details."""

    def __init__(self, status: int, reason: str, **details: object) -> None:
        super().__init__(reason)
        self.status, self.reason, self.details = status, reason, details


def person_of(world: World, person_id: int) -> Person:
    """The person; CannotDo 404."""
    person = world.people.get(person_id)
    if person is None:
        raise CannotDo(404, "no such person")
    return person


def room_of(world: World, person: Person, chat_id: int) -> Group | None:
    """The person's group or channel, None for the private chat with the bot; CannotDo 404."""
    if chat_id == person.id:
        return None
    group = world.groups.get(chat_id)
    if group is None or not group.has(person.id):
        raise CannotDo(404, "this person has no such chat")
    return group


def message_of(world: World, chat_id: int, message_id: object) -> Stored:
    """A message that is there; CannotDo 404."""
    stored = world.message(chat_id, message_id) if isinstance(message_id, int) else None
    if stored is None:
        raise CannotDo(404, "no such message")
    return stored


@dataclass(frozen=True, slots=True)
class Place:
    """How a message is to be written: in answer to which, in which topic (None: General), and
    as which chat (None: as usual)."""

    reply_to: object = None
    thread_id: object = None
    as_chat: object = None


HERE = Place()


def _enter(world: World, person: Person, chat_id: int) -> Group | None:
    """Check that the person may write here; the first words start the private chat."""
    room = room_of(world, person, chat_id)
    if person.deactivated:
        raise CannotDo(403, "this account is deleted")
    if room is None:
        if person.blocked:
            raise CannotDo(403, "this person blocked the bot; unblock it first")
        person.started = True
    elif room.type == "channel" and not room.may(person.id, "can_post_messages"):
        raise CannotDo(403, "only administrators post in a channel")
    elif not room.is_admin(person.id) and not room.may(person.id, "can_send_messages"):
        raise CannotDo(403, "this person may not write here")
    return room


def voice_of(world: World, person: Person, room: Group | None, as_chat: object = None) -> Voice:
    """As whom the person writes here; `as_chat` is the group (anonymous administrators) or a
    channel of their own. CannotDo 403."""
    if room is None:
        return Voice(person.user, None, person.id)
    usual = own_voice(room, person.user)
    if as_chat is None or (usual.chat is not None and usual.chat["id"] == as_chat):
        return usual
    channel = world.groups.get(as_chat) if isinstance(as_chat, int) else None
    own = channel is not None and channel.type == "channel"
    if channel is None or not own or channel.status(person.id) != "creator":
        raise CannotDo(403, "this person cannot write as that chat")
    return Voice(CHANNEL_BOT, channel.chat, person.id)


def _post(world: World, person: Person, chat_id: int, content: Json, place: Place) -> Stored:
    room = _enter(world, person, chat_id)
    voice = voice_of(world, person, room, place.as_chat)
    target = None
    if place.reply_to is not None:
        target = message_of(world, chat_id, place.reply_to)
    thread_id = place.thread_id if isinstance(place.thread_id, int) else None
    if thread_id == GENERAL:
        thread_id = None
    if room is not None:
        try:
            content |= threaded(world, room, thread_id, target, person.id)
        except ApiError as error:
            raise CannotDo(403, error.description.partition(": ")[2]) from None
    if target is not None:
        content["reply_to_message"] = without_reply(target)
    return put(world, chat_id, voice, content)


def say(world: World, person: Person, chat_id: int, text: object, place: Place = HERE) -> Stored:
    """Write a text."""
    return _post(world, person, chat_id, _text(text), place)


def _text(text: object) -> Json:
    if not isinstance(text, str) or not text.strip():
        raise CannotDo(400, "a message needs some text")
    text = text.strip()
    if utf16_len(text) > TEXT_LIMIT:
        raise CannotDo(400, "a message has at most 4096 characters")
    found = find_entities(text)
    return {"text": text, "entities": found} if found else {"text": text}


def send_file(
    world: World,
    person: Person,
    chat_id: int,
    kind: str,
    upload: Upload,
    caption: str = "",
    place: Place = HERE,
) -> Stored:
    """Send a photo or document, with a caption if there is one."""
    content = world.files.add(kind, upload).as_content()
    if caption:
        content |= {
            f"caption_{k}" if k == "entities" else "caption": v for k, v in _text(caption).items()
        }
    return _post(world, person, chat_id, content, place)


def is_payload(payload: object) -> bool:
    """Whether a link to the bot can carry this."""
    return isinstance(payload, str) and _PAYLOAD.fullmatch(payload) is not None


def start(world: World, person: Person, payload: object = "") -> Stored:
    """Open the bot by its link or its START button; unblocks it."""
    if not is_payload(payload):
        raise CannotDo(400, "a start payload has at most 64 characters of A-Z a-z 0-9 _ -")
    if person.blocked:
        block(world, person, on=False)
    return say(world, person, person.id, f"/start {payload}".strip())


def edit(world: World, person: Person, chat_id: int, message_id: object, text: object) -> Stored:
    """Change one's own text."""
    room = _enter(world, person, chat_id)
    stored = message_of(world, chat_id, message_id)
    if stored.written_by != person.id or "text" not in stored.data:
        raise CannotDo(403, "only one's own text messages can be edited")
    kept = {k: v for k, v in stored.data.items() if k not in ("text", "entities")}
    stored.data = {**kept, **_text(text), "edit_date": world.unix_time()}
    stored.edited = True
    world.announce("edited", stored)
    channel = room is not None and room.type == "channel"
    if bot_sees(room, stored):
        world.push("edited_channel_post" if channel else "edited_message", stored.data)
    if room is not None and channel:
        echo_edit(world, room, stored)
    return stored


def delete(world: World, person: Person, chat_id: int, message_id: object) -> None:
    """Delete a message for everybody: one's own, any in a private chat, others' by the right to.

    The bot is not told, as by Telegram.
    """
    room = room_of(world, person, chat_id)
    stored = message_of(world, chat_id, message_id)
    if room is None or stored.written_by == person.id:
        allowed = True
    else:
        allowed = room.is_admin(person.id) and room.may(person.id, "can_delete_messages")
    if not allowed:
        raise CannotDo(403, "only one's own messages can be deleted")
    stored.deleted = True
    world.announce("deleted", stored)


def forward(
    world: World, person: Person, chat_id: int, message_id: object, to_chat_id: int
) -> Stored:
    """Forward a message to another (or the same) chat of the person."""
    room_of(world, person, chat_id)
    source = message_of(world, chat_id, message_id)
    if source.data.get("has_protected_content") or not is_content(source):
        raise CannotDo(403, "this message cannot be forwarded")
    stored = _post(world, person, to_chat_id, forwarded(source), HERE)
    stored.invoice = payable_copy(source)
    return stored


def block(world: World, person: Person, *, on: bool) -> None:
    """Block or unblock the bot; the bot hears of it as my_chat_member."""
    if person.blocked == on:
        return
    person.blocked = on
    if not person.started:
        return
    kicked = {"status": "kicked", "user": world.bot_user, "until_date": 0}
    there = {"status": "member", "user": world.bot_user}
    world.push(
        "my_chat_member",
        {
            "chat": person.chat,
            "from": person.user,
            "date": world.unix_time(),
            "old_chat_member": there if on else kicked,
            "new_chat_member": kicked if on else there,
        },
    )


LINKS = ("start", "startgroup", "startchannel")
"""What a t.me link asks the app for: the private chat, or to add the bot somewhere."""


def bot_link(url: str) -> Json | None:
    """What a t.me link to this bot asks for, with its payload ("start" and "" if it names
    nothing); None for another link."""
    parts = urlsplit(url)
    if parts.hostname not in ("t.me", "telegram.me"):
        return None
    if parts.path.strip("/").lower() != BOT_USERNAME:
        return None
    query = parse_qs(parts.query, keep_blank_values=True)
    kind = next((name for name in LINKS if name in query), "start")
    return {kind: query.get(kind, [""])[0]}
