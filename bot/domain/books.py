"""Reconciliation: what providers say they took, against what our store says became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState
from bot.domain.sales import Method, Order, Payment


class Gap(StrEnum):
    """In what two books differ, where no job of ours can settle it."""

    NO_ORDER = "no_order"
    """A charge with a reference of ours that no attempt has."""
    MISSING_THERE = "missing_there"
    """We hold a charge as captured that its provider does not list."""
    REFUND_MISSING_THERE = "refund_missing_there"
    """We hold money as returned that the provider still has."""
    UNPAID = "unpaid"
    """An order was fulfilled, and no captured payment paid it."""
    STUCK = "stuck"
    """Captured money whose order has come to no end."""
    LEDGER = "ledger"
    """Postings that do not add up, or a balance that is not their sum."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One gap, found at `found_at` (UTC); one row for one gap and subject, ever."""

    id: str
    gap: Gap
    subject: str
    """What it is about: a charge's id, a payment's, an account's."""
    method: Method | None
    amount: Money | None
    found_at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the wallets' books do not add up: an entry, an account, a payment, a refund."""

    subject: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Purses:
    """All wallets in one currency, in minor units: what stands in them, and what their entries
    come to."""

    stands: int = 0
    entered: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether nothing stands there that no entry tells of."""
        return self.stands == self.entered


@dataclass(slots=True)
class Line:
    """One method and currency over the period; amounts in minor units."""

    method: Method
    currency: str
    listed: int | None = None
    """Taken, says the provider; None where it keeps no list or could not be asked."""
    listed_back: int | None = None
    """Returned, says the provider."""
    captured: int = 0
    fulfilled: int = 0
    """Of it, what was delivered for, or stands in a wallet."""
    refunded: int = 0
    held: int = 0
    """Of it, what has come to no end yet."""

    @property
    def adds_up(self) -> bool:
        """Whether all that was captured is accounted for."""
        return self.captured == self.fulfilled + self.refunded + self.held


@dataclass(slots=True)
class Report:
    """What one run found and did."""

    at: datetime
    since: datetime
    lines: list[Line] = field(default_factory=list)
    captured_late: int = 0
    """Charges that nobody had told us of, taken over now."""
    foreign: int = 0
    """Charges at a provider that carry no reference of ours: other business of the same account."""
    found: list[Difference] = field(default_factory=list)
    """Gaps that a person has to look at, those known before too."""
    away: list[Method] = field(default_factory=list)
    """Methods whose provider could not be asked."""
    purses: Mapping[str, Purses] = field(default_factory=dict)
    """The customers' wallets now, by currency."""

    def line(self, method: Method, currency: str) -> Line:
        """The line of a method and currency, made when it is not there."""
        for line in self.lines:
            if (line.method, line.currency) == (method, currency):
                return line
        made = Line(method, currency)
        self.lines.append(made)
        return made

    @property
    def adds_up(self) -> bool:
        """Whether every line does, and the wallets."""
        lines = all(line.adds_up for line in self.lines)
        return lines and all(purses.adds_up for purses in self.purses.values())


TAKEN = frozenset(
    {
        PaymentState.CAPTURED,
        PaymentState.MISMATCH,
        PaymentState.REFUNDED,
        PaymentState.DISPUTED,
    }
)
"""States of an attempt that has taken money, whatever became of it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A captured payment and what surely went back of it, in minor units."""

    payment: Payment
    returned: int


def count_order(report: Report, order: Order, attempts: Sequence[Taken]) -> bool:
    """Add an order's money to its lines. False when it was fulfilled and nobody paid for it.

    What was delivered is told by the order, what was taken by its attempts: the two books meet in
    the line. Only one attempt pays an order; what others took is held until it goes back.
    """
    paid = [one for one in attempts if _paid(order, one.payment)]
    # Money of a delivered order may have gone back since, by whose decision ever.
    kept = [one for one in paid if one.payment.state is not PaymentState.REFUNDED]
    payer = next(iter([*kept, *paid]), None)
    delivered = order.state is OrderState.FULFILLED and order.charge is not None
    if delivered and order.charge is not None and order.method is not None:
        line = report.line(order.method, order.charge.currency)
        line.fulfilled += order.charge.minor - (payer.returned if payer else 0)
    for one in attempts:
        _count(report, one, done=delivered and one is payer)
    return payer is not None or not delivered


def count_deposit(report: Report, taken: Taken) -> None:
    """Add money that was put into a wallet: it has done its work there."""
    if taken.payment.captured is not None:
        line = report.line(taken.payment.method, taken.payment.captured.currency)
        line.fulfilled += taken.payment.captured.minor - taken.returned
        _count(report, taken, done=True)


def _paid(order: Order, payment: Payment) -> bool:
    return order.method is payment.method and order.charge == payment.captured


def _count(report: Report, taken: Taken, *, done: bool) -> None:
    captured = taken.payment.captured
    if captured is None:
        return
    line = report.line(taken.payment.method, captured.currency)
    line.captured += captured.minor
    line.refunded += taken.returned
    if not done:
        line.held += captured.minor - taken.returned


def total(lines: Iterable[Line]) -> dict[str, tuple[int, int, int, int]]:
    """By currency: captured, fulfilled, refunded, held."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for line in lines:
        old = found.get(line.currency, (0, 0, 0, 0))
        new = (line.captured, line.fulfilled, line.refunded, line.held)
        found[line.currency] = tuple(a + b for a, b in zip(old, new, strict=True))  # type: ignore[assignment]
    return found
