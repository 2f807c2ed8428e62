"""The address of a calendar: for who knows its token, and nobody else."""

from pathlib import Path

import httpx

from bot.chat.conversations.calendar import PATH, read
from bot.services import calendars
from bot.web.app import create
from bot.web.calendar import calendar_route
from tests.unit.services.house import HandClock, opened
from tests.unit.store.samples import ALICE, sim


async def test_a_calendar_is_read_by_its_token_until_that_ends(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        async with store.write() as tx:
            await tx.sims.add(sim())
        clock = HandClock()

        async def file(token: str) -> str | None:
            return await read(store, clock, "Shop", token)

        transport = httpx.ASGITransport(app=create([calendar_route(file)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            token = await calendars.address(store, ALICE)
            assert token == await calendars.address(store, ALICE)
            answer = await client.get(PATH.format(token=token))
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
            assert "BEGIN:VEVENT" in answer.text
            fresh = await calendars.address(store, ALICE, fresh=True)
            assert (await client.get(PATH.format(token=token))).status_code == 404
            assert (await client.get(PATH.format(token=fresh))).status_code == 200
            await calendars.end(store, ALICE)
            for wrong in (fresh, "x", "x" * 500):
                assert (await client.get(PATH.format(token=wrong))).status_code == 404
