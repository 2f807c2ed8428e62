"""Our balances at the suppliers: operators hear early, customers are refused before they pay."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.services.selling import Refused
from tests.unit.services.house import OPERATOR, SECOND, queued
from tests.unit.services.sale_house import Shop, sale_house
from tests.unit.store.samples import ALICE, PLAN


def usd(cents: int) -> Money:
    return Money(cents, "USD")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as open_shop:
        yield open_shop


async def alerts(shop: Shop) -> list[tuple[int, object, object]]:
    return [
        (chat, data["subject"], data.get("amount"))
        for chat, data in await queued(shop.database, "queue")
    ]


async def test_a_low_balance_is_told_once_a_day(shop: Shop) -> None:
    shop.seller.purse = usd(1999)
    await shop.wallets.worker.run()
    assert await alerts(shop) == [
        (operator, "supplier:esim_access", [1999, "USD"]) for operator in (OPERATOR, SECOND)
    ]
    for _ in range(8):
        shop.clock.advance(minutes=20)
        await shop.wallets.worker.run()
    assert await alerts(shop) == []
    shop.clock.advance(days=1)
    await shop.wallets.worker.run()
    assert len(await alerts(shop)) == 2


@pytest.mark.parametrize("purse", [usd(2000), usd(500_000), Money(1, "EUR"), None])
async def test_enough_or_not_comparable_is_no_news(shop: Shop, purse: Money | None) -> None:
    shop.seller.purse = purse
    await shop.wallets.worker.run()
    assert await alerts(shop) == []


async def test_it_is_read_every_quarter_of_an_hour(shop: Shop) -> None:
    shop.seller.purse = usd(5000)
    await shop.wallets.worker.run()
    shop.seller.purse = usd(100)
    shop.clock.advance(minutes=14)
    await shop.wallets.worker.run()
    assert await alerts(shop) == []
    shop.clock.advance(minutes=1)
    await shop.wallets.worker.run()
    assert len(await alerts(shop)) == 2


async def test_what_the_balance_cannot_pay_is_refused_before_the_customer_pays(shop: Shop) -> None:
    line = await shop.stock()
    shop.seller.purse = usd(699)  # the plan costs us 7.00
    await shop.wallets.worker.run()
    [offer] = await shop.checkout.offers(line)
    assert offer.unavailable == "no_money"
    with pytest.raises(Refused, match="no_money"):
        await shop.checkout.quote(ALICE, line, PLAN, None, 1)
    shop.seller.purse = usd(700)
    shop.clock.advance(minutes=2)
    await shop.checkout.quote(ALICE, line, PLAN, None, 2)
    [offer] = await shop.checkout.offers(line)
    assert offer.unavailable is None, "a fresh balance was asked for"


async def test_a_refusal_is_told_even_above_the_threshold(shop: Shop) -> None:
    line = await shop.stock()
    shop.seller.purse = usd(2500)
    shop.seller.on_sale[0] = type(shop.seller.on_sale[0])("TOPUP_5", usd(790), 30, 5 << 30)
    await shop.wallets.worker.run()
    assert await alerts(shop) == []
    assert await shop.wallets.refuses("esim_access", usd(2501))
    assert len(await alerts(shop)) == 2
    await shop.checkout.quote(ALICE, line, PLAN, None, 1)


async def test_a_balance_that_cannot_be_read_refuses_nobody_for_long(shop: Shop) -> None:
    line = await shop.stock()
    shop.seller.purse = usd(1)
    await shop.wallets.worker.run()
    shop.seller.reads_down = True
    shop.clock.advance(minutes=30)
    await shop.wallets.worker.run()
    assert shop.wallets.short("esim_access", usd(700))
    shop.clock.advance(minutes=31)
    await shop.wallets.worker.run()
    shop.seller.reads_down = False
    shop.seller.purse = None
    await shop.checkout.quote(ALICE, line, PLAN, None, 1)
