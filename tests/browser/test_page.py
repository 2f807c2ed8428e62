"""The chat page in a real browser, on the real stand-in, with a tiny bot made for the test."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import FilePayload, Locator, Page, expect
from starlette.applications import Starlette

from bot.demo.botapi.app import create_app
from bot.demo.botapi.models import BOT_TOKEN, Person
from bot.demo.page import page_routes
from bot.demo.world import World

Json = dict[str, Any]
PRICE = 250
EMMA = "#person=1002&chat=1002"
MENU = {
    "inline_keyboard": [
        [{"text": "Toast", "callback_data": "toast"}, {"text": "Alert", "callback_data": "alert"}],
        [{"text": "Edit", "callback_data": "edit"}],
        [{"text": "Deep link", "url": "https://t.me/xuka_demo_bot?start=promo_7"}],
    ]
}


class EchoBot:
    """Polls the stand-in: echoes texts, answers presses, sells one thing."""

    stopping = False

    def __init__(self, base: str) -> None:
        self.client = httpx.AsyncClient(base_url=f"{base}/bot{BOT_TOKEN}/", timeout=30)

    async def call(self, method: str, **parameters: Any) -> Any:
        answer = (await self.client.post(method, json=parameters)).json()
        assert answer["ok"], answer
        return answer["result"]

    async def run(self) -> None:
        offset = 0
        commands = [{"command": "buy", "description": "Buy something"}]
        await self.call("setMyCommands", commands=commands)
        while not self.stopping:
            updates = await self.call("getUpdates", offset=offset, timeout=20)
            for update in updates:
                offset = update["update_id"] + 1
                await self.handle(update)

    async def handle(self, update: Json) -> None:
        if message := update.get("message"):
            await self.answer_message(message)
        elif query := update.get("callback_query"):
            await self.answer_press(query)
        elif checkout := update.get("pre_checkout_query"):
            await self.call("answerPreCheckoutQuery", pre_checkout_query_id=checkout["id"], ok=True)

    async def answer_message(self, message: Json) -> None:
        chat_id, text = message["chat"]["id"], message.get("text", "")
        if text == "/buy":
            await self.call(
                "sendInvoice",
                chat_id=chat_id,
                title="10 GB, 30 days",
                description="New expiry 2 January",
                payload="order-1",
                currency="XTR",
                prices=[{"label": "10 GB", "amount": PRICE}],
            )
        elif text == "/rich":
            rich = "🎁 <b>bold</b> <code>8944</code> <tg-spoiler>hidden</tg-spoiler> &lt;i&gt;"
            await self.call("sendMessage", chat_id=chat_id, text=rich, parse_mode="HTML")
        elif text:
            await self.call("sendChatAction", chat_id=chat_id, action="typing")
            await self.call("sendMessage", chat_id=chat_id, text=f"Echo: {text}", reply_markup=MENU)

    async def answer_press(self, query: Json) -> None:
        message = query["message"]
        if query["data"] == "edit":
            await self.call(
                "editMessageText",
                chat_id=message["chat"]["id"],
                message_id=message["message_id"],
                text="Changed",
                reply_markup=MENU,
            )
            await self.call("answerCallbackQuery", callback_query_id=query["id"])
            return
        await self.call(
            "answerCallbackQuery",
            callback_query_id=query["id"],
            text=f"You pressed {query['data']}",
            show_alert=query["data"] == "alert",
        )


@pytest_asyncio.fixture
async def demo() -> AsyncIterator[str]:
    """The stand-in with the page on a free port, and the bot at work; gives the address."""
    people = [
        Person(1001, "林小雨", "zh-hans", "customer"),
        Person(1002, "Emma Clark", "en", "customer", stars=5000),
    ]
    app = create_app(World(people=people))
    app.router.routes.extend(page_routes())
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # so that whoever comes before the server is ready just waits
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    bot = EchoBot(base)
    polling = asyncio.create_task(bot.run())
    yield base
    bot.stopping = True
    async with httpx.AsyncClient(base_url=base) as person:  # an update ends the long poll
        await person.post("/people/1002/chats/1002/messages", json={"text": "bye"})
    try:
        await polling
    finally:
        await bot.client.aclose()
        server.should_exit = True
        await serving
        listener.close()


async def say(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("composer").press("Enter")


def bubble(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.locator("#messages > li").filter(has_text=text).last


OpenPage = Callable[..., Awaitable[Page]]


async def test_talks_with_the_bot(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/{EMMA}")
    await page.get_by_test_id("start").click()
    await expect(bubble(page, "Echo: /start")).to_be_visible()
    await expect(page.get_by_test_id("start")).to_be_hidden()

    await say(page, "<img src=x onerror=alert(1)>")
    answer = bubble(page, "Echo: <img src=x onerror=alert(1)>")
    await expect(answer).to_be_visible()
    await expect(page.locator("#messages img")).to_have_count(0)

    await answer.get_by_role("button", name="Toast", exact=True).click()
    await expect(page.get_by_test_id("toast")).to_have_text("You pressed toast")
    await answer.get_by_role("button", name="Alert", exact=True).click()
    await expect(page.get_by_test_id("alert")).to_contain_text("You pressed alert")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("alert")).to_have_count(0)

    await answer.get_by_role("button", name="Edit", exact=True).click()
    changed = bubble(page, "Changed")
    await expect(changed.locator(".edited")).to_be_visible()
    await expect(changed.get_by_role("button", name="Edit", exact=True)).to_be_focused()
    await changed.get_by_role("button", name="Deep link").click()
    await expect(page.get_by_test_id("composer")).to_be_hidden()
    await page.get_by_test_id("start").click()
    await expect(bubble(page, "Echo: /start promo_7")).to_be_visible()
    await expect(page.get_by_test_id("composer")).to_be_visible()


async def test_edits_and_blocks(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/{EMMA}")
    await say(page, "helo")
    await expect(bubble(page, "Echo: helo")).to_be_visible()
    composer = page.get_by_test_id("composer")
    await composer.press("ArrowUp")
    await expect(composer).to_have_value("helo")
    await say(page, "hello")
    await expect(
        page.locator(".row.out").filter(has_text="hello").locator(".edited")
    ).to_be_visible()

    await page.get_by_role("button", name="Block the bot").click()
    await expect(composer).to_be_hidden()
    await page.get_by_test_id("start").click()
    await expect(composer).to_be_visible()


async def test_shows_entities_by_utf16_offsets(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/{EMMA}")
    await say(page, "/rich")
    answer = bubble(page, "bold")
    await expect(answer.locator("strong")).to_have_text("bold")
    await expect(answer.locator("code")).to_have_text("8944")
    await expect(answer.locator("em, i")).to_have_count(0)
    hidden = answer.get_by_role("button", name="Hidden text")
    await hidden.press("Enter")
    await expect(answer.locator(".spoiler.shown")).to_have_text("hidden")


async def test_pays_from_the_sheet(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/{EMMA}", dark=True)
    await page.get_by_test_id("menu").click()
    await page.get_by_test_id("command-buy").click()
    card = bubble(page, "10 GB, 30 days")
    pay = card.get_by_role("button", name=f"Pay ⭐ {PRICE}")
    await pay.click()
    sheet = page.get_by_test_id("pay-sheet")
    await expect(sheet).to_contain_text("5,000")
    await page.get_by_test_id("pay-decline").click()
    await expect(sheet).to_have_count(0)

    await pay.click()
    await page.get_by_test_id("pay-confirm").click()
    await expect(page.get_by_test_id("pay-result")).to_contain_text("Payment successful")
    await page.get_by_test_id("pay-close").click()
    await expect(card).to_contain_text("Paid")
    await expect(pay).to_have_count(0)
    await expect(bubble(page, "Payment successful")).to_contain_text(str(PRICE))


async def test_sends_a_photo_and_a_file(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/{EMMA}")
    shot = await page.screenshot()
    for kind, name in (("Photo", "sim.png"), ("File", "proof.pdf")):
        await page.get_by_test_id("attach").click()
        async with page.expect_file_chooser() as chooser:
            await page.get_by_role("menuitem", name=kind).click()
        picked: FilePayload = {"name": name, "mimeType": "image/png", "buffer": shot}
        await (await chooser.value).set_files(picked)
        await page.get_by_test_id("send").click()
    photo = page.locator("#messages .photo img")
    await expect(photo).to_be_visible()
    loaded = await photo.evaluate("async image => { await image.decode(); return true }")
    assert loaded
    await expect(bubble(page, "proof.pdf").get_by_role("link")).to_be_visible()


async def test_moves_the_clock_and_logs_calls(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/{EMMA}")
    before = (await httpx_json(f"{demo}/clock"))["now"]
    await page.get_by_test_id("clock-day").click()
    await expect(page.get_by_test_id("clock-offset")).to_have_text("1 d ahead of real time")
    assert (await httpx_json(f"{demo}/clock"))["now"] > before

    await say(page, "hello")
    await expect(page.locator("#messages .day").last).to_have_text("Today · UTC")
    await page.get_by_test_id("tab-log").click()
    row = page.get_by_test_id("log").locator(".call").filter(has_text="sendMessage").first
    await row.locator("summary").click()
    await expect(row).to_contain_text("Echo: hello")
    await page.get_by_test_id("tab-log").press("ArrowRight")
    switch = page.get_by_role("switch", name=re.compile("Telegram asks to slow down"))
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "true")
    assert any(fault["on"] for fault in await httpx_json(f"{demo}/faults"))
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "false")


async def httpx_json(url: str) -> Any:
    async with httpx.AsyncClient() as client:
        return json.loads((await client.get(url)).text)


async def test_fits_a_phone_in_chinese(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/#person=1001", size=(360, 640), locale="zh-CN")
    await expect(page.get_by_test_id("composer")).to_be_hidden()
    await page.get_by_test_id("chat-1001").click()
    assert "chat=1001" in page.url
    await page.get_by_role("button", name="开始").click()
    await expect(bubble(page, "Echo: /start")).to_be_visible()
    await say(page, "很长的一行文字" * 40)
    await expect(bubble(page, "Echo: 很长")).to_be_visible()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == 360
    await page.get_by_role("button", name="演示工具").click()
    await page.get_by_role("button", name="+7 天").click()
    await expect(page.get_by_test_id("clock-offset")).to_contain_text("快 7 天")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="返回聊天列表").click()
    await expect(page.get_by_test_id("person-1002")).to_be_visible()
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(page.get_by_role("heading", name="People")).to_be_visible()


async def test_counts_what_is_unread(demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}/{EMMA}")
    async with httpx.AsyncClient(base_url=demo) as other:
        await other.post("/people/1001/chats/1001/messages", json={"text": "你好"})
    await expect(page.get_by_test_id("person-1001").locator(".badge")).to_have_text("1")
    await page.get_by_test_id("person-1002").press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(bubble(page, "Echo: 你好")).to_be_visible()
    await expect(page.get_by_test_id("person-1001").locator(".badge")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
async def test_follows_the_systems_colours_until_told(
    demo: str, browser_page: OpenPage, dark: bool
) -> None:
    page = await browser_page(f"{demo}/{EMMA}", dark=dark)

    async def brightness() -> int:
        script = "getComputedStyle(document.getElementById('sidebar')).backgroundColor"
        colour = await page.evaluate(script)
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3])

    assert (await brightness() < 200) == dark
    await page.get_by_role("button", name="Theme: as the system").click()
    assert await brightness() > 600
    await page.get_by_role("button", name="Theme: light").click()
    assert await brightness() < 200


async def test_serves_only_its_own_files_and_names_no_other_address() -> None:
    transport = httpx.ASGITransport(app=Starlette(routes=page_routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        index = await client.get("/")
        assert "default-src 'none'" in index.headers["content-security-policy"]
        assert (await client.get("/page/..%2f__init__.py")).status_code == 404
        seen, waiting = set(), set(re.findall(r'"(/page/[^"]+)"', index.text))
        while waiting:
            path = waiting.pop()
            seen.add(path)
            answer = await client.get(path)
            assert answer.status_code == 200, path
            addresses = re.findall(r"https?://[\w./-]+", answer.text)
            allowed = {"http://www.w3.org/2000/svg", "https://t.me/", "https://"}
            assert set(addresses) <= allowed, (path, addresses)
            if path.endswith(".js"):
                assert answer.headers["content-type"].startswith("text/javascript")
                assert "innerHTML" not in answer.text
                modules = re.findall(r'from "\./([^"]+)"|import "\./([^"]+)"', answer.text)
                waiting |= {f"/page/{a or b}" for a, b in modules} - seen
    on_disk = {f"/page/{item.name}" for item in (files("bot.demo") / "page").iterdir()}
    assert on_disk == seen | {"/page/index.html"}
