"""The database, continued: everything of one person, to be given to them and to be forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Section = Sequence[Mapping[str, Any]]
"""Rows of one table as plain values: texts, numbers, and what JSON knows besides."""


@dataclass(frozen=True, slots=True)
class Held:
    """Why a person can't be forgotten yet: a code the views know, and the order it is about."""

    reason: str
    order_id: str | None = None


class PersonalData(Protocol):
    async def all_of(self, chat_id: int) -> Mapping[str, Section]:
        """Everything that is kept of a person, by table; without what is only the shop's or a
        provider's, and without empty tables."""
        ...

    async def exported_at(self, chat_id: int) -> datetime | None:
        """When they were given it last."""
        ...

    async def held(self, chat_id: int, now: datetime) -> Held | None:
        """What has to end first: money on its way, an order, a guess that is locked."""
        ...

    async def forget(
        self, chat_id: int, update_id: int, now: datetime, untouched: Mapping[str, object]
    ) -> Sequence[str]:
        """Erase what is theirs alone, and take them out of what has to stay.

        `update_id` is the update that asks for it: it and those before it are erased as well.
        `untouched` is what a SIM says before it has an owner. The ids of managed SIMs that are
        back in stock; their next reading is to be planned anew.
        """
        ...
