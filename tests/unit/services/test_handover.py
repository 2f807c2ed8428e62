"""Handing a SIM over: Alice has one, Bob is to have it, Charlie guesses."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.domain.codes import make_code
from bot.domain.handover import HandoverState
from bot.domain.orders import OrderState
from bot.domain.rules import Activity
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import ActivityRow
from bot.services.handover import LASTS, MARK, Handovers, is_handover_code
from bot.services.ownership import LOCKED_FOR, WRONG_CODES, SimRefused
from bot.store import Database
from tests.unit.services.house import PEPPER, HandClock, opened, queued
from tests.unit.store.samples import (
    ALICE,
    BOB,
    CHARLIE,
    NOW,
    days,
    managed,
    order,
    quote,
    reading,
    sim,
)

ICCID = "89852022000000000015"


@dataclass
class House:
    """What a test needs."""

    store: Database
    clock: HandClock
    handovers: Handovers

    async def owned(self, owner: int = ALICE, **changes: Any) -> Sim:
        """A SIM of the shop's that somebody owns, with a reading."""
        facts: dict[str, Any] = {
            "iccid": ICCID,
            "owner_id": owner,
            "nickname": "Mum",
            "last_plan": "jp-1",
        }
        one = managed("m1", **(facts | changes))
        async with self.store.write() as tx:
            assert await tx.sims.add(one)
            await tx.sims.add_reading(one.id, reading())
        return await self.get(one.id)

    async def get(self, sim_id: str) -> Sim:
        async with self.store.read() as tx:
            found = await tx.sims.get(sim_id)
        assert found is not None
        return found

    async def sims_of(self, chat_id: int) -> list[Sim]:
        async with self.store.read() as tx:
            return await tx.sims.owned(chat_id)

    async def running(self, sim_id: str = "m1", state: OrderState = OrderState.PAID) -> None:
        """Alice renews it."""
        async with self.store.write() as tx:
            await tx.quotes.add(quote(sim_id=sim_id), None)
            await tx.orders.add(order(sim_id=sim_id, state=state))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    async with opened(tmp_path) as store:
        yield House(store, clock, Handovers(store, clock, PEPPER))


async def test_it_moves_only_after_the_owner_confirmed(house: House) -> None:
    mine = await house.owned()
    code, offered = await house.handovers.offer(mine, 1)
    asked = await house.handovers.take(BOB, code.lower().replace("-", " "))
    assert (asked.state, asked.to_chat) == (HandoverState.ASKED, BOB)
    assert await house.sims_of(BOB) == []
    assert [one.id for one in await house.sims_of(ALICE)] == ["m1"]
    assert await house.handovers.waiting(mine) == asked
    done = await house.handovers.confirm(ALICE, offered.id)
    [new] = await house.sims_of(BOB)
    assert done.new_sim_id == new.id
    assert await house.sims_of(ALICE) == []
    assert (new.iccid, new.tracking, new.expiry) == (ICCID, Tracking.MANAGED, mine.expiry)
    told = await queued(house.store, "handover")
    assert sorted(chat for chat, _ in told) == [ALICE, BOB]


async def test_neither_sees_what_is_the_others(house: House) -> None:
    mine = await house.owned(device="iPhone 12", imei="490154203237518", reminders_stopped=True)
    await house.running(state=OrderState.FULFILLED)
    code, offered = await house.handovers.offer(mine, 1)
    await house.handovers.take(BOB, code)
    await house.handovers.confirm(ALICE, offered.id)
    [new] = await house.sims_of(BOB)
    assert (new.nickname, new.device, new.imei, new.last_plan) == (None, None, None, None)
    assert not new.reminders_stopped
    async with house.store.read() as tx:
        assert await tx.sims.history(new.id, days(-400)) == []
        assert await tx.orders.of_chat(BOB, 9) == []
        assert len(await tx.orders.of_chat(ALICE, 9)) == 1
        assert len(await tx.sims.history("m1", days(-400))) == 1
    old = await house.get("m1")
    assert (old.owner_id, old.nickname, old.removed_at) == (ALICE, "Mum", NOW)
    assert old.next_reminder_at is None
    assert new.next_reminder_at is not None


async def test_a_line_keeps_its_deadline_and_what_it_is_counted_from(house: House) -> None:
    async with house.store.write() as tx:
        await tx.sims.add(sim("s1", msisdn="+639181234567", keep_deadline=days(50)))
        for back in (3, 2, 1):
            day = days(-back).date()
            await tx.activities.add(ActivityRow("s1", Activity.CALL, day, None, NOW))
    code, offered = await house.handovers.offer(await house.get("s1"), 1)
    await house.handovers.take(BOB, code)
    await house.handovers.confirm(ALICE, offered.id)
    [new] = await house.sims_of(BOB)
    assert (new.keep_deadline, new.form, new.rule) == (days(50), SimForm.CARD, sim().rule)
    async with house.store.read() as tx:
        assert [row.day for row in await tx.activities.of(new.id)] == [days(-1).date()]


async def test_a_code_works_once_and_not_for_long(house: House) -> None:
    mine = await house.owned()
    code, offered = await house.handovers.offer(mine, 1)
    await house.handovers.take(BOB, code)
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.handovers.take(CHARLIE, code)
    await house.handovers.refuse(ALICE, offered.id)
    for chat_id in (BOB, CHARLIE):
        with pytest.raises(SimRefused, match="code_wrong"):
            await house.handovers.take(chat_id, code)
    late, _ = await house.handovers.offer(mine, 2)
    house.clock.at = NOW + LASTS
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.handovers.take(BOB, late)
    assert [one.id for one in await house.sims_of(ALICE)] == ["m1"]


async def test_an_owner_who_waits_too_long_confirms_nothing(house: House) -> None:
    mine = await house.owned()
    code, offered = await house.handovers.offer(mine, 1)
    house.clock.advance(hours=23)
    await house.handovers.take(BOB, code)
    house.clock.advance(hours=24)
    with pytest.raises(SimRefused, match="handover_over"):
        await house.handovers.confirm(ALICE, offered.id)
    assert await house.handovers.waiting(mine) is None
    assert await house.sims_of(BOB) == []
    again, _ = await house.handovers.offer(mine, 2)
    assert (await house.handovers.take(BOB, again)).state is HandoverState.ASKED


async def test_ones_own_code_is_not_a_wrong_one(house: House) -> None:
    code, _ = await house.handovers.offer(await house.owned(), 1)
    for _n in range(WRONG_CODES + 1):
        with pytest.raises(SimRefused, match="own_code"):
            await house.handovers.take(ALICE, code)


async def test_who_guesses_is_locked_like_with_claim_codes(house: House) -> None:
    code, _ = await house.handovers.offer(await house.owned(), 1)
    for guess in range(WRONG_CODES):
        with pytest.raises(SimRefused) as refused:
            await house.handovers.take(CHARLIE, make_code(bytes([guess] * 12), MARK))
    assert (refused.value.reason, refused.value.until) == ("locked", NOW + LOCKED_FOR)
    with pytest.raises(SimRefused, match="locked"):
        await house.handovers.take(CHARLIE, code)
    assert (await house.handovers.take(BOB, code)).to_chat == BOB


async def test_only_its_owner_decides(house: House) -> None:
    code, offered = await house.handovers.offer(await house.owned(), 1)
    await house.handovers.take(BOB, code)
    for stranger in (BOB, CHARLIE):
        with pytest.raises(SimRefused, match="handover_over"):
            await house.handovers.confirm(stranger, offered.id)
        with pytest.raises(SimRefused, match="handover_over"):
            await house.handovers.refuse(stranger, offered.id)
    for decide in (house.handovers.confirm, house.handovers.refuse):
        with pytest.raises(SimRefused, match="handover_over"):
            await decide(ALICE, "nothing")


async def test_nothing_moves_while_a_renewal_runs(house: House) -> None:
    mine = await house.owned()
    code, offered = await house.handovers.offer(mine, 1)
    await house.handovers.take(BOB, code)
    await house.running()
    with pytest.raises(SimRefused, match="running"):
        await house.handovers.confirm(ALICE, offered.id)
    with pytest.raises(SimRefused, match="running"):
        await house.handovers.offer(mine, 2)
    async with house.store.write() as tx:
        assert await tx.orders.move("o1", OrderState.PAID, OrderState.REFUND_DUE, "x", NOW)
    await house.handovers.confirm(ALICE, offered.id)
    assert len(await house.sims_of(BOB)) == 1


async def test_everything_may_run_twice(house: House) -> None:
    mine = await house.owned()
    code, offered = await house.handovers.offer(mine, 1)
    assert await house.handovers.offer(mine, 1) == (code, offered)
    asked = await house.handovers.take(BOB, code)
    assert await house.handovers.take(BOB, code) == asked
    done = await house.handovers.confirm(ALICE, offered.id)
    assert await house.handovers.confirm(ALICE, offered.id) == done
    assert await house.handovers.take(BOB, code) == done
    with pytest.raises(SimRefused, match="handover_over"):
        await house.handovers.refuse(ALICE, offered.id)
    assert len(await house.sims_of(BOB)) == 1
    assert len(await queued(house.store, "handover")) == 2


async def test_a_refusal_may_run_twice(house: House) -> None:
    code, offered = await house.handovers.offer(await house.owned(), 1)
    await house.handovers.take(BOB, code)
    first = await house.handovers.refuse(ALICE, offered.id)
    assert first.state is HandoverState.REFUSED
    assert await house.handovers.refuse(ALICE, offered.id) == first
    with pytest.raises(SimRefused, match="handover_over"):
        await house.handovers.confirm(ALICE, offered.id)


async def test_a_newer_code_and_a_withdrawal_make_the_older_void(house: House) -> None:
    mine = await house.owned()
    old, _ = await house.handovers.offer(mine, 1)
    new, _ = await house.handovers.offer(mine, 2)
    assert old != new
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.handovers.take(BOB, old)
    await house.handovers.withdraw(mine)
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.handovers.take(BOB, new)


async def test_a_code_of_a_sim_that_its_owner_removed_opens_nothing(house: House) -> None:
    mine = await house.owned()
    code, offered = await house.handovers.offer(mine, 1)
    await house.handovers.take(BOB, code)
    async with house.store.write() as tx:
        await tx.sims.update("m1", mine.version, owner_id=None)
    with pytest.raises(SimRefused, match="not_yours"):
        await house.handovers.confirm(ALICE, offered.id)
    with pytest.raises(SimRefused, match="not_yours"):
        await house.handovers.offer(mine, 2)
    with pytest.raises(SimRefused, match="not_yours"):
        await house.handovers.withdraw(mine)


async def test_ones_own_note_of_the_line_makes_room(house: House) -> None:
    async with house.store.write() as tx:
        await tx.sims.add(sim("b1", BOB, iccid=ICCID, nickname="Uncle"))
    code, offered = await house.handovers.offer(await house.owned(), 1)
    await house.handovers.take(BOB, code)
    await house.handovers.confirm(ALICE, offered.id)
    [new] = await house.sims_of(BOB)
    assert (new.id != "b1", new.nickname, new.tracking) == (True, "Uncle", Tracking.MANAGED)


async def test_what_the_shop_gave_somebody_is_not_replaced_by_a_note(house: House) -> None:
    await house.owned(BOB)
    async with house.store.write() as tx:
        await tx.sims.add(sim("a1", ALICE, iccid=ICCID))
    code, _ = await house.handovers.offer(await house.get("a1"), 1)
    with pytest.raises(SimRefused, match="have_already"):
        await house.handovers.take(BOB, code)


def test_a_hand_over_code_is_told_from_the_others() -> None:
    assert is_handover_code("xukh 7f3k 2m9p q4td")
    assert not is_handover_code("XUKS-7F3K-2M9P-Q4TD")
    assert not is_handover_code("")
