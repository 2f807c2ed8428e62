"""Exchange rates: read from a page, crossed, kept with their time, not quoted when stale."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.money import Money
from bot.domain.quotes import Rate, Terms, totals
from bot.domain.sales import Method
from bot.payments.fx import RatePage
from bot.ports import RatesUnavailable
from bot.services.rates import ExchangeRates, cross
from bot.services.selling import Selling, offered
from tests.unit.services.house import SELLING
from tests.unit.services.sale_house import Shop, sale_house
from tests.unit.store.samples import NOW

PAGE = {"base": "EUR", "date": f"{NOW:%Y-%m-%d}", "rates": {"USD": 1.25, "CNY": 7.5, "JPY": 0}}
SHOP = replace(SELLING, terms={Method.ALIPAY: Terms(("CNY",)), Method.CARD: Terms(("USD",))})


class Source:
    """The page's stand-in."""

    def __init__(self) -> None:
        self.page: Any = PAGE
        self.status = 200
        app = Starlette(routes=[Route("/latest", self._show)])
        transport = httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        self.rates = RatePage("http://127.0.0.1/latest", self.http)

    async def _show(self, _: Request) -> Response:
        return JSONResponse(self.page, self.status)


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    made = Source()
    yield made
    await made.http.aclose()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as shop:
        await shop.stock()
        yield shop


async def quoted(shop: Shop, selling: Selling = SHOP) -> dict[Method, Money]:
    async with shop.database.write() as tx:
        found = await offered(tx, selling, shop.clock.now())
    made = totals(Money(1000, "USD"), found.terms, found.rates)
    return {total.method: total.amount for total in made}


async def test_a_page_is_read_with_its_time_and_without_nonsense(source: Source) -> None:
    told = await source.rates.rates()
    assert {rate.into for rate in told} == {"USD", "CNY"}
    assert {(rate.currency, rate.source) for rate in told} == {("EUR", "127.0.0.1")}
    assert {rate.at for rate in told} == {datetime(NOW.year, NOW.month, NOW.day, 15, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("page", "status"),
    [(PAGE, 500), ([], 200), ({"base": "EUR", "rates": {}}, 200), ({**PAGE, "base": "€"}, 200)],
)
async def test_what_is_no_page_of_rates_is_told(source: Source, page: Any, status: int) -> None:
    source.page, source.status = page, status
    with pytest.raises(RatesUnavailable):
        await source.rates.rates()


def test_rates_are_crossed_and_as_old_as_the_older() -> None:
    told = {
        "USD": Rate("EUR", "USD", Decimal("1.25"), "x", NOW),
        "CNY": Rate("EUR", "CNY", Decimal("7.5"), "x", NOW - timedelta(hours=3)),
    }
    made = cross(told, "USD", "CNY")
    assert made == Rate("USD", "CNY", Decimal(6), "x", NOW - timedelta(hours=3))
    assert cross(told, "USD", "EUR") == Rate("USD", "EUR", Decimal("0.8"), "x", NOW)
    assert cross(told, "EUR", "CNY") == told["CNY"]
    assert cross(told, "USD", "PHP") is None
    assert cross(told, "PHP", "USD") is None
    assert cross({}, "USD", "CNY") is None


async def test_a_stale_rate_is_not_quoted_and_operators_hear_of_it_once(
    shop: Shop, source: Source
) -> None:
    job = ExchangeRates(shop.database, shop.clock, source.rates, SHOP)
    assert await quoted(shop) == {Method.CARD: Money(1000, "USD")}
    await job.worker.run()
    assert (await quoted(shop))[Method.ALIPAY] == Money(6000, "CNY")
    source.status = 500
    shop.clock.advance(days=2)
    for _ in range(3):
        await job.worker.run()
    assert await quoted(shop) == {Method.CARD: Money(1000, "USD")}
    assert await shop.whys() == ["rate_stale"]


async def test_the_operators_own_rate_comes_first_and_the_margin_is_added_to_others(
    shop: Shop, source: Source
) -> None:
    await ExchangeRates(shop.database, shop.clock, source.rates, SHOP).worker.run()
    dearer = replace(SHOP, margin=Decimal(10))
    assert (await quoted(shop, dearer))[Method.ALIPAY] == Money(6600, "CNY")
    own = replace(dearer, rates={("USD", "CNY"): Rate("USD", "CNY", Decimal(7))})
    assert (await quoted(shop, own))[Method.ALIPAY] == Money(7000, "CNY")


async def test_without_a_source_nothing_is_asked(shop: Shop) -> None:
    await ExchangeRates(shop.database, shop.clock, None, SHOP).worker.run()
    assert await shop.whys() == []
