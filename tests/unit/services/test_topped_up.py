"""A top-up of the shop's keeps a number as one that its owner tells of does."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.carriers.rules import packs
from bot.domain.rules import Activity, deadline
from bot.domain.sims import Sim
from bot.ports import ActivityRow, TopUpAnswer, TopUpStatus
from bot.services.desk import Desk
from bot.services.fulfilment import Fulfilment
from bot.services.keeping import Keeping
from bot.services.waiting import Action
from tests.unit.services.house import OPERATOR, SELLING
from tests.unit.services.sale_house import S, Shop, sale_house
from tests.unit.store.samples import ALICE, NOW, PLAN, days, sim

KNOWING = replace(SELLING, packs=packs())
TODAY = NOW.date()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop that knows the rules, whose supplier sends airtime to numbers."""
    async with sale_house(tmp_path) as found:
        found.seller.capabilities = replace(
            found.seller.capabilities, reads=False, numbers=True, after_expiry=True
        )
        found.fulfilment = Fulfilment(found.database, found.clock, found.carriers, KNOWING)
        found.desk = Desk(found.database, found.clock, found.carriers, KNOWING, found.refunds)
        yield found


async def stock(shop: Shop, carrier: str, **changes: Any) -> None:
    """Alice's number of a carrier, and airtime for it that says nothing of days."""
    plain: dict[str, Any] = {
        "supplier": "esim_access", "expiry": None, "grace_end": None, "rule": None,
        "country": None, "keep_deadline": None, "deadline_source": None,
    }  # fmt: skip
    line = sim("m1", ALICE, carrier=carrier, **plain | changes)
    await shop.stock(line, replace(PLAN, carrier=carrier, days=0))


async def line(shop: Shop) -> Sim:
    async with shop.database.read() as tx:
        found = await tx.sims.get("m1")
    assert found is not None
    return found


async def days_used(shop: Shop) -> list[tuple[Activity, date]]:
    async with shop.database.read() as tx:
        return [(row.kind, row.day) for row in await tx.activities.of("m1")]


async def sold(shop: Shop, days: int = 0) -> str:
    """An order for airtime that lasts so many days, paid; its id."""
    known = await line(shop)
    plan = replace(PLAN, carrier=known.carrier, days=days)
    placed, payment = await shop.invoice(plan=plan, old_expiry=known.expiry)
    await shop.pay(payment)
    return placed.id


async def test_it_moves_the_deadline_once_however_often_it_is_told(shop: Shop) -> None:
    await stock(shop, "giffgaff")
    await sold(shop)
    await shop.fulfil()
    kept = await line(shop)
    assert kept.keep_deadline == deadline(TODAY, 180, "UTC")
    assert kept.expiry is None
    assert await days_used(shop) == [(Activity.TOP_UP, TODAY)]
    await shop.fulfil()
    assert await line(shop) == kept


async def test_one_that_is_settled_again_counts_on_its_own_day(shop: Shop) -> None:
    await stock(shop, "giffgaff")
    shop.seller.capabilities = replace(shop.seller.capabilities, reverses=True)
    order_id = await sold(shop)
    await shop.fulfil()
    kept = (await line(shop)).keep_deadline
    shop.seller.finds = [TopUpAnswer(TopUpStatus.REVERSED)]
    await shop.work_for(days=2)
    await shop.desk.act(f"order:{order_id}", Action.DELIVERED, OPERATOR, 1)
    assert (await shop.order(order_id)).state is S.FULFILLED
    assert await days_used(shop) == [(Activity.TOP_UP, TODAY)]
    assert (await line(shop)).keep_deadline == kept


async def test_so_does_one_that_a_person_says_arrived(shop: Shop) -> None:
    await stock(shop, "giffgaff", supplier="manual")
    order_id = await sold(shop)
    shop.seller.answers = [TopUpAnswer(TopUpStatus.UNKNOWN)]
    shop.seller.finds = [TopUpAnswer(TopUpStatus.UNKNOWN)] * 9
    await shop.work_for(hours=2)
    await shop.desk.act(f"order:{order_id}", Action.DELIVERED, OPERATOR, 1)
    assert await days_used(shop) == [(Activity.TOP_UP, TODAY)]
    assert (await line(shop)).keep_deadline == deadline(TODAY, 180, "UTC")


async def test_a_later_use_is_not_shortened(shop: Shop) -> None:
    await stock(shop, "EE")
    tomorrow = TODAY + timedelta(days=1)
    async with shop.database.write() as tx:
        await tx.activities.add(ActivityRow("m1", Activity.SMS, tomorrow, None, NOW))
    await sold(shop)
    await shop.fulfil()
    assert (await line(shop)).keep_deadline == deadline(tomorrow, 179, "UTC")


async def test_a_code_is_no_use_before_it_is_typed_in(shop: Shop) -> None:
    await stock(shop, "giffgaff")
    shop.seller.answers = [TopUpAnswer(TopUpStatus.SUCCEEDED, "s1", pin="1234")]
    await sold(shop)
    await shop.fulfil()
    assert await days_used(shop) == []
    assert (await line(shop)).keep_deadline is None


async def test_airtime_without_days_lasts_as_long_as_the_rule_says(shop: Shop) -> None:
    await stock(shop, "Smart", expiry=days(3))
    await sold(shop)
    await shop.fulfil()
    kept = await line(shop)
    assert kept.expiry == deadline(TODAY, 365, "UTC")
    assert kept.keep_deadline is None


async def test_days_that_were_paid_for_are_not_counted_shorter_later(shop: Shop) -> None:
    await stock(shop, "T-Mobile US", country="US", expiry=days(20))
    await sold(shop, days=30)
    await shop.fulfil()
    assert (await line(shop)).expiry == days(50)
    assert await days_used(shop) == [(Activity.TOP_UP, TODAY)]
    keeping = Keeping(shop.database, shop.clock, packs())
    await keeping.record(await line(shop), Activity.PLAN, TODAY)
    moved = (await line(shop)).expiry
    assert moved is not None
    assert moved >= days(50)


async def test_what_its_carrier_does_not_count_moves_nothing(shop: Shop) -> None:
    await stock(shop, "Three UK")
    await sold(shop)
    await shop.fulfil()
    assert (await line(shop)).keep_deadline is None
