"""DingConnect V1's methods over HTTP: key, time limits, and what may be asked again."""

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import structlog
from pydantic import ValidationError

from bot.carriers.dingconnect_wire import Envelope, Sent
from bot.ports import SupplierUnavailable

log = structlog.get_logger(__name__)

CONCURRENCY = 8
READ_TRIES = 3
LONGEST_PAUSE = 5.0
READ_SECONDS = 15.0
# The supplier answers a transfer after 90 seconds at the latest, so nobody may hang up before.
SEND_SECONDS = 100.0


class Failed(Exception):
    """A call without an answer that can be read."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        """Seconds after which it is worth asking again; None when it is not."""


# ---- asking --------------------------------------------------------------------------------

Answer = TypeVar("Answer", bound=Envelope)


class Api:
    """The supplier's methods, every call with the key and a correlation id."""

    def __init__(self, api_key: str, base_url: str, http: httpx.AsyncClient | None) -> None:
        """`http` brings its own time limits and stays its owner's to close."""
        self._api_key = api_key
        self._root = base_url.rstrip("/") + "/api/V1/"
        self._own = http is None
        self._http = http or httpx.AsyncClient(
            timeout=httpx.Timeout(READ_SECONDS, connect=5.0, pool=5.0)
        )
        self._places = asyncio.Semaphore(CONCURRENCY)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        if self._own:
            await self._http.aclose()

    async def get(self, kind: type[Answer], method: str, **params: str) -> Answer:
        """A question. Raises SupplierUnavailable."""
        return await self._read(kind, "GET", method, params=params)

    async def ask(self, kind: type[Answer], method: str, body: Any) -> Answer:
        """A question with a body: it costs nothing either. Raises SupplierUnavailable."""
        return await self._read(kind, "POST", method, json=body)

    async def send(self, body: Mapping[str, Any]) -> Sent:
        """The one call that costs money, made once. Raises Failed."""
        limits: dict[str, Any] = {}
        if self._own:
            limits["timeout"] = httpx.Timeout(SEND_SECONDS, connect=5.0, pool=5.0)
        return _parsed(
            Sent, "SendTransfer", await self._call("POST", "SendTransfer", json=body, **limits)
        )

    async def _read(self, kind: type[Answer], verb: str, method: str, **parts: Any) -> Answer:
        """A call that costs nothing, asked again a few times where the supplier says so."""
        for left in reversed(range(READ_TRIES)):
            try:
                async with self._places:
                    response = await self._call(verb, method, **parts)
                answer = _parsed(kind, method, response)
                if answer.done:
                    return answer
                raise Failed(answer.reason, _pause(response) if answer.rate_limited else None)
            except Failed as failed:
                if not left or failed.wait is None or failed.wait > LONGEST_PAUSE:
                    raise SupplierUnavailable(failed.reason) from failed
                await asyncio.sleep(failed.wait)
        raise AssertionError("the last try returns or raises")

    async def _call(self, verb: str, method: str, **parts: Any) -> httpx.Response:
        correlation = uuid4().hex
        headers = {"api_key": self._api_key, "X-Correlation-Id": correlation}
        try:
            response = await self._http.request(verb, self._root + method, headers=headers, **parts)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            failed = Failed("not_sent", wait=0.3)
        except httpx.TimeoutException:
            failed = Failed("timeout")
        except httpx.HTTPError:
            failed = Failed("connection_lost", wait=0.3)
        else:
            if not response.is_success:
                status = response.status_code
                log.info("dingconnect.status", method=method, status=status, id=correlation)
            return response
        log.warning("dingconnect.no_answer", method=method, reason=failed.reason, id=correlation)
        raise failed


def _parsed(kind: type[Answer], method: str, response: httpx.Response) -> Answer:
    """The answer, done or not. Raises Failed where there is none, or its status belies it."""
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise Failed("busy", wait=_pause(response))
    try:
        answer = kind.model_validate_json(response.content)
    except ValidationError:
        log.warning("dingconnect.unreadable", method=method, status=status)
        raise Failed("unreadable" if response.is_success else f"http_{status}") from None
    if answer.done and not response.is_success:
        raise Failed(f"http_{status}")
    return answer


def _pause(response: httpx.Response) -> float:
    """Retry-After in seconds; a second where it is absent or a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 1.0
