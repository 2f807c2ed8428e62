"""Paying in every order and by every finger: one order, one charge, one top-up."""

import asyncio
import time

from bot.demo.botapi.payments import _charge as charge_without_asking
from bot.demo.botapi.payments import pay
from tests.flows.people import GROUP, Person, Town
from tests.flows.steps import (
    RECEIPT,
    US_CARD,
    VOUCHER_BOOM,
    VOUCHER_US,
    to_invoice,
    to_quote,
)


async def late_money(place: Town, person: Person, invoice: int) -> None:
    """Telegram takes the money of an invoice that was approved long ago."""
    world = place.demo.world
    stored = world.message(person.id, invoice)
    assert stored is not None
    assert stored.invoice is not None
    charge_without_asking(world, world.people[person.id], stored.invoice)
    await person.idle()


async def test_an_unpaid_order_comes_first_and_a_new_one_replaces_it(place: Town) -> None:
    emma = place.en
    await to_invoice(emma, "USA 1 GB · 30")
    [first] = await emma.invoices()
    assert "Waiting for your payment" in (await emma.say("/start"))["text"]
    assert "Waiting for your payment" in (await emma.say("/renew"))["text"]
    await emma.say("/sims")
    await emma.press("US Data Card")
    await emma.press("Renew")
    await emma.press("USA 5 GB")
    await emma.press("Pay ")
    refused = await emma.pay(invoice=first)
    assert refused["status"] == "declined"
    assert "cancelled" in refused["error_message"]
    assert (await emma.pay())["status"] == "paid"
    await emma.find(RECEIPT)
    assert place.topups(US_CARD) == place.kept() == 1


async def test_from_stars_to_a_voucher_and_back(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    await emma.press("Other way to pay")
    await emma.press("Use a voucher")
    await emma.say(VOUCHER_BOOM)
    await emma.find("for another plan")
    await emma.press("Back")
    await emma.press("Show invoice")
    first, second = await emma.invoices()
    assert (await emma.pay(invoice=first))["status"] == "paid"
    await emma.find(RECEIPT)
    refused = await emma.pay(invoice=second)
    assert "paid already" in refused["error_message"]
    assert place.topups(US_CARD) == place.kept() == 1


async def test_an_invoice_is_no_use_once_a_voucher_has_paid(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    await emma.press("Other way to pay")
    await emma.press("Use a voucher")
    await emma.say(VOUCHER_US)
    await emma.find(RECEIPT)
    assert "paid already" in (await emma.pay())["error_message"]
    await to_quote(emma)
    await emma.press("Use a voucher")
    await emma.say(VOUCHER_US)
    await emma.find("was used before")
    assert place.topups(US_CARD) == 1
    assert place.kept() == 0


async def test_two_devices_press_pay_and_one_invoice_is_shown(place: Town) -> None:
    emma = place.en
    await to_quote(emma)
    await emma.press_many("Pay ", 2)
    assert len(await emma.invoices()) == 1
    await emma.press("Show invoice")
    assert len(await emma.invoices()) == 2


async def test_twenty_fingers_on_every_button_of_the_price(place: Town) -> None:
    emma = place.en
    place.demo.world.limits.enabled = True
    message_id = await to_quote(emma)
    buttons = ("Pay ", "Use a voucher", "Other plan")
    data = [place.data_of(emma, label) for label in buttons]
    taps = [place.tap(emma, message_id, one) for one in data for _ in range(20)]
    answers = await asyncio.gather(*taps)
    assert all(answer is not None for answer in answers)
    [(orders,)] = place.rows("select count(*) from orders")
    assert orders == 1
    await place.tap(emma, message_id, data[0])
    invoices = await emma.invoices()
    paid = await asyncio.gather(*(emma.pay(invoice=one) for one in invoices for _ in range(4)))
    assert any(one["status"] == "paid" for one in paid)
    await emma.idle()
    await place.advance(minutes=2)
    assert place.topups(US_CARD) == place.kept() == 1
    assert await emma.count(RECEIPT) == 1


async def test_two_invoices_of_one_order_paid_at_the_same_time(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    await emma.press("Show invoice")
    first, second = await emma.invoices()
    await late_money(place, emma, first)
    await late_money(place, emma, second)
    await place.advance(minutes=2)
    assert len(place.demo.world.charges) == 2
    assert place.topups(US_CARD) == place.kept() == 1
    await emma.find(RECEIPT)


async def test_somebody_else_cannot_pay_a_forwarded_invoice(place: Town) -> None:
    emma, boss = place.en, place.admin
    await to_invoice(emma)
    [invoice] = await emma.invoices()
    copy = await emma.post("forward", {"message_id": invoice, "to_chat_id": GROUP})
    opened = await boss.post("press", {"message_id": copy["message_id"], "text": "Pay"}, GROUP)
    await boss.post("start", {"payload": opened["start"]})
    await boss.idle()
    assert "XK-" not in (await boss.last())["text"]
    # Should a client pay a copy all the same, the bot refuses it.
    stored = place.demo.world.message(emma.id, invoice)
    assert stored is not None
    assert stored.invoice is not None
    answer = await pay(place.demo.world, place.demo.world.people[boss.id], stored.invoice, None)
    assert answer["status"] == "declined"
    assert answer["error_message"] == "这张账单是开给别人的，没有扣款。"
    assert place.kept() == 0


async def test_a_pre_checkout_is_answered_while_others_hang(place: Town) -> None:
    emma, lin = place.en, place.zh
    await to_invoice(emma)
    await lin.say("/renew")
    await place.fault("esim_access.slow", on=True)
    message_id, text = await lin.button("boom eSIM")
    await lin.post("press", {"message_id": message_id, "text": text, "wait": False})
    started = time.monotonic()
    assert (await emma.pay_without_waiting())["status"] == "paid"
    assert time.monotonic() - started < 1.0
    await place.fault("esim_access.slow", on=False)
    await emma.idle()
    await emma.find(RECEIPT)
    await lin.find("给 boom eSIM .* 续费")


async def test_an_expired_price_is_declined_by_its_name(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    await place.advance(minutes=20)
    await emma.find("This price has expired and nothing was charged")
    refused = await emma.pay()
    assert refused["status"] == "declined"
    assert "price has expired" in refused["error_message"]


async def test_money_that_comes_late_is_honoured_at_an_unchanged_price(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    await place.advance(minutes=20)
    await late_money(place, emma, (await emma.invoices())[-1])
    await emma.find(RECEIPT)
    assert place.topups(US_CARD) == place.kept() == 1


async def test_money_that_comes_after_the_price_has_changed_goes_back(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    await place.advance(minutes=20)
    place.change("update plans set active = 0 where code = 'us-month-5'")
    await late_money(place, emma, (await emma.invoices())[-1])
    await emma.find("went back to where you paid from")
    assert place.topups(US_CARD) == place.kept() == 0


async def test_a_running_renewal_is_not_bought_again(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await to_invoice(emma, "T-Mobile 1 GB", "T-Mobile US")
    await emma.pay()
    await emma.find("tops it up by hand")
    await to_quote(emma, "T-Mobile $25", "T-Mobile US")
    answer = await emma.press("Pay ")
    assert "already paid and running" in answer["answer"]["text"]
    await emma.find("tops it up by hand")
    assert len(await emma.invoices()) == 1
