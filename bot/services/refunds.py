"""Money that goes back: surplus charges, orders that surely were not delivered, decisions.

Every return is a row, committed before anybody is called, with an id that the provider is given:
asked again after a crash it returns the same money once. What goes back of one charge never adds
up to more than was captured, whatever the provider would allow.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState
from bot.domain.sales import IN_STORE, Method, Order, Payment, Refund
from bot.ports import (
    Clock,
    PaymentMethod,
    PaymentRefused,
    PaymentUnavailable,
    Return,
    Returns,
    Store,
    Tx,
)
from bot.services import benefits, earnings, ledger, notices
from bot.services.ids import new_id
from bot.services.selling import Selling, tell_operators
from bot.services.work import Worker

log = structlog.get_logger()

STUCK_AFTER = timedelta(minutes=10)
"""A refund that is due for longer is shown to a person; it goes on being tried."""

_HELD = (PaymentState.CAPTURED, PaymentState.MISMATCH)
_AGAIN = (30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between tries."""
_BATCH = 50


class Refunds:
    """The refund job."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        payments: Mapping[Method, PaymentMethod],
        selling: Selling,
    ) -> None:
        self._store = store
        self._clock = clock
        self._payments = payments
        self._selling = selling
        self.worker = Worker("refunds", self._run)
        self.rings: list[Worker] = []

    async def next_due(self) -> datetime | None:
        """When the next refund is tried."""
        async with self._store.read() as tx:
            return await tx.refunds.next_due()

    @property
    def parts(self) -> frozenset[Method]:
        """Methods of which a part can go back: through the provider, in our store, or by hand."""
        able = {name: method.capabilities.returns for name, method in self._payments.items()}
        whole = {name for name, returns in able.items() if returns is Returns.WHOLE}
        return frozenset((IN_STORE | able.keys()) - whole - {Method.VOUCHER})

    async def begin(self, tx: Tx, payment: Payment, amount: Money, reason: str) -> Refund | None:
        """Commit to sending `amount` of a captured payment back; None when that would be more
        than was captured. What is in our own store goes back at once."""
        now = self._clock.now()
        if amount.minor <= 0 or not await tx.payments.reserve(payment.id, amount.minor):
            return None
        await earnings.returned(tx, payment.order_id, now)
        refund = Refund(
            id=f"{payment.id}-r{new_id(6)}",
            payment_id=payment.id,
            state=RefundState.DUE,
            amount=amount,
            reason=reason,
            created_at=now,
            next_at=now,
        )
        await tx.refunds.add(refund)
        if payment.method is Method.VOUCHER:
            voucher = await tx.vouchers.of_order(payment.order_id) if payment.order_id else None
            if voucher is not None:
                await tx.vouchers.release(voucher.id)
            await done(tx, refund, now)
        elif payment.method is Method.WALLET:
            await ledger.give_back(tx, payment, refund.id, amount, now)
            await done(tx, refund, now)
        elif not self._returns(payment, amount):
            await tx.refunds.move(
                refund.id, RefundState.DUE, RefundState.BY_HAND, "no_provider", now, next_at=None
            )
            await tell_operators(
                tx, self._selling, f"refund:{refund.id}", "refund_by_hand", amount=amount
            )
        return refund

    def _returns(self, payment: Payment, amount: Money) -> bool:
        """Whether a provider can send it back."""
        method = self._payments.get(payment.method)
        if method is None:
            return payment.method not in IN_STORE  # switched off for now: it is tried again
        able = method.capabilities.returns
        return able is Returns.PART or (able is Returns.WHOLE and amount == payment.captured)

    # ---- the job -------------------------------------------------------------------------

    async def _run(self) -> None:
        async with self._store.read() as tx:
            surplus = await tx.payments.surplus()
            due = await tx.orders.in_states([OrderState.REFUND_DUE])
        for payment in surplus:
            async with self._store.write() as tx:
                await self._give_back_rest(tx, payment.id, "surplus")
        for order in due:
            await self._begin_order(order)
        await self._send_due()
        async with self._store.read() as tx:
            refunding = await tx.orders.in_states([OrderState.REFUNDING])
        for order in refunding:
            await self._end_order(order)
        if surplus or due or refunding:
            for worker in self.rings:
                worker.ring()

    async def _give_back_rest(self, tx: Tx, payment_id: str, reason: str) -> None:
        """Whatever of a captured payment does not go back yet."""
        payment = await tx.payments.get(payment_id)
        if payment is None or payment.captured is None or payment.state not in _HELD:
            return
        rest = Money(payment.captured.minor - payment.going_back, payment.captured.currency)
        await self.begin(tx, payment, rest, reason)

    async def _begin_order(self, order: Order) -> None:
        """Everything that was captured for an order. What arrives later is surplus."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if not await tx.orders.move(
                order.id, OrderState.REFUND_DUE, OrderState.REFUNDING, order.reason or "refunding",
                now,
            ):  # fmt: skip
                return  # somebody has settled it
            for payment in await held(tx, order):
                await self._give_back_rest(tx, payment.id, order.reason or "order")

    async def _end_order(self, order: Order) -> None:
        """All of it is back: the order has ended, and the customer hears so."""
        now = self._clock.now()
        async with self._store.write() as tx:
            for payment in await held(tx, order):
                await self._give_back_rest(tx, payment.id, "order")  # it came meanwhile
            if await held(tx, order):
                return
            if await tx.orders.move(
                order.id, OrderState.REFUNDING, OrderState.REFUNDED, "returned", now
            ):
                await benefits.release(tx, order.id, now, refunded=True)
                await tx.outbox.add(
                    notices.order_moved(order.id, order.chat_id, OrderState.REFUNDED)
                )
                for news in notices.order_ended(order, now):
                    await tx.outbox.add(news)

    async def _send_due(self) -> None:
        while not self.worker.stopping:
            async with self._store.read() as tx:
                due = await tx.refunds.due(self._clock.now(), _BATCH)
            if not due:
                return
            for refund in due:
                await self._send(refund)

    async def _send(self, refund: Refund) -> None:
        """One try. Its next time is committed first, so that a crash only delays it."""
        now = self._clock.now()
        wait = timedelta(seconds=_AGAIN[min(refund.tries, len(_AGAIN) - 1)])
        async with self._store.write() as tx:
            payment = await tx.payments.get(refund.payment_id)
            await tx.refunds.set(refund.id, next_at=now + wait, tries=refund.tries + 1)
            if refund.state is RefundState.DUE:
                await tx.refunds.move(
                    refund.id, RefundState.DUE, RefundState.SENDING, "sending", now
                )
            if payment is not None and now - refund.created_at > STUCK_AFTER:
                await tell_operators(tx, self._selling, subject(payment), "refund_due")
        if payment is None:
            return
        answer = await self._provider_returns(payment, refund)
        async with self._store.write() as tx:
            current = await tx.refunds.get(refund.id)
            if current is None:
                return
            if answer is Return.DONE:
                await done(tx, current, self._clock.now())
            elif answer is None and current.state is RefundState.SENDING:
                await tx.refunds.move(
                    refund.id, RefundState.SENDING, RefundState.BY_HAND, "refused", now,
                    next_at=None,
                )  # fmt: skip
                await tell_operators(
                    tx, self._selling, f"refund:{refund.id}", "refund_by_hand",
                    amount=refund.amount,
                )  # fmt: skip
        for worker in self.rings:
            worker.ring()

    async def _provider_returns(self, payment: Payment, refund: Refund) -> Return | None:
        """The provider's word; PENDING when there is none, None when it refuses for good."""
        method = self._payments.get(payment.method)
        if method is None:
            log.error("refund_method_off", method=payment.method, payment=payment.id)
            return Return.PENDING
        try:
            return await method.refund(payment, refund)
        except PaymentUnavailable as error:
            log.warning("refund_failed", payment=payment.id, detail=str(error))
        except PaymentRefused as error:
            log.warning("refund_refused", payment=payment.id, detail=error.reason)
            return None if error.final else Return.PENDING
        except Exception:
            # A defect at one provider must not hold up what others can return.
            log.exception("refund_crashed", payment=payment.id)
        return Return.PENDING


async def done(tx: Tx, refund: Refund, now: datetime, actor: str = "bot") -> bool:
    """The money is back; with the last of it the payment ends. False when it was done before."""
    if not await tx.refunds.move(
        refund.id, refund.state, RefundState.DONE, "returned", now, next_at=None, done_at=now,
        actor=actor,
    ):  # fmt: skip
        return False
    request = await tx.requests.by_refund(refund.id)
    if request is not None:
        await tx.outbox.add(notices.request_moved(request, "returned"))
        step = f"back:{request.id}"
        await tx.outbox.add(
            notices.order_moved(request.order_id, request.chat_id, OrderState.FULFILLED, step)
        )
    payment = await tx.payments.get(refund.payment_id)
    if payment is None or payment.captured is None:
        return True
    whole = payment.going_back >= payment.captured.minor
    for other in await tx.refunds.of_payment(payment.id):
        whole = whole and other.state is RefundState.DONE
    if whole and payment.state in (*_HELD, PaymentState.DISPUTED):
        await tx.payments.move(
            payment.id, payment.state, PaymentState.REFUNDED, "returned", now, actor=actor
        )
        await _tell_surplus(tx, payment)
    await benefits.went_back(tx, payment, now)
    return True


async def _tell_surplus(tx: Tx, payment: Payment) -> None:
    """A charge beyond the price is back: its payer hears so; an order's own end tells by itself."""
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    if order is not None and order.state not in (OrderState.REFUND_DUE, OrderState.REFUNDING):
        await tx.outbox.add(
            notices.order_moved(order.id, payment.chat_id, OrderState.REFUNDED, payment.id)
        )


def subject(payment: Payment) -> str:
    """What an operator is shown of it."""
    return f"order:{payment.order_id}" if payment.order_id else f"payment:{payment.id}"


async def held(tx: Tx, order: Order) -> list[Payment]:
    """Payments of an order whose money is with us."""
    return [paid for paid in await tx.payments.of_order(order.id) if paid.state in _HELD]
