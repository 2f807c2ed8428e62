"""What happens when a handler fails: a log entry with an id, and the id to the person."""

import traceback

import structlog
from telegram import Update

from bot.chat import people
from bot.chat.context import Context
from bot.chat.memory import Memory
from bot.chat.views import menu
from bot.services.ids import new_id

log = structlog.get_logger()


class ErrorDesk:
    """PTB's error handler; `memory` keeps the id with the update's inbox row."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def __call__(self, update: object, context: Context) -> None:
        """Log the failure and tell the person; never raises."""
        error_id = new_id(6)
        error = context.error
        frames = traceback.extract_tb(error.__traceback__)[-6:] if error else []
        log.error(
            "handler_failed",
            error_id=error_id,
            error=type(error).__name__,
            # Where, not with what: values may hold personal data.
            at=[f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames],
            detail=str(error)[:200],
        )
        if not isinstance(update, Update):
            return
        self._memory.errors[update.update_id] = error_id
        try:
            # PTB gives error handlers a context of their own, which has met nobody yet.
            await people.meet(update, context)
            if context.chat is None:
                return
            await context.toast()
            await context.send(menu.failed(context.t, error_id))
        except Exception:
            log.exception("error_not_told", error_id=error_id)
