"""What an order holds of promos and points: given back, held again, earned (F21).

An order that ends unpaid, or whose money goes back, gives back its places in promos and the
points it spent; what it earned is taken back, as far as it is still there. Within the transaction
that moves the order, so that nothing is ever done twice or by half.
"""

from datetime import datetime, timedelta

from bot.domain.points import Effect
from bot.domain.sales import Order
from bot.ports import Tx

KEPT_AFTER_REFUND = timedelta(days=30)
"""Points that expired while their order ran can be spent for so long after its refund."""


async def release(tx: Tx, order_id: str, now: datetime, *, refunded: bool = False) -> None:
    """The order has ended without its top-up; harmless when it held nothing, or did so before."""
    for use in await tx.promos.of_order(order_id):
        await tx.promos.release(order_id, use.promo_id)
    keep_until = now + KEPT_AFTER_REFUND if refunded else None
    await tx.points.give_back(order_id, now, keep_until)
    if refunded:
        await tx.points.take_back(order_id, now)


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
    if promo is None or (promo.new_user and await tx.promos.bought(order.chat_id, order.id)):
        return False
    return await tx.promos.take(promo_id, order.id, order.chat_id, now)


async def earn(tx: Tx, order: Order, now: datetime) -> None:
    """The order is delivered: the points that its quote promised, once."""
    quote = await tx.quotes.get(order.quote_id)
    if quote is not None and quote.earns and quote.earns_until is not None:
        await tx.points.earn(order.chat_id, order.id, quote.earns, quote.earns_until, now)
