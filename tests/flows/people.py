"""The demo's people, driven over HTTP as a person would: say, press, pay, look."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from bot.demo.botapi.callbacks import press as push_press
from bot.demo.clock import WorldClock
from bot.demo.host import Demo

Message = dict[str, Any]

START = datetime(2027, 3, 2, 10, 0, tzinfo=UTC)
"""A Tuesday, 10:00 UTC and 18:00 in China: outside everybody's quiet hours."""
GROUP, CHANNEL = -1001000000001, -1001000000002


class Person:
    """One person's private chat with the bot."""

    def __init__(self, http: httpx.AsyncClient, person_id: int) -> None:
        self._http = http
        self.id = person_id
        self._chat = f"/people/{person_id}/chats/{person_id}"

    # ---- looking -------------------------------------------------------------------------

    async def messages(self, chat: int | None = None) -> list[Message]:
        """Everything in the chat that was not deleted, oldest first."""
        answer = await self._http.get(f"/people/{self.id}/chats/{chat or self.id}/messages")
        return [message for message in answer.json() if not message["deleted"]]

    async def from_bot(self) -> list[Message]:
        """What the bot wrote."""
        return [m for m in await self.messages() if m.get("from", {}).get("is_bot")]

    async def last(self) -> Message:
        """The bot's newest message."""
        return ([{"message_id": 0, "text": ""}, *await self.from_bot()])[-1]

    async def find(self, pattern: str) -> Message:
        """The newest message of the bot that matches."""
        for message in reversed(await self.from_bot()):
            if re.search(pattern, message.get("text", "")):
                return message
        shown = "\n---\n".join(m.get("text", "") for m in (await self.from_bot())[-4:])
        raise AssertionError(f"{pattern!r} not in the chat, which ends with:\n{shown}")

    async def count(self, pattern: str) -> int:
        """How many of the bot's messages match."""
        return sum(bool(re.search(pattern, m.get("text", ""))) for m in await self.from_bot())

    async def since(self, message_id: int) -> list[Message]:
        """What the bot wrote after a message."""
        return [m for m in await self.from_bot() if m["message_id"] > message_id]

    async def commands(self) -> dict[str, str]:
        """The command menu this person sees."""
        answer = await self._http.get(f"{self._chat}/commands")
        return {row["command"]: row["description"] for row in answer.json()}

    # ---- acting --------------------------------------------------------------------------

    async def idle(self, timeout: float = 15) -> None:
        """Until nothing is left to do."""
        answer = await self._http.post("/idle", json={"timeout": timeout})
        assert answer.json()["idle"], answer.text

    async def post(self, act: str, body: dict[str, Any], chat: int | None = None) -> dict[str, Any]:
        """One act of the people interface; does not wait for the bot."""
        path = f"/people/{self.id}/chats/{chat or self.id}/{act}"
        return dict((await self._http.post(path, json=body)).json())

    async def say(self, text: str) -> Message:
        """Write, and wait for the answer."""
        answer = await self.post("messages", {"text": text})
        assert "message_id" in answer, answer
        await self.idle()
        return await self.last()

    async def send_file(self, kind: str, caption: str = "", shade: int = 190) -> Message:
        """Send a picture without a code in it, as a photo or a document."""
        picture = BytesIO()
        Image.new("L", (90, 60), shade).save(picture, "PNG")
        files = {kind: ("screen.png", picture.getvalue(), "image/png")}
        await self._http.post(f"{self._chat}/messages", files=files, data={"caption": caption})
        await self.idle()
        return await self.last()

    async def button(self, label: str) -> tuple[int, str]:
        """The newest button whose label contains `label`: its message and its whole label."""
        for message in reversed(await self.from_bot()):
            for text in labels(message):
                if label in text:
                    return message["message_id"], text
        shown = [labels(m) for m in await self.from_bot()]
        raise AssertionError(f"no button {label!r} among {shown[-3:]}")

    async def press(self, label: str, *, idle: bool = True) -> dict[str, Any]:
        """Press the newest button whose label contains `label`; what the bot answered."""
        message_id, text = await self.button(label)
        answer = await self.post("press", {"message_id": message_id, "text": text})
        if idle:
            await self.idle()
        return answer

    async def press_many(self, label: str, times: int) -> list[dict[str, Any]]:
        """The same button, by many fingers at once."""
        message_id, text = await self.button(label)
        body = {"message_id": message_id, "text": text}
        answers = await asyncio.gather(*(self.post("press", body) for _ in range(times)))
        await self.idle()
        return list(answers)

    async def invoices(self) -> list[int]:
        """Messages with an invoice, oldest first."""
        return [m["message_id"] for m in await self.from_bot() if "invoice" in m]

    async def pay_without_waiting(self, invoice: int | None = None) -> dict[str, Any]:
        """Pay an invoice (the newest); does not wait for the bot to end its work."""
        return await self.post("pay", {"message_id": invoice or (await self.invoices())[-1]})

    async def pay(self, *, decline: bool = False, invoice: int | None = None) -> dict[str, Any]:
        """Pay an invoice, the newest when none is named."""
        body = {"message_id": invoice or (await self.invoices())[-1], "decline": decline}
        answer = await self.post("pay", body)
        await self.idle()
        return answer

    async def block(self, *, on: bool = True) -> None:
        """Block the bot, or unblock it."""
        await self._http.post(f"/people/{self.id}/block", json={"on": on})
        await self.idle()


def labels(message: Message) -> list[str]:
    """Labels of a message's buttons."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [cell["text"] for row in rows for cell in row]


class Town:
    """A running demo and everybody in it."""

    def __init__(self, demo: Demo, http: httpx.AsyncClient) -> None:
        self.demo = demo
        self.http = http
        self.zh, self.en, self.hant = (Person(http, n) for n in (1001, 1002, 1006))
        self.admin, self.stranger, self.operator = (Person(http, n) for n in (1003, 1005, 1004))
        self.excused: tuple[str, ...] = ()
        """Events of the error log that the story brings about on purpose."""

    # ---- time ----------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The demo's present moment (UTC)."""
        return self.demo.clock.now()

    async def advance(self, **span: float) -> None:
        """Live through days=, hours=, minutes= of the demo's clock."""
        seconds = timedelta(**span).total_seconds()
        answer = await self.http.post("/clock", json={"advance_seconds": seconds})
        assert answer.status_code == 200, answer.text

    async def until(self, moment: datetime) -> None:
        """Live through to a moment (UTC) and a few seconds more."""
        await self.advance(seconds=(moment - self.now).total_seconds() + 5)

    async def idle(self, timeout: float) -> bool:
        """Whether nothing is left to do, waiting for it."""
        return bool((await self.http.post("/idle", json={"timeout": timeout})).json()["idle"])

    # ---- faults --------------------------------------------------------------------------

    async def fault(self, name: str, **switch: object) -> None:
        """Switch a fault on or off, or on for `times`."""
        answer = await self.http.post("/faults", json={"name": name, **switch})
        assert answer.status_code == 200, answer.text

    async def kill(self) -> None:
        """kill -9 the bot; returns when its successor answers and is idle."""
        await self._end(signal.SIGKILL)

    async def sleep(self, **span: float) -> None:
        """The bot is down for days=, hours=, minutes= while the world goes on."""
        old = self.demo.bot_pid
        assert old is not None
        os.kill(old, signal.SIGSTOP)
        self.demo.clock.advance(timedelta(**span).total_seconds())
        os.kill(old, signal.SIGKILL)
        await until(lambda: self._has_successor(old))
        await self.demo.wait_for_bot()
        assert await self.idle(20)

    async def terminate(self) -> None:
        """End the bot as a service manager does; returns when its successor is idle."""
        await self._end(signal.SIGTERM)

    async def _end(self, sign: signal.Signals) -> None:
        old = self.demo.bot_pid
        assert old is not None
        os.kill(old, sign)
        await until(lambda: self._has_successor(old))
        await self.demo.wait_for_bot()
        assert await self.idle(20)

    async def _has_successor(self, old: int) -> bool:
        return self.demo.bot_pid not in (old, None)

    # ---- looking behind the scenes -------------------------------------------------------

    async def calls(self, method: str) -> list[dict[str, Any]]:
        """Calls the bot made of one method or path."""
        rows = (await self.http.get("/calls")).json()
        return [row for row in rows if row["method"].endswith(method)]

    def topups(self, esim_tran_no: str) -> int:
        """How many top-ups the supplier has sold for a profile."""
        profile = self.demo.supplier.profile(esim_tran_no)
        assert profile is not None
        return len(profile.bought) - 1

    def kept(self) -> int:
        """Charges that were not refunded."""
        return sum(charge.refunded_at is None for charge in self.demo.world.charges.values())

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the bot's store."""
        path = f"file:{self.demo.home / 'xuka.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as connection:
            return connection.execute(statement, values).fetchall()

    def change(self, statement: str, *values: object) -> None:
        """Change the store beside the bot, as its command line would."""
        with closing(sqlite3.connect(self.demo.home / "xuka.db", timeout=10)) as connection:
            connection.execute(statement, values)
            connection.commit()

    def log(self) -> list[dict[str, Any]]:
        """What the bot has logged."""
        text = (self.demo.home / "bot.log").read_text("utf-8")
        return [json.loads(line) if line.startswith("{") else {"raw": line}
                for line in text.splitlines() if line]  # fmt: skip

    def trouble(self) -> list[dict[str, Any]]:
        """Errors the bot has logged, and lines that are no log entries, such as a traceback's."""
        return [
            row
            for row in self.log()
            if row.get("level", "error") in ("error", "critical")
            and row.get("event") not in self.excused
        ]

    # ---- what no button offers -----------------------------------------------------------

    async def tap(self, person: Person, message_id: int, data: str) -> dict[str, Any] | None:
        """A tap with data of one's own making, on a message of one's own chat; the answer."""
        stored = self.demo.world.message(person.id, message_id)
        assert stored is not None
        query = push_press(self.demo.world, self.demo.world.people[person.id], stored, data)
        answer = await asyncio.wait_for(query.answer, 10)
        await person.idle()
        return dict(answer)

    def data_of(self, person: Person, label: str) -> str:
        """What the newest button with that label carries."""
        for stored in reversed(list(self.demo.world.messages[person.id].values())):
            for row in stored.data.get("reply_markup", {}).get("inline_keyboard", []):
                for cell in row:
                    if label in cell["text"]:
                        return str(cell["callback_data"])
        raise AssertionError(f"no button {label!r}")

    async def push(self, person: Person, content: dict[str, Any], *, idle: bool = True) -> Message:
        """A message of any kind from a person, as Telegram would tell the bot; the answer, or an
        empty one."""
        world = self.demo.world
        stored = world.new_message(person.id, world.people[person.id].user, content)
        world.push("message", stored.data)
        if idle:
            await person.idle()
        newest = next(reversed(world.messages[person.id].values()))
        return newest.data if newest.data["from"]["is_bot"] else {}


async def until(
    condition: Callable[[], Awaitable[bool]], seconds: float = 15, pause: float = 0.02
) -> None:
    """Wait for an async condition (real time)."""
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(pause)


@asynccontextmanager
async def town(
    home: Path,
    extra: dict[str, str] | None = None,
    start: datetime = START,
    without: str | None = None,
    *,
    limits: bool = False,
) -> AsyncIterator[Town]:
    """A fresh demo in `home`, stopped at the end; the bot's log is shown when something fails.

    The demo begins at `start`; people write faster here than Telegram's `limits` allow. A
    "{bot_port}" in `extra` becomes the bot's own port. An error in the log that the story did not
    excuse is a failure. `without` names a guard to take out.
    """
    demo = Demo(home, clock=WorldClock(start.timestamp() - time.time()))
    given = {**({} if limits else {"XUKA_SENDING__LIMITED": "false"}), **(extra or {})}
    demo.extra = {k: v.format(bot_port=demo.bot_port) for k, v in given.items()}
    if without is not None:
        demo.extra["PYTHONPATH"] = str(Path(__file__).parents[2])
        demo.command = [sys.executable, "-m", "tests.faults.guardless", without]
    await demo.start()
    async with httpx.AsyncClient(base_url=demo.url, timeout=180, trust_env=False) as http:
        place = Town(demo, http)
        demo.world.limits.enabled = limits
        try:
            yield place
        except BaseException:
            print((home / "bot.log").read_text("utf-8")[-6000:])
            raise
        finally:
            await demo.stop()
        trouble = place.trouble()
        assert not trouble, trouble
