"""Postings: who may plan what, when it is posted, and at most once a turn."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.campaigns import PostingState, PostState, Repeat, Timing
from bot.domain.groups import Approval, Topic
from bot.ports import Delivery, Outcome, Priority, Rights
from bot.services import notices
from bot.services.posting_rules import MOST_POSTINGS
from bot.services.selling import Refused
from bot.services.turns import Turns
from tests.unit.services.posting_house import (
    ADMIN,
    GROUP,
    MEMBER,
    OTHER,
    SPRING,
    Rooms,
    Square,
    square,
    wish,
)
from tests.unit.store.samples import NOW, days

P, S = PostState, PostingState
NOON = time(12)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


def on(*dates: date, clock: time = NOON, zone: str = "UTC") -> Timing:
    repeat = Repeat.ONCE if len(dates) == 1 else Repeat.DATES
    return Timing(repeat, clock, zone, dates)


def day(count: int) -> date:
    return days(count).date()


def weekly(*weekdays: int, clock: time = NOON, zone: str = "UTC") -> Timing:
    return Timing(Repeat.WEEKLY, clock, zone, weekdays=weekdays)


# ---- planning ------------------------------------------------------------------------------


async def test_an_admin_posts_now(at: Square) -> None:
    posting = await at.plan(extra="  Our  favourite ", thread_id=7, pin=True)
    assert (posting.state, posting.turn, posting.next_at) == (S.DONE, 1, None)
    assert posting.extra == "Our favourite"
    assert at.room.asked == [True], "asked anew: a remembered right is no right"
    await at.outbox.worker.run()
    [sent] = at.press.of(notices.POST)
    assert (sent.chat_id, sent.priority) == (GROUP, Priority.PROMO)
    [post] = await at.posts(posting.id)
    assert (post.state, post.message_id, post.photo) == (P.POSTED, 101, True)
    assert (post.by, post.posted_at) == (ADMIN, NOW)


async def test_a_replayed_tap_posts_once(at: Square) -> None:
    first = await at.postings.plan(wish(), 5)
    again = await at.postings.plan(wish(), 5)
    assert again == first
    await at.live(hours=2)
    assert len(at.press.of(notices.POST)) == 1


async def test_two_taps_at_once_are_one_post(at: Square) -> None:
    answers = await asyncio.gather(
        *(at.postings.plan(wish(), n) for n in range(10)), return_exceptions=True
    )
    refused = [one.reason for one in answers if isinstance(one, Refused)]
    assert refused == ["cooldown"] * 9
    await at.live(hours=2)
    assert len(at.press.of(notices.POST)) == 1


Prepare = Callable[[Square], Any]


def _away(at: Square) -> None:
    at.room.away = True


def _rights(**changes: Any) -> Prepare:
    def prepare(at: Square) -> None:
        assert at.room.rights is not None
        at.room.rights = replace(at.room.rights, **changes)

    return prepare


def _nothing(at: Square) -> None:
    """All is well."""


def _out(at: Square) -> None:
    at.room.rights = None


def _group(**changes: Any) -> Prepare:
    return lambda at: at.set_group(**changes)


def _campaign(**changes: Any) -> Prepare:
    return lambda at: at.campaign(**changes)


def _offer(**changes: Any) -> Prepare:
    return lambda at: at.offer(**changes)


async def _banned(at: Square) -> None:
    async with at.database.write() as tx:
        await tx.promos.ban(ADMIN, NOW)


async def _closed(at: Square) -> None:
    async with at.database.write() as tx:
        await tx.groups.topic(Topic("grp1", 7, "Deals", closed=True))


async def _sold_off(at: Square) -> None:
    async with at.database.write() as tx:
        await tx.catalogue.apply([])


@pytest.mark.parametrize(
    ("prepare", "changes", "reason"),
    [
        (_rights(), {"by": MEMBER}, "not_admin"),
        (_rights(posts=False), {}, "cannot_post"),
        (_out, {}, "bot_out"),
        (_away, {}, "rooms_away"),
        (_group(approval=Approval.WAITING), {}, "group_waiting"),
        (_group(approval=Approval.BANNED), {}, "group_banned"),
        (_nothing, {"group_id": "nope"}, "unknown"),
        (_nothing, {"campaign_id": "nope"}, "unknown"),
        (_campaign(groups=(-1, -2)), {}, "campaign_stopped"),
        (_campaign(active=False), {}, "campaign_stopped"),
        (_sold_off, {}, "campaign_stopped"),
        (_offer(posted=False), {}, "campaign_stopped"),
        (_offer(ends_at=NOW), {}, "campaign_over"),
        (_offer(starts_at=days(1)), {}, "campaign_early"),
        (_offer(total=0), {}, "campaign_gone"),
        (_closed, {"thread_id": 7}, "topic_closed"),
        (_nothing, {"extra": "x" * 201}, "extra_too_long"),
        (_nothing, {"extra": "Ask me: 138 0013 8000"}, "extra_private"),
        (_nothing, {"extra": "Mine is 8985-2041-0000-0000-1015"}, "extra_private"),
        (_nothing, {"extra": "+1 (305) 555-0142"}, "extra_private"),
        (_banned, {}, "person_banned"),
        (_nothing, {"timing": on(day(-1))}, "in_past"),
        (_nothing, {"timing": weekly()}, "in_past"),
        (_nothing, {"timing": on(day(31))}, "ends_before"),
        (_offer(starts_at=days(3)), {"timing": on(day(1))}, "campaign_early"),
    ],
)
async def test_what_is_refused_is_not_saved(
    at: Square, prepare: Prepare, changes: dict[str, Any], reason: str
) -> None:
    done = prepare(at)
    if done is not None:
        await done
    with pytest.raises(Refused, match=f"^{reason}$"):
        await at.plan(**changes)
    async with at.database.read() as tx:
        assert await tx.posts.postings_of("grp1") == []
    await at.live(days=2)
    assert at.press.got == []


async def test_the_cap_and_the_cooldown_of_a_campaign_hold(at: Square) -> None:
    await at.campaign(most_posts=2, within=timedelta(days=2), cooldown=timedelta(hours=3))
    await at.plan()
    with pytest.raises(Refused, match="cooldown"):
        await at.plan(by=OTHER)
    at.clock.advance(hours=3)
    await at.plan(by=OTHER)
    at.clock.advance(hours=3)
    [choice] = await at.postings.offered(await at.group())
    assert (choice.why, choice.until) == ("cap_reached", days(2))
    with pytest.raises(Refused, match="cap_reached"):
        await at.plan()
    at.clock.advance(hours=42)
    assert (await at.postings.offered(await at.group()))[0].why is None
    await at.plan()


async def test_a_post_that_failed_does_not_count(at: Square) -> None:
    at.press.script = [Delivery(Outcome.FAILED, detail="Bad Request: wrong")]
    failed = await at.out()
    assert (failed.state, at.press.news()) == (P.FAILED, [(ADMIN, "not_posted")])
    assert (await at.out()).state is P.POSTED


async def test_what_a_group_may_post_says_why_not_now(at: Square) -> None:
    async with at.database.write() as tx:
        await tx.campaigns.apply(
            [SPRING, replace(SPRING, id="elsewhere", groups=(-9,)),
             replace(SPRING, id="mine", groups=(GROUP,))],
            {},
        )  # fmt: skip
    group = await at.group()
    found = await at.postings.offered(group)
    assert [(one.campaign.id, one.why, one.places) for one in found] == [
        ("spring", None, 10), ("mine", None, 10)
    ]  # fmt: skip
    await at.plan()
    found = await at.postings.offered(group)
    assert [(one.campaign.id, one.why, one.until) for one in found] == [
        ("mine", None, None), ("spring", "cooldown", NOW + SPRING.cooldown)
    ]  # fmt: skip
    await at.offer(starts_at=days(2))
    assert {(one.why, one.until) for one in await at.postings.offered(group)} == {
        ("campaign_early", days(2))
    }
    await at.offer(ends_at=NOW)
    assert await at.postings.offered(group) == []


async def test_a_preview_shows_what_the_post_will_show(at: Square) -> None:
    poster, picture = await at.postings.preview(wish(extra=" Hi  there"))
    assert (poster.places, poster.extra, poster.ended, picture) == (10, "Hi there", None, None)
    posted = await at.out(extra="Hi there")
    assert posted.shown == poster.mark()
    with pytest.raises(Refused, match="unknown"):
        await at.postings.preview(wish(campaign_id="nope"))


async def test_a_group_has_only_so_many_plans(at: Square) -> None:
    for _ in range(MOST_POSTINGS):
        await at.plan(timing=on(day(3)))
    with pytest.raises(Refused, match="too_many"):
        await at.plan(timing=on(day(3)))


@pytest.mark.parametrize(
    "extra",
    ["Only 2026-12-01 - 2026-12-31 19:30", "满 100 减 20，满 200 减 50", "24 h, 7 days, 365"],
)
async def test_dates_and_prices_are_no_private_numbers(at: Square, extra: str) -> None:
    assert (await at.plan(extra=extra)).extra == extra


async def test_a_group_that_moved_is_still_the_one_that_the_operator_named(at: Square) -> None:
    await at.campaign(groups=(GROUP,))
    async with at.database.write() as tx:
        await tx.groups.migrate(GROUP, -100_777)
    assert [one.why for one in await at.postings.offered(await at.group())] == [None]
    assert (await at.out()).state is P.POSTED


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
        (_out, "bot_out"),
        (_rights(posts=False), "cannot_post"),
        (_group(approval=Approval.BANNED), "group_banned"),
        (_group(approval=Approval.WAITING), "group_waiting"),
        (_closed, "topic_closed"),
        (_banned, "person_banned"),
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


# ---- managing ------------------------------------------------------------------------------


async def test_pausing_and_resuming(at: Square) -> None:
    posting = await at.plan(timing=weekly(0))
    assert (await at.postings.pause(posting.id, OTHER)).state is S.PAUSED
    with pytest.raises(Refused, match="not_waiting"):
        await at.postings.pause(posting.id, ADMIN)
    await at.live(days=8)
    assert at.press.of(notices.POST) == []
    resumed = await at.postings.resume(posting.id, ADMIN)
    assert (resumed.state, resumed.next_at) == (S.ACTIVE, days(10))
    await at.live(days=3)
    assert len(at.press.of(notices.POST)) == 1


async def test_a_time_that_passed_in_a_pause_can_not_be_resumed(at: Square) -> None:
    posting = await at.plan(timing=on(day(1)))
    await at.postings.pause(posting.id, ADMIN)
    at.clock.advance(days=2)
    with pytest.raises(Refused, match="in_past"):
        await at.postings.resume(posting.id, ADMIN)
    await at.postings.change(posting.id, ADMIN, timing=on(day(3)))
    assert (await at.postings.resume(posting.id, ADMIN)).next_at == days(3)


async def test_strangers_manage_nothing(at: Square) -> None:
    post = await at.out()
    posting = post.posting_id
    for asked in (
        at.postings.pause(posting, MEMBER),
        at.postings.resume(posting, MEMBER),
        at.postings.withdraw(posting, MEMBER),
        at.postings.withdraw_post(post.id, MEMBER),
        at.postings.change(posting, MEMBER, extra="Mine"),
        at.postings.pin(post.id, MEMBER),
    ):
        with pytest.raises(Refused, match="not_admin"):
            await asked
    with pytest.raises(Refused, match="unknown"):
        await at.postings.pause("nope", ADMIN)
    with pytest.raises(Refused, match="unknown"):
        await at.postings.withdraw_post("nope", ADMIN)
    at.room.away = True
    with pytest.raises(Refused, match="rooms_away"):
        await at.postings.withdraw(posting, OTHER)


async def test_who_planned_it_may_stop_it_though_no_admin_any_more(at: Square) -> None:
    posting = await at.plan(timing=weekly(0))
    at.room.rights = Rights(frozenset({OTHER}), posts=True)
    assert (await at.postings.withdraw(posting.id, ADMIN)).state is S.STOPPED
    with pytest.raises(Refused, match="not_admin"):
        await at.postings.resume(posting.id, ADMIN)
    with pytest.raises(Refused, match="not_waiting"):
        await at.postings.resume(posting.id, OTHER)


async def test_another_time_moves_the_next_turn(at: Square) -> None:
    posting = await at.plan(timing=on(day(1)))
    changed = await at.postings.change(posting.id, OTHER, timing=on(day(2)))
    assert changed.next_at == days(2)
    with pytest.raises(Refused, match="in_past"):
        await at.postings.change(posting.id, ADMIN, timing=on(day(-1)))
    with pytest.raises(Refused, match="ends_before"):
        await at.postings.change(posting.id, ADMIN, timing=on(day(31)))
    with pytest.raises(Refused, match="extra_too_long"):
        await at.postings.change(posting.id, ADMIN, extra="x" * 201)
    await at.live(days=3)
    [post] = await at.posts(posting.id)
    assert post.created_at == days(2)
    with pytest.raises(Refused, match="not_waiting"):
        await at.postings.change(posting.id, ADMIN, timing=on(day(9)))
