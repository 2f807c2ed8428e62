"""Background work: one task per kind of work, woken by a ring, one run at a time."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


class Worker:
    """Runs `step` once for every ring, several rings during a run making one more run.

    What is to be done is in the store, so a lost ring only means "later": the schedule rings too.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._step = step
        self._rung = asyncio.Event()
        self._running = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.stopping = False
        """A step that goes on and on ends its round when this is set."""

    def ring(self) -> None:
        """There may be work."""
        self._rung.set()

    @property
    def idle(self) -> bool:
        """Nothing runs and nobody rang."""
        return not self._rung.is_set() and not self._running.locked()

    async def run(self) -> None:
        """One run now, after the one under way if there is one. Failures are logged, not raised:
        the work is still in the store and the next ring finds it."""
        async with self._running:
            if self.stopping:
                return
            self._rung.clear()
            try:
                await self._step()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # Something that the step awaited was cancelled, not the worker.
                log.exception("work_failed", work=self.name)
            except Exception:
                log.exception("work_failed", work=self.name)

    def start(self) -> None:
        """Begin to listen for rings."""
        self.stopping = False
        self._task = asyncio.create_task(self._loop(), name=f"worker:{self.name}")

    async def stop(self) -> None:
        """Let the run under way end, then stop listening."""
        self.stopping = True
        async with self._running:
            if self._task is not None:
                self._task.cancel()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _loop(self) -> None:
        while True:
            await self._rung.wait()
            await self.run()
