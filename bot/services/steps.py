"""The moves that every step of a top-up shares: on to the customer, back to them, to a person."""

from datetime import datetime, timedelta

from bot.domain.orders import OrderState, TopUpState
from bot.domain.sales import Order, TopUp
from bot.ports import Clock, Store, Tx
from bot.services import notices
from bot.services.selling import Selling, tell_operators
from bot.services.work import Worker


class Steps:
    """Moves of a top-up and its order, always together and told to whom they concern."""

    def __init__(self, store: Store, clock: Clock, selling: Selling) -> None:
        self._store = store
        self._clock = clock
        self._selling = selling
        self.rings: list[Worker] = []
        """Workers to wake when something is to be told or refunded."""

    async def reject(
        self, topup: TopUp, order: Order, reason: str, state: TopUpState = TopUpState.SAVED
    ) -> None:
        """The supplier surely did not deliver: the money goes back by itself (F18)."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if await tx.topups.move(
                topup.id, state, TopUpState.REJECTED, reason, now, next_at=None
            ):
                await self.order_to(tx, order, OrderState.REFUND_DUE, reason, now)
        self.ring()

    async def to_person(
        self, topup: TopUp, order: Order, reason: str, state: TopUpState | None = None
    ) -> None:
        """A person decides. What was not sent yet is tried all the same, now and then."""
        now = self._clock.now()
        state = state or topup.state
        async with self._store.write() as tx:
            if state is TopUpState.UNKNOWN:
                await tx.topups.move(topup.id, state, TopUpState.RECONCILING, reason, now)
                state = TopUpState.RECONCILING
            if state is TopUpState.SAVED:
                await tx.topups.set(topup.id, next_at=now + timedelta(minutes=30))
            elif not await tx.topups.move(
                topup.id, state, TopUpState.NEEDS_OPERATOR, reason, now, next_at=None
            ):
                return
            if await self.order_to(tx, order, OrderState.NEEDS_OPERATOR, reason, now):
                step = f"{order.version}"
                await self.tell_operators(tx, order, reason, step)
        self.ring()

    async def order_to(
        self, tx: Tx, order: Order, state: OrderState, reason: str, now: datetime
    ) -> bool:
        """Move the order and tell the customer; False when it is there already."""
        current = await tx.orders.get(order.id)
        if current is None or current.state is state:
            return False
        moved = await tx.orders.move(order.id, current.state, state, reason, now)
        if moved:
            step = f"{current.version}"
            await tx.outbox.add(notices.order_moved(order.id, order.chat_id, state, step))
        return moved

    async def tell_operators(self, tx: Tx, order: Order, why: str, step: str = "") -> None:
        """A note about the order into every operator's chat."""
        await tell_operators(tx, self._selling, f"order:{order.id}", why, step)

    def ring(self) -> None:
        """Wake who tells and who refunds."""
        for worker in self.rings:
            worker.ring()
