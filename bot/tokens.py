"""What suppliers and payment providers ask of their callers alike: tokens, and patience."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import httpx

from bot.ports import Clock


class Token:
    """A bearer token, fetched once for all who wait for it and renewed before it ends."""

    def __init__(self, fetch: Callable[[], Awaitable[tuple[str, timedelta]]], clock: Clock) -> None:
        """`fetch` gives a new token and for how long to use it."""
        self._fetch = fetch
        self._clock = clock
        self._kept: tuple[str, datetime] | None = None
        self._renewing = asyncio.Lock()

    async def get(self) -> str:
        """Raises what `fetch` does."""
        async with self._renewing:
            if self._kept is None or self._clock.now() >= self._kept[1]:
                token, lasts = await self._fetch()
                self._kept = token, self._clock.now() + lasts
            return self._kept[0]

    def forget(self, token: str) -> None:
        """It was refused; a newer one stays."""
        if self._kept is not None and self._kept[0] == token:
            self._kept = None


def pause(response: httpx.Response) -> float:
    """Retry-After in seconds; a second where it is absent or a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 1.0
