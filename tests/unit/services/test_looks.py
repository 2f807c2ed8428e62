"""Posts that are out: kept true by edits, closed in time, pinned, and what refusals teach."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.domain.campaigns import Post, PostingState, PostState, Repeat, Timing
from bot.domain.groups import Approval, Standing
from bot.ports import Delivery, Outcome, Rights
from bot.services import notices
from bot.services.campaign_files import CampaignFiles, Read
from bot.services.looks import GAP
from bot.services.places import all_touched, posts_touched
from bot.services.promo_files import PromoFiles
from bot.services.selling import Refused
from tests.unit.services.posting_house import (
    ADMIN,
    GROUP,
    OFFER,
    OTHER,
    SPRING,
    Square,
    square,
    wish,
)
from tests.unit.store.samples import NOW, days

P = PostState
RETRY = Delivery(Outcome.RETRY)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


async def places(at: Square, total: int) -> None:
    """So many places are left: somebody has taken or freed one."""
    await at.offer(total=total)
    async with at.database.write() as tx:
        await posts_touched(tx, "grp", at.clock.now())


def edits(at: Square) -> int:
    return len(at.press.of(notices.POST_EDIT))


async def true(at: Square, post: Post) -> bool:
    """Whether the group reads what is true."""
    found = await at.post(post.id)
    extra = (await at.posting(found.posting_id)).extra
    poster, _ = await at.postings.preview(wish(extra=extra))
    return found.shown == poster.mark()


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


# ---- what answers teach --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "why", "standing", "can_post"),
    [
        (Delivery(Outcome.BLOCKED, detail="Forbidden: bot was kicked"), "bot_out", Standing.OUT,
         False),
        (Delivery(Outcome.FAILED, detail="Bad Request: not enough rights to send text messages"),
         "cannot_post", Standing.MEMBER, False),
        (Delivery(Outcome.FAILED, detail="Bad Request: TOPIC_CLOSED"), "topic_closed",
         Standing.MEMBER, True),
    ],
)  # fmt: skip
async def test_a_refusal_holds_the_posting_and_tells_why(
    at: Square, answer: Delivery, why: str, standing: Standing, can_post: bool
) -> None:
    weekly = Timing(Repeat.WEEKLY, time(12), "UTC", weekdays=(0,))
    posting = await at.plan(timing=weekly, thread_id=7)
    at.press.script = [answer]
    await at.live(days=4)
    [post] = await at.posts(posting.id)
    held, group = await at.posting(posting.id), await at.group()
    assert (post.state, held.state, held.reason) == (P.FAILED, PostingState.HELD, why)
    assert (group.standing, group.can_post) == (standing, can_post)
    assert at.press.news() == [(ADMIN, why)]


async def test_a_lost_answer_counts_as_posted(at: Square) -> None:
    at.press.script = [Delivery(Outcome.AMBIGUOUS)]
    post = await at.out()
    await at.live(days=1)
    assert ((await at.post(post.id)).state, len(at.press.of(notices.POST))) == (P.UNSURE, 1)
    assert at.press.news() == [(ADMIN, "unsure")]
    await at.live(days=30)
    assert (await at.post(post.id)).state is P.ENDED
    assert edits(at) == 0, "nobody knows its number"
    assert at.press.news() == [(ADMIN, "unsure"), (ADMIN, "cannot_edit")]


async def test_an_edit_without_an_answer_is_made_again(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    at.press.script = [Delivery(Outcome.AMBIGUOUS)]
    await places(at, 9)
    await at.live(minutes=3)
    assert (edits(at), await true(at, post)) == (2, True)


async def test_a_group_that_moved_gets_its_post_once(at: Square) -> None:
    at.press.script = [Delivery(Outcome.MIGRATED, chat_id=-100_777)]
    post = await at.out()
    await at.live(minutes=1)
    assert [one.chat_id for one in at.press.of(notices.POST)] == [GROUP, -100_777]
    assert ((await at.post(post.id)).state, (await at.group()).chat_id) == (P.POSTED, -100_777)


async def test_after_a_move_old_messages_are_not_edited(at: Square) -> None:
    """In the new chat their numbers belong to other messages."""
    post = await at.out()
    async with at.database.write() as tx:
        await tx.groups.migrate(GROUP, -100_777)
    at.clock.advance(minutes=5)
    await places(at, 9)
    await at.live(days=1)
    assert (edits(at), (await at.post(post.id)).state) == (0, P.POSTED)
    await at.postings.withdraw(post.posting_id, ADMIN)
    await at.live(days=1)
    assert (edits(at), at.press.news()) == (0, [(ADMIN, "cannot_edit")])


async def test_posts_wait_for_a_bot_that_was_thrown_out(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    at.press.script = [Delivery(Outcome.BLOCKED, detail="Forbidden: bot was kicked")]
    await places(at, 9)
    await at.live(days=1)
    assert (edits(at), (await at.group()).standing) == (1, Standing.OUT)
    await at.set_group(standing=Standing.MEMBER, can_post=True)
    await at.live(hours=2)
    assert await true(at, post)


async def test_a_post_that_could_not_go_out_in_time_is_given_up(at: Square) -> None:
    """Its notice expires in the queue, of which nobody hears."""
    posting = await at.plan()
    at.clock.advance(hours=2)
    await at.live(minutes=1)
    [post] = await at.posts(posting.id)
    assert (post.state, at.press.of(notices.POST)) == (P.FAILED, [])
    assert at.press.news() == [(ADMIN, "not_posted")]


async def test_two_processes_look_once(at: Square) -> None:
    post = await at.out()
    at.clock.advance(minutes=5)
    await places(at, 9)
    await asyncio.gather(*(at.looks.worker.run() for _ in range(5)))
    await at.live(minutes=1)
    assert (edits(at), await true(at, post)) == (1, True)


# ---- pins ----------------------------------------------------------------------------------


async def test_a_post_first_looked_at_late_is_pinned_all_the_same(at: Square) -> None:
    """Nothing ran for a while."""
    post = await at.out(pin=True)
    at.clock.advance(hours=5)
    await at.work()
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], True)


async def test_a_post_of_two_days_ago_is_not_pinned_any_more(at: Square) -> None:
    await at.out(pin=True)
    at.clock.advance(hours=48)
    await at.work()
    assert at.room.pinned == []


async def test_what_an_admin_unpinned_stays_so(at: Square) -> None:
    post = await at.out(pin=True)
    await at.work()
    await at.postings.pin(post.id, ADMIN, on=False)
    at.clock.advance(minutes=5)
    await places(at, 9)
    await at.live(minutes=5)
    assert at.room.pinned == [(101, True), (101, False)]


async def test_a_post_is_pinned_when_wished(at: Square) -> None:
    post = await at.out(pin=True)
    await at.work()
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], True)
    await at.live(days=1)
    assert at.room.pinned == [(101, True)]


async def test_a_pin_that_telegram_refuses_is_told_once(at: Square) -> None:
    at.room.pins = False
    post = await at.out(pin=True)
    await at.live(days=1)
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], False)
    assert at.press.news() == [(ADMIN, "cannot_pin")]


async def test_a_pin_waits_for_telegram(at: Square) -> None:
    post = await at.out(pin=True)
    at.room.away = True
    await at.live(minutes=3)
    at.room.away = False
    await at.live(minutes=2)
    assert (at.room.pinned, (await at.post(post.id)).pinned) == ([(101, True)], True)


async def test_an_admin_pins_and_unpins(at: Square) -> None:
    post = await at.out()
    await at.postings.pin(post.id, OTHER)
    assert (await at.post(post.id)).pinned
    await at.postings.pin(post.id, ADMIN, on=False)
    assert at.room.pinned == [(101, True), (101, False)]
    at.room.rights = Rights(frozenset({ADMIN}), posts=True, pins=False)
    with pytest.raises(Refused, match="cannot_pin"):
        await at.postings.pin(post.id, ADMIN)
    at.room.rights = replace(at.room.rights, pins=True)
    at.room.pins = False
    with pytest.raises(Refused, match="cannot_pin"):
        await at.postings.pin(post.id, ADMIN)
    at.room.rights = Rights(frozenset({ADMIN}), posts=False)
    with pytest.raises(Refused, match="cannot_post"):
        await at.postings.pin(post.id, ADMIN)


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
