"""What the contract suites share: a Bot API stand-in, and a server for the suppliers' ones."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from telegram import Bot

from tests.contract.botapi_server import XIAOYU, StandIn, serving, standin
from tests.contract.carrier_bench import Host


@pytest.fixture
async def tg() -> AsyncIterator[StandIn]:
    """A stand-in with limits off, where 林小雨 has pressed START."""
    async with standin(limits=False) as running:
        await running.act(XIAOYU, "start")
        yield running


@pytest.fixture
def bot(tg: StandIn) -> Bot:
    """python-telegram-bot's Bot on that stand-in."""
    return tg.bot()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served_host() -> AsyncIterator[tuple[Host, str]]:
    """One server for all cases of a table, and its address."""
    host = Host()
    async with serving(host) as address:
        yield host, address
