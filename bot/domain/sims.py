"""SIMs and what is known of them: readings, states, validity, pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from bot.domain.money import Money

LOW_DATA = 0.20  # F30: "data below 20 %"


class Tracking(StrEnum):
    """Who tells us about a SIM."""

    MANAGED = "managed"  # a supplier's API, shown only to who proved that the SIM is theirs
    SELF = "self"  # its owner; holds only what they entered


class SimForm(StrEnum):
    """What the customer holds in hand."""

    ESIM = "esim"
    CARD = "card"


class SimState(StrEnum):
    """Life of a line, as F4 names it."""

    PENDING_ACTIVATION = "pending_activation"
    ACTIVE = "active"
    LOW = "low"
    USED_UP = "used_up"
    EXPIRED = "expired"  # in its grace period, if it has one
    SUSPENDED = "suspended"
    LOST = "lost"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where a reading comes from; every shown value names it."""

    SUPPLIER = "supplier"
    RULE = "rule"
    CUSTOMER = "customer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source said of a SIM. None means "not told", never zero.

    `as_of` is when the source measured it (UTC), `taken_at` when we asked. Data is in bytes.
    """

    source: Source
    as_of: datetime
    taken_at: datetime
    state: SimState = SimState.UNKNOWN
    expiry: datetime | None = None
    grace_end: datetime | None = None
    data_total: int | None = None
    data_used: int | None = None
    minutes_left: int | None = None
    sms_left: int | None = None
    money_left: Money | None = None
    topups_left: int | None = None
    """How many more top-ups the supplier accepts on this profile; None when it sets no limit."""

    @property
    def data_left(self) -> int | None:
        """Bytes left, never below zero; None when the source does not tell."""
        if self.data_total is None or self.data_used is None:
            return None
        return max(0, self.data_total - self.data_used)

    @property
    def data_share_left(self) -> float | None:
        """Share of the data left, 0.0 to 1.0; None when unknown."""
        left = self.data_left
        if left is None or not self.data_total:
            return None
        return left / self.data_total


@dataclass(frozen=True, slots=True)
class KeepRule:
    """How long a top-up or an activity keeps a self-tracked line, as its owner or a rule pack says.

    All in days; `grace_days` 0 means the line is lost at expiry, None that it is not known.
    `source` tells whose rule it is: its owner's, or a copy of the rule pack with the code `pack`.
    """

    validity_days: int
    grace_days: int | None = None
    source: Source = Source.CUSTOMER
    pack: str | None = None


@dataclass(frozen=True, slots=True)
class OwnReminders:
    """What an owner wants otherwise for one SIM than for all; None, or False, is as for all."""

    offsets: tuple[int, ...] | None = None
    hour: int | None = None
    urgent: bool | None = None
    """Whether its last-day reminder may break quiet hours."""
    alone: bool = False
    """Never in a digest: a message of its own."""


@dataclass(frozen=True, slots=True)
class Sim:
    """One SIM as its owner sees it. `owner_id` is a private chat's id; None while in stock.

    `expiry` and `grace_end` (UTC) are the best known values, whatever their source.
    """

    id: str
    version: int
    owner_id: int | None
    tracking: Tracking
    form: SimForm
    carrier: str
    """The network brand on the SIM, as shown: "boom eSIM", "Smart", "T-Mobile US"."""
    supplier: str
    """Registry name of the API that sells its top-ups: "esim_access", "manual"."""
    supplier_ref: str | None = None
    country: str | None = None
    iccid: str | None = None
    msisdn: str | None = None
    activation_code: str | None = None
    nickname: str | None = None
    expiry: datetime | None = None
    grace_end: datetime | None = None
    dates_source: Source = Source.CUSTOMER
    rule: KeepRule | None = None
    reading: Reading | None = None
    last_plan: str | None = None
    reminders_stopped: bool = False
    snoozed_until: datetime | None = None
    next_reminder_at: datetime | None = None
    removed_at: datetime | None = None
    created_at: datetime | None = None
    keep_deadline: datetime | None = None
    """Until when (UTC) the line has to be used, by a rule that counts use; None without one.

    Under a rule that counts only what is paid the expiry is the deadline.
    """
    deadline_source: Source | None = None
    device: str | None = None
    imei: str | None = None
    own: OwnReminders | None = None

    @property
    def end(self) -> datetime | None:
        """What the line lives to: its expiry, or for lack of one its keep-number deadline."""
        return self.expiry if self.expiry is not None else self.keep_deadline

    def state_at(self, now: datetime) -> SimState:
        """The line's state at `now`: a passed date outweighs an older reading."""
        read = self.reading.state if self.reading else SimState.UNKNOWN
        if read in (SimState.LOST, SimState.SUSPENDED):
            return read
        if self.end is not None and now >= self.end:
            lost_at = self.grace_end
            return SimState.LOST if lost_at is not None and now >= lost_at else SimState.EXPIRED
        if read in (SimState.PENDING_ACTIVATION, SimState.USED_UP):
            return read
        share = self.reading.data_share_left if self.reading else None
        if share is not None and share < LOW_DATA:
            return SimState.USED_UP if share == 0 else SimState.LOW
        if read is SimState.LOW:
            return read
        return SimState.ACTIVE if self.end is not None else read


def mask(identifier: str) -> str:
    """An ICCID or number with all but its ends hidden, for receipts and lists.

    At least four characters stay hidden; of a short one only the end is shown, of less nothing.
    """
    if len(identifier) <= 6:
        return "•" * len(identifier)
    if len(identifier) < 12:
        return f"••••{identifier[-2:]}"
    return f"{identifier[:4]}••••{identifier[-4:]}"


def urgency(sim: Sim, now: datetime) -> tuple[int, datetime]:
    """Sort key, most urgent first: in grace, then by the next date, lost and undated last."""
    state = sim.state_at(now)
    far = datetime.max.replace(tzinfo=now.tzinfo)
    if state is SimState.LOST:
        return (3, sim.grace_end or far)
    if state is SimState.EXPIRED:
        return (0, sim.grace_end or now)
    ends = [end for end in (sim.expiry, sim.keep_deadline) if end is not None and end > now]
    return (1, min(ends)) if ends else (2, far)


def days_left(until: datetime, now: datetime, tz: tzinfo) -> int:
    """Days from `now` to `until` as a calendar in `tz` counts them, in which dates are shown;
    negative once that date has passed."""
    return (until.astimezone(tz).date() - now.astimezone(tz).date()).days


def extended(expiry: datetime | None, days: int, now: datetime) -> datetime:
    """Expiry after `days` more: counted from the old expiry while it lies ahead, else from now."""
    base = expiry if expiry is not None and expiry > now else now
    return base + timedelta(days=days)
