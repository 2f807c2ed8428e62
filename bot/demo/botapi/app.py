"""The stand-in as one Starlette application: the Bot API and the people interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route

from bot.demo.botapi.server import BotApi
from bot.demo.botapi.webhook import Pusher
from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.people import BotHooks, PeopleInterface
from bot.demo.world import World


def create_app(
    world: World,
    faults: FaultBoard | None = None,
    calls: CallLog | None = None,
    hooks: BotHooks | None = None,
) -> Starlette:
    """The application over `world`. Its lifespan pushes updates to a webhook while one is set."""
    faults = faults if faults is not None else FaultBoard()
    calls = calls if calls is not None else CallLog(world.clock)
    api = BotApi(world, faults, calls)
    people = PeopleInterface(world, faults, calls, hooks)
    pusher = Pusher(world, faults)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        pusher.start()
        try:
            yield
        finally:
            await pusher.stop()

    routes = [
        Route("/bot{token}/{method}", api),
        Route("/file/bot{token}/{path:path}", api.download),
        *people.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
