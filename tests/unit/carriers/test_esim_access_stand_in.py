"""The stand-in is as strict as the supplier's documents, and its world is as the demo needs it."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from stdnum import luhn

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.esim_access import FAULTS, esim_access_routes
from bot.demo.esim_access_state import GB, EsimAccessState, demo_profiles, demo_state
from bot.demo.faults import FaultBoard

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Supplier:
    def __init__(self) -> None:
        self.clock, self.faults = WorldClock(), FaultBoard()
        self.state, self.calls = demo_state(self.clock.now()), CallLog(self.clock)
        routes = esim_access_routes(self.state, self.clock, self.faults, self.calls)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        stamp, code = str(int(time.time() * 1000)), self.state.access_code
        signed = f"{stamp}id{code}{text}".encode()
        proof = hmac.new(self.state.secret_key.encode(), signed, hashlib.sha256).hexdigest()
        given = {
            "RT-AccessCode": code,
            "RT-RequestID": "id",
            "RT-Timestamp": stamp,
            "RT-Signature": proof,
        }
        return await self._http.post(
            f"/api/v1/open{path}", content=text, headers={**given, **(headers or {})}
        )

    async def obj(self, path: str, body: object) -> Any:
        answer = (await self.post(path, body)).json()
        assert answer["success"] is True
        assert answer["errorCode"] == "0"
        return answer["obj"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"RT-Signature": ""}, "000101"),
        ({"RT-Signature": "0" * 64}, "101003"),
        ({"RT-AccessCode": "somebody"}, "101003"),
        ({"RT-Timestamp": "1628670421000"}, "101001"),
        ({"RT-Timestamp": "soon"}, "101001"),
    ],
)
async def test_unsigned_calls_are_refused(headers: dict[str, str], code: str) -> None:
    answer = await Supplier().post("/balance/query", {}, headers)
    assert answer.status_code == 200
    assert (answer.json()["success"], answer.json()["errorCode"]) == (False, code)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/balance/query", "{", "000102"),
        ("/balance/query", "[]", "000102"),
        ("/esim/query", {"iccid": "89"}, "000106"),
        ("/esim/usage/query", {"esimTranNoList": ["1"] * 11}, "000104"),
        ("/package/list", {"type": "BASE"}, "000104"),
        ("/esim/topup", {"esimTranNo": "25112000000001"}, "000106"),
        ("/esim/topup", {"transactionId": "r", "esimTranNo": "9"}, "310403"),
    ],
)
async def test_wrong_bodies_are_refused(path: str, body: object, code: str) -> None:
    assert (await Supplier().post(path, body)).json()["errorCode"] == code


async def test_the_ninth_call_within_a_second_is_one_too_many() -> None:
    supplier = Supplier()
    statuses = [(await supplier.post("/balance/query", {})).status_code for _ in range(9)]
    assert statuses == [200] * 8 + [429]


async def test_an_unknown_path_is_no_call() -> None:
    assert (await Supplier().post("/esim/sell", {})).status_code == 404


async def test_calls_are_logged_without_secrets() -> None:
    supplier = Supplier()
    await supplier.post("/balance/query", {})
    (call,) = supplier.calls.after()
    assert (call.to, call.method, call.status) == ("esim_access", "/balance/query", 200)
    assert call.answer["obj"] == {"balance": supplier.state.balance}
    assert supplier.state.secret_key not in str(call)


async def test_times_are_told_in_utc_as_the_supplier_writes_them() -> None:
    supplier = Supplier()
    profile = supplier.state.profiles[0]
    profile.expires_at = datetime(2030, 12, 1, tzinfo=UTC)
    told = await supplier.obj("/esim/query", {"iccid": profile.iccid, "pager": {"pageNum": 1}})
    assert told["esimList"][0]["expiredTime"] == "2030-12-01T00:00:00+0000"


def test_the_first_use_activates() -> None:
    state = demo_state(NOW)
    waiting = state.profiles[2]
    state.use(waiting.esim_tran_no, GB, NOW)
    assert waiting.status_at(NOW) == "IN_USE"
    assert waiting.expires_at == NOW + timedelta(days=30)
    state.use(waiting.esim_tran_no, 9 * GB, NOW)
    assert (waiting.used, waiting.status_at(NOW)) == (5 * GB, "USED_UP")
    with pytest.raises(KeyError):
        state.use("404", 1, NOW)


def test_the_world_is_what_the_demo_shows() -> None:
    profiles = demo_profiles(NOW)
    states = [profile.status_at(NOW) for profile in profiles]
    assert states == ["IN_USE", "IN_USE", "GOT_RESOURCE", "USED_UP"]
    assert profiles[0].expires_at == NOW + timedelta(days=3)
    assert 0.07 < 1 - profiles[1].used / profiles[1].volume() < 0.09
    for profile in profiles:
        assert luhn.is_valid(profile.iccid)
    codes = [package.code for package in demo_state(NOW).packages]
    assert len(set(codes)) == len(codes) == 22


def test_the_world_survives_a_restart() -> None:
    state = demo_state(NOW)
    state.top_up(state.profiles[0], state.packages[0], "r", NOW, timedelta(0))
    assert EsimAccessState.model_validate_json(state.model_dump_json()) == state


def test_faults_are_told_in_both_languages() -> None:
    board = FaultBoard()
    clock = WorldClock()
    esim_access_routes(demo_state(NOW), clock, board, CallLog(clock))
    listed = board.list()
    assert len(listed) == len(FAULTS) == len({fault["name"] for fault in listed})
    assert all(fault["title_en"] != fault["title_zh"] for fault in listed)
