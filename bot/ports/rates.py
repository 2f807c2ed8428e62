"""Where exchange rates come from, when the operator does not set them."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.quotes import Rate


class RatesUnavailable(Exception):
    """The source could not be asked or gave no rates that can be read."""


class RateSource(Protocol):
    """A source of exchange rates."""

    async def rates(self) -> Sequence[Rate]:
        """All it tells, each from the source's own currency, with the time they are of (UTC).

        Raises RatesUnavailable.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
