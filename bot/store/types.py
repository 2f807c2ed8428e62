"""Column types: aware UTC datetimes, enums as plain words, frozen models as JSON text, secrets."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import DateTime, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from bot.store.vault import vault_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Stored where "at once" or "never yet" has to sort before every real time."""


class NaiveDatetime(TypeError):
    """A datetime without a zone was about to be stored: a defect of the caller."""


class UtcDateTime(TypeDecorator[datetime]):
    """Takes aware datetimes only and always gives back aware ones in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveDatetime(f"{value.isoformat()} has no time zone")
        value = value.astimezone(UTC)
        # SQLite has no zones: there the text is UTC by this very rule, which keeps it sortable.
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A StrEnum stored as its plain string; a string that is no member is refused."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


class Json(TypeDecorator[Any]):
    """A value of one type as JSON text, checked by pydantic on the way back in."""

    impl = Text
    cache_ok = True

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        super().__init__()
        self.adapter = adapter

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self.adapter.dump_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self.adapter.validate_json(value)


class Sealed(TypeDecorator[str]):
    """A text sealed at rest with the key of the database that it lies in (see `bot.store.vault`).

    `name` is its table and column; it may be compared for equality and nothing else. Without a
    key, and in rows from before there was one, the text lies there as it is.
    """

    impl = String
    cache_ok = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        vault = vault_of(dialect)
        return value if value is None or vault is None else vault.seal(self.name, value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        vault = vault_of(dialect)
        return value if value is None or vault is None else vault.open(self.name, value)


class SealedText(Sealed):
    """The same for long texts, whose column is a TEXT."""

    impl = Text
    cache_ok = True


class SealedJson(Json):
    """A value of one type as sealed JSON text."""

    cache_ok = True

    def __init__(self, name: str, adapter: TypeAdapter[Any]) -> None:
        super().__init__(adapter)
        self.name = name

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        text, vault = super().process_bind_param(value, dialect), vault_of(dialect)
        return text if text is None or vault is None else vault.seal(self.name, text)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        vault = vault_of(dialect)
        if value is not None and vault is not None:
            value = vault.open(self.name, value)
        return super().process_result_value(value, dialect)
