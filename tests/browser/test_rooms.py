"""Groups and channels in a real browser: topics, pins, links to the bot, the admin's menu."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio
import uvicorn
from playwright.async_api import Locator, Page, expect

from bot.demo.botapi import pins, sending
from bot.demo.botapi.app import create_app
from bot.demo.botapi.models import BOT_ID
from bot.demo.botapi.params import Upload
from bot.demo.cast import CHANNEL_ID, CLUB_ID, FORUM_ID, NEWS_ID, SMALL_GROUP_ID
from bot.demo.page import page_routes
from bot.demo.world import World
from tests.contract.botapi_server import PNG

XIAOYU, EMMA, OWNER = 1001, 1002, 1003
BUY: dict[str, Any] = {
    "inline_keyboard": [[{"text": "Buy", "url": "https://t.me/xuka_demo_bot?start=p_1"}]]
}
OpenPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture
async def world() -> World:
    return World(limits=False)


@pytest_asyncio.fixture
async def demo(world: World) -> AsyncIterator[str]:
    """The page over the world, without a bot; gives the address."""
    app = create_app(world)
    app.router.routes.extend(page_routes())
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    world.events.close()
    server.should_exit = True
    await serving
    listener.close()


def at(person: int, chat: int) -> str:
    return f"#person={person}&chat={chat}"


def bubble(page: Page, text: str) -> Locator:
    return page.locator("#messages > li").filter(has_text=text).last


async def say(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("composer").press("Enter")


def said(world: World, chat_id: int) -> dict[str, Any]:
    """The newest message of a chat."""
    log = world.messages[chat_id]
    return log[max(log)].data


async def test_from_a_post_to_the_bot(world: World, demo: str, browser_page: OpenPage) -> None:
    photo = Upload("deal.png", "image/png", PNG)
    post = {"chat_id": CLUB_ID, "photo": photo, "caption": "10 GB", "reply_markup": BUY}
    sent = sending.send_photo(world, post)
    pins.pin_chat_message(world, {"chat_id": CLUB_ID, "message_id": sent["message_id"]})
    page = await browser_page(f"{demo}{at(EMMA, EMMA)}")
    await page.get_by_test_id(f"chat-{CLUB_ID}").click()
    await expect(page.get_by_test_id("pinned")).to_contain_text("10 GB")
    await page.get_by_test_id("pinned").click()
    await expect(page.get_by_test_id("room-menu")).to_have_count(0)
    card = page.locator("#messages > li:has(.photo)")
    await expect(card).to_contain_text("10 GB")

    await card.get_by_role("button", name="Buy").click()
    await expect(page.get_by_test_id("composer")).to_be_hidden()
    assert EMMA not in world.messages
    await page.get_by_test_id("start").click()
    await expect(bubble(page, "/start p_1")).to_be_visible()
    await expect(page.get_by_test_id("composer")).to_be_visible()
    await expect(page.get_by_test_id("start")).to_be_hidden()


async def test_a_link_not_followed_is_forgotten(
    world: World, demo: str, browser_page: OpenPage
) -> None:
    sending.send_message(world, {"chat_id": CLUB_ID, "text": "10 GB", "reply_markup": BUY})
    world.people[EMMA].started = True
    sending.send_message(world, {"chat_id": EMMA, "text": "hello"})
    page = await browser_page(f"{demo}{at(EMMA, CLUB_ID)}")
    await page.get_by_role("button", name="Buy").click()
    await expect(page.get_by_test_id("start")).to_be_visible()
    await page.get_by_test_id(f"chat-{CLUB_ID}").click()
    await page.get_by_test_id(f"chat-{EMMA}").click()
    await expect(bubble(page, "hello")).to_be_visible()
    await expect(page.get_by_test_id("start")).to_be_hidden()
    await expect(page.get_by_test_id("composer")).to_be_visible()


async def test_topics(world: World, demo: str, browser_page: OpenPage) -> None:
    deals, helping = list(world.groups[FORUM_ID].topics)[1:3]
    page = await browser_page(f"{demo}{at(EMMA, FORUM_ID)}")
    await expect(page.get_by_test_id("topic-all")).to_have_attribute("aria-pressed", "true")
    await page.get_by_test_id(f"topic-{deals}").click()
    await say(page, "any news?")
    await expect(bubble(page, "any news?")).to_be_visible()
    assert said(world, FORUM_ID)["message_thread_id"] == deals
    await page.get_by_test_id(f"topic-{helping}").click()
    await expect(bubble(page, "any news?")).to_have_count(0)
    await page.get_by_test_id("topic-all").click()
    await expect(bubble(page, "any news?")).to_contain_text("活动优惠 Deals")
    await say(page, "for everybody")
    await expect(bubble(page, "for everybody")).to_contain_text("General")
    assert "message_thread_id" not in said(world, FORUM_ID)


async def test_an_admin_closes_a_topic(world: World, demo: str, browser_page: OpenPage) -> None:
    deals = list(world.groups[FORUM_ID].topics)[1]
    page = await browser_page(f"{demo}{at(OWNER, FORUM_ID)}", locale="zh-CN")
    await page.get_by_test_id(f"topic-{deals}").click()
    await page.get_by_role("button", name="管理", exact=True).click()
    await page.get_by_role("button", name="关闭此话题").click()
    await expect(bubble(page, "关闭了话题")).to_be_visible()
    await page.get_by_test_id(f"person-{EMMA}").click()
    await page.get_by_test_id(f"chat-{FORUM_ID}").click()
    await page.get_by_test_id(f"topic-{deals}").click()
    await expect(page.locator("#read-only")).to_have_text("此话题已关闭")
    await page.get_by_test_id("topic-1").click()
    await expect(page.get_by_test_id("composer")).to_be_visible()


async def test_an_admin_goes_anonymous_and_looks_after_the_bot(
    world: World, demo: str, browser_page: OpenPage
) -> None:
    page = await browser_page(f"{demo}{at(OWNER, CLUB_ID)}")
    group = world.groups[CLUB_ID]

    async def do(name: str) -> None:
        await page.get_by_test_id("room-menu").click()
        await page.get_by_role("button", name=name).click()

    await do("Write anonymously")
    composer = page.get_by_test_id("composer")
    await expect(composer).to_have_attribute("placeholder", "Message as the group")
    await say(page, "/promo")
    await expect(bubble(page, "/promo")).to_be_visible()
    assert said(world, CLUB_ID)["sender_chat"]["id"] == CLUB_ID
    await do("Write under my name")
    await expect(composer).to_have_attribute("placeholder", "Message")
    await do("Remove the bot")
    await expect(bubble(page, "left")).to_be_visible()
    assert group.status(BOT_ID) == "kicked"
    await do("Add the bot")
    await expect(bubble(page, "joined")).to_be_visible()
    await do("Make the bot an administrator")
    await page.get_by_test_id("room-menu").click()
    await expect(page.get_by_test_id("room-bot_demote")).to_be_visible()
    assert group.status(BOT_ID) == "administrator"
    changes = [u.payload for u in world.updates.pending if u.kind == "my_chat_member"]
    assert [c["new_chat_member"]["status"] for c in changes] == [
        "kicked", "member", "administrator",
    ]  # fmt: skip


async def test_an_owner_upgrades_a_group(world: World, demo: str, browser_page: OpenPage) -> None:
    page = await browser_page(f"{demo}{at(OWNER, SMALL_GROUP_ID)}")
    await page.get_by_test_id("room-menu").click()
    await page.get_by_role("button", name="Upgrade to a supergroup").click()
    await expect(bubble(page, "became a supergroup")).to_be_visible()
    assert f"chat={min(world.groups)}" in page.url
    await expect(page.get_by_test_id(f"chat-{SMALL_GROUP_ID}")).to_have_count(0)


async def test_a_link_adds_the_bot(world: World, demo: str, browser_page: OpenPage) -> None:
    world.people[OWNER].started = True
    url = "https://t.me/xuka_demo_bot?startchannel=new"
    keys = [[{"text": "Add me", "url": url.replace("channel", "group")}]]
    more = [[{"text": "To a channel", "url": url}]]
    markup = {"inline_keyboard": keys + more}
    sending.send_message(world, {"chat_id": OWNER, "text": "groups", "reply_markup": markup})
    page = await browser_page(f"{demo}{at(OWNER, OWNER)}")
    await page.get_by_role("button", name="Add me").click()
    await expect(page.get_by_test_id(f"add-{NEWS_ID}")).to_have_count(0)
    await page.get_by_test_id(f"add-{SMALL_GROUP_ID}").click()
    await expect(bubble(page, "/start@xuka_demo_bot new")).to_be_visible()
    await page.get_by_test_id(f"chat-{OWNER}").click()
    await page.get_by_role("button", name="To a channel").click()
    await page.get_by_test_id(f"add-{CHANNEL_ID}").click()
    await expect(page.get_by_test_id("chat-title")).to_have_text("续卡优惠 Xuka Deals")
    await page.get_by_test_id("room-menu").click()
    await expect(page.get_by_test_id("room-bot_remove")).to_be_visible()
    await expect(page.get_by_test_id("room-bot_admin")).to_have_count(0)
    assert world.groups[CHANNEL_ID].is_admin(BOT_ID)


async def test_a_channel_is_written_by_its_admins(
    world: World, demo: str, browser_page: OpenPage
) -> None:
    page = await browser_page(f"{demo}{at(OWNER, NEWS_ID)}", size=(360, 740))
    await say(page, "/promo")
    await expect(bubble(page, "/promo")).to_be_visible()
    kinds = [update.kind for update in world.updates.pending]
    assert "channel_post" in kinds
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == 360
    other = await browser_page(f"{demo}{at(EMMA, NEWS_ID)}")
    await expect(other.locator("#read-only")).to_be_visible()
    await expect(other.get_by_test_id("room-menu")).to_have_count(0)
