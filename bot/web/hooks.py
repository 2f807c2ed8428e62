"""Webhooks of suppliers and payment providers: POST /hooks/{caller}/{secret}. Kept, answered at
once, followed later."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.ports import Call, WebhookRefused

log = structlog.get_logger()

PATH = "/hooks/{caller}/{secret}"
MOST_BYTES = 64 * 1024
"""They send a few kilobytes at most."""

Accept = Callable[[str, Call], Awaitable[str]]


def own_secret(secret: str, caller: str) -> str:
    """The part of the address that is one caller's own: who reads it can't call as another.

    Some callers' addresses stand in links that customers see.
    """
    return hmac.new(secret.encode(), caller.encode(), hashlib.sha256).hexdigest()[:32]


def hooks_route(secret: str, knows: Callable[[str], bool], accept: Accept) -> Route:
    """The route. `knows` tells who may call; `accept` keeps what a call is about and says what the
    caller wants to read.

    A wrong secret and an unknown caller look the same, like a page that is not there. A bare GET
    or HEAD at the right address is how callers look whether we listen; one with a query is a call
    like any other.
    """

    async def take(request: Request) -> Response:
        caller, given = request.path_params["caller"], request.path_params["secret"]
        right = any(
            hmac.compare_digest(given.encode(), one.encode())
            for one in (secret, own_secret(secret, caller))
        )
        if not (right and knows(caller)):
            return Response(status_code=404)
        if request.method != "POST" and not request.query_params:
            return Response(status_code=200)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            call = Call(body, dict(request.headers), dict(request.query_params))
            answer = await accept(caller, call)
        except WebhookRefused as refused:
            log.warning("webhook_refused", caller=caller, reason=str(refused))
            return Response(status_code=400)
        except Exception:
            # Not kept: the caller sends it again.
            log.exception("webhook_failed", caller=caller)
            return Response(status_code=503)
        return Response(answer, status_code=200, media_type="text/plain" if answer else None)

    return Route(PATH, take, methods=["GET", "POST"])


async def _body(request: Request) -> bytes | None:
    """The body; None when it is longer than any caller's."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)
