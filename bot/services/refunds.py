"""Money that goes back: surplus charges and orders that surely were not delivered.

The intent (`refunding`) is committed before the provider is called, and the provider refunds one
charge once, so a repeat after a crash is harmless.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.orders import OrderState, PaymentState
from bot.domain.sales import Method, Order, Payment
from bot.ports import Clock, PaymentMethod, PaymentUnavailable, Store, Tx
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
            if await self._give_back(payment):
                async with self._store.write() as tx:
                    await tx.outbox.add(
                        notices.order_moved(
                            payment.order_id, payment.chat_id, OrderState.REFUNDED, payment.id
                        )
                    )
        for order in due:
            await self._refund_order(order)
        if surplus or due:
            for worker in self.rings:
                worker.ring()

    async def _refund_order(self, order: Order) -> None:
        now = self._clock.now()
        async with self._store.write() as tx:
            if order.state is OrderState.REFUND_DUE:
                await tx.orders.move(
                    order.id, OrderState.REFUND_DUE, OrderState.REFUNDING, "refunding", now
                )
            payments = await tx.payments.of_order(order.id)
        done = True
        for payment in payments:
            if payment.state in (PaymentState.CAPTURED, PaymentState.MISMATCH):
                done = await self._give_back(payment) and done
        async with self._store.write() as tx:
            if done:
                await tx.orders.move(
                    order.id, OrderState.REFUNDING, OrderState.REFUNDED, "returned", now
                )
                await tx.outbox.add(
                    notices.order_moved(order.id, order.chat_id, OrderState.REFUNDED)
                )
            elif _stuck(order, now):
                await tell_operators(tx, self._selling, f"order:{order.id}", "refund_due")

    async def _give_back(self, payment: Payment) -> bool:
        """One charge, wholly. False when the provider could not be asked; it is tried again."""
        if payment.method is Method.VOUCHER:
            async with self._store.write() as tx:
                voucher = await tx.vouchers.of_order(payment.order_id)
                if voucher is not None:
                    await tx.vouchers.release(voucher.id)
                await self._returned(tx, payment)
            return True
        method = self._payments.get(payment.method)
        if method is None:
            log.error("refund_method_off", method=payment.method, payment=payment.id)
            return False
        try:
            await method.refund(payment)
        except PaymentUnavailable as error:
            log.warning("refund_failed", payment=payment.id, detail=str(error))
            return False
        async with self._store.write() as tx:
            await self._returned(tx, payment)
        return True

    async def _returned(self, tx: Tx, payment: Payment) -> None:
        await tx.payments.move(
            payment.id, payment.state, PaymentState.REFUNDED, "returned", self._clock.now()
        )


def _stuck(order: Order, now: datetime) -> bool:
    return now - (order.paid_at or order.created_at) > STUCK_AFTER
