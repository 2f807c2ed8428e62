"""A simulated year of reminders: N customers with three SIMs each, random downtimes, and everything
that was sent held against an independent model. See `reminder_town` and `reminder_model`.

`--without GUARD` takes one out of the bot, and the year has to show it: `ledger` (what was told is
not looked up), `quiet` (quiet hours are none), `reread` (the supplier is not asked before a
reminder), `catchup` (a stage is told in its own minute or never).
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog

from bot.domain import reminders as rules
from bot.domain.zones import QuietHours
from bot.services import planning
from bot.services.reminding import Reminding
from tests.faults.reminder_life import town
from tests.faults.reminder_town import START
from tests.harness import Report

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_YEAR = timedelta(days=365)

_come = rules._come


async def _nothing_told(*given: Any) -> frozenset[str]:
    return frozenset()


async def _always(*given: Any, **named: Any) -> bool:
    return True


async def _unread(*given: Any) -> None:
    return None


def _in_its_minute(plan: Any, now: Any) -> Any:
    """Exact matching, as other trackers do: a minute that was slept through is lost."""
    come, until = _come(plan, now)
    exact = [one for one in plan if one.at <= now < one.at + timedelta(minutes=1)]
    return (come if exact else []), until


GUARDS: dict[str, tuple[tuple[object, str, object], ...]] = {
    "ledger": ((planning, "settled", _nothing_told), (planning, "settle", _always)),
    "quiet": ((QuietHours, "cover", lambda self, moment: False),),
    "reread": ((Reminding, "_reread", _unread),),
    "catchup": ((rules, "_come", _in_its_minute),),
}


@contextmanager
def without(guard: str | None) -> Iterator[None]:
    """One guard taken out for a while; None takes none. Raises KeyError."""
    if guard is None:
        yield
        return
    with patch.multiple("bot.services.reminding", **_named(guard)):
        patches = [patch.object(place, name, new) for place, name, new in GUARDS[guard]]
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()


def _named(guard: str) -> dict[str, Any]:
    """What the reminding service has imported by name."""
    if guard != "ledger":
        return {"log": structlog.get_logger()}
    return {"settle": _always}


async def run(people: int, seed: int, span: timedelta = _YEAR) -> Report:
    """The year of so many customers, as a seed writes it."""
    report = Report("reminders", seed, people)
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        async with town(Path(folder), people, seed, report) as place:
            await place.live(START + span)
    return report


def reminders(cases: int, seed: int, guard: str | None = None) -> Report:
    """Run the harness; `guard` is taken out of the bot."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with without(guard):
        return asyncio.run(run(cases, seed))


if __name__ == "__main__":
    print(reminders(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if sys.argv[3:] else None))
