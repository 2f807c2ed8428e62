"""Postings: who may plan what, and what becomes of a plan."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.campaigns import PostingState, PostState
from bot.domain.groups import Approval
from bot.ports import Delivery, Outcome, Priority, Rights
from bot.services import notices
from bot.services.posting_rules import MOST_POSTINGS
from bot.services.selling import Refused
from tests.unit.services.posting_acts import (
    Prepare,
    away,
    bot_out,
    campaign_is,
    day,
    group_is,
    nothing,
    offer_is,
    on,
    person_banned,
    rights_are,
    sold_off,
    topic_closed,
    weekly,
)
from tests.unit.services.posting_house import (
    ADMIN,
    GROUP,
    MEMBER,
    OTHER,
    SPRING,
    Square,
    square,
    wish,
)
from tests.unit.store.samples import NOW, days

P, S = PostState, PostingState


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Square]:
    async with square(tmp_path) as found:
        yield found


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


@pytest.mark.parametrize(
    ("prepare", "changes", "reason"),
    [
        (rights_are(), {"by": MEMBER}, "not_admin"),
        (rights_are(posts=False), {}, "cannot_post"),
        (bot_out, {}, "bot_out"),
        (away, {}, "rooms_away"),
        (group_is(approval=Approval.WAITING), {}, "group_waiting"),
        (group_is(approval=Approval.BANNED), {}, "group_banned"),
        (nothing, {"group_id": "nope"}, "unknown"),
        (nothing, {"campaign_id": "nope"}, "unknown"),
        (campaign_is(groups=(-1, -2)), {}, "campaign_stopped"),
        (campaign_is(active=False), {}, "campaign_stopped"),
        (sold_off, {}, "campaign_stopped"),
        (offer_is(posted=False), {}, "campaign_stopped"),
        (offer_is(ends_at=NOW), {}, "campaign_over"),
        (offer_is(starts_at=days(1)), {}, "campaign_early"),
        (offer_is(total=0), {}, "campaign_gone"),
        (topic_closed, {"thread_id": 7}, "topic_closed"),
        (nothing, {"extra": "x" * 201}, "extra_too_long"),
        (nothing, {"extra": "Ask me: 138 0013 8000"}, "extra_private"),
        (nothing, {"extra": "Mine is 8985-2041-0000-0000-1015"}, "extra_private"),
        (nothing, {"extra": "+1 (305) 555-0142"}, "extra_private"),
        (person_banned, {}, "person_banned"),
        (nothing, {"timing": on(day(-1))}, "in_past"),
        (nothing, {"timing": weekly()}, "in_past"),
        (nothing, {"timing": on(day(31))}, "ends_before"),
        (offer_is(starts_at=days(3)), {"timing": on(day(1))}, "campaign_early"),
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
