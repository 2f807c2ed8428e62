"""SIMs in words: title, state, dates, what is left; the overview, names, removal."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.carriers import carrier_name
from bot.domain.reminders import Planned
from bot.domain.sims import KeepRule, Reading, Sim, SimState, Source, Tracking, days_left, mask
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
PAGE = 8
"""SIMs on one page of the overview."""
_CELLS = 10
_LAST_DAYS = timedelta(days=3)
_LAST_WEEK = timedelta(days=7)


def bar(share: float) -> str:
    """A share of 0.0 to 1.0 as ten cells; anything above nothing fills at least one."""
    filled = min(_CELLS, max(round(share * _CELLS), 1 if share > 0 else 0))
    return "▓" * filled + "░" * (_CELLS - filled)


def tail(sim: Sim) -> str:
    """The last four characters people know their SIM by."""
    return (sim.msisdn or sim.iccid or sim.activation_code or "")[-4:]


def title(t: Words, sim: Sim) -> str:
    """How a SIM is called: its nickname, else its carrier; with its last four characters."""
    name = sim.nickname or carrier_name(t, sim.carrier)
    return f"{name} ·{tail(sim)}" if tail(sim) else name


def over(sim: Sim, now: datetime) -> bool:
    """Its validity has ended: what was left of the data is gone."""
    return sim.expiry is not None and sim.expiry <= now


def mark(sim: Sim, now: datetime) -> str:
    """The state as a sign; a line in its last days is marked before it expires."""
    state = sim.state_at(now)
    if state is SimState.ACTIVE and sim.end is not None and sim.end - now < _LAST_DAYS:
        return "🟡"
    return MARKS[state]


def state_words(t: Words, sim: Sim, now: datetime) -> Html:
    """State of a SIM; an expired one says what its grace period is worth."""
    state = sim.state_at(now)
    if state is SimState.EXPIRED and sim.expiry is None:
        return t("Its keep-number deadline has passed")
    if state is SimState.EXPIRED and sim.grace_end is not None:
        return t("Expired, in its grace period")
    return t(STATES[state])


def span(t: Words, until: datetime, now: datetime) -> Html:
    """How long until a moment: days of the reader's calendar, or in the last 24 hours the hours."""
    left = until - now
    if left < timedelta(0):
        return t("passed")
    if left < timedelta(days=1):
        return t.n("{n} hour left", "{n} hours left", max(1, int(left.total_seconds() // 3600)))
    return t.n("{n} day left", "{n} days left", days_left(until, now, t.zone))


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
        return [] if sim.keep_deadline else [t("Valid until: not known")]
    found = []
    if sim.expiry > now:
        found.append(
            t("Valid until {date} ({left})",
              date=t.moment(sim.expiry, now=now), left=span(t, sim.expiry, now))
        )  # fmt: skip
    else:
        found.append(t("Expired on {date}", date=t.moment(sim.expiry, now=now)))
    if sim.grace_end is not None and sim.grace_end > sim.expiry:
        if sim.expiry > now:
            found.append(t("Then grace until {date}", date=t.date(sim.grace_end, now=now)))
        elif sim.grace_end > now:
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
    reading = sim.reading
    if reading is None or _overtaken(sim, reading):
        return t("Source: {source}", source=t(SOURCES[sim.dates_source]))
    # No rule is ever read: such dates are the plan's, once the network has said that it arrived.
    by_network = reading.source is Source.RULE
    source = t("network's confirmation of the top-up") if by_network else t(SOURCES[reading.source])
    return t("Source: {source}, {age}", source=source, age=age(t, reading.as_of, now))


def _overtaken(sim: Sim, reading: Reading) -> bool:
    """Whether a reading that told dates alone has nothing to do with those that are shown."""
    told = (reading.data_left, reading.minutes_left, reading.sms_left, reading.money_left)
    if any(value is not None for value in told):
        return False
    return reading.expiry is not None and reading.expiry != sim.expiry


def next_line(t: Words, sim: Sim, planned: Planned | None, now: datetime) -> Html:
    """When the bot will write next about this SIM."""
    if sim.reminders_stopped:
        return t("Reminders are off for this SIM")
    if planned is None:
        return t("No reminder planned")
    if planned.held:
        return t("Next reminder: once the renewal under way is finished")
    if planned.at <= now:
        return t("Next reminder: in a moment")
    return t("Next reminder: {when}", when=t.moment(planned.at, now=now))


def rule_line(t: Words, rule: KeepRule) -> Html:
    """A keep-number rule in one line."""
    kept = t.n("A top-up keeps it {n} day", "A top-up keeps it {n} days", rule.validity_days)
    if rule.grace_days is None:
        return kept
    if rule.grace_days == 0:
        return t("{kept}; no grace period", kept=kept)
    grace = t.n("then {n} day of grace", "then {n} days of grace", rule.grace_days)
    return t("{kept}; {grace}", kept=kept, grace=grace)


def unused(t: Words, sim: Sim, now: datetime) -> Html | None:
    """In the last week: data not used by the expiry is lost (F5)."""
    reading = sim.reading
    if reading is None or not reading.data_left or sim.expiry is None:
        return None
    if not now < sim.expiry <= now + _LAST_WEEK:
        return None
    return t("⚠️ {left} will be lost on {date} unless you use it or renew first.",
             left=t.data(reading.data_left), date=t.date(sim.expiry, now=now))  # fmt: skip


def overview(t: Words, sims: Sequence[Sim], now: datetime, page: int = 0) -> Screen:
    """The SIMs of a person, most urgent first (F6), a page of them."""
    if not sims:
        return Screen(
            lines(
                t("<b>My SIMs</b>"),
                "",
                t("You have no SIM here yet."),
                t("Add one with its ICCID, its number, its eSIM code, or a photo of the code."),
            ),
            [
                [button(t.plain("Add a SIM"), "add")],
                [button(t.plain("‹ Menu"), "menu")],
            ],
        )
    page = min(max(page, 0), (len(sims) - 1) // PAGE)
    shown = sims[page * PAGE : (page + 1) * PAGE]
    rows: list[list[Button]] = [[button(_label(t, sim, now), "sim", sim.id)] for sim in shown]
    turns = []
    if page:
        turns.append(button(t.plain("‹ More urgent"), "sims", page - 1))
    if (page + 1) * PAGE < len(sims):
        turns.append(button(t.plain("Less urgent ›"), "sims", page + 1))
    rows.append(turns)
    rows.append([button(t.plain("Add a SIM"), "add"), button(t.plain("‹ Menu"), "menu")])
    many = (
        t("{first}–{last} of {all}", first=page * PAGE + 1, last=page * PAGE + len(shown),
          all=len(sims))
        if len(sims) > PAGE
        else None
    )  # fmt: skip
    return Screen(lines(t("<b>My SIMs</b>"), many, "", *(_line(t, s, now) for s in shown)), rows)


def _line(t: Words, sim: Sim, now: datetime) -> Html:
    parts = [state_words(t, sim, now)]
    end = sim.grace_end if sim.end is not None and sim.end <= now else sim.end
    if end is not None and end > now:
        parts.append(span(t, end, now))
    elif end is not None:
        parts.append(Html(t.date(end, now=now)))
    share = sim.reading.data_share_left if sim.reading else None
    left = sim.reading.data_left if sim.reading and not over(sim, now) else None
    if share is not None and left is not None:
        parts.append(t("{left} left", left=t.data(left)))
    return Html(f"{mark(sim, now)} {t('<b>{title}</b>', title=title(t, sim))}\n{' · '.join(parts)}")


def _label(t: Words, sim: Sim, now: datetime) -> str:
    return f"{mark(sim, now)} {title(t, sim)}"


def more(t: Words, sim: Sim) -> Screen:
    """A SIM's own numbers, and what is done rarely."""
    facts = [
        t("Number: <code>{value}</code>", value=sim.msisdn) if sim.msisdn else None,
        t("ICCID: <code>{value}</code>", value=sim.iccid) if sim.iccid else None,
        t("eSIM code: <code>{value}</code>", value=sim.activation_code)
        if sim.activation_code
        else None,
    ]
    text = lines(
        t("<b>{title}</b>", title=title(t, sim)),
        t("Carrier: {carrier}", carrier=carrier_name(t, sim.carrier)),
        *facts,
        t("Phone: {model}", model=sim.device) if sim.device else None,
        t("IMEI: <code>{value}</code>", value=mask(sim.imei)) if sim.imei else None,
        rule_line(t, sim.rule) if sim.rule and sim.rule.source is Source.CUSTOMER else None,
    )
    own = [
        button(t.plain("What keeps it"), "keep", sim.id),
        button(t.plain("How to renew it"), "how", sim.id),
    ]
    rows = [
        own if sim.tracking is Tracking.SELF else [],
        [
            button(t.plain("Rename"), "rename", sim.id),
            button(t.plain("Phone"), "phone", sim.id),
            button(t.plain("Remove"), "remove", sim.id),
        ],
        [button(t.plain("Hand over"), "hand", sim.id)],
        [button(t.plain("‹ Back"), "sim", sim.id)],
    ]
    return Screen(text, rows)


def ask_name(t: Words, sim: Sim, most: int, *, too_long: bool = False) -> Screen:
    """A name of one's own."""
    limit = t.n("At most {n} character.", "At most {n} characters.", most)
    text = lines(
        t("That name is too long.") if too_long else None,
        t("What shall I call <b>{title}</b>? Write the name, for example: Mum's phone.",
          title=title(t, sim)),
        limit,
    )  # fmt: skip
    away = [button(t.plain("Remove the name"), "unname", sim.id)] if sim.nickname else []
    return Screen(text, [away, [button(t.plain("‹ Back"), "more", sim.id)]])


def ask_remove(t: Words, sim: Sim) -> Screen:
    """Sure?"""
    after = (
        t("To see it here again you need a new claim code from our shop.")
        if sim.tracking is Tracking.MANAGED
        else t("Its dates are forgotten. You can add it again.")
    )
    text = lines(
        t("Remove <b>{title}</b> from here?", title=title(t, sim)),
        t("I stop reminding you of it. The SIM itself stays as it is."),
        after,
    )
    rows = [
        [
            button(t.plain("Yes, remove it"), "remove_yes", sim.id),
            button(t.plain("No, keep it"), "sim", sim.id),
        ]
    ]
    return Screen(text, rows)


def removed(t: Words, sim: Sim) -> Html:
    """Said above the overview."""
    return t("{title} was removed.", title=title(t, sim))


def running(t: Words, sim: Sim) -> Screen:
    """It can't be removed while money or a top-up is under way."""
    text = t(
        "A renewal of <b>{title}</b> is under way. You can remove it when that is finished.",
        title=title(t, sim),
    )
    rows = [
        [button(t.plain("Orders"), "orders", 0), button(t.plain("‹ Back"), "sim", sim.id)],
    ]
    return Screen(text, rows)


def read_again(t: Words, old: Sim, new: Sim, now: datetime, *, asked: bool) -> Html:
    """What the supplier says after "already renewed": what has changed, or that nothing has."""
    if not asked:
        return t("The supplier can't be asked right now. I look again by myself; nothing is lost.")
    if new.expiry is not None and (old.expiry is None or new.expiry > old.expiry):
        before = t.date(old.expiry, now=now) if old.expiry else "—"
        return t("✅ Renewed: {old} → <b>{new}</b>", old=before, new=t.date(new.expiry, now=now))
    left, was = (sim.reading.data_left if sim.reading else None for sim in (new, old))
    if left is not None and was is not None and left > was:
        return t("✅ Data was added: {old} → <b>{new}</b>", old=t.data(was), new=t.data(left))
    return t("The supplier shows no renewal yet. It can take some minutes; tap Refresh later.")
