"""News to many (F46): the list, the last steps before sending, and steering. Operators only.

    /broadcast ─► list ─┬► write news ─► the draft (audience.py) ─► preview
                        └► one: how far it is ─► pause, go on, stop (asked once more)
    preview ─┬► test to me
             ├► send now ─► sure? ─► how far it is, in one message that is edited
             └► at a time ─► WHEN ─► sure? ─► scheduled ─► change it, stop

A confirmation carries the draft's version: what was looked at is what is sent.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from telegram import Update
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.chat.context import Context
from bot.chat.conversations import audience as drafts
from bot.chat.conversations.routes import END, ID, NUMBER, command, on, written
from bot.chat.screen import Screen
from bot.chat.views import broadcasts as views
from bot.chat.views import menu, shop_news
from bot.domain.broadcasts import Broadcast, BroadcastState, Report, text_for
from bot.domain.days import parse_day
from bot.domain.identify import plain
from bot.domain.zones import at_local, local_date
from bot.i18n import Html, words
from bot.services.selling import Refused

log = structlog.get_logger()

_STAMP = r":2\d{11}"
_CLOCK = re.compile(r"(.*?)[\s,，]*\b([01]?\d|2[0-3])(?:[:：点點时時.]([0-5]\d)?)\s*")
_HOURS = (10, 19)

Step = Callable[[Update, Context], Coroutine[Any, Any, int]]


class Sending(IntEnum):
    """What a written text means."""

    WHEN = 153


def _ours(step: Step) -> Step:
    """For operators; anybody else gets the ordinary menu. What can't be done is explained."""

    async def checked(update: Update, context: Context) -> int:
        if context.me.id not in context.shop.operators:
            await context.show(menu.lost(context.t))
            return END
        try:
            return await step(update, context)
        except Refused as refused:
            why = views.WHY.get(refused.reason, views.WHY["moved"])
            await context.toast(context.t.plain(why), alert=True)
            one = await _get(context, context.arguments[0]) if context.arguments else None
            await (_show(context, one) if one is not None else _list(context))
            return END

    return checked


async def _get(context: Context, broadcast_id: str) -> Broadcast | None:
    async with context.shop.store.read() as tx:
        return await tx.broadcasts.get(broadcast_id)


async def _list(context: Context) -> None:
    async with context.shop.store.read() as tx:
        found = await tx.broadcasts.latest(views.LISTED)
    await context.show(views.listed(context.t, found, context.now))


async def _show(context: Context, one: Broadcast) -> None:
    """A draft to be written on, or how far one is."""
    if one.state is BroadcastState.DRAFT:
        await drafts.show(context, one)
        return
    async with context.shop.store.read() as tx:
        report = await tx.broadcasts.report(one.id)
    await context.show(views.card(context.t, one, report, context.now))


@_ours
async def listed(update: Update, context: Context) -> int:
    """The latest ones."""
    await _list(context)
    return END


@_ours
async def new(update: Update, context: Context) -> int:
    """A fresh draft."""
    await _show(context, await context.shop.broadcasts.draft(context.me.id, context.update_id))
    return END


@_ours
async def shown(update: Update, context: Context) -> int:
    """One of them."""
    one = await _get(context, context.arguments[0])
    if one is None:
        raise Refused("unknown")
    await _show(context, one)
    return END


# ---- before sending ------------------------------------------------------------------------


@_ours
async def preview(update: Update, context: Context) -> int:
    """The news as they will look, each text in a message of its own; below them who gets them."""
    one = await _draft(context)
    counts = await context.shop.broadcasts.audience(one.segment)
    if not one.texts:
        raise Refused("no_text")
    await context.toast()
    note = None
    for language in dict.fromkeys(_read(one, language) for language in counts or one.texts):
        screen = shop_news.message(one, words(language, context.me.preferences.zone))
        if screen is not None and not await _as_it_looks(context, screen, one.photo):
            note = views.picture_gone(context.t)
            break
    await context.send(views.check(context.t, one, counts, note))
    return END


def _read(one: Broadcast, language: str) -> str:
    found = text_for(one.texts, language)
    return found[0] if found is not None else language


async def _as_it_looks(context: Context, screen: Screen, photo: str | None) -> bool:
    if photo is None:
        await context.send(screen)
        return True
    try:
        await context.bot.send_photo(
            context.me.id,
            photo,
            caption=screen.text,
            parse_mode=ParseMode.HTML,
            reply_markup=screen.markup,
        )
    except BadRequest as error:
        log.info("picture_refused", detail=error.message)
        return False
    return True


async def _draft(context: Context, broadcast_id: str | None = None) -> Broadcast:
    one = await _get(context, broadcast_id or context.arguments[0])
    if one is None or one.state is not BroadcastState.DRAFT:
        raise Refused("moved" if one is not None else "unknown")
    return one


@_ours
async def test(update: Update, context: Context) -> int:
    """The real thing, to the one who writes it."""
    await context.shop.broadcasts.test(context.me.id, context.arguments[0], context.update_id)
    await context.toast(str(views.tested(context.t)))
    return END


@_ours
async def sure(update: Update, context: Context) -> int:
    """Now, or at a chosen time: asked once more."""
    broadcast_id, version, *at = context.arguments
    await _confirm(context, broadcast_id, int(version), _moment(at[0]) if at else None)
    return END


async def _confirm(context: Context, broadcast_id: str, version: int, at: datetime | None) -> None:
    one = await _draft(context, broadcast_id)
    if one.version != version:
        raise Refused("moved")
    counts = await context.shop.broadcasts.audience(one.segment)
    if not counts:
        raise Refused("nobody")
    screen = views.confirm(context.t, one, sum(counts.values()), at, context.now)
    await context.show(screen)


def _moment(stamp: str) -> datetime:
    """What a button carries; a day that is none is in the past."""
    try:
        return datetime.strptime(stamp, "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


@_ours
async def ask_when(update: Update, context: Context) -> int:
    """When to begin."""
    one = await _draft(context)
    context.draft["broadcast_when"] = {"id": one.id, "version": one.version}
    await context.show(views.ask_when(context.t, one, _offered(context), context.now))
    return Sending.WHEN


def _offered(context: Context) -> list[datetime]:
    """The next good hours of the operator's own day."""
    now, tz = context.now, context.t.zone
    today = local_date(now, tz)
    days = (today, today + timedelta(days=1), today + timedelta(days=2))
    found = [at_local(day, time(hour), tz) for day in days for hour in _HOURS]
    return [moment for moment in found if moment > now][:3]


@_ours
async def when_written(update: Update, context: Context) -> int:
    """A time was written."""
    noted = context.draft.get("broadcast_when") or {}
    one = await _draft(context, str(noted.get("id", "")))
    at = when_of(context.text, context.now, context.t.zone)
    if at is None:
        problem = views.when_problem(context.t)
        await _ask_again(context, one, problem)
        return Sending.WHEN
    if at <= context.now:
        await _ask_again(context, one, context.t(views.WHY["in_past"]))
        return Sending.WHEN
    await _confirm(context, one.id, int(noted.get("version", 0)), at)
    return END


async def _ask_again(context: Context, one: Broadcast, problem: Html) -> None:
    offered = _offered(context)
    await context.show(views.ask_when(context.t, one, offered, context.now, problem))


def when_of(text: str, now: datetime, tz: ZoneInfo) -> datetime | None:
    """The moment (UTC) that a text means by the wall clock of that zone: a time of day, the next
    such, or one after a day; None when it is none."""
    match = _CLOCK.fullmatch(plain(text).strip())
    if match is None:
        return None
    clock, today = time(int(match[2]), int(match[3] or 0)), local_date(now, tz)
    if not match[1].strip():
        moment = at_local(today, clock, tz)
        return moment if moment > now else at_local(today + timedelta(days=1), clock, tz)
    day = parse_day(match[1], today)
    return at_local(day, clock, tz) if isinstance(day, date) else None


@_ours
async def send(update: Update, context: Context) -> int:
    """It was confirmed. The message shows so first: what follows is edited into it by the sender,
    which must not be overwritten."""
    broadcast_id, version, *at = context.arguments
    moment, one = _moment(at[0]) if at else None, await _get(context, broadcast_id)
    fresh = one is not None and one.state is BroadcastState.DRAFT and one.version == int(version)
    if one is not None and fresh and (moment is None or moment > context.now):
        await context.show(await _as_begun(context, one, moment))
    begun = await context.shop.broadcasts.start(
        context.me.id, broadcast_id, int(version), moment, context.message_id
    )
    context.draft.pop("broadcast_when", None)
    if not fresh:
        await _show(context, begun)
    return END


async def _as_begun(context: Context, one: Broadcast, at: datetime | None) -> Screen:
    now = context.now
    if at is not None:
        begun = replace(one, state=BroadcastState.SCHEDULED, start_at=at)
    else:
        people = sum((await context.shop.broadcasts.audience(one.segment)).values())
        begun = replace(one, state=BroadcastState.RUNNING, started_at=now, people=people)
    return views.card(context.t, begun, Report(), now)


# ---- steering ------------------------------------------------------------------------------


@_ours
async def pause(update: Update, context: Context) -> int:
    """Hold it up."""
    desk = context.shop.broadcasts
    await _show(context, await desk.pause(context.me.id, context.arguments[0], context.message_id))
    return END


@_ours
async def resume(update: Update, context: Context) -> int:
    """Go on."""
    desk = context.shop.broadcasts
    await _show(context, await desk.resume(context.me.id, context.arguments[0], context.message_id))
    return END


@_ours
async def ask_stop(update: Update, context: Context) -> int:
    """Stop it for good?"""
    one = await _get(context, context.arguments[0])
    if one is None:
        raise Refused("unknown")
    async with context.shop.store.read() as tx:
        report = await tx.broadcasts.progress(one.id)
    await context.show(views.ask_stop(context.t, one, report))
    return END


@_ours
async def stop(update: Update, context: Context) -> int:
    """Stop it for good."""
    desk = context.shop.broadcasts
    await _show(context, await desk.stop(context.me.id, context.arguments[0], context.message_id))
    return END


@_ours
async def throw_away(update: Update, context: Context) -> int:
    """A draft that is not wanted."""
    one = await _draft(context)
    await context.shop.broadcasts.stop(context.me.id, one.id, None)
    await _list(context)
    return END


@_ours
async def take_back(update: Update, context: Context) -> int:
    """One that has not begun can be changed again."""
    await _show(context, await context.shop.broadcasts.take_back(
        context.me.id, context.arguments[0]
    ))  # fmt: skip
    return END


ENTRY = [
    command("broadcast", listed),
    on("bclist", listed),
    on("bcnew", new),
    on("bc", shown, ID),
    on("bcprev", preview, ID),
    on("bctest", test, ID),
    on("bcsure", sure, ID + NUMBER),
    on("bcwhen", ask_when, ID),
    on("bcat", sure, ID + NUMBER + _STAMP),
    on("bcsend!", send, ID + NUMBER + f"(?:{_STAMP})?"),
    on("bcpause", pause, ID),
    on("bcresume", resume, ID),
    on("bcstop", ask_stop, ID),
    on("bcstop!", stop, ID),
    on("bcdrop", throw_away, ID),
    on("bcback", take_back, ID),
]
STATES = {Sending.WHEN: [written(when_written, anything=True)]}
