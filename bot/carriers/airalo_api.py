"""How Airalo Partners v2 is asked: its token, its signatures, its pace, its refusals.

Reads are asked again where that helps. POST /orders/topups has no idempotency key and is made
once, whatever comes back.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from bot.carriers.airalo_wire import Granting, Problem
from bot.carriers.asking import Failed, Line, TokenRefused, loggable, patiently
from bot.ports import Clock
from bot.tokens import Token, pause

log = structlog.get_logger(__name__)

RATE = 5
CONCURRENCY = 4
TOKEN_FOR = timedelta(days=1)
"""The documents ask for a new token daily, although one lives for a year."""
TOKEN_MARGIN = timedelta(minutes=5)

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
        clock: Clock,
        rate: int,
    ) -> None:
        """`http` as for a Line. `rate` is the most requests a second."""
        self._client_id = client_id
        self._secret = client_secret
        self._root = base_url.rstrip("/")
        self._line = Line("airalo", http, places=CONCURRENCY, rate=rate)
        self._token = Token(self._granted, clock)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._line.close()

    async def read(
        self, kind: type[Answer], path: str, params: Mapping[str, str] | None = None
    ) -> Answer:
        """A question, asked again a few times where that helps. Raises Failed."""
        return await patiently(lambda: self._with_token(kind, "GET", path, {}, params=params))

    async def buy(self, kind: type[Answer], path: str, form: Mapping[str, str]) -> Answer:
        """The call that costs money, made once. Raises Failed.

        A token refused before anything is looked at counts as not sent: the next try, which is
        not ours to decide on, takes a new one.
        """
        headers = {"airalo-signature": sign(self._secret, signed_form(form))}
        # Parts without a file name: multipart/form-data, as the documents ask here.
        parts = [(name, (None, value)) for name, value in form.items()]
        return await self._with_token(kind, "POST", path, headers, files=parts)

    async def _with_token(
        self, kind: type[Answer], method: str, path: str, headers: dict[str, str], **parts: Any
    ) -> Answer:
        token = await self._token.get()
        headers = {**headers, "Authorization": f"Bearer {token}"}
        try:
            return await self._send(kind, method, path, headers, **parts)
        except TokenRefused:
            self._token.forget(token)
            raise

    async def _granted(self) -> tuple[str, timedelta]:
        """A new token, daily: only three a minute are given. Raises Failed, by which nothing
        else was sent."""
        form = {
            "client_id": self._client_id,
            "client_secret": self._secret,
            "grant_type": "client_credentials",
        }
        headers = {"airalo-signature": sign(self._secret, signed_form(form))}
        try:
            granted = (await self._send(Granting, "POST", "/token", headers, data=form)).data
        except Failed as failed:
            if failed.refused or isinstance(failed, TokenRefused):
                raise Failed("credentials", refused=True) from failed
            raise Failed(failed.reason, wait=failed.wait, unsent=True) from failed
        lives = min(timedelta(seconds=granted.expires_in), TOKEN_FOR)
        return granted.access_token, max(lives - TOKEN_MARGIN, lives / 2)

    async def _send(
        self, kind: type[Answer], method: str, path: str, headers: dict[str, str], **parts: Any
    ) -> Answer:
        """One request; a good answer. Raises Failed for everything else."""
        response = await self._line.send(
            method, self._root + path, headers={"Accept": "application/json", **headers}, **parts
        )
        problem = _failure(response)
        if problem is None:
            return parsed(kind, response.content)
        log.warning("airalo.refused", path=loggable(path), reason=problem.reason)
        raise problem


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
        return TokenRefused()
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Failed("busy", wait=pause(response))
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
