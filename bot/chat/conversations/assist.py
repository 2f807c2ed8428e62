"""Orders prepared for a customer, at the counter or on the phone (F20). For operators only.

/find ─► WHOM ─► (who is it?) ─► customer ─► SIM ─► plan ─► (AMOUNT) ─► price
price ─┬► Send to the customer ─► confirmed and paid in their own chat
       └► Took cash ─► RECEIPT ─► sure? ─► paid and topped up
"""

from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.renew import amount_of
from bot.chat.conversations.routes import END, ID, NUMBER, PLAN, command, on, written
from bot.chat.notices import sale_of
from bot.chat.screen import Screen, lines
from bot.chat.views import assist as views
from bot.chat.views import menu
from bot.chat.views.reasons import because
from bot.chat.views.sale import Sale
from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.quotes import Quote
from bot.services.assisting import receipt_number
from bot.services.selling import Refused

Step = Callable[[Update, Context], Coroutine[Any, Any, int]]


class Assist(IntEnum):
    """What a written text means."""

    WHOM = 123
    AMOUNT = 124
    RECEIPT = 125


def _ours(step: Step) -> Step:
    """For operators; anybody else gets the ordinary menu. What can't be done is explained."""

    async def checked(update: Update, context: Context) -> int:
        if context.me.id not in context.shop.operators:
            await context.show(menu.lost(context.t))
            return END
        try:
            return await step(update, context)
        except Refused as refused:
            await _explain(context, refused)
            return END

    return checked


async def _explain(context: Context, refused: Refused) -> None:
    sale = await _sale(context, refused.order.id) if refused.order is not None else None
    why = because(context.t, refused.reason)
    screen = views.ask_whom(context.t, why)
    if sale is not None:
        shown = views.order(context.t, sale, context.now)
        screen = Screen(lines(why, "", shown.text), shown.rows)
    await context.show(screen)


# ---- finding -----------------------------------------------------------------------------


@_ours
async def find(update: Update, context: Context) -> int:
    """Whom? What follows /find is looked for at once."""
    _, _, text = context.text.partition(" ")
    if text.strip() and context.query is None:
        return await _find(context, text)
    await context.show(views.ask_whom(context.t))
    return Assist.WHOM


@_ours
async def whom_written(update: Update, context: Context) -> int:
    """A number, an ICCID's end, an order or a name was written."""
    return await _find(context, context.text)


async def _find(context: Context, text: str) -> int:
    chats = await context.shop.assisting.find(context.me.id, text)
    if not chats:
        await context.show(views.ask_whom(context.t, views.nobody(context.t)))
        return Assist.WHOM
    if len(chats) > 1:
        await context.show(views.found(context.t, chats))
        return END
    return await _customer(context, chats[0].id)


@_ours
async def customer(update: Update, context: Context) -> int:
    """One customer's card."""
    return await _customer(context, int(context.arguments[0]))


@_ours
async def offers(update: Update, context: Context) -> int:
    """Open the shop's offers to them again; closing is asked about once more."""
    chat_id, open_ = (int(argument) for argument in context.arguments)
    me, assisting = context.me.id, context.shop.assisting
    if open_:
        await assisting.set_offers(me, chat_id, context.update_id, open_=True)
        return await _customer(context, chat_id)
    one = await assisting.customer(me, chat_id, context.update_id)
    if one is None:
        return await _customer(context, chat_id)
    await context.show(views.close_offers(context.t, one))
    return END


@_ours
async def offers_closed(update: Update, context: Context) -> int:
    """Sure: no offers for them."""
    chat_id = int(context.arguments[0])
    await context.shop.assisting.set_offers(context.me.id, chat_id, context.update_id, open_=False)
    return await _customer(context, chat_id)


async def _customer(context: Context, chat_id: int) -> int:
    one = await context.shop.assisting.customer(context.me.id, chat_id, context.update_id)
    if one is None:
        await context.show(views.ask_whom(context.t, views.nobody(context.t)))
        return Assist.WHOM
    wallet = bool(context.shop.purses.amounts)
    await context.show(views.customer(context.t, one, context.now, wallet=wallet))
    return END


@_ours
async def order(update: Update, context: Context) -> int:
    """One order of theirs."""
    sale = await _sale(context, context.arguments[0])
    if sale is None:
        raise Refused("unknown")
    await context.show(views.order(context.t, sale, context.now))
    return END


async def _sale(context: Context, order_id: str) -> Sale | None:
    async with context.shop.store.read() as tx:
        return await sale_of(tx, order_id, context.shop.merchant)


# ---- preparing ---------------------------------------------------------------------------


@_ours
async def plans(update: Update, context: Context) -> int:
    """Plans of a customer's SIM."""
    return await _plans(context, context.arguments[0])


async def _plans(context: Context, sim_id: str) -> int:
    sim, offers = await context.shop.assisting.offers(context.me.id, sim_id)
    await context.show(views.plans(context.t, sim, offers, context.now))
    return END


@_ours
async def plan(update: Update, context: Context) -> int:
    """A plan was tapped: ask for the amount, or show the price."""
    sim_id, code, version, *amount = context.arguments
    async with context.shop.store.read() as tx:
        chosen = await tx.catalogue.get(code)
    if chosen is None or not chosen.active or chosen.version != int(version):
        return await _plans(context, sim_id)
    if chosen.open_amount is None:
        return await _price(context, sim_id, chosen, None)
    if amount:
        return await _price(context, sim_id, chosen, Money(int(amount[0]), chosen.currency))
    context.draft["assist"] = {"sim": sim_id, "plan": code}
    sim = await context.shop.assisting.sim(context.me.id, sim_id)
    await context.show(views.ask_amount(context.t, sim, chosen))
    return Assist.AMOUNT


@_ours
async def amount_written(update: Update, context: Context) -> int:
    """An amount was written for an open-amount plan."""
    asked = context.draft.get("assist") or {}
    async with context.shop.store.read() as tx:
        chosen = await tx.catalogue.get(asked.get("plan", ""))
    if chosen is None or chosen.open_amount is None:
        raise Refused("unknown")
    amount = amount_of(context.text, chosen.currency)
    if amount is None or not chosen.open_amount.accepts(amount):
        sim = await context.shop.assisting.sim(context.me.id, asked["sim"])
        problem = because(context.t, "amount_out_of_range")
        await context.show(views.ask_amount(context.t, sim, chosen, problem))
        return Assist.AMOUNT
    return await _price(context, asked["sim"], chosen, amount)


async def _price(context: Context, sim_id: str, chosen: Plan, amount: Money | None) -> int:
    counter, me = context.shop.assisting, context.me.id
    quote = await counter.quote(me, sim_id, chosen, amount, context.update_id)
    sim = await counter.sim(me, sim_id)
    await context.show(views.price(context.t, quote, sim, context.now))
    return END


@_ours
async def send(update: Update, context: Context) -> int:
    """Put the order into the customer's chat."""
    made = await context.shop.assisting.send(context.me.id, context.arguments[0], context.update_id)
    sale = await _sale(context, made.id)
    if sale is not None:
        await context.show(views.sent(context.t, sale))
    return END


# ---- cash --------------------------------------------------------------------------------


@_ours
async def cash(update: Update, context: Context) -> int:
    """Cash was taken: ask for its receipt's number."""
    quote = await _quote(context, context.arguments[0])
    context.draft["cash"] = {"quote": quote.id}
    await context.show(views.ask_receipt(context.t, quote))
    return Assist.RECEIPT


async def _quote(context: Context, quote_id: str) -> Quote:
    async with context.shop.store.read() as tx:
        quote = await tx.quotes.get(quote_id)
    if quote is None:
        raise Refused("unknown")
    return quote


@_ours
async def receipt_written(update: Update, context: Context) -> int:
    """The receipt's number: asked about once more, since the top-up follows at once."""
    noted = context.draft.get("cash") or {}
    quote = await _quote(context, noted.get("quote", ""))
    try:
        number = receipt_number(context.text)
    except Refused as refused:
        problem = because(context.t, refused.reason)
        await context.show(views.ask_receipt(context.t, quote, problem))
        return Assist.RECEIPT
    context.draft["cash"] = {"quote": quote.id, "receipt": number}
    await context.show(views.confirm_cash(context.t, quote, number))
    return END


@_ours
async def cash_confirmed(update: Update, context: Context) -> int:
    """It was taken."""
    quote_id = context.arguments[0]
    noted = context.draft.get("cash") or {}
    if noted.get("quote") != quote_id or "receipt" not in noted:
        return await cash(update, context)
    made = await context.shop.assisting.cash(
        context.me.id, quote_id, noted["receipt"], context.update_id
    )
    sale = await _sale(context, made.id)
    if sale is not None:
        await context.show(views.order(context.t, sale, context.now))
    return END


ENTRY = [
    command("find", find),
    on("find", find),
    on("acust", customer, NUMBER),
    on("aorder", order, ID),
    on("aoffers", offers, NUMBER + ":[01]"),
    on("aoffers!", offers_closed, NUMBER),
    on("asim", plans, ID),
    on("aplan", plan, ID + PLAN + NUMBER),
    on("aamt", plan, ID + PLAN + NUMBER + NUMBER),
    on("asend", send, ID),
    on("acash", cash, ID),
    on("acash!", cash_confirmed, ID),
]
STATES = {
    Assist.WHOM: [written(whom_written, anything=True)],
    Assist.AMOUNT: [written(amount_written)],
    Assist.RECEIPT: [written(receipt_written, anything=True)],
}
