"""Commands in groups and channels (F40, F43).

    /promo ─┬► an admin, an anonymous one, a channel: a button that leads to the private chat
            └► anybody else, another chat's voice: a kind no, once
    a command of the private chat ─┬► known here: answered there, and only that is said
                                   └► else: a button that opens the private chat
    /start, /help ─► what the bot is here for

Nothing private is ever shown in a group. Channels' posts come here too: PTB's conversations never
see them. What names no command of ours is another bot's, or nobody's.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from telegram import Chat, Message, MessageEntity, Update
from telegram.constants import ChatType, ParseMode
from telegram.error import TelegramError
from telegram.ext import BaseHandler, MessageHandler
from telegram.ext import filters as f

from bot.chat.context import NO_PREVIEW, Context
from bot.chat.group.life import topic_name
from bot.chat.group.voices import manner_of, person_of, room_of, words_for
from bot.chat.screen import Screen
from bot.chat.views import groups as views
from bot.domain.groups import Approval, Group
from bot.i18n import words
from bot.ports import RoomsUnavailable

log = structlog.get_logger()

_ABOUT = frozenset({"start", "help"})
_STRANGER = 0


class Commands:
    """Answers commands; `private` are the names of those that the private chat knows."""

    def __init__(self, private: frozenset[str]) -> None:
        self._private = private - _ABOUT - {"promo"}

    async def __call__(self, update: Update, context: Context) -> None:
        """One command."""
        message = update.effective_message
        if message is None or message.is_automatic_forward:
            return  # a channel's post in its discussion group, which the channel was answered
        name = command_in(message, context.bot.username)
        if name == "promo":
            await promo(update, context, message)
        elif message.chat.type == ChatType.CHANNEL:
            return
        elif name in self._private:
            await privately(update, context, message, name)
        elif name in _ABOUT:
            await about(update, context, message)


def command_in(message: Message, username: str) -> str | None:
    """The command that a message begins with; None when it is meant for another bot."""
    first = next(iter(message.entities), None)
    if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset != 0:
        return None
    name, _, bot = message.parse_entity(first)[1:].partition("@")
    return name.lower() if not bot or bot.lower() == username.lower() else None


# ---- /promo ------------------------------------------------------------------------------


async def promo(update: Update, context: Context, message: Message) -> None:
    """Lead an admin of the group to the private chat, where offers are chosen."""
    user, chat, shop = person_of(update), message.chat, context.shop
    t = words_for(context, user)
    try:
        proven = await _proven(update, context, message)
    except RoomsUnavailable:
        if shop.hush.speaks(chat.id, _key(message), context.now):
            await _reply(context, message, views.not_known_now(t))
        return
    if not proven:
        if shop.hush.speaks(chat.id, _key(message), context.now):
            link = _link(context)
            await _reply(context, message, views.admins_only(t, link))
        return
    by = user.id if user is not None else None
    group = await shop.grouping.met(room_of(chat), manner_of(context, user), by)
    if user is None:
        t = words(group.language, group.zone)
    if message.is_topic_message and message.message_thread_id is not None:
        await shop.grouping.topic(chat.id, message.message_thread_id, topic_name(message), None)
    if group.approval is Approval.BANNED or not shop.hush.speaks(
        chat.id, _key(message), context.now, again=True
    ):
        return
    screen = views.choose_privately(t, _link(context, _payload(group, message)))
    sent = await _reply(context, message, screen)
    if sent is not None:
        await tidy_up(context, chat.id)
        # A channel's readers are not to read the command either.
        command = (message.message_id,) if update.channel_post is not None else ()
        shop.hush.asked[chat.id] = (sent.message_id, *command)
    elif context.chat is not None and user is not None:
        await context.send(screen)  # the bot may not write there: it says so where it may


async def tidy_up(context: Context, chat_id: int) -> None:
    """What led an admin to the private chat has done its work: the group is not to keep it."""
    for message_id in context.shop.hush.asked.pop(chat_id, ()):
        with suppress(TelegramError):
            await context.bot.delete_message(chat_id, message_id)


async def _proven(update: Update, context: Context, message: Message) -> bool:
    """Whether an admin of this very chat has written. Raises RoomsUnavailable."""
    if update.channel_post is not None:
        return True  # only admins write in a channel
    if message.sender_chat is not None:
        return message.sender_chat.id == message.chat.id  # an anonymous admin; else a stranger
    user = person_of(update)
    if user is None:
        return False
    rights = await context.shop.rooms.rights(message.chat.id)
    if rights is not None and user.id in rights.admins:
        return True
    rights = await context.shop.rooms.rights(message.chat.id, fresh=True)
    return rights is not None and user.id in rights.admins


def _payload(group: Group, message: Message) -> str:
    """The group, and the topic that /promo was written in."""
    thread = message.message_thread_id if message.is_topic_message else None
    return f"g{group.id}" if thread is None else f"g{group.id}_{thread}"


# ---- commands of the private chat --------------------------------------------------------


async def privately(update: Update, context: Context, message: Message, name: str) -> None:
    """Do there what was asked for here, where the person is known; say only that."""
    user = person_of(update)
    done = user is not None and await _answered_there(update, context, name)
    if context.shop.hush.speaks(message.chat.id, _key(message), context.now):
        t = words_for(context, user)
        screen = views.written_privately if done else views.privately
        await _reply(context, message, screen(t, _link(context, "menu")))


async def _answered_there(update: Update, context: Context, name: str) -> bool:
    """As if the person had written the command in the private chat; False where that is shut."""
    user, chat, message = update.effective_user, context.chat, update.effective_message
    if user is None or chat is None or message is None or chat.blocked_at is not None:
        return False
    text = f"/{name}"
    private = Chat(user.id, ChatType.PRIVATE, first_name=user.first_name, username=user.username)
    command = MessageEntity(MessageEntity.BOT_COMMAND, 0, len(text))
    said = Message(
        message.message_id, message.date, private, from_user=user, text=text, entities=[command]
    )
    said.set_bot(context.bot)
    # What is written in a group besides the command's name is the group's: it is left out.
    await context.application.process_update(Update(update.update_id, message=said))
    async with context.shop.store.read() as tx:
        after = await tx.chats.get(user.id)
    return after is not None and after.blocked_at is None


async def about(update: Update, context: Context, message: Message) -> None:
    """What the bot is here for."""
    if context.shop.hush.speaks(message.chat.id, _key(message), context.now):
        t = words_for(context, person_of(update))
        screen = views.about(t, context.shop.merchant.name, _link(context, "menu"))
        await _reply(context, message, screen)


# ---- answering ---------------------------------------------------------------------------


def _key(message: Message) -> int:
    """Whom an answer is for: a person, or the chat that speaks."""
    if message.sender_chat is not None:
        return message.sender_chat.id
    return message.from_user.id if message.from_user is not None else _STRANGER


def _link(context: Context, payload: str | None = None) -> str:
    address = f"https://t.me/{context.bot.username}"
    return address if payload is None else f"{address}?start={payload}"


async def _reply(context: Context, message: Message, screen: Screen) -> Message | None:
    """Answer in the group, without a sound; None where the bot may not, or Telegram is busy."""
    try:
        return await message.reply_text(
            screen.text,
            parse_mode=ParseMode.HTML,
            reply_markup=screen.markup,
            link_preview_options=NO_PREVIEW,
            disable_notification=True,
        )
    except TelegramError as error:
        log.info("group_not_answered", reason=type(error).__name__, detail=error.message)
        return None


async def tap(update: Update, context: Context) -> None:
    """A button of ours in a group, whoever presses it: those work in the private chat only."""
    t = words_for(context, update.effective_user)
    await context.toast(views.not_here(t), alert=True)


def handlers(private: frozenset[str]) -> Sequence[BaseHandler[Update, Context, Any]]:
    """What answers commands; `private` names those of the private chat."""
    where = f.ChatType.GROUPS & f.UpdateType.MESSAGE | f.UpdateType.CHANNEL_POST
    return (MessageHandler(where & f.COMMAND, Commands(private).__call__),)
