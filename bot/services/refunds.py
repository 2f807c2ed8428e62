"""Money that goes back: surplus charges and orders that surely were not delivered.

The intent (`refunding`) is committed before the provider is called, and the provider refunds one
charge once, so a repeat after a crash is harmless.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.orders import OrderState, PaymentState
from bot.domain.sales import Method, Order, Payment
from bot.ports import Clock, Notice, PaymentMethod, PaymentUnavailable, Store, Tx
from bot.services import notices
from bot.services.selling import Selling, tell_operators
from bot.services.work import Worker

log = structlog.get_logger()

STUCK_AFTER = timedelta(minutes=10)
"""A refund that is due for longer is shown to a person; it goes on being tried."""


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

    async def _run(self) -> None:
        async with self._store.read() as tx:
            surplus = await tx.payments.surplus()
            due = await tx.orders.in_states([OrderState.REFUND_DUE, OrderState.REFUNDING])
        for payment in surplus:
            await self._refund_surplus(payment)
        for order in due:
            await self._refund_order(order)
        if surplus or due:
            for worker in self.rings:
                worker.ring()

    async def _refund_surplus(self, payment: Payment) -> None:
        told = notices.order_moved(
            payment.order_id, payment.chat_id, OrderState.REFUNDED, payment.id
        )
        since = payment.captured_at or payment.created_at
        if not await self._give_back(payment, told) and self._stuck(since):
            async with self._store.write() as tx:
                await tell_operators(tx, self._selling, f"payment:{payment.id}", "refund_due")

    async def _refund_order(self, order: Order) -> None:
        """Everything that was captured for an order. What arrives meanwhile is for the next run."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if order.state is OrderState.REFUND_DUE and not await tx.orders.move(
                order.id, OrderState.REFUND_DUE, OrderState.REFUNDING, "refunding", now
            ):
                return  # somebody has settled it
            held = await _held(tx, order)
        for payment in held:
            await self._give_back(payment)
        async with self._store.write() as tx:
            if await _held(tx, order):
                if self._stuck(order.paid_at or order.created_at):
                    await tell_operators(tx, self._selling, f"order:{order.id}", "refund_due")
            elif await tx.orders.move(
                order.id, OrderState.REFUNDING, OrderState.REFUNDED, "returned", now
            ):
                await tx.outbox.add(
                    notices.order_moved(order.id, order.chat_id, OrderState.REFUNDED)
                )
                for news in notices.order_ended(order, now):
                    await tx.outbox.add(news)

    async def _give_back(self, payment: Payment, told: Notice | None = None) -> bool:
        """One charge, wholly. False when the provider could not be asked; it is tried again."""
        if payment.method is not Method.VOUCHER and not await self._provider_returns(payment):
            return False
        async with self._store.write() as tx:
            if not await tx.payments.move(
                payment.id, payment.state, PaymentState.REFUNDED, "returned", self._clock.now()
            ):
                return True  # somebody was faster
            voucher = await tx.vouchers.of_order(payment.order_id)
            if payment.method is Method.VOUCHER and voucher is not None:
                await tx.vouchers.release(voucher.id)
            if told is not None:
                await tx.outbox.add(told)
        return True

    async def _provider_returns(self, payment: Payment) -> bool:
        method = self._payments.get(payment.method)
        if method is None:
            log.error("refund_method_off", method=payment.method, payment=payment.id)
            return False
        try:
            await method.refund(payment)
        except PaymentUnavailable as error:
            log.warning("refund_failed", payment=payment.id, detail=str(error))
            return False
        except Exception:
            # A defect at one provider must not hold up what others can return.
            log.exception("refund_crashed", payment=payment.id)
            return False
        return True

    def _stuck(self, since: datetime) -> bool:
        return self._clock.now() - since > STUCK_AFTER


async def _held(tx: Tx, order: Order) -> list[Payment]:
    """Payments of an order whose money is with us."""
    states = (PaymentState.CAPTURED, PaymentState.MISMATCH)
    return [paid for paid in await tx.payments.of_order(order.id) if paid.state in states]
