"""Whatever happens in whatever order, and wherever the process dies: in the end every charge is
kept for one delivered top-up, returned once, or held for a person."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.codes import digest
from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.domain.sales import VoucherState
from bot.ports import PaymentUnavailable, TopUpAnswer, Tx
from bot.services.selling import Refused
from bot.store import Database
from tests.unit.services.house import PEPPER
from tests.unit.services.sale_house import (
    CODE,
    NOT_SENT,
    PROCESSING,
    REJECTED,
    STARS,
    UNKNOWN,
    Killed,
    P,
    S,
    Shop,
    T,
    charged,
    sale_house,
)
from tests.unit.store.samples import ALICE, managed

SIMS = ("m1", "m2")
ENDED = {S.FULFILLED, S.REFUNDED, S.EXPIRED, S.CANCELLED, S.NEEDS_OPERATOR}


class Mortal:
    """The database, and the moment at which the process that uses it dies.

    `life` counts writing transactions; the last one is lost (`before`) or committed first.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.life: int | None = None
        self.before = True
        self.dead = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Dies at the end of its life."""
        self._alive()
        last = False
        if self.life is not None:
            self.life -= 1
            last = self.life <= 0
        async with self._database.write() as tx:
            yield tx
            self._alive()
            if last and self.before:
                self.dead = True
                raise Killed
        if last:
            self.dead = True
            raise Killed

    def read(self) -> AbstractAsyncContextManager[Tx]:
        """The dead read nothing."""
        self._alive()
        return self._database.read()

    def _alive(self) -> None:
        if self.dead:
            raise Killed


@dataclass
class World:
    """The shop, and what the provider knows to be true."""

    shop: Shop
    mortal: Mortal
    charges: dict[str, tuple[str, Money]] = field(default_factory=dict)
    """Charge id → our reference and the amount: what was really paid."""
    invoices: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    quotes: int = 0

    async def event(self, kind: str, number: int) -> None:
        """One thing happens; the process may die of it, and then rises again."""
        try:
            await getattr(self, kind)(number)
        except (Refused, PaymentUnavailable):
            pass
        except Killed:
            await self.rise()

    async def rise(self) -> None:
        self.mortal = Mortal(self.shop.database)
        self.shop.restart(self.mortal)
        await self.shop.fulfilment.recover()
        for charge, (reference, amount) in self.charges.items():
            # Telegram's updates are in the inbox; those that were not settled are handled again.
            await self.shop.till.capture(reference, charged(reference, charge, amount))

    # ---- events ------------------------------------------------------------------------------

    async def order(self, number: int) -> None:
        self.quotes += 1
        placed = await self.shop.place(self.quotes, sim_id=SIMS[number % len(SIMS)])
        self.orders.append(placed.id)
        payment = await self.shop.stars(placed)
        self.invoices.append(payment.id)

    async def pay(self, number: int) -> None:
        """Somebody pays an invoice, however old; often one that nobody would let them pay."""
        if self.invoices:
            await self._charge(self.invoices[number % len(self.invoices)], STARS)

    async def pay_wrongly(self, number: int) -> None:
        if self.invoices:
            await self._charge(self.invoices[number % len(self.invoices)], Money(number + 1, "XTR"))

    async def _charge(self, reference: str, amount: Money) -> None:
        charge = f"c{len(self.charges)}"
        self.charges[charge] = (reference, amount)
        await self.shop.till.capture(reference, charged(reference, charge, amount))

    async def told_again(self, number: int) -> None:
        if self.charges:
            charge = f"c{number % len(self.charges)}"
            reference, amount = self.charges[charge]
            await self.shop.till.capture(reference, charged(reference, charge, amount))

    async def voucher(self, number: int) -> None:
        if self.orders:
            await self.shop.till.redeem(self.orders[number % len(self.orders)], ALICE, CODE)

    async def cancel(self, number: int) -> None:
        if self.orders:
            await self.shop.paying.cancel(self.orders[number % len(self.orders)], ALICE)

    async def hand_on(self, number: int) -> None:
        async with self.shop.database.write() as tx:
            sim = await tx.sims.get(SIMS[number % len(SIMS)])
            assert sim is not None
            if not await tx.orders.of_sim(sim.id, [S.PAID, S.TOPPING_UP, S.TOPUP_UNKNOWN]):
                owner = None if sim.owner_id == ALICE else ALICE
                await tx.sims.update(sim.id, sim.version, owner_id=owner)

    async def time(self, number: int) -> None:
        self.shop.clock.advance(minutes=number)
        await self.shop.paying.expire_due()

    async def fulfil(self, number: int) -> None:
        await self.shop.fulfil()

    async def refund(self, number: int) -> None:
        await self.shop.refund()

    async def supplier(self, number: int) -> None:
        """What the next submit will answer, and whether it buys all the same."""
        answers: list[TopUpAnswer | BaseException]
        answers = [UNKNOWN, REJECTED, NOT_SENT, PROCESSING, RuntimeError("x"), Killed()]
        self.shop.seller.answers = [answers[number % 6]]
        self.shop.seller.buys_anyway = number % 6 in (0, 3, 4, 5) and number % 4 < 2

    async def sold(self, number: int) -> None:
        """A whole sale, delivered or refused: what comes after it is the interesting part."""
        await self.order(number)
        await self._charge(self.invoices[-1], STARS)
        self.shop.seller.answers = [REJECTED] if number % 2 else []
        await self.shop.fulfil()
        await self.shop.refund()

    async def paid_again(self, number: int) -> None:
        """The newest invoice, once more."""
        if self.invoices:
            await self._charge(self.invoices[-1], STARS)

    async def weather(self, number: int) -> None:
        self.shop.seller.reads_down = number % 2 == 1
        self.shop.cashier.down = number % 4 > 1
        self.shop.seller.on_sale = self.shop.seller.on_sale if number % 7 else []

    async def doom(self, number: int) -> None:
        """The process dies in its n-th writing transaction from now on."""
        self.mortal.life, self.mortal.before = 1 + number % 4, number % 2 == 0

    # ---- the end -----------------------------------------------------------------------------

    async def end(self) -> None:
        """Everybody is well again, and a day passes."""
        self.shop.seller.reads_down = self.shop.cashier.down = False
        self.shop.seller.answers = []
        await self.rise()
        for _ in range(3):
            await self.shop.work_for(hours=8)
            await self.shop.paying.expire_due()
        await self.check()

    async def check(self) -> None:
        held = {item.order.id for item in await self.shop.desk.queue() if item.order}
        async with self.shop.database.read() as tx:
            voucher = await tx.vouchers.find(self.voucher_hash)
        assert voucher is not None
        voucher_kept: list[str] = []
        seen: set[str] = set()
        for order_id in self.orders:
            order = await self.shop.order(order_id)
            topups = await self.shop.topups(order_id)
            payments = await self.shop.payments(order_id)
            bought = [ref for ref in self.shop.seller.bought if ref.startswith(f"{order_id}-")]
            assert order.state in ENDED, order
            assert len(topups) <= 1
            assert len(bought) <= 1
            assert self.shop.seller.submitted.count(bought[0] if bought else "") <= 7
            kept = [p for p in payments if p.state is P.CAPTURED]
            wrong = [p for p in payments if p.state is P.MISMATCH]
            self.judge(order.state, len(kept), len(wrong), order_id in held)
            if order.state is S.FULFILLED:
                assert len(bought) == 1
                assert topups[0].state is T.VERIFIED
                assert kept[0].method is order.method
            if order.state is S.REFUNDED:
                assert bought == []
            voucher_kept += [order_id for p in kept if p.method == "voucher"]
            for payment in payments:
                if payment.charge_id in self.charges:
                    seen.add(payment.charge_id or "")
                    returned = payment.charge_id in self.shop.cashier.returned
                    assert returned == (payment.state is P.REFUNDED), payment
        assert seen == set(self.charges), "a charge was dropped"
        assert len(set(self.shop.cashier.returned)) == len(self.shop.cashier.returned)
        assert (voucher.state is VoucherState.REDEEMED) == (len(voucher_kept) == 1)
        assert len(voucher_kept) <= 1

    @staticmethod
    def judge(state: OrderState, kept: int, wrong: int, held: bool) -> None:
        """What an order in its last state may hold."""
        match state:
            case S.FULFILLED:
                assert kept == 1
            case S.REFUNDED:
                assert kept == 0
            case S.NEEDS_OPERATOR:
                assert held
                assert kept + wrong >= 1
                assert kept <= 1
            case _:
                assert kept == wrong == 0
        assert not wrong or held

    voucher_hash: str = ""


EVENTS = (
    "order", "pay", "pay_wrongly", "told_again", "voucher", "cancel", "hand_on", "time", "fulfil",
    "refund", "supplier", "weather", "doom", "sold", "paid_again",
)  # fmt: skip
WEIGHTED = [
    *EVENTS,
    "order",
    "order",
    "pay",
    "pay",
    "pay",
    "fulfil",
    "doom",
    "supplier",
    "sold",
    "paid_again",
]
STORIES = st.lists(st.tuples(st.sampled_from(WEIGHTED), st.integers(0, 30)), max_size=15)


async def live(story: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with sale_house(Path(folder)) as shop:
            for number, sim_id in enumerate(SIMS):
                await shop.stock(managed(sim_id, ALICE, supplier_ref=f"tran{number}"))
            await shop.add_voucher()
            world = World(shop, Mortal(shop.database))
            world.voucher_hash = digest(CODE, PEPPER.encode())
            await world.rise()
            for kind, number in story:
                await world.event(kind, number)
            await world.end()


@settings(max_examples=60)
@given(STORIES)
@example([("sold", 1), ("paid_again", 0)])  # paid again after the money went back
@example([("order", 0), ("hand_on", 0), ("pay", 0)])
@example([("order", 0), ("order", 0), ("pay", 0), ("pay", 1)])  # late money, and the open order
@example([("order", 0), ("voucher", 0), ("pay", 0), ("fulfil", 0)])
@example([("sold", 1), ("pay_wrongly", 0), ("sold", 0), ("pay_wrongly", 1)])
@example([("order", 0), ("pay", 0), ("supplier", 5), ("doom", 1), ("fulfil", 0), ("fulfil", 0)])
def test_every_charge_has_one_end(story: list[tuple[str, int]]) -> None:
    asyncio.run(live(story))
