"""Lowering a price: a code, points.

    price ─► I have a code ─► CODE ─► the same plan at a fresh price
          └─► use points, keep them ─► the same plan at a fresh price
    /points ─► what there is

Every change makes a new price, frozen anew; the one before can still be paid while it stands.
"""

from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.renew import my_sim, plans_of, refused, show_price
from bot.chat.conversations.routes import END, ID, command, on, written
from bot.chat.views import promos as views
from bot.chat.views.reasons import because
from bot.domain.quotes import Quote
from bot.services import promos
from bot.services.promos import Wish
from bot.services.selling import Refused

_SHOWN = 10
"""Rows of the ledger in /points."""


class Promos(IntEnum):
    """What a written text means."""

    CODE = 23


async def ask_code(update: Update, context: Context) -> int:
    """A code for the price shown."""
    quote = await _mine(context, context.arguments[0])
    if quote is None:
        return END
    context.draft["promo"] = quote.id
    await context.show(views.ask_code(context.t, quote))
    return Promos.CODE


async def code_written(update: Update, context: Context) -> int:
    """A code was written: the new price, or why it gives nothing here."""
    quote = await _mine(context, str(context.draft.get("promo", "")))
    if quote is None:
        return END
    try:
        done = await _again(context, quote, Wish(context.text, points=bool(quote.points)))
    except Refused as why:
        if why.reason.startswith("promo"):
            await context.show(views.ask_code(context.t, quote, because(context.t, why.reason)))
            return Promos.CODE
        return await plans_of(context, quote.sim_id, str(because(context.t, why.reason)))
    context.draft.pop("promo", None)
    return done


async def points(update: Update, context: Context) -> int:
    """Pay a part with points, or keep them after all."""
    quote = await _mine(context, context.arguments[0])
    if quote is None:
        return END
    async with context.shop.store.read() as tx:
        code = await promos.code_of(tx, quote)
    try:
        return await _again(context, quote, Wish(code, points=not quote.points))
    except Refused as why:
        return await plans_of(context, quote.sim_id, str(because(context.t, why.reason)))


async def account(update: Update, context: Context) -> int:
    """/points."""
    chat_id, now = context.me.id, context.now
    async with context.shop.store.read() as tx:
        found = views.Account(
            await tx.points.balance(chat_id, now),
            await tx.points.next_expiry(chat_id, now),
            await tx.points.history(chat_id, _SHOWN),
        )
    terms = context.shop.checkout.selling.points
    await context.show(views.points(context.t, found, terms, now))
    return END


async def _mine(context: Context, quote_id: str) -> Quote | None:
    """The person's own price; otherwise they are told."""
    async with context.shop.store.read() as tx:
        quote = await tx.quotes.get(quote_id)
    if quote is None or quote.chat_id != context.me.id:
        await refused(context, Refused("unknown"))
        return None
    return quote


async def _again(context: Context, quote: Quote, wish: Wish) -> int:
    """The same plan for the same SIM at a fresh price. Raises Refused."""
    sim = await my_sim(context, quote.sim_id)
    if sim is None:
        return END
    made = await context.shop.checkout.again(quote, sim, context.update_id, wish)
    await show_price(context, made, sim)
    return END


ENTRY = [
    command("points", account),
    on("code", ask_code, ID),
    on("points", points, ID),
]
STATES = {Promos.CODE: [written(code_written)]}
