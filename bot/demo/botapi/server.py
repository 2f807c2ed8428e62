"""The HTTP face of the Bot API: /bot<token>/<method> and /file/bot<token>/<path>."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bot.demo.botapi import (
    callbacks,
    chats,
    editing,
    files,
    invoices,
    payments,
    pins,
    profile,
    sending,
    subscriptions,
    webhook,
)
from bot.demo.botapi.errors import ApiError, too_many_requests
from bot.demo.botapi.params import Method, Params, Upload, read_request
from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.world import World

_MODULES = (
    sending, editing, pins, callbacks, invoices, payments, subscriptions, chats, profile, files,
    webhook,
)  # fmt: skip
METHODS: dict[str, tuple[str, Method]] = {
    name.lower(): (name, method) for module in _MODULES for name, method in module.METHODS.items()
}
CHANGING = ("send", "edit", "copy", "forward", "delete")

FAULTS = (
    (
        "telegram_down",
        "Telegram is down",
        "Telegram 无法连接",
        "Every call is answered 502 Bad Gateway, and no update is delivered.",
    ),
    (
        "telegram_send_lost_answer",
        "Telegram's answer gets lost",
        "消息已发出，但回执丢失",
        "A message is sent or a refund made, then the connection breaks before the bot knows.",
    ),
    (
        "telegram_flood",
        "Telegram asks to slow down",
        "Telegram 要求放慢发送",
        "Sending and editing are answered 429 with retry_after 3.",
    ),
    (
        "telegram_slow",
        "Telegram is slow",
        "Telegram 响应缓慢",
        "Every answer but getUpdates comes two seconds late.",
    ),
)


class BotApi:
    """ASGI endpoint for one method call; logs it and answers as Telegram does."""

    def __init__(self, world: World, faults: FaultBoard, calls: CallLog) -> None:
        self.world, self.faults, self.calls = world, faults, calls
        for fault in FAULTS:
            faults.register(*fault)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        path = scope["path_params"]
        asked = path["method"]
        name, method = METHODS.get(asked.lower(), (asked, None))
        given: Params = {}
        dropped = False
        try:
            given = await read_request(Request(scope, receive))
            if path["token"] != self.world.token:
                raise ApiError(401, "Unauthorized")
            if method is None:
                raise ApiError(404, "Not Found")
            body, dropped = await self._carry_out(name, method, given)
            status = 200
        except ApiError as error:
            status, body = error.code, error.body()
        self.calls.add(
            to="telegram",
            method=name,
            request=_logged(given),
            answer=body,
            status=0 if dropped else status,
            ms=round((time.perf_counter() - started) * 1000, 2),
        )
        if dropped:
            await drop_connection(receive)
        else:
            await answer_json(send, status, body)

    async def _carry_out(self, name: str, method: Method, given: Params) -> tuple[Any, bool]:
        """The answer's body, and whether it is to be lost on the way."""
        faults = self.faults
        if faults.take("telegram_down"):
            raise ApiError(502, "Bad Gateway")
        if name.startswith(CHANGING) and faults.take("telegram_flood"):
            raise too_many_requests(3)
        if name != "getUpdates" and faults.take("telegram_slow"):
            await asyncio.sleep(self.world.slow_seconds)
        result = method.run(self.world, method.read(given))
        if inspect.isawaitable(result):
            result = await result
            if faults.is_set("telegram_down"):
                raise ApiError(502, "Bad Gateway")
        lost = method.sends and faults.take("telegram_send_lost_answer")
        return {"ok": True, "result": result}, lost

    async def download(self, request: Request) -> Response:
        """The bytes of a file that getFile named."""
        path = request.path_params
        file = self.world.files.by_path(path["path"])
        if self.faults.take("telegram_down"):
            error = ApiError(502, "Bad Gateway")
        elif path["token"] != self.world.token:
            error = ApiError(401, "Unauthorized")
        elif file is None:
            error = ApiError(404, "Not Found")
        else:
            return Response(file.data, media_type=file.mime_type)
        return JSONResponse(error.body(), error.code)


def _logged(given: Params) -> Params:
    if any(isinstance(value, Upload) for value in given.values()):
        return {
            name: repr(value) if isinstance(value, Upload) else value
            for name, value in given.items()
        }
    return given


async def drop_connection(receive: Receive) -> None:
    """Break the connection without an answer, as a network does.

    ASGI has no word for it: the server's transport is taken from behind `receive`.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the answer is lost")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer_json(send: Send, status: int, body: Any) -> None:
    """Send a whole HTTP answer (the hot path: no Response object)."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(data)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
