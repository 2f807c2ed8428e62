"""The rule packs: one YAML file per kind of SIM, checked when they are loaded.

    carrier: Smart                  # as customers and plans call it
    name: Smart prepaid             # as it is shown
    aliases: [Smart PH]
    country: PH
    sources:                        # every fact below names one or more of these
      page: {is: Smart's own page, confidence: official, url: https://…}
      review: {is: {en: …, zh_Hans: …, zh_Hant: …}, confidence: dataset, date: 2026}
    counts: {what: [top_up], by: page}       # call, sms, data, top_up, plan
    interval: [{days: 365, by: page}]        # how long one activity keeps it
    grace: [{days: 120, by: page}, {days: 180, by: review}]
    lapse: [{what: number_lost, after_days: 120, by: page}]
    balance: [{dial: "*123#", by: review}]
    cheapest: [{action: top_up, pay: 50 PHP, every_days: 365, by: review}]
    notes: [{en: …, zh_Hans: …, zh_Hant: …, by: review}]

Every field of facts has to be there; what nobody knows is written `unknown`. A length that depends
on what was paid has `at_least` or `below`. Where reports differ all stand here: which one counts
is decided in `domain.rules`.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from bot.domain import rules
from bot.domain.money import Money
from bot.domain.rules import Activity, Confidence, Evidence, Loss, Pack

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_MONEY = re.compile(r"(\d+(?:\.\d+)?) ([A-Z]{3})")
_WORDS = {"missing": "is missing; write `unknown` where nobody knows",
          "extra_forbidden": "there is no such field"}  # fmt: skip

T = TypeVar("T")


class PacksRefused(Exception):
    """Packs that can't be used; `problems` names file, field and what is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _known(value: object) -> object:
    return [] if value == "unknown" else value


def _length(value: object) -> object:
    return None if value == "unknown" else value


def _texts(value: object) -> object:
    """One text for all languages, or one for each."""
    return dict.fromkeys(("en", "zh_Hans", "zh_Hant"), value) if isinstance(value, str) else value


def _money(value: object) -> object:
    found = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write an amount and its currency, like 4.50 USD")
    return Money.of(found[1], found[2])


def _price(value: object) -> object:
    return None if value == "unknown" else _money(value)


def _sources(keys: list[str], info: ValidationInfo) -> tuple[Evidence, ...]:
    """The sources that a fact names."""
    known: Mapping[str, Evidence] = (info.context or {}).get("sources", {})
    if missing := [key for key in keys if key not in known]:
        raise ValueError(f"no source is called {', '.join(missing)}")
    if not keys:
        raise ValueError("name at least one source")
    return tuple(known[key] for key in keys)


def _evidence(value: object, info: ValidationInfo) -> object:
    keys = _listed(value)
    if not isinstance(keys, list):
        raise ValueError("name the sources")
    return _sources([str(key) for key in keys], info)


By = Annotated[tuple[Evidence, ...], BeforeValidator(_evidence)]
Amount = Annotated[Money, BeforeValidator(_money)]
Days = Annotated[int, Field(ge=1, le=3660)]
Known = Annotated[tuple[T, ...], BeforeValidator(_known)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Texts(_Model):
    """A text in every language of the bot."""

    en: Annotated[str, Field(min_length=3)]
    zh_Hans: str
    zh_Hant: str


class SourceRow(_Model):
    """Somebody who says something; `date` is 2026, 2026-07 or 2026-07-27, left out if unknown."""

    said: Annotated[Texts, Field(alias="is"), BeforeValidator(_texts)]
    confidence: Confidence
    date: Annotated[str, Field(pattern=_DATE.pattern + "$")] | None = None
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None

    def evidence(self) -> Evidence:
        """As the domain has it."""
        return Evidence(self.said.model_dump(), self.confidence, self.date, self.url)


class CountsRow(_Model):
    """What keeps the line."""

    what: Annotated[tuple[Activity, ...], Field(min_length=1)]
    by: By


class DaysRow(_Model):
    """A length; of a tier, for what was paid."""

    days: Days
    by: By
    at_least: Amount | None = None
    below: Amount | None = None

    def report(self) -> rules.Report:
        """As the domain has it."""
        return rules.Report(self.days, self.by, self.at_least, self.below)


class LapseRow(_Model):
    """What is lost, and how many days after the deadline."""

    what: Loss
    after_days: Annotated[int | None, Field(ge=0), BeforeValidator(_length)]
    by: By

    def lapse(self) -> rules.Lapse:
        """As the domain has it."""
        return rules.Lapse(self.what, self.after_days, self.by)


class BalanceRow(_Model):
    """A way to see the balance."""

    by: By
    dial: str | None = None
    sms: str | None = None
    to: str | None = None
    at: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.sms is None) != (self.to is None):
            raise ValueError("sms and to go together")
        if [self.dial, self.sms, self.at].count(None) != 2:
            raise ValueError("give one of dial, sms (with to), at")
        return self

    def way(self) -> rules.BalanceWay:
        """As the domain has it."""
        return rules.BalanceWay(self.by, self.dial, self.sms, self.to, self.at)


class CheapestRow(_Model):
    """A cheap way to keep it."""

    action: Activity
    pay: Annotated[Money | None, BeforeValidator(_price)]
    every_days: Annotated[int | None, Field(ge=1), BeforeValidator(_length)]
    by: By

    def cheapest(self) -> rules.Cheapest:
        """As the domain has it."""
        return rules.Cheapest(self.action, self.pay, self.every_days, self.by)


class NoteRow(Texts):
    """What fits nowhere else."""

    by: By

    def note(self) -> rules.Note:
        """As the domain has it."""
        return rules.Note(self.model_dump(exclude={"by"}), self.by)


class PackFile(_Model):
    """A whole pack as it is written."""

    carrier: str
    name: str
    aliases: tuple[str, ...] = ()
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    sources: dict[str, SourceRow]
    counts: Annotated[CountsRow | None, BeforeValidator(_length)]
    interval: Known[DaysRow]
    grace: Known[DaysRow]
    lapse: Known[LapseRow]
    balance: Known[BalanceRow]
    cheapest: Known[CheapestRow]
    notes: tuple[NoteRow, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(row.at_least or row.below for row in self.grace):
            raise ValueError("a grace period does not depend on what was paid")
        tiers = [row for row in self.interval if row.at_least or row.below]
        if tiers and len(tiers) != len(self.interval):
            raise ValueError("either all lengths of the interval depend on what was paid, or none")
        if self.interval and self.counts is None:
            raise ValueError("an interval is worth nothing without what counts")
        return self

    def pack(self, code: str) -> Pack:
        """As the domain has it."""
        return Pack(
            code=code,
            name=self.name,
            carrier=self.carrier,
            aliases=self.aliases,
            country=self.country,
            counts=self.counts.what if self.counts else (),
            counts_by=self.counts.by if self.counts else (),
            intervals=tuple(row.report() for row in self.interval),
            graces=tuple(row.report() for row in self.grace),
            lapses=tuple(row.lapse() for row in self.lapse),
            balances=tuple(row.way() for row in self.balance),
            cheapest=tuple(row.cheapest() for row in self.cheapest),
            notes=tuple(row.note() for row in self.notes),
        )


def load(folder: Traversable) -> dict[str, Pack]:
    """The packs of a folder's YAML files by code, the file's name. Raises PacksRefused, OSError."""
    found: dict[str, Pack] = {}
    problems: list[str] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            pack = read(file.name, file.read_text("utf-8"))
        except PacksRefused as error:
            problems += error.problems
            continue
        names = {other.name.casefold() for other in found.values()}
        if pack.name.casefold() in names:
            problems.append(f"{file.name}: name: another pack is called {pack.name}")
        found[pack.code] = pack
    if problems:
        raise PacksRefused(problems)
    return found


def read(name: str, text: str) -> Pack:
    """One pack from its file's text. Raises PacksRefused."""
    try:
        # Values stay the words that stand there: NO is Norway, 2026-07 is no subtraction.
        data = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  builds plain values only
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PacksRefused([f"{name}:{line}: not YAML: {error.problem}"]) from None
    if not isinstance(data, dict):
        raise PacksRefused([f"{name}: has to be fields and their values"])
    try:
        sources = _sources_of(data)
        file = PackFile.model_validate(data, context={"sources": sources})
    except ValidationError as error:
        raise PacksRefused([_said(name, found) for found in error.errors()]) from None
    return file.pack(name.removesuffix(".yaml"))


def _sources_of(data: Mapping[str, Any]) -> dict[str, Evidence]:
    """The sources first: the facts name them. Raises ValidationError."""

    class Only(BaseModel):
        sources: dict[str, SourceRow]

    rows = Only.model_validate({"sources": data.get("sources", {})}).sources
    return {key: row.evidence() for key, row in rows.items()}


def _said(name: str, error: Any) -> str:
    field = ".".join(str(part) for part in error["loc"])
    text = _WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"{name}: {field}: {text}" if field else f"{name}: {text}"


@cache
def packs() -> Mapping[str, Pack]:
    """The packs that come with Xuka. Raises PacksRefused."""
    return load(files("bot.carriers.rules"))
