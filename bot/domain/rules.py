"""Keep-number rules (F36): what keeps a prepaid number alive, who says so, and until when it lives.

A pack holds every report about one kind of SIM with its source, date and confidence; what nobody
told is None. Where reports differ all are kept, and the most cautious one counts. Above a pack
stands what the operator says of the carrier, and above both what the owner says of their own SIM.
Nothing about any carrier is written here: the packs are data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.money import Money
from bot.domain.sims import KeepRule, Sim, Source
from bot.domain.zones import day_end, zone


class Activity(StrEnum):
    """What somebody does with a line; a rule says which of them keep it."""

    CALL = "call"
    SMS = "sms"
    DATA = "data"
    TOP_UP = "top_up"
    PLAN = "plan"  # a plan or a pack renewed or bought
    USED = "used"  # told only as use that counts; in a rule, that any use does


_BOUGHT = frozenset({Activity.TOP_UP, Activity.PLAN})


class Confidence(StrEnum):
    """How far a source is to be believed, best first."""

    OFFICIAL = "official"  # the carrier's own page
    DATASET = "dataset"  # a curated collection that cites carriers' pages
    COMMUNITY = "community"
    UNVERIFIED = "unverified"


_RANKS = {confidence: rank for rank, confidence in enumerate(Confidence)}


class Loss(StrEnum):
    """What happens to a line that was not kept."""

    WARNED = "warned"
    SUSPENDED = "suspended"
    RECEIVE_ONLY = "receive_only"
    HIBERNATED = "hibernated"
    BALANCE_LOST = "balance_lost"
    NUMBER_LOST = "number_lost"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One source, named in every language of the bot.

    `date` is when it said so, as exactly as known: "2026-07-27", "2026".
    """

    source: Mapping[str, str]
    confidence: Confidence
    date: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A number of days that somebody reports.

    A report of a tier holds for an amount paid of `at_least` and `below`; one of them is set.
    """

    days: int
    said_by: tuple[Evidence, ...]
    at_least: Money | None = None
    below: Money | None = None

    @property
    def tier(self) -> bool:
        """Whether it depends on what was paid."""
        return self.at_least is not None or self.below is not None

    @property
    def best(self) -> Evidence:
        """Its most believable source."""
        return best(self.said_by)


@dataclass(frozen=True, slots=True)
class Lapse:
    """What is lost, so many days after the deadline; None when nobody says how many."""

    what: Loss
    after_days: int | None
    said_by: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The cheapest known way to keep a line: `pay` once in `every_days`; None for unknown."""

    action: Activity
    pay: Money | None
    every_days: int | None
    said_by: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class BalanceWay:
    """How to see the balance: a code to dial, a text to send `to` a number, or a place to look."""

    said_by: tuple[Evidence, ...]
    dial: str | None = None
    sms: str | None = None
    to: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What fits nowhere else, in every language of the bot."""

    text: Mapping[str, str]
    said_by: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """All that is known of one kind of SIM. An empty tuple says that nobody told."""

    code: str
    name: str
    """As it is shown: "Tello pay-as-you-go"."""
    carrier: str
    aliases: tuple[str, ...]
    country: str
    counts: tuple[Activity, ...]
    counts_by: tuple[Evidence, ...]
    intervals: tuple[Report, ...]
    graces: tuple[Report, ...]
    lapses: tuple[Lapse, ...] = ()
    balances: tuple[BalanceWay, ...] = ()
    cheapest: tuple[Cheapest, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """What the operator says instead of a pack; None leaves a field as it is."""

    interval_days: int | None = None
    grace_days: int | None = None
    counts: tuple[Activity, ...] | None = None
    balance_code: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Overridden:
    """An override with who set it and when (UTC). `carrier` is a pack's code or, where there is
    no pack, the carrier's name."""

    carrier: str
    fields: Override
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Used:
    """A number of days that counts, who says so, and the reports that were not followed."""

    days: int
    source: Source
    report: Report | None = None
    differing: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule in force for a line. `counts` is None when nobody knows what counts."""

    name: str
    pack: Pack | None
    override: Overridden | None
    interval: Used | None
    grace: Used | None
    counts: tuple[Activity, ...] | None

    @property
    def by_validity(self) -> bool:
        """Whether only what is paid keeps the line: its deadline is then the end of its validity.

        So it is too while nobody knows what counts: then only a top-up is taken to.
        """
        return self.counts is None or set(self.counts) <= _BOUGHT

    @property
    def source(self) -> Source:
        """Whose rule it is, by what its interval, or else anything of it, comes from."""
        if self.interval is not None:
            return self.interval.source
        return Source.OPERATOR if self.override is not None else Source.RULE

    @property
    def tiers(self) -> tuple[Report, ...]:
        """The amounts that keep it for different lengths, smallest first; only a pack's own."""
        if self.pack is None or self.interval is None or self.interval.source is not Source.RULE:
            return ()
        found = [report for report in self.pack.intervals if report.tier]
        return tuple(found) if len(found) > 1 else ()


def best(said_by: Iterable[Evidence]) -> Evidence:
    """The most believable of the sources."""
    return min(said_by, key=lambda evidence: _RANKS[evidence.confidence])


def packs_for(
    packs: Mapping[str, Pack], carrier: str, country: str | None = None
) -> tuple[Pack, ...]:
    """The packs that a SIM of this carrier may be of: by name or alias, in any case.

    One of another country is none: carriers of many countries share a name.
    """
    wanted = _plain(carrier)
    return tuple(
        pack
        for pack in packs.values()
        if wanted in {_plain(name) for name in (pack.carrier, pack.name, *pack.aliases)}
        and (country is None or country == pack.country)
    )


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("&amp;", "&").split())


def effective(
    name: str, pack: Pack | None, override: Overridden | None, own: KeepRule | None = None
) -> Rule | None:
    """The rule in force: the owner's before the operator's before the pack's, field by field.

    A copy of a pack's rule that a SIM keeps (`own.source`) is no word of its owner's. None when
    nobody says anything.
    """
    mine = own if own is not None and own.source is Source.CUSTOMER else None
    if pack is None and override is None and mine is None:
        return None
    fields = override.fields if override else Override()
    return Rule(
        name=pack.name if pack else name,
        pack=pack,
        override=override,
        interval=_used(
            mine.validity_days if mine else None,
            fields.interval_days,
            pack.intervals if pack else (),
        ),
        grace=_used(
            mine.grace_days if mine else None, fields.grace_days, pack.graces if pack else ()
        ),
        counts=fields.counts or (pack.counts if pack else None) or None,
    )


def _used(mine: int | None, shops: int | None, reports: tuple[Report, ...]) -> Used | None:
    if mine is not None:
        return Used(mine, Source.CUSTOMER, None, reports)
    if shops is not None:
        return Used(shops, Source.OPERATOR, None, reports)
    if not reports:
        return None
    chosen = cautious(reports)
    others = tuple(report for report in reports if report is not chosen and not report.tier)
    return Used(chosen.days, Source.RULE, chosen, others)


def cautious(reports: tuple[Report, ...]) -> Report:
    """The report that loses no number if it is wrong: the shortest, whoever says it."""
    return min(reports, key=lambda report: (report.days, _RANKS[report.best.confidence]))


def kept_days(rule: Rule, kind: Activity, tier: int | None = None) -> int | None:
    """For how many days an activity keeps the line.

    None when it does not count, or nobody knows whether it does, or for how long. A top-up
    counts under an owner's own rule, which says no more than that. `tier` is a place in
    `rule.tiers`, what was paid; without it the shortest counts.
    """
    if rule.interval is None or not counts(rule, kind):
        return None
    if tier is not None and kind in _BOUGHT and 0 <= tier < len(rule.tiers):
        return rule.tiers[tier].days
    return rule.interval.days


def counts(rule: Rule, kind: Activity) -> bool:
    """Whether an activity keeps the line; what nobody knows does not."""
    if rule.counts is not None:
        told = set(rule.counts)
        return kind in told or Activity.USED in told or kind is Activity.USED
    return kind is Activity.TOP_UP and rule.source is not Source.RULE


def deadline(day: date, days: int, zone_name: str) -> datetime:
    """The last second (UTC) of the local day that lies `days` after the activity's local day."""
    return day_end(day + timedelta(days=days), zone(zone_name))


def keep_rule(rule: Rule) -> KeepRule | None:
    """What a SIM that follows a pack or the operator keeps of it; None without an interval."""
    if rule.interval is None or rule.interval.source is Source.CUSTOMER:
        return None
    grace = rule.grace.days if rule.grace else None
    code = rule.pack.code if rule.pack else None
    return KeepRule(rule.interval.days, grace, rule.source, code)


def override_key(pack: Pack | None, carrier: str) -> str:
    """Under which name an operator's override is stored."""
    return pack.code if pack is not None else _plain(carrier)


def pack_of(packs: Mapping[str, Pack], sim: Sim) -> Pack | None:
    """The SIM's pack: the one its owner chose, else the only one its carrier has."""
    if sim.rule is not None and sim.rule.pack is not None and sim.rule.pack in packs:
        return packs[sim.rule.pack]
    found = packs_for(packs, sim.carrier, sim.country)
    return found[0] if len(found) == 1 else None
