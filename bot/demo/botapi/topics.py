"""Topics of forums: created, renamed, closed, opened again, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.demo.botapi.models import BOT_ID, Json, Stored
from bot.demo.botapi.posting import Voice, put
from bot.demo.botapi.rooms import ANONYMOUS_ADMIN, GENERAL, Group, Topic

if TYPE_CHECKING:
    from bot.demo.world import World

ICON_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
"""The colours Telegram lets a topic have (createForumTopic)."""
NAME_LIMIT = 128


def furnish(world: World, group: Group, names: Iterable[str]) -> None:
    """Topics that are there from the beginning: nobody is told of them."""
    voice: Json = {"sender_chat": group.chat}
    world.new_message(group.id, ANONYMOUS_ADMIN, voice | {"supergroup_chat_created": True})
    for name in names:
        stored = world.new_message(group.id, ANONYMOUS_ADMIN, dict(voice))
        _found(group, stored, name)


def create(world: World, group: Group, voice: Voice, name: str) -> Topic:
    """Open a new topic."""
    stored = world.new_message(group.id, voice.user, {})
    if voice.chat is not None:
        stored.data["sender_chat"], stored.author = voice.chat, voice.author
    topic = _found(group, stored, name)
    world.announce("message", stored)
    if group.has(BOT_ID):
        world.push("message", stored.data)
    return topic


def _found(group: Group, stored: Stored, name: str) -> Topic:
    color = ICON_COLORS[len(group.topics) % len(ICON_COLORS)]
    topic = group.topics[stored.message_id] = Topic(stored.message_id, name, color)
    stored.data |= {
        "message_thread_id": topic.id,
        "is_topic_message": True,
        "forum_topic_created": {"name": name, "icon_color": color},
    }
    return topic


def rename(world: World, group: Group, voice: Voice, topic: Topic, name: str) -> None:
    """Give a topic another name."""
    topic.name = name
    _tell(world, group, voice, topic, {"forum_topic_edited": {"name": name}})


def close(world: World, group: Group, voice: Voice, topic: Topic, *, closed: bool) -> None:
    """Close a topic to everybody but those who manage topics, or open it again."""
    if topic.closed == closed:
        return
    topic.closed = closed
    word = "forum_topic_closed" if closed else "forum_topic_reopened"
    _tell(world, group, voice, topic, {word: {}})


def delete(world: World, group: Group, topic: Topic) -> None:
    """Delete a topic with all its messages; bots are not told."""
    del group.topics[topic.id]
    for stored in world.messages.get(group.id, {}).values():
        if stored.data.get("message_thread_id") == topic.id and not stored.deleted:
            stored.deleted = True
            world.announce("deleted", stored)


def _tell(world: World, group: Group, voice: Voice, topic: Topic, content: Json) -> None:
    if topic.id != GENERAL:
        created = world.messages[group.id][topic.id]
        content |= {"message_thread_id": topic.id, "is_topic_message": True}
        content["reply_to_message"] = dict(created.data)
    put(world, group.id, voice, content)


def shown(group: Group) -> list[Json]:
    """The topics as the people interface shows them, General first."""
    return [
        {"message_thread_id": topic.id, "name": topic.name, "closed": topic.closed}
        for topic in group.topics.values()
    ]
