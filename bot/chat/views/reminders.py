"""Reminders in words: calm early, precise late, and what to do in one tap."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.sims import MARKS, allowances, dates, next_line, span, title
from bot.domain.chats import Preferences
from bot.domain.reminders import Planned, Stage, StageKind
from bot.domain.sims import Sim
from bot.i18n import Html, Words

OFFSETS = (14, 7, 5, 3, 2, 1, 0)
"""Days before expiry that can be chosen by button."""


def _news(t: Words, sim: Sim, stage: Stage, now: datetime) -> Html:
    name = title(sim)
    match stage.kind:
        case StageKind.EXPIRY if sim.expiry is not None:
            return _expiry(t, sim, sim.expiry, now)
        case StageKind.GRACE_STARTED if sim.grace_end is not None:
            return t(
                "🔴 <b>{title}</b> has expired. The number is still yours until {date}: "
                "renew it before then.",
                title=name,
                date=t.moment(sim.grace_end, now=now),
            )
        case StageKind.GRACE_STARTED:
            return t("🔴 <b>{title}</b> has expired. Renew it soon to keep it.", title=name)
        case StageKind.GRACE if sim.grace_end is not None:
            return t(
                "🔴 <b>{title}</b>: {left} to save the number. After {date} it is gone for good.",
                title=name,
                left=span(t, sim.grace_end, now),
                date=t.moment(sim.grace_end, now=now),
            )
        case StageKind.LOST:
            return t(
                "⚫️ The grace period of <b>{title}</b> has ended. The number can no longer be "
                "renewed here; the carrier may still help if you ask today.",
                title=name,
            )
        case StageKind.USED_UP:
            return t("🟠 <b>{title}</b>: the data is used up.", title=name)
    return t("🟡 <b>{title}</b>: data is running low.", title=name)


def _expiry(t: Words, sim: Sim, expiry: datetime, now: datetime) -> Html:
    days = (t.local(expiry).date() - t.local(now).date()).days
    if days <= 0:
        return t(
            "⏰ <b>{title}</b> expires today at {time}.", title=title(sim), time=t.clock(expiry)
        )
    if days == 1:
        return t(
            "⏰ <b>{title}</b> expires tomorrow at {time}.", title=title(sim), time=t.clock(expiry)
        )
    return t.n(
        "🗓 <b>{title}</b> expires in {n} day, on {date}.",
        "🗓 <b>{title}</b> expires in {n} days, on {date}.",
        days,
        title=title(sim),
        date=t.moment(expiry, now=now),
    )


def _advice(t: Words, sim: Sim, stage: Stage, *, after_expiry: bool) -> Html | None:
    if stage.kind is StageKind.EXPIRY and not after_expiry:
        return t("This eSIM can't be topped up after it expires. Renew it before then.")
    if stage.kind is StageKind.EXPIRY and sim.grace_end is None:
        return t("Renew in time, so that the number is not lost.")
    return None


def reminder(
    t: Words, sim: Sim, stage: Stage, also: Stage | None, now: datetime, *, after_expiry: bool
) -> Screen:
    """One SIM's reminder. `after_expiry`: it can still be renewed once it has expired."""
    facts = allowances(t, sim.reading) if stage.of_data or (also and also.of_data) else []
    text = lines(
        _news(t, sim, stage, now),
        *facts,
        _advice(t, sim, stage, after_expiry=after_expiry),
    )
    if stage.kind is StageKind.LOST:
        rows = [
            [
                button(t.plain("Already renewed"), "done", sim.id),
                button(t.plain("Remove this SIM"), "remove", sim.id),
            ]
        ]
        return Screen(text, rows)
    return Screen(
        text,
        [
            [button(t.plain("Renew now"), "again", sim.id)],
            [
                button(t.plain("Snooze"), "snooze", sim.id),
                button(t.plain("Already renewed"), "done", sim.id),
            ],
            [button(t.plain("Stop for this SIM"), "stop", sim.id)],
        ],
    )


def digest(t: Words, items: Sequence[tuple[Sim, Stage]], now: datetime) -> Screen:
    """Several SIMs in one message, most urgent first, one button each."""
    rows = [
        [button(t.plain("Renew {title}", title=title(sim)), "again", sim.id)] for sim, _ in items
    ]
    text = lines(
        t.n("{n} SIM needs you:", "{n} SIMs need you:", len(items)),
        "",
        *(_news(t, sim, stage, now) for sim, stage in items),
    )
    return Screen(text, [*rows, [button(t.plain("My SIMs"), "sims")]])


def snooze(t: Words, sim: Sim) -> Screen:
    """For how long to be quiet."""
    return Screen(
        t("When shall I remind you of <b>{title}</b> again?", title=title(sim)),
        [
            [
                button(t.plain("In 1 day"), "snz", sim.id, 1),
                button(t.plain("In 3 days"), "snz", sim.id, 3),
            ],
            [button(t.plain("On a day I choose"), "snzday", sim.id)],
            [button(t.plain("‹ Back"), "sim", sim.id)],
        ],
    )


def one_sim(t: Words, sim: Sim, planned: Planned | None, now: datetime, note: str | None) -> Screen:
    """A SIM's reminders: what comes next, and what can be changed."""
    switch = (
        button(t.plain("Start again"), "start_again", sim.id)
        if sim.reminders_stopped
        else button(t.plain("Stop for this SIM"), "stop", sim.id)
    )
    return Screen(
        lines(
            Html(note) if note else None,
            "" if note else None,
            t("<b>Reminders for {title}</b>", title=title(sim)),
            *dates(t, sim, now),
            next_line(t, sim, planned, now),
        ),
        [
            [button(t.plain("Snooze"), "snooze", sim.id), switch],
            [button(t.plain("When and how"), "rem")],
            [button(t.plain("‹ Back"), "sim", sim.id)],
        ],
    )


def settings(
    t: Words, preferences: Preferences, nexts: Sequence[tuple[Sim, Planned | None]], now: datetime
) -> Screen:
    """All reminder settings of a person, and what comes next for each SIM (F35)."""
    chosen = set(preferences.offsets)
    days = [
        button(("✓ " if day in chosen else "") + _offset(t, day), "off", day) for day in OFFSETS
    ]
    quiet = (
        t("none")
        if preferences.quiet_start == preferences.quiet_end
        else Html(f"{preferences.quiet_start:%H:%M}–{preferences.quiet_end:%H:%M}")
    )
    text = lines(
        t("<b>Reminders</b>"),
        t("On") if preferences.on else t("Off: no SIM is watched"),
        t("Time: about {hour} in {zone}", hour=f"{preferences.hour:02d}:00",
          zone=zone_name(t, preferences.zone)),
        t("Quiet hours: {hours}", hours=quiet),
        t("On the last day, quiet hours may be broken")
        if preferences.urgent_override
        else t("Quiet hours are never broken"),
        "",
        *(
            Html(f"{MARKS[sim.state_at(now)]} {t('{title}', title=title(sim))}: "
                 f"{next_line(t, sim, planned, now)}")
            for sim, planned in nexts
        ),
        "" if nexts else None,
        t("Days before expiry on which I write:"),
    )  # fmt: skip
    rows: list[list[Button]] = [
        *grid(days, 4),
        [
            button(t.plain("Hour"), "hour"),
            button(t.plain("Quiet hours"), "quiet"),
            button(t.plain("Time zone"), "zone"),
        ],
        [
            button(
                t.plain("Last day: keep quiet")
                if preferences.urgent_override
                else t.plain("Last day: may wake me"),
                "urgent",
            ),
            button(t.plain("Turn off") if preferences.on else t.plain("Turn on"), "onoff"),
        ],
        [button(t.plain("‹ Menu"), "menu")],
    ]
    return Screen(text, rows)


def _offset(t: Words, day: int) -> str:
    if day == 0:
        return t.plain("same day")
    return str(t.n("{n} day", "{n} days", day))


def zone_name(t: Words, zone: str) -> str:
    """A zone as its city in the reader's language."""
    from babel.dates import get_timezone_location

    return str(get_timezone_location(zone, locale=t.locale, return_city=True))
