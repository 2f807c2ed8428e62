"""The three state machines: what the tables must never allow, and what they must always allow."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise, product
from typing import Any

import pytest

from bot.domain.orders import (
    OPEN_ORDERS,
    ORDER,
    PAYMENT,
    RUNNING_ORDERS,
    TOPUP,
    IllegalTransition,
    OrderState,
    PaymentState,
    TopUpState,
    check,
    diagram,
)

O, P, T = OrderState, PaymentState, TopUpState  # noqa: E741  short in tables
MACHINES: dict[str, tuple[type[StrEnum], Mapping[Any, frozenset[Any]]]] = {
    "order": (OrderState, ORDER),
    "payment": (PaymentState, PAYMENT),
    "topup": (TopUpState, TOPUP),
}
machines = pytest.mark.parametrize(("states", "table"), MACHINES.values(), ids=MACHINES)


def reached(table: Mapping[Any, frozenset[Any]], start: Any) -> set[Any]:
    """Every state a row can get to from `start`, itself among them."""
    seen, todo = {start}, [start]
    while todo:
        new = table[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


@machines
def test_a_table_holds_every_state_and_no_other(
    states: type[StrEnum], table: Mapping[Any, frozenset[Any]]
) -> None:
    assert set(table) == set(states)
    assert frozenset().union(*table.values()) <= set(states)


@machines
def test_every_state_can_be_reached_from_the_first(
    states: type[StrEnum], table: Mapping[Any, frozenset[Any]]
) -> None:
    assert reached(table, next(iter(table))) == set(states)


@machines
def test_nothing_moves_to_where_it_is_or_back_to_its_beginning(
    states: type[StrEnum], table: Mapping[Any, frozenset[Any]]
) -> None:
    first = next(iter(table))
    for old, news in table.items():
        assert old not in news
        # A buying call that surely never left us has not begun.
        assert first not in news or (old, first) == (T.SUBMITTING, T.SAVED)


@machines
def test_check_allows_the_table_and_nothing_else(
    states: type[StrEnum], table: Mapping[Any, frozenset[Any]]
) -> None:
    for old, new in product(states, states):
        if new in table[old]:
            check(table, old, new)
        else:
            with pytest.raises(IllegalTransition, match=f"{old} → {new}"):
                check(table, old, new)


@pytest.mark.parametrize("old", [p for p in P if p not in (P.CAPTURED, P.REFUNDED)])
def test_late_money_is_captured_from_every_state(old: PaymentState) -> None:
    assert P.CAPTURED in PAYMENT[old]


def test_a_captured_payment_never_fails() -> None:
    assert not reached(PAYMENT, P.CAPTURED) & {P.FAILED, P.CANCELLED, P.EXPIRED, P.PENDING}


def test_a_refunded_payment_stays_refunded() -> None:
    assert PAYMENT[P.REFUNDED] == frozenset()


def test_the_straight_ways_are_open() -> None:
    ways: list[tuple[Mapping[Any, frozenset[Any]], list[Any]]] = [
        (ORDER, [O.QUOTED, O.AWAITING_PAYMENT, O.PAID, O.TOPPING_UP, O.FULFILLED]),
        (PAYMENT, [P.CREATED, P.PENDING, P.CAPTURED]),
        (TOPUP, [T.SAVED, T.SUBMITTING, T.PROCESSING, T.SUCCEEDED, T.VERIFIED]),
        (TOPUP, [T.SUBMITTING, T.UNKNOWN, T.RECONCILING, T.SUCCEEDED]),
        (ORDER, [O.FULFILLED, O.REFUND_DUE, O.REFUNDING, O.REFUNDED]),
    ]
    for table, way in ways:
        for old, new in pairwise(way):
            check(table, old, new)


def test_an_order_is_topped_up_only_once_it_is_paid() -> None:
    sources = {old for old, news in ORDER.items() if O.TOPPING_UP in news}
    assert sources == {O.PAID, O.TOPUP_UNKNOWN, O.NEEDS_OPERATOR}


def test_an_order_with_money_in_it_ends_fulfilled_or_refunded_and_nowhere_else() -> None:
    for state in RUNNING_ORDERS | {O.REFUND_DUE, O.REFUNDING}:
        ways = reached(ORDER, state)
        assert not ways & {O.EXPIRED, O.CANCELLED, O.QUOTED, O.AWAITING_PAYMENT}
        assert O.REFUNDED in ways
    for state in RUNNING_ORDERS:
        assert O.FULFILLED in reached(ORDER, state)


@pytest.mark.parametrize("state", [O.EXPIRED, O.CANCELLED])
def test_money_after_the_end_is_honoured_or_returned(state: OrderState) -> None:
    assert {O.PAID, O.REFUND_DUE} <= ORDER[state]


def test_refunds_are_sent_only_after_they_are_due() -> None:
    assert {old for old, news in ORDER.items() if O.REFUNDING in news} == {O.REFUND_DUE}
    assert {old for old, news in ORDER.items() if O.REFUNDED in news} == {O.REFUNDING}


def test_every_unfinished_order_can_reach_a_person() -> None:
    for state in RUNNING_ORDERS - {O.NEEDS_OPERATOR} | {O.REFUND_DUE, O.REFUNDING}:
        assert O.NEEDS_OPERATOR in ORDER[state]


def test_an_unknown_topup_is_looked_up_before_anything_else() -> None:
    assert TOPUP[T.UNKNOWN] == {T.RECONCILING}


def test_a_topup_goes_to_the_supplier_again_only_by_decision_or_after_a_look_up() -> None:
    assert {old for old, news in TOPUP.items() if T.SUBMITTING in news} == {
        T.SAVED,
        T.NEEDS_OPERATOR,
        T.RECONCILING,
    }


def test_a_topup_is_verified_only_after_the_supplier_said_yes() -> None:
    assert {old for old, news in TOPUP.items() if T.VERIFIED in news} == {T.SUCCEEDED}


def test_a_topup_in_doubt_always_ends() -> None:
    for state in (T.SUBMITTING, T.PROCESSING, T.UNKNOWN, T.RECONCILING):
        assert {T.SUCCEEDED, T.REJECTED, T.NEEDS_OPERATOR} <= reached(TOPUP, state)


def test_the_named_groups_are_apart() -> None:
    assert not OPEN_ORDERS & RUNNING_ORDERS
    assert {O.QUOTED, O.AWAITING_PAYMENT} == OPEN_ORDERS


def test_a_diagram_draws_each_move_once_and_in_the_order_of_the_table() -> None:
    lines = diagram("Order", ORDER).splitlines()
    assert lines[:4] == ["### Order", "", "```mermaid", "stateDiagram-v2"]
    assert lines[4] == "    [*] --> quoted"
    assert lines[-1] == "```"
    moves = [line for line in lines if "-->" in line]
    assert len(moves) == len(set(moves))
    assert len(moves) == 1 + sum(len(news) or 1 for news in ORDER.values())
    assert "    refunded --> [*]" in moves
