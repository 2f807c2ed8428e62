"""The demo's world: people, chats, messages, files and Stars, and the bot as Telegram sees it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.demo.botapi import saving
from bot.demo.botapi.errors import ApiError, bad_request, forbidden
from bot.demo.botapi.events import EventHub
from bot.demo.botapi.files import FileStore
from bot.demo.botapi.limits import Limiter
from bot.demo.botapi.models import (
    BOT_ID,
    BOT_TOKEN,
    BOT_USERNAME,
    CallbackQuery,
    Charge,
    Invoice,
    Json,
    Person,
    PreCheckout,
    Stored,
    Subscription,
)
from bot.demo.botapi.profile import BotProfile
from bot.demo.botapi.rooms import SUPERGROUPS, Group
from bot.demo.botapi.subscriptions import renew_due
from bot.demo.botapi.topics import furnish
from bot.demo.botapi.updates import UpdateQueue
from bot.demo.cast import TOPICS, cast, rooms
from bot.demo.clock import WorldClock


class World:
    """Everything the stand-in knows. Times are the demo's clock unless they say "real"."""

    def __init__(
        self,
        clock: WorldClock | None = None,
        people: Iterable[Person] | None = None,
        groups: Iterable[Group] | None = None,
        *,
        limits: bool = True,
        precheckout_seconds: float = 10.0,
        callback_seconds: float = 150.0,
    ) -> None:
        self.clock = clock or WorldClock()
        self.token = BOT_TOKEN
        self.people = {person.id: person for person in (cast() if people is None else people)}
        self.groups = {group.id: group for group in (rooms() if groups is None else groups)}
        for group in self.groups.values():
            known = (user for user in group.members if user in self.people or user == BOT_ID)
            group.members = {user: group.members[user] for user in known}
        self.messages: dict[int, dict[int, Stored]] = {}
        self.pinned: dict[int, list[int]] = {}
        self.bot = BotProfile()
        self.bot_user: Json = {
            "id": BOT_ID,
            "is_bot": True,
            "first_name": self.bot.name,
            "username": BOT_USERNAME,
        }
        self.updates = UpdateQueue(self.clock)
        self.files = FileStore()
        self.limits = Limiter(enabled=limits)
        self.events = EventHub()
        self.callbacks: dict[str, CallbackQuery] = {}
        self.checkouts: dict[str, PreCheckout] = {}
        self.charges: dict[str, Charge] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.invoice_links: dict[str, Invoice] = {}
        self.precheckout_seconds = precheckout_seconds
        self.callback_seconds = callback_seconds
        self.slow_seconds = 2.0
        self.next_private_id = 1
        self.clock.moved.append(lambda: renew_due(self))
        self._query_ids = itertools.count(int(self.clock.timestamp() * 1000) << 20)
        for group in self.groups.values():
            if group.is_forum:
                furnish(self, group, TOPICS)

    # People and chats

    def chat_of(self, chat_id: int) -> Json:
        """The Bot API Chat of a known chat; ApiError 400 otherwise."""
        if chat_id > 0 and chat_id in self.people:
            return self.people[chat_id].chat
        if chat_id in self.groups:
            return self.groups[chat_id].chat
        raise bad_request("chat not found")

    def find_chat(self, given: int | str) -> int:
        """The id behind a chat_id parameter that the bot may know of; ApiError 400 otherwise."""
        if isinstance(given, str):
            for named in self.groups.values():
                if named.username and f"@{named.username}".lower() == given.lower():
                    return named.id
            raise bad_request("chat not found")
        person = self.people.get(given)
        if person is not None:
            if not person.started and not self.shares_group(person.id):
                raise bad_request("chat not found")
            return given
        group = self.groups.get(given)
        if group is None:
            raise bad_request("chat not found")
        if group.upgraded_to is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, text, migrate_to_chat_id=group.upgraded_to)
        return given

    def shares_group(self, person_id: int) -> bool:
        """Whether the bot has met this person in a group."""
        return any(
            group.has(BOT_ID) and group.has(person_id)
            for group in self.groups.values()
            if group.type != "channel"
        )

    def writable(self, given: int | str) -> int:
        """The id of a chat the bot may write to now; ApiError 400 or 403 otherwise."""
        chat_id = self.find_chat(given)
        if chat_id > 0:
            person = self.people[chat_id]
            if person.deactivated:
                raise forbidden("user is deactivated")
            if person.blocked:
                raise forbidden("bot was blocked by the user")
            if not person.started:
                raise forbidden("bot can't initiate conversation with a user")
            return chat_id
        group = self.groups[chat_id]
        status = group.status(BOT_ID)
        if status == "kicked":
            raise forbidden(f"bot was kicked from the {group.type} chat")
        if not group.has(BOT_ID):
            raise forbidden(f"bot is not a member of the {group.type} chat")
        if group.type == "channel" and status == "member":
            raise bad_request("need administrator rights in the channel chat")
        return chat_id

    # Messages

    def new_message(self, chat_id: int, sender: Json | None, content: Json) -> Stored:
        """Put a message into a chat, tell whoever listens, and hand it back."""
        log = self.messages.get(chat_id)
        if log is None:
            log = self.messages[chat_id] = {}
        if chat_id > SUPERGROUPS:
            message_id = self.next_private_id
            self.next_private_id += 1
        else:
            message_id = next(reversed(log), 0) + 1
        chat = self.chat_of(chat_id)
        data: Json = {"message_id": message_id, "chat": chat, "date": self.unix_time()}
        if sender is None:
            data["sender_chat"] = chat
        else:
            data["from"] = sender
        data.update(content)
        stored = log[message_id] = Stored(data)
        return stored

    def message(self, chat_id: int, message_id: int) -> Stored | None:
        """A message that is there and not deleted."""
        stored = self.messages.get(chat_id, {}).get(message_id)
        return None if stored is None or stored.deleted else stored

    def announce(self, kind: str, stored: Stored) -> None:
        """Tell listeners of a "message", "edited" or "deleted" message."""
        if self.events.listening:
            chat_id = stored.data["chat"]["id"]
            self.events.emit(kind, chat_id=chat_id, message=self.shown(stored))

    def shown(self, stored: Stored) -> Json:
        """A message as the people interface shows it."""
        extra: Json = {}
        if stored.invoice is not None:
            invoice = stored.invoice
            extra["invoice"] = {
                "amount": invoice.amount,
                "currency": invoice.currency,
                "paid": len(stored.paid),
                "charge_ids": list(stored.paid),
            }
        if stored.keyboard is not None:
            extra["keyboard"] = stored.keyboard
        if file := self.files.shown_in(stored.data):
            extra["file"] = {
                "url": f"/files/{file.unique_id}",
                "name": file.name,
                "mime_type": file.mime_type,
                "size": len(file.data),
            }
        marks: Json = {"edited": stored.edited, "deleted": stored.deleted, "x": extra}
        return {**stored.data, **marks}

    # Small things

    def unix_time(self) -> int:
        """The demo's present in whole Unix seconds."""
        return int(self.clock.timestamp())

    def query_id(self) -> str:
        """A fresh id for a callback or pre-checkout query."""
        return str(next(self._query_ids))

    def save(self, path: Path) -> None:
        """Write the world to a file, to be continued with `load`."""
        saving.write(self, path)

    @classmethod
    def load(cls, path: Path, clock: WorldClock | None = None, **options: Any) -> World:
        """A world as it was saved; `clock` takes the saved offset, `options` are the
        constructor's. OSError or ValueError when the file cannot be read."""
        world = cls(clock, **options)
        saving.read(world, path)
        return world

    def push(self, kind: str, payload: dict[str, Any]) -> None:
        """Queue an update for the bot."""
        self.updates.add(kind, payload)
