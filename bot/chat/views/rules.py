"""A keep-number rule in words: what counts, how often, who says so, what is lost."""

from collections.abc import Iterable

from bot.domain.rules import (
    Activity,
    BalanceWay,
    Cheapest,
    Confidence,
    Evidence,
    Lapse,
    Loss,
    Note,
    Report,
    Rule,
    Used,
    best,
)
from bot.domain.sims import Source
from bot.i18n import N_, Html, Words

_COUNTS = {
    Activity.CALL: N_("a call"),
    Activity.SMS: N_("an SMS"),
    Activity.DATA: N_("using data"),
    Activity.TOP_UP: N_("a top-up"),
    Activity.PLAN: N_("renewing or buying a plan"),
    Activity.USED: N_("any use"),
}
_CONFIDENCE = {
    Confidence.OFFICIAL: N_("official"),
    Confidence.DATASET: N_("collected"),
    Confidence.COMMUNITY: N_("users say"),
    Confidence.UNVERIFIED: N_("not checked"),
}
_LOSSES = {
    Loss.WARNED: N_("a warning comes"),
    Loss.SUSPENDED: N_("the line is suspended"),
    Loss.RECEIVE_ONLY: N_("it can only receive"),
    Loss.HIBERNATED: N_("the number is paused and can be restored"),
    Loss.BALANCE_LOST: N_("the balance is lost"),
    Loss.NUMBER_LOST: N_("the number is lost"),
}


def marked(t: Words, text: Html, evidence: Evidence) -> Html:
    """A fact with one word of how far it is to be believed; `sources` names who says so."""
    return Html(f"{text} · {t(_CONFIDENCE[evidence.confidence])}")


def length(t: Words, days: int) -> Html:
    """A number of days."""
    return t.n("{n} day", "{n} days", days)


def source_word(t: Words, rule: Rule, used: Used) -> Html:
    """Whose word a length is, in a word or two."""
    if used.source is Source.OPERATOR and rule.override is not None:
        return t("our shop")
    if used.report is not None:
        return t(_CONFIDENCE[used.report.best.confidence])
    return t("your own")


def listed(t: Words, kinds: Iterable[Activity]) -> Html:
    """What counts, as nouns."""
    return t.join(t(_COUNTS[kind]) for kind in kinds)


def _interval(t: Words, rule: Rule) -> list[Html]:
    if rule.interval is None:
        return [t("How often it has to be used: not known")]
    if rule.counts is None:
        counted = t("What keeps it: a top-up; whether anything else does is not known")
    else:
        counted = _kept_by(t, rule, listed(t, rule.counts))
    every = t("At least once in {days} · {source}", days=length(t, rule.interval.days),
              source=source_word(t, rule, rule.interval))  # fmt: skip
    tiers = [
        t("• {amount}: {days}", amount=tier_words(t, tier), days=length(t, tier.days))
        for tier in rule.tiers
    ]
    return [counted, every, *tiers, *_differing(t, rule.interval)]


def _kept_by(t: Words, rule: Rule, what: Html) -> Html:
    """What counts, and whose word that is."""
    told = t("What keeps it: {what}", what=what)
    if rule.override is not None and rule.override.fields.counts:
        return Html(f"{told} · {t('our shop')}")
    return marked(t, told, best(rule.pack.counts_by)) if rule.pack else told


def _grace(t: Words, rule: Rule) -> list[Html]:
    if rule.grace is None:
        return [t("How long it can still be saved after that: not known")]
    grace = t("After that it can still be saved for {days} · {source}",
              days=length(t, rule.grace.days),
              source=source_word(t, rule, rule.grace))  # fmt: skip
    return [grace, *_differing(t, rule.grace)]


def _others(used: Used | None) -> list[Report]:
    """The reports that were not followed."""
    return [one for one in used.differing if one.days != used.days] if used else []


def _differing(t: Words, used: Used) -> list[Html]:
    return [
        t("• another report: {days} · {source} (the shorter counts)",
          days=length(t, report.days), source=t(_CONFIDENCE[report.best.confidence]))
        if used.source is Source.RULE
        else t("• elsewhere: {days} · {source}",
               days=length(t, report.days), source=t(_CONFIDENCE[report.best.confidence]))
        for report in _others(used)
    ]  # fmt: skip


def tier_words(t: Words, tier: Report) -> str:
    """For which amount a length holds."""
    if tier.at_least is None and tier.below is not None:
        return t.plain("less than {money}", money=t.money(tier.below))
    if tier.at_least is None:
        return t.plain("any amount")
    return t.plain("{money} or more", money=t.money(tier.at_least))


def lapse_words(t: Words, lapse: Lapse) -> Html:
    """What is lost, and when."""
    what = t(_LOSSES[lapse.what])
    if lapse.after_days is None:
        found = t("• some time later: {what}", what=what)
    elif lapse.after_days == 0:
        found = t("• at once: {what}", what=what)
    else:
        found = t("• after {days}: {what}", days=length(t, lapse.after_days), what=what)
    return marked(t, found, best(lapse.said_by))


def cheapest_words(t: Words, way: Cheapest) -> Html:
    """The cheapest way in one line."""
    what = t(_COUNTS[way.action])
    price = t.money(way.pay) if way.pay is not None else None
    if price is None and way.every_days is not None:
        return t("{what} every {days}", what=what, days=length(t, way.every_days))
    if price is None:
        return what
    if way.every_days is None:
        return t("{what} for {money}", what=what, money=price)
    return t("{what} for {money} every {days}",
             what=what, money=price, days=length(t, way.every_days))  # fmt: skip


def _balance(t: Words, way: BalanceWay, *, sourced: bool) -> Html:
    if way.dial is not None:
        found = t("dial <code>{code}</code>", code=way.dial)
    elif way.sms is not None:
        found = t("SMS <code>{text}</code> to <code>{number}</code>",
                  text=way.sms, number=way.to or "")  # fmt: skip
    else:
        found = t("look at {place}", place=way.at or "")
    return marked(t, found, best(way.said_by)) if sourced else found


def _balances(t: Words, rule: Rule, *, sourced: bool = True) -> list[Html]:
    """How to see the balance; the shop's own code stands for all others."""
    shop = rule.override.fields if rule.override else None
    if shop is not None and shop.balance_code:
        dial = t("dial <code>{code}</code>", code=shop.balance_code)
        return [Html(f"{dial} · {t('our shop')}") if sourced else dial]
    return [_balance(t, way, sourced=sourced) for way in rule.pack.balances] if rule.pack else []


def practice(t: Words, rule: Rule) -> list[Html | None]:
    """The cheapest way, how to see the balance, notes."""
    shop = rule.override.fields if rule.override else None
    ways = [
        marked(t, cheapest_words(t, way), best(way.said_by))
        for way in (rule.pack.cheapest if rule.pack else ())
    ]
    balances = _balances(t, rule)
    notes = rule.pack.notes if rule.pack else ()
    return [
        t("Cheapest way known: {way}", way=ways[0]) if ways else t("Cheapest way: not known"),
        *(t("• or: {way}", way=way) for way in ways[1:]),
        t("Balance: {way}", way=balances[0]) if balances
        else t("How to see the balance: not known"),
        *(t("• or: {way}", way=way) for way in balances[1:]),
        *(marked(t, t("ℹ️ {text}", text=note.text[t.language]), best(note.said_by))
          for note in notes),
        t("ℹ️ Our shop says: {text}", text=shop.note) if shop is not None and shop.note else None,
    ]  # fmt: skip


def _followed(rule: Rule) -> list[Evidence]:
    """Whose word the interval and the grace in force are, and what counts."""
    found = [used.report.best for used in (rule.interval, rule.grace) if used and used.report]
    shops = rule.override is not None and rule.override.fields.counts
    if rule.interval is not None and rule.counts is not None and rule.pack and not shops:
        found.append(best(rule.pack.counts_by))
    return found


def _named(t: Words, evidence: Evidence) -> Html:
    """A source with its date, as exactly as that is known."""
    name = evidence.source[t.language]
    if evidence.date is None:
        return t("{name}", name=name)
    return t("{source} ({date})", source=name, date=evidence.date)


def source_line(t: Words, rules: Iterable[Rule]) -> Html | None:
    """Who told how long these rules keep a number, once; None when no source did."""
    found = [_named(t, evidence) for rule in rules for evidence in _followed(rule)]
    return t("Source: {source}", source=t.join(dict.fromkeys(found))) if found else None


def sources(t: Words, rule: Rule) -> list[Html]:
    """Every source of a rule by name with the word that marks it, the most believable first."""
    said_by = _followed(rule)
    for used in (rule.interval, rule.grace):
        said_by += [report.best for report in _others(used)]
    if rule.pack is not None:
        told: list[Lapse | Cheapest | BalanceWay | Note] = [
            *rule.pack.lapses, *rule.pack.cheapest, *rule.pack.balances, *rule.pack.notes,
        ]  # fmt: skip
        said_by += [best(one.said_by) for one in told]
    ranked = sorted(said_by, key=lambda one: list(Confidence).index(one.confidence))
    found = [marked(t, t("• {name}", name=_named(t, one)), one) for one in ranked]
    if rule.override is not None:
        day = rule.override.at.date().isoformat()
        found.insert(0, t("• our shop ({date})", date=day))
    return [t("<b>Sources</b>"), *dict.fromkeys(found)] if found else []


def summary(t: Words, rule: Rule) -> list[Html]:
    """A rule's interval and grace, each marked with how far it is to be believed."""
    return [*_interval(t, rule), *_grace(t, rule)]


_HOW = {
    Activity.SMS: N_("Without me: send one SMS from this SIM, to any number."),
    Activity.CALL: N_("Without me: call any number from this SIM, until somebody answers."),
    Activity.DATA: N_("Without me: switch on this SIM's mobile data and open a page."),
    Activity.TOP_UP: N_("Without me: top it up in the carrier's app, on its website or in a shop."),
    Activity.PLAN: N_("Without me: buy a plan in the carrier's app or on its website."),
    Activity.USED: N_("Without me: call, send an SMS or use data from this SIM once."),
}
"""In the order of what is least trouble."""


def brief(t: Words, rule: Rule, *, stopped: bool = False) -> list[Html]:
    """What keeps a number, the cheapest way, and how that is done without the bot: for a
    reminder. While nobody knows what counts, a top-up is taken to. A line that is `stopped` can't
    be used any more, only paid for."""
    ways = rule.pack.cheapest if rule.pack else ()
    counted = rule.counts or (Activity.TOP_UP,)
    if stopped:
        counted = tuple(kind for kind in counted if kind in (Activity.TOP_UP, Activity.PLAN))
        ways = tuple(way for way in ways if way.action in counted)
        if not counted:
            return [t("Without me: ask the carrier to restore it.")]
    found = []
    if rule.counts is not None:
        found.append(t("What keeps it: {what}", what=listed(t, counted)))
    if ways:
        found.append(t("Cheapest way known: {way}", way=cheapest_words(t, ways[0])))
    action = ways[0].action if ways else next(kind for kind in _HOW if kind in counted)
    found.append(t(_HOW[action]))
    balances = _balances(t, rule, sourced=False)
    if balances:
        found.append(t("To see whether it has worked: {way}", way=balances[0]))
    return found
