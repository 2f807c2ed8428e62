"""Subscriptions in Stars in the stand-in: begun by a link, charged each 30 days, stopped."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram import Bot, LabeledPrice, TransactionPartnerUser

from bot.demo.world import World
from tests.contract.botapi_paying import INVOICE, agreed, told
from tests.contract.botapi_server import EMMA, XIAOYU, StandIn

PERIOD = 30 * 24 * 3600
DAY = 24 * 3600


async def link_of(tg: StandIn, **changed: Any) -> str:
    params = {**INVOICE, "subscription_period": PERIOD, **changed}
    return str((await tg.call("createInvoiceLink", **params))["result"])


async def subscribed(tg: StandIn) -> str:
    """林小雨 pays 100 Stars every 30 days; the charge that began it."""
    return str((await agreed(tg, link=await link_of(tg)))["charge_id"])


async def of(tg: StandIn, person: int = XIAOYU) -> list[dict[str, Any]]:
    answer = await tg.http.get(f"/people/{person}/subscriptions")
    found: list[dict[str, Any]] = answer.json()
    return found


async def change(tg: StandIn, charge: str, cancelled: bool, person: int = XIAOYU) -> dict[str, Any]:
    body = {"id": charge, "cancelled": cancelled}
    answer = await tg.http.post(f"/people/{person}/subscriptions", json=body)
    changed: dict[str, Any] = answer.json()
    return changed


def stars(tg: StandIn) -> int:
    return tg.world.people[XIAOYU].stars


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"subscription_period": 86400}, "SUBSCRIPTION_PERIOD_INVALID"),
        ({"currency": "USD"}, "PAYMENT_PROVIDER_INVALID"),
        ({"prices": [{"label": "a", "amount": 10_001}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
    ],
)
async def test_what_a_subscription_may_not_be(
    tg: StandIn, changed: dict[str, Any], text: str
) -> None:
    params = {**INVOICE, "subscription_period": PERIOD, **changed}
    assert await tg.refused("createInvoiceLink", **params) == f"Bad Request: {text}"


async def test_only_a_link_begins_one(tg: StandIn) -> None:
    params = {"chat_id": XIAOYU, **INVOICE, "subscription_period": PERIOD}
    text = await tg.refused("sendInvoice", **params)
    assert "subscription_period" in text


async def test_it_is_charged_again_each_period(tg: StandIn, bot: Bot) -> None:
    link = await bot.create_invoice_link(
        "30 days", "5 GB", "order-1", "XTR", [LabeledPrice("30 days", 100)],
        subscription_period=PERIOD,
    )  # fmt: skip
    began = tg.world.unix_time()
    charge = (await agreed(tg, link=link))["charge_id"]
    tg.world.clock.advance(29 * DAY)
    assert len(told(tg)) == 1
    tg.world.clock.advance(2 * DAY)
    tg.world.clock.advance(61 * DAY)
    payments = told(tg)
    assert stars(tg) == 50_000 - 400
    assert [payment.get("is_first_recurring") for payment in payments] == [True, None, None, None]
    assert all(payment["is_recurring"] for payment in payments)
    assert len({payment["telegram_payment_charge_id"] for payment in payments}) == 4
    assert payments[0]["telegram_payment_charge_id"] == charge
    ends = [payment["subscription_expiration_date"] - began for payment in payments]
    assert [round(end / PERIOD, 3) for end in ends] == [1, 2, 3, 4]
    rows = (await bot.get_star_transactions()).transactions
    assert [row.id for row in rows] == [each["telegram_payment_charge_id"] for each in payments]
    sources = [row.source for row in rows]
    assert all(isinstance(source, TransactionPartnerUser) for source in sources)
    assert {getattr(each, "subscription_period", None) for each in sources} == {timedelta(days=30)}


async def test_without_stars_it_ends(tg: StandIn) -> None:
    await subscribed(tg)
    tg.world.people[XIAOYU].stars = 99
    tg.world.clock.advance(31 * DAY)
    tg.world.people[XIAOYU].stars = 1000
    tg.world.clock.advance(31 * DAY)
    assert len(told(tg)) == 1
    [shown] = await of(tg)
    assert (shown["active"], shown["renews"]) == (False, False)


async def test_the_person_stops_it_and_takes_it_up_again(tg: StandIn) -> None:
    charge = await subscribed(tg)
    stopped = await change(tg, charge, cancelled=True)
    assert (stopped["active"], stopped["renews"]) == (True, False)
    assert (await change(tg, charge, cancelled=False))["renews"] is True
    tg.world.clock.advance(31 * DAY)
    assert len(told(tg)) == 2
    await change(tg, charge, cancelled=True)
    tg.world.clock.advance(62 * DAY)
    assert len(told(tg)) == 2
    assert (await change(tg, charge, cancelled=False))["error"] == "this subscription has ended"


async def test_nobody_touches_anothers(tg: StandIn) -> None:
    charge = await subscribed(tg)
    assert (await change(tg, charge, True, EMMA))["error"] == "no such subscription"
    assert await of(tg, EMMA) == []
    params = {"user_id": EMMA, "telegram_payment_charge_id": charge, "is_canceled": True}
    text = await tg.refused("editUserStarSubscription", **params)
    assert text == "Bad Request: CHARGE_NOT_FOUND"


async def test_what_the_bot_stops_the_person_takes_up_only_when_it_may(
    tg: StandIn, bot: Bot
) -> None:
    charge = await subscribed(tg)
    assert await bot.edit_user_star_subscription(XIAOYU, charge, True)
    assert (await change(tg, charge, cancelled=False))["ok"] is False
    assert await bot.edit_user_star_subscription(XIAOYU, charge, False)
    assert (await of(tg))[0]["renews"] is False
    assert (await change(tg, charge, cancelled=False))["renews"] is True
    await bot.edit_user_star_subscription(XIAOYU, charge, True)
    tg.world.clock.advance(31 * DAY)
    assert len(told(tg)) == 1
    params = {"user_id": XIAOYU, "telegram_payment_charge_id": charge, "is_canceled": True}
    text = await tg.refused("editUserStarSubscription", **params)
    assert text == "Bad Request: SUBSCRIPTION_NOT_ACTIVE"


async def test_a_refund_gives_one_charge_back_and_the_next_one_comes(tg: StandIn, bot: Bot) -> None:
    await subscribed(tg)
    tg.world.clock.advance(31 * DAY)
    second = told(tg)[1]["telegram_payment_charge_id"]
    assert await bot.refund_star_payment(XIAOYU, second)
    assert stars(tg) == 50_000 - 100
    tg.world.clock.advance(30 * DAY)
    assert stars(tg) == 50_000 - 200


async def test_a_link_shows_its_invoice_and_is_paid_once_for_the_same_days(tg: StandIn) -> None:
    link = await link_of(tg)
    path = f"/people/{XIAOYU}/invoice"
    before = (await tg.http.get(path, params={"link": link})).json()
    assert before["invoice"]["total_amount"] == 100
    assert (before["subscription_period"], before["subscription"]) == (PERIOD, None)
    charge = (await agreed(tg, link=link))["charge_id"]
    after = (await tg.http.get(path, params={"link": link})).json()
    assert (after["subscription"]["id"], after["subscription"]["renews"]) == (charge, True)
    again = await tg.act(XIAOYU, "pay", link=link)
    assert again == {"ok": False, "status": "subscribed_already"}
    assert (await agreed(tg, EMMA, link=link))["status"] == "paid"
    wrong = await tg.http.get(path, params={"link": "https://t.me/$nothing"})
    assert wrong.status_code == 404


async def test_a_saved_one_goes_on(tg: StandIn, tmp_path: Path) -> None:
    link = await link_of(tg)
    await agreed(tg, link=link)
    tg.world.save(tmp_path / "world.json")
    again = World.load(tmp_path / "world.json")
    [kept] = again.subscriptions.values()
    assert kept.invoice is again.invoice_links[link]
    again.clock.advance(31 * DAY)
    assert again.people[XIAOYU].stars == 50_000 - 200
