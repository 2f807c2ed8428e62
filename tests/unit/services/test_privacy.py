"""A copy once an hour; forgetting when nothing is under way, and what comes in afterwards."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.chats import forgotten
from bot.domain.ledger import Deposit, wallet
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState
from bot.domain.renewals import TERMS, Agreement, AgreementState
from bot.domain.sales import Method, Payment
from bot.services.privacy import Privacy, PrivacyRefused
from tests.unit.services.house import OPERATOR
from tests.unit.services.sale_house import STARS, S, Shop, charged, sale_house
from tests.unit.store.samples import ALICE, NOW, days

TEN = Money(1000, "USD")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        await found.stock()
        yield found


def desk(shop: Shop) -> Privacy:
    return Privacy(shop.database, shop.clock, (OPERATOR,))


async def refusal(shop: Shop, chat_id: int = ALICE) -> PrivacyRefused:
    """Why the chat is not forgotten, whichever way it is asked."""
    with pytest.raises(PrivacyRefused) as asked:
        await desk(shop).forget(chat_id, 1)
    return asked.value


async def test_a_copy_is_given_once_an_hour(shop: Shop) -> None:
    assert set(await desk(shop).copy(ALICE)) >= {"chats", "sims"}
    assert await desk(shop).copy(ALICE)  # one that did not arrive does not count
    await desk(shop).copied(ALICE)
    with pytest.raises(PrivacyRefused) as why:
        await desk(shop).copy(ALICE)
    assert (why.value.reason, why.value.until) == (
        "too_soon", shop.clock.now() + timedelta(hours=1)
    )  # fmt: skip
    shop.clock.at += timedelta(hours=1)
    assert await desk(shop).copy(ALICE)


async def test_an_order_under_way_holds_its_customer(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    for state in (S.AWAITING_PAYMENT, S.PAID):
        assert (await shop.order(placed.id)).state is state
        why = await refusal(shop)
        assert (why.reason, why.order_id) == ("order", placed.id)
        if state is S.AWAITING_PAYMENT:
            await shop.pay(payment)
    await shop.work_for(hours=1)
    assert (await shop.order(placed.id)).state is S.FULFILLED
    await desk(shop).forget(ALICE, 1)
    assert forgotten((await shop.order(placed.id)).chat_id)
    async with shop.database.read() as tx:
        stock = await tx.sims.get("m1")
        assert stock is not None
        assert (stock.owner_id, stock.next_reminder_at) == (None, None)


async def test_who_runs_the_shop_is_not_forgotten(shop: Shop) -> None:
    assert (await refusal(shop, OPERATOR)).reason == "operator"


async def test_renewals_are_stopped_and_telegram_hears_of_it_first(shop: Shop) -> None:
    agreed = Agreement(
        "a1", 1, AgreementState.ACTIVE, "m1", ALICE, "boom-30d-5gb", Method.STARS, TEN, TEN,
        TERMS, NOW, subscription="stars-charge", next_at=days(3),
    )  # fmt: skip
    async with shop.database.write() as tx:
        await tx.renewals.add(agreed)
    assert (await refusal(shop)).reason == "subscription"
    async with shop.database.write() as tx:
        stopped = await tx.renewals.get("a1")
        assert stopped is not None
        assert (stopped.state, stopped.unsubscribe) == (AgreementState.CANCELLED, True)
        assert [one.id for one in await tx.renewals.due(shop.clock.now(), 9)] == ["a1"]
        await tx.renewals.set("a1", unsubscribe=False)  # as the renewals' job does
    await desk(shop).forget(ALICE, 2)
    async with shop.database.read() as tx:
        stopped = await tx.renewals.get("a1")
    assert stopped is not None
    assert (forgotten(stopped.chat_id), stopped.subscription) == (True, None)


async def test_late_money_of_somebody_forgotten_goes_back(shop: Shop) -> None:
    placed, payment = await shop.invoice()
    await shop.paying.cancel(placed.id, ALICE)
    await desk(shop).forget(ALICE, 1)
    await shop.pay(payment)
    assert (await shop.order(placed.id)).state is OrderState.REFUND_DUE
    await shop.refund()
    assert (await shop.order(placed.id)).state is OrderState.REFUNDED
    [paid] = await shop.payments(placed.id)
    assert (paid.state, paid.payer_id) == (PaymentState.REFUNDED, ALICE)


async def test_late_money_for_a_forgotten_wallet_waits_for_a_person(shop: Shop) -> None:
    deposit = Deposit("d1", ALICE, TEN, (), NOW, days(1), ended_at=NOW)
    late = Payment("pd1", None, ALICE, Method.STARS, PaymentState.EXPIRED, STARS, NOW,
                   deposit_id="d1")  # fmt: skip
    async with shop.database.write() as tx:
        await tx.deposits.add(deposit)
        await tx.payments.add(late)
    await desk(shop).forget(ALICE, 1)
    await shop.till.capture("pd1", charged("pd1"))
    async with shop.database.read() as tx:
        kept = await tx.payments.get("pd1")
        assert kept is not None
        assert await tx.ledger.balances(wallet(kept.chat_id)) == []
        [refund] = await tx.refunds.of_payment("pd1")
    assert (refund.state, refund.amount) == (RefundState.BY_HAND, STARS)
    assert [item.subject for item in await shop.desk.queue()] == [f"refund:{refund.id}"]
