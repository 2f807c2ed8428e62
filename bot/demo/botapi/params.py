"""A call's parameters: read from the request's body, checked by name and type.

Unknown parameters are refused (Telegram ignores them), so that a misspelt one is found.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bot.demo.botapi.errors import bad_request

if TYPE_CHECKING:
    from bot.demo.world import World

Params = dict[str, Any]
Reader = Callable[[str, Any], Any]
MAX_UPLOAD = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with the request."""

    name: str
    mime_type: str
    data: bytes

    def __repr__(self) -> str:
        return f"<file {self.name}, {len(self.data)} bytes>"


def integer(name: str, value: Any) -> int:
    """An Integer; Telegram takes its decimal text too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    raise bad_request(f'parameter "{name}" must be an Integer')


def boolean(name: str, value: Any) -> bool:
    """A Boolean, or one of the words Telegram takes for it."""
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in ("true", "yes", "y", "1"):
        return True
    if word in ("false", "no", "n", "0", ""):
        return False
    raise bad_request(f'parameter "{name}" must be a Boolean')


def string(name: str, value: Any) -> str:
    """A String; numbers in JSON are taken as their text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise bad_request(f'parameter "{name}" must be a String')


def structure(name: str, value: Any) -> Any:
    """An object or array, given as JSON or (in a form) as JSON text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f'can\'t parse "{name}" JSON object') from None
    return value


def chat(name: str, value: Any) -> int | str:
    """A chat's id, or @username."""
    if isinstance(value, str) and value.startswith("@"):
        return value
    if value in ("", None):
        raise bad_request(f"{name} is empty")
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad_request("chat not found") from None


def file(_name: str, value: Any) -> Any:
    """An upload, or a file_id."""
    return value


@dataclass(frozen=True, slots=True)
class Method:
    """A Bot API method: what it takes and what carries it out.

    `missing` holds Telegram's own text for a required parameter that is not there.
    """

    run: Callable[[World, Params], Any] | Callable[[World, Params], Awaitable[Any]]
    takes: Mapping[str, Reader] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    sends: bool = False

    def read(self, given: Params) -> Params:
        """The parameters, converted; "uploads" holds attached files. ApiError 400."""
        params: Params = {}
        takes = self.takes
        for name, value in given.items():
            if value is None:
                continue
            reader = takes.get(name)
            if reader is None:
                if isinstance(value, Upload):
                    params.setdefault("uploads", {})[name] = value
                    continue
                raise bad_request(f'parameter "{name}" is not known to this stand-in')
            params[name] = reader(name, value)
        for name in self.requires:
            if name not in params:
                text = self.missing.get(name, f'parameter "{name}" is required')
                raise bad_request(text)
        return params


async def read_request(request: Request) -> Params:
    """The raw parameters of a GET or POST in any form Telegram takes."""
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    params: Params = {}
    if query := request.scope["query_string"]:
        params.update(parse_qsl(query.decode(), keep_blank_values=True))
    if kind == "multipart/form-data":
        async with request.form(max_part_size=MAX_UPLOAD) as form:
            for name, value in form.multi_items():
                params[name] = await _upload(value) if isinstance(value, UploadFile) else value
        return params
    body = await request.body()
    if not body:
        return params
    try:
        if kind == "application/json":
            given = json.loads(body)
            if not isinstance(given, dict):
                raise ValueError("an object is wanted")
            params.update(given)
        else:
            params.update(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise bad_request("can't parse the request's body") from None
    return params


async def _upload(value: UploadFile) -> Upload:
    data = await value.read()
    kind = value.content_type or "application/octet-stream"
    return Upload(value.filename or "file", kind, data)


# What every sending method takes besides its content.
SENDING: dict[str, Reader] = {
    "chat_id": chat,
    "message_thread_id": integer,
    "disable_notification": boolean,
    "protect_content": boolean,
    "allow_paid_broadcast": boolean,
    "reply_parameters": structure,
    "reply_markup": structure,
}
EDITING: dict[str, Reader] = {
    "chat_id": chat,
    "message_id": integer,
    "reply_markup": structure,
}
CHAT_MISSING = {"chat_id": "chat_id is empty", "message_id": "message identifier is not specified"}
