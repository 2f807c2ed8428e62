"""Telegram Stars in the stand-in: invoices, the ten seconds, charges, refunds, accounts.

What is paid by card or every month is in test_botapi_cards.py and test_botapi_subscriptions.py.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from telegram import Bot, LabeledPrice, PreCheckoutQuery
from telegram.error import BadRequest

from bot.demo.botapi.errors import QUERY_TOO_OLD
from bot.demo.cast import GROUP_ID
from tests.contract.botapi_server import EMMA, XIAOYU, StandIn

INVOICE = {
    "title": "30 days",
    "description": "5 GB for 30 days",
    "payload": "order-1",
    "currency": "XTR",
    "prices": [{"label": "30 days", "amount": 100}],
}


async def query_of(bot: Bot) -> PreCheckoutQuery:
    """The pre-checkout query at the end of the updates."""
    for _ in range(100):
        updates = await bot.get_updates(timeout=1)
        if updates and updates[-1].pre_checkout_query:
            return updates[-1].pre_checkout_query
        await asyncio.sleep(0.01)
    raise AssertionError("no pre-checkout query came")


async def invoice_in(tg: StandIn, chat_id: int = XIAOYU, **more: Any) -> int:
    answer = await tg.call("sendInvoice", chat_id=chat_id, **INVOICE, **more)
    assert answer["ok"], answer
    return int(answer["result"]["message_id"])


async def pay(tg: StandIn, bot: Bot, message_id: int, person: int = XIAOYU) -> Any:
    """A whole payment that the bot accepts."""
    paying = asyncio.create_task(tg.act(person, "pay", message_id=message_id))
    await (await query_of(bot)).answer(True)
    return await paying


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"title": "a" * 33}, "INVOICE_TITLE_INVALID"),
        ({"title": ""}, "INVOICE_TITLE_INVALID"),
        ({"description": "a" * 256}, "INVOICE_DESCRIPTION_INVALID"),
        ({"payload": ""}, "INVOICE_PAYLOAD_INVALID"),
        ({"payload": "续" * 43}, "INVOICE_PAYLOAD_INVALID"),
        ({"prices": []}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "a", "amount": 1}] * 2}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "a", "amount": 0}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"provider_token": "123:TEST"}, "PAYMENT_PROVIDER_INVALID"),
        ({"currency": "USD"}, "PAYMENT_PROVIDER_INVALID"),
        ({"max_tip_amount": 5}, 'parameter "max_tip_amount" is not known to this stand-in'),
        ({"need_email": True}, 'parameter "need_email" is not known to this stand-in'),
    ],
)
async def test_what_an_invoice_in_stars_may_not_be(
    tg: StandIn, changed: dict[str, Any], text: str
) -> None:
    params = {"chat_id": XIAOYU, **INVOICE, **changed}
    assert await tg.refused("sendInvoice", **params) == f"Bad Request: {text}"


async def test_a_payment_from_invoice_to_receipt(tg: StandIn, bot: Bot) -> None:
    sent = await bot.send_invoice(
        XIAOYU, "30 days", "5 GB", "order-1", "XTR", [LabeledPrice("30 days", 100)]
    )
    assert sent.invoice is not None
    assert (sent.invoice.total_amount, sent.invoice.currency) == (100, "XTR")
    paying = asyncio.create_task(tg.act(XIAOYU, "pay", message_id=sent.message_id))
    query = await query_of(bot)
    assert (query.invoice_payload, query.total_amount) == ("order-1", 100)
    await query.answer(True)
    paid = await paying
    assert (paid["status"], paid["stars"]) == ("paid", 50_000 - 100)
    message = (await bot.get_updates())[-1].message
    assert message is not None
    assert message.successful_payment is not None
    assert message.successful_payment.telegram_payment_charge_id == paid["charge_id"]
    invoice = next(m for m in await tg.messages(XIAOYU) if m["message_id"] == sent.message_id)
    assert invoice["x"]["invoice"]["charge_ids"] == [paid["charge_id"]]
    assert (await tg.call("getMyStarBalance"))["result"] == {"amount": 100}


async def test_an_invoice_pays_as_often_as_it_is_pressed(tg: StandIn, bot: Bot) -> None:
    message_id = await invoice_in(tg)
    charges = {(await pay(tg, bot, message_id))["charge_id"] for _ in range(3)}
    assert len(charges) == 3
    assert tg.world.people[XIAOYU].stars == 50_000 - 300


async def test_the_bot_declines(tg: StandIn, bot: Bot) -> None:
    message_id = await invoice_in(tg)
    paying = asyncio.create_task(tg.act(XIAOYU, "pay", message_id=message_id))
    query = await query_of(bot)
    text = await tg.refused("answerPreCheckoutQuery", pre_checkout_query_id=query.id, ok=False)
    assert text == 'Bad Request: parameter "error_message" is required'
    await query.answer(False, error_message="sold out")
    assert await paying == {"ok": False, "status": "declined", "error_message": "sold out"}
    assert tg.world.charges == {}


async def test_a_late_answer_charges_nothing(tg: StandIn, bot: Bot) -> None:
    tg.world.precheckout_seconds = 0.1
    message_id = await invoice_in(tg)
    assert await tg.act(XIAOYU, "pay", message_id=message_id) == {
        "ok": False,
        "status": "timed_out",
    }
    query = await query_of(bot)
    with pytest.raises(BadRequest, match="Query is too old"):
        await query.answer(True)
    assert tg.world.people[XIAOYU].stars == 50_000


async def test_a_query_is_answered_once(tg: StandIn, bot: Bot) -> None:
    message_id = await invoice_in(tg)
    paying = asyncio.create_task(tg.act(XIAOYU, "pay", message_id=message_id))
    query = await query_of(bot)
    await query.answer(True)
    params = {"pre_checkout_query_id": query.id, "ok": True}
    text = await tg.refused("answerPreCheckoutQuery", **params)
    assert text == f"Bad Request: {QUERY_TOO_OLD}"
    assert (await paying)["ok"] is True
    assert len(tg.world.charges) == 1


async def test_nobody_pays_what_they_do_not_have_or_want(tg: StandIn) -> None:
    message_id = await invoice_in(tg)
    declined = await tg.act(XIAOYU, "pay", message_id=message_id, decline=True)
    assert declined["status"] == "declined_by_person"
    tg.world.people[XIAOYU].stars = 99
    poor = await tg.act(XIAOYU, "pay", message_id=message_id)
    assert poor == {"ok": False, "status": "insufficient_stars", "stars": 99}
    assert not any(u.kind == "pre_checkout_query" for u in tg.world.updates.pending)
    assert (await tg.act(XIAOYU, "pay", message_id=1))["error"] == "there is no invoice to pay"


async def test_refunds(tg: StandIn, bot: Bot) -> None:
    charge = (await pay(tg, bot, await invoice_in(tg)))["charge_id"]
    with pytest.raises(BadRequest, match="Charge_not_found"):
        await bot.refund_star_payment(EMMA, charge)
    assert await bot.refund_star_payment(XIAOYU, charge)
    with pytest.raises(BadRequest, match="Charge_already_refunded"):
        await bot.refund_star_payment(XIAOYU, charge)
    message = (await bot.get_updates())[-1].message
    assert message is not None
    assert message.refunded_payment is not None
    assert message.refunded_payment.telegram_payment_charge_id == charge
    assert tg.world.people[XIAOYU].stars == 50_000
    transactions = (await bot.get_star_transactions()).transactions
    assert [(t.id, t.source is None, t.receiver is None) for t in transactions] == [
        (charge, False, True),
        (charge, True, False),
    ]
    assert len((await bot.get_star_transactions(offset=1, limit=1)).transactions) == 1


async def test_links_to_invoices(tg: StandIn, bot: Bot) -> None:
    link = await bot.create_invoice_link(
        "30 days", "5 GB", "order-2", "XTR", [LabeledPrice("30 days", 7)]
    )
    paying = asyncio.create_task(tg.act(XIAOYU, "pay", link=link))
    await (await query_of(bot)).answer(True)
    assert (await paying)["status"] == "paid"


async def test_the_pay_button_stands_first_and_only_on_invoices(tg: StandIn) -> None:
    pay_row, other = [{"text": "Pay", "pay": True}], [{"text": "Back", "callback_data": "b"}]
    markup = {"inline_keyboard": [pay_row, other]}
    message_id = await invoice_in(tg, reply_markup=markup)
    pressed = await tg.act(XIAOYU, "press", message_id=message_id, text="Pay")
    assert pressed == {"ok": True, "pay": True}
    for wrong in ([other, pay_row], [other]):
        text = await tg.refused(
            "sendInvoice", chat_id=XIAOYU, **INVOICE, reply_markup={"inline_keyboard": wrong}
        )
        assert text == "Bad Request: BUTTON_TYPE_INVALID"
    text = await tg.refused("sendMessage", chat_id=XIAOYU, text="x", reply_markup=markup)
    assert text == "Bad Request: BUTTON_TYPE_INVALID"


@pytest.mark.parametrize("start_parameter", ["", "order-1"])
async def test_a_forwarded_invoice(tg: StandIn, bot: Bot, start_parameter: str) -> None:
    message_id = await invoice_in(tg, start_parameter=start_parameter)
    await tg.act(XIAOYU, "forward", message_id=message_id, to_chat_id=GROUP_ID)
    shown = await tg.last(EMMA, GROUP_ID)
    if start_parameter:
        url = "https://t.me/xuka_demo_bot?start=order-1"
        assert shown["reply_markup"]["inline_keyboard"][0][0]["url"] == url
        refused = await tg.act(EMMA, "pay", GROUP_ID, message_id=shown["message_id"])
        assert refused["ok"] is False
    else:
        paying = asyncio.create_task(tg.act(EMMA, "pay", GROUP_ID, message_id=shown["message_id"]))
        await (await query_of(bot)).answer(True)
        assert (await paying)["status"] == "paid"
