"""The eSIM Access adapter's border: the signature, and every form an answer was seen in."""

import asyncio
import json
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import ValidationError

from bot.carriers import esim_access_api
from bot.carriers.asking import parsed
from bot.carriers.esim_access import EsimAccess, EsimAccessSettings
from bot.carriers.esim_access_api import Api, Envelope, Esim, Package, Usages, sign
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import SupplierUnavailable, TopUpRequest, TopUpStatus

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
SIM = Sim("s", 1, 1, Tracking.MANAGED, SimForm.ESIM, "boom eSIM", "esim_access", "T1")


class Noon:
    def now(self) -> datetime:
        return NOON


def answering(*answers: httpx.Response) -> tuple[EsimAccess, list[httpx.Request]]:
    """The adapter before a supplier that gives these answers in turn."""
    asked: list[httpx.Request] = []
    queue = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return queue.pop(0)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return EsimAccess("11111", "1111", "http://127.0.0.1:9/", http, Noon()), asked


def topup(code: object, status: int = 200, success: object = False) -> httpx.Response:
    return httpx.Response(status, json={"success": success, "errorCode": code, "obj": None})


def test_signature_of_the_suppliers_example() -> None:
    signature = sign(
        "1111", "1628670421", "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "11111", '{"imsi":"326543826"}'
    )
    assert signature == "7eb765e27df5373dea2dbc8c41a7d9557743e46c8054750f3d851b3fd01d0835"


async def test_signed_is_what_is_sent() -> None:
    carrier, asked = answering(httpx.Response(200, json={"success": True, "obj": {"balance": 1}}))
    await carrier.wallet()
    headers = asked[0].headers
    assert headers["RT-AccessCode"] == "11111"
    assert headers["RT-Signature"] == sign(
        "1111",
        headers["RT-Timestamp"],
        headers["RT-RequestID"],
        "11111",
        asked[0].content.decode(),
    )
    assert abs(int(headers["RT-Timestamp"]) / 1000 - datetime.now(UTC).timestamp()) < 60


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-01T12:00:00+0000",
        "2026-12-01T12:00:00Z",
        "2026-12-01T12:00:00.000Z",
        "2026-12-01T20:00:00+08:00",
        "2026-12-01 12:00:00",
        "1796126400000",
        1796126400000,
    ],
)
def test_times_in_every_form(written: object) -> None:
    esim = Esim.model_validate({"esimTranNo": "1", "iccid": "89", "expiredTime": written})
    assert esim.expired_time == NOON


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_is_not_told_is_none(nothing: object) -> None:
    esim = Esim.model_validate(
        {
            "esimTranNo": "1",
            "iccid": "89",
            "expiredTime": nothing,
            "totalVolume": nothing,
            "packageList": None,
        }
    )
    assert (esim.expired_time, esim.total_volume, esim.package_list) == (None, None, [])


@pytest.mark.parametrize("success", [True, "true", 1])
@pytest.mark.parametrize("code", [None, "0", 0, ""])
def test_success_in_every_form(success: object, code: object) -> None:
    envelope = Envelope.model_validate({"success": success, "errorCode": code, "more": 1})
    assert (envelope.success, envelope.error_code) == (True, None)


@pytest.mark.parametrize("shape", [lambda one: [one], lambda one: {"esimUsageList": [one]}])
def test_usage_bare_or_wrapped(shape: object) -> None:
    assert callable(shape)
    usages = parsed("esim_access", Usages, shape({"esimTranNo": "1", "dataUsage": "12"}))
    assert usages[0].data_usage == 12


@pytest.mark.parametrize("none", [None, {}, [], {"esimUsageList": None}])
def test_no_usage(none: object) -> None:
    assert parsed("esim_access", Usages, none) == []


@pytest.mark.parametrize(
    ("field", "value"), [("currencyCode", "EUR"), ("durationUnit", "MONTH"), ("dataType", 2)]
)
def test_packages_we_could_misprice_are_left_out(field: str, value: object) -> None:
    plain = {"packageCode": "P", "price": "10000", "duration": 7}
    assert Package.model_validate(plain).sellable
    assert not Package.model_validate({**plain, field: value}).sellable


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, text="<html>"), "unreadable"),
        (httpx.Response(200, json={"success": True, "obj": {"balance": "much"}}), "unreadable"),
        (httpx.Response(200, json={"success": True, "obj": None}), "unreadable"),
        (httpx.Response(200, json=[]), "unreadable"),
        (httpx.Response(502, text="bad gateway"), "http_502"),
        (httpx.Response(404, text="?"), "http_404"),
        (httpx.Response(302, headers={"Location": "/elsewhere"}), "http_302"),
        (httpx.Response(429, headers={"Retry-After": "3600"}), "busy"),
        (topup("101002"), "credentials"),
        (topup("000001"), "server_error"),
        (topup("999999"), "code_999999"),
    ],
)
async def test_a_read_without_an_answer_says_why_at_once(
    answer: httpx.Response, reason: str
) -> None:
    carrier, asked = answering(answer)
    with pytest.raises(SupplierUnavailable, match=reason):
        await carrier.wallet()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (topup("200007"), TopUpStatus.REJECTED, "no_money"),
        (topup(200007), TopUpStatus.REJECTED, "no_money"),
        (topup("200007", status=400), TopUpStatus.REJECTED, "no_money"),
        (topup("200007", success="false"), TopUpStatus.REJECTED, "no_money"),
        (topup("000104"), TopUpStatus.REJECTED, "bad_request"),
        (topup("200011"), TopUpStatus.REJECTED, "not_sold_now"),
        (topup("200010"), TopUpStatus.PROCESSING, "allocating"),
        (topup("200007", status=500), TopUpStatus.UNKNOWN, "server_error"),
        (topup("200007", success=True), TopUpStatus.UNKNOWN, "server_error"),
        (topup("000001"), TopUpStatus.UNKNOWN, "server_error"),
        (topup(None), TopUpStatus.UNKNOWN, "server_error"),
        (topup("200099"), TopUpStatus.UNKNOWN, "code_200099"),
        (httpx.Response(200, text="OK"), TopUpStatus.UNKNOWN, "unreadable"),
        (httpx.Response(403, text="blocked"), TopUpStatus.UNKNOWN, "http_403"),
        (topup("0", success="true"), TopUpStatus.SUCCEEDED, None),
    ],
)
async def test_only_a_known_refusal_is_a_refusal(
    answer: httpx.Response, status: TopUpStatus, reason: str | None
) -> None:
    carrier, asked = answering(answer)
    got = await carrier.submit(TopUpRequest("r", SIM, "P", None, None))
    assert (got.status, got.reason) == (status, reason)
    assert len(asked) == 1


async def test_the_price_goes_along_as_a_guard() -> None:
    listed = {"packageList": [{"packageCode": "P", "price": "12345", "duration": "7"}]}
    carrier, asked = answering(
        httpx.Response(200, json={"success": "true", "obj": listed}), topup("0", success=True)
    )
    cap = Money.of("1.24", "USD")
    answer = await carrier.submit(TopUpRequest("r", SIM, "P", None, cap))
    assert answer.status is TopUpStatus.SUCCEEDED
    assert json.loads(asked[1].content) == {
        "esimTranNo": "T1",
        "packageCode": "P",
        "transactionId": "r",
        "amount": "12345",
    }


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError, "not_sent"),
        (httpx.ConnectTimeout, "not_sent"),
        (httpx.PoolTimeout, "not_sent"),
        (httpx.ReadTimeout, "timeout"),
        (httpx.WriteTimeout, "timeout"),
        (httpx.ReadError, "connection_lost"),
        (httpx.RemoteProtocolError, "connection_lost"),
    ],
)
async def test_a_broken_connection_is_never_a_refusal(
    error: type[httpx.RequestError], reason: str
) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(broken))
    carrier = EsimAccess("a", "b", "http://127.0.0.1:9", http, Noon())
    answer = await carrier.submit(TopUpRequest("r", SIM, "P", None, None))
    status = TopUpStatus.NOT_SENT if reason == "not_sent" else TopUpStatus.UNKNOWN
    assert (answer.status, answer.reason) == (status, reason)


async def test_calls_at_once_are_limited() -> None:
    most = running = 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return httpx.Response(200, json={"success": True, "obj": {}})

    http = httpx.AsyncClient(transport=httpx.MockTransport(slow))
    api = Api("a", "b", "http://127.0.0.1:9", http, rate=1000)
    await asyncio.gather(*(api.call("/x", {}) for _ in range(20)))
    assert most == esim_access_api.CONCURRENCY


async def test_only_its_own_connections_are_closed() -> None:
    async with httpx.AsyncClient() as http:
        await EsimAccess("a", "b", "http://127.0.0.1:9", http, Noon()).close()
        assert not http.is_closed


def test_settings_hide_their_secrets_and_want_an_address() -> None:
    settings = EsimAccessSettings.model_validate({"access_code": "open", "secret_key": "sesame"})
    assert settings.base_url == "https://api.esimaccess.com"
    assert "sesame" not in repr(settings)
    with pytest.raises(ValidationError, match="base_url"):
        EsimAccessSettings.model_validate(
            {"access_code": "a", "secret_key": "b", "base_url": "api.esimaccess.com"}
        )
