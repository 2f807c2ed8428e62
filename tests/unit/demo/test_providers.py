"""The payment providers' stand-ins side by side: pages for people, calls to the bot, memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.demo import ringing
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.epay_page import sign
from bot.demo.faults import FaultBoard
from bot.demo.hosted_page import PAID, PAY, Sheet, chat_at, hosted
from bot.demo.paypal_state import Order
from bot.demo.providers import FILES, HOOKS_SECRET, Providers
from bot.demo.ringing import Ring, Ringer
from tests.contract.botapi_server import serving


@dataclass
class Town:
    """The providers on a port, and a bot that only listens."""

    providers: Providers
    faults: FaultBoard
    url: str
    http: httpx.AsyncClient
    heard: list[tuple[str, str]] = field(default_factory=list)
    answer: str = "success"
    deaf: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hear(self, request: Request) -> Response:
        """The bot's side of a call."""
        if self.deaf:
            self.deaf -= 1
            return PlainTextResponse("busy", 503)
        body = request.url.query or (await request.body()).decode()
        async with self.changed:
            self.heard.append((request.url.path, body))
            self.changed.notify_all()
        return PlainTextResponse(self.answer)

    async def hears(self, count: int) -> list[tuple[str, str]]:
        """What the bot heard, once it is that many."""
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(self.heard) >= count)
        return self.heard

    def epay_link(self, reference: str, **changes: str) -> str:
        """As the shop would sign it."""
        told = {
            "pid": self.providers.epay.pid, "out_trade_no": reference, "name": "Card <30 days>",
            "notify_url": self.providers.epay.notify_url, "return_url": "https://t.me/shop",
            "money": "68.90", **changes,
        }  # fmt: skip
        told["sign"] = sign(told, self.providers.epay.key)
        return f"{self.url}/providers/epay/submit.php?{httpx.QueryParams(told)}"

    def paypal_order(self, **changes: str) -> str:
        """The page of an order that the shop created."""
        order = Order.model_validate({
            "id": "ORDER1", "custom_id": "pay1", "invoice_id": "pay1", "reference_id": "pay1",
            "title": "Speedtalk & 30 days", "currency": "USD", "amount": "9.90",
            "return_url": "http://127.0.0.1:1/", "cancel_url": "https://t.me/shop",
            "locale": "zh-CN", "created_at": datetime.now(UTC), **changes,
        })  # fmt: skip
        self.providers.paypal.orders.append(order)
        return f"{self.url}/providers/paypal/checkoutnow?token={order.id}"


@asynccontextmanager
async def listening(heard: Callable[[Request], Awaitable[Response]]) -> AsyncIterator[str]:
    route = Route("/{path:path}", heard, methods=["GET", "POST"])
    async with serving(Starlette(routes=[route])) as address:
        yield address


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr(ringing, "PAUSES", (0.0, 0.01, 0.02))
    clock, faults = WorldClock(), FaultBoard()
    providers = Providers.load(tmp_path)
    routes = providers.routes(clock, faults, CallLog(clock))

    async with (
        serving(Starlette(routes=routes)) as url,
        httpx.AsyncClient(trust_env=False, timeout=10) as http,
    ):
        town = Town(providers, faults, url, http)
        async with listening(town.hear) as bot_url:
            providers.call(bot_url)
            yield town


# ---- pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "演示用的"), ("zh_hant", "演示用的"), ("en", "stand-in")]
)
def test_a_page_speaks_the_payers_language_and_says_what_it_is(language: str, words: str) -> None:
    sheet = Sheet("PayPal", "30 <b>days</b>", "9.90 USD", does=(("pay", PAY),))
    page = bytes(hosted(sheet, language).body).decode()
    assert words in page
    assert "<b>days" not in page
    assert "9.90 USD" in page
    assert 'name="viewport"' in page


def test_a_page_runs_nothing_and_loads_nothing() -> None:
    response = hosted(Sheet("PayPal", "x", said=PAID), "en")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in bytes(response.body).decode()


@pytest.mark.parametrize(
    ("address", "way"),
    [
        ("https://t.me/shop", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("http://127.0.0.1:80/x", "http://127.0.0.1:80/x?token=A"),
        ("http://localhost/?a=1", "http://localhost/?a=1&token=A"),
    ],
)
def test_no_way_back_leads_out_of_this_machine(address: str, way: str) -> None:
    assert chat_at(address, {"token": "A"}) == way


async def test_paypals_page_is_read_paid_and_then_done(town: Town) -> None:
    url = town.paypal_order()
    page = (await town.http.get(url)).text
    assert "Speedtalk &amp; 30 days" in page
    assert unescape(page).count("9.90 USD") == 2
    assert page.count("<button") == 3
    done = (await town.http.post(url, data={"do": "pay"})).text
    assert "<button" not in done
    assert 'href="http://127.0.0.1:1/?token=ORDER1"' in done
    assert town.providers.paypal.orders[0].approved


async def test_leaving_paypals_page_approves_nothing(town: Town) -> None:
    url = town.paypal_order()
    left = (await town.http.post(url, data={"do": "leave"})).text
    assert 'href="/"' in left
    assert not town.providers.paypal.orders[0].approved
    assert town.heard == []


async def test_a_page_that_ended_says_so(town: Town) -> None:
    old = datetime.now(UTC) - timedelta(hours=4)
    response = await town.http.get(town.paypal_order(created_at=old.isoformat()))
    assert response.status_code == 404
    assert "has ended" in response.text


async def test_epays_page_offers_both_ways_or_the_one_it_was_told(town: Town) -> None:
    both = (await town.http.get(town.epay_link("pay1"))).text
    assert 'value="alipay"' in both
    assert 'value="wxpay"' in both
    assert "Card &lt;30 days&gt;" in both
    one = (await town.http.get(town.epay_link("pay2", type="wxpay"))).text
    assert 'value="alipay"' not in one
    chinese = await town.http.get(town.epay_link("pay3"), headers={"accept-language": "zh-CN,zh"})
    assert "支付宝支付" in chinese.text


# ---- calls to the bot ----------------------------------------------------------------------


async def test_a_payment_is_told_to_the_bot(town: Town) -> None:
    await town.http.post(town.epay_link("pay1"), data={"do": "alipay"})
    await town.http.post(town.paypal_order(), data={"do": "pay"})
    heard = dict(await town.hears(2))
    assert set(heard) == {f"/hooks/epay/{HOOKS_SECRET}", f"/hooks/paypal/{HOOKS_SECRET}"}
    assert "out_trade_no=pay1" in heard[f"/hooks/epay/{HOOKS_SECRET}"]
    assert "CHECKOUT.ORDER.APPROVED" in heard[f"/hooks/paypal/{HOOKS_SECRET}"]


async def test_a_bot_that_does_not_listen_is_told_again(town: Town) -> None:
    town.deaf = 2
    await town.http.post(town.epay_link("pay1"), data={"do": "alipay"})
    assert len(await town.hears(1)) == 1


async def test_another_answer_than_success_is_told_again(town: Town) -> None:
    town.answer = "ok"
    await town.http.post(town.epay_link("pay1"), data={"do": "alipay"})
    heard = await town.hears(3)
    assert len(set(heard)) == 1


async def test_a_call_comes_twice_when_told_so(town: Town) -> None:
    town.faults.set("epay.webhook_twice", on=True)
    await town.http.post(town.epay_link("pay1"), data={"do": "alipay"})
    assert len(set(await town.hears(2))) == 1


async def test_a_late_call_comes_after_the_next_one(town: Town) -> None:
    town.faults.set("epay.webhook_late", times=1)
    for reference in ("pay1", "pay2"):
        await town.http.post(town.epay_link(reference), data={"do": "alipay"})
        if reference == "pay1":
            assert town.heard == []
    heard = await town.hears(2)
    assert {"pay1" in query for _, query in heard} == {True, False}


async def test_a_lost_call_is_never_made(town: Town) -> None:
    town.faults.set("paypal.webhook_lost", times=1)
    await town.http.post(town.paypal_order(), data={"do": "pay"})
    await town.http.post(town.epay_link("pay1"), data={"do": "alipay"})
    assert [path for path, _ in await town.hears(1)] == [f"/hooks/epay/{HOOKS_SECRET}"]


async def test_nobody_outside_this_machine_is_called() -> None:
    ringer = Ringer(lambda _: True)
    ringer.ring(Ring("https://t.me/?x=1", "GET"))
    ringer.ring(Ring("http://10.0.0.1/", "GET"))
    assert not ringer._tasks


# ---- memory --------------------------------------------------------------------------------


async def test_a_demo_goes_on_where_it_was_left(town: Town, tmp_path: Path) -> None:
    await town.http.post(town.epay_link("pay1"), data={"do": "alipay"})
    town.paypal_order()
    town.providers.save(tmp_path)
    again = Providers.load(tmp_path)
    assert again.epay == town.providers.epay
    assert again.paypal == town.providers.paypal
    assert set(FILES) == set(os.listdir(tmp_path))


def test_the_bot_is_told_where_the_providers_are(tmp_path: Path) -> None:
    providers = Providers.load(tmp_path)
    providers.call("http://127.0.0.1:9", "another-secret-0001")
    told = providers.settings("http://127.0.0.1:8")
    assert told["XUKA_PAYPAL__BASE_URL"] == "http://127.0.0.1:8/providers/paypal"
    assert told["XUKA_EPAY__URL"] == "http://127.0.0.1:8/providers/epay"
    assert told["XUKA_EPAY__NOTIFY_URL"] == "http://127.0.0.1:9/hooks/epay/another-secret-0001"
    assert providers.paypal.webhook_url == "http://127.0.0.1:9/hooks/paypal/another-secret-0001"


def test_every_fault_has_a_name_in_both_languages(tmp_path: Path) -> None:
    clock, faults = WorldClock(), FaultBoard()
    Providers.load(tmp_path).routes(clock, faults, CallLog(clock))
    for fault in faults.list():
        assert fault["title_en"].isascii()
        assert "：" in fault["title_zh"] or not fault["title_zh"].isascii()
        assert fault["description"].endswith(".")
