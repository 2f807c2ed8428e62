"""Channels, their discussion groups, and forums of the Bot API stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden

from bot.demo.cast import CHANNEL_ID, FORUM_ID, NEWS_ID, TALK_ID
from tests.contract.botapi_server import EMMA, GO, OWNER, PNG, XIAOYU, StandIn
from tests.contract.test_botapi_groups import ZHOU, told

LINK = InlineKeyboardMarkup(
    [[InlineKeyboardButton("Buy", url="https://t.me/xuka_demo_bot?start=p_1")]]
)


class TestChannels:
    async def test_the_bot_posts_as_the_channel(self, tg: StandIn, bot: Bot) -> None:
        told(tg)
        sent = await bot.send_photo(NEWS_ID, PNG, caption="deal", reply_markup=LINK)
        assert sent.from_user is None
        assert sent.sender_chat is not None
        assert sent.sender_chat.id == NEWS_ID
        await sent.edit_caption("ended")
        assert (await tg.last(EMMA, NEWS_ID))["caption"] == "ended"
        await sent.delete()
        assert not [kind for kind, _ in told(tg) if "channel_post" in kind]

    async def test_needs_to_be_an_administrator_who_posts(self, tg: StandIn, bot: Bot) -> None:
        with pytest.raises(Forbidden, match="bot is not a member of the channel chat"):
            await bot.send_message(CHANNEL_ID, "deal")
        no_posts = {"can_post_messages": False, "can_edit_messages": False}
        await tg.act(OWNER, "bot", CHANNEL_ID, status="administrator", rights=no_posts)
        with pytest.raises(BadRequest, match="Need administrator rights in the channel chat"):
            await bot.send_message(CHANNEL_ID, "deal")
        await tg.act(OWNER, "bot", CHANNEL_ID, rights={"can_post_messages": True})
        sent = await bot.send_message("@xuka_deals", "deal")
        await tg.act(OWNER, "bot", CHANNEL_ID, rights={"can_post_messages": False})
        with pytest.raises(BadRequest, match="Message can't be edited"):
            await sent.edit_text("ended")
        await tg.act(OWNER, "bot", CHANNEL_ID, status="kicked")
        with pytest.raises(Forbidden, match="bot was kicked from the channel chat"):
            await sent.edit_text("ended")

    async def test_no_reply_keyboards(self, tg: StandIn) -> None:
        markup = {"keyboard": [["a"]]}
        refused = await tg.refused("sendMessage", chat_id=NEWS_ID, text="x", reply_markup=markup)
        assert refused == "Bad Request: inline keyboard expected"

    async def test_what_administrators_write(self, tg: StandIn) -> None:
        told(tg)
        said = await tg.act(OWNER, "messages", NEWS_ID, text="/promo")
        await tg.act(OWNER, "edit", NEWS_ID, message_id=said["message_id"], text="/promo now")
        posts = [(kind, body) for kind, body in told(tg) if "channel_post" in kind]
        assert [kind for kind, _ in posts] == ["channel_post", "edited_channel_post"]
        for _, body in posts:
            assert "from" not in body
            assert body["sender_chat"]["id"] == body["chat"]["id"] == NEWS_ID
        assert (await tg.act(EMMA, "messages", NEWS_ID, text="x"))["ok"] is False
        await tg.act(OWNER, "messages", CHANNEL_ID, text="/promo")
        assert told(tg) == []

    async def test_others_posts_by_the_right_to_edit(self, tg: StandIn, bot: Bot) -> None:
        said = await tg.act(OWNER, "messages", NEWS_ID, text="post")
        await bot.edit_message_text("corrected", NEWS_ID, said["message_id"])
        await tg.act(OWNER, "bot", NEWS_ID, rights={"can_edit_messages": False})
        with pytest.raises(BadRequest, match="Message can't be edited"):
            await bot.edit_message_text("again", NEWS_ID, said["message_id"])


class TestDiscussion:
    async def test_posts_are_forwarded_by_themselves(self, tg: StandIn, bot: Bot) -> None:
        assert (await bot.get_chat(NEWS_ID)).linked_chat_id == TALK_ID
        told(tg)
        sent = await bot.send_message(NEWS_ID, "deal", reply_markup=LINK)
        copy = await tg.last(XIAOYU, TALK_ID)
        assert (copy["is_automatic_forward"], copy["from"]["id"]) == (True, 777000)
        assert copy["sender_chat"]["id"] == NEWS_ID
        assert copy["forward_origin"]["message_id"] == sent.message_id
        assert copy["reply_markup"] == LINK.to_dict()
        assert told(tg)[0][1]["is_automatic_forward"]
        await sent.edit_text("ended")
        assert (await tg.last(XIAOYU, TALK_ID))["text"] == "ended"
        with pytest.raises(BadRequest, match="Message can't be edited"):
            await bot.edit_message_text("x", TALK_ID, copy["message_id"])

    async def test_people_s_posts_too_and_buttons_without_links_stay(
        self, tg: StandIn, bot: Bot
    ) -> None:
        said = await tg.act(OWNER, "messages", NEWS_ID, text="news")
        assert (await tg.last(XIAOYU, TALK_ID))["text"] == "news"
        await tg.act(OWNER, "edit", NEWS_ID, message_id=said["message_id"], text="old news")
        assert (await tg.last(XIAOYU, TALK_ID))["text"] == "old news"
        await bot.send_message(NEWS_ID, "choose", reply_markup=GO)
        assert "reply_markup" not in await tg.last(XIAOYU, TALK_ID)
        count = len(await tg.messages(XIAOYU, TALK_ID))
        await tg.act(XIAOYU, "messages", TALK_ID, text="nice")
        assert len(await tg.messages(XIAOYU, TALK_ID)) == count + 1
        assert len(await tg.messages(XIAOYU, NEWS_ID)) == 2


class TestForums:
    async def thread(self, tg: StandIn, number: int = 1) -> int:
        chats = (await tg.http.get(f"/people/{EMMA}/chats")).json()
        forum = next(chat for chat in chats if chat["id"] == FORUM_ID)
        assert forum["is_forum"]
        assert forum["topics"][0]["name"] == "General"
        assert len(forum["topics"]) == 4
        return int(forum["topics"][number]["message_thread_id"])

    async def test_messages_of_a_topic(self, tg: StandIn, bot: Bot) -> None:
        assert (await bot.get_chat(FORUM_ID)).is_forum
        thread = await self.thread(tg)
        told(tg)
        said = await tg.act(EMMA, "messages", FORUM_ID, text="/promo", message_thread_id=thread)
        assert (said["message_thread_id"], said["is_topic_message"]) == (thread, True)
        assert "forum_topic_created" in said["reply_to_message"]
        assert told(tg)[0][1]["message_thread_id"] == thread
        sent = await bot.send_message(FORUM_ID, "deal", message_thread_id=thread)
        assert (sent.message_thread_id, sent.is_topic_message) == (thread, True)
        answer = await bot.send_message(FORUM_ID, "yes", reply_to_message_id=said["message_id"])
        assert answer.message_thread_id == thread
        general = await bot.send_message(FORUM_ID, "for all")
        assert general.message_thread_id is None
        assert general.is_topic_message is None

    async def test_no_such_thread(self, tg: StandIn, bot: Bot) -> None:
        for thread in (1, 999):
            with pytest.raises(BadRequest, match="Message thread not found"):
                await bot.send_message(FORUM_ID, "x", message_thread_id=thread)
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(XIAOYU, "x", message_thread_id=5)
        assert (await tg.act(EMMA, "messages", FORUM_ID, text="x", message_thread_id=9))["ok"] is (
            False
        )

    async def test_closed_and_opened_again(self, tg: StandIn, bot: Bot) -> None:
        thread: dict[str, Any] = {"message_thread_id": await self.thread(tg)}
        told(tg)
        assert (await tg.act(EMMA, "topics", FORUM_ID, **thread, closed=True))["ok"] is False
        await tg.act(ZHOU, "topics", FORUM_ID, **thread, closed=True)
        [(_, body)] = told(tg)
        assert body["forum_topic_closed"] == {}
        assert (body["message_thread_id"], body["sender_chat"]["id"]) == (
            thread["message_thread_id"], FORUM_ID,
        )  # fmt: skip
        refused = await tg.act(EMMA, "messages", FORUM_ID, text="hi", **thread)
        assert refused == {"ok": False, "error": "TOPIC_CLOSED"}
        await tg.act(OWNER, "messages", FORUM_ID, text="admins may", **thread)
        await bot.send_message(FORUM_ID, "admins may", **thread)
        await tg.act(OWNER, "bot", FORUM_ID, rights={"can_manage_topics": False})
        with pytest.raises(BadRequest, match="Topic_closed"):
            await bot.send_message(FORUM_ID, "deal", **thread)
        told(tg)
        await tg.act(OWNER, "topics", FORUM_ID, **thread, closed=False)
        assert told(tg)[0][1]["forum_topic_reopened"] == {}
        await bot.send_message(FORUM_ID, "deal", **thread)

    async def test_general_can_be_closed_too(self, tg: StandIn, bot: Bot) -> None:
        await tg.act(OWNER, "bot", FORUM_ID, status="member")
        await tg.act(OWNER, "topics", FORUM_ID, message_thread_id=1, closed=True)
        with pytest.raises(BadRequest, match="Topic_closed"):
            await bot.send_message(FORUM_ID, "deal")

    async def test_created_renamed_deleted(self, tg: StandIn, bot: Bot) -> None:
        told(tg)
        made = await tg.act(OWNER, "topics", FORUM_ID, name="Travel")
        thread: dict[str, Any] = {"message_thread_id": made["message_thread_id"]}
        await tg.act(OWNER, "topics", FORUM_ID, **thread, name="Trips")
        created, renamed = (body for _, body in told(tg))
        assert created["forum_topic_created"]["name"] == "Travel"
        assert created["message_id"] == created["message_thread_id"] == thread["message_thread_id"]
        assert renamed["forum_topic_edited"] == {"name": "Trips"}
        sent = await bot.send_message(FORUM_ID, "deal", **thread)
        told(tg)
        answer = await tg.act(OWNER, "topics", FORUM_ID, **thread, deleted=True)
        assert len(answer["topics"]) == 4
        assert told(tg) == []
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await sent.edit_text("ended")
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(FORUM_ID, "deal", **thread)
        assert (await tg.act(OWNER, "topics", FORUM_ID, message_thread_id=1, deleted=True))[
            "ok"
        ] is False
        assert (await tg.act(OWNER, "topics", TALK_ID, name="x"))["ok"] is False
