"""The operator's desk with what lies on it: orders of Alice's in every state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, TopUpState
from bot.domain.sales import Method, Order, Payment, TopUp
from bot.domain.sims import Sim
from bot.services.desk import Desk, Settled
from bot.services.fulfilment import Fulfilment
from bot.services.refunds import Refunds
from bot.services.till import Till
from bot.services.waiting import Action, QueueItem
from bot.store import Database
from tests.unit.services.cashier import Cashier
from tests.unit.services.house import (
    OPERATOR,
    SELLING,
    HandClock,
    Supplier,
    by_hand,
    fresh,
    opened,
)
from tests.unit.store.samples import (
    ALICE,
    PLAN,
    days,
    managed,
    minutes,
    order,
    payment,
    quote,
    topup,
)

S, P, T = OrderState, PaymentState, TopUpState


@dataclass
class House:
    """What a test needs."""

    store: Database
    clock: HandClock
    supplier: Supplier
    desk: Desk
    fulfilment: Fulfilment
    refunds: Refunds
    till: Till
    cashier: Cashier

    async def sale(
        self, state: OrderState, top: TopUpState | None, reason: str = "", **sale: Any
    ) -> None:
        """An order of Alice's that was paid two minutes ago, and its top-up."""
        line: Sim = sale.pop("line", managed("m1", ALICE, iccid="89852022000000000015"))
        plan = sale.pop("plan", PLAN)
        async with self.store.write() as tx:
            await tx.sims.add(line)
            await tx.quotes.add(quote(sim_id=line.id, plan=plan), None)
            await tx.orders.add(
                order(
                    sim_id=line.id, plan=plan, state=state, reason=reason or None,
                    paid_at=minutes(-2), charge=Money(993, "XTR"), method=Method.STARS,
                    old_expiry=line.expiry, **sale,
                )
            )  # fmt: skip
            await tx.payments.add(
                payment(state=P.CAPTURED, charge_id="c1", captured_at=minutes(-2),
                        captured=Money(993, "XTR"))
            )  # fmt: skip
            if top is not None:
                await tx.topups.add(
                    topup(sim_id=line.id, supplier=line.supplier, state=top, reason=reason or None,
                          before=fresh(expiry=days(10)))
                )  # fmt: skip

    async def act(
        self, action: Action, subject: str = "order:o1", who: int = OPERATOR, update: int = 1
    ) -> Settled:
        """An operator presses a button."""
        return await self.desk.act(subject, action, who, update)

    async def only(self) -> QueueItem:
        [item] = await self.desk.queue()
        return item

    async def order(self) -> Order:
        async with self.store.read() as tx:
            found = await tx.orders.get("o1")
        assert found is not None
        return found

    async def topups(self) -> list[TopUp]:
        async with self.store.read() as tx:
            return await tx.topups.of_order("o1")

    async def payments(self) -> list[Payment]:
        async with self.store.read() as tx:
            return await tx.payments.of_order("o1")

    async def sim(self, sim_id: str) -> Sim:
        async with self.store.read() as tx:
            found = await tx.sims.get(sim_id)
        assert found is not None
        return found


@asynccontextmanager
async def desk_house(folder: Path) -> AsyncIterator[House]:
    """An open shop with a supplier, a person who tops up by hand, and a cashier."""
    clock, cashier = HandClock(), Cashier()
    supplier, person = Supplier(clock), by_hand(clock)
    carriers = {supplier.name: supplier, person.name: person}
    async with opened(folder) as store:
        refunds = Refunds(store, clock, {Method.STARS: cashier}, SELLING)
        yield House(
            store,
            clock,
            supplier,
            Desk(store, clock, carriers, SELLING, refunds),
            Fulfilment(store, clock, carriers, SELLING),
            refunds,
            Till(store, clock, SELLING),
            cashier,
        )
