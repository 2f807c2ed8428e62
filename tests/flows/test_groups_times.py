"""Posting later and again and again; what happens in between; a crash in the middle (F40, F45)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.flows.group_steps import (
    CLUB,
    GROUP,
    SMALL,
    TRAVEL,
    change,
    follow,
    posts,
    prepare,
    words,
    write,
)
from tests.flows.people import Person, Town, town, until

WINTER = datetime(2027, 3, 22, 10, 0, tzinfo=UTC)
"""The Monday before Europe's clocks go forward."""


async def plan(admin: Person, chat: int, *taps: str) -> None:
    """From /promo to a time chosen by these buttons."""
    await prepare(admin, chat)
    await admin.press("定时或重复")
    for label in taps:
        await admin.press(label)
    await admin.press("就这样安排")
    await admin.find("已为")


async def test_a_post_comes_at_its_time_by_the_groups_clock(place: Town) -> None:
    boss = place.admin
    await plan(boss, GROUP, "定时发一次", "3月3日", "09:00")
    assert await posts(boss, GROUP) == []
    # 3 March, 09:00 in Shanghai.
    await place.until(datetime(2027, 3, 3, 0, 59, tzinfo=UTC))
    assert await posts(boss, GROUP) == []
    await place.until(datetime(2027, 3, 3, 1, 0, tzinfo=UTC))
    await place.advance(minutes=1)
    [post] = await posts(boss, GROUP)
    assert TRAVEL in words(post)
    await place.advance(days=2)
    assert len(await posts(boss, GROUP)) == 1


async def test_times_and_days_can_be_written(place: Town) -> None:
    boss = place.admin
    await prepare(boss, GROUP)
    await boss.press("定时或重复")
    await boss.press("指定几天")
    await boss.say("someday")
    await boss.find("没看懂这个日期")
    await boss.say("2027-03-05, 2027-03-08")
    await boss.say("25:00")
    await boss.find("没看懂这个时间")
    await boss.say("20:30")
    await boss.find("3月5日、3月8日 20:30")
    await boss.press("定时或重复")
    await boss.press("定时发一次")
    await boss.press("3月2日")
    await boss.press("18:00")
    assert await boss.count("已过|passed") == 1, "18:00 has just begun"
    await boss.say("18:01")
    await boss.press("就这样安排")
    await place.advance(minutes=3)
    assert len(await posts(boss, GROUP)) == 1


async def test_every_week_at_the_same_hour_on_the_wall_when_clocks_change(tmp_path: Path) -> None:
    async with town(tmp_path, start=WINTER) as place:
        boss = place.admin
        await boss.say("/start")
        await write(boss, GROUP, "/promo")
        await follow(boss, GROUP, "选择优惠")
        await boss.say("/groups")
        await boss.press("SIM Savers")
        await boss.press("设置")
        await boss.press("更改时区")
        await boss.say("柏林")
        await boss.press("柏林")
        await plan(boss, GROUP, "每周", "周六", "周一", "下一步", "09:00")
        made = "SELECT created_at FROM posts ORDER BY seq"
        for moment in (
            datetime(2027, 3, 27, 8, 0, tzinfo=UTC),  # Saturday, winter time
            datetime(2027, 3, 29, 7, 0, tzinfo=UTC),  # Monday, summer time
        ):
            count = len(place.rows(made))
            await place.advance(seconds=(moment - place.now).total_seconds() - 60)
            assert len(place.rows(made)) == count, moment
            await place.advance(minutes=3)
            assert len(place.rows(made)) == count + 1, moment
        assert len(await posts(boss, GROUP)) == 2
        # Each is counted by itself.
        await boss.press("查看和管理")
        await boss.find("下次：4月3日 09:00")
        await boss.find("3月27日 09:00：👀 0")
        await boss.find("3月29日 09:00：👀 0")
        await boss.press("暂停")
        await boss.find("已暂停")
        await boss.press("继续")
        await boss.find("已继续")


async def test_who_is_no_admin_any_more_posts_nothing_and_hears_why(place: Town) -> None:
    boss, zhou = place.admin, Person(place.http, 1007)
    await zhou.say("/start")
    await plan(zhou, CLUB, "定时发一次", "3月3日", "09:00")
    await change(place, boss, CLUB, "member", person=zhou.id, status="member")
    await place.advance(days=1)
    assert await posts(boss, CLUB) == []
    await zhou.find("⚠️")
    assert place.rows("SELECT state, reason FROM group_postings") == [("held", "not_admin")]
    # Made an admin again, they may go on, at a time that is to come.
    await change(place, boss, CLUB, "member", person=zhou.id, status="administrator")
    await zhou.say("/groups")
    await zhou.press("Roaming Club")
    await zhou.press("计划和记录")
    await zhou.press("出境流量")
    await zhou.press("修改时间")
    for label in ("定时发一次", "3月4日", "09:00"):
        await zhou.press(label)
    await zhou.press("继续")
    await place.advance(days=1)
    assert len(await posts(boss, CLUB)) == 1


async def test_a_group_that_moves_is_posted_in_where_it_is_now(place: Town) -> None:
    boss = place.admin
    for person in (boss, place.operator):
        await person.say("/start")
    await write(boss, SMALL, "/promo")
    told = await follow(boss, SMALL, "选择优惠")
    assert "已经替您问了" in words(told)
    await place.operator.press("允许发布")
    await boss.find("本店已允许")
    await boss.press("发布优惠")
    await boss.press(TRAVEL)
    await boss.press("定时或重复")
    for label in ("定时发一次", "3月3日", "09:00"):
        await boss.press(label)
    await boss.press("就这样安排")
    moved = await change(place, boss, SMALL, "upgrade")
    await place.advance(days=1)
    [post] = await posts(boss, moved["chat_id"])
    assert TRAVEL in words(post)
    assert place.rows("SELECT chat_id, kind FROM groups WHERE title LIKE '周末%'") == [
        (moved["chat_id"], "supergroup")
    ]


@pytest.mark.parametrize("fault", ["telegram_slow", "telegram_send_lost_answer"])
async def test_a_crash_or_a_lost_answer_makes_no_second_post(place: Town, fault: str) -> None:
    boss = place.admin
    await prepare(boss, GROUP)
    await place.fault(fault, on=True)
    message_id, text = await boss.button("现在发布")
    await boss.post("press", {"message_id": message_id, "text": text, "wait": False})
    await until(lambda: _planned(place))
    # Killed while the post is on its way; then once more, when its successor has looked around.
    await asyncio.gather(place.kill(), place.fault(fault, on=False))
    await place.kill()
    await place.advance(hours=3)
    # The tap is not lost and has made one post, however often it was taken up again.
    assert place.rows("SELECT count(*) FROM group_postings") == [(1,)]
    [(state,)] = place.rows("SELECT state FROM posts")
    assert state in ("posted", "unsure")
    found = len(await posts(boss, GROUP))
    assert found == 1 or (found == 0 and state == "unsure")


async def _planned(place: Town) -> bool:
    return place.rows("SELECT count(*) FROM posts") == [(1,)]
