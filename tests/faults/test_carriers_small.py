"""The carriers' fault harness in small: it keeps its promises, and finds what it should."""

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


async def test_lost_answers_that_are_sent_again_are_noticed() -> None:
    with without(CARRIER_GUARDS, "ask"):
        report = await run(range(20), 1, stay=1)
    assert any("double top-up" in example for example in report.examples)
