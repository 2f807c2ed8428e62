"""Whose a SIM is and what is known of it: Alice, Bob, and Charlie who has no business here."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.domain.codes import digest
from bot.domain.identify import Identified, Kind
from bot.domain.sims import KeepRule, Sim, SimForm, Source, Tracking
from bot.services.ownership import LOCKED_FOR, WRONG_CODES, SimRefused
from bot.services.sims import FRESH, MatchKind, Sims
from bot.store import Database
from tests.unit.services.house import (
    OPERATOR,
    PEPPER,
    SECOND,
    HandClock,
    Supplier,
    fresh,
    opened,
    queued,
)
from tests.unit.store.samples import ALICE, BOB, NOW, days, managed, order, quote, sim

ICCID = "89852022000000000015"
CODE, OTHER = "XKA7-7F3K-2M9P-Q4TD", "XKA7-0000-0000-0000"


@dataclass
class House:
    """What a test needs."""

    store: Database
    clock: HandClock
    supplier: Supplier
    sims: Sims

    async def stock(self, sim_id: str = "m1", code: str | None = CODE, **changes: Any) -> Sim:
        """A managed SIM in stock, with a claim code for thirty days."""
        facts: dict[str, Any] = {"iccid": ICCID, "expiry": None, "grace_end": None}
        new = managed(sim_id, **(facts | changes))
        self.supplier.shown[sim_id] = fresh()
        async with self.store.write() as tx:
            assert await tx.sims.add(new)
            if code is not None:
                await tx.claims.add_code(digest(code, PEPPER.encode()), sim_id, days(30))
        return new

    async def track(self, chat_id: int = ALICE, **changes: Any) -> Sim:
        """A self-tracked Smart card, ten days before its expiry."""
        facts: dict[str, Any] = {
            "identified": Identified(Kind.NUMBER, "+639181234567"),
            "carrier": "Smart",
            "country": "PH",
            "form": SimForm.CARD,
            "expiry": days(10),
            "rule": KeepRule(365, 120),
        }
        return await self.sims.add_self(chat_id, **(facts | changes))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    supplier = Supplier(clock)
    async with opened(tmp_path) as store:
        carriers = {supplier.name: supplier}
        yield House(
            store, clock, supplier, Sims(store, clock, carriers, PEPPER, (OPERATOR, SECOND))
        )


def iccid(value: str = ICCID) -> Identified:
    return Identified(Kind.ICCID, value)


# ---- proving -------------------------------------------------------------------------------


async def test_a_claim_code_gives_the_sim_once(house: House) -> None:
    await house.stock()
    mine = await house.sims.claim(ALICE, "m1", CODE.lower().replace("-", " "))
    assert mine.owner_id == ALICE
    assert mine.expiry == fresh().expiry
    assert mine.dates_source is Source.SUPPLIER
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.sims.claim(BOB, "m1", CODE)
    assert await house.sims.get("m1", BOB) is None


async def test_a_replayed_claim_finds_its_own_sim(house: House) -> None:
    await house.stock()
    for _ in range(WRONG_CODES + 2):
        assert (await house.sims.claim(ALICE, "m1", CODE)).owner_id == ALICE
        assert (await house.sims.claim_by_code(ALICE, CODE)).id == "m1"


async def test_a_code_alone_finds_its_sim(house: House) -> None:
    await house.stock()
    assert (await house.sims.claim_by_code(ALICE, CODE)).id == "m1"
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.sims.claim_by_code(BOB, CODE)


async def test_a_lapsed_code_opens_nothing(house: House) -> None:
    await house.stock()
    house.clock.at = days(30)
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.sims.claim(ALICE, "m1", CODE)


async def test_five_wrong_codes_lock_one_chat_for_an_hour(house: House) -> None:
    await house.stock()
    for _ in range(WRONG_CODES - 1):
        with pytest.raises(SimRefused, match="code_wrong"):
            await house.sims.claim(ALICE, "m1", OTHER)
    with pytest.raises(SimRefused) as locked:
        await house.sims.claim_by_code(ALICE, OTHER)
    assert (locked.value.reason, locked.value.until) == ("locked", NOW + LOCKED_FOR)
    with pytest.raises(SimRefused, match="locked"):
        await house.sims.claim(ALICE, "m1", CODE)
    house.clock.advance(hours=1)
    assert (await house.sims.claim(ALICE, "m1", CODE)).owner_id == ALICE


async def test_a_lock_is_nobody_elses(house: House) -> None:
    await house.stock()
    for _ in range(WRONG_CODES):
        with pytest.raises(SimRefused):
            await house.sims.claim(ALICE, "m1", OTHER)
    assert (await house.sims.claim(BOB, "m1", CODE)).owner_id == BOB


async def test_a_right_code_forgets_the_wrong_ones(house: House) -> None:
    await house.stock()
    await house.stock("m2", OTHER, iccid="89852022000000000023")
    for _ in range(WRONG_CODES - 1):
        with pytest.raises(SimRefused):
            await house.sims.claim(ALICE, "m1", "0000")
    await house.sims.claim(ALICE, "m1", CODE)
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.sims.claim(ALICE, "m2", "0000")


async def test_the_code_of_another_sim_is_wrong(house: House) -> None:
    await house.stock()
    await house.stock("m2", OTHER, iccid="89852022000000000023")
    with pytest.raises(SimRefused, match="code_wrong"):
        await house.sims.claim(ALICE, "m1", OTHER)


async def test_claiming_takes_over_the_name_of_the_self_tracked_record(house: House) -> None:
    await house.stock()
    before = await house.track(identified=iccid(ICCID[:-1]), nickname="Japan")
    mine = await house.sims.claim(ALICE, "m1", CODE)
    assert mine.nickname == "Japan"
    assert [known.id for known in await house.sims.overview(ALICE)] == ["m1"]
    assert await house.sims.get(before.id, ALICE) is None


async def test_no_reminder_follows_a_claim_on_the_heels(house: House) -> None:
    await house.stock()
    house.supplier.shown["m1"] = fresh(expiry=days(2), data_used=1 << 33)
    mine = await house.sims.claim(ALICE, "m1", CODE)
    async with house.store.read() as tx:
        stored = await tx.sims.get(mine.id)
    assert stored is not None
    assert stored.next_reminder_at is not None
    assert stored.next_reminder_at > NOW


async def test_a_silent_supplier_does_not_stop_a_claim(house: House) -> None:
    await house.stock()
    del house.supplier.shown["m1"]
    assert (await house.sims.claim(ALICE, "m1", CODE)).owner_id == ALICE


async def test_the_operators_are_asked_once(house: House) -> None:
    await house.stock()
    assert await house.sims.ask_operator(ALICE, "m1")
    assert not await house.sims.ask_operator(ALICE, "m1")
    notes = await queued(house.store, "queue")
    assert sorted(chat_id for chat_id, _ in notes) == [OPERATOR, SECOND]
    assert str(notes[0][1]["subject"]).startswith("claim:")


async def test_nobody_is_asked_for_a_sim_that_is_not_managed(house: House) -> None:
    theirs = await house.track(BOB)
    for sim_id in (theirs.id, "none"):
        with pytest.raises(SimRefused, match="not_yours"):
            await house.sims.ask_operator(ALICE, sim_id)


# ---- matching ------------------------------------------------------------------------------


async def test_another_customers_sim_looks_like_one_in_stock(house: House) -> None:
    await house.stock()
    before = await house.sims.match(iccid(), ALICE)
    await house.sims.claim(BOB, "m1", CODE)
    assert await house.sims.match(iccid(), ALICE) == before
    assert before.kind is MatchKind.CLAIM
    assert (await house.sims.match(iccid(), BOB)).kind is MatchKind.MINE


@pytest.mark.parametrize("typed", [ICCID, ICCID[:-1]])
async def test_an_iccid_matches_without_its_check_digit(house: House, typed: str) -> None:
    await house.stock()
    assert (await house.sims.match(iccid(typed), ALICE)).sim_id == "m1"
    mine = await house.track(BOB, identified=iccid())
    assert (await house.sims.match(iccid(typed), BOB)).sim_id == mine.id


async def test_an_unknown_sim_and_a_strangers_self_tracked_one_look_the_same(house: House) -> None:
    await house.track(BOB)
    unknown = await house.sims.match(Identified(Kind.NUMBER, "+639189999999"), ALICE)
    theirs = await house.sims.match(Identified(Kind.NUMBER, "+639181234567"), ALICE)
    assert unknown == theirs
    assert unknown.kind is MatchKind.UNKNOWN


async def test_an_activation_code_finds_ones_own_sim(house: House) -> None:
    lpa = Identified(Kind.ACTIVATION, "LPA:1$rsp.example.com$ABC-123")
    assert (await house.sims.match(lpa, ALICE)).kind is MatchKind.UNKNOWN
    mine = await house.track(identified=lpa, form=SimForm.ESIM)
    assert await house.track(identified=lpa, form=SimForm.ESIM) == mine
    assert (await house.sims.match(lpa, ALICE)).sim_id == mine.id


# ---- self-tracked --------------------------------------------------------------------------


async def test_a_sim_added_twice_is_there_once(house: House) -> None:
    first = await house.track(nickname="  Mum's   card ")
    assert first.nickname == "Mum's card"
    assert first.tracking is Tracking.SELF
    assert first.grace_end == days(130)
    assert (await house.track()).id == first.id
    assert len(await house.sims.overview(ALICE)) == 1
    assert (await house.track(BOB)).id != first.id


async def test_a_removed_sim_can_be_added_again(house: House) -> None:
    first = await house.track()
    await house.sims.remove(first)
    assert await house.sims.overview(ALICE) == []
    again = await house.track()
    assert again.id != first.id
    with pytest.raises(SimRefused, match="not_yours"):
        await house.sims.rename(first, "late tap")


async def test_a_removed_managed_sim_goes_back_to_stock_without_its_name(house: House) -> None:
    await house.stock()
    mine = await house.sims.rename(await house.sims.claim(ALICE, "m1", CODE), "Japan")
    await house.sims.remove(mine)
    assert await house.sims.get("m1", ALICE) is None
    async with house.store.write() as tx:
        await tx.claims.add_code(digest(OTHER, PEPPER.encode()), "m1", days(30))
    theirs = await house.sims.claim(BOB, "m1", OTHER)
    assert theirs.nickname is None
    assert theirs.reminders_stopped is False


async def test_a_sim_is_not_removed_while_its_order_runs(house: House) -> None:
    mine = await house.track()
    async with house.store.write() as tx:
        await tx.quotes.add(quote(sim_id=mine.id), None)
        await tx.orders.add(order(sim_id=mine.id, state=order().state.PAID))
    with pytest.raises(SimRefused, match="running"):
        await house.sims.remove(mine)


async def test_removing_ends_the_reminders(house: House) -> None:
    mine = await house.track()
    async with house.store.read() as tx:
        assert await tx.sims.next_due() is not None
    await house.sims.remove(mine)
    async with house.store.read() as tx:
        assert await tx.sims.next_due() is None


async def test_a_name_has_an_end(house: House) -> None:
    mine = await house.track()
    with pytest.raises(SimRefused, match="nickname_long"):
        await house.sims.rename(mine, "x" * 41)
    assert (await house.sims.rename(mine, "出差用")).nickname == "出差用"
    assert (await house.sims.rename(mine, "  ")).nickname is None


async def test_new_dates_settle_what_has_passed(house: House) -> None:
    mine = await house.track()
    async with house.store.write() as tx:
        await tx.sims.update(mine.id, mine.version, snoozed_until=days(5))
    changed = await house.sims.set_dates(mine, days(2), rule=KeepRule(30, 7))
    assert (changed.expiry, changed.grace_end) == (days(2), days(9))
    assert changed.dates_source is Source.CUSTOMER
    assert changed.snoozed_until is None
    assert changed.next_reminder_at is not None
    assert changed.next_reminder_at > NOW


async def test_a_supplier_knows_the_dates_better(house: House) -> None:
    await house.stock()
    mine = await house.sims.claim(ALICE, "m1", CODE)
    with pytest.raises(SimRefused, match="supplier_tells"):
        await house.sims.set_dates(mine, days(300))


async def test_the_overview_begins_with_the_most_urgent(house: House) -> None:
    async with house.store.write() as tx:
        await tx.sims.add(sim("far", expiry=days(100)))
        await tx.sims.add(sim("undated", expiry=None, grace_end=None))
        await tx.sims.add(sim("lost", expiry=days(-100), grace_end=days(-10)))
        await tx.sims.add(sim("near", expiry=days(1)))
        await tx.sims.add(sim("grace", expiry=days(-1)))
        await tx.sims.add(sim("bob", BOB))
    order_of = [known.id for known in await house.sims.overview(ALICE)]
    assert order_of == ["grace", "near", "far", "undated", "lost"]


# ---- reading -------------------------------------------------------------------------------


async def test_a_young_reading_is_not_asked_for_again(house: House) -> None:
    await house.stock()
    mine = await house.sims.claim(ALICE, "m1", CODE)
    assert len(house.supplier.asked) == 1
    mine = await house.sims.refresh(mine)
    assert len(house.supplier.asked) == 1
    mine = await house.sims.refresh(mine, force=True)
    assert len(house.supplier.asked) == 2
    house.clock.advance(seconds=FRESH.total_seconds())
    await house.sims.refresh(mine)
    assert len(house.supplier.asked) == 3


async def test_a_failed_reading_leaves_the_last_one_with_its_age(house: House) -> None:
    await house.stock()
    mine = await house.sims.claim(ALICE, "m1", CODE)
    house.clock.advance(hours=2)
    house.supplier.shown.clear()
    again = await house.sims.refresh(mine)
    assert again.reading is not None
    assert again.reading.taken_at == NOW


async def test_a_self_tracked_sim_asks_nobody(house: House) -> None:
    mine = await house.track()
    assert await house.sims.refresh(mine, force=True) == mine
    assert house.supplier.asked == []
