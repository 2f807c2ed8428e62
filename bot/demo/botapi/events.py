"""What is happening in the world, told to whoever listens (the chat page)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Event = dict[str, Any]


class EventHub:
    """Hands each event to every subscriber's queue; a subscriber that lags loses the oldest."""

    def __init__(self, backlog: int = 1000) -> None:
        self._backlog = backlog
        self._queues: set[asyncio.Queue[Event | None]] = set()

    @property
    def listening(self) -> bool:
        return bool(self._queues)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Event | None]]:
        """A queue of the events from now on; None says that the world closes."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(self._backlog)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def emit(self, kind: str, **data: Any) -> None:
        """Tell every subscriber; `kind` becomes the event's "type"."""
        if self._queues:
            self._tell({"type": kind, **data})

    def close(self) -> None:
        """End every subscription, so that open event streams do not hold up a clean stop."""
        self._tell(None)

    def _tell(self, event: Event | None) -> None:
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)
