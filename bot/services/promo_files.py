"""The shop's promos as the operator's file (F21): checked, compared, then applied as a whole.

promos:
  - id: spring
    code: SPRING10             # left out: it applies by itself
    title: {en: Spring offer, zh_Hans: 春季优惠, zh_Hant: 春季優惠}
    percent: 10                # with at_most: 5 USD
    # or  save: 2 USD
    # or  steps: [{spend: 20 USD, save: 2 USD}, {spend: 50 USD, save: 6 USD}]
    # or  gives: {boom-jp-month-1: boom-jp-month-5}
    points: 50                 # alone, or besides one of those
    plans: [us-season]         # and carriers: [boom eSIM]; left out: all
    starts: 2027-03-01         # the first day and the last, in the shop's zone
    ends: 2027-03-31
    min_spend: 10 USD
    total: 100
    per_user: 1
    new_user: true
    stacks: true               # automatic ones: holds together with a code and its like
    posted: true               # only for who comes from a group's post of a campaign
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.promos import Kind, Promo, Step, delivers, typed
from bot.domain.zones import day_start
from bot.ports import AuditRow, Clock, Store, Tx
from bot.services.catalogue import Price, Words
from bot.services.files import FileRefused, Problem, Row, read_rows
from bot.services.places import all_touched

_CANT_STAND = (
    "{big} can't stand for {small}: it has to be no less, from the same carrier and supplier, for "
    "the same region and in the same currency, both at fixed prices"
)


class PromoRefused(Exception):
    """No promo of that name is running; the message says so."""


def _several(value: object) -> object:
    """Names with commas, as a CSV cell holds them."""
    if isinstance(value, str):
        return [part.strip() for part in value.replace(";", ",").split(",") if part.strip()]
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]
Count = Annotated[int, Field(ge=1)]


class StepRow(BaseModel):
    """From `spend` on, `save` less."""

    model_config = ConfigDict(extra="forbid")

    spend: Price
    save: Price

    @model_validator(mode="after")
    def _fits(self) -> "StepRow":
        if self.spend.currency != self.save.currency:
            raise ValueError("spend and save need one currency")
        if not self.save < self.spend:
            raise ValueError("save has to be less than spend")
        return self


class PromoRow(BaseModel):
    """One promo as the operator writes it."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
    title: Words
    code: Annotated[str, Field(max_length=40)] | None = None
    percent: Annotated[Decimal, Field(gt=0, lt=100)] | None = None
    at_most: Price | None = None
    save: Price | None = None
    steps: tuple[StepRow, ...] = ()
    gives: dict[str, str] = Field(default_factory=dict)
    points: Annotated[int, Field(ge=0)] = 0
    plans: Names = ()
    carriers: Names = ()
    starts: date | None = None
    ends: date | None = None
    min_spend: Price | None = None
    total: Count | None = None
    per_user: Count | None = None
    new_user: bool = False
    stacks: bool = False
    posted: bool = False

    @model_validator(mode="after")
    def _whole(self) -> "PromoRow":
        given = [self.percent, self.save, self.steps, self.gives]
        if sum(bool(one) for one in given) > 1:
            raise ValueError("set one of percent, save, steps and gives")
        if not any(given) and not self.points:
            raise ValueError("gives nothing: set percent, save, steps, gives or points")
        if self.at_most is not None and self.percent is None:
            raise ValueError("at_most goes with percent")
        if self.code is not None and len(typed(self.code)) < 3:
            raise ValueError("a code needs three letters or digits")
        if self.code is not None and self.stacks:
            raise ValueError("stacks is for promos without a code: a code holds with those anyway")
        if self.posted and (self.code is not None or self.stacks):
            raise ValueError("posted is for promos that no code and no other promo brings")
        if self.starts is not None and self.ends is not None and self.ends < self.starts:
            raise ValueError("ends before it starts")
        return self

    def promo(self, zone: ZoneInfo) -> Promo:
        """The promo as the shop gives it; its days are those of `zone`."""
        steps = tuple(Step(step.spend, step.save) for step in self.steps)
        if self.save is not None:
            steps = (Step(Money(0, self.save.currency), self.save),)
        kinds = {
            Kind.PERCENT: self.percent is not None,
            Kind.SAVE: bool(steps),
            Kind.PLAN: bool(self.gives),
        }
        return Promo(
            id=self.id,
            version=1,
            kind=next((kind for kind, is_it in kinds.items() if is_it), Kind.POINTS),
            title=self.title.model_dump(),
            code=typed(self.code) if self.code is not None else None,
            percent=self.percent or Decimal(0),
            at_most=self.at_most,
            steps=steps,
            gives=self.gives,
            points=self.points,
            plans=self.plans,
            carriers=self.carriers,
            starts_at=day_start(self.starts, zone) if self.starts else None,
            ends_at=day_start(self.ends + timedelta(days=1), zone) if self.ends else None,
            min_spend=self.min_spend,
            # Somebody is new once.
            per_user=1 if self.new_user and self.per_user is None else self.per_user,
            total=self.total,
            new_user=self.new_user,
            stacks=self.stacks,
            posted=self.posted,
        )


def read_promos(path: Path, zone: ZoneInfo, plans: Sequence[Plan]) -> list[Promo]:
    """The promos of a file, compared with the catalogue: what a promo gives must be sold.

    Raises FileRefused naming every mistake, OSError.
    """
    rows = read_rows(path, "promos", PromoRow, ("id",))
    known = {plan.code: plan for plan in plans if plan.active}
    problems = [problem for row in rows for problem in _unsold(row, known)]
    codes: dict[str, str] = {}
    for row in rows:
        code = typed(row.value.code or "")
        if code and code in codes:
            text = f"{codes[code]} has this code already"
            problems.append(Problem(row.line, row.value.id, "code", text))
        codes.setdefault(code, row.value.id)
    if problems:
        raise FileRefused(path, sorted(problems, key=lambda problem: problem.line))
    return [row.value.promo(zone) for row in rows]


def _unsold(row: Row[PromoRow], known: dict[str, Plan]) -> list[Problem]:
    """Plans and carriers that the shop does not have, and gifts that can't be delivered."""
    found, one = [], row.value
    for code in (*one.plans, *one.gives, *one.gives.values()):
        if code not in known:
            field = "plans" if code in one.plans else "gives"
            found.append((field, f"{code} is no plan of the catalogue"))
    carriers = {plan.carrier for plan in known.values()}
    found += [
        ("carriers", f"{name} is no carrier of the catalogue")
        for name in one.carriers
        if name not in carriers
    ]
    for small, big in one.gives.items():
        if small in known and big in known and not delivers(known[small], known[big]):
            found.append(("gives", _CANT_STAND.format(small=small, big=big)))
    return [Problem(row.line, one.id, field, text) for field, text in found]


@dataclass(frozen=True, slots=True)
class Change:
    """A promo that would be another; `fields` by name: before, after."""

    promo: Promo
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Diff:
    """What applying a file would do."""

    new: tuple[Promo, ...]
    changed: tuple[Change, ...]
    stopped: tuple[Promo, ...]
    unchanged: int

    @property
    def empty(self) -> bool:
        """Whether it would do nothing."""
        return not (self.new or self.changed or self.stopped)


class PromoFiles:
    """The shop's promos."""

    def __init__(self, store: Store, clock: Clock, zone: ZoneInfo) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone

    async def read(self, path: Path) -> list[Promo]:
        """A file, compared with the catalogue as it is. Raises FileRefused, OSError."""
        async with self._store.read() as tx:
            plans = await tx.catalogue.all()
        return read_promos(path, self._zone, plans)

    async def check(self, promos: Sequence[Promo]) -> Diff:
        """What `apply` would change; nothing is."""
        async with self._store.read() as tx:
            return await _diff(tx, promos)

    async def apply(self, promos: Sequence[Promo], actor: str) -> Diff:
        """Make these the promos; those that are not among them are stopped at once. Prices that
        were ordered keep theirs, and what was used stays used."""
        async with self._store.write() as tx:
            diff = await _diff(tx, promos)
            await tx.promos.apply(promos)
            await all_touched(tx, self._clock.now())
            details = {
                "new": [promo.id for promo in diff.new],
                "changed": [change.promo.id for change in diff.changed],
                "stopped": [promo.id for promo in diff.stopped],
            }
            row = AuditRow(self._clock.now(), actor, "promos_applied", "promos", details)
            await tx.audit.add(row)
        return diff

    async def stop(self, promo_id: str, actor: str) -> None:
        """No new order gets it from now on. Raises PromoRefused."""
        async with self._store.write() as tx:
            if not await tx.promos.stop(promo_id):
                raise PromoRefused(f"{promo_id}: no such promo is running; see `xuka promos list`")
            await all_touched(tx, self._clock.now())
            row = AuditRow(self._clock.now(), actor, "promo_stopped", promo_id, {})
            await tx.audit.add(row)

    async def listed(self) -> list[tuple[Promo, int]]:
        """Every promo, stopped ones last, each with the places it has given away."""
        async with self._store.read() as tx:
            found, used = await tx.promos.all(active=False), await tx.promos.used()
        return [(one, used[one.id]) for one in sorted(found, key=lambda one: not one.active)]


async def _diff(tx: Tx, promos: Sequence[Promo]) -> Diff:
    known = {promo.id: promo for promo in await tx.promos.all(active=False)}
    new, changed, same = [], [], 0
    for promo in promos:
        old = known.pop(promo.id, None)
        if old is None:
            new.append(promo)
        elif found := _fields(old, promo):
            changed.append(Change(promo, found))
        else:
            same += 1
    gone = tuple(promo for promo in known.values() if promo.active)
    return Diff(tuple(new), tuple(changed), gone, same)


def _fields(old: Promo, new: Promo) -> dict[str, tuple[Any, Any]]:
    names = [field.name for field in fields(Promo) if field.name != "version"]
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
