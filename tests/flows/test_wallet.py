"""The wallet in the chat: filled by Stars, spent on a renewal, given back."""

from tests.flows.people import Town
from tests.flows.steps import BOOM, RECEIPT, US_CARD, to_quote


async def test_a_wallet_is_filled_by_stars_and_pays_a_renewal(place: Town) -> None:
    emma = place.en
    assert "It is empty" in (await emma.say("/wallet"))["text"]
    await emma.press("Top up")
    await emma.press("$20")
    asked = await emma.find("Wallet top-up XK-")
    assert "$20 will be in your wallet" in asked["text"]
    assert "Telegram Stars: 1,540 ⭐" in asked["text"]
    await emma.press("Telegram Stars · 1,540")
    assert (await emma.pay())["status"] == "paid"
    filled = await emma.find("came in")
    assert "Balance: $20" in filled["text"]
    assert filled["message_id"] == asked["message_id"]
    await to_quote(emma)
    assert "Wallet (you have $20)" in (await emma.find("Your price"))["text"]
    await emma.press("Wallet · $8.50")
    await emma.find(RECEIPT)
    shown = await emma.say("/wallet")
    assert "Balance: $11.50" in shown["text"]
    assert "−$8.50 · order XK-" in shown["text"]
    assert place.topups(US_CARD) == 1


async def test_a_chinese_wallet_pays_a_renewal(place: Town) -> None:
    lin = place.zh
    await lin.say("/wallet")
    await lin.press("充值")
    await lin.press("US$10")
    await lin.press("Telegram Stars · ")
    await lin.pay()
    await lin.find("余额：US\\$10")
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("日本 5 GB")
    await lin.press("钱包余额 · US$7.50")
    await lin.find("已续费")
    assert "余额：US$2.50" in (await lin.say("/wallet"))["text"]
    assert place.topups(BOOM) == 1


async def test_a_short_wallet_offers_what_is_missing_and_then_pays(place: Town) -> None:
    emma = place.en
    await to_quote(emma)
    await emma.press("Wallet · top up first")
    await emma.find(r"It costs \$8.50; your wallet holds \$0\.")
    await emma.press("Top up $8.50")
    await emma.press("Telegram Stars · ")
    await emma.pay()
    await emma.press("Pay order XK-")
    await emma.find(RECEIPT)
    assert "It is empty" in (await emma.say("/wallet"))["text"]
    assert place.topups(US_CARD) == 1


async def test_an_amount_is_written_and_an_unspent_top_up_goes_back(place: Town) -> None:
    lin = place.zh
    assert "我的钱包" in (await lin.say("/wallet"))["text"]
    await lin.press("充值")
    assert "请输入不超过" in (await lin.say("999999"))["text"]
    await lin.say("12.5")
    await lin.press("Telegram Stars · ")
    await lin.pay()
    assert "余额：US$12.50" in (await lin.find("已到账"))["text"]
    await lin.press("‹ 钱包")
    await lin.press("退回充值")
    await lin.press("⭐ · ")
    await lin.find(r"将从钱包扣除 US\$12.50")
    await lin.press("确定退回")
    await lin.find("正在原路退回")
    assert place.kept() == 0
    assert "钱包里还没有钱" in (await lin.say("/wallet"))["text"]


async def test_a_top_up_that_is_stopped_can_not_be_paid(place: Town) -> None:
    emma = place.en
    await emma.say("/wallet")
    await emma.press("Top up")
    await emma.press("$5")
    await emma.press("Telegram Stars · ")
    await emma.press("Stop this top-up")
    await emma.find("not paid in time or was stopped")
    assert (await emma.pay())["status"] == "declined"
    assert place.kept() == 0


async def test_an_operator_sends_a_top_up_back(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await emma.say("/wallet")
    await emma.press("Top up")
    await emma.press("$5")
    await emma.press("Telegram Stars · ")
    await emma.pay()
    await owner.say("/find Emma")
    await owner.press("客户钱包")
    await owner.press("退回 ")
    await owner.find("将从客户钱包扣除 US\\$5")
    await owner.press("确定退回")
    await emma.find("goes back to where you paid from")
    assert place.kept() == 0
