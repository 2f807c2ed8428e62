"""Money arrives: checked before it is taken, taken over once, never dropped."""

from dataclasses import replace
from datetime import datetime

import structlog

from bot.domain.codes import digest
from bot.domain.money import Money
from bot.domain.orders import OPEN_ORDERS, RUNNING_ORDERS, OrderState, PaymentState, TopUpState
from bot.domain.plans import Plan
from bot.domain.sales import Method, Order, Payment, Saved, TopUp, Voucher, VoucherState
from bot.ports import Charge, Clock, Kept, Store, Tx
from bot.services import agreements, benefits, ledger, notices, outside
from bot.services.ids import new_id
from bot.services.planning import replan
from bot.services.selling import (
    Refused,
    Selling,
    close_order,
    holds,
    open_attempt,
    payable,
    tell_operators,
)
from bot.services.work import Worker

log = structlog.get_logger()

_CHARGED = frozenset(
    {
        PaymentState.CAPTURED,
        PaymentState.REFUNDED,
        PaymentState.MISMATCH,
        PaymentState.DISPUTED,
    }
)
"""States in which an attempt holds a charge already; another charge gets an attempt of its own."""

_NOT_OPEN = {
    OrderState.EXPIRED: "quote_expired",
    OrderState.CANCELLED: "cancelled",
    OrderState.REFUND_DUE: "not_waiting",
    OrderState.REFUNDING: "not_waiting",
    OrderState.REFUNDED: "not_waiting",
}
"""What a payer is told of an order that does not wait; any other one is paid already."""


class Till:
    """Captures: one transaction moves the payment, the order, the top-up job and the message."""

    def __init__(self, store: Store, clock: Clock, selling: Selling) -> None:
        self._store = store
        self._clock = clock
        self._selling = selling
        self.rings: list[Worker] = []
        """Workers to wake when money has arrived."""

    async def precheck(self, reference: str, payer_id: int, amount: Money) -> str | None:
        """May this be paid right now? From the store alone. None, or the reason why not."""
        async with self._store.read() as tx:
            payment = await tx.payments.get(reference)
            if payment is not None and payment.deposit_id is not None:
                return await _deposit_refused(tx, payment, payer_id, amount, self._clock.now())
            order = await _order_of(tx, payment)
            theirs = order is not None and await holds(tx, order.sim_id, order.chat_id)
        if payment is None or order is None:
            return "unknown"
        if payer_id != payment.chat_id:
            return "not_yours"
        if amount != payment.amount:
            return "amount_moved"
        if order.state is not OrderState.AWAITING_PAYMENT:
            return _NOT_OPEN.get(order.state, "already_paid")
        if not theirs or payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
            return "cancelled"
        return "quote_expired" if self._clock.now() >= order.expires_at else None

    async def capture(self, reference: str, charge: Charge) -> Order | None:
        """Take over a charge, once by its id. The order it paid, or None when it fits none.

        `reference` is the attempt that the charge was found for. Whatever does not fit is held
        for a person; money is never dropped. A charge known before is looked at for what has
        become of it since: money returned elsewhere, a dispute.
        """
        async with self._store.write() as tx:
            order = await self._capture(tx, reference, charge, self._clock.now())
        self._ring()
        return order

    async def _capture(self, tx: Tx, reference: str, charge: Charge, now: datetime) -> Order | None:
        known = await tx.payments.by_charge(charge.id)
        if known is not None:
            await outside.record(tx, self._selling, known, charge, now)
            return await tx.orders.get(known.order_id) if known.order_id else None
        payment = await tx.payments.get(reference)
        order = await _order_of(tx, payment)
        if payment is not None and payment.deposit_id is not None:
            await self._credit(tx, payment, payment.deposit_id, charge, now)
            return None
        if payment is None or order is None:
            await outside.nowhere(tx, self._selling, reference, charge, now)
            return None
        refused = None
        if payment.state in _CHARGED:
            next_one = await agreements.recurs(tx, payment, charge, now)
            if next_one is not None:
                payment, order, refused = next_one
            else:
                payment = await self._second_capture(tx, payment, now)
        taken = {
            "charge_id": charge.id,
            "captured": charge.amount,
            "captured_at": now,
            "payer_id": charge.payer_id,
            "look_at": None,
        }
        fits = charge.amount == payment.amount and charge.reference in ("", reference)
        new = PaymentState.CAPTURED if fits else PaymentState.MISMATCH
        why = "provider" if fits else "amount"
        await tx.payments.move(payment.id, payment.state, new, why, now, **taken)
        if charge.kept is not None:
            await _keep(tx, payment, charge.kept, now)
        if not fits:
            await self._hold(tx, order, "mismatch", payment.id, now)
            return await tx.orders.get(order.id)
        if refused is not None:
            await self._send_back(tx, order.id, payment.method, charge.amount, refused, now)
        else:
            await self._take(tx, order, payment.method, charge.amount, now)
        await agreements.begun(tx, payment, charge, now)
        return await tx.orders.get(order.id)

    async def _credit(
        self, tx: Tx, payment: Payment, deposit_id: str, charge: Charge, now: datetime
    ) -> None:
        """A charge that fills a wallet; one beyond the first is the customer's money as well."""
        deposit = await tx.deposits.get(deposit_id)
        assert deposit is not None  # noqa: S101  deposits are not deleted
        first = payment.state not in _CHARGED and charge.reference in ("", payment.id)
        if payment.state in _CHARGED:
            payment = await self._second_capture(tx, payment, now)
        if charge.kept is not None:
            await _keep(tx, payment, charge.kept, now)
        await ledger.credit(tx, payment, deposit, charge, now, first=first)

    async def _second_capture(self, tx: Tx, first: Payment, now: datetime) -> Payment:
        """An attempt paid again: the charge gets an attempt of its own, refunded by itself."""
        again = replace(
            first,
            id=f"{first.order_id or first.deposit_id}-{new_id(6)}",
            state=PaymentState.CREATED,
            created_at=now,
            charge_id=None,
            captured=None,
            captured_at=None,
            look_at=None,
            going_back=0,
        )
        await tx.payments.add(again)
        return again

    async def redeem(self, order_id: str, chat_id: int, code: str) -> Order:
        """Pay an order with a voucher: the voucher, the payment and the order move together.

        Raises Refused: as `payable`; method_off, voucher_unknown, voucher_used, voucher_over,
        voucher_other_plan, voucher_value.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            found = await tx.vouchers.find(digest(code, self._selling.pepper.encode()))
            if found is not None and found.order_id == order_id:
                order = await tx.orders.get(order_id)
                if order is not None and order.chat_id == chat_id:
                    return order  # the same tap again, or a replay
            order = await payable(tx, order_id, chat_id, now)
            if Method.VOUCHER not in self._selling.terms:
                raise Refused("method_off", order)
            voucher = _fitting(found, order, now)
            if voucher.value != order.due:  # it gives no change: the points come back
                await tx.points.give_back(order.id, now, None)
            payment = await open_attempt(tx, order, Method.VOUCHER, order.due or order.price, now)
            if not await tx.vouchers.redeem(voucher.id, order.id, now):
                raise Refused("voucher_used", order)
            await tx.payments.move(
                payment.id,
                payment.state,
                PaymentState.CAPTURED,
                "voucher",
                now,
                charge_id=f"voucher:{voucher.id}:{order.id}",
                captured=payment.amount,
                captured_at=now,
                payer_id=chat_id,
            )
            await self._take(tx, order, Method.VOUCHER, payment.amount, now)
            paid = await tx.orders.get(order.id)
        assert paid is not None  # noqa: S101  read a moment ago
        self._ring()
        return paid

    async def spend(self, order_id: str, chat_id: int) -> Order:
        """Pay an order from the wallet: the posting, the payment and the order move together.

        Raises Refused: as `payable`; method_off, wallet_short.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            for known in await tx.payments.of_order(order_id):
                if known.method is Method.WALLET and known.state in _CHARGED:
                    paid = await tx.orders.get(order_id)
                    if paid is not None and paid.chat_id == chat_id:
                        return paid  # the same tap again, or a replay
            order = await payable(tx, order_id, chat_id, now)
            if Method.WALLET not in self._selling.terms:
                raise Refused("method_off", order)
            payment = await open_attempt(tx, order, Method.WALLET, order.due or order.price, now)
            await ledger.pay(tx, order, payment, now)
            await tx.payments.move(
                payment.id,
                payment.state,
                PaymentState.CAPTURED,
                "wallet",
                now,
                charge_id=f"wallet:{payment.id}",
                captured=payment.amount,
                captured_at=now,
                payer_id=chat_id,
            )
            await self._take(tx, order, Method.WALLET, payment.amount, now)
            paid = await tx.orders.get(order.id)
        assert paid is not None  # noqa: S101  read a moment ago
        self._ring()
        return paid

    async def _take(
        self, tx: Tx, order: Order, method: Method, charge: Money, now: datetime
    ) -> None:
        """Captured money meets its order: pay it, honour it late, or send it back."""
        waits = order.state is OrderState.AWAITING_PAYMENT
        if waits and await holds(tx, order.sim_id, order.chat_id):
            await pay_order(tx, order, method, charge, now, "captured")
        elif waits:
            await close_order(tx, order, OrderState.CANCELLED, "sim_gone", now)
            await self._send_back(tx, order.id, method, charge, "sim_gone", now)
        elif order.state not in (OrderState.EXPIRED, OrderState.CANCELLED):
            return  # paid already: the refund job returns the surplus
        elif await self._still_sold(tx, order):
            for other in await tx.orders.of_sim(order.sim_id, tuple(OPEN_ORDERS)):
                await close_order(tx, other, OrderState.CANCELLED, "replaced", now)
            if await benefits.hold_again(tx, order, now):
                await pay_order(tx, order, method, charge, now, "late_money")
            else:
                await self._send_back(tx, order.id, method, charge, "promo_late", now)
        else:
            await self._send_back(tx, order.id, method, charge, "late_money", now)

    async def _still_sold(self, tx: Tx, order: Order) -> bool:
        """Whether an order that has ended could be made again as it was."""
        if not await holds(tx, order.sim_id, order.chat_id):
            return False
        if await tx.orders.of_sim(order.sim_id, tuple(RUNNING_ORDERS)):
            return False
        plan = await tx.catalogue.get(order.plan.code)
        return plan is not None and plan.active and _same_price(plan, order.plan)

    async def _send_back(
        self, tx: Tx, order_id: str, method: Method, charge: Money, reason: str, now: datetime
    ) -> None:
        order = await tx.orders.get(order_id)
        assert order is not None  # noqa: S101  read a moment ago
        await tx.orders.move(
            order.id,
            order.state,
            OrderState.REFUND_DUE,
            reason,
            now,
            charge=charge,
            method=method,
            paid_at=now,
        )
        await tx.outbox.add(notices.order_moved(order.id, order.chat_id, OrderState.REFUND_DUE))

    async def _hold(self, tx: Tx, order: Order, reason: str, step: str, now: datetime) -> None:
        if order.state in (
            OrderState.AWAITING_PAYMENT,
            OrderState.EXPIRED,
            OrderState.CANCELLED,
        ):
            await tx.orders.move(
                order.id,
                order.state,
                OrderState.NEEDS_OPERATOR,
                reason,
                now,
            )
            await tx.outbox.add(
                notices.order_moved(order.id, order.chat_id, OrderState.NEEDS_OPERATOR, reason)
            )
        await tell_operators(tx, self._selling, f"order:{order.id}", reason, step)

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


async def pay_order(
    tx: Tx, order: Order, method: Method, charge: Money, now: datetime, reason: str
) -> None:
    """Captured money pays the order: the top-up job and the message go with it."""
    moved = await tx.orders.move(
        order.id,
        order.state,
        OrderState.PAID,
        reason,
        now,
        charge=charge,
        method=method,
        paid_at=now,
    )
    if not moved:
        return
    await tx.topups.add(
        TopUp(
            id=f"{order.id}-t{new_id(6)}",
            order_id=order.id,
            sim_id=order.sim_id,
            supplier=order.plan.supplier,
            supplier_code=order.plan.supplier_code,
            state=TopUpState.SAVED,
            created_at=now,
            amount=order.price if order.plan.open_amount else order.plan.delivers,
            max_cost=order.plan.max_cost,
            next_at=now,
        )
    )
    await replan(tx, order.sim_id, now)
    await tx.outbox.add(notices.order_moved(order.id, order.chat_id, OrderState.PAID))


async def _order_of(tx: Tx, payment: Payment | None) -> Order | None:
    if payment is None or payment.order_id is None:
        return None
    return await tx.orders.get(payment.order_id)


async def _deposit_refused(
    tx: Tx, payment: Payment, payer_id: int, amount: Money, now: datetime
) -> str | None:
    """Why a deposit may not be paid now; None when it may."""
    deposit = await tx.deposits.get(payment.deposit_id or "")
    if deposit is None:
        return "unknown"
    if payer_id != payment.chat_id:
        return "not_yours"
    if amount != payment.amount:
        return "amount_moved"
    if deposit.paid_at is not None:
        return "already_paid"
    if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        return "cancelled"
    return None if deposit.waits(now) else "quote_expired"


async def _keep(tx: Tx, payment: Payment, kept: Kept, now: datetime) -> None:
    """What was paid with can be charged again, as the customer agreed to when they paid."""
    saved = Saved(new_id(), payment.chat_id, payment.method, kept.token, kept.label, now)
    await tx.saved.keep(saved)


def _same_price(plan: Plan, sold: Plan) -> bool:
    return plan.price == sold.price and plan.open_amount == sold.open_amount


def _fitting(voucher: Voucher | None, order: Order, now: datetime) -> Voucher:
    if voucher is None:
        raise Refused("voucher_unknown", order)
    if voucher.state is not VoucherState.UNUSED:
        raise Refused("voucher_used", order)
    if voucher.expires_at is not None and now >= voucher.expires_at:
        raise Refused("voucher_over", order)
    if voucher.plan_code is not None:
        if voucher.plan_code != order.plan.code:
            raise Refused("voucher_other_plan", order)
    elif voucher.value not in (order.due, order.price):
        raise Refused("voucher_value", order)
    return voucher
