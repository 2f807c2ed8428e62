"""Groups of the Bot API stand-in: who may write, who comes and goes, who is anonymous."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Forbidden

from bot.demo.botapi.models import BOT_ID
from bot.demo.cast import (
    CHANNEL_ID,
    CLUB_ID,
    GROUP_ID,
    NEWS_ID,
    SMALL_GROUP_ID,
    STRANGE_CHANNEL_ID,
    TALK_ID,
)
from tests.contract.botapi_server import EMMA, GO, OWNER, PNG, STRANGER, XIAOYU, StandIn

ZHOU, GRACE = 1007, 1008


def told(tg: StandIn) -> list[tuple[str, dict[str, Any]]]:
    """What waits for the bot, taken off the queue: kinds and payloads."""
    pending = [(update.kind, update.payload) for update in tg.world.updates.pending]
    tg.world.updates.pending.clear()
    return pending


class TestWriting:
    async def test_posts_edits_and_deletes(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_photo(CLUB_ID, PNG, caption="deal", reply_markup=GO)
        await sent.edit_caption("fewer left", reply_markup=GO)
        await sent.edit_reply_markup()
        shown = await tg.last(GRACE, CLUB_ID)
        assert (shown["caption"], shown["from"]["id"]) == ("fewer left", BOT_ID)
        text = await bot.send_message(CLUB_ID, "deal")
        await text.edit_text("ended")
        await text.delete()
        assert (await tg.last(GRACE, CLUB_ID))["deleted"]

    @pytest.mark.parametrize(
        ("status", "rights", "error", "words"),
        [
            ("kicked", {}, Forbidden, "bot was kicked from the supergroup chat"),
            ("left", {}, Forbidden, "bot is not a member of the supergroup chat"),
            (
                "restricted",
                {"can_send_messages": False},
                BadRequest,
                "Not enough rights to send text messages to the chat",
            ),
        ],
    )
    async def test_refusals(
        self, tg: StandIn, bot: Bot, status: str, rights: Any, error: Any, words: str
    ) -> None:
        await tg.act(OWNER, "bot", CLUB_ID, status=status, rights=rights)
        with pytest.raises(error, match=words):
            await bot.send_message(CLUB_ID, "deal")

    async def test_a_restricted_bot_may_be_let_send_texts_but_no_photos(
        self, tg: StandIn, bot: Bot
    ) -> None:
        rights = {"can_send_photos": False}
        await tg.act(OWNER, "bot", CLUB_ID, status="restricted", rights=rights)
        await bot.send_message(CLUB_ID, "deal")
        with pytest.raises(BadRequest, match="Not enough rights to send photos to the chat"):
            await bot.send_photo(CLUB_ID, PNG)

    async def test_a_message_somebody_deleted(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(CLUB_ID, "deal")
        theirs = await tg.act(EMMA, "messages", CLUB_ID, text="mine")
        told(tg)
        gone = {"message_id": sent.message_id}
        assert (await tg.act(EMMA, "delete", CLUB_ID, **gone))["ok"] is False
        assert (await tg.act(OWNER, "delete", CLUB_ID, **gone))["ok"] is True
        assert told(tg) == []
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await sent.edit_text("ended")
        with pytest.raises(BadRequest, match="Message to delete not found"):
            await sent.delete()
        with pytest.raises(BadRequest, match="Message can't be edited"):
            await bot.edit_message_text("x", CLUB_ID, theirs["message_id"])
        await bot.delete_message(CLUB_ID, theirs["message_id"])

    async def test_deleting_is_limited_by_age_and_rights(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(CLUB_ID, "deal")
        theirs = await tg.act(EMMA, "messages", CLUB_ID, text="mine")
        await tg.act(OWNER, "bot", CLUB_ID, rights={"can_delete_messages": False})
        with pytest.raises(BadRequest, match="Message can't be deleted"):
            await bot.delete_message(CLUB_ID, theirs["message_id"])
        tg.world.clock.advance(48 * 3600)
        with pytest.raises(BadRequest, match="Message can't be deleted"):
            await sent.delete()
        await sent.edit_text("ended")

    async def test_a_thread_of_replies_is_no_topic(self, tg: StandIn, bot: Bot) -> None:
        first = await tg.act(EMMA, "messages", CLUB_ID, text="a")
        reply = {"text": "/b", "reply_to_message_id": first["message_id"]}
        second = await tg.act(GRACE, "messages", CLUB_ID, **reply)
        assert second["message_thread_id"] == first["message_id"]
        assert "is_topic_message" not in second
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(CLUB_ID, "x", message_thread_id=second["message_thread_id"])


class TestMembership:
    async def test_the_bots_way_through_a_group(self, tg: StandIn) -> None:
        told(tg)
        steps: list[tuple[str, dict[str, bool] | None]] = [
            ("left", None),
            ("member", None),
            ("administrator", {"can_pin_messages": False}),
            ("restricted", {"can_send_messages": False}),
            ("kicked", None),
        ]
        for status, rights in steps:
            answer = await tg.act(OWNER, "bot", CLUB_ID, status=status, rights=rights)
            assert answer["member"]["status"] == status
        updates = told(tg)
        changes = [
            (body["old_chat_member"]["status"], body["new_chat_member"]["status"])
            for kind, body in updates
            if kind == "my_chat_member"
        ]
        names = [status for status, _ in steps]
        assert changes == list(zip(["administrator", *names], names, strict=False))
        promoted = updates[3][1]["new_chat_member"]
        assert (promoted["can_pin_messages"], promoted["can_manage_topics"]) == (False, True)
        assert all(body["from"]["id"] == OWNER for _, body in updates)
        joined = [body for kind, body in updates if "new_chat_members" in body]
        assert [user["id"] for user in joined[0]["new_chat_members"]] == [BOT_ID]
        words = [m for m in await tg.messages(EMMA, CLUB_ID) if "left_chat_member" in m]
        assert len(words) == 2

    async def test_only_administrators_change_it(self, tg: StandIn) -> None:
        for person, chat in ((EMMA, CLUB_ID), (STRANGER, CLUB_ID), (OWNER, OWNER)):
            answer = await tg.act(person, "bot", chat, status="administrator")
            assert answer["ok"] is False
        answer = await tg.act(OWNER, "bot", CHANNEL_ID, status="member")
        assert answer["error"] == "a bot is in a channel as an administrator only"
        wrong = await tg.act(OWNER, "bot", CLUB_ID, rights={"can_fly": True})
        assert "can_pin_messages" in wrong["known"]
        assert (await tg.act(OWNER, "bot", CLUB_ID, status="creator"))["ok"] is False
        owner = await tg.act(ZHOU, "member", CLUB_ID, person=OWNER, status="left")
        assert owner["error"] == "the owner stays the owner"

    async def test_added_by_a_link(self, tg: StandIn, bot: Bot) -> None:
        link = "https://t.me/xuka_demo_bot?startgroup=new"
        keys = InlineKeyboardMarkup([[InlineKeyboardButton("Add me", url=link)]])
        sent = await bot.send_message(XIAOYU, "my groups", reply_markup=keys)
        press = {"message_id": sent.message_id, "text": "Add me"}
        answer = await tg.act(XIAOYU, "press", **press)
        assert answer == {"ok": True, "url": link, "startgroup": "new"}
        await tg.act(OWNER, "bot", CLUB_ID, status="left")
        told(tg)
        await tg.act(OWNER, "bot", CLUB_ID, status="member", start="new")
        kinds = [(kind, body.get("text")) for kind, body in told(tg)]
        assert kinds[0][0] == "my_chat_member"
        assert kinds[-1] == ("message", "/start@xuka_demo_bot new")
        assert (await tg.act(OWNER, "bot", CLUB_ID, start="a b"))["ok"] is False

    async def test_the_bot_leaves(self, tg: StandIn, bot: Bot) -> None:
        told(tg)
        await bot.leave_chat(CLUB_ID)
        kind, body = told(tg)[0]
        assert (kind, body["from"]["id"], body["new_chat_member"]["status"]) == (
            "my_chat_member", BOT_ID, "left",
        )  # fmt: skip

    async def test_others_changes_only_if_asked_for_and_admin(self, tg: StandIn) -> None:
        told(tg)
        await tg.act(OWNER, "member", CLUB_ID, person=EMMA, status="administrator")
        assert told(tg) == []
        await tg.call("getUpdates", allowed_updates=["message", "chat_member"])
        await tg.act(OWNER, "member", CLUB_ID, person=EMMA, status="member")
        kind, body = told(tg)[0]
        assert kind == "chat_member"
        assert body["old_chat_member"]["user"]["id"] == EMMA
        await tg.act(OWNER, "member", GROUP_ID, person=EMMA, status="administrator")
        assert told(tg) == []
        await tg.act(OWNER, "member", GROUP_ID, person=STRANGER, status="member")
        assert "new_chat_members" in told(tg)[0][1]
        assert (await tg.act(STRANGER, "member", GROUP_ID, status="left"))["ok"]

    async def test_who_may_be_asked_about(self, tg: StandIn, bot: Bot) -> None:
        admins = await bot.get_chat_administrators(CLUB_ID)
        found = {admin.user.id: getattr(admin, "is_anonymous", None) for admin in admins}
        assert found == {OWNER: False, ZHOU: True, BOT_ID: False}
        assert (await bot.get_chat_member(CLUB_ID, EMMA)).status == "member"
        await tg.act(OWNER, "bot", CLUB_ID, status="member")
        with pytest.raises(BadRequest, match="Chat_admin_required"):
            await bot.get_chat_member(CLUB_ID, EMMA)
        assert len(await bot.get_chat_administrators(CLUB_ID)) == 2
        with pytest.raises(Forbidden, match="bot is not a member of the channel chat"):
            await bot.get_chat_member(CHANNEL_ID, EMMA)


class TestSpeakingForAChat:
    async def test_an_anonymous_administrator(self, tg: StandIn) -> None:
        told(tg)
        said = await tg.act(ZHOU, "messages", CLUB_ID, text="/promo")
        assert said["from"] == {
            "id": 1087968824, "is_bot": True, "first_name": "Group",
            "username": "GroupAnonymousBot",
        }  # fmt: skip
        assert said["sender_chat"]["id"] == said["chat"]["id"] == CLUB_ID
        [(kind, body)] = told(tg)
        assert (kind, body["sender_chat"]["id"]) == ("message", CLUB_ID)
        edited = await tg.act(ZHOU, "edit", CLUB_ID, message_id=said["message_id"], text="/promo x")
        assert edited["edited"]
        assert (await tg.act(OWNER, "edit", CLUB_ID, message_id=1, text="y"))["ok"] is False

    async def test_their_taps_show_who_they_are(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(CLUB_ID, "choose", reply_markup=GO)
        told(tg)
        press = {"message_id": sent.message_id, "text": "Go", "wait": False}
        await tg.act(ZHOU, "press", CLUB_ID, **press)
        [(kind, body)] = told(tg)
        assert (kind, body["from"]["id"]) == ("callback_query", ZHOU)

    async def test_anonymity_comes_and_goes_with_the_office(self, tg: StandIn) -> None:
        await tg.act(OWNER, "member", CLUB_ID, anonymous=True)
        assert "sender_chat" in await tg.act(OWNER, "messages", CLUB_ID, text="a")
        await tg.act(OWNER, "member", CLUB_ID, anonymous=False)
        assert "sender_chat" not in await tg.act(OWNER, "messages", CLUB_ID, text="b")
        await tg.act(OWNER, "member", CLUB_ID, person=ZHOU, status="member")
        assert "sender_chat" not in await tg.act(ZHOU, "messages", CLUB_ID, text="c")
        assert (await tg.act(EMMA, "member", CLUB_ID, anonymous=True))["ok"] is False

    async def test_a_member_as_a_channel_of_theirs_is_a_stranger(self, tg: StandIn) -> None:
        told(tg)
        strange = {"text": "/promo", "as": STRANGE_CHANNEL_ID}
        said = await tg.act(EMMA, "messages", CLUB_ID, **strange)
        assert (said["from"]["id"], said["sender_chat"]["id"]) == (136817688, STRANGE_CHANNEL_ID)
        assert told(tg)[0][0] == "message"
        for chat in (STRANGE_CHANNEL_ID, CLUB_ID, -5):
            answer = await tg.act(GRACE, "messages", CLUB_ID, text="x", **{"as": chat})
            assert answer == {"ok": False, "error": "this person cannot write as that chat"}
        linked = await tg.act(OWNER, "messages", TALK_ID, text="/promo", **{"as": NEWS_ID})
        assert "is_automatic_forward" not in linked
        assert linked["sender_chat"]["id"] == NEWS_ID


class TestPins:
    async def test_pins_and_unpins(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(CLUB_ID, "deal")
        told(tg)
        await bot.pin_chat_message(CLUB_ID, sent.message_id)
        pinned = (await bot.get_chat(CLUB_ID)).pinned_message
        assert pinned is not None
        assert pinned.message_id == sent.message_id
        [(_, body)] = told(tg)
        assert body["pinned_message"]["message_id"] == sent.message_id
        chats = (await tg.http.get(f"/people/{EMMA}/chats")).json()
        assert next(c for c in chats if c["id"] == CLUB_ID)["pinned"] == [sent.message_id]
        await bot.unpin_chat_message(CLUB_ID, sent.message_id)
        with pytest.raises(BadRequest, match="Message to unpin not found"):
            await bot.unpin_chat_message(CLUB_ID, sent.message_id)
        await bot.unpin_all_chat_messages(CLUB_ID)
        with pytest.raises(BadRequest, match="Message to pin not found"):
            await bot.pin_chat_message(CLUB_ID, 999)

    async def test_needs_the_right(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(CLUB_ID, "deal")
        await tg.act(OWNER, "bot", CLUB_ID, rights={"can_pin_messages": False})
        words = "Not enough rights to manage pinned messages in the chat"
        with pytest.raises(BadRequest, match=words):
            await bot.pin_chat_message(CLUB_ID, sent.message_id)
        said = await bot.send_message(GROUP_ID, "deal")
        with pytest.raises(BadRequest, match=words):
            await bot.pin_chat_message(GROUP_ID, said.message_id)

    async def test_people_pin(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(CLUB_ID, "deal")
        pin = {"message_id": sent.message_id}
        assert (await tg.act(EMMA, "pin", CLUB_ID, **pin))["ok"] is False
        assert (await tg.act(ZHOU, "pin", CLUB_ID, **pin))["pinned"] == [sent.message_id]
        assert (await tg.last(EMMA, CLUB_ID))["sender_chat"]["id"] == CLUB_ID
        assert (await tg.act(ZHOU, "pin", CLUB_ID, **pin, on=False))["pinned"] == []
        assert (await tg.act(ZHOU, "pin", CLUB_ID, **pin, on=False))["ok"] is False
        mine = await bot.send_message(XIAOYU, "keep")
        assert (await tg.act(XIAOYU, "pin", message_id=mine.message_id))["ok"]


class TestUpgrade:
    async def test_a_basic_group_goes_on_as_a_supergroup(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(SMALL_GROUP_ID, "hello")
        assert sent.chat.type == "group"
        told(tg)
        assert (await tg.act(XIAOYU, "upgrade", SMALL_GROUP_ID))["ok"] is False
        assert (await tg.act(OWNER, "upgrade", CLUB_ID))["ok"] is False
        new_id = (await tg.act(OWNER, "upgrade", SMALL_GROUP_ID))["chat_id"]
        (_, before), (_, after) = told(tg)
        assert (before["chat"]["id"], before["migrate_to_chat_id"]) == (SMALL_GROUP_ID, new_id)
        assert (after["chat"]["id"], after["migrate_from_chat_id"]) == (new_id, SMALL_GROUP_ID)
        assert after["chat"]["type"] == "supergroup"
        with pytest.raises(ChatMigrated) as moved:
            await sent.edit_text("late")
        assert moved.value.new_chat_id == new_id
        refused = await tg.call("getChat", chat_id=SMALL_GROUP_ID)
        assert refused["description"] == (
            "Bad Request: group chat was upgraded to a supergroup chat"
        )
        assert refused["parameters"] == {"migrate_to_chat_id": new_id}
        await bot.send_message(new_id, "hello again")
        ids = [chat["id"] for chat in (await tg.http.get(f"/people/{XIAOYU}/chats")).json()]
        assert new_id in ids
        assert SMALL_GROUP_ID not in ids
