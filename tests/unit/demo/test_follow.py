"""The bot's side of the demo's clock: waiting for it while it works, and while it stops."""

import httpx
from starlette.applications import Starlette

from bot.demo.follow import Control, FollowingClock, Work
from bot.services.work import Worker


async def nothing() -> None:
    """Work that has nothing to do."""


async def asked(idle: bool, stopping: list[bool]) -> httpx.Response:
    """The answer to "are you idle?", patient for ten minutes; `stopping` is how it goes on."""
    control = Control(
        FollowingClock(), [Work(Worker("w", nothing), None)], lambda: idle, lambda: stopping.pop(0)
    )
    app = httpx.ASGITransport(Starlette(routes=control.routes()))
    async with httpx.AsyncClient(transport=app, base_url="http://bot") as http:
        return await http.post("/demo/idle", json={"timeout": 600})


async def test_a_bot_without_work_is_idle() -> None:
    answer = await asked(True, [False] * 5)
    assert (answer.status_code, answer.json()) == (200, {"idle": True})


async def test_a_bot_that_stops_meanwhile_says_so() -> None:
    answer = await asked(False, [False, False, True, True])
    assert (answer.status_code, answer.json()) == (503, {"idle": False})
