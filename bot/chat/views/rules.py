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
    Confidence.UNVERIFIED: N_("not verified"),
}
_LOSSES = {
    Loss.WARNED: N_("a warning comes"),
    Loss.SUSPENDED: N_("the line is suspended"),
    Loss.RECEIVE_ONLY: N_("it can only receive"),
    Loss.HIBERNATED: N_("the number is paused and can be restored"),
    Loss.BALANCE_LOST: N_("the balance is lost"),
    Loss.NUMBER_LOST: N_("the number is lost"),
}


def said(t: Words, evidence: Evidence) -> Html:
    """A source, its date and how far it is to be believed."""
    name = evidence.source[t.language]
    confidence = t(_CONFIDENCE[evidence.confidence])
    if evidence.date is None:
        return t("{source}, undated, {confidence}", source=name, confidence=confidence)
    return t("{source}, {date}, {confidence}",
             source=name, date=evidence.date, confidence=confidence)  # fmt: skip


def length(t: Words, days: int) -> Html:
    """A number of days."""
    return t.n("{n} day", "{n} days", days)


def source_words(t: Words, rule: Rule, used: Used) -> Html:
    """Whose word a length is."""
    if used.source is Source.OPERATOR and rule.override is not None:
        return t("our shop says, {date}", date=rule.override.at.date().isoformat())
    if used.report is not None:
        return said(t, used.report.best)
    return t("you say")


def listed(t: Words, kinds: Iterable[Activity]) -> str:
    """What counts, as nouns."""
    return (", " if t.language == "en" else "、").join(t.plain(_COUNTS[kind]) for kind in kinds)


def _interval(t: Words, rule: Rule) -> list[Html]:
    if rule.interval is None:
        return [t("How often it has to be used: not known")]
    if rule.counts is None:
        counted = t("What keeps it: a top-up; whether anything else does is not known")
    else:
        counted = t("What keeps it: {what}", what=listed(t, rule.counts))
    source = source_words(t, rule, rule.interval)
    every = t("At least once in {days} ({source})",
              days=length(t, rule.interval.days), source=source)  # fmt: skip
    tiers = [
        t("• {amount}: {days}", amount=tier_words(t, tier), days=length(t, tier.days))
        for tier in rule.tiers
    ]
    return [counted, every, *tiers, *_differing(t, rule.interval)]


def _grace(t: Words, rule: Rule) -> list[Html]:
    if rule.grace is None:
        return [t("How long it can still be saved after that: not known")]
    source = source_words(t, rule, rule.grace)
    grace = t("After that it can still be saved for {days} ({source})",
              days=length(t, rule.grace.days), source=source)  # fmt: skip
    return [grace, *_differing(t, rule.grace)]


def _differing(t: Words, used: Used) -> list[Html]:
    """The reports that were not followed."""
    return [
        t("• another report: {days} ({source}); I count the shorter to be safe",
          days=length(t, report.days), source=said(t, report.best))
        if used.source is Source.RULE
        else t("• elsewhere: {days} ({source})",
               days=length(t, report.days), source=said(t, report.best))
        for report in used.differing
        if report.days != used.days
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
    what, source = t(_LOSSES[lapse.what]), said(t, best(lapse.said_by))
    if lapse.after_days is None:
        return t("• some time later: {what} ({source})", what=what, source=source)
    if lapse.after_days == 0:
        return t("• at once: {what} ({source})", what=what, source=source)
    return t("• after {days}: {what} ({source})",
             days=length(t, lapse.after_days), what=what, source=source)  # fmt: skip


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


def _balance(t: Words, way: BalanceWay) -> Html:
    source = t(_CONFIDENCE[best(way.said_by).confidence])
    if way.dial is not None:
        return t("dial <code>{code}</code> ({source})", code=way.dial, source=source)
    if way.sms is not None:
        return t("SMS <code>{text}</code> to <code>{number}</code> ({source})",
                 text=way.sms, number=way.to or "", source=source)  # fmt: skip
    return t("look at {place} ({source})", place=way.at or "", source=source)


def practice(t: Words, rule: Rule) -> list[Html | None]:
    """The cheapest way, how to see the balance, notes."""
    shop = rule.override.fields if rule.override else None
    pack = rule.pack
    ways = pack.cheapest if pack else ()
    balances = [_balance(t, way) for way in pack.balances] if pack else []
    if shop is not None and shop.balance_code:
        balances = [t("dial <code>{code}</code> (our shop says)", code=shop.balance_code)]
    notes = pack.notes if pack else ()
    return [
        t("Cheapest way known: {way}", way=cheapest_words(t, ways[0])) if ways else None,
        *(t("• or: {way} ({source})", way=cheapest_words(t, way), source=said(t, best(way.said_by)))
          for way in ways[1:]),
        t("Cheapest way: not known") if not ways else None,
        t("Balance: {ways}", ways=Html("; ".join(balances))) if balances
        else t("How to see the balance: not known"),
        *(t("ℹ️ {text} ({source})", text=note.text[t.language],
            source=said(t, best(note.said_by))) for note in notes),
        t("ℹ️ Our shop says: {text}", text=shop.note) if shop is not None and shop.note else None,
    ]  # fmt: skip


def summary(t: Words, rule: Rule) -> list[Html]:
    """A rule's interval and grace with their sources."""
    return [*_interval(t, rule), *_grace(t, rule)]


def brief(t: Words, rule: Rule) -> list[Html]:
    """What keeps a number and the cheapest way, for a reminder."""
    if rule.counts is None:
        return []
    ways = rule.pack.cheapest if rule.pack else ()
    found = [t("What keeps it: {what}", what=listed(t, rule.counts))]
    if ways:
        found.append(t("Cheapest way known: {way}", way=cheapest_words(t, ways[0])))
    return found
