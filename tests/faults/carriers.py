"""Mixtures of faults over all adapters: one customer's order on one SIM, lived through in 96 hours.

The real database, services and adapters, over real HTTP to the suppliers' stand-ins, on a clock
moved by hand. What happens to an order is written by its seed: faults of suppliers and of the
payment provider with their counts and moments, deaths of the process between any two steps or
within one, two processes at once, customers who pay twice or late, an operator who looks at the
supplier's own books.

Promises, checked against those books: no double top-up, no paid order lost, no refund of what was
delivered, nothing kept for what was not, every unknown resolved or in the operator's queue.
"""

import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.faults.guardless import CARRIER_GUARDS, without
from tests.faults.listening import heard, listening
from tests.faults.supplier_books import SUPPLIERS
from tests.faults.supplier_case import Case
from tests.faults.supplier_script import Script
from tests.faults.supplier_town import LATE, House, furnish, house
from tests.harness import Report

HOUSES = 32
"""Lived in at the same time: one's waiting is the others' work."""
STAY = 10
"""Cases that a house and its database see."""

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""No power fails here, so the databases need no disk to be written through to."""

_LONGEST = 240.0
"""Real seconds of one case, on a busy machine."""
_DEFECTS = frozenset({"topup_step_failed", "work_failed", "refund_crashed"})


async def _case(place: House, number: int, seed: int, report: Report) -> bool:
    """False when the house has to be left."""
    rng = random.Random(f"{seed}:{number}")
    supplier = SUPPLIERS[number % len(SUPPLIERS)]
    case = Case(place, number, rng, Script.write(rng, supplier), report)
    heard.set(case.logs)
    try:
        async with asyncio.timeout(_LONGEST):
            await case.run()
    except Exception as error:
        case.broken(f"the harness failed: {error!r}")
        return False
    return not case.helpless


async def _stay(furnished: Path, numbers: range, seed: int, report: Report) -> None:
    left = iter(numbers)
    for first in left:
        async with house(furnished, first) as place:
            going = await _case(place, first, seed, report)
            while going and (number := next(left, None)) is not None:
                going = await _case(place, number, seed, report)


async def run(numbers: range, seed: int, stay: int = STAY) -> Report:
    """The cases of these numbers, as a seed writes them, `stay` of them in each house."""
    report = Report("carriers", seed, len(numbers))
    free = asyncio.Semaphore(HOUSES)

    async def one(some: range) -> None:
        async with free:
            await _stay(furnished, some, seed, report)

    with listening(_DEFECTS, LATE), tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        furnished = await furnish(Path(folder))
        begins = range(0, len(numbers), stay)
        await asyncio.gather(*(one(numbers[begin : begin + stay]) for begin in begins))
    return report


def carriers(cases: int, seed: int, guard: str | None = None) -> Report:
    """Run the harness; `guard` (see guardless.py) is taken out of the bot."""
    with without(CARRIER_GUARDS, guard):
        return asyncio.run(run(range(cases), seed))


if __name__ == "__main__":  # python -m tests.faults.carriers SEED CASE [GUARD]: one case again
    with without(CARRIER_GUARDS, sys.argv[3] if len(sys.argv) > 3 else None):
        number = int(sys.argv[2])
        print(asyncio.run(run(range(number, number + 1), int(sys.argv[1]))))
