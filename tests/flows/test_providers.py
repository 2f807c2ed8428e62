"""Every provider's page, as the demo has them: paid, declined, left, and paid back."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.people import Person, Town, town
from tests.flows.steps import RECEIPT, to_quote

PAY = {
    "Card ·": "pay",
    "Alipay ·": "pay",
    "WeChat Pay ·": "pay",
    "PayPal": "pay",
    "Alipay or": "alipay",
}
"""The button of each way to pay on a provider's page, and the button of that page that pays."""


async def page_of(person: Person) -> str:
    """Where the newest order's Pay button leads."""
    for message in reversed(await person.from_bot()):
        for row in message.get("reply_markup", {}).get("inline_keyboard", []):
            for cell in row:
                if "url" in cell:
                    return str(cell["url"])
    raise AssertionError("no button leads to a page")


async def on_page(person: Person, do: str, language: str = "en") -> str:
    """Open the page that the newest order is paid on and press one of its buttons; what it says."""
    spoken = {"Accept-Language": language}
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True, headers=spoken) as browser:
        url = await page_of(person)
        shown = await browser.get(url)
        assert shown.status_code == 200, shown.text
        if do:
            shown = await browser.post(str(shown.url), data={"do": do})
            assert shown.status_code == 200, shown.text
    await person.idle()
    return shown.text


async def to_page(person: Person, method: str) -> None:
    """From /renew to the order that waits for its page to be paid."""
    await to_quote(person)
    await person.press(method)
    await person.find("Waiting for your payment")


async def receipts(person: Person) -> int:
    return await person.count(RECEIPT)


async def settled(place: Town, person: Person, number: int) -> None:
    """Until so many receipts are there; a webhook may come a moment later than the page."""
    for _ in range(20):
        await person.idle()
        if await receipts(person) == number:
            return
        await place.advance(seconds=20)
    assert await receipts(person) == number


def money(place: Town) -> dict[str, Any]:
    """What became of captured money, by state of the attempt."""
    rows = place.rows("SELECT state, count(*) FROM payments GROUP BY state")
    return dict(rows)


async def test_every_page_can_be_paid_and_ends_with_a_receipt(place: Town) -> None:
    emma = place.en
    for number, (method, do) in enumerate(PAY.items(), 1):
        await to_page(emma, method)
        await on_page(emma, do)
        await settled(place, emma, number)
    assert money(place) == {"captured": len(PAY)}
    assert len(place.rows("SELECT 1 FROM topups WHERE state = 'verified'")) == len(PAY)


async def test_a_page_is_declined_left_and_paid_in_another_way(place: Town) -> None:
    emma = place.en
    await to_page(emma, "Card ·")
    await on_page(emma, "decline")
    await emma.press("I have paid")
    assert await receipts(emma) == 0
    await emma.press("Other way")
    await emma.press("PayPal")
    await on_page(emma, "leave")
    await emma.press("I have paid")
    await emma.find("has not arrived yet")
    await emma.press("Other way")
    await emma.press("Alipay ·")
    await on_page(emma, "pay")
    await settled(place, emma, 1)
    found = money(place)
    assert found.pop("captured") == 1
    assert set(found) <= {"cancelled", "expired", "failed"}


async def test_a_page_is_paid_and_its_button_tapped_again(place: Town) -> None:
    emma = place.en
    await to_page(emma, "Card ·")
    await on_page(emma, "pay")
    await settled(place, emma, 1)
    assert money(place) == {"captured": 1}


async def test_an_order_left_alone_expires_and_its_page_is_closed(place: Town) -> None:
    emma = place.en
    await to_page(emma, "Card ·")
    page = await page_of(emma)
    await place.advance(minutes=17)
    await emma.find("price has expired")
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert "value=pay" not in (await browser.get(page)).text
    assert money(place) == {"expired": 1}


@pytest.mark.parametrize("method", ["Card ·", "PayPal", "Alipay or"])
async def test_money_for_a_top_up_that_failed_goes_back(tmp_path: Path, method: str) -> None:
    async with town(tmp_path) as place:
        emma = place.en
        await to_page(emma, method)
        await place.fault("esim_access.price_changed", on=True)
        await on_page(emma, PAY[method])
        await place.advance(minutes=3)
        await emma.find("went back to where you paid from")
        assert money(place) == {"refunded": 1}


async def test_in_chinese_the_page_speaks_chinese_and_ends_with_a_receipt(place: Town) -> None:
    lin = place.zh
    for number, (method, do) in enumerate(
        {"银行卡": "pay", "PayPal": "pay", "支付宝或微信": "wxpay"}.items(), 1
    ):
        await lin.say("/renew")
        await lin.press("boom eSIM")
        await lin.press("日本 5 GB")
        await lin.press(method)
        await lin.find("付款页面")
        assert re.search("[一-龥]{4}", await on_page(lin, "", "zh-CN"))
        await on_page(lin, do, "zh-CN")
        for _ in range(10):
            if await lin.count("已续费，并在 SIM 卡上核实") == number:
                break
            await place.advance(seconds=20)
        assert await lin.count("已续费，并在 SIM 卡上核实") == number


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_card_in_telegram_is_declined_then_paid(place: Town, language: str) -> None:
    chinese = language == "zh"
    person = place.zh if chinese else place.en
    await person.say("/renew")
    for label in ("boom eSIM", "日本 5 GB") if chinese else ("US Data Card", "USA 5 GB"):
        await person.press(label)
    await person.press("Telegram 内刷卡" if chinese else "Card in Telegram")
    invoice = {"message_id": (await person.invoices())[-1]}
    declined = await person.post("pay", {**invoice, "card": "declined"})
    assert declined["status"] == "card_declined"
    assert (await person.post("pay", invoice))["status"] == "paid"
    await person.idle()
    receipt = "已续费，并在 SIM 卡上核实" if chinese else RECEIPT
    assert await person.count(receipt) == 1
    assert money(place) == {"captured": 1}


async def test_what_no_provider_returns_waits_for_a_person(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await owner.press("English")
    await to_quote(emma)
    await emma.press("Card in Telegram")
    await place.fault("esim_access.price_changed", on=True)
    await emma.pay()
    await place.advance(minutes=3)
    await owner.find("Money has to go back that no provider can send")
    await owner.press("Open")
    await owner.press("I returned it myself")
    await owner.press("Yes")
    await emma.find("went back to where you paid from")
    assert money(place) == {"refunded": 1}
