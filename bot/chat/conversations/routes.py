"""How a conversation file says what it answers to."""

from collections.abc import Callable, Coroutine
from typing import Any

from telegram import Message, Update
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler
from telegram.ext import filters as f

from bot.chat.context import Context
from bot.domain.identify import Identified, identify, plain

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


ID = r":[a-z0-9]{1,32}"
"""What a button's data may hold after its verb: the id of a stored row,"""
PLAN = r":[\w.-]{1,32}"
"""a plan's code,"""
NUMBER = r":\d{1,16}"
"""a whole number,"""
DAY = r":2\d{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
"""a day (20261203)."""


def on(verb: str, handler: Handler, data: str = "") -> CallbackQueryHandler[Context, Any]:
    """A tap on a button with this verb and `data` of this form (a regular expression).

    What has another form, such as a button of an older version, is nobody's: it explains itself.
    """
    return CallbackQueryHandler(handler, pattern=rf"^{verb}{data}$")


class _Identifier(f.MessageFilter):
    """A text that can be nothing but a SIM's own number: in full, with its country code."""

    def filter(self, message: Message) -> bool:
        text = plain(message.text or "").strip()
        return text.upper().startswith(("89", "LPA:", "+")) and isinstance(
            identify(text), Identified
        )


def written(handler: Handler, *, anything: bool = False) -> MessageHandler[Context, Any]:
    """A text, where a conversation asked for one.

    A SIM's number is not taken for the answer, it begins to add that SIM; with `anything` it is
    an answer like any other.
    """
    return MessageHandler(WRITTEN if anything else WRITTEN & ~_Identifier(), handler)
