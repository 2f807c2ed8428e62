"""Groups: nothing private is ever shown there (F43); commands are answered in private."""

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import MessageHandler
from telegram.ext import filters as f

from bot.chat.context import Context
from bot.chat.views import menu
from bot.domain.chats import language_for
from bot.i18n import words


async def command_in_group(update: Update, context: Context) -> None:
    """A command in a group leads to the private chat."""
    message = update.effective_message
    if message is None:
        return
    language = language_for(update.effective_user.language_code if update.effective_user else None)
    t = words(language)
    link = f"https://t.me/{context.bot.username}?start=menu"
    await message.reply_text(
        menu.privately(t),
        reply_markup=InlineKeyboardMarkup(
            [[InlineKeyboardButton(t.plain("Open our chat"), url=link)]]
        ),
    )


async def moved(update: Update, context: Context) -> None:
    """A group became a supergroup, which has another id; Telegram tells it in both."""
    message = update.effective_message
    if message is None:
        return
    old, new = message.migrate_from_chat_id, message.migrate_to_chat_id
    async with context.shop.store.write() as tx:
        await tx.chats.migrate(old or message.chat.id, new or message.chat.id)


HANDLERS = (
    MessageHandler(f.ChatType.GROUPS & f.COMMAND & f.UpdateType.MESSAGE, command_in_group),
    MessageHandler(f.StatusUpdate.MIGRATE, moved),
)
