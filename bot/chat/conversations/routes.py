"""How a conversation file says what it answers to."""

from collections.abc import Callable, Coroutine
from typing import Any

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler
from telegram.ext import filters as f

from bot.chat.context import Context

END = 0
"""Nothing is being asked. A state of its own, not PTB's end: a text that comes then may be the
number of a SIM and begin a conversation, which an entry point could not tell from an answer."""

Handler = Callable[[Update, Context], Coroutine[Any, Any, int | None]]

PRIVATE = f.ChatType.PRIVATE & f.UpdateType.MESSAGE
WRITTEN = PRIVATE & f.TEXT & ~f.COMMAND
"""A text in a private chat that is no command."""


def command(name: str, handler: Handler) -> CommandHandler[Context, Any]:
    """A command in a private chat."""
    return CommandHandler(name, handler, filters=PRIVATE)


def on(verb: str, handler: Handler) -> CallbackQueryHandler[Context, Any]:
    """A tap on a button with this verb."""
    return CallbackQueryHandler(handler, pattern=rf"^{verb}(:|$)")


def written(handler: Handler) -> MessageHandler[Context, Any]:
    """A text, where a conversation asked for one."""
    return MessageHandler(WRITTEN, handler)
