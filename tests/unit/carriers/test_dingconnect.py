"""The DingConnect adapter's border: what is sent, and every form an answer was seen in."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.carriers import dingconnect_api
from bot.carriers.dingconnect import DingConnect, DingConnectSettings
from bot.carriers.dingconnect_api import Api
from bot.carriers.dingconnect_wire import Balance, Error, Price, Product, Provider, Transfers
from bot.carriers.registry import ADAPTERS
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import SupplierUnavailable, TopUpAnswer, TopUpRequest, TopUpStatus

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
SIM = Sim("s", 1, 1, Tracking.SELF, SimForm.CARD, "Smart", "dingconnect", msisdn="+639189876543")
SUCCEEDED, PROCESSING, REJECTED, UNKNOWN = (
    TopUpStatus.SUCCEEDED,
    TopUpStatus.PROCESSING,
    TopUpStatus.REJECTED,
    TopUpStatus.UNKNOWN,
)


class Noon:
    def now(self) -> datetime:
        return NOON


def price(receive: str = "100", send: str = "1.98", **more: object) -> dict[str, Any]:
    money = {"ReceiveCurrencyIso": "PHP", "SendCurrencyIso": "USD"}
    return {"ReceiveValue": receive, "SendValue": send, **money, **more}


PRODUCT: dict[str, Any] = {
    "ProviderCode": "SMPH",
    "SkuCode": "S",
    "Minimum": price(),
    "Maximum": price(),
}
REFS = {"TransferRef": "T1", "DistributorRef": "r"}
DONE: dict[str, Any] = {"TransferId": REFS, "ProcessingState": "Complete"}


def told(status: int = 200, result: object = 1, **more: object) -> httpx.Response:
    return httpx.Response(status, json={"ResultCode": result, "ErrorCodes": [], **more})


def failed(
    code: str, context: str | None = None, result: object = 5, status: int = 200, **more: object
) -> httpx.Response:
    return told(status, result, ErrorCodes=[{"Code": code, "Context": context}], **more)


def answering(*answers: httpx.Response) -> tuple[DingConnect, list[httpx.Request]]:
    """The adapter before a supplier that gives these answers in turn."""
    asked: list[httpx.Request] = []
    queue = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return queue.pop(0)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return DingConnect("sesame", "http://127.0.0.1:9/", http, Noon()), asked


async def sent(answer: httpx.Response) -> tuple[TopUpAnswer, list[httpx.Request]]:
    """What a submit makes of this answer to its one transfer."""
    carrier, asked = answering(told(Items=[PRODUCT]), answer)
    got = await carrier.submit(TopUpRequest("r", SIM, "S", None, None, quoted="1.98 0 USD"))
    return got, asked


async def test_what_is_sent() -> None:
    answer, asked = await sent(told(TransferRecord=DONE))
    assert answer.status is SUCCEEDED
    assert str(asked[1].url) == "http://127.0.0.1:9/api/V1/SendTransfer"
    assert json.loads(asked[1].content) == {
        "SkuCode": "S",
        "SendValue": 1.98,
        "SendCurrencyIso": "USD",
        "AccountNumber": "639189876543",
        "DistributorRef": "r",
        "ValidateOnly": False,
    }
    assert b'"SendValue":1.98,' in asked[1].content
    assert {request.headers["api_key"] for request in asked} == {"sesame"}
    assert len({request.headers["X-Correlation-Id"] for request in asked}) == 2


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (told(TransferRecord=DONE), SUCCEEDED, None),
        (told(result=0, TransferRecord=DONE), SUCCEEDED, None),
        (told(result="1", TransferRecord=DONE | {"ProcessingState": "Completed"}), SUCCEEDED, None),
        (told(TransferRecord=DONE | {"TransferId": None}), SUCCEEDED, None),
        (told(TransferRecord=DONE | {"Price": {"SendValue": "much"}}), SUCCEEDED, None),
        (told(TransferRecord=DONE | {"ReceiptParams": ["odd"]}), SUCCEEDED, None),
        (told(TransferRecord=DONE | {"ProcessingState": "Submitted"}), PROCESSING, None),
        (told(TransferRecord=DONE | {"ProcessingState": "Processing"}), PROCESSING, None),
        (told(TransferRecord=DONE | {"ProcessingState": "Cancelling"}), PROCESSING, None),
        (told(TransferRecord=DONE | {"ProcessingState": "Failed"}), REJECTED, "refused"),
        (told(TransferRecord=DONE | {"ProcessingState": "Cancelled"}), REJECTED, "refused"),
        (told(TransferRecord=DONE | {"ProcessingState": "Parked"}), UNKNOWN, "new_state"),
        (told(TransferRecord=None), UNKNOWN, "result_1"),
        (told(500, TransferRecord=DONE), UNKNOWN, "http_500"),
        (failed("InsufficientBalance", status=500), REJECTED, "no_money"),
        (failed("AccountNumberInvalid", result=4, status=400), REJECTED, "number_refused"),
        (failed("RechargeNotAllowed"), REJECTED, "not_allowed"),
        (failed("AuthenticationFailed", result=4, status=401), REJECTED, "credentials"),
        (failed("ParameterOutOfRange", "SendValue", 4, 400), REJECTED, "price_moved"),
        (failed("ParameterInvalid", "SkuCode", 4), REJECTED, "bad_request"),
        (failed("RateLimited", result=3), REJECTED, "busy"),
        (failed("ProviderTimedOut", result=3, status=503), REJECTED, "operator_timeout"),
        (
            failed("TransientProviderError", "ProviderTimedOut", 3, 503),
            REJECTED,
            "operator_timeout",
        ),
        (failed("TransientProviderError", None, 3, 503), UNKNOWN, "code_TransientProviderError"),
        (failed("ProviderError", "ProviderUnknownError"), UNKNOWN, "code_ProviderUnknownError"),
        (failed("ProviderError", "ProductUnavailable"), REJECTED, "not_sold_now"),
        (failed("NobodyKnows", result=4, status=400), UNKNOWN, "code_NobodyKnows"),
        (
            failed("NobodyKnows", TransferRecord=DONE | {"ProcessingState": "Failed"}),
            REJECTED,
            "code_NobodyKnows",
        ),
        (failed("InsufficientBalance", result=1), UNKNOWN, "no_money"),
        (failed("InsufficientBalance", TransferRecord=DONE), UNKNOWN, "contradictory"),
        (
            failed(
                "DuplicateTransactionPrevented",
                TransferRecord=DONE | {"ProcessingState": "Failed"},
            ),
            UNKNOWN,
            "code_DuplicateTransactionPrevented",
        ),
        (
            failed(
                "ProviderError",
                "ProviderUnknownError",
                TransferRecord={"TransferId": {"DistributorRef": "other"},
                                "ProcessingState": "Failed"},
            ),
            UNKNOWN,
            "code_ProviderUnknownError",
        ),
        (told(status=503, result=3), UNKNOWN, "result_3"),
        (httpx.Response(200, json={}), UNKNOWN, "result_None"),
        (httpx.Response(200, text="OK"), UNKNOWN, "unreadable"),
        (httpx.Response(503, text="<html>"), UNKNOWN, "http_503"),
        (httpx.Response(429, text="slow down"), UNKNOWN, "busy"),
    ],
)  # fmt: skip
async def test_only_a_known_refusal_is_a_refusal(
    answer: httpx.Response, status: TopUpStatus, reason: str | None
) -> None:
    got, asked = await sent(answer)
    assert (got.status, got.reason) == (status, reason)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (httpx.ConnectError, TopUpStatus.NOT_SENT, "not_sent"),
        (httpx.ConnectTimeout, TopUpStatus.NOT_SENT, "not_sent"),
        (httpx.PoolTimeout, TopUpStatus.NOT_SENT, "not_sent"),
        (httpx.ReadTimeout, UNKNOWN, "timeout"),
        (httpx.WriteTimeout, UNKNOWN, "timeout"),
        (httpx.ReadError, UNKNOWN, "connection_lost"),
        (httpx.RemoteProtocolError, UNKNOWN, "connection_lost"),
    ],
)
async def test_a_broken_connection_is_never_a_refusal(
    error: type[httpx.RequestError], status: TopUpStatus, reason: str
) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("SendTransfer"):
            raise error("broken", request=request)
        return told(Items=[PRODUCT])

    http = httpx.AsyncClient(transport=httpx.MockTransport(broken))
    carrier = DingConnect("k", "http://127.0.0.1:9", http, Noon())
    answer = await carrier.submit(TopUpRequest("r", SIM, "S", None, None, quoted="1.98 0 USD"))
    assert (answer.status, answer.reason) == (status, reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, text="<html>"), "unreadable"),
        (httpx.Response(200, json=[]), "unreadable"),
        (httpx.Response(200, json={}), "result_None"),
        (told(Balance="much"), "unreadable"),
        (told(), "unreadable"),
        (told(500, Balance=1, CurrencyIso="USD"), "http_500"),
        (httpx.Response(502, text="bad gateway"), "http_502"),
        (httpx.Response(302, headers={"Location": "/elsewhere"}), "http_302"),
        (httpx.Response(429, headers={"Retry-After": "3600"}), "busy"),
        (failed("AuthenticationFailed", result=4, status=401), "credentials"),
        (failed("OtherError", status=500), "code_OtherError"),
        (told(result=5, ErrorCodes=None), "result_5"),
    ],
)
async def test_a_read_without_an_answer_says_why_at_once(
    answer: httpx.Response, reason: str
) -> None:
    carrier, asked = answering(answer)
    with pytest.raises(SupplierUnavailable, match=reason):
        await carrier.wallet()
    assert len(asked) == 1


async def test_the_nearest_match_names_a_country_and_no_operator() -> None:
    lookup = told(result=2, CountryIso="US", Items=[{"ProviderCode": "TMUS"}])
    carrier, asked = answering(lookup)
    found = await carrier.resolve(iccid=None, msisdn="+13055550142")
    assert found is not None
    assert (found.carrier, found.country, found.supplier_ref) == (None, "US", "13055550142")
    assert asked[0].url.params["accountNumber"] == "13055550142"


@pytest.mark.parametrize(
    ("more", "sold"),
    [
        ({}, True),
        ({"RedemptionMechanism": "ReadReceipt"}, True),
        ({"RedemptionMechanism": "ReadAdditionalInformation"}, False),
        ({"LookupBillsRequired": "true"}, False),
        ({"SettingDefinitions": [{"Name": "MeterId", "IsMandatory": True}]}, False),
        ({"SettingDefinitions": [{"Name": "Note", "IsMandatory": False}]}, True),
    ],
)
def test_what_asks_more_than_a_number_is_not_sold(more: dict[str, object], sold: bool) -> None:
    assert Product.model_validate(PRODUCT | more).sellable is sold


@pytest.mark.parametrize(
    ("written", "days"),
    [("P30D", 30), ("P2W", 14), ("P1M", 30), ("P1Y", 365), (None, 0), ("", 0), ("PT12H", 0)],
)
def test_validity_in_days(written: str | None, days: int) -> None:
    assert Product.model_validate(PRODUCT | {"ValidityPeriodIso": written}).days == days


async def test_one_strange_product_takes_no_other_off_sale() -> None:
    voucher = PRODUCT | {"SkuCode": "V", "Minimum": price() | {"ReceiveCurrencyIso": None}}
    elsewhere = PRODUCT | {"SkuCode": "R", "RegionCode": "PH2"}
    others = PRODUCT | {"SkuCode": "G", "ProviderCode": "GLPH"}
    carrier, _ = answering(
        told(Items=[{"ProviderCode": "SMPH", "RegionCode": "PH"}]),
        told(Items=[PRODUCT, voucher, elsewhere, others]),
    )
    assert [plan.code for plan in await carrier.plans(SIM)] == ["S"]


def test_an_exact_price_is_never_shown_smaller() -> None:
    exact = price("44.999", "0.9801", DistributorFee="0.001", ReceiveValueExcludingTax="40.185")
    parsed = Price.model_validate(exact)
    assert parsed.cost == Money.of("1.00", "USD")
    assert parsed.delivered == Money.of("40.18", "PHP")
    untaxed = Price.model_validate(price("44.999", ReceiveValueExcludingTax=0))
    assert untaxed.delivered == Money.of("44.99", "PHP")


def test_amounts_are_read_exactly() -> None:
    balance = Balance.model_validate_json('{"Balance": 1234567.89, "CurrencyIso": "USD"}')
    assert balance.balance == Decimal("1234567.89")


def test_a_pattern_only_the_supplier_understands_refuses_nobody() -> None:
    def takes(pattern: str | None) -> bool:
        given = {"ProviderCode": "SMPH", "ValidationRegex": pattern}
        return Provider.model_validate(given).takes("639189876543")

    assert takes(r"^639\d{9}$")
    assert takes(r"^(?<x>63)\k<x>$")
    assert takes(None)
    assert not takes(r"^86\d+$")


@pytest.mark.parametrize(
    "item",
    [
        {"TransferRecord": DONE | {"ReceiptParams": {"pin": 1234}}, "ResultCode": 1},
        DONE | {"ReceiptParams": {"Pin": "1234", "newKey": {"a": 1}}},
    ],
)
def test_listed_transfers_wrapped_and_bare(item: dict[str, object]) -> None:
    listed = Transfers.model_validate({"ResultCode": 1, "Items": [item]})
    assert (listed.items[0].ref("TransferRef"), listed.items[0].param("pin")) == ("T1", "1234")


async def test_an_item_without_a_record_proves_nothing() -> None:
    carrier, _ = answering(told(Items=[{"TransferRecord": None, "ResultCode": 1}]))
    found = await carrier.find(TopUpRequest("r", SIM, "S", None, None))
    assert (found.status, found.reason) == (UNKNOWN, "no_references")


async def test_an_empty_answer_is_no_empty_list() -> None:
    carrier, _ = answering(httpx.Response(200, json={}))
    with pytest.raises(SupplierUnavailable):
        await carrier.find(TopUpRequest("r", SIM, "S", None, None))


def test_an_unnamed_error() -> None:
    assert (Error().refusal, Error().reason) == (None, "code_unnamed")


async def test_questions_at_once_are_limited() -> None:
    most = running = 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return told()

    http = httpx.AsyncClient(transport=httpx.MockTransport(slow))
    api = Api("k", "http://127.0.0.1:9", http)
    await asyncio.gather(*(api.get(Balance, "GetBalance") for _ in range(20)))
    assert most == dingconnect_api.CONCURRENCY


async def test_our_own_client_waits_longer_than_the_supplier_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: dict[str, float] = {}

    async def answer(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        waits[request.url.path.rpartition("/")[2]] = request.extensions["timeout"]["read"]
        return told(Items=[PRODUCT], TransferRecord=DONE)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    settings = DingConnectSettings.model_validate(
        {"api_key": "k", "base_url": "http://127.0.0.1:9"}
    )
    carrier = DingConnect.from_settings(settings, Noon())
    await carrier.submit(TopUpRequest("r", SIM, "S", None, None, quoted="1.98 0 USD"))
    await carrier.close()
    assert waits["SendTransfer"] > 90
    assert waits["GetProducts"] < 30
    assert carrier.capabilities.slowest >= waits["SendTransfer"]


def test_settings_hide_their_secret_and_want_an_address() -> None:
    settings = DingConnectSettings.model_validate({"api_key": "sesame"})
    assert settings.base_url == "https://api.dingconnect.com"
    assert "sesame" not in repr(settings)
    assert ADAPTERS["dingconnect"].settings is DingConnectSettings
    with pytest.raises(ValidationError, match="base_url"):
        DingConnectSettings.model_validate({"api_key": "a", "base_url": "api.dingconnect.com"})
