"""The Bot API stand-in on a free loopback port, with python-telegram-bot and people to use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import ApplicationBuilder
from telegram.request import HTTPXRequest
from uvicorn.server import ServerState

from bot.demo.botapi.app import create_app
from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.world import World

XIAOYU, EMMA, OWNER, STRANGER = 1001, 1002, 1003, 1005
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x02\x00\x00\x00\x03\x08\x02\x00\x00\x00"
    b"rest of the picture"
)
GO = InlineKeyboardMarkup([[InlineKeyboardButton("Go", callback_data="go")]])


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """An application on uvicorn's protocol; yields its address.

    Not by uvicorn's Server, whose start and stop take 0.3 s of a test that takes 0.03.
    """
    config = uvicorn.Config(app, log_level="error", lifespan="off")
    config.load()
    state = ServerState()

    def protocol() -> asyncio.Protocol:
        made = config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
        assert isinstance(made, asyncio.Protocol)
        return made

    life = app.router.lifespan_context(app) if isinstance(app, Starlette) else nullcontext()
    async with life:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for connection in list(state.connections):
                connection.shutdown()
            if state.tasks:
                await asyncio.wait(state.tasks, timeout=1)
            await asyncio.sleep(0)


@dataclass
class StandIn:
    """A served world; `http` speaks to its people interface."""

    world: World
    faults: FaultBoard
    calls: CallLog
    url: str
    http: httpx.AsyncClient
    requests: list[HTTPXRequest] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"{self.url}/bot"

    def bot(self, token: str | None = None) -> Bot:
        """A python-telegram-bot Bot, its connections closed with the stand-in."""
        # No certificates are read for plain HTTP on loopback: that takes most of a test's time.
        own = [HTTPXRequest(httpx_kwargs={"verify": False}) for _ in range(2)]
        self.requests += own
        return Bot(
            token or self.world.token,
            base_url=self.base_url,
            base_file_url=f"{self.url}/file/bot",
            request=own[0],
            get_updates_request=own[1],
        )

    def application(self) -> ApplicationBuilder:  # type: ignore[type-arg]
        builder = ApplicationBuilder().token(self.world.token).base_url(self.base_url)
        return builder.base_file_url(f"{self.url}/file/bot").job_queue(None)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A raw call; the answer's body, refusals too."""
        answer = await self.http.post(f"/bot{self.world.token}/{method}", json=params)
        body: dict[str, Any] = answer.json()
        return body

    async def refused(self, method: str, **params: Any) -> str:
        """The description of a call that must be refused."""
        body = await self.call(method, **params)
        assert body["ok"] is False, body
        return str(body["description"])

    async def act(self, person: int, verb: str, chat: int | None = None, /, **body: Any) -> Any:
        """POST /people/{person}/chats/{chat}/{verb}; the private chat unless another is named."""
        answer = await self.http.post(
            f"/people/{person}/chats/{person if chat is None else chat}/{verb}", json=body
        )
        return answer.json()

    async def messages(self, person: int, chat: int | None = None) -> list[dict[str, Any]]:
        answer = await self.http.get(
            f"/people/{person}/chats/{person if chat is None else chat}/messages"
        )
        found: list[dict[str, Any]] = answer.json()
        return found

    async def last(self, person: int, chat: int | None = None) -> dict[str, Any]:
        """The newest message the person sees."""
        return (await self.messages(person, chat))[-1]


@asynccontextmanager
async def standin(world: World | None = None, **options: Any) -> AsyncIterator[StandIn]:
    """A stand-in over a fresh world (or the one given); `options` are World's."""
    world = world or World(**options)
    faults, calls = FaultBoard(), CallLog(world.clock)
    async with (
        serving(create_app(world, faults, calls)) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        running = StandIn(world, faults, calls, url, http)
        try:
            yield running
        finally:
            for request in running.requests:
                await request.shutdown()
            world.events.close()
