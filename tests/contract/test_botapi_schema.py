"""The stand-in against the Bot API's own description: its methods, parameters and answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.demo.botapi.models import BOT_ID, PROVIDER_TOKEN
from bot.demo.botapi.posting import SERVICE
from bot.demo.botapi.server import METHODS
from bot.demo.botapi.updates import NOT_BY_DEFAULT, QUERY_KINDS
from bot.demo.cast import (
    CLUB_ID,
    FORUM_ID,
    GROUP_ID,
    NEWS_ID,
    SMALL_GROUP_ID,
    STRANGE_CHANNEL_ID,
)
from tests.contract.botapi_schema import ABSENT, API_JSON, Schema
from tests.contract.botapi_server import EMMA, GO, OWNER, PNG, XIAOYU, StandIn

EVERY_UPDATE = [
    "message", "edited_message", "channel_post", "edited_channel_post", "callback_query",
    "my_chat_member", "chat_member", "pre_checkout_query",
]  # fmt: skip
pytestmark = pytest.mark.skipif(not API_JSON.exists(), reason=ABSENT)


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema()


def test_every_method_and_parameter_is_telegrams(schema: Schema) -> None:
    for name, method in METHODS.values():
        fields = {field["name"]: field for field in schema.methods[name].get("fields", [])}
        assert set(method.takes) <= set(fields), name
        required = {field for field, about in fields.items() if about["required"]}
        assert required <= set(method.requires), name


def test_every_kind_of_update_is_telegrams(schema: Schema) -> None:
    kinds = {field["name"] for field in schema.types["Update"]["fields"]}
    assert kinds >= NOT_BY_DEFAULT | QUERY_KINDS


def test_the_validator_finds_what_is_wrong(schema: Schema) -> None:
    request = {"chat_id": "1001", "text": 5, "parsemode": "HTML"}
    assert schema.problems_of_request("sendMessage", request) == [
        "sendMessage.text: String expected, not 5",
        "sendMessage: parsemode is no parameter",
    ]
    assert schema.problems_of_request("sendMessage", {}) == [
        "sendMessage: chat_id is required",
        "sendMessage: text is required",
    ]
    assert schema.problems_of_request("sendMesage", {}) == ["sendMesage: no such method"]
    markup = '{"inline_keyboard": [[{"text": "x", "callbackdata": "y"}]]}'
    problems = schema.problems_of_request(
        "sendMessage", {"chat_id": 1, "text": "x", "reply_markup": markup}
    )
    assert any("InlineKeyboardButton has no callbackdata" in problem for problem in problems)
    assert schema.problems_of_answer("getMe", {"id": True, "is_bot": True}) == [
        "getMe(): User needs first_name",
        "getMe().id: Integer expected, not True",
    ]
    refusal = {"method": "getMe", "to": "telegram", "status": 400, "request": {}, "answer": None}
    wrong: dict[str, Any] = {"ok": False, "error_code": 401, "description": "x"}
    assert schema.problems_of_calls([refusal | {"answer": wrong}])
    assert not schema.problems_of_calls([refusal | {"answer": wrong, "status": 401}])


async def use_everything(tg: StandIn) -> None:
    """Every method of the stand-in once, most with every kind of thing they can show."""
    bot = tg.bot()
    chat: dict[str, Any] = {"chat_id": XIAOYU}
    text = (
        "<b>b</b> <a href='tg://user?id=1002'>E</a> <pre><code class='language-py'>x</code></pre>"
    )
    sent = await bot.send_message(**chat, text=text, parse_mode="HTML", reply_markup=GO)
    ids: dict[str, Any] = {**chat, "message_id": sent.message_id}
    tg.world.people[OWNER].started = True
    await bot.send_message(GROUP_ID, "@emma_clark #deal /promo https://example.com a@b.org")
    photo = await bot.send_photo(**chat, photo=PNG, caption="c", has_spoiler=True)
    await bot.send_document(**chat, document=b"x", filename="x.pdf", reply_to_message_id=1)
    await bot.get_file(photo.photo[0].file_id)
    await bot.edit_message_text("new", **ids, reply_markup=GO)
    await bot.edit_message_reply_markup(**ids)
    await photo.edit_caption("d")
    media = {"type": "photo", "media": photo.photo[0].file_id, "caption": "e"}
    await tg.call("editMessageMedia", **chat, message_id=photo.message_id, media=media)
    await bot.copy_message(GROUP_ID, XIAOYU, photo.message_id)
    await bot.forward_message(GROUP_ID, XIAOYU, photo.message_id)
    await bot.send_chat_action(**chat, action="typing")
    keyed = await bot.send_message(**chat, text="press", reply_markup=GO)
    press: dict[str, Any] = {"message_id": keyed.message_id, "text": "Go", "wait": False}
    query = (await tg.act(XIAOYU, "press", **press))["callback_query_id"]
    await bot.answer_callback_query(query, "done")
    await rooms_and_texts(tg)
    await tg.act(XIAOYU, "edit", message_id=1, text="/start again")
    await tg.act(EMMA, "messages", GROUP_ID, text="/promo")
    await tg.http.post(f"/people/{XIAOYU}/block", json={"on": True})
    await bot.get_updates()
    await tg.http.post(f"/people/{XIAOYU}/block", json={"on": False})
    await bot.delete_message(XIAOYU, keyed.message_id)
    await bot.delete_messages(XIAOYU, [sent.message_id])
    await money(tg)
    await bot.set_webhook("http://127.0.0.1:9/", allowed_updates=["message"], max_connections=1)
    await bot.get_webhook_info()
    await bot.delete_webhook()


async def money(tg: StandIn) -> None:
    invoice = {
        "title": "t",
        "description": "d",
        "payload": "p",
        "currency": "XTR",
        "prices": [{"label": "l", "amount": 5}],
    }
    fiat = {**invoice, "currency": "USD", "prices": [{"label": "l", "amount": 500}]}
    link = (await tg.call("createInvoiceLink", **invoice, subscription_period=2592000))["result"]
    by_card = await tg.call("sendInvoice", chat_id=XIAOYU, **fiat, provider_token=PROVIDER_TOKEN)
    sent = await tg.call("sendInvoice", chat_id=XIAOYU, **invoice)
    who: dict[str, Any] = {"user_id": XIAOYU}
    for what in (
        {"link": link},
        *({"message_id": each["result"]["message_id"]} for each in (by_card, sent)),
    ):
        paying = asyncio.create_task(tg.act(XIAOYU, "pay", **what))
        while not tg.world.checkouts:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        query = next(iter(tg.world.checkouts))
        await tg.call("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=True)
        charge = (await paying)["charge_id"]
    first = next(iter(tg.world.subscriptions))
    tg.world.clock.advance(31 * 24 * 3600)
    await tg.call(
        "editUserStarSubscription", **who, telegram_payment_charge_id=first, is_canceled=True
    )
    await tg.call("refundStarPayment", **who, telegram_payment_charge_id=charge)
    told = await tg.call("getUpdates")
    assert any("subscription_expiration_date" in str(each) for each in told["result"])
    await tg.call("getStarTransactions")
    await tg.call("getMyStarBalance")


async def life_of_groups(tg: StandIn) -> None:
    """What the bot is told of groups and channels, and what it does there."""
    await tg.call("getUpdates", allowed_updates=EVERY_UPDATE)
    zhou = 1007
    for status in ("left", "administrator", "restricted", "kicked", "member"):
        await tg.act(OWNER, "bot", CLUB_ID, status=status)
    await tg.act(OWNER, "bot", CLUB_ID, status="administrator")
    await tg.act(OWNER, "member", CLUB_ID, person=EMMA, status="administrator", anonymous=True)
    await tg.act(EMMA, "member", CLUB_ID, person=1001, status="left")
    await tg.act(zhou, "messages", CLUB_ID, text="/promo")
    await tg.act(EMMA, "messages", CLUB_ID, text="hi", **{"as": STRANGE_CHANNEL_ID})
    post = (await tg.call("sendMessage", chat_id=NEWS_ID, text="post"))["result"]
    ids = {"chat_id": NEWS_ID, "message_id": post["message_id"]}
    await tg.call("editMessageText", **ids, text="other")
    await tg.act(OWNER, "messages", NEWS_ID, text="/promo")
    await tg.act(OWNER, "edit", NEWS_ID, message_id=post["message_id"] + 1, text="/promo now")
    await tg.call("forwardMessage", chat_id=CLUB_ID, from_chat_id=NEWS_ID, message_id=1)
    topic = await tg.act(zhou, "topics", FORUM_ID, name="New")
    thread = {"message_thread_id": topic["message_thread_id"]}
    await tg.act(EMMA, "messages", FORUM_ID, text="hi", **thread)
    await tg.call("sendMessage", chat_id=FORUM_ID, text="deal", **thread)
    await tg.act(OWNER, "topics", FORUM_ID, name="Newer", **thread)
    for closed in (True, False):
        await tg.act(OWNER, "topics", FORUM_ID, closed=closed, **thread)
    await tg.call("pinChatMessage", **ids)
    for room in (NEWS_ID, FORUM_ID, SMALL_GROUP_ID):
        await tg.call("getChat", chat_id=room)
    await tg.call("unpinChatMessage", **ids)
    await tg.call("unpinAllChatMessages", chat_id=NEWS_ID)
    await tg.act(OWNER, "upgrade", SMALL_GROUP_ID)
    await tg.call("leaveChat", chat_id=min(tg.world.groups))
    told = (await tg.call("getUpdates"))["result"]
    kinds = {kind for update in told for kind in update if kind != "update_id"}
    assert kinds >= {"my_chat_member", "chat_member", "channel_post", "edited_channel_post"}
    said = {key for update in told for key in update.get("message", {})}
    assert said >= SERVICE - {"pinned_message"}
    assert any("pinned_message" in update.get("channel_post", {}) for update in told)
    await tg.call("getUpdates", allowed_updates=[])


async def rooms_and_texts(tg: StandIn) -> None:
    for chat_id in (GROUP_ID, XIAOYU, "@xuka_deals"):
        await tg.call("getChat", chat_id=chat_id)
    await tg.call("getChatAdministrators", chat_id=GROUP_ID)
    members = tg.world.groups[CLUB_ID].members
    members |= {1004: "administrator", 1006: "kicked", 1008: "restricted"}
    for user_id in (OWNER, EMMA, 1004, 1005, 1006, 1008, BOT_ID):
        await tg.call("getChatMember", chat_id=CLUB_ID, user_id=user_id)
    await tg.call("getChatMemberCount", chat_id=GROUP_ID)
    await life_of_groups(tg)
    menu = [{"command": "a", "description": "A"}]
    scope = {"type": "chat", "chat_id": XIAOYU}
    await tg.call("setMyCommands", commands=menu, scope=scope, language_code="zh")
    await tg.call("getMyCommands", scope=scope, language_code="zh")
    await tg.call("deleteMyCommands", scope=scope, language_code="zh")
    for what in ("Name", "Description", "ShortDescription"):
        key = {"Name": "name", "Description": "description"}.get(what, "short_description")
        await tg.call(f"setMy{what}", **{key: "x"})
        await tg.call(f"getMy{what}")
    await tg.call("setChatMenuButton", chat_id=XIAOYU, menu_button={"type": "commands"})
    await tg.call("getChatMenuButton", chat_id=XIAOYU)
    await tg.call("getMe")


async def test_every_answer_has_telegrams_shape(tg: StandIn, schema: Schema) -> None:
    await use_everything(tg)
    calls = [call.as_dict() for call in tg.calls.after()]
    refused = [call for call in calls if not call["answer"]["ok"]]
    assert refused == []
    assert schema.problems_of_calls(calls) == []
    assert {call["method"] for call in calls} == {name for name, _ in METHODS.values()}
