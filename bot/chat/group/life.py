"""The life of a group: the bot is added, promoted, demoted, removed; the group is renamed, moves,
opens and closes topics (F45). All of it is kept; nothing is answered here."""

from telegram import ChatMember, ChatMemberUpdated, Message, Update
from telegram.ext import MessageHandler
from telegram.ext import filters as f

from bot.chat.context import Context
from bot.chat.group.voices import InRooms, manner_of, room_of
from bot.chat.rooms import may_post, standing_of

_GENERAL = 1
"""The thread of a forum's General topic, which messages do not name."""
_ADMINS = frozenset({ChatMember.ADMINISTRATOR, ChatMember.OWNER})


async def membership(update: Update, context: Context) -> None:
    """The bot itself was added, removed, or has other rights than before."""
    change = update.my_chat_member
    if change is None:
        return
    context.shop.rooms.forget(change.chat.id)
    member, user = change.new_chat_member, change.from_user
    await context.shop.grouping.changed(
        room_of(change.chat),
        standing_of(member),
        manner_of(context, user),
        None if user.is_bot else user.id,
        can_post=may_post(member),
    )


async def member(update: Update, context: Context) -> None:
    """Somebody became an administrator, or is none any more: what is known of the group's
    administrators is out of date."""
    change = update.chat_member
    if change is not None and _is_about_admins(change):
        context.shop.rooms.forget(change.chat.id)


def _is_about_admins(change: ChatMemberUpdated) -> bool:
    return bool(_ADMINS & {change.old_chat_member.status, change.new_chat_member.status})


async def moved(update: Update, context: Context) -> None:
    """A group became a supergroup, which has another id; Telegram tells it in both."""
    message = update.effective_message
    if message is None:
        return
    old = message.migrate_from_chat_id or message.chat.id
    new = message.migrate_to_chat_id or message.chat.id
    context.shop.rooms.forget(old)
    await context.shop.grouping.moved(old, new)


async def renamed(update: Update, context: Context) -> None:
    """The group has another title."""
    message = update.effective_message
    if message is None:
        return
    async with context.shop.store.read() as tx:
        known = await tx.groups.by_chat(message.chat.id)
    if known is not None:
        user = update.effective_user
        await context.shop.grouping.met(room_of(message.chat), manner_of(context, user))


async def topic(update: Update, context: Context) -> None:
    """A forum's topic was made, renamed, closed or opened."""
    message = update.effective_message
    if message is not None:
        closed = None
        if message.forum_topic_closed or message.forum_topic_reopened:
            closed = message.forum_topic_closed is not None
        name = topic_name(message)
        await context.shop.grouping.topic(
            message.chat.id, message.message_thread_id or _GENERAL, name, closed
        )


def topic_name(message: Message) -> str | None:
    """What the topic of a message is called, as far as the message says it."""
    if message.forum_topic_edited is not None:
        return message.forum_topic_edited.name
    if message.forum_topic_created is not None:
        return message.forum_topic_created.name
    first = message.reply_to_message
    if first is not None and first.forum_topic_created is not None:
        return first.forum_topic_created.name
    return None if message.message_thread_id else "General"


_TOPIC = (
    f.StatusUpdate.FORUM_TOPIC_CREATED
    | f.StatusUpdate.FORUM_TOPIC_EDITED
    | f.StatusUpdate.FORUM_TOPIC_CLOSED
    | f.StatusUpdate.FORUM_TOPIC_REOPENED
)
_ROOMS = ~f.ChatType.PRIVATE

HANDLERS = (
    InRooms("my_chat_member", membership),
    InRooms("chat_member", member),
    MessageHandler(f.StatusUpdate.MIGRATE, moved),
    MessageHandler(_ROOMS & f.StatusUpdate.NEW_CHAT_TITLE, renamed),
    MessageHandler(_ROOMS & _TOPIC, topic),
)
