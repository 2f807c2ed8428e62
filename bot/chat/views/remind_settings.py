"""The settings of reminders in words: of a person, and of one SIM."""

from collections.abc import Sequence
from datetime import datetime, time

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.sims import mark, next_line, title
from bot.chat.views.zones import zone_label, zone_name
from bot.domain.chats import Preferences
from bot.domain.reminders import Planned, preferences_of
from bot.domain.sims import OwnReminders, Sim
from bot.domain.zones import QuietHours
from bot.i18n import Html, Words

OFFSETS = (14, 7, 5, 3, 2, 1, 0)
"""Days before expiry that can be chosen by button."""
HOURS = (7, 8, 9, 10, 12, 14, 18, 20)
QUIET = (("22:00", "08:00"), ("21:00", "09:00"), ("23:00", "07:00"), ("00:00", "09:00"))
MOST_LINES = 10
"""SIMs named on the settings' screen; the others are under My SIMs."""


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
    unlisted = len(nexts) - MOST_LINES
    text = lines(
        note,
        "" if note else None,
        t("<b>Reminders</b>"),
        None if preferences.on else t("⏸ Reminders are off."),
        _hour_line(t, preferences),
        _quiet_line(t, preferences),
        t("📬 Several SIMs of one day come in one message") if preferences.digest
        else t("📬 Every SIM gets a message of its own"),
        None if preferences.news else t("🔕 No news from our shop"),
        "",
        *(_next(t, sim, planned, now) for sim, planned in nexts[:MOST_LINES]),
        t.n("… and {n} more SIM", "… and {n} more SIMs", unlisted) if unlisted > 0 else None,
        "" if nexts else None,
        t("I write this many days before a SIM expires; tap to change:"),
    )  # fmt: skip
    rows: list[list[Button]] = [
        *grid(_days(t, preferences.offsets, "off"), 4),
        [
            button(t.plain("Hour"), "hour"),
            button(t.plain("Quiet hours"), "quiet"),
            button(t.plain("Time zone"), "zone"),
        ],
    ]
    if preferences.quiet_start != preferences.quiet_end:
        rows.append([_urgent(t, preferences.urgent_override, "urgent")])
    rows.append([
        button(t.plain("A message for each SIM"), "digest", 0)
        if preferences.digest
        else button(t.plain("All in one message"), "digest", 1),
        button(t.plain("Calendar"), "cal"),
    ])  # fmt: skip
    rows.append([
        button(t.plain("Turn off all"), "onoff", 0)
        if preferences.on
        else button(t.plain("Turn on"), "onoff", 1),
        button(t.plain("No shop news"), "shopnews", 0)
        if preferences.news
        else button(t.plain("Shop news on"), "shopnews", 1),
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


def _hour_line(t: Words, preferences: Preferences) -> Html:
    hour, city = f"{preferences.hour:02d}:00", zone_name(t, preferences.zone)
    if preferences.zone_confirmed:
        return t("🕘 About {hour}, {zone} time", hour=hour, zone=city)
    return t("🕘 About {hour}, {zone} time; I guess you live there", hour=hour, zone=city)


def _days(t: Words, chosen: Sequence[int], verb: str, *before: object) -> list[Button]:
    """One switch for each day; it carries what it sets."""
    return [
        button(
            ("✓ " if day in chosen else "") + _offset(t, day),
            verb, *before, day, int(day not in chosen),
        )
        for day in OFFSETS
    ]  # fmt: skip


def _urgent(t: Words, override: bool, verb: str, *before: object) -> Button:
    if override:
        return button(t.plain("Keep quiet on the last day too"), verb, *before, 0)
    return button(t.plain("On the last day you may wake me"), verb, *before, 1)


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


# ---- one SIM -----------------------------------------------------------------------------


def own(
    t: Words, sim: Sim, preferences: Preferences, planned: Planned | None, now: datetime
) -> Screen:
    """What is otherwise for this SIM. The zone and the quiet hours are a person's, who sleeps
    once."""
    mine = sim.own or OwnReminders()
    here = preferences_of(sim, preferences)
    text = lines(
        t("<b>Only for {title}</b>", title=title(t, sim)),
        t("🕘 About {hour}", hour=f"{here.hour:02d}:00"),
        t("📬 In a message of its own") if mine.alone else None,
        Html(f"🔔 {next_line(t, sim, planned, now)}"),
        "",
        t("What you change here holds for this SIM alone.")
        if sim.own is None
        else t("This SIM has settings of its own. Tap the last button to go by those of all."),
    )
    hours = [
        button(("✓ " if hour == here.hour else "") + f"{hour}:00", "ownhr", sim.id, hour)
        for hour in HOURS
    ]
    rows = [*grid(_days(t, here.offsets, "ownoff", sim.id), 4), *grid(hours, 4)]
    if preferences.quiet_start != preferences.quiet_end:
        rows.append([_urgent(t, here.urgent_override, "ownurgent", sim.id)])
    if preferences.digest:
        rows.append([
            button(t.plain("Together with my other SIMs"), "ownalone", sim.id, 0)
            if mine.alone
            else button(t.plain("In a message of its own"), "ownalone", sim.id, 1)
        ])  # fmt: skip
    if sim.own is not None:
        rows.append([button(t.plain("As for all my SIMs"), "ownnone", sim.id)])
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "simrem", sim.id)]])
