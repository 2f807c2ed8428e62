"""The database, continued: what was told of SIMs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Told:
    """A stage of a SIM that is settled in a cycle: sent, or else passed over."""

    sim_id: str
    cycle: str
    stage: str
    sent: bool


class Reminders(Protocol):
    async def sent(self, sim_id: str, *cycles: str) -> frozenset[str]:
        """Codes of the stages that are settled (sent or skipped) in these cycles."""
        ...

    async def settled(self, cycles: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
        """The same of many SIMs, each with its cycles; of one without any stage nothing."""
        ...

    async def add(self, sim_id: str, cycle: str, stage: str, *, sent: bool, at: datetime) -> bool:
        """False when the ledger has this stage already: somebody got there first."""
        ...

    async def add_all(self, rows: Collection[Told], at: datetime) -> frozenset[tuple[str, str]]:
        """SIM and stage of those that are new; of the others somebody got there first."""
        ...
