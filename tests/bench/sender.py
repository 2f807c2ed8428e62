"""The sender: a flood from the outbox to the demo's Telegram, with its limits and without.

With limits it has to go out at their full speed without a single refusal, and neither a payment
result nor an answer may wait for the flood. Without limits it tells what a message costs; the
baseline of that is the bare client on the same messages in the same run.
"""

import asyncio
import os
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telegram.error import TimedOut
from telegram.ext import ExtBot

from bot.chat.limiter import Limiter
from bot.chat.messenger import TelegramMessenger
from bot.chat.notices import Renderer
from bot.chat.request import AiohttpRequest
from bot.chat.shop import Merchant
from bot.demo.botapi.models import BOT_TOKEN
from bot.domain.chats import Chat, Preferences
from bot.ports import Delivery, Notice, Outcome, Place, Priority
from bot.services import notices
from bot.services.limits import Gate, Limits
from bot.services.outbox import WIDTH, Outbox
from bot.store import Database
from tests.bench.town import FIRST, Telegram, telegram

TEXT = "⏳ <b>My eSIM</b> expires tomorrow, at 18:00. Renew it now, and your number stays with you."
ROWS = [[("🔄 Renew now", "renew:abc", None)], [("Later", "snooze:abc", None)]]
SECONDS = 66
"""How long the flood lasts at Telegram's limit."""
MANY = 4000
BARE = 2000


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)


class Watched(TelegramMessenger):
    """The messenger, and how long what was `queued` at a moment took to be delivered."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.queued: dict[int, float] = {}
        self.waits: list[float] = []

    async def deliver(self, notice: Notice, place: Place | None = None) -> Delivery:
        """Send one notice."""
        delivery = await super().deliver(notice, place)
        if notice.priority is Priority.PAYMENT:
            self.waits.append(time.monotonic() - self.queued[notice.chat_id])
        return delivery


@dataclass
class Sender:
    """A bot that only sends."""

    store: Database
    bot: ExtBot[Any]
    messenger: Watched
    outbox: Outbox

    async def queue(self, count: int, priority: Priority, first: int = 0) -> None:
        """Put one message for each of so many people into the outbox."""
        for begin in range(first, first + count, 500):
            async with self.store.write() as tx:
                for number in range(begin, min(begin + 500, first + count)):
                    await tx.outbox.add(_notice(FIRST + number, priority))

    async def send(self) -> float:
        """Send all of it; the CPU seconds it took."""
        before = time.process_time()
        await self.outbox.worker.run()
        return time.process_time() - before

    async def outcomes(self) -> dict[Outcome, int]:
        """How all of them ended."""
        async with self.store.read() as tx:
            return dict(await tx.outbox.outcomes(datetime(2000, 1, 1, tzinfo=UTC)))


def _notice(chat_id: int, priority: Priority, key: str = "flood") -> Notice:
    data = {"text": TEXT, "rows": ROWS, "edits": None, "at": 0.0}
    return Notice(notices.LATER, chat_id, f"{key}:{chat_id}", priority, data)


async def _sender(home: Path, town: Telegram, people: int, *, limited: bool) -> Sender:
    store = await Database.open(f"sqlite:///{home / 'bench.db'}", keys=(b"bench",))
    clock = SystemClock()
    for begin in range(0, people, 500):
        async with store.write() as tx:
            for number in range(begin, min(begin + 500, people)):
                await tx.chats.add(Chat(FIRST + number, "private", "en", True, Preferences()))
    gate = Gate(Limits(limited=limited))
    request = AiohttpRequest(WIDTH + 32)
    bot: ExtBot[Any] = ExtBot(
        BOT_TOKEN, f"{town.url}/bot", request=request, rate_limiter=Limiter(gate)
    )
    await bot.initialize()
    messenger = Watched(bot, store, clock, Renderer(store, clock, {}, Merchant("Shop")))
    return Sender(store, bot, messenger, Outbox(store, clock, messenger, gate))


async def _beside(sender: Sender, people: int) -> list[float]:
    """What happens during a flood: each second a payment result and an answer. How long the
    answers took."""
    waits = []
    for number in range(0, people, 2):
        await asyncio.sleep(1)
        async with sender.store.write() as tx:
            await tx.outbox.add(_notice(FIRST + number, Priority.PAYMENT, "paid"))
        sender.messenger.queued[FIRST + number] = begin = time.monotonic()
        sender.outbox.worker.ring()
        with suppress(TimedOut):  # a machine that stands still: its wait tells so
            await sender.bot.send_message(FIRST + number + 1, TEXT, parse_mode="HTML")
        waits.append(time.monotonic() - begin)
    return waits


async def _limited() -> dict[str, Any]:
    beside = 2 * (SECONDS - 5)
    count = 30 * SECONDS - beside
    people = beside + count
    with tempfile.TemporaryDirectory() as home:
        async with telegram(people, limits=True) as town:
            sender = await _sender(Path(home), town, people, limited=True)
            await sender.queue(count, Priority.BROADCAST, beside)
            side = asyncio.create_task(_beside(sender, beside))
            cpu = await sender.send()
            answers = await side
            figures, outcomes = await town.figures(), await sender.outcomes()
            await sender.bot.shutdown()
            await sender.store.close()
    came = sorted(figures["came"])
    flood = came[: 30 * (SECONDS - 4)]  # without its thin end
    seconds = flood[-1] - flood[0]
    return {
        "seconds": round(seconds, 1),
        "messages": len(came),
        "per_second": round((len(flood) - 1) / seconds, 2),
        "most_in_any_second": _most(came),
        "refused_429": figures["refused"],
        "outcomes": {outcome.value: count for outcome, count in outcomes.items()},
        "payment_result_wait_ms": _waits(sender.messenger.waits),
        "answer_wait_ms": _waits(answers),
        "cpu_percent": round(cpu / seconds * 100, 1),
    }


async def _unlimited() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        async with telegram(MANY, limits=False) as town:
            sender = await _sender(Path(home), town, MANY, limited=False)
            bare, bare_cpu = await _bare(sender)
            await sender.queue(MANY, Priority.REMINDER)
            begin, standin = time.monotonic(), (await town.figures())["cpu"]
            cpu = await sender.send()
            seconds = time.monotonic() - begin
            standin = (await town.figures())["cpu"] - standin
            outcomes = await sender.outcomes()
            await sender.bot.shutdown()
            await sender.store.close()
    return {
        "messages": MANY,
        "per_second": round(MANY / seconds),
        "cpu_us_per_message": round(cpu / MANY * 1e6),
        "bare_client_per_second": round(BARE / bare),
        "bare_client_cpu_us_per_message": round(bare_cpu / BARE * 1e6),
        "cpu_over_bare_client": round((cpu / MANY) / (bare_cpu / BARE), 2),
        "stand_in_cpu_us_per_message": round(standin / MANY * 1e6),
        "outcomes": {outcome.value: count for outcome, count in outcomes.items()},
    }


async def _bare(sender: Sender) -> tuple[float, float]:
    """The same messages by the client alone: seconds and CPU seconds."""
    people = iter(range(FIRST, FIRST + BARE))

    async def post() -> None:
        for chat_id in people:
            await sender.bot.send_message(chat_id, TEXT, parse_mode="HTML")

    begin, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(post() for _ in range(WIDTH)))
    return time.monotonic() - begin, time.process_time() - cpu


def _most(moments: list[float]) -> int:
    """The most that came within any second."""
    first = best = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= 1:
            first += 1
        best = max(best, last - first + 1)
    return best


def _waits(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median": round(statistics.median(ordered) * 1000, 1),
        "p95": round(ordered[int(len(ordered) * 0.95)] * 1000, 1),
        "most": round(ordered[-1] * 1000, 1),
    }


def measure() -> dict[str, Any]:
    """Both runs: about a minute and a half. Wants a quiet machine: what keeps the disk or the
    processors from either process for long costs tokens that do not come back."""
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    return {"limits_on": asyncio.run(_limited()), "limits_off": asyncio.run(_unlimited())}


if __name__ == "__main__":
    import json

    print(json.dumps(measure(), indent=2))
