"""Writing to the shop, and the shop's answer.

Support ─► MESSAGE ─┬► passed on to the operators
                    ├► a SIM's number alone: for the shop, or to be added (add_sim.py)?
                    └► a picture: passed on; more may follow
Ask for a new eSIM (one that takes no more top-ups) ─► passed on to the operators
(operator) Answer ─► REPLY ─► sent to the customer
"""

from enum import IntEnum

from telegram import Document, PhotoSize, Update

from bot.chat.context import Context
from bot.chat.conversations import add_sim
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
_CAPTION = 900
"""The same for the words below a picture, of which Telegram takes 1024."""


class Support(IntEnum):
    """What a written text means."""

    MESSAGE = 10
    REPLY = 11


async def support(update: Update, context: Context) -> int:
    """How to reach the shop."""
    await context.show(pages.support(context.t, context.shop.merchant))
    return Support.MESSAGE


async def message(update: Update, context: Context) -> int:
    """Pass a question on to the operators; of a SIM's number alone ask what it was meant for."""
    text = context.text
    if add_sim.names_one(text):
        context.draft["meant"] = {"token": context.update_id, "text": text}
        await context.show(pages.letter_or_sim(context.t, text, context.update_id))
        return Support.MESSAGE
    await _to_shop(context, text, context.update_id)
    await context.send(pages.passed_on(context.t))
    return END


async def meant(update: Update, context: Context) -> int:
    """The number alone was for the shop."""
    text = _meant(context)
    if text is None:
        return await support(update, context)
    await _to_shop(context, text, int(context.arguments[0]))
    await context.show(pages.passed_on(context.t))
    return END


async def meant_sim(update: Update, context: Context) -> int:
    """It was a SIM to be added."""
    text = _meant(context)
    return await support(update, context) if text is None else await add_sim.begin(context, text)


def _meant(context: Context) -> str | None:
    """What was written, if the tapped button asks about that."""
    noted = context.draft.get("meant") or {}
    return noted["text"] if str(noted.get("token")) == context.arguments[0] else None


async def _to_shop(context: Context, text: str, token: int) -> None:
    async with context.shop.store.write() as tx:
        for operator in _readers(context, answering=False):
            await _send(context, tx, operator, text, token, answer=False)
    context.shop.ring()


async def picture(context: Context) -> int:
    """A picture instead of words, or with them: it goes the same way. An album is several."""
    answering = context.asked == Support.REPLY
    people = _readers(context, answering=answering)
    if not people:
        await context.show(menu.lost(context.t))
        return END
    message, stay = context.message, Support.REPLY if answering else Support.MESSAGE
    sent: PhotoSize | Document | None = None
    if message is not None:
        sent = message.photo[-1] if message.photo else message.document
    if message is None or sent is None or message.animation is not None:
        await context.show(pages.only_words_and_pictures(context.t))
        return stay
    data = {
        "photo" if message.photo else "file": sent.file_id,
        "text": (message.caption or "")[:_CAPTION],
        "from": context.me.id,
        "answer": answering,
    }
    async with context.shop.store.write() as tx:
        for to in people:
            await tx.outbox.add(_letter(to, f"{context.update_id}:{to}", data))
            if answering:
                await tx.audit.add(_answered(context, to))
    context.shop.ring()
    album = message.media_group_id
    if album is None or context.draft.get("album") != album:
        context.draft["album"] = album
        await context.send(pages.picture_passed_on(context.t))
    return stay


def _readers(context: Context, *, answering: bool) -> list[int]:
    """Whom a letter goes to: the shop, or the customer whom an operator answers."""
    if not answering:
        return sorted(context.shop.operators)
    customer: int | None = context.draft.get("letter")
    return [] if customer is None or context.me.id not in context.shop.operators else [customer]


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
        await _send(context, tx, customer, context.text, context.update_id, answer=True)
        await tx.audit.add(_answered(context, customer))
    context.shop.ring()
    rows = [[button(context.t.plain("‹ Queue"), "queue")]]
    await context.send(Screen(lines(context.t("Your answer is on its way.")), rows))
    return END


def _answered(context: Context, customer: int) -> AuditRow:
    actor = f"operator:{context.me.id}"
    return AuditRow(context.now, actor, "answered", f"chat:{customer}", {})


async def _send(context: Context, tx: Tx, to: int, text: str, token: int, *, answer: bool) -> None:
    """Put what was written into somebody's chat, a long letter in several messages, once for the
    update `token` that brought it."""
    for number, start in enumerate(range(0, len(text), _PAGE)):
        page = {"from": context.me.id, "text": text[start : start + _PAGE], "answer": answer}
        await tx.outbox.add(_letter(to, f"{token}:{to}:{number}", page))


def _letter(to: int, key: str, data: dict[str, object]) -> Notice:
    return Notice(
        kind=notices.LETTER,
        chat_id=to,
        dedupe_key=f"letter:{key}",
        priority=Priority.OPERATOR,
        data=data,
    )


ENTRY = [
    command("support", support),
    on("support", support),
    on("letter", meant, NUMBER),
    on("lettersim", meant_sim, NUMBER),
    on("replace", replacement, ID),
    on("answer", answer, NUMBER),
]
STATES = {
    Support.MESSAGE: [written(message, anything=True)],
    Support.REPLY: [written(reply, anything=True)],
}
