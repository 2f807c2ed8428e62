"""The customer of the payments' fault harness: what one act of a script means, in the chat, on a
provider's page or at the bank."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import httpx

from bot.demo.botapi.models import Person
from bot.domain.codes import digest
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState
from bot.domain.quotes import Quote
from bot.domain.requests import Why
from bot.domain.sales import Method, Order, Payment
from bot.domain.sims import Sim
from bot.domain.transfers import Picture
from bot.ports import PaymentRefused, PaymentUnavailable
from bot.services.promos import Wish
from bot.services.selling import Refused
from tests.faults.payment_providers import IN_CHAT, PAGES, STRIPE, Entry, Providers, transferred
from tests.faults.payment_script import Script
from tests.faults.payment_town import House, Process
from tests.unit.services.house import OPERATOR, PEPPER
from tests.unit.services.sale_house import BILL
from tests.unit.store.samples import PLAN, chat, managed, voucher

STRANGER = 99_999
CODE = "XV7F-3K2M-9PQ4-TD8W"
FILL = Money(1500, "USD")
"""Enough for one plan, and not for two."""
_OPEN = (PaymentState.CREATED, PaymentState.PENDING)
_UNTOLD = (Method.TELEGRAM, Method.TRANSFER, Method.CASH)
"""Nobody would ever tell us what went back of these, but the person who sent it."""


class Customer:
    """One, with two SIMs; `count` and `broken` are the case's."""

    def __init__(
        self, place: House, providers: Providers, number: int, rng: random.Random, script: Script,
        count: Callable[[str], None], broken: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.id = 100_000 + number
        self._place, self._providers, self._rng = place, providers, rng
        self._script = script
        self._count, self._broken = count, broken
        self._updates = number * 1000
        self._altered = False
        self._picture: Picture | None = None
        self.lines: list[Sim] = []
        self.orders: list[str] = []
        self.deposits: list[str] = []
        self.shown: list[Payment] = []
        """Attempts as they came before the customer, oldest first."""
        self.given_up: dict[str, datetime] = {}
        """When which order was given up, as the bot agreed."""
        self.outside: dict[str, int] = {}
        """What went back without us, by charge: minor units."""
        self._closed: set[str] = set()
        self._receipts: dict[str, str] = {}
        """Numbers of the receipts for cash, by order."""

    @property
    def begins(self) -> tuple[str, ...]:
        """How references of this customer's begin."""
        return tuple(f"{one}-" for one in (*self.orders, *self.deposits))

    def entries(self) -> list[Entry]:
        """What providers have taken of this customer."""
        return [one for begin in self.begins for one in self._providers.entries(begin)]

    def update(self) -> int:
        """The id of the next update."""
        self._updates += 1
        return self._updates

    async def enters(self) -> None:
        """Chat, SIMs, a voucher, an account of Telegram's."""
        now, world = self._place.clock.now(), self._place.world
        for person in (self.id, STRANGER):
            if person not in world.people:
                world.people[person] = Person(person, f"Payer {person}", "en", "customer",
                                              started=True)  # fmt: skip
        self.lines = [
            managed(
                f"line-{self.id}-{n}", self.id, supplier_ref=f"t{self.id}{n}", created_at=now,
                iccid=f"8985{self.id:012}{n:03}", expiry=now + timedelta(days=10), grace_end=None,
            )
            for n in range(2)
        ]  # fmt: skip
        made = voucher(f"v{self.id}", expires_at=now + timedelta(days=90))
        async with self._place.database.write() as tx:
            await tx.chats.add(chat(self.id))
            for line in self.lines:
                await tx.sims.add(line)
            await tx.vouchers.add(made, digest(self._code, PEPPER.encode()), "batch")

    @property
    def _code(self) -> str:
        return f"{CODE}-{self.id}"

    # ---- acts --------------------------------------------------------------------------------

    async def act(self, name: str) -> None:
        """One line of the script; a refusal is an answer like any other."""
        verb, _, which = name.partition("_")
        acts: dict[str, Callable[[str], Awaitable[None]]] = {
            "order": self._order, "orders": self._orders, "deposit": self._deposit,
            "open": self._open, "pay": self._pay, "decline": self._decline,
            "cancel": self._cancel, "check": self._check, "alter": self._alter,
            "spend": self._spend, "redeem": self._redeem, "prove": self._prove,
            "ask": self._ask_back, "unspent": self._unspent, "outside": self._outside,
            "dispute": self._dispute, "cash": self._cash,
        }  # fmt: skip
        try:
            await acts[verb](which)
        except Refused as refused:
            self._count(f"refused: {refused.reason}")
        except PaymentRefused as refused:
            self._count(f"refused by the provider: {refused.reason}")
        except PaymentUnavailable:
            self._count("no answer, try again")
        except httpx.TransportError:
            # Their own browser's line broke: they may have paid, and the provider's books know.
            self._count("the page gave no answer")
        except Exception as error:
            self._broken(f"{name} failed: {error!r}")

    async def _alive(self, what: Callable[[Process], Awaitable[object]]) -> None:
        await self._place.alive(what)

    async def _order(self, _: str = "", line: int = 0) -> None:
        update = self.update()
        quote = await self._quote(line, update)
        order = await self._place.alive(lambda p: p.checkout.place(quote.id, self.id, None))
        if order.id not in self.orders:
            self.orders.append(order.id)
            self._count("orders")

    async def _quote(self, line: int, update: int) -> Quote:
        """The price; with the code as long as it is good for one more order."""
        if self._script.code:
            try:
                return await self._asked(line, update, Wish(code="ONCE"))
            except Refused as refused:
                self._count(f"code refused: {refused.reason}")
        return await self._asked(line, update, Wish())

    async def _asked(self, line: int, update: int, wish: Wish) -> Quote:
        sim = self.lines[line]
        return await self._place.alive(
            lambda p: p.checkout.quote(self.id, sim, PLAN, None, update, wish)
        )

    async def _orders(self, _: str) -> None:
        await self._order()
        await self._order(line=1)

    async def _deposit(self, _: str) -> None:
        made = await self._place.alive(lambda p: p.deposits.open(self.id, FILL, None))
        self.deposits.append(made.id)
        self._count("wallet top-ups")

    async def _open(self, which: str) -> None:
        """Choose a way to pay for what was begun last, and see what to pay."""
        method = self._script.other if which == "other" else self._method
        if self.deposits and not self.orders:
            subject = self.deposits[-1]
            payment = await self._place.alive(
                lambda p: p.deposits.pay(subject, self.id, method, BILL)
            )
        elif not self.orders:
            return
        elif method is Method.TRANSFER:
            payment = await self._transfer(self.orders[-1])
        else:
            subject = self.orders[-1]
            payment = await self._place.alive(
                lambda p: p.paying.pay(subject, self.id, method, BILL)
            )
        for one in self.shown:
            if _subject(one) == _subject(payment) and one.method is not method:
                self._closed.add(one.id)
        self.shown.append(payment)

    @property
    def _method(self) -> Method:
        return self._script.other if self._script.method is Method.WALLET else self._script.method

    async def _transfer(self, order_id: str) -> Payment:
        await self._place.alive(lambda p: p.paying.close_others(order_id, self.id, Method.TRANSFER))
        found = await self._place.alive(lambda p: p.transfers.for_order(order_id, self.id))
        return found.payment

    def _before_them(self, which: str) -> Payment | None:
        """The page or message that the customer looks at."""
        shown = self.shown
        if which == "first":
            return shown[0] if shown else None
        method = self._script.other if which == "other" else self._method
        return next((one for one in reversed(shown) if one.method is method), None)

    async def _pay(self, which: str) -> None:
        payment = self._before_them(which)
        if payment is None:
            return
        if payment.method is Method.TRANSFER:
            await self._send_transfer(payment, short=which == "short")
        elif payment.method in IN_CHAT:
            await self._pay_invoice(payment, self.id)
        else:
            before = len(self._providers.entries(payment.id))
            await self._providers.press(payment, "pay")
            taken = len(self._providers.entries(payment.id)) - before
            if taken and payment.id in self._closed and payment.method in STRIPE:
                self._broken("a page that was closed took money")

    async def _pay_invoice(self, payment: Payment, payer: int) -> None:
        """Rule 5: what the store knows can't be paid is not."""
        async with self._place.database.read() as tx:
            attempt = await tx.payments.get(payment.id)
            order = await tx.orders.get(payment.order_id) if payment.order_id else None
        due = attempt is not None and attempt.state in _OPEN
        due = due and (order is None or order.state is OrderState.AWAITING_PAYMENT)
        due = due and payer == self.id and not self._altered
        said = await self._providers.pay_invoice(payment, payer, altered=self._altered)
        self._count(f"invoice {said}")
        if said == "paid" and not due:
            self._broken("an invoice was paid that the store knew was not to be")

    async def _decline(self, which: str) -> None:
        payment = self._before_them(which)
        if payment is None:
            return
        if payment.method in PAGES:
            await self._providers.press(payment, "decline")
        elif payment.method in IN_CHAT:
            person = self._place.world.people[self.id]
            had, person.stars = person.stars, 0
            await self._providers.pay_invoice(payment, self.id, declined=True)
            person.stars = had

    async def _alter(self, _: str) -> None:
        """Somebody's mistake: the page, or the invoice, is of another amount than ours."""
        payment = self._before_them("")
        self._altered = True
        if payment is not None:
            self._providers.alter(payment)

    async def _cancel(self, _: str) -> None:
        if self.orders:
            subject = self.orders[-1]
            await self._alive(lambda p: p.paying.cancel(subject, self.id))
            self.given_up.setdefault(subject, self._place.clock.now())
        elif self.deposits:
            subject = self.deposits[-1]
            await self._alive(lambda p: p.deposits.cancel(subject, self.id))

    async def _check(self, _: str) -> None:
        subject = (self.orders or self.deposits)[-1:]
        if subject:
            await self._alive(lambda p: p.paying.check(subject[0], self.id))

    async def stranger_pays(self, payment: Payment) -> None:
        """Somebody else has got at the invoice."""
        await self._pay_invoice(payment, STRANGER)

    # ---- what is in our own store ------------------------------------------------------------

    async def _both(self, what: Callable[[Process, str], Awaitable[Order]]) -> None:
        """Two taps at once, which two processes take."""
        first, second = self._place.process, self._place.born()
        taps = (what(first, self.orders[-1]), what(second, self.orders[-2]))
        for answer in await asyncio.gather(*taps, return_exceptions=True):
            if isinstance(answer, Refused):
                self._count(f"refused: {answer.reason}")
            elif isinstance(answer, Exception):
                self._broken(f"a tap failed: {answer!r}")
        await second.close()

    async def _spend(self, which: str) -> None:
        if which == "both" and len(self.orders) > 1:
            await self._both(lambda p, order: p.till.spend(order, self.id))
        elif self.orders:
            subject = self.orders[-1]
            await self._alive(lambda p: p.paying.close_others(subject, self.id, Method.WALLET))
            await self._alive(lambda p: p.till.spend(subject, self.id))

    async def _redeem(self, which: str) -> None:
        if which == "both" and len(self.orders) > 1:
            await self._both(lambda p, order: p.till.redeem(order, self.id, self._code))
        elif self.orders:
            subject = self.orders[-1]
            await self._alive(lambda p: p.paying.close_others(subject, self.id, Method.VOUCHER))
            await self._alive(lambda p: p.till.redeem(subject, self.id, self._code))

    async def _unspent(self, _: str) -> None:
        found = await self._place.alive(lambda p: p.deposits.unspent(self.id))
        if found:
            back = found[0].payment.id
            await self._alive(lambda p: p.deposits.give_back(back, self.id))

    async def _ask_back(self, _: str) -> None:
        if self.orders:
            subject, update = self.orders[0], self.update()
            await self._alive(
                lambda p: p.requesting.ask(subject, self.id, Why.OTHER, "", update)
            )  # fmt: skip

    # ---- at the counter ----------------------------------------------------------------------

    async def _cash(self, which: str) -> None:
        """The shop takes the price and gives a receipt; "again" and "both" write one receipt's
        number for two orders."""
        if not self.orders:
            return
        if which == "both" and len(self.orders) > 1:
            self._receipts = dict.fromkeys(self.orders[-2:], f"C{self.id}")
            await self._both(lambda p, order: self._taken(p, order, self.update()))
            return
        order, update = self.orders[-1], self.update()
        if which == "again":
            self._receipts[order] = self._receipts[self.orders[0]]
        self._receipts.setdefault(order, f"C{self.id}-{len(self._receipts)}")
        await self._alive(lambda p: self._taken(p, order, update))

    async def _taken(self, process: Process, order_id: str, update: int) -> Order:
        async with self._place.database.read() as tx:
            order = await tx.orders.get(order_id)
        assert order is not None
        number = self._receipts[order_id]
        paid = await process.assisting.cash(OPERATOR, order.quote_id, number, update)
        self._providers.took(paid, number)
        return paid

    # ---- transfers ---------------------------------------------------------------------------

    async def _send_transfer(self, payment: Payment, *, short: bool) -> None:
        if not any(one.reference == payment.id for one in self._providers.bank):
            minor = payment.amount.minor - (500 if short else 0)
            self._providers.bank.append(transferred(payment, minor, self._place.clock.now()))
        await self._prove("")

    async def _prove(self, which: str) -> None:
        """Hand in a picture: of the transfer, of none, or the one that was shown before."""
        payment = self._before_them("")
        if payment is None or payment.method is not Method.TRANSFER:
            return
        if which != "again" or self._picture is None:
            shades = f"{self._rng.getrandbits(64):016x}"
            self._picture = Picture(
                f"f{shades}", True, f"{self._rng.getrandbits(256):064x}", shades
            )
        picture, update = self._picture, self.update()
        await self._alive(lambda p: p.transfers.hand_in(payment.id, self.id, picture, None, update))

    # ---- at the provider, without us ---------------------------------------------------------

    async def _outside(self, _: str) -> None:
        taken = [one for one in self.entries() if one.method not in _UNTOLD]
        if taken:
            entry = taken[0]
            part = self._rng.random() < 0.4
            minor = self._rng.randint(1, entry.amount.minor) if part else entry.amount.minor
            back = self._providers.give_back(entry, minor)
            self.outside[entry.id] = self.outside.get(entry.id, 0) + back
            self._count("sent back outside" if back else "nothing to send back outside")

    async def _dispute(self, _: str) -> None:
        taken = self.entries()
        if taken and self._providers.doubt(taken[0], on=True):
            self._count("disputes")


def _subject(payment: Payment) -> str:
    return payment.order_id or payment.deposit_id or ""
