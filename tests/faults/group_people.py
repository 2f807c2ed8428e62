"""What the people of a case do in Telegram: write, follow links, tap, also what is none of their
business. Each act waits until the bot, in as many lives as it takes, has nothing left to do."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from bot.demo import room_acts
from bot.demo.botapi import acts, members
from bot.demo.botapi.acts import CannotDo, Place
from bot.demo.botapi.callbacks import press
from bot.demo.botapi.models import BOT_ID, Stored
from bot.demo.botapi.rooms import Group as Room
from bot.demo.calls import Call
from bot.domain.groups import Approval
from bot.ports import SupplierUnavailable
from bot.services.selling import Refused
from tests.faults.group_cast import Cast
from tests.faults.group_judge import Record
from tests.faults.group_town import House, Process
from tests.harness import Report
from tests.unit.services.house import OPERATOR

QUIET = timedelta(minutes=6)
"""After so long the bot answers a person in a group again."""


class Folk:
    """The people of one case, and what comes of their acts."""

    def __init__(
        self, place: House, who: Cast, rng: random.Random, record: Record, report: Report
    ) -> None:
        self.place, self.who, self.rng, self.record, self.report = place, who, rng, record, report
        self.surprises: list[tuple[str, Callable[[], object]]] = []
        """What happens right after Telegram has carried out the next call of a method."""
        self._updates = 500_000_000 + who.number * 10_000
        self.note()

    @property
    def room(self) -> Room:
        """Where posts go, under the id it has now."""
        chat_id = self.who.room.id
        return self.place.world.groups[self.record.moved.get(chat_id, chat_id)]

    def heard(self, call: Call) -> None:
        """Telegram has carried out a call."""
        self.record.heard(self.place, call)
        for one in list(self.surprises):
            if one[0] == call.method:
                self.surprises.remove(one)
                one[1]()

    def note(self) -> None:
        """What is so in the room now."""
        self.record.note(self.place.clock.now(), self.room)

    # ---- talking ---------------------------------------------------------------------------

    async def say(self, role: str, text: str, room: Room | None = None, **where: Any) -> bool:
        """Somebody writes; False where Telegram does not let them."""
        person = self.who.person(role)
        chat_id = room.id if room is not None else person.id
        try:
            acts.say(self.place.world, person, chat_id, text, Place(**where))
        except CannotDo:
            return False
        await self.place.settle()
        return True

    async def open(self, role: str, payload: str) -> None:
        """Somebody follows a link to the private chat."""
        acts.start(self.place.world, self.who.person(role), payload)
        await self.place.settle()

    async def press(self, role: str, stored: Stored, data: str) -> None:
        """A tap; a client of one's own may send any data with it."""
        self.pressed(role, stored, data)
        await self.place.settle()

    def pressed(self, role: str, stored: Stored, data: str) -> None:
        """The same, among others at the same time."""
        person = self.who.person(role)
        query = press(self.place.world, person, stored, data)
        self.record.pressed[query.id] = (int(stored.data["chat"]["id"]), person.id)

    def bots(self, chat_id: int) -> list[Stored]:
        """What the bot wrote in a chat and is still there, the newest first."""
        log = self.place.world.messages.get(chat_id, {})
        return [one for one in reversed(log.values()) if one.from_bot and not one.deleted]

    def buttons(self, role: str) -> list[tuple[Stored, str]]:
        """The buttons in somebody's private chat, the newest first."""
        return [
            (one, button["callback_data"])
            for one in self.bots(self.who.person(role).id)
            for row in one.data.get("reply_markup", {}).get("inline_keyboard", [])
            for button in row
            if "callback_data" in button
        ]

    async def tap(self, role: str, verb: str, last: str = "") -> bool:
        """The newest button whose data begins with the verb, and ends so; False without one."""
        fits = [
            found for found in self.buttons(role)
            if found[1].split(":")[0] == verb and found[1].endswith(last)
        ]  # fmt: skip
        if not fits:
            return False
        newest = [found for found in fits if found[0] is fits[0][0]]
        stored, data = self.rng.choice(newest)
        await self.press(role, stored, data)
        return True

    def links(self, chat_id: int, letter: str) -> list[str]:
        """Payloads of the links the bot has shown in a chat, the newest first."""
        shown = reversed(self.record.shown)
        return [
            letter + found
            for one in shown
            if one.chat_id == chat_id and one.message_id is not None
            for kind, found in one.links
            if kind == letter
        ]

    # ---- the room --------------------------------------------------------------------------

    def rank(self, user_id: int, **changes: Any) -> None:
        """Somebody, or the bot, is something else in the room from now on."""
        owner = self.who.person("owner")
        members.change(self.place.world, self.room, owner.user, user_id, **changes)
        self.note()

    async def let_in(self, status: str = "administrator") -> None:
        """The owner adds the bot, and it learns of the room."""
        if self.room.type == "channel":
            status = "administrator"
        self.rank(BOT_ID, status=status)
        await self.place.settle()
        async with self.place.database.read() as tx:
            group = await tx.groups.by_chat(self.room.id)
        if group is None:
            self.report.violation(f"case {self.who.number}: the bot does not know where it is")
            return
        self.who.group_id = group.id
        await self.ask(lambda p: p.shop.grouping.prefer(group.id, zone=self.who.zone))

    async def decide(self, approval: Approval) -> None:
        """The operator allows or bans the room."""
        if approval is not Approval.ALLOWED:
            self.record.allowed = False
            self.note()
        group_id = self.who.group_id
        await self.ask(lambda p: p.shop.grouping.decide(group_id, approval, OPERATOR))
        self.record.allowed = approval is Approval.ALLOWED
        self.note()
        await self.place.settle()

    async def stop_campaign(self) -> None:
        """The operator stops it, as the command line does."""
        self.record.sells = False
        self.note()
        now = self.place.clock.now()
        async with self.place.database.write() as tx:
            await tx.campaigns.stop(self.who.campaign.id)
            await tx.posts.touch(now, campaign_id=self.who.campaign.id)
        self.place.process.ring()

    async def change(self, role: str, act: str, **body: Any) -> bool:
        """An act of the people interface in the room; False where Telegram does not let them."""
        world, person = self.place.world, self.who.person(role)
        try:
            done = room_acts.ROOM_ACTS[act](world, person, self.room.id, body)
        except CannotDo:
            return False
        if act == "upgrade":
            self.record.moved[self.who.room.id] = done["chat_id"]
        self.note()
        return True

    # ---- the services ------------------------------------------------------------------------

    async def ask(self, what: Callable[[Process], Any], *, waits: bool = True) -> Any:
        """Something of the services, as a handler would, in as many lives as it takes; the reason
        where it is refused."""
        try:
            done = await self.place.alive(what)
        except Refused as refused:
            self.report.count(f"refused: {refused.reason}")
            return refused.reason
        except SupplierUnavailable:
            return "unavailable"
        if waits:
            await self.place.settle()
        return done

    def update_id(self) -> int:
        """Of another update."""
        self._updates += 1
        return self._updates

    def someone(self, roles: Sequence[str]) -> str:
        """Any of them."""
        return self.rng.choice(list(roles))
