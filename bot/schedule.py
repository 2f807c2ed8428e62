"""Every periodic job in one list. APScheduler only ticks, in UTC; a job's state is in the store."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.services.work import Worker


async def _tick(worker: Worker) -> None:
    """The scheduler cancels its jobs when it ends, so the work itself is not one of them."""
    worker.ring()


@dataclass(frozen=True, slots=True)
class Job:
    """`worker` is rung every `seconds`. `next_due` says when it has work next (UTC): a clock
    that jumps, as the demo's, stops there; None when it has none, or when it does not tell.
    Work that nobody waits for may be late by `slack`: then that clock stops less often."""

    worker: Worker
    seconds: int
    next_due: Callable[[], Awaitable[datetime | None]] | None = None
    slack: timedelta = timedelta(0)


def start(jobs: Sequence[Job]) -> AsyncIOScheduler:
    """Start to tick. A late tick still rings, several late ones ring once."""
    scheduler = AsyncIOScheduler(
        timezone=UTC,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for job in jobs:
        scheduler.add_job(
            _tick,
            IntervalTrigger(seconds=job.seconds, timezone=UTC),
            args=[job.worker],
            id=job.worker.name,
        )
    scheduler.start()
    return scheduler
