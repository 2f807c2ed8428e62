"""The main job by clicking, in a real browser, in Chinese and in English (the demo as shipped).

Balance → plan → price → payment → top-up → proof → receipt; then time passes: the reminder, its
Renew now; and a self-tracked SIM lapses through its grace period.

With XUKA_PICTURES naming a folder, pictures of the way are kept there.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.flows.people import Town, town

SECONDS = 20_000


@dataclass(frozen=True)
class Words:
    """The labels and texts of one language, as patterns."""

    person: int
    locale: str
    sims: str
    sim: str
    source: str
    renew: str
    plan: str
    price: str
    pay: str
    receipt: str
    reminder: str
    renew_now: str
    lapsing: str
    grace: str
    lost: str
    weeks_to_reminder: int
    weeks_to_loss: int


ENGLISH = Words(
    person=1002,
    locale="en-US",
    sims="My SIMs",
    sim="US Data Card",
    source="Source: supplier",
    renew="Renew",
    plan="USA 5 GB",
    price="Your price",
    pay="Pay 655",
    receipt="Renewed and checked on the SIM",
    reminder=r"US Data Card ·2195 expires in",
    renew_now="Renew now",
    lapsing=r"T-Mobile US ·0142 expires (today|tomorrow)",
    grace=r"T-Mobile US ·0142.*(has expired|to save the number)",
    lost=r"grace period of T-Mobile US ·0142 has ended",
    weeks_to_reminder=5,
    weeks_to_loss=18,
)
CHINESE = Words(
    person=1001,
    locale="zh-CN",
    sims="我的 SIM",
    sim="boom eSIM",
    source="供应商",
    renew="续费",
    plan="日本 5 GB",
    price="价格",
    pay=r"支付 \d",
    receipt="已续费，并在 SIM 卡上核实",
    reminder=r"boom eSIM ·1015.*天到期",
    renew_now="马上续费",
    lapsing=r"Smart ·6543.*保号",
    grace=r"Smart ·6543.*保号",
    lost=r"Smart ·6543.*宽限期已结束",
    weeks_to_reminder=4,
    weeks_to_loss=4,
)


async def tap(page: Page, label: str) -> None:
    """Press the newest button of the chat that begins so, after a sign in front of it."""
    # For a browser, Chinese letters are none: they are named.
    name = re.compile(rf"^[^\w\u4e00-\u9fff]*{label}")
    button = page.locator("#messages").get_by_role("button", name=name).last
    await button.click(timeout=SECONDS)


async def shows(page: Page, pattern: str) -> None:
    """Wait until a message of the chat matches."""
    found = page.locator("#messages").get_by_text(re.compile(pattern)).last
    await expect(found).to_be_visible(timeout=SECONDS)


async def picture(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for pictures."""
    folder = os.environ.get("XUKA_PICTURES")
    if folder:
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def week(place: Town, page: Page) -> None:
    """Press +7 days and wait until the week has been lived."""
    before = place.demo.clock.offset
    await page.get_by_test_id("clock-week").click(timeout=SECONDS)
    await expect(page.get_by_test_id("clock-week")).to_be_enabled(timeout=60_000)
    while place.demo.clock.offset < before + 7 * 86400 - 60:
        await page.wait_for_timeout(50)


@pytest.mark.parametrize("w", [CHINESE, ENGLISH], ids=["zh", "en"])
async def test_the_whole_job(w: Words, tmp_path: Path, browser_page: OpenPage) -> None:
    async with town(tmp_path) as place:
        page = await browser_page(
            f"{place.demo.url}/#person={w.person}&chat={w.person}", locale=w.locale
        )
        await page.get_by_test_id("start").click()
        await tap(page, w.sims)
        await picture(page, f"{w.locale}-1-sims")
        await tap(page, w.sim)
        await shows(page, w.source)
        await picture(page, f"{w.locale}-2-card")
        await tap(page, w.renew)
        await picture(page, f"{w.locale}-3-plans")
        await tap(page, w.plan)
        await shows(page, w.price)
        await picture(page, f"{w.locale}-4-quote")
        await tap(page, w.pay)
        await page.locator("[data-testid^=pay-]").last.click(timeout=SECONDS)
        await picture(page, f"{w.locale}-5-pay")
        await page.get_by_test_id("pay-confirm").click(timeout=SECONDS)
        await page.get_by_test_id("pay-close").click(timeout=SECONDS)
        await shows(page, w.receipt)
        await picture(page, f"{w.locale}-6-receipt")
        for _ in range(w.weeks_to_reminder):
            await week(place, page)
        await shows(page, w.reminder)
        await picture(page, f"{w.locale}-7-reminder")
        reminder = page.locator("#messages [data-testid^=message-]").filter(
            has_text=re.compile(w.reminder)
        )
        await reminder.get_by_role("button", name=w.renew_now).last.click(timeout=SECONDS)
        await shows(page, w.price)
        await shows(page, w.lapsing)
        for _ in range(max(0, w.weeks_to_loss - w.weeks_to_reminder)):
            await week(place, page)
        await shows(page, w.grace)
        await shows(page, w.lost)
        await picture(page, f"{w.locale}-8-grace")
