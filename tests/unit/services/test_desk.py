"""What waits for a person, and that each decision about a top-up happens once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.sims import KeepRule, Sim, Source
from bot.ports import TopUpAnswer, TopUpRequest, TopUpStatus
from bot.services.desk import NotOperator
from bot.services.selling import Refused
from bot.services.waiting import Action, Kind
from tests.unit.services.desk_house import House, S, T, desk_house
from tests.unit.services.house import OPERATOR, SECOND, fresh, queued
from tests.unit.store.samples import (
    ALICE,
    BOB,
    NOW,
    days,
    minutes,
    sim,
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with desk_house(tmp_path) as found:
        yield found


# ---- who and when --------------------------------------------------------------------------


async def test_an_empty_shop_has_an_empty_queue(house: House) -> None:
    assert await house.desk.queue() == []


@pytest.mark.parametrize("stranger", [ALICE, BOB, 0])
async def test_only_operators_decide(house: House, stranger: int) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "unknown")
    with pytest.raises(NotOperator):
        await house.act(Action.REFUND, who=stranger)
    assert (await house.order()).state is S.NEEDS_OPERATOR


async def test_the_second_press_is_told_who_was_first(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "not_found")
    first = await house.act(Action.REFUND)
    second = await house.act(Action.DELIVERED, who=SECOND, update=2)
    assert (first.first, first.operator_id) == (True, OPERATOR)
    assert (second.first, second.operator_id, second.action) == (False, OPERATOR, Action.REFUND)
    assert (await house.order()).state is S.REFUND_DUE


async def test_a_replayed_press_decides_nothing_new(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "not_found")
    await house.act(Action.SUBMIT_AGAIN, update=7)
    async with house.store.write() as tx:
        [_, second] = await tx.topups.of_order("o1")
        for old, new in [(T.SAVED, T.SUBMITTING), (T.SUBMITTING, T.NEEDS_OPERATOR)]:
            await tx.topups.move(second.id, old, new, "not_found", NOW)
        await tx.orders.move("o1", S.TOPPING_UP, S.NEEDS_OPERATOR, "not_found", NOW)
    assert (await house.act(Action.SUBMIT_AGAIN, update=7)).first
    assert len(await house.topups()) == 2
    await house.act(Action.SUBMIT_AGAIN, update=8)
    assert len(await house.topups()) == 3


async def test_what_nobody_decided_but_is_over_says_so(house: House) -> None:
    await house.sale(S.FULFILLED, T.VERIFIED)
    with pytest.raises(Refused, match="nothing_waits"):
        await house.act(Action.DELIVERED)
    with pytest.raises(Refused, match="nothing_waits"):
        await house.act(Action.DELIVERED, subject="order:none")
    with pytest.raises(Refused, match="nothing_waits"):
        await house.act(Action.DELIVERED, subject="nonsense")


async def test_every_decision_is_in_the_audit_log(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "unknown")
    await house.act(Action.REFUND, update=5)
    async with house.store.read() as tx:
        [row] = await tx.audit.latest(5)
    assert (row.actor, row.action, row.subject) == (
        f"operator:{OPERATOR}",
        "desk_refund",
        "order:o1",
    )
    assert row.details == {"update_id": 5, "reason": "unknown"}


# ---- top-ups -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "again", "ask"),
    [
        ("not_found", True, True),
        ("unknown", False, True),
        ("unverified", False, True),
        ("supplier_off", False, True),
    ],
)
async def test_buying_again_is_offered_only_when_nothing_was_found(
    house: House, reason: str, again: bool, ask: bool
) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, reason)
    item = await house.only()
    assert (item.kind, item.reason, item.since) == (Kind.TOPUP, reason, minutes(-2))
    assert (Action.SUBMIT_AGAIN in item.actions) is again
    assert (Action.LOOK_UP_AGAIN in item.actions) is ask
    if not again:
        with pytest.raises(Refused):
            await house.act(Action.SUBMIT_AGAIN)


async def test_a_top_up_that_arrived_fulfils_its_order_and_shows_the_reading(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "unknown")
    house.supplier.shown["m1"] = fresh(expiry=days(40))
    await house.act(Action.DELIVERED)
    sold, [top] = await house.order(), await house.topups()
    assert (sold.state, top.state) == (S.FULFILLED, T.VERIFIED)
    assert top.after is not None
    assert top.after.expiry == days(40)
    assert (await house.sim("m1")).expiry == days(40)
    assert await house.desk.queue() == []
    assert [facts["order_id"] for _, facts in await queued(house.store, "order")] == ["o1"]


async def test_it_arrived_even_when_the_supplier_is_silent(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "unverified")
    await house.act(Action.DELIVERED)
    assert (await house.order()).state is S.FULFILLED
    assert (await house.topups())[0].after is None


async def test_a_top_up_that_was_never_sent_can_be_sent_refunded_or_done_by_hand(
    house: House,
) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.SAVED, "supplier_off")
    assert Action.SUBMIT_AGAIN in (await house.only()).actions
    await house.act(Action.DELIVERED)
    assert [top.state for top in await house.topups()] == [T.VERIFIED]


async def test_submitting_again_is_a_new_reference(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "not_found")
    await house.act(Action.SUBMIT_AGAIN)
    [old, new] = await house.topups()
    assert (old.state, old.reason) == (T.REJECTED, "operator: not delivered")
    assert (new.state, new.next_at, new.max_cost) == (T.SAVED, NOW, old.max_cost)
    assert new.id != old.id
    assert (await house.order()).state is S.TOPPING_UP


async def test_looking_up_again_asks_and_never_buys(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought: list[str] = []

    async def submit(request: TopUpRequest) -> TopUpAnswer:
        bought.append(request.ref)
        return TopUpAnswer(TopUpStatus.SUCCEEDED)

    async def find(request: TopUpRequest) -> TopUpAnswer:
        return TopUpAnswer(TopUpStatus.SUCCEEDED, "s1")

    monkeypatch.setattr(house.supplier, "submit", submit)
    monkeypatch.setattr(house.supplier, "find", find)
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "not_found")
    house.supplier.shown["m1"] = fresh(expiry=days(40))
    await house.act(Action.LOOK_UP_AGAIN)
    await house.fulfilment.worker.run()
    assert bought == []
    assert (await house.order()).state is S.FULFILLED
    assert [top.state for top in await house.topups()] == [T.VERIFIED]


async def test_an_unverified_top_up_is_read_again(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "unverified")
    house.supplier.shown["m1"] = fresh(expiry=days(40))
    await house.act(Action.LOOK_UP_AGAIN)
    assert [top.state for top in await house.topups()] == [T.SUCCEEDED]
    await house.fulfilment.worker.run()
    assert (await house.order()).state is S.FULFILLED


async def test_a_look_up_that_fails_again_comes_back_and_is_told_again(house: House) -> None:
    await house.sale(S.NEEDS_OPERATOR, T.NEEDS_OPERATOR, "not_found")
    for update in (1, 2):
        await house.act(Action.LOOK_UP_AGAIN, update=update)
        for _ in range(8):
            await house.fulfilment.worker.run()
            house.clock.advance(minutes=20)
        assert (await house.only()).reason == "not_found"
        told = [chat_id for chat_id, _ in await queued(house.store, "queue")]
        assert sorted(told) == [OPERATOR, SECOND]


# ---- by hand -------------------------------------------------------------------------------


def smart(**changes: Any) -> Sim:
    return sim("s1", expiry=days(10), grace_end=days(130), rule=KeepRule(365, 120), **changes)


async def test_a_top_up_by_hand_moves_the_dates_by_plan_and_rule(house: House) -> None:
    await house.sale(S.TOPPING_UP, T.PROCESSING, line=smart())
    item = await house.only()
    assert (item.kind, item.actions) == (Kind.BY_HAND, (Action.DELIVERED, Action.REFUND))
    await house.act(Action.DELIVERED)
    line, [top] = await house.sim("s1"), await house.topups()
    assert (line.expiry, line.grace_end) == (days(40), days(160))
    assert line.dates_source is Source.OPERATOR
    assert top.after is not None
    assert top.after.source is Source.OPERATOR
    assert (await house.order()).state is S.FULFILLED


async def test_it_counts_once_when_the_owner_moved_the_date_already(house: House) -> None:
    await house.sale(S.TOPPING_UP, T.PROCESSING, line=smart())
    line = await house.sim("s1")
    async with house.store.write() as tx:
        await tx.sims.update("s1", line.version, expiry=days(40))
    await house.act(Action.DELIVERED)
    assert (await house.sim("s1")).expiry == days(40)


async def test_a_lapsed_line_is_extended_from_today_and_its_old_grace_forgotten(
    house: House,
) -> None:
    lapsed = replace(smart(), expiry=days(-5), grace_end=days(3), rule=None)
    await house.sale(S.TOPPING_UP, T.PROCESSING, line=lapsed)
    await house.act(Action.DELIVERED)
    line = await house.sim("s1")
    assert (line.expiry, line.grace_end) == (days(30), None)


async def test_a_by_hand_order_can_be_refunded_instead(house: House) -> None:
    await house.sale(S.TOPPING_UP, T.PROCESSING, line=smart())
    await house.act(Action.REFUND)
    await house.refunds.worker.run()
    assert (await house.order()).state is S.REFUNDED
    assert house.cashier.returned == ["c1"]
    assert [top.state for top in await house.topups()] == [T.REJECTED]
    assert (await house.sim("s1")).expiry == days(10)


async def test_a_top_up_that_a_machine_is_processing_waits_for_nobody(house: House) -> None:
    await house.sale(S.TOPPING_UP, T.PROCESSING)
    assert await house.desk.queue() == []
