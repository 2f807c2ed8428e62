"""Pictures, both ways: a photo of a SIM's code comes in, cards, plots and receipts go out.

    a photo, in any state ─┬► a SIM's code ─► as if it had been typed (add_sim.py)
                           ├► nothing: why, and what to do; what was asked stays asked
                           ├► while a proof is asked for: handed in (transfer.py)
                           ├► while writing to the shop: passed on (support.py)
                           ├► while news to many are written: their picture (audience.py)
                           └► where a voucher's code was asked for: that code (pay.py)
    card ─┬► Picture ─► a photo of its own, with Renew and As text
          ├► 30 days of use ─┬► a photo of its own
          │                   └► too few readings: says so
          └► How is this worked out? ─► the arithmetic
    receipt ─► Picture ─► a photo of its own

Pictures are comfort: one that Telegram does not take is told of and not sent again by itself.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from telegram import Document, PhotoSize, Update
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import MessageHandler
from telegram.ext import filters as f

from bot.chat import photos
from bot.chat.context import Context
from bot.chat.conversations import add_sim, audience, pay, support, transfer
from bot.chat.conversations.my_sims import history, mine, pace_of
from bot.chat.conversations.orders import show_order
from bot.chat.conversations.routes import ID, PRIVATE, on
from bot.chat.notices import sale_of
from bot.chat.photos import MOST_BYTES, Trouble
from bot.chat.pictures import fonts
from bot.chat.pictures.card import balance_card
from bot.chat.pictures.facts import card_facts, plot_facts, receipt_facts
from bot.chat.pictures.plot import use_plot
from bot.chat.pictures.receipt import receipt_picture
from bot.chat.screen import Screen
from bot.chat.threads import OneThread
from bot.chat.views import pace as pace_views
from bot.chat.views import pictures as views
from bot.chat.views import receipt as receipts
from bot.chat.views.sims import title
from bot.services.planning import plan_for

log = structlog.get_logger()

_PAINTER = OneThread("painter")
"""A thread of its own, so that a picture to be drawn never waits for one to be read."""
_SENT = PRIVATE & (
    f.PHOTO | f.Document.ALL | f.ANIMATION | f.VIDEO | f.VIDEO_NOTE | f.VOICE | f.AUDIO
)


# ---- a photo comes in ----------------------------------------------------------------------


async def sent(update: Update, context: Context) -> int | None:
    """A picture, or something that is none: its SIM's code goes on as if it had been typed."""
    message = update.effective_message
    if message is None:
        return None
    if context.asked in tuple(support.Support):
        return await support.picture(context)
    if context.asked == audience.Writing.PICTURE:
        return await audience.picture(update, context)
    if context.asked == transfer.Transfer.PROOF:
        return await transfer.picture(context)
    picture = photos.picture_of(message)
    voucher = context.asked == pay.Pay.VOUCHER
    found = picture if isinstance(picture, Trouble) else await _read(context, picture, voucher)
    log.info("photo_read", result=found.value if isinstance(found, Trouble) else "code")
    if voucher:
        return await pay.voucher_code(context, "" if isinstance(found, Trouble) else found)
    album = message.media_group_id
    if not isinstance(found, Trouble):
        context.draft["album"] = album
        return await add_sim.begin(context, found)
    if album is not None and context.draft.get("album") == album:
        return None  # the other side of a card whose code is known already
    if message.caption and add_sim.names_a_sim(message.caption):
        return await add_sim.begin(context, message.caption)
    await context.show(views.trouble(context.t, found))
    return None


async def _read(
    context: Context, picture: PhotoSize | Document, voucher: bool = False
) -> str | Trouble:
    """The code in a picture. What Telegram does not hand over is not asked for again."""
    try:
        _, file = await asyncio.gather(_busy(context), picture.get_file())
        if (file.file_size or 0) > MOST_BYTES:
            return Trouble.TOO_BIG
        data = await file.download_as_bytearray()
    except TelegramError as error:
        log.info("photo_not_fetched", reason=type(error).__name__)
        return Trouble.NOT_FETCHED
    return await photos.read(bytes(data), voucher=voucher)


async def _busy(context: Context) -> None:
    """Show that the bot is at work. Not more than a courtesy."""
    try:
        await context.bot.send_chat_action(context.me.id, ChatAction.TYPING)
    except TelegramError as error:
        log.info("action_not_shown", reason=type(error).__name__)


# ---- pictures go out -----------------------------------------------------------------------


async def card(update: Update, context: Context) -> int | None:
    """The balance card as a picture."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return None
    async with context.shop.store.read() as tx:
        planned = await plan_for(tx, sim, context.now)
    pace = await pace_of(context, sim)
    facts = card_facts(context.t, sim, planned, context.now, pace)
    below = views.card_caption(context.t, sim, context.now)
    again = views.not_sent(context.t, "pic", sim.id, "sim")
    await send_drawn(context, partial(balance_card, facts), below, again)
    return None


async def plot(update: Update, context: Context) -> int | None:
    """Thirty days of use as a picture, or why there is none."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return None
    readings, pace = await history(context, sim), await pace_of(context, sim)
    facts = plot_facts(context.t, sim, readings, pace, context.now)
    if facts is None:
        await context.show(views.no_plot(context.t, sim))
        return None
    below = views.plot_caption(context.t, sim, told=pace is not None)
    again = views.not_sent(context.t, "use", sim.id, "sim")
    await send_drawn(context, partial(use_plot, facts), below, again)
    return None


async def arithmetic(update: Update, context: Context) -> int | None:
    """How the pace is worked out."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        pace = await pace_of(context, sim)
        shown = pace_views.arithmetic(context.t, sim, title(context.t, sim), pace, context.now)
        await context.show(shown)
    return None


async def receipt(update: Update, context: Context) -> int | None:
    """The receipt as a picture; of an order that has none yet, where it stands."""
    order_id = context.arguments[0]
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order_id, context.shop.merchant)
    mine = sale is not None and sale.order.chat_id == context.me.id
    text = receipts.slip(context.t, sale, context.now) if sale is not None and mine else None
    if sale is None or text is None:
        await show_order(context, order_id)
        return None
    facts = receipt_facts(text.text)
    below = views.receipt_caption(context.t, sale.order)
    again = views.not_sent(context.t, "slip", order_id, "order")
    await send_drawn(context, partial(receipt_picture, facts), below, again)
    return None


async def send_drawn(
    context: Context, draw: Callable[[], bytes], below: Screen, again: Screen
) -> None:
    """Draw a picture and send it as a message of its own, or show `again`."""
    png = await _PAINTER.run(partial(_painted, draw))
    try:
        await context.bot.send_photo(
            context.me.id,
            png,
            filename="xuka.png",
            caption=below.text,
            parse_mode=ParseMode.HTML,
            reply_markup=below.markup,
        )
    except BadRequest:
        raise
    except (RetryAfter, NetworkError, Forbidden) as error:
        log.info("picture_not_sent", reason=type(error).__name__)
        await context.send(again)


def _painted(draw: Callable[[], bytes]) -> bytes:
    try:
        return draw()
    finally:
        fonts.release()


ENTRY = [
    MessageHandler(_SENT, sent),
    on("pic", card, ID),
    on("use", plot, ID),
    on("pace", arithmetic, ID),
    on("slip", receipt, ID),
]
