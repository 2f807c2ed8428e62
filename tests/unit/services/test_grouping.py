"""Groups are met once, greeted once, allowed or banned by the shop, and followed when they move."""

from collections.abc import AsyncIterator
from datetime import time
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.campaigns import PostingState, Repeat, Timing
from bot.domain.groups import Approval, Standing
from bot.services import notices
from bot.services.desk import NotOperator
from bot.services.grouping import Grouping, Manner, Room
from tests.unit.services.posting_house import ADMIN, square
from tests.unit.services.sale_house import Shop, sale_house
from tests.unit.store.samples import ALICE, BOB, chat

BOSS = 4711
ROOM = Room(-100, "supergroup", "SIM talk")
CHANNEL = Room(-200, "channel", "SIM news", "sim_news")
CHINESE = Manner("zh_Hans", "Asia/Shanghai")


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as open_shop:
        yield open_shop


@pytest.fixture
def grouping(shop: Shop) -> Grouping:
    return Grouping(shop.database, shop.clock, (BOSS,))


async def told(shop: Shop) -> list[tuple[str, int]]:
    """Kind and chat of what is in the outbox."""
    async with shop.database.write() as tx:
        return [(one.kind, one.chat_id) for one in await tx.outbox.claim(shop.clock.at, 99)]


async def test_a_new_group_waits_greets_its_admins_and_asks_the_shop(
    shop: Shop, grouping: Grouping
) -> None:
    group = await grouping.changed(ROOM, Standing.MEMBER, CHINESE, ALICE, can_post=True)
    assert group is not None
    assert (group.approval, group.language, group.zone) == (
        Approval.WAITING, "zh_Hans", "Asia/Shanghai",
    )  # fmt: skip
    assert sorted(await told(shop)) == [(notices.GROUP, -100), (notices.QUEUE, BOSS)]


async def test_it_is_greeted_once_however_often_it_takes_the_bot_in(
    shop: Shop, grouping: Grouping
) -> None:
    for standing in (Standing.MEMBER, Standing.ADMIN, Standing.OUT, Standing.MEMBER):
        await grouping.changed(
            ROOM, standing, CHINESE, ALICE, can_post=standing is not Standing.OUT
        )
    kinds = [kind for kind, _ in await told(shop)]
    assert kinds.count(notices.GROUP) == kinds.count(notices.QUEUE) == 1


async def test_a_channels_readers_are_not_greeted_its_admin_is(
    shop: Shop, grouping: Grouping
) -> None:
    await grouping.changed(CHANNEL, Standing.ADMIN, CHINESE, ALICE, can_post=True)
    assert (notices.GROUP_NEWS, ALICE) in await told(shop)


async def test_somebody_who_never_wrote_to_the_bot_is_not_written_to(
    shop: Shop, grouping: Grouping
) -> None:
    await grouping.changed(CHANNEL, Standing.ADMIN, CHINESE, 999, can_post=True)
    assert [kind for kind, _ in await told(shop)] == [notices.QUEUE]


async def test_leaving_a_chat_that_was_never_known_leaves_nothing(
    shop: Shop, grouping: Grouping
) -> None:
    assert await grouping.changed(ROOM, Standing.OUT, CHINESE, ALICE, can_post=False) is None
    assert await grouping.all() == []


async def test_being_removed_and_a_new_title_are_kept(shop: Shop, grouping: Grouping) -> None:
    group = await grouping.met(ROOM, CHINESE)
    await grouping.changed(ROOM, Standing.OUT, CHINESE, ALICE, can_post=False)
    async with shop.database.read() as tx:
        gone = await tx.groups.get(group.id)
    assert gone is not None
    assert not gone.sells
    back = await grouping.met(Room(-100, "supergroup", "SIM talk 2", forum=True), CHINESE)
    assert (back.id, back.title, back.forum, back.standing) == (
        group.id, "SIM talk 2", True, Standing.MEMBER,
    )  # fmt: skip


async def test_only_the_shop_decides_once_and_the_admin_hears_of_it(
    shop: Shop, grouping: Grouping
) -> None:
    group = await grouping.met(ROOM, CHINESE, ALICE)
    with pytest.raises(NotOperator):
        await grouping.decide(group.id, Approval.ALLOWED, ALICE)
    for _ in range(2):
        decided = await grouping.decide(group.id, Approval.ALLOWED, BOSS)
        assert decided is not None
        assert decided.approval is Approval.ALLOWED
    news = [chat for kind, chat in await told(shop) if kind == notices.GROUP_NEWS]
    assert news == [ALICE]
    async with shop.database.read() as tx:
        rows = [row.action for row in await tx.audit.latest(9)]
    assert rows.count("group_allowed") == 1


@pytest.mark.parametrize(
    ("approval", "why"), [(Approval.BANNED, "group_banned"), (Approval.WAITING, "group_waiting")]
)
async def test_what_is_planned_in_a_group_is_held_when_it_may_not_post(
    approval: Approval, why: str, tmp_path: Path
) -> None:
    """Who planned it hears of the decision, once, whoever added the bot."""
    async with square(tmp_path) as at:
        weekly = Timing(Repeat.WEEKLY, time(12), "UTC", weekdays=(0,))
        planned = await at.plan(timing=weekly)
        paused = await at.plan(timing=weekly)
        await at.postings.pause(paused.id, ADMIN)
        async with at.database.write() as tx:
            await tx.chats.add(chat(ADMIN))
        await Grouping(at.database, at.clock, (BOSS,)).decide("grp1", approval, BOSS)
        held = await at.posting(planned.id)
        assert (held.state, held.reason, held.next_at) == (PostingState.HELD, why, None)
        assert (await at.posting(paused.id)).state is PostingState.PAUSED
        await at.live(days=8)
        assert [(one.chat_id, one.data["step"]) for one in at.press.of(notices.GROUP_NEWS)] == [
            (ADMIN, approval.value)
        ]
        assert (at.press.news(), at.press.of(notices.POST)) == ([], [])


async def test_a_group_that_is_banned_is_not_greeted(shop: Shop, grouping: Grouping) -> None:
    group = await grouping.met(ROOM, CHINESE)
    await grouping.decide(group.id, Approval.BANNED, BOSS)
    await grouping.changed(ROOM, Standing.OUT, CHINESE, BOB, can_post=False)
    await grouping.changed(ROOM, Standing.MEMBER, CHINESE, BOB, can_post=True)
    assert notices.GROUP not in [kind for kind, _ in await told(shop)]


async def test_it_is_followed_when_it_moves_however_often_that_is_told(
    shop: Shop, grouping: Grouping
) -> None:
    group = await grouping.met(ROOM, CHINESE)
    for _ in range(2):
        await grouping.moved(-100, -1009)
    async with shop.database.read() as tx:
        moved = await tx.groups.by_chat(-1009)
    assert moved is not None
    assert (moved.id, moved.kind) == (group.id, "supergroup")


async def test_a_new_chat_met_before_the_move_was_told_makes_way_for_the_history(
    shop: Shop, grouping: Grouping
) -> None:
    group = await grouping.met(ROOM, CHINESE)
    await grouping.met(Room(-1009, "supergroup", "SIM talk"), CHINESE)
    await grouping.moved(-100, -1009)
    async with shop.database.read() as tx:
        moved, left = await tx.groups.by_chat(-1009), await tx.groups.by_chat(-100)
    assert moved is not None
    assert left is not None
    assert moved.id == group.id
    assert left.standing is Standing.OUT


async def test_topics_are_known_by_their_latest_name_and_state(
    shop: Shop, grouping: Grouping
) -> None:
    group = await grouping.met(ROOM, CHINESE)
    await grouping.topic(-100, 7, "Deals", None)
    await grouping.topic(-100, 7, None, True)
    await grouping.topic(-100, 7, "Offers", None)
    await grouping.topic(-999, 7, "Elsewhere", None)
    async with shop.database.read() as tx:
        [topic] = await tx.groups.topics(group.id)
        now = await tx.groups.get(group.id)
    assert (topic.name, topic.closed) == ("Offers", True)
    assert now is not None
    assert now.forum
