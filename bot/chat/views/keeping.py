"""Keeping a number: its deadline, what was done with it, the rule a new one follows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.carriers import carrier_name
from bot.chat.views.rules import (
    lapse_words,
    length,
    listed,
    practice,
    source_line,
    source_word,
    sources,
    summary,
    tier_words,
)
from bot.chat.views.sims import span, title
from bot.domain.rules import Activity, Rule, counts
from bot.domain.sims import Sim, Source, Tracking
from bot.i18n import N_, Html, Words
from bot.ports import ActivityRow

UNKNOWN = "u"

DONE = {
    Activity.CALL: N_("Made a call"),
    Activity.SMS: N_("Sent an SMS"),
    Activity.DATA: N_("Used data"),
    Activity.TOP_UP: N_("Topped up"),
    Activity.PLAN: N_("Renewed a plan"),
    Activity.USED: N_("Used it"),
}
_KINDS = (Activity.CALL, Activity.SMS, Activity.DATA, Activity.TOP_UP)


# ---- the card ----------------------------------------------------------------------------


def deadline_of(sim: Sim, rule: Rule) -> datetime | None:
    """Until when the line has to be used: under a rule about payments its expiry."""
    return sim.expiry if rule.by_validity else sim.keep_deadline


def on_card(t: Words, sim: Sim, rule: Rule | None, now: datetime) -> Screen | None:
    """What a SIM's card says of its keep-number deadline, and its buttons."""
    if rule is None and sim.tracking is not Tracking.SELF:
        return None
    row = [
        button(t.plain("I used it today"), "used", sim.id),
        button(t.plain("How to keep it"), "keep", sim.id),
    ]
    if rule is None or rule.interval is None:
        return Screen(Html(""), [row])
    source = source_word(t, rule, rule.interval)
    until = deadline_of(sim, rule)
    if until is None:
        text = t("🔑 Keep-number deadline: not known until you tell me when you last used it "
                 "(rule: {source})", source=source)  # fmt: skip
    else:
        text = t("🔑 Keep-number deadline: {date}, {left} (rule: {source})",
                 date=t.date(until, now=now), left=span(t, until, now), source=source)  # fmt: skip
    return Screen(text, [row])


# ---- how to keep it ----------------------------------------------------------------------


def how_to_keep(
    t: Words, sim: Sim, rule: Rule | None, packs: Sequence[Rule], last: ActivityRow | None,
    now: datetime,
) -> Screen:  # fmt: skip
    """The whole rule of a line, and what can be changed. `packs` are those its carrier has."""
    head = t("<b>How to keep {title}</b>", title=title(t, sim))
    rows: list[list[Button]] = [[button(t.plain("I used it today"), "used", sim.id)]]
    own = rule is not None and rule.source is Source.CUSTOMER
    for pack in packs:
        mine = rule is not None and rule.pack is not None and rule.pack is pack.pack
        if pack.pack is not None and (own or not mine or sim.rule is None):
            label = t.plain("Follow the rule: {name}", name=pack.name)
            rows.append([button(label, "kfol", sim.id, pack.pack.code)])
    rows.append([button(t.plain("My own rule"), "rule", sim.id)])
    rows.append([button(t.plain("‹ Back"), "sim", sim.id)])
    if rule is None:
        text = lines(
            head,
            "",
            t("I don't know a rule for {carrier}. Ask the carrier what keeps a number, and tell "
              "me your own rule.", carrier=carrier_name(t, sim.carrier)),
        )  # fmt: skip
        return Screen(text, rows)
    return Screen(lines(head, t("{name}", name=rule.name), *_whole(t, sim, rule, last, now)), rows)


def _whole(
    t: Words, sim: Sim, rule: Rule, last: ActivityRow | None, now: datetime
) -> list[Html | str | None]:
    """A rule part by part, each after an empty line: what keeps, what is lost, how, until when."""
    lapses = rule.pack.lapses if rule.pack else ()
    until = deadline_of(sim, rule)
    lost = [t("If it is missed:") if lapses else t("What happens if it is missed: not known")]
    now_and_last = [
        t("Deadline now: {date}", date=t.moment(until, now=now)) if until else None,
        t("Last: {what}, {date}", what=t(DONE[last.kind]), date=t.date(last.day, now=now))
        if last is not None
        else None,
    ]
    parts: list[Sequence[Html | None]] = [
        summary(t, rule),
        [*lost, *(lapse_words(t, lapse) for lapse in lapses)],
        practice(t, rule),
        now_and_last,
        sources(t, rule),
    ]
    found: list[Html | str | None] = []
    for part in parts:
        if any(part):
            found += ["", *part]
    return found


# ---- I used it ---------------------------------------------------------------------------


def ask_used(
    t: Words, sim: Sim, rule: Rule | None, day: date, today: date, now: datetime
) -> Screen:
    """What was done with a line on a day; each button carries that day."""
    kinds = list(_KINDS)
    if rule is not None and rule.counts is not None and Activity.PLAN in rule.counts:
        kinds.append(Activity.PLAN)
    stamp = f"{day:%Y%m%d}"
    picks = [button(t.plain(DONE[kind]), "useof", sim.id, kind.value, stamp) for kind in kinds]
    question = (
        t("What did you do with <b>{title}</b> today?", title=title(t, sim))
        if day == today
        else t("What did you do with <b>{title}</b> on {date}?",
               title=title(t, sim), date=t.date(day, now=now))
    )  # fmt: skip
    known = rule is not None and rule.counts is not None
    hint = (
        t("It is kept by: {what}.", what=listed(t, rule.counts or ()))
        if rule is not None and known
        else t("What keeps it is not known for sure.")
    )
    other = [button(t.plain("On another day"), "useday", sim.id)]
    rows = [*grid(picks, 2), other, [button(t.plain("‹ Back"), "sim", sim.id)]]
    return Screen(lines(question, hint), rows)


def ask_used_day(t: Words, sim: Sim, today: date, problem: Html | None = None) -> Screen:
    """On which day it was used."""
    text = lines(
        problem,
        "" if problem else None,
        t("On which day did you last use or top up <b>{title}</b>? Write the date, for example "
          "{day}.", title=title(t, sim), day=(today - timedelta(days=3)).isoformat()),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Back"), "used", sim.id)]])


def day_ahead(t: Words) -> Html:
    """A day of use that has not been yet."""
    return t("That day is still to come. Write the day on which you used it.")


def ask_paid(t: Words, name: str, rows: list[list[Button]], verb: str, *before: object) -> Screen:
    """How much was paid, where that decides for how long; `verb` and what follows lead back."""
    return Screen(t("<b>{title}</b>: how much did you pay? That decides for how long it is kept.",
                    title=name), [*rows, [button(t.plain("‹ Back"), verb, *before)]])  # fmt: skip


def paid_rows(t: Words, rule: Rule, verb: str, *before: object) -> list[list[Button]]:
    """One button an amount; the last, for who does not know, counts the shortest."""
    rows = [
        [button(f"{tier_words(t, tier)} · {length(t, tier.days)}", verb, *before, place)]
        for place, tier in enumerate(rule.tiers)
    ]
    return [*rows, [button(t.plain("I don't know"), verb, *before, UNKNOWN)]]


def recorded(
    t: Words, sim: Sim, rule: Rule | None, kind: Activity, old: datetime | None, now: datetime
) -> Html:
    """What an activity has changed."""
    done = t(DONE[kind])
    if rule is None or rule.interval is None:
        return t("✅ Noted: {what}. I don't know a rule for this number, so I can't work out a "
                 "date.",
                 what=done)  # fmt: skip
    if not counts(rule, kind):
        if rule.counts is None:
            return t("Noted: {what}. I don't know whether that keeps the number, so its date "
                     "stays. A top-up keeps it.", what=done)  # fmt: skip
        return t("Noted: {what}. That doesn't keep the number under its rule. These do: {kinds}.",
                 what=done, kinds=listed(t, rule.counts))  # fmt: skip
    until = deadline_of(sim, rule)
    if until is None:
        return t("✅ Noted: {what}.", what=done)
    new = t.date(until, now=now)
    if old is not None and old != until:
        return t("✅ Noted: {what}. Deadline {old} → <b>{new}</b>",
                 what=done, old=t.date(old, now=now), new=new)  # fmt: skip
    return t("✅ Noted: {what}. The number is kept until <b>{new}</b>.", what=done, new=new)


def undo(t: Words, sim: Sim, kind: Activity, stamp: str) -> Button:
    """Takes back an activity of a day (`stamp` is 20261203)."""
    return button(t.plain("Undo"), "unuse", sim.id, kind.value, stamp)


def taken_back(t: Words, kind: Activity) -> Html:
    """An activity is no longer counted."""
    return t("✓ Taken back: {what}.", what=t(DONE[kind]))


# ---- a new SIM ---------------------------------------------------------------------------


def offer(t: Words, name: str, rules: Sequence[Rule], token: int) -> Screen:
    """The rules known of a new SIM's carrier, instead of blank questions."""
    text: list[Html | str] = [
        t("<b>{title}</b>: I know a rule for numbers like this. Please check that it is yours.",
          title=name)
        if len(rules) == 1
        else t("<b>{title}</b>: which of these is it?", title=name)
    ]  # fmt: skip
    for rule in rules:
        text += ["", t("<b>{name}</b>", name=rule.name), *summary(t, rule)]
    source = source_line(t, rules)
    text += ["", Html(f"<i>{source}</i>")] if source else []
    rows = [
        [button(t.plain("Use this rule"), "kr", token, 0)]
        if len(rules) == 1
        else [button(rule.name, "kr", token, place)]
        for place, rule in enumerate(rules)
    ]
    rows.append([button(t.plain("No, I enter my own"), "kr", token, "own")])
    rows.append([button(t.plain("Cancel"), "sims")])
    return Screen(lines(*text), rows)


def ask_since(
    t: Words, name: str, rule: Rule, token: int, today: date, now: datetime,
    problem: Html | None = None,
) -> Screen:  # fmt: skip
    """When the line was last kept."""
    question = (
        t("<b>{title}</b>: when did you last top it up or renew it?", title=name)
        if rule.by_validity
        else t("<b>{title}</b>: when did you last use it in a way that counts?", title=name)
    )
    counted = None if rule.counts is None else t("It counts: {what}", what=listed(t, rule.counts))
    picks = [(0, t.plain("today"))] + [
        (ago, str(t.n("{n} day ago", "{n} days ago", ago))) for ago in (7, 30, 90)
    ]
    rows = grid(
        [button(label, "ks", token, f"{today - timedelta(days=ago):%Y%m%d}")
         for ago, label in picks],
        2,
    )  # fmt: skip
    if rule.by_validity:
        rows.append([button(t.plain("I know when it expires"), "ks", token, "v")])
    rows.append([
        button(t.plain("‹ Back"), "ks", token, "b"),
        button(t.plain("I don't know"), "ks", token, UNKNOWN),
    ])  # fmt: skip
    example = (today - timedelta(days=20)).isoformat()
    hint = t("Tap one or write the date, for example {example}.", example=example)
    return Screen(lines(problem, "" if problem else None, question, counted, hint), rows)
