"""A customer's wish to have money back, and what a person of the shop made of it (F18)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.money import Money


class Why(StrEnum):
    """Why a customer asks."""

    NOT_ARRIVED = "not_arrived"
    WRONG_SIM = "wrong_sim"
    WRONG_PLAN = "wrong_plan"
    TWICE = "twice"
    NOT_WORKING = "not_working"
    OTHER = "other"  # in their own words


class RequestState(StrEnum):
    """Where a request stands; it is decided once."""

    ASKED = "asked"
    APPROVED = "approved"  # all of the order's money goes back
    PART = "part"  # a part of it; the top-up stays
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """One request; an order has at most one that waits. Times in UTC."""

    id: str
    order_id: str
    chat_id: int
    why: Why
    words: str
    """The customer's own; empty when a button said it all."""
    state: RequestState
    asked_at: datetime
    update_id: int
    """Of the update that asked: a replay asks nothing anew."""
    decided_at: datetime | None = None
    decided_by: int | None = None
    answer: str | None = None
    """Why it was declined, in the shop's words."""
    amount: Money | None = None
    """Of a part that goes back."""
    refund_id: str | None = None
