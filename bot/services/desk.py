"""The operator's desk: what waits for a person, and the decisions that settle it (F51).

A decision is one transaction and one line in the audit log. Whoever presses second, or the same
press replayed after a crash, is told what was decided and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState, TopUpState
from bot.domain.requests import RefundRequest
from bot.domain.sales import Order, Payment, TopUp
from bot.domain.sims import Reading
from bot.ports import (
    AuditRow,
    Carrier,
    Clock,
    Store,
    SupplierUnavailable,
    Tx,
    Wait,
)
from bot.services import decisions, requesting, waiting
from bot.services.refunds import STUCK_AFTER, Refunds
from bot.services.selling import Refused, Selling
from bot.services.waiting import Action, Kind, QueueItem
from bot.services.work import Worker

log = structlog.get_logger()

_LOOK_BACK = 1000
_PREFIX = "desk_"


class NotOperator(Exception):
    """Somebody who is not among the configured operators asked for the desk."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A decision: what, by whom, when (UTC). `first` is False for who came too late."""

    action: Action
    operator_id: int
    at: datetime
    first: bool


class Desk:
    """The queue and its buttons."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        selling: Selling,
        refunds: Refunds,
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._selling = selling
        self._refunds = refunds
        self.rings: list[Worker] = []
        """Workers to wake after a decision: top-ups, refunds, readings, messages."""

    def check(self, operator_id: int) -> None:
        """Raise NotOperator unless it is one."""
        if operator_id not in self._selling.operators:
            raise NotOperator(str(operator_id))

    # ---- looking -------------------------------------------------------------------------

    async def queue(self) -> list[QueueItem]:
        """Everything that waits, the longest first. For operators' eyes only: see `check`."""
        found: dict[str, QueueItem] = {}
        async with self._store.read() as tx:
            for subject in await self._subjects(tx):
                item = await self._item(tx, subject)
                if item is not None:
                    found[item.subject] = item
        return sorted(found.values(), key=lambda item: item.since)

    async def item(self, subject: str) -> QueueItem | None:
        """One thing that waits; None when it does not any more."""
        async with self._store.read() as tx:
            return await self._item(tx, subject)

    async def _subjects(self, tx: Tx) -> list[str]:
        waiting = (OrderState.NEEDS_OPERATOR, OrderState.REFUND_DUE, OrderState.REFUNDING)
        subjects = [f"order:{order.id}" for order in await tx.orders.in_states(waiting, 500)]
        for topup in await tx.topups.in_states([TopUpState.PROCESSING]):
            if self._by_hand(topup):
                subjects.append(f"order:{topup.order_id}")
        for payment in await tx.payments.in_states([PaymentState.MISMATCH]):
            subjects.append(f"payment:{payment.id}")
        for payment in await tx.payments.surplus():
            subjects.append(f"payment:{payment.id}")
        for payment in await tx.payments.in_states([PaymentState.DISPUTED]):
            subjects.append(f"payment:{payment.id}")
        for refund in await tx.refunds.in_states([RefundState.BY_HAND]):
            subjects.append(f"refund:{refund.id}")
        subjects += [f"difference:{gap.id}" for gap in await tx.differences.open()]
        subjects += [f"request:{request.id}" for request in await tx.requests.waiting()]
        subjects += [f"proof:{proof.id}" for proof in await tx.proofs.waiting()]
        subjects += [f"claim:{claim.id}" for claim in await tx.claims.waiting()]
        return subjects + [f"activation:{watch.id}" for watch in await tx.activations.escalated()]

    async def _item(self, tx: Tx, subject: str) -> QueueItem | None:
        kind, _, row_id = subject.partition(":")
        if kind == "claim":
            claim = await tx.claims.get(row_id)
            return await waiting.claim_item(tx, claim) if claim is not None else None
        if kind == "proof":
            proof = await tx.proofs.get(row_id)
            return await waiting.proof_item(tx, proof) if proof is not None else None
        if kind == "activation":
            watch = await tx.activations.get(row_id)
            return await waiting.activation_item(tx, watch) if watch is not None else None
        if kind == "request":
            request = await tx.requests.get(row_id)
            if request is None:
                return None
            return await waiting.request_item(tx, request, self._refunds.parts, self._by_hand)
        if kind == "difference":
            gap = await tx.differences.get(row_id)
            return await waiting.difference_item(tx, gap) if gap is not None else None
        if kind == "refund":
            refund = await tx.refunds.get(row_id)
            return await waiting.refund_item(tx, refund) if refund is not None else None
        if kind == "payment":
            payment = await tx.payments.get(row_id)
            if payment is not None and payment.state is PaymentState.CAPTURED:
                return await self._surplus_item(tx, payment)
            if payment is not None and payment.state is PaymentState.DISPUTED:
                return await waiting.dispute_item(tx, payment)
            return await waiting.payment_item(tx, payment) if payment is not None else None
        order = await tx.orders.get(row_id) if kind == "order" else None
        return await self._order_item(tx, order) if order is not None else None

    async def _order_item(self, tx: Tx, order: Order) -> QueueItem | None:
        topups = await tx.topups.of_order(order.id)
        topup = topups[-1] if topups else None
        payment = await waiting.mismatched(tx, order)
        found: tuple[Kind, tuple[Action, ...]] | None = None
        if order.state in (OrderState.REFUND_DUE, OrderState.REFUNDING):
            if self._clock.now() - (order.paid_at or order.created_at) > STUCK_AFTER:
                found = (Kind.REFUND, (Action.REFUND, Action.RETURNED))
        elif order.state is OrderState.NEEDS_OPERATOR:
            if topup is not None:
                found = (Kind.TOPUP, self._topup_actions(topup))
            else:
                accept = (Action.ACCEPT,) if payment is not None else ()
                found = (Kind.MISMATCH, (*accept, Action.REFUND))
        elif topup is not None and topup.state is TopUpState.PROCESSING and self._by_hand(topup):
            found = (Kind.BY_HAND, (Action.DELIVERED, Action.REFUND))
        elif payment is not None:
            return await waiting.payment_item(tx, payment)
        if found is None:
            return None
        return QueueItem(
            subject=f"order:{order.id}",
            kind=found[0],
            since=order.paid_at or order.created_at,
            actions=found[1],
            reason=order.reason or (topup.reason if topup else None),
            chat=await tx.chats.get(order.chat_id),
            sim=await tx.sims.get(order.sim_id),
            order=order,
            topup=topup,
            payment=payment,
        )

    async def _surplus_item(self, tx: Tx, payment: Payment) -> QueueItem | None:
        """A charge that nothing is owed for and that does not go back by itself."""
        order = await tx.orders.get(payment.order_id) if payment.order_id else None
        since = payment.captured_at or payment.created_at
        if order is None or self._clock.now() - since <= STUCK_AFTER:
            return None
        if payment.id not in [surplus.id for surplus in await tx.payments.surplus()]:
            return None
        return QueueItem(
            subject=f"payment:{payment.id}",
            kind=Kind.REFUND,
            since=since,
            actions=(Action.REFUND, Action.RETURNED),
            reason="surplus",
            chat=await tx.chats.get(payment.chat_id),
            sim=await tx.sims.get(order.sim_id),
            order=order,
            payment=payment,
        )

    def _topup_actions(self, topup: TopUp) -> tuple[Action, ...]:
        if topup.state in (TopUpState.SUCCEEDED, TopUpState.VERIFIED):
            return (Action.DELIVERED,)
        carrier = self._carriers.get(topup.supplier)
        unsent = topup.state is TopUpState.SAVED and carrier is not None
        again = unsent or topup.reason == "not_found"
        unverified = topup.reason == "unverified"
        ask = (
            topup.state is TopUpState.NEEDS_OPERATOR
            and carrier is not None
            and (unverified or carrier.capabilities.finds)
        )
        middle = [
            *([Action.SUBMIT_AGAIN] if again else []),
            *([Action.LOOK_UP_AGAIN] if ask else []),
        ]
        return (Action.DELIVERED, *middle, Action.REFUND)

    def _by_hand(self, topup: TopUp) -> bool:
        carrier = self._carriers.get(topup.supplier)
        return carrier is not None and carrier.capabilities.by_hand

    # ---- deciding ------------------------------------------------------------------------

    async def act(
        self,
        subject: str,
        action: Action,
        operator_id: int,
        update_id: int,
        *,
        amount: Money | None = None,
        words: str = "",
    ) -> Settled:
        """Decide. Who comes second gets the first one's decision, with `first` False.

        `amount` goes with PART, `words` with a DECLINE that the customer reads. Raises
        NotOperator, and Refused: "nothing_waits" when the matter has ended without a person;
        too_much, amount_needed, words_needed.
        """
        self.check(operator_id)
        after = await self._reading_after(subject) if action is Action.DELIVERED else None
        now = self._clock.now()
        async with self._store.write() as tx:
            earlier = await _earlier(tx, subject, update_id)
            if earlier is not None and earlier.first:
                return earlier
            item = await self._item(tx, subject)
            if item is None or action not in item.actions:
                if earlier is None:
                    raise Refused("nothing_waits")
                return earlier
            actor = f"operator:{operator_id}"
            by_hand = self._by_hand(item.topup) if item.topup else False
            by = decisions.By(
                tx, actor, now, by_hand, self._selling.packs, operator_id, amount, words
            )
            await self._decide(by, item, action, after)
            details = {"update_id": update_id, "reason": item.reason}
            await tx.audit.add(AuditRow(now, actor, _PREFIX + action, item.subject, details))
        log.info("desk_decision", subject=subject, action=action, operator=operator_id)
        for worker in self.rings:
            worker.ring()
        return Settled(action, operator_id, now, first=True)

    async def _decide(
        self, by: decisions.By, item: QueueItem, action: Action, after: Reading | None
    ) -> None:
        order, topup, payment, claim = item.order, item.topup, item.payment, item.claim
        match action:
            case _ if item.request and order:
                await self._answer(by, item, item.request, order, action)
            case Action.DELIVERED if order and topup:
                await decisions.delivered(by, order, topup, after)
            case Action.SUBMIT_AGAIN if order and topup:
                await decisions.submit_again(by, order, topup)
            case Action.LOOK_UP_AGAIN if order and topup:
                await decisions.look_up_again(by, order, topup)
            case Action.ACCEPT if item.kind is Kind.DISPUTE and payment:
                await decisions.dispute_won(by, payment)
            case Action.ACCEPT if order and payment:
                await decisions.accept(by, order, payment)
            case Action.REFUND if item.kind is Kind.REFUND:
                pass  # it is due already: the ring makes the job try once more
            case Action.REFUND if payment and item.subject.startswith("payment:"):
                await decisions.refund_surplus(by, payment)
            case Action.REFUND if order:
                await decisions.refund(by, order, topup, payment)
            case Action.RETURNED if item.refund:
                await decisions.refund_returned(by, item.refund)
            case Action.RETURNED if payment and item.subject.startswith("payment:"):
                await decisions.payment_returned(by, payment)
            case Action.RETURNED if order:
                await decisions.returned(by, order)
            case Action.APPROVE | Action.DECLINE if claim:
                await decisions.settle_claim(by, claim, approve=action is Action.APPROVE)
            case Action.SEEN if item.difference:
                if not await by.tx.differences.settle(item.difference.id, by.now, by.actor):
                    raise Refused("nothing_waits")
            case Action.HELPED if item.watch:
                if not await by.tx.activations.move(item.watch.id, Wait.ESCALATED, Wait.HELPED):
                    raise Refused("nothing_waits")
            case _:
                raise Refused("nothing_waits")

    async def _answer(
        self, by: decisions.By, item: QueueItem, request: RefundRequest, order: Order,
        action: Action,
    ) -> None:  # fmt: skip
        """A customer's wish to have money back."""
        match action:
            case Action.REFUND:
                await requesting.approve(by, request, order, item.topup)
            case Action.PART if item.payment:
                await requesting.approve_part(by, self._refunds, request, order, item.payment)
            case Action.DECLINE:
                await requesting.decline(by, request, order)
            case _:
                raise Refused("nothing_waits")

    async def _reading_after(self, subject: str) -> Reading | None:
        """What the SIM itself shows now, for the receipt; None when nobody can tell."""
        async with self._store.read() as tx:
            item = await self._item(tx, subject)
        if item is None or item.sim is None or item.topup is None:
            return None
        carrier = self._carriers.get(item.topup.supplier)
        if carrier is None or not carrier.capabilities.reads:
            return None
        try:
            return await carrier.snapshot(item.sim)
        except SupplierUnavailable as error:
            log.warning("reading_after_failed", topup=item.topup.id, reason=error.reason)
            return None


async def _earlier(tx: Tx, subject: str, update_id: int) -> Settled | None:
    """This very update's own decision (a replay, `first`), else the newest on the subject."""
    newest: Settled | None = None
    for row in await tx.audit.latest(_LOOK_BACK):
        if not row.action.startswith(_PREFIX) or row.subject != subject:
            continue
        first = row.details.get("update_id") == update_id
        if first or newest is None:
            action = Action(row.action.removeprefix(_PREFIX))
            operator_id = int(row.actor.removeprefix("operator:"))
            newest = Settled(action, operator_id, row.at, first)
        if first:
            break
    return newest
