"""SIMs in words: title, state, the balance card, the overview."""

from datetime import datetime, timedelta

from bot.chat.screen import Button, Screen, button, lines
from bot.domain.reminders import Planned
from bot.domain.sims import Reading, Sim, SimState, Source, Tracking, days_left
from bot.i18n import N_, Html, Words

STATES = {
    SimState.PENDING_ACTIVATION: N_("Waiting for activation"),
    SimState.ACTIVE: N_("Active"),
    SimState.LOW: N_("Data is running low"),
    SimState.USED_UP: N_("Data is used up"),
    SimState.EXPIRED: N_("Expired"),
    SimState.SUSPENDED: N_("Suspended"),
    SimState.LOST: N_("Number lost"),
    SimState.UNKNOWN: N_("Dates not known yet"),
}
MARKS = {
    SimState.PENDING_ACTIVATION: "🕓",
    SimState.ACTIVE: "🟢",
    SimState.LOW: "🟡",
    SimState.USED_UP: "🟠",
    SimState.EXPIRED: "🔴",
    SimState.SUSPENDED: "⚫️",
    SimState.LOST: "⚫️",
    SimState.UNKNOWN: "⚪️",
}
SOURCES = {
    Source.SUPPLIER: N_("supplier"),
    Source.RULE: N_("carrier's rule"),
    Source.CUSTOMER: N_("you"),
    Source.OPERATOR: N_("our shop"),
}
_CELLS = 10


def bar(share: float) -> str:
    """A share of 0.0 to 1.0 as ten cells; anything above nothing fills at least one."""
    filled = min(_CELLS, max(round(share * _CELLS), 1 if share > 0 else 0))
    return "▓" * filled + "░" * (_CELLS - filled)


def tail(sim: Sim) -> str:
    """The last four characters people know their SIM by."""
    return (sim.msisdn or sim.iccid or sim.activation_code or "")[-4:]


def title(sim: Sim) -> str:
    """How a SIM is called: its nickname, else its carrier; with its last four characters."""
    name = sim.nickname or sim.carrier
    return f"{name} ·{tail(sim)}" if tail(sim) else name


def state_words(t: Words, sim: Sim, now: datetime) -> Html:
    """State of a SIM; an expired one says what its grace period is worth."""
    state = sim.state_at(now)
    if state is SimState.EXPIRED and sim.grace_end is not None:
        return t("Expired, in its grace period")
    return t(STATES[state])


def span(t: Words, until: datetime, now: datetime) -> Html:
    """How long until a moment: days, or hours on the last day."""
    left = until - now
    if left < timedelta(0):
        return t("passed")
    if left < timedelta(days=1):
        return t.n("{n} hour left", "{n} hours left", max(1, int(left.total_seconds() // 3600)))
    return t.n("{n} day left", "{n} days left", days_left(until, now))


def age(t: Words, moment: datetime, now: datetime) -> Html:
    """How old a reading is."""
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 2:
        return t("just now")
    if minutes < 120:
        return t.n("{n} minute ago", "{n} minutes ago", minutes)
    if minutes < 48 * 60:
        return t.n("{n} hour ago", "{n} hours ago", minutes // 60)
    return t.n("{n} day ago", "{n} days ago", minutes // (24 * 60))


def dates(t: Words, sim: Sim, now: datetime) -> list[Html]:
    """Expiry and grace, each with the time left."""
    if sim.expiry is None:
        return [t("Valid until: not known")]
    found = []
    if sim.expiry > now:
        found.append(
            t("Valid until {date} ({left})",
              date=t.moment(sim.expiry, now=now), left=span(t, sim.expiry, now))
        )  # fmt: skip
    else:
        found.append(t("Expired on {date}", date=t.moment(sim.expiry, now=now)))
    if sim.grace_end is not None and sim.grace_end > sim.expiry:
        if sim.grace_end > now:
            found.append(
                t("Grace period until {date} ({left})",
                  date=t.moment(sim.grace_end, now=now), left=span(t, sim.grace_end, now))
            )  # fmt: skip
        else:
            found.append(t("Grace period ended on {date}", date=t.moment(sim.grace_end, now=now)))
    return found


def allowances(t: Words, reading: Reading | None) -> list[Html]:
    """What is left, as bars and numbers; only what a source told."""
    if reading is None:
        return []
    found = []
    share = reading.data_share_left
    if share is not None and reading.data_left is not None and reading.data_total is not None:
        found.append(
            t("Data {bar} {left} of {total} left", bar=bar(share),
              left=t.data(reading.data_left), total=t.data(reading.data_total))
        )  # fmt: skip
    if reading.minutes_left is not None:
        found.append(t.n("{n} minute left", "{n} minutes left", reading.minutes_left))
    if reading.sms_left is not None:
        found.append(t.n("{n} SMS left", "{n} SMS left", reading.sms_left))
    if reading.money_left is not None:
        found.append(t("Balance {money}", money=t.money(reading.money_left)))
    return found


def source_line(t: Words, sim: Sim, now: datetime) -> Html:
    """Where the numbers come from, and how old they are."""
    if sim.reading is not None:
        source = t(SOURCES[sim.reading.source])
        return t("Source: {source}, {age}", source=source, age=age(t, sim.reading.as_of, now))
    return t("Source: {source}", source=t(SOURCES[sim.dates_source]))


def next_line(t: Words, sim: Sim, planned: Planned | None, now: datetime) -> Html:
    """When the bot will write next about this SIM."""
    if sim.reminders_stopped:
        return t("Reminders are off for this SIM")
    if planned is None:
        return t("No reminder planned")
    return t("Next reminder: {when}", when=t.moment(planned.at, now=now))


def card(t: Words, sim: Sim, planned: Planned | None, now: datetime, *, stale: bool) -> Screen:
    """The balance card of one SIM (F4)."""
    state = sim.state_at(now)
    text = lines(
        Html(f"{MARKS[state]} {t('<b>{title}</b>', title=title(sim))}"),
        state_words(t, sim, now),
        "",
        *allowances(t, sim.reading),
        *dates(t, sim, now),
        "",
        Html(f"<i>{source_line(t, sim, now)}</i>"),
        t("The supplier can't be reached right now; these are the last numbers we have.")
        if stale
        else None,
        Html(f"🔔 {next_line(t, sim, planned, now)}"),
    )
    first = [button(t.plain("Renew"), "renew", sim.id)]
    if sim.tracking is Tracking.MANAGED:
        first.append(button(t.plain("Refresh"), "sim", sim.id, "fresh"))
    else:
        first.append(button(t.plain("Change dates"), "dates", sim.id))
    rows = [
        first,
        [
            button(t.plain("Reminders"), "simrem", sim.id),
            button(t.plain("More"), "more", sim.id),
        ],
        [button(t.plain("‹ My SIMs"), "sims")],
    ]
    return Screen(text, rows)


def overview(t: Words, sims: list[Sim], now: datetime) -> Screen:
    """All SIMs of a person, most urgent first (F6)."""
    if not sims:
        return Screen(
            lines(
                t("<b>My SIMs</b>"),
                "",
                t(
                    "You have no SIM here yet. Add one with its ICCID, its number, or its eSIM code."
                ),
            ),
            [
                [button(t.plain("Add a SIM"), "add")],
                [button(t.plain("‹ Menu"), "menu")],
            ],
        )
    rows: list[list[Button]] = [[button(_label(t, sim, now), "sim", sim.id)] for sim in sims]
    rows.append([button(t.plain("Add a SIM"), "add"), button(t.plain("‹ Menu"), "menu")])
    return Screen(lines(t("<b>My SIMs</b>"), "", *(_line(t, sim, now) for sim in sims)), rows)


def _line(t: Words, sim: Sim, now: datetime) -> Html:
    parts = [state_words(t, sim, now)]
    end = sim.grace_end if sim.expiry is not None and sim.expiry <= now else sim.expiry
    if end is not None and end > now:
        parts.append(span(t, end, now))
    elif end is not None:
        parts.append(Html(t.date(end, now=now)))
    share = sim.reading.data_share_left if sim.reading else None
    if share is not None and sim.reading is not None and sim.reading.data_left is not None:
        parts.append(t("{left} left", left=t.data(sim.reading.data_left)))
    mark = MARKS[sim.state_at(now)]
    return Html(f"{mark} {t('<b>{title}</b>', title=title(sim))}\n{' · '.join(parts)}")


def _label(t: Words, sim: Sim, now: datetime) -> str:
    return f"{MARKS[sim.state_at(now)]} {title(sim)}"
