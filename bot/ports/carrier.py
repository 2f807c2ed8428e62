"""A supplier's API, as the core asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.money import Money
from bot.domain.plans import OpenAmount
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
    numbers: bool = False
    """It sends airtime to any phone number; whose SIM it is needs no proof."""
    reverses: bool = False
    """A success may be taken back later; it is asked about for 72 hours."""
    webhooks: bool = False
    """It calls us; what it says is only a hint."""
    extends: bool | None = None
    """A top-up extends what is there, so that data left over stays until the new date. False: it
    is a package of its own, and data left over keeps its own date. None: nobody says."""
    slowest: float = 30.0
    """Seconds its longest answer may take."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A SIM as its supplier knows it. An airtime supplier knows only the carrier of a number."""

    supplier_ref: str
    iccid: str | None
    msisdn: str | None
    activation_code: str | None
    reading: Reading | None
    carrier: str | None = None
    """The network brand, in the supplier's words."""
    country: str | None = None
    """ISO 3166 alpha-2."""


@dataclass(frozen=True, slots=True)
class SupplierPlan:
    """A top-up the supplier sells for one SIM at this moment. Exactly one of `cost` and
    `amount` is set: a range is priced by `quote`."""

    code: str
    cost: Money | None
    days: int
    data: int | None
    quoted: str | None = None
    """The price as the supplier wrote it, to be sent back as a guard; None when it has none."""
    amount: OpenAmount | None = None
    """Amounts that can be chosen, in the currency the SIM receives."""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class SupplierQuote:
    """What one top-up costs us at this moment, or why it can't be bought."""

    cost: Money | None = None
    delivered: Money | None = None
    """What the SIM receives, for airtime."""
    quoted: str | None = None
    """As in SupplierPlan."""
    refused: str | None = None
    """A reason code the views know; the rest is None then."""


@dataclass(frozen=True, slots=True)
class TopUpRequest:
    """What to buy. `ref` is our reference, committed before the call."""

    ref: str
    sim: Sim
    supplier_code: str
    amount: Money | None
    """What the SIM is to receive, for open amounts."""
    max_cost: Money | None
    quoted: str | None = None
    """The price read just before; without it the adapter reads it itself where it can."""
    since: datetime | None = None
    """When our reference was made: nothing older is this top-up."""


class TopUpStatus(StrEnum):
    """How a submit or a look-up ended. UNKNOWN and NOT_FOUND never mean "it failed"."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    REJECTED = "rejected"  # definitely not bought, nothing was charged
    UNKNOWN = "unknown"  # it may have been bought: ask, never repeat blindly
    NOT_FOUND = "not_found"  # a look-up saw no such top-up (so far)
    NOT_SENT = "not_sent"  # the call that buys never left: it may be made later
    REVERSED = "reversed"  # delivered, then taken back; the money returned to us


@dataclass(frozen=True, slots=True)
class TopUpAnswer:
    """A supplier's word on one top-up."""

    status: TopUpStatus
    supplier_ref: str | None = None
    reason: str | None = None
    operator_ref: str | None = None
    """The network operator's own confirmation, which stands for a reading of the SIM."""
    delivered: Money | None = None
    pin: str | None = None
    """A code that the customer must type into the phone themselves."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What a webhook is about; the truth is asked for. All None: the supplier only checks us."""

    event_id: str
    ref: str | None = None
    """Our reference of a top-up."""
    supplier_ref: str | None = None
    """The supplier's name of a SIM."""
    iccid: str | None = None


class WebhookRefused(Exception):
    """A webhook whose signature or form is wrong; nothing of it is used."""


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

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        """The live price of one top-up, the operator's state included. Raises
        SupplierUnavailable."""
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

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        """How a top-up stands whose supplier reference we have. Raises SupplierUnavailable."""
        ...

    async def wallet(self) -> Money | None:
        """Our balance there; None when the supplier keeps none. Raises SupplierUnavailable."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        """What a webhook is about. Raises WebhookRefused. `headers` by lower-case name."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
