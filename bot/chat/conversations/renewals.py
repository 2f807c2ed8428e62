"""Setting up renewals that pay by themselves (F19).

    Auto-renew ─► plan ─► (AMOUNT) ─► a way to pay ─► limit (CAP) ─► terms ─► Accept
    Accept ─┬► on
            └► a card or a subscription that is still to come: the first payment

What is being chosen is noted in the draft; only Accept stores it, with its terms. What one stands
at is in `renewing`.
"""

from dataclasses import replace
from enum import IntEnum
from typing import Any

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.my_sims import mine
from bot.chat.conversations.pay import show_bill
from bot.chat.conversations.renew import amount_of, plans_of, refused
from bot.chat.conversations.renewing import agreement_of, plans, show
from bot.chat.conversations.routes import END, ID, NUMBER, PLAN, on, written
from bot.chat.views import renewals as views
from bot.chat.views.reasons import REASONS, because
from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.renewals import Agreement, AgreementState
from bot.domain.sales import Method, Saved
from bot.domain.sims import Sim
from bot.i18n import Html
from bot.services.agreeing import Wanted, Ways, renewable
from bot.services.selling import Refused

_KEY = "auto"
_MOST_DIGITS = 12
"""Of a limit in minor units."""


class Auto(IntEnum):
    """What a written text means."""

    AMOUNT = 130
    CAP = 131


# ---- choosing ----------------------------------------------------------------------------


async def new(update: Update, context: Context) -> int:
    """Set one up, or another in its place."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await plans(context, sim)


async def plan(update: Update, context: Context) -> int:
    """A plan was tapped."""
    sim_id, code, version = context.arguments
    sim = await mine(context, sim_id)
    if sim is None:
        return END
    async with context.shop.store.read() as tx:
        chosen = await tx.catalogue.get(code)
    if chosen is None or not renewable(chosen) or chosen.version != int(version):
        await context.toast(context.t.plain(REASONS["plan_changed"]), alert=True)
        return await plans(context, sim)
    context.draft[_KEY] = {"sim": sim.id, "plan": code}
    if chosen.open_amount is not None:
        await context.show(views.ask_amount(context.t, sim, chosen))
        return Auto.AMOUNT
    return await _ways(context, sim, chosen, None)


async def amount_written(update: Update, context: Context) -> int:
    """An amount was written for a plan of any amount."""
    found = await _drafted(context)
    if found is None:
        return END
    sim, chosen, draft = found
    amount = amount_of(context.text, chosen.currency)
    if chosen.open_amount is None or amount is None or not chosen.open_amount.accepts(amount):
        problem = because(context.t, "amount_out_of_range")
        await context.show(views.ask_amount(context.t, sim, chosen, problem))
        return Auto.AMOUNT
    context.draft[_KEY] = {**draft, "amount": amount.minor}
    return await _ways(context, sim, chosen, amount)


async def _ways(context: Context, sim: Sim, chosen: Plan, amount: Money | None) -> int:
    ways = await context.shop.agreeing.ways(context.me.id, chosen, amount)
    await context.show(views.choose_way(context.t, sim, chosen, ways))
    return END


async def by(update: Update, context: Context) -> int:
    """What to pay with."""
    found = await _drafted(context)
    if found is None:
        return END
    sim, chosen, draft = found
    name, *saved = context.arguments
    draft = {**draft, "method": name, "saved": saved[0] if saved else None}
    context.draft[_KEY] = draft
    return await _ask_cap(context, sim, chosen, draft)


async def limit(update: Update, context: Context) -> int:
    """The limit again."""
    found = await _drafted(context)
    return END if found is None else await _ask_cap(context, *found)


async def _ask_cap(context: Context, sim: Sim, chosen: Plan, draft: dict[str, Any]) -> int:
    ways = await context.shop.agreeing.ways(context.me.id, chosen, _amount(draft, chosen))
    await context.show(views.choose_cap(context.t, sim, ways.price))
    return Auto.CAP


async def cap(update: Update, context: Context) -> int:
    """A limit was tapped."""
    return await _capped(context, int(context.arguments[0]))


async def cap_written(update: Update, context: Context) -> int:
    """A limit was written."""
    found = await _drafted(context)
    if found is None:
        return END
    written_cap = amount_of(context.text, found[1].currency)
    return await _capped(context, written_cap.minor if written_cap is not None else 0)


async def _capped(context: Context, minor: int) -> int:
    found = await _drafted(context)
    if found is None:
        return END
    sim, chosen, draft = found
    ways = await context.shop.agreeing.ways(context.me.id, chosen, _amount(draft, chosen))
    if minor < ways.price.minor or len(str(minor)) > _MOST_DIGITS:
        problem = views.problem(context.t, "cap_low", ways.price)
        await context.show(views.choose_cap(context.t, sim, ways.price, problem))
        return Auto.CAP
    context.draft[_KEY] = {**draft, "cap": minor}
    return await terms(context)


async def cycle(update: Update, context: Context) -> int:
    """How often; with an argument, so often."""
    found = await _drafted(context)
    if found is None:
        return END
    sim, _, draft = found
    if not context.arguments:
        await context.show(views.choose_cycle(context.t, sim, draft.get("every")))
        return END
    days = int(context.arguments[0])
    context.draft[_KEY] = {**draft, "every": days if days in views.CYCLES[1:] else None}
    return await terms(context)


# ---- agreeing ----------------------------------------------------------------------------


async def see_terms(update: Update, context: Context) -> int:
    """Back to what is agreed to."""
    return await terms(context)


async def terms(context: Context, problem: Html | None = None) -> int:
    """What is agreed to, before it is."""
    found = await _whole(context)
    if found is None:
        return END
    sim, chosen, wanted, ways, saved = found
    late = context.shop.agreeing.late(chosen)
    await context.show(
        views.terms(context.t, sim, chosen, ways, wanted, saved, late=late, problem=problem)
    )
    return END


async def accept(update: Update, context: Context) -> int:
    """Yes: stored; one that begins with a payment goes on to it."""
    found = await _whole(context)
    if found is None:
        return END
    sim, _, wanted, ways, _ = found
    try:
        agreement = await context.shop.agreeing.accept(context.me.id, wanted)
    except Refused as why:
        return await terms(context, views.problem(context.t, why.reason, ways.price))
    context.draft.pop(_KEY, None)
    if agreement.state is AgreementState.WAITING:
        return await _begin(context, agreement, sim)
    return await show(context, sim, views.accepted(context.t))


async def begin(update: Update, context: Context) -> int:
    """The first payment, once more."""
    both = await agreement_of(context)
    if both is None:
        return END
    agreement, sim = both
    if agreement.state is not AgreementState.WAITING:
        return await show(context, sim)
    return await _begin(context, agreement, sim)


async def _begin(context: Context, agreement: Agreement, sim: Sim) -> int:
    """The payment with which it begins: its order is known before anything can be paid."""
    shop = context.shop
    async with shop.store.read() as tx:
        chosen = await tx.catalogue.get(agreement.plan_code)
    if chosen is None:
        return await plans_of(context, sim.id, context.t.plain(REASONS["plan_inactive"]))
    try:
        quote = await shop.checkout.quote(
            context.me.id, sim, chosen, agreement.amount, context.update_id
        )
        order = await shop.checkout.place(quote.id, context.me.id, context.message_id)
    except Refused as why:
        await refused(context, why)
        return END
    await shop.agreeing.begins_with(agreement.id, order.id)
    await show_bill(context, order, agreement.method, keep=True)
    return END


# ---- the draft ---------------------------------------------------------------------------


def _amount(draft: dict[str, Any], chosen: Plan) -> Money | None:
    minor = draft.get("amount")
    return Money(int(minor), chosen.currency) if minor is not None else None


async def _drafted(context: Context) -> tuple[Sim, Plan, dict[str, Any]] | None:
    """What was chosen so far; otherwise the person is shown where things stand."""
    draft: dict[str, Any] = context.draft.get(_KEY) or {}
    sim = await context.shop.sims.get(str(draft.get("sim", "")), context.me.id)
    async with context.shop.store.read() as tx:
        chosen = await tx.catalogue.get(str(draft.get("plan", "")))
    if sim is None:
        await refused(context, Refused("unknown"))
        return None
    if chosen is None or not renewable(chosen):
        await plans(context, sim)
        return None
    return sim, chosen, draft


async def _whole(context: Context) -> tuple[Sim, Plan, Wanted, Ways, Saved | None] | None:
    """All that was chosen."""
    found = await _drafted(context)
    if found is None:
        return None
    sim, chosen, draft = found
    if "method" not in draft or "cap" not in draft:
        await _ways(context, sim, chosen, _amount(draft, chosen))
        return None
    amount = _amount(draft, chosen)
    ways = await context.shop.agreeing.ways(context.me.id, chosen, amount)
    wanted = Wanted(
        sim_id=sim.id,
        plan_code=chosen.code,
        method=Method(draft["method"]),
        cap=Money(int(draft["cap"]), chosen.currency),
        amount=amount,
        saved_id=draft.get("saved"),
        every=draft.get("every"),
    )
    if wanted.method is Method.STARS:
        wanted = replace(wanted, every=None)
    saved = next((one for one in ways.saved if one.id == wanted.saved_id), None)
    return sim, chosen, wanted, ways, saved


ENTRY = [
    on("auto_new", new, ID),
    on("auto_plan", plan, ID + PLAN + NUMBER),
    on("auto_by", by, f":(?:wallet|stars|card)({ID})?"),
    on("auto_limit", limit),
    on("auto_cap", cap, NUMBER),
    on("auto_cycle", cycle),
    on("auto_every", cycle, NUMBER),
    on("auto_terms", see_terms),
    on("auto_yes", accept),
    on("auto_begin", begin, ID),
]
STATES = {
    Auto.AMOUNT: [written(amount_written)],
    Auto.CAP: [written(cap_written)],
}
