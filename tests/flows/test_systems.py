"""Every system that users come with: read, renewed and verified, in both languages."""

from dataclasses import dataclass

import pytest

from bot.demo.tryout import ATT_NUMBER, CHINA_NUMBER, STOCK, UNICOM_NUMBER
from tests.flows.people import Person, Town, labels
from tests.flows.steps import US_CARD

GRACE, US_AIRALO = STOCK[4], STOCK[5]


@dataclass(frozen=True)
class Tongue:
    """A person, and the words that they find on the way, in their language."""

    person: str
    renew: str
    pay: str
    valid: str
    price: str
    confirmed: str
    reference: str
    checked: str


ENGLISH = Tongue(
    "en", "Renew", "Pay ", "Valid until", "Your price",
    "confirmed by the network", "Network's confirmation", "Renewed and checked on the SIM",
)  # fmt: skip
CHINESE = Tongue(
    "zh", "续费", "支付", "有效期至", "请确认价格",
    "运营商已确认", "运营商确认号", "已续费，并在 SIM 卡上核实",
)  # fmt: skip
ANSWERS = (
    "Use this rule", "用这条规则", "7 days ago", "7 天前", "30 days", "30 天",
    "I don't know", "不清楚", "No grace", "没有宽限期",
)  # fmt: skip


async def claim(person: Person, iccid: str, code: str) -> None:
    """Add a SIM of the shop with its claim code."""
    await person.say(iccid)
    await person.say(code)


async def to_card(person: Person) -> None:
    """Answer the questions about a number's dates as briefly as can be."""
    for _ in range(8):
        shown = labels(await person.last())
        for answer in ANSWERS:
            if any(answer in label for label in shown):
                await person.press(answer)
                break
        else:
            break
    await person.find("Source:|来源：")


async def renew(person: Person, plan: str, *, words: Tongue = ENGLISH) -> None:
    """From the list of plans to the receipt, paying with Stars."""
    await person.press(plan)
    await person.press(words.pay)
    assert (await person.pay())["status"] == "paid"


@pytest.mark.parametrize(
    ("words", "grace", "plan"),
    [
        (ENGLISH, "Expired, in its grace period", "Japan 5 GB"),
        (CHINESE, "已到期，在宽限期内", "日本 5 GB"),
    ],
)
async def test_boom_esim_in_its_grace_period_by_airalo(
    place: Town, words: Tongue, grace: str, plan: str
) -> None:
    person: Person = getattr(place, words.person)
    await person.say("/start")
    await claim(person, GRACE.iccid, GRACE.claim_code)
    await person.find(grace)
    await person.press(words.renew)
    await renew(person, plan, words=words)
    await place.advance(hours=1)
    receipt = await person.find(words.checked)
    assert "→" in receipt["text"]
    assert len(place.demo.suppliers.airalo.orders) == 1


@pytest.mark.parametrize(
    ("words", "plan", "own"),
    [
        (ENGLISH, "USA 5 GB", "keeps its own end date"),
        (CHINESE, "美国 5 GB", "仍在原来的日期到期"),
    ],
)
async def test_us_data_card_by_airalo(place: Town, words: Tongue, plan: str, own: str) -> None:
    person: Person = getattr(place, words.person)
    await person.say("/start")
    await claim(person, US_AIRALO.iccid, US_AIRALO.claim_code)
    card = await person.find(words.valid)
    assert "2 GB" in card["text"]
    await person.press(words.renew)
    await person.press(plan)
    await person.find(own)
    await person.press(words.pay)
    assert (await person.pay())["status"] == "paid"
    await place.advance(hours=1)
    await person.find(words.checked)


Line = tuple[Tongue, str, str, str, str | None]
"""Whose it is, the number, its carrier, a plan, and the amount where one is chosen."""


@pytest.mark.parametrize(
    "lines",
    [
        [
            (ENGLISH, CHINA_NUMBER, "China Mobile", "China Mobile CNY 50", None),
            (CHINESE, "+8613800138001", "中国移动", "中国移动 50 元", None),
        ],
        [
            (ENGLISH, UNICOM_NUMBER, "China Unicom", "China Unicom airtime", "50"),
            (CHINESE, "+8613012345679", "中国联通", "中国联通话费", "50"),
        ],
        [
            (ENGLISH, ATT_NUMBER, "AT&T US", "AT&T $100", None),
            (CHINESE, "+12125550189", "AT&T US", "AT&T 100 美元", None),
        ],
        [
            (ENGLISH, "+639189876544", "Smart", "Smart load", "200"),
            (CHINESE, "+13055550143", "T-Mobile US", "T-Mobile 25 美元", None),
        ],
    ],
    ids=["china mobile", "china unicom", "at&t", "smart, t-mobile"],
)
async def test_a_prepaid_number_is_found_read_topped_up_and_verified(
    place: Town, lines: list[Line]
) -> None:
    for words, number, carrier, plan, amount in lines:
        person: Person = getattr(place, words.person)
        await person.say("/start")
        await person.say(number)
        await person.press(carrier)
        await to_card(person)
        assert words.valid in (await person.last())["text"]
        await person.press(words.renew)
        await person.press(plan)
        if amount is not None:
            await person.say(amount)
        quote = await person.find(words.price)
        assert " GB · " not in quote["text"], "no GB is promised where only money is sent"
        await person.press(words.pay)
        assert (await person.pay())["status"] == "paid"
        receipt = await person.find(words.confirmed)
        assert words.reference in receipt["text"]
        assert "→" in receipt["text"]


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
    profile = place.demo.supplier.profile(US_CARD)
    assert profile is not None
    profile.expires_at = place.now
    assert await place.idle(10)
    await emma.say("/renew")
    await emma.press("US Data Card")
    shut = await emma.last()
    assert shut["text"].count("has expired") == 1, "the reason is said once"
    await emma.press("Ask for a new eSIM")
    await emma.find("is with our shop")
    await owner.find("I need a new eSIM in place of US Data Card")
