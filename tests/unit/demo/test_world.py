"""The demo's world: its cast, and that a saved one goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.demo import room_acts
from bot.demo.botapi import acts, invoices, payments, profile
from bot.demo.botapi.errors import ApiError
from bot.demo.botapi.models import BOT_ID, BOT_TOKEN, Person
from bot.demo.botapi.params import Upload
from bot.demo.botapi.saving import dump
from bot.demo.botapi.sending import send_message
from bot.demo.cast import (
    CHANNEL_ID,
    CLUB_ID,
    FORUM_ID,
    GROUP_ID,
    NEWS_ID,
    SMALL_GROUP_ID,
    TALK_ID,
)
from bot.demo.world import World

INVOICE = {
    "title": "t",
    "description": "d",
    "payload": "p",
    "currency": "XTR",
    "prices": [{"label": "l", "amount": 5}],
}


def lived_in() -> World:
    """A world with some of everything that lasts."""
    world = World()
    world.clock.advance(3600)
    person = world.people[1001]
    acts.start(world, person, "promo_1")
    acts.say(world, world.people[1002], GROUP_ID, "hello")
    acts.send_file(world, person, 1001, "document", Upload("a.txt", "text/plain", b"\0\xff"))
    markup = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    send_message(world, {"chat_id": 1001, "text": "x", "reply_markup": markup})
    invoices.send_invoice(world, {"chat_id": 1001, **INVOICE})
    link = invoices.create_invoice_link(world, INVOICE)
    payments._charge(world, person, world.invoice_links[link])
    scope = {"type": "chat", "chat_id": 1001}
    commands = [{"command": "a", "description": "A"}]
    profile.set_my_commands(world, {"commands": commands, "scope": scope, "language_code": "zh"})
    profile.set_my_description(world, {"description": "text"})
    profile.set_chat_menu_button(world, {"chat_id": 1001, "menu_button": {"type": "commands"}})
    in_rooms(world)
    acts.block(world, person, on=True)
    return world


def in_rooms(world: World) -> None:
    """What lasts of groups and channels: topics, rights, pins, forwards, who is anonymous."""
    owner = world.people[1003]
    room_acts.change_topic(world, owner, FORUM_ID, {"name": "Travel"})
    room_acts.change_bot(world, owner, FORUM_ID, {"rights": {"can_pin_messages": False}})
    room_acts.change_member(world, owner, CLUB_ID, {"anonymous": True})
    acts.say(world, owner, CLUB_ID, "as the group")
    said = acts.say(world, owner, NEWS_ID, "news")
    room_acts.pin(world, owner, NEWS_ID, {"message_id": said.message_id})
    room_acts.become_supergroup(world, owner, SMALL_GROUP_ID, {})


def test_a_saved_world_goes_on(tmp_path: Path) -> None:
    world = lived_in()
    path = tmp_path / "world.json"
    world.save(path)
    world.save(path)
    again = World.load(path, limits=False)
    assert json.dumps(dump(again)) == json.dumps(dump(world))
    assert [file.name for file in tmp_path.iterdir()] == ["world.json"]
    assert again.people[1001].user == world.people[1001].user
    assert again.groups[FORUM_ID].chat == world.groups[FORUM_ID].chat
    owner = again.people[1003]
    acts.edit(again, owner, NEWS_ID, 1, "newer")
    assert again.messages[TALK_ID][1].data["text"] == "newer"
    acts.edit(again, owner, CLUB_ID, 1, "as the group still")
    acts.start(again, again.people[1001])
    ids = [update.update_id for update in again.updates.pending]
    assert ids == sorted(set(ids))
    # The sixth stands in the basic group, which shares the private chats' numbers.
    assert list(again.messages[1001]) == [1, 2, 3, 4, 5, 7]


def test_another_versions_world_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text('{"version": 0}')
    with pytest.raises(ValueError, match="another version"):
        World.load(path)


def test_the_cast() -> None:
    world = World()
    assert world.token == BOT_TOKEN
    assert [(p.id, p.name, p.language_code, p.role) for p in world.people.values()] == [
        (1001, "林小雨", "zh-hans", "customer"),
        (1002, "Emma Clark", "en", "customer"),
        (1003, "陈国强", "zh-hans", "group admin"),
        (1004, "店主 Owen", "zh-hans", "operator"),
        (1005, "Sam Stranger", "en", "stranger"),
        (1006, "林家豪", "zh-hant", "customer"),
        (1007, "周敏", "zh-hans", "group admin"),
        (1008, "Grace Miller", "en", "customer"),
    ]
    assert world.groups[GROUP_ID].admins() == [1003]
    assert world.groups[GROUP_ID].has(BOT_ID)
    assert not world.groups[CHANNEL_ID].has(BOT_ID)


def test_a_crowd_of_ones_own() -> None:
    world = World(people=[Person(1, "A B C", "en", "customer", "abc")])
    assert world.people[1].user["last_name"] == "B C"
    assert list(world.groups[GROUP_ID].members) == [BOT_ID]
    with pytest.raises(ApiError, match="chat not found"):
        world.writable(1001)
    world.people[2] = Person(2, "D", "en", "customer", started=True)
    assert world.writable(2) == 2
