"""Top-ups that a payer's bank disputes: held while it is open, freed when won, gone when lost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import ledger
from bot.domain.money import Money
from bot.domain.sales import Payment
from bot.services.selling import Refused
from bot.services.waiting import Action
from tests.unit.services.house import OPERATOR
from tests.unit.services.sale_house import P, Shop, charged
from tests.unit.services.test_wallet import balance, balanced, fill, moved, opened
from tests.unit.store.samples import ALICE


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async for found in opened(tmp_path):
        yield found


async def dispute(shop: Shop, payment: Payment, returned: int = 0) -> None:
    """The provider says so, twice."""
    said = replace(charged(payment.id, "d1", payment.amount), disputed=True, returned=returned)
    for _ in range(2):
        await shop.till.capture(payment.id, said)


async def decide(shop: Shop, action: Action, update_id: int = 60) -> None:
    """The operator has the provider's decision."""
    [item] = await shop.desk.queue()
    await shop.desk.act(item.subject, action, OPERATOR, update_id)


async def held(shop: Shop) -> tuple[Money, ...]:
    """What the wallet shows as held, which is what the books hold."""
    purse = await shop.deposits.purse(ALICE)
    async with shop.database.read() as tx:
        assert await tx.ledger.balance(ledger.DISPUTED, "USD") == Money(
            sum(one.minor for one in purse.held), "USD"
        )
    await balanced(shop)
    return purse.held


async def test_a_disputed_top_up_can_not_be_spent(shop: Shop) -> None:
    payment = await fill(shop, 2000)
    await dispute(shop, payment)
    assert (await balance(shop), await held(shop)) == (0, (Money(2000, "USD"),))
    order = await shop.place()
    with pytest.raises(Refused, match="wallet_short"):
        await shop.till.spend(order.id, ALICE)
    assert await shop.deposits.unspent(ALICE) == []


async def test_only_what_is_left_of_it_is_held_and_other_money_stays_free(shop: Shop) -> None:
    payment = await fill(shop, 1000)
    async with shop.database.write() as tx:
        await tx.ledger.post(moved("gone", -700))
    await dispute(shop, payment)
    assert (await balance(shop), await held(shop)) == (0, (Money(300, "USD"),))
    async with shop.database.write() as tx:
        await tx.ledger.post(moved("more", 50))
    assert await balance(shop) == 50


async def test_it_is_free_again_when_the_dispute_is_won_and_held_by_another_one(
    shop: Shop,
) -> None:
    payment = await fill(shop, 1000)
    for update_id in (60, 61):
        await dispute(shop, payment)
        assert (await balance(shop), await held(shop)) == (0, (Money(1000, "USD"),))
        await decide(shop, Action.ACCEPT, update_id)
        assert (await balance(shop), await held(shop)) == (1000, ())


async def test_it_is_gone_when_the_dispute_is_lost(shop: Shop) -> None:
    payment = await fill(shop, 1000)
    await dispute(shop, payment)
    await decide(shop, Action.RETURNED)
    assert (await balance(shop), await held(shop)) == (0, ())


async def test_what_the_provider_took_back_is_gone_and_a_rest_stays_held(shop: Shop) -> None:
    payment = await fill(shop, 1000)
    await dispute(shop, payment)
    captured = payment.amount.minor
    await dispute(shop, payment, returned=captured // 2)
    rest = await held(shop)
    assert (await balance(shop), 0 < rest[0].minor < 1000) == (0, True)
    await dispute(shop, payment, returned=captured)
    assert (await balance(shop), await held(shop)) == (0, ())
    async with shop.database.read() as tx:
        kept = await tx.payments.get(payment.id)
    assert kept is not None
    assert kept.state is P.REFUNDED
    assert await lost(shop) == 0


async def lost(shop: Shop) -> int:
    """What the shop has lost."""
    async with shop.database.read() as tx:
        return (await tx.ledger.balance(ledger.LOST, "USD")).minor
