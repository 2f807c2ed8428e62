"""The demo's people, driven over HTTP as a person would: say, press, pay, look."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.demo.host import Demo

Message = dict[str, Any]


class Person:
    """One person's private chat with the bot."""

    def __init__(self, http: httpx.AsyncClient, person_id: int) -> None:
        self._http = http
        self.id = person_id
        self._chat = f"/people/{person_id}/chats/{person_id}"

    async def messages(self) -> list[Message]:
        """Everything in the chat that was not deleted, oldest first."""
        answer = await self._http.get(f"{self._chat}/messages")
        return [message for message in answer.json() if not message["deleted"]]

    async def from_bot(self) -> list[Message]:
        """What the bot wrote."""
        return [m for m in await self.messages() if m.get("from", {}).get("is_bot")]

    async def last(self) -> Message:
        """The bot's newest message."""
        return (await self.from_bot())[-1]

    async def idle(self, timeout: float = 15) -> None:
        """Until nothing is left to do."""
        answer = await self._http.post("/idle", json={"timeout": timeout})
        assert answer.json()["idle"], answer.text

    async def say(self, text: str) -> Message:
        """Write, and wait for the answer."""
        await self._http.post(f"{self._chat}/messages", json={"text": text})
        await self.idle()
        return await self.last()

    async def press(self, label: str, *, idle: bool = True) -> dict[str, Any]:
        """Press the newest button whose label contains `label`; what the bot answered to the tap."""
        for message in reversed(await self.from_bot()):
            for text in labels(message):
                if label in text:
                    body = {"message_id": message["message_id"], "text": text}
                    answer = await self._http.post(f"{self._chat}/press", json=body)
                    if idle:
                        await self.idle()
                    return dict(answer.json())
        shown = [labels(m) for m in await self.from_bot()]
        raise AssertionError(f"no button {label!r} among {shown[-3:]}")

    async def pay_without_waiting(self) -> dict[str, Any]:
        """Pay the newest invoice; does not wait for the bot to end its work."""
        invoices = [m for m in await self.from_bot() if "invoice" in m]
        body = {"message_id": invoices[-1]["message_id"]}
        return dict((await self._http.post(f"{self._chat}/pay", json=body)).json())

    async def pay(self, *, decline: bool = False) -> dict[str, Any]:
        """Pay the newest invoice."""
        invoices = [m for m in await self.from_bot() if "invoice" in m]
        body = {"message_id": invoices[-1]["message_id"], "decline": decline}
        answer = await self._http.post(f"{self._chat}/pay", json=body)
        await self.idle()
        return dict(answer.json())

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
        self.stranger, self.operator = Person(http, 1005), Person(http, 1004)

    async def advance(self, **span: float) -> None:
        """Live through days=, hours=, minutes= of the demo's clock."""
        seconds = (
            span.get("days", 0) * 86400 + span.get("hours", 0) * 3600 + span.get("minutes", 0) * 60
        )
        answer = await self.http.post("/clock", json={"advance_seconds": seconds})
        assert answer.status_code == 200, answer.text

    async def idle(self, timeout: float) -> bool:
        """Whether nothing is left to do, waiting for it."""
        return bool((await self.http.post("/idle", json={"timeout": timeout})).json()["idle"])

    async def fault(self, name: str, **switch: object) -> None:
        """Switch a fault on or off, or on for `times`."""
        answer = await self.http.post("/faults", json={"name": name, **switch})
        assert answer.status_code == 200, answer.text

    async def calls(self, method: str) -> list[dict[str, Any]]:
        """Calls the bot made of one method or path."""
        rows = (await self.http.get("/calls")).json()
        return [row for row in rows if row["method"].endswith(method)]

    def topups(self, esim_tran_no: str) -> int:
        """How many top-ups the supplier has sold for a profile."""
        profile = self.demo.supplier.profile(esim_tran_no)
        assert profile is not None
        return len(profile.bought) - 1


@asynccontextmanager
async def town(home: Path, extra: dict[str, str] | None = None) -> AsyncIterator[Town]:
    """A fresh demo in `home`, stopped at the end; the bot's log is shown when something fails."""
    demo = Demo(home, extra=extra)
    await demo.start()
    async with httpx.AsyncClient(base_url=demo.url, timeout=60, trust_env=False) as http:
        try:
            yield Town(demo, http)
        except BaseException:
            print((home / "bot.log").read_text("utf-8")[-6000:])
            raise
        finally:
            await demo.stop()
