"""The dates of a line in words: how long it is valid, what keeps it, how long the grace is."""

from datetime import date, datetime, timedelta

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.sims import rule_line, title
from bot.domain.days import DayProblem
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words

UNKNOWN = "u"
BACK = "b"
PAST = "p"
FUTURE = "f"
"""What a question's button answers when it is no number and no day."""

VALID_DAYS = (30, 90, 180, 365)
GRACE_DAYS = (30, 90, 120, 180)
_PROBLEMS = {
    DayProblem.EMPTY: N_("I can't read that as a date."),
    DayProblem.NOT_UNDERSTOOD: N_("I can't read that as a date."),
    DayProblem.AMBIGUOUS: N_("That could be two different dates. Write the year first."),
    DayProblem.NO_SUCH_DAY: N_("That date doesn't exist."),
    DayProblem.TOO_FAR: N_("That is too far away."),
}


def day_problem(t: Words, problem: DayProblem, today: date) -> Html:
    """What is wrong with a date, and how to write one."""
    return t("{why} Example: {example}", why=t(_PROBLEMS[problem]),
             example=(today + timedelta(days=30)).isoformat())  # fmt: skip


def day_passed(t: Words, today: date) -> Html:
    """A date that should lie ahead does not."""
    return t("That day has passed. Write a day to come, for example {example}.",
             example=(today + timedelta(days=30)).isoformat())  # fmt: skip


def day_ahead(t: Words, today: date) -> Html:
    """A date that should have passed has not."""
    return t("That day is still to come. Write the day it expired, for example {example}.",
             example=(today - timedelta(days=10)).isoformat())  # fmt: skip


def days_problem(t: Words, *, least: int) -> Html:
    """What is wrong with a number of days."""
    if least:
        return t("Write a number of days, for example 180, or a length such as 6 months.")
    return t("Write a number of days, for example 90; 0 means no grace period.")


def stamp(day: date) -> str:
    """A day in a button: 20261203."""
    return f"{day:%Y%m%d}"


def ask_day(
    t: Words, name: str, token: int, today: date, now: datetime, *, past: bool, unknown: bool,
    problem: Html | None = None,
) -> Screen:  # fmt: skip
    """Until when a line is valid, or with `past` when it expired."""
    question = (
        t("<b>{title}</b>: on which day did it expire?", title=name)
        if past
        else t("<b>{title}</b>: until which day is it valid?", title=name)
    )
    text = lines(
        problem,
        "" if problem else None,
        question,
        t("Tap one or write the date, for example {example}.",
          example=(today + timedelta(days=-10 if past else 60)).isoformat()),
    )  # fmt: skip
    offered = (-1, -7, -30, -60) if past else VALID_DAYS
    rows = [[_day(t, token, today, days, now)] for days in offered]
    last = [button(t.plain("I don't know"), "q", token, "day", UNKNOWN)] if unknown else []
    if past:
        last.append(button(t.plain("‹ Back"), "q", token, "day", FUTURE))
    else:
        last.append(button(t.plain("It has expired"), "q", token, "day", PAST))
    return Screen(text, [*rows, last, [button(t.plain("Cancel"), "q", token, "day", BACK)]])


def _day(t: Words, token: int, today: date, days: int, now: datetime) -> Button:
    day = today + timedelta(days=days)
    shown = t.date(day, now=now)
    if days < 0:
        label = t.n("{n} day ago · {date}", "{n} days ago · {date}", -days, date=shown)
    else:
        label = t.n("{n} day · {date}", "{n} days · {date}", days, date=shown)
    return button(label, "q", token, "day", stamp(day))


def ask_keep(t: Words, name: str, token: int, problem: Html | None = None) -> Screen:
    """How long a top-up keeps a line."""
    text = lines(
        problem,
        "" if problem else None,
        t("<b>{title}</b>: for how many days does one top-up keep it?", title=name),
        t("Tap one, or write a number of days."),
    )
    return Screen(text, _lengths(t, token, "keep", VALID_DAYS))


def ask_grace(t: Words, name: str, token: int, problem: Html | None = None) -> Screen:
    """How long a line can still be saved once it has expired."""
    text = lines(
        problem,
        "" if problem else None,
        t("<b>{title}</b>: for how many days after expiry can it still be saved?", title=name),
        t("This is its grace period. After it the number is lost."),
    )
    rows = _lengths(t, token, "grace", GRACE_DAYS)
    rows.insert(0, [button(t.plain("No grace period"), "q", token, "grace", 0)])
    return Screen(text, rows)


def _lengths(t: Words, token: int, step: str, offered: tuple[int, ...]) -> list[list[Button]]:
    rows = grid([button(t.n("{n} day", "{n} days", n), "q", token, step, n) for n in offered], 2)
    rows.append([
        button(t.plain("‹ Back"), "q", token, step, BACK),
        button(t.plain("I don't know"), "q", token, step, UNKNOWN),
    ])  # fmt: skip
    return rows


def how_to(t: Words, sim: Sim) -> Screen:
    """The instruction sheet of a line that its owner tops up (F20 has the other ways)."""
    text = lines(
        t("<b>Renew {title} yourself</b>", title=title(t, sim)),
        "",
        t("1. Top up in the carrier's app, on its website or in a shop."),
        t("    The number: <code>{number}</code>", number=sim.msisdn) if sim.msisdn else None,
        t("2. Wait for the carrier's message, and look for the new date in it."),
        t("3. Come back and tap the button below. I then remind you by the new date."),
        "",
        Html(f"ℹ️ {rule_line(t, sim.rule)}") if sim.rule else None,
    )
    rows = [
        [button(t.plain("✓ I have renewed it"), "done", sim.id)],
        [button(t.plain("‹ Back"), "sim", sim.id)],
    ]
    return Screen(text, rows)


def ask_renewed(
    t: Words, sim: Sim, offered: list[tuple[int, date]], by_rule: date | None, now: datetime,
    problem: Html | None = None,
) -> Screen:  # fmt: skip
    """Until when it is valid now. `offered` are numbers of days with the day they lead to.

    Each button also names the expiry it was made for, so that an old one can't undo a newer date.
    """
    old = stamp(t.local(sim.expiry).date()) if sim.expiry else UNKNOWN
    rows: list[list[Button]] = []
    if by_rule is not None:
        label = t.plain("By its rule: {date}", date=t.date(by_rule, now=now))
        rows.append([button(label, "dn", sim.id, stamp(by_rule), old)])
    picks = [
        button(t.n("+{n} day · {date}", "+{n} days · {date}", n, date=t.date(day, now=now)),
               "dn", sim.id, stamp(day), old)
        for n, day in offered
    ]  # fmt: skip
    rows += [[pick] for pick in picks]
    rows.append([button(t.plain("Not yet: how do I renew it?"), "how", sim.id)])
    rows.append([button(t.plain("‹ Back"), "sim", sim.id)])
    was = t("Until now: {date}", date=t.date(sim.expiry, now=now)) if sim.expiry else None
    text = lines(
        problem,
        "" if problem else None,
        t("Good. Until which day is <b>{title}</b> valid now?", title=title(t, sim)),
        was,
        t("Tap one or write the date, as the carrier's message says it."),
    )
    return Screen(text, rows)


def renewed(t: Words, old: datetime | None, new: datetime, now: datetime) -> Html:
    """The new date, as its owner says."""
    if old is None:
        return t("✅ Saved: valid until {new}.", new=t.date(new, now=now))
    return t("✅ Saved: {old} → <b>{new}</b>", old=t.date(old, now=now), new=t.date(new, now=now))


def saved(t: Words) -> Html:
    """Dates or a rule were changed."""
    return t("✅ Saved.")
