"""Renewals that pay by themselves (F19): what was agreed, and what is due of it when.

An agreement is a customer's word that we may renew one SIM; a run is one renewal under it, unique
by (SIM, period), where the period is the moment that is renewed: the SIM's expiry, or a fixed
cycle's day. `due` decides, `services.renewals` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from bot.domain.money import Money
from bot.domain.sales import Method

TERMS = "2026-11"
"""Version of the terms that are accepted; a change of their words is a new one."""
NOTICE = timedelta(days=3)
"""How long before the charge it is told, with its price."""
LEAST_NOTICE = timedelta(hours=24)
"""After downtime it may be later, never shorter than this."""
LEAD = timedelta(days=1)
"""How long before expiry the first charge is."""
EARLY = timedelta(days=3)
"""The same of a line that can't be renewed once it has expired: both retries come before that."""
RETRY = timedelta(hours=24)
TRIES = 3
"""The first charge and two retries, over 48 hours."""
CAP_SPAN = timedelta(days=30)
"""What the cap of an agreement counts over."""
SAME_PERIOD = timedelta(days=3)
"""Expiries as close as this to one that was paid are the same, told anew by the supplier."""
SHORTEST = 7
"""Days of validity below which a plan is not renewed by itself: a notice would come too late."""
LOOK = timedelta(hours=12)
"""An agreement is looked at so often, for its SIM's dates may have moved."""
BUSY = timedelta(minutes=15)
"""How long an order of the customer's own puts a charge off before it is looked at again."""
DRIFT = Decimal("1.05")
"""By how much more than announced another currency may come to at the rate of the day."""
BEGIN_WITHIN = timedelta(days=1)
"""After which an agreement whose first payment never came is forgotten."""
STARS_PERIOD = timedelta(days=30)
"""The one length of a subscription that Telegram knows."""
MOST_STARS = 10_000
"""The most that a subscription in Stars may cost a month."""
STARS_LATE = timedelta(days=1)
"""How long after its day a charge of Telegram's may still be told to us."""


class AgreementState(StrEnum):
    """Life of an agreement."""

    WAITING = "waiting"  # accepted; the payment that begins it is still to come
    ACTIVE = "active"
    FAILING = "failing"  # declined; it is being tried again
    PAUSED = "paused"  # until the customer says how to go on
    CANCELLED = "cancelled"  # by the customer
    ENDED = "ended"


class RunState(StrEnum):
    """Life of one renewal."""

    NOTICED = "noticed"
    CHARGING = "charging"  # an attempt is committed; only its provider knows more
    PAID = "paid"
    DECLINED = "declined"
    FAILED = "failed"  # given up
    SKIPPED = "skipped"


_A, _R = AgreementState, RunState

AGREEMENT: Mapping[AgreementState, frozenset[AgreementState]] = {
    _A.WAITING: frozenset({_A.ACTIVE, _A.CANCELLED, _A.ENDED}),
    _A.ACTIVE: frozenset({_A.FAILING, _A.PAUSED, _A.CANCELLED, _A.ENDED}),
    _A.FAILING: frozenset({_A.ACTIVE, _A.PAUSED, _A.CANCELLED, _A.ENDED}),
    _A.PAUSED: frozenset({_A.ACTIVE, _A.CANCELLED, _A.ENDED}),
    _A.CANCELLED: frozenset(),
    # Telegram charged a subscription that we had given up.
    _A.ENDED: frozenset({_A.ACTIVE}),
}

RUN: Mapping[RunState, frozenset[RunState]] = {
    _R.NOTICED: frozenset({_R.CHARGING, _R.SKIPPED}),
    _R.CHARGING: frozenset({_R.PAID, _R.DECLINED, _R.SKIPPED}),
    _R.DECLINED: frozenset({_R.CHARGING, _R.PAID, _R.FAILED, _R.SKIPPED}),
    # Late money; or a new agreement takes the period up again.
    _R.FAILED: frozenset({_R.PAID, _R.NOTICED}),
    _R.SKIPPED: frozenset({_R.PAID, _R.NOTICED}),
    _R.PAID: frozenset(),
}

LIVE = frozenset({_A.ACTIVE, _A.FAILING})
"""Agreements under which is charged."""
KEPT = LIVE | {_A.WAITING, _A.PAUSED}
"""Agreements that a SIM has one of at most."""
OPEN_RUNS = frozenset({_R.NOTICED, _R.CHARGING, _R.DECLINED})


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a customer agreed to for one SIM. Times in UTC."""

    id: str
    version: int
    state: AgreementState
    sim_id: str
    chat_id: int
    plan_code: str
    method: Method
    """WALLET, CARD, or STARS as a subscription that Telegram charges."""
    price: Money
    """What was accepted for one renewal, in the plan's currency."""
    cap: Money
    """The most within 30 days, in the plan's currency."""
    terms: str
    accepted_at: datetime
    amount: Money | None = None
    """Of a plan of any amount."""
    every: int | None = None
    """Days between renewals; None: before each expiry."""
    due_at: datetime | None = None
    """The next day of a fixed cycle."""
    saved_id: str | None = None
    """What is charged of a card, see `sales.Saved`."""
    order_id: str | None = None
    """The order whose payment begins it, where one has to."""
    subscription: str | None = None
    """Its name at Telegram: the id of its first charge."""
    until: datetime | None = None
    """When Telegram charges next."""
    unsubscribe: bool = False
    """Telegram is still to be told that it has ended."""
    asked: Money | None = None
    """The new price that waits for the customer's word."""
    next_at: datetime | None = None
    """When it is looked at next."""
    reason: str | None = None
    """Why it is paused or has ended; a code the views know."""


@dataclass(frozen=True, slots=True)
class Run:
    """One renewal. `most` is the highest charge that its notice allows, in the charge's
    currency; `first_at` is when it was charged for the first time."""

    id: str
    agreement_id: str
    sim_id: str
    period: datetime
    state: RunState
    price: Money
    most: Money
    noticed_at: datetime
    tries: int = 0
    first_at: datetime | None = None
    order_id: str | None = None
    payment_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What counts of a SIM. `late`: it can be renewed after it has expired; `busy`: an order of
    the customer's own waits for money or is being delivered; `paid`: the newest period that an
    agreement has paid."""

    held: bool
    expiry: datetime | None
    late: bool = True
    busy: bool = False
    paid: datetime | None = None


class Act(StrEnum):
    """What is to be done now."""

    WAIT = "wait"
    NOTICE = "notice"
    CHARGE = "charge"
    SETTLE = "settle"  # ask what became of the attempt under way
    SKIP = "skip"
    GIVE_UP = "give_up"
    END = "end"


@dataclass(frozen=True, slots=True)
class Step:
    """`at` is until when to wait; None while only the customer can go on."""

    act: Act
    at: datetime | None = None
    reason: str | None = None


def period_of(agreement: Agreement, expiry: datetime | None) -> datetime | None:
    """What is renewed next; None when nobody knows."""
    return expiry if agreement.every is None else agreement.due_at


def charge_at(agreement: Agreement, period: datetime, *, late: bool) -> datetime:
    """When a period is charged, if it was told in time."""
    if agreement.every is not None:
        return period
    return period - (LEAD if late else EARLY)


def _last(agreement: Agreement, period: datetime) -> datetime:
    """Until when a first charge may be begun."""
    return period if agreement.every is None else period + 2 * RETRY


def due(agreement: Agreement, run: Run | None, line: Line, now: datetime) -> Step:
    """What an agreement asks for. `run` is the SIM's open one, else that of the present period."""
    if run is not None and run.state is RunState.CHARGING:
        return Step(Act.SETTLE)
    if not line.held:
        return Step(Act.END, reason="sim_gone")
    if agreement.state not in LIVE:
        return Step(Act.WAIT)
    period = period_of(agreement, line.expiry)
    opened = run is not None and run.state in OPEN_RUNS
    if run is not None and opened and run.period != period:
        return Step(Act.SKIP, reason="renewed")
    if period is None or (line.paid is not None and abs(period - line.paid) < SAME_PERIOD):
        return Step(Act.WAIT, now + LOOK)
    if run is None or (not opened and run.agreement_id != agreement.id):
        return _before(agreement, run, period, line, now)
    if run.state is RunState.NOTICED:
        return _noticed(agreement, run, line, now)
    if run.state is RunState.DECLINED:
        return _declined(agreement, run, line, now)
    return Step(Act.WAIT, now + LOOK)


def _before(
    agreement: Agreement, run: Run | None, period: datetime, line: Line, now: datetime
) -> Step:
    if run is not None and run.state is RunState.PAID:
        return Step(Act.WAIT, now + LOOK)
    at = charge_at(agreement, period, late=line.late) - NOTICE
    if now < at:
        return Step(Act.WAIT, at)
    if now + LEAST_NOTICE > _last(agreement, period):
        return Step(Act.SKIP, reason="too_late")
    return Step(Act.NOTICE)


def _noticed(agreement: Agreement, run: Run, line: Line, now: datetime) -> Step:
    planned = charge_at(agreement, run.period, late=line.late)
    at = max(planned, run.noticed_at + LEAST_NOTICE)
    if now < at:
        return Step(Act.WAIT, at)
    if now > _last(agreement, run.period):
        return Step(Act.SKIP, reason="too_late")
    return Step(Act.WAIT, now + BUSY) if line.busy else Step(Act.CHARGE)


def _declined(agreement: Agreement, run: Run, line: Line, now: datetime) -> Step:
    at = retry_at(run)
    gone = agreement.every is None and not line.late and max(at or now, now) >= run.period
    if at is None or gone or now > at + RETRY:
        return Step(Act.GIVE_UP)
    if now < at:
        return Step(Act.WAIT, at)
    return Step(Act.WAIT, now + BUSY) if line.busy else Step(Act.CHARGE)


def retry_at(run: Run) -> datetime | None:
    """When a declined one is charged again; None when it was tried often enough."""
    if run.first_at is None or run.tries >= TRIES:
        return None
    return run.first_at + RETRY * run.tries


def most(total: Money, price: Money) -> Money:
    """The highest charge that a notice of `total` allows: exactly that, or 5 % more where the
    rate of the day decides."""
    if total.currency == price.currency:
        return total
    return Money.rounded(total.major * DRIFT, total.currency, ROUND_FLOOR)


def within(cap: Money, spent: Money, price: Money) -> bool:
    """Whether one more renewal stays within the cap."""
    return spent + price <= cap
