"""The carriers' fault harness in small: it keeps its promises, and finds what it should."""

import pytest

from tests.faults.carriers import run
from tests.faults.guardless import CARRIER_GUARDS, without
from tests.faults.supplier_books import SUPPLIERS


async def test_forty_orders_keep_every_promise() -> None:
    report = await run(range(40), 1, stay=2)
    assert report.examples == []
    assert sum(report.counts[f"{name}: orders"] for name in SUPPLIERS) >= 36
    assert report.counts["stars captured"] == sum(
        report.counts[f"stars {what}"] for what in ("fulfilled", "refunded", "held")
    )


@pytest.mark.parametrize("guard", ["ask", "recover"])
async def test_a_guard_taken_out_is_missed(guard: str) -> None:
    with without(CARRIER_GUARDS, guard):
        report = await run(range(40), 1, stay=2)
    assert report.violations
