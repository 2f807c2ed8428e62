"""The DingConnect stand-in is as strict as the supplier, and its world is as the demo needs it."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.dingconnect import dingconnect_routes
from bot.demo.dingconnect_faults import FAULTS
from bot.demo.dingconnect_state import DingConnectState, demo_state
from bot.demo.faults import FaultBoard

SEND: dict[str, Any] = {
    "SkuCode": "PH_SM_TopUp",
    "SendValue": 2.0,
    "SendCurrencyIso": "USD",
    "AccountNumber": "639189876543",
    "DistributorRef": "r",
    "ValidateOnly": False,
}


class Supplier:
    def __init__(self) -> None:
        self.clock, self.faults = WorldClock(), FaultBoard()
        self.state, self.calls = demo_state(), CallLog(self.clock)
        routes = dingconnect_routes(self.state, self.clock, self.faults, self.calls)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        self.http = httpx.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1/api/V1",
            headers={"api_key": self.state.api_key},
        )

    async def get(self, method: str, **query: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"/{method}", params=query)).json()
        return found

    async def post(self, method: str, body: object) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.post(f"/{method}", json=body)).json()
        return found


@pytest.mark.parametrize("headers", [{"api_key": "x"}, {"X-Api-Key": "demo-dingconnect-key"}])
async def test_only_the_key_opens(headers: dict[str, str]) -> None:
    supplier = Supplier()
    del supplier.http.headers["api_key"]
    answer = await supplier.http.get("/GetBalance", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["ErrorCodes"][0]["Code"] == "AuthenticationFailed"
    assert supplier.state.api_key not in str(supplier.calls.after())


@pytest.mark.parametrize(
    ("wrong", "status", "code", "context"),
    [
        ({"ValidateOnly": None}, 400, "ParameterInvalid", "ValidateOnly"),
        ({"DistributorRef": ""}, 400, "ParameterMissing", "DistributorRef"),
        (
            {"AccountNumber": "+639189876543"},
            400,
            "AccountNumberInvalid",
            "AccountNumberFailedRegex",
        ),
        ({"SkuCode": "nothing"}, 500, "ProviderError", "ProductUnavailable"),
        ({"SendValue": 0.99}, 400, "ParameterOutOfRange", "SendValue"),
        ({"SendValue": 20.01}, 400, "ParameterOutOfRange", "SendValue"),
        ({"SendValue": 2.005}, 400, "ParameterOutOfRange", "SendValue"),
        ({"SendValue": "2.00"}, 400, "ParameterOutOfRange", "SendValue"),
        ({"SendCurrencyIso": "EUR"}, 400, "ParameterInvalid", "SendCurrencyIso"),
    ],
)
async def test_wrong_transfers_are_refused(
    wrong: dict[str, object], status: int, code: str, context: str
) -> None:
    supplier = Supplier()
    answer = await supplier.http.post("/SendTransfer", json=SEND | wrong)
    assert answer.status_code == status
    assert answer.json()["ErrorCodes"] == [{"Code": code, "Context": context}]
    assert supplier.state.transfers == []


async def test_a_transfer_lowers_the_balance_and_a_repeat_lowers_it_again() -> None:
    supplier = Supplier()
    for left in (498.0, 496.0):
        sent = await supplier.post("SendTransfer", SEND)
        assert (sent["ResultCode"], sent["TransferRecord"]["ProcessingState"]) == (1, "Complete")
        assert (await supplier.get("GetBalance"))["Balance"] == left
    listed = await supplier.post("ListTransferRecords", {"DistributorRef": "r", "Take": 1})
    assert (len(listed["Items"]), listed["ThereAreMoreItems"]) == (1, True)
    supplier.clock.advance(62 * 86400)
    listed = await supplier.post("ListTransferRecords", {"DistributorRef": "r", "Take": 1})
    assert listed["Items"] == []


async def test_trying_out_costs_nothing() -> None:
    supplier = Supplier()
    checked = await supplier.post("SendTransfer", SEND | {"ValidateOnly": True})
    assert (checked["ResultCode"], checked["TransferRecord"]["TransferId"]) == (1, None)
    assert supplier.state.transfers == []
    supplier.state.balance = Decimal(0)
    tried = await supplier.post("SendTransfer", SEND | {"AccountNumber": "630000000000"})
    assert (tried["ResultCode"], supplier.state.balance) == (1, Decimal(0))


async def test_an_unknown_number_has_no_operator_and_every_product() -> None:
    supplier = Supplier()
    lookup = await supplier.get("GetAccountLookup", accountNumber="639001234567")
    assert (lookup["ResultCode"], lookup["CountryIso"], lookup["Items"]) == (2, "PH", [])
    products = await supplier.get("GetProducts", accountNumber="639001234567")
    assert len(products["Items"]) == len(supplier.state.products)
    known = await supplier.get("GetProducts", accountNumber="639189876543")
    assert {one["ProviderCode"] for one in known["Items"]} == {"SMPH"}
    abroad = await supplier.get("GetAccountLookup", accountNumber="818012345678")
    assert abroad["ResultCode"] == 4


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"SendValue": 1, "ReceiveValue": 50}, "ParameterCombinationInvalid"),
        ({}, "ParameterCombinationInvalid"),
        ({"ReceiveValue": 5000}, "ParameterOutOfRange"),
        ({"ReceiveValue": 50, "SkuCode": "nothing"}, "ParameterInvalid"),
    ],
)
async def test_an_item_fails_within_a_batch_that_does_not(
    asked: dict[str, object], code: str
) -> None:
    item = {"SkuCode": "PH_SM_TopUp", "BatchItemRef": "1", **asked}
    answer = await Supplier().post("EstimatePrices", [item])
    assert answer["ResultCode"] == 1
    assert answer["Items"][0]["ErrorCodes"][0]["Code"] == code


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("EstimatePrices", [{"SkuCode": "PH_SM_TopUp"}], "RequestInvalid"),
        ("EstimatePrices", {}, "RequestInvalid"),
        ("ListTransferRecords", {"DistributorRef": "r"}, "ParameterOutOfRange"),
        ("ListTransferRecords", {"Take": 101}, "ParameterOutOfRange"),
        ("ListTransferRecords", [], "RequestInvalid"),
    ],
)
async def test_wrong_questions_are_refused(method: str, body: object, code: str) -> None:
    answer = await Supplier().post(method, body)
    assert (answer["ResultCode"], answer["ErrorCodes"][0]["Code"]) == (4, code)


def test_the_world_is_what_the_demo_shows() -> None:
    state = demo_state()
    codes = [product.sku for product in state.products]
    assert len(set(codes)) == len(codes)
    assert {product.provider for product in state.products} == {p.code for p in state.providers}
    for product in state.products:
        for receive, send in (product.least, product.most):
            assert (product.sends(receive), product.receives(send)) == (send, receive)


async def test_the_world_survives_a_restart() -> None:
    supplier = Supplier()
    await supplier.post("SendTransfer", SEND)
    state = supplier.state
    assert DingConnectState.model_validate_json(state.model_dump_json()) == state


def test_faults_are_told_in_both_languages() -> None:
    listed = Supplier().faults.list()
    assert len(listed) == len(FAULTS) == len({fault["name"] for fault in listed})
    assert all(fault["name"].startswith("dingconnect.") for fault in listed)
    assert all(fault["title_en"] != fault["title_zh"] for fault in listed)
