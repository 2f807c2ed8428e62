"""How the payment stand-ins call the bot: after the payment, again when it does not listen, and
twice, late or not at all when told so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

PAUSES = (0.0, 1.0, 5.0, 15.0, 60.0)
"""Seconds (real time) before each try."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One call to the bot."""

    url: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


class Ringer:
    """Calls loopback addresses only; each call in a task of its own."""

    def __init__(self, taken: Callable[[httpx.Response], bool]) -> None:
        """`taken` tells by the answer whether the call need not be made again."""
        self._taken = taken
        self._held: list[Ring] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self, call: Ring, *, times: int = 1, late: bool = False) -> None:
        """Make a call, `times` times; a late one comes after the next one, out of order."""
        calls = [call] * times
        if late:
            self._held += calls
            return
        calls, self._held = calls + self._held, []
        for one in calls:
            if urlsplit(one.url).hostname in ("127.0.0.1", "localhost", "::1"):
                task = asyncio.get_running_loop().create_task(self._try(one))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _try(self, call: Ring) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            for pause in PAUSES:
                await asyncio.sleep(pause)
                with contextlib.suppress(httpx.HTTPError):
                    answer = await http.request(
                        call.method, call.url, headers=call.headers, content=call.content
                    )
                    if self._taken(answer):
                        return
