"""DingConnect V1's methods over HTTP: key, time limits, and what may be asked again."""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import structlog
from pydantic import ValidationError

from bot.carriers.asking import Failed, Line, patiently
from bot.carriers.dingconnect_wire import Envelope, Sent
from bot.tokens import pause

log = structlog.get_logger(__name__)

CONCURRENCY = 8
READ_SECONDS = 15.0
# The supplier answers a transfer after 90 seconds at the latest, so nobody may hang up before.
SEND_SECONDS = 100.0
CORRELATION = "X-Correlation-Id"
"""The header that names one call in the supplier's log and in ours."""

Answer = TypeVar("Answer", bound=Envelope)


class Api:
    """The supplier's methods, every call with the key and a correlation id."""

    def __init__(self, api_key: str, base_url: str, http: httpx.AsyncClient | None) -> None:
        """`http` as for a Line."""
        self._api_key = api_key
        self._root = base_url.rstrip("/") + "/api/V1/"
        self._line = Line("dingconnect", http, places=CONCURRENCY, seconds=READ_SECONDS)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._line.close()

    async def get(self, kind: type[Answer], method: str, **params: str) -> Answer:
        """A question. Raises Failed."""
        return await patiently(lambda: self._asked(kind, "GET", method, params=params))

    async def ask(self, kind: type[Answer], method: str, body: Any) -> Answer:
        """A question with a body: it costs nothing either. Raises Failed."""
        return await patiently(lambda: self._asked(kind, "POST", method, json=body))

    async def send(self, body: Mapping[str, Any]) -> Sent:
        """The one call that costs money, made once. Raises Failed."""
        url, headers = self._root + "SendTransfer", self._headers()
        log.info("dingconnect.sending", ref=body["DistributorRef"], id=headers[CORRELATION])
        response = await self._line.send_patiently(
            "POST", url, SEND_SECONDS, json=body, headers=headers
        )
        return _parsed(Sent, "SendTransfer", headers, response)

    async def _asked(self, kind: type[Answer], verb: str, method: str, **parts: Any) -> Answer:
        headers = self._headers()
        response = await self._line.send(verb, self._root + method, headers=headers, **parts)
        answer = _parsed(kind, method, headers, response)
        if answer.done:
            return answer
        raise Failed(answer.reason, wait=pause(response) if answer.rate_limited else None)

    def _headers(self) -> dict[str, str]:
        return {"api_key": self._api_key, CORRELATION: uuid4().hex}


def _parsed(
    kind: type[Answer], method: str, headers: Mapping[str, str], response: httpx.Response
) -> Answer:
    """The answer, done or not. Raises Failed where there is none, or its status belies it."""
    status = response.status_code
    if not response.is_success:
        log.info("dingconnect.status", method=method, status=status, id=headers[CORRELATION])
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise Failed("busy", wait=pause(response))
    try:
        answer = kind.model_validate_json(response.content)
    except ValidationError:
        log.warning("dingconnect.unreadable", method=method, status=status)
        raise Failed("unreadable" if response.is_success else f"http_{status}") from None
    if answer.done and not response.is_success:
        raise Failed(f"http_{status}")
    return answer
