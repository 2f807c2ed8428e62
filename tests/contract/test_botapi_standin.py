"""The Bot API stand-in is as strict as Telegram: calls, who may be written to, keyboards, edits."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    RetryAfter,
)

from bot.demo.botapi.errors import NOT_MODIFIED
from bot.demo.botapi.models import BOT_ID
from bot.demo.cast import GROUP_ID
from tests.contract.botapi_server import EMMA, GO, PNG, STRANGER, XIAOYU, StandIn, standin


class TestCalls:
    async def test_get_me_is_the_demo_bot(self, bot: Bot) -> None:
        me = await bot.get_me()
        assert (me.id, me.username, me.is_bot) == (BOT_ID, "xuka_demo_bot", True)

    async def test_a_wrong_token_is_unauthorized(self, tg: StandIn) -> None:
        with pytest.raises(InvalidToken):
            await tg.bot("1:WRONG").get_me()
        answer = await tg.http.get("/bot1:WRONG/getMe")
        assert (answer.status_code, answer.json()["description"]) == (401, "Unauthorized")

    async def test_an_unknown_method_is_not_found(self, tg: StandIn) -> None:
        assert await tg.call("sendMesage") == {
            "ok": False,
            "error_code": 404,
            "description": "Not Found",
        }

    async def test_unknown_parameters_are_refused_by_name(self, tg: StandIn) -> None:
        text = await tg.refused("sendMessage", chat_id=XIAOYU, text="x", parsemode="HTML")
        assert '"parsemode" is not known' in text

    @pytest.mark.parametrize(
        ("params", "text"),
        [
            ({"text": "x"}, "Bad Request: chat_id is empty"),
            ({"chat_id": XIAOYU}, "Bad Request: message text is empty"),
            ({"chat_id": XIAOYU, "text": " \n "}, "Bad Request: message text is empty"),
            ({"chat_id": 77, "text": "x"}, "Bad Request: chat not found"),
            ({"chat_id": "@nobody", "text": "x"}, "Bad Request: chat not found"),
            ({"chat_id": XIAOYU, "text": "a" * 4097}, "Bad Request: message is too long"),
            (
                {"chat_id": XIAOYU, "text": "x", "parse_mode": "MarkdownV2"},
                "Bad Request: unsupported parse_mode",
            ),
            (
                {"chat_id": XIAOYU, "text": "<b>x", "parse_mode": "HTML"},
                "Bad Request: can't parse entities: "
                'Can\'t find end tag corresponding to start tag "b"',
            ),
            (
                {"chat_id": XIAOYU, "text": "x", "reply_parameters": {"message_id": 99}},
                "Bad Request: message to be replied not found",
            ),
        ],
    )
    async def test_bad_messages(self, tg: StandIn, params: dict[str, Any], text: str) -> None:
        assert await tg.refused("sendMessage", **params) == text

    async def test_length_is_counted_after_parsing_in_utf16(self, tg: StandIn) -> None:
        html = {"chat_id": XIAOYU, "parse_mode": "HTML"}
        assert (await tg.call("sendMessage", text="<b>" + "a" * 4096 + "</b>", **html))["ok"]
        assert (await tg.call("sendMessage", text="😀" * 2048, **html))["ok"]
        text = await tg.refused("sendMessage", text="😀" * 2048 + "a", **html)
        assert text == "Bad Request: message is too long"

    async def test_forms_json_and_query_mean_the_same(self, tg: StandIn) -> None:
        path = f"/bot{tg.world.token}/sendMessage"
        params = {"chat_id": str(XIAOYU), "text": "x", "reply_markup": GO.to_json()}
        answers = [
            await tg.http.post(path, data=params),
            await tg.http.post(path, files={name: (None, value) for name, value in params.items()}),
            await tg.http.get(path, params=params),
            await tg.http.post(path, json=params | {"reply_markup": GO.to_dict()}),
        ]
        shown = [answer.json()["result"]["reply_markup"] for answer in answers]
        assert shown == [GO.to_dict()] * 4

    async def test_a_body_that_is_no_json_is_refused(self, tg: StandIn) -> None:
        answer = await tg.http.post(
            f"/bot{tg.world.token}/getMe",
            content=b"{",
            headers={"content-type": "application/json"},
        )
        assert answer.json()["description"] == "Bad Request: can't parse the request's body"


class TestWhoCanBeWrittenTo:
    async def test_somebody_never_met(self, bot: Bot) -> None:
        with pytest.raises(BadRequest, match="Chat not found"):
            await bot.send_message(STRANGER, "hello")

    async def test_somebody_of_a_common_group_who_never_wrote(self, bot: Bot) -> None:
        with pytest.raises(Forbidden) as caught:
            await bot.send_message(EMMA, "hello")
        assert caught.value.message == "Forbidden: bot can't initiate conversation with a user"

    async def test_blocked_then_unblocked(self, tg: StandIn, bot: Bot) -> None:
        await tg.http.post(f"/people/{XIAOYU}/block", json={"on": True})
        for call in (bot.send_message(XIAOYU, "x"), bot.send_chat_action(XIAOYU, "typing")):
            with pytest.raises(Forbidden) as caught:
                await call
            assert caught.value.message == "Forbidden: bot was blocked by the user"
        said = await tg.http.post(f"/people/{XIAOYU}/chats/{XIAOYU}/messages", json={"text": "x"})
        assert said.status_code == 403
        await tg.act(XIAOYU, "start")
        await bot.send_message(XIAOYU, "x")
        kinds = [update.kind for update in tg.world.updates.pending]
        assert kinds == ["message", "my_chat_member", "my_chat_member", "message"]

    async def test_deactivated(self, tg: StandIn, bot: Bot) -> None:
        tg.world.people[XIAOYU].deactivated = True
        with pytest.raises(Forbidden, match="user is deactivated"):
            await bot.send_message(XIAOYU, "x")

    async def test_rooms_the_bot_is_not_in(self, tg: StandIn, bot: Bot) -> None:
        with pytest.raises(Forbidden, match="bot is not a member of the channel chat"):
            await bot.send_message("@xuka_deals", "x")
        tg.world.groups[GROUP_ID].members[BOT_ID] = "kicked"
        with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
            await bot.send_message(GROUP_ID, "x")


class TestKeyboards:
    @pytest.mark.parametrize("data", ["a" * 65, "续" * 22])
    async def test_callback_data_has_64_bytes(self, bot: Bot, data: str) -> None:
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data=data)]])
        with pytest.raises(BadRequest, match="Button_data_invalid"):
            await bot.send_message(XIAOYU, "x", reply_markup=markup)

    async def test_64_bytes_are_taken(self, bot: Bot) -> None:
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="a" * 64)]])
        assert (await bot.send_message(XIAOYU, "x", reply_markup=markup)).reply_markup == markup

    async def test_a_reply_keyboard_is_kept_beside_the_message(self, tg: StandIn) -> None:
        keyboard = {"keyboard": [["Yes", {"text": "No"}]], "one_time_keyboard": True}
        sent = await tg.call("sendMessage", chat_id=XIAOYU, text="?", reply_markup=keyboard)
        assert "reply_markup" not in sent["result"]
        shown = (await tg.last(XIAOYU))["x"]["keyboard"]
        assert shown["keyboard"] == [[{"text": "Yes"}, {"text": "No"}]]


class TestEditing:
    async def test_an_edit_that_changes_nothing(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(XIAOYU, "<b>x</b>", parse_mode="HTML", reply_markup=GO)
        with pytest.raises(BadRequest, match="Message is not modified"):
            await sent.edit_text(" <strong>x</strong> ", parse_mode="HTML", reply_markup=GO)
        same = {"chat_id": XIAOYU, "message_id": sent.message_id, "reply_markup": GO.to_dict()}
        assert await tg.refused("editMessageReplyMarkup", **same) == f"Bad Request: {NOT_MODIFIED}"

    async def test_an_edit_is_marked_and_takes_the_keyboard(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(XIAOYU, "x", reply_markup=GO)
        edited = await sent.edit_text("y")
        assert not isinstance(edited, bool)
        assert edited.edit_date is not None
        shown = await tg.last(XIAOYU)
        assert (shown["text"], shown["edited"], "reply_markup" in shown) == ("y", True, False)

    async def test_a_new_keyboard_alone_is_no_edit_to_the_reader(
        self, tg: StandIn, bot: Bot
    ) -> None:
        sent = await bot.send_message(XIAOYU, "x")
        await sent.edit_reply_markup(GO)
        shown = await tg.last(XIAOYU)
        assert (shown["edited"], shown["reply_markup"]) == (False, GO.to_dict())

    async def test_what_cannot_be_edited(self, tg: StandIn, bot: Bot) -> None:
        async def refused(message_id: int, **more: Any) -> str:
            ids = {"chat_id": XIAOYU, "message_id": message_id}
            return await tg.refused("editMessageText", **ids, text="y", **more)

        assert await refused(99) == "Bad Request: message to edit not found"
        assert await refused(1) == "Bad Request: message can't be edited"
        photo = await bot.send_photo(XIAOYU, PNG, caption="x")
        no_text = await refused(photo.message_id)
        assert no_text == "Bad Request: there is no text in the message to edit"
        text = await bot.send_message(XIAOYU, "x")
        with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
            await text.edit_caption("y")
        await text.delete()
        assert await refused(text.message_id) == "Bad Request: message to edit not found"

    async def test_deleting(self, tg: StandIn, bot: Bot) -> None:
        sent = await bot.send_message(XIAOYU, "x")
        assert await sent.delete()
        assert (await tg.last(XIAOYU))["deleted"] is True
        with pytest.raises(BadRequest, match="Message to delete not found"):
            await sent.delete()
        assert await bot.delete_message(XIAOYU, 1)
        old = await bot.send_message(XIAOYU, "old")
        tg.world.clock.advance(48 * 3600)
        with pytest.raises(BadRequest, match="Message can't be deleted"):
            await old.delete()
        new = await bot.send_message(XIAOYU, "new")
        assert await bot.delete_messages(XIAOYU, [old.message_id, new.message_id, 999])
        assert [m["deleted"] for m in await tg.messages(XIAOYU)][-2:] == [False, True]

    async def test_others_messages_in_a_group_stay(self, tg: StandIn, bot: Bot) -> None:
        said = await tg.act(EMMA, "messages", GROUP_ID, text="hello all")
        with pytest.raises(BadRequest, match="Message can't be deleted"):
            await bot.delete_message(GROUP_ID, said["message_id"])


class TestLimits:
    async def test_a_chat_takes_a_small_burst_then_waits(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with standin() as tg:
            await tg.act(XIAOYU, "start")
            bot = tg.bot()
            for number in range(5):
                await bot.send_message(XIAOYU, str(number))
            answer = await tg.call("sendMessage", chat_id=XIAOYU, text="too much")
            assert (answer["error_code"], answer["parameters"]) == (429, {"retry_after": 1})
            assert answer["description"] == "Too Many Requests: retry after 1"
            monkeypatch.setenv("PTB_TIMEDELTA", "1")
            with pytest.raises(RetryAfter):
                await bot.send_message(XIAOYU, "too much")
            tg.world.limits.enabled = False
            await bot.send_message(XIAOYU, "free")

    async def test_edits_in_private_chats_are_not_per_chat(self) -> None:
        async with standin() as tg:
            await tg.act(XIAOYU, "start")
            sent = await tg.bot().send_message(XIAOYU, "0")
            for number in range(1, 10):
                await sent.edit_text(str(number))
