"""Sealing what lies there open: rows from before there was a key, or sealed with an older one.

Each sealed column has a row in `seals` with a known text, sealed as the column is. So a wrong key
is noticed at start, before anything is read or written with it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    String,
    bindparam,
    delete,
    insert,
    select,
    type_coerce,
    update,
)

from bot.store.tables import metadata
from bot.store.tables.seals import seals
from bot.store.types import Sealed, SealedJson
from bot.store.vault import NotOpened, Vault

_CANARY = "xuka"
_BATCH = 1000


class WrongKey(Exception):
    """What lies in the database was sealed with a key that is not here."""


def sealed_columns() -> list[Column[Any]]:
    """Every sealed column of the tables."""
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed | SealedJson)
    ]


def to_seal(connection: Connection, vault: Vault | None) -> list[Column[Any]]:
    """Columns that hold open texts, or such as an older key sealed. Raises WrongKey."""
    rows = connection.execute(select(seals.c.name, seals.c.canary))
    canaries = {str(row.name): str(row.canary) for row in rows}
    if vault is None:
        if canaries:
            raise WrongKey
        return []
    found = []
    for column in sealed_columns():
        canary = canaries.get(str(column))
        if canary == vault.seal(str(column), _CANARY):
            continue
        # A mistyped first key has sealed nothing yet: it may be put right.
        if canary is not None and not _empty(connection, column):
            _opened(vault, str(column), canary)
        found.append(column)
    return found


def seal(connection: Connection, vault: Vault, columns: Sequence[Column[Any]]) -> None:
    """Seal everything in these columns, in the connection's transaction. Raises WrongKey."""
    for column in columns:
        name = str(column)
        sealed_before = delete(seals).where(seals.c.name == name)
        before = connection.execute(sealed_before).rowcount == 1
        _seal_rows(connection, vault, column, sealed=before)
        canary = vault.seal(name, _CANARY)
        connection.execute(insert(seals).values(name=name, canary=canary))


def _seal_rows(connection: Connection, vault: Vault, column: Column[Any], *, sealed: bool) -> None:
    """`sealed`: everything there is sealed already, with an older key."""
    [key] = column.table.primary_key.columns
    name, raw = str(column), type_coerce(column, String)
    change = (
        update(column.table)
        .where(key == bindparam("row"))
        .values({column.name: bindparam("text", type_=String)})
    )
    look = select(key, raw).where(column.is_not(None)).order_by(key).limit(_BATCH)
    rows = connection.execute(look).all()
    while rows:
        plain = [(row, _opened(vault, name, text) if sealed else text) for row, text in rows]
        connection.execute(
            change, [{"row": row, "text": vault.seal(name, text)} for row, text in plain]
        )
        rows = connection.execute(look.where(key > rows[-1][0])).all()


def _empty(connection: Connection, column: Column[Any]) -> bool:
    filled = select(column.table).where(column.is_not(None)).exists()
    return not connection.scalar(select(filled))


def _opened(vault: Vault, name: str, text: str) -> str:
    try:
        return vault.open(name, text)
    except NotOpened as error:
        raise WrongKey from error
