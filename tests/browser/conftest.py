"""A real browser for the page's tests. Without one they are skipped; under CI that is a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
WIDE = (1280, 800)
PHONE = (360, 740)


class OpenPage(Protocol):
    """What the fixture `browser_page` gives: opens an address in a window of its own."""

    async def __call__(
        self,
        url: str,
        *,
        size: tuple[int, int] = WIDE,
        locale: str = "en-US",
        dark: bool = False,
    ) -> Page: ...


def find_browser(playwrights: str) -> str | None:
    """A browser's path: the one named by XUKA_BROWSER, playwright's own, or the system's."""
    if named := os.environ.get("XUKA_BROWSER"):
        return named
    if Path(playwrights).exists():
        return playwrights
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless browser of this test's own."""
    async with async_playwright() as playwright:
        path = find_browser(playwright.chromium.executable_path)
        if path is None:
            reason = "no Chromium found: install it, or name one in XUKA_BROWSER"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def browser_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Open pages with `await browser_page(url)`; any error a page reports fails the test."""
    errors: list[str] = []

    async def open_page(
        url: str,
        *,
        size: tuple[int, int] = WIDE,
        locale: str = "en-US",
        dark: bool = False,
    ) -> Page:
        options: dict[str, Any] = {
            "viewport": {"width": size[0], "height": size[1]},
            "locale": locale,
            "color_scheme": "dark" if dark else "light",
        }
        context = await browser.new_context(**options)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(url)
        await page.wait_for_selector("body.ready")
        return page

    yield open_page
    assert errors == []
