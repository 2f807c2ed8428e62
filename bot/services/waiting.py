"""What waits for a person, each with the facts to decide by and the decisions there are (F51)."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.books import Difference
from bot.domain.chats import Chat
from bot.domain.orders import OrderState, PaymentState, RefundState
from bot.domain.requests import RefundRequest, RequestState
from bot.domain.sales import Method, Order, Payment, Refund, TopUp
from bot.domain.sims import Sim
from bot.domain.transfers import Proof, ProofState, Same
from bot.ports import Activation, Claim, Tx, Wait
from bot.services.requesting import ASKABLE, rest, returnable, stopped


class Kind(StrEnum):
    """Why something waits."""

    TOPUP = "topup"  # it can't be told whether, or not be shown that, a top-up arrived
    BY_HAND = "by_hand"  # a person does this top-up
    MISMATCH = "mismatch"  # what was paid is not what was asked
    REFUND = "refund"  # money that has been due back for long
    DISPUTE = "dispute"  # the payer asks their bank for the money
    CLAIM = "claim"  # a customer says a SIM is theirs
    REQUEST = "request"  # a customer asks for their money back
    PROOF = "proof"  # a picture of a transfer is to be compared with the account
    DIFFERENCE = "difference"  # two books that do not agree
    ACTIVATION = "activation"  # an eSIM that its owner has not got activated for a day


class Action(StrEnum):
    """What an operator can decide."""

    DELIVERED = "delivered"
    """The top-up arrived; a by-hand one was done just now."""
    SUBMIT_AGAIN = "submit_again"
    """Nothing was bought: buy it, under a new reference."""
    LOOK_UP_AGAIN = "look_up_again"
    """Ask the supplier, or read the SIM, once more."""
    REFUND = "refund"
    """Send the money back."""
    PART = "part"
    """Send a part of the money back; the amount is said with it."""
    RETURNED = "returned"
    """The money was sent back outside the bot."""
    ACCEPT = "accept"
    """Take what was paid as the price."""
    APPROVE = "approve"
    DECLINE = "decline"
    HELPED = "helped"
    """The customer was helped; nothing more is watched."""
    SEEN = "seen"
    """Somebody has looked into it and put it right."""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One thing that waits since `since` (UTC), with the facts a person decides by.

    `subject` is the kind and id of its row: "order:…", "payment:…", "refund:…",
    "claim:…", "request:…", "proof:…", "difference:…", "activation:…".
    """

    subject: str
    kind: Kind
    since: datetime
    actions: tuple[Action, ...]
    reason: str | None = None
    chat: Chat | None = None
    sim: Sim | None = None
    order: Order | None = None
    topup: TopUp | None = None
    payment: Payment | None = None
    refund: Refund | None = None
    claim: Claim | None = None
    request: RefundRequest | None = None
    watch: Activation | None = None
    difference: Difference | None = None
    proof: Proof | None = None
    alike: Sequence[tuple[Same, Proof]] = ()
    """Other sales' proofs that share something with it."""


async def claim_item(tx: Tx, claim: Claim) -> QueueItem | None:
    if claim.state != "waiting":
        return None
    sim = await tx.sims.get(claim.sim_id)
    free = sim is not None and sim.owner_id in (None, claim.chat_id) and sim.removed_at is None
    return QueueItem(
        subject=f"claim:{claim.id}",
        kind=Kind.CLAIM,
        since=claim.created_at,
        actions=(Action.APPROVE, Action.DECLINE) if free else (Action.DECLINE,),
        reason=None if free else "owned",
        chat=await tx.chats.get(claim.chat_id),
        sim=sim,
        claim=claim,
    )


async def proof_item(tx: Tx, proof: Proof) -> QueueItem | None:
    """A transfer to be compared with the account; its decisions are in `transfers`."""
    payment = await tx.payments.get(proof.payment_id)
    if proof.state is not ProofState.WAITING or payment is None:
        return None
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    alike = await tx.proofs.alike(proof)
    return QueueItem(
        subject=f"proof:{proof.id}",
        kind=Kind.PROOF,
        since=proof.created_at,
        actions=(),
        reason="proof_again" if alike else "proof",
        chat=await tx.chats.get(proof.chat_id),
        sim=await tx.sims.get(order.sim_id) if order else None,
        order=order,
        payment=payment,
        proof=proof,
        alike=alike,
    )


async def difference_item(tx: Tx, difference: Difference) -> QueueItem | None:
    """Our books and others' do not agree, and no job can tell why."""
    if difference.settled_at is not None:
        return None
    kind, _, row_id = difference.subject.partition(":")
    payment = await tx.payments.get(row_id) if kind == "payment" else None
    order_id = row_id if kind == "order" else payment.order_id if payment else None
    order = await tx.orders.get(order_id) if order_id else None
    return QueueItem(
        subject=f"difference:{difference.id}",
        kind=Kind.DIFFERENCE,
        since=difference.found_at,
        actions=(Action.SEEN,),
        reason=f"gap_{difference.gap}",
        chat=await tx.chats.get(order.chat_id) if order else None,
        sim=await tx.sims.get(order.sim_id) if order else None,
        order=order,
        difference=difference,
    )


async def activation_item(tx: Tx, watch: Activation) -> QueueItem | None:
    if watch.state is not Wait.ESCALATED:
        return None
    return QueueItem(
        subject=f"activation:{watch.id}",
        kind=Kind.ACTIVATION,
        since=watch.since,
        actions=(Action.HELPED,),
        reason="activation",
        chat=await tx.chats.get(watch.chat_id),
        sim=await tx.sims.get(watch.sim_id),
        watch=watch,
    )


async def refund_item(tx: Tx, refund: Refund) -> QueueItem | None:
    """Money that no provider can send back: a person does, and says so."""
    payment = await tx.payments.get(refund.payment_id)
    if refund.state is not RefundState.BY_HAND or payment is None:
        return None
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    return QueueItem(
        subject=f"refund:{refund.id}",
        kind=Kind.REFUND,
        since=refund.created_at,
        actions=(Action.RETURNED,),
        reason="refund_by_hand",
        chat=await tx.chats.get(payment.chat_id),
        sim=await tx.sims.get(order.sim_id) if order else None,
        order=order,
        payment=payment,
        refund=refund,
    )


async def request_item(
    tx: Tx, request: RefundRequest, parts: Container[Method], by_hand: Callable[[TopUp], bool]
) -> QueueItem | None:
    """A wish to have money back; all of it only while nobody is in the middle of delivering."""
    order = await tx.orders.get(request.order_id)
    if request.state is not RequestState.ASKED or order is None or order.state not in ASKABLE:
        return None
    topups = await tx.topups.of_order(order.id)
    topup = topups[-1] if topups else None
    payment = await returnable(tx, order)
    whole = stopped(order, topup, by_hand=topup is not None and by_hand(topup))
    part = payment is not None and payment.method in parts and rest(payment).minor > 1
    part = part and order.state is OrderState.FULFILLED
    return QueueItem(
        subject=f"request:{request.id}",
        kind=Kind.REQUEST,
        since=request.asked_at,
        actions=(
            *((Action.REFUND,) if payment is not None and whole else ()),
            *((Action.PART,) if part else ()),
            Action.DECLINE,
        ),
        reason="refund_asked" if whole else "refund_running",
        chat=await tx.chats.get(request.chat_id),
        sim=await tx.sims.get(order.sim_id),
        order=order,
        topup=topup,
        payment=payment,
        request=request,
    )


async def dispute_item(tx: Tx, payment: Payment) -> QueueItem | None:
    """Answered at the provider; here only how it ended is told."""
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    return QueueItem(
        subject=f"payment:{payment.id}",
        kind=Kind.DISPUTE,
        since=payment.captured_at or payment.created_at,
        actions=(Action.ACCEPT, Action.RETURNED),
        reason="disputed",
        chat=await tx.chats.get(payment.chat_id),
        sim=await tx.sims.get(order.sim_id) if order else None,
        order=order,
        payment=payment,
    )


async def mismatched(tx: Tx, order: Order) -> Payment | None:
    for payment in await tx.payments.of_order(order.id):
        if payment.state is PaymentState.MISMATCH:
            return payment
    return None


async def payment_item(tx: Tx, payment: Payment) -> QueueItem | None:
    """A wrong amount paid for an order that did not wait for it."""
    order = await tx.orders.get(payment.order_id) if payment.order_id else None
    if payment.state is not PaymentState.MISMATCH or order is None:
        return None
    if order.state in (OrderState.REFUND_DUE, OrderState.REFUNDING):
        return None  # goes back with the rest of the order
    if order.state is OrderState.NEEDS_OPERATOR and not await tx.topups.of_order(order.id):
        return None  # the order itself waits, for this
    return QueueItem(
        subject=f"payment:{payment.id}",
        kind=Kind.MISMATCH,
        since=payment.captured_at or payment.created_at,
        actions=(Action.REFUND,),
        reason="surplus",
        chat=await tx.chats.get(payment.chat_id),
        sim=await tx.sims.get(order.sim_id),
        order=order,
        payment=payment,
    )
