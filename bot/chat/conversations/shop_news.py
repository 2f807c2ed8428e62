"""What a customer does with news from the shop.

    🔄 Renew ─► the one SIM that fits, else which SIM
    🔕 No more news ─► turned off, and how to turn it on again

The news stays in the chat as it came: what follows is a message of its own.
"""

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, on
from bot.chat.screen import Screen
from bot.chat.views import choose
from bot.chat.views import plans as plan_views
from bot.chat.views import shop_news as views
from bot.domain.broadcasts import Segment, has
from bot.domain.sims import Sim, urgency


async def renew(update: Update, context: Context) -> int:
    """To the plans; the news may have been about one SIM."""
    one = await context.shop.broadcasts.clicked(context.arguments[0], context.me.id)
    await context.toast()
    sims = await context.shop.sims.overview(context.me.id)
    await context.send(await _next(context, sims, one.segment if one is not None else Segment()))
    return END


async def _next(context: Context, sims: list[Sim], segment: Segment) -> Screen:
    now = context.now
    fitting = [sim for sim in sims if has(segment, sim, now)] or sims
    if len(fitting) != 1:
        return choose.sim(context.t, sorted(fitting, key=lambda sim: urgency(sim, now)), now)
    offers = await context.shop.checkout.offers(fitting[0])
    return plan_views.plans(context.t, fitting[0], offers, now)


async def no_more(update: Update, context: Context) -> int:
    """No news from now on, by whichever message that was said."""
    await context.shop.broadcasts.wants(
        context.me.id, news=False, recipient_id=context.arguments[0]
    )
    await context.toast()
    await context.send(views.no_more(context.t))
    return END


ENTRY = [
    on("newsgo", renew, ID),
    on("newsoff", no_more, ID),
]
