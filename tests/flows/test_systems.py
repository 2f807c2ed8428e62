"""Every system that users come with: read, renewed and verified, in both languages."""

import pytest

from bot.demo.tryout import ATT_NUMBER, CHINA_NUMBER, STOCK, UNICOM_NUMBER
from tests.flows.people import Person, Town, labels

GRACE, US_AIRALO = STOCK[4], STOCK[5]


async def claim(person: Person, iccid: str, code: str) -> None:
    """Add a SIM of the shop with its claim code."""
    await person.say(iccid)
    await person.say(code)


async def to_card(person: Person) -> None:
    """Answer the questions about a number's dates as briefly as can be."""
    for _ in range(8):
        shown = labels(await person.last())
        for answer in ("Use this rule", "7 days ago", "30 days", "I don't know", "No grace"):
            if any(answer in label for label in shown):
                await person.press(answer)
                break
        else:
            break
    await person.find("Source:")


async def renew(person: Person, plan: str, *, pay: str = "Pay ") -> None:
    """From the SIM's card to the receipt, paying with Stars."""
    await person.press(plan)
    await person.press(pay)
    assert (await person.pay())["status"] == "paid"


async def test_boom_esim_in_its_grace_period_by_airalo(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await claim(emma, GRACE.iccid, GRACE.claim_code)
    await emma.find("Expired, in its grace period")
    await emma.press("Renew")
    await renew(emma, "Japan 5 GB")
    await place.advance(hours=1)
    receipt = await emma.find("Renewed and checked on the SIM")
    assert "→" in receipt["text"]
    assert len(place.demo.suppliers.airalo.orders) == 1


async def test_boom_esim_in_its_grace_period_in_chinese(place: Town) -> None:
    lin = place.zh
    await lin.say("/start")
    await claim(lin, GRACE.iccid, GRACE.claim_code)
    await lin.find("宽限期")
    await lin.press("续费")
    await renew(lin, "日本 1 GB", pay="支付")
    await place.advance(hours=1)
    await lin.find("已续费，并在 SIM 卡上核实")


async def test_us_data_card_by_airalo(place: Town) -> None:
    lin = place.zh
    await lin.say("/start")
    await claim(lin, US_AIRALO.iccid, US_AIRALO.claim_code)
    card = await lin.find("US Data Card")
    assert "2 GB" in card["text"]
    await lin.press("续费")
    await renew(lin, "美国 5 GB", pay="支付")
    await place.advance(hours=1)
    await lin.find("已续费，并在 SIM 卡上核实")


@pytest.mark.parametrize(
    ("number", "carrier", "plan", "amount"),
    [
        (CHINA_NUMBER, "China Mobile", "China Mobile CNY 50", None),
        (UNICOM_NUMBER, "China Unicom", "China Unicom airtime", "50"),
        (ATT_NUMBER, "AT&T US", "AT&T $100", None),
    ],
)
async def test_a_prepaid_number_is_found_and_topped_up(
    place: Town, number: str, carrier: str, plan: str, amount: str | None
) -> None:
    emma = place.en
    await emma.say("/start")
    await emma.say(number)
    await emma.press(carrier)
    await to_card(emma)
    await emma.press("Renew")
    await emma.press(plan)
    if amount is not None:
        await emma.say(amount)
    quote = await emma.find("Your price")
    assert "unlimited" not in quote["text"], "no GB is promised where only money is sent"
    await emma.press("Pay ")
    assert (await emma.pay())["status"] == "paid"
    receipt = await emma.find("confirmed by the network")
    assert "Network's confirmation" in receipt["text"]


async def test_a_smart_number_gets_the_amount_it_asks_for(place: Town) -> None:
    lin = place.zh
    await lin.say("/renew")
    await lin.press("Smart")
    await lin.press("Smart 话费充值")
    await lin.say("200")
    await lin.press("支付")
    assert (await lin.pay())["status"] == "paid"
    [transfer] = place.demo.suppliers.dingconnect.transfers
    assert int(transfer.receive) == 200
    assert transfer.account.endswith("6543")
    await lin.find(r"OP\d+")


async def test_tmobile_airtime_says_what_it_pays_for(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await emma.press("T-Mobile US")
    plans = await emma.find("Renew T-Mobile US")
    assert "check that the plan has renewed" in plans["text"]
    await renew(emma, "T-Mobile $25")
    receipt = await emma.find("confirmed by the network")
    assert "check that the plan has renewed" in receipt["text"]
    [topup] = place.demo.suppliers.reloadly.topups
    assert topup.number.endswith("3055550142")


async def test_a_code_product_shows_its_code(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await emma.say(ATT_NUMBER)
    await emma.press("AT&T US")
    await to_card(emma)
    await emma.press("Renew")
    await renew(emma, "AT&T $25 · as a code")
    receipt = await emma.find("Your code is here")
    [transfer] = place.demo.suppliers.dingconnect.transfers
    assert transfer.pin is not None
    assert transfer.pin in receipt["text"]


async def test_a_top_up_taken_back_later_reaches_a_person(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await place.fault("reloadly.refunded_later", times=1)
    await emma.say("/renew")
    await emma.press("T-Mobile US")
    await renew(emma, "T-Mobile $15")
    await emma.find("confirmed by the network")
    await place.advance(hours=30)
    await owner.find("店家|供应商|充值")
    await emma.find("Someone at our shop")


async def test_an_expired_esim_of_esim_access_offers_a_new_one(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await place.advance(days=13)
    await emma.say("/renew")
    await emma.press("US Data Card")
    shut = await emma.last()
    assert shut["text"].count("has expired") == 1, "the reason is said once"
    await emma.press("Ask for a new eSIM")
    await emma.find("is with our shop")
    await owner.find("I need a new eSIM in place of US Data Card")
