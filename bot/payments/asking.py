"""How a provider is asked over HTTP: what a call without an answer means, and what is asked again.

PaymentUnavailable
└── Failed            a call without a good answer
    └── TokenRefused  the token is no longer good; nothing was done
"""

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import httpx
import structlog
from pydantic import AfterValidator, TypeAdapter, ValidationError

from bot.ports import PaymentUnavailable

log = structlog.get_logger(__name__)

READ_TRIES = 3
LONGEST_PAUSE = 5.0
CONNECT_SECONDS = 5.0
SECONDS = 30.0
"""How long an answer is waited for."""
PLACES = 8
"""Calls at once."""

Answer = TypeVar("Answer")


def _safe(address: str) -> str:
    """Raises ValueError for an address that others could read along, or that is none."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        raise ValueError("not an address; one begins with https://") from None
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and _here(url.host))):
        raise ValueError("begins with https://")
    return address.rstrip("/")


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


SafeUrl = Annotated[str, AfterValidator(_safe)]
"""An https:// address, or one of this machine; without a slash at its end."""


class Failed(PaymentUnavailable):
    """A call without a good answer."""

    def __init__(
        self,
        reason: str,
        code: str | None = None,
        *,
        wait: float | None = None,
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        """The provider's own, where it gave one."""
        self.wait = wait
        """Seconds after which it is worth asking again; None when it is not."""
        self.refused = refused
        """The provider looked at it and said no."""


class TokenRefused(Failed):
    """A call is worth making again at once, with a new token."""

    def __init__(self) -> None:
        super().__init__("credentials", wait=0.0)


class Line:
    """The connections to one provider."""

    def __init__(self, provider: str, http: httpx.AsyncClient | None) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one."""
        self._provider = provider
        self._own = http is None
        limits = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
        self._http = http or httpx.AsyncClient(timeout=limits)
        self._places = asyncio.Semaphore(PLACES)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        if self._own:
            await self._http.aclose()

    async def send(self, method: str, url: str, **parts: Any) -> httpx.Response:
        """One request, made once; any answer at all. Raises Failed."""
        try:
            async with self._places:
                return await self._http.request(method, url, **parts)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            failed = Failed("not_sent", wait=0.3)
        except httpx.TimeoutException:
            failed = Failed("timeout")
        except httpx.HTTPError:
            # What was asked to act may have done so: that is looked into, not repeated at once.
            failed = Failed("connection_lost", wait=0.3 if method == "GET" else None)
        path = httpx.URL(url).path
        log.warning("payment.no_answer", provider=self._provider, path=path, reason=failed.reason)
        raise failed


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """A call that may be repeated, made a few times where that may help. Raises Failed."""
    renewed = False
    for left in reversed(range(READ_TRIES)):
        try:
            return await ask()
        except Failed as failed:
            # Tokens are rationed: one that is new and refused too won't be helped by another.
            in_vain = renewed and isinstance(failed, TokenRefused)
            if not left or in_vain or failed.wait is None or failed.wait > LONGEST_PAUSE:
                raise
            renewed = renewed or isinstance(failed, TokenRefused)
            await asyncio.sleep(failed.wait)
    raise AssertionError("the last try returns or raises")


def parsed(provider: str, kind: Any, obj: Any) -> Any:
    """An answer already taken from its JSON, as `kind`. Raises Failed when it is something
    else."""
    try:
        return TypeAdapter(kind).validate_python(obj)
    except (ValidationError, ValueError, ArithmeticError) as error:
        name = type(error).__name__
        log.warning("payment.unreadable", provider=provider, kind=str(kind), error=name)
        raise Failed("unreadable") from None


def from_json(content: bytes) -> Any:
    """Numbers with decimals as Decimal. Raises ValueError."""

    def never(name: str) -> Any:
        raise ValueError(name)

    return json.loads(content, parse_float=Decimal, parse_constant=never)
