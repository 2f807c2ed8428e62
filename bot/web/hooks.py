"""Suppliers' webhooks: POST /hooks/{supplier}/{secret}. Kept, answered at once, followed later."""

import hmac
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.ports import WebhookRefused

log = structlog.get_logger()

PATH = "/hooks/{supplier}/{secret}"
MOST_BYTES = 64 * 1024
"""Suppliers send a few hundred bytes."""

Accept = Callable[[str, Mapping[str, str], bytes], Awaitable[None]]


def hooks_route(secret: str, knows: Callable[[str], bool], accept: Accept) -> Route:
    """The route. `knows` tells which suppliers may call; `accept` keeps what a call is about.

    A wrong secret and an unknown supplier look the same, like a page that is not there. GET and
    HEAD at the right address are how suppliers look whether we listen.
    """

    async def take(request: Request) -> Response:
        supplier, given = request.path_params["supplier"], request.path_params["secret"]
        right = hmac.compare_digest(given.encode(), secret.encode())
        if not (right and knows(supplier)):
            return Response(status_code=404)
        if request.method != "POST":
            return Response(status_code=200)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            await accept(supplier, dict(request.headers), body)
        except WebhookRefused as refused:
            log.warning("webhook_refused", supplier=supplier, reason=str(refused))
            return Response(status_code=400)
        except Exception:
            # Not kept: the supplier sends it again.
            log.exception("webhook_failed", supplier=supplier)
            return Response(status_code=503)
        return Response(status_code=200)

    return Route(PATH, take, methods=["GET", "POST"])


async def _body(request: Request) -> bytes | None:
    """The body; None when it is longer than any supplier's."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)
