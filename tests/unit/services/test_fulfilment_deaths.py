"""A process that dies, a supplier that hangs, a defect: still one top-up per order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.orders import TopUpState
from bot.domain.sims import Reading, Sim
from bot.ports import TopUpAnswer, TopUpRequest
from bot.services.fulfilment import LEASE, Fulfilment
from tests.unit.services.house import SELLING
from tests.unit.services.sale_house import (
    NOT_FOUND,
    UNKNOWN,
    Killed,
    S,
    Shop,
    T,
    sale_house,
    states,
)
from tests.unit.store.samples import ALICE, managed


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        await found.stock()
        yield found


# ---- death at every step -------------------------------------------------------------------


async def test_death_before_the_supplier_heard_it(shop: Shop) -> None:
    shop.seller.answers = [Killed()]
    paid = await shop.paid()
    with pytest.raises(Killed):
        await shop.fulfil()
    assert await states(shop, paid) == (S.TOPPING_UP, T.SUBMITTING)
    await shop.die_and_rise()
    await shop.work_for(hours=2)
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert len(shop.seller.submitted) == 1


async def test_death_after_the_supplier_sold_it(shop: Shop) -> None:
    shop.seller.answers, shop.seller.buys_anyway = [Killed()], True
    paid = await shop.paid()
    top = await shop.topup(paid.id)
    with pytest.raises(Killed):
        await shop.fulfil()
    await shop.die_and_rise()
    await shop.work_for(minutes=5)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)
    assert shop.seller.submitted == [top.id]
    assert (await shop.told(paid.id))[-1] == "fulfilled"


async def test_death_while_asking(shop: Shop) -> None:
    shop.seller.answers, shop.seller.finds = [UNKNOWN], [Killed()]
    shop.seller.buys_anyway = True
    paid = await shop.paid()
    with pytest.raises(Killed):
        await shop.fulfil()
    assert await states(shop, paid) == (S.TOPUP_UNKNOWN, T.RECONCILING)
    await shop.die_and_rise()
    await shop.work_for(minutes=1)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)
    assert len(shop.seller.submitted) == 1


@pytest.mark.parametrize("state", [T.SUBMITTING, T.RECONCILING])
async def test_a_lease_that_is_over_is_looked_up_even_without_a_restart(
    shop: Shop, state: TopUpState
) -> None:
    dies: BaseException = Killed()
    if state is T.SUBMITTING:
        shop.seller.answers = [dies]
    else:
        shop.seller.answers, shop.seller.finds = [UNKNOWN], [dies]
    paid = await shop.paid()
    with pytest.raises(Killed):
        await shop.fulfil()
    shop.restart()  # a second instance that never called recover()
    await shop.fulfil()
    assert (await shop.topup(paid.id)).state is state
    shop.clock.at += LEASE + timedelta(seconds=1)
    await shop.fulfil()
    assert (await shop.order(paid.id)).state is S.TOPUP_UNKNOWN
    assert len(shop.seller.submitted) == 1


async def test_another_instance_that_starts_leaves_it_alone(shop: Shop) -> None:
    """Both share a PostgreSQL database: what one of them has in hand has not died."""
    paid = await shop.paid()
    submit = shop.seller.submit
    other = Fulfilment(shop.database, shop.clock, shop.carriers, SELLING, "other")

    async def meanwhile(request: TopUpRequest) -> TopUpAnswer:
        await other.recover()
        await other.worker.run()
        assert (await shop.topup(paid.id)).state is T.SUBMITTING
        return await submit(request)

    shop.seller.submit = meanwhile  # type: ignore[method-assign]
    await shop.fulfil()
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)
    assert len(shop.seller.submitted) == 1


async def test_an_answer_that_comes_after_its_lease_moves_nothing(shop: Shop) -> None:
    paid = await shop.paid()
    submit = shop.seller.submit

    async def slow(request: TopUpRequest) -> TopUpAnswer:
        answer = await submit(request)
        shop.clock.at += LEASE + timedelta(seconds=1)
        other = Fulfilment(shop.database, shop.clock, shop.carriers, SELLING)
        shop.seller.finds = [NOT_FOUND] * 9
        for _ in range(9):
            await other.worker.run()
            shop.clock.at += timedelta(hours=1)
        return answer

    shop.seller.submit = slow  # type: ignore[method-assign]
    await shop.fulfil()
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.NEEDS_OPERATOR)
    assert len(await shop.desk.queue()) == 1


async def test_a_supplier_that_never_answers_stops_nobody_else(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.fulfilment.LONGEST_STEP", 0.5)
    paid = await shop.paid()

    async def never(request: TopUpRequest) -> TopUpAnswer:
        await asyncio.Event().wait()
        raise AssertionError

    shop.seller.submit = never  # type: ignore[method-assign]
    await asyncio.wait_for(shop.fulfil(), 30)
    assert (await shop.topup(paid.id)).state is T.SUBMITTING
    shop.clock.at += timedelta(minutes=10)
    await shop.fulfil()
    assert (await shop.order(paid.id)).state is S.TOPUP_UNKNOWN


# ---- defects and switches ------------------------------------------------------------------


async def test_one_that_breaks_neither_stops_others_nor_spins(shop: Shop) -> None:
    shop.seller.answers = [RuntimeError("a defect")]
    broken = await shop.paid()
    await shop.fulfil()
    await shop.stock(managed("m2", ALICE, supplier_ref="other"))
    placed, payment = await shop.invoice(2, sim_id="m2")
    await shop.pay(payment, "c2")
    await shop.fulfil()
    assert (await shop.order(placed.id)).state is S.FULFILLED
    await shop.work_for(hours=2)
    assert await shop.whys() == ["not_found"]
    assert (await shop.topup(broken.id)).state is T.NEEDS_OPERATOR
    assert len(shop.seller.submitted) == 2


@pytest.mark.parametrize("step", ["before", "after"])
async def test_what_breaks_again_and_again_is_a_persons(shop: Shop, step: str) -> None:
    async def broken(sim: Sim) -> Reading:
        raise RuntimeError("a defect")

    paid = await shop.paid()
    if step == "after":
        shop.seller.hides = True
        await shop.fulfil()
    shop.seller.snapshot = broken  # type: ignore[method-assign]
    await shop.work_for(hours=3)
    assert (await shop.order(paid.id)).state is S.NEEDS_OPERATOR
    assert await shop.whys() == ["defect"]
    assert len(await shop.desk.queue()) == 1


async def test_a_supplier_switched_off_is_told_once_and_goes_on_when_it_is_back(
    shop: Shop,
) -> None:
    paid = await shop.paid()
    supplier = shop.carriers.pop("esim_access")
    await shop.work_for(hours=3)
    assert await states(shop, paid) == (S.NEEDS_OPERATOR, T.SAVED)
    assert await shop.whys() == ["supplier_off"]
    shop.carriers["esim_access"] = supplier
    await shop.work_for(hours=1)
    assert await states(shop, paid) == (S.FULFILLED, T.VERIFIED)


async def test_a_row_that_has_ended_is_not_looked_at_again(shop: Shop) -> None:
    paid = await shop.paid()
    top = await shop.topup(paid.id)
    async with shop.database.write() as tx:
        await tx.topups.move(top.id, T.SAVED, T.REJECTED, "test", shop.clock.now())
    await shop.fulfil()
    assert await shop.fulfilment.next_due() is None
