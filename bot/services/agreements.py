"""Agreements to renew, within the transaction of what moves them: begun, ended, told.

Payments.md, rules 18 and 21: a dispute or a refund made elsewhere ends an agreement; each charge
of a subscription in Stars is an order of its own, and one for a line that is gone goes back.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from bot.domain.money import Money
from bot.domain.orders import OPEN_ORDERS, RUNNING_ORDERS, OrderState, PaymentState
from bot.domain.quotes import Offered, Quote, Reduction, Total, make_quote, totals
from bot.domain.renewals import (
    CAP_SPAN,
    KEPT,
    LEAST_NOTICE,
    LIVE,
    OPEN_RUNS,
    STARS_PERIOD,
    Agreement,
    AgreementState,
    Line,
    Run,
    RunState,
    charge_at,
    period_of,
    retry_at,
    within,
)
from bot.domain.sales import Method, Order, Payment
from bot.domain.sims import Sim, SimState
from bot.ports import Carrier, Charge, Tx
from bot.services import notices
from bot.services.ids import new_id
from bot.services.planning import told_otherwise
from bot.services.selling import Selling, close_order, holds, offered

log = structlog.get_logger()

A, R = AgreementState, RunState


async def tell(tx: Tx, agreement: Agreement, step: str, key: str, run: Run | None = None) -> None:
    """Put a piece of news about an agreement into its chat, once by its key."""
    await tx.outbox.add(
        notices.renewal(agreement.id, agreement.chat_id, step, key, run.id if run else None)
    )


async def line_of(
    tx: Tx, agreement: Agreement, carriers: Mapping[str, Carrier], run: Run | None
) -> Line:
    """What counts of its SIM."""
    sim = await tx.sims.get(agreement.sim_id)
    plan = await tx.catalogue.get(agreement.plan_code)
    supplier = plan.supplier if plan is not None else sim.supplier if sim is not None else ""
    carrier = carriers.get(supplier)
    states = (*OPEN_ORDERS, *RUNNING_ORDERS)
    others = [
        order
        for order in await tx.orders.of_sim(agreement.sim_id, states)
        if run is None or order.id != run.order_id or order.state in RUNNING_ORDERS
    ]
    return Line(
        held=await holds(tx, agreement.sim_id, agreement.chat_id),
        expiry=sim.expiry if sim is not None else None,
        late=carrier is None or carrier.capabilities.after_expiry,
        busy=bool(others),
        paid=await tx.renewals.last_paid(agreement.sim_id),
    )


async def run_of(tx: Tx, agreement: Agreement) -> Run | None:
    """The SIM's open run, else the one of the period that comes."""
    opened = await tx.renewals.open_run(agreement.sim_id)
    if opened is not None:
        return opened
    sim = await tx.sims.get(agreement.sim_id)
    period = period_of(agreement, sim.expiry if sim is not None else None)
    return await tx.renewals.run_of(agreement.sim_id, period) if period is not None else None


async def outlook(
    tx: Tx, agreement: Agreement, carriers: Mapping[str, Carrier], now: datetime
) -> datetime | None:
    """When it is charged next; None while nobody knows."""
    if agreement.state not in LIVE or agreement.method is Method.STARS:
        return agreement.until if agreement.state in LIVE else None
    run = await run_of(tx, agreement)
    line = await line_of(tx, agreement, carriers, run)
    period = period_of(agreement, line.expiry)
    if run is not None and run.state is R.DECLINED:
        return retry_at(run)
    if period is None or period <= now or (run is not None and run.state not in OPEN_RUNS):
        return None
    at = charge_at(agreement, period, late=line.late)
    return at if run is None else max(at, run.noticed_at + LEAST_NOTICE)


async def over_cap(tx: Tx, agreement: Agreement, counts: Money, now: datetime) -> bool:
    """Whether one more renewal of `counts` would be more than was allowed."""
    spent = await tx.renewals.spent(agreement.sim_id, now - CAP_SPAN, counts.currency)
    return not within(agreement.cap, spent, counts)


async def total(
    tx: Tx, selling: Selling, method: Method, price: Money, now: datetime
) -> Total | None:
    """What a method charges for a price today; None when its rate is stale or it is off."""
    shop = await offered(tx, selling, now)
    term = shop.terms.get(method)
    found = totals(price, {method: term}, shop.rates) if term is not None else ()
    return found[0] if found else None


def counted(charge: Total, price: Money) -> Money:
    """What counts toward the cap: the whole charge, where it is in the plan's currency."""
    return charge.amount if charge.amount.currency == price.currency else price


# ---- stopping ----------------------------------------------------------------------------


async def end(
    tx: Tx,
    agreement: Agreement,
    new: AgreementState,
    reason: str,
    now: datetime,
    *,
    told: bool = True,
    actor: str = "bot",
    asked: Money | None = None,
) -> bool:
    """Charge no more under it: PAUSED, CANCELLED or ENDED. A charge under way is still settled.

    False when it had moved.
    """
    run = await tx.renewals.open_run(agreement.sim_id)
    charging = run is not None and run.state is R.CHARGING
    leaves = new is not A.PAUSED
    unsubscribe = agreement.unsubscribe or (leaves and agreement.subscription is not None)
    if not await tx.renewals.move(
        agreement, new, reason, now, actor=actor, asked=asked, unsubscribe=unsubscribe,
        next_at=now if unsubscribe or charging else None,
    ):  # fmt: skip
        return False
    if leaves and run is not None and not charging:
        await tx.renewals.move_run(run, R.SKIPPED, "stopped", now)
    await told_otherwise(tx, agreement.sim_id, now)
    if told:
        step = "paused" if new is A.PAUSED else "ended"
        await tell(tx, agreement, step, f"{agreement.version}", run)
    return True


async def stop_for(tx: Tx, payment: Payment, reason: str, now: datetime) -> None:
    """Its money was disputed or went back elsewhere: what charges by itself stops (rule 18)."""
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    agreement = await tx.renewals.of_sim(order.sim_id) if order is not None else None
    if agreement is None or agreement.chat_id != payment.chat_id:
        return
    if agreement.method is payment.method:
        await end(tx, agreement, A.ENDED, reason, now)


# ---- beginning by a payment --------------------------------------------------------------


async def begun(tx: Tx, payment: Payment, charge: Charge, now: datetime) -> None:
    """A payment was captured: the agreement that waited for it begins."""
    agreement = await tx.renewals.by_order(payment.order_id) if payment.order_id else None
    if agreement is None or agreement.method is not payment.method or agreement.subscription:
        return
    order = await tx.orders.get(payment.order_id or "")
    good = agreement.state is A.WAITING and order is not None and order.state is OrderState.PAID
    if agreement.method is Method.STARS:
        await tx.renewals.set(
            agreement.id, subscription=charge.id, until=charge.at + STARS_PERIOD,
            unsubscribe=not good, next_at=now,
        )  # fmt: skip
    saved_id = await _kept(tx, payment, charge)
    if agreement.state is not A.WAITING:
        return
    if not good:
        await tx.renewals.move(agreement, A.ENDED, "not_paid", now)
    elif agreement.method is Method.STARS or saved_id is not None:
        await tx.renewals.move(agreement, A.ACTIVE, "begun", now, saved_id=saved_id, next_at=now)
        await tell(tx, agreement, "on", agreement.id)
    else:
        await end(tx, agreement, A.ENDED, "not_kept", now)


async def _kept(tx: Tx, payment: Payment, charge: Charge) -> str | None:
    if charge.kept is None:
        return None
    found = [one for one in await tx.saved.of_chat(payment.chat_id)
             if one.token == charge.kept.token and one.method is payment.method]  # fmt: skip
    return found[0].id if found else None


# ---- subscriptions -----------------------------------------------------------------------


async def recurs(
    tx: Tx, first: Payment, charge: Charge, now: datetime
) -> tuple[Payment, Order, str | None] | None:
    """A charge for an attempt that has one already: as the next one of a subscription it gets an
    order and an attempt of its own. With a reason the money is to go back.

    None when it belongs to no subscription: then it is a second charge.
    """
    if first.method is not Method.STARS or first.order_id is None:
        return None
    agreement = await tx.renewals.by_order(first.order_id)
    if agreement is None or agreement.subscription != first.charge_id:
        return None
    sim, old = await tx.sims.get(agreement.sim_id), await tx.orders.get(first.order_id)
    if sim is None or old is None:
        return None
    why = await _refuses(tx, agreement, sim)
    quote = await tx.quotes.add(await _quote(tx, agreement, sim, old, charge, now), None)
    order = await _order(tx, quote, why, now)
    payment = Payment(
        id=f"{order.id}-{new_id(6)}",
        order_id=order.id,
        chat_id=agreement.chat_id,
        method=Method.STARS,
        state=PaymentState.CREATED,
        amount=first.amount,
        created_at=now,
    )
    await tx.payments.add(payment)
    await tx.renewals.set(agreement.id, until=charge.at + STARS_PERIOD, next_at=now)
    if why is None and agreement.state is A.ENDED:
        await tx.renewals.move(agreement, A.ACTIVE, "charged_late", now, unsubscribe=False)
    elif why is not None and why != "running":
        await _give_up(tx, agreement, why, now)
    log.info("subscription_charged", agreement=agreement.id, charge=charge.id, refused=why)
    return payment, order, why


async def _give_up(tx: Tx, agreement: Agreement, why: str, now: datetime) -> None:
    """Telegram charges what is over: it is told to stop, once more where it was told before."""
    if agreement.state in KEPT:
        await end(tx, agreement, A.ENDED, why, now)
    else:
        await tx.renewals.set(agreement.id, unsubscribe=True, next_at=now)


async def _refuses(tx: Tx, agreement: Agreement, sim: Sim) -> str | None:
    """Why a charge of Telegram's is not honoured; None when it is."""
    if not await holds(tx, sim.id, agreement.chat_id) or _dead(sim):
        return "line_gone"
    late = agreement.state is A.ENDED and agreement.reason == "not_charged"
    if agreement.state not in LIVE and not late:
        return "agreement_over"
    if late and await tx.renewals.of_sim(sim.id) is not None:
        return "agreement_over"
    plan = await tx.catalogue.get(agreement.plan_code)
    if plan is None or not plan.active:
        return "plan_inactive"
    if await tx.orders.of_sim(sim.id, tuple(RUNNING_ORDERS)):
        return "running"
    return None


def _dead(sim: Sim) -> bool:
    return sim.reading is not None and sim.reading.state is SimState.LOST


async def _quote(
    tx: Tx, agreement: Agreement, sim: Sim, old: Order, charge: Charge, now: datetime
) -> Quote:
    """The accepted price, paid with exactly what Telegram has charged."""
    plan = await tx.catalogue.get(agreement.plan_code) or old.plan
    made = make_quote(
        id=new_id(), chat_id=agreement.chat_id, sim=sim, plan=plan, price=agreement.price,
        reduction=Reduction(), offered=Offered({}), now=now,
    )  # fmt: skip
    paid = Total(Method.STARS, charge.amount, Money(0, charge.amount.currency))
    return replace(made, totals=(paid,))


async def _order(tx: Tx, quote: Quote, why: str | None, now: datetime) -> Order:
    order = await tx.orders.add(
        Order(
            id=new_id(), version=1, state=OrderState.QUOTED, quote_id=quote.id,
            chat_id=quote.chat_id, sim_id=quote.sim_id, plan=quote.plan, price=quote.price,
            due=quote.due, old_expiry=quote.old_expiry, new_expiry=quote.new_expiry,
            expires_at=quote.expires_at, created_at=now,
        )
    )  # fmt: skip
    if why is None:
        for other in await tx.orders.of_sim(quote.sim_id, tuple(OPEN_ORDERS)):
            if other.id != order.id:
                await close_order(tx, other, OrderState.CANCELLED, "replaced", now)
    state = OrderState.AWAITING_PAYMENT if why is None else OrderState.CANCELLED
    await tx.orders.move(order.id, OrderState.QUOTED, state, why or "subscription", now)
    return replace(order, state=state)
