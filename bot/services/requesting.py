"""Money that a customer asks back (F18): asked once, decided once by a person, told each step.

What was delivered goes back only by that person's word; what goes back of a payment never adds up
to more than was captured, whoever decides how often.
"""

from bot.domain.money import Money
from bot.domain.orders import RUNNING_ORDERS, OrderState, RefundState, TopUpState
from bot.domain.requests import RefundRequest, RequestState, Why
from bot.domain.sales import Order, Payment, TopUp
from bot.ports import Clock, Store, Tx
from bot.services import notices
from bot.services.decisions import By
from bot.services.ids import new_id
from bot.services.refunds import Refunds, held
from bot.services.selling import Refused, Selling, tell_operators
from bot.services.work import Worker

ASKABLE = frozenset({OrderState.FULFILLED, *RUNNING_ORDERS})
"""Orders whose money can be asked back; before them there is none, after them it goes back."""
MOST_WORDS = 500

_STOPPED = frozenset(
    {TopUpState.SAVED, TopUpState.NEEDS_OPERATOR, TopUpState.REJECTED, TopUpState.REVERSED}
)
"""Top-ups that nobody is about to deliver: their money can go back before the order's end."""


class Requesting:
    """The customer's side."""

    def __init__(self, store: Store, clock: Clock, selling: Selling) -> None:
        self._store = store
        self._clock = clock
        self._selling = selling
        self.rings: list[Worker] = []

    async def ask(
        self, order_id: str, chat_id: int, why: Why, words: str, update_id: int
    ) -> RefundRequest:
        """Put the wish before the shop; the one that waits when there is one already.

        Raises Refused: unknown, nothing_to_return.
        """
        async with self._store.write() as tx:
            order = await tx.orders.get(order_id)
            if order is None or order.chat_id != chat_id:
                raise Refused("unknown")
            if order.state not in ASKABLE or await returnable(tx, order) is None:
                raise Refused("nothing_to_return", order)
            request = RefundRequest(
                id=new_id(),
                order_id=order.id,
                chat_id=chat_id,
                why=why,
                words=words.strip()[:MOST_WORDS],
                state=RequestState.ASKED,
                asked_at=self._clock.now(),
                update_id=update_id,
            )
            if await tx.requests.add(request):
                await tell_operators(tx, self._selling, f"request:{request.id}", "refund_asked")
            else:
                request = await tx.requests.of_order(order.id) or request
        for worker in self.rings:
            worker.ring()
        return request


def rest(payment: Payment) -> Money:
    """What of a captured payment does not go back yet."""
    taken = payment.captured or Money(0, payment.amount.currency)
    return Money(taken.minor - payment.going_back, taken.currency)


async def returnable(tx: Tx, order: Order) -> Payment | None:
    """The order's payment, if any of its money is still with us."""
    paid = [payment for payment in await held(tx, order) if rest(payment).minor > 0]
    return min(paid, key=lambda payment: payment.method is not order.method, default=None)


def stopped(order: Order, topup: TopUp | None, *, by_hand: bool) -> bool:
    """Whether all of its money can go back now: nobody is in the middle of delivering it."""
    if order.state is OrderState.FULFILLED:
        return True
    if topup is None or topup.state in _STOPPED:
        return True
    return by_hand and topup.state is TopUpState.PROCESSING


# ---- the shop's side: within the desk's transaction ------------------------------------------


async def approve(by: By, request: RefundRequest, order: Order, topup: TopUp | None) -> None:
    """All of it goes back. Raises Refused when somebody has decided."""
    await _decide(by, request, RequestState.APPROVED)
    ending = order.state is not OrderState.FULFILLED
    if ending and topup is not None and topup.state not in (
        TopUpState.REVERSED, TopUpState.REJECTED,
    ):  # fmt: skip
        await by.topup(topup, topup.state, TopUpState.REJECTED, "operator: refunded", next_at=None)
    await by.order(order, OrderState.REFUND_DUE, why=REQUESTED)
    await by.tx.outbox.add(notices.request_moved(request, "decided"))


REQUESTED = "requested"
"""The reason of an order whose money goes back because its customer asked for it."""


async def approve_part(
    by: By, refunds: Refunds, request: RefundRequest, order: Order, payment: Payment
) -> None:
    """A part goes back and the top-up stays. Raises Refused: amount_needed, too_much."""
    amount, left = by.amount, rest(payment)
    if amount is None or amount.currency != left.currency or amount.minor <= 0:
        raise Refused("amount_needed")
    if not amount < left:
        raise Refused("too_much")  # all of it is another decision
    refund = await refunds.begin(by.tx, payment, amount, REQUESTED)
    if refund is None:
        raise Refused("too_much")
    await _decide(by, request, RequestState.PART, amount=amount, refund_id=refund.id)
    current = await by.tx.refunds.get(refund.id)
    back = current is not None and current.state is RefundState.DONE
    await by.tx.outbox.add(notices.request_moved(request, "returned" if back else "decided"))
    await by.tx.outbox.add(
        notices.order_moved(order.id, order.chat_id, order.state, f"part:{request.id}")
    )


async def decline(by: By, request: RefundRequest, order: Order) -> None:
    """Nothing goes back, and the customer reads why. Raises Refused "words_needed"."""
    if not by.words.strip():
        raise Refused("words_needed")
    await _decide(by, request, RequestState.DECLINED, answer=by.words.strip()[:MOST_WORDS])
    await by.tx.outbox.add(notices.request_moved(request, "decided"))
    await by.tx.outbox.add(
        notices.order_moved(order.id, order.chat_id, order.state, f"declined:{request.id}")
    )


async def _decide(by: By, request: RefundRequest, state: RequestState, **changes: object) -> None:
    if not await by.tx.requests.decide(
        request.id, state, decided_at=by.now, decided_by=by.operator_id, **changes
    ):
        raise Refused("nothing_waits")
