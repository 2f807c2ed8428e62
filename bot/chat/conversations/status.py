"""How everything runs, for operators (F51).

/status ──► one screen ──► look again, or the queue
"""

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, command, on
from bot.chat.views import menu
from bot.chat.views import status as views


async def status(update: Update, context: Context) -> int:
    """The picture of this moment; anybody but an operator gets the ordinary menu."""
    if context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return END
    await context.show(views.status(context.t, await context.shop.status.now()))
    return END


ENTRY = [command("status", status), on("status", status)]
