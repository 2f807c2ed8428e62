"""The catalogue as the operator's file (F53): checked, compared, then applied as a whole.

plans:
  - code: boom-30d-5gb
    carrier: boom eSIM
    supplier: esim_access
    supplier_code: TOPUP_5
    name: {en: "5 GB, 30 days", zh_Hans: "5 GB 30 天", zh_Hant: "5 GB 30 天"}
    days: 30
    price: 12.90 USD          # or amount: {min: 50 PHP, max: 1000 PHP, step: 50 PHP}
    data: 5 GB                # or unlimited, with unlimited_after: 3 GB
    max_cost: 8.00 USD        # the most the supplier may charge us
    delivers: 15 USD          # airtime only: what the SIM receives for a fixed price
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.domain.chats import LANGUAGES
from bot.domain.money import Money
from bot.domain.plans import OpenAmount, Plan
from bot.ports import AuditRow, Clock, Store, Tx
from bot.services.files import FileRefused, Problem, read_rows
from bot.services.places import all_touched

_MONEY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Z]{3})")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)", re.IGNORECASE)
_BYTES = {"MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def money(text: object) -> Money:
    """ "4.50 USD" as Money. Raises ValueError with an example."""
    found = _MONEY.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("write an amount and its currency, like 4.50 USD")
    amount = Money.of(found[1], found[2])
    if amount.minor <= 0:
        raise ValueError("has to be more than nothing")
    return amount


def _size(text: object) -> object:
    """ "3 GB" as bytes, 1 GB being 1024 MB as suppliers count."""
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("write a size, like 500 MB, 3 GB or unlimited")
    return int(Decimal(found[1]) * _BYTES[found[2].upper()])


def _data(text: object) -> object:
    return text if text == "unlimited" else _size(text)


def _texts(value: object) -> object:
    """One text for all languages, or one for each."""
    return dict.fromkeys(LANGUAGES, value) if isinstance(value, str) else value


def _countries(value: object) -> object:
    return value.replace(",", " ").replace(";", " ").split() if isinstance(value, str) else value


class Texts(BaseModel):
    """A text in every language of the bot."""

    model_config = ConfigDict(extra="forbid")

    en: str
    zh_Hans: str
    zh_Hant: str


Price = Annotated[Money, BeforeValidator(money)]
Words = Annotated[Texts, BeforeValidator(_texts)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class AmountRow(BaseModel):
    """Any amount from `min` to `max` in steps of `step`."""

    model_config = ConfigDict(extra="forbid")

    min: Price
    max: Price
    step: Price

    @model_validator(mode="after")
    def _fits(self) -> "AmountRow":
        if len({self.min.currency, self.max.currency, self.step.currency}) > 1:
            raise ValueError("min, max and step need one currency")
        if self.max < self.min:
            raise ValueError("max is less than min")
        if (self.max.minor - self.min.minor) % self.step.minor:
            raise ValueError("no whole number of steps leads from min to max")
        return self


class PlanRow(BaseModel):
    """One plan as the operator writes it."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
    carrier: str
    supplier: str = "manual"
    supplier_code: str | None = None
    name: Words
    days: Annotated[int, Field(ge=0, le=3660)]
    price: Price | None = None
    amount: AmountRow | None = None
    data: Annotated[int | Literal["unlimited"], BeforeValidator(_data)] | None = None
    unlimited_after: Annotated[int, BeforeValidator(_size)] | None = None
    minutes: Annotated[int, Field(ge=0)] | None = None
    sms: Annotated[int, Field(ge=0)] | None = None
    region: str | None = None
    speed_after: str | None = None
    roaming: Annotated[tuple[Country, ...], BeforeValidator(_countries)] = ()
    devices: Annotated[int, Field(ge=1)] | None = None
    extras: Words | None = None
    max_cost: Price | None = None
    delivers: Price | None = None

    @model_validator(mode="after")
    def _whole(self) -> "PlanRow":
        if (self.price is None) == (self.amount is None):
            raise ValueError("set either a price or an amount")
        if self.unlimited_after is not None and self.data != "unlimited":
            raise ValueError("unlimited_after goes with data: unlimited")
        if self.supplier != "manual" and self.supplier_code is None:
            raise ValueError("supplier_code is missing: what the supplier calls this plan")
        return self

    def plan(self) -> Plan:
        """The plan as the shop sells it."""
        unlimited = self.data == "unlimited"
        amount = self.amount
        return Plan(
            code=self.code,
            version=1,
            carrier=self.carrier,
            supplier=self.supplier,
            supplier_code=self.supplier_code or self.code,
            name=self.name.model_dump(),
            days=self.days,
            price=self.price,
            open_amount=OpenAmount(amount.min, amount.max, amount.step) if amount else None,
            data=self.unlimited_after if unlimited else self.data,  # type: ignore[arg-type]
            unlimited=unlimited,
            minutes=self.minutes,
            sms=self.sms,
            region=self.region,
            speed_after=self.speed_after,
            roaming=self.roaming,
            devices=self.devices,
            extras=self.extras.model_dump() if self.extras else None,
            max_cost=self.max_cost,
            delivers=self.delivers,
        )


def read_plans(path: Path, suppliers: Collection[str]) -> list[Plan]:
    """The plans of a file. Raises FileRefused naming every mistake, OSError."""
    rows = read_rows(path, "plans", PlanRow, ("code",))
    known = ", ".join(sorted(suppliers))
    problems = [
        Problem(row.line, row.value.code, "supplier", f"not known; use one of {known}")
        for row in rows
        if row.value.supplier not in suppliers
    ]
    if problems:
        raise FileRefused(path, problems)
    return [row.value.plan() for row in rows]


@dataclass(frozen=True, slots=True)
class Change:
    """A plan that would be another; `fields` by name: before, after."""

    plan: Plan
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Diff:
    """What applying a file would do."""

    new: tuple[Plan, ...]
    changed: tuple[Change, ...]
    switched_off: tuple[Plan, ...]
    unchanged: int

    @property
    def empty(self) -> bool:
        """Whether it would do nothing."""
        return not (self.new or self.changed or self.switched_off)


class Catalogue:
    """The shop's plans."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def check(self, plans: Sequence[Plan]) -> Diff:
        """What `apply` would change; nothing is."""
        async with self._store.read() as tx:
            return await _diff(tx, plans)

    async def apply(self, plans: Sequence[Plan], actor: str) -> Diff:
        """Make these the catalogue; plans that are not among them are switched off.

        Orders and quotes keep the plan they were made with.
        """
        async with self._store.write() as tx:
            diff = await _diff(tx, plans)
            await tx.catalogue.apply(plans)
            await all_touched(tx, self._clock.now())
            details = {
                "new": [plan.code for plan in diff.new],
                "changed": [change.plan.code for change in diff.changed],
                "switched_off": [plan.code for plan in diff.switched_off],
            }
            row = AuditRow(self._clock.now(), actor, "plans_applied", "catalogue", details)
            await tx.audit.add(row)
        return diff


async def _diff(tx: Tx, plans: Sequence[Plan]) -> Diff:
    known = {plan.code: plan for plan in await tx.catalogue.all(active=False)}
    new, changed, same = [], [], 0
    for plan in plans:
        old = known.pop(plan.code, None)
        if old is None:
            new.append(plan)
        elif found := _fields(old, plan):
            changed.append(Change(plan, found))
        else:
            same += 1
    gone = tuple(plan for plan in known.values() if plan.active)
    return Diff(tuple(new), tuple(changed), gone, same)


def _fields(old: Plan, new: Plan) -> dict[str, tuple[Any, Any]]:
    names = [field.name for field in fields(Plan) if field.name != "version"]
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
