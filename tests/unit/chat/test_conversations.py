"""What a text, a tap or a picture means where a conversation stands; Telegram is a script."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.chat.application import conversation
from bot.chat.conversations import add_sim, devices, support
from bot.domain.sims import KeepRule, Sim
from bot.services import notices
from tests.unit.chat.chat_house import House, Raw, chat_house, refused, text
from tests.unit.services.sale_house import sale_house
from tests.unit.store.samples import days, sim

SAM, OPERATOR = 7001, 1004
UNICOM = "89860119801234567899"
IMEI = "490154203237518"
LPA = "LPA:1$rsp.demo.example$XK-7F3K-2M9P"


@dataclass
class Person:
    """Somebody with English as their language, whose clock is not known yet."""

    house: House
    updates: int = 0
    seen: list[Raw] = field(default_factory=list)

    async def say(self, words: str, **body: Any) -> str:
        """Write; what the bot shows then."""
        self.updates += 1
        raw = text(self.updates, SAM, words, **body)
        if words.startswith("/"):
            raw["message"]["entities"] = [
                {"type": "bot_command", "offset": 0, "length": len(words.split()[0])}
            ]
        return await self._after(raw)

    async def picture(self, caption: str | None = None) -> str:
        """Send a photo."""
        self.updates += 1
        photo = [{"file_id": "F1", "file_unique_id": "U1", "width": 9, "height": 9}]
        raw = text(self.updates, SAM, photo=photo, caption=caption)
        del raw["message"]["text"]
        return await self._after(raw)

    async def press(self, label: str) -> str:
        """Tap the newest button whose label begins so."""
        data = next(data for shown, data in reversed(self.buttons) if shown.startswith(label))
        return await self.tap(data)

    async def tap(self, data: str) -> str:
        """Tap a button with that data."""
        self.updates += 1
        person = {"id": SAM, "is_bot": False, "first_name": "Alice", "language_code": "en"}
        message = {"message_id": 1, "date": 1, "text": "x",
                   "chat": {"id": SAM, "type": "private", "first_name": "A"}}  # fmt: skip
        query = {"id": f"q{self.updates}", "from": person, "chat_instance": "1", "data": data,
                 "message": message}  # fmt: skip
        return await self._after({"update_id": self.updates, "callback_query": query})

    async def _after(self, raw: Raw) -> str:
        before = len(self.house.telegram.calls)
        if "message" in raw:
            raw["message"]["from"]["language_code"] = "en"
        await self.house.take(raw)
        await self.house.settled()
        shown = ("sendMessage", "editMessageText")
        calls = self.house.telegram.calls[before:]
        self.seen = [given for name, given in calls if name in shown]
        return str(self.seen[-1]["text"]) if self.seen else ""

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Labels and data of the newest screen."""
        markup = self.seen[-1].get("reply_markup") or {}
        markup = json.loads(markup) if isinstance(markup, str) else markup
        rows = markup.get("inline_keyboard", [])
        return [(one["text"], one.get("callback_data", "")) for row in rows for one in row]

    async def owns(self, *sims: Sim) -> None:
        """Give them SIMs."""
        async with self.house.shop.database.write() as tx:
            for one in sims:
                assert await tx.sims.add(replace(one, owner_id=SAM))

    async def letters(self) -> list[Any]:
        """What went to the shop."""
        return [one.data for one in await self.house.shop.notices(notices.LETTER)]


@pytest.fixture
async def sam(tmp_path: Path) -> AsyncIterator[Person]:
    async with (
        sale_house(tmp_path) as shop,
        chat_house(shop, handlers=[conversation()]) as house,
    ):
        bot_data = house.app.bot_data
        bot_data["shop"] = replace(bot_data["shop"], operators=frozenset({OPERATOR}))
        await house.intake.replay()
        person = Person(house)
        await person.say("/start")
        yield person


def smart(**changes: Any) -> Sim:
    return sim("s1", msisdn="+639181234567", rule=KeepRule(30, 90), **changes)


# ---- the time zone -------------------------------------------------------------------------


async def test_the_zone_is_asked_about_once_more_when_the_question_was_lost(sam: Person) -> None:
    clock = sam.house.shop.clock
    asked = "where you are?"
    await sam.owns(smart())
    assert asked in await sam.tap("sim:s1")
    assert asked in await sam.tap("sim:s1")  # the same look at it
    clock.advance(hours=1)
    await sam.say("/cancel")
    assert asked in await sam.tap("sim:s1")
    clock.advance(days=1)
    assert asked not in await sam.tap("sim:s1")  # twice is enough


async def test_a_zone_that_was_confirmed_is_not_asked_about(sam: Person) -> None:
    await sam.owns(smart())
    await sam.tap("sim:s1")
    await sam.press("Yes, it is")
    sam.house.shop.clock.advance(hours=1)
    assert "where you are?" not in await sam.tap("sim:s1")


# ---- writing to the shop -------------------------------------------------------------------


@pytest.mark.parametrize("words", [UNICOM, LPA, "+639181234567", "XUKS-7F3K-2M9P-Q4TD"])
async def test_a_sims_number_in_a_letter_is_asked_about(sam: Person, words: str) -> None:
    await sam.say("/support")
    shown = await sam.say(words)
    assert "add" in shown
    assert await sam.letters() == []
    await sam.press("Send it to our shop")
    await sam.tap(f"letter:{sam.updates - 1}")  # a second tap sends nothing
    assert [one["text"] for one in await sam.letters()] == [words]


async def test_a_sims_number_in_a_letter_can_be_added_instead(sam: Person) -> None:
    await sam.say("/support")
    await sam.say(UNICOM)
    assert "Which carrier is it" in await sam.press("Add this SIM")
    assert await sam.letters() == []


async def test_a_letter_that_mentions_a_number_goes_to_the_shop(sam: Person) -> None:
    await sam.say("/support")
    letters = (f"My SIM {UNICOM} shows no signal", "LPA: it says it is used already", IMEI)
    for words in letters:
        await sam.say("/support")
        assert "with our shop" in await sam.say(words)
    assert [one["text"] for one in await sam.letters()] == [*letters]


async def test_a_photo_sent_while_writing_goes_to_the_shop(sam: Person) -> None:
    await sam.say("/support")
    assert "Your picture is passed on" in await sam.picture("see the error")
    [letter] = await sam.letters()
    assert (letter["text"], letter["photo"]) == ("see the error", "F1")
    await sam.tap("menu")
    sam.house.telegram.answers["getFile"] = [refused(400, "no such file")]
    await sam.picture()
    assert len(await sam.letters()) == 1  # from here on a photo is one of a SIM again


async def test_a_voice_message_to_the_shop_is_answered_with_what_can_be_sent(sam: Person) -> None:
    await sam.say("/support")
    voice = {"file_id": "V", "file_unique_id": "V", "duration": 3}
    assert "text and pictures" in await sam.say("x", voice=voice, text=None)
    assert await sam.letters() == []


async def test_an_operators_picture_answers_the_customer(sam: Person) -> None:
    bot_data = sam.house.app.bot_data
    bot_data["shop"] = replace(bot_data["shop"], operators=frozenset({SAM}))
    await sam.tap("answer:1001")
    await sam.picture("like this")
    [letter] = await sam.letters()
    assert (letter["photo"], letter["answer"]) == ("F1", True)
    assert "on its way" in await sam.say("and then restart it")
    assert len(await sam.letters()) == 2


# ---- an IMEI -------------------------------------------------------------------------------


async def test_an_imei_written_anywhere_is_offered_to_be_kept(sam: Person) -> None:
    await sam.owns(smart())
    assert "IMEI" in await sam.say(IMEI)
    assert "••••" in await sam.press("Smart")
    async with sam.house.shop.database.read() as tx:
        kept = await tx.sims.get("s1")
    assert kept is not None
    assert kept.imei == IMEI


async def test_an_imei_without_a_sim_says_what_to_do_first(sam: Person) -> None:
    assert "IMEI" in await sam.say(IMEI)
    assert ("Add a SIM", "add") in sam.buttons
    shown = await sam.tap(f"imei:s9:{IMEI}")
    assert "no SIM here yet" in shown


# ---- the carrier of a new SIM --------------------------------------------------------------


async def test_an_activation_code_of_an_unknown_server_is_asked_about_openly(sam: Person) -> None:
    assert "Which carrier is it" in await sam.say(LPA)
    assert [data for _, data in sam.buttons if data.startswith("addc")] == []


@pytest.mark.parametrize(
    "words", ["I don't know what it is", "no idea", "我不知道", "What is a carrier?", "?", "12"]
)
async def test_a_sentence_is_no_carriers_name(sam: Person, words: str) -> None:
    await sam.say(LPA)
    shown = await sam.say(words)
    assert "Which carrier is it" in shown
    assert "for example" in shown


@pytest.mark.parametrize("words", ["giffgaff", "China Mobile Hong Kong", "中華電信", "AT&T"])
async def test_a_carriers_name_is_taken(sam: Person, words: str) -> None:
    await sam.say(LPA)
    assert "until which day" in await sam.say(words)


# ---- taken back ----------------------------------------------------------------------------


async def test_an_activity_told_by_mistake_can_be_taken_back(sam: Person) -> None:
    await sam.owns(smart(expiry=days(10)))
    await sam.tap("used:s1")
    await sam.press("Made a call")
    assert "Taken back: Made a call" in await sam.press("Undo")
    async with sam.house.shop.database.read() as tx:
        assert await tx.activities.of("s1") == []


def test_every_state_has_its_own_number() -> None:
    states = [*support.Support, *add_sim.AddSim, *devices.Devices]
    assert len(set(map(int, states))) == len(states)
