"""What the payments' fault harness promises, checked by the providers', the supplier's and our
own books: provider's charges and refunds × payments × orders × top-ups × wallets × messages."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.domain import ledger
from bot.domain.orders import OrderState, PaymentState, RefundState
from bot.domain.points import gone
from bot.domain.sales import IN_STORE, Method, Order, Payment, Refund
from bot.services.ledger import held
from tests.faults.payment_customer import Customer
from tests.faults.payment_providers import IN_CHAT, Entry
from tests.faults.payment_script import Script
from tests.faults.payment_town import House
from tests.harness import Report

_S, _P = OrderState, PaymentState
_TAKEN = frozenset({_P.CAPTURED, _P.MISMATCH, _P.REFUNDED, _P.DISPUTED})
_OPEN = frozenset({_P.CREATED, _P.PENDING})
_UNPAID = frozenset({_S.QUOTED, _S.EXPIRED, _S.CANCELLED})
_RESTING = frozenset({_S.FULFILLED, _S.REFUNDED, _S.EXPIRED, _S.CANCELLED})
_SEEN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Books:
    """Our own, of one customer."""

    orders: list[Order]
    payments: list[Payment]
    refunds: dict[str, list[Refund]]
    told: list[str]

    def of(self, order: Order) -> list[Payment]:
        """The order's payments that took money."""
        return [one for one in self.payments if one.order_id == order.id and one.state in _TAKEN]


class Judge:
    """Compares the books, and says what does not hold."""

    def __init__(
        self, place: House, customer: Customer, script: Script, report: Report,
        broken: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._place, self._customer, self._script = place, customer, script
        self._report, self._broken = report, broken
        self._calm = not script.troubles
        self.accepted: set[str] = set()
        """Orders whose wrong amount a person took as the price."""
        self.approved: set[str] = set()
        """Orders whose money a person sent back because its customer asked."""
        self.parts: dict[str, int] = {}
        """Parts that a person sent back, by order."""
        self._done: dict[str, int] = {}

    async def _books(self) -> Books:
        async with self._place.database.read() as tx:
            orders = await tx.orders.of_chat(self._customer.id, 50)
            payments = [one for order in orders for one in await tx.payments.of_order(order.id)]
            for deposit in self._customer.deposits:
                payments += await tx.payments.of_deposit(deposit)
            refunds = {one.id: await tx.refunds.of_payment(one.id) for one in payments}
        self._done = {
            name: sum(one.amount.minor for one in rows if one.state is RefundState.DONE)
            for name, rows in refunds.items()
        }
        told = self._place.glance.told(self._customer.id)
        return Books(orders, payments, refunds, told)

    # ---- while it goes on --------------------------------------------------------------------

    async def looks(self) -> None:
        """Rule 2: one attempt is open at a time."""
        async with self._place.database.read() as tx:
            for order in self._customer.orders:
                attempts = await tx.payments.of_order(order)
                if sum(one.state in _OPEN for one in attempts) > 1:
                    self._broken("two attempts are open at once")

    async def held(self, queued: set[str]) -> None:
        """Money that has come to no end is in the queue."""
        books = await self._books()
        for order in books.orders:
            held = any(one.state is not _P.REFUNDED for one in books.of(order))
            since = order.paid_at or order.created_at
            young = self._place.clock.now() - since <= _SEEN_AFTER
            waits = order.state in (_S.NEEDS_OPERATOR, _S.REFUND_DUE, _S.REFUNDING)
            if waits and held and not young and order.id not in queued:
                self._broken(f"held and not in the queue: {order.state}/{order.reason}")
            if waits:
                self._report.count(f"{self._script.method}: held when faults ended")

    async def quiet(self) -> bool:
        """Whether everything has come to its end."""
        async with self._place.database.read() as tx:
            due = [await tx.topups.next_due(), await tx.refunds.next_due()]
            orders = await tx.orders.of_chat(self._customer.id, 50)
            surplus = await tx.payments.surplus()
        if any(due) or surplus or any(one.state not in _RESTING for one in orders):
            return False
        return not await self._place.alive(lambda p: p.desk.queue())

    # ---- in the end --------------------------------------------------------------------------

    async def ends(self) -> None:
        """All promises at once."""
        books, entries = await self._books(), self._customer.entries()
        self._known(books, entries)
        for order in books.orders:
            self._order(books, order, entries)
        await self._frozen(books)
        self._told(books)
        self._sums(books, entries)
        await self._wallet(books)
        self._voucher(books)
        await self._benefits(books)

    def _known(self, books: Books, entries: list[Entry]) -> None:
        """Each charge there is one of ours, of the same amount, and the same went back of it."""
        ours = {one.charge_id: one for one in books.payments if one.charge_id}
        theirs = {one.id: one for one in entries}
        for entry in entries:
            payment = ours.get(entry.id)
            if payment is None or payment.state not in _TAKEN:
                self._broken(f"{entry.method} took {entry.amount}, and we do not know of it")
                continue
            if payment.captured != entry.amount:
                self._broken(f"we say {payment.captured} was taken, {entry.method} {entry.amount}")
            if entry.returned > entry.amount.minor:
                self._broken(f"more went back than was taken: {entry}")
            if entry.returned != self._done[payment.id]:
                text = f"we hold {self._done[payment.id]} as returned, {entry.method} says"
                self._broken(f"{text} {entry.returned} of {entry.amount}")
            if entry.method is Method.PAYPAL and entry.amount != payment.amount:
                self._broken("another amount than ours was captured at PayPal")
        for charge, payment in ours.items():
            if payment.method not in (Method.WALLET, Method.VOUCHER) and charge not in theirs:
                self._broken(f"{payment.method}: a charge that was never taken is held as captured")

    def _order(self, books: Books, order: Order, entries: list[Entry]) -> None:
        taken = books.of(order)
        kept = {
            one.id: one.captured.minor - self._done[one.id]
            for one in taken
            if one.captured is not None and one.captured.minor > self._done[one.id]
        }
        delivered = self._place.supplier.delivered(order.id)
        facts = f"{order.state}/{order.reason}; kept {kept}; delivered {delivered}"
        if delivered > 1:
            self._broken(f"two top-ups for one order: {facts}")
        if order.state is _S.FULFILLED and len(kept) > 1:
            self._broken(f"a double charge is kept: {facts}")
        if order.state is not _S.FULFILLED and kept:
            self._broken(f"captured money without an end: {facts}")
        if order.state not in _RESTING:
            self._broken(f"an order has come to no end: {facts}")
        if order.state is _S.FULFILLED and not delivered:
            self._broken(f"kept for nothing: {facts}")
        if delivered and order.state is not _S.FULFILLED and order.id not in self.approved:
            self._broken(f"a delivered order's money went back without a decision: {facts}")
        self._report.count(f"{order.method or self._script.method}: ended {order.state}")
        for one in taken:
            self._returned(order, one, facts)
        self._moments(books, order, entries)

    def _returned(self, order: Order, payment: Payment, facts: str) -> None:
        """Of what paid a delivered order only what a person decided went back, or the provider."""
        if order.state is not _S.FULFILLED or payment.method is not order.method:
            return
        if payment.captured is None or self._done[payment.id] >= payment.captured.minor:
            return
        allowed = self.parts.get(order.id, 0)
        allowed += self._customer.outside.get(payment.charge_id or "", 0)
        if self._done[payment.id] > allowed:
            self._broken(f"{self._done[payment.id]} went back, {allowed} was decided: {facts}")

    def _moments(self, books: Books, order: Order, entries: list[Entry]) -> None:
        """What was paid in time does not expire, and nothing is taken of who has given up."""
        given_up = self._customer.given_up.get(order.id)
        expired = any(key.startswith(f"order:{order.id}:expired") for key in books.told)
        for entry in entries:
            if not entry.reference.startswith(f"{order.id}-"):
                continue
            if given_up and entry.method is Method.PAYPAL and entry.at > given_up:
                self._broken("PayPal took the money of a customer who had given up")
            in_time = entry.at < order.expires_at and entry.method not in IN_CHAT
            in_store = entry.method in IN_STORE
            if self._calm and expired and in_time and not in_store and given_up is None:
                self._broken("an order expired that was paid in time")

    async def _frozen(self, books: Books) -> None:
        """Rule 1: exactly the total of the quote is charged, but for what a person accepted."""
        for order in books.orders:
            async with self._place.database.read() as tx:
                quote = await tx.quotes.get(order.quote_id)
            assert quote is not None
            if order.charge is None or order.method is None or order.id in self.accepted:
                continue
            total = quote.total(order.method)
            due = total.amount if total is not None else None
            due = quote.due if order.method is Method.CASH else due
            if order.state is _S.FULFILLED and due != order.charge:
                self._broken(f"{order.charge} was charged, not the frozen total")

    def _told(self, books: Books) -> None:
        """Whoever paid reads that it arrived, and how it ended."""
        for order in books.orders:
            keys = [key for key in books.told if key.startswith(f"order:{order.id}:")]
            states = {key.split(":")[2] for key in keys}
            if order.paid_at and not states & {"paid", "refund_due", "needs_operator"}:
                self._broken("a paid order's customer was told nothing")
            if order.state in (_S.FULFILLED, _S.REFUNDED) and order.state not in states:
                self._broken(f"the customer was not told of the end: {order.state}")
        for payment in books.payments:
            key = f"deposit:{payment.deposit_id}:{payment.id}"
            if payment.deposit_id and payment.state in _TAKEN and key not in books.told:
                self._broken("a wallet was filled and its owner told nothing")

    def _sums(self, books: Books, entries: list[Entry]) -> None:
        """captured = fulfilled + refunded + held, by method and currency, as providers saw it."""
        captured: Counter[str] = Counter()
        refunded: Counter[str] = Counter()
        fulfilled: Counter[str] = Counter()
        for entry in entries:
            line = f"{entry.method} {entry.amount.currency}"
            captured[line] += entry.amount.minor
            refunded[line] += entry.returned
        for one in books.payments:
            if one.captured is None or one.state not in _TAKEN:
                continue
            line = f"{one.method} {one.captured.currency}"
            if one.method in (Method.WALLET, Method.VOUCHER):
                captured[line] += one.captured.minor
                refunded[line] += self._done[one.id]
            if one.deposit_id is not None:
                fulfilled[line] += one.captured.minor - self._done[one.id]
        for order in books.orders:
            payer = self._payer(books, order)
            if payer is not None and order.charge is not None:
                line = f"{payer.method} {order.charge.currency}"
                fulfilled[line] += order.charge.minor - self._done[payer.id]
        for line, money in captured.items():
            self._report.count(f"{line}: captured", money)
            self._report.count(f"{line}: fulfilled", fulfilled[line])
            self._report.count(f"{line}: refunded", refunded[line])
            self._report.count(f"{line}: held", money - fulfilled[line] - refunded[line])
            if money != fulfilled[line] + refunded[line]:
                sums = f"{money} captured, {fulfilled[line]} fulfilled, {refunded[line]} refunded"
                self._broken(f"{line}: {sums}")

    def _payer(self, books: Books, order: Order) -> Payment | None:
        if order.state is not _S.FULFILLED:
            return None
        fits = [
            one for one in books.of(order)
            if one.method is order.method and one.captured == order.charge
        ]  # fmt: skip
        kept = [one for one in fits if one.state is not _P.REFUNDED]
        return next(iter([*kept, *fits]), None)

    async def _wallet(self, books: Books) -> None:
        """What stands in the wallet is what came in less what was spent or is disputed."""
        mine = ledger.wallet(self._customer.id)
        expected: Counter[str] = Counter()
        async with self._place.database.read() as tx:
            for one in books.payments:
                credited = await tx.ledger.posted(f"payment:{one.id}", mine)
                if credited is not None:
                    expected[credited.currency] += credited.minor
                for refund in books.refunds[one.id]:
                    back = await tx.ledger.posted(f"refund:{refund.id}", mine)
                    if back is not None:
                        expected[back.currency] += back.minor
                disputed = await held(tx, one)
                if disputed is not None:
                    expected[disputed.currency] -= disputed.minor
            balances = await tx.ledger.balances(mine)
        if any(one.minor < 0 for one in balances):
            self._broken(f"a wallet is overdrawn: {balances}")
        if self._customer.outside:
            return  # what was spent already of money that went back is the shop's loss
        standing = {one.currency: one.minor for one in balances}
        if standing != {name: minor for name, minor in expected.items() if minor}:
            self._broken(f"{standing} in a wallet, its movements say {dict(expected)}")

    def _voucher(self, books: Books) -> None:
        """The customer's one voucher pays one order."""
        paid = [one for one in books.orders if one.method is Method.VOUCHER]
        if sum(one.state is _S.FULFILLED for one in paid) > 1:
            self._broken("one voucher paid two orders")

    async def _benefits(self, books: Books) -> None:
        """Promos and points are with orders that were delivered, as far as their money stayed."""
        places = 0
        async with self._place.database.read() as tx:
            for order in books.orders:
                quote = await tx.quotes.get(order.quote_id)
                assert quote is not None
                held = sum(use.held for use in await tx.promos.of_order(order.id))
                points = sum(row.amount for row in await tx.points.of_order(order.id))
                places += held
                payer = self._payer(books, order)
                ends, earns = (len(quote.discounts), quote.earns) if payer else (0, 0)
                if payer is not None and payer.captured is not None:
                    earns -= gone(quote.earns, self._done[payer.id], payer.captured.minor)
                if order.id in self.accepted:
                    ends = min(held, ends)  # a person took its price, place or no place
                if (held, points) != (ends, earns):
                    self._broken(f"{held} places held, {points} points, of an order {order.state}; "
                                 f"not {ends} and {earns}")  # fmt: skip
            used = dict(await tx.promos.used(self._customer.id))
        if places > 1 or used.get("once", 0) != places:
            self._broken(f"{places} places held of one promo, {used} counted")
        self._report.count("orders with a code", places)
