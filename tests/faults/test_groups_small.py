"""The groups' fault harness in small: it keeps its promises, and finds what it should."""

import pytest

from tests.faults.group_case import KINDS
from tests.faults.groups import run
from tests.faults.groups_guardless import without

_KINDS = list(KINDS)


async def test_faults_of_groups_break_no_promise() -> None:
    report = await run(range(len(_KINDS)), seed=1)
    assert report.violations == 0, report.examples
    assert report.counts["posts"] > 10
    assert report.counts["deaths"]
    assert {what for what in report.counts if what.startswith("commands: ")}


@pytest.mark.parametrize(
    ("guard", "kind", "found"),
    [
        ("private", "talks", "private: "),
        ("claim", "overlaps", "double: "),
        ("proof", "strangers", "proof: "),
        ("places", "sold_out", "places: "),
    ],
)
async def test_a_guard_that_is_off_is_noticed(guard: str, kind: str, found: str) -> None:
    number = _KINDS.index(kind)
    with without(guard):
        report = await run(range(number, number + 1), seed=1)
    assert any(found in example for example in report.examples)
