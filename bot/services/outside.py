"""What happens to captured money without us: returned at the provider, or disputed by the payer.

Recorded as soon as the provider tells, so that nothing is returned twice and a person hears of it
(payments.md, rule 18).
"""

from datetime import datetime

import structlog

from bot.domain.books import Difference, Gap
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState
from bot.domain.sales import Payment, Refund
from bot.ports import AuditRow, Charge, Tx
from bot.services import agreements, benefits, earnings, ledger, notices
from bot.services.ids import new_id
from bot.services.selling import Selling, tell_operators

log = structlog.get_logger()

_NOT_BOUGHT_YET = (OrderState.PAID,)
"""Where an order can still be stopped before anything is bought for money that is gone."""


async def record(tx: Tx, selling: Selling, payment: Payment, charge: Charge, now: datetime) -> None:
    """Take over what the provider says has become of a captured charge. Harmless when known."""
    if charge.disputed and payment.state is PaymentState.CAPTURED:
        await tx.payments.move(
            payment.id, PaymentState.CAPTURED, PaymentState.DISPUTED, "provider", now
        )
        log.warning("payment_disputed", payment=payment.id)
        await ledger.disputed(tx, payment, now)
        await tell_operators(tx, selling, f"payment:{payment.id}", "disputed")
        await _stop(tx, payment, "disputed", now)
        await agreements.stop_for(tx, payment, "disputed", now)
        return
    beyond = charge.returned - payment.going_back
    if payment.captured is None or beyond <= 0:
        return
    if not await tx.payments.reserve(payment.id, beyond):
        return  # more than was captured: reconciliation shows it
    amount = Money(beyond, payment.captured.currency)
    await earnings.returned(tx, payment.order_id, now)
    await ledger.taken_back(tx, payment, f"outside:{charge.id}:{charge.returned}", beyond, now)
    await tx.refunds.add(
        Refund(
            id=f"{payment.id}-r{new_id(6)}",
            payment_id=payment.id,
            state=RefundState.DONE,
            amount=amount,
            reason="outside",
            created_at=now,
            done_at=now,
        )
    )
    log.warning("refunded_outside", payment=payment.id, minor=beyond)
    if charge.returned >= payment.captured.minor and payment.state in (
        PaymentState.CAPTURED, PaymentState.MISMATCH, PaymentState.DISPUTED,
    ):  # fmt: skip
        await tx.payments.move(payment.id, payment.state, PaymentState.REFUNDED, "outside", now)
        await _stop(tx, payment, "refunded_outside", now)
        await agreements.stop_for(tx, payment, "refunded_outside", now)
    await benefits.went_back(tx, payment, now)
    subject = f"order:{payment.order_id}" if payment.order_id else f"payment:{payment.id}"
    await tell_operators(tx, selling, subject, "refunded_outside", payment.id, amount)


async def nowhere(tx: Tx, selling: Selling, reference: str, charge: Charge, now: datetime) -> None:
    """A charge for no attempt of ours: recorded once, in the queue until somebody saw to it."""
    gap = Difference(new_id(), Gap.NO_ORDER, f"charge:{charge.id}", None, charge.amount, now)
    if not await tx.differences.add(gap):
        return
    log.error("charge_without_order", charge=charge.id, reference=reference)
    details = {
        "reference": reference,
        "minor": charge.amount.minor,
        "currency": charge.amount.currency,
        "payer": charge.payer_id,
    }
    await tx.audit.add(AuditRow(now, "till", "charge_without_order", charge.id, details))
    await tell_operators(tx, selling, f"difference:{gap.id}", "gap_no_order", amount=charge.amount)


async def _stop(tx: Tx, payment: Payment, reason: str, now: datetime) -> None:
    """Nothing more is bought with money that went back; what is bought already is a person's."""
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    if order is None or order.state not in _NOT_BOUGHT_YET:
        return
    if await tx.orders.move(order.id, order.state, OrderState.NEEDS_OPERATOR, reason, now):
        for topup in await tx.topups.of_order(order.id):
            await tx.topups.set(topup.id, next_at=None)
        await tx.outbox.add(
            notices.order_moved(order.id, order.chat_id, OrderState.NEEDS_OPERATOR, reason)
        )
