"""What becomes of posts while they stand: taken, ended, deleted, closed, thrown out (F41, F45)."""

from tests.flows.group_steps import CLUB, FORUM, GROUP, change, post_now, posts, words
from tests.flows.people import Person, Town, labels
from tests.flows.steps import RECEIPT


async def come(person: Person, chat: int) -> None:
    """From the newest post to the private chat."""
    message = (await posts(person, chat))[-1]
    [label] = labels(message)
    pressed = await person.post("press", {"message_id": message["message_id"], "text": label}, chat)
    await person.post("start", {"payload": pressed["start"]})
    await person.idle()


async def buy(person: Person, chat: int) -> None:
    """From the newest post to a receipt."""
    await come(person, chat)
    await person.press("Pay ")
    await person.pay()
    await person.find(RECEIPT)


def state(place: Town) -> list[tuple[str, str | None]]:
    return [(row[0], row[1]) for row in place.rows('SELECT state, "end" FROM posts ORDER BY seq')]


async def test_a_post_counts_its_places_and_days_and_closes_at_the_end(place: Town) -> None:
    boss, emma = place.admin, place.en
    post = await post_now(boss, CLUB)
    assert "还剩 30 个名额" in words(post)
    await buy(emma, CLUB)
    await place.advance(minutes=3)
    [post] = await posts(boss, CLUB)
    assert "还剩 29 个名额" in words(post)
    assert "天" not in words(post).rsplit("⏳")[-1]
    await place.advance(days=8)
    [post] = await posts(boss, CLUB)
    assert "还有 5 天" in words(post)
    await place.advance(days=7)
    [post] = await posts(boss, CLUB)
    assert "优惠已结束" in words(post)
    assert "$" not in words(post)
    assert labels(post) == ["看看套餐"]
    assert state(place) == [("ended", "over")]
    await come(emma, CLUB)
    assert "This offer has ended" in (await emma.last())["text"]


async def test_the_last_place_closes_the_post_and_a_freed_one_opens_it(place: Town) -> None:
    """One place is left; its buyer lets it lapse."""
    boss, emma = place.admin, place.en
    place.change("UPDATE promos SET total = 1, promo = json_set(promo, '$.total', 1)"
                 " WHERE code = 'group-travel'")  # fmt: skip
    post = await post_now(boss, GROUP)
    assert "还剩 1 个名额" in words(post)
    await come(emma, GROUP)
    await emma.press("Pay ")
    await place.advance(minutes=2)
    [post] = await posts(boss, GROUP)
    assert "名额已抢完" in words(post)
    assert labels(post) == ["看看套餐"]
    await place.advance(minutes=20)
    [post] = await posts(boss, GROUP)
    assert "还剩 1 个名额" in words(post)
    assert state(place) == [("posted", None)]


async def test_a_deleted_post_stays_deleted(place: Town) -> None:
    boss, emma = place.admin, place.en
    post = await post_now(boss, GROUP)
    await come(emma, GROUP)
    await change(place, boss, GROUP, "delete", message_id=post["message_id"])
    await emma.press("Pay ")
    await emma.pay()
    await emma.find(RECEIPT)
    await place.advance(hours=1)
    assert await posts(boss, GROUP) == []
    assert state(place) == [("ended", "deleted")]


async def test_a_bot_thrown_out_waits_and_goes_on_when_it_is_back(place: Town) -> None:
    boss, emma = place.admin, place.en
    await post_now(boss, CLUB)
    await come(emma, CLUB)
    await change(place, boss, CLUB, "bot", status="kicked")
    await emma.press("Pay ")
    await emma.pay()
    await place.advance(hours=3)
    assert place.rows("SELECT standing FROM groups WHERE chat_id = ?", CLUB) == [("out",)]
    [post] = await posts(boss, CLUB)
    assert "还剩 30 个名额" in words(post)
    await change(place, boss, CLUB, "bot", status="administrator")
    await place.advance(hours=2)
    [post] = await posts(boss, CLUB)
    assert "还剩 29 个名额" in words(post)
    assert state(place) == [("posted", None)]


async def test_a_group_that_the_operator_closes_has_its_posts_closed(place: Town) -> None:
    boss, owner = place.admin, place.operator
    await post_now(boss, FORUM)
    await owner.say("/groups")
    await owner.press("本店所有群组")
    await owner.press("eSIM Forum")
    await owner.press("封禁")
    await owner.press("确定封禁")
    await place.advance(minutes=3)
    [post] = await posts(boss, FORUM)
    assert "优惠已结束" in words(post)
    assert labels(post) == []
    assert state(place) == [("ended", "banned")]
    assert place.rows("SELECT approval FROM groups WHERE chat_id = ?", FORUM) == [("banned",)]


async def test_a_post_may_ask_to_be_pinned_and_is_unpinned_at_its_end(place: Town) -> None:
    boss = place.admin

    async def pinned() -> list[int]:
        chats = (await place.http.get(f"/people/{boss.id}/chats")).json()
        return list(next(one for one in chats if one["id"] == CLUB)["pinned"])

    post = await post_now(boss, CLUB)
    await boss.press("查看和管理")
    await boss.press("置顶")
    assert await pinned() == [post["message_id"]]
    await boss.press("撤下")
    await boss.press("确定撤下")
    await place.advance(minutes=3)
    assert await pinned() == []
