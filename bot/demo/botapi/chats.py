"""What the bot may know of chats and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import bad_request, forbidden
from bot.demo.botapi.models import BOT_ID, Group, Json
from bot.demo.botapi.params import CHAT_MISSING, Method, Params

if TYPE_CHECKING:
    from bot.demo.world import World

_ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
)
_FULL = {
    "accent_color_id": 0,
    "max_reaction_count": 11,
    "accepted_gift_types": {
        "unlimited_gifts": False,
        "limited_gifts": False,
        "unique_gifts": False,
        "premium_subscription": False,
        "gifts_from_channels": False,
    },
}


def member(world: World, group: Group, user_id: int) -> Json:
    """The Bot API ChatMember of a user in a group or channel."""
    status = group.status(user_id)
    answer: Json = {"status": status, "user": user_of(world, user_id)}
    if status == "creator":
        answer["is_anonymous"] = False
    elif status == "administrator":
        answer |= {"can_be_edited": False, "is_anonymous": False}
        answer |= dict.fromkeys(_ADMIN_RIGHTS, True)
    elif status == "kicked":
        answer["until_date"] = 0
    return answer


def user_of(world: World, user_id: int) -> Json:
    """The Bot API User; ApiError 400 for an id nobody has."""
    if user_id == BOT_ID:
        return world.bot_user
    if user_id in world.people:
        return world.people[user_id].user
    raise bad_request("user not found")


def get_chat(world: World, params: Params) -> Json:
    chat_id = world.find_chat(params["chat_id"])
    full: Json = {**world.chat_of(chat_id), **_FULL}
    if chat_id < 0:
        group = _room(world, chat_id, may_look=True)
        if group.type == "supergroup":
            full["permissions"] = {"can_send_messages": True, "can_invite_users": True}
    return full


def _room(world: World, chat_id: int, *, may_look: bool = False) -> Group:
    """The group or channel, if the bot may see into it; a public one it may look at."""
    group = world.groups.get(chat_id)
    if group is None:
        raise bad_request("there are no administrators in the private chat")
    if not group.has(BOT_ID) and not (may_look and group.username):
        if group.status(BOT_ID) == "kicked":
            raise forbidden(f"bot was kicked from the {group.type} chat")
        raise forbidden(f"bot is not a member of the {group.type} chat")
    return group


def get_chat_administrators(world: World, params: Params) -> list[Json]:
    group = _room(world, world.find_chat(params["chat_id"]), may_look=True)
    return [member(world, group, user_id) for user_id in group.admins() if user_id != BOT_ID]


def get_chat_member(world: World, params: Params) -> Json:
    chat_id, user_id = world.find_chat(params["chat_id"]), params["user_id"]
    if chat_id > 0:
        if user_id not in (chat_id, BOT_ID):
            raise bad_request("user not found")
        return {"status": "member", "user": user_of(world, user_id)}
    return member(world, _room(world, chat_id), user_id)


def get_chat_member_count(world: World, params: Params) -> int:
    chat_id = world.find_chat(params["chat_id"])
    if chat_id > 0:
        return 2
    group = _room(world, chat_id, may_look=True)
    return sum(group.has(user_id) for user_id in group.members)


_CHAT = {"chat_id": p.chat}
METHODS = {
    "getChat": Method(get_chat, _CHAT, ("chat_id",), CHAT_MISSING),
    "getChatAdministrators": Method(get_chat_administrators, _CHAT, ("chat_id",), CHAT_MISSING),
    "getChatMember": Method(
        get_chat_member, {**_CHAT, "user_id": p.integer}, ("chat_id", "user_id"), CHAT_MISSING
    ),
    "getChatMemberCount": Method(get_chat_member_count, _CHAT, ("chat_id",), CHAT_MISSING),
}
