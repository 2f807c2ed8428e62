"""The address that suppliers call, over the real adapters: secrets, signatures, sizes, replays."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.carriers import registry
from bot.carriers.airalo import AiraloSettings
from bot.carriers.esim_access import EsimAccessSettings
from bot.carriers.reloadly import ReloadlySettings
from bot.demo.airalo_state import demo_state
from bot.demo.airalo_webhooks import signed
from bot.services.hints import Hints
from bot.store import Database
from bot.web.app import create
from bot.web.hooks import MOST_BYTES, hooks_route
from tests.unit.services.house import HandClock, opened
from tests.unit.store.samples import ALICE, NOW, days, managed

SECRET = "a-long-secret-of-ours"
USED_UP = {
    "notifyType": "ESIM_STATUS",
    "notifyId": "n1",
    "content": {"esimTranNo": "tr", "iccid": "89852022000000000015", "esimStatus": "USED_UP"},
}
HEALTH = {"notifyType": "CHECK_HEALTH", "notifyId": "h1", "content": {}}


@dataclass
class House:
    """What a test needs."""

    store: Database
    hints: Hints
    http: httpx.AsyncClient

    async def post(self, supplier: str, body: Any, secret: str = SECRET, **headers: str) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.http.post(
            f"/hooks/{supplier}/{secret}", content=content, headers=headers
        )
        assert answer.content == b""
        return answer.status_code

    async def kept(self) -> int:
        """Events that wait to be followed."""
        async with self.store.read() as tx:
            return len(await tx.hints.waiting(99))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    secret = demo_state(NOW).client_secret
    carriers = registry.build(
        {
            "esim_access": EsimAccessSettings(access_code="a", secret_key="b"),
            "airalo": AiraloSettings(client_id="a", client_secret=secret),
            "reloadly": ReloadlySettings(client_id="a", client_secret="b"),
        },
        clock,
    )
    async with opened(tmp_path) as store:
        async with store.write() as tx:
            await tx.sims.add(managed("m1", ALICE, iccid="89852022000000000015", supplier_ref="tr"))
            await tx.sims.set_next_read("m1", days(1))
        hints = Hints(store, clock, carriers, {})
        app = create([hooks_route(SECRET, hints.knows, hints.accept)])
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
        ) as http:
            yield House(store, hints, http)
        for carrier in carriers.values():
            await carrier.close()


async def test_a_hint_is_kept_answered_and_followed_later(house: House) -> None:
    assert await house.post("esim_access", USED_UP) == 200
    assert await house.kept() == 1
    await house.hints.worker.run()
    async with house.store.read() as tx:
        assert await tx.sims.next_to_read() == NOW


async def test_a_replay_is_answered_like_the_first_and_kept_once(house: House) -> None:
    for _ in range(3):
        assert await house.post("esim_access", USED_UP) == 200
    assert await house.kept() == 1


@pytest.mark.parametrize("secret", ["wrong", SECRET[:-1], SECRET + "x", "é"])
async def test_a_wrong_secret_finds_nothing(house: House, secret: str) -> None:
    assert await house.post("esim_access", USED_UP, secret) == 404
    assert (await house.http.head(f"/hooks/esim_access/{secret}")).status_code == 404
    assert await house.kept() == 0


@pytest.mark.parametrize("supplier", ["nobody", "manual", "dingconnect", "%00"])
async def test_who_does_not_call_finds_nothing(house: House, supplier: str) -> None:
    assert await house.post(supplier, USED_UP) == 404


async def test_health_checks_are_answered(house: House) -> None:
    assert (await house.http.head(f"/hooks/airalo/{SECRET}")).status_code == 200
    assert (await house.http.get(f"/hooks/airalo/{SECRET}")).status_code == 200
    assert (await house.http.put(f"/hooks/airalo/{SECRET}")).status_code == 405
    assert await house.post("esim_access", HEALTH) == 200
    assert await house.kept() == 0


async def test_a_wrong_signature_is_refused(house: House) -> None:
    headers, body = signed(
        demo_state(NOW), {"level": "75%", "iccid": "8981040000000010012", "package_name": "x",
                          "remaining_percentage": 20},
    )  # fmt: skip
    assert await house.post("airalo", body, **headers) == 200
    assert await house.kept() == 1
    assert await house.post("airalo", body + b" ", **headers) == 400
    assert await house.post("airalo", body) == 400
    assert await house.post("reloadly", {"type": "x", "data": {}}) == 400
    assert await house.kept() == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'"text"'])
async def test_what_is_no_notification_is_refused(house: House, body: bytes) -> None:
    assert await house.post("esim_access", body) == 400
    assert await house.kept() == 0


async def test_a_body_that_is_too_long_is_not_read_to_its_end(house: House) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield b" " * 1024

    answer = await house.http.post(f"/hooks/esim_access/{SECRET}", content=endless())
    assert answer.status_code == 413
    assert taken < MOST_BYTES // 1024 + 10 or taken == 1000  # the transport may read ahead


async def test_what_cannot_be_kept_is_asked_for_again(house: House) -> None:
    await house.store.close()

    async def broken(*_: object) -> str:
        raise OSError("disk")

    app = create([hooks_route(SECRET, house.hints.knows, broken)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        answer = await http.post(f"/hooks/esim_access/{SECRET}", json=USED_UP)
    assert answer.status_code == 503
