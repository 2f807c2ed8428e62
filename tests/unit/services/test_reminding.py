"""The reminder tick: the ledger and the message together, each stage once, nobody forgotten."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.chat.notices import Renderer
from bot.chat.shop import Merchant
from bot.domain.chats import Preferences
from bot.domain.orders import OrderState
from bot.domain.sales import Method
from bot.domain.sims import OwnReminders, Sim
from bot.domain.transfers import Proof, ProofState
from bot.ports import Notice, Outcome
from bot.services.planning import plan_for, replan, replan_chat
from bot.services.reminding import Reminding
from bot.store import Database
from tests.unit.services.house import HandClock, Supplier, fresh, opened
from tests.unit.store.samples import ALICE, BOB, NOW, days, managed, order, payment, quote, sim

DUE = NOW + timedelta(days=9)  # 12:00 UTC, a day before expiry; the hour of reminders has passed


@dataclass
class Desk:
    database: Database
    clock: HandClock
    supplier: Supplier
    reminding: Reminding
    renderer: Renderer

    async def add(self, *sims: Sim) -> None:
        async with self.database.write() as tx:
            for each in sims:
                assert await tx.sims.add(each)
                await replan(tx, each.id, self.clock.now())

    async def prefer(self, **changes: Any) -> None:
        async with self.database.write() as tx:
            await tx.chats.set_preferences(ALICE, replace(Preferences(), **changes))

    async def tick(self) -> list[Notice]:
        """One tick, and what it put into the outbox."""
        await self.reminding.worker.run()
        async with self.database.write() as tx:
            found: list[Notice] = []
            while batch := await tx.outbox.claim(self.clock.now(), 100):
                for notice in batch:
                    assert notice.id is not None
                    await tx.outbox.settle(notice.id, Outcome.SENT, self.clock.now())
                    found.append(notice)
        return found

    async def at(self, moment: Any) -> list[str]:
        """Stages told by a tick at that moment."""
        self.clock.at = moment
        return [str(notice.data.get("stage", "digest")) for notice in await self.tick()]

    async def live(self, until: Any) -> list[str]:
        """Stages told until then, by ticks at the moments the SIMs ask for."""
        found: list[str] = []
        while (due := await self.reminding.next_due()) is not None and due <= until:
            assert due > self.clock.at or not found, "a tick that moves nothing would spin"
            found += await self.at(max(due, self.clock.at))
            self.clock.advance(minutes=1)
        self.clock.at = until
        return found

    async def sim(self, sim_id: str = "s1") -> Sim:
        async with self.database.read() as tx:
            found = await tx.sims.get(sim_id)
        assert found is not None
        return found

    async def change(self, **changes: Any) -> None:
        async with self.database.write() as tx:
            current = await tx.sims.get("s1")
            assert current is not None
            await tx.sims.update("s1", current.version, **changes)
            await replan(tx, "s1", self.clock.now())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as database:
        clock = HandClock()
        supplier = Supplier(clock)
        carriers: Any = {supplier.name: supplier}
        yield Desk(
            database, clock, supplier, Reminding(database, clock, carriers),
            Renderer(database, clock, carriers, Merchant("Shop")),
        )  # fmt: skip


# ---- once each -----------------------------------------------------------------------------


async def test_every_stage_once_in_its_order(desk: Desk) -> None:
    await desk.add(sim("s1"))
    assert await desk.live(days(200)) == [
        "expiry-7", "expiry-3", "expiry-1", "expiry-0", "grace-started", "grace-3", "grace-1",
        "lost",
    ]  # fmt: skip
    assert await desk.reminding.next_due() is None


async def test_a_second_tick_of_the_same_minute_says_nothing(desk: Desk) -> None:
    await desk.add(sim("s1"))
    assert await desk.at(DUE) == ["expiry-1"]
    assert await desk.at(DUE) == []


async def test_ticks_at_once_say_it_once(desk: Desk) -> None:
    await desk.add(sim("s1"))
    desk.clock.at = DUE
    other = Reminding(desk.database, desk.clock, {})
    await asyncio.gather(desk.reminding.worker.run(), other.worker.run())
    assert len(await desk.tick()) == 1


async def test_what_was_missed_is_told_once_by_the_latest_stage(desk: Desk) -> None:
    await desk.add(sim("s1"))
    assert await desk.at(DUE) == ["expiry-1"]  # the machine was off for days
    async with desk.database.read() as tx:
        told = await tx.reminders.sent("s1", "2026-11-30")
    assert told == {"expiry-7", "expiry-3", "expiry-1"}


async def test_the_ledger_and_the_message_are_one_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.add(sim("s1"))
    desk.clock.at = DUE

    def broken(*given: object) -> Notice:
        raise RuntimeError("dies between the ledger and the outbox")

    with monkeypatch.context() as patched:
        patched.setattr("bot.services.reminding._reminder", broken)
        assert await desk.tick() == []
    async with desk.database.read() as tx:
        assert await tx.reminders.sent("s1", "2026-11-30") == frozenset()
    assert (await desk.sim()).next_reminder_at == DUE + timedelta(hours=1)
    assert await desk.at(DUE + timedelta(hours=1)) == ["expiry-1"]


# ---- what silences -------------------------------------------------------------------------


async def running(desk: Desk) -> None:
    async with desk.database.write() as tx:
        await tx.quotes.add(quote(sim_id="s1"), None)
        await tx.orders.add(order(sim_id="s1", state=OrderState.PAID))


async def test_what_a_running_order_holds_back_is_told_as_held(desk: Desk) -> None:
    await desk.add(sim("s1"))
    desk.clock.at = DUE

    async def held() -> bool:
        async with desk.database.read() as tx:
            planned = await plan_for(tx, await desk.sim(), DUE)
        assert planned is not None
        assert planned.at == DUE
        return planned.held

    assert not await held()
    await running(desk)
    assert await held()


async def test_a_running_order_silences_and_the_reminder_follows_when_it_fails(desk: Desk) -> None:
    await desk.add(sim("s1"))
    await running(desk)
    assert await desk.at(DUE) == []
    assert (await desk.sim()).next_reminder_at == DUE + timedelta(minutes=10)
    async with desk.database.write() as tx:
        await tx.orders.move("o1", OrderState.PAID, OrderState.REFUND_DUE, "test", DUE)
    assert await desk.at(DUE + timedelta(minutes=10)) == ["expiry-1"]


async def unpaid(desk: Desk, **changes: Any) -> None:
    """An order that was made five minutes before DUE, and may be paid for ten more."""
    made = {"created_at": DUE - timedelta(minutes=5), "expires_at": DUE + timedelta(minutes=10)}
    async with desk.database.write() as tx:
        await tx.quotes.add(quote(sim_id="s1"), None)
        waits = OrderState.AWAITING_PAYMENT
        await tx.orders.add(order(sim_id="s1", **{"state": waits, **made, **changes}))


async def test_who_is_about_to_pay_is_reminded_once_the_order_has_lapsed(desk: Desk) -> None:
    await desk.add(sim("s1"), sim("s2", BOB))
    await unpaid(desk)
    async with desk.database.read() as tx:
        planned = await plan_for(tx, await desk.sim(), DUE - timedelta(minutes=1))
    assert planned is not None
    assert planned.held
    assert await desk.at(DUE) == ["expiry-1"], "Bob's"
    assert await desk.at(DUE + timedelta(minutes=9)) == []
    assert await desk.live(DUE + timedelta(minutes=10)) == ["expiry-1"]


async def test_an_unpaid_order_that_waits_for_days_silences_for_an_hour(desk: Desk) -> None:
    await desk.add(sim("s1"))
    await unpaid(desk, expires_at=DUE + timedelta(days=3))
    assert await desk.live(DUE + timedelta(minutes=54)) == []
    assert await desk.live(DUE + timedelta(minutes=56)) == ["expiry-1"]


async def test_who_has_shown_a_transfer_is_not_told_to_pay(desk: Desk) -> None:
    await desk.add(sim("s1"))
    await unpaid(desk, created_at=DUE - timedelta(days=1), expires_at=DUE + timedelta(days=3))
    proof = Proof("pr1", "p1", ALICE, ProofState.WAITING, "file", True, "0" * 64, "0" * 16, NOW)
    async with desk.database.write() as tx:
        await tx.payments.add(payment(method=Method.TRANSFER))
        await tx.proofs.add(proof, 7)
    assert await desk.live(DUE + timedelta(hours=5)) == []
    async with desk.database.write() as tx:
        await tx.proofs.move("pr1", ProofState.WAITING, ProofState.DECLINED, desk.clock.at)
    assert await desk.live(DUE + timedelta(hours=5, minutes=11)) == ["expiry-1"]


async def test_a_renewal_that_the_supplier_knows_of_silences(desk: Desk) -> None:
    await desk.add(managed("s1", ALICE, expiry=days(10), grace_end=None))
    desk.supplier.shown["s1"] = fresh(expiry=days(40))
    assert await desk.at(DUE) == []
    assert (await desk.sim()).expiry == days(40)
    assert await desk.live(days(39)) == ["expiry-7", "expiry-3", "expiry-1"]


async def test_a_supplier_out_of_reach_silences_nobody(desk: Desk) -> None:
    await desk.add(managed("s1", ALICE, expiry=days(10), grace_end=None))
    assert await desk.at(DUE) == ["expiry-1"]


async def test_a_reading_that_breaks_stops_nobody(desk: Desk) -> None:
    async def broken(line: Sim) -> None:
        raise RuntimeError("a defect")

    desk.supplier.snapshot = broken  # type: ignore[method-assign,assignment]
    await desk.add(managed("s1", ALICE, expiry=days(10), grace_end=None), sim("s2", BOB))
    assert await desk.at(DUE) == ["expiry-1", "expiry-1"]


async def test_a_chat_that_breaks_stops_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    remind = desk.reminding._remind

    async def broken(tx: Any, by_chat: Any, *rest: Any) -> None:
        await remind(tx, by_chat, *rest)
        if ALICE in by_chat:
            raise RuntimeError("a defect")

    monkeypatch.setattr(desk.reminding, "_remind", broken)
    await desk.add(sim("s1"), sim("s2", BOB))
    desk.clock.at = DUE
    [only] = await desk.tick()
    assert only.chat_id == BOB
    assert await desk.tick() == []


async def test_whoever_blocked_us_gets_nothing_until_they_come_back(desk: Desk) -> None:
    await desk.add(sim("s1"))
    async with desk.database.write() as tx:
        await tx.chats.set_blocked(ALICE, NOW)
    assert await desk.at(DUE) == []
    assert await desk.reminding.next_due() is None
    async with desk.database.write() as tx:
        await tx.chats.set_blocked(ALICE, None)
        await replan_chat(tx, ALICE, NOW)
    assert await desk.at(DUE) == ["expiry-1"]


async def test_a_snooze_is_silence_then_the_same_again(desk: Desk) -> None:
    await desk.add(sim("s1"))
    assert await desk.at(DUE) == ["expiry-1"]
    until = DUE + timedelta(hours=2)
    await desk.reminding.snooze(await desk.sim(), until)
    assert await desk.at(until - timedelta(minutes=1)) == []
    assert await desk.at(until) == ["expiry-1"]
    assert await desk.at(until) == []


async def test_stopped_is_stopped_and_can_begin_again(desk: Desk) -> None:
    await desk.add(sim("s1"))
    await desk.reminding.stop(await desk.sim())
    assert await desk.at(DUE) == []
    await desk.reminding.restart(await desk.sim())
    assert await desk.at(DUE) == ["expiry-1"]


async def test_a_former_owners_tap_changes_nothing(desk: Desk) -> None:
    await desk.add(sim("s1"))
    before = await desk.sim()
    await desk.change(owner_id=BOB)
    await desk.reminding.stop(before)
    assert not (await desk.sim()).reminders_stopped


# ---- several at once -----------------------------------------------------------------------


async def test_several_are_one_message_where_that_is_wanted(desk: Desk) -> None:
    await desk.add(sim("s1"), sim("s2"), sim("s3", BOB))
    assert sorted(await desk.at(DUE)) == ["digest", "expiry-1"]
    await desk.prefer(digest=False)
    assert sorted(await desk.at(days(9.999))) == ["expiry-0"] * 3


async def test_more_than_a_batch_is_told_in_one_tick(desk: Desk) -> None:
    await desk.prefer(digest=False)
    await desk.add(*(sim(f"s{n}") for n in range(130)))
    assert len(await desk.at(DUE)) == 130


async def test_what_is_due_later_that_day_comes_along(desk: Desk) -> None:
    later = sim("s2", own=OwnReminders(hour=18))
    await desk.add(sim("s1"), later, sim("s3", own=OwnReminders(hour=18, alone=True)))
    morning = days(3) - timedelta(hours=3)  # 09:00 of the day seven days before
    async with desk.database.read() as tx:
        planned = await plan_for(tx, await desk.sim("s2"), NOW)
    assert planned is not None
    assert planned.at == morning
    assert await desk.at(morning) == ["digest"]
    assert await desk.at(morning + timedelta(hours=9)) == ["expiry-7"], "which goes alone"


async def test_a_digest_tells_and_settles_also_what_else_is_due(desk: Desk) -> None:
    low = fresh(expiry=days(10), data_total=100, data_used=95, taken_at=DUE)
    await desk.add(managed("s1", ALICE, expiry=days(10), reading=low), sim("s2"))
    desk.clock.at = DUE
    [notice] = await desk.tick()
    item = next(one for one in notice.data["items"] if one["sim_id"] == "s1")
    assert (item["stage"], item["also"]) == ("expiry-1", "data-10")


async def test_wishes_for_one_sim_hold_for_it_alone(desk: Desk) -> None:
    await desk.add(sim("s1"), sim("s2", BOB))
    await desk.reminding.set_own(await desk.sim("s1"), OwnReminders(offsets=(5,)))
    assert (await desk.sim("s1")).next_reminder_at == days(5) - timedelta(hours=3)
    assert (await desk.sim("s2")).next_reminder_at == days(3) - timedelta(hours=3)
    await desk.reminding.set_own(await desk.sim("s1"), None)
    assert (await desk.sim("s1")).next_reminder_at == days(3) - timedelta(hours=3)


async def test_a_correction_while_reminding_repeats_nothing(desk: Desk) -> None:
    await desk.add(managed("s1", ALICE, expiry=days(10), grace_end=None))
    assert await desk.at(days(7)) == ["expiry-3"]
    desk.supplier.shown["s1"] = fresh(expiry=days(12))
    assert await desk.at(days(9)) == [], "three days were told already"
    assert await desk.live(days(11.9)) == ["expiry-1", "expiry-0"]


# ---- between the ledger and the send -------------------------------------------------------


async def waiting(desk: Desk) -> Notice:
    """The reminder of DUE, not sent yet."""
    await desk.add(sim("s1"))
    desk.clock.at = DUE
    [notice] = await desk.tick()
    return notice


async def test_a_reminder_that_is_still_true_is_sent_after_a_restart(desk: Desk) -> None:
    notice = await waiting(desk)
    assert await desk.renderer.render(notice) is not None


async def test_a_renewal_in_between_drops_it_and_the_next_cycle_works(desk: Desk) -> None:
    notice = await waiting(desk)
    await desk.change(expiry=days(40), grace_end=days(130))
    assert await desk.renderer.render(notice) is None
    assert await desk.live(days(39.5)) == ["expiry-7", "expiry-3", "expiry-1"]


async def test_a_payment_in_between_drops_it(desk: Desk) -> None:
    notice = await waiting(desk)
    await running(desk)
    assert await desk.renderer.render(notice) is None


@pytest.mark.parametrize(
    "changes",
    [{"owner_id": BOB}, {"owner_id": None}, {"removed_at": DUE}, {"reminders_stopped": True}],
)
async def test_what_is_not_theirs_any_more_or_unwanted_is_not_told(
    desk: Desk, changes: dict[str, Any]
) -> None:
    notice = await waiting(desk)
    await desk.change(**changes)
    assert await desk.renderer.render(notice) is None


async def test_it_expires_with_what_it_says(desk: Desk) -> None:
    notice = await waiting(desk)
    assert notice.expires_at == days(10)
    desk.clock.at = days(10)
    assert await desk.renderer.render(notice) is None


async def test_a_digest_names_only_what_is_still_true(desk: Desk) -> None:
    await desk.add(sim("s1", nickname="First"), sim("s2", nickname="Second"))
    desk.clock.at = DUE
    [notice] = await desk.tick()
    await desk.change(expiry=days(40))
    rendered = await desk.renderer.render(notice)
    assert rendered is not None
    assert "Second" in rendered.screen.text
    assert "First" not in rendered.screen.text
    desk.clock.at = days(11)
    assert await desk.renderer.render(notice) is None


# ---- cost ----------------------------------------------------------------------------------


def listen(desk: Desk) -> list[tuple[str, Any]]:
    """The statements from here on, with what they ask for."""
    found: list[tuple[str, Any]] = []
    for engine in (desk.database._reader, desk.database._writer):
        event.listen(
            engine.sync_engine, "before_cursor_execute",
            lambda conn, cursor, statement, given, *rest: found.append((statement, given)),
        )  # fmt: skip
    return found


async def test_a_tick_with_nothing_due_is_one_question(desk: Desk) -> None:
    await desk.add(*(sim(f"s{n}") for n in range(20)))
    statements = listen(desk)
    await desk.reminding.worker.run()
    assert len([one for one, _ in statements if one.startswith("SELECT")]) == 1
    assert not [one for one, _ in statements if "IMMEDIATE" in one]


async def test_a_tick_asks_for_all_at_once_and_reads_no_whole_table(desk: Desk) -> None:
    await desk.add(managed("m1", ALICE, expiry=days(10), grace_end=None), sim("s1"))
    desk.clock.at = DUE
    statements = listen(desk)
    await desk.reminding.worker.run()
    few = len(statements)
    looks = [one for one in statements if one[0].startswith(("SELECT", "UPDATE"))]
    assert len(looks) > 8
    for statement, given in looks:
        async with desk.database._reader.connect() as conn:
            one = given[0] if isinstance(given, list) else given
            plan = await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)
            assert not [told for *_, told in plan if told.startswith("SCAN")], statement
    await desk.add(*(sim(f"b{n}", BOB) for n in range(20)))
    statements.clear()
    await desk.reminding.worker.run()
    assert len(statements) <= few
    assert len(await desk.tick()) == 2
