"""SIGTERM in the middle of a sale, while somebody does not answer."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.flows.people import town
from tests.flows.steps import RECEIPT, US_CARD, to_invoice


@pytest.mark.parametrize("fault", ["esim_access.slow_after_success", "esim_access.slow"])
async def test_a_hanging_supplier_delays_no_stop_and_loses_nothing(
    tmp_path: Path, fault: str
) -> None:
    async with town(tmp_path) as place:
        await to_invoice(place.en)
        await place.fault(fault, on=True)
        paying = asyncio.create_task(place.en.pay_without_waiting())
        await asyncio.sleep(1.5)
        pid = place.demo.bot_pid
        assert pid is not None
        begun = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        while place.demo.bot_pid == pid:  # noqa: ASYNC110  the demo has no event for it
            await asyncio.sleep(0.02)
        assert time.monotonic() - begun < 5
        await place.fault(fault, on=False)
        await paying
        await place.demo.wait_for_bot()
        await place.advance(minutes=20)
        await place.en.find(RECEIPT)
        assert place.topups(US_CARD) == place.kept() == 1
