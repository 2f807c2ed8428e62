"""The life of a group, what the shop's people decide about it, and that nothing private is in it
(F42, F43, F45)."""

import re

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.chat.application import conversation
from bot.demo.botapi.callbacks import press as push_press
from bot.demo.cast import CHANNEL_ID
from tests.flows.group_steps import (
    CLUB,
    GROUP,
    NEWS,
    SMALL,
    TRAVEL,
    change,
    follow,
    from_bot,
    post_now,
    posts,
    words,
    write,
)
from tests.flows.people import Town, labels
from tests.flows.steps import to_invoice

PRIVATE = ("89852041", "2195", "US Data Card", "T-Mobile", "XK-", "+1", "Emma")
"""Of Emma: her SIMs' numbers and names, her orders, her name."""


async def test_a_group_greets_once_waits_for_the_shop_and_hears_of_its_yes(place: Town) -> None:
    boss, owner = place.admin, place.operator
    for person in (boss, owner):
        await person.say("/start")
    # Into a channel somebody lets the bot: its readers read nothing of that.
    await change(place, boss, CHANNEL_ID, "bot", status="administrator")
    assert await from_bot(boss, CHANNEL_ID) == []
    await boss.find("谢谢您把我加进 续卡优惠 Xuka Deals")
    await owner.find("有新的频道想发布您的优惠")
    await owner.press("允许发布")
    await boss.find("本店已允许 续卡优惠")
    await boss.press("发布优惠")
    await boss.press(TRAVEL)
    await boss.press("现在发布")
    [post] = await posts(boss, CHANNEL_ID)
    # A group takes it in again and again, and is greeted once.
    for status in ("left", "member", "left", "member"):
        await change(place, boss, SMALL, "bot", status=status)
    [greeting] = [m for m in await from_bot(boss, SMALL) if "/promo" in words(m)]
    assert "不会出现在群里" in words(greeting)
    # Banned: what is out ends, and nothing is posted any more.
    await owner.say("/groups")
    await owner.press("本店所有群组")
    await owner.press("Xuka Deals")
    await owner.find("天内最多 3 条")
    await owner.press("封禁")
    await owner.press("确定封禁")
    await boss.find("本店已停止在 续卡优惠")
    await place.advance(minutes=3)
    [post] = await posts(boss, CHANNEL_ID)
    assert "⛔" in words(post)
    await write(boss, CHANNEL_ID, "/promo")
    assert len(await from_bot(boss, CHANNEL_ID)) == 1
    assert place.rows("SELECT action FROM audit WHERE action LIKE 'group%' ORDER BY seq") == [
        ("group_allowed",), ("group_banned",),
    ]  # fmt: skip


async def test_a_bot_that_is_thrown_out_posts_nothing_and_says_why(place: Town) -> None:
    boss = place.admin
    await post_now(boss, CLUB)
    await change(place, boss, CLUB, "bot", status="kicked")
    await boss.say("/groups")
    await boss.find("我已不在其中")
    await boss.press("Roaming Club")
    await boss.find("请重新把我拉进去")
    assert [label for label in labels(await boss.last()) if "发布优惠" in label] == []
    await change(place, boss, CLUB, "bot", status="member")
    await write(boss, CLUB, "/promo")
    told = await follow(boss, CLUB, "选择优惠")
    assert TRAVEL in str(labels(told))


async def test_no_command_and_no_button_shows_anything_private_in_a_group(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    private = conversation()
    commands = sorted(
        name
        for one in private.entry_points
        if isinstance(one, CommandHandler)
        for name in one.commands
    )
    assert len(commands) > 15
    for name in (*commands, "start order", "find Emma", "handover x"):
        await emma.post("messages", {"text": f"/{name}"}, GROUP)
        await emma.post("messages", {"text": f"/{name}@xuka_demo_bot"}, CLUB)
    await emma.idle(60)
    for chat in (GROUP, CLUB):
        told = await from_bot(emma, chat)
        assert 1 <= len(told) <= 2, "a person is answered once in a while"
        shown = str([{k: v for k, v in m.items() if k != "reply_to_message"} for m in told])
        assert [value for value in PRIVATE if value in shown] == []
    # She has her answers where nobody else reads them, but for what began by asking her.
    await emma.find("US Data Card ·2195")

    # A tap made up on a message of the bot's in the group: every button there is.
    verbs = sorted(
        {
            found[1]
            for one in private.entry_points
            if isinstance(one, CallbackQueryHandler) and isinstance(one.pattern, re.Pattern)
            if (found := re.match(r"\^([a-z0-9_]+!?)", one.pattern.pattern))
        }
    )
    assert len(verbs) > 100
    [(sim, order)] = place.rows(
        "SELECT s.id, o.id FROM sims s JOIN orders o ON o.sim_id = s.id ORDER BY o.seq LIMIT 1"
    )
    world = place.demo.world
    message = world.message(GROUP, (await from_bot(emma, GROUP))[0]["message_id"])
    assert message is not None
    before = len(await emma.messages(GROUP))
    for person in (emma, place.stranger):
        queries = [
            push_press(world, world.people[person.id], message, f"{verb}:{known}")
            for verb in verbs
            for known in (sim, order)
        ]
        await emma.idle(60)
        answers = [dict(await query.answer) for query in queries]
        for answer in answers:
            shown = str(answer)
            assert "private chat only" in shown or "私聊" in shown, shown
            assert [value for value in PRIVATE if value in shown] == []
    assert len(await emma.messages(GROUP)) == before


async def test_who_never_wrote_is_asked_to_open_the_chat(place: Town) -> None:
    boss = place.admin
    await write(boss, GROUP, "/renew")
    [told] = await from_bot(boss, GROUP)
    assert "点按钮" in words(told) or "私" in words(told)
    assert await boss.from_bot() == []
    # In a channel nobody asks for anything private; other commands there are its own business.
    await write(boss, NEWS, "/sims")
    assert await from_bot(boss, NEWS) == []
    assert place.rows("SELECT count(*) FROM chats WHERE id < 0") == [(0,)]
