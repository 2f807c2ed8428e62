"""Writing to the shop, and the shop's answer.

Support ─► MESSAGE ─► passed on to the operators
Ask for a new eSIM (one that takes no more top-ups) ─► passed on to the operators
(operator) Answer ─► REPLY ─► sent to the customer
"""

from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, NUMBER, command, on, written
from bot.chat.screen import Screen, button, lines
from bot.chat.views import help as pages
from bot.chat.views import menu
from bot.chat.views.reasons import REASONS
from bot.chat.views.sims import title
from bot.ports import AuditRow, Notice, Priority, Tx
from bot.services import notices

_PAGE = 2000
"""Characters of a letter in one message: with a head above them, and each of them taking two of
Telegram's 4096, they always fit."""


class Support(IntEnum):
    """What a written text means."""

    MESSAGE = 10
    REPLY = 11


async def support(update: Update, context: Context) -> int:
    """How to reach the shop."""
    await context.show(pages.support(context.t, context.shop.merchant))
    return Support.MESSAGE


async def message(update: Update, context: Context) -> int:
    """Pass a question on to every operator."""
    async with context.shop.store.write() as tx:
        for operator in sorted(context.shop.operators):
            await _send(context, tx, operator, answer=False)
    context.shop.ring()
    await context.send(pages.passed_on(context.t))
    return END


async def replacement(update: Update, context: Context) -> int:
    """An eSIM that takes no more top-ups: the shop is asked for a new one, once a tap."""
    sim = await context.shop.sims.get(context.arguments[0], context.me.id)
    if sim is None:
        await context.toast(context.t.plain(REASONS["not_yours_sim"]), alert=True)
        return END
    asked = context.t.plain("I need a new eSIM in place of {title}.", title=title(context.t, sim))
    async with context.shop.store.write() as tx:
        for operator in sorted(context.shop.operators):
            await tx.outbox.add(
                Notice(
                    kind=notices.LETTER,
                    chat_id=operator,
                    dedupe_key=f"replace:{sim.id}:{context.now:%Y-%m-%d}:{operator}",
                    priority=Priority.OPERATOR,
                    data={"from": context.me.id, "text": asked, "answer": False},
                )
            )
    context.shop.ring()
    await context.show(pages.passed_on(context.t))
    return END


async def answer(update: Update, context: Context) -> int:
    """An operator wants to answer a customer."""
    if context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return END
    context.draft["letter"] = int(context.arguments[0])
    await context.toast()
    await context.send(
        Screen(
            context.t("Write your answer in one message; I pass it on."),
            [[button(context.t.plain("‹ Menu"), "menu")]],
        )
    )
    return Support.REPLY


async def reply(update: Update, context: Context) -> int:
    """Send an operator's answer to the customer."""
    customer = context.draft.pop("letter", None)
    if customer is None or context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return END
    async with context.shop.store.write() as tx:
        await _send(context, tx, customer, answer=True)
        await tx.audit.add(
            AuditRow(context.now, f"operator:{context.me.id}", "answered", f"chat:{customer}", {})
        )
    context.shop.ring()
    rows = [[button(context.t.plain("‹ Queue"), "queue")]]
    await context.send(Screen(lines(context.t("Your answer is on its way.")), rows))
    return END


async def _send(context: Context, tx: Tx, to: int, *, answer: bool) -> None:
    """Put what was written into somebody's chat, a long letter in several messages."""
    text = context.text
    for number, start in enumerate(range(0, len(text), _PAGE)):
        page = {"from": context.me.id, "text": text[start : start + _PAGE], "answer": answer}
        await tx.outbox.add(
            Notice(
                kind=notices.LETTER,
                chat_id=to,
                dedupe_key=f"letter:{context.update_id}:{to}:{number}",
                priority=Priority.OPERATOR,
                data=page,
            )
        )


ENTRY = [
    command("support", support),
    on("support", support),
    on("replace", replacement, ID),
    on("answer", answer, NUMBER),
]
STATES = {
    Support.MESSAGE: [written(message, anything=True)],
    Support.REPLY: [written(reply, anything=True)],
}
