"""People's calendars: GET /calendar/{token}.ics, for the programs that subscribe to them."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/calendar/{token}.ics"
_LONGEST = 64


def calendar_route(read: Callable[[str], Awaitable[str | None]]) -> Route:
    """The route. `read` gives the file of a token; without one the address looks like any other
    that is not there. Nobody else may keep the answer."""

    async def give(request: Request) -> Response:
        token = request.path_params["token"]
        file = await read(token) if len(token) <= _LONGEST else None
        if file is None:
            return Response(status_code=404)
        return Response(
            file,
            media_type="text/calendar",
            headers={"Cache-Control": "private, max-age=3600", "X-Robots-Tag": "noindex"},
        )

    return Route(PATH, give, methods=["GET"])
