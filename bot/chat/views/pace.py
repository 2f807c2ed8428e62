"""A SIM's pace in words (F5): how far the data reaches, and the arithmetic behind it."""

from datetime import datetime, timedelta
from decimal import Decimal

from bot.chat.screen import Screen, button, lines
from bot.domain.pace import WINDOW, Pace, Use
from bot.domain.sims import Sim
from bot.i18n import Html, Words

_DAY = timedelta(days=1)


def lately(t: Words, pace: Pace | None) -> str:
    """What was used lately."""
    if pace is None:
        return t.plain("Too few readings yet to tell a pace.")
    if pace.used == 0:
        return t.plain("No data was used lately.")
    return t.plain("Lately about {amount} a day", amount=t.data(pace.per_day))


def verdict(t: Words, sim: Sim, pace: Pace | None, now: datetime) -> Html | None:
    """How far the data reaches, and what that means for the days left; None when not known.

    What is left unused at the expiry is lost: light use says how much that will be.
    """
    if pace is None or pace.left == 0 or (sim.expiry is not None and sim.expiry <= now):
        return None
    if sim.expiry is None or pace.use is None:
        if pace.lasts_until is None:
            return None
        return t("At this pace it lasts until {date}.", date=t.date(pace.lasts_until, now=now))
    expiry = t.date(sim.expiry, now=now)
    if pace.use is Use.HEAVY and pace.lasts_until is not None and sim.expiry - now < _DAY:
        return t(
            "Heavy use: at this pace the data lasts until {time}. It expires at {expiry}.",
            time=t.moment(pace.lasts_until, now=now), expiry=t.moment(sim.expiry, now=now),
        )  # fmt: skip
    if pace.use is Use.HEAVY and pace.lasts_until is not None and pace.afford is not None:
        return t(
            "Heavy use: at this pace the data lasts until {date}. With {afford} a day it lasts "
            "until it expires on {expiry}.",
            date=t.date(pace.lasts_until, now=now), afford=t.data(pace.afford), expiry=expiry,
        )  # fmt: skip
    if pace.use is Use.LIGHT and pace.unused is not None:
        return t(
            "Light use: at this pace {unused} will be left over and lost on {expiry}.",
            unused=t.data(pace.unused), expiry=expiry,
        )  # fmt: skip
    return t("At this pace the data lasts until it expires on {expiry}.", expiry=expiry)


def arithmetic(t: Words, sim: Sim, title: str, pace: Pace | None, now: datetime) -> Screen:
    """Every number the verdict comes from, and the rule it follows."""
    rows = [
        [button(t.plain("30 days of use"), "use", sim.id)],
        [button(t.plain("‹ Back"), "sim", sim.id)],
    ]
    head = t("<b>{title}</b>: how the pace is worked out", title=title)
    if pace is None:
        text = lines(head, "", Html(lately(t, None)), _why_not(t))
        return Screen(text, rows)
    window = t.n(
        "Only readings of the last {n} day count, and only the time between two readings with "
        "no top-up in between.",
        "Only readings of the last {n} days count, and only the time between two readings with "
        "no top-up in between.",
        WINDOW.days,
    )
    text = lines(
        head, "", *_used(t, pace), "", *_reach(t, pace, now), "", *_expiry(t, sim, pace, now),
        Html(f"<i>{window}</i>"),
    )  # fmt: skip
    return Screen(text, rows)


def _why_not(t: Words) -> Html:
    return t("It takes at least a day of readings, the newest of them at most three days old.")


def _used(t: Words, pace: Pace) -> list[Html]:
    return [
        t("Used: {used} in {days} days", used=t.data(pace.used), days=_days(t, pace.span)),
        t("= <b>{per_day} a day</b>", per_day=t.data(pace.per_day)),
    ]


def _reach(t: Words, pace: Pace, now: datetime) -> list[Html]:
    left = t("Left: {left} on {when}", left=t.data(pace.left), when=t.moment(pace.as_of, now=now))
    if pace.lasts_until is None or pace.left == 0:
        return [left]
    return [
        left,
        t("{left} ÷ {per_day} a day = {days} days", left=t.data(pace.left),
          per_day=t.data(pace.per_day), days=_days(t, pace.lasts_until - pace.as_of)),
        t("= <b>until {date}</b>", date=t.moment(pace.lasts_until, now=now)),
    ]  # fmt: skip


def _expiry(t: Words, sim: Sim, pace: Pace, now: datetime) -> list[Html]:
    """Held against the expiry; nothing without one."""
    if sim.expiry is None or pace.to_expiry is None or pace.afford is None or pace.use is None:
        return []
    days = _days(t, pace.to_expiry)
    expected = round(pace.used * (pace.to_expiry / pace.span))
    use = {
        Use.HEAVY: t("More than what is left: <b>heavy use</b>."),
        Use.NORMAL: t("Between half and all of what is left: normal use."),
        Use.LIGHT: t("Less than half of what is left: <b>light use</b>."),
    }[pace.use]
    found = [
        t("Until it expires on {date}: {days} days", date=t.date(sim.expiry, now=now), days=days),
        t("{per_day} a day × {days} days = {expected}", per_day=t.data(pace.per_day), days=days,
          expected=t.data(expected)),
        use,
        t("{left} ÷ {days} days = {afford} a day would just be enough.", left=t.data(pace.left),
          days=days, afford=t.data(pace.afford)),
    ]  # fmt: skip
    if pace.unused:
        found.append(
            t("{unused} would be left over. Unused data is lost at expiry.",
              unused=t.data(pace.unused))
        )  # fmt: skip
    return [*found, Html("")]


def _days(t: Words, span: timedelta) -> str:
    """Days with one decimal."""
    return t.number(round(Decimal(span / _DAY), 1))
