"""A supplier's API, as the core asks for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.domain.money import Money
from bot.domain.sims import Reading, Sim


class SupplierUnavailable(Exception):
    """A read failed; nothing was bought. `reason` is a short code for the log and the views."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a supplier's API can do; the core asks only for what is declared here."""

    reads: bool
    """It tells a SIM's state, data and validity."""
    finds: bool
    """It can look a top-up up by our reference."""
    unique_refs: bool
    """It promises that one reference buys once, so that a lost answer may be submitted again."""
    after_expiry: bool
    """It tops up a line whose validity is over."""
    by_hand: bool = False
    """A person does the top-up; the order waits in the operator's queue."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A SIM as its supplier knows it."""

    supplier_ref: str
    iccid: str | None
    msisdn: str | None
    activation_code: str | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class SupplierPlan:
    """A top-up the supplier sells for one SIM at this moment."""

    code: str
    cost: Money
    days: int
    data: int | None
    quoted: str | None = None
    """The price as the supplier wrote it, to be sent back as a guard; None when it has none."""


@dataclass(frozen=True, slots=True)
class TopUpRequest:
    """What to buy. `ref` is our reference, committed before the call."""

    ref: str
    sim: Sim
    supplier_code: str
    amount: Money | None
    max_cost: Money | None
    quoted: str | None = None
    """The price read just before; without it the adapter reads it itself where it can."""


class TopUpStatus(StrEnum):
    """How a submit or a look-up ended. UNKNOWN and NOT_FOUND never mean "it failed"."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    REJECTED = "rejected"  # definitely not bought, nothing was charged
    UNKNOWN = "unknown"  # it may have been bought: ask, never repeat blindly
    NOT_FOUND = "not_found"  # a look-up saw no such top-up (so far)
    NOT_SENT = "not_sent"  # the call that buys never left: it may be made later


@dataclass(frozen=True, slots=True)
class TopUpAnswer:
    """A supplier's word on one top-up."""

    status: TopUpStatus
    supplier_ref: str | None = None
    reason: str | None = None


class Carrier(Protocol):
    """One supplier's API. No method retries a call that can cost money."""

    name: str
    capabilities: Capabilities

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        """The SIM if the supplier knows it. Raises SupplierUnavailable."""
        ...

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        """Top-ups sold for this SIM now, with our cost. Raises SupplierUnavailable."""
        ...

    async def snapshot(self, sim: Sim) -> Reading:
        """A fresh reading. Raises SupplierUnavailable."""
        ...

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """Buy once. Never raises for the network: what can't be known is UNKNOWN."""
        ...

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        """Look a top-up up by our reference. Raises SupplierUnavailable."""
        ...

    async def wallet(self) -> Money | None:
        """Our balance there; None when the supplier keeps none. Raises SupplierUnavailable."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
