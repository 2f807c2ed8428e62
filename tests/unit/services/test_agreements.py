"""What was agreed to is what happens: price, cap, stop, first payments, ends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.domain.renewals import Agreement, AgreementState, RunState, Step
from bot.domain.sales import Method
from bot.ports import Bill, Kept
from bot.services.renewals import Renewals
from bot.services.selling import Refused
from tests.unit.services.renewal_house import (
    CAP,
    CHARGED_AT,
    DECLINED,
    PRICE,
    STARS,
    RenewalShop,
    away,
    renewal_house,
)
from tests.unit.services.sale_house import S, charged
from tests.unit.store.samples import ALICE, BOB, PLAN, days

A, R = AgreementState, RunState
PERIOD = days(10)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[RenewalShop]:
    async with renewal_house(tmp_path) as shop:
        yield shop


async def orders_of(shop: RenewalShop) -> list[OrderState]:
    async with shop.database.read() as tx:
        return [order.state for order in await tx.orders.of_chat(ALICE, 50)][::-1]


async def test_the_terms_are_stored_with_their_version_and_time(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    kept = await shop.agreement(agreement.id)
    assert (kept.terms, kept.accepted_at, kept.price, kept.cap) == (
        "2026-11", shop.clock.at, PRICE, CAP,
    )  # fmt: skip


async def test_a_new_price_waits_for_the_customers_word(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    await shop.until(days(5))
    dearer = Money(1300, "USD")
    await shop.change_plan(price=dearer)
    await shop.until(days(7.1))
    paused = await shop.agreement(agreement.id)
    assert (paused.state, paused.reason, paused.asked) == (A.PAUSED, "price_moved", dearer)
    assert await shop.heard() == ["notice", "paused"]
    assert shop.bank.charges == {}
    await shop.agreeing.confirm(agreement.id, ALICE, paused.version)
    await shop.until(days(8))
    assert shop.bank.charges == {}  # a day after the word, not sooner
    await shop.until(days(9))
    assert [charge.amount for charge in shop.bank.charges.values()] == [dearer]


async def test_a_price_is_confirmed_by_its_owner_and_once(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    await shop.change_plan(price=Money(9900, "USD"))
    await shop.until(days(4.5))
    paused = await shop.agreement(agreement.id)
    for who, version, why in [
        (BOB, paused.version, "unknown"),
        (ALICE, paused.version - 1, "unknown"),
        (ALICE, paused.version, "cap_low"),
    ]:
        with pytest.raises(Refused, match=why):
            await shop.agreeing.confirm(agreement.id, who, version)


async def test_the_cap_is_never_passed(shop: RenewalShop) -> None:
    agreement = await shop.agree(cap=Money(2000, "USD"))
    await shop.until(days(9))
    assert len(shop.bank.charges) == 1
    async with shop.database.write() as tx:  # its dates were corrected: it ends much earlier
        sim = await tx.sims.get("m1")
        assert sim is not None
        await tx.sims.update("m1", sim.version, expiry=days(20))
    await shop.until(days(19))
    assert len(shop.bank.charges) == 1
    assert (await shop.agreement(agreement.id)).reason == "cap"
    assert (await shop.heard())[-1] == "paused"


async def test_nothing_is_charged_after_stop(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    await shop.until(days(6.9))
    await shop.agreeing.cancel(agreement.id, ALICE)
    await shop.until(days(12))
    assert shop.bank.asked == []
    assert (await shop.run_of(PERIOD)).state is R.SKIPPED
    with pytest.raises(Refused, match="unknown"):
        await shop.agreeing.cancel(agreement.id, BOB)


async def test_stopping_while_nobody_answers_still_finds_what_was_taken(
    shop: RenewalShop,
) -> None:
    agreement = await shop.agree()
    shop.bank.says = [away()]
    shop.bank.takes_anyway = True
    await shop.until(days(6.99))
    shop.clock.at = CHARGED_AT
    await shop.renew()
    await shop.agreeing.cancel(agreement.id, ALICE)
    await shop.until(days(8))
    assert (await shop.run_of(PERIOD)).state is R.PAID
    assert await orders_of(shop) == [S.FULFILLED]
    assert len(shop.bank.asked) == 1


async def test_another_agreement_takes_over_the_period(shop: RenewalShop) -> None:
    old = await shop.agree()
    await shop.until(days(5))
    new = await shop.agree(Method.WALLET)
    await shop.fill(2000)
    assert (await shop.agreement(old.id)).state is A.CANCELLED
    await shop.until(days(9))
    run = await shop.run_of(PERIOD)
    assert (run.state, run.agreement_id) == (R.PAID, new.id)
    assert shop.bank.asked == []
    assert await shop.heard() == ["notice", "notice"]


async def test_a_card_that_was_removed_pauses_it(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    async with shop.database.write() as tx:
        await tx.saved.remove(agreement.saved_id or "", shop.clock.at)
    await shop.until(days(8))
    assert (await shop.agreement(agreement.id)).reason == "saved_gone"
    assert shop.bank.asked == []


async def test_a_card_is_kept_by_the_payment_that_begins_it(shop: RenewalShop) -> None:
    agreement = await shop.agree(saved_id=None)
    assert (await shop.agreement(agreement.id)).state is A.WAITING
    placed = await shop.place()
    await shop.agreeing.begins_with(agreement.id, placed.id)
    payment = await shop.paying.pay(placed.id, ALICE, Method.CARD, Bill("a", "b", "c", keep=True))
    kept = replace(charged(payment.id, "ch1", PRICE), kept=Kept("tok", "Visa ·4242"))
    await shop.till.capture(payment.id, kept)
    begun = await shop.agreement(agreement.id)
    assert begun.state is A.ACTIVE
    assert begun.saved_id is not None
    await shop.until(days(39))
    assert len(shop.bank.asked) == 1


async def test_one_whose_first_payment_never_comes_is_forgotten(shop: RenewalShop) -> None:
    agreement = await shop.agree(saved_id=None)
    await shop.until(days(2))
    assert (await shop.agreement(agreement.id)).state is A.ENDED
    assert await shop.heard() == []


async def test_a_dispute_ends_it(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    await shop.until(days(8))
    [charge] = shop.bank.charges.values()
    await shop.till.capture(charge.reference, replace(charge, disputed=True))
    ended = await shop.agreement(agreement.id)
    assert (ended.state, ended.reason) == (A.ENDED, "disputed")
    assert (await shop.heard())[-1] == "ended"


async def test_a_sim_that_went_to_somebody_else_ends_it(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    async with shop.database.write() as tx:
        sim = await tx.sims.get("m1")
        assert sim is not None
        await tx.sims.update("m1", sim.version, owner_id=BOB)
    await shop.until(days(9))
    assert (await shop.agreement(agreement.id)).reason == "sim_gone"
    assert shop.bank.asked == []


async def test_a_supplier_that_is_away_puts_it_off(shop: RenewalShop) -> None:
    await shop.agree()
    await shop.until(days(6.9))
    shop.seller.reads_down = True
    await shop.until(days(7.5))
    assert shop.bank.asked == []
    shop.seller.reads_down = False
    await shop.until(days(8))
    assert len(shop.bank.charges) == 1


async def test_a_fixed_cycle_goes_on(shop: RenewalShop) -> None:
    await shop.agree(every=8, cap=Money(5000, "USD"))
    await shop.until(days(17))
    assert len(shop.bank.charges) == 2
    assert {charge.at for charge in shop.bank.charges.values()} == {days(8), days(16)}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"cap": Money(1000, "USD")}, "cap_low"),
        ({"cap": Money(9000, "EUR")}, "cap_low"),
        ({"plan_code": "nothing"}, "plan_inactive"),
        ({"saved_id": "of-somebody-else"}, "method_off"),
        ({"method": Method.PAYPAL, "saved_id": None}, "method_off"),
        ({"method": Method.STARS, "saved_id": None, "every": 30}, "method_off"),
    ],
)
async def test_what_can_not_be_kept_is_not_agreed_to(
    shop: RenewalShop, changes: dict[str, object], why: str
) -> None:
    method = changes.pop("method", Method.CARD)
    assert isinstance(method, Method)
    with pytest.raises(Refused, match=why):
        await shop.agree(method, **changes)


async def test_somebody_elses_sim_is_not_agreed_for(shop: RenewalShop) -> None:
    async with shop.database.write() as tx:
        sim = await tx.sims.get("m1")
        assert sim is not None
        await tx.sims.update("m1", sim.version, owner_id=BOB)
    with pytest.raises(Refused, match="not_yours_sim"):
        await shop.agree()


async def test_the_ways_are_those_that_can(shop: RenewalShop) -> None:
    saved = await shop.keep_card()
    ways = await shop.agreeing.ways(ALICE, PLAN, None)
    assert (ways.wallet, ways.saved, ways.new_card, ways.stars) == (True, (saved,), True, STARS)
    short = replace(PLAN, days=60)
    assert (await shop.agreeing.ways(ALICE, short, None)).stars is None


async def test_the_next_charge_is_told_truly(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    assert await shop.agreeing.outlook(agreement) == CHARGED_AT
    shop.bank.says = [DECLINED]
    await shop.until(days(7.5))
    found = await shop.agreeing.of_sim("m1", ALICE)
    assert found is not None
    assert await shop.agreeing.outlook(found) == days(8)
    assert await shop.agreeing.of_sim("m1", BOB) is None


class Interrupted(Renewals):
    """A worker during whose step something else happens."""

    meanwhile: Callable[[], Awaitable[object]]

    async def _step(self, agreement: Agreement) -> Step | timedelta | None:
        found = await super()._step(agreement)
        await self.meanwhile()
        return found


async def test_what_is_stopped_during_a_look_is_not_forgotten(shop: RenewalShop) -> None:
    agreement, _ = await shop.subscribe()
    methods = {Method.STARS: shop.cashier, Method.CARD: shop.card}
    worker = Interrupted(
        shop.database, shop.clock, shop.carriers, methods, shop.selling, shop.checkout, shop.till
    )
    worker.meanwhile = lambda: shop.agreeing.cancel(agreement.id, ALICE)
    await worker._look(agreement.id)
    await shop.renew()
    assert shop.telegram.stopped == ["sub-1"]
