"""The main job: balance, plan, price, payment, top-up, proof, receipt."""

from tests.flows.people import Town
from tests.flows.steps import BOOM, US_CARD


async def test_a_customer_renews_with_stars_and_gets_the_proof(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await emma.press("My SIMs")
    await emma.press("US Data Card")
    await emma.find("Source: supplier")
    await emma.press("Renew")
    await emma.press("USA 5 GB")
    quote = await emma.find("Your price")
    assert "Telegram Stars: 655 ⭐" in quote["text"]
    await emma.press("Pay 655")
    assert (await emma.pay())["status"] == "paid"
    receipt = await emma.find("Renewed and checked on the SIM")
    assert receipt["message_id"] == quote["message_id"], "one message is edited to the receipt"
    assert "Data left" in receipt["text"]
    assert place.topups(US_CARD) == 1
    assert len(place.demo.world.charges) == 1


async def test_the_same_in_chinese(place: Town) -> None:
    lin = place.zh
    await lin.say("/start")
    await lin.press("我的 SIM")
    await lin.press("boom eSIM")
    await lin.press("续费")
    await lin.press("日本 5 GB")
    await lin.press("支付")
    assert (await lin.pay())["status"] == "paid"
    await lin.find("已续费")
    assert place.topups(BOOM) == 1


async def test_a_declined_sheet_charges_nothing_and_the_order_waits(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await emma.press("US Data Card")
    await emma.press("USA 1 GB · 30")
    await emma.press("Pay")
    assert (await emma.pay(decline=True))["status"] == "declined_by_person"
    again = await emma.say("/start")
    assert "Waiting for your payment" in again["text"]
    assert (await emma.pay())["status"] == "paid"
    await emma.find("Renewed and checked")


async def test_a_second_payment_of_the_same_invoice_is_refused(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await emma.press("US Data Card")
    await emma.press("USA 5 GB")
    await emma.press("Pay")
    assert (await emma.pay())["status"] == "paid"
    second = await emma.pay()
    assert second["status"] == "declined"
    assert "paid already" in second["error_message"]
    assert place.topups(US_CARD) == 1


async def test_a_cancelled_order_cannot_be_paid(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await emma.press("US Data Card")
    await emma.press("USA 5 GB")
    await emma.press("Pay")
    await emma.press("Cancel the order")
    await emma.find("Nothing was charged")
    assert (await emma.pay())["status"] == "declined"


async def test_an_old_price_is_not_charged(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await emma.press("US Data Card")
    await emma.press("USA 5 GB")
    await place.advance(minutes=20)
    answer = await emma.press("Pay")
    assert "expired" in answer["answer"]["text"]
    assert answer["answer"]["show_alert"]
    await emma.find("Renew US Data Card")


async def test_a_voucher_pays_its_plan_once(place: Town) -> None:
    emma, lin = place.en, place.zh
    await emma.say("/renew")
    await emma.press("US Data Card")
    await emma.press("USA 5 GB")
    await emma.press("Use a voucher")
    await emma.say("not a code")
    await emma.find("don't know this voucher")
    await emma.say("xvka-vs5g-4t9x-j6rw")
    await emma.find("Renewed and checked")
    assert place.topups(US_CARD) == 1
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("日本 5 GB")
    await lin.press("充值券")
    await lin.say("XVKA-VS5G-4T9X-J6RW")
    assert place.topups(BOOM) == 0


async def test_an_open_amount_is_asked_for_and_sent_to_the_number(place: Town) -> None:
    lin = place.zh
    await lin.say("/renew")
    await lin.press("Smart")
    await lin.press("Smart")
    await lin.say("75")
    await lin.say("100")
    await lin.press("支付")
    assert (await lin.pay())["status"] == "paid"
    [transfer] = place.demo.suppliers.dingconnect.transfers
    assert transfer.account.endswith("6543")
    await lin.find("收据")


async def test_a_lost_answer_is_asked_about_and_never_repeated(place: Town) -> None:
    emma = place.en
    await place.fault("esim_access.timeout_after_success", times=1)
    await emma.say("/renew")
    await emma.press("US Data Card")
    await emma.press("USA 5 GB")
    await emma.press("Pay")
    await emma.pay()
    await place.advance(minutes=10)
    await emma.find("Renewed and checked")
    assert place.topups(US_CARD) == 1


async def test_a_refused_top_up_is_paid_back_by_itself(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await emma.press("US Data Card")
    await emma.press("USA 5 GB")
    await place.fault("esim_access.wallet_empty", on=True)  # before, nothing would be sold
    await emma.press("Pay")
    await emma.pay()
    await emma.find("went back")
    [charge] = place.demo.world.charges.values()
    assert charge.refunded_at is not None
    assert place.topups(US_CARD) == 0
