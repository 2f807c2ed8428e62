"""Sends and edits what the bot says in groups by itself: posts of campaigns, and its greeting.

A new post is sent at most once: only what Telegram has surely refused is tried in another form.
An edit never becomes a new message: whoever deleted the post did not want it there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from telegram import Message
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import ExtBot

from bot.chat.context import NO_PREVIEW, unchanged
from bot.chat.screen import Screen
from bot.chat.views import groups, posts
from bot.domain.campaigns import Post, PostState
from bot.domain.groups import Standing
from bot.i18n import words
from bot.ports import Clock, Notice, Store, Tx
from bot.services import notices
from bot.services.posted import told
from bot.services.posters import showing

log = structlog.get_logger()

_GENERAL = 1
"""The thread of a forum's General topic, which a message must not name."""


@dataclass(frozen=True, slots=True)
class InGroup:
    """A message for a group. `edits` is the one it replaces, whose words are a caption if
    `captioned`; `picture` goes above the words, `file_id` being Telegram's name of it."""

    screen: Screen
    edits: int | None = None
    captioned: bool = False
    thread_id: int | None = None
    campaign_id: str = ""
    picture: bytes | None = None
    file_id: str | None = None
    mark: str = ""


class GroupPosts:
    """The messenger's hand in groups."""

    def __init__(self, bot: ExtBot[Any], store: Store, clock: Clock, shop: str) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock
        self._shop = shop

    # ---- words ---------------------------------------------------------------------------

    async def render(self, notice: Notice) -> InGroup | None:
        """The message of a notice; None when there is nothing left to say."""
        now = self._clock.now()
        async with self._store.read() as tx:
            if notice.kind == notices.GROUP:
                group = await tx.groups.get(notice.data["group_id"])
                if group is None or group.standing is Standing.OUT:
                    return None
                return InGroup(groups.greeting(words(group.language, group.zone), self._shop))
            post = await tx.posts.get(notice.data["post_id"])
            if post is None:
                return None
            if notice.kind == notices.POST:
                return await self._new(tx, post, now)
            return await self._again(tx, post, now)

    async def _new(self, tx: Tx, post: Post, now: datetime) -> InGroup | None:
        """A post that is still wanted: not withdrawn, not over, its group not closed."""
        shown = await showing(tx, post, now)
        if shown is None or post.state is not PostState.QUEUED:
            return None
        if shown.offered.why is not None or not shown.group.sells:
            return None
        poster, link = shown.poster(now), posts.link_to(self._bot.username, post.id)
        screen = posts.post(poster, self._shop, link, now)
        picture, file_id = None, None
        if shown.posting.picture and posts.length(screen.text) <= posts.MOST_CAPTION:
            picture, file_id = await tx.campaigns.picture(post.campaign_id)
        thread = shown.posting.thread_id
        return InGroup(
            screen,
            thread_id=None if thread == _GENERAL else thread,
            campaign_id=post.campaign_id,
            picture=picture,
            file_id=file_id,
            mark=poster.mark(),
        )

    async def _again(self, tx: Tx, post: Post, now: datetime) -> InGroup | None:
        """A post as it has to read now; nothing when it reads so already."""
        shown = await showing(tx, post, now)
        if shown is None or post.message_id is None:
            return None
        poster = shown.poster(now)
        if poster.mark() == post.shown:
            return None
        link = posts.link_to(self._bot.username, post.id)
        # A caption that has grown beyond what Telegram takes would stay as it was.
        most = posts.MOST_CAPTION if post.photo else None
        screen = posts.post(poster, self._shop, link, now, most)
        return InGroup(screen, post.message_id, post.photo, mark=poster.mark())

    # ---- sending -------------------------------------------------------------------------

    async def put(
        self, chat_id: int, message: InGroup, terms: dict[str, Any], new: dict[str, Any]
    ) -> tuple[int, str]:
        """Send it, on the `new` terms, or edit it; the message's id, and what to tell the one who
        keeps the post. Raises TelegramError."""
        if message.edits is not None:
            await self._edit(chat_id, message, terms)
            return message.edits, told(message.mark, photo=message.captioned)
        for picture in (message.file_id, message.picture):
            if picture is None:
                continue
            try:
                sent = await self._photo(chat_id, message, picture, new)
            except BadRequest as error:
                # Refused for good: nothing was sent. The words alone may be welcome.
                log.warning("post_picture_refused", detail=error.message)
                continue
            await self._keep(message, sent)
            return sent.message_id, told(message.mark, photo=True)
        sent = await self._bot.send_message(
            chat_id,
            message.screen.text,
            parse_mode=ParseMode.HTML,
            reply_markup=message.screen.markup,
            link_preview_options=NO_PREVIEW,
            message_thread_id=message.thread_id,
            **new,
        )
        return sent.message_id, told(message.mark, photo=False)

    async def _photo(
        self, chat_id: int, message: InGroup, picture: bytes | str, new: dict[str, Any]
    ) -> Message:
        return await self._bot.send_photo(
            chat_id,
            picture,
            caption=message.screen.text,
            parse_mode=ParseMode.HTML,
            reply_markup=message.screen.markup,
            message_thread_id=message.thread_id,
            **new,
        )

    async def _edit(self, chat_id: int, message: InGroup, terms: dict[str, Any]) -> None:
        where: dict[str, Any] = {
            "chat_id": chat_id, "message_id": message.edits, "parse_mode": ParseMode.HTML,
            "reply_markup": message.screen.markup, **terms,
        }  # fmt: skip
        try:
            if message.captioned:
                await self._bot.edit_message_caption(caption=message.screen.text, **where)
            else:
                where["link_preview_options"] = NO_PREVIEW
                await self._bot.edit_message_text(message.screen.text, **where)
        except BadRequest as error:
            if not unchanged(error):
                raise

    async def _keep(self, message: InGroup, sent: Message) -> None:
        """Telegram has the picture now: it need not be sent again."""
        file_id = sent.photo[-1].file_id if sent.photo else None
        if file_id is None or file_id == message.file_id:
            return
        try:
            async with self._store.write() as tx:
                await tx.campaigns.keep_file(message.campaign_id, file_id)
        except Exception:
            # The post is there all the same; it must not count as one that failed.
            log.exception("picture_not_kept", campaign=message.campaign_id)
