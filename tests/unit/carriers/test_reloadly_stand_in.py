"""The Reloadly stand-in is as strict as the supplier's documents, and its world is as the demo
needs it."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.demo import tryout
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.reloadly import ACCEPT, reloadly_routes
from bot.demo.reloadly_faults import FAULTS
from bot.demo.reloadly_state import ReloadlyState, demo_state

HOST = "http://127.0.0.1"


class Supplier:
    def __init__(self, state: ReloadlyState | None = None) -> None:
        self.clock, self.faults = WorldClock(), FaultBoard()
        self.state, self.calls = state or demo_state(), CallLog(self.clock)
        routes = reloadly_routes(self.state, self.clock, self.faults, self.calls)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        self.http = httpx.AsyncClient(transport=transport, base_url=HOST)

    async def token(self, **changes: str) -> httpx.Response:
        keys = {
            "client_id": self.state.client_id,
            "client_secret": self.state.client_secret,
            "grant_type": "client_credentials",
            "audience": HOST,
        }
        return await self.http.post("/oauth/token", json={**keys, **changes})

    async def ask(self, path: str, **headers: str) -> httpx.Response:
        token = (await self.token()).json()["access_token"]
        usual = {"authorization": f"Bearer {token}", "accept": ACCEPT}
        return await self.http.get(path, headers={**usual, **headers})

    async def buy(self, **changes: Any) -> httpx.Response:
        token = (await self.token()).json()["access_token"]
        body = {
            "operatorId": "548",
            "amount": "20.00",
            "useLocalAmount": False,
            "customIdentifier": "ref-1",
            "recipientPhone": {"countryCode": "US", "number": "13055550142"},
        }
        headers = {"authorization": f"Bearer {token}", "accept": ACCEPT}
        return await self.http.post("/topups", json={**body, **changes}, headers=headers)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_secret": "wrong"}, "INVALID_CREDENTIALS"),
        ({"client_id": "wrong"}, "INVALID_CREDENTIALS"),
        ({"audience": "https://topups.reloadly.com"}, "INVALID_AUDIENCE"),
        ({"grant_type": "password"}, "INVALID_AUDIENCE"),
    ],
)
async def test_tokens_are_given_to_who_asks_rightly(changes: dict[str, str], code: str) -> None:
    refused = await Supplier().token(**changes)
    assert (refused.status_code, refused.json()["errorCode"]) == (401, code)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer x"}, 401),
        ({"accept": "application/json"}, 406),
    ],
)
async def test_headers_are_needed(headers: dict[str, str], status: int) -> None:
    refused = await Supplier().ask("/accounts/balance", **headers)
    assert refused.status_code == status


async def test_a_token_ends() -> None:
    supplier = Supplier()
    token = (await supplier.token()).json()["access_token"]
    headers = {"authorization": f"Bearer {token}", "accept": ACCEPT}
    assert (await supplier.http.get("/operators", headers=headers)).status_code == 200
    supplier.clock.advance(supplier.state.token_seconds)
    refused = await supplier.http.get("/operators", headers=headers)
    assert refused.json()["errorCode"] == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"operatorId": "1"}, 404, "OPERATOR_NOT_FOUND"),
        ({"amount": "9.99"}, 400, "INVALID_AMOUNT_FOR_OPERATOR"),
        ({"amount": "much"}, 400, "INVALID_AMOUNT_FOR_OPERATOR"),
        ({"useLocalAmount": True}, 400, "INVALID_AMOUNT_FOR_OPERATOR"),
        ({"operatorId": "1207", "amount": "31"}, 400, "INVALID_AMOUNT_FOR_OPERATOR"),
        ({"recipientPhone": None}, 400, "INVALID_RECIPIENT_PHONE"),
        (
            {"recipientPhone": {"countryCode": "PH", "number": "639189876543"}},
            400,
            "INVALID_RECIPIENT_PHONE",
        ),
        (
            {"recipientPhone": {"countryCode": "US", "number": "3055550142"}},
            400,
            "INVALID_RECIPIENT_PHONE",
        ),
    ],
)
async def test_wrong_orders_are_refused(changes: dict[str, Any], status: int, code: str) -> None:
    supplier = Supplier()
    refused = await supplier.buy(**changes)
    assert (refused.status_code, refused.json()["errorCode"]) == (status, code)
    assert supplier.state.topups == []


async def test_a_reference_and_a_number_are_taken_once() -> None:
    supplier = Supplier()
    bought = (await supplier.buy()).json()
    assert (bought["status"], bought["deliveredAmount"]) == ("SUCCESSFUL", 20)
    assert (await supplier.buy()).json()["errorCode"] == "CUSTOM_IDENTIFIER_ALREADY_USED"
    other = await supplier.buy(customIdentifier="ref-2")
    assert other.json()["errorCode"] == "PHONE_RECENTLY_RECHARGED"
    supplier.clock.advance(supplier.state.pause_seconds)
    assert (await supplier.buy(customIdentifier="ref-2")).status_code == 200


async def test_the_wallet_pays_and_is_paid_back() -> None:
    supplier = Supplier()
    before = supplier.state.balance
    supplier.faults.register("reloadly.refunded_later", "", "", "")
    supplier.faults.set("reloadly.refunded_later", times=1)
    await supplier.buy()
    assert before - supplier.state.balance == supplier.state.topups[0].cost
    supplier.clock.advance(supplier.state.refund_after_seconds)
    assert (await supplier.ask("/accounts/balance")).json()["balance"] == before
    assert (await supplier.ask("/accounts/balance")).json()["balance"] == before


async def test_the_catalogue_comes_in_pages_and_by_country() -> None:
    supplier = Supplier()
    first = (await supplier.ask("/operators?size=4")).json()
    second = (await supplier.ask("/operators?size=4&page=2")).json()
    assert (len(first["content"]), first["last"]) == (4, False)
    assert (len(second["content"]), second["last"]) == (3, True)
    china = (await supplier.ask("/operators/countries/CN")).json()
    assert {one["operatorId"] for one in china} == {85, 86, 87}
    missing = (await supplier.ask("/operators/countries/JP")).json()
    assert missing["errorCode"] == "COUNTRY_NOT_SUPPORTED"
    astray = await supplier.ask("/nowhere")
    assert (astray.status_code, "errorCode" in astray.json()) == (404, False)


async def test_its_memory_lives_on() -> None:
    supplier = Supplier()
    await supplier.buy()
    again = ReloadlyState.model_validate_json(supplier.state.model_dump_json())
    assert again == supplier.state
    later = Supplier(again)
    assert (await later.buy()).json()["errorCode"] == "CUSTOM_IDENTIFIER_ALREADY_USED"


async def test_no_secret_stands_in_the_calls() -> None:
    supplier = Supplier()
    await supplier.buy()
    shown = json.dumps([call.as_dict() for call in supplier.calls.after()], default=str)
    assert supplier.state.client_secret not in shown
    assert all(token not in shown for token in supplier.state.tokens)


def test_the_numbers_to_try_are_known() -> None:
    state = demo_state()
    wanted = {
        tryout.SMART_NUMBER: "Smart Philippines",
        tryout.TMOBILE_NUMBER: "T-Mobile USA RTR",
        tryout.ATT_NUMBER: "AT&T USA",
    }
    for number, name in wanted.items():
        operator = state.operator_of(number.removeprefix("+"))
        assert operator is not None
        assert operator.name == name


def test_every_fault_has_its_titles() -> None:
    assert len({name for name, *_ in FAULTS}) == len(FAULTS)
    assert all(en.startswith("Reloadly") and zh.startswith("Reloadly") for _, en, zh, _ in FAULTS)


def test_a_status_follows_the_clock() -> None:
    state, clock = demo_state(), WorldClock()
    one = state.top_up(state.operators[0], "13055550142", Decimal(20), False, "r", clock.now())
    one.final_at += timedelta(minutes=5)
    assert one.status_at(clock.now()) == "PROCESSING"
    assert one.status_at(clock.now() + timedelta(minutes=5)) == "SUCCESSFUL"
