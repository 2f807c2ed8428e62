"""References, unique amounts, transaction numbers, and what makes two proofs the same."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money
from bot.domain.transfers import (
    LETTERS,
    Proof,
    ProofState,
    Same,
    lowered,
    normal,
    reference,
    same,
)
from tests.unit.store.samples import ALICE, BOB, NOW

ONE = Proof(
    "p1", "order1-aaaaaa", ALICE, ProofState.WAITING, "file", True, "ab" * 32,
    "f0f0f0f0f0f0f0f0", NOW, number="20270302ABC",
)  # fmt: skip
OTHER = replace(
    ONE, id="p2", payment_id="order2-bbbbbb", chat_id=BOB, sha256="cd" * 32,
    look="0f0f0f0f0f0f0f0f", number="999999",
)  # fmt: skip


def test_a_reference_can_be_typed_without_doubt() -> None:
    made = reference(random.Random(1).choice)
    assert len(made) == 6
    assert set(made) <= set(LETTERS)
    assert not set(LETTERS) & set("01OIL")


@given(st.integers(1, 10**9), st.integers(0, 98), st.sets(st.integers(0, 200), max_size=120))
def test_a_unique_amount_is_never_above_the_total(minor: int, first: int, gone: set[int]) -> None:
    total = Money(minor, "CNY")
    others = [Money(minor - n, "CNY") for n in gone]
    amount = lowered(total, others, first)
    assert 0 < amount.minor <= total.minor
    assert total.minor - amount.minor <= 99
    assert amount not in others or amount == total


def test_when_all_amounts_are_gone_the_total_is_asked() -> None:
    total = Money(5000, "CNY")
    gone = [Money(5000 - n, "CNY") for n in range(1, 100)]
    assert lowered(total, gone, 7) == total
    assert lowered(total, gone[1:], 7) == gone[0]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2027 0302-2200 1413", "2027030222001413"),
        ("\uff12\uff10\uff12\uff17\uff10\uff13\uff10\uff12", "20270302"),
        ("交易号：tx-99887766", "TX99887766"),
        ("12345", None),
        ("thank you", None),
        ("9" * 65, None),
    ],
)
def test_a_transaction_number_is_compared_without_its_dress(written: str, found: str) -> None:
    assert normal(written) == found


def test_proofs_are_the_same_by_picture_number_or_look() -> None:
    assert same(ONE, OTHER) is None
    assert same(ONE, replace(OTHER, sha256=ONE.sha256)) is Same.PICTURE
    assert same(ONE, replace(OTHER, number=ONE.number)) is Same.NUMBER
    assert same(ONE, replace(OTHER, look="f0f0f0f0f0f0f0f3")) is Same.LOOKS
    assert same(ONE, replace(OTHER, look="f0f0f0f0f0f0f0f7")) is None
    assert same(replace(ONE, number=None), replace(OTHER, number=None)) is None


def test_a_proof_sent_again_for_its_own_order_is_no_duplicate() -> None:
    assert same(ONE, replace(ONE, id="p3", payment_id="order1-cccccc")) is None
