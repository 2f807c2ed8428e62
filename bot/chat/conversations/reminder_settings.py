"""The settings of a person's reminders.

    /reminders ─► settings ─┬► days, last day, one message or several, on or off (switches)
                            ├► HOUR ──┐
                            ├► QUIET ─┼─► settings
                            └► ZONE ──┘

A preference and the next reminders that follow from it are stored together.
"""

import re
from dataclasses import replace
from datetime import datetime, time
from enum import IntEnum
from typing import Any

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, command, on, written
from bot.chat.views import remind_settings as views
from bot.chat.views import zones
from bot.domain.chats import Preferences
from bot.domain.identify import plain
from bot.domain.keepalive import dates_until
from bot.domain.reminders import Planned, preferences_of, timeline
from bot.domain.sims import Sim, Source, Tracking
from bot.domain.stages import Stage, StageKind
from bot.domain.zones import day_end, is_zone, local_date, zone
from bot.i18n import Html
from bot.ports import Tx
from bot.services.planning import plan_for, replan_chat, settle

_TIME = r"(\d{1,2})(?:[:.点時时h](\d{2})?)?"
_HOUR = re.compile(rf"{_TIME}\s*(?:分|o'clock|整)?")
_SPAN = re.compile(rf"{_TIME}\s*(?:-|~|to|until|到|至)\s*{_TIME}")
_HHMM = r"(?:[01]\d|2[0-3])[0-5]\d"
_NONE = frozenset({"none", "no", "off", "0", "无", "無", "不要", "关", "關", "没有", "沒有"})


class ReminderSettings(IntEnum):
    """What a written text means."""

    HOUR = 81
    QUIET = 82
    ZONE = 83


async def settings(update: Update, context: Context) -> int:
    """All settings, and what comes next."""
    await _settings(context)
    return END


async def _settings(context: Context, note: Html | None = None) -> None:
    sims = await context.shop.sims.overview(context.me.id)
    async with context.shop.store.read() as tx:
        nexts: list[tuple[Sim, Planned | None]] = [
            (sim, await plan_for(tx, sim, context.now)) for sim in sims[: views.MOST_LINES]
        ]
    nexts += [(sim, None) for sim in sims[views.MOST_LINES :]]
    preferences = context.me.preferences
    await context.show(views.settings(context.t, preferences, nexts, context.now, note))


async def _prefer(context: Context, new: Stage | None = None, **changes: Any) -> Preferences:
    """Store changed preferences together with the reminders that follow from them.

    A `new` stage whose time has passed is settled: nobody who asks for 14 days means "now".
    """
    async with context.shop.store.write() as tx:
        chat = await tx.chats.get(context.me.id) or context.me
        preferences = replace(chat.preferences, **changes)
        await tx.chats.set_preferences(chat.id, preferences)
        for sim in await tx.sims.owned(chat.id) if new is not None else ():
            await _settle(tx, sim, preferences, new, context.now)
        await replan_chat(tx, chat.id, context.now)
        context.chat = replace(chat, preferences=preferences)
    context.shop.reminding.worker.ring()
    return preferences


async def _settle(
    tx: Tx, sim: Sim, preferences: Preferences, stage: Stage | None, now: datetime
) -> None:
    for planned in timeline(sim, preferences_of(sim, preferences)):
        if planned.stage == stage and planned.at <= now:
            await settle(tx, sim, planned.stage.code, now, sent=False)


async def offset(update: Update, context: Context) -> int:
    """A day before expiry, on or off."""
    day, on_ = (int(argument) for argument in context.arguments)
    offsets = set(context.me.preferences.offsets) - {day}
    if on_:
        offsets.add(day)
    new = Stage(StageKind.EXPIRY, day) if on_ else None
    await _prefer(context, new, offsets=tuple(sorted(offsets, reverse=True)))
    await _settings(context)
    return END


async def urgent(update: Update, context: Context) -> int:
    """Whether a last-day reminder may break quiet hours."""
    await _prefer(context, urgent_override=context.arguments == ["1"])
    await _settings(context)
    return END


async def digest(update: Update, context: Context) -> int:
    """Several SIMs in one message, or each in its own."""
    await _prefer(context, digest=context.arguments == ["1"])
    await _settings(context)
    return END


async def news(update: Update, context: Context) -> int:
    """News from the shop, on or off."""
    await _prefer(context, news=context.arguments == ["1"])
    await _settings(context)
    return END


async def onoff(update: Update, context: Context) -> int:
    """All reminders, on or off."""
    await _prefer(context, on=context.arguments == ["1"])
    await _settings(context)
    return END


async def ask_hour(update: Update, context: Context) -> int:
    """At what time of day."""
    await context.show(views.ask_hour(context.t, context.me.preferences))
    return ReminderSettings.HOUR


async def hour(update: Update, context: Context) -> int:
    """An hour was tapped."""
    return await _hour(context, int(context.arguments[0]))


async def hour_written(update: Update, context: Context) -> int:
    """An hour was written."""
    match = _HOUR.fullmatch(plain(context.text).lower())
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        problem = views.hour_problem(context.t)
        await context.show(views.ask_hour(context.t, context.me.preferences, problem))
        return ReminderSettings.HOUR
    return await _hour(context, int(match[1]))


async def _hour(context: Context, chosen: int) -> int:
    preferences = await _prefer(context, hour=chosen)
    await _settings(context, views.hour_set(context.t, preferences))
    return END


async def ask_quiet(update: Update, context: Context) -> int:
    """When to be quiet."""
    await context.show(views.ask_quiet(context.t, context.me.preferences))
    return ReminderSettings.QUIET


async def quiet(update: Update, context: Context) -> int:
    """Quiet hours were tapped: 2200-0800."""
    start, end = context.arguments[0].split("-")
    return await _quiet(context, _clock(start[:2], start[2:]), _clock(end[:2], end[2:]))


async def quiet_written(update: Update, context: Context) -> int:
    """Quiet hours were written."""
    span = _span(plain(context.text).lower())
    if span is None:
        problem = views.quiet_problem(context.t)
        await context.show(views.ask_quiet(context.t, context.me.preferences, problem))
        return ReminderSettings.QUIET
    return await _quiet(context, *span)


def _span(text: str) -> tuple[time, time] | None:
    """Two times of day as people write them; equal ones for "none"."""
    if text in _NONE:
        return time(0), time(0)
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    try:
        return _clock(match[1], match[2]), _clock(match[3], match[4])
    except ValueError:
        return None


def _clock(hours: str, minutes: str | None) -> time:
    return time(int(hours) % 24 if int(hours) <= 24 else 99, int(minutes or 0))


async def _quiet(context: Context, start: time, end: time) -> int:
    await _prefer(context, quiet_start=start, quiet_end=end)
    await _settings(context, views.quiet_set(context.t, start, end))
    return END


# ---- the time zone -----------------------------------------------------------------------


async def ask_zone(update: Update, context: Context) -> int:
    """Where the person is: their present zone first, then the usual ones of their language."""
    now, mine_ = context.now, context.me.preferences.zone
    offered = dict.fromkeys((mine_, *zones.COMMON[context.t.language]))
    await context.show(views.ask_zone(context.t, list(offered)[: zones.MOST], now, found=False))
    return ReminderSettings.ZONE


async def zone_written(update: Update, context: Context) -> int:
    """A city was written: show the time there, so that it can be confirmed."""
    found = zones.find_zones(context.text, context.now)
    if not found:
        usual = zones.COMMON[context.t.language][: zones.MOST]
        problem = views.zone_problem(context.t)
        screen = views.ask_zone(context.t, usual, context.now, found=False, problem=problem)
    else:
        screen = views.ask_zone(context.t, found, context.now, found=True)
    await context.show(screen)
    return ReminderSettings.ZONE


async def zone_chosen(update: Update, context: Context) -> int:
    """A zone was tapped."""
    chosen = context.arguments[0]
    if not is_zone(chosen):
        return await ask_zone(update, context)
    old = context.me.preferences.zone
    if chosen != old:
        await _move_days(context, old, chosen)
    await _prefer(context, zone=chosen, zone_confirmed=True)
    await _settings(context, views.zone_set(context.t, chosen, context.now))
    return END


async def guess_zone(context: Context, country: str | None) -> None:
    """While nothing better is known, the zone of the country (ISO 3166) whose SIM is added."""
    known = context.me.preferences
    guess = zones.of_country(country) if country else None
    if known.zone_confirmed or known.zone != "UTC" or guess is None:
        return
    if await context.shop.sims.overview(context.me.id):
        return  # they live by the zone they have
    await _move_days(context, known.zone, guess)
    await _prefer(context, zone=guess)


async def _move_days(context: Context, old: str, new: str) -> None:
    """A day somebody entered stays that day: it ends with the new zone's day, not the old one's.

    Done twice, the second time finds nothing that ends with a day of the old zone.
    """
    for sim in await context.shop.sims.overview(context.me.id):
        said = sim.tracking is Tracking.SELF and sim.dates_source is Source.CUSTOMER
        if not said or sim.expiry is None:
            continue
        day = local_date(sim.expiry, zone(old))
        if sim.expiry != day_end(day, zone(old)):
            continue
        end = sim.grace_end
        grace = (local_date(end, zone(old)) - day).days if end is not None else None
        moved = dates_until(day, grace, new)
        await context.shop.sims.set_dates(sim, moved.expiry, grace_end=moved.grace_end)


ENTRY = [
    command("reminders", settings),
    on("rem", settings),
    on("off", offset, r":\d{1,3}:[01]"),
    on("hour", ask_hour),
    on("hr", hour, r":(?:1?\d|2[0-3])"),
    on("quiet", ask_quiet),
    on("qt", quiet, rf":{_HHMM}-{_HHMM}"),
    on("zone", ask_zone),
    on("zn", zone_chosen, r":[\w/+-]{1,40}"),
    on("urgent", urgent, ":[01]"),
    on("digest", digest, ":[01]"),
    on("onoff", onoff, ":[01]"),
    on("shopnews", news, ":[01]"),
]
STATES = {
    ReminderSettings.HOUR: [written(hour_written)],
    ReminderSettings.QUIET: [written(quiet_written)],
    ReminderSettings.ZONE: [written(zone_written)],
}
