"""The payments' fault harness in small: it keeps its promises, and finds what it should."""

import pytest

from tests.faults.payments import run
from tests.faults.payments_guardless import without


async def test_faults_of_payments_break_no_promise() -> None:
    report = await run(range(30), seed=1)
    assert report.violations == 0, report.examples
    kept = {"card", "paypal", "epay", "stars", "telegram", "wallet", "transfer", "voucher"}
    assert {what.split(":")[0] for what in report.counts if what.endswith(": cases")} >= kept
    assert report.counts["deaths"]


async def test_money_that_is_paid_late_and_left_lying_is_found() -> None:
    with without("late_money"):
        report = await run(range(52, 53), seed=1)
    assert report.violations


async def test_another_amount_taken_for_what_was_asked_is_found() -> None:
    with without("amount"):
        report = await run(range(8, 9), seed=1)
    assert report.violations


def test_a_guard_that_is_none_can_not_be_taken_out() -> None:
    with pytest.raises(KeyError), without("nothing"):
        pass
