"""The demo's Telegram in a process of its own, with a crowd of people who pressed START.

`python -m tests.bench.town PEOPLE [--no-limits]` prints its address and serves until its
input ends. `/figures` tells when each message came (seconds), and how many were refused.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.botapi.app import create_app
from bot.demo.botapi.errors import ApiError
from bot.demo.botapi.limits import Limiter
from bot.demo.botapi.models import Person
from bot.demo.host import HOST, free_port
from bot.demo.world import World

FIRST = 5_000_000
"""The first of the crowd's ids; the others follow."""


class Counting(Limiter):
    """Telegram's limits, and what met them."""

    def __init__(self, *, enabled: bool) -> None:
        super().__init__(enabled=enabled)
        self.came: list[float] = []
        self.refused = 0

    def spend(self, chat_id: int, *, edit: bool = False, paid: bool = False) -> None:
        """Count one message to a chat."""
        try:
            super().spend(chat_id, edit=edit, paid=paid)
        except ApiError:
            self.refused += 1
            raise
        self.came.append(time.monotonic())


def _person(number: int) -> Person:
    return Person(FIRST + number, f"P{number}", "en", "customer", started=True)


async def serve(people: int, *, limits: bool) -> None:
    """Serve until the input ends."""
    crowd = [_person(number) for number in range(people)]
    world = World(people=crowd)
    world.limits = counting = Counting(enabled=limits)

    async def figures(request: Request) -> Response:
        facts = {"came": counting.came, "refused": counting.refused, "cpu": time.process_time()}
        return JSONResponse(facts)

    app = create_app(world)
    app.router.routes.append(Route("/figures", figures))
    port = free_port()
    config = uvicorn.Config(
        app, host=HOST, port=port, log_level="error", access_log=False, lifespan="off",
        timeout_keep_alive=75,  # a connection closed under the bot looks like a lost answer
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells it no other way
        await asyncio.sleep(0.01)
    print(f"http://{HOST}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


class Telegram:
    """That process, from outside."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def figures(self) -> dict[str, Any]:
        """What it counted so far."""
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{self.url}/figures")
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def telegram(people: int, *, limits: bool) -> AsyncIterator[Telegram]:
    """Start it, and end it."""
    command = [sys.executable, "-m", "tests.bench.town", str(people)]
    process = await asyncio.create_subprocess_exec(
        *command, *(() if limits else ("--no-limits",)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield Telegram((await process.stdout.readline()).decode().strip())
    finally:
        process.stdin.close()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), limits="--no-limits" not in sys.argv))
