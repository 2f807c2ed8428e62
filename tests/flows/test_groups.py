"""Who may post in a group, and how: members, admins, anonymous ones, channels, forums (F40)."""

from bot.demo.cast import STRANGE_CHANNEL_ID, TALK_ID
from tests.flows.group_steps import (
    CLUB,
    FORUM,
    GROUP,
    NEWS,
    TRAVEL,
    change,
    follow,
    from_bot,
    post_now,
    posts,
    prepare,
    words,
    write,
)
from tests.flows.people import Person, Town, labels


async def test_an_admin_posts_with_few_taps(place: Town) -> None:
    boss = place.admin
    await write(boss, GROUP, "/promo")  # a second one takes the first one's place
    preview = await prepare(boss, GROUP)
    assert "就是这个样子" in words(preview)
    shown = (await boss.from_bot())[-2]
    assert TRAVEL in words(shown)
    await boss.press("现在发布")
    [post] = await posts(boss, GROUP)
    # The preview was the post: the same words, the same picture, the same button.
    assert words(post) == words(shown)
    assert ("photo" in post) == ("photo" in shown)
    assert labels(post) == labels(shown)
    assert "?start=p" in post["reply_markup"]["inline_keyboard"][0][0]["url"]
    await boss.find("正在发到")
    # What led to the private chat has done its work and is gone.
    assert [m for m in await from_bot(boss, GROUP) if "选择优惠" in labels(m)] == []


async def test_a_member_is_told_no_once_and_another_chats_voice_too(place: Town) -> None:
    emma = place.en
    for _ in range(3):
        await write(emma, GROUP, "/promo")
    [told] = await from_bot(emma, GROUP)
    assert "Only admins of this group" in told["text"]
    await write(emma, CLUB, "/promo", **{"as": STRANGE_CHANNEL_ID})
    [told] = await from_bot(emma, CLUB)
    assert labels(told) != ["选择优惠"]
    # Who gets hold of the admins' button is no admin by that.
    await write(place.admin, GROUP, "/promo")
    answer = await follow(emma, GROUP, "选择优惠")
    assert "does not name you among the admins" in answer["text"]
    assert place.rows("SELECT count(*) FROM group_postings") == [(0,)]


async def test_an_anonymous_admin_posts(place: Town) -> None:
    zhou = Person(place.http, 1007)
    await zhou.say("/start")
    said = await write(zhou, CLUB, "/promo")
    assert said["from"]["username"] == "GroupAnonymousBot"
    await follow(zhou, CLUB, "选择优惠")
    await zhou.press(TRAVEL)
    await zhou.press("现在发布")
    [post] = await posts(zhou, CLUB)
    assert TRAVEL in words(post)
    assert place.rows("SELECT by FROM posts") == [(1007,)]


async def test_a_channels_admin_posts_in_it(place: Town) -> None:
    boss = place.admin
    await write(boss, NEWS, "/promo")
    await follow(boss, NEWS, "选择优惠")
    await boss.press(TRAVEL)
    await boss.press("现在发布")
    [post] = await posts(boss, NEWS)
    assert TRAVEL in words(post)
    # Its readers read the offer, and nothing of how it came there.
    assert [words(m) for m in await boss.messages(NEWS)] == [words(post)]
    # Its discussion group forwards by itself what stands there, the command too: no answer there.
    assert await from_bot(boss, TALK_ID) == []
    assert place.rows("SELECT count(*) FROM posts") == [(1,)]


async def test_the_topic_of_promo_is_chosen_already_and_a_closed_one_refused(place: Town) -> None:
    boss = place.admin
    chats = (await place.http.get(f"/people/{boss.id}/chats")).json()
    [forum] = [one for one in chats if one["id"] == FORUM]
    deals = next(t["message_thread_id"] for t in forum["topics"] if "Deals" in t["name"])
    await prepare(boss, FORUM, message_thread_id=deals)
    await boss.find("话题：活动优惠 Deals")
    await change(place, boss, FORUM, "topics", message_thread_id=deals, closed=True)
    answer = await boss.press("现在发布")
    assert answer["answer"]["show_alert"]
    assert await posts(boss, FORUM) == []
    await change(place, boss, FORUM, "topics", message_thread_id=deals, closed=False)
    await boss.press("现在发布")
    [post] = await posts(boss, FORUM)
    assert post["message_thread_id"] == deals


async def test_everything_about_a_post_can_be_changed_before_it_goes_out(place: Town) -> None:
    boss = place.admin
    await prepare(boss, GROUP)
    await boss.press("语言")
    await boss.press("简体中文 + English")
    assert "15 % off travel data" in words((await boss.from_bot())[-2])
    await boss.press("加一句附言")
    await boss.say("字" * 201)
    await boss.find("201 个字")
    await boss.say("群主自用 <b>推荐</b>")
    shown = (await boss.from_bot())[-2]
    assert words(shown).endswith("群主自用 <b>推荐</b>")
    await boss.press("不带图片")
    shown = (await boss.from_bot())[-2]
    assert "photo" not in shown
    await boss.press("现在发布")
    [post] = await posts(boss, GROUP)
    assert words(post) == words(shown)
    assert "photo" not in post
    # A button of that preview has had its day.
    assert await boss.count("就是这个样子") == 0


async def test_an_admin_looks_after_a_post(place: Town) -> None:
    boss = place.admin
    await post_now(boss, CLUB)
    await boss.press("查看和管理")
    await boss.press("置顶")
    await boss.find("已置顶")
    await boss.press("修改附言")
    await boss.say("只剩几天了")
    await place.advance(minutes=3)
    [post] = await posts(boss, CLUB)
    assert words(post).endswith("只剩几天了")
    await boss.press("撤下")
    await boss.press("确定撤下")
    await place.advance(minutes=3)
    [post] = await posts(boss, CLUB)
    assert "⛔" in words(post)
    assert labels(post) == []
    await boss.say("/groups")
    await boss.press("Roaming Club")
    await boss.press("数据")
    await boss.find("0 人打开")


async def test_admins_are_offered_promo_where_members_are_not(place: Town) -> None:
    await place.admin.say("/start")
    menus = {}
    for person in (place.admin, place.zh):
        answer = await place.http.get(f"/people/{person.id}/chats/{GROUP}/commands")
        menus[person.id] = [row["command"] for row in answer.json()]
    assert "promo" in menus[place.admin.id]
    assert "promo" not in menus[place.zh.id]
