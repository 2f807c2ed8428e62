"""Groups and channels under faults: nothing private in them, nothing by those who are no admins,
nothing twice.

The real application, put together as `xuka run` does – chat, services, outbox, SQLite –, over real
HTTP to the Bot API stand-in, on a clock moved by hand. What happens is written by a seed: members,
admins, anonymous ones, people who write as another channel, strangers, all with private data; they
send every command and tap every button in groups, topics, channels and in private; they post now,
later, week after week, change, pause, pin, withdraw. Meanwhile answers get lost, Telegram is slow
or away, rights are taken away, groups are banned, upgraded, closed; the process dies between any
two transactions or calls, or two of them work at once.

Promises, checked against the stand-in's own record: no private data in a group, nor to somebody
else; no post by somebody who is no admin at that moment, none that is not allowed; no post twice,
none in a turn's place twice; never more orders than places; every posting has an end or a next
turn; and a post of what has ended says so.
"""

import asyncio
import os
import random
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from tests.faults.group_case import case
from tests.faults.group_town import House, furnish, house
from tests.faults.groups_guardless import without
from tests.faults.listening import heard, listening
from tests.faults.supplier_town import Dead
from tests.harness import Report, spread

HOUSES = 4
"""Lived in at the same time: one's waiting is the others' work."""
STAY = 5
"""Cases that a house and its database see."""
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""No power fails here, so the databases need no disk to be written through to."""
_LONGEST = 300.0
"""Real seconds of one case, on a busy machine."""
_FEW = 50
"""Cases that are not worth a second process."""
_DEFECTS = frozenset({
    "handler_failed", "work_failed", "notice_failed", "posting_crashed", "post_crashed",
    "topup_step_failed", "refund_crashed", "update_unreadable", "update_not_settled",
    "notice_not_settled", "error_not_told",
})  # fmt: skip


async def _case(place: House, number: int, seed: int, report: Report) -> bool:
    """False when the house has to be left."""
    logs = list[str]()
    heard.set(logs)
    before = report.violations
    try:
        async with asyncio.timeout(_LONGEST):
            await case(place, number, random.Random(f"{seed}:{number}"), report)
    except (Exception, Dead) as error:
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        at = ", ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
        report.violation(f"case {number}: the harness failed: {error!r} at {at}")
    for log in logs:
        report.count("broken: defect")
        report.violation(f"case {number}: {log}")
    return report.violations == before


async def _stay(furnished: Path, numbers: range, seed: int, report: Report) -> None:
    left = iter(numbers)
    for first in left:
        async with house(furnished, first) as place:
            going = await _case(place, first, seed, report)
            while going and (number := next(left, None)) is not None:
                going = await _case(place, number, seed, report)


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the dead had begun dies with them; nobody waits for it."""
    if not isinstance(context.get("exception"), Dead):
        loop.default_exception_handler(context)


async def run(numbers: range, seed: int, stay: int = STAY) -> Report:
    """The cases of these numbers, as a seed writes them, `stay` of them in each house."""
    report = Report("groups", seed, len(numbers))
    os.environ.setdefault("PTB_TIMEDELTA", "1")  # as `xuka run` does
    free = asyncio.Semaphore(HOUSES)
    asyncio.get_running_loop().set_exception_handler(_unheard)

    async def one(some: range) -> None:
        async with free:
            await _stay(furnished, some, seed, report)

    with listening(_DEFECTS, 0.1), tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        furnished = await furnish(Path(folder))
        begins = range(0, len(numbers), stay)
        await asyncio.gather(*(one(numbers[begin : begin + stay]) for begin in begins))
    return report


def _part(numbers: range, seed: int, guard: str | None) -> Report:
    with without(guard):
        return asyncio.run(run(numbers, seed))


def groups(cases: int, seed: int, guard: str | None = None) -> Report:
    """Run the harness on every core; `guard` (see groups_guardless.py) is taken out."""
    return spread("groups", _part, cases, seed, guard, few=_FEW)


if __name__ == "__main__":  # python -m tests.faults.groups SEED CASE [GUARD]: one case again
    number = int(sys.argv[2])
    taken_out = sys.argv[3] if len(sys.argv) > 3 else None
    print(_part(range(number, number + 1), int(sys.argv[1]), taken_out))
