"""Posts that are out: kept true by edits, closed in time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.domain.campaigns import PostingState, PostState, Repeat, Timing
from bot.domain.groups import Approval
from bot.ports import Delivery, Outcome
from bot.services import notices
from bot.services.campaign_files import CampaignFiles, Read
from bot.services.looks import GAP
from bot.services.places import all_touched
from bot.services.promo_files import PromoFiles
from tests.unit.services.posting_house import (
    ADMIN,
    OFFER,
    OTHER,
    SPRING,
    Square,
    edits,
    places,
    square,
    true,
    wish,
)
from tests.unit.store.samples import NOW, days

P = PostState
RETRY = Delivery(Outcome.RETRY)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


async def test_a_post_that_is_true_is_left_alone(at: Square) -> None:
    post = await at.out()
    await at.live(days=20)
    assert edits(at) == 0
    # From the midnight on at which six days are left it counts them.
    assert (await at.post(post.id)).look_at == days(23.5)


async def test_a_place_that_was_taken_shows(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    await places(at, 9)
    await at.work()
    assert (edits(at), await true(at, post)) == (1, True)
    await at.live(days=1)
    assert edits(at) == 1


async def test_a_crowd_of_buyers_is_an_edit_a_minute(at: Square) -> None:
    post = await at.out()
    for left in range(9, 0, -1):
        at.clock.advance(seconds=20)
        await places(at, left)
        await at.work()
    assert edits(at) <= 3
    await at.live(minutes=2)
    assert await true(at, post)
    assert all(later - earlier >= GAP for earlier, later in pairwise(at.press.moments))


async def test_an_older_post_of_the_same_offer_follows_at_leisure(at: Square) -> None:
    await at.campaign(cooldown=timedelta(0))
    old = await at.out()
    at.clock.advance(hours=1)
    new = await at.out()
    for left in (9, 8, 7):
        at.clock.advance(minutes=2)
        await places(at, left)
        await at.work()
    assert (await true(at, new), await true(at, old)) == (True, False)
    assert edits(at) == 4
    await at.live(minutes=31)
    assert await true(at, old)


async def test_one_edit_at_a_time_is_on_its_way(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    at.press.script = [RETRY] * 20
    await places(at, 9)
    await at.work()
    await at.live(minutes=5)
    await places(at, 8)
    async with at.database.read() as tx:
        assert sum(one.waiting + one.planned for one in await tx.outbox.backlog(NOW)) == 1
    at.press.script = []
    await at.live(minutes=5)
    assert await true(at, post)


async def test_days_are_counted_at_the_groups_midnight(at: Square) -> None:
    await at.set_group(zone="Asia/Shanghai")
    await at.offer(ends_at=days(3))
    post = await at.out()
    await at.live(hours=3, minutes=58)
    assert edits(at) == 0
    await at.live(minutes=3)
    assert (edits(at), await true(at, post)) == (1, True)
    await at.live(days=1)
    assert edits(at) == 2


async def test_one_of_many_posts_takes_its_share_of_the_limit(at: Square) -> None:
    """In six hundred groups one place more or less is shown within two minutes, not in one."""
    post = await at.out()
    async with at.database.write() as tx:
        for n in range(600):
            other = replace(post, id=f"p{n}", turn=n + 1, message_id=n, look_at=None,
                            created_at=NOW - timedelta(days=30))  # fmt: skip
            await tx.posts.add(other)
        assert await tx.posts.standing("spring") == 601
    at.clock.advance(minutes=1, seconds=50)
    await at.offer(total=9)
    async with at.database.write() as tx:
        await tx.posts.set(post.id, look_at=at.clock.now())
    await at.work()
    assert edits(at) == 0
    await at.live(seconds=15)
    assert await true(at, post)


# ---- ends ----------------------------------------------------------------------------------


async def test_a_post_is_closed_when_its_offer_ends(at: Square) -> None:
    await at.offer(ends_at=days(2))
    post = await at.out(pin=True)
    await at.live(days=3)
    ended = await at.post(post.id)
    assert (ended.state, ended.end, ended.ended_at) == (P.ENDED, "over", days(2))
    assert (ended.look_at, ended.pinned, at.room.pinned) == (
        None,
        False,
        [(101, True), (101, False)],
    )
    count = edits(at)
    await at.live(days=3)
    assert edits(at) == count


async def test_sold_out_says_so_and_opens_again(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    await places(at, 0)
    await at.work()
    shown = await at.post(post.id)
    assert (shown.state, await true(at, post)) == (P.POSTED, True)
    poster, _ = await at.postings.preview(wish())
    assert poster.ended == "gone"
    at.clock.advance(minutes=15)
    await places(at, 1)
    await at.work()
    assert (edits(at), await true(at, post)) == (2, True)


async def test_a_group_that_may_no_longer_post_it_is_closed_too(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    await at.campaign(groups=(-9,))
    async with at.database.write() as tx:
        await tx.posts.touch(at.clock.now(), campaign_id="spring")
    await at.live(minutes=2)
    assert ((await at.post(post.id)).end, edits(at)) == ("stopped", 1)


@pytest.mark.parametrize("why", ["stopped", "banned", "not_allowed"])
async def test_the_operator_closes_posts(at: Square, why: str) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    async with at.database.write() as tx:
        if why == "banned":
            await tx.groups.set("grp1", approval=Approval.BANNED)
        elif why == "not_allowed":
            await tx.groups.set("grp1", approval=Approval.WAITING)
        else:
            assert await tx.campaigns.stop("spring")
        await tx.posts.touch(at.clock.now(), group_id="grp1")
    await at.live(minutes=2)
    ended = await at.post(post.id)
    assert (ended.state, ended.end, edits(at)) == (P.ENDED, why, 1)


async def test_a_withdrawn_post_is_edited_and_its_posting_ends(at: Square) -> None:
    weekly = Timing(Repeat.WEEKLY, time(12), "UTC", weekdays=(0,))
    posting = await at.plan(timing=weekly)
    await at.live(days=4)
    [post] = await at.posts(posting.id)
    await at.postings.withdraw(posting.id, OTHER)
    await at.live(minutes=2)
    ended = await at.post(post.id)
    assert (ended.state, ended.end, edits(at)) == (P.ENDED, "withdrawn", 1)
    assert (await at.posting(posting.id)).state is PostingState.STOPPED
    await at.live(days=14)
    assert len(at.press.of(notices.POST)) == 1


async def test_one_post_withdrawn_leaves_its_posting(at: Square) -> None:
    posting = await at.plan(timing=Timing(Repeat.WEEKLY, time(12), "UTC", weekdays=(0,)))
    await at.live(days=4)
    await at.postings.withdraw_post((await at.posts(posting.id))[0].id, ADMIN)
    await at.live(days=7)
    assert [post.state for post in await at.posts(posting.id)] == [P.POSTED, P.ENDED]


async def test_a_post_withdrawn_on_its_way_is_closed_all_the_same(at: Square) -> None:
    posting = await at.plan()

    async def withdraw() -> None:
        await at.postings.withdraw(posting.id, ADMIN)

    at.press.meanwhile = withdraw
    await at.live(minutes=5)
    [post] = await at.posts(posting.id)
    assert (post.state, post.message_id, post.end, edits(at)) == (P.ENDED, 101, "withdrawn", 1)


async def test_a_deleted_message_ends_its_post(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    at.press.script = [Delivery(Outcome.FAILED, detail="Bad Request: message to edit not found")]
    await places(at, 9)
    await at.work()
    ended = await at.post(post.id)
    assert (ended.state, ended.end, ended.message_id) == (P.ENDED, "deleted", None)
    await at.live(days=40)
    assert (edits(at), at.press.news()) == (1, [])


async def test_a_sentence_that_changed_shows(at: Square) -> None:
    post = await at.out(extra="Old")
    at.clock.advance(minutes=5)
    await at.postings.change(post.posting_id, ADMIN, extra="New")
    await at.work()
    assert (edits(at), await true(at, post)) == (1, True)


async def test_prices_that_changed_show(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    async with at.database.write() as tx:
        plans = [replace(plan, days=31) for plan in await tx.catalogue.all()]
        await tx.catalogue.apply(plans)
        await all_touched(tx, at.clock.now())
    await at.work()
    assert (edits(at), await true(at, post)) == (1, True)


async def test_what_the_operator_applies_shows_at_once(at: Square) -> None:
    """A promo is stopped, a campaign is, by commands beside the running bot."""
    promos = PromoFiles(at.database, at.clock, ZoneInfo("UTC"))
    campaigns = CampaignFiles(at.database, at.clock, lambda poster: 0)
    await at.campaign(cooldown=timedelta(0))
    post = await at.out()
    at.clock.advance(minutes=5)
    await promos.apply([replace(OFFER, percent=OFFER.percent * 2)], "cli")
    await at.work()
    assert (edits(at), await true(at, post)) == (1, True)
    at.clock.advance(minutes=5)
    await campaigns.apply(Read((replace(SPRING, title={"en": "Summer"}),)), "cli")
    await at.work()
    assert (edits(at), await true(at, post)) == (2, True)
    at.clock.advance(minutes=5)
    await campaigns.stop("spring", "cli")
    await at.work()
    assert (edits(at), (await at.post(post.id)).end) == (3, "stopped")


async def test_stopping_the_promo_closes_its_posts(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    await PromoFiles(at.database, at.clock, ZoneInfo("UTC")).stop("grp", "cli")
    await at.work()
    assert (edits(at), (await at.post(post.id)).end) == (1, "stopped")
