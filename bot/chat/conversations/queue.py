"""The operators' queue: what waits for a person, and the buttons that settle it (F51).

    /queue ──► list ──► one matter ──► decision ──► (about money: asked once more) ──► list
                                 ├──► refund a part: AMOUNT ──► asked once more ──► list
                                 └──► decline a refund: WORDS ──► told to the customer

Every decision carries its update's id, so that a replay finds it made.
"""

from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.renew import amount_of
from bot.chat.conversations.routes import END, NUMBER, command, on, written
from bot.chat.views import menu
from bot.chat.views import queue as views
from bot.chat.views import requests as request_views
from bot.chat.views.reasons import because
from bot.domain.money import Money
from bot.i18n import Html
from bot.services.desk import NotOperator
from bot.services.requesting import rest
from bot.services.selling import Refused
from bot.services.waiting import Action, QueueItem

_SUBJECT = r":(?:order|payment|refund|request|claim|proof|difference|activation):[a-z0-9-]{1,40}"
_ACTION = ":(?:" + "|".join(Action) + ")"


class Deciding(IntEnum):
    """What a written text means."""

    AMOUNT = 121
    WORDS = 122


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
    one = await _waiting(context, subject) if subject.startswith("request:") else None
    if one is not None and action in (Action.PART, Action.DECLINE):
        context.draft["deciding"] = subject
        if action is Action.DECLINE:
            await context.show(request_views.ask_words(context.t, one))
            return Deciding.WORDS
        await _ask_part(context, one)
        return Deciding.AMOUNT
    if action in views.CONFIRMED:
        await _show(context, subject, asked=action)
    else:
        await _settle(context, action, subject)
    return END


async def confirmed(update: Update, context: Context) -> int:
    """The second tap of a decision about money."""
    await _settle(context, Action(context.arguments[0]), ":".join(context.arguments[1:]))
    return END


async def _waiting(context: Context, subject: str) -> QueueItem | None:
    """A matter that still waits, for an operator's eyes."""
    if context.me.id not in context.shop.operators:
        return None
    return await context.shop.desk.item(subject)


async def _ask_part(context: Context, one: QueueItem, problem: Html | None = None) -> None:
    most = rest(one.payment) if one.payment is not None else None
    if most is not None:
        await context.show(request_views.ask_part(context.t, one, most, problem))


async def amount_written(update: Update, context: Context) -> int:
    """How much goes back was written."""
    one = await _waiting(context, str(context.draft.get("deciding", "")))
    if one is None or one.payment is None:
        return await queue(update, context)
    most = rest(one.payment)
    amount = amount_of(context.text, most.currency)
    if amount is None or not 0 < amount.minor < most.minor:
        await _ask_part(context, one, because(context.t, "too_much"))
        return Deciding.AMOUNT
    await context.show(request_views.confirm_part(context.t, one, amount))
    return END


async def part_confirmed(update: Update, context: Context) -> int:
    """The amount was confirmed; whether there is still so much is looked at once more."""
    minor, subject = int(context.arguments[0]), ":".join(context.arguments[1:])
    one = await _waiting(context, subject)
    currency = rest(one.payment).currency if one is not None and one.payment is not None else None
    amount = Money(minor, currency) if currency is not None else None
    await _settle(context, Action.PART, subject, amount)
    return END


async def words_written(update: Update, context: Context) -> int:
    """Why a refund is declined."""
    subject = str(context.draft.pop("deciding", ""))
    try:
        done = await context.shop.desk.act(
            subject, Action.DECLINE, context.me.id, context.update_id, words=context.text
        )
    except (NotOperator, Refused):
        return await queue(update, context)
    await context.show(request_views.decided(context.t, done))
    return END


async def _settle(
    context: Context, action: Action, subject: str, amount: Money | None = None
) -> None:
    try:
        done = await context.shop.desk.act(
            subject, action, context.me.id, context.update_id, amount=amount
        )
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
    on("qpart!", part_confirmed, NUMBER + _SUBJECT),
]
STATES = {
    Deciding.AMOUNT: [written(amount_written)],
    Deciding.WORDS: [written(words_written, anything=True)],
}
