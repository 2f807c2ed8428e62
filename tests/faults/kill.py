"""kill -9 of the bot at a random moment of the main job; the stand-ins live on.

Every case is a fresh town. A customer goes from /start to the receipt and taps again, as people
do, when nothing happens; somewhere on the way the bot's process is killed and started again. Half
of the cases are killed at a random moment, half the instant a call of a random kind has been
carried out by Telegram or the supplier, before the bot hears of it.
Promises: one charge kept, one top-up, one receipt, no update lost, any other message at most
twice (architecture.md).
"""

import asyncio
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiosqlite
import httpx

from bot.demo.calls import Call
from tests.flows.people import Person, Town, labels, town
from tests.harness import Report

SIM = "25112000000002"
FIRST_UPDATE = 100_000_001
STEPS = ("My SIMs", "US Data Card", "Renew", "USA 5 GB", "Pay ")
RECEIPT = "Renewed and checked on the SIM"
_PATIENCE = 6.0
_LONGEST = 60.0


class Stuck(Exception):
    """The job did not come to its end."""


async def _seen(person: Person, label: str, seconds: float = _PATIENCE) -> bool:
    """Whether a button with that label comes into sight."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(label in text for m in await person.from_bot() for text in labels(m)):
            return True
        await asyncio.sleep(0.03)
    return False


async def _tap(person: Person, http: httpx.AsyncClient, label: str) -> None:
    """Press the newest button with that label, without waiting for the bot."""
    for message in reversed(await person.from_bot()):
        for text in labels(message):
            if label in text:
                await http.post(
                    f"/people/{person.id}/chats/{person.id}/press",
                    json={"message_id": message["message_id"], "text": text, "wait": False},
                )
                return


async def _job(place: Town) -> None:
    """From /start to the receipt, patiently."""
    person, http = place.en, place.http
    end = time.monotonic() + _LONGEST
    await http.post(f"/people/{person.id}/chats/{person.id}/start", json={})
    while not await _seen(person, STEPS[0]):
        if time.monotonic() > end:
            raise Stuck("no menu")
    for step, following in zip(STEPS, (*STEPS[1:], "Show invoice"), strict=True):
        await _tap(person, http, step)
        while not await _seen(person, following):
            if time.monotonic() > end:
                raise Stuck(f"after {step!r}")
            await _tap(person, http, step)
    while not any("invoice" in m for m in await person.from_bot()):
        if time.monotonic() > end:
            raise Stuck("no invoice")
        if not any(await asyncio.gather(_invoice(person))):
            await _tap(person, http, "Show invoice")
    while True:
        paid = await person.pay_without_waiting()
        if paid["status"] == "paid":
            break
        if time.monotonic() > end:
            raise Stuck(f"not paid: {paid}")


async def _invoice(person: Person) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if any("invoice" in m for m in await person.from_bot()):
            return True
        await asyncio.sleep(0.03)
    return False


async def _receipt(place: Town, report: Report) -> None:
    """Wait for the receipt; an operator decides what the supplier's look-up can't."""
    for _ in range(12):
        if await place.en.count(RECEIPT):
            return
        await place.idle(10)
        if await place.en.count(RECEIPT):
            return
        await place.advance(minutes=10)
        if await place.en.count("Someone at our shop"):
            await _decide(place, report)
    raise Stuck("no receipt")


async def _decide(place: Town, report: Report) -> None:
    """The operator looks at the supplier's own books before deciding, as a person would."""
    report.count("operator_decisions")
    owner = place.operator
    await owner.say("/queue")
    await owner.press("XK-")
    if place.topups(SIM):
        await owner.press("完成")
    else:
        await owner.press("再买一次")
        await owner.press("再买一次")


async def _check(place: Town, report: Report, case: int) -> None:
    kept = [c for c in place.demo.world.charges.values() if c.refunded_at is None]
    facts = {
        "charges kept": (len(kept), 1),
        "top-ups": (place.topups(SIM), 1),
        "receipts": (await place.en.count(RECEIPT), 1),
        "updates lost": (await _lost(place), 0),
    }
    for what, (got, wanted) in facts.items():
        report.count(what, got)
        if got != wanted:
            report.violation(f"case {case}: {what}: {got} instead of {wanted}")
    texts = Counter(
        m.get("text") or f"invoice {m.get('invoice')}" for m in await place.en.from_bot()
    )
    for text, times in texts.items():
        report.count("duplicates", times - 1)
        if times > 2 and "invoice" not in text:
            report.violation(f"case {case}: {times} times: {text[:60]!r}")


async def _lost(place: Town) -> int:
    """Updates that Telegram was told have arrived, less those that were handled without a fault."""
    queue = place.demo.world.updates
    sent = queue.next_id - FIRST_UPDATE - len(queue.pending)
    database = f"file:{place.demo.home / 'xuka.db'}?mode=ro"
    async with aiosqlite.connect(database, uri=True) as connection:
        rows = await connection.execute_fetchall(
            "select count(*) from inbox where done_at is not null and error_id is null"
        )
    return sent - int(next(iter(rows))[0])


@dataclass(frozen=True, slots=True)
class Span:
    """An unharmed job: its length in seconds, and how many calls of each kind it makes."""

    seconds: float
    calls: Counter[str]


async def _measure(guard: str | None) -> Span:
    with tempfile.TemporaryDirectory() as home:
        async with town(Path(home), without=guard) as place:
            before = len(place.demo.calls.after())
            begin = time.monotonic()
            await _job(place)
            await place.idle(10)
            made = Counter(call.method for call in place.demo.calls.after()[before:])
            del made["getUpdates"]
            return Span(time.monotonic() - begin, made)


def _kill(place: Town, report: Report) -> None:
    pid = place.demo.bot_pid
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        report.count("kills")


def _kill_after(place: Town, method: str, number: int, report: Report) -> Callable[[], bool]:
    """Kill the bot when `number` more calls of one kind have been carried out; tells whether."""
    left = number

    def heard(call: Call) -> None:
        nonlocal left
        if call.method == method:
            left -= 1
            if left == 0:
                _kill(place, report)
                report.count(f"killed at {method}")

    place.demo.calls.listeners.append(heard)
    return lambda: left <= 0


async def _case(
    rng: random.Random, span: Span, case: int, report: Report, guard: str | None
) -> None:
    moment = rng.uniform(0, span.seconds)
    method = rng.choice(sorted(span.calls))
    number = rng.randint(1, span.calls[method])
    with tempfile.TemporaryDirectory() as home:
        async with town(Path(home), without=guard) as place:
            if case % 2:
                killed = _kill_after(place, method, number, report)
                await _job(place)
                if not killed():
                    _kill(place, report)  # that call was not made this time
            else:
                job = asyncio.create_task(_job(place))
                await asyncio.sleep(moment)
                _kill(place, report)
                await job
            await place.demo.wait_for_bot()
            await _receipt(place, report)
            await place.idle(10)
            await _check(place, report, case)


async def _run(cases: int, seed: int, guard: str | None) -> Report:
    report = Report("kill", seed, cases)
    span = await _measure(guard)
    for case in range(cases):
        try:
            await _case(random.Random(f"{seed}:{case}"), span, case, report, guard)
            report.count("finished")
        except (Stuck, AssertionError, httpx.HTTPError) as error:
            report.violation(f"case {case}: {error!r}")
    return report


def kill(cases: int, seed: int, guard: str | None = None) -> Report:
    """Run the harness; `guard` (see guardless.py) is taken out of the bot."""
    return asyncio.run(_run(cases, seed, guard))
