"""The state machines of a sale, one transition table each.

The store moves a row only along these tables, by compare-and-set, and records why.
docs/states.md is drawn from them by `bot.domain.orders.diagram`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class OrderState(StrEnum):
    """Life of an order."""

    QUOTED = "quoted"
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    TOPPING_UP = "topping_up"
    FULFILLED = "fulfilled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    TOPUP_UNKNOWN = "topup_unknown"
    NEEDS_OPERATOR = "needs_operator"
    REFUND_DUE = "refund_due"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class PaymentState(StrEnum):
    """Life of one payment attempt."""

    CREATED = "created"
    PENDING = "pending"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    MISMATCH = "mismatch"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class TopUpState(StrEnum):
    """Life of one top-up at a supplier."""

    SAVED = "saved"
    SUBMITTING = "submitting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    VERIFIED = "verified"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    RECONCILING = "reconciling"
    NEEDS_OPERATOR = "needs_operator"
    REVERSED = "reversed"


class RefundState(StrEnum):
    """Life of money that goes back."""

    DUE = "due"
    SENDING = "sending"
    DONE = "done"
    BY_HAND = "by_hand"


_O, _P, _T, _R = OrderState, PaymentState, TopUpState, RefundState

ORDER: Mapping[OrderState, frozenset[OrderState]] = {
    _O.QUOTED: frozenset({_O.AWAITING_PAYMENT, _O.EXPIRED, _O.CANCELLED}),
    _O.AWAITING_PAYMENT: frozenset({_O.PAID, _O.EXPIRED, _O.CANCELLED, _O.NEEDS_OPERATOR}),
    _O.PAID: frozenset({_O.TOPPING_UP, _O.NEEDS_OPERATOR, _O.REFUND_DUE}),
    _O.TOPPING_UP: frozenset({_O.FULFILLED, _O.TOPUP_UNKNOWN, _O.NEEDS_OPERATOR, _O.REFUND_DUE}),
    _O.TOPUP_UNKNOWN: frozenset({_O.TOPPING_UP, _O.FULFILLED, _O.NEEDS_OPERATOR, _O.REFUND_DUE}),
    _O.NEEDS_OPERATOR: frozenset({_O.TOPPING_UP, _O.FULFILLED, _O.REFUND_DUE, _O.PAID}),
    _O.FULFILLED: frozenset({_O.REFUND_DUE, _O.NEEDS_OPERATOR}),
    # Late money: honoured (paid) or returned (refund_due), never dropped.
    _O.EXPIRED: frozenset({_O.PAID, _O.REFUND_DUE, _O.NEEDS_OPERATOR}),
    _O.CANCELLED: frozenset({_O.PAID, _O.REFUND_DUE, _O.NEEDS_OPERATOR}),
    _O.REFUND_DUE: frozenset({_O.REFUNDING, _O.NEEDS_OPERATOR}),
    _O.REFUNDING: frozenset({_O.REFUNDED, _O.REFUND_DUE, _O.NEEDS_OPERATOR}),
    _O.REFUNDED: frozenset(),
}

# `captured` is reachable from every state but itself, `refunded` and `disputed`.
_LATE = frozenset({_P.CAPTURED, _P.MISMATCH})
PAYMENT: Mapping[PaymentState, frozenset[PaymentState]] = {
    _P.CREATED: _LATE | {_P.PENDING, _P.FAILED, _P.CANCELLED, _P.EXPIRED},
    _P.PENDING: _LATE | {_P.FAILED, _P.CANCELLED, _P.EXPIRED},
    _P.FAILED: _LATE,
    _P.CANCELLED: _LATE,
    _P.EXPIRED: _LATE,
    _P.MISMATCH: frozenset({_P.CAPTURED, _P.REFUNDED}),
    _P.CAPTURED: frozenset({_P.REFUNDED, _P.DISPUTED}),
    _P.DISPUTED: frozenset({_P.CAPTURED, _P.REFUNDED}),
    _P.REFUNDED: frozenset(),
}

_FINAL = frozenset({_T.SUCCEEDED, _T.REJECTED, _T.NEEDS_OPERATOR})
TOPUP: Mapping[TopUpState, frozenset[TopUpState]] = {
    _T.SAVED: frozenset({_T.SUBMITTING, _T.REJECTED}),
    # Back to saved only when the buying call surely never left us.
    _T.SUBMITTING: _FINAL | {_T.PROCESSING, _T.UNKNOWN, _T.SAVED},
    _T.PROCESSING: _FINAL | {_T.UNKNOWN},
    _T.UNKNOWN: frozenset({_T.RECONCILING}),
    # To submitting only under the same reference, where the supplier promises to buy it once.
    _T.RECONCILING: _FINAL | {_T.PROCESSING, _T.UNKNOWN, _T.SUBMITTING},
    _T.NEEDS_OPERATOR: frozenset({_T.SUCCEEDED, _T.REJECTED, _T.SUBMITTING}),
    _T.SUCCEEDED: frozenset({_T.VERIFIED, _T.REVERSED, _T.NEEDS_OPERATOR}),
    _T.VERIFIED: frozenset({_T.REVERSED}),
    _T.REJECTED: frozenset(),
    _T.REVERSED: frozenset(),
}

REFUND: Mapping[RefundState, frozenset[RefundState]] = {
    _R.DUE: frozenset({_R.SENDING, _R.DONE, _R.BY_HAND}),
    # Asked again under the same id: the provider returns it once.
    _R.SENDING: frozenset({_R.DONE, _R.BY_HAND}),
    _R.BY_HAND: frozenset({_R.DONE, _R.DUE}),
    _R.DONE: frozenset(),
}

REFUND_STATES = frozenset({_O.REFUND_DUE, _O.REFUNDING, _O.REFUNDED})
"""Orders whose money goes back, or has."""

OPEN_ORDERS = frozenset({_O.QUOTED, _O.AWAITING_PAYMENT})
"""Orders the customer can still pay or cancel."""

RUNNING_ORDERS = frozenset({_O.PAID, _O.TOPPING_UP, _O.TOPUP_UNKNOWN, _O.NEEDS_OPERATOR})
"""Orders with the customer's money in them and no end yet."""


class Listed(StrEnum):
    """Which of their orders a customer looks at."""

    ALL = "all"
    RUNNING = "running"  # not ended yet
    DONE = "done"
    REFUNDED = "refunded"  # wholly or in part, done or on its way


class IllegalTransition(ValueError):
    """A move the table does not hold: a defect of the caller, never of the data."""


def check(table: Mapping[S, frozenset[S]], old: S, new: S) -> None:
    """Raise IllegalTransition unless the table allows `old` → `new`."""
    if new not in table[old]:
        raise IllegalTransition(f"{old} → {new}")


def diagram(title: str, table: Mapping[S, frozenset[S]]) -> str:
    """The table as a Mermaid state diagram, in a stable order."""
    lines = [f"### {title}", "", "```mermaid", "stateDiagram-v2"]
    lines.append(f"    [*] --> {next(iter(table))}")
    order = list(table)
    for old in order:
        lines += [f"    {old} --> {new}" for new in sorted(table[old], key=order.index)]
        if not table[old]:
            lines.append(f"    {old} --> [*]")
    return "\n".join([*lines, "```", ""])
