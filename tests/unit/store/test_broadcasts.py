"""Whom news are for, who got them and what came of it, on both databases."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.broadcasts import (
    Broadcast,
    BroadcastState,
    Reached,
    Recipient,
    Segment,
)
from bot.domain.campaigns import Campaign, Post, Posting, PostingState, PostState, Repeat, Timing
from bot.domain.chats import Chat, Preferences
from bot.domain.groups import Approval, Group, Standing
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState
from bot.ports import Outcome, Priority, Tx
from bot.store import Database
from tests.unit.store.samples import NOW, chat, days, minutes, notice, order, payment, quote, sim

ANN, BEN, CLEO, DAN = 501, 502, 503, 504
LONG_AGO = NOW - timedelta(days=400)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def written(id: str = "b1", **changes: Any) -> Broadcast:
    return replace(Broadcast(id, 1, 9, BroadcastState.DRAFT, NOW, texts={"en": "News"}), **changes)


def recipient(id: str, chat_id: int, **changes: Any) -> Recipient:
    return replace(Recipient(id, "b1", chat_id, Reached.WAITING, NOW), **changes)


async def town(tx: Tx) -> None:
    """Ann has bought much, Ben little, Cleo nothing yet; Dan bought and got it all back."""
    for person, language in ((ANN, "en"), (BEN, "zh_Hans"), (CLEO, "zh_Hant"), (DAN, "en")):
        await tx.chats.add(chat(person, language=language, created_at=LONG_AGO))
    await tx.sims.add(sim("sa", ANN, carrier="Smart", expiry=days(5)))
    await tx.sims.add(sim("sb", BEN, carrier="Ultra", expiry=days(20)))
    await tx.sims.add(sim("sb2", BEN, carrier="Smart", expiry=days(90)))
    await tx.sims.add(sim("sc", CLEO, carrier="Smart", expiry=None, keep_deadline=days(-3)))
    await tx.sims.add(sim("sd", DAN, carrier="Ultra", expiry=days(5), removed_at=NOW))
    await bought(tx, "oa1", ANN, "sa", usd(3000), days(-100))
    await bought(tx, "oa2", ANN, "sa", usd(2500), days(-40))
    await bought(tx, "ob", BEN, "sb", usd(900), days(-2))
    await bought(tx, "od", DAN, "sd", usd(9900), days(-2))
    back = (OrderState.REFUND_DUE, OrderState.REFUNDING, OrderState.REFUNDED)
    old = OrderState.PAID
    for new in back:
        assert await tx.orders.move("od", old, new, "x", NOW)
        old = new


async def bought(
    tx: Tx, id: str, chat_id: int, sim_id: str, due: Money, at: datetime, taken: int | None = None
) -> None:
    await tx.quotes.add(quote(f"q{id}", chat_id=chat_id, sim_id=sim_id), None)
    made = order(id, f"q{id}", chat_id=chat_id, sim_id=sim_id, due=due, price=usd(9999))
    await tx.orders.add(made)
    assert await tx.orders.move(
        id, OrderState.QUOTED, OrderState.AWAITING_PAYMENT, "x", at, paid_at=None
    )
    assert await tx.orders.move(
        id, OrderState.AWAITING_PAYMENT, OrderState.PAID, "x", at, paid_at=at
    )
    await tx.payments.add(
        payment(f"p{id}", order_id=id, chat_id=chat_id, state=PaymentState.CAPTURED,
                captured=usd(due.minor if taken is None else taken), captured_at=at,
                charge_id=f"c{id}")
    )  # fmt: skip


async def in_segment(db: Database, segment: Segment) -> set[int]:
    async with db.read() as tx:
        found = await tx.broadcasts.following(segment, 0, NOW, 99)
        assert sum((await tx.broadcasts.audience(segment, NOW)).values()) == len(found)
    return set(found)


SEGMENTS = [
    pytest.param(Segment(), {ANN, BEN, CLEO, DAN}, id="everybody"),
    pytest.param(Segment(languages=("zh_Hans", "zh_Hant")), {BEN, CLEO}, id="languages"),
    pytest.param(Segment(carriers=("Smart",)), {ANN, BEN, CLEO}, id="carrier"),
    pytest.param(Segment(carriers=("Ultra",)), {BEN}, id="a removed SIM is nobody's"),
    pytest.param(Segment(ends=(0, 7)), {ANN}, id="ends soon"),
    pytest.param(Segment(ends=(-30, 0)), {CLEO}, id="a keep-number deadline is an end too"),
    pytest.param(Segment(carriers=("Smart",), ends=(0, 30)), {ANN}, id="of one and the same SIM"),
    pytest.param(Segment(bought=True), {ANN, BEN}, id="bought, and not given back"),
    pytest.param(Segment(bought=False), {CLEO, DAN}, id="never bought"),
    pytest.param(Segment(spent_least=usd(5500)), {ANN}, id="spent at least, all orders together"),
    pytest.param(Segment(spent_least=usd(5501)), set(), id="nobody spent so much"),
    pytest.param(Segment(spent_most=usd(900)), {BEN, CLEO, DAN}, id="spent at most"),
    pytest.param(Segment(spent_least=Money(1, "CNY")), set(), id="in another currency"),
    pytest.param(Segment(idle_days=30), {ANN, CLEO, DAN}, id="paid for nothing since"),
    pytest.param(Segment(idle_days=60), {CLEO, DAN}, id="paid for nothing for longer"),
    pytest.param(Segment(languages=("en",), bought=True), {ANN}, id="all of it has to hold"),
]


@pytest.mark.parametrize(("segment", "expected"), SEGMENTS)
async def test_a_segment_has_who_fits(db: Database, segment: Segment, expected: set[int]) -> None:
    async with db.write() as tx:
        await town(tx)
    assert await in_segment(db, segment) == expected


async def test_nobody_is_written_to_who_must_not_be(db: Database) -> None:
    async with db.write() as tx:
        await tx.chats.add(chat(ANN))
        await tx.chats.add(chat(BEN))
        await tx.chats.set_blocked(BEN, NOW)
        await tx.chats.add(chat(CLEO, preferences=Preferences(news=False)))
        await tx.chats.add(chat(-100_5, kind="supergroup"))
        await tx.chats.add(Chat(-(10**18) - 5, "forgotten", "en", False, Preferences()))
    assert await in_segment(db, Segment()) == {ANN}


async def test_newcomers_are_not_idle(db: Database) -> None:
    async with db.write() as tx:
        await tx.chats.add(chat(ANN, created_at=days(-3)))
        await tx.chats.add(chat(BEN, created_at=days(-31)))
        await tx.chats.add(chat(CLEO, created_at=None))
    assert await in_segment(db, Segment(idle_days=30)) == {BEN, CLEO}


async def test_people_of_a_group_are_those_who_opened_its_posts(db: Database) -> None:
    async with db.write() as tx:
        await town(tx)
        campaign = Campaign("spring", 1, "spring", ("x",), {"en": "Spring"}, {"en": "Now"})
        await tx.campaigns.apply([campaign], {})
        timing = Timing(Repeat.ONCE, NOW.time(), "UTC", (NOW.date(),))
        for n, visitor in ((1, ANN), (2, BEN)):
            group = Group(
                f"g{n}", -n, "supergroup", "G", Standing.ADMIN, True, Approval.ALLOWED, "en",
                "UTC", added_at=NOW,
            )  # fmt: skip
            await tx.groups.add(group)
            wish = Posting(
                f"w{n}", "spring", group.id, 9, ("en",), timing, PostingState.ACTIVE, NOW
            )
            await tx.posts.plan(wish, n)
            post = Post(f"p{n}", wish.id, 1, "spring", group.id, 9, PostState.POSTED, NOW)
            assert await tx.posts.add(post)
            await tx.posts.visit(post.id, visitor, NOW)
    assert await in_segment(db, Segment(group_id="g1")) == {ANN}
    assert await in_segment(db, Segment(group_id="g2", languages=("en",))) == set()


async def test_a_draft_changes_by_its_version(db: Database) -> None:
    async with db.write() as tx:
        assert await tx.broadcasts.add(written(), 7) == written()
        assert await tx.broadcasts.add(written("b2"), 7) == written(), "the same update again"
        assert await tx.broadcasts.change("b1", 1, renew=False)
        assert not await tx.broadcasts.change("b1", 1, renew=True)
        found = await tx.broadcasts.get("b1")
        assert found == written(version=2, renew=False)
        moved = await tx.broadcasts.move(
            "b1", BroadcastState.DRAFT, BroadcastState.SCHEDULED, "x", NOW, start_at=NOW
        )
        assert moved
        assert not await tx.broadcasts.change("b1", 2, renew=True), "it is no draft any more"
        assert [one.id for one in await tx.broadcasts.live()] == ["b1"]


async def test_nobody_is_written_down_twice(db: Database) -> None:
    async with db.write() as tx:
        await town(tx)
        await tx.broadcasts.add(written(), 7)
        for _ in range(2):
            await tx.broadcasts.enrol([recipient("r1", ANN), recipient("r2", BEN)])
        await tx.broadcasts.enrol([recipient("r3", ANN)])
        assert len(await tx.broadcasts.waiting("b1", NOW, 9)) == 2
        assert await tx.broadcasts.queued(["r1", "r2"]) == {"r1", "r2"}
        assert await tx.broadcasts.queued(["r1"]) == frozenset()


async def test_what_became_of_them_is_taken_over(db: Database) -> None:
    people = {"r1": ANN, "r2": BEN, "r3": CLEO}
    async with db.write() as tx:
        await town(tx)
        await tx.broadcasts.add(written(), 7)
        await tx.broadcasts.enrol([recipient(id, who) for id, who in people.items()])
        await tx.broadcasts.queued(list(people))
        for id, who in people.items():
            await tx.outbox.add(notice(f"k{id}", who, priority=Priority.BROADCAST))
        await tx.broadcasts.sent_as({id: f"k{id}" for id in people})
        assert await tx.broadcasts.under_way() == 3
        assert not await tx.broadcasts.to_settle()
        claimed = await tx.outbox.claim(NOW, 2)
        for one, outcome in zip(claimed, (Outcome.SENT, Outcome.BLOCKED), strict=True):
            assert one.id is not None
            await tx.outbox.settle(one.id, outcome, minutes(1))
        assert await tx.broadcasts.to_settle()
        assert await tx.broadcasts.settle() == 2
        assert await tx.broadcasts.settle() == 0
        report = await tx.broadcasts.report("b1")
        assert report.by_state == {Reached.SENT: 1, Reached.BLOCKED: 1, Reached.QUEUED: 1}
        assert report.over == 2
        assert await tx.broadcasts.withdraw("b1", Reached.WAITING) == 1
        assert await tx.outbox.next_due() is None, "what nobody began to send is out of the queue"
        [(left, _)] = await tx.broadcasts.waiting("b1", NOW, 9)
        assert (left.chat_id, left.outbox_id) == (CLEO, None)


async def test_what_is_being_sent_is_not_withdrawn(db: Database) -> None:
    async with db.write() as tx:
        await town(tx)
        await tx.broadcasts.add(written(), 7)
        await tx.broadcasts.enrol([recipient("r1", ANN), recipient("r2", BEN)])
        await tx.broadcasts.queued(["r1"])
        await tx.outbox.add(notice("k1", ANN, priority=Priority.BROADCAST))
        await tx.broadcasts.sent_as({"r1": "k1"})
        assert len(await tx.outbox.claim(NOW, 1)) == 1
        assert await tx.broadcasts.withdraw("b1", Reached.DROPPED) == 0
        report = await tx.broadcasts.progress("b1")
        assert report.by_state == {Reached.QUEUED: 1, Reached.DROPPED: 1}


async def test_what_somebody_begins_to_send_meanwhile_is_not_withdrawn(db: Database) -> None:
    async with db.write() as tx:
        await town(tx)
        await tx.broadcasts.add(written(), 7)
        await tx.broadcasts.enrol([recipient("r1", ANN)])
        await tx.broadcasts.queued(["r1"])
        await tx.outbox.add(notice("k1", ANN, priority=Priority.BROADCAST))
        await tx.broadcasts.sent_as({"r1": "k1"})

    async def stop() -> int:
        async with db.write() as tx:
            return await tx.broadcasts.withdraw("b1", Reached.DROPPED)

    async with db.write() as tx:
        assert len(await tx.outbox.claim(NOW, 1)) == 1
        stopping = asyncio.create_task(stop())
        await asyncio.wait({stopping}, timeout=0.2)  # as far as it comes meanwhile
    assert await stopping == 0
    async with db.read() as tx:
        assert (await tx.broadcasts.progress("b1")).by_state == {Reached.QUEUED: 1}


async def test_orders_count_for_a_week_after_the_tap(db: Database) -> None:
    async with db.write() as tx:
        await town(tx)
        await tx.broadcasts.add(written(), 7)
        people = [recipient(f"r{who}", who) for who in (ANN, BEN, CLEO)]
        await tx.broadcasts.enrol(people)
        await tx.broadcasts.note(f"r{ANN}", clicked_at=days(-1))
        await tx.broadcasts.note(f"r{ANN}", clicked_at=days(3))  # the first tap counts
        await tx.broadcasts.note(f"r{CLEO}", clicked_at=NOW)
        await tx.broadcasts.note(f"r{BEN}", left_at=NOW)
        await bought(tx, "n1", ANN, "sa", usd(1000), days(1))
        await bought(tx, "n2", ANN, "sa", usd(1000), days(5.9))
        await bought(tx, "late", ANN, "sa", usd(1000), days(6.1))
        await bought(tx, "other", BEN, "sb", usd(1000), days(1))
        await bought(tx, "back", CLEO, "sc", usd(1000), days(1), taken=0)
        report = await tx.broadcasts.report("b1")
    assert (report.clicked, report.left, report.paid) == (2, 1, 2)
    assert report.amounts == {"USD": 2000}


async def test_carriers_are_those_of_customers(db: Database) -> None:
    async with db.write() as tx:
        await town(tx)
        await tx.sims.add(sim("stock", None, carrier="Unsold"))
        assert await tx.broadcasts.carriers(9) == ["Smart", "Ultra"]
