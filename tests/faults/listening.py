"""What a fault harness hears while it runs: failed steps of ours, and nothing of the stand-ins."""

import logging
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any, cast

import structlog

from bot.demo import stand_in

heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)
"""Where the failed steps of the case under way are written."""


def _nothing(record: logging.LogRecord) -> bool:
    return False


@contextmanager
def listening(defects: Collection[str], slow_seconds: float) -> Iterator[None]:
    """Logs are counted, not shown: events named in `defects` are ours to answer for, even when the
    next run makes up for them. Slow stand-ins are slow by `slow_seconds`."""

    def listen(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
        logs = heard.get()
        if logs is not None and event.get("event") in defects:
            logs.append(f"{event['event']}: {sys.exc_info()[1]!r}")
        raise structlog.DropEvent

    processors = structlog.get_config()["processors"]
    before, slow = list(processors), stand_in.SLOW_SECONDS
    processors[:] = [listen]
    server = logging.getLogger("uvicorn.error")
    server.addFilter(_nothing)  # it complains of every answer that a fault cuts off
    stand_in.SLOW_SECONDS = slow_seconds
    # httpcore looks for it with every call, in vain, which takes a sixth of the time.
    searched = sys.modules.setdefault("sniffio", cast(ModuleType, None)) is None
    try:
        yield
    finally:
        if searched:
            del sys.modules["sniffio"]
        processors[:] = before
        server.removeFilter(_nothing)
        stand_in.SLOW_SECONDS = slow
