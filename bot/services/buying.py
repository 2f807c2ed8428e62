"""What a top-up is judged by: whether it may be bought, and whether the SIM shows it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.domain.rules import Pack
from bot.domain.sales import Order, TopUp
from bot.domain.sims import Reading, Sim, SimState, Source, extended
from bot.ports import Carrier, SupplierQuote, TopUpRequest, Tx
from bot.services import benefits, notices
from bot.services.keeping import topped_up
from bot.services.planning import watch_activation

PASSING = frozenset({"operator_down", "operator_timeout", "busy", "maintenance"})
"""Refusals of a quote that may be over in a minute: worth waiting for before money goes back."""


def refusal(
    topup: TopUp, before: Reading | None, quote: SupplierQuote, carrier: Carrier, now: datetime
) -> str | None:
    """Why it must not be bought now, as a reason code; None when it may."""
    expiry = before.expiry if before is not None else None
    expired = expiry is not None and expiry <= now
    if expired and not carrier.capabilities.after_expiry:
        return "expired"
    if before is not None and before.topups_left == 0:
        return "no_topups_left"
    return quote.refused or ("price_moved" if dearer(quote, topup.max_cost) else None)


def dearer(quote: SupplierQuote, cap: Money | None) -> bool:
    """Whether a live price is above what the operator allows; currencies must be the same."""
    if cap is None or quote.cost is None:
        return False
    return cap.currency != quote.cost.currency or cap < quote.cost


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
        since=topup.created_at,
    )


def by_plan(sim: Sim, order: Order, source: Source, now: datetime) -> Reading | None:
    """The dates after a top-up that nobody can read back; None when the plan adds no validity.

    Counted from the order's own old expiry: what the owner entered meanwhile ("already renewed")
    is the same top-up and must not count twice, a date too late costs them the number.
    """
    if not order.plan.days:
        return None
    expiry = extended(order.old_expiry, order.plan.days, now)
    expiry = max(expiry, sim.expiry or expiry)
    grace = sim.rule.grace_days if sim.rule is not None else None
    return Reading(
        source=source,
        as_of=now,
        taken_at=now,
        state=SimState.ACTIVE,
        expiry=expiry,
        grace_end=None if grace is None else expiry + timedelta(days=grace),
    )


async def redate(tx: Tx, sim: Sim, after: Reading) -> None:
    """Make such dates the SIM's. A reading can't say "no grace period any more", and the old
    one's end has no meaning then."""
    await tx.sims.add_reading(sim.id, after)
    current = await tx.sims.get(sim.id)
    if current is not None:
        await tx.sims.update(sim.id, current.version, grace_end=after.grace_end)


async def finish(tx: Tx, packs: Mapping[str, Pack], order: Order, now: datetime) -> None:
    """The SIM has what was paid for: close the order, remember the plan, send the receipt.

    A top-up keeps the line, or at least is told; a code does not, until its owner types it.
    """
    current = await tx.orders.get(order.id)
    if current is None:
        return
    await tx.orders.move(
        order.id, current.state, OrderState.FULFILLED, "verified", now, fulfilled_at=now
    )
    await benefits.earn(tx, order, now)
    sim = await tx.sims.get(order.sim_id)
    if sim is not None:
        await tx.sims.update(sim.id, sim.version, last_plan=order.plan.code, snoozed_until=None)
        if sim.reading is not None and sim.reading.state is SimState.PENDING_ACTIVATION:
            await watch_activation(tx, sim, now)
        if not any(topup.pin for topup in await tx.topups.of_order(order.id)):
            # Delivered once, however often it is settled, and on that day at the earliest.
            at, dated = current.paid_at or now, bool(order.plan.days)
            await topped_up(tx, packs, sim, at, now, dated=dated)
    await tx.outbox.add(notices.order_moved(order.id, order.chat_id, OrderState.FULFILLED))
    for news in notices.order_ended(order, now):
        await tx.outbox.add(news)
