"""What the Bot API stand-in's suites share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from tests.contract.botapi_server import XIAOYU, StandIn, standin


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
