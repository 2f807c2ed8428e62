"""Handing a SIM over to another person.

    card ─► More ─► Hand over ─► what happens ─► code and a message to forward ─► (withdraw)
    the other person sends the code ─► the owner is asked: Confirm ─► theirs
                                                           Refuse  ─► stays

Nothing here asks for text: the code is read wherever a SIM's number would be (add_sim.py).
"""

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.my_sims import mine, not_yours, show_card, show_overview
from bot.chat.conversations.routes import END, ID, on
from bot.chat.views import add_sim as add_views
from bot.chat.views import handover as views
from bot.domain.handover import HandoverState
from bot.domain.sims import Sim
from bot.services.ownership import SimRefused


async def begin(update: Update, context: Context) -> int:
    """What will happen; or the question that waits for the owner's word."""
    sim = await mine(context, context.arguments[0])
    if sim is not None and not await _asked_already(context, sim):
        await context.show(views.explain(context.t, sim))
    return END


async def _asked_already(context: Context, sim: Sim) -> bool:
    """Somebody has sent the code meanwhile: that comes first."""
    one = await context.shop.handovers.waiting(sim)
    if one is None or one.to_chat is None:
        return False
    async with context.shop.store.read() as tx:
        asker = await tx.chats.get(one.to_chat)
    if asker is None:
        return False
    await context.show(views.ask_owner(context.t, one, sim, asker, context.now))
    return True


async def make(update: Update, context: Context) -> int:
    """A code, in a message of its own that can be forwarded."""
    sim = await mine(context, context.arguments[0])
    if sim is None or await _asked_already(context, sim):
        return END
    try:
        code, offered = await context.shop.handovers.offer(sim, context.update_id)
    except SimRefused as refused:
        await _not_now(context, refused, sim)
        return END
    await context.show(views.offered(context.t, sim, offered, context.now))
    await context.send(views.forwarded(context.t, sim, context.bot.username, code))
    return END


async def _not_now(context: Context, refused: SimRefused, sim: Sim) -> None:
    if refused.reason == "running":
        await context.show(views.running(context.t, sim))
    else:
        await not_yours(context)


async def withdraw(update: Update, context: Context) -> int:
    """The code that is out is void."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    try:
        await context.shop.handovers.withdraw(sim)
    except SimRefused:
        await not_yours(context)
        return END
    await show_card(context, sim, views.withdrawn(context.t))
    return END


async def confirm(update: Update, context: Context) -> int:
    """The owner's "yes"."""
    handover_id = context.arguments[0]
    try:
        done = await context.shop.handovers.confirm(context.me.id, handover_id)
    except SimRefused as refused:
        await _not_confirmed(context, handover_id, refused)
        return END
    async with context.shop.store.read() as tx:
        sim = await tx.sims.get(done.sim_id)
    await show_overview(context, views.confirmed(context.t, sim) if sim else None)
    return END


async def _not_confirmed(context: Context, handover_id: str, refused: SimRefused) -> None:
    async with context.shop.store.read() as tx:
        one = await tx.handovers.get(handover_id)
    sim = await context.shop.sims.get(one.sim_id, context.me.id) if one else None
    if sim is not None and refused.reason == "running":
        await context.show(views.running(context.t, sim))
        return
    await _over(context)


async def _over(context: Context) -> None:
    await context.toast(context.t.plain("This has been settled."), alert=True)
    await show_overview(context)


async def refuse(update: Update, context: Context) -> int:
    """The owner's "no"."""
    try:
        one = await context.shop.handovers.refuse(context.me.id, context.arguments[0])
    except SimRefused:
        await _over(context)
        return END
    sim = await mine(context, one.sim_id)
    if sim is not None:
        await show_card(context, sim, views.refused(context.t, sim))
    return END


async def take(context: Context, code: str) -> int:
    """Somebody sent a hand-over code."""
    try:
        one = await context.shop.handovers.take(context.me.id, code)
    except SimRefused as refused:
        why = (
            add_views.code_refused(context.t, refused.reason, refused.until, context.now)
            if refused.reason == "locked"
            else views.why_not(context.t, refused.reason)
        )
        await context.show(views.not_taken(context.t, why))
        return END
    if one.state is HandoverState.DONE and one.new_sim_id is not None:
        sim = await mine(context, one.new_sim_id)
        if sim is not None:
            await show_card(context, sim)
        return END
    await context.show(views.asked(context.t, one, context.now))
    return END


ENTRY = [
    on("hand", begin, ID),
    on("handgo", make, ID),
    on("handno", withdraw, ID),
    on("handyes", confirm, ID),
    on("handref", refuse, ID),
]
