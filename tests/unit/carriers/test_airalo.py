"""The Airalo adapter's border: signatures, refusals, and every form an answer was seen in."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from pydantic import ValidationError

from bot.carriers.airalo import Airalo, AiraloSettings
from bot.carriers.airalo_api import sign, signed_form
from bot.carriers.airalo_orders import Sent
from bot.carriers.airalo_wire import Catalogue, Order, Orders, Package, Usage
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, SimState, Tracking
from bot.ports import SupplierUnavailable, TopUpRequest, TopUpStatus

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ICCID = "8910300000005271146"
SIM = Sim("s", 1, 1, Tracking.MANAGED, SimForm.ESIM, "boom eSIM", "airalo", ICCID)
REQUEST = TopUpRequest("ref-1", SIM, "bonbon-3gb-topup", None, None)
TOKEN = {"data": {"token_type": "Bearer", "expires_in": "31622400", "access_token": "t0k"}}
REJECTED, UNKNOWN, NOT_SENT = TopUpStatus.REJECTED, TopUpStatus.UNKNOWN, TopUpStatus.NOT_SENT


class Noon:
    def now(self) -> datetime:
        return NOON


def answering(*answers: httpx.Response) -> tuple[Airalo, list[httpx.Request]]:
    """The adapter before a supplier that gives a token, then these answers in turn."""
    asked: list[httpx.Request] = []
    queue = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/token":
            return httpx.Response(200, json=TOKEN)
        asked.append(request)
        return queue.pop(0)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Airalo("us", "1111", "http://127.0.0.1:9/v2/", http, Noon()), asked


def told(body: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def usage(**changes: object) -> httpx.Response:
    usual = {"remaining": 767, "total": 2048, "expired_at": None, "status": "ACTIVE"}
    return told({"data": {**usual, **changes}})


# ---- signatures and forms ----------------------------------------------------------------


def test_the_signature_is_over_the_forms_json_as_php_writes_it() -> None:
    form = {"description": "a/b 中", "iccid": "1"}
    assert signed_form(form) == rb'{"description":"a\/b \u4e2d","iccid":"1"}'
    # Of RFC 4231's test case 2, the same algorithm.
    assert sign("Jefe", b"what do ya want for nothing?") == (
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    )


async def test_a_top_up_is_a_signed_form_with_our_reference() -> None:
    carrier, asked = answering(told({"data": {"id": 174}}))
    answer = await carrier.submit(REQUEST)
    assert (answer.status, answer.supplier_ref) == (TopUpStatus.SUCCEEDED, "174")
    (request,) = asked
    form = {"package_id": "bonbon-3gb-topup", "iccid": ICCID, "description": "ref-1"}
    assert request.headers["airalo-signature"] == sign("1111", signed_form(form))
    assert request.headers["authorization"] == "Bearer t0k"
    assert request.headers["content-type"].startswith("multipart/form-data")
    assert b'name="description"\r\n\r\nref-1\r\n' in request.content


# ---- what an answer to a purchase means --------------------------------------------------


def coded(code: object) -> object:
    return {"code": code, "reason": "text"}


@pytest.mark.parametrize(
    ("body", "status", "meaning", "reason"),
    [
        (coded(11), 422, REJECTED, "no_money"),
        (coded("11"), 422, REJECTED, "no_money"),
        (coded(13), 422, REJECTED, "maintenance"),
        (coded(14), 422, REJECTED, "credentials"),
        (coded(23), 422, REJECTED, "not_sold_now"),
        (coded(33), 422, REJECTED, "not_sold_now"),
        (coded(34), 422, REJECTED, "not_sold_now"),
        (coded(43), 422, REJECTED, "bad_request"),
        (coded(73), 422, REJECTED, "recycled"),
        (coded(73), 200, REJECTED, "recycled"),
        (coded(89), 403, REJECTED, "credentials"),
        (coded(53), 422, UNKNOWN, "server_error"),
        (coded(99), 422, UNKNOWN, "code_99"),
        ({"data": {"iccid": "is required"}, "meta": {}}, 422, REJECTED, "unknown_sim"),
        ({"data": {"package_id": "invalid"}, "meta": {}}, 422, REJECTED, "not_sold_now"),
        (
            {"data": {"package_id": "validation.order_exceed_limit"}},
            422,
            REJECTED,
            "not_allowed",
        ),
        ({"data": {"description": "too long"}, "meta": {}}, 422, REJECTED, "bad_request"),
        ({"data": [], "meta": {"message": "not found"}}, 404, REJECTED, "unknown_sim"),
        ({"message": "Server Error"}, 500, UNKNOWN, "http_500"),
        ({"message": "Too Many Attempts."}, 429, UNKNOWN, "busy"),
        ({"message": "Unauthenticated."}, 401, NOT_SENT, "credentials"),
        ({"data": [], "meta": {}}, 422, UNKNOWN, "http_422"),
        ({"data": {"code": "20230207-000174"}}, 200, UNKNOWN, "unreadable"),
        ([], 200, UNKNOWN, "unreadable"),
        ([], 422, UNKNOWN, "http_422"),
    ],
)
async def test_an_answer_to_a_purchase(
    body: object, status: int, meaning: TopUpStatus, reason: str
) -> None:
    carrier, asked = answering(told(body, status))
    answer = await carrier.submit(REQUEST)
    assert (answer.status, answer.reason, len(asked)) == (meaning, reason, 1)


async def test_a_page_of_a_gateway_is_no_answer() -> None:
    for status in (200, 403, 404, 422, 502):
        carrier, _ = answering(httpx.Response(status, text="<html>"))
        assert (await carrier.submit(REQUEST)).status is UNKNOWN


async def test_wrong_keys_are_told_apart_from_a_bad_day() -> None:
    for status, meaning, reason in (
        (401, REJECTED, "credentials"),
        (422, REJECTED, "credentials"),
        (503, NOT_SENT, "http_503"),
    ):
        body = {"data": {"client_id": "is invalid"}, "meta": {}}
        transport = httpx.MockTransport(lambda _, s=status, b=body: told(b, s))
        http = httpx.AsyncClient(transport=transport)
        carrier = Airalo("us", "1111", "http://127.0.0.1:9", http, Noon())
        answer = await carrier.submit(REQUEST)
        assert (answer.status, answer.reason) == (meaning, reason)


# ---- forms of an answer ------------------------------------------------------------------


def test_times_are_utc_with_or_without_a_zone() -> None:
    for text in ("2026-12-01 12:00:00", "2026-12-01T12:00:00+00:00", "2026-12-01T20:00:00+08:00"):
        assert Usage.model_validate({"expired_at": text}).expired_at == NOON
    assert Usage.model_validate({"expired_at": ""}).expired_at is None


def test_a_cost_is_rounded_up_to_the_cent() -> None:
    def cost(discount: str = "0", **told: object) -> Money:
        package = Package.model_validate({"id": "p", "price": 4.5, "day": 30, **told})
        return package.cost(Decimal(discount))

    assert cost(net_price=3.601) == Money(361, "USD")
    assert cost(net_price="3.60") == Money(360, "USD")
    assert cost(net_price=0) == Money(0, "USD")
    assert cost("12.5", net_price=None) == Money(394, "USD")
    assert cost() == Money(450, "USD")


async def test_an_unlimited_or_silent_reading_tells_no_data() -> None:
    for changes in (
        {"is_unlimited": True},
        {"is_unlimited": "true", "total": "0", "remaining": "0"},
        {"is_unlimited": None, "total": 0, "remaining": 0, "status": "RECYCLED"},
        {"total": None, "remaining": None},
    ):
        carrier, _ = answering(usage(**changes))
        reading = await carrier.snapshot(SIM)
        assert (reading.data_total, reading.data_used) == (None, None)
    assert reading.state is SimState.ACTIVE


async def test_a_wallet_is_rounded_down_and_may_not_exist() -> None:
    for account, money in (
        ({"availableBalance": {"amount": "225.359", "currency": "USD"}}, Money(22535, "USD")),
        ({"availableBalance": {"amount": 1248, "currency": "JPY"}}, Money(1248, "JPY")),
        ([], None),
    ):
        carrier, _ = answering(told({"data": {"balances": account}}))
        assert await carrier.wallet() == money
    carrier, _ = answering(told({"data": []}))
    assert await carrier.wallet() is None


def test_a_later_page_of_the_catalogue_has_another_shape() -> None:
    operator = {"topup_grace_window_days": "120", "packages": [{"id": "bonbon-1gb"}]}
    silent = {"topup_grace_window_days": None, "packages": [{"id": "other"}]}
    countries = [{"slug": "x", "operators": [operator, silent]}]
    for data in (countries, {"50": countries[0]}):
        page = Catalogue.model_validate({"data": data, "meta": {"last_page": "3"}})
        assert dict(page.windows()) == {"bonbon-1gb": 120}
        assert page.pages == 3


async def test_every_page_of_the_catalogue_is_read() -> None:
    def page(n: int) -> httpx.Response:
        operator = {"topup_grace_window_days": n, "packages": [{"id": f"p{n}"}]}
        data = {str(n): {"operators": [operator]}} if n > 1 else [{"operators": [operator]}]
        return told({"data": data, "meta": {"last_page": 2}})

    esim = told({"data": {"iccid": ICCID, "simable": {"package_id": "p2"}}})
    carrier, asked = answering(usage(expired_at="2026-12-01 12:00:00"), esim, page(1), page(2))
    reading = await carrier.snapshot(SIM)
    assert reading.grace_end == NOON + timedelta(days=2)
    assert [request.url.params.get("page") for request in asked[2:]] == ["1", "2"]


async def test_a_grace_of_no_days_ends_with_the_validity() -> None:
    esim = told({"data": {"iccid": ICCID, "simable": {"package_id": "p"}}})
    operator = {"topup_grace_window_days": 0, "packages": [{"id": "p"}]}
    catalogue = told({"data": [{"operators": [operator]}]})
    carrier, _ = answering(usage(expired_at="2026-12-01 12:00:00"), esim, catalogue)
    reading = await carrier.snapshot(SIM)
    assert reading.grace_end == reading.expiry == NOON


async def test_a_reading_without_its_catalogue_keeps_quiet_about_the_grace() -> None:
    esim = told({"data": {"iccid": ICCID, "simable": {"package_id": "p"}}})
    late = usage(expired_at="2026-12-01 12:00:00")
    carrier, asked = answering(late, esim, told({}, 500), late)
    for _ in range(2):
        assert (await carrier.snapshot(SIM)).grace_end is None
    # The catalogue is not asked for again at once.
    assert len(asked) == 4


async def test_an_esim_without_its_order_has_no_known_grace() -> None:
    simables: tuple[object, ...] = (None, [], {"package_id": None})
    for simable in simables:
        esim = told({"data": {"iccid": ICCID, "simable": simable}})
        carrier, _ = answering(usage(expired_at="2026-12-01 12:00:00"), esim)
        assert (await carrier.snapshot(SIM)).grace_end is None


async def test_an_answer_about_another_esim_is_nobodys() -> None:
    carrier, _ = answering(told({"data": {"iccid": "1"}}))
    assert await carrier.resolve(iccid=ICCID, msisdn=None) is None


async def test_reading_refuses_what_it_cannot_read() -> None:
    for body in ("<html>", "{}", '{"data": {"expired_at": "soon"}}', "[]"):
        carrier, _ = answering(httpx.Response(200, text=body))
        with pytest.raises(SupplierUnavailable, match="unreadable"):
            await carrier.snapshot(SIM)


async def test_a_wait_that_is_no_number_is_a_second_and_a_long_one_is_not_sat_out() -> None:
    carrier, asked = answering(httpx.Response(429, headers={"Retry-After": "61"}))
    with pytest.raises(SupplierUnavailable, match="busy"):
        await carrier.wallet()
    assert len(asked) == 1


# ---- which order is ours -----------------------------------------------------------------


def order(**told: object) -> dict[str, object]:
    usual = {"id": 5, "type": "topup", "package_id": "bonbon-3gb-topup",
             "description": f"Topup ({ICCID})", "created_at": "2026-12-01 12:00:01"}  # fmt: skip
    return {**usual, **told}


def found(*orders: object, pages: int = 1, began: bool = True) -> TopUpStatus:
    sent = Sent()
    if began:
        sent.began("ref-1", NOON)
    listed = Orders.model_validate({"data": list(orders), "meta": {"last_page": pages}})
    since = sent.since(REQUEST, NOON)
    return sent.found(REQUEST, ICCID, listed, since).status


@pytest.mark.parametrize(
    ("one", "meaning"),
    [
        (order(), TopUpStatus.SUCCEEDED),
        (order(description="ref-1", sims=[]), TopUpStatus.SUCCEEDED),
        (order(description=None, sims=[{"iccid": ICCID}]), TopUpStatus.SUCCEEDED),
        (order(created_at="2026-12-01 11:59:30"), TopUpStatus.SUCCEEDED),
        (order(created_at="2026-12-01 11:58:30"), TopUpStatus.NOT_FOUND),
        (order(created_at=None), UNKNOWN),
        (order(description=None), UNKNOWN),
        (order(description="ref-10"), TopUpStatus.NOT_FOUND),
        (order(package_id="bonbon-5gb-topup"), TopUpStatus.NOT_FOUND),
        (order(type="sim"), TopUpStatus.NOT_FOUND),
        (order(description="Topup (89103000000052711469)"), TopUpStatus.NOT_FOUND),
        (order(sims=[{"iccid": "1"}]), TopUpStatus.NOT_FOUND),
    ],
)
def test_only_an_exact_order_is_a_proof(one: dict[str, object], meaning: TopUpStatus) -> None:
    assert found(one) is meaning


def test_a_list_that_goes_on_or_holds_two_is_no_proof() -> None:
    assert found(order(), pages=2) is UNKNOWN
    assert found(pages=2) is UNKNOWN
    assert found(order(), order(id=6)) is UNKNOWN
    assert found(order(description="ref-1"), order(id=6, description="ref-1")) is UNKNOWN
    # Named beats unnamed, whatever else is there.
    assert found(order(), order(id=6, description="ref-1"), pages=2) is TopUpStatus.SUCCEEDED


def test_without_a_memory_of_the_call_only_a_name_is_a_proof() -> None:
    assert found(order(), began=False) is UNKNOWN
    assert found(began=False) is TopUpStatus.NOT_FOUND
    assert found(order(description="ref-1"), began=False) is TopUpStatus.SUCCEEDED


def test_after_a_restart_the_moment_of_our_reference_tells() -> None:
    sent, asked = Sent(), replace(REQUEST, since=NOON)
    assert sent.since(asked, NOON + timedelta(hours=1)) == NOON
    listed = Orders.model_validate({"data": [order()], "meta": {"last_page": 1}})
    assert sent.found(asked, ICCID, listed, NOON).status is TopUpStatus.SUCCEEDED
    before = Orders.model_validate(
        {"data": [order(created_at="2026-12-01 11:59:59")], "meta": {"last_page": 1}}
    )
    assert sent.found(asked, ICCID, before, NOON).status is TopUpStatus.NOT_FOUND


def test_what_was_sent_is_not_remembered_for_ever() -> None:
    sent = Sent()
    sent.began("old", NOON)
    sent.answered("old", "4")
    sent.began("new", NOON + timedelta(days=3))
    assert sent.since(replace(REQUEST, ref="old"), NOON) == NOON - timedelta(days=30)
    assert sent.since(replace(REQUEST, ref="new"), NOON) == NOON + timedelta(days=3) - timedelta(
        seconds=60
    )


def test_an_order_without_a_state_is_a_finished_one() -> None:
    statuses: tuple[object, ...] = (None, [], {"slug": None})
    for status in statuses:
        assert Order.model_validate(order(status=status)).slug == "completed"


# ---- the rest ----------------------------------------------------------------------------


async def test_it_closes_only_what_it_opened() -> None:
    settings = AiraloSettings(client_id="a", client_secret="b", base_url="http://127.0.0.1:9")
    await Airalo.from_settings(settings, Noon()).close()
    carrier, _ = answering(told({"data": []}))
    await carrier.close()
    assert await carrier.wallet() is None


def test_settings_name_what_is_wrong_and_hide_secrets() -> None:
    with pytest.raises(ValidationError, match="base_url"):
        AiraloSettings(client_id="a", client_secret="b", base_url="partners-api.airalo.com")
    settings = AiraloSettings(client_id="a", client_secret="hush")
    assert "hush" not in repr(settings)
    assert json.loads(settings.model_dump_json())["client_secret"] != "hush"
