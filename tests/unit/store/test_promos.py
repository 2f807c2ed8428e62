"""Promos' places and the ledger of points, on every database the shop can have."""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.domain.points import Effect
from bot.domain.promos import Kind, Promo
from bot.store import Database
from tests.unit.store.samples import ALICE, BOB, NOW, days, order, populate, quote

SPRING = Promo("spring", 1, Kind.PERCENT, {"en": "Spring"}, code="SPRING", percent=Decimal(10))
ORDERS = 30


@pytest.fixture
async def shop(db: Database) -> Database:
    """Thirty orders of Alice's, of which none holds anything."""
    await populate(db)
    async with db.write() as tx:
        for n in range(ORDERS):
            await tx.quotes.add(quote(f"qq{n}"), None)
            await tx.orders.add(order(f"oo{n}", f"qq{n}"))
    return db


async def put(db: Database, *promos: Promo) -> None:
    async with db.write() as tx:
        await tx.promos.apply(promos)


async def take(db: Database, number: int, chat_id: int = ALICE) -> bool:
    async with db.write() as tx:
        return await tx.promos.take("spring", f"oo{number}", chat_id, NOW)


async def spend(db: Database, number: int, amount: int) -> bool:
    async with db.write() as tx:
        return await tx.points.spend(ALICE, f"oo{number}", amount, NOW)


async def used(db: Database) -> int:
    async with db.read() as tx:
        return (await tx.promos.used())["spring"]


# ---- places --------------------------------------------------------------------------------


async def test_ten_places_go_to_ten_of_thirty_transactions(shop: Database) -> None:
    await put(shop, replace(SPRING, total=10))
    got = await asyncio.gather(*(take(shop, n) for n in range(ORDERS)))
    assert (sum(got), await used(shop)) == (10, 10)


async def test_a_persons_two_places_are_two_in_thirty_transactions(shop: Database) -> None:
    await put(shop, replace(SPRING, per_user=2))
    got = await asyncio.gather(*(take(shop, n) for n in range(ORDERS)))
    assert (sum(got), await used(shop)) == (2, 2)
    assert await take(shop, 29, BOB), "somebody else has places of their own"


async def test_one_order_takes_one_place_and_gives_back_one(shop: Database) -> None:
    await put(shop, SPRING)
    assert all(await asyncio.gather(*(take(shop, 0) for _ in range(10))))
    assert await used(shop) == 1
    async with shop.write() as tx:
        assert await tx.promos.release("oo0", "spring")
        assert not await tx.promos.release("oo0", "spring")
        assert not await tx.promos.release("oo1", "spring")
        [use] = await tx.promos.of_order("oo0")
    assert (use.held, await used(shop)) == (False, 0)
    assert await take(shop, 0)
    assert await used(shop) == 1


async def test_a_stopped_promo_has_no_place_and_an_unknown_one_neither(shop: Database) -> None:
    assert not await take(shop, 0)
    await put(shop, SPRING)
    await put(shop)
    assert not await take(shop, 0)


# ---- points --------------------------------------------------------------------------------


async def test_a_hundred_points_are_spent_by_ten_of_thirty_transactions(shop: Database) -> None:
    async with shop.write() as tx:
        for n in range(4):
            assert await tx.points.earn(ALICE, f"oo{n}", 25, days(30), NOW)
    got = await asyncio.gather(*(spend(shop, n, 10) for n in range(ORDERS)))
    async with shop.read() as tx:
        left = await tx.points.balance(ALICE, NOW)
    # Two that draw on one lot at once may both have to ask again; neither ever draws too much.
    assert left == 100 - 10 * sum(got)
    assert 0 < sum(got) <= 10


async def test_the_same_order_spends_and_gets_back_once(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.points.earn(ALICE, "oo0", 100, days(30), NOW)
    outcomes = await asyncio.gather(
        *(spend(shop, 1, 10) for _ in range(10)), return_exceptions=True
    )
    assert outcomes.count(True) == 1

    async def give_back() -> int:
        async with shop.write() as tx:
            return await tx.points.give_back("oo1", NOW, None)

    assert sum(await asyncio.gather(*(give_back() for _ in range(10)))) == 10


@pytest.mark.parametrize("seed", range(8))
async def test_the_balance_is_always_the_sum_of_the_ledger(shop: Database, seed: int) -> None:
    """Whatever is earned, spent, given back, taken back and expires, in whatever order."""
    chance = random.Random(seed)
    now = NOW
    for _ in range(80):
        act, number = chance.randrange(5), f"oo{chance.randrange(6)}"
        now += (days(1) - NOW) * chance.randrange(3)
        async with shop.write() as tx:
            before = await tx.points.balance(ALICE, now)
            match act:
                case 0:
                    expires = now + (days(1) - NOW) * chance.randrange(1, 30)
                    await tx.points.earn(ALICE, number, chance.randrange(1, 90), expires, now)
                case 1:
                    amount = chance.randrange(1, 120)
                    done = await tx.points.spend(ALICE, number, amount, now)
                    assert await tx.points.balance(ALICE, now) == before - amount * done
                case 2:
                    await tx.points.give_back(number, now, now + (days(30) - NOW))
                case 3:
                    await tx.points.take_back(number, now)
                case 4:
                    await tx.points.grant(ALICE, 7, now + (days(9) - NOW), now)
            await tx.points.expire(now)
            balance = await tx.points.balance(ALICE, now)
            rows = await tx.points.history(ALICE, 10_000)
        assert sum(row.amount for row in rows) == balance >= 0
    effects = {row.effect for row in rows}
    assert effects == set(Effect), "every act was tried"
