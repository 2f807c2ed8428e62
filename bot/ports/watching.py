"""The database, continued: eSIMs that wait for their activation, and suppliers' webhooks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Wait(StrEnum):
    """Where the watch over an eSIM that waits for its activation stands."""

    WATCHED = "watched"
    TOLD = "told"  # its owner heard what to try
    ESCALATED = "escalated"  # it waits for a person of the shop
    ACTIVE = "active"
    HELPED = "helped"  # an operator has seen to it
    LATER = "later"  # its owner will switch it on another day
    OVER = "over"  # the owner gave it back, or it ended unused


OPEN_WAITS = (Wait.WATCHED, Wait.TOLD, Wait.ESCALATED)


@dataclass(frozen=True, slots=True)
class Activation:
    """One watch over one SIM of one owner since `since` (UTC); `next_at` is its next step."""

    id: str
    sim_id: str
    chat_id: int
    state: Wait
    since: datetime
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HintRow:
    """What a supplier's webhook was about; see `ports.Hint`. `id` is the store's own."""

    supplier: str
    event_id: str
    ref: str | None
    supplier_ref: str | None
    iccid: str | None
    received_at: datetime
    id: int | None = None


class Activations(Protocol):
    async def add(self, activation: Activation) -> bool:
        """False when the SIM has an open watch."""
        ...

    async def get(self, activation_id: str) -> Activation | None: ...
    async def of_sim(self, sim_id: str) -> list[Activation]:
        """Every watch over a SIM, the newest first."""
        ...

    async def of_sims(self, sim_ids: Collection[str]) -> list[Activation]:
        """Every watch over these SIMs, the newest first."""
        ...

    async def move(self, activation_id: str, old: Wait, new: Wait, **changes: Any) -> bool:
        """Compare-and-set on the state; False when it had moved."""
        ...

    async def put_off(self, activation_id: str, next_at: datetime) -> None: ...
    async def due(self, now: datetime, limit: int) -> list[Activation]: ...
    async def next_due(self) -> datetime | None: ...
    async def escalated(self) -> list[Activation]:
        """What waits for a person, the longest first."""
        ...


class Hints(Protocol):
    async def add(self, hint: HintRow) -> bool:
        """False when that supplier's event was there before."""
        ...

    async def waiting(self, limit: int) -> list[HintRow]:
        """Those nobody has worked yet, oldest first."""
        ...

    async def done(self, hint_id: int, at: datetime) -> None: ...
    async def next_due(self) -> datetime | None:
        """When the oldest one that waits was received."""
        ...

    async def purge(self, before: datetime) -> int: ...
