"""What is kept of a person: told, given to them, forgotten.

/privacy ─┬► 💳 Remove a card ──► sure? ──► gone, and what it paid for stops
          ├► 📦 Send me a copy, /export ──► a file
          └► 🗑 Delete my data, /forget ──► what goes, what stays ──► really? ──► nobody is known
                                       └► not yet: an order runs, money is in the wallet, …

Nothing here asks for text, so there are no states.
"""

import structlog
from telegram import Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter
from telegram.ext import ConversationHandler

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, NUMBER, command, on
from bot.chat.views import privacy as views
from bot.domain.sales import Saved
from bot.domain.sims import Sim
from bot.services.privacy import PrivacyRefused

log = structlog.get_logger()


async def privacy(update: Update, context: Context) -> int:
    """What is kept."""
    cards = await context.shop.removing.kept(context.me.id)
    await context.show(views.privacy(context.t, context.shop.merchant, cards))
    return END


async def card(update: Update, context: Context) -> int:
    """What would stop with a card."""
    found = [c for c in await context.shop.removing.kept(context.me.id)
             if c.id == context.arguments[0]]  # fmt: skip
    if not found:
        return await privacy(update, context)
    await context.show(views.ask_card(context.t, found[0], await _renewed_by(context, found[0])))
    return END


async def card_gone(update: Update, context: Context) -> int:
    """It is charged no more, and deleted at its provider."""
    found = [c for c in await context.shop.removing.kept(context.me.id)
             if c.id == context.arguments[0]]  # fmt: skip
    if not found:
        return await privacy(update, context)
    sims = await _renewed_by(context, found[0])
    await context.shop.removing.remove(found[0].id, context.me.id)
    await context.show(views.card_removed(context.t, found[0], sims))
    return END


async def _renewed_by(context: Context, saved: Saved) -> list[Sim]:
    agreements = await context.shop.removing.charged(saved)
    async with context.shop.store.read() as tx:
        found = [await tx.sims.get(one.sim_id) for one in agreements]
    return [sim for sim in found if sim is not None]


async def export(update: Update, context: Context) -> int:
    """Everything kept of them as a document, once an hour."""
    desk, chat_id = context.shop.privacy, context.me.id
    try:
        told = await desk.copy(chat_id)
    except PrivacyRefused as why:
        await context.show(views.refused(context.t, why))
        return END
    below = views.copy_caption(context.t)
    try:
        await context.bot.send_document(
            chat_id,
            views.package(context.t, told),
            filename=f"xuka-data-{context.t.local(context.now):%Y-%m-%d}.zip",
            caption=below.text,
            parse_mode=ParseMode.HTML,
            reply_markup=below.markup,
        )
    except BadRequest:
        raise
    except (RetryAfter, NetworkError, Forbidden) as error:
        log.info("copy_not_sent", reason=type(error).__name__)
        await context.send(views.copy_not_sent(context.t))
        return END
    await desk.copied(chat_id)
    return END


async def forget(update: Update, context: Context) -> int:
    """What would go and what would stay; or why not yet."""
    if await _may(context):
        await context.show(views.ask(context.t))
    return END


async def sure(update: Update, context: Context) -> int:
    """The first tap. The second one's button belongs to it: an old one deletes nothing."""
    if await _may(context):
        context.draft["forget"] = context.update_id
        await context.show(views.ask_again(context.t, context.update_id))
    return END


async def yes(update: Update, context: Context) -> int:
    """The second tap: they are forgotten, and answered once more."""
    if context.draft.pop("forget", None) != int(context.arguments[0]):
        return await forget(update, context)
    try:
        await context.shop.privacy.forget(context.me.id, context.update_id)
    except PrivacyRefused as why:
        await context.show(views.refused(context.t, why))
        return END
    context.draft.clear()
    await context.show(views.forgotten(context.t))
    # PTB's own end: not even that they were asked something is kept.
    return int(ConversationHandler.END)


async def _may(context: Context) -> bool:
    try:
        await context.shop.privacy.ask(context.me.id)
    except PrivacyRefused as why:
        await context.show(views.refused(context.t, why))
        return False
    return True


ENTRY = [
    command("privacy", privacy),
    command("export", export),
    command("forget", forget),
    on("privacy", privacy),
    on("cardout", card, ID),
    on("cardgone", card_gone, ID),
    on("mydata", export),
    on("forget", forget),
    on("forgetsure", sure),
    on("forgetyes", yes, NUMBER),
]
