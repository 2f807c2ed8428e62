"""The balance card of one SIM (F4, F5), as text."""

from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.pace import verdict
from bot.chat.views.sims import (
    allowances,
    dates,
    mark,
    next_line,
    over,
    source_line,
    state_words,
    title,
    unused,
)
from bot.domain.pace import Pace
from bot.domain.reminders import Planned
from bot.domain.sims import Sim, Tracking
from bot.i18n import Html, Words


def outlook(t: Words, sim: Sim, pace: Pace | None, now: datetime) -> Html | None:
    """Where the pace leads (F5); while none is known, in the last week, what would be lost."""
    told = verdict(t, sim, pace, now)
    return Html(f"📈 {told}") if told else unused(t, sim, now)


def _looks(t: Words, sim: Sim, pace: Pace | None, now: datetime) -> list[list[Button]]:
    """Other looks at the same SIM; only what a supplier reads has a use to plot."""
    shown = [button(t.plain("Picture"), "pic", sim.id)]
    if sim.tracking is Tracking.MANAGED:
        shown.append(button(t.plain("30 days of use"), "use", sim.id))
    if verdict(t, sim, pace, now) is None:
        return [shown]
    return [shown, [button(t.plain("How is this worked out?"), "pace", sim.id)]]


def _others(t: Words, sim: Sim) -> list[Button]:
    """Screens of the same SIM."""
    return [
        button(t.plain("Auto-renew"), "auto", sim.id),
        button(t.plain("Reminders"), "simrem", sim.id),
        button(t.plain("More"), "more", sim.id),
    ]


def card(
    t: Words,
    sim: Sim,
    planned: Planned | None,
    now: datetime,
    *,
    stale: bool,
    asking: bool = False,
    note: Html | None = None,
    ask_zone: str | None = None,
    pace: Pace | None = None,
    keep: Screen | None = None,
    undo: Button | None = None,
    renews: Html | None = None,
) -> Screen:
    """The balance card of one SIM (F4). `note` says above it what has just happened, and `undo`
    takes it back; `keep` what its keep-number rule says and offers; `asking` that the supplier is
    being asked; `stale` that it could not be; `ask_zone` is a zone (IANA) that was guessed, to be
    confirmed by the time on its clocks; `pace` how fast data is used;
    `renews` that it renews by itself."""
    text = lines(
        note,
        "" if note else None,
        Html(f"{mark(sim, now)} {t('<b>{title}</b>', title=title(t, sim))}"),
        state_words(t, sim, now),
        "",
        *([] if over(sim, now) else allowances(t, sim.reading)),
        *dates(t, sim, now),
        (keep.text or None) if keep else None,
        outlook(t, sim, pace, now),
        "",
        Html(f"<i>{source_line(t, sim, now)}</i>"),
        t("⏳ Asking the supplier…") if asking else None,
        t("The supplier can't be reached right now; these are the last numbers we have.")
        if stale
        else None,
        Html(f"🔔 {next_line(t, sim, planned, now)}"),
        renews,
        "" if ask_zone else None,
        t("Is it {time} where you are? I remind you by that clock.", time=t.clock(now))
        if ask_zone
        else None,
    )
    first = [button(t.plain("Renew"), "renew", sim.id)]
    if sim.tracking is Tracking.MANAGED:
        first.append(button(t.plain("Refresh"), "sim", sim.id, "fresh"))
    else:
        first.append(button(t.plain("Change dates"), "dates", sim.id))
    rows = [
        [undo] if undo else [],
        first,
        *([list(row) for row in keep.rows] if keep else []),
        *_looks(t, sim, pace, now),
        _others(t, sim),
        [button(t.plain("‹ My SIMs"), "sims")],
    ]
    if ask_zone is not None:
        right = button(t.plain("Yes, it is {time}", time=t.clock(now)), "zn", ask_zone)
        rows.insert(0, [right, button(t.plain("No"), "zone")])
    return Screen(text, rows)
