"""A shop where SIMs renew by themselves: a bank that keeps cards, Telegram that keeps
subscriptions, a wallet, and days that pass."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.ledger import Entry, EntryKind, Posting, wallet
from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.quotes import Terms
from bot.domain.renewals import Agreement, Run
from bot.domain.sales import Method, Payment, Saved
from bot.domain.sims import Sim
from bot.ports import Bill, Charge, Found, Notice, PaymentUnavailable, Standing, Store
from bot.services.agreeing import Agreeing, Wanted
from bot.services.renewals import Renewals
from tests.unit.services.cashier import PAGE, Cashier
from tests.unit.services.house import SELLING, HandClock, by_hand, opened
from tests.unit.services.sale_house import PROCESSING, Seller, Shop
from tests.unit.store.samples import ALICE, NOW, PLAN, days, managed

PRICE, CAP = Money(1290, "USD"), Money(2600, "USD")
STARS = Money(994, "XTR")
"""What the plan costs in Stars: 12.90 at 77, rounded up."""
CHARGED_AT = days(7)
"""When a line that ends in ten days, and can't be renewed later, is charged first."""
TERMS = replace(SELLING, terms={**SELLING.terms, Method.WALLET: Terms()})
DECLINED = Found(Standing.ENDED, reason="card_declined")


@dataclass
class Bank(Cashier):
    """Keeps cards. Each charge takes the next line of its script; what it takes, it takes once
    for the attempt."""

    says: list[Found | BaseException] = field(default_factory=list)
    takes_anyway: bool = False
    """The next charge is taken, whatever is said."""
    asked: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    """Tokens that it was told to delete."""

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        self._answers()
        self.asked.append(payment.id)
        told = self.says.pop(0) if self.says else None
        anyway, self.takes_anyway = self.takes_anyway, False
        if told is None or anyway:
            self.takes(f"saved-{payment.id}", payment.id, payment.amount)
        if isinstance(told, BaseException):
            raise told
        return told or await self.lookup(payment)

    async def forget_saved(self, token: str) -> None:
        self._answers()
        self.forgotten.append(token)
        if self.mute > 0:
            self.mute -= 1
            raise PaymentUnavailable("no answer")
        if self.fails_with is not None:
            raise self.fails_with


@dataclass
class Telegram(Cashier):
    """Keeps subscriptions, and forgets those that it is told to."""

    stopped: list[str] = field(default_factory=list)

    async def subscription(self, payer_id: int, charge_id: str, *, cancelled: bool) -> None:
        self._answers()
        assert cancelled
        self.stopped.append(charge_id)


@dataclass
class RenewalShop(Shop):
    """A shop with the renewals' worker."""

    renewals: Renewals = field(init=False)
    agreeing: Agreeing = field(init=False)

    @property
    def bank(self) -> Bank:
        """Where cards are kept."""
        assert isinstance(self.card, Bank)
        return self.card

    @property
    def telegram(self) -> Telegram:
        """Where subscriptions are kept."""
        assert isinstance(self.cashier, Telegram)
        return self.cashier

    def restart(self, store: Store | None = None) -> None:
        """New services, as a new process has them."""
        super().restart(store)
        kept, methods = store or self.database, {Method.STARS: self.cashier, Method.CARD: self.card}
        self.agreeing = Agreeing(kept, self.clock, self.carriers, methods, self.selling)
        self.renewals = Renewals(
            kept, self.clock, self.carriers, methods, self.selling, self.checkout, self.till
        )

    # ---- what a customer does ----------------------------------------------------------------

    async def keep_card(self) -> Saved:
        """Alice's card is kept."""
        async with self.database.write() as tx:
            return await tx.saved.keep(Saved("s1", ALICE, Method.CARD, "tok", "Visa ·4242", NOW))

    async def fill(self, minor: int, key: str = "gift") -> None:
        """Money in Alice's wallet."""
        amount = Money(minor, "USD")
        both = (Posting("test", Money(-minor, "USD")), Posting(wallet(ALICE), amount))
        async with self.database.write() as tx:
            await tx.ledger.post(Entry(key, EntryKind.TOPUP, self.clock.at, both))

    async def agree(self, method: Method = Method.CARD, **changes: Any) -> Agreement:
        """Alice accepts."""
        if method is Method.CARD and "saved_id" not in changes:
            changes["saved_id"] = (await self.keep_card()).id
        wanted = Wanted("m1", PLAN.code, method, CAP)
        return await self.agreeing.accept(ALICE, replace(wanted, **changes))

    async def subscribe(self, charge: str = "sub-1") -> tuple[Agreement, Payment]:
        """Alice agrees to a subscription and pays its first month."""
        agreement = await self.agree(Method.STARS)
        async with self.database.read() as tx:
            sim = await tx.sims.get("m1")
        assert sim is not None
        quote = await self.checkout.quote(ALICE, sim, PLAN, None, None)
        order = await self.checkout.place(quote.id, ALICE, 77)
        await self.agreeing.begins_with(agreement.id, order.id)
        bill = Bill("5 GB", "5 GB", "5 GB", keep=True)
        payment = await self.paying.pay(order.id, ALICE, Method.STARS, bill)
        await self.recur(payment, charge)
        await self.fulfil()
        return agreement, payment

    async def recur(self, first: Payment, charge: str, amount: Money = STARS) -> None:
        """Telegram says that it has charged the subscription of an attempt."""
        found = Charge(charge, first.id, amount, self.clock.at, payer_id=ALICE)
        await self.till.capture(first.id, found)

    # ---- days pass ---------------------------------------------------------------------------

    async def renew(self) -> None:
        """What is due at this moment."""
        await self.renewals.worker.run()

    async def until(self, end: datetime) -> None:
        """Live through to a moment in steps as long as the next thing due needs, at most 6 h."""
        while self.clock.at < end:
            await self.renewals.worker.run()
            await self.fulfil()
            await self.paying.expire_due()
            due = await self.renewals.next_due()
            soon = self.clock.at + timedelta(hours=6)
            due = min(due, soon) if due is not None and due > self.clock.at else soon
            self.clock.at = min(due, end)
        await self.renewals.worker.run()
        await self.fulfil()

    # ---- looking -----------------------------------------------------------------------------

    async def agreement(self, agreement_id: str) -> Agreement:
        async with self.database.read() as tx:
            found = await tx.renewals.get(agreement_id)
        assert found is not None
        return found

    async def sim(self) -> Sim:
        async with self.database.read() as tx:
            found = await tx.sims.get("m1")
        assert found is not None
        return found

    async def run_of(self, period: datetime) -> Run:
        async with self.database.read() as tx:
            found = await tx.renewals.run_of("m1", period)
        assert found is not None
        return found

    async def heard(self) -> list[str]:
        """What the customer was told of agreements, in order."""
        return [str(one.data["step"]) for one in await self.news()]

    async def news(self) -> list[Notice]:
        return await self.notices("renewal")

    async def change_plan(self, **changes: Any) -> Plan:
        async with self.database.write() as tx:
            old = await tx.catalogue.get(PLAN.code)
            assert old is not None
            new = replace(old, version=old.version + 1, **changes)
            await tx.catalogue.apply([new])
        return new


def away() -> PaymentUnavailable:
    """No answer."""
    return PaymentUnavailable("timeout")


@asynccontextmanager
async def renewal_house(folder: Path) -> AsyncIterator[RenewalShop]:
    """An open shop with Alice's line, which ends in ten days, and its plan."""
    clock = HandClock()
    seller = Seller(clock)
    person = Seller(clock, "manual", by_hand(clock).capabilities, answers=[PROCESSING] * 20)
    async with opened(folder) as database:
        shop = RenewalShop(
            database, clock, seller, person, Telegram(clock),
            Bank(clock, Method.CARD, "stripe", PAGE),
            {seller.name: seller, person.name: person}, selling=TERMS,
        )  # fmt: skip
        shop.restart()
        await shop.stock(managed("m1", ALICE, supplier_ref="tran", expiry=days(10), grace_end=None))
        yield shop
