"""A shop with promos and points, and many customers at its door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.points import PointTerms
from bot.domain.promos import Kind, Promo, Step
from bot.domain.quotes import Quote
from bot.domain.sales import Method, Order
from bot.ports import SupplierPlan
from bot.services.checkout import Checkout
from bot.services.promos import Wish
from bot.services.selling import Refused
from tests.unit.services.house import SELLING
from tests.unit.services.sale_house import BILL, Shop, charged, sale_house
from tests.unit.store.samples import ALICE, PLAN, chat, days, managed

TERMS = PointTerms({"USD": Decimal(10)}, {"USD": Decimal("0.01")}, 12, Decimal(50))
"""10 points for a dollar, a cent for a point, half of a price at most."""
BIG = replace(
    PLAN, code="boom-30d-10gb", supplier_code="TOPUP_10", price=Money(2090, "USD"), data=10 << 30,
    name={"en": "10 GB, 30 days"},
)  # fmt: skip
CROWD = 50


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def promo(id: str = "spring", **changes: Any) -> Promo:
    """10 % off everything, with the code SPRING."""
    return replace(
        Promo(id, 1, Kind.PERCENT, {"en": f"{id} offer"}, code="SPRING", percent=Decimal(10)),
        **changes,
    )


def saves(id: str, spend: int, save: int, **changes: Any) -> Promo:
    """An automatic one: spend so many cents, save so many."""
    steps = (Step(usd(spend), usd(save)),)
    return promo(id, kind=Kind.SAVE, code=None, percent=Decimal(0), steps=steps, **changes)


def gift(**changes: Any) -> Promo:
    """The big plan at the small one's price, with the code GIFT."""
    changes = {"code": "GIFT", **changes}
    return promo("gift", kind=Kind.PLAN, percent=Decimal(0), gives={PLAN.code: BIG.code}, **changes)


@asynccontextmanager
async def promo_house(folder: Path) -> AsyncIterator[Shop]:
    """An open shop in which Alice has a SIM; both plans are on sale."""
    async with sale_house(folder) as found:
        await found.stock()
        async with found.database.write() as tx:
            await tx.catalogue.apply([PLAN, BIG])
        found.seller.on_sale = [
            SupplierPlan("TOPUP_5", Money(700, "USD"), 30, 5 << 30, "70000"),
            SupplierPlan("TOPUP_10", Money(790, "USD"), 30, 10 << 30, "79000"),
        ]
        found.checkout = Checkout(
            found.database, found.clock, found.carriers, replace(SELLING, points=TERMS),
            found.wallets,
        )  # fmt: skip
        yield found


async def put(shop: Shop, *promos: Promo) -> None:
    """These are the promos now."""
    async with shop.database.write() as tx:
        await tx.promos.apply(promos)


async def crowd(shop: Shop, count: int = CROWD) -> list[int]:
    """Customers with a SIM each."""
    people = [9000 + n for n in range(count)]
    async with shop.database.write() as tx:
        for person in people:
            await tx.chats.add(chat(person))
            await tx.sims.add(managed(f"s{person}", person, iccid=f"8985200000000{person}0",
                                      expiry=days(10), grace_end=None))  # fmt: skip
    return people


_TAPS = iter(range(10_000, 1_000_000))


async def ask(
    shop: Shop, person: int = ALICE, code: str | None = None, *, points: bool = False,
    plan: Plan = PLAN, sim: str | None = None,
) -> Quote:  # fmt: skip
    """A price, asked for with a code or with points."""
    async with shop.database.read() as tx:
        line = await tx.sims.get(sim or ("m1" if person == ALICE else f"s{person}"))
    assert line is not None
    wish = Wish(code, points)
    return await shop.checkout.quote(person, line, plan, None, next(_TAPS), wish)


async def buy(shop: Shop, made: Quote, charge: str = "c1") -> Order:
    """Ordered, paid by card and topped up."""
    placed = await shop.checkout.place(made.id, made.chat_id, 77)
    await pay(shop, placed, charge)
    await shop.fulfil()
    return await shop.order(placed.id)


async def pay(shop: Shop, placed: Order, charge: str = "c1") -> None:
    """In Stars, exactly what the quote says."""
    payment = await shop.paying.pay(placed.id, placed.chat_id, Method.STARS, BILL)
    await shop.till.capture(payment.id, replace(charged(payment.id, charge, payment.amount),
                                                payer_id=placed.chat_id))  # fmt: skip


async def at_once(shop: Shop, quotes: list[Quote]) -> tuple[list[Order], list[str]]:
    """All of them confirmed in the same moment: the orders, and why others were refused."""
    answers = await asyncio.gather(
        *(shop.checkout.place(one.id, one.chat_id, 1) for one in quotes), return_exceptions=True
    )
    orders = [answer for answer in answers if isinstance(answer, Order)]
    refused = [answer.reason for answer in answers if isinstance(answer, Refused)]
    assert len(orders) + len(refused) == len(quotes), answers
    return orders, refused


async def used(shop: Shop, promo_id: str = "spring", person: int | None = None) -> int:
    """How many places are given away."""
    async with shop.database.read() as tx:
        return (await tx.promos.used(person)).get(promo_id, 0)


async def balance(shop: Shop, person: int = ALICE) -> int:
    """Points that can be spent."""
    async with shop.database.read() as tx:
        return await tx.points.balance(person, shop.clock.now())


async def grant(shop: Shop, amount: int, order_id: str, expires: float = 100) -> None:
    """Points as an order earned them."""
    async with shop.database.write() as tx:
        await tx.points.earn(ALICE, order_id, amount, days(expires), shop.clock.now())
