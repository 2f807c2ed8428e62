"""A broadcast while it is written: whom it is for, its texts, its picture. Operators only.

    draft ─┬► whom ─► language, carrier, expiry, spent (SPENT), inactive, from a group
           ├► a text for each language: TEXT
           ├► picture: PICTURE (it comes through pictures.py)
           └► button on, off

Every change is stored at once; a button sets what it says, so that a second tap changes nothing.
"""

import re
from collections.abc import Callable, Coroutine
from decimal import Decimal
from enum import IntEnum
from typing import Any

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.renew import amount_of
from bot.chat.conversations.routes import END, ID, on, written
from bot.chat.views import audience as views
from bot.chat.views import broadcasts, menu
from bot.domain.broadcasts import Broadcast, BroadcastState, Segment, longest
from bot.domain.groups import Group
from bot.domain.money import Money
from bot.i18n import Html
from bot.services.broadcasts import length
from bot.services.selling import Refused

_KIND = ":(?:lang|car|ends|paid|idle|grp)"
_LANGUAGE = ":(?:zh_Hans|zh_Hant|en)"
_CODE = re.compile(r"\b[A-Za-z]{3}\b")
_EXAMPLE = Decimal(20)

Step = Callable[[Update, Context], Coroutine[Any, Any, int]]


class Writing(IntEnum):
    """What is written or sent means."""

    TEXT = 150
    PICTURE = 151
    SPENT = 152


def _ours(step: Step) -> Step:
    """For operators, on a draft; else what there is instead."""

    async def checked(update: Update, context: Context) -> int:
        if context.me.id not in context.shop.operators:
            await context.show(menu.lost(context.t))
            return END
        try:
            return await step(update, context)
        except Refused as refused:
            why = broadcasts.WHY.get(refused.reason, broadcasts.WHY["moved"])
            await context.toast(context.t.plain(why), alert=True)
            async with context.shop.store.read() as tx:
                found = await tx.broadcasts.latest(broadcasts.LISTED)
            await context.show(broadcasts.listed(context.t, found, context.now))
            return END

    return checked


async def show(context: Context, one: Broadcast, note: Html | None = None) -> None:
    """The draft."""
    count, group = await _facts(context, one.segment)
    await context.show(views.hub(context.t, one, count, group, note))


async def _facts(context: Context, segment: Segment) -> tuple[int, Group | None]:
    counts = await context.shop.broadcasts.audience(segment)
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(segment.group_id) if segment.group_id else None
    return sum(counts.values()), group


async def _draft(context: Context, broadcast_id: str | None = None) -> Broadcast:
    async with context.shop.store.read() as tx:
        one = await tx.broadcasts.get(broadcast_id or context.arguments[0])
    if one is None or one.state is not BroadcastState.DRAFT:
        raise Refused("moved" if one is not None else "unknown")
    return one


# ---- whom ----------------------------------------------------------------------------------


@_ours
async def whom(update: Update, context: Context) -> int:
    """Whom it is for."""
    await _whom(context, await _draft(context))
    return END


async def _whom(context: Context, one: Broadcast) -> None:
    count, group = await _facts(context, one.segment)
    await context.show(views.segment(context.t, one, count, group))


@_ours
async def everybody(update: Update, context: Context) -> int:
    """Nothing narrows it."""
    one = await context.shop.broadcasts.change(
        context.me.id, context.arguments[0], segment=Segment()
    )
    await _whom(context, one)
    return END


@_ours
async def ask(update: Update, context: Context) -> int:
    """One thing that can narrow it."""
    one = await _draft(context)
    await _ask(context, one, context.arguments[1])
    return END


async def _ask(context: Context, one: Broadcast, kind: str) -> None:
    carriers = await context.shop.broadcasts.carriers() if kind == "car" else []
    async with context.shop.store.read() as tx:
        groups = await tx.groups.all() if kind == "grp" else []
    await context.show(views.ask(context.t, one, kind, carriers, groups))


@_ours
async def set_one(update: Update, context: Context) -> int:
    """A choice was tapped; of carriers several may hold."""
    one = await _draft(context)
    _, kind, value = context.arguments
    changes = await _changes(context, one.segment, kind, value)
    if changes is None:
        raise Refused("moved")
    one = await context.shop.broadcasts.narrow(context.me.id, one.id, **changes)
    if kind == "car":
        await _ask(context, one, kind)
    else:
        await _whom(context, one)
    return END


async def _changes(
    context: Context, now: Segment, kind: str, value: str
) -> dict[str, object] | None:
    """What a choice makes of the segment; None for one that there is no more."""
    match kind:
        case "lang" if value in views.SPEAKERS:
            return {"languages": views.SPEAKERS[value]}
        case "ends" if value in views.ENDS:
            return {"ends": views.ENDS[value]}
        case "paid" if value in views.BOUGHT:
            return {"bought": views.BOUGHT[value], "spent_least": None, "spent_most": None}
        case "idle" if value == "all" or (value.isdecimal() and int(value) in views.IDLE):
            return {"idle_days": None if value == "all" else int(value)}
        case "grp":
            async with context.shop.store.read() as tx:
                known = value == "all" or await tx.groups.get(value) is not None
            return {"group_id": None if value == "all" else value} if known else None
        case "car":
            return await _ticked(context, now, value)
    return None


async def _ticked(context: Context, now: Segment, value: str) -> dict[str, object] | None:
    if value == "all":
        return {"carriers": ()}
    for name in await context.shop.broadcasts.carriers():
        if views.carrier_key(name) == value:
            others = tuple(one for one in now.carriers if one != name)
            return {"carriers": others if name in now.carriers else (*others, name)}
    return None


@_ours
async def ask_spent(update: Update, context: Context) -> int:
    """An amount, at least or at most."""
    one, which = await _draft(context), context.arguments[1]
    context.draft["broadcast_spent"] = {"id": one.id, "which": which}
    example = Money.of(_EXAMPLE, (await _currencies(context))[0])
    await context.show(views.ask_spent(context.t, one, which, example, problem=False))
    return Writing.SPENT


async def _currencies(context: Context) -> list[str]:
    """Those that the shop sells in, the most common first."""
    async with context.shop.store.read() as tx:
        sold = [plan.currency for plan in await tx.catalogue.all()]
    return sorted(dict.fromkeys(sold), key=sold.count, reverse=True) or ["USD"]


@_ours
async def spent_written(update: Update, context: Context) -> int:
    """An amount was written, with its currency or in the shop's own."""
    noted = context.draft.get("broadcast_spent") or {}
    one, which = await _draft(context, str(noted.get("id", ""))), str(noted.get("which", "least"))
    known = await _currencies(context)
    code = _CODE.search(context.text)
    currency = code[0].upper() if code is not None else known[0]
    amount = amount_of(context.text, currency) if currency in known else None
    if amount is None:
        example = Money.of(_EXAMPLE, known[0])
        await context.show(views.ask_spent(context.t, one, which, example, problem=True))
        return Writing.SPENT
    changes: dict[str, object] = {f"spent_{which}": amount, "bought": None}
    await _whom(context, await context.shop.broadcasts.narrow(context.me.id, one.id, **changes))
    return END


# ---- texts and picture ---------------------------------------------------------------------


@_ours
async def ask_text(update: Update, context: Context) -> int:
    """The text in one language."""
    one, language = await _draft(context), context.arguments[1]
    context.draft["broadcast_text"] = {"id": one.id, "language": language}
    await context.show(views.ask_text(context.t, one, language))
    return Writing.TEXT


@_ours
async def text_written(update: Update, context: Context) -> int:
    """It was written, with whatever form Telegram gives it."""
    noted = context.draft.get("broadcast_text") or {}
    one = await _draft(context, str(noted.get("id", "")))
    language = str(noted.get("language", ""))
    text = context.message.text_html.strip() if context.message is not None else ""
    if length(text) > longest(one):
        problem = views.text_too_long(context.t, one, length(text))
        await context.show(views.ask_text(context.t, one, language, problem))
        return Writing.TEXT
    await show(context, await context.shop.broadcasts.say(context.me.id, one.id, language, text))
    return END


@_ours
async def no_text(update: Update, context: Context) -> int:
    """Readers of this language get another one."""
    one, language = await _draft(context), context.arguments[1]
    await show(context, await context.shop.broadcasts.say(context.me.id, one.id, language, None))
    return END


@_ours
async def ask_picture(update: Update, context: Context) -> int:
    """A picture above the text."""
    one = await _draft(context)
    context.draft["broadcast_picture"] = one.id
    await context.show(views.ask_picture(context.t, one))
    return Writing.PICTURE


@_ours
async def picture(update: Update, context: Context) -> int:
    """Something was sent while a picture was asked for; `pictures` passes it on."""
    one = await _draft(context, str(context.draft.get("broadcast_picture", "")))
    message = context.message
    if message is None or not message.photo:
        await context.show(views.ask_picture(context.t, one, views.no_photo(context.t)))
        return Writing.PICTURE
    sent = message.photo[-1].file_id
    await show(context, await context.shop.broadcasts.change(context.me.id, one.id, photo=sent))
    return END


@_ours
async def picture_awaited(update: Update, context: Context) -> int:
    """Words came instead of a picture."""
    one = await _draft(context, str(context.draft.get("broadcast_picture", "")))
    await context.show(views.ask_picture(context.t, one, views.no_photo(context.t)))
    return Writing.PICTURE


@_ours
async def no_picture(update: Update, context: Context) -> int:
    """Without a picture."""
    desk = context.shop.broadcasts
    await show(context, await desk.change(context.me.id, context.arguments[0], photo=None))
    return END


@_ours
async def button(update: Update, context: Context) -> int:
    """With the button that leads to renewing, or without."""
    broadcast_id, renew = context.arguments
    desk = context.shop.broadcasts
    await show(context, await desk.change(context.me.id, broadcast_id, renew=renew == "1"))
    return END


ENTRY = [
    on("bcwhom", whom, ID),
    on("bcall", everybody, ID),
    on("bcask", ask, ID + _KIND),
    on("bcset", set_one, ID + _KIND + r":\w{1,32}"),
    on("bcspent", ask_spent, ID + ":(?:least|most)"),
    on("bctext", ask_text, ID + _LANGUAGE),
    on("bctextno", no_text, ID + _LANGUAGE),
    on("bcpic", ask_picture, ID),
    on("bcpicno", no_picture, ID),
    on("bcbtn", button, ID + ":[01]"),
]
STATES = {
    Writing.TEXT: [written(text_written, anything=True)],
    Writing.PICTURE: [written(picture_awaited, anything=True)],
    Writing.SPENT: [written(spent_written)],
}
