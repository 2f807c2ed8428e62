"""My SIMs: the overview, one SIM's card, its name, its removal, "already renewed".

    My SIMs ─► card ─┬► Refresh
                     ├► Renew, Change dates, Reminders (other conversations)
                     └► More ─┬► Rename: NAME ─► card
                              └► Remove ─► sure? ─► My SIMs
    Already renewed ─┬► managed: read again ─► card
                     └► self-tracked: RENEWED (a button or a date) ─► card

Every button carries the SIM's id, so it works in any state and after a restart.
"""

import asyncio
from datetime import date, datetime, timedelta
from enum import IntEnum

from telegram import Update

from bot.chat.agreements import deal_of
from bot.chat.context import Context
from bot.chat.conversations import landing
from bot.chat.conversations.routes import DAY, END, ID, NUMBER, command, on, written
from bot.chat.screen import Button, Screen, lines
from bot.chat.views import card as card_view
from bot.chat.views import dates as date_views
from bot.chat.views import sims as views
from bot.chat.views.keeping import on_card
from bot.chat.views.reasons import REASONS
from bot.chat.views.renewals import on_line
from bot.domain.days import DayProblem, parse_day
from bot.domain.keepalive import dates_until
from bot.domain.pace import Pace, pace
from bot.domain.sims import Reading, Sim, Tracking
from bot.domain.zones import local_date
from bot.i18n import Html
from bot.services.ownership import SimRefused
from bot.services.planning import plan_for
from bot.services.sims import NICKNAME

OLD = timedelta(minutes=10)
"""A card with an older reading asks the supplier."""
AT_ONCE = 0.1
"""Seconds a tap waits for the supplier before the stored card is shown."""
PATIENCE = 2.0
"""Seconds more in which the card shown is still brought up to date; the next tap waits behind."""
ONE_LOOK = timedelta(minutes=10)
"""For so long a card shows again what it asked."""
ASK_ZONE = 2
"""On how many occasions a card asks for the time zone."""
RENEWALS = (30, 90, 365)
MONTH = timedelta(days=30)
"""How far back a card and its plot look."""


class MySims(IntEnum):
    """What a written text means."""

    NAME = 60
    RENEWED = 61


# ---- looking -----------------------------------------------------------------------------


async def overview(update: Update, context: Context) -> int:
    """All SIMs, most urgent first."""
    await show_overview(context, page=int(context.arguments[0]) if context.arguments else 0)
    return END


async def show_overview(context: Context, note: Html | None = None, page: int = 0) -> None:
    """The overview, below what has just happened."""
    sims = await context.shop.sims.overview(context.me.id)
    screen = views.overview(context.t, sims, context.now, page)
    if note is not None:
        screen = Screen(lines(note, "", screen.text), screen.rows)
    await context.show(screen)


async def mine(context: Context, sim_id: str) -> Sim | None:
    """The person's own SIM; otherwise they are told, and shown their list."""
    sim = await context.shop.sims.get(sim_id, context.me.id)
    if sim is None:
        await not_yours(context)
    return sim


async def not_yours(context: Context) -> None:
    """The button of a SIM that is not, or no longer, theirs."""
    await context.toast(context.t.plain(REASONS["not_yours_sim"]), alert=True)
    await show_overview(context)


async def card(update: Update, context: Context) -> int:
    """One SIM; the supplier is asked when the reading is old, or when somebody wants it so."""
    sim_id, *fresh = context.arguments
    sim = await mine(context, sim_id)
    if sim is None:
        return END
    if not _readable(sim) or not (fresh or _old(sim, context.now)):
        await context.show(await _screen(context, sim, ask_zone=zone_guess(context)))
        return END
    guess = zone_guess(context)
    fresh_sim, shown = await _read(context, sim, guess)
    stale = _old(fresh_sim, context.now)
    await _put(context, shown, await _screen(context, fresh_sim, stale=stale, ask_zone=guess))
    return END


async def _read(
    context: Context, sim: Sim, guess: str | None = None, *, force: bool = False
) -> tuple[Sim, int | None]:
    """The SIM as its supplier knows it now. When that takes long, the stored card is shown
    meanwhile, and its message is returned; a reading that comes too late is stored all the same."""
    reading = context.application.create_task(context.shop.sims.refresh(sim, force=force))
    await asyncio.wait({reading}, timeout=AT_ONCE)
    shown = None
    if not reading.done():
        shown = await context.show(await _screen(context, sim, asking=True, ask_zone=guess))
        await asyncio.wait({reading}, timeout=PATIENCE)
    return (reading.result() if reading.done() else sim), shown


async def _put(context: Context, shown: int | None, screen: Screen) -> None:
    """Into the message that is shown already, or as the answer."""
    if shown is None:
        await context.show(screen)
    else:
        await context.edit(shown, screen)


async def show_card(
    context: Context, sim: Sim, note: Html | None = None, undo: Button | None = None
) -> None:
    """The card as it is stored, below what has just happened; `undo` takes that back."""
    await context.show(await _screen(context, sim, note=note, undo=undo))


async def show_new(context: Context, sim: Sim, note: Html) -> None:
    """The card of a SIM just added, where the time zone is asked about."""
    await context.show(await _screen(context, sim, note=note, ask_zone=zone_guess(context)))
    await landing.back(context, sim)


def zone_guess(context: Context) -> str | None:
    """The zone to be confirmed on a card while it is a guess. Whoever goes on without an answer
    is asked once more, at another time; not a third time."""
    known, now = context.me.preferences, context.now.timestamp()
    asked: list[float] = context.draft.get("zone_asked", [])
    if known.zone_confirmed:
        return None
    if not asked or now - asked[-1] >= ONE_LOOK.total_seconds():
        if len(asked) == ASK_ZONE:
            return None
        context.draft["zone_asked"] = [*asked, now]
    return known.zone


async def _screen(
    context: Context,
    sim: Sim,
    *,
    stale: bool = False,
    asking: bool = False,
    note: Html | None = None,
    ask_zone: str | None = None,
    undo: Button | None = None,
) -> Screen:
    async with context.shop.store.read() as tx:
        planned = await plan_for(tx, sim, context.now)
    known = await pace_of(context, sim)
    rule = await context.shop.keeping.rule_of(sim)
    return card_view.card(
        context.t,
        sim,
        planned,
        context.now,
        stale=stale,
        asking=asking,
        note=note,
        ask_zone=ask_zone,
        pace=known,
        keep=on_card(context.t, sim, rule, context.now),
        undo=undo,
        renews=await _renews(context, sim),
    )


async def _renews(context: Context, sim: Sim) -> Html | None:
    """That it renews by itself, and when."""
    agreement = await context.shop.agreeing.of_sim(sim.id, context.me.id)
    if agreement is None:
        return None
    return on_line(context.t, await deal_of(context, agreement, sim), context.now)


async def history(context: Context, sim: Sim) -> list[Reading]:
    """The SIM's readings of the last 30 days, oldest first."""
    async with context.shop.store.read() as tx:
        return await tx.sims.history(sim.id, context.now - MONTH)


async def pace_of(context: Context, sim: Sim) -> Pace | None:
    """How fast its data is used; None when its readings do not show that."""
    if not _readable(sim):
        return None
    return pace(await history(context, sim), sim.expiry, context.now)


def _readable(sim: Sim) -> bool:
    """A supplier tells its dates; those of the others come from a person."""
    return sim.tracking is Tracking.MANAGED and sim.supplier != "manual"


def _old(sim: Sim, now: datetime) -> bool:
    return sim.reading is None or now - sim.reading.taken_at > OLD


# ---- name, removal -----------------------------------------------------------------------


async def more(update: Update, context: Context) -> int:
    """Its numbers, and what is done rarely."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.show(views.more(context.t, sim))
    return END


async def rename(update: Update, context: Context) -> int:
    """Ask for a name."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    context.draft["rename"] = sim.id
    await context.show(views.ask_name(context.t, sim, NICKNAME))
    return MySims.NAME


async def name_written(update: Update, context: Context) -> int:
    """A name was written."""
    sim = await mine(context, str(context.draft.get("rename", "")))
    if sim is None:
        return END
    try:
        named = await context.shop.sims.rename(sim, context.text)
    except SimRefused as refused:
        if refused.reason != "nickname_long":
            await not_yours(context)
            return END
        await context.show(views.ask_name(context.t, sim, NICKNAME, too_long=True))
        return MySims.NAME
    context.draft.pop("rename", None)
    await show_card(context, named, date_views.saved(context.t))
    return END


async def unname(update: Update, context: Context) -> int:
    """Back to the carrier's name."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    try:
        await show_card(context, await context.shop.sims.rename(sim, None))
    except SimRefused:
        await not_yours(context)
    return END


async def remove(update: Update, context: Context) -> int:
    """Ask first."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.show(views.ask_remove(context.t, sim))
    return END


async def remove_yes(update: Update, context: Context) -> int:
    """Remove it."""
    sim = await context.shop.sims.get(context.arguments[0], context.me.id)
    if sim is None:
        # Removed already: the same tap again, or its replay after a crash.
        await show_overview(context)
        return END
    try:
        await context.shop.sims.remove(sim)
    except SimRefused as refused:
        if refused.reason == "running":
            await context.show(views.running(context.t, sim))
        else:
            await not_yours(context)
        return END
    await show_overview(context, views.removed(context.t, sim))
    return END


# ---- already renewed ---------------------------------------------------------------------


async def done(update: Update, context: Context) -> int:
    """Renewed elsewhere: ask the supplier, or the person."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    if not _readable(sim):
        return await _ask_renewed(context, sim)
    fresh, shown = await _read(context, sim, force=True)
    asked = fresh.reading is not None and fresh.reading != sim.reading
    note = views.read_again(context.t, sim, fresh, context.now, asked=asked)
    await _put(context, shown, await _screen(context, fresh, note=note))
    return END


async def how(update: Update, context: Context) -> int:
    """The instruction sheet."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await context.show(date_views.how_to(context.t, sim))
    return END


async def _ask_renewed(context: Context, sim: Sim, problem: Html | None = None) -> int:
    context.draft["renewed"] = sim.id
    today = local_date(context.now, context.t.zone)
    base = max(today, local_date(sim.expiry, context.t.zone)) if sim.expiry else today
    offered = [(days, base + timedelta(days=days)) for days in RENEWALS]
    by_rule = today + timedelta(days=sim.rule.validity_days) if sim.rule else None
    if by_rule is not None and by_rule < base:
        by_rule = None
    offered = [pick for pick in offered if pick[1] != by_rule]
    await context.show(
        date_views.ask_renewed(context.t, sim, offered, by_rule, context.now, problem)
    )
    return MySims.RENEWED


async def renewed(update: Update, context: Context) -> int:
    """A ready-made date was tapped; it is for the expiry that the button names."""
    sim_id, new, old = context.arguments
    sim = await mine(context, sim_id)
    if sim is None:
        return END
    day = date(int(new[:4]), int(new[4:6]), int(new[6:]))
    known = date_views.stamp(local_date(sim.expiry, context.t.zone)) if sim.expiry else "u"
    if known == new:
        await show_card(context, sim, date_views.saved(context.t))
        return END
    if known != old:
        await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
        return await _ask_renewed(context, sim)
    return await _store_renewed(context, sim, day)


async def renewed_written(update: Update, context: Context) -> int:
    """A new expiry was written."""
    sim = await mine(context, str(context.draft.get("renewed", "")))
    if sim is None:
        return END
    today = local_date(context.now, context.t.zone)
    day = parse_day(context.text, today)
    if isinstance(day, DayProblem):
        return await _ask_renewed(context, sim, date_views.day_problem(context.t, day, today))
    if day < today:
        return await _ask_renewed(context, sim, date_views.day_passed(context.t, today))
    return await _store_renewed(context, sim, day)


async def _store_renewed(context: Context, sim: Sim, day: date) -> int:
    grace = sim.rule.grace_days if sim.rule else None
    new = dates_until(day, grace, context.me.preferences.zone)
    try:
        changed = await context.shop.sims.set_dates(sim, new.expiry, grace_end=new.grace_end)
    except SimRefused:
        await not_yours(context)
        return END
    context.draft.pop("renewed", None)
    note = date_views.renewed(context.t, sim.expiry, new.expiry, context.now)
    await show_card(context, changed, note)
    return END


ENTRY = [
    command("sims", overview),
    on("sims", overview, f"({NUMBER})?"),
    on("sim", card, f"{ID}(:fresh)?"),
    on("more", more, ID),
    on("rename", rename, ID),
    on("unname", unname, ID),
    on("remove", remove, ID),
    on("remove_yes", remove_yes, ID),
    on("done", done, ID),
    on("how", how, ID),
    on("dn", renewed, f"{ID}{DAY}(?:{DAY}|:u)"),
]
STATES = {
    MySims.NAME: [written(name_written, anything=True)],
    MySims.RENEWED: [written(renewed_written)],
}
