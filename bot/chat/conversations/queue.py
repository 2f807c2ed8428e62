"""The operators' queue: what waits for a person, and the buttons that settle it (F51).

    /queue ──► list ──► one matter ──► decision ──► (about money: asked once more) ──► list

Every decision carries its update's id, so that a replay finds it made.
"""

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, command, on
from bot.chat.views import menu
from bot.chat.views import queue as views
from bot.chat.views.reasons import because
from bot.services.desk import NotOperator
from bot.services.selling import Refused
from bot.services.waiting import Action

_SUBJECT = r":(?:order|payment|claim|activation):[a-z0-9-]{1,40}"
_ACTION = ":(?:" + "|".join(Action) + ")"


async def queue(update: Update, context: Context) -> int:
    """Everything that waits; anybody but an operator gets the ordinary menu."""
    if context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return END
    items = await context.shop.desk.queue()
    await context.show(views.queue(context.t, items, context.now))
    return END


async def item(update: Update, context: Context) -> int:
    """One matter."""
    await _show(context, ":".join(context.arguments))
    return END


async def _show(context: Context, subject: str, asked: Action | None = None) -> None:
    if context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return
    one = await context.shop.desk.item(subject)
    if one is None:
        await context.toast(context.t.plain("This has been settled."), alert=False)
        items = await context.shop.desk.queue()
        await context.show(views.queue(context.t, items, context.now))
        return
    await context.show(views.item(context.t, one, context.now, asked))


async def decide(update: Update, context: Context) -> int:
    """A decision; one about money is asked about first."""
    action, subject = Action(context.arguments[0]), ":".join(context.arguments[1:])
    if action in views.CONFIRMED:
        await _show(context, subject, asked=action)
    else:
        await _settle(context, action, subject)
    return END


async def confirmed(update: Update, context: Context) -> int:
    """The second tap of a decision about money."""
    await _settle(context, Action(context.arguments[0]), ":".join(context.arguments[1:]))
    return END


async def _settle(context: Context, action: Action, subject: str) -> None:
    try:
        done = await context.shop.desk.act(subject, action, context.me.id, context.update_id)
    except NotOperator:
        await context.show(menu.lost(context.t))
        return
    except Refused as refused:
        await context.toast(str(because(context.t, refused.reason)), alert=True)
    else:
        await context.toast(views.settled(context.t, done, context.now))
    items = await context.shop.desk.queue()
    await context.show(views.queue(context.t, items, context.now))


ENTRY = [
    command("queue", queue),
    on("queue", queue),
    on("qitem", item, _SUBJECT),
    on("qact", decide, _ACTION + _SUBJECT),
    on("qact!", confirmed, _ACTION + _SUBJECT),
]
