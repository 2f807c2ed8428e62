"""What every table shares: names of constraints, JSON shapes, columns that recur."""

from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    text,
)

from bot.domain.broadcasts import Segment
from bot.domain.campaigns import Campaign, Timing
from bot.domain.plans import Plan
from bot.domain.promos import Promo
from bot.domain.quotes import Discount, Total
from bot.domain.rules import Override
from bot.domain.sims import KeepRule, OwnReminders, Reading

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

PLAN = TypeAdapter(Plan)
READING = TypeAdapter(Reading)
RULE = TypeAdapter(KeepRule)
PROMO = TypeAdapter(Promo)
CAMPAIGN = TypeAdapter(Campaign)
TIMING = TypeAdapter(Timing)
LANGUAGES = TypeAdapter(tuple[str, ...])
SEGMENT = TypeAdapter(Segment)
TEXTS = TypeAdapter(dict[str, str])
DRAWN = TypeAdapter(tuple[tuple[int, int], ...])
DISCOUNTS = TypeAdapter(tuple[Discount, ...])
TOTALS = TypeAdapter(tuple[Total, ...])
OVERRIDE = TypeAdapter(Override)
OFFSETS = TypeAdapter(tuple[int, ...])
OWN = TypeAdapter(OwnReminders)
DECIMAL = TypeAdapter(Decimal)
OBJECT = TypeAdapter(dict[str, Any])

# On SQLite only INTEGER keys count up by themselves and are the row's own address.
BIG = BigInteger().with_variant(Integer, "sqlite")


def seq() -> Column[int]:
    return Column("seq", BIG, primary_key=True, autoincrement=True)


def key() -> Column[str]:
    return Column("id", String, nullable=False, unique=True)


def money(name: str, *, nullable: bool = False) -> tuple[Column[int], Column[str]]:
    return (
        Column(f"{name}_minor", BigInteger, nullable=nullable),
        Column(f"{name}_currency", String(3), nullable=nullable),
    )


def partial(name: str, *columns: Column[Any], where: str, unique: bool = False) -> Index:
    """A partial index, the same on both databases."""
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )
