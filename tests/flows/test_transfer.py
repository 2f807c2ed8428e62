"""Transfers with a proof in the chat: shown, proved, confirmed, declined, in both languages."""

import re
from typing import Any

from tests.flows.people import Person, Town
from tests.flows.steps import BOOM, RECEIPT, US_CARD, to_quote


async def photo(person: Person, shade: int = 190) -> dict[str, Any]:
    """A screenshot of a transfer; the shade tells two of them apart."""
    return await person.send_file("photo", shade=shade)


async def to_proof(place: Town) -> None:
    """Emma has chosen to transfer and is asked for the photo."""
    emma = place.en
    await to_quote(emma)
    await emma.press("Bank or QR transfer · ")
    await emma.press("I have sent it")
    assert "Send me a photo or screenshot" in (await emma.last())["text"]


async def decide(place: Town, *labels: str) -> None:
    """The operator opens what waits, and presses these."""
    await place.operator.say("/queue")
    for label in ("待核对的转账", *labels):
        await place.operator.press(label)


async def test_a_transfer_is_proved_and_confirmed(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await to_quote(emma)
    await emma.press("Bank or QR transfer · ")
    shown = (await emma.find("Transfer CN¥61.20"))["text"]
    assert re.search("note of the transfer: [2-9A-HJ-NP-Z]{6}", shown)
    assert "shop@xuka.example" in shown
    await emma.press("QR code: Alipay (demo)")
    assert any("photo" in message for message in await emma.from_bot())
    await emma.press("I have sent it")
    assert "We have your proof" in (await photo(emma))["text"]
    assert any("photo" in message for message in await owner.from_bot())
    await emma.say("TX-2027-0302-0001")
    await place.advance(hours=30)  # the price stays while the shop looks
    await decide(place, "已到账", "是的，已到账")
    await emma.find(RECEIPT)
    assert place.topups(US_CARD) == 1


async def test_a_declined_proof_is_told_and_sent_again(place: Town) -> None:
    emma = place.en
    await place.operator.say("/start")
    await to_proof(place)
    await photo(emma)
    await decide(place, "拒绝", "看不清")
    told = await emma.find("could not confirm your transfer")
    assert "does not show the amount" in told["text"]
    await emma.press("Send it again")
    await emma.press("I have sent it")
    await photo(emma, 90)
    await decide(place, "已到账", "是的，已到账")
    await emma.find(RECEIPT)
    assert place.topups(US_CARD) == 1


async def test_a_chinese_transfer_is_declined_and_then_confirmed(place: Town) -> None:
    lin = place.zh
    await place.operator.say("/start")
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("日本 5 GB")
    await lin.press("转账或扫码 · ")
    assert "支付宝（演示）" in (await lin.find("转账备注请填"))["text"]
    await lin.press("我已转账")
    assert "交易号已记下" in (await lin.say("TX20270302"))["text"]
    await photo(lin)
    await decide(place, "拒绝", "没有收到")
    assert "没有收到这个备注码和金额的转账" in (await lin.find("未能确认"))["text"]
    await lin.press("重新发送凭证")
    await lin.press("我已转账")
    await photo(lin, 90)
    await decide(place, "已到账", "是的，已到账")
    await lin.find("已续费")
    assert place.topups(BOOM) == 1


async def test_another_amount_waits_for_a_decision(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await to_proof(place)
    await photo(emma)
    await decide(place, "到账金额不同")
    await owner.say("90")
    await owner.press("是的，已到账")
    await emma.find("looking at it now")
    assert place.topups(US_CARD) == 0


async def test_the_same_picture_for_another_order_is_found(place: Town) -> None:
    emma, lin = place.en, place.zh
    await place.operator.say("/start")
    await to_proof(place)
    await photo(emma)
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("日本")
    await lin.press("转账或扫码 · ")
    await lin.find("转账备注请填")
    await lin.press("我已转账")
    assert "之前用于另一笔付款" in (await photo(lin))["text"]
    await place.operator.say("/queue")
    await place.operator.press("待核对的转账")
    await place.operator.find("用过同一张图片")


async def test_a_transfer_fills_a_wallet(place: Town) -> None:
    lin = place.zh
    await place.operator.say("/start")
    await lin.say("/wallet")
    await lin.press("充值")
    await lin.press("US$10")
    await lin.press("转账或扫码 · ")
    assert "72.00" in (await lin.find("转账备注请填"))["text"]
    await lin.press("我已转账")
    assert "已收到" in (await photo(lin))["text"]
    await decide(place, "已到账", "是的，已到账")
    assert "余额：US$10" in (await lin.find("已到账 US"))["text"]
