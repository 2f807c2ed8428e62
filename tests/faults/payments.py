"""Mixtures of faults over all ways to pay: one customer's sale, from the first tap to its end.

The real database, services and adapters, over real HTTP to the providers' stand-ins, on a clock
moved by hand. What happens is written by a seed: customers who pay twice, late, by two ways at
once, on pages long closed, or give up; providers that lose answers, break, hold money, take other
amounts; calls of theirs that are lost, late, doubled, out of order, forged; money sent back or
disputed without us; suppliers that refuse or fall silent; deaths of the process between any two
steps or within one, two processes at once; an operator who looks now and then.

Promises, checked against the providers' own books: no double charge kept, no captured money
without an end, captured = fulfilled + refunded + held by method and currency, no refund of what
was delivered but by a person's decision, exactly the frozen total charged, everybody told.
"""

import asyncio
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.faults.listening import heard, listening
from tests.faults.payment_case import Case
from tests.faults.payment_providers import Providers
from tests.faults.payment_script import Script, code_of, method_of
from tests.faults.payment_town import LATE, House, furnish, house
from tests.faults.payments_guardless import without
from tests.harness import Report, spread

HOUSES = 24
"""Lived in at the same time: one's waiting is the others' work."""
STAY = 10
"""Cases that a house and its database see."""
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""No power fails here, so the databases need no disk to be written through to."""
_LONGEST = 600.0
"""Real seconds of one case, on a busy machine."""
_FEW = 100
"""Cases that are not worth a second process."""
_DEFECTS = frozenset({"topup_step_failed", "work_failed", "refund_crashed", "lookup_crashed"})


async def _case(place: House, providers: Providers, number: int, seed: int, report: Report) -> bool:
    """False when the house has to be left."""
    rng = random.Random(f"{seed}:{number}")
    script = replace(Script.write(rng, method_of(number)), code=code_of(number))
    case = Case(place, providers, number, rng, script, report)
    heard.set(case.logs)
    before = report.violations
    try:
        async with asyncio.timeout(_LONGEST):
            await case.run()
    except Exception as error:
        case.broken(f"the harness failed: {error!r}")
    return report.violations == before


async def _stay(furnished: Path, numbers: range, seed: int, report: Report) -> None:
    left = iter(numbers)
    for first in left:
        async with house(furnished, first) as place:
            providers = Providers(place)
            going = await _case(place, providers, first, seed, report)
            while going and (number := next(left, None)) is not None:
                going = await _case(place, providers, number, seed, report)


async def run(numbers: range, seed: int, stay: int = STAY) -> Report:
    """The cases of these numbers, as a seed writes them, `stay` of them in each house."""
    report = Report("payments", seed, len(numbers))
    free = asyncio.Semaphore(HOUSES)

    async def one(some: range) -> None:
        async with free:
            await _stay(furnished, some, seed, report)

    with listening(_DEFECTS, LATE), tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        furnished = await furnish(Path(folder))
        begins = range(0, len(numbers), stay)
        await asyncio.gather(*(one(numbers[begin : begin + stay]) for begin in begins))
    return report


def _part(numbers: range, seed: int, guard: str | None) -> Report:
    with without(guard):
        return asyncio.run(run(numbers, seed))


def payments(cases: int, seed: int, guard: str | None = None) -> Report:
    """Run the harness on every core; `guard` (see payments_guardless.py) is taken out."""
    return spread("payments", _part, cases, seed, guard, few=_FEW)


if __name__ == "__main__":  # python -m tests.faults.payments SEED CASE [GUARD]: one case again
    number = int(sys.argv[2])
    taken_out = sys.argv[3] if len(sys.argv) > 3 else None
    print(_part(range(number, number + 1), int(sys.argv[1]), taken_out))
