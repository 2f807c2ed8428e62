"""Asking for money back (F18), from a receipt or from an order that runs.

Ask for a refund ─► why? ─┬► a reason ──────────────► with the shop
                          └► own words: WORDS ──────► with the shop
the shop decides (queue.py) ─► told by the outbox, shown on the order
"""

from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.orders import my_sale, show_order
from bot.chat.conversations.routes import END, ID, on, written
from bot.chat.views import requests as views
from bot.chat.views.reasons import because
from bot.domain.requests import Why
from bot.services.selling import Refused

_WHY = f":(?:{'|'.join(Why)})"


class Asking(IntEnum):
    """What a written text means."""

    WORDS = 65


async def ask(update: Update, context: Context) -> int:
    """Why they want their money back."""
    sale = await my_sale(context, context.arguments[0])
    if sale is None:
        return END
    if not sale.askable:
        await show_order(context, sale.order.id)
        return END
    context.draft["refund"] = sale.order.id
    await context.show(views.ask(context.t, sale))
    return Asking.WORDS


async def reason(update: Update, context: Context) -> int:
    """A reason was tapped."""
    order_id, why = context.arguments
    return await _asked(context, order_id, Why(why), "")


async def words_written(update: Update, context: Context) -> int:
    """What happened, in their own words."""
    order_id = str(context.draft.get("refund", ""))
    return await _asked(context, order_id, Why.OTHER, context.text)


async def _asked(context: Context, order_id: str, why: Why, words: str) -> int:
    sale = await my_sale(context, order_id)
    if sale is None:
        return END
    try:
        await context.shop.requesting.ask(order_id, context.me.id, why, words, context.update_id)
    except Refused as refused:
        await context.toast(str(because(context.t, refused.reason)), alert=True)
        await show_order(context, order_id)
        return END
    context.draft.pop("refund", None)
    await context.show(views.passed_on(context.t, sale))
    return END


ENTRY = [
    on("rfask", ask, ID),
    on("rfwhy", reason, ID + _WHY),
]
STATES = {Asking.WORDS: [written(words_written, anything=True)]}
