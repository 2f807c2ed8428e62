"""What a handler holds: who writes, their words, and the ways to answer.

An answer goes out at once. One that meets Telegram's limit moves to the outbox; one that changes
nothing is no error; a message that can't be edited any more is sent anew.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any, cast
from zlib import crc32

import structlog
from telegram import CallbackQuery, LinkPreviewOptions, Message, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import Application, CallbackContext, ExtBot

from bot.chat.memory import Memory
from bot.chat.screen import Screen
from bot.chat.shop import Shop
from bot.domain.chats import Chat
from bot.i18n import Words, words
from bot.ports import Notice, Priority
from bot.services import notices

log = structlog.get_logger()

_MOMENT = 2.0

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """PTB's context with our own conveniences; one per update."""

    def __init__(
        self,
        application: Application[Any, Any, Any, Any, Any, Any],
        chat_id: int | None = None,
        user_id: int | None = None,
    ) -> None:
        super().__init__(application, chat_id, user_id)
        self.chat: Chat | None = None
        self.answered = False
        self.incoming: Update | None = None

    @property
    def shop(self) -> Shop:
        """The services."""
        return cast("Shop", self.bot_data["shop"])

    @property
    def now(self) -> datetime:
        """The present moment (UTC)."""
        return self.shop.clock.now()

    @property
    def me(self) -> Chat:
        """The private chat that writes; loaded before any handler runs."""
        if self.chat is None:
            raise RuntimeError("no chat was loaded for this update")
        return self.chat

    @property
    def t(self) -> Words:
        """The words of the person who writes."""
        return words(self.me.language, self.me.preferences.zone)

    @property
    def update_id(self) -> int:
        """The id that makes this update's effects happen once."""
        return self.incoming.update_id if self.incoming else 0

    @property
    def message(self) -> Message | None:
        """The message that came, when the update is one."""
        return self.incoming.message if self.incoming else None

    @property
    def asked(self) -> int | None:
        """The state of this person's conversation: what a text of theirs means."""
        return cast("Memory", self.application.persistence).state(self.me.id)

    @property
    def draft(self) -> dict[str, Any]:
        """Notes of the present conversation, kept across restarts."""
        return cast("dict[str, Any]", self.user_data)

    @property
    def query(self) -> CallbackQuery | None:
        """The tap, when the update is one."""
        return self.incoming.callback_query if self.incoming else None

    @property
    def arguments(self) -> list[str]:
        """What follows the verb in the tapped button."""
        data = self.query.data if self.query else None
        return (data or "").split(":")[1:]

    @property
    def text(self) -> str:
        """What was written, stripped; empty when it was no text."""
        message = self.incoming.effective_message if self.incoming else None
        return (message.text or "").strip() if message else ""

    @property
    def message_id(self) -> int | None:
        """The message the tapped button hangs on."""
        return self.query.message.message_id if self.query and self.query.message else None

    # ---- answering -----------------------------------------------------------------------

    async def show(self, screen: Screen) -> int | None:
        """Put a screen before the person: a tap edits its message, anything else gets a new one.

        The message's id, or None when Telegram will show it later.
        """
        if self.query is not None and isinstance(self.query.message, Message):
            message_id = self.query.message.message_id
            shown, _ = await asyncio.gather(self.edit(message_id, screen), self.toast())
            return shown
        return await self.send(screen)

    async def send(self, screen: Screen) -> int | None:
        """A new message; later, through the outbox, when Telegram is busy or out of reach."""
        try:
            message = await self.bot.send_message(
                self.me.id,
                screen.text,
                parse_mode=ParseMode.HTML,
                reply_markup=screen.markup,
                link_preview_options=NO_PREVIEW,
            )
        except BadRequest:
            raise
        except Forbidden:
            await self._blocked()
            return None
        except (RetryAfter, NetworkError) as error:
            # It may have arrived: here a duplicate is better than silence.
            await self._later(screen, None, seconds(error))
            return None
        return message.message_id

    async def edit(self, message_id: int, screen: Screen) -> int | None:
        """Replace a message of ours; sent anew when it can't be edited any more."""
        try:
            await self.bot.edit_message_text(
                screen.text,
                chat_id=self.me.id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=screen.markup,
                link_preview_options=NO_PREVIEW,
            )
        except BadRequest as error:
            if unchanged(error):
                return message_id
            if not gone(error):
                raise
            return await self.send(screen)
        except Forbidden:
            await self._blocked()
            return None
        except (RetryAfter, NetworkError) as error:
            # An edit that may have happened is repeated without harm.
            await self._later(screen, message_id, seconds(error))
            return None
        return message_id

    async def toast(self, text: str | None = None, *, alert: bool = False) -> None:
        """Answer the tap, once. A tap too old to be answered is no error."""
        if self.query is None or self.answered:
            return
        self.answered = True
        try:
            await self.query.answer(text, show_alert=alert)
        except (RetryAfter, NetworkError) as error:
            log.info("tap_not_answered", reason=type(error).__name__)

    async def _blocked(self) -> None:
        """The person has blocked the bot since: nobody is left to be answered."""
        async with self.shop.store.write() as tx:
            await tx.chats.set_blocked(self.me.id, self.now)
        log.info("answer_not_wanted")

    async def _later(self, screen: Screen, message_id: int | None, wait: float) -> None:
        rows = [[(b.label, b.data, b.url) for b in row] for row in screen.rows]
        notice = Notice(
            kind=notices.LATER,
            chat_id=self.me.id,
            dedupe_key=f"later:{self.update_id}:{message_id}:{crc32(screen.text.encode())}",
            priority=Priority.TOPUP,
            data={
                "text": str(screen.text),
                "rows": rows,
                "edits": message_id,
                "at": self.now.timestamp(),
            },
            not_before=self.now + timedelta(seconds=wait),
            expires_at=self.now + timedelta(minutes=10),
        )
        async with self.shop.store.write() as tx:
            await tx.outbox.add(notice)


def seconds(error: TelegramError) -> float:
    """How long Telegram asks us to wait; a moment when it does not say."""
    if not isinstance(error, RetryAfter):
        return _MOMENT
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def unchanged(error: TelegramError) -> bool:
    """The edit would have changed nothing."""
    return "message is not modified" in error.message.lower()


def gone(error: TelegramError) -> bool:
    """The message can't be edited any more."""
    text = error.message.lower()
    return any(
        part in text
        for part in (
            "message to edit not found",
            "message can't be edited",
            "there is no text in",
            "message_id_invalid",
        )
    )
