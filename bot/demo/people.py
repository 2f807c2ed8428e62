"""The people interface: what the demo's people see and do, over HTTP (docs/people-interface.md)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.demo import purse
from bot.demo.botapi import acts
from bot.demo.botapi.acts import CannotDo, Place, message_of, person_of, room_of
from bot.demo.botapi.callbacks import press
from bot.demo.botapi.errors import ApiError
from bot.demo.botapi.keyboards import buttons, find_button
from bot.demo.botapi.models import BOT_ID, Json, Person
from bot.demo.botapi.params import MAX_UPLOAD, Upload
from bot.demo.botapi.profile import menu_scopes
from bot.demo.calls import Call, CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.room_acts import ROOM_ACTS, chat_line
from bot.demo.world import World

PRESS_SECONDS = 15.0
HEARTBEAT_SECONDS = 15.0


class BotHooks(Protocol):
    """What the host does for the clock and for /idle."""

    async def advance(self, seconds: float) -> None:
        """Move the demo's clock forward and return when everything then due has been done."""

    async def idle(self, timeout: float) -> bool:
        """Whether the bot has nothing left to do; waits up to `timeout` s (real) for it."""


class AloneHooks:
    """Hooks for a stand-in without a host: the clock just moves, the bot is taken for idle."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock

    async def advance(self, seconds: float) -> None:
        self._clock.advance(seconds)

    async def idle(self, timeout: float) -> bool:
        return True


Handler = Callable[[Request], Awaitable[Response]]
Act = Callable[[Person, int, Json], Awaitable[Any]]


def _answering(handler: Handler) -> Handler:
    """Turn refusals into {"ok": false, "error": …} with their status."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except CannotDo as error:
            body = {"ok": False, "error": error.reason, **error.details}
            return JSONResponse(body, error.status)
        except ApiError as error:
            return JSONResponse({"ok": False, "error": error.description}, error.code)

    return answered


async def _body(request: Request) -> Json:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise CannotDo(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise CannotDo(400, "the body must be a JSON object")
    return body


def _number(body: Json, name: str, default: float | None = None) -> float:
    value = body.get(name, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        raise CannotDo(400, f'"{name}" must be a number, not negative')
    return float(value)


class PeopleInterface:
    """All routes of the people interface over one world."""

    def __init__(
        self, world: World, faults: FaultBoard, calls: CallLog, hooks: BotHooks | None = None
    ) -> None:
        self.world, self.faults, self.calls = world, faults, calls
        self.hooks: BotHooks = hooks or AloneHooks(world.clock)
        calls.listeners.append(self._on_call)

    def routes(self) -> list[Route]:
        chat = "/people/{person:int}/chats/{chat}"
        acts_by_name: dict[str, Act] = {
            "press": self.press,
            "pay": self.pay,
            "start": self.start,
            "edit": self.edit,
            "forward": self.forward,
        }
        return [
            Route("/healthz", _answering(self.healthz)),
            Route("/people", _answering(self.people)),
            Route("/people/{person:int}/chats", _answering(self.chats)),
            Route(f"{chat}/messages", _answering(self.messages)),
            Route(f"{chat}/messages", _answering(self.say), methods=["POST"]),
            Route(f"{chat}/commands", _answering(self.commands)),
            *(
                Route(f"{chat}/{name}", _answering(self._acting(act)), methods=["POST"])
                for name, act in acts_by_name.items()
            ),
            *(
                Route(f"{chat}/{name}", _answering(self._in_room(name)), methods=["POST"])
                for name in ROOM_ACTS
            ),
            Route("/people/{person:int}/invoice", _answering(self.invoice)),
            Route(
                "/people/{person:int}/subscriptions",
                _answering(self.subscriptions),
                methods=["GET", "POST"],
            ),
            Route("/people/{person:int}/block", _answering(self.block), methods=["POST"]),
            Route("/files/{unique_id}", _answering(self.file)),
            Route("/clock", _answering(self.clock)),
            Route("/clock", _answering(self.advance), methods=["POST"]),
            Route("/calls", _answering(self.call_log)),
            Route("/faults", _answering(self.fault_list)),
            Route("/faults", _answering(self.set_fault), methods=["POST"]),
            Route("/idle", _answering(self.idle), methods=["POST"]),
            Route("/events", _answering(self.events)),
        ]

    # Looking

    async def healthz(self, _request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def people(self, _request: Request) -> Response:
        return JSONResponse(
            [
                {
                    "id": person.id,
                    "name": person.name,
                    "language_code": person.language_code,
                    "role": person.role,
                    "username": person.username,
                    "stars": person.stars,
                    "started": person.started,
                    "blocked": person.blocked,
                }
                for person in self.world.people.values()
            ]
        )

    async def chats(self, request: Request) -> Response:
        person = person_of(self.world, request.path_params["person"])
        rooms = [group for group in self.world.groups.values() if group.has(person.id)]
        return JSONResponse([chat_line(self.world, person, room) for room in (None, *rooms)])

    async def messages(self, request: Request) -> Response:
        _, chat_id = self._where(request)
        log = self.world.messages.get(chat_id, {})
        return JSONResponse([self.world.shown(stored) for stored in log.values()])

    async def commands(self, request: Request) -> Response:
        person, chat_id = self._where(request)
        room = room_of(self.world, person, chat_id)
        if room is not None and not room.has(BOT_ID):
            return JSONResponse([])
        admin = room is not None and room.is_admin(person.id)
        scopes = menu_scopes(chat_id, person.id, admin=admin)
        return JSONResponse(self.world.bot.commands_for(scopes, person.language_code[:2]))

    async def file(self, request: Request) -> Response:
        file = self.world.files.by_unique.get(request.path_params["unique_id"])
        if file is None:
            raise CannotDo(404, "no such file")
        return Response(file.data, media_type=file.mime_type)

    def _where(self, request: Request) -> tuple[Person, int]:
        person = person_of(self.world, request.path_params["person"])
        try:
            chat_id = int(request.path_params["chat"])
        except ValueError:
            raise CannotDo(404, "this person has no such chat") from None
        room_of(self.world, person, chat_id)
        return person, chat_id

    # Doing

    def _acting(self, act: Act) -> Handler:
        async def handler(request: Request) -> Response:
            person, chat_id = self._where(request)
            return JSONResponse(await act(person, chat_id, await _body(request)))

        return handler

    def _in_room(self, name: str) -> Handler:
        async def handler(request: Request) -> Response:
            person, chat_id = self._where(request)
            act = ROOM_ACTS[name]
            return JSONResponse(act(self.world, person, chat_id, await _body(request)))

        return handler

    async def say(self, request: Request) -> Response:
        person, chat_id = self._where(request)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            return JSONResponse(await self._say_file(request, person, chat_id))
        body = await _body(request)
        place = Place(
            body.get("reply_to_message_id"), body.get("message_thread_id"), body.get("as")
        )
        stored = acts.say(self.world, person, chat_id, body.get("text"), place)
        return JSONResponse(self.world.shown(stored))

    async def _say_file(self, request: Request, person: Person, chat_id: int) -> Json:
        async with request.form(max_part_size=MAX_UPLOAD) as form:
            for kind in ("photo", "document"):
                part = form.get(kind)
                if isinstance(part, UploadFile):
                    mime_type = part.content_type or "application/octet-stream"
                    upload = Upload(part.filename or kind, mime_type, await part.read())
                    caption = str(form.get("caption") or "")
                    thread_id = str(form.get("message_thread_id") or "")
                    place = Place(thread_id=int(thread_id) if thread_id.isdecimal() else None)
                    stored = acts.send_file(
                        self.world, person, chat_id, kind, upload, caption, place
                    )
                    return self.world.shown(stored)
        raise CannotDo(400, 'a part named "photo" or "document" is needed')

    async def press(self, person: Person, chat_id: int, body: Json) -> Json:
        """Press a button by its label and wait for what the bot answers."""
        stored = message_of(self.world, chat_id, body.get("message_id"))
        markup = stored.data.get("reply_markup")
        button = find_button(markup, str(body.get("text")))
        if button is None:
            labels = [each["text"] for each in buttons(markup)]
            raise CannotDo(404, "no such button", labels=labels)
        if "url" in button:
            opened: Json = {"ok": True, "url": button["url"]}
            return opened | (acts.bot_link(button["url"]) or {})
        if "callback_data" not in button:
            kind = "pay" if "pay" in button else "copy_text"
            return {"ok": True, kind: button[kind]}
        if person.blocked and chat_id == person.id:
            raise CannotDo(403, "this person blocked the bot; unblock it first")
        query = press(self.world, person, stored, button["callback_data"])
        answer = None
        if body.get("wait", True):
            try:
                answer = await asyncio.wait_for(query.answer, PRESS_SECONDS)
            except TimeoutError:
                answer = None
        return {"ok": True, "callback_query_id": query.id, "answer": answer}

    async def pay(self, person: Person, chat_id: int, body: Json) -> Json:
        return await purse.pay(self.world, person, chat_id, body)

    async def invoice(self, request: Request) -> Response:
        person = person_of(self.world, request.path_params["person"])
        link = request.query_params.get("link", "")
        return JSONResponse(purse.behind(self.world, person, link))

    async def subscriptions(self, request: Request) -> Response:
        person = person_of(self.world, request.path_params["person"])
        if request.method == "POST":
            return JSONResponse(purse.keep(self.world, person, await _body(request)))
        return JSONResponse(purse.subscriptions(self.world, person))

    async def start(self, person: Person, _chat_id: int, body: Json) -> Json:
        return self.world.shown(acts.start(self.world, person, body.get("payload", "")))

    async def edit(self, person: Person, chat_id: int, body: Json) -> Json:
        stored = acts.edit(self.world, person, chat_id, body.get("message_id"), body.get("text"))
        return self.world.shown(stored)

    async def forward(self, person: Person, chat_id: int, body: Json) -> Json:
        to_chat_id = body.get("to_chat_id", chat_id)
        if not isinstance(to_chat_id, int):
            raise CannotDo(400, '"to_chat_id" must be a chat\'s id')
        stored = acts.forward(self.world, person, chat_id, body.get("message_id"), to_chat_id)
        return self.world.shown(stored)

    async def block(self, request: Request) -> Response:
        person = person_of(self.world, request.path_params["person"])
        acts.block(self.world, person, on=bool((await _body(request)).get("on", True)))
        return JSONResponse({"ok": True, "blocked": person.blocked})

    # The world around

    def _clock(self) -> Json:
        clock = self.world.clock
        now = clock.now().isoformat(timespec="seconds")
        return {"now": now, "offset_seconds": clock.offset}

    async def clock(self, _request: Request) -> Response:
        return JSONResponse(self._clock())

    async def advance(self, request: Request) -> Response:
        await self.hooks.advance(_number(await _body(request), "advance_seconds"))
        self.world.events.emit("clock", **self._clock())
        return JSONResponse(self._clock())

    def _on_call(self, call: Call) -> None:
        if self.world.events.listening:
            self.world.events.emit("call", call=call.as_dict())

    async def call_log(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            raise CannotDo(400, '"after" must be the id of a call')
        return JSONResponse([call.as_dict() for call in self.calls.after(int(after))])

    async def fault_list(self, _request: Request) -> Response:
        return JSONResponse(self.faults.list())

    async def set_fault(self, request: Request) -> Response:
        body = await _body(request)
        on, times = body.get("on"), body.get("times")
        if not isinstance(on, bool | None) or not isinstance(times, int | None):
            raise CannotDo(400, '"on" must be true or false, "times" a whole number')
        try:
            fault = self.faults.set(str(body.get("name")), on=on, times=times)
        except KeyError:
            raise CannotDo(404, "no such fault") from None
        except ValueError as error:
            raise CannotDo(400, str(error)) from None
        self.world.events.emit("fault", fault=fault.as_dict())
        return JSONResponse(fault.as_dict())

    async def idle(self, request: Request) -> Response:
        timeout = _number(await _body(request), "timeout", 10.0)
        idle = await self.wait_idle(timeout)
        return JSONResponse({"idle": idle, "undelivered": len(self.world.updates.pending)})

    async def wait_idle(self, timeout: float) -> bool:
        """Whether, within `timeout` s (real), every update is taken and the bot has finished."""
        queue = self.world.updates
        deadline = time.monotonic() + timeout
        while True:
            queue.expire()
            left = deadline - time.monotonic()
            if not queue.pending:
                if not await self.hooks.idle(max(left, 0)):
                    return False
                if not queue.pending:
                    return True
            elif left <= 0:
                return False
            else:
                await queue.changed(left)

    async def events(self, _request: Request) -> Response:
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=headers)

    async def _stream(self) -> AsyncIterator[str]:
        with self.world.events.subscribe() as queue:
            yield "retry: 1000\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
                yield f"event: {event['type']}\ndata: {data}\n\n"
