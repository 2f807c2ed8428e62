"""The bot's side of the demo's one clock: it follows, and lives every due moment in order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.services.work import Worker

NextDue = Callable[[], Awaitable[datetime | None]]

_STRIDE = timedelta(hours=6)
"""The longest step: work that does not tell when it is due is done at least this often."""
_ROUNDS = 8
_BUSY = 3.0
"""Real seconds that a worker which has been rung may take before time goes on."""


class FollowingClock:
    """ports.Clock: real time plus an offset that the demo sets."""

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = timedelta(seconds=offset)

    def now(self) -> datetime:
        """The demo's present moment (UTC)."""
        return datetime.now(UTC) + self._offset

    def follow(self, offset: float) -> None:
        """Take the demo's offset, in seconds."""
        self._offset = timedelta(seconds=offset)


@dataclass(frozen=True, slots=True)
class Work:
    """A worker, when it has something to do next, and how late it may be within a jump."""

    worker: Worker
    next_due: NextDue | None
    slack: timedelta = timedelta(0)


class Control:
    """Routes by which the demo's host moves the bot through time and waits for it."""

    def __init__(
        self,
        clock: FollowingClock,
        work: Sequence[Work],
        idle: Callable[[], bool],
        stopping: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._work = work
        self._idle = idle
        self._stopping = stopping

    def routes(self) -> list[Route]:
        """For the bot's own web server, on loopback, in the demo only."""
        return [
            Route("/demo/next", self._next),
            Route("/demo/live", self._live, methods=["POST"]),
            Route("/demo/idle", self._wait, methods=["POST"]),
        ]

    async def _next(self, request: Request) -> Response:
        """The next moment to stop at, not after `until` (Unix seconds)."""
        until = datetime.fromtimestamp(float(request.query_params["until"]), UTC)
        now = self._clock.now()
        stops = [until, now + _STRIDE]
        for work in self._work:
            due = await work.next_due() if work.next_due else None
            if due is not None and due + work.slack > now:
                stops.append(due + work.slack)
        return JSONResponse({"at": min(stops).timestamp()})

    async def _live(self, request: Request) -> Response:
        """Take the clock's new offset and do everything that is due by it."""
        self._clock.follow(float((await request.json())["offset"]))
        for work in self._work:
            if work.next_due is None:
                await work.worker.run()
        for _ in range(_ROUNDS):  # what one does, such as a capture, is another's work
            due = [work for work in self._work if await _is_due(work, self._clock.now())]
            if not due and await self._was_at_rest():
                break
            for work in due:
                await work.worker.run()
        return JSONResponse({"now": self._clock.now().timestamp()})

    async def _wait(self, request: Request) -> Response:
        """Whether nothing is left to do, waiting for it up to `timeout` seconds (real time).

        A bot that stops meanwhile says so at once: its successor has to be asked.
        """
        timeout = float((await request.json()).get("timeout", 10))
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        calm = 0
        while loop.time() < end and not self._stopping():
            calm = calm + 1 if await self._quiet() else 0
            if calm == 2:
                return JSONResponse({"idle": True})
            await asyncio.sleep(0.01)
        return JSONResponse({"idle": False}, status_code=503 if self._stopping() else 200)

    async def _was_at_rest(self) -> bool:
        """Whether no worker was running; waits for those that are. What the sender ends, such as
        the last of many messages, may be another's work too."""
        loop = asyncio.get_running_loop()
        end, rest = loop.time() + _BUSY, True
        while loop.time() < end and not all(work.worker.idle for work in self._work):
            rest = False
            await asyncio.sleep(0.005)
        return rest

    async def _quiet(self) -> bool:
        if not self._idle() or not all(work.worker.idle for work in self._work):
            return False
        for work in self._work:
            if await _is_due(work, self._clock.now()):
                work.worker.ring()
                return False
        return True


async def _is_due(work: Work, now: datetime) -> bool:
    due = await work.next_due() if work.next_due else None
    return due is not None and due <= now
