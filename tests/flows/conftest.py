"""Every flow test lives in a town of its own: real HTTP, real store, the bot in a process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.flows.people import Town, town


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    """A fresh town."""
    async with town(tmp_path) as fresh:
        yield fresh
