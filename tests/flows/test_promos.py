"""Codes and points as customers meet them: a lower price, the words why not, the receipt."""

from tests.flows.people import Person, Town
from tests.flows.steps import BOOM, RECEIPT, US_CARD, to_quote


async def with_code(person: Person, code: str) -> str:
    """The answer to a code that is sent for the price shown."""
    await person.press("I have a code")
    return str((await person.say(code))["text"])


async def test_a_code_lowers_the_price_and_the_receipt_says_so(place: Town) -> None:
    emma = place.en
    await to_quote(emma)
    assert "We don't know this code" in await with_code(emma, "NONSENSE")
    price = (await emma.say("spring 10"))["text"]
    assert "List price: $8.50" in price
    assert "Spring offer: −$0.85" in price
    assert "To pay: $7.65" in price
    assert "Points for this order: 76" in price
    await emma.press("Pay 590")
    assert (await emma.pay())["status"] == "paid"
    receipt = (await emma.find(RECEIPT))["text"]
    assert "Spring offer: −$0.85" in receipt
    assert "Points for this order: 76" in receipt
    assert place.topups(US_CARD) == place.kept() == 1
    page = (await emma.say("/points"))["text"]
    assert "Your points: 76" in page
    assert "+76 · earned by an order" in page


async def test_points_pay_a_part_and_can_be_kept(place: Town) -> None:
    emma = place.en
    assert "Your first paid order earns some." in (await emma.say("/points"))["text"]
    await to_quote(emma)
    await emma.press("Pay 655")
    await emma.pay()
    await emma.find(RECEIPT)
    await to_quote(emma, "USA 1 GB · 30")
    await emma.press("Use 85 points (−$0.85)")
    assert "To pay: $1.95" in (await emma.find("85 points: −"))["text"]
    await emma.press("Keep my points")
    assert "85 points: −" not in (await emma.last())["text"]
    await emma.press("Use 85 points")
    assert "The offer" not in await with_code(emma, "LASTONE")
    await emma.press("Back")
    await emma.press("Pay ")
    await emma.press("Cancel the order")
    assert "Your points: 85" in (await emma.say("/points"))["text"], "given back"
    await to_quote(emma, "USA 1 GB · 30")
    await emma.press("Use 85 points")
    await emma.press("Pay ")
    await emma.pay()
    await emma.find(RECEIPT)
    assert "Your points: 19" in (await emma.say("/points"))["text"]


async def test_the_same_in_chinese_with_the_new_customers_gift(place: Town) -> None:
    lin = place.zh
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("日本 1 GB · 30")
    await lin.press("我有优惠码")
    assert "没有这个优惠码" in (await lin.say("没有"))["text"]
    price = (await lin.say("welcome"))["text"]
    assert "新客礼：1 GB 升级为 5 GB" in price
    assert "日本 5 GB · 30 天" in price
    assert "本单可得积分：25" in price
    await lin.press("支付 193")
    assert (await lin.pay())["status"] == "paid"
    await lin.find("已续费")
    assert place.topups(BOOM) == 1
    assert "我的积分：25" in (await lin.say("/points"))["text"]
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("日本 1 GB · 30")
    await lin.press("我有优惠码")
    assert "仅限首单" in (await lin.say("WELCOME"))["text"]


async def test_the_last_place_goes_to_one_of_two(place: Town) -> None:
    emma, lin = place.en, place.zh
    await to_quote(emma)
    assert "The last one: −$1" in await with_code(emma, "LASTONE")
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("日本 5 GB")
    await lin.press("我有优惠码")
    assert "最后一份" in (await lin.say("lastone"))["text"]
    await emma.press("Pay ")
    answer = await lin.press("支付")
    assert "名额已满" in str(answer)
    assert not await lin.invoices()
    await emma.press("Cancel the order")
    await lin.press("日本 5 GB")
    await lin.press("我有优惠码")
    assert "最后一份" in (await lin.say("lastone"))["text"]


async def test_a_season_plan_is_lowered_by_itself_and_stacks_with_a_code(place: Town) -> None:
    emma = place.en
    await to_quote(emma, "USA 20 GB · 90")
    price = (await emma.last())["text"]
    assert "5 % off season plans: −$1.45" in price
    price = await with_code(emma, "SPRING10")
    assert "Spring offer: −$2.90" in price
    assert "5 % off season plans: −$1.45" in price
    assert "To pay: $24.65" in price
