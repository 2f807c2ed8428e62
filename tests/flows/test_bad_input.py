"""Every kind of message in every state of every conversation: an answer, and never a traceback."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from bot.demo.botapi.callbacks import press as push_press
from tests.flows.people import Message, Person, Town, labels, until

_FILE = {"file_id": "x", "file_unique_id": "y"}
TEXTS = (
    "hello", "/unknown", "/", "//", "/start@some_other_bot", "/renew nonsense", "😀", "👨‍👩‍👧‍👦🇨🇳",
    "<b>&", "</code><a href='x'>&lt;", "مرحبا بالعالم", "\u202eright to left", "0", "-1", "00",
    "99999999999999999999", "1e400", "NaN", "1,000,000.999", "٣", "½", "²", "①",
    "one\ntwo\n\nthree",
    "%s %(name)s {name} {0} %", "12:60", "25", "24-99", "2027-02-30", "31.12.9999", "0000-00-00",
    "next year", "x" * 4096, "漢" * 5000, "+", "+1", "LPA:", "89", "XUKS-", "\u200b\u2060", "@emma",
    "https://example.com/?a=1&b=2#c",
)  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "photo": {"photo": [{**_FILE, "width": 9, "height": 9}]},
    "photo with caption": {"photo": [{**_FILE, "width": 9, "height": 9}], "caption": "is it <?"},
    "document": {"document": {**_FILE, "file_name": "card.pdf"}, "caption": "/start"},
    "sticker": {"sticker": {**_FILE, "type": "regular", "width": 9, "height": 9,
                            "is_animated": False, "is_video": False}},
    "voice": {"voice": {**_FILE, "duration": 3}},
    "video note": {"video_note": {**_FILE, "length": 9, "duration": 3}},
    "contact": {"contact": {"phone_number": "+13055550142", "first_name": "Me"}},
    "location": {"location": {"longitude": 121.5, "latitude": 31.2}},
    "dice": {"dice": {"emoji": "🎲", "value": 6}},
    "forwarded": {"text": "look", "forward_origin": {"type": "hidden_user", "date": 1,
                                                     "sender_user_name": "Somebody"}},
    "a kind of tomorrow": {"hologram": {"size": 3}},
}  # fmt: skip

Way = tuple[str, ...]
"""Steps into a state: commands and texts to write, and labels to press after a ">"."""

UNICOM = "/add 89860119801234567899"
CUSTOMERS: dict[str, Way] = {
    "no state": ("/start",),
    "a voucher": ("/sims", ">US Data Card", ">Renew", ">USA 5 GB", ">Use a voucher"),
    "a question": ("/support",),
    "an identifier": ("/add",),
    "a claim code": ("/add 89852041000000003276",),
    "a carrier": (UNICOM,),
    "a day": (UNICOM, ">China Unicom"),
    "a past day": (UNICOM, ">China Unicom", ">It has expired"),
    "how long it is kept": (UNICOM, ">China Unicom", "2027-06-01"),
    "the grace period": (UNICOM, ">China Unicom", "2027-06-01", "90"),
    "a name": ("/sims", ">T-Mobile US", ">More", ">Rename"),
    "a new expiry": ("/sims", ">T-Mobile US", ">Renew", ">I renewed it myself"),
    "changed dates": ("/sims", ">T-Mobile US", ">Change dates"),
    "a day to snooze to": ("/sims", ">T-Mobile US", ">Reminders", ">Snooze", ">On a day I choose"),
    "an hour": ("/reminders", ">Hour"),
    "quiet hours": ("/reminders", ">Quiet hours"),
    "a zone": ("/reminders", ">Time zone"),
    "a day of use": ("/sims", ">T-Mobile US", ">I used it today", ">On another day"),
    "when it was last kept": ("/add +447712345678", "giffgaff", ">Use this rule"),
    "a model of a phone": ("/help", ">Will my phone do eSIM?"),
    "the phone of a SIM": ("/sims", ">T-Mobile US", ">More", ">Phone"),
}


class Visitor:
    """Walks one person into states, fast: waits for the very update, not for the whole bot."""

    def __init__(self, place: Town, person: Person) -> None:
        self._place, self._person = place, person
        place.demo.world.people[person.id].started = True
        self._store = sqlite3.connect(f"file:{place.demo.home / 'xuka.db'}?mode=ro", uri=True)

    def close(self) -> None:
        self._store.close()

    async def send(self, content: dict[str, Any]) -> Message:
        """A message of any kind; what the bot wrote after it, or an empty message."""
        await self._place.push(self._person, content, idle=False)
        return await self._answer()

    async def press(self, label: str) -> None:
        """The newest button with that label."""
        world = self._place.demo.world
        for stored in reversed(world.messages[self._person.id].values()):
            if any(label in text for text in labels(stored.data)):
                data = self._place.data_of(self._person, label)
                push_press(world, world.people[self._person.id], stored, data)
                await self._answer()
                return
        raise AssertionError(f"no button {label!r}")

    async def _answer(self) -> Message:
        update_id = self._place.demo.world.updates.next_id - 1
        await until(lambda: self._done(update_id), pause=0.002)
        newest = next(reversed(self._place.demo.world.messages[self._person.id].values()))
        return newest.data if newest.data["from"]["is_bot"] else {}

    async def _done(self, update_id: int) -> bool:
        statement = "select done_at from inbox where update_id = ?"
        row = self._store.execute(statement, (update_id,)).fetchone()
        return row is not None and row[0] is not None

    def standing(self) -> object:
        """The person's state as it is stored."""
        statement = "select state from conversations where key like ?"
        return self._store.execute(statement, (f"%{self._person.id}%",)).fetchall()

    async def go(self, way: Way) -> None:
        """Walk into a state, as if no earlier answer had added or named a line."""
        self._place.change(
            "update sims set nickname = null,"
            " removed_at = case carrier when 'China Unicom' then created_at end"
        )
        for step in way:
            if step.startswith(">"):
                await self.press(step[1:])
            else:
                await self.send({"text": step, "entities": _command(step)})

    async def every_input(self, enter: Callable[[], Awaitable[None]]) -> None:
        """Send everything there is in one state, and leave it by /cancel."""
        await enter()
        state = self.standing()
        unanswered = []
        for name, content in {**{text: {"text": text} for text in TEXTS}, **OTHERS}.items():
            if self.standing() != state:
                await enter()
            if name.startswith("/"):
                content = {**content, "entities": _command(name)}
            if not (await self.send(dict(content))).get("text"):
                unanswered.append(name[:40])
        assert unanswered == []
        await enter()
        assert self.standing() == state
        stopped = await self.send({"text": "/cancel", "entities": _command("/cancel")})
        assert "Nothing was charged" in stopped["text"]
        assert "did not understand" in (await self.send({"text": "hello"}))["text"]


def _command(text: str) -> list[dict[str, Any]]:
    if not text.startswith("/"):
        return []
    return [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_every_state_answers_every_input(place: Town, part: int) -> None:
    with closing(Visitor(place, place.en)) as emma:
        for name in list(CUSTOMERS)[part::3]:
            try:
                await emma.every_input(partial(emma.go, CUSTOMERS[name]))
            except AssertionError as error:
                raise AssertionError(f"while asked for {name}: {error}") from error
            assert place.trouble() == [], name


async def test_an_open_amount_and_an_operators_answer(place: Town) -> None:
    lin, owner, emma = place.zh, place.operator, place.en
    await owner.say("/start")
    for person in (lin, owner):
        await person.say("/language")
        await person.press("English")
    with closing(Visitor(place, lin)) as visitor:
        way = ("/sims", ">Smart", ">Renew", ">Smart load")
        await visitor.every_input(partial(visitor.go, way))
    await emma.say("/support")
    await emma.say("Are you there?")
    with closing(Visitor(place, owner)) as visitor:
        await visitor.every_input(partial(visitor.press, "Answer"))


async def test_an_edited_message_is_left_alone(place: Town) -> None:
    emma = place.en
    await emma.say("/sims")
    before = await emma.from_bot()
    [mine] = [m for m in await emma.messages() if not m["from"]["is_bot"]]
    await emma.post("edit", {"message_id": mine["message_id"], "text": "/renew"})
    await emma.idle()
    assert await emma.from_bot() == before
