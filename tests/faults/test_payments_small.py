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


@pytest.mark.parametrize(("guard", "case"), [("promo_places", 3), ("points", 28), ("receipts", 49)])
async def test_what_promos_points_and_receipts_are_guarded_by_is_found(
    guard: str, case: int
) -> None:
    with without(guard):
        report = await run(range(case, case + 1), seed=1)
    assert report.violations


async def test_cash_at_the_counter_breaks_no_promise() -> None:
    for case in (49, 99, 149):
        report = await run(range(case, case + 1), seed=1)
        assert report.violations == 0, report.examples
        assert report.counts["cash: cases"] == 1


async def test_another_amount_taken_for_what_was_asked_is_found() -> None:
    with without("amount"):
        report = await run(range(8, 9), seed=1)
    assert report.violations


def test_a_guard_that_is_none_can_not_be_taken_out() -> None:
    with pytest.raises(KeyError), without("nothing"):
        pass
