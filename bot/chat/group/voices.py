"""What a message, a change or a tap says of the group or channel it comes from."""

from typing import Any

from telegram import Chat, Update, User
from telegram.constants import ChatType
from telegram.ext import BaseHandler
from telegram.ext._utils.types import HandlerCallback

from bot.chat import people
from bot.chat.context import Context
from bot.domain.chats import language_for
from bot.i18n import Words, words
from bot.services.grouping import Manner, Room


class InRooms(BaseHandler[Update, Context, None]):
    """Updates of one kind (a field of Update) from anywhere but a private chat."""

    def __init__(self, kind: str, callback: HandlerCallback[Update, Context, None]) -> None:
        super().__init__(callback)
        self._kind = kind

    def check_update(self, update: object) -> bool:
        """Whether it is one of those."""
        if not isinstance(update, Update) or getattr(update, self._kind) is None:
            return False
        chat = update.effective_chat
        return chat is None or chat.type != ChatType.PRIVATE


def room_of(chat: Chat) -> Room:
    """The group or channel."""
    return Room(chat.id, str(chat.type), chat.title or str(chat.id), chat.username,
                bool(chat.is_forum))  # fmt: skip


def manner_of(context: Context, user: User | None) -> Manner:
    """How this person would have the bot speak, as far as it is known."""
    if context.chat is not None:
        return Manner(context.chat.language, context.chat.preferences.zone)
    language = language_for(user.language_code if user is not None else None)
    return Manner(language, people.ZONES[language])


def person_of(update: Update) -> User | None:
    """Who acts, as themselves; None for a chat that speaks, and for bots."""
    message: Any = update.effective_message if update.callback_query is None else None
    user = update.effective_user
    if user is None or user.is_bot or (message is not None and message.sender_chat is not None):
        return None
    return user


def words_for(context: Context, user: User | None) -> Words:
    """The words of who acts."""
    manner = manner_of(context, user)
    return words(manner.language, manner.zone)
