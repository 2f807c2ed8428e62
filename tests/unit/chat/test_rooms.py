"""Who is an admin is Telegram's word: asked rarely, asked anew when it matters, never guessed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from telegram.error import TimedOut
from telegram.ext import ExtBot

from bot.chat.hush import PERSON, Hush
from bot.chat.rooms import KEEP, TelegramRooms
from bot.domain.groups import Group, Standing
from bot.ports import RoomsUnavailable
from bot.services.grouping import Grouping, Manner, Room
from tests.unit.chat.chat_house import Answer, Telegram, refused
from tests.unit.services.sale_house import Shop, sale_house
from tests.unit.store.samples import ALICE, BOB, NOW

CHAT, ME = -100, 1
ASK = "getChatAdministrators"


def person(user_id: int, *, bot: bool = False) -> dict[str, Any]:
    return {"id": user_id, "is_bot": bot, "first_name": "N"}


def owner(user_id: int) -> dict[str, Any]:
    return {"status": "creator", "user": person(user_id), "is_anonymous": False}


def admin(user_id: int, *, bot: bool = False, **rights: bool) -> dict[str, Any]:
    names = (
        "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages",
        "can_manage_video_chats", "can_restrict_members", "can_promote_members",
        "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
        "can_delete_stories",
    )  # fmt: skip
    return {
        "status": "administrator", "user": person(user_id, bot=bot),
        **dict.fromkeys(names, False), **rights,
    }  # fmt: skip


def said(*members: dict[str, Any]) -> Answer:
    return 200, {"ok": True, "result": list(members)}


def one(**member: Any) -> Answer:
    return 200, {"ok": True, "result": {"user": person(ME, bot=True), **member}}


class Place:
    """A group that the store knows, and a Telegram that says what a test wrote."""

    def __init__(self, shop: Shop, group: Group) -> None:
        self.shop, self.group = shop, group
        self.telegram = Telegram()
        bot: ExtBot[Any] = ExtBot(
            f"{ME}:a", request=self.telegram, get_updates_request=self.telegram
        )
        self.bot = bot
        self.rooms = TelegramRooms(bot, shop.database, shop.clock)

    def says(self, method: str, *answers: Answer) -> None:
        self.telegram.answers.setdefault(method, []).extend(answers)

    def asked(self) -> int:
        return len(self.telegram.of(ASK))

    async def stored(self) -> Group:
        async with self.shop.database.read() as tx:
            found = await tx.groups.get(self.group.id)
        assert found is not None
        return found


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with sale_house(tmp_path) as shop:
        grouping = Grouping(shop.database, shop.clock, ())
        group = await grouping.met(Room(CHAT, "supergroup", "SIM talk"), Manner("en", "UTC"))
        place = Place(shop, group)
        await place.bot.initialize()
        yield place
        await place.bot.shutdown()


async def test_bots_are_no_admins_and_anonymous_ones_are(place: Place) -> None:
    hidden = admin(BOB, is_anonymous=True)
    place.says(ASK, said(owner(ALICE), hidden, admin(77, bot=True), admin(ME, bot=True)))
    rights = await place.rooms.rights(CHAT)
    assert rights is not None
    assert rights.admins == {ALICE, BOB}
    assert (rights.is_admin, rights.posts, rights.pins) == (True, True, False)
    async with place.shop.database.read() as tx:
        assert [group.id for group in await tx.groups.of_admin(BOB)] == [place.group.id]


async def test_it_is_asked_once_in_five_minutes_unless_it_has_to_be_fresh(place: Place) -> None:
    place.says(ASK, *[said(owner(ALICE), admin(ME, bot=True))] * 5)
    for _ in range(3):
        await place.rooms.rights(CHAT)
    assert place.asked() == 1
    await place.rooms.rights(CHAT, fresh=True)
    assert place.asked() == 2
    place.shop.clock.at += KEEP - timedelta(seconds=1)
    await place.rooms.rights(CHAT)
    assert place.asked() == 2
    place.shop.clock.at += timedelta(seconds=1)
    await place.rooms.rights(CHAT)
    assert place.asked() == 3
    place.rooms.forget(CHAT)
    await place.rooms.rights(CHAT)
    assert place.asked() == 4


@pytest.mark.parametrize(
    ("member", "posts"),
    [
        ({"status": "member"}, True),
        ({"status": "restricted", "is_member": True, "can_send_messages": False}, False),
        ({"status": "restricted", "is_member": True, "can_send_messages": True}, True),
    ],
)
async def test_a_bot_that_is_no_admin_asks_about_itself_alone(
    place: Place, member: dict[str, Any], posts: bool
) -> None:
    names = (
        "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
        "can_send_video_notes", "can_send_voice_notes", "can_send_polls",
        "can_send_other_messages", "can_add_web_page_previews", "can_change_info",
        "can_invite_users", "can_pin_messages", "can_manage_topics", "can_edit_tag",
        "can_react_to_messages",
    )  # fmt: skip
    more = dict.fromkeys(names, False) | {"until_date": 0} if "is_member" in member else {}
    place.says(ASK, said(owner(ALICE)))
    place.says("getChatMember", one(**member, **more))
    rights = await place.rooms.rights(CHAT)
    assert rights is not None
    assert (rights.is_admin, rights.posts) == (False, posts)
    assert [call["user_id"] for call in place.telegram.of("getChatMember")] == [ME]
    stored = await place.stored()
    assert (stored.standing, stored.can_post) == (Standing.MEMBER, posts)


async def test_in_a_channel_writing_is_a_right(place: Place) -> None:
    place.says(ASK, said(owner(ALICE), admin(ME, bot=True, can_post_messages=False)))
    rights = await place.rooms.rights(CHAT)
    assert rights is not None
    assert not rights.posts
    assert not (await place.stored()).sells


@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "Forbidden: bot was kicked from the supergroup chat"),
        refused(400, "Bad Request: chat not found"),
    ],
)
async def test_where_the_bot_is_not_nobody_is_an_admin(place: Place, answer: Answer) -> None:
    place.says(ASK, answer)
    assert await place.rooms.rights(CHAT) is None
    assert (await place.stored()).standing is Standing.OUT


@pytest.mark.parametrize("answer", [TimedOut(), refused(502, "Bad Gateway")])
async def test_what_telegram_does_not_say_is_not_known(place: Place, answer: Answer) -> None:
    place.says(ASK, answer, said(owner(ALICE), admin(ME, bot=True)))
    with pytest.raises(RoomsUnavailable):
        await place.rooms.rights(CHAT)
    assert (await place.stored()).standing is Standing.MEMBER
    rights = await place.rooms.rights(CHAT)
    assert rights is not None, "a failure is not remembered"


async def test_a_group_that_moved_is_asked_about_where_it_is(place: Place) -> None:
    place.says(
        ASK,
        refused(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1009),
        said(owner(ALICE), admin(ME, bot=True)),
    )
    rights = await place.rooms.rights(CHAT)
    assert rights is not None
    assert (await place.stored()).chat_id == -1009


async def test_a_pin_that_telegram_refuses_is_no_failure(place: Place) -> None:
    place.says("pinChatMessage", refused(400, "Bad Request: not enough rights to pin"))
    assert not await place.rooms.pin(CHAT, 5)
    assert await place.rooms.pin(CHAT, 5)
    assert await place.rooms.pin(CHAT, 5, on=False)
    assert [call["disable_notification"] for call in place.telegram.of("pinChatMessage")] == [
        True, True,
    ]  # fmt: skip


def test_a_member_is_answered_once_and_a_crowd_five_times_a_minute() -> None:
    hush = Hush()
    assert hush.speaks(CHAT, ALICE, NOW)
    assert not hush.speaks(CHAT, ALICE, NOW + PERSON - timedelta(seconds=1))
    assert hush.speaks(CHAT, ALICE, NOW + PERSON)
    late = NOW + 2 * PERSON
    assert [hush.speaks(CHAT, 5000 + n, late) for n in range(9)].count(True) == 5
    assert hush.speaks(-999, ALICE, late), "another group is not hushed"
    assert hush.speaks(CHAT, 5000, late + timedelta(minutes=1), again=True)
