"""Delivers notices: words are made now, from the present truth, and the outcome told as a fact."""

from datetime import timedelta
from typing import Any

import structlog
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import ExtBot

from bot.chat.context import NO_PREVIEW, gone, seconds, unchanged
from bot.chat.group_posts import GroupPosts, InGroup
from bot.chat.notices import Rendered, Renderer
from bot.chat.request import NotSent, ServerFailed
from bot.domain.chats import forgotten
from bot.ports import Clock, Delivery, Notice, Outcome, Place, Store
from bot.services.notices import IN_GROUPS

log = structlog.get_logger()

_DEACTIVATED = "user is deactivated"
_GONE_PEOPLE = ("chat not found", _DEACTIVATED, "peer_id_invalid")


class TelegramMessenger:
    """ports.Messenger over the Bot API."""

    def __init__(self, bot: ExtBot[Any], store: Store, clock: Clock, renderer: Renderer) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock
        self._renderer = renderer
        self._groups = GroupPosts(bot, store, clock, renderer.merchant.name)

    async def deliver(self, notice: Notice, place: Place | None = None) -> Delivery:
        """Send or edit one message; see `ports.Messenger`."""
        if forgotten(notice.chat_id):
            return Delivery(Outcome.DROPPED, detail="forgotten")
        if notice.kind in IN_GROUPS:
            return await self._in_group(notice, place)
        rendered = await self._renderer.render(notice)
        if rendered is None:
            return Delivery(Outcome.DROPPED)
        try:
            message_id = await self._put(notice.chat_id, rendered, self._terms(place))
        except TelegramError as error:
            return await self._explain(notice, rendered, error)
        if message_id != rendered.edits:
            await self._remember(rendered, message_id)
        return Delivery(Outcome.SENT, message_id=message_id)

    async def _in_group(self, notice: Notice, place: Place | None) -> Delivery:
        """The same for what is said in a group."""
        rendered, terms = await self._groups.render(notice), self._terms(place)
        if rendered is None:
            return Delivery(Outcome.DROPPED)
        try:
            sent = await self._groups.put(notice.chat_id, rendered, terms, _paid(terms))
        except TelegramError as error:
            return await self._explain(notice, rendered, error)
        return Delivery(Outcome.SENT, message_id=sent[0], detail=sent[1])

    async def _remember(self, rendered: Rendered, message_id: int) -> None:
        """Whose message it is from now on, to be edited as things move."""
        if rendered.order_id is None and rendered.broadcast_id is None:
            return
        try:
            async with self._store.write() as tx:
                if rendered.order_id is not None:
                    await tx.orders.set_message(rendered.order_id, message_id)
                if rendered.broadcast_id is not None:
                    await tx.broadcasts.set(rendered.broadcast_id, message_id=message_id)
        except Exception:
            # The message is there all the same; sending it again would make it two.
            log.exception("message_not_kept", message=message_id)

    def _terms(self, place: Place | None) -> dict[str, Any]:
        """On what terms a message passes the limits, as python-telegram-bot takes them."""
        if place is None or self._bot.rate_limiter is None:
            return {}
        return {"rate_limit_args": place}

    async def _put(self, chat_id: int, rendered: Rendered, terms: dict[str, Any]) -> int:
        screen = rendered.screen
        if rendered.alone is not None:
            try:
                return await self._put_file(chat_id, rendered, terms)
            except BadRequest as error:
                if any(part in error.message.lower() for part in _GONE_PEOPLE):
                    raise
                log.warning("picture_refused", detail=error.message)
                screen = rendered.alone
        if rendered.edits is not None:
            try:
                await self._bot.edit_message_text(
                    screen.text,
                    chat_id=chat_id,
                    message_id=rendered.edits,
                    parse_mode=ParseMode.HTML,
                    reply_markup=screen.markup,
                    link_preview_options=NO_PREVIEW,
                    **terms,
                )
                return rendered.edits
            except BadRequest as error:
                if unchanged(error):
                    return rendered.edits
                if not gone(error):
                    raise
        message = await self._bot.send_message(
            chat_id,
            screen.text,
            parse_mode=ParseMode.HTML,
            reply_markup=screen.markup,
            link_preview_options=NO_PREVIEW,
            **_paid(terms),
        )
        return message.message_id

    async def _put_file(self, chat_id: int, rendered: Rendered, terms: dict[str, Any]) -> int:
        """With what somebody sent the bot, which Telegram still has."""
        screen = rendered.screen
        words: dict[str, Any] = {
            "caption": screen.text, "parse_mode": ParseMode.HTML, "reply_markup": screen.markup,
            **_paid(terms),
        }  # fmt: skip
        if rendered.photo is not None:
            message = await self._bot.send_photo(chat_id, rendered.photo, **words)
        else:
            message = await self._bot.send_document(chat_id, rendered.file or "", **words)
        return message.message_id

    async def _explain(
        self, notice: Notice, rendered: Rendered | InGroup, error: TelegramError
    ) -> Delivery:
        now = self._clock.now()
        match error:
            case RetryAfter():
                wait = timedelta(seconds=seconds(error))
                return Delivery(Outcome.RETRY, retry_at=now + wait)
            case Forbidden() | BadRequest() if _DEACTIVATED in error.message.lower():
                return Delivery(Outcome.DEACTIVATED, detail=error.message)
            case Forbidden():
                return Delivery(Outcome.BLOCKED, detail=error.message)
            case ChatMigrated():
                return Delivery(Outcome.MIGRATED, chat_id=error.new_chat_id)
            case BadRequest():
                if any(part in error.message.lower() for part in _GONE_PEOPLE):
                    return Delivery(Outcome.BLOCKED, detail=error.message)
                # In a group it is no defect: a message was deleted, a right taken away.
                tell = log.error if isinstance(rendered, Rendered) else log.warning
                tell("notice_refused", kind=notice.kind, detail=error.message)
                return Delivery(Outcome.FAILED, detail=error.message)
            case NotSent() | ServerFailed():
                return Delivery(Outcome.RETRY)
            case TimedOut() if "pool" in error.message.lower():
                return Delivery(Outcome.RETRY)
            case _ if rendered.edits is not None:
                # An edit that may have happened is repeated without harm.
                return Delivery(Outcome.RETRY)
            case TimedOut():
                return Delivery(Outcome.AMBIGUOUS)
            case NetworkError():
                # A connection that broke while the answer was awaited: not known.
                return Delivery(Outcome.AMBIGUOUS)
        log.error("notice_failed", kind=notice.kind, detail=error.message)
        return Delivery(Outcome.FAILED, detail=error.message)


def _paid(terms: dict[str, Any]) -> dict[str, Any]:
    """The terms of a new message, which may be paid for in Stars."""
    place: Place | None = terms.get("rate_limit_args")
    return {**terms, "allow_paid_broadcast": True} if place is not None and place.paid else terms
