"""The button under "still waiting for its activation"."""

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.my_sims import mine
from bot.chat.conversations.routes import END, ID, on
from bot.chat.views import activation as views


async def later(update: Update, context: Context) -> int:
    """The customer will switch it on another day."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.shop.activations.later(sim.id, context.me.id)
        await context.show(views.later(context.t, sim))
    return END


ENTRY = [on("actlater", later, ID)]
