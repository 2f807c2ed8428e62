"""What an order holds of promos and points: given back, held again, earned (F21).

An order that ends unpaid, or whose money goes back, gives back its places in promos and the
points it spent; what it earned is taken back, as far as it is still there. Of a delivered order
whose money goes back in part the same part of the points goes. Within the transaction that moves
the order, so that nothing is ever done twice or by half.
"""

from datetime import datetime, timedelta

from bot.domain.orders import OrderState, PaymentState, RefundState
from bot.domain.points import Effect
from bot.domain.promos import Promo
from bot.domain.sales import Order, Payment, Refund
from bot.ports import Tx
from bot.services import earnings
from bot.services.places import posts_touched

KEPT_AFTER_REFUND = timedelta(days=30)
"""Points that expired while their order ran can be spent for so long after its refund."""


async def is_new(tx: Tx, promo: Promo, chat_id: int, sim_id: str, besides: str = "") -> bool:
    """Whether a promo for new customers holds: neither the person nor anybody with that SIM has
    paid before, in an order other than `besides`. True for every other promo."""
    if not promo.new_user:
        return True
    bought = await tx.promos.bought(chat_id, besides)
    return not bought and not await tx.promos.renewed(sim_id, besides)


async def release(tx: Tx, order_id: str, now: datetime, *, refunded: bool = False) -> None:
    """The order has ended without its top-up; harmless when it held nothing, or did so before."""
    for use in await tx.promos.of_order(order_id):
        if await tx.promos.release(order_id, use.promo_id):
            await posts_touched(tx, use.promo_id, now)
    keep_until = now + KEPT_AFTER_REFUND if refunded else None
    await tx.points.give_back(order_id, now, keep_until)
    if refunded:
        await tx.points.take_back(order_id, now)
        await earnings.returned(tx, order_id, now)


async def went_back(tx: Tx, payment: Payment, now: datetime) -> None:
    """More of a payment's money is back. Of the points that its order has earned the same part
    goes, where the order stays delivered; one that ends refunded takes back all, see `release`."""
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    if order is None or order.charge is None or order.state is not OrderState.FULFILLED:
        return
    # Of several charges that fit one pays the order: the one of which the least went back.
    returned = [
        await _returned(tx, one)
        for one in await tx.payments.of_order(order.id)
        if one.method is order.method and one.captured == order.charge
    ]
    if any(returned):
        await tx.points.take_back(order.id, now, min(returned), order.charge.minor)


async def _returned(tx: Tx, payment: Payment) -> int:
    if payment.state is PaymentState.REFUNDED and payment.captured is not None:
        return payment.captured.minor
    rows = await tx.refunds.of_payment(payment.id)
    return sum(row.amount.minor for row in rows if row.state is RefundState.DONE)


async def taken_with(tx: Tx, refund: Refund, order_id: str) -> int:
    """How many points of the order were taken back when this refund was done."""
    rows = await tx.points.of_order(order_id)
    taken = [row for row in rows if row.effect is Effect.TAKEN_BACK and row.at == refund.done_at]
    return -sum(row.amount for row in taken)


async def hold_again(tx: Tx, order: Order, now: datetime) -> bool:
    """Late money for an order that has ended: its promos and points are held once more.

    False when a promo has no place left or the points are gone; then nothing is held, and the
    frozen price can't be honoured. A promo whose time is over meanwhile still holds: its price
    was frozen in time.
    """
    taken: list[str] = []
    for use in await tx.promos.of_order(order.id):
        if use.held:
            continue
        if not await _has_room(tx, use.promo_id, order, now):
            for promo_id in taken:
                await tx.promos.release(order.id, promo_id)
            return False
        await posts_touched(tx, use.promo_id, now)
        taken.append(use.promo_id)
    spent = returned = 0
    for entry in await tx.points.of_order(order.id):
        spent -= entry.amount if entry.effect is Effect.SPENT else 0
        returned += entry.amount if entry.effect is Effect.RETURNED else 0
    quote = await tx.quotes.get(order.quote_id)
    if quote is None or not returned or spent > returned:
        return True
    if await tx.points.spend(order.chat_id, order.id, quote.points, now):
        return True
    for promo_id in taken:
        await tx.promos.release(order.id, promo_id)
    return False


async def _has_room(tx: Tx, promo_id: str, order: Order, now: datetime) -> bool:
    promo = await tx.promos.get(promo_id)
    if promo is None or not await is_new(tx, promo, order.chat_id, order.sim_id, order.id):
        return False
    return await tx.promos.take(promo_id, order.id, order.chat_id, now)


async def earn(tx: Tx, order: Order, now: datetime) -> None:
    """The order is delivered: the points that its quote promised, and what the post that it came
    from earns, once."""
    quote = await tx.quotes.get(order.quote_id)
    if quote is not None and quote.earns and quote.earns_until is not None:
        await tx.points.earn(order.chat_id, order.id, quote.earns, quote.earns_until, now)
        for payment in await tx.payments.of_order(order.id):
            if payment.going_back:  # a part was back before it was delivered
                await went_back(tx, payment, now)
    await earnings.earn(tx, order, now)
