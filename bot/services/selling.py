"""What every step of a sale shares: refusals, the shop's terms, payment attempts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState
from bot.domain.points import PointTerms
from bot.domain.quotes import Offered, Rates, Terms
from bot.domain.rules import Pack
from bot.domain.sales import Method, Order, Payment
from bot.ports import Tx
from bot.services import benefits, notices
from bot.services.ids import new_id


class Refused(Exception):
    """A step can't be taken; `reason` is a code the views know, `order` where things stand."""

    def __init__(self, reason: str, order: Order | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.order = order


@dataclass(frozen=True, slots=True)
class Selling:
    """How this shop sells.

    `terms` are the methods switched on, in the order they are shown. `rates` is the operator's own
    table; what a source says of other currencies counts for `fresh`, `margin` percent added.
    """

    terms: Mapping[Method, Terms]
    rates: Rates
    pepper: str
    operators: tuple[int, ...]
    fresh: timedelta = timedelta(hours=24)
    margin: Decimal = Decimal(0)
    packs: Mapping[str, Pack] = field(default_factory=dict)
    """The rules by which numbers are kept: a top-up of the shop's is use of its line."""
    points: PointTerms | None = None
    """None while the shop gives and takes no points."""


async def offered(tx: Tx, selling: Selling, now: datetime) -> Offered:
    """The methods and the rates that may be quoted now: a stale rate is not among them."""
    rates = {}
    for rate in await tx.rates.all():
        if rate.at is not None and now - rate.at <= selling.fresh:
            per_unit = rate.per_unit * (1 + selling.margin / 100)
            rates[rate.currency, rate.into] = replace(
                rate, per_unit=per_unit, margin=selling.margin
            )
    return Offered(selling.terms, {**rates, **selling.rates})


async def holds(tx: Tx, sim_id: str, chat_id: int) -> bool:
    """Whether the SIM is the chat's: a managed one may have been given back and handed on."""
    sim = await tx.sims.get(sim_id)
    return sim is not None and sim.owner_id == chat_id and sim.removed_at is None


async def payable(tx: Tx, order_id: str, chat_id: int, now: datetime) -> Order:
    """The chat's order if it may be paid now. Raises Refused with the reason."""
    order = await tx.orders.get(order_id)
    if order is None or order.chat_id != chat_id:
        raise Refused("unknown")
    if order.state is not OrderState.AWAITING_PAYMENT:
        raise Refused("not_waiting", order)
    if now >= order.expires_at:
        raise Refused("quote_expired", order)
    if not await holds(tx, order.sim_id, chat_id):
        raise Refused("not_yours_sim", order)
    return order


async def close_order(tx: Tx, order: Order, state: OrderState, reason: str, now: datetime) -> None:
    """End an unpaid order and its open attempts; what is paid all the same is late money.

    Providers that can close an attempt were asked to before: see `paying`.
    """
    end = PaymentState.EXPIRED if state is OrderState.EXPIRED else PaymentState.CANCELLED
    await tx.orders.move(order.id, order.state, state, reason, now)
    await benefits.release(tx, order.id, now)
    for payment in await tx.payments.of_order(order.id):
        if payment.state in (PaymentState.CREATED, PaymentState.PENDING):
            await tx.payments.move(payment.id, payment.state, end, reason, now)


async def open_attempt(
    tx: Tx, order: Order, method: Method, amount: Money, now: datetime
) -> Payment:
    """One open attempt per order: the same method's is used again, another's cancelled."""
    for payment in await tx.payments.of_order(order.id):
        if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
            continue
        if payment.method is method and payment.amount == amount:
            return payment
        await tx.payments.move(
            payment.id, payment.state, PaymentState.CANCELLED, "method_changed", now
        )
    payment = Payment(
        id=f"{order.id}-{new_id(6)}",
        order_id=order.id,
        chat_id=order.chat_id,
        method=method,
        state=PaymentState.CREATED,
        amount=amount,
        created_at=now,
    )
    await tx.payments.add(payment)
    return payment


async def tell_operators(
    tx: Tx,
    selling: Selling,
    subject: str,
    why: str,
    step: str = "",
    amount: Money | None = None,
) -> None:
    """Put a note about `subject` ("order:<id>") into every operator's chat."""
    for notice in notices.for_operators(selling.operators, subject, why, step, amount):
        await tx.outbox.add(notice)
