"""How frozen models lie in tables, and the two statements every aggregate uses."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Insert, String, Table, insert, literal_column, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.money import Money
from bot.domain.orders import check
from bot.store.tables import transitions

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
S = TypeVar("S", bound=StrEnum)

Values = Mapping[str, Any]


class Shape(Generic[T]):
    """A dataclass as columns: each field one column of its name, a Money field two.

    Raises KeyError at import when the table lacks one of them.
    """

    def __init__(self, table: Table, model: type[T], money: tuple[str, ...] = ()) -> None:
        self.table = table
        self.model = model
        self.money = frozenset(money)
        self.fields = tuple(field.name for field in fields(model))
        self.columns: list[Column[Any]] = []
        for name in self.fields:
            if name in self.money:
                self.columns += [table.c[f"{name}_minor"], table.c[f"{name}_currency"]]
            else:
                self.columns.append(table.c[name])

    def load(self, row: Sequence[Any]) -> T:
        """The model from a row of exactly `columns`, in their order."""
        if not self.money:
            return self.model(*row)
        values = iter(row)
        found: list[Any] = []
        for name in self.fields:
            value = next(values)
            if name in self.money:
                currency = next(values)
                value = None if value is None else Money(value, currency)
            found.append(value)
        return self.model(*found)

    def dump(self, item: T) -> dict[str, Any]:
        """The columns' values of a model."""
        return self.flat({name: getattr(item, name) for name in self.fields})

    def flat(self, values: Values) -> dict[str, Any]:
        """Field values as column values."""
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name in self.money:
                found[f"{name}_minor"] = None if value is None else value.minor
                found[f"{name}_currency"] = None if value is None else value.currency
            else:
                found[name] = value
        return found

    def changes(self, changes: Values, fixed: frozenset[str]) -> dict[str, Any]:
        """Changes as column values. Raises ValueError for a name that is no field or `fixed`."""
        if unknown := [n for n in changes if n not in self.fields or n in fixed]:
            raise ValueError(f"{self.table.name}: cannot change {', '.join(sorted(unknown))}")
        return self.flat(changes)


def word(value: str) -> ColumnElement[str]:
    """A constant written into the statement: a partial index is used for no bound parameter."""
    return literal_column(f"'{value}'", String)


async def insert_new(conn: AsyncConnection, table: Table, values: Values) -> bool:
    """Insert one row; False when a unique constraint says that it is there already."""
    return (await conn.execute(_new(conn.dialect.name, table), values)).rowcount == 1


@cache
def _new(dialect: str, table: Table) -> Insert:
    """Made once for each table: to put it together takes as long as to run it."""
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(table).on_conflict_do_nothing().inline()


async def move(
    conn: AsyncConnection,
    table: Table,
    machine: str,
    rules: Mapping[S, frozenset[S]],
    subject_id: str,
    old: S,
    new: S,
    reason: str,
    at: datetime,
    actor: str,
    values: Values,
) -> bool:
    """Move a state by compare-and-set and record why; False when another got there first.

    Raises IllegalTransition when the machine has no such move.
    """
    check(rules, old, new)
    statement = (
        update(table)
        .where(table.c.id == subject_id, table.c.state == old)
        .values(state=new, **values)
    )
    if (await conn.execute(statement)).rowcount != 1:
        return False
    await conn.execute(
        insert(transitions).inline().values(
            machine=machine, subject_id=subject_id, old=old.value, new=new.value,
            reason=reason, at=at, actor=actor,
        )
    )  # fmt: skip
    return True
