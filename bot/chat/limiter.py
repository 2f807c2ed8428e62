"""Every message of the bot passes the gate: python-telegram-bot's hook for a rate limiter.

What a handler sends is an answer; the messenger's notices bring the place that the outbox got
for them. Who would have to wait too long is told so as Telegram itself would, without a call.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import structlog
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.chat.context import seconds
from bot.ports import Place
from bot.services.limits import SECOND, Gate

log = structlog.get_logger()

_NOT_COUNTED = frozenset({"sendChatAction", "getUpdates"})
_COUNTED = ("send", "edit", "copy", "forward")

Answer = bool | dict[str, Any] | list[dict[str, Any]]


class Limiter(BaseRateLimiter[Place]):
    """Holds Telegram's limits for one bot."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Place | None,
    ) -> Answer:
        """Make the call when its turn has come. Raises RetryAfter, Telegram's or our own."""
        chat_id = data.get("chat_id")
        counted = endpoint.startswith(_COUNTED) and endpoint not in _NOT_COUNTED
        if not counted or not isinstance(chat_id, int):
            return await callback(*args, **kwargs)
        edit = endpoint.startswith("edit")
        wait = await self._gate.turn(chat_id, edit=edit, place=rate_limit_args)
        if wait:
            raise RetryAfter(timedelta(seconds=wait / SECOND))
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as error:
            log.warning("told_to_wait", endpoint=endpoint, seconds=seconds(error))
            self._gate.refused(chat_id, seconds(error))
            raise
