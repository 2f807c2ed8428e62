"""Groups and channels, as far as they are no conversation."""

from collections.abc import Sequence
from typing import Any

from telegram import Update
from telegram.ext import BaseHandler

from bot.chat.context import Context
from bot.chat.group import commands, life
from bot.chat.group.voices import InRooms


def handlers(private: frozenset[str]) -> Sequence[BaseHandler[Update, Context, Any]]:
    """All of it; `private` names the commands of the private chat."""
    return (*life.HANDLERS, InRooms("callback_query", commands.tap), *commands.handlers(private))
