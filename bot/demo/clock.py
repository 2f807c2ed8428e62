"""The demo's one clock: real UTC time plus an offset that can be moved forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class WorldClock:
    """Real UTC now plus `offset` seconds; it only ever moves forward.

    `moved` are called after each move: what happens by itself as time passes.
    """

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self.moved: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The demo's present moment (aware, UTC)."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        """The demo's present moment in Unix seconds."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the demo's time forward by `seconds`; ValueError if that is negative."""
        if seconds < 0:
            raise ValueError("the demo's clock only moves forward")
        self.offset += seconds
        for happen in self.moved:
            happen()
