"""Postings whose turn has come: posted in time, at most once a turn, held when rights are lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.domain.campaigns import PostingState, PostState, Repeat, Timing
from bot.domain.groups import Approval
from bot.ports import Rights
from bot.services import notices
from bot.services.selling import Refused
from bot.services.turns import Turns
from tests.unit.services.posting_acts import (
    NOON,
    Prepare,
    bot_out,
    day,
    group_is,
    on,
    person_banned,
    rights_are,
    topic_closed,
    weekly,
)
from tests.unit.services.posting_house import (
    ADMIN,
    OTHER,
    Rooms,
    Square,
    square,
)
from tests.unit.store.samples import days

P, S = PostState, PostingState


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


# ---- turns ---------------------------------------------------------------------------------


async def test_a_scheduled_post_comes_at_its_time_in_the_groups_zone(at: Square) -> None:
    zone = "Asia/Shanghai"
    posting = await at.plan(timing=on(day(1), clock=time(9, 30), zone=zone))
    assert posting.next_at == datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
    await at.live(hours=13)
    assert at.press.of(notices.POST) == []
    await at.live(hours=1)
    [post] = await at.posts(posting.id)
    assert post.posted_at == posting.next_at
    assert (await at.posting(posting.id)).state is S.DONE


async def test_a_weekly_post_keeps_its_hour_when_the_clocks_change(at: Square) -> None:
    """In New York they went back on 1 November 2026 and forward on 14 March 2027."""
    await at.offer(ends_at=None, total=None)
    await at.campaign(cooldown=timedelta(0))
    zone = "America/New_York"
    at.clock.at = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    posting = await at.plan(timing=weekly(5, clock=time(9), zone=zone))  # Saturdays
    await at.live(days=16)
    hours = [post.created_at for post in reversed(await at.posts(posting.id))]
    assert hours == [
        datetime(2026, 10, 31, 13, 0, tzinfo=UTC), datetime(2026, 11, 7, 14, 0, tzinfo=UTC)
    ]  # fmt: skip
    await at.postings.withdraw(posting.id, ADMIN)
    at.clock.at = datetime(2027, 3, 12, 12, 0, tzinfo=UTC)
    gap = await at.plan(timing=weekly(6, clock=time(2, 30), zone=zone))  # left out that Sunday
    await at.live(days=10)
    hours = [post.created_at for post in reversed(await at.posts(gap.id))]
    assert hours == [
        datetime(2027, 3, 14, 7, 30, tzinfo=UTC), datetime(2027, 3, 21, 6, 30, tzinfo=UTC)
    ]  # fmt: skip


async def test_monthly_on_the_31st_and_on_chosen_dates(at: Square) -> None:
    await at.offer(ends_at=None)
    await at.campaign(cooldown=timedelta(0))
    monthly = await at.plan(timing=Timing(Repeat.MONTHLY, NOON, "UTC", day=31))
    dates = await at.plan(timing=on(day(5), day(40), clock=time(8)))
    await at.live(days=105)
    assert [post.created_at.date() for post in reversed(await at.posts(monthly.id))] == [
        date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28)
    ]  # fmt: skip
    assert [post.created_at.date() for post in reversed(await at.posts(dates.id))] == [
        day(5), day(40)
    ]  # fmt: skip
    assert (await at.posting(dates.id)).state is S.DONE
    assert (await at.posting(monthly.id)).state is S.ACTIVE


async def test_after_downtime_only_one_post_makes_up_for_all_that_were_missed(at: Square) -> None:
    await at.offer(ends_at=None)
    posting = await at.plan(timing=weekly(0, 2, 4))
    at.clock.advance(days=24, hours=3)  # a Monday
    at.restart()
    await at.work()
    assert len(await at.posts(posting.id)) == 1
    following = (await at.posting(posting.id)).next_at
    assert following is not None
    assert at.clock.at < following <= at.clock.at + timedelta(days=3)


async def test_who_is_no_admin_any_more_posts_nothing(at: Square) -> None:
    """Demoted between scheduling and posting."""
    posting = await at.plan(timing=weekly(0))
    at.room.rights = Rights(frozenset({OTHER}), posts=True)
    await at.live(days=9)
    assert at.press.of(notices.POST) == []
    held = await at.posting(posting.id)
    assert (held.state, held.reason, held.next_at) == (S.HELD, "not_admin", None)
    assert at.press.news() == [(ADMIN, "not_admin")]
    with pytest.raises(Refused, match="not_admin"):
        await at.postings.resume(posting.id, ADMIN)
    await at.postings.resume(posting.id, OTHER)
    await at.live(days=7)
    assert at.press.of(notices.POST) == [], "its poster is no admin, whoever resumed it"


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (bot_out, "bot_out"),
        (rights_are(posts=False), "cannot_post"),
        (group_is(approval=Approval.BANNED), "group_banned"),
        (group_is(approval=Approval.WAITING), "group_waiting"),
        (topic_closed, "topic_closed"),
        (person_banned, "person_banned"),
    ],
)
async def test_a_posting_is_held_while_its_group_can_not_take_it(
    at: Square, prepare: Prepare, reason: str
) -> None:
    posting = await at.plan(timing=weekly(0), thread_id=7)
    done = prepare(at)
    if done is not None:
        await done
    await at.live(days=9)
    assert at.press.of(notices.POST) == []
    assert ((await at.posting(posting.id)).state, at.press.news()) == (S.HELD, [(ADMIN, reason)])


async def test_a_posting_of_a_campaign_that_is_over_is_done(at: Square) -> None:
    posting = await at.plan(timing=weekly(0))
    await at.offer(ends_at=days(1))
    await at.live(days=9)
    assert at.press.of(notices.POST) == []
    assert (await at.posting(posting.id)).state is S.DONE
    assert at.press.news() == [(ADMIN, "campaign_over")]


async def test_a_turn_within_the_cooldown_is_left_out(at: Square) -> None:
    weekly_one = await at.plan(timing=weekly(0))
    single = await at.plan(timing=on(day(3), clock=time(13)))
    await at.live(days=9)
    assert len(await at.posts(weekly_one.id)) == 1
    assert await at.posts(single.id) == []
    held = await at.posting(single.id)
    assert (held.state, held.reason) == (S.HELD, "cooldown")
    assert at.press.news() == [(ADMIN, "cooldown")]
    await at.campaign(most_posts=1, within=timedelta(days=20))
    await at.live(days=3)
    left = await at.posting(weekly_one.id)
    assert (left.state, left.reason, left.turn) == (S.ACTIVE, "cap_reached", 1)
    assert left.next_at == days(17)
    assert at.press.news()[1:] == [(ADMIN, "cap_reached")]


async def test_while_telegram_is_away_nothing_is_posted_unproved(at: Square) -> None:
    posting = await at.plan(timing=on(day(1)))
    at.room.away = True
    await at.live(days=1, minutes=20)
    assert at.press.got == []
    at.room.away = False
    await at.live(minutes=2)
    [post] = await at.posts(posting.id)
    assert days(1) + timedelta(minutes=20) <= post.created_at <= days(1) + timedelta(minutes=22)


async def test_two_processes_make_one_post_of_a_turn(at: Square) -> None:
    posting = await at.plan(timing=weekly(0))
    at.clock.advance(days=3)
    both = [Turns(at.database, at.clock, Rooms(at.room)) for _ in range(2)]
    await asyncio.gather(*(one.worker.run() for one in both))
    assert len(await at.posts(posting.id)) == 1
    await at.outbox.worker.run()
    assert len(at.press.of(notices.POST)) == 1


async def test_a_death_between_claim_and_answer_never_posts_twice(at: Square) -> None:
    """The process dies with the message on its way: it may be there, so it is not sent again."""
    posting = await at.plan()
    async with at.database.write() as tx:
        [claimed] = await tx.outbox.claim(at.clock.now(), 1, by="only")
    assert claimed.kind == notices.POST
    at.restart()
    await at.outbox.recover()
    await at.live(days=1)
    assert at.press.of(notices.POST) == []
    [post] = await at.posts(posting.id)
    assert post.state is P.UNSURE
    assert at.press.news() == [(ADMIN, "unsure")]


async def test_a_death_before_the_transaction_posts_once_all_the_same(at: Square) -> None:
    """Telegram was asked, then the process died: the posting is due again."""

    class Dies(BaseException):
        pass

    posting = await at.plan(timing=on(day(1)))
    at.clock.advance(days=1)

    async def dying(fresh: bool) -> Rights | None:
        raise Dies

    at.room.rights_of = dying  # type: ignore[method-assign]
    with pytest.raises(Dies):
        await at.turns.worker.run()
    del at.room.rights_of
    at.restart()
    await at.live(hours=1)
    assert len(await at.posts(posting.id)) == 1
    assert len(at.press.of(notices.POST)) == 1
