"""The way of a sale, from quote to receipt, with a supplier and a cashier that live on when the
bot's process dies: `restart` makes new services over the same database."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.codes import digest
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, TopUpState
from bot.domain.plans import Plan
from bot.domain.sales import Method, Order, Payment, TopUp
from bot.domain.sims import Reading, Sim
from bot.ports import (
    Bill,
    Capabilities,
    Carrier,
    Charge,
    Hint,
    Notice,
    Outcome,
    PaymentMethod,
    Resolved,
    Store,
    SupplierPlan,
    SupplierQuote,
    SupplierUnavailable,
    TopUpAnswer,
    TopUpRequest,
    TopUpStatus,
    WebhookRefused,
)
from bot.services.checkout import Checkout
from bot.services.deposits import Deposits
from bot.services.desk import Desk
from bot.services.fulfilment import Fulfilment
from bot.services.paying import Paying
from bot.services.refunds import Refunds
from bot.services.selling import Selling
from bot.services.till import Till
from bot.services.transfers import Receiving, Transfers
from bot.services.wallets import Wallets
from bot.store import Database
from tests.unit.services.cashier import PAGE, Cashier
from tests.unit.services.house import PEPPER, SELLING, HandClock, by_hand, fresh, opened
from tests.unit.store.samples import ALICE, NOW, PLAN, days, managed, quote, voucher

S, P, T = OrderState, PaymentState, TopUpState
LOW = Money(2000, "USD")
STARS = Money(993, "XTR")
BILL = Bill("5 GB", "5 GB for boom", "5 GB")
CODE = "XV7F-3K2M-9PQ4-TD8W"
SUCCEEDED, REJECTED = TopUpAnswer(TopUpStatus.SUCCEEDED, "s1"), TopUpAnswer(TopUpStatus.REJECTED)
PROCESSING, NOT_SENT = TopUpAnswer(TopUpStatus.PROCESSING), TopUpAnswer(TopUpStatus.NOT_SENT)
UNKNOWN, NOT_FOUND = TopUpAnswer(TopUpStatus.UNKNOWN), TopUpAnswer(TopUpStatus.NOT_FOUND)


class Killed(BaseException):
    """The process dies here; no `except Exception` may survive it."""


@dataclass
class Seller:
    """A supplier with its own books. Every call takes the next line of its script, if any."""

    clock: HandClock
    name: str = "esim_access"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            reads=True, finds=True, unique_refs=False, after_expiry=False
        )
    )
    answers: list[TopUpAnswer | BaseException] = field(default_factory=list)
    """What `submit` says; it buys when it says SUCCEEDED, and when nothing is scripted."""
    finds: list[TopUpAnswer | BaseException] = field(default_factory=list)
    """What `find` says; afterwards the truth."""
    reads_down: bool = False
    buys_anyway: bool = False
    """The next submit buys, whatever it answers."""
    purse: Money | None = None
    """Our balance there."""
    hides: bool = False
    """Readings do not show what was bought."""
    expiry_days: float = 10
    on_sale: list[SupplierPlan] = field(
        default_factory=lambda: [SupplierPlan("TOPUP_5", Money(700, "USD"), 30, 5 << 30, "70000")]
    )
    bought: list[str] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        return None

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        if self.reads_down:
            raise SupplierUnavailable("timeout")
        return self.on_sale

    async def snapshot(self, sim: Sim) -> Reading:
        if self.reads_down:
            raise SupplierUnavailable("timeout")
        now = self.clock.now()
        shown = 0 if self.hides else len(self.bought)
        return fresh(expiry=days(self.expiry_days + 30 * shown), as_of=now, taken_at=now)

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        self.submitted.append(request.ref)
        answer = self.answers.pop(0) if self.answers else SUCCEEDED
        bought, self.buys_anyway = self.buys_anyway, False
        if bought or (isinstance(answer, TopUpAnswer) and answer.status is SUCCEEDED.status):
            self.bought.append(request.ref)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        self.asked.append(request.ref)
        if self.finds:
            answer = self.finds.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer
        return SUCCEEDED if request.ref in self.bought else NOT_FOUND

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        for plan in await self.plans(sim):
            if plan.code == supplier_code:
                return SupplierQuote(cost=plan.cost, quoted=plan.quoted)
        return SupplierQuote(refused="not_sold_now")

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        return await self.find(request)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        raise WebhookRefused("no webhooks here")

    async def wallet(self) -> Money | None:
        if self.reads_down:
            raise SupplierUnavailable("timeout")
        return self.purse

    async def close(self) -> None:
        return None


@dataclass
class Shop:
    """What outlives the process, and the services of the present one."""

    database: Database
    clock: HandClock
    seller: Seller
    person: Seller
    cashier: Cashier
    card: Cashier
    carriers: dict[str, Carrier]
    wallets: Wallets = field(init=False)
    checkout: Checkout = field(init=False)
    paying: Paying = field(init=False)
    till: Till = field(init=False)
    fulfilment: Fulfilment = field(init=False)
    refunds: Refunds = field(init=False)
    desk: Desk = field(init=False)
    deposits: Deposits = field(init=False)
    transfers: Transfers = field(init=False)
    selling: Selling = SELLING
    receiving: Receiving = field(default_factory=Receiving)
    sent: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, store: Store | None = None) -> None:
        """New services, as a new process has them; `store` stands before the database."""
        store = store or self.database
        payments: dict[Method, PaymentMethod] = {
            Method.STARS: self.cashier,
            Method.CARD: self.card,
        }
        self.wallets = Wallets(store, self.clock, self.carriers, SELLING, {"esim_access": LOW})
        self.checkout = Checkout(store, self.clock, self.carriers, self.selling, self.wallets)
        self.till = Till(store, self.clock, self.selling)
        self.paying = Paying(store, self.clock, payments, self.selling, self.till)
        self.fulfilment = Fulfilment(store, self.clock, self.carriers, SELLING)
        self.refunds = Refunds(store, self.clock, payments, self.selling)
        self.desk = Desk(store, self.clock, self.carriers, self.selling, self.refunds)
        self.deposits = Deposits(
            store, self.clock, self.selling, payments, self.paying, self.refunds
        )
        self.transfers = Transfers(store, self.clock, self.selling, self.till, self.receiving)

    # ---- what a customer does ----------------------------------------------------------------

    async def stock(self, line: Sim | None = None, plan: Plan = PLAN) -> Sim:
        """A SIM of Alice's and the plan for it in the catalogue."""
        line = line or managed("m1", ALICE, supplier_ref="tran", expiry=days(10), grace_end=None)
        async with self.database.write() as tx:
            await tx.sims.add(line)
            await tx.catalogue.apply([plan])
        return line

    async def place(self, number: int = 1, **changes: Any) -> Order:
        """Quote number `number` confirmed."""
        async with self.database.write() as tx:
            now = self.clock.now()
            changes = {"sim_id": "m1", **changes}
            lasts = quote().expires_at - NOW
            made = quote(f"q{number}", created_at=now, expires_at=now + lasts, **changes)
            await tx.quotes.add(made, None)
        return await self.checkout.place(made.id, ALICE, 77)

    async def invoice(self, number: int = 1, **changes: Any) -> tuple[Order, Payment]:
        """An order with its Stars invoice shown."""
        placed = await self.place(number, **changes)
        return placed, await self.stars(placed)

    async def stars(self, placed: Order) -> Payment:
        """Its Stars invoice is shown."""
        return await self.paying.pay(placed.id, ALICE, Method.STARS, BILL)

    async def page(self, number: int = 1, **changes: Any) -> tuple[Order, Payment]:
        """An order with its card page shown."""
        placed = await self.place(number, **changes)
        return placed, await self.paying.pay(placed.id, ALICE, Method.CARD, BILL)

    async def look(self) -> None:
        """Providers are asked about what is due; time goes on until something is."""
        due = await self.paying.next_look()
        if due is not None and due > self.clock.at:
            self.clock.at = due
        await self.paying.worker.run()

    async def pay(self, payment: Payment, charge: str = "c1", amount: Money = STARS) -> None:
        """Telegram says that it was paid."""
        await self.till.capture(payment.id, charged(payment.id, charge, amount))

    async def paid(self, number: int = 1, charge: str = "c1") -> Order:
        """An order that was paid by Stars."""
        placed, payment = await self.invoice(number)
        await self.pay(payment, charge)
        return await self.order(placed.id)

    async def add_voucher(self, **changes: Any) -> None:
        """A voucher of the order's price with the code CODE."""
        async with self.database.write() as tx:
            await tx.vouchers.add(voucher(**changes), digest(CODE, PEPPER.encode()), "batch")

    # ---- the day's work ----------------------------------------------------------------------

    async def fulfil(self) -> None:
        await self.fulfilment.worker.run()

    async def refund(self) -> None:
        """Everything that is due, also what is tried again only later."""
        due = await self.refunds.next_due()
        if due is not None and due > self.clock.at:
            self.clock.at = due
        await self.refunds.worker.run()

    async def die_and_rise(self) -> None:
        """The process is gone; a new one settles what it left behind."""
        self.restart()
        await self.fulfilment.recover()

    async def work_for(self, **span: float) -> None:
        """Live through a span in steps as long as the next thing due needs."""
        end = self.clock.at + timedelta(**span)
        while True:
            await self.fulfil()
            await self.refund()
            due = await self.fulfilment.next_due()
            if due is None or due > end:
                break
            self.clock.at = max(due, self.clock.at)
        self.clock.at = end
        await self.fulfil()
        await self.refund()

    # ---- looking -----------------------------------------------------------------------------

    async def order(self, order_id: str) -> Order:
        async with self.database.read() as tx:
            found = await tx.orders.get(order_id)
        assert found is not None
        return found

    async def topup(self, order_id: str) -> TopUp:
        """The one top-up of the order."""
        [found] = await self.topups(order_id)
        return found

    async def topups(self, order_id: str) -> list[TopUp]:
        async with self.database.read() as tx:
            return await tx.topups.of_order(order_id)

    async def payments(self, order_id: str) -> list[Payment]:
        async with self.database.read() as tx:
            return await tx.payments.of_order(order_id)

    async def notices(self, kind: str = "order") -> list[Notice]:
        """Everything of a kind that was ever put into the outbox; sends what was not."""
        async with self.database.write() as tx:
            while batch := await tx.outbox.claim(days(3000), 100):
                for notice in batch:
                    assert notice.id is not None
                    await tx.outbox.settle(notice.id, Outcome.SENT, NOW)
                    self.sent.append(notice)
        found = [notice for notice in self.sent if notice.kind == kind]
        return sorted(found, key=lambda notice: notice.id or 0)

    async def told(self, order_id: str) -> list[str]:
        """States the customer is told of, in the order in which that was decided."""
        return [
            re.sub(rf"order:{order_id}:([a-z_]+):.*", r"\1", notice.dedupe_key)
            for notice in await self.notices()
            if notice.data["order_id"] == order_id
        ]

    async def whys(self) -> list[object]:
        """Why operators were told, once for each of the two."""
        return [notice.data["why"] for notice in await self.notices("queue")][::2]


def charged(reference: str, charge: str = "c1", amount: Money = STARS) -> Charge:
    """What Telegram says of a payment."""
    return Charge(charge, reference, amount, NOW, payer_id=ALICE)


async def states(shop: Shop, order: Order) -> tuple[OrderState, TopUpState]:
    return (await shop.order(order.id)).state, (await shop.topup(order.id)).state


@asynccontextmanager
async def sale_house(folder: Path) -> AsyncIterator[Shop]:
    """An open shop."""
    clock = HandClock()
    seller = Seller(clock)
    person = Seller(clock, "manual", by_hand(clock).capabilities, answers=[PROCESSING] * 20)
    async with opened(folder) as database:
        yield Shop(
            database, clock, seller, person, Cashier(clock),
            Cashier(clock, Method.CARD, "stripe", PAGE),
            {seller.name: seller, person.name: person},
        )  # fmt: skip
