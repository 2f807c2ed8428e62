"""The reminders of one SIM, and the buttons below a reminder.

    a reminder, a card ─┬► Snooze ─► days, or SNOOZE_DAY ─► the SIM's reminders
                        ├► Stop, Start again ─────────────► the SIM's reminders
                        └► Only for this SIM ─► switches of its own

The settings of all SIMs are in `reminder_settings`.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from typing import Any

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.my_sims import mine
from bot.chat.conversations.routes import END, ID, on, written
from bot.chat.views import dates as date_views
from bot.chat.views import remind_settings
from bot.chat.views import reminders as views
from bot.domain.days import DayProblem, parse_day
from bot.domain.reminders import preferences_of
from bot.domain.sims import OwnReminders, Sim
from bot.domain.zones import at_local, local_date
from bot.i18n import Html
from bot.services.planning import plan_for


class Reminders(IntEnum):
    """What a written text means."""

    SNOOZE_DAY = 80


async def of_sim(update: Update, context: Context) -> int:
    """What comes next for one SIM."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await _of_sim(context, sim)
    return END


async def _of_sim(context: Context, sim: Sim, note: Html | None = None) -> None:
    async with context.shop.store.read() as tx:
        sim = await tx.sims.get(sim.id) or sim
        planned = await plan_for(tx, sim, context.now)
    await context.show(views.one_sim(context.t, sim, planned, context.now, note))


async def snooze(update: Update, context: Context) -> int:
    """For how long."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.show(views.snooze(context.t, sim))
    return END


async def snooze_days(update: Update, context: Context) -> int:
    """A number of days was tapped."""
    sim_id, days = context.arguments
    sim = await mine(context, sim_id)
    if sim is None:
        return END
    today = local_date(context.now, context.t.zone)
    return await _snooze(context, sim, today + timedelta(days=int(days)))


async def ask_snooze_day(update: Update, context: Context) -> int:
    """Until which day."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    context.draft["snooze"] = sim.id
    today = local_date(context.now, context.t.zone)
    await context.show(views.ask_snooze_day(context.t, sim, today))
    return Reminders.SNOOZE_DAY


async def snooze_day_written(update: Update, context: Context) -> int:
    """A day was written."""
    sim = await mine(context, str(context.draft.get("snooze", "")))
    if sim is None:
        return END
    today = local_date(context.now, context.t.zone)
    day = parse_day(context.text, today)
    if isinstance(day, DayProblem):
        problem = date_views.day_problem(context.t, day, today)
    elif _at_hour(context, sim, day) <= context.now:
        problem = date_views.day_passed(context.t, today)
    else:
        context.draft.pop("snooze", None)
        return await _snooze(context, sim, day)
    await context.show(views.ask_snooze_day(context.t, sim, today, problem))
    return Reminders.SNOOZE_DAY


def _at_hour(context: Context, sim: Sim, day: date) -> datetime:
    hour = preferences_of(sim, context.me.preferences).hour
    return at_local(day, time(hour), context.t.zone)


async def _snooze(context: Context, sim: Sim, day: date) -> int:
    """Until the preferred hour of that day, so that doing it twice changes nothing."""
    until = _at_hour(context, sim, day)
    await context.shop.reminding.snooze(sim, until)
    context.shop.reminding.worker.ring()
    await _of_sim(context, sim, views.snoozed(context.t, sim, until, context.now))
    return END


async def stop(update: Update, context: Context) -> int:
    """No more reminders of this SIM."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.shop.reminding.stop(sim)
        await _of_sim(context, sim, views.stopped(context.t))
    return END


async def start_again(update: Update, context: Context) -> int:
    """Remind of this SIM again."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.shop.reminding.restart(sim)
        context.shop.reminding.worker.ring()
        await _of_sim(context, sim, views.started(context.t))
    return END


# ---- settings of its own -----------------------------------------------------------------


async def own(update: Update, context: Context) -> int:
    """What is otherwise for this SIM."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await _own(context, sim)
    return END


async def _own(context: Context, sim: Sim) -> None:
    async with context.shop.store.read() as tx:
        sim = await tx.sims.get(sim.id) or sim
        planned = await plan_for(tx, sim, context.now)
    known = context.me.preferences
    await context.show(remind_settings.own(context.t, sim, known, planned, context.now))


async def _set_own(context: Context, sim: Sim, **changes: Any) -> int:
    await context.shop.reminding.set_own(sim, replace(sim.own or OwnReminders(), **changes))
    context.shop.reminding.worker.ring()
    await _own(context, sim)
    return END


async def own_offset(update: Update, context: Context) -> int:
    """A day before this SIM's expiry, on or off."""
    sim_id, day, on_ = context.arguments
    sim = await mine(context, sim_id)
    if sim is None:
        return END
    offsets = set(preferences_of(sim, context.me.preferences).offsets) - {int(day)}
    if on_ == "1":
        offsets.add(int(day))
    return await _set_own(context, sim, offsets=tuple(sorted(offsets, reverse=True)))


async def own_hour(update: Update, context: Context) -> int:
    """This SIM's hour."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await _set_own(context, sim, hour=int(context.arguments[1]))


async def own_urgent(update: Update, context: Context) -> int:
    """Whether this SIM's last day may break the quiet hours."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await _set_own(context, sim, urgent=context.arguments[1] == "1")


async def own_alone(update: Update, context: Context) -> int:
    """Whether this SIM stays out of digests."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await _set_own(context, sim, alone=context.arguments[1] == "1")


async def own_none(update: Update, context: Context) -> int:
    """As for all SIMs again."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.shop.reminding.set_own(sim, None)
        context.shop.reminding.worker.ring()
        await _own(context, sim)
    return END


ENTRY = [
    on("simrem", of_sim, ID),
    on("snooze", snooze, ID),
    on("snz", snooze_days, ID + r":\d{1,2}"),
    on("snzday", ask_snooze_day, ID),
    on("stop", stop, ID),
    on("start_again", start_again, ID),
    on("own", own, ID),
    on("ownoff", own_offset, ID + r":\d{1,3}:[01]"),
    on("ownhr", own_hour, ID + r":(?:1?\d|2[0-3])"),
    on("ownurgent", own_urgent, ID + ":[01]"),
    on("ownalone", own_alone, ID + ":[01]"),
    on("ownnone", own_none, ID),
]
STATES = {Reminders.SNOOZE_DAY: [written(snooze_day_written)]}
