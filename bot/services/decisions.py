"""What each decision of an operator changes, within the desk's transaction.

Every move is a compare-and-set; one that fails raises, so that nothing of the decision happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState, TopUpState
from bot.domain.rules import Pack
from bot.domain.sales import Order, Payment, Refund, TopUp
from bot.domain.sims import Reading, Source
from bot.ports import Claim, Tx
from bot.services import benefits, earnings, ledger, notices, refunds
from bot.services.buying import by_plan, finish, redate
from bot.services.ids import new_id
from bot.services.ownership import SimRefused, take_over
from bot.services.planning import settle_passed
from bot.services.selling import Refused
from bot.services.till import pay_order

_TO_VERIFIED = {
    TopUpState.SAVED: (TopUpState.SUBMITTING, TopUpState.SUCCEEDED, TopUpState.VERIFIED),
    TopUpState.PROCESSING: (TopUpState.SUCCEEDED, TopUpState.VERIFIED),
    TopUpState.NEEDS_OPERATOR: (TopUpState.SUCCEEDED, TopUpState.VERIFIED),
    TopUpState.SUCCEEDED: (TopUpState.VERIFIED,),
    TopUpState.VERIFIED: (),
    TopUpState.REVERSED: (),
}


@dataclass(frozen=True, slots=True)
class By:
    """Who decides, when (UTC), in which transaction. `by_hand`: a person did the top-up; `packs`
    tell whether it keeps the number; `amount` and `words` are what they said to it."""

    tx: Tx
    actor: str
    now: datetime
    by_hand: bool
    packs: Mapping[str, Pack]
    operator_id: int = 0
    amount: Money | None = None
    words: str = ""

    async def order(
        self, order: Order, state: OrderState, why: str = "operator", **changes: Any
    ) -> None:
        """Move the order and tell the customer. Raises Refused when it had moved."""
        if not await self.tx.orders.move(
            order.id, order.state, state, why, self.now, actor=self.actor, **changes
        ):
            raise Refused("nothing_waits")
        step = f"{order.version}"
        await self.tx.outbox.add(notices.order_moved(order.id, order.chat_id, state, step))

    async def topup(
        self, topup: TopUp, old: TopUpState, new: TopUpState, reason: str, **changes: object
    ) -> None:
        """Move the top-up. Raises Refused when it had moved."""
        if not await self.tx.topups.move(
            topup.id, old, new, reason, self.now, actor=self.actor, **changes
        ):
            raise Refused("nothing_waits")

    async def payment(
        self, payment: Payment, new: PaymentState, old: PaymentState | None = None
    ) -> None:
        """Move the payment. Raises Refused when it had moved."""
        if not await self.tx.payments.move(
            payment.id, old or payment.state, new, "operator", self.now, actor=self.actor
        ):
            raise Refused("nothing_waits")


async def delivered(by: By, order: Order, topup: TopUp, after: Reading | None) -> None:
    """The top-up arrived: the order is fulfilled; after a by-hand one the SIM's dates move."""
    sim = await by.tx.sims.get(order.sim_id)
    if by.by_hand and sim is not None:
        after = by_plan(sim, order, Source.OPERATOR, by.now)
    state = topup.state
    for new in _TO_VERIFIED[state]:
        last: dict[str, object] = {"after": after} if new is TopUpState.VERIFIED else {}
        await by.topup(topup, state, new, "operator: delivered", next_at=None, **last)
        state = new
    if sim is not None and after is not None:
        if by.by_hand:
            await redate(by.tx, sim, after)
        else:
            await by.tx.sims.add_reading(sim.id, after)
    await finish(by.tx, by.packs, order, by.now)
    await settle_passed(by.tx, order.sim_id, by.now)


async def submit_again(by: By, order: Order, topup: TopUp) -> None:
    """Nothing was bought: the old reference is closed, a new one is committed and submitted."""
    if topup.state is TopUpState.SAVED:
        await by.tx.topups.set(topup.id, tries=0, next_at=by.now)  # it never left the house
        return
    await by.topup(topup, topup.state, TopUpState.REJECTED, "operator: not delivered", next_at=None)
    await by.tx.topups.add(
        TopUp(
            id=f"{order.id}-t{new_id(6)}",
            order_id=order.id,
            sim_id=order.sim_id,
            supplier=topup.supplier,
            supplier_code=topup.supplier_code,
            state=TopUpState.SAVED,
            created_at=by.now,
            amount=topup.amount,
            max_cost=topup.max_cost,
            next_at=by.now,
        )
    )
    await by.order(order, OrderState.TOPPING_UP)


async def look_up_again(by: By, order: Order, topup: TopUp) -> None:
    """Verify once more what the supplier said was delivered, else look the reference up."""
    # A submit whose lease is over is looked up by the fulfilment job, and never sent again.
    unverified = topup.reason == "unverified"
    state = TopUpState.SUCCEEDED if unverified else TopUpState.SUBMITTING
    await by.topup(topup, topup.state, state, "operator: asked again", tries=0, next_at=by.now)
    await by.order(order, OrderState.TOPPING_UP)


async def accept(by: By, order: Order, payment: Payment) -> None:
    """What was paid is taken as the price."""
    await by.payment(payment, PaymentState.CAPTURED)
    charge = payment.captured or payment.amount
    # Of an order that had ended: the person decides, whether or not a promo has room for it.
    await benefits.hold_again(by.tx, order, by.now)
    await pay_order(by.tx, order, payment.method, charge, by.now, "operator")


async def refund(by: By, order: Order, topup: TopUp | None, payment: Payment | None) -> None:
    """The order ends without its top-up; the refund job sends everything back."""
    if topup is not None and topup.state is not TopUpState.REVERSED:  # that has ended already
        await by.topup(topup, topup.state, TopUpState.REJECTED, "operator: refunded", next_at=None)
    changes: dict[str, Any] = {}
    if payment is not None and order.charge is None:
        changes = {
            "charge": payment.captured,
            "method": payment.method,
            "paid_at": payment.captured_at,
        }
    await by.order(order, OrderState.REFUND_DUE, **changes)


async def dispute_won(by: By, payment: Payment) -> None:
    """The payer's bank has decided for the shop: what was held of a top-up can be spent."""
    await by.payment(payment, PaymentState.CAPTURED)
    await ledger.freed(by.tx, payment, by.now)


async def refund_surplus(by: By, payment: Payment) -> None:
    """A wrong amount for an order that is paid: captured money beyond it goes back by itself."""
    await by.payment(payment, PaymentState.CAPTURED)


async def returned(by: By, order: Order) -> None:
    """The money went back outside the bot: nothing more is sent."""
    for payment in await refunds.held(by.tx, order):
        await payment_returned(by, payment)
    state = order.state
    for new in (OrderState.REFUNDING, OrderState.REFUNDED):
        if new is state:
            continue
        if not await by.tx.orders.move(order.id, state, new, "operator", by.now, actor=by.actor):
            raise Refused("nothing_waits")
        state = new
    await benefits.release(by.tx, order.id, by.now, refunded=True)
    await by.tx.outbox.add(notices.order_moved(order.id, order.chat_id, OrderState.REFUNDED))


async def payment_returned(by: By, payment: Payment) -> None:
    """All of one charge went back by a person's hand."""
    for refund in await by.tx.refunds.of_payment(payment.id):
        if refund.state is not RefundState.DONE:
            await refunds.done(by.tx, refund, by.now, by.actor)
    current = await by.tx.payments.get(payment.id)
    if current is None or current.state is PaymentState.REFUNDED or current.captured is None:
        return
    rest = Money(current.captured.minor - current.going_back, current.captured.currency)
    if not await by.tx.payments.reserve(payment.id, rest.minor):
        raise Refused("nothing_waits")
    await earnings.returned(by.tx, payment.order_id, by.now)
    await ledger.taken_back(by.tx, payment, f"returned:{payment.id}", rest.minor, by.now)
    await by.tx.refunds.add(
        Refund(
            id=f"{payment.id}-r{new_id(6)}",
            payment_id=payment.id,
            state=RefundState.DONE,
            amount=rest,
            reason="by_hand",
            created_at=by.now,
            done_at=by.now,
        )
    )
    await by.payment(current, PaymentState.REFUNDED)
    await benefits.went_back(by.tx, current, by.now)


async def refund_returned(by: By, refund: Refund) -> None:
    """A person sent it back, where no provider can. Raises Refused when it was done before."""
    if not await refunds.done(by.tx, refund, by.now, by.actor):
        raise Refused("nothing_waits")


async def settle_claim(by: By, claim: Claim, *, approve: bool) -> None:
    """The SIM is, or is not, this customer's. Raises Refused "owned" when it is another's."""
    if approve:
        sim = await by.tx.sims.get(claim.sim_id)
        try:
            if sim is not None and sim.owner_id != claim.chat_id:
                await take_over(by.tx, sim, claim.chat_id, by.now)
        except SimRefused:
            raise Refused("owned") from None
        await by.tx.chats.set_wrong_claims(claim.chat_id, 0, None)
    if not await by.tx.claims.settle(claim.id, "approved" if approve else "declined"):
        raise Refused("nothing_waits")
    await by.tx.outbox.add(notices.claim_settled(claim.chat_id, claim.id))
