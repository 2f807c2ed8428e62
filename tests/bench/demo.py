"""How the demo feels: start-up to the first answer, a tap to its answer, the bot's memory.

The budget of the main job: first answer under 3 s, a tap under 150 ms (median), under 150 MB.
The tap's baseline is the same HTTP round trip without the bot, in the same run.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from bot.demo.host import Demo
from tests.flows.people import Person

TAPS = 60


def _memory(pid: int) -> float:
    """Resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no VmRSS")


async def _measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        begin = time.monotonic()
        town = Demo(Path(home))
        await town.start()
        async with httpx.AsyncClient(base_url=town.url, timeout=60, trust_env=False) as http:
            emma = Person(http, 1002)
            try:
                await http.post("/people/1002/chats/1002/start", json={})
                while not await emma.from_bot():  # noqa: ASYNC110  it is another process
                    await asyncio.sleep(0.01)
                first = time.monotonic() - begin
                await emma.idle()
                taps, baseline = [], []
                for number in range(TAPS):
                    label = ("My SIMs", "‹ Menu")[number % 2]
                    begin = time.monotonic()
                    await emma.press(label, idle=False)
                    taps.append(time.monotonic() - begin)
                    begin = time.monotonic()
                    await emma.messages()
                    baseline.append(time.monotonic() - begin)
                    await asyncio.sleep(0.3)  # as people do; Telegram allows one a second
                pid = town.bot_pid
                assert pid is not None
                return {
                    "start_to_first_answer_s": round(first, 2),
                    "tap_median_ms": round(statistics.median(taps) * 1000, 1),
                    "tap_p95_ms": round(sorted(taps)[int(TAPS * 0.95)] * 1000, 1),
                    "tap_over_plain_http": round(
                        statistics.median(taps) / statistics.median(baseline), 1
                    ),
                    "bot_memory_mb": round(_memory(pid), 1),
                }
            finally:
                await town.stop()


def demo() -> dict[str, Any]:
    """Run the measurement."""
    return asyncio.run(_measure())
