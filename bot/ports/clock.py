"""The only source of "now"."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of "now"."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""
        ...
