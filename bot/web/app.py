"""The bot's own small web server: Telegram's webhook and health."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

log = structlog.get_logger()

_MOST_BYTES = 1_000_000
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  a header's name


def webhook_route(
    path: str, secret: str, accept: Callable[[Mapping[str, Any]], Awaitable[None]]
) -> Route:
    """Telegram's webhook: 200 only after the update is committed to the inbox."""

    async def take(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return Response(status_code=403)
        body = await request.body()
        if len(body) > _MOST_BYTES:
            return Response(status_code=413)
        try:
            update = json.loads(body)
            int(update["update_id"])
        except (ValueError, KeyError, TypeError):
            return Response(status_code=400)
        try:
            await accept(update)
        except Exception:
            # Not committed: Telegram keeps the update and sends it again.
            log.exception("inbox_failed", update_id=update["update_id"])
            return Response(status_code=503)
        return Response(status_code=200)

    return Route(path, take, methods=["POST"])


def health_route(facts: Callable[[], Awaitable[Mapping[str, Any]]]) -> Route:
    """Whether the bot is up, with a few numbers."""

    async def health(_: Request) -> Response:
        return JSONResponse(dict(await facts()))

    return Route("/healthz", health)


def create(routes: Sequence[BaseRoute]) -> Starlette:
    """The web application."""
    return Starlette(routes=list(routes))
