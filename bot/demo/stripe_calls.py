"""How the Stripe stand-in takes a call: keys, idempotency, lists, errors, and its misbehaviour."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Dropped, Json, StandIn
from bot.demo.stripe_faults import FAULTS
from bot.demo.stripe_shown import Shown, in_other_types, send_webhooks
from bot.demo.stripe_state import Kept, StripeState
from bot.ports import Clock

NAME = "stripe"
_KEY = re.compile(r"\[([^\]]*)\]")

Handler = Callable[[Request, Json], Awaitable[Json]]


class Refused(Exception):
    """An error answer."""

    def __init__(
        self, status: int, code: str | None, text: str, param: str | None = None, **more: Any
    ) -> None:
        super().__init__(text)
        kind = {402: "card_error", 429: "invalid_request_error"}.get(status)
        kind = kind or ("api_error" if status >= 500 else "invalid_request_error")
        self.status = status
        self.body: Json = {
            "type": kind,
            "code": code,
            "message": text,
            "param": param,
            **more,
        }


class Calls(StandIn):
    """What every call goes through; what it does is a handler's."""

    def __init__(
        self, state: StripeState, clock: Clock, faults: FaultBoard, calls: CallLog
    ) -> None:
        super().__init__(NAME, FAULTS, clock, faults, calls)
        self._state = state
        self._tasks: set[asyncio.Task[None]] = set()

    # -- one call

    def reading(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A call that changes nothing."""

        async def answer(request: Request) -> Response:
            asked = nested(list(request.query_params.multi_items()))

            async def work() -> tuple[Json, Response]:
                try:
                    self._check(request)
                    return asked, self._json(await handler(request, asked))
                except Refused as no:
                    return asked, self._error(no)

            response = await self._logged(f"{request.method} {path_of(request)}", work)
            response.background = BackgroundTask(self.telling)
            return response

        return answer

    def making(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A call that makes something, once for its idempotency key."""

        async def answer(request: Request) -> Response:
            asked = nested(parse_qsl((await request.body()).decode(), keep_blank_values=True))

            async def work() -> tuple[Json, Response]:
                try:
                    self._check(request)
                    if self._struck("timeout_before"):
                        return asked, Dropped()
                    done = await self._once(request, asked, handler)
                except Refused as no:
                    return asked, self._error(no)
                if self._struck("done_500"):
                    done = self._error(Refused(500, None, "An unknown error occurred."))
                return asked, self._arriving(done)

            response = await self._logged(f"{request.method} {path_of(request)}", work)
            if isinstance(response, Dropped):
                # Whoever lost the answer is called all the same.
                task = asyncio.create_task(self.telling())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                response.background = BackgroundTask(self.telling)
            return response

        return answer

    async def telling(self) -> None:
        """Send the webhooks that are due: after each call and each press of a button, so that a
        late one follows whatever happens next."""
        if self._state.webhook_url is None or not self._state.notices:
            return
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            await send_webhooks(self._state, self._clock, self._faults, self._calls, http)

    async def _once(self, request: Request, asked: Json, handler: Handler) -> Response:
        key = request.headers.get("idempotency-key")
        known = self._state.keys.get(key or "")
        if known is not None and not self._set("idempotency_ignored"):
            if known.asked != {"path": path_of(request), **asked}:
                raise Refused(
                    400, None, "Keys for idempotent requests can only be used with the same "
                    "parameters they were first used with.", type="idempotency_error",
                )  # fmt: skip
            replayed = self._json(known.body, known.status)
            replayed.headers["idempotent-replayed"] = "true"
            return replayed
        status = 200
        try:
            if self._struck("server_error"):
                raise Refused(500, None, "An unknown error occurred.")
            body = await handler(request, asked)
        except Refused as no:
            # What fails the check of its parameters was never begun, and is not remembered.
            if no.status in (400, 404):
                raise
            status, body = no.status, {"error": no.body}
        if key:
            asked = {"path": path_of(request), **asked}
            self._state.keys[key] = Kept(asked=asked, status=status, body=body)
        return self._json(body, status)

    def _check(self, request: Request) -> None:
        if self._struck("http_500"):
            raise Refused(500, None, "An unknown error occurred.")
        if self._struck("http_429"):
            raise Refused(429, "rate_limit", "Too many requests hit the API too quickly.")
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key != self._state.secret_key:
            raise Refused(401, None, f"Invalid API Key provided: {key[:7]}****")

    def _json(self, told: Json, status: int = 200) -> Response:
        if self._struck("garbage"):
            return HTMLResponse("<html><body>Welcome to the hotel's network</body></html>")
        if self._struck("other_shape"):
            return JSONResponse([])
        if self._struck("other_types"):
            told = in_other_types(told)
        return JSONResponse(told, status, {"request-id": self._state.new_id("req")})

    def _error(self, no: Refused) -> Response:
        headers = {"request-id": self._state.new_id("req")}
        return JSONResponse({"error": no.body}, no.status, headers)

    def shown(self, asked: Json) -> Shown:
        expand = asked.get("expand", [])
        return Shown(self._state, self._clock.now(), [str(one) for one in expand])

    def listed(self, asked: Json, rows: list[Any], shown: Callable[[Any], Json], path: str) -> Json:
        """Newest first, cut to a page."""
        now = self._clock.now()
        if self._struck("list_lags"):
            late = timedelta(seconds=self._state.lag_seconds)
            rows = [one for one in rows if one.created + late <= now]
        for how, bound in dict(asked.get("created", {})).items():
            at = datetime.fromtimestamp(int(bound), UTC)
            keep = {"gt": at.__lt__, "gte": at.__le__, "lt": at.__gt__, "lte": at.__ge__}[how]
            rows = [one for one in rows if keep(one.created.replace(microsecond=0))]
        rows = list(reversed(rows))
        begun = asked.get("starting_after")
        endless = self._struck("endless_list")
        if begun is not None and not endless:
            ids = [shown(one)["id"] for one in rows]
            if begun not in ids:
                raise Refused(400, "resource_missing", "No such object", "starting_after")
            rows = rows[ids.index(begun) + 1 :]
        size = 2 if self._set("short_pages") else int(asked.get("limit", 10))
        if not 1 <= size <= 100:
            raise Refused(400, "parameter_invalid_integer", "Invalid limit", "limit")
        return {
            "object": "list",
            "data": [shown(one) for one in rows[:size]],
            "has_more": endless or len(rows) > size,
            "url": path,
        }


def nested(pairs: list[tuple[str, str]]) -> Json:
    """A form's `a[b][0]=c` as nested dicts and lists."""
    tree: Json = {}
    for name, value in pairs:
        head, *rest = [name.partition("[")[0], *_KEY.findall(name)]
        at = tree
        for part, following in zip([head, *rest], [*rest, None], strict=True):
            at = at.setdefault(part, {}) if following is not None else at
        at[rest[-1] if rest else head] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    told = {name: _lists(item) for name, item in value.items()}
    if told and all(name.isdigit() for name in told):
        return [told[name] for name in sorted(told, key=int)]
    return told


def path_of(request: Request) -> str:
    """Below the address it is mounted at."""
    return request.url.path.removeprefix(request.scope.get("root_path", ""))
