"""Reminders in words: calm early, precise late, and what to do in one tap."""

from collections.abc import Container, Sequence
from datetime import date, datetime, timedelta

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.news import data_only, in_grace, news
from bot.chat.views.news import stopped as stopped_line
from bot.chat.views.rules import brief
from bot.chat.views.sims import allowances, dates, next_line, title
from bot.domain.reminders import Planned
from bot.domain.rules import Rule
from bot.domain.sims import Sim
from bot.domain.stages import Stage, StageKind
from bot.i18n import Html, Words

MOST_TOLD = 10
"""SIMs named in one digest; the others are under My SIMs."""


def _advice(t: Words, sim: Sim, stage: Stage, *, after_expiry: bool) -> Html | None:
    if stage.kind is StageKind.EXPIRY and not after_expiry:
        return t("This eSIM can't be topped up after it expires. Renew it before then.")
    if stage.kind is StageKind.EXPIRY and sim.grace_end is None and not data_only(sim):
        return t("Renew in time, so that the number is not lost.")
    if stage.kind is StageKind.GRACE_STARTED and not after_expiry:
        return t("It can't be topped up any more. Our shop can give you a new eSIM.")
    if stage.kind is StageKind.GRACE_STARTED and sim.grace_end is None and not data_only(sim):
        return t("How long the number is still kept is not known: today is safest.")
    return None


def _close(stage: Stage) -> bool:
    """Near enough to its end to say how the number is kept without us."""
    if stage.kind is StageKind.EXPIRY:
        return (stage.number or 0) <= 1
    return stage.kind in (StageKind.GRACE_STARTED, StageKind.GRACE)


def reminder(
    t: Words, sim: Sim, stage: Stage, also: Stage | None, now: datetime, *, after_expiry: bool,
    rule: Rule | None = None,
) -> Screen:  # fmt: skip
    """One SIM's reminder. `after_expiry`: it can still be renewed once it has expired; `rule` is
    what keeps its number."""
    facts = allowances(t, sim.reading) if stage.of_data or (also and also.of_data) else []
    dated = also is not None and not also.of_data
    about_use = stage.kind is StageKind.KEEP or sim.expiry is None
    expired = stage.kind in (StageKind.GRACE_STARTED, StageKind.GRACE)
    keep: list[Html] = []
    if rule is not None and (about_use or dated or _close(stage)):
        keep = brief(t, rule, stopped=expired and stopped_line(sim, rule, now))
    text = lines(
        news(t, sim, stage, now),
        news(t, sim, also, now) if also is not None and dated else None,
        *facts,
        *(in_grace(t, sim, rule, now) if expired and after_expiry else ()),
        _advice(t, sim, stage, after_expiry=after_expiry),
        *(keep if stage.kind is not StageKind.LOST else ()),
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
    return Screen(
        text,
        [
            [_first(t, sim, stage, after_expiry=after_expiry)],
            [
                button(t.plain("Snooze"), "snooze", sim.id),
                button(t.plain("Already renewed"), "done", sim.id),
            ],
            _last_row(t, sim),
        ],
    )


def _first(t: Words, sim: Sim, stage: Stage, *, after_expiry: bool) -> Button:
    if after_expiry or stage.kind is not StageKind.GRACE_STARTED:
        return button(t.plain("Renew now"), "again", sim.id)
    return button(t.plain("Ask for a new eSIM"), "replace", sim.id)


def _last_row(t: Words, sim: Sim) -> list[Button]:
    return [
        button(t.plain("Stop for this SIM"), "stop", sim.id),
        button(t.plain("Not mine any more"), "remove", sim.id),
    ]


def _keep_rows(t: Words, sim: Sim) -> list[list[Button]]:
    """What can be done where a number has to be used."""
    return [
        [button(t.plain("I used it today"), "used", sim.id)],
        [button(t.plain("How to keep it"), "keep", sim.id)],
        [
            button(t.plain("Renew now"), "again", sim.id),
            button(t.plain("Snooze"), "snooze", sim.id),
        ],
        _last_row(t, sim),
    ]


def digest(
    t: Words,
    items: Sequence[tuple[Sim, Stage, Stage | None]],
    now: datetime,
    closed: Container[str] = (),
) -> Screen:
    """Several SIMs in one message, most urgent first, each with what it is about, what besides,
    and one button; `closed` are the ids of those that can't be renewed once they have expired."""
    told, unlisted = items[:MOST_TOLD], len(items) - MOST_TOLD
    text = lines(
        t.n("{n} SIM needs you:", "{n} SIMs need you:", len(items)),
        "",
        *(news(t, sim, one, now) for sim, stage, also in told for one in (stage, also) if one),
        t.n("… and {n} more SIM", "… and {n} more SIMs", unlisted) if unlisted > 0 else None,
    )
    rows = [[_button_of(t, sim, stage, closed)] for sim, stage, _ in told]
    return Screen(text, [*rows, [button(t.plain("My SIMs"), "sims")]])


def _button_of(t: Words, sim: Sim, stage: Stage, closed: Container[str]) -> Button:
    name = title(t, sim)
    if stage.kind is StageKind.KEEP:
        return button(t.plain("I used {title} today", title=name), "used", sim.id)
    if stage.kind is StageKind.LOST or (stage.kind is StageKind.GRACE_STARTED and sim.id in closed):
        return button(t.plain("Show {title}", title=name), "sim", sim.id)
    return button(t.plain("Renew {title}", title=name), "again", sim.id)


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
        [button(t.plain("Only for this SIM"), "own", sim.id)],
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
