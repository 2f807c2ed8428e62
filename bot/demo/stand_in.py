"""What the suppliers' stand-ins do alike: faults, slowness, lost answers, and the log of calls."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.ports import Clock

Json = dict[str, Any]
Misbehaviour = tuple[tuple[str, str, str, str], ...]
"""Faults, each with its name, its titles in English and Chinese, and what happens."""

HELD_SECONDS = 40.0
SLOW_SECONDS = 3.0


class Dropped(Response):
    """Headers, then the end of the connection: the client never learns what became of its call."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"100"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class Held(Dropped):
    """Nothing until the client hangs up, or HELD_SECONDS have passed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(HELD_SECONDS):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await super().__call__(scope, receive, send)


class StandIn:
    """A supplier's stand-in; its faults become known to the board as "name.fault"."""

    def __init__(
        self,
        name: str,
        misbehaviour: Misbehaviour,
        clock: Clock,
        faults: FaultBoard,
        calls: CallLog,
    ) -> None:
        self._name = name
        self._clock = clock
        self._faults = faults
        self._calls = calls
        for fault, title_en, title_zh, description in misbehaviour:
            faults.register(f"{name}.{fault}", title_en, title_zh, description)

    def _struck(self, fault: str) -> bool:
        """Whether it strikes now; a counted one is used up by one."""
        return self._faults.take(f"{self._name}.{fault}")

    def _set(self, fault: str) -> bool:
        """Whether it is on, for a state that lasts."""
        return self._faults.is_set(f"{self._name}.{fault}")

    def _arriving(self, done: Response) -> Response:
        """What the client gets to hear of a purchase that was made."""
        if self._struck("timeout_after_success"):
            return Dropped()
        return Held() if self._struck("slow_after_success") else done

    async def _logged(
        self, method: str, work: Callable[[], Awaitable[tuple[Any, Response]]]
    ) -> Response:
        """Do the work of one call, which tells what was asked and the answer, and log it."""
        began = time.perf_counter()
        if self._struck("slow"):
            await asyncio.sleep(SLOW_SECONDS)
        asked, response = await work()
        shown = bytes(response.body)
        self._calls.add(
            to=self._name,
            method=method,
            request=asked,
            answer=json.loads(shown) if shown.startswith((b"{", b"[")) else None,
            status=0 if isinstance(response, Dropped) else response.status_code,
            ms=(time.perf_counter() - began) * 1000,
        )
        return response
