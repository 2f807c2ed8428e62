"""Paying: from a frozen price to money that has arrived.

    price ─► a way to pay ─► an invoice in the chat, or a page of the provider's ─► paid
                         └─► voucher code: VOUCHER ─► paid
    order that waits ─► other way to pay ─► price
                    └─► I have paid ─► asked of the provider

A tap twice, on two devices or after a restart finds the same order and the same attempt. What
happens after payment is told through the outbox, by editing the order's message.
"""

from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.orders import show_order
from bot.chat.conversations.renew import my_sim, refused, show_price
from bot.chat.conversations.routes import END, ID, on, written
from bot.chat.notices import sale_of
from bot.chat.views import paying as views
from bot.chat.views.reasons import REASONS, because
from bot.domain.orders import PaymentState
from bot.domain.sales import Method, Order
from bot.ports import PaymentRefused, PaymentUnavailable
from bot.services.selling import Refused

METHOD = rf":(?:{'|'.join(method.value for method in Method)})"


class Pay(IntEnum):
    """What a written text means."""

    VOUCHER = 21


async def price(update: Update, context: Context) -> int:
    """The price again, to pay in another way; while it stands it is the same one."""
    async with context.shop.store.read() as tx:
        quote = await tx.quotes.get(context.arguments[0])
    if quote is None or quote.chat_id != context.me.id:
        await refused(context, Refused("unknown"))
        return END
    sim = await my_sim(context, quote.sim_id)
    if sim is None:
        return END
    if not quote.stands(context.now):
        async with context.shop.store.read() as tx:
            order = await tx.orders.by_quote(quote.id)
        if order is not None:
            await show_order(context, order.id)
            return END
        await refused(context, Refused("quote_expired"), quote.id)
        return END
    await show_price(context, quote, sim)
    return END


async def pay(update: Update, context: Context) -> int:
    """Confirm the price and show what to pay: one attempt, however often it is tapped."""
    quote_id, name, *again = context.arguments
    method = Method(name)
    order = await place(context, quote_id)
    if order is None:
        return END
    async with context.shop.store.read() as tx:
        attempts = await tx.payments.of_order(order.id)
    invoiced = [a for a in attempts if a.method is method and a.state is PaymentState.PENDING]
    if not again and invoiced and not context.shop.paying.page(method):
        await show_order(context, order.id)  # its invoice is in the chat
        return END
    await show_bill(context, order, method)
    return END


async def show_bill(context: Context, order: Order, method: Method, *, keep: bool = False) -> None:
    """What to pay; with `keep` what it is paid with can be charged again."""
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order.id, context.shop.merchant)
    if sale is None:
        return
    back = f"https://t.me/{context.bot.username}"
    bill = views.bill(context.t, order, sale.sim, context.shop.merchant, back, keep=keep)
    try:
        await context.shop.paying.pay(order.id, context.me.id, method, bill)
    except Refused as why:
        await refused(context, why)
    except PaymentUnavailable:
        await context.show(views.not_shown(context.t, sale))
    except PaymentRefused as why:
        await context.show(views.not_shown(context.t, sale, why.reason))
    else:
        await show_order(context, order.id)


async def check(update: Update, context: Context) -> int:
    """ "I have paid": the provider is asked now."""
    order_id = context.arguments[0]
    try:
        await context.shop.paying.check(order_id, context.me.id)
    except PaymentUnavailable:
        await context.toast(context.t.plain(REASONS["provider_away"]), alert=True)
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order_id, context.shop.merchant)
    if sale is not None and sale.order.chat_id == context.me.id and waits(sale.order):
        await context.show(views.not_seen(context.t, sale))
    else:
        await show_order(context, order_id)
    return END


async def ask_voucher(update: Update, context: Context) -> int:
    """Confirm the price and ask for the code."""
    order = await place(context, context.arguments[0])
    if order is None:
        return END
    context.draft["voucher"] = order.id
    await context.show(views.ask_voucher(context.t, order))
    return Pay.VOUCHER


async def voucher_written(update: Update, context: Context) -> int:
    """A code was written."""
    return await voucher_code(context, context.text)


async def voucher_code(context: Context, code: str) -> int:
    """A voucher's code, written or photographed; empty when a photo shows none.

    The answer becomes the order's message, so that it is in sight.
    """
    order_id = str(context.draft.get("voucher", ""))
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order_id, context.shop.merchant)
    if sale is None or sale.order.chat_id != context.me.id:
        await refused(context, Refused("unknown"))
        return END
    if not code:
        problem = because(context.t, "voucher_unread")
        await context.send(views.ask_voucher(context.t, sale.order, str(problem)))
        return Pay.VOUCHER
    message_id = await context.send(views.checking_voucher(context.t, sale))
    if message_id is not None:
        async with context.shop.store.write() as tx:
            await tx.orders.set_message(order_id, message_id)
    try:
        await context.shop.paying.close_others(order_id, context.me.id, Method.VOUCHER)
        await context.shop.till.redeem(order_id, context.me.id, code)
    except Refused as why:
        if not why.reason.startswith("voucher"):
            await refused(context, why)
            return END
        screen = views.ask_voucher(context.t, sale.order, str(because(context.t, why.reason)))
        if message_id is not None:
            await context.edit(message_id, screen)
        return Pay.VOUCHER
    context.draft.pop("voucher", None)
    return END


async def place(context: Context, quote_id: str) -> Order | None:
    """The quote's order, waiting for money; otherwise the person is told where things stand."""
    try:
        order = await context.shop.checkout.place(quote_id, context.me.id, context.message_id)
        if order.message_id != context.message_id and context.message_id is not None:
            async with context.shop.store.write() as tx:
                await tx.orders.set_message(order.id, context.message_id)
    except Refused as why:
        await refused(context, why, quote_id)
        return None
    async with context.shop.store.read() as tx:
        current = await tx.orders.get(order.id)
    if current is not None and current.expires_at > context.now and waits(current):
        return current
    await show_order(context, order.id)
    return None


def waits(order: Order) -> bool:
    """Whether it can still be paid."""
    return order.state is order.state.AWAITING_PAYMENT


async def cancel_order(update: Update, context: Context) -> int:
    """Give up an unpaid order."""
    try:
        await context.shop.paying.cancel(context.arguments[0], context.me.id)
    except Refused as why:
        await context.toast(str(because(context.t, why.reason)), alert=True)
    await show_order(context, context.arguments[0])
    return END


ENTRY = [
    on("price", price, ID),
    on("pay", pay, f"{ID}{METHOD}(:again)?"),
    on("check", check, ID),
    on("voucher", ask_voucher, ID),
    on("cancel", cancel_order, ID),
]
STATES = {Pay.VOUCHER: [written(voucher_written)]}
