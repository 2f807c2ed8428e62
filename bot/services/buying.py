"""What a top-up is judged by: whether it may be bought, and whether the SIM shows it."""

from datetime import datetime

from bot.domain.orders import OrderState
from bot.domain.sales import Order, TopUp
from bot.domain.sims import Reading, Sim
from bot.ports import Carrier, SupplierPlan, TopUpRequest, Tx
from bot.services import notices


def refusal(
    topup: TopUp,
    before: Reading | None,
    plan: SupplierPlan | None,
    carrier: Carrier,
    now: datetime,
) -> str | None:
    """Why it must not be bought now, as a reason code; None when it may."""
    expiry = before.expiry if before is not None else None
    expired = expiry is not None and expiry <= now
    if expired and not carrier.capabilities.after_expiry:
        return "expired"
    if before is not None and before.topups_left == 0:
        return "no_topups_left"
    if plan is None:
        return "not_sold_now"
    cap = topup.max_cost
    if cap and plan.cost and cap.currency == plan.cost.currency and cap < plan.cost:
        return "price_moved"
    return None


def verified(before: Reading | None, after: Reading, days: int) -> bool:
    """Whether the SIM itself shows the top-up: validity or data grew since the reading before."""
    if before is None:
        return True
    if after.expiry is not None and before.expiry is not None and after.expiry > before.expiry:
        return True
    if days and before.expiry is None and after.expiry is not None:
        return True
    return (after.data_total or 0) > (before.data_total or 0)


def request_for(topup: TopUp, sim: Sim, quoted: str | None = None) -> TopUpRequest:
    """The same request for a submit and for its look-up: our reference is the top-up's id."""
    return TopUpRequest(
        ref=topup.id,
        sim=sim,
        supplier_code=topup.supplier_code,
        amount=topup.amount,
        max_cost=topup.max_cost,
        quoted=quoted,
    )


async def finish(tx: Tx, order: Order, now: datetime) -> None:
    """The SIM has what was paid for: close the order, remember the plan, send the receipt."""
    current = await tx.orders.get(order.id)
    if current is None:
        return
    await tx.orders.move(
        order.id, current.state, OrderState.FULFILLED, "verified", now, fulfilled_at=now
    )
    sim = await tx.sims.get(order.sim_id)
    if sim is not None:
        await tx.sims.update(sim.id, sim.version, last_plan=order.plan.code, snoozed_until=None)
    await tx.outbox.add(notices.order_moved(order.id, order.chat_id, OrderState.FULFILLED))
