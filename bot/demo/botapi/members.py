"""Members of groups and channels: what the bot is shown of them, and how they come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import BOT_ID, Json
from bot.demo.botapi.posting import own_voice, put
from bot.demo.botapi.rooms import PERMISSIONS, STAND_FOR_CHATS, Group

if TYPE_CHECKING:
    from bot.demo.world import World


def user_of(world: World, user_id: int) -> Json:
    """The Bot API User; ApiError 400 for an id nobody has."""
    if user_id == BOT_ID:
        return world.bot_user
    if user_id in world.people:
        return world.people[user_id].user
    if user_id in STAND_FOR_CHATS:
        return STAND_FOR_CHATS[user_id]
    raise bad_request("user not found")


def member(world: World, group: Group, user_id: int) -> Json:
    """The Bot API ChatMember of a user in a group or channel."""
    status = group.status(user_id)
    answer: Json = {"status": status, "user": user_of(world, user_id)}
    if status in ("creator", "administrator"):
        answer["is_anonymous"] = user_id in group.anonymous
    if status == "administrator":
        answer["can_be_edited"] = False
        answer |= {name: group.may(user_id, name) for name in group.right_names()}
    elif status == "restricted":
        answer |= {name: group.may(user_id, name) for name in PERMISSIONS}
        answer |= {"is_member": True, "until_date": 0}
    elif status == "kicked":
        answer["until_date"] = 0
    return answer


def change(
    world: World,
    group: Group,
    actor: Json,
    user_id: int,
    *,
    status: str | None = None,
    rights: dict[str, bool] | None = None,
    anonymous: bool | None = None,
) -> None:
    """Change what a user is in a group and tell the bot as Telegram does; None leaves as it is.

    `rights` are those that differ from all that the status gives. The bot always hears of
    itself, of others only if it is an administrator and asked for `chat_member`.
    """
    old = member(world, group, user_id)
    was_in = group.has(user_id)
    if status is not None:
        if status != group.status(user_id):
            group.rights.pop(user_id, None)
        group.members[user_id] = status
    if rights is not None:
        group.rights[user_id] = group.rights.get(user_id, {}) | rights
    _set_anonymous(group, user_id, anonymous)
    new = member(world, group, user_id)
    if new == old:
        return
    update = {
        "chat": group.chat,
        "from": actor,
        "date": world.unix_time(),
        "old_chat_member": old,
        "new_chat_member": new,
    }
    if user_id == BOT_ID:
        world.push("my_chat_member", update)
    elif group.is_admin(BOT_ID):
        world.push("chat_member", update)
    world.events.emit("chat", chat_id=group.id)
    if was_in != group.has(user_id) and group.type != "channel":
        _say_so(world, group, actor, user_id, came=not was_in)


def _set_anonymous(group: Group, user_id: int, anonymous: bool | None) -> None:
    wanted = group.is_admin(user_id) and (
        user_id in group.anonymous if anonymous is None else anonymous
    )
    if wanted and user_id not in group.anonymous:
        group.anonymous.append(user_id)
    elif not wanted and user_id in group.anonymous:
        group.anonymous.remove(user_id)


def _say_so(world: World, group: Group, actor: Json, user_id: int, *, came: bool) -> None:
    user = user_of(world, user_id)
    content: Json = {"new_chat_members": [user]} if came else {"left_chat_member": user}
    put(world, group.id, own_voice(group, actor), content)
