"""Webhooks: what they make due, and what no webhook can do."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from bot.domain.orders import OrderState, TopUpState
from bot.ports import Call, Capabilities, Hint, WebhookRefused
from bot.services.hints import Hints
from bot.store import Database
from tests.unit.services.house import HandClock, Supplier, opened
from tests.unit.store.samples import ALICE, days, managed, minutes, order, quote, topup

S, T = OrderState, TopUpState
CALLS = Capabilities(
    reads=True, finds=True, unique_refs=False, after_expiry=True, webhooks=True, reverses=True
)


@dataclass
class Caller(Supplier):
    """A supplier whose webhooks say what the test put there."""

    hints: list[Hint] = field(default_factory=list)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        if headers.get("signature") != "right":
            raise WebhookRefused("wrong signature")
        return self.hints


@dataclass
class House:
    """What a test needs."""

    store: Database
    clock: HandClock
    caller: Caller
    hints: Hints

    async def call(self, *hints: Hint) -> None:
        self.caller.hints = list(hints)
        await self.hints.accept("esim_access", Call(b"{}", {"signature": "right"}))

    async def due(
        self, state: TopUpState, *, tries: int = 2, **changes: object
    ) -> tuple[object, int]:
        """A top-up in that state, hinted at twice: when its next step is due, and its tries."""
        later = minutes(300)
        async with self.store.write() as tx:
            await tx.quotes.add(quote(sim_id="m1"), None)
            await tx.orders.add(order(sim_id="m1", state=S.TOPPING_UP))
            made = topup(sim_id="m1", state=state, tries=tries, next_at=later)
            await tx.topups.add(replace(made, **changes))  # type: ignore[arg-type]
        await self.call(Hint("e1", ref="t1"), Hint("e2", ref="t1"))
        await self.hints.worker.run()
        async with self.store.read() as tx:
            found = await tx.topups.get("t1")
        assert found is not None
        return found.next_at, found.tries

    async def next_read(self) -> datetime | None:
        async with self.store.read() as tx:
            return await tx.sims.next_to_read()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    caller = Caller(clock, capabilities=CALLS)
    async with opened(tmp_path) as store:
        async with store.write() as tx:
            await tx.sims.add(managed("m1", ALICE, iccid="89852022000000000015", supplier_ref="tr"))
            await tx.sims.set_next_read("m1", days(1), 3)
            await tx.sims.add(managed("free", iccid="89852022000000000023", supplier_ref="tr2"))
        yield House(store, clock, caller, Hints(store, clock, {caller.name: caller}, {}))


@pytest.mark.parametrize(
    "hint", [Hint("e", supplier_ref="tr"), Hint("e", iccid="89852022000000000015")]
)
async def test_a_hint_about_a_sim_makes_its_reading_due(house: House, hint: Hint) -> None:
    await house.call(hint)
    assert await house.next_read() == days(1), "it is only kept while the supplier waits"
    await house.hints.worker.run()
    assert await house.next_read() == house.clock.now()
    assert await house.hints.next_due() is None


async def test_a_replay_changes_nothing(house: House) -> None:
    hint = Hint("e", supplier_ref="tr")
    await house.call(hint, hint)
    await house.hints.worker.run()
    async with house.store.write() as tx:
        await tx.sims.set_next_read("m1", days(1))
    await house.call(hint)
    await house.hints.worker.run()
    assert await house.next_read() == days(1)
    house.clock.advance(days=31)
    await house.hints.purge()
    await house.call(hint)
    assert await house.hints.next_due() is not None


async def test_a_check_of_our_health_leaves_nothing_behind(house: House) -> None:
    await house.call(Hint("health"))
    assert await house.hints.next_due() is None


async def test_what_is_refused_is_not_kept(house: House) -> None:
    house.caller.hints = [Hint("e", supplier_ref="tr")]
    with pytest.raises(WebhookRefused):
        await house.hints.accept("esim_access", Call(b"{}"))
    assert await house.hints.next_due() is None


async def test_unknown_sims_and_top_ups_and_free_sims_are_nothing(house: House) -> None:
    await house.call(
        Hint("1", supplier_ref="who"), Hint("2", ref="who"), Hint("3", supplier_ref="tr2"),
        Hint("4", iccid="891"),
    )  # fmt: skip
    await house.hints.worker.run()
    assert await house.next_read() == days(1)
    assert await house.hints.next_due() is None


@pytest.mark.parametrize("state", [T.UNKNOWN, T.PROCESSING, T.SUCCEEDED])
async def test_a_hint_makes_the_question_about_a_top_up_due(
    house: House, state: TopUpState
) -> None:
    assert await house.due(state) == (house.clock.now(), 1)


@pytest.mark.parametrize("state", [T.SAVED, T.SUBMITTING, T.RECONCILING, T.NEEDS_OPERATOR])
async def test_what_is_being_sent_or_decided_is_not_hurried(
    house: House, state: TopUpState
) -> None:
    assert await house.due(state) == (minutes(300), 2)


async def test_a_top_up_of_another_supplier_is_none_of_its_business(house: House) -> None:
    assert await house.due(T.PROCESSING, supplier="manual") == (minutes(300), 2)


async def test_a_delivered_top_up_is_asked_about_without_losing_a_turn(house: House) -> None:
    assert await house.due(T.VERIFIED, tries=0) == (house.clock.now(), -1)


async def test_a_late_reversal_is_seen_when_the_watch_is_over(house: House) -> None:
    assert await house.due(T.VERIFIED, tries=4, next_at=None) == (house.clock.now(), 3)
