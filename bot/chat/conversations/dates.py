"""The questions about a line's dates, for a new SIM and for one that is there.

    add a SIM ───┐
    Change dates ┼─► day ─► keep ─► grace ─► stored, card
    What keeps it┘   (each: a button, a written answer, "I don't know", back)

What has been answered is in the draft `line`; its `token` ties the buttons to it, so that those of
an earlier conversation explain themselves. Nothing is stored before the last answer.
"""

from datetime import date
from enum import IntEnum
from typing import Any

from telegram import Update
from telegram.ext import MessageHandler

from bot.chat.context import Context
from bot.chat.conversations.my_sims import mine, not_yours, show_card, show_new, show_overview
from bot.chat.conversations.routes import DAY, END, ID, NUMBER, on, written
from bot.chat.views import add_sim as add_views
from bot.chat.views import dates as views
from bot.chat.views.reasons import REASONS
from bot.chat.views.sims import title
from bot.domain.days import DayProblem, parse_day, parse_days
from bot.domain.identify import Identified, Kind, plain
from bot.domain.keepalive import Dates, dates_until
from bot.domain.sims import KeepRule, Sim, SimForm, Source
from bot.domain.zones import local_date
from bot.i18n import Html
from bot.services.ownership import SimRefused

Line = dict[str, Any]
"""token, name, steps, at, past, day (ISO), keep, grace; and of a SIM that is there `sim`, of a
new one kind, value, carrier, country. A rule pack's length has `by` and `pack` (keeping.py)."""

_UNKNOWN = frozenset({"?", "don't know", "dont know", "i don't know", "unknown", "no idea",
                      "不知道", "不清楚", "不知", "不確定", "不确定"})  # fmt: skip

_WORDS = "".join((views.UNKNOWN, views.BACK, views.PAST, views.FUTURE))
_ANSWER = rf"{NUMBER}(?:(?::day|:keep|:grace):[{_WORDS}]|:day{DAY}|(?::keep|:grace):\d{{1,4}})"


class LineDates(IntEnum):
    """What a written text means: the answer to the question at hand."""

    ANSWER = 50


async def begin(context: Context, line: Line, steps: tuple[str, ...]) -> int:
    """Ask the first question. `steps` are those of "day", "keep", "grace" to be asked."""
    asked = {"steps": list(steps), "at": 0, "past": False, "token": context.update_id}
    return await _ask(context, line | asked)


async def change(update: Update, context: Context) -> int:
    """Change dates: the day; and what keeps the line, when that was never told."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    steps = ("day",) if sim.rule is not None else ("day", "keep", "grace")
    return await begin(context, {"sim": sim.id, "name": title(context.t, sim)}, steps)


async def change_rule(update: Update, context: Context) -> int:
    """What keeps it: the rule; and the day, when there is none it could be counted from."""
    sim = await mine(context, context.arguments[0])
    if sim is None:
        return END
    steps = ("keep", "grace") if sim.expiry is not None else ("day", "keep", "grace")
    return await begin(context, {"sim": sim.id, "name": title(context.t, sim)}, steps)


# ---- answers -----------------------------------------------------------------------------


async def tapped(update: Update, context: Context) -> int:
    """A button below a question."""
    token, step, value = context.arguments
    line = context.draft.get("line")
    if line is None or str(line.get("token")) != token or step not in line["steps"]:
        await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
        await show_overview(context)
        return END
    line = line | {"at": line["steps"].index(step)}
    if value == views.BACK:
        return await _back(context, line)
    if value in (views.PAST, views.FUTURE):
        return await _ask(context, line | {"past": value == views.PAST})
    if value == views.UNKNOWN:
        return await _answer(context, line, None)
    if step == "day":
        day = date(int(value[:4]), int(value[4:6]), int(value[6:]))
        return await _answer(context, line, day.isoformat())
    return await _answer(context, line, int(value))


async def answered(update: Update, context: Context) -> int:
    """A written answer."""
    line = context.draft.get("line")
    if line is None:
        await show_overview(context)
        return END
    step = line["steps"][line["at"]]
    known = "sim" in line and step == "day"
    if plain(context.text).lower() in _UNKNOWN and not known:
        return await _answer(context, line, None)
    if step == "day":
        return await _day_answered(context, line)
    least = 1 if step == "keep" else 0
    days = parse_days(context.text)
    if isinstance(days, DayProblem) or days < least:
        return await _ask(context, line, views.days_problem(context.t, least=least))
    return await _answer(context, line, days)


async def _day_answered(context: Context, line: Line) -> int:
    today = local_date(context.now, context.t.zone)
    day = parse_day(context.text, today, past=line["past"])
    if isinstance(day, DayProblem):
        return await _ask(context, line, views.day_problem(context.t, day, today))
    if line["past"] and day > today:
        return await _ask(context, line, views.day_ahead(context.t, today))
    return await _answer(context, line, day.isoformat())


async def _answer(context: Context, line: Line, value: str | int | None) -> int:
    steps: list[str] = line["steps"]
    line = line | {steps[line["at"]]: value, "at": line["at"] + 1}
    nothing_known = line.get("day") is None and line.get("keep") is None and "sim" not in line
    if line["at"] == len(steps) or (steps[line["at"]] == "grace" and nothing_known):
        return await _store(context, line)
    return await _ask(context, line)


async def _back(context: Context, line: Line) -> int:
    if line["at"] > 0:
        return await _ask(context, line | {"at": line["at"] - 1})
    context.draft.pop("line", None)
    sim = await mine(context, line["sim"]) if "sim" in line else None
    if sim is not None:
        await show_card(context, sim)
    elif "sim" not in line:
        await show_overview(context)
    return END


async def _ask(context: Context, line: Line, problem: Html | None = None) -> int:
    """Ask, and only then note it: what failed to be shown was not asked."""
    t, name, token = context.t, line["name"], line["token"]
    match line["steps"][line["at"]]:
        case "day":
            today = local_date(context.now, t.zone)
            screen = views.ask_day(
                t, name, token, today, context.now,
                past=line["past"], unknown="sim" not in line, problem=problem,
            )  # fmt: skip
        case "keep":
            screen = views.ask_keep(t, name, token, problem)
        case _:
            screen = views.ask_grace(t, name, token, problem)
    await context.show(screen)
    context.draft["line"] = line
    return LineDates.ANSWER


# ---- storing -----------------------------------------------------------------------------


async def _store(context: Context, line: Line) -> int:
    """Store what was answered. Done twice, it finds what the first time left."""
    try:
        sim, note = await (_changed(context, line) if "sim" in line else _added(context, line))
    except SimRefused:
        await not_yours(context)
        return END
    context.draft.pop("line", None)
    await (show_card if "sim" in line else show_new)(context, sim, note)
    return END


async def _added(context: Context, line: Line) -> tuple[Sim, Html]:
    known = _dates(context, line)
    kind = Kind(line["kind"])
    sim = await context.shop.sims.add_self(
        context.me.id,
        identified=Identified(kind, line["value"]),
        carrier=line["carrier"],
        country=line.get("country"),
        form=SimForm.ESIM if kind is Kind.ACTIVATION else SimForm.CARD,
        expiry=known.expiry if known else None,
        rule=_rule(line),
    )
    if known is not None and known.grace_end is not None and sim.grace_end is None:
        # The grace period is known, but not how long a top-up lasts: there is no rule to keep it.
        sim = await context.shop.sims.set_dates(sim, known.expiry, grace_end=known.grace_end)
    return sim, add_views.added(context.t, dated=known is not None)


async def _changed(context: Context, line: Line) -> tuple[Sim, Html]:
    sim = await context.shop.sims.get(line["sim"], context.me.id)
    if sim is None:
        raise SimRefused("not_yours")
    if "day" not in line and sim.expiry is not None:
        line = {**line, "day": local_date(sim.expiry, context.t.zone).isoformat()}
    if "grace" in line and line.get("keep") is None and sim.rule is not None:
        line = {**line, "keep": sim.rule.validity_days}
    rule = _rule(line)
    if "grace" not in line and sim.rule is not None:
        line = {**line, "grace": sim.rule.grace_days}
    known = _dates(context, line)
    if known is None:
        return sim, views.saved(context.t)
    changed = await context.shop.sims.set_dates(
        sim, known.expiry, grace_end=known.grace_end, rule=rule
    )
    return changed, views.saved(context.t)


def _dates(context: Context, line: Line) -> Dates | None:
    if line.get("day") is None:
        return None
    day = date.fromisoformat(line["day"])
    return dates_until(day, line.get("grace"), context.me.preferences.zone)


def _rule(line: Line) -> KeepRule | None:
    if not line.get("keep"):
        return None
    source = Source(line.get("by", Source.CUSTOMER))
    return KeepRule(line["keep"], line.get("grace"), source, line.get("pack"))


ENTRY = [on("dates", change, ID), on("rule", change_rule, ID), on("q", tapped, _ANSWER)]
STATES: dict[int, list[MessageHandler[Context, Any]]] = {LineDates.ANSWER: [written(answered)]}
