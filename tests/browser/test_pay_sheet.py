"""The pay sheet in a real browser: cards, and a subscription from its link to its end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest_asyncio
import uvicorn
from playwright.async_api import Locator, Page, expect

from bot.demo.botapi import invoices, subscriptions
from bot.demo.botapi.app import create_app
from bot.demo.botapi.models import PROVIDER_TOKEN, Person
from bot.demo.botapi.payments import answer_pre_checkout_query
from bot.demo.botapi.sending import send_message
from bot.demo.page import page_routes
from bot.demo.world import World

EMMA = 1002
AT = f"#person={EMMA}&chat={EMMA}"
OpenPage = Callable[..., Awaitable[Page]]
GOODS: dict[str, Any] = {"title": "10 GB, 30 days", "description": "To 2 January", "payload": "p1"}


async def agree(world: World) -> None:
    """A bot that says yes to everybody who wants to pay."""
    while True:
        for query in list(world.checkouts):
            answer_pre_checkout_query(world, {"pre_checkout_query_id": query, "ok": True})
        await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def world() -> World:
    world = World(people=[Person(EMMA, "Emma Clark", "en", "customer", stars=5000)])
    world.people[EMMA].started = True
    return world


@pytest_asyncio.fixture
async def demo(world: World) -> AsyncIterator[str]:
    """The page over the world, and the bot at work; gives the address."""
    app = create_app(world)
    app.router.routes.extend(page_routes())
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    agreeing = asyncio.create_task(agree(world))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/{AT}"
    agreeing.cancel()
    with suppress(asyncio.CancelledError):
        await agreeing
    world.events.close()
    server.should_exit = True
    await serving


def bubble(page: Page, text: str) -> Locator:
    return page.locator("#messages > li").filter(has_text=text).last


async def test_pays_by_card(world: World, demo: str, browser_page: OpenPage) -> None:
    bill = {"currency": "USD", "prices": [{"label": "l", "amount": 850}]}
    sale = {"chat_id": EMMA, "provider_token": PROVIDER_TOKEN}
    invoices.send_invoice(world, {**sale, **GOODS, **bill})
    page = await browser_page(demo)
    result = page.get_by_test_id("pay-result")
    pay = bubble(page, "10 GB").get_by_role("button", name="8.50")
    await pay.click()
    sheet = page.get_by_test_id("pay-sheet")
    await expect(sheet).not_to_contain_text("Balance")
    await page.get_by_label("Card").select_option("Declined card ···· 0002")
    await page.get_by_test_id("pay-confirm").click()
    await expect(result).to_contain_text("The card was declined")
    await page.get_by_test_id("pay-close").click()

    await pay.click()
    await page.get_by_test_id("pay-confirm").click()
    await expect(result).to_contain_text("Payment successful")
    await page.get_by_test_id("pay-close").click()
    await expect(bubble(page, "Payment successful")).to_contain_text("8.50")
    assert [charge.invoice.currency for charge in world.charges.values()] == ["USD"]


async def test_subscribes_cancels_and_takes_it_up_again(
    world: World, demo: str, browser_page: OpenPage
) -> None:
    price = {"currency": "XTR", "prices": [{"label": "l", "amount": 250}]}
    link = invoices.create_invoice_link(world, {**GOODS, **price, "subscription_period": 2592000})
    keyboard = {"inline_keyboard": [[{"text": "Auto-renew", "url": link}]]}
    send_message(world, {"chat_id": EMMA, "text": "Every month?", "reply_markup": keyboard})
    page = await browser_page(demo)
    sheet, open_it = page.get_by_test_id("pay-sheet"), page.get_by_text("Auto-renew")
    await open_it.click()
    await expect(sheet).to_contain_text("every 30 days")
    await page.get_by_test_id("pay-confirm").click()
    await expect(page.get_by_test_id("pay-result")).to_contain_text("Payment successful")
    await page.get_by_test_id("pay-close").click()
    await expect(bubble(page, "Payment successful")).to_contain_text("250")

    await open_it.click()
    await expect(sheet).to_contain_text("Renews on")
    await page.get_by_test_id("sub-cancel").click()
    await expect(sheet).to_contain_text("Ends on")
    [kept] = world.subscriptions.values()
    assert kept.cancelled
    await page.get_by_test_id("sub-resume").click()
    await expect(sheet).to_contain_text("Renews on")
    assert not kept.cancelled
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)

    params = {"user_id": EMMA, "telegram_payment_charge_id": kept.id, "is_canceled": True}
    subscriptions.edit_user_star_subscription(world, params)
    await open_it.click()
    await expect(sheet).to_contain_text("The bot stopped it")
    await expect(page.get_by_test_id("sub-resume")).to_have_count(0)
