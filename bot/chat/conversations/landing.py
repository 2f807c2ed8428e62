"""Coming from a group's post: to the price of its offer, for the right SIM.

    the post's button ─┬► one SIM takes it ─► price ─► paid as always
                       ├► several ─► which SIM ─► price
                       ├► none: how to add one ─► (added) ─► price
                       └► ended, sold out, not for them: why, and the usual plans
    price ─► another plan of the offer ─► price

Every button carries the post's id, so it works in any state and after a restart.
"""

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.renew import my_sim, plans_of, show_price
from bot.chat.conversations.routes import END, ID, NUMBER, on
from bot.chat.views import landing as views
from bot.chat.views.reasons import because
from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.sims import Sim
from bot.services.promos import Wish
from bot.services.selling import Refused
from bot.services.visits import Fit, Offer

NOTE = "offer"
"""In the draft: the post that a person without a fitting SIM came from."""


async def from_link(update: Update, context: Context, post_id: str) -> int:
    """The post's button was tapped in the group."""
    await context.shop.visits.come(post_id, context.me.id)
    return await _arrive(context, post_id)


async def offer(update: Update, context: Context) -> int:
    """The offer once more, as it is now."""
    return await _arrive(context, context.arguments[0])


async def _arrive(context: Context, post_id: str) -> int:
    found = await _offer(context, post_id)
    if found is None:
        return END
    fits = await context.shop.visits.fitting(found, context.me.id)
    able = [fit for fit in fits if fit.why is None]
    if len(able) == 1:
        return await _price(context, found, able[0])
    if able:
        await context.show(views.choose_sim(context.t, found, able, context.now))
        return END
    if fits:
        await context.show(views.not_now(context.t, found, fits[0].why or "promo_other_plan"))
        return END
    context.draft[NOTE] = post_id
    async with context.shop.store.read() as tx:
        others = bool(await tx.sims.owned(context.me.id))
    await context.show(views.no_sim(context.t, found, context.now, others=others))
    return END


async def _offer(context: Context, post_id: str) -> Offer | None:
    """The post's offer while it can be bought; otherwise the person is told why not."""
    found = await context.shop.visits.offer(post_id, context.me.id, context.t.language)
    if found is not None and found.why is None:
        return found
    context.draft.pop(NOTE, None)
    screen = views.gone(context.t)
    if found is not None and found.why is not None:
        screen = views.not_now(context.t, found, found.why)
    await context.show(screen)
    return None


async def sim_chosen(update: Update, context: Context) -> int:
    """Which SIM the offer is for."""
    post_id, sim_id = context.arguments
    found, sim = await _both(context, post_id, sim_id)
    if found is None or sim is None:
        return END
    for fit in await context.shop.visits.fitting(found, context.me.id):
        if fit.sim.id == sim.id and fit.why is None:
            return await _price(context, found, fit)
    return await _arrive(context, post_id)


async def plan_chosen(update: Update, context: Context) -> int:
    """Another plan of the offer for the same SIM, perhaps of an amount that was chosen."""
    post_id, sim_id, number, *minor = context.arguments
    found, sim = await _both(context, post_id, sim_id)
    if found is None or sim is None:
        return END
    codes = found.campaign.plans
    code = codes[int(number)] if int(number) < len(codes) else None
    for fit in await context.shop.visits.fitting(found, context.me.id):
        for plan in fit.plans:
            if fit.sim.id == sim.id and plan.code == code:
                amount = Money(int(minor[0]), plan.currency) if minor else None
                return await _quote(context, found, sim, plan, amount)
    return await _arrive(context, post_id)


async def _both(context: Context, post_id: str, sim_id: str) -> tuple[Offer | None, Sim | None]:
    sim = await my_sim(context, sim_id)
    return (await _offer(context, post_id) if sim is not None else None), sim


async def _price(context: Context, found: Offer, fit: Fit) -> int:
    """The foremost plan of the offer that the SIM takes."""
    return await _quote(context, found, fit.sim, fit.plans[0])


async def _quote(
    context: Context, found: Offer, sim: Sim, plan: Plan, amount: Money | None = None
) -> int:
    shop = context.shop
    if plan.open_amount is not None and amount is None:
        number = found.campaign.plans.index(plan.code)
        await context.show(views.ask_amount(context.t, found, sim, number, plan))
        return END
    try:
        quote = await shop.checkout.quote(
            context.me.id, sim, plan, amount, context.update_id, Wish(post=found.post_id)
        )
    except Refused as refused:
        return await plans_of(context, sim.id, str(because(context.t, refused.reason)))
    context.draft.pop(NOTE, None)
    await show_price(context, quote, sim)
    return END


async def back(context: Context, sim: Sim) -> None:
    """A SIM was just added: whoever came for an offer sees it now, if the SIM takes it."""
    post_id = context.draft.get(NOTE)
    if post_id is None:
        return
    found = await context.shop.visits.offer(str(post_id), context.me.id, context.t.language)
    fits = await context.shop.visits.fitting(found, context.me.id) if found is not None else []
    if found is None or found.why is not None:
        context.draft.pop(NOTE, None)
        return
    for fit in fits:
        if fit.sim.id == sim.id and fit.why is None:
            await context.send(views.come_back(context.t, found, sim))
            return


ENTRY = [
    on("offer", offer, ID),
    on("offersim", sim_chosen, ID + ID),
    on("offerplan", plan_chosen, ID + ID + NUMBER),
    on("offeramt", plan_chosen, ID + ID + NUMBER + NUMBER),
]
