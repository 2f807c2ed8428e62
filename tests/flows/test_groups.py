"""Who may post in a group, and how: members, admins, anonymous ones, channels, forums (F40)."""

import re

from tests.flows.group_steps import (
    CLUB,
    FORUM,
    GROUP,
    NEWS,
    TRAVEL,
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
    assert post["reply_markup"]["inline_keyboard"][0][0]["url"].rpartition("=p")[2]
    await boss.find("正在发到")


async def test_a_member_is_told_no_once(place: Town) -> None:
    emma = place.en
    for _ in range(3):
        await write(emma, GROUP, "/promo")
    [told] = await from_bot(emma, GROUP)
    assert "Only admins of this group" in told["text"]
    assert place.rows("SELECT count(*) FROM group_postings") == [(0,)]
