"""Renewing: from a SIM to its price; how it is paid is in `pay`, what was bought in `orders`.

    Renew ─► SIM ─► plan ─► (open amount: AMOUNT) ─► price
    Renew now (reminder) ─► last time's plan ─► price

Every button carries the ids it needs, so it works in any state and after a restart; the states
only say what a written text means.
"""

from decimal import Decimal, InvalidOperation
from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.orders import show_order
from bot.chat.conversations.routes import END, ID, NUMBER, PLAN, command, on, written
from bot.chat.views import choose, landing, paying
from bot.chat.views import plans as views
from bot.chat.views import promos as promo_views
from bot.chat.views.reasons import REASONS, because
from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.domain.plans import Plan
from bot.domain.quotes import Quote
from bot.domain.sims import Sim, urgency
from bot.services import promos
from bot.services.selling import Refused


class Renew(IntEnum):
    """What a written text means."""

    AMOUNT = 20


# ---- choosing ----------------------------------------------------------------------------


async def renew(update: Update, context: Context) -> int:
    """Which SIM, then which plan. An unpaid order comes first (F15)."""
    if context.arguments:
        return await plans_of(context, context.arguments[0])
    order = await context.shop.checkout.open_order(context.me.id)
    if order is not None and context.query is None:
        await show_order(context, order.id)
        return END
    sims = await context.shop.sims.overview(context.me.id)
    if len(sims) == 1:
        return await plans_of(context, sims[0].id)
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
            if plan.code != sim.last_plan or offer.unavailable is not None:
                continue
            amount = await _last_amount(context, sim, plan) if plan.open_amount else None
            if plan.price or amount:
                return await _quote(context, sim, plan, amount)
    return await plans_of(context, sim.id)


async def _last_amount(context: Context, sim: Sim, plan: Plan) -> Money | None:
    """What was bought for the SIM last time, where that can still be chosen."""
    async with context.shop.store.read() as tx:
        done = await tx.orders.of_sim(sim.id, (OrderState.FULFILLED,))
    prices = [one.price for one in sorted(done, key=lambda one: one.created_at)
              if one.plan.code == plan.code and one.chat_id == context.me.id]  # fmt: skip
    if not prices or plan.open_amount is None or not plan.open_amount.accepts(prices[-1]):
        return None
    return prices[-1]


async def plans_of(context: Context, sim_id: str, note: str | None = None) -> int:
    """The SIM's plans; `note` is said first."""
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
        return await plans_of(context, sim_id, context.t.plain(REASONS["plan_changed"]))
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
        return await plans_of(context, sim.id)
    amount = amount_of(context.text, chosen.currency)
    if amount is None or not chosen.open_amount.accepts(amount):
        problem = because(context.t, "amount_out_of_range")
        await context.show(views.ask_amount(context.t, sim, chosen, problem))
        return Renew.AMOUNT
    return await _quote(context, sim, chosen, amount)


def amount_of(text: str, currency: str) -> Money | None:
    """An amount as people write it; None when it is none."""
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
        return await plans_of(context, sim.id, str(because(context.t, refused.reason)))
    await show_price(context, quote, sim)
    return END


async def show_price(context: Context, quote: Quote, sim: Sim) -> None:
    """A frozen price, with the ways to pay it and to lower it."""
    shop = context.shop
    async with shop.store.read() as tx:
        codes = await promos.takes_codes(tx)
        spare = await promos.points_for(tx, shop.checkout.selling.points, quote, context.now)
    wallet = await shop.deposits.balance(context.me.id, quote.due.currency)
    extends = shop.checkout.extends(quote.plan)
    wishes = promo_views.wishes(context.t, quote, spare, codes=codes)
    await shop.visits.quoted(quote)
    others = await shop.visits.others(quote, sim, context.t.language)
    wishes += landing.others(context.t, quote, others)
    await context.show(
        paying.quote(
            context.t, quote, sim, context.now, extends=extends, wallet=wallet, wishes=wishes
        )
    )


async def refused(context: Context, why: Refused, quote_id: str | None = None) -> None:
    """A stale button explains itself and offers the present screen."""
    await context.toast(str(because(context.t, why.reason)), alert=True)
    if why.order is not None:
        await show_order(context, why.order.id)
        return
    async with context.shop.store.read() as tx:
        quote = await tx.quotes.get(quote_id) if quote_id else None
    if quote is not None and quote.chat_id == context.me.id:
        sim = await context.shop.sims.get(quote.sim_id, context.me.id)
        if quote.post_id is not None and sim is not None:
            await context.show(landing.again(context.t, why.reason, quote.post_id, sim))
            return
        await plans_of(context, quote.sim_id)
    else:
        sims = await context.shop.sims.overview(context.me.id)
        await context.show(choose.sim(context.t, sims, context.now))


ENTRY = [
    command("renew", renew),
    on("renew", renew, f"({ID})?"),
    on("again", renew_again, ID),
    on("plan", plan, ID + PLAN + NUMBER),
    on("amt", plan, ID + PLAN + NUMBER + NUMBER),
]
STATES = {
    Renew.AMOUNT: [written(amount_written)],
}
