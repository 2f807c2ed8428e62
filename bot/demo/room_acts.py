"""What the demo's people do about their groups and channels, beside writing in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.demo.botapi import acts, members, pins, topics
from bot.demo.botapi.acts import CannotDo, message_of, room_of, voice_of
from bot.demo.botapi.errors import ApiError
from bot.demo.botapi.models import BOT_ID, BOT_USERNAME, Json, Person
from bot.demo.botapi.rooms import GENERAL, PERMISSIONS, STATUSES, Group, Topic
from bot.demo.botapi.upgrade import upgrade
from bot.demo.world import World


def _room(world: World, person: Person, chat_id: int) -> Group:
    room = room_of(world, person, chat_id)
    if room is None:
        raise CannotDo(403, "this is a private chat")
    return room


def _as_admin(world: World, person: Person, chat_id: int, right: str) -> Group:
    """The room, if the person is an administrator of it with this right."""
    room = _room(world, person, chat_id)
    if not room.is_admin(person.id) or not room.may(person.id, right):
        raise CannotDo(403, f"only an administrator may do that ({right})")
    return room


def _yes_or_no(body: Json, name: str) -> bool | None:
    value = body.get(name)
    if not isinstance(value, bool | None):
        raise CannotDo(400, f'"{name}" must be true or false')
    return value


def _rights(room: Group, body: Json) -> dict[str, bool] | None:
    rights = body.get("rights")
    if rights is None:
        return None
    known = {*room.right_names(), *PERMISSIONS}
    if not isinstance(rights, dict) or rights.keys() - known:
        raise CannotDo(400, '"rights" must be rights of this kind of chat', known=sorted(known))
    return {name: bool(value) for name, value in rights.items()}


def _status(room: Group, body: Json, user_id: int) -> str | None:
    status = body.get("status")
    if status is None:
        return None
    if status not in STATUSES or status == "creator":
        raise CannotDo(400, "there is no such status", statuses=list(STATUSES[1:]))
    if room.status(user_id) == "creator":
        raise CannotDo(403, "the owner stays the owner")
    if room.type == "channel" and user_id == BOT_ID and status in ("member", "restricted"):
        raise CannotDo(403, "a bot is in a channel as an administrator only")
    if status == "restricted" and room.type != "supergroup":
        raise CannotDo(403, "only a supergroup restricts its members")
    return str(status)


def change_bot(world: World, person: Person, chat_id: int, body: Json) -> Json:
    """Add the bot, promote it with chosen rights, restrict or remove it.

    "start" is the payload of the link by which it was added to a group: the app then writes
    /start with it there.
    """
    room = _as_admin(world, person, chat_id, "can_manage_chat")
    status, rights = _status(room, body, BOT_ID), _rights(room, body)
    start = body.get("start")
    if start is not None and not acts.is_payload(start):
        raise CannotDo(400, "a start payload has at most 64 characters of A-Z a-z 0-9 _ -")
    members.change(world, room, person.user, BOT_ID, status=status, rights=rights)
    if start is not None and room.type != "channel":
        acts.say(world, person, chat_id, f"/start@{BOT_USERNAME} {start}")
    return {"ok": True, "member": members.member(world, room, BOT_ID)}


def change_member(world: World, person: Person, chat_id: int, body: Json) -> Json:
    """Let somebody in, promote, restrict or remove them; oneself: leave, be anonymous or not."""
    other = acts.person_of(world, body.get("person", person.id))
    status, anonymous = body.get("status"), _yes_or_no(body, "anonymous")
    if other is person and status == "left":
        room = _room(world, person, chat_id)
    else:
        room = _as_admin(world, person, chat_id, "can_manage_chat")
    members.change(
        world,
        room,
        person.user,
        other.id,
        status=_status(room, body, other.id),
        rights=_rights(room, body),
        anonymous=anonymous,
    )
    return {"ok": True, "member": members.member(world, room, other.id)}


def delete(world: World, person: Person, chat_id: int, body: Json) -> Json:
    """Delete a message for everybody."""
    acts.delete(world, person, chat_id, body.get("message_id"))
    return {"ok": True}


def pin(world: World, person: Person, chat_id: int, body: Json) -> Json:
    """Pin a message, or with "on": false unpin it."""
    room = room_of(world, person, chat_id)
    if room is not None and not pins.may_pin(room, person.id):
        raise CannotDo(403, "only an administrator may do that (can_pin_messages)")
    stored = message_of(world, chat_id, body.get("message_id"))
    if _yes_or_no(body, "on") is False:
        try:
            pins.unpin(world, chat_id, stored.message_id)
        except ApiError as error:
            raise CannotDo(404, error.description) from None
    else:
        pins.pin(world, stored, voice_of(world, person, room))
    return {"ok": True, "pinned": list(world.pinned.get(chat_id, []))}


def change_topic(world: World, person: Person, chat_id: int, body: Json) -> Json:
    """Create a topic by a name, or change one: name, closed, deleted."""
    room = _as_admin(world, person, chat_id, "can_manage_topics")
    if not room.is_forum:
        raise CannotDo(403, "this group has no topics")
    voice = voice_of(world, person, room)
    name = body.get("name")
    wrong = not isinstance(name, str) or not 1 <= len(name.strip()) <= topics.NAME_LIMIT
    if name is not None and wrong:
        raise CannotDo(400, "a topic's name has 1 to 128 characters")
    thread_id = body.get("message_thread_id")
    if thread_id is None:
        if name is None:
            raise CannotDo(400, '"name" or "message_thread_id" is needed')
        topic = topics.create(world, room, voice, name.strip())
    else:
        topic = _topic(room, thread_id)
        _change_topic(world, room, person, topic, body)
    world.events.emit("chat", chat_id=room.id)
    return {"ok": True, "message_thread_id": topic.id, "topics": topics.shown(room)}


def _topic(room: Group, thread_id: object) -> Topic:
    topic = room.topics.get(thread_id) if isinstance(thread_id, int) else None
    if topic is None:
        raise CannotDo(404, "no such topic")
    return topic


def _change_topic(world: World, room: Group, person: Person, topic: Topic, body: Json) -> None:
    voice = voice_of(world, person, room)
    if body.get("name"):
        topics.rename(world, room, voice, topic, body["name"].strip())
    closed = _yes_or_no(body, "closed")
    if closed is not None:
        topics.close(world, room, voice, topic, closed=closed)
    if _yes_or_no(body, "deleted"):
        if topic.id == GENERAL:
            raise CannotDo(403, "the General topic cannot be deleted")
        topics.delete(world, room, topic)


def become_supergroup(world: World, person: Person, chat_id: int, _body: Json) -> Json:
    """Upgrade one's basic group."""
    room = _room(world, person, chat_id)
    if room.type != "group" or room.status(person.id) != "creator":
        raise CannotDo(403, "only the owner of a basic group can upgrade it")
    return {"ok": True, "chat_id": upgrade(world, room, person.user).id}


def chat_line(world: World, person: Person, room: Group | None) -> Json:
    """A chat as it stands in the person's list."""
    chat_id = person.id if room is None else room.id
    log = world.messages.get(chat_id, {})
    last = next((each for each in reversed(log.values()) if not each.deleted), None)
    pinned = [each for each in world.pinned.get(chat_id, []) if world.message(chat_id, each)]
    line: Json = {"id": chat_id, "last_message": world.shown(last) if last else None}
    line["pinned"] = pinned
    if room is None:
        return line | _private_line(world, person)
    line |= {
        **room.chat,
        "status": room.status(person.id),
        "members": sum(room.has(user_id) for user_id in room.members),
        "anonymous": person.id in room.anonymous,
        "bot": room.status(BOT_ID),
    }
    if room.is_forum:
        line["topics"] = topics.shown(room)
    if room.linked is not None:
        line["linked_chat_id"] = room.linked
    return line


def _private_line(world: World, person: Person) -> Json:
    language = person.language_code[:2]
    name = world.bot.text_for(world.bot.names, language) or world.bot.name
    return {
        "type": "private",
        "title": name,
        "username": world.bot_user["username"],
        "started": person.started,
        "blocked": person.blocked,
        "description": world.bot.text_for(world.bot.descriptions, language),
        "menu_button": world.bot.menu_buttons.get(person.id, world.bot.menu_button),
    }


ROOM_ACTS: dict[str, Callable[[World, Person, int, Json], Any]] = {
    "bot": change_bot,
    "member": change_member,
    "delete": delete,
    "pin": pin,
    "topics": change_topic,
    "upgrade": become_supergroup,
}
"""By the last part of their address under /people/{person}/chats/{chat}."""
