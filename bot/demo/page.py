"""The chat page's files, served as they lie in the package."""

from __future__ import annotations

import mimetypes
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

# The page loads nothing from elsewhere and runs no inline script; pictures picked by the person
# are shown from memory (blob:).
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
# Not left to the machine's own tables: a module with a wrong type does not run.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

_PAGE = files("bot.demo") / "page"


def _asset(name: str) -> Response:
    asset = _PAGE / name
    suffix = name[name.rfind(".") :]
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(asset.read_bytes(), media_type=kind, headers=_HEADERS)


def page_routes() -> list[BaseRoute]:
    """The routes of the chat page: `/` and `/page/<file>`.

    Only names found in the package's folder are known; anything else is answered with 404.
    """
    names = frozenset(item.name for item in _PAGE.iterdir() if item.is_file())

    def index(_: Request) -> Response:
        return _asset("index.html")

    def file(request: Request) -> Response:
        name = request.path_params["name"]
        return _asset(name) if name in names else Response("not found", status_code=404)

    return [Route("/", index), Route("/page/{name}", file)]
