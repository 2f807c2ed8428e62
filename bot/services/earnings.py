"""What groups earn: of each delivered order that came from a post, to the one who posted it.

It is written down with the delivery and taken back with the money (paying it out is in
`payouts`). Each within the transaction of what caused it; the key of every row is
its cause's, so that a replay earns nothing twice.
"""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_FLOOR

from bot.domain.groups import Approval, Earning, EarningKind
from bot.domain.money import Money
from bot.domain.orders import PaymentState
from bot.domain.sales import Order
from bot.ports import Tx

_WITH_US = (PaymentState.CAPTURED, PaymentState.DISPUTED)


async def earn(tx: Tx, order: Order, now: datetime) -> None:
    """The order is delivered. Nobody earns by buying from their own post, nothing is earned in a
    banned group, nor by somebody whom the operator gives no offers."""
    post = await tx.posts.get(order.post_id) if order.post_id is not None else None
    campaign = await tx.campaigns.get(post.campaign_id) if post is not None else None
    if post is None or campaign is None or post.by == order.chat_id:
        return
    group = await tx.groups.get(post.group_id)
    if group is None or group.approval is Approval.BANNED or await tx.promos.banned(post.by):
        return
    price = order.due or order.price
    share = price.major * campaign.earns_percent / 100
    money = Money.rounded(share, price.currency, ROUND_FLOOR)
    if not campaign.earns_points and not money.minor:
        return
    row = Earning(
        key=f"earned:{order.id}",
        kind=EarningKind.EARNED,
        group_id=post.group_id,
        by=post.by,
        at=now,
        points=campaign.earns_points,
        money=money if money.minor else None,
        post_id=post.id,
        order_id=order.id,
    )
    if await tx.earnings.add(row):
        await returned(tx, order.id, now)


async def returned(tx: Tx, order_id: str | None, now: datetime) -> None:
    """Money of an order went back, or is on its way: the same share of what it earned goes too.
    Harmless when nothing was earned, or nothing more went back."""
    rows = await tx.earnings.of_order(order_id) if order_id is not None else []
    order = await tx.orders.get(order_id) if order_id is not None else None
    earned = next((row for row in rows if row.kind is EarningKind.EARNED), None)
    if order is None or earned is None:
        return
    kept, charged = await _kept(tx, order)
    points = sum(row.points for row in rows) - earned.points * kept // charged
    minor, currency = 0, ""
    if earned.money is not None:
        left = sum(row.money.minor for row in rows if row.money is not None)
        minor, currency = left - earned.money.minor * kept // charged, earned.money.currency
    if points <= 0 and minor <= 0:
        return
    back = replace(
        earned,
        key=f"back:{order.id}:{len(rows)}",
        kind=EarningKind.TAKEN_BACK,
        at=now,
        points=-points,
        money=Money(-minor, currency) if minor else None,
    )
    if not await tx.earnings.add(back):
        raise RuntimeError(f"earnings of order {order.id} moved; the job tries again")


async def _kept(tx: Tx, order: Order) -> tuple[int, int]:
    """How much of the order's charge is still with us, and the charge, in minor units."""
    if order.charge is None:
        return 1, 1
    charge, kept = order.charge, 0
    for payment in await tx.payments.of_order(order.id):
        captured = payment.captured
        if payment.state in _WITH_US and captured and captured.currency == charge.currency:
            kept += captured.minor - payment.going_back
    # What came beyond the price goes back without touching what was sold.
    return min(kept, charge.minor), charge.minor
