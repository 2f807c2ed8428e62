"""What a tick of the reminders costs: it has to follow the SIMs that are due, not those there are.

A database in memory-backed storage with so many SIMs, three to a customer; ticks with none, 100 and
10,000 of them due. The baseline of the same run is the same tick among 10,000 SIMs.
"""

import asyncio
import resource
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.domain.sims import Sim
from bot.services.planning import replan
from bot.services.reminding import Reminding
from bot.store import Database
from tests.bench import sender
from tests.unit.services.house import HandClock
from tests.unit.store.samples import NOW, chat, days, sim

FEW = 10_000
DUE = (0, 100, 10_000)
QUIET_TICKS = 200
EACH = 3
"""SIMs of one customer."""

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_FIRST = 1_000_000
"""The first customer's id."""


async def _furnished(folder: Path, count: int) -> Database:
    """A database with so many SIMs, none of them due for months."""
    database = await Database.open(f"sqlite:///{folder / f'{count}.db'}")
    async with database.write() as tx:
        await tx.chats.add(chat(_FIRST - 1))
        await tx.sims.add(sim("far", _FIRST - 1, expiry=days(100), grace_end=days(130)))
        await replan(tx, "far", NOW)
    people = -(-count // EACH)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :most)"
    async with database._writer.begin() as conn:  # copied by the database itself: in seconds
        for table, most, own in (
            ("chats", people, {"id": f"{_FIRST} + i"}),
            ("sims", count, {"id": "'s' || i", "owner_id": f"{_FIRST} + i / {EACH}"}),
        ):
            rows = await conn.execute(text(f"PRAGMA table_info({table})"))
            columns = [row[1] for row in rows if row[1] != "seq"]
            values = ", ".join(own.get(name, f'"{name}"') for name in columns)
            names = ", ".join(f'"{name}"' for name in columns)
            source = f"(SELECT * FROM {table} LIMIT 1)"  # noqa: S608  names of our own
            copy = f"INSERT INTO {table} ({names}) {numbers} SELECT {values} FROM n, {source}"  # noqa: S608
            await conn.execute(text(copy), {"most": most})
    return database


async def _make_due(database: Database, first: int, count: int) -> None:
    """Let the date of so many SIMs come: a day before their expiry."""
    async with database.write() as tx:
        for number in range(first, first + count):
            found: Sim | None = await tx.sims.get(f"s{number}")
            assert found is not None
            await tx.sims.update(found.id, found.version, expiry=days(10), grace_end=days(40))
            await tx.sims.set_next_reminders({found.id: days(9)})


async def _tick(database: Database) -> tuple[float, float]:
    """Seconds that one tick takes a day before the expiry of what is due, and how many of them it
    computes: the rest another program had the machine."""
    clock = HandClock()
    clock.at = days(9) + timedelta(hours=1)
    reminding = Reminding(database, clock, {})
    begin, computed = time.perf_counter(), time.process_time()
    await reminding.worker.run()
    return time.perf_counter() - begin, time.process_time() - computed


async def _quiet(*databases: Database) -> list[float]:
    """Milliseconds of a tick with nothing to do in each, in the median; by turns, so that whatever
    else the machine does falls on all alike."""
    seconds: list[list[float]] = [[] for _ in databases]
    for _ in range(QUIET_TICKS):
        for found, database in zip(seconds, databases, strict=True):
            found.append((await _tick(database))[0])
    return [statistics.median(found) * 1000 for found in seconds]


def _memory() -> float:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _measure(sims: int) -> dict[str, Any]:
    results: dict[str, Any] = {"sims": sims}
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        few = await _furnished(Path(folder), FEW)
        many = await _furnished(Path(folder), sims)
        try:
            baseline, quiet = await _quiet(few, many)
            results["tick_0_due_ms"] = round(quiet, 3)
            results["tick_0_due_of_10000_sims_ms"] = round(baseline, 3)
            results["tick_0_due_over_10000_sims"] = round(quiet / baseline, 2)
            first, before = 0, _memory()
            for count in DUE[1:]:
                await _make_due(many, first, count)
                seconds, computed = await _tick(many)
                async with many.read() as tx:
                    assert await tx.reminders.sent(f"s{first}", "2026-11-30")
                results[f"tick_{count}_due_ms"] = round(seconds * 1000, 1)
                results[f"tick_{count}_due_rows_per_second"] = round(count / seconds)
                results[f"tick_{count}_due_cpu_ms"] = round(computed * 1000, 1)
                first += count
            results["memory_mb"] = round(_memory(), 1)
            results["memory_grown_mb"] = round(_memory() - before, 1)
        finally:
            await few.close()
            await many.close()
    return results


def reminders(sims: int = 100_000) -> dict[str, Any]:
    """Run the measurement, and the sender's."""
    return {**asyncio.run(_measure(sims)), "sender": sender.measure()}
