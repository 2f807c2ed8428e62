"""How a supplier is asked over HTTP: what a call without an answer means, and what is asked again.

SupplierUnavailable
└── Failed            a call without a good answer
    └── TokenRefused  the token is no longer good; nothing was done
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import structlog
from pydantic import TypeAdapter, ValidationError

from bot.carriers.pace import Pace
from bot.domain.money import Money
from bot.ports import SupplierUnavailable

log = structlog.get_logger(__name__)

READ_TRIES = 3
LONGEST_PAUSE = 5.0
CONNECT_SECONDS = 5.0

Answer = TypeVar("Answer")

# A customer's number or ICCID is nobody's business who reads the log.
_LONG_NUMBER = re.compile(r"\d{9,}")


class Failed(SupplierUnavailable):
    """A call without a good answer. Where it was the call that buys, it must not leave `submit`:
    only `refused` and `unsent` tell that nothing was bought."""

    def __init__(
        self,
        reason: str,
        code: str | None = None,
        *,
        wait: float | None = None,
        refused: bool = False,
        unsent: bool = False,
    ) -> None:
        super().__init__(reason)
        self.code = code
        """The supplier's own, where it gave one."""
        self.wait = wait
        """Seconds after which it is worth asking again; None when it is not."""
        self.refused = refused
        """The supplier looked at it and said no."""
        self.unsent = unsent
        """It did not reach the supplier, or not past its door: it may be made later."""


class TokenRefused(Failed):
    """A call is worth making again at once, with a new token."""

    def __init__(self, code: str | None = None) -> None:
        super().__init__("credentials", code, wait=0.0, unsent=True)


class Line:
    """The connections to one supplier, with as many calls at once as it bears."""

    def __init__(
        self,
        supplier: str,
        http: httpx.AsyncClient | None,
        *,
        places: int = 8,
        rate: int | None = None,
        seconds: float = 30.0,
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one, with
        `seconds` for an answer. `rate` is the most calls a second."""
        self._supplier = supplier
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=_limits(seconds))
        self._places = asyncio.Semaphore(places)
        self._pace = Pace(rate) if rate is not None else None

    async def close(self) -> None:
        """Release the connections it opened itself."""
        if self._own:
            await self._http.aclose()

    async def send(self, method: str, url: str, **parts: Any) -> httpx.Response:
        """One request, made once; any answer at all. Raises Failed."""
        async with self._places:
            if self._pace is not None:
                await self._pace.wait()
            return await self._exchange(method, url, **parts)

    async def send_patiently(
        self, method: str, url: str, seconds: float, **parts: Any
    ) -> httpx.Response:
        """As `send`, for the call whose answer a network operator may hold back for that long.
        It takes no place, so that it keeps no questions waiting."""
        if self._own:
            parts["timeout"] = _limits(seconds)
        return await self._exchange(method, url, **parts)

    async def _exchange(self, method: str, url: str, **parts: Any) -> httpx.Response:
        try:
            return await self._http.request(method, url, **parts)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            failed = Failed("not_sent", wait=0.3, unsent=True)
        except httpx.TimeoutException:
            failed = Failed("timeout")
        except httpx.HTTPError:
            failed = Failed("connection_lost", wait=0.3)
        path = loggable(httpx.URL(url).path)
        log.warning("supplier.no_answer", supplier=self._supplier, path=path, reason=failed.reason)
        raise failed


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """A question that costs nothing, asked a few times where that may help. Raises Failed."""
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


def parsed(supplier: str, kind: Any, obj: Any) -> Any:
    """An answer already taken from its JSON, as `kind`. Raises Failed when it is something
    else."""
    try:
        return TypeAdapter(kind).validate_python(obj)
    except (ValidationError, ValueError, ArithmeticError) as error:
        error_name = type(error).__name__
        log.warning("supplier.unreadable", supplier=supplier, kind=str(kind), error=error_name)
        raise Failed("unreadable") from None


def loggable(path: str) -> str:
    """A path without the customer's number in it."""
    return _LONG_NUMBER.sub("…", path)


def over(cost: Money, cap: Money | None) -> str | None:
    """Why a price of this moment is not paid; None when it is, or when there is no cap."""
    if cap is None:
        return None
    if cost.currency != cap.currency:
        return "cost_currency"
    return "price_moved" if cap < cost else None


def _limits(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
