"""What the bot may know of chats and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import bad_request, forbidden
from bot.demo.botapi.members import change, member, user_of
from bot.demo.botapi.models import BOT_ID, Json
from bot.demo.botapi.params import CHAT_MISSING, Method, Params
from bot.demo.botapi.posting import without_reply
from bot.demo.botapi.rooms import NOT_FOR_MEMBERS, PERMISSIONS, Group

if TYPE_CHECKING:
    from bot.demo.world import World

_MEMBERS_MAY_NOT = dict.fromkeys(
    ("can_change_info", "can_pin_messages", "can_manage_topics"), False
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


def get_chat(world: World, params: Params) -> Json:
    chat_id = world.find_chat(params["chat_id"])
    full: Json = {**world.chat_of(chat_id), **_FULL}
    if chat_id < 0:
        group = _room(world, chat_id, may_look=True)
        if group.type != "channel":
            full["permissions"] = {name: name not in NOT_FOR_MEMBERS for name in PERMISSIONS}
        if group.linked is not None:
            full["linked_chat_id"] = group.linked
    for message_id in reversed(world.pinned.get(chat_id, [])):
        if pinned := world.message(chat_id, message_id):
            full["pinned_message"] = without_reply(pinned)
            break
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
    if group.type == "channel" and not group.is_admin(BOT_ID):
        raise bad_request("member list is inaccessible")
    return [member(world, group, user_id) for user_id in group.admins()]


def get_chat_member(world: World, params: Params) -> Json:
    """A member; others than the bot itself only where it is an administrator.

    Telegram may tell a plain member some, but promises none: the stand-in tells none.
    """
    chat_id, user_id = world.find_chat(params["chat_id"]), params["user_id"]
    if chat_id > 0:
        if user_id not in (chat_id, BOT_ID):
            raise bad_request("user not found")
        return {"status": "member", "user": user_of(world, user_id)}
    group = _room(world, chat_id)
    if user_id != BOT_ID and not group.is_admin(BOT_ID):
        raise bad_request("CHAT_ADMIN_REQUIRED")
    return member(world, group, user_id)


def leave_chat(world: World, params: Params) -> bool:
    chat_id = world.find_chat(params["chat_id"])
    if chat_id > 0:
        raise bad_request("chat member status can't be changed in private chats")
    change(world, _room(world, chat_id), world.bot_user, BOT_ID, status="left")
    return True


def get_chat_member_count(world: World, params: Params) -> int:
    chat_id = world.find_chat(params["chat_id"])
    if chat_id > 0:
        return 2
    group = _room(world, chat_id, may_look=True)
    return sum(group.has(user_id) for user_id in group.members)


_CHAT = {"chat_id": p.chat}
METHODS = {
    "getChat": Method(get_chat, _CHAT, ("chat_id",), CHAT_MISSING),
    "getChatAdministrators": Method(
        get_chat_administrators,
        {**_CHAT, "return_bots": p.boolean},
        ("chat_id",),
        CHAT_MISSING,
    ),
    "leaveChat": Method(leave_chat, _CHAT, ("chat_id",), CHAT_MISSING),
    "getChatMember": Method(
        get_chat_member, {**_CHAT, "user_id": p.integer}, ("chat_id", "user_id"), CHAT_MISSING
    ),
    "getChatMemberCount": Method(get_chat_member_count, _CHAT, ("chat_id",), CHAT_MISSING),
}
