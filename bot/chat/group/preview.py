"""The preview of a post in its admin's private chat: made by the function that makes the post."""

from contextlib import suppress
from dataclasses import dataclass

from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.chat.context import NO_PREVIEW, Context, unchanged
from bot.chat.screen import Screen
from bot.chat.views import posts
from bot.services.posting_rules import Wish


@dataclass(frozen=True, slots=True)
class Look:
    """What a post looks like: its words and button, and the picture above them."""

    screen: Screen
    picture: bytes | None
    campaign_id: str

    @property
    def photo(self) -> bool:
        """Whether it is a picture with a caption."""
        return self.picture is not None


async def look(context: Context, wish: Wish) -> Look:
    """How a post would look now. Raises Refused unknown."""
    poster, picture = await context.shop.postings.preview(wish)
    link = f"https://t.me/{context.bot.username}"
    screen = posts.post(poster, context.shop.merchant.name, link, context.now)
    return Look(screen, picture, wish.campaign_id)


async def send(context: Context, look: Look) -> int | None:
    """Show it as a message of its own; its id, None when Telegram does not take it now."""
    if look.picture is None:
        return await context.send(look.screen)
    async with context.shop.store.read() as tx:
        _, file_id = await tx.campaigns.picture(look.campaign_id)
    for photo in (file_id, look.picture):
        if photo is None:
            continue
        with suppress(TelegramError):
            # What Telegram calls the picture may be a name of another day: then it is sent anew.
            message = await context.bot.send_photo(
                context.me.id,
                photo,
                caption=look.screen.text,
                parse_mode=ParseMode.HTML,
                reply_markup=look.screen.markup,
            )
            if photo is not file_id and message.photo:
                async with context.shop.store.write() as tx:
                    await tx.campaigns.keep_file(look.campaign_id, message.photo[-1].file_id)
            return message.message_id
    return await context.send(look.screen)


async def change(context: Context, message_id: int, look: Look) -> bool:
    """Change the preview on view, of the same kind; False when it has to be sent anew."""
    try:
        if look.photo:
            await context.bot.edit_message_caption(
                context.me.id,
                message_id,
                caption=look.screen.text,
                parse_mode=ParseMode.HTML,
                reply_markup=look.screen.markup,
            )
        else:
            await context.bot.edit_message_text(
                look.screen.text,
                context.me.id,
                message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=look.screen.markup,
                link_preview_options=NO_PREVIEW,
            )
    except TelegramError as error:
        return unchanged(error)
    return True
