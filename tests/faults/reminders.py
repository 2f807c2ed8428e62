"""A simulated year of reminders: N customers with three SIMs each, random downtimes, and everything
that was sent held against an independent model. See `reminder_town` and `reminder_model`.

`--without GUARD` takes one out of the bot, and the year has to show it: `ledger` (what was told is
not looked up), `quiet` (quiet hours are none), `reread` (the supplier is not asked before a
reminder), `catchup` (a stage is told in its own minute or never), `order` (an order that runs or is
being paid holds nothing back).
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiosqlite
import structlog

from bot.domain import reminders as rules
from bot.domain.zones import QuietHours
from bot.services import reminding
from bot.services.reminding import Reminding
from bot.store.reminders import ReminderRows
from tests.faults.reminder_life import town
from tests.faults.reminder_town import START
from tests.harness import Report

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_YEAR = timedelta(days=365)
_TOWN = 250
"""Customers of one town at the most; several towns are lived through side by side."""

_come = rules._come


async def _nothing_told(*given: Any) -> dict[str, frozenset[str]]:
    return {}


async def _all_new(rows: ReminderRows, told: Any, at: Any) -> frozenset[tuple[str, str]]:
    return frozenset((one.sim_id, one.stage) for one in told)


async def _nothing_held(*given: Any) -> dict[str, datetime]:
    return {}


async def _unread(*given: Any) -> None:
    return None


def _in_its_minute(plan: Any, now: Any) -> Any:
    """Exact matching, as other trackers do: a minute that was slept through is lost."""
    come, until = _come(plan, now)
    exact = [one for one in plan if one.at <= now < one.at + timedelta(minutes=1)]
    return (come if exact else []), until


GUARDS: dict[str, tuple[tuple[object, str, object], ...]] = {
    "ledger": ((ReminderRows, "settled", _nothing_told), (ReminderRows, "add_all", _all_new)),
    "quiet": ((QuietHours, "cover", lambda self, moment: False),),
    "reread": ((Reminding, "_reread", _unread),),
    "catchup": ((rules, "_come", _in_its_minute),),
    "order": ((reminding, "silences", _nothing_held),),
}


@contextmanager
def without(guard: str | None) -> Iterator[None]:
    """One guard taken out for a while; None takes none. Raises KeyError."""
    if guard is None:
        yield
        return
    with ExitStack() as stack:
        for place, name, new in GUARDS[guard]:
            stack.enter_context(patch.object(place, name, new))
        yield


async def run(people: int, seed: int, span: timedelta = _YEAR, number: int = 0) -> Report:
    """The year of so many customers in town `number`, as a seed writes it."""
    report = Report("reminders", seed, people)
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder, _at_once():
        async with town(Path(folder), people, f"{seed}:{number}", report) as place:
            await place.live(START + span)
    return report


async def _answer(
    connection: aiosqlite.Connection, ask: Callable[..., Any], *given: Any, **named: Any
) -> Any:
    return ask(*given, **named)


@contextmanager
def _at_once() -> Iterator[None]:
    """SQLite answers on the spot, not from a thread of its own: nobody else waits here, and to go
    there and back takes longer than what is asked."""
    with patch.object(aiosqlite.Connection, "_execute", _answer):
        yield


def _live(people: int, seed: int, number: int, guard: str | None) -> Report:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with without(guard):
        return asyncio.run(run(people, seed, number=number))


def reminders(cases: int, seed: int, guard: str | None = None) -> Report:
    """Run the harness; `guard` is taken out of the bot."""
    whole = Report("reminders", seed, cases)
    sizes = [min(_TOWN, cases - first) for first in range(0, cases, _TOWN)]
    with ProcessPoolExecutor() as pool:
        towns = [pool.submit(_live, size, seed, number, guard) for number, size in enumerate(sizes)]
        for each in towns:
            whole.add(each.result())
    return whole


if __name__ == "__main__":
    print(reminders(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if sys.argv[3:] else None))
