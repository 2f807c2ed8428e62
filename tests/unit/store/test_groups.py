"""Groups and their posts in the store, on both databases, by two transactions at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.campaigns import Campaign, Post, Posting, PostingState, PostState, Repeat, Timing
from bot.domain.groups import Approval, Group, Standing
from bot.store import Database
from tests.unit.store.samples import ALICE, BOB, CHARLIE, NOW, chat

GROUP = Group("g1", -100, "supergroup", "SIM talk", Standing.MEMBER, True, Approval.ALLOWED,
              "en", "UTC", added_at=NOW)  # fmt: skip
CAMPAIGN = Campaign("spring", 1, "grp", ("p",), {"en": "Spring"}, {"en": "{plan}"})
NOON = Timing(Repeat.ONCE, NOW.time(), "UTC", (NOW.date(),))
WISH = Posting("w1", CAMPAIGN.id, GROUP.id, ALICE, ("en",), NOON, PostingState.DONE, NOW)
POST = Post("p1", WISH.id, 0, CAMPAIGN.id, GROUP.id, ALICE, PostState.POSTED, NOW, look_at=NOW)


@pytest.fixture
async def town(db: Database) -> Database:
    async with db.write() as tx:
        await tx.groups.add(GROUP)
        await tx.campaigns.apply([CAMPAIGN], {})
        await tx.posts.plan(WISH, 1)
        await tx.posts.add(POST)
    return db


async def test_two_who_learn_the_admins_at_once_both_write_them_down(town: Database) -> None:
    async def learn(*people: int) -> None:
        async with town.write() as tx:
            await tx.groups.admins(GROUP.id, people)

    await asyncio.gather(*(learn(ALICE, BOB, CHARLIE) for _ in range(6)))
    async with town.read() as tx:
        assert await tx.groups.of_admin(BOB) == [GROUP]


async def test_who_opens_a_post_again_came_when_they_came_first(town: Database) -> None:
    async with town.write() as tx:
        await tx.chats.add(chat(BOB))
        await tx.posts.visit(POST.id, BOB, NOW)
        await tx.posts.quoted(POST.id, BOB, NOW)
        await tx.posts.visit(POST.id, BOB, NOW + timedelta(days=3))
        found = await tx.posts.came(GROUP.id, NOW)
    assert (found.opened, found.quoted) == ([NOW], [NOW])


async def test_posts_are_touched_in_the_order_in_which_their_edits_are_recorded(
    town: Database,
) -> None:
    async def taken() -> None:
        async with town.write() as tx:
            await tx.posts.touch(NOW + timedelta(minutes=1), campaign_id=CAMPAIGN.id)

    async with town.write() as tx:
        await tx.posts.set(POST.id, look_at=None)
        await tx.posts.add(replace(POST, id="p0", turn=1, look_at=None))  # stored after p1
    async with town.write() as tx:
        await tx.posts.set("p0", look_at=None)
        touching = asyncio.create_task(taken())
        await asyncio.wait({touching}, timeout=0.2)  # as far as it comes meanwhile
        await tx.posts.set(POST.id, look_at=None)
    await touching
    async with town.read() as tx:
        assert len(await tx.posts.to_look_at(NOW + timedelta(minutes=1), 9)) == 2


async def test_a_post_whose_place_is_taken_while_it_is_looked_at_is_looked_at_again(
    town: Database,
) -> None:
    async def taken() -> None:
        async with town.write() as tx:
            await tx.posts.touch(NOW, campaign_id=CAMPAIGN.id)

    async with town.write() as tx:
        await tx.posts.set(POST.id, look_at=None)
        touching = asyncio.create_task(taken())
        await asyncio.wait({touching}, timeout=0.2)  # as far as it comes meanwhile
        await tx.posts.set(POST.id, look_at=NOW + timedelta(days=1))
    await touching
    async with town.read() as tx:
        assert [one.id for one in await tx.posts.to_look_at(NOW, 9)] == [POST.id]
