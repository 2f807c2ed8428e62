"""Renewals that pay by themselves (F19): where one stands, and what can be done with it.

    Auto-renew ─┬► none yet: plan ─► … (`renewals`)
                └► where it stands ─┬► agree to a new price
                                    ├► pay now, by hand ─► price
                                    └► stop ─► sure? ─► off

Every button carries the agreement's id, so it works in any state and after a restart.
"""

from telegram import Update

from bot.chat.agreements import deal_of
from bot.chat.context import Context
from bot.chat.conversations.my_sims import mine
from bot.chat.conversations.orders import show_order
from bot.chat.conversations.renew import plans_of, refused, show_price
from bot.chat.conversations.routes import END, ID, NUMBER, on
from bot.chat.views import renewals as views
from bot.chat.views.reasons import REASONS, because
from bot.domain.renewals import Agreement, AgreementState
from bot.domain.sims import Sim
from bot.i18n import Html
from bot.services.agreeing import renewable
from bot.services.selling import Refused


async def auto(update: Update, context: Context) -> int:
    """Where a SIM's agreement stands, or which plan a new one shall be of."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await show(context, sim)


async def show(context: Context, sim: Sim, note: Html | None = None) -> int:
    """The agreement of a SIM, below what has just happened."""
    agreement = await context.shop.agreeing.of_sim(sim.id, context.me.id)
    if agreement is None:
        return await plans(context, sim)
    deal = await deal_of(context, agreement, sim)
    await context.show(views.status(context.t, deal, context.now, note))
    return END


async def plans(context: Context, sim: Sim) -> int:
    """Which plan a new one shall be of."""
    offers = await context.shop.checkout.offers(sim)
    found = [offer.plan for offer in offers if renewable(offer.plan)]
    found.sort(key=lambda plan: plan.code != sim.last_plan)
    await context.show(views.choose_plan(context.t, sim, found))
    return END


async def agreement_of(context: Context) -> tuple[Agreement, Sim] | None:
    """The agreement that a button names; otherwise the person is told."""
    async with context.shop.store.read() as tx:
        found = await tx.renewals.get(context.arguments[0])
    if found is None or found.chat_id != context.me.id:
        await refused(context, Refused("unknown"))
        return None
    sim = await mine(context, found.sim_id)
    return None if sim is None else (found, sim)


async def stop(update: Update, context: Context) -> int:
    """Ask first."""
    both = await agreement_of(context)
    if both is None:
        return END
    agreement, sim = both
    if agreement.state in (AgreementState.CANCELLED, AgreementState.ENDED):
        await context.show(views.stopped(context.t, sim))
    else:
        await context.show(views.ask_stop(context.t, await deal_of(context, agreement, sim)))
    return END


async def stop_yes(update: Update, context: Context) -> int:
    """Stop at once."""
    both = await agreement_of(context)
    if both is not None:
        agreement, sim = both
        await context.shop.agreeing.cancel(agreement.id, context.me.id)
        await context.show(views.stopped(context.t, sim))
    return END


async def confirm(update: Update, context: Context) -> int:
    """Agree to a new price."""
    both = await agreement_of(context)
    if both is None:
        return END
    agreement, sim = both
    try:
        version = int(context.arguments[1])
        await context.shop.agreeing.confirm(agreement.id, context.me.id, version)
    except Refused as why:
        price = agreement.asked or agreement.price
        return await show(context, sim, views.problem(context.t, why.reason, price))
    return await show(context, sim, views.accepted(context.t))


async def pay_now(update: Update, context: Context) -> int:
    """The price of what is agreed to, to be paid by hand."""
    both = await agreement_of(context)
    if both is None:
        return END
    agreement, sim = both
    async with context.shop.store.read() as tx:
        plan = await tx.catalogue.get(agreement.plan_code)
    if plan is None:
        return await plans_of(context, sim.id, context.t.plain(REASONS["plan_inactive"]))
    try:
        quote = await context.shop.checkout.quote(
            context.me.id, sim, plan, agreement.amount, context.update_id
        )
    except Refused as why:
        return await plans_of(context, sim.id, str(because(context.t, why.reason)))
    await show_price(context, quote, sim)
    return END


async def open_order(update: Update, context: Context) -> int:
    """The order whose charge the bank wants to have confirmed; a fresh price when it is over."""
    both = await agreement_of(context)
    if both is None:
        return END
    async with context.shop.store.read() as tx:
        run = await tx.renewals.open_run(both[1].id)
        order = await tx.orders.get(run.order_id) if run is not None and run.order_id else None
    if order is None or order.state is not order.state.AWAITING_PAYMENT:
        return await pay_now(update, context)
    await show_order(context, order.id)
    return END


ENTRY = [
    on("auto", auto, ID),
    on("auto_stop", stop, ID),
    on("auto_off", stop_yes, ID),
    on("auto_agree", confirm, ID + NUMBER),
    on("auto_pay", pay_now, ID),
    on("auto_open", open_order, ID),
]
