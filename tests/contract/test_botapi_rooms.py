"""Files, groups and command menus of the Bot API stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    InputMediaPhoto,
)
from telegram.error import (
    BadRequest,
)

from bot.demo.botapi.models import BOT_ID
from bot.demo.cast import CHANNEL_ID, CLUB_ID, GROUP_ID
from tests.contract.botapi_server import EMMA, OWNER, PNG, STRANGER, XIAOYU, StandIn


class TestFiles:
    async def test_a_photo_by_upload_then_by_id_then_downloaded(self, bot: Bot) -> None:
        sent = await bot.send_photo(XIAOYU, PNG, caption="<i>c</i>", parse_mode="HTML")
        size = sent.photo[-1]
        assert (size.width, size.height, sent.caption) == (2, 3, "c")
        again = await bot.send_photo(XIAOYU, size.file_id)
        assert again.photo[-1].file_unique_id == size.file_unique_id
        assert bytes(await (await bot.get_file(size.file_id)).download_as_bytearray()) == PNG

    async def test_a_document_keeps_its_name(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_document(XIAOYU, b"a,b\n", filename="orders.csv")
        assert sent.document is not None
        assert (sent.document.file_name, sent.document.mime_type) == ("orders.csv", "text/csv")
        shown = (await tg.last(XIAOYU))["x"]["file"]
        assert (await tg.http.get(shown["url"])).content == b"a,b\n"

    async def test_what_telegram_refuses(self, tg: StandIn, bot: Bot) -> None:
        with pytest.raises(BadRequest, match="Image_process_failed"):
            await bot.send_photo(XIAOYU, b"no picture")
        with pytest.raises(BadRequest, match="Wrong file identifier/http url specified"):
            await bot.send_photo(XIAOYU, "AgACnone")
        with pytest.raises(BadRequest, match="Message caption is too long"):
            await bot.send_photo(XIAOYU, PNG, caption="a" * 1025)
        document = (await bot.send_document(XIAOYU, b"x", filename="x.txt")).document
        assert document is not None
        with pytest.raises(BadRequest, match="Can't use file of type document as photo"):
            await bot.send_photo(XIAOYU, document.file_id)
        text = await tg.refused("sendPhoto", chat_id=XIAOYU)
        assert text == "Bad Request: there is no photo in the request"

    async def test_media_can_be_exchanged(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_photo(XIAOYU, PNG, caption="one")
        await sent.edit_media(InputMediaPhoto(PNG + b"2", caption="two"))
        shown = await tg.last(XIAOYU)
        assert (shown["caption"], shown["edited"]) == ("two", True)
        file = await tg.http.get(shown["x"]["file"]["url"])
        assert file.content == PNG + b"2"

    async def test_people_send_files(self, tg: StandIn, bot: Bot) -> None:
        said = await tg.http.post(
            f"/people/{XIAOYU}/chats/{XIAOYU}/messages",
            files={"photo": ("sim.png", PNG, "image/png")},
            data={"caption": "my card"},
        )
        assert said.json()["x"]["file"]["name"] == "sim.png"
        message = (await bot.get_updates())[-1].message
        assert message is not None
        assert message.caption == "my card"
        file = await message.photo[-1].get_file()
        assert bytes(await file.download_as_bytearray()) == PNG

    async def test_copies_and_forwards(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_photo(XIAOYU, PNG, caption="<b>c</b>", parse_mode="HTML")
        await bot.copy_message(GROUP_ID, XIAOYU, sent.message_id, caption="new")
        assert (await tg.last(EMMA, GROUP_ID))["caption"] == "new"
        forwarded = await bot.forward_message(GROUP_ID, XIAOYU, sent.message_id)
        assert forwarded.forward_origin is not None
        with pytest.raises(BadRequest, match="Message to forward not found"):
            await bot.forward_message(GROUP_ID, XIAOYU, 999)
        secret = await bot.send_message(XIAOYU, "x", protect_content=True)
        with pytest.raises(BadRequest, match="Message can't be copied"):
            await bot.copy_message(GROUP_ID, XIAOYU, secret.message_id)


class TestGroups:
    async def test_members_and_admins(self, bot: Bot) -> None:
        chat = await bot.get_chat(GROUP_ID)
        assert (chat.type, chat.title) == ("supergroup", "省卡群 SIM Savers")
        admins = await bot.get_chat_administrators(GROUP_ID)
        assert [(admin.user.id, admin.status) for admin in admins] == [(OWNER, "creator")]
        assert await bot.get_chat_member_count(GROUP_ID) == 6
        assert (await bot.get_chat_member(GROUP_ID, BOT_ID)).status == "member"
        with pytest.raises(BadRequest, match="Chat_admin_required"):
            await bot.get_chat_member(GROUP_ID, OWNER)
        statuses = [
            (await bot.get_chat_member(CLUB_ID, user)).status
            for user in (OWNER, EMMA, STRANGER, BOT_ID)
        ]
        assert statuses == ["creator", "member", "left", "administrator"]
        with pytest.raises(BadRequest, match="There are no administrators in the private chat"):
            await bot.get_chat_administrators(XIAOYU)
        with pytest.raises(BadRequest, match="User not found"):
            await bot.get_chat_member(CLUB_ID, 5)
        assert (await bot.get_chat(CHANNEL_ID)).username == "xuka_deals"

    async def test_privacy_mode(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(GROUP_ID, "hello")
        tg.world.updates.pending.clear()
        await tg.act(EMMA, "messages", GROUP_ID, text="just talking")
        await tg.act(EMMA, "messages", GROUP_ID, text="/promo")
        await tg.act(EMMA, "messages", GROUP_ID, text="/promo@other_bot")
        await tg.act(EMMA, "messages", GROUP_ID, text="/promo@xuka_demo_bot")
        reply = {"text": "thanks", "reply_to_message_id": sent.message_id}
        await tg.act(EMMA, "messages", GROUP_ID, **reply)
        texts = [update.payload["text"] for update in tg.world.updates.pending]
        assert texts == ["/promo", "/promo@xuka_demo_bot", "thanks"]

    async def test_nobody_sees_others_rooms(self, tg: StandIn) -> None:
        answer = await tg.act(STRANGER, "messages", GROUP_ID, text="let me in")
        assert answer == {"ok": False, "error": "this person has no such chat"}
        assert (await tg.act(EMMA, "messages", XIAOYU, text="?"))["ok"] is False
        assert (await tg.act(EMMA, "messages", CHANNEL_ID, text="?"))["ok"] is False
        assert (await tg.act(OWNER, "messages", CHANNEL_ID, text="deal"))["text"] == "deal"


class TestCommands:
    async def menu(self, tg: StandIn, person: int, chat: int | None = None) -> list[str]:
        path = f"/people/{person}/chats/{person if chat is None else chat}/commands"
        return [command["command"] for command in (await tg.http.get(path)).json()]

    async def test_scopes_and_languages(self, tg: StandIn, bot: Bot) -> None:
        await bot.set_my_commands([BotCommand("a", "default")])
        await bot.set_my_commands([BotCommand("b", "默认")], language_code="zh")
        assert await self.menu(tg, XIAOYU) == ["b"]
        assert await self.menu(tg, EMMA) == ["a"]
        scope = BotCommandScopeChat(XIAOYU)
        await bot.set_my_commands([BotCommand("c", "chat")], scope=scope)
        assert await self.menu(tg, XIAOYU) == ["c"]
        assert [c.command for c in await bot.get_my_commands(scope=scope)] == ["c"]
        await bot.delete_my_commands(scope=scope)
        assert await self.menu(tg, XIAOYU) == ["b"]
        groups = {"scope": {"type": "all_chat_administrators"}}
        await tg.call(
            "setMyCommands", commands=[{"command": "promo", "description": "Post"}], **groups
        )
        assert await self.menu(tg, OWNER, GROUP_ID) == ["promo"]
        assert await self.menu(tg, EMMA, GROUP_ID) == ["a"]

    @pytest.mark.parametrize(
        ("more", "text"),
        [
            ({"language_code": "zh-hans"}, "invalid language code specified"),
            ({"commands": [{"command": "A b", "description": "x"}]}, "BOT_COMMAND_INVALID"),
            (
                {"commands": [{"command": "a", "description": ""}]},
                "BOT_COMMAND_DESCRIPTION_INVALID",
            ),
            ({"scope": {"type": "chat", "chat_id": STRANGER}}, "chat not found"),
        ],
    )
    async def test_refusals(self, tg: StandIn, more: dict[str, Any], text: str) -> None:
        params = {"commands": [{"command": "a", "description": "x"}], **more}
        assert await tg.refused("setMyCommands", **params) == f"Bad Request: {text}"

    async def test_texts_about_the_bot(self, tg: StandIn, bot: Bot) -> None:
        await bot.set_my_description("Keeps SIMs alive")
        await bot.set_my_description("让手机卡一直有效", language_code="zh")
        await bot.set_my_short_description("short")
        assert (await bot.get_my_description("fr")).description == "Keeps SIMs alive"
        chats = (await tg.http.get(f"/people/{XIAOYU}/chats")).json()
        assert chats[0]["description"] == "让手机卡一直有效"
        await tg.call("setChatMenuButton", menu_button={"type": "commands"})
        button = await bot.get_chat_menu_button(XIAOYU)
        assert button.type == "commands"
