"""How Airalo Partners v2 is asked: its token, its signatures, its pace, its refusals.

Reads are asked again where that helps. POST /orders/topups has no idempotency key and is made
once, whatever comes back.
"""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from bot.carriers.airalo_wire import Problem, Token
from bot.carriers.pace import Pace
from bot.ports import SupplierUnavailable

log = structlog.get_logger(__name__)

RATE = 5
CONCURRENCY = 4
READ_TRIES = 3
LONGEST_PAUSE = 5.0
TOKEN_SECONDS = 24 * 3600.0
"""The documents ask for a new token daily, although one lives for a year."""
TOKEN_MARGIN = 300.0

UNEXPECTED = 53
REFUSALS: Mapping[int, str] = {
    11: "no_money",
    13: "maintenance",
    14: "credentials",
    23: "not_sold_now",
    33: "not_sold_now",
    34: "not_sold_now",
    43: "bad_request",
    73: "recycled",
    89: "credentials",  # our address is not on the account's list
}
"""Codes known to mean that nothing was bought. 53, "something unexpected happened", and codes
still to be invented may hide a purchase."""

Answer = TypeVar("Answer", bound=BaseModel)

# A customer's ICCID is nobody's business who reads the log.
_LONG_NUMBER = re.compile(r"\d{12,}")


class Failed(Exception):
    """A call without a good answer."""

    def __init__(
        self,
        reason: str,
        *,
        wait: float | None = None,
        refused: bool = False,
        unsent: bool = False,
        unauthorized: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        """Seconds after which it is worth asking again; None when it is not."""
        self.refused = refused
        """The supplier said no: surely nothing was done."""
        self.unsent = unsent
        """The call did not reach the supplier, or not past its door: it may be made later."""
        self.unauthorized = unauthorized
        """The token is no longer good."""


def sign(secret: str, payload: bytes) -> str:
    """airalo-signature: lower-case hex HMAC-SHA512 of the JSON."""
    return hmac.new(secret.encode(), payload, hashlib.sha512).hexdigest()


def signed_form(form: Mapping[str, str]) -> bytes:
    """The JSON that stands for a form in its signature: as PHP writes it, without blanks, beyond
    ASCII escaped, slashes too."""
    return json.dumps(form, separators=(",", ":")).replace("/", "\\/").encode()


class Api:
    """The partners' API, kept to its pace, every call with a token that it trusts."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        base_url: str,
        http: httpx.AsyncClient | None,
        rate: int = RATE,
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close. `rate` is the most
        requests a second."""
        self._client_id = client_id
        self._secret = client_secret
        self._root = base_url.rstrip("/")
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=httpx.Timeout(30.0, connect=5.0))
        self._pace = Pace(rate)
        self._places = asyncio.Semaphore(CONCURRENCY)
        self._renewing = asyncio.Lock()
        self._token: str | None = None
        self._token_until = 0.0

    async def close(self) -> None:
        """Release the connections it opened itself."""
        if self._own:
            await self._http.aclose()

    async def read(
        self, kind: type[Answer], path: str, params: Mapping[str, str] | None = None
    ) -> Answer:
        """A question, asked again a few times where that helps. Raises SupplierUnavailable."""
        renewed = False
        for left in reversed(range(READ_TRIES)):
            try:
                return parsed(kind, await self._with_token("GET", path, params=params))
            except Failed as failed:
                again = failed.wait
                if failed.unauthorized and not renewed:
                    renewed, again = True, 0.0
                if not left or again is None or again > LONGEST_PAUSE:
                    raise SupplierUnavailable(failed.reason) from failed
                await asyncio.sleep(again)
        raise AssertionError("the last try returns or raises")

    async def buy(self, kind: type[Answer], path: str, form: Mapping[str, str]) -> Answer:
        """The call that costs money, made once. Raises Failed.

        A token refused before anything is looked at counts as not sent: the next try, which is
        not ours to decide on, takes a new one.
        """
        try:
            return parsed(kind, await self._with_token("POST", path, form=form))
        except Failed as failed:
            if failed.unauthorized:
                raise Failed(failed.reason, unsent=True) from failed
            raise

    async def _with_token(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> bytes:
        async with self._places:
            token = await self._bearer()
            await self._pace.wait()
            headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
            try:
                if form is None:
                    return await self._send(path, method, headers=headers, params=params)
                headers["airalo-signature"] = sign(self._secret, signed_form(form))
                # Parts without a file name: multipart/form-data, as the documents ask here.
                parts = [(name, (None, value)) for name, value in form.items()]
                return await self._send(path, method, headers=headers, files=parts)
            except Failed as failed:
                if failed.unauthorized and self._token == token:
                    self._token = None
                raise

    async def _bearer(self) -> str:
        """The token, a new one daily: only three a minute are given. Raises Failed, by which
        nothing else was sent."""
        loop = asyncio.get_running_loop()
        async with self._renewing:
            if self._token is not None and loop.time() < self._token_until:
                return self._token
            form = {
                "client_id": self._client_id,
                "client_secret": self._secret,
                "grant_type": "client_credentials",
            }
            headers = {
                "Accept": "application/json",
                "airalo-signature": sign(self._secret, signed_form(form)),
            }
            try:
                answer = await self._send("/token", "POST", headers=headers, data=form)
                granted = parsed(Token, answer).data
            except Failed as failed:
                wrong = failed.unauthorized or failed.refused
                reason = "credentials" if wrong else failed.reason
                raise Failed(reason, wait=failed.wait, refused=wrong, unsent=not wrong) from failed
            self._token = granted.access_token
            lives = min(float(granted.expires_in), TOKEN_SECONDS)
            self._token_until = loop.time() + max(lives - TOKEN_MARGIN, lives / 2)
            return self._token

    async def _send(self, path: str, method: str, **request: Any) -> bytes:
        """One request; the body of a good answer. Raises Failed for everything else."""
        try:
            response = await self._http.request(method, self._root + path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            failed = Failed("not_sent", wait=0.3, unsent=True)
        except httpx.TimeoutException:
            failed = Failed("timeout")
        except httpx.HTTPError:
            failed = Failed("connection_lost", wait=0.3)
        else:
            problem = _failure(response)
            if problem is None:
                return response.content
            failed = problem
        log.warning("airalo.no_answer", path=_LONG_NUMBER.sub("…", path), reason=failed.reason)
        raise failed


def parsed(kind: type[Answer], body: bytes) -> Answer:
    """A body as `kind`. Raises Failed when it is something else."""
    try:
        return kind.model_validate_json(body)
    except (ValidationError, ValueError, ArithmeticError) as error:
        log.warning("airalo.unreadable", kind=kind.__name__, error=type(error).__name__)
        raise Failed("unreadable") from None


def _failure(response: httpx.Response) -> Failed | None:
    """What an answer refuses; None for a good one."""
    status = response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        return Failed("credentials", unauthorized=True)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Failed("busy", wait=_pause(response))
    if response.is_server_error:
        return Failed(f"http_{status}")
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return Failed("unreadable" if response.is_success else f"http_{status}")
    if problem.code is not None and problem.reason is not None:
        # With whatever status: the documents show this shape under 200 as well.
        known = REFUSALS.get(problem.code)
        if known is not None:
            return Failed(known, refused=True)
        return Failed("server_error" if problem.code == UNEXPECTED else f"code_{problem.code}")
    if response.is_success:
        return None
    if status == httpx.codes.NOT_FOUND and problem.meta is not None:
        return Failed("unknown_sim", refused=True)
    if status == httpx.codes.UNPROCESSABLE_ENTITY and problem.fields:
        return Failed(_wrong_field(problem.fields), refused=True)
    return Failed(f"http_{status}", refused=status == httpx.codes.FORBIDDEN)


def _wrong_field(fields: Mapping[str, object]) -> str:
    """The reason behind a 422 that names fields."""
    if "iccid" in fields:
        return "unknown_sim"
    if "package_id" in fields:
        return "not_allowed" if "limit" in str(fields["package_id"]) else "not_sold_now"
    return "bad_request"


def _pause(response: httpx.Response) -> float:
    """Retry-After in seconds; a second where it is absent or a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 1.0
