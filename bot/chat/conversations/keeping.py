"""Keeping a number: what was done with it, how it is kept, the rule that a new one follows.

    card ─┬► I used it today ─► what? ─┬► (how much was paid?) ─► card
          │                            └► another day: DAY ─► what?
          ├► Undo ─► card
          └► How to keep it ─► follow a rule ─► card
    add a SIM ─► offer of its carrier's rules ─┬► SINCE (a button or a date) ─► (paid?) ─► card
                                               ├► I know until when ─► dates.py
                                               └► my own ─► dates.py

What a new SIM's questions were answered is in the draft `line`, as in dates.py.
"""

from datetime import date
from enum import IntEnum
from typing import Any

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations import dates
from bot.chat.conversations.my_sims import mine, not_yours, show_card, show_new, show_overview
from bot.chat.conversations.routes import DAY, END, ID, NUMBER, on, written
from bot.chat.views import add_sim as add_views
from bot.chat.views import dates as date_views
from bot.chat.views import keeping as views
from bot.chat.views.reasons import REASONS
from bot.chat.views.sims import title
from bot.domain.days import DayProblem, parse_day
from bot.domain.identify import Identified, Kind
from bot.domain.rules import Activity, Rule, keep_rule
from bot.domain.sims import Sim, SimForm
from bot.domain.zones import local_date
from bot.i18n import Html
from bot.services.ownership import SimRefused

_KIND = r":(?:call|sms|data|top_up|plan)"
_TIER = r":(?:\d|u)"
_CODE = r":\w{1,24}"


class Keeping(IntEnum):
    """What a written text means: the day of the last use."""

    DAY = 70
    SINCE = 71


# ---- I used it ---------------------------------------------------------------------------


async def used(update: Update, context: Context) -> int:
    """Ask what was done today."""
    sim = await mine(context, context.arguments[0])
    if sim is not None:
        await _ask_used(context, sim, _today(context))
    return END


async def _ask_used(context: Context, sim: Sim, day: date) -> None:
    rule = await context.shop.keeping.rule_of(sim)
    screen = views.ask_used(context.t, sim, rule, day, _today(context), context.now)
    await context.show(screen)


async def use(update: Update, context: Context) -> int:
    """It was done; for a payment that decides for how long, ask how much it was."""
    sim_id, kind_, stamp, *tier = context.arguments
    sim = await mine(context, sim_id)
    if sim is None:
        return END
    kind, day = Activity(kind_), _day(stamp)
    rule = await context.shop.keeping.rule_of(sim)
    if not tier and rule is not None and rule.tiers and kind in (Activity.TOP_UP, Activity.PLAN):
        rows = views.paid_rows(context.t, rule, "useof", sim.id, kind.value, stamp)
        await context.show(views.ask_paid(context.t, title(context.t, sim), rows, "used", sim.id))
        return END
    paid = int(tier[0]) if tier and tier[0] != views.UNKNOWN else None
    old = views.deadline_of(sim, rule) if rule is not None else None
    try:
        done = await context.shop.keeping.record(sim, kind, min(day, _today(context)), paid)
    except SimRefused:
        await not_yours(context)
        return END
    context.draft.pop("used", None)
    note = views.recorded(context.t, done.sim, done.rule, kind, old, context.now)
    await show_card(context, done.sim, note, views.undo(context.t, sim, kind, stamp))
    return END


async def unuse(update: Update, context: Context) -> int:
    """It was told by mistake."""
    sim_id, kind, stamp = context.arguments
    sim = await mine(context, sim_id)
    if sim is None:
        return END
    try:
        sim = await context.shop.keeping.forget(sim, Activity(kind), _day(stamp))
    except SimRefused:
        await not_yours(context)
        return END
    await show_card(context, sim, views.taken_back(context.t, Activity(kind)))
    return END


async def ask_day(update: Update, context: Context) -> int:
    """It was on another day."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await _ask_day(context, sim)


async def _ask_day(context: Context, sim: Sim, problem: Html | None = None) -> int:
    await context.show(views.ask_used_day(context.t, sim, _today(context), problem))
    context.draft["used"] = sim.id
    return Keeping.DAY


async def day_written(update: Update, context: Context) -> int:
    """The other day."""
    sim = await mine(context, str(context.draft.get("used", "")))
    if sim is None:
        return END
    day = _past_day(context)
    if not isinstance(day, date):
        return await _ask_day(context, sim, day)
    await _ask_used(context, sim, day)
    return END


def _past_day(context: Context) -> date | Html:
    """The written day, or what is wrong with it."""
    today = _today(context)
    day = parse_day(context.text, today, past=True)
    if isinstance(day, DayProblem):
        return date_views.day_problem(context.t, day, today)
    return views.day_ahead(context.t) if day > today else day


def _today(context: Context) -> date:
    return local_date(context.now, context.t.zone)


def _day(stamp: str) -> date:
    return date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:]))


# ---- how to keep it ----------------------------------------------------------------------


async def how_to_keep(update: Update, context: Context) -> int:
    """The rule, its sources, the cheapest way."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    keeping = context.shop.keeping
    rule = await keeping.rule_of(sim)
    packs = await keeping.offered(sim.carrier, sim.country)
    last = await keeping.last(sim)
    await context.show(views.how_to_keep(context.t, sim, rule, packs, last, context.now))
    return END


async def follow(update: Update, context: Context) -> int:
    """Follow a pack's rule."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    try:
        changed = await context.shop.keeping.follow(sim, context.arguments[1])
    except SimRefused as refused:
        if refused.reason == "not_yours":
            await not_yours(context)
        else:
            await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
            await show_card(context, sim)
        return END
    await show_card(context, changed, date_views.saved(context.t))
    return END


# ---- a new SIM ---------------------------------------------------------------------------


async def begin(context: Context, line: dict[str, Any]) -> int:
    """Offer the rules of a new SIM's carrier; without one, ask the blank questions."""
    rules = await context.shop.keeping.offered(line["carrier"], line["country"])
    if not rules:
        return await dates.begin(context, line, ("day", "keep", "grace"))
    line = line | {"token": context.update_id}
    await context.show(views.offer(context.t, line["name"], rules, line["token"]))
    context.draft["line"] = line
    return END


async def rule_chosen(update: Update, context: Context) -> int:
    """One of the rules offered, or "I enter my own"."""
    line = await _line(context)
    if line is None:
        return END
    place = context.arguments[1]
    if place == "own":
        return await dates.begin(context, line, ("day", "keep", "grace"))
    return await _ask_since(context, line | {"rule": int(place)})


async def since(update: Update, context: Context) -> int:
    """When it was last kept: a button."""
    line = await _line(context)
    rule = await _rule(context, line)
    if line is None or rule is None:
        return END
    value = context.arguments[1]
    if value == "b":
        return await begin(context, line)
    if value == "v":
        kept = keep_rule(rule)
        known = {} if kept is None else {
            "keep": kept.validity_days, "grace": kept.grace_days, "by": kept.source.value,
            "pack": kept.pack,
        }  # fmt: skip
        return await dates.begin(context, line | known, ("day",))
    day = None if value == views.UNKNOWN else _day(value)
    return await _kept(context, line, rule, day)


async def since_written(update: Update, context: Context) -> int:
    """When it was last kept: a written day."""
    line = context.draft.get("line")
    rule = await _rule(context, line)
    if line is None or rule is None:
        await show_overview(context)
        return END
    day = _past_day(context)
    if not isinstance(day, date):
        return await _ask_since(context, line, day)
    return await _kept(context, line, rule, day)


async def paid(update: Update, context: Context) -> int:
    """How much was paid."""
    line = await _line(context)
    rule = await _rule(context, line)
    if line is None or rule is None or "since" not in line:
        return END
    value = context.arguments[1]
    tier = None if value == views.UNKNOWN else int(value)
    return await _store(context, line, rule, date.fromisoformat(line["since"]), tier)


async def _line(context: Context) -> dict[str, Any] | None:
    """The draft a tapped button belongs to; otherwise the person is told, and sees their SIMs."""
    line: dict[str, Any] | None = context.draft.get("line")
    if line is None or "carrier" not in line or str(line["token"]) != context.arguments[0]:
        await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
        await show_overview(context)
        return None
    return line


async def _rule(context: Context, line: dict[str, Any] | None) -> Rule | None:
    if line is None or "rule" not in line:
        return None
    rules = await context.shop.keeping.offered(line["carrier"], line["country"])
    return rules[line["rule"]] if line["rule"] < len(rules) else None


async def _ask_since(context: Context, line: dict[str, Any], problem: Html | None = None) -> int:
    rule = await _rule(context, line)
    if rule is None:
        return await begin(context, line)
    screen = views.ask_since(
        context.t, line["name"], rule, line["token"], _today(context), context.now, problem
    )
    await context.show(screen)
    context.draft["line"] = line
    return Keeping.SINCE


async def _kept(context: Context, line: dict[str, Any], rule: Rule, day: date | None) -> int:
    if day is None or not rule.tiers:
        return await _store(context, line, rule, day, None)
    rows = views.paid_rows(context.t, rule, "kt", line["token"])
    back = ("kr", line["token"], line["rule"])
    await context.show(views.ask_paid(context.t, line["name"], rows, *back))
    context.draft["line"] = line | {"since": day.isoformat()}
    return END


async def _store(
    context: Context, line: dict[str, Any], rule: Rule, day: date | None, tier: int | None
) -> int:
    """Add the SIM with its rule and its last use. Done twice, it finds what the first time left."""
    kind = Kind(line["kind"])
    try:
        sim = await context.shop.sims.add_self(
            context.me.id,
            identified=Identified(kind, line["value"]),
            carrier=line["carrier"],
            country=line.get("country"),
            form=SimForm.ESIM if kind is Kind.ACTIVATION else SimForm.CARD,
            expiry=None,
            rule=keep_rule(rule),
        )
        if day is not None:
            what = _counted(rule)
            sim = (await context.shop.keeping.record(sim, what, day, tier)).sim
    except SimRefused:
        await not_yours(context)
        return END
    context.draft.pop("line", None)
    await show_new(context, sim, add_views.added(context.t, dated=sim.end is not None))
    return END


def _counted(rule: Rule) -> Activity:
    """What is noted of a line that its owner "last kept" on a day."""
    if rule.counts is not None and rule.by_validity:
        return rule.counts[0]
    return Activity.TOP_UP if rule.counts is None else Activity.USED


ENTRY = [
    on("used", used, ID),
    on("useof", use, f"{ID}{_KIND}{DAY}(?:{_TIER})?"),
    on("unuse", unuse, ID + _KIND + DAY),
    on("useday", ask_day, ID),
    on("keep", how_to_keep, ID),
    on("kfol", follow, ID + _CODE),
    on("kr", rule_chosen, NUMBER + r":(?:\d|own)"),
    on("ks", since, NUMBER + r"(?:" + DAY + r"|:[ubv])"),
    on("kt", paid, NUMBER + _TIER),
]
STATES = {
    Keeping.DAY: [written(day_written)],
    Keeping.SINCE: [written(since_written)],
}
