"""Invoices by a provider token in the stand-in: currencies and their limits, cards, receipts."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Bot, LabeledPrice

from bot.demo.botapi.models import PROVIDER_TOKEN
from tests.contract.botapi_paying import INVOICE, agreed, told
from tests.contract.botapi_server import XIAOYU, StandIn

FIAT: dict[str, Any] = {
    **INVOICE,
    "provider_token": PROVIDER_TOKEN,
    "currency": "USD",
    "prices": [{"label": "30 days", "amount": 550}, {"label": "Promo", "amount": -50}],
}


async def invoice_in(tg: StandIn, **changed: Any) -> int:
    answer = await tg.call("sendInvoice", **{"chat_id": XIAOYU, **FIAT, **changed})
    assert answer["ok"], answer
    return int(answer["result"]["message_id"])


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"provider_token": ""}, "PAYMENT_PROVIDER_INVALID"),
        ({"provider_token": "1:LIVE:other"}, "PAYMENT_PROVIDER_INVALID"),
        ({"currency": "XTR"}, "PAYMENT_PROVIDER_INVALID"),
        ({"currency": "XAU"}, "CURRENCY_INVALID"),
        ({"prices": [{"label": "a", "amount": 99}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": [{"label": "a", "amount": 1_000_001}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": []}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
    ],
)
async def test_what_an_invoice_in_a_currency_may_not_be(
    tg: StandIn, changed: dict[str, Any], text: str
) -> None:
    params = {"chat_id": XIAOYU, **FIAT, **changed}
    assert await tg.refused("sendInvoice", **params) == f"Bad Request: {text}"


async def test_a_card_pays_and_the_provider_names_it(tg: StandIn, bot: Bot) -> None:
    sent = await bot.send_invoice(
        XIAOYU, "30 days", "5 GB", "order-1", "JPY", [LabeledPrice("30 days", 500)],
        provider_token=PROVIDER_TOKEN,
    )  # fmt: skip
    paid = await agreed(tg, message_id=sent.message_id)
    assert (paid["status"], paid["stars"]) == ("paid", 50_000)
    [payment] = told(tg)
    assert (payment["currency"], payment["total_amount"]) == ("JPY", 500)
    assert payment["telegram_payment_charge_id"] == paid["charge_id"]
    assert payment["provider_payment_charge_id"] not in ("", paid["charge_id"])
    shown = next(m for m in await tg.messages(XIAOYU) if m["message_id"] == sent.message_id)
    assert shown["x"]["invoice"]["currency"] == "JPY"
    assert shown["x"]["invoice"]["charge_ids"] == [paid["charge_id"]]


async def test_the_parts_of_a_price_are_summed(tg: StandIn) -> None:
    await agreed(tg, message_id=await invoice_in(tg))
    assert [payment["total_amount"] for payment in told(tg)] == [500]


async def test_a_declined_card_pays_nothing_and_the_next_one_does(tg: StandIn) -> None:
    message_id = await invoice_in(tg)
    declined = await agreed(tg, message_id=message_id, card="declined")
    assert declined == {"ok": False, "status": "card_declined"}
    assert told(tg) == []
    assert (await agreed(tg, message_id=message_id))["status"] == "paid"
    other = await tg.act(XIAOYU, "pay", message_id=message_id, card="stolen")
    assert other["error"] == "there is no such card"


async def test_stars_know_nothing_of_what_a_card_paid(tg: StandIn) -> None:
    charge = (await agreed(tg, message_id=await invoice_in(tg)))["charge_id"]
    assert (await tg.call("getStarTransactions"))["result"] == {"transactions": []}
    assert (await tg.call("getMyStarBalance"))["result"] == {"amount": 0}
    refund = {"user_id": XIAOYU, "telegram_payment_charge_id": charge}
    assert await tg.refused("refundStarPayment", **refund) == "Bad Request: CHARGE_NOT_FOUND"
