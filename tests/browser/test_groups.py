"""From /promo to a posted promo, and from the post to a verified renewal, by clicking (the demo as
shipped, a phone's width, in Chinese and in English). Taps are counted.

With XUKA_PICTURES naming a folder, pictures of the way are kept there.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_journey import SECONDS, picture, shows
from tests.flows.group_steps import CLUB, from_bot
from tests.flows.people import Person, Town, labels, town

ADMIN = 1003
MOST_TO_POST, MOST_TO_RENEW = 9, 5
"""Fewer than 10 from /promo to the post, fewer than 6 from its button to the verified renewal."""


@dataclass(frozen=True)
class Words:
    """The labels and texts of one language, as patterns."""

    locale: str
    customer: int
    choose: str
    offer: str
    preview: str
    post: str
    going: str
    get: str
    price: str
    pay: str
    receipt: str
    places: str
    look_after: str
    counts: str


CHINESE = Words(
    locale="zh-CN",
    customer=1001,
    choose="选择优惠",
    offer="出境流量 85 折",
    preview="就是这个样子",
    post="现在发布",
    going="正在发到",
    get="立即领取",
    price="群友专享 85 折",
    pay=r"支付 \d",
    receipt="已续费，并在 SIM 卡上核实",
    places="还剩 29 个名额",
    look_after="查看和管理",
    counts="1 人打开",
)
ENGLISH = Words(
    locale="en-US",
    customer=1002,
    choose="Choose an offer",
    offer="15 % off travel data",
    preview="This is how it will look in",
    post="Post it now",
    going="It goes out in",
    get="Get this offer",
    price="15 % off for this group",
    pay=r"Pay \d",
    receipt="Renewed and checked on the SIM",
    places="29 places left",
    look_after="View and manage",
    counts="1 opened",
)


class Finger:
    """A person at their page. What they tap is counted, writing a command and sending it is one."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    async def tap(self, label: str) -> None:
        """Press the newest button of the chat that begins so, after a sign in front of it."""
        name = re.compile(rf"^[^\w\u4e00-\u9fff]*(?:{label})")
        await self._click(self.page.locator("#messages").get_by_role("button", name=name).last)

    async def press(self, testid: str) -> None:
        """Press something of the page itself."""
        await self._click(self.page.locator(f"[data-testid^={testid}]").last)

    async def write(self, text: str) -> None:
        """Write and send."""
        await self.page.get_by_test_id("composer").fill(text)
        await self._click(self.page.get_by_test_id("send"))

    async def _click(self, found: Locator) -> None:
        await found.click(timeout=SECONDS)
        self.taps += 1

    async def open(self, chat: int) -> None:
        """Look at another chat of the page; no tap of the way."""
        back = self.page.get_by_test_id(f"chat-{chat}")
        if not await back.is_visible():
            await self.page.go_back()
        await back.click(timeout=SECONDS)


async def finger(browser_page: OpenPage, place: Town, person: int, chat: int, w: Words) -> Finger:
    url = f"{place.demo.url}/#person={person}&chat={chat}"
    return Finger(await browser_page(url, size=PHONE, locale=w.locale))


async def nothing_private(place: Town, member: Person) -> None:
    """No name, number, ICCID or order of anybody in what the bot wrote in the club."""
    said = "\n".join(
        str(message.get("text") or message.get("caption")) + " ".join(labels(message))
        for message in await from_bot(member, CLUB)
    )
    rows = place.rows("SELECT id, id FROM orders") + place.rows("SELECT iccid, msisdn FROM sims")
    own = {str(value) for row in rows for value in row if value}
    own |= {str(name) for (name,) in place.rows("SELECT first_name FROM chats") if name}
    shown = [one for one in own if one.lower() in said.lower() or one[-4:] in said]
    assert said
    assert shown == []


@pytest.mark.parametrize("w", [CHINESE, ENGLISH], ids=["zh", "en"])
async def test_from_promo_to_a_renewal(w: Words, tmp_path: Path, browser_page: OpenPage) -> None:
    async with town(tmp_path) as place:
        if w is ENGLISH:
            await place.admin.say("/language")
            await place.admin.press("English")
        admin = await finger(browser_page, place, ADMIN, CLUB, w)
        await admin.write("/promo")
        await admin.tap(w.choose)
        await admin.press("start")
        await picture(admin.page, f"{w.locale}-promo-1-offers")
        await admin.tap(w.offer)
        await shows(admin.page, w.preview)
        if w is ENGLISH:  # the club's own language is Chinese
            await admin.tap("Language")
            await admin.tap("English")
            await shows(admin.page, "Language: English")
        await picture(admin.page, f"{w.locale}-promo-2-preview")
        await admin.tap(w.post)
        await shows(admin.page, w.going)

        buyer = await finger(browser_page, place, w.customer, CLUB, w)
        await shows(buyer.page, w.offer)
        assert admin.taps <= MOST_TO_POST, f"{admin.taps} taps from /promo to the post"
        await picture(buyer.page, f"{w.locale}-promo-3-post")
        await buyer.tap(w.get)
        await buyer.press("start")
        await shows(buyer.page, w.price)
        await picture(buyer.page, f"{w.locale}-promo-4-price")
        await buyer.tap(w.pay)
        await buyer.press("pay-")
        await buyer.press("pay-confirm")
        await shows(buyer.page, w.receipt)
        assert buyer.taps <= MOST_TO_RENEW, f"{buyer.taps} taps from the post to the renewal"
        await buyer.press("pay-close")
        await picture(buyer.page, f"{w.locale}-promo-5-receipt")

        await place.advance(minutes=3)  # a post is edited at most once a minute
        member = Person(place.http, 1008)
        [post] = await from_bot(member, CLUB)
        assert re.search(w.places, post["caption"])
        await nothing_private(place, member)
        await admin.tap(w.look_after)
        await shows(admin.page, w.counts)
        await picture(admin.page, f"{w.locale}-promo-6-counts")
