"""A customer's wallet: what is in it, putting money in, and getting unspent money back.

A deposit is paid by an attempt like an order, through any provider or by transfer; what a
provider takes for it is credited by the till, whatever the amount and however late.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.domain import ledger as books
from bot.domain.ledger import Deposit, Line, Overdrawn
from bot.domain.money import Money
from bot.domain.orders import PaymentState
from bot.domain.quotes import LIFETIME, totals
from bot.domain.sales import IN_STORE, Method, Payment, Refund
from bot.ports import AuditRow, Bill, Clock, PaymentMethod, Returns, Store, Tx
from bot.services import ledger, notices
from bot.services.ids import new_id
from bot.services.paying import Paying
from bot.services.refunds import Refunds
from bot.services.selling import Refused, Selling, offered
from bot.services.work import Worker

log = structlog.get_logger()

OPEN = (PaymentState.CREATED, PaymentState.PENDING)
_NOT_INTO_WALLETS = IN_STORE - {Method.TRANSFER}
_MOST_DIGITS = 12
"""Of an amount in minor units; beyond it a slip of the finger is meant, not money."""
_RETURNABLE = 20


@dataclass(frozen=True, slots=True)
class Purse:
    """A wallet as its owner sees it, newest movements first."""

    balances: tuple[Money, ...]
    lines: tuple[Line, ...]
    returnable: bool
    """Whether some top-up can be sent back."""
    held: tuple[Money, ...] = ()
    """What of disputed top-ups can't be spent now."""


@dataclass(frozen=True, slots=True)
class Unspent:
    """A top-up that can go back: `credited` leaves the wallet, `returned` is sent."""

    payment: Payment
    credited: Money
    returned: Money


class Deposits:
    """Wallets, as customers use them. `methods` are those that a provider stands behind."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        selling: Selling,
        methods: Mapping[Method, PaymentMethod],
        paying: Paying,
        refunds: Refunds,
    ) -> None:
        self._store = store
        self._clock = clock
        self._selling = selling
        self._methods = methods
        self._paying = paying
        self._refunds = refunds
        self.rings: list[Worker] = []

    # ---- looking -------------------------------------------------------------------------

    async def purse(self, chat_id: int, lines: int = 10) -> Purse:
        """What is in the wallet, and its last movements."""
        account = books.wallet(chat_id)
        async with self._store.read() as tx:
            return Purse(
                tuple(await tx.ledger.balances(account)),
                tuple(await tx.ledger.history(account, lines)),
                bool(await self._unspent(tx, chat_id)),
                tuple(await _held(tx, chat_id)),
            )

    async def balance(self, chat_id: int, currency: str) -> Money | None:
        """What can be spent in a currency; None where the shop has no wallets."""
        if Method.WALLET not in self._selling.terms:
            return None
        async with self._store.read() as tx:
            return await tx.ledger.balance(books.wallet(chat_id), currency)

    # ---- putting money in ----------------------------------------------------------------

    async def open(self, chat_id: int, amount: Money, message_id: int | None) -> Deposit:
        """A deposit that waits for money, with what each way to pay charges, frozen.

        Raises Refused "method_off" and "amount_out_of_range".
        """
        if Method.WALLET not in self._selling.terms:
            raise Refused("method_off")
        if amount.minor <= 0 or len(str(amount.minor)) > _MOST_DIGITS:
            raise Refused("amount_out_of_range")
        now = self._clock.now()
        async with self._store.write() as tx:
            selling = await offered(tx, self._selling, now)
            terms = {m: term for m, term in selling.terms.items() if m not in _NOT_INTO_WALLETS}
            deposit = Deposit(
                id=new_id(),
                chat_id=chat_id,
                amount=amount,
                totals=totals(amount, terms, selling.rates),
                created_at=now,
                expires_at=now + LIFETIME,
                message_id=message_id,
            )
            await tx.deposits.add(deposit)
        return deposit

    async def pay(self, deposit_id: str, chat_id: int, method: Method, bill: Bill) -> Payment:
        """Open (or reopen) an attempt and show what to pay; another method's is closed first.

        Raises Refused, PaymentUnavailable and PaymentRefused as `Paying.pay` does.
        """
        if method not in self._methods:
            raise Refused("method_off")
        await self._paying.close_others(deposit_id, chat_id, method)
        now = self._clock.now()
        async with self._store.write() as tx:
            deposit = await payable(tx, deposit_id, chat_id, now)
            total = deposit.total(method)
            if total is None:
                raise Refused("method_off")
            payment = await attempt(tx, deposit, method, total.amount, now)
        return await self._paying.show(payment, bill)

    async def cancel(self, deposit_id: str, chat_id: int) -> None:
        """The customer gives it up; its provider is told first. What was paid is credited."""
        async with self._store.read() as tx:
            deposit = await tx.deposits.get(deposit_id)
        if deposit is None or deposit.chat_id != chat_id:
            raise Refused("unknown")
        await self._end(deposit, PaymentState.CANCELLED, given_up=True)

    async def expire_due(self) -> None:
        """End deposits that nobody pays; money that comes later is credited all the same."""
        async with self._store.read() as tx:
            over = await tx.deposits.expiring(self._clock.now(), 100)
        for deposit in over:
            if await self._end(deposit, PaymentState.EXPIRED, given_up=False):
                async with self._store.write() as tx:
                    news = notices.deposit_moved(deposit.id, deposit.chat_id, "expired")
                    await tx.outbox.add(news)
        if over:
            self._ring()

    async def next_expiry(self) -> datetime | None:
        """When the next deposit may expire."""
        async with self._store.read() as tx:
            return await tx.deposits.next_expiring()

    async def _end(self, deposit: Deposit, state: PaymentState, *, given_up: bool) -> bool:
        async with self._store.read() as tx:
            attempts = await tx.payments.of_deposit(deposit.id)
        closed = await self._paying.close(attempts, given_up=given_up)
        long_over = self._clock.now() - deposit.expires_at > LIFETIME
        if not (closed or given_up or long_over):
            return False  # asked again with the next tick
        now = self._clock.now()
        async with self._store.write() as tx:
            current = await tx.deposits.get(deposit.id)
            if current is None or current.paid_at is not None or current.ended_at is not None:
                return False
            await tx.deposits.set(deposit.id, ended_at=now)
            for one in await tx.payments.of_deposit(deposit.id):
                if one.state in OPEN:
                    await tx.payments.move(one.id, one.state, state, "ended", now)
        return True

    # ---- getting it back -----------------------------------------------------------------

    async def unspent(self, chat_id: int) -> list[Unspent]:
        """Top-ups that can go back to where they were paid from, newest first."""
        async with self._store.read() as tx:
            return await self._unspent(tx, chat_id)

    async def give_back(
        self, payment_id: str, chat_id: int, operator_id: int | None = None
    ) -> Refund:
        """Send an unspent top-up back: it leaves the wallet in the same transaction in which the
        refund is committed to, so that it can't be spent meanwhile.

        Raises Refused "deposit_spent" when there is no longer enough, or it goes back already;
        "nothing_waits" when `operator_id`, who wishes so, is no operator.
        """
        if operator_id is not None and operator_id not in self._selling.operators:
            raise Refused("nothing_waits")
        now, who = self._clock.now(), "customer" if operator_id is None else "operator"
        try:
            async with self._store.write() as tx:
                found = [u for u in await self._unspent(tx, chat_id) if u.payment.id == payment_id]
                if not found:
                    raise Refused("deposit_spent")
                one = found[0]
                refund = await self._refunds.begin(tx, one.payment, one.returned, who)
                if refund is None:
                    raise Refused("deposit_spent")
                out = books.pay_out(one.payment, refund.id, one.credited, one.returned, now)
                await tx.ledger.post(out)
                if operator_id is not None:  # else the customer looks at it
                    deposit_id = one.payment.deposit_id or ""
                    await tx.outbox.add(notices.deposit_moved(deposit_id, chat_id, refund.id))
                    actor, details = f"operator:{operator_id}", {"refund": refund.id}
                    row = AuditRow(now, actor, "deposit_returned", f"chat:{chat_id}", details)
                    await tx.audit.add(row)
        except Overdrawn:
            raise Refused("deposit_spent") from None
        log.info("deposit_goes_back", payment=payment_id)
        self._refunds.worker.ring()
        self._ring()
        return refund

    async def _unspent(self, tx: Tx, chat_id: int) -> list[Unspent]:
        found = []
        for deposit in await tx.deposits.paid_of(chat_id, _RETURNABLE):
            for payment in await tx.payments.of_deposit(deposit.id):
                one = await self._goes_back(tx, payment)
                if one is not None:
                    found.append(one)
        return found

    async def _goes_back(self, tx: Tx, payment: Payment) -> Unspent | None:
        """All of it while all of it is there; a part of it where the provider returns parts."""
        captured = payment.captured
        added = await ledger.credited(tx, payment)
        if captured is None or added is None or payment.state is not PaymentState.CAPTURED:
            return None
        if payment.going_back:
            return None
        left = await tx.ledger.balance(books.wallet(payment.chat_id), added.currency)
        provider = self._methods.get(payment.method)
        parts = provider is None or provider.capabilities.returns is Returns.PART
        if parts and added.currency == captured.currency:
            back = min(left, added)  # the fee stays where it was paid
            return Unspent(payment, back, back) if back.minor > 0 else None
        return Unspent(payment, added, captured) if added <= left else None

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


async def _held(tx: Tx, chat_id: int) -> list[Money]:
    """What is held of each disputed top-up."""
    disputed = await tx.payments.in_states([PaymentState.DISPUTED])
    found = [await ledger.held(tx, one) for one in disputed if one.chat_id == chat_id]
    return [amount for amount in found if amount is not None]


async def payable(tx: Tx, deposit_id: str, chat_id: int, now: datetime) -> Deposit:
    """The chat's deposit if it may be paid now. Raises Refused with the reason."""
    deposit = await tx.deposits.get(deposit_id)
    if deposit is None or deposit.chat_id != chat_id:
        raise Refused("unknown")
    if deposit.paid_at is not None:
        raise Refused("already_paid")
    if not deposit.waits(now):
        raise Refused("quote_expired")
    return deposit


async def attempt(
    tx: Tx, deposit: Deposit, method: Method, amount: Money, now: datetime
) -> Payment:
    """One open attempt per deposit: the same method's is used again, another's cancelled."""
    for payment in await tx.payments.of_deposit(deposit.id):
        if payment.state not in OPEN:
            continue
        if payment.method is method and payment.amount == amount:
            return payment
        await tx.payments.move(
            payment.id, payment.state, PaymentState.CANCELLED, "method_changed", now
        )
    payment = Payment(
        id=f"{deposit.id}-{new_id(6)}",
        order_id=None,
        deposit_id=deposit.id,
        chat_id=deposit.chat_id,
        method=method,
        state=PaymentState.CREATED,
        amount=amount,
        created_at=now,
    )
    await tx.payments.add(payment)
    return payment
