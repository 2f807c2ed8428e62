"""Reminders in words: calm early, precise late, and what to do in one tap."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.news import news
from bot.chat.views.sims import allowances, dates, mark, next_line, title
from bot.chat.views.zones import zone_label, zone_name
from bot.domain.chats import Preferences
from bot.domain.reminders import Planned
from bot.domain.sims import Sim
from bot.domain.stages import Stage, StageKind
from bot.domain.zones import QuietHours
from bot.i18n import Html, Words

OFFSETS = (14, 7, 5, 3, 2, 1, 0)
"""Days before expiry that can be chosen by button."""
HOURS = (7, 8, 9, 10, 12, 14, 18, 20)
QUIET = (("22:00", "08:00"), ("21:00", "09:00"), ("23:00", "07:00"), ("00:00", "09:00"))
MOST_LINES = 10
"""SIMs named on the settings' screen; the others are under My SIMs."""


def _advice(t: Words, sim: Sim, stage: Stage, *, after_expiry: bool) -> Html | None:
    if stage.kind is StageKind.EXPIRY and not after_expiry:
        return t("This eSIM can't be topped up after it expires. Renew it before then.")
    if stage.kind is StageKind.EXPIRY and sim.grace_end is None:
        return t("Renew in time, so that the number is not lost.")
    if stage.kind is StageKind.GRACE_STARTED and not after_expiry:
        return t("It can't be topped up any more. Our shop can give you a new eSIM.")
    if stage.kind is StageKind.GRACE_STARTED and sim.grace_end is None and sim.expiry is not None:
        return t("Renew it soon, so that the number is not lost.")
    return None


def reminder(
    t: Words, sim: Sim, stage: Stage, also: Stage | None, now: datetime, *, after_expiry: bool,
    keep: Sequence[Html] = (),
) -> Screen:  # fmt: skip
    """One SIM's reminder. `after_expiry`: it can still be renewed once it has expired; `keep` says
    what keeps its number."""
    facts = allowances(t, sim.reading) if stage.of_data or (also and also.of_data) else []
    dated = also is not None and not also.of_data
    about_use = stage.kind is StageKind.KEEP or sim.expiry is None
    text = lines(
        news(t, sim, stage, now),
        news(t, sim, also, now) if also is not None and dated else None,
        *facts,
        _advice(t, sim, stage, after_expiry=after_expiry),
        *(keep if about_use or dated else ()),
    )
    if stage.kind is StageKind.LOST:
        rows = [
            [
                button(t.plain("Already renewed"), "done", sim.id),
                button(t.plain("Remove this SIM"), "remove", sim.id),
            ]
        ]
        return Screen(text, rows)
    if about_use:
        return Screen(text, _keep_rows(t, sim))
    first = (
        button(t.plain("Renew now"), "again", sim.id)
        if after_expiry or stage.kind is not StageKind.GRACE_STARTED
        else button(t.plain("Ask for a new eSIM"), "replace", sim.id)
    )
    return Screen(
        text,
        [
            [first],
            [
                button(t.plain("Snooze"), "snooze", sim.id),
                button(t.plain("Already renewed"), "done", sim.id),
            ],
            [button(t.plain("Stop for this SIM"), "stop", sim.id)],
        ],
    )


def _keep_rows(t: Words, sim: Sim) -> list[list[Button]]:
    """What can be done where a number has to be used."""
    return [
        [button(t.plain("I used it today"), "used", sim.id)],
        [button(t.plain("How to keep it"), "keep", sim.id)],
        [
            button(t.plain("Renew now"), "again", sim.id),
            button(t.plain("Snooze"), "snooze", sim.id),
        ],
        [button(t.plain("Stop for this SIM"), "stop", sim.id)],
    ]


def digest(t: Words, items: Sequence[tuple[Sim, Stage]], now: datetime) -> Screen:
    """Several SIMs in one message, most urgent first, one button each."""
    rows = [
        [button(t.plain("I used {title} today", title=title(t, sim)), "used", sim.id)]
        if stage.kind is StageKind.KEEP
        else [button(t.plain("Renew {title}", title=title(t, sim)), "again", sim.id)]
        for sim, stage in items
    ]
    text = lines(
        t.n("{n} SIM needs you:", "{n} SIMs need you:", len(items)),
        "",
        *(news(t, sim, stage, now) for sim, stage in items),
    )
    return Screen(text, [*rows, [button(t.plain("My SIMs"), "sims")]])


def snooze(t: Words, sim: Sim) -> Screen:
    """For how long to be quiet."""
    return Screen(
        t("When shall I remind you of <b>{title}</b> again?", title=title(t, sim)),
        [
            [
                button(t.plain("In 1 day"), "snz", sim.id, 1),
                button(t.plain("In 3 days"), "snz", sim.id, 3),
            ],
            [button(t.plain("On a day I choose"), "snzday", sim.id)],
            [button(t.plain("‹ Back"), "simrem", sim.id)],
        ],
    )


def ask_snooze_day(t: Words, sim: Sim, today: date, problem: Html | None = None) -> Screen:
    """Until which day to be quiet."""
    text = lines(
        problem,
        "" if problem else None,
        t("On which day shall I remind you of <b>{title}</b>? Write the date, for example {day}.",
          title=title(t, sim), day=(today + timedelta(days=5)).isoformat()),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Back"), "snooze", sim.id)]])


def snoozed(t: Words, sim: Sim, until: datetime, now: datetime) -> Html:
    """Until when nothing is sent; plainly, when that is too late to act."""
    said = t("✓ I write again on {when}.", when=t.moment(until, now=now))
    expired = sim.end is not None and sim.end <= now
    limit = sim.grace_end if expired else sim.end
    if limit is None or until < limit:
        return said
    if expired:
        late = t("⚠️ The grace period ends before that, on {date}: the number is lost then.",
                 date=t.moment(limit, now=now))  # fmt: skip
    elif sim.expiry is None:
        late = t("⚠️ The keep-number deadline comes before that, on {date}.",
                 date=t.moment(limit, now=now))  # fmt: skip
    else:
        late = t("⚠️ The SIM expires before that, on {date}.", date=t.moment(limit, now=now))
    return lines(said, late)


def stopped(t: Words) -> Html:
    """Said above the SIM's reminders."""
    return t("✓ I no longer write about this SIM. Its dates stay under My SIMs.")


def started(t: Words) -> Html:
    """Said above the SIM's reminders."""
    return t("✓ I write about this SIM again.")


def one_sim(
    t: Words, sim: Sim, planned: Planned | None, now: datetime, note: Html | None = None
) -> Screen:
    """A SIM's reminders: what comes next, and what can be changed."""
    rows: list[list[Button]] = []
    if sim.reminders_stopped:
        rows.append([button(t.plain("Start again"), "start_again", sim.id)])
    else:
        if note is not None:
            rows.append([button(t.plain("Renew now"), "again", sim.id)])
        rows.append([
            button(t.plain("Snooze"), "snooze", sim.id),
            button(t.plain("Stop for this SIM"), "stop", sim.id),
        ])  # fmt: skip
    rows += [
        [button(t.plain("Days, hour, quiet hours"), "rem")],
        [button(t.plain("‹ Back"), "sim", sim.id)],
    ]
    text = lines(
        note,
        "" if note else None,
        t("<b>Reminders for {title}</b>", title=title(t, sim)),
        *dates(t, sim, now),
        t("Keep-number deadline: {date}", date=t.moment(sim.keep_deadline, now=now))
        if sim.keep_deadline
        else None,
        Html(f"🔔 {next_line(t, sim, planned, now)}"),
    )
    return Screen(text, rows)


# ---- settings ----------------------------------------------------------------------------


def settings(
    t: Words,
    preferences: Preferences,
    nexts: Sequence[tuple[Sim, Planned | None]],
    now: datetime,
    note: Html | None = None,
) -> Screen:
    """All reminder settings of a person, and what comes next for each SIM (F35).

    Switches carry the value they set, so that a tap done twice sets it once.
    """
    chosen = set(preferences.offsets)
    days = [
        button(
            ("✓ " if day in chosen else "") + _offset(t, day), "off", day, int(day not in chosen)
        )
        for day in OFFSETS
    ]
    unlisted = len(nexts) - MOST_LINES
    text = lines(
        note,
        "" if note else None,
        t("<b>Reminders</b>"),
        None if preferences.on else t("⏸ Reminders are off."),
        t("🕘 About {hour}, {zone} time", hour=f"{preferences.hour:02d}:00",
          zone=zone_name(t, preferences.zone)),
        _quiet_line(t, preferences),
        "",
        *(_next(t, sim, planned, now) for sim, planned in nexts[:MOST_LINES]),
        t.n("… and {n} more SIM", "… and {n} more SIMs", unlisted) if unlisted > 0 else None,
        "" if nexts else None,
        t("I write this many days before a SIM expires; tap to change:"),
    )  # fmt: skip
    rows: list[list[Button]] = [
        *grid(days, 4),
        [
            button(t.plain("Hour"), "hour"),
            button(t.plain("Quiet hours"), "quiet"),
            button(t.plain("Time zone"), "zone"),
        ],
    ]
    if preferences.quiet_start != preferences.quiet_end:
        rows.append([_urgent(t, preferences)])
    rows.append([
        button(t.plain("Turn off all"), "onoff", 0)
        if preferences.on
        else button(t.plain("Turn on"), "onoff", 1),
        button(t.plain("‹ Menu"), "menu"),
    ])  # fmt: skip
    return Screen(text, rows)


def _next(t: Words, sim: Sim, planned: Planned | None, now: datetime) -> Html:
    name = t("<b>{title}</b>", title=title(t, sim))
    return Html(f"{mark(sim, now)} {name}\n{next_line(t, sim, planned, now)}")


def _quiet_line(t: Words, preferences: Preferences) -> Html:
    if preferences.quiet_start == preferences.quiet_end:
        return t("🌙 No quiet hours")
    hours = f"{preferences.quiet_start:%H:%M}–{preferences.quiet_end:%H:%M}"
    if preferences.urgent_override:
        return t("🌙 Quiet {hours}, except on the last day", hours=hours)
    return t("🌙 Quiet {hours}", hours=hours)


def _urgent(t: Words, preferences: Preferences) -> Button:
    if preferences.urgent_override:
        return button(t.plain("Keep quiet on the last day too"), "urgent", 0)
    return button(t.plain("On the last day you may wake me"), "urgent", 1)


def _offset(t: Words, day: int) -> str:
    if day == 0:
        return t.plain("same day")
    return str(t.n("{n} day", "{n} days", day))


def ask_hour(t: Words, preferences: Preferences, problem: Html | None = None) -> Screen:
    """At which hour to write."""
    hours = [
        button(("✓ " if hour == preferences.hour else "") + f"{hour}:00", "hr", hour)
        for hour in HOURS
    ]
    text = lines(
        problem,
        "" if problem else None,
        t("At what time of day shall I write? Tap one, or write an hour from 0 to 23."),
    )
    return Screen(text, [*grid(hours, 4), [button(t.plain("‹ Back"), "rem")]])


def hour_problem(t: Words) -> Html:
    """What was written is no hour."""
    return t("That isn't an hour of the day. Example: 9 or 18:00.")


def hour_set(t: Words, preferences: Preferences) -> Html:
    """The hour, and what quiet hours make of it."""
    hour = f"{preferences.hour:02d}:00"
    quiet = QuietHours(preferences.quiet_start, preferences.quiet_end, t.zone)
    moment = datetime(2026, 1, 15, preferences.hour, tzinfo=t.zone)
    if quiet.cover(moment):
        return t("✓ {hour}. That is in your quiet hours, so I wait until {end}.",
                 hour=hour, end=f"{preferences.quiet_end:%H:%M}")  # fmt: skip
    return t("✓ I write at about {hour}.", hour=hour)


def ask_quiet(t: Words, preferences: Preferences, problem: Html | None = None) -> Screen:
    """When to be quiet."""
    picks = [
        button(f"{start}–{end}", "qt", f"{start}-{end}".replace(":", "")) for start, end in QUIET
    ]
    text = lines(
        problem,
        "" if problem else None,
        t("When shall I be quiet? Tap one, or write it like 22:30-7:30."),
    )
    rows = [
        *grid(picks, 2),
        [button(t.plain("No quiet hours"), "qt", "0000-0000")],
        [button(t.plain("‹ Back"), "rem")],
    ]
    return Screen(text, rows)


def quiet_problem(t: Words) -> Html:
    """What was written is no span of hours."""
    return t("I can't read that as two times. Example: 22:30-7:30.")


def quiet_set(t: Words, start: time, end: time) -> Html:
    """The quiet hours."""
    if start == end:
        return t("✓ No quiet hours.")
    return t("✓ Quiet from {start} to {end}.", start=f"{start:%H:%M}", end=f"{end:%H:%M}")


def ask_zone(
    t: Words, zones: Sequence[str], now: datetime, *, found: bool, problem: Html | None = None
) -> Screen:
    """Which zone: each with the time there now, by which people know theirs."""
    rows = [[button(zone_label(t, zone, now), "zn", zone)] for zone in zones]
    if found:
        question = t.n("Is this the time where you are?", "Which of these is yours?", len(zones))
    else:
        question = t("What time is it where you are? Tap it, or write your city.")
    text = lines(problem, "" if problem else None, question)
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "rem")]])


def zone_problem(t: Words) -> Html:
    """No city is called so."""
    return t("I don't know that city. Write the nearest big city, or your offset such as UTC+8.")


def zone_set(t: Words, zone: str, now: datetime) -> Html:
    """The zone, with its present time."""
    return t("✓ Your time: {city}.", city=zone_label(t, zone, now))
