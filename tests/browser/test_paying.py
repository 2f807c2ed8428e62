"""Paying on a provider's own page, in a real browser: there and back, in Chinese and in English.

With XUKA_PICTURES naming a folder, pictures of the way are kept there.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_journey import SECONDS, picture, shows, tap
from tests.flows.people import town


@dataclass(frozen=True)
class Words:
    """The labels and texts of one language."""

    person: int
    locale: str
    sim: str
    plan: str
    method: str
    waiting: str
    pay: str
    stand_in: str
    back: str
    receipt: str


CHINESE = Words(
    person=1001,
    locale="zh-CN",
    sim="boom eSIM",
    plan="日本 5 GB",
    method="支付宝 ·",
    waiting="等您付款",
    pay="支付",
    stand_in="这是演示用的",
    back="返回聊天",
    receipt="已续费，并在 SIM 卡上核实",
)
ENGLISH = Words(
    person=1002,
    locale="en-US",
    sim="US Data Card",
    plan="USA 5 GB",
    method="PayPal",
    waiting="Waiting for your payment",
    pay="Pay",
    stand_in="This is the demo's",
    back="Back to",
    receipt="Renewed and checked on the SIM",
)


async def to_page(page: Page, w: Words) -> Page:
    """From /renew to the provider's page, which opens in a window of its own."""
    await page.get_by_test_id("composer").fill("/renew")
    await page.keyboard.press("Enter")
    for label in (w.sim, w.plan):
        await tap(page, label)
    await shows(page, "Telegram Stars")
    await picture(page, f"price-{w.locale}")
    await tap(page, w.method)
    await shows(page, w.waiting)
    pay = page.locator("#messages").get_by_role("button", name=re.compile(rf"^{w.pay} .*\d"))
    async with page.context.expect_page(timeout=SECONDS) as opened:
        await pay.last.click(timeout=SECONDS)
    theirs = await opened.value
    await theirs.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    return theirs


@pytest.mark.parametrize("w", [CHINESE, ENGLISH], ids=["zh", "en"])
async def test_to_the_providers_page_and_back(
    w: Words, tmp_path: Path, browser_page: OpenPage
) -> None:
    async with town(tmp_path) as place:
        page = await browser_page(
            f"{place.demo.url}/#person={w.person}&chat={w.person}", locale=w.locale
        )
        theirs = await to_page(page, w)
        await expect(theirs.get_by_text(re.compile(w.stand_in))).to_be_visible(timeout=SECONDS)
        await picture(theirs, f"provider-{w.locale}")
        await theirs.get_by_role("button", name=re.compile(w.pay)).first.click()
        await theirs.get_by_role("link", name=re.compile(w.back)).click(timeout=SECONDS)
        await shows(page, w.receipt)
        await picture(page, f"paid-{w.locale}")
