"""A basic group becomes a supergroup: it goes on under another id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi.models import Json
from bot.demo.botapi.posting import Voice, put
from bot.demo.botapi.rooms import ANONYMOUS_ADMIN, SUPERGROUPS, Group

if TYPE_CHECKING:
    from bot.demo.world import World


def upgrade(world: World, old: Group, user: Json) -> Group:
    """The supergroup that the basic group `old` becomes by this user's wish; both chats say so."""
    new_id = min([SUPERGROUPS - 1_000_000_000, *world.groups]) - 1
    new = Group(
        new_id,
        "supergroup",
        old.title,
        dict(old.members),
        rights={user_id: dict(rights) for user_id, rights in old.rights.items()},
        anonymous=list(old.anonymous),
    )
    world.groups[new_id] = new
    put(world, old.id, Voice(user, None, user["id"]), {"migrate_to_chat_id": new_id})
    old.upgraded_to = new_id
    old.members.clear()
    voice = Voice(ANONYMOUS_ADMIN, new.chat, user["id"])
    put(world, new_id, voice, {"migrate_from_chat_id": old.id})
    world.events.emit("chat", chat_id=old.id)
    world.events.emit("chat", chat_id=new_id)
    return new
