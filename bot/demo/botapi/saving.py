"""The world as JSON, so that a demo can be continued another day.

Left out: whatever waits for somebody in this very process (open presses and pay sheets, the
webhook, which the bot sets anew when it starts).
"""

from __future__ import annotations

import base64
import json
import os
from collections import deque
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.demo.botapi.models import (
    Charge,
    Invoice,
    Json,
    Person,
    Stored,
    StoredFile,
    Subscription,
)
from bot.demo.botapi.profile import BotProfile
from bot.demo.botapi.rooms import Group, Topic
from bot.demo.botapi.updates import Pending

if TYPE_CHECKING:
    from bot.demo.world import World

VERSION = 1


def _plain(record: Any) -> Json:
    """A dataclass as a dict of what its constructor takes."""
    return {each.name: getattr(record, each.name) for each in fields(record) if each.init}


def _invoice(given: Json | None) -> Invoice | None:
    return None if given is None else Invoice(**given)


def dump(world: World) -> Json:
    """Everything lasting of the world, fit for JSON."""
    profile = _plain(world.bot) | {
        "commands": [
            [list(scope), language, commands]
            for (scope, language), commands in world.bot.commands.items()
        ],
        "menu_buttons": list(world.bot.menu_buttons.items()),
    }
    return {
        "version": VERSION,
        "clock_offset": world.clock.offset,
        "people": [_plain(person) for person in world.people.values()],
        "groups": [_group(group) for group in world.groups.values()],
        "pinned": list(world.pinned.items()),
        "messages": [asdict(stored) for log in world.messages.values() for stored in log.values()],
        "next_private_id": world.next_private_id,
        "bot": profile,
        "updates": {
            "next_id": world.updates.next_id,
            "allowed": world.updates.allowed,
            "pending": [asdict(update) for update in world.updates.pending],
        },
        "files": [
            _plain(file) | {"data": base64.b64encode(file.data).decode()}
            for file in world.files.by_id.values()
        ],
        "charges": [asdict(charge) for charge in world.charges.values()],
        "subscriptions": [
            asdict(each) | {"link": _link_of(world, each)} for each in world.subscriptions.values()
        ],
        "invoice_links": {link: asdict(one) for link, one in world.invoice_links.items()},
    }


def _group(group: Group) -> Json:
    """JSON has no numbers for keys: what is keyed by ids becomes lists."""
    return _plain(group) | {
        "members": list(group.members.items()),
        "rights": list(group.rights.items()),
        "topics": [asdict(topic) for topic in group.topics.values()],
    }


def _group_again(saved: Json) -> Group:
    topics = [Topic(**topic) for topic in saved.get("topics", [])]
    return Group(
        **{
            **saved,
            "members": dict(saved["members"]),
            "rights": dict(saved.get("rights", [])),
            "topics": {topic.id: topic for topic in topics},
        }
    )


def _link_of(world: World, each: Subscription) -> str | None:
    """The link it was paid by: which invoice it is, for a copy would be another one."""
    links = world.invoice_links.items()
    return next((link for link, invoice in links if invoice is each.invoice), None)


def restore(world: World, saved: Json) -> None:
    """Fill a new world with what `dump` gave; ValueError for another version."""
    if saved.get("version") != VERSION:
        raise ValueError("this demo was saved by another version of Xuka; start a fresh one")
    world.clock.offset = saved["clock_offset"]
    world.people = {one["id"]: Person(**one) for one in saved["people"]}
    world.groups = {one["id"]: _group_again(one) for one in saved["groups"]}
    world.pinned = dict(saved.get("pinned", []))
    world.messages.clear()
    for one in saved["messages"]:
        stored = Stored(**{**one, "invoice": _invoice(one["invoice"])})
        chat_id = stored.data["chat"]["id"]
        world.messages.setdefault(chat_id, {})[stored.message_id] = stored
    world.next_private_id = saved["next_private_id"]
    world.bot = _profile(saved["bot"])
    world.updates.next_id = saved["updates"]["next_id"]
    world.updates.allowed = saved["updates"]["allowed"]
    world.updates.pending = deque(Pending(**one) for one in saved["updates"]["pending"])
    for one in saved["files"]:
        world.files.keep(StoredFile(**{**one, "data": base64.b64decode(one["data"])}))
    for one in saved["charges"]:
        charge = Charge(**{**one, "invoice": Invoice(**one["invoice"])})
        world.charges[charge.id] = charge
    world.invoice_links = {link: Invoice(**one) for link, one in saved["invoice_links"].items()}
    for one in saved.get("subscriptions", []):
        invoice = world.invoice_links.get(one.pop("link")) or Invoice(**one["invoice"])
        world.subscriptions[one["id"]] = Subscription(**{**one, "invoice": invoice})


def _profile(saved: Json) -> BotProfile:
    commands = {
        ((kind, chat_id, user_id), language): menu
        for (kind, chat_id, user_id), language, menu in saved["commands"]
    }
    buttons = dict(saved["menu_buttons"])
    return BotProfile(**{**saved, "commands": commands, "menu_buttons": buttons})


def write(world: World, path: Path) -> None:
    """Save to a file in one step: a crash leaves the old file or the new one."""
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.write_text(json.dumps(dump(world), ensure_ascii=False), encoding="utf-8")
    os.replace(temporary, path)


def read(world: World, path: Path) -> None:
    """Fill a new world from a file; OSError or ValueError when there is none to read."""
    restore(world, json.loads(path.read_text(encoding="utf-8")))
