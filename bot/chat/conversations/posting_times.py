"""When an offer is posted: once, every week, every month, on certain days (F40).

    preview (posting.py) ──────────┐                               ┌► preview
    change the time (group_posts) ─┴► how often ─► day(s) ─► clock ┴► the posting that is planned
                                                    DAY      CLOCK

Days and clock are those of the group's zone. What is chosen so far is in the draft `when`.
"""

import re
from dataclasses import replace
from datetime import date, datetime, time
from enum import IntEnum
from typing import Any, cast

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations import group_posts, posting
from bot.chat.conversations.routes import END, ID, on, written
from bot.chat.views import posting as views
from bot.chat.views.posts import why_not
from bot.domain.campaigns import Repeat, Timing, next_turn
from bot.domain.days import DayProblem, parse_day
from bot.domain.identify import plain
from bot.domain.zones import local_date, zone
from bot.i18n import Html

When = dict[str, Any]
"""token, posting (the id of one that is planned; None for the one being prepared), timing."""

_SEVERAL = re.compile(r"[,，、;；\n]+")
_CLOCK = re.compile(
    r"(?P<half>上午|早上|早|下午|晚上|晚|am|pm)?\s*(?P<hour>\d{1,2})"
    r"(?:[:.点點时時h](?P<minute>\d{1,2}|半)?)?分?\s*(?P<half_after>am|pm)?"
)
_AFTERNOON = frozenset({"下午", "晚上", "晚", "pm"})
_EVENING = frozenset({"晚上", "晚"})
_MOST_DATES = 31
_MIDNIGHT = time(0)


class Times(IntEnum):
    """What a written text means."""

    DAY = 142
    CLOCK = 143


async def ask(update: Update, context: Context) -> int:
    """Another time, for what is being prepared or, by its id, for what is planned."""
    token = context.arguments[0]
    known = context.draft.get("when")
    if known is not None and known["token"] == token and known["posting"] is not None:
        await context.show(views.ask_repeat(context.t, token, new=False))
        return END
    draft = await posting.drafted(context, token)
    if draft is None:
        return END
    zone_name = await _zone(context, draft["group"])
    _keep(context, token, None, Timing(Repeat.ONCE, _MIDNIGHT, zone_name))
    await context.show(views.ask_repeat(context.t, token, new=True))
    return END


async def ask_again(update: Update, context: Context) -> int:
    """Another time for a posting that is planned."""
    found = await group_posts.mine(context, context.arguments[0])
    if found is not None:
        wish, group = found
        _keep(context, wish.id, wish.id, Timing(Repeat.ONCE, _MIDNIGHT, group.zone))
        await context.show(views.ask_repeat(context.t, wish.id, new=False))
    return END


async def _zone(context: Context, group_id: str) -> str:
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(group_id)
    return group.zone if group is not None else "UTC"


def _keep(context: Context, token: str, posting_id: str | None, timing: Timing) -> None:
    context.draft["when"] = {
        "token": token, "posting": posting_id, "timing": posting.kept(timing),
    }  # fmt: skip


async def _asked(context: Context, token: str | None = None) -> tuple[When, Timing] | None:
    """What is chosen so far, if the button belongs to it; otherwise they are told."""
    when = context.draft.get("when")
    if when is None or token not in (None, when["token"]):
        await posting.drafted(context, "")
        return None
    timing = posting.timing_of(when["timing"])
    assert timing is not None  # noqa: S101  _keep saved one
    return cast("When", when), timing


async def now(update: Update, context: Context) -> int:
    """Now after all."""
    draft = await posting.drafted(context, context.arguments[0])
    if draft is None:
        return END
    draft["timing"] = None
    return await posting.show(context)


async def repeat(update: Update, context: Context) -> int:
    """How often was tapped."""
    token, how = context.arguments
    asked = await _asked(context, token)
    if asked is None:
        return END
    when, timing = asked
    chosen = Timing(Repeat(how), timing.clock, timing.zone)
    if chosen.repeat is timing.repeat:
        chosen = timing  # back from the clock: what was tapped stays
    return await _ask_days(context, when, chosen)


async def _ask_days(
    context: Context, when: When, timing: Timing, problem: Html | None = None
) -> int:
    _keep(context, when["token"], when["posting"], timing)
    screen = views.ask_days(context.t, when["token"], timing, context.now, problem)
    await context.show(screen)
    return Times.DAY


async def _ask_clock(
    context: Context, when: When, timing: Timing, problem: Html | None = None
) -> int:
    _keep(context, when["token"], when["posting"], timing)
    screen = views.ask_clock(context.t, when["token"], timing, context.now, problem)
    await context.show(screen)
    return Times.CLOCK


async def day(update: Update, context: Context) -> int:
    """A day was tapped: chosen, or switched where there may be several."""
    token, value = context.arguments
    asked = await _asked(context, token)
    if asked is None:
        return END
    when, timing = asked
    number = int(value)
    if timing.repeat is Repeat.WEEKLY:
        days = set(timing.weekdays) ^ {number % 7}
        return await _ask_days(context, when, replace(timing, weekdays=tuple(sorted(days))))
    if timing.repeat is Repeat.MONTHLY:
        return await _ask_clock(context, when, replace(timing, day=min(max(number, 1), 31)))
    try:
        chosen = date(number // 10000, number // 100 % 100, number % 100)
    except ValueError:
        return await _ask_days(context, when, timing)
    if timing.repeat is Repeat.ONCE:
        return await _ask_clock(context, when, replace(timing, dates=(chosen,)))
    dates = sorted(set(timing.dates) ^ {chosen})
    return await _ask_days(context, when, replace(timing, dates=tuple(dates[:_MOST_DATES])))


async def day_written(update: Update, context: Context) -> int:
    """A day, or several, were written."""
    asked = await _asked(context)
    if asked is None:
        return END
    when, timing = asked
    if timing.repeat is Repeat.WEEKLY:
        return await _ask_days(context, when, timing, views.tap_weekdays(context.t))
    if timing.repeat is Repeat.MONTHLY:
        text = plain(context.text).rstrip("日号號. ")
        if not text.isdecimal() or not 1 <= int(text) <= views.LAST_DAY:
            return await _ask_days(context, when, timing, views.no_day(context.t))
        return await _ask_clock(context, when, replace(timing, day=int(text)))
    today = local_date(context.now, zone(timing.zone))
    texts = [part for part in _SEVERAL.split(context.text) if part.strip()]
    days = [parse_day(part, today) for part in texts]
    good = sorted({one for one in days if not isinstance(one, DayProblem) and one >= today})
    if len(good) < len(set(days)) or not good:
        return await _ask_days(context, when, timing, views.no_date(context.t))
    if timing.repeat is Repeat.ONCE:
        return await _ask_clock(context, when, replace(timing, dates=(good[0],)))
    dates = sorted({*timing.dates, *good})[:_MOST_DATES]
    return await _ask_clock(context, when, replace(timing, dates=tuple(dates)))


async def days_done(update: Update, context: Context) -> int:
    """Next, once the days are chosen."""
    asked = await _asked(context, context.arguments[0])
    if asked is None:
        return END
    when, timing = asked
    if not timing.dates and not timing.weekdays:
        return await _ask_days(context, when, timing)
    return await _ask_clock(context, when, timing)


async def clock(update: Update, context: Context) -> int:
    """A time of day was tapped."""
    token, value = context.arguments
    asked = await _asked(context, token)
    if asked is None:
        return END
    when, timing = asked
    return await _done(context, when, replace(timing, clock=time(int(value[:2]), int(value[2:]))))


async def clock_written(update: Update, context: Context) -> int:
    """A time of day was written."""
    asked = await _asked(context)
    if asked is None:
        return END
    when, timing = asked
    chosen = parse_clock(context.text)
    if chosen is None:
        return await _ask_clock(context, when, timing, views.no_clock(context.t))
    return await _done(context, when, replace(timing, clock=chosen))


def parse_clock(text: str) -> time | None:
    """A time of day as people write it: 20:30, 8点半, 晚上8点, 8pm. None for anything else."""
    match = _CLOCK.fullmatch(plain(text).lower())
    if match is None:
        return None
    half = match["half"] or match["half_after"]
    hour, minute = int(match["hour"]), match["minute"] or "0"
    if half in _EVENING and hour == 12:
        return None  # midnight, but of which day?
    if half is not None and hour == 12:
        hour = 12 if half in _AFTERNOON else 0
    elif half in _AFTERNOON and hour < 12:
        hour += 12
    minutes = 30 if minute == "半" else int(minute)
    return time(hour, minutes) if hour < 24 and minutes < 60 else None


async def _done(context: Context, when: When, timing: Timing) -> int:
    """The timing is whole: on to what it is for."""
    if not _upcoming(timing, context.now):
        return await _ask_clock(context, when, timing, why_not(context.t, "in_past"))
    if when["posting"] is not None:
        context.draft.pop("when", None)
        return await group_posts.set_timing(context, when["posting"], timing)
    draft = await posting.drafted(context, when["token"])
    if draft is None:
        return END
    context.draft.pop("when", None)
    draft["timing"] = posting.kept(timing)
    return await posting.show(context)


def _upcoming(timing: Timing, now: datetime) -> bool:
    return next_turn(timing, now) is not None


ENTRY = [
    on("gwhen", ask, ID),
    on("gtime", ask_again, ID),
    on("gwnow", now, ID),
    on("gw", repeat, ID + ":(?:" + "|".join(Repeat) + ")"),
    on("gwd", day, ID + r":\d{1,8}"),
    on("gwn", days_done, ID),
    on("gwc", clock, ID + r":(?:[01]\d|2[0-3])[0-5]\d"),
]
STATES = {
    Times.DAY: [written(day_written)],
    Times.CLOCK: [written(clock_written)],
}
