"""The call log: what the bot asked of Telegram and of the suppliers, without secrets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.demo.clock import WorldClock

SECRET_KEYS = frozenset(
    {
        "token",
        "access_token",
        "client_id",
        "client_secret",
        "provider_token",
        "secret",
        "secret_token",
        "secretkey",
        "password",
        "authorization",
        "api_key",
        "apikey",
        "accesscode",
        "rt-accesscode",
        "rt-signature",
    }
)
HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Call:
    """One finished call. `time` is the demo's clock (UTC), `ms` real milliseconds.

    `status` is the HTTP status answered, or 0 when the connection was dropped without an answer.
    """

    id: int
    time: datetime
    to: str
    method: str
    request: Any
    answer: Any
    status: int
    ms: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"time": self.time.isoformat(timespec="milliseconds")}


def redact(value: Any) -> Any:
    """A copy of JSON-like `value` with everything under a secret's name hidden."""
    if isinstance(value, dict):
        return {
            key: HIDDEN if str(key).lower() in SECRET_KEYS else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value


class CallLog:
    """A ring buffer of the latest calls; listeners hear each new one."""

    def __init__(self, clock: WorldClock, size: int = 5000) -> None:
        self._clock = clock
        self._calls: deque[Call] = deque(maxlen=size)
        self._last_id = 0
        self.listeners: list[Callable[[Call], None]] = []

    def add(
        self, *, to: str, method: str, request: Any, answer: Any, status: int, ms: float
    ) -> Call:
        """Record one call to `to` ("telegram", "esim_access", …), without secrets."""
        self._last_id += 1
        asked, told = redact(request), redact(answer)
        call = Call(self._last_id, self._clock.now(), to, method, asked, told, status, ms)
        self._calls.append(call)
        for listener in self.listeners:
            listener(call)
        return call

    def after(self, call_id: int = 0) -> list[Call]:
        """The calls kept with a larger id than `call_id`, oldest first."""
        return [call for call in self._calls if call.id > call_id]
