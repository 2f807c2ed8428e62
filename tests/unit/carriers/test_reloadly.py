"""The Reloadly adapter's border: what is sent, and every form an answer may have."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.carriers.reloadly import REFUSALS, Reloadly, ReloadlySettings
from bot.carriers.reloadly_api import ACCEPT
from bot.carriers.reloadly_webhook import FRESH_SECONDS, _fresh
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import SupplierUnavailable, TopUpRequest, TopUpStatus

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
SIM = Sim("s", 1, 1, Tracking.SELF, SimForm.CARD, "T-Mobile", "reloadly", msisdn="+1 305-555-0142")
SETTINGS = ReloadlySettings.model_validate(
    {
        "client_id": "id",
        "client_secret": "sesame",
        "base_url": "http://127.0.0.1:9/api/",
        "auth_url": "http://127.0.0.1:9/auth/",
    }
)
TOKEN = httpx.Response(200, json={"access_token": "T", "expires_in": "86400", "scope": "x"})
RANGE: dict[str, Any] = {
    "operatorId": 548,
    "name": "T-Mobile USA RTR",
    "denominationType": "RANGE",
    "senderCurrencyCode": "USD",
    "destinationCurrencyCode": "USD",
    "minAmount": 10,
    "maxAmount": 100,
    "country": {"isoName": "US"},
}
EMPTY = {"content": [], "last": True}


class Noon:
    def now(self) -> datetime:
        return NOON


def answering(*answers: object) -> tuple[Reloadly, list[httpx.Request]]:
    """The adapter before a supplier that gives it a token, then these answers in turn; what is
    no response is JSON."""
    asked: list[httpx.Request] = []
    queue = [TOKEN, *answers]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        given = queue.pop(0)
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Reloadly(SETTINGS, http, Noon()), asked


def request(**changes: Any) -> TopUpRequest:
    usual = {"supplier_code": "548", "amount": Money.of(25, "USD"), "max_cost": None}
    return TopUpRequest(**{"ref": "r", "sim": SIM, **usual, **changes})


def error(status: int, code: str | None, shape: str = "api") -> httpx.Response:
    if shape == "api":
        body = {"timeStamp": 1, "message": "no", "path": "/", "errorCode": code, "details": []}
    else:
        body = {"timeStamp": "2021-01-16 01:59:22", "status": status, "error": "no", "path": "/"}
    return httpx.Response(status, json=body)


# ---- what is sent ------------------------------------------------------------------------


async def test_the_token_is_asked_for_the_host_it_is_used_at() -> None:
    carrier, asked = answering({"balance": 1, "currencyCode": "USD"})
    await carrier.wallet()
    assert str(asked[0].url) == "http://127.0.0.1:9/auth/oauth/token"
    assert json.loads(asked[0].content) == {
        "client_id": "id",
        "client_secret": "sesame",
        "grant_type": "client_credentials",
        "audience": "http://127.0.0.1:9/api",
    }
    assert str(asked[1].url) == "http://127.0.0.1:9/api/accounts/balance"
    assert asked[1].headers["authorization"] == "Bearer T"
    assert asked[1].headers["accept"] == ACCEPT


async def test_what_buys() -> None:
    carrier, asked = answering(RANGE, {"transactionId": 7, "status": "SUCCESSFUL"})
    answer = await carrier.submit(request())
    assert (answer.status, answer.supplier_ref) == (TopUpStatus.SUCCEEDED, "7")
    assert [str(one.url.path) for one in asked[1:]] == ["/api/operators/548", "/api/topups"]
    assert json.loads(asked[2].content) == {
        "operatorId": "548",
        "amount": "25.00",
        "useLocalAmount": False,
        "customIdentifier": "r",
        "recipientPhone": {"countryCode": "US", "number": "13055550142"},
    }


async def test_the_report_is_asked_for_our_reference() -> None:
    carrier, asked = answering(EMPTY)
    assert (await carrier.find(request())).status is TopUpStatus.NOT_FOUND
    assert dict(asked[1].url.params) == {"customIdentifier": "r", "size": "200"}


# ---- what comes back ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, text="<html>"), "unreadable"),
        (httpx.Response(200, text='{"balance": NaN, "currencyCode": "USD"}'), "unreadable"),
        ({"balance": "Infinity", "currencyCode": "USD"}, "unreadable"),
        ({"balance": "much", "currencyCode": "USD"}, "unreadable"),
        ({"balance": 1, "currencyCode": "dollars"}, "unreadable"),
        ([], "unreadable"),
        (httpx.Response(502, text="bad gateway"), "http_502"),
        (error(500, "SOMETHING"), "http_500"),
        (error(404, None, "router"), "http_404"),
        (error(403, None), "http_403"),
        (error(403, "INACTIVE_ACCOUNT"), "code_INACTIVE_ACCOUNT"),
        (httpx.Response(302, headers={"Location": "/elsewhere"}), "http_302"),
        (httpx.Response(429, headers={"Retry-After": "3600"}), "busy"),
    ],
)
async def test_a_read_without_an_answer_says_why_at_once(answer: object, reason: str) -> None:
    carrier, asked = answering(answer)
    with pytest.raises(SupplierUnavailable) as caught:
        await carrier.wallet()
    assert (caught.value.reason, len(asked)) == (reason, 2)


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
async def test_a_far_moment_to_ask_again_is_not_waited_for(unit: int) -> None:
    moment = f"{(time.time() + 99) * unit:.0f}"
    carrier, asked = answering(httpx.Response(429, headers={"X-RateLimit-Reset": moment}))
    with pytest.raises(SupplierUnavailable, match="busy"):
        await carrier.wallet()
    assert len(asked) == 2


@pytest.mark.parametrize("balance", [962.24464, "962.24464", "962.2499"])
async def test_the_wallet_is_rounded_down(balance: object) -> None:
    carrier, _ = answering({"balance": balance, "currencyCode": "USD", "frozenBalance": None})
    assert await carrier.wallet() == Money.of("962.24", "USD")


REJECTED, UNKNOWN, NOT_SENT, PROCESSING = (
    TopUpStatus.REJECTED,
    TopUpStatus.UNKNOWN,
    TopUpStatus.NOT_SENT,
    TopUpStatus.PROCESSING,
)


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        *((error(400, code), REJECTED, reason) for code, reason in REFUSALS.items()),
        (error(500, "INSUFFICIENT_BALANCE"), UNKNOWN, "http_500"),
        (error(400, None), UNKNOWN, "http_400"),
        (error(404, None, "router"), UNKNOWN, "http_404"),
        (
            error(400, "CUSTOM_IDENTIFIER_ALREADY_USED"),
            UNKNOWN,
            "code_CUSTOM_IDENTIFIER_ALREADY_USED",
        ),
        (error(400, "TRANSACTION_FAILED"), UNKNOWN, "code_TRANSACTION_FAILED"),
        (error(400, "PHONE_RECENTLY_RECHARGED"), NOT_SENT, "recharged_lately"),
        (error(401, "TOKEN_EXPIRED"), NOT_SENT, "credentials"),
        (httpx.Response(429), UNKNOWN, "busy"),
        (httpx.Response(302), UNKNOWN, "http_302"),
        (httpx.Response(200, text="OK"), UNKNOWN, "unreadable"),
        ({}, UNKNOWN, "unreadable"),
        ([], UNKNOWN, "unreadable"),
        ({"transactionId": None, "status": "SUCCESSFUL"}, UNKNOWN, "unreadable"),
        ({"transactionId": 7}, PROCESSING, None),
        ({"transactionId": 7, "status": "PROCESSING"}, PROCESSING, None),
        ({"transactionId": 7, "status": "FAILED"}, REJECTED, "refused"),
        ({"transactionId": 7, "status": "REFUNDED"}, REJECTED, "refused"),
        ({"transactionId": 7, "status": "ON_HOLD"}, UNKNOWN, None),
        (httpx.ConnectError("x"), NOT_SENT, "not_sent"),
        (httpx.ConnectTimeout("x"), NOT_SENT, "not_sent"),
        (httpx.PoolTimeout("x"), NOT_SENT, "not_sent"),
        (httpx.ReadTimeout("x"), UNKNOWN, "timeout"),
        (httpx.WriteTimeout("x"), UNKNOWN, "timeout"),
        (httpx.ReadError("x"), UNKNOWN, "connection_lost"),
        (httpx.RemoteProtocolError("x"), UNKNOWN, "connection_lost"),
    ],
)
async def test_only_a_known_refusal_is_a_refusal(
    answer: object, status: TopUpStatus, reason: str | None
) -> None:
    looked_up = [EMPTY] if status is REJECTED else []
    carrier, asked = answering(RANGE, answer, *looked_up)
    got = await carrier.submit(request())
    assert (got.status, got.reason) == (status, reason)
    assert sum(one.url.path == "/api/topups" for one in asked) == 1


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), error(500, None), error(404, None)])
async def test_nothing_is_sent_without_the_price(error: object) -> None:
    carrier, asked = answering(error)
    assert (await carrier.submit(request())).status is NOT_SENT
    assert len(asked) == 2


@pytest.mark.parametrize("token", [{}, {"access_token": None}, [], error(401, "INVALID_AUDIENCE")])
async def test_without_a_token_nothing_is_sent(token: object) -> None:
    http = httpx.AsyncClient(
        transport=httpx.MockTransport(
            lambda _: (
                token if isinstance(token, httpx.Response) else httpx.Response(200, json=token)
            )
        )
    )
    answer = await Reloadly(SETTINGS, http, Noon()).submit(request())
    assert answer.status is NOT_SENT
    assert answer.reason == ("credentials" if isinstance(token, httpx.Response) else "unreadable")


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        (20, "USD", Money.of(20, "USD")),
        ("363.1", "HTG", Money.of("363.10", "HTG")),
        (363.109, "HTG", Money.of("363.10", "HTG")),
        (None, "USD", None),
        ("much", "USD", None),
        ("NaN", "USD", None),
        (20, None, None),
        (20, "dollars", None),
    ],
)
async def test_an_odd_delivered_amount_leaves_a_success_a_success(
    amount: object, currency: object, told: Money | None
) -> None:
    one = {
        "transactionId": "7",
        "status": "SUCCESSFUL",
        "deliveredAmount": amount,
        "deliveredAmountCurrencyCode": currency,
        "operatorTransactionId": 72979,
        "transactionDate": "whenever",
    }
    carrier, _ = answering(RANGE, one)
    answer = await carrier.submit(request())
    assert (answer.status, answer.delivered) == (TopUpStatus.SUCCEEDED, told)
    assert answer.operator_ref == "72979"


@pytest.mark.parametrize(
    ("statuses", "believed"),
    [
        (["FAILED", "SUCCESSFUL"], TopUpStatus.SUCCEEDED),
        (["REFUNDED", "PROCESSING"], TopUpStatus.PROCESSING),
        (["FAILED", "REFUNDED"], TopUpStatus.REVERSED),
        (["FAILED", "NEW"], TopUpStatus.UNKNOWN),
    ],
)
async def test_of_several_rows_the_one_that_costs_counts(
    statuses: list[str], believed: TopUpStatus
) -> None:
    rows = [
        {"transactionId": n, "status": status, "customIdentifier": "r"}
        for n, status in enumerate(statuses)
    ]
    stranger = {"transactionId": 99, "status": "SUCCESSFUL", "customIdentifier": "r2"}
    carrier, _ = answering({"content": [*rows, stranger], "last": "true"})
    assert (await carrier.find(request())).status is believed


async def test_numbers_are_read_without_losing_a_digit() -> None:
    text = json.dumps(RANGE).replace('"minAmount": 10', '"minAmount": 10.10000000000000000001')
    carrier, _ = answering(httpx.Response(200, text=text))
    found = await carrier._operator("548")
    assert found is not None
    assert found.min_amount == Decimal("10.10000000000000000001")


# ---- the rest ----------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (FRESH_SECONDS + 60, False), (-FRESH_SECONDS - 60, False)]
)
def test_a_webhook_is_taken_within_minutes(unit: int, age: float, fresh: bool) -> None:
    assert _fresh(f"{(time.time() - age) * unit:.0f}") is fresh


@pytest.mark.parametrize("stamp", ["", "-1", "１２３", "9" * 400])
def test_what_is_no_time_is_not_fresh(stamp: str) -> None:
    assert not _fresh(stamp)


async def test_only_its_own_connections_are_closed() -> None:
    async with httpx.AsyncClient() as http:
        await Reloadly(SETTINGS, http, Noon()).close()
        assert not http.is_closed


def test_settings_hide_their_secrets_and_want_an_address() -> None:
    assert "sesame" not in repr(SETTINGS)
    bare = ReloadlySettings.model_validate({"client_id": "a", "client_secret": "b"})
    assert (bare.base_url, bare.auth_url, bare.webhook_secret) == (
        "https://topups.reloadly.com",
        "https://auth.reloadly.com",
        None,
    )
    with pytest.raises(ValidationError, match="base_url"):
        ReloadlySettings.model_validate(
            {"client_id": "a", "client_secret": "b", "base_url": "topups.reloadly.com"}
        )
