"""Renewing: from a SIM to a paid order.

    Renew ─► SIM ─► plan ─► (open amount: AMOUNT) ─► quote ─► Stars invoice
                                                         └──► voucher code: VOUCHER ─► paid
    Renew now (reminder) ─► last time's plan ─► quote

Every button carries the ids it needs, so it works in any state and after a restart; the states
only say what a written text means. What happens after payment is told through the outbox, by
editing the order's message.
"""

from decimal import Decimal, InvalidOperation
from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, NUMBER, PLAN, command, on, written
from bot.chat.notices import sale_of
from bot.chat.views import choose
from bot.chat.views import orders as order_views
from bot.chat.views import plans as views
from bot.chat.views.reasons import REASONS, because
from bot.domain.money import Money
from bot.domain.orders import PaymentState
from bot.domain.plans import Plan
from bot.domain.sales import Method, Order, Payment
from bot.domain.sims import Sim, urgency
from bot.ports import PaymentUnavailable
from bot.services.selling import Refused

PAGE = 5


class Renew(IntEnum):
    """What a written text means."""

    AMOUNT = 20
    VOUCHER = 21


# ---- choosing ----------------------------------------------------------------------------


async def renew(update: Update, context: Context) -> int:
    """Which SIM, then which plan. An unpaid order comes first (F15)."""
    if context.arguments:
        return await _plans(context, context.arguments[0])
    order = await context.shop.checkout.open_order(context.me.id)
    if order is not None and context.query is None:
        await show_order(context, order.id)
        return END
    sims = await context.shop.sims.overview(context.me.id)
    if len(sims) == 1:
        return await _plans(context, sims[0].id)
    await context.show(choose.sim(context.t, sorted(sims, key=lambda s: urgency(s, context.now)),
                                  context.now))  # fmt: skip
    return END


async def renew_again(update: Update, context: Context) -> int:
    """From a reminder: straight to the price of last time's plan."""
    sim = await my_sim(context, context.arguments[0])
    if sim is None:
        return END
    if sim.last_plan is not None:
        for offer in await context.shop.checkout.offers(sim):
            plan = offer.plan
            if plan.code == sim.last_plan and offer.unavailable is None and plan.price:
                return await _quote(context, sim, plan, None)
    return await _plans(context, sim.id)


async def _plans(context: Context, sim_id: str, note: str | None = None) -> int:
    sim = await my_sim(context, sim_id)
    if sim is None:
        return END
    offers = await context.shop.checkout.offers(sim)
    screen = views.plans(context.t, sim, offers, context.now)
    if note is not None:
        await context.toast(note, alert=True)
    await context.show(screen)
    return END


async def my_sim(context: Context, sim_id: str) -> Sim | None:
    """The person's own SIM; otherwise they are told, and shown their list."""
    sim = await context.shop.sims.get(sim_id, context.me.id)
    if sim is None:
        await context.toast(context.t.plain(REASONS["not_yours_sim"]), alert=True)
        sims = await context.shop.sims.overview(context.me.id)
        await context.show(choose.sim(context.t, sims, context.now))
    return sim


async def plan(update: Update, context: Context) -> int:
    """A plan was tapped: ask for the amount, or show the price."""
    sim_id, code, version, *amount = context.arguments
    sim = await my_sim(context, sim_id)
    if sim is None:
        return END
    async with context.shop.store.read() as tx:
        chosen = await tx.catalogue.get(code)
    if chosen is None or not chosen.active or chosen.version != int(version):
        return await _plans(context, sim_id, context.t.plain(REASONS["plan_changed"]))
    if chosen.open_amount is None:
        return await _quote(context, sim, chosen, None)
    if amount:
        return await _quote(context, sim, chosen, Money(int(amount[0]), chosen.currency))
    context.draft["amount"] = {"sim": sim_id, "plan": code}
    await context.show(views.ask_amount(context.t, sim, chosen))
    return Renew.AMOUNT


async def amount_written(update: Update, context: Context) -> int:
    """An amount was written for an open-amount plan."""
    asked = context.draft.get("amount") or {}
    sim = await my_sim(context, asked.get("sim", ""))
    if sim is None:
        return END
    async with context.shop.store.read() as tx:
        chosen = await tx.catalogue.get(asked.get("plan", ""))
    if chosen is None or chosen.open_amount is None:
        return await _plans(context, sim.id)
    amount = _amount(context.text, chosen.currency)
    if amount is None or not chosen.open_amount.accepts(amount):
        problem = because(context.t, "amount_out_of_range")
        await context.show(views.ask_amount(context.t, sim, chosen, problem))
        return Renew.AMOUNT
    return await _quote(context, sim, chosen, amount)


def _amount(text: str, currency: str) -> Money | None:
    digits = "".join(c for c in text.replace(",", "").replace("，", "") if c.isdigit() or c == ".")
    try:
        return Money.of(Decimal(digits), currency)
    except (InvalidOperation, ValueError):
        return None


async def _quote(context: Context, sim: Sim, chosen: Plan, amount: Money | None) -> int:
    try:
        quote = await context.shop.checkout.quote(
            context.me.id, sim, chosen, amount, context.update_id
        )
    except Refused as refused:
        return await _plans(context, sim.id, str(because(context.t, refused.reason)))
    methods = context.shop.checkout.selling.methods
    extends = context.shop.checkout.extends(chosen)
    await context.show(views.quote(context.t, quote, sim, methods, context.now, extends=extends))
    return END


# ---- paying ------------------------------------------------------------------------------


async def pay_stars(update: Update, context: Context) -> int:
    """Confirm the quote and show the Stars invoice: one, however often the price is tapped."""
    quote_id, *again = context.arguments
    order = await _place(context, quote_id)
    if order is None:
        return END
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order.id, context.shop.merchant)
        attempts = await tx.payments.of_order(order.id)
    if sale is None:
        return END
    bill = order_views.bill(context.t, order, sale.sim, context.shop.merchant)
    shown = await context.show(order_views.waiting(context.t, sale, invoice=True))
    if not again and any(_has_invoice(attempt) for attempt in attempts):
        return END
    try:
        await context.shop.checkout.pay_with_stars(order.id, context.me.id, bill)
    except Refused as refused:
        await _refused(context, refused)
    except PaymentUnavailable:
        if shown is not None:
            await context.edit(shown, order_views.no_invoice(context.t, sale))
    return END


def _has_invoice(attempt: Payment) -> bool:
    return attempt.method is Method.STARS and attempt.state is PaymentState.PENDING


async def ask_voucher(update: Update, context: Context) -> int:
    """Confirm the quote and ask for the code."""
    order = await _place(context, context.arguments[0])
    if order is None:
        return END
    context.draft["voucher"] = order.id
    await context.show(order_views.ask_voucher(context.t, order))
    return Renew.VOUCHER


async def voucher_written(update: Update, context: Context) -> int:
    """A code was written: the answer becomes the order's message, so that it is in sight."""
    order_id = str(context.draft.get("voucher", ""))
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order_id, context.shop.merchant)
    if sale is None or sale.order.chat_id != context.me.id:
        return await renew(update, context)
    message_id = await context.send(order_views.checking_voucher(context.t, sale))
    if message_id is not None:
        async with context.shop.store.write() as tx:
            await tx.orders.set_message(order_id, message_id)
    try:
        await context.shop.till.redeem(order_id, context.me.id, context.text)
    except Refused as refused:
        screen = order_views.ask_voucher(
            context.t, sale.order, str(because(context.t, refused.reason))
        )
        if not refused.reason.startswith("voucher"):
            await _refused(context, refused)
            return END
        if message_id is not None:
            await context.edit(message_id, screen)
        return Renew.VOUCHER
    context.draft.pop("voucher", None)
    return END


async def _place(context: Context, quote_id: str) -> Order | None:
    """The quote's order, waiting for money; otherwise the person is told where things stand."""
    try:
        order = await context.shop.checkout.place(quote_id, context.me.id, context.message_id)
        if order.message_id != context.message_id and context.message_id is not None:
            async with context.shop.store.write() as tx:
                await tx.orders.set_message(order.id, context.message_id)
    except Refused as refused:
        await _refused(context, refused, quote_id)
        return None
    async with context.shop.store.read() as tx:
        current = await tx.orders.get(order.id)
    if current is not None and current.expires_at > context.now and _waits(current):
        return current
    await show_order(context, order.id)
    return None


def _waits(order: Order) -> bool:
    return order.state is order.state.AWAITING_PAYMENT


async def _refused(context: Context, refused: Refused, quote_id: str | None = None) -> None:
    """A stale button explains itself and offers the present screen."""
    await context.toast(str(because(context.t, refused.reason)), alert=True)
    if refused.order is not None:
        await show_order(context, refused.order.id)
        return
    async with context.shop.store.read() as tx:
        quote = await tx.quotes.get(quote_id) if quote_id else None
    if quote is not None and quote.chat_id == context.me.id:
        await _plans(context, quote.sim_id)
    else:
        sims = await context.shop.sims.overview(context.me.id)
        await context.show(choose.sim(context.t, sims, context.now))


async def cancel_order(update: Update, context: Context) -> int:
    """Give up an unpaid order."""
    try:
        await context.shop.checkout.cancel(context.arguments[0], context.me.id)
    except Refused as refused:
        await context.toast(str(because(context.t, refused.reason)), alert=True)
    await show_order(context, context.arguments[0])
    return END


# ---- looking back ------------------------------------------------------------------------


async def show_order(context: Context, order_id: str) -> None:
    """Where an order stands, or that it is not theirs."""
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order_id, context.shop.merchant)
    if sale is None or sale.order.chat_id != context.me.id:
        await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
        await orders_page(context, 0)
        return
    await context.show(order_views.order_screen(context.t, sale, context.now))


async def order(update: Update, context: Context) -> int:
    """One order."""
    await show_order(context, context.arguments[0])
    return END


async def orders(update: Update, context: Context) -> int:
    """The orders, newest first."""
    await orders_page(context, int(context.arguments[0]) if context.arguments else 0)
    return END


async def orders_page(context: Context, page: int) -> None:
    """One page of orders."""
    async with context.shop.store.read() as tx:
        found = await tx.orders.of_chat(context.me.id, PAGE + 1, page * PAGE)
    more = len(found) > PAGE
    await context.show(order_views.orders(context.t, page, found[:PAGE], more, context.now))


ENTRY = [
    command("renew", renew),
    command("orders", orders),
    on("renew", renew, f"({ID})?"),
    on("again", renew_again, ID),
    on("plan", plan, ID + PLAN + NUMBER),
    on("amt", plan, ID + PLAN + NUMBER + NUMBER),
    on("stars", pay_stars, f"{ID}(:again)?"),
    on("voucher", ask_voucher, ID),
    on("cancel", cancel_order, ID),
    on("order", order, ID),
    on("orders", orders, f"({NUMBER})?"),
]
STATES = {
    Renew.AMOUNT: [written(amount_written)],
    Renew.VOUCHER: [written(voucher_written)],
}
