"""Payment attempts and refunds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.orders import PAYMENT, REFUND, OrderState, PaymentState, RefundState
from bot.domain.sales import Payment, Refund
from bot.store.rows import Shape, move, word
from bot.store.tables import orders, payments, refunds

_PAYMENT = Shape(payments, Payment, money=("amount", "captured"))
_REFUND = Shape(refunds, Refund, money=("amount",))
_REFUND_FIXED = frozenset({"id", "payment_id", "state", "amount", "created_at"})
_FIXED = frozenset(
    {"id", "order_id", "deposit_id", "chat_id", "method", "state", "amount", "created_at"}
)


class PaymentRows:
    """Implements `ports.Payments`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, payment: Payment) -> None:
        """Save an attempt, before anybody is called."""
        await self._conn.execute(insert(payments).inline().values(_PAYMENT.dump(payment)))

    async def get(self, payment_id: str) -> Payment | None:
        """The attempt by our reference."""
        found = await self._many(_PAYMENTS.where(payments.c.id == payment_id))
        return found[0] if found else None

    async def of_order(self, order_id: str) -> list[Payment]:
        """Oldest first."""
        statement = _PAYMENTS.where(payments.c.order_id == order_id)
        return await self._many(statement.order_by(payments.c.seq))

    async def by_charge(self, charge_id: str) -> Payment | None:
        """The attempt that captured this charge of the provider."""
        found = await self._many(_PAYMENTS.where(payments.c.charge_id == charge_id))
        return found[0] if found else None

    async def of_deposit(self, deposit_id: str) -> list[Payment]:
        """Oldest first."""
        statement = _PAYMENTS.where(payments.c.deposit_id == deposit_id)
        return await self._many(statement.order_by(payments.c.seq))

    async def by_provider_ref(self, provider_ref: str) -> Payment | None:
        """The newest attempt of that name at its provider."""
        statement = _PAYMENTS.where(payments.c.provider_ref == provider_ref)
        found = await self._many(statement.order_by(payments.c.seq.desc()).limit(1))
        return found[0] if found else None

    async def to_look_at(self, now: datetime, limit: int) -> list[Payment]:
        """Attempts whose provider is to be asked, the longest due first."""
        statement = _PAYMENTS.where(payments.c.look_at <= now).order_by(payments.c.look_at)
        return await self._many(statement.limit(limit))

    async def next_look(self) -> datetime | None:
        """The smallest look_at there is."""
        statement = select(payments.c.look_at).where(payments.c.look_at.is_not(None))
        return await self._conn.scalar(statement.order_by(payments.c.look_at).limit(1))

    async def captured_since(self, since: datetime) -> list[Payment]:
        """Attempts that took money since then, whatever became of it, oldest first."""
        statement = _PAYMENTS.where(payments.c.captured_at >= since)
        return await self._many(statement.order_by(payments.c.captured_at, payments.c.seq))

    async def set(self, payment_id: str, **changes: Any) -> None:
        """Change what is not its state. Raises ValueError for unknown names."""
        values = _PAYMENT.changes(changes, _FIXED)
        statement = update(payments).where(payments.c.id == payment_id).values(values)
        await self._conn.execute(statement)

    async def reserve(self, payment_id: str, minor: int) -> bool:
        """So much more goes back; False when it would be more than was captured (rule 17)."""
        statement = (
            update(payments)
            .where(
                payments.c.id == payment_id,
                payments.c.captured_minor - payments.c.going_back >= minor,
            )
            .values(going_back=payments.c.going_back + minor)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def surplus(self) -> list[Payment]:
        """Captured payments that nothing is owed for: another one has paid the order, or the
        order's money went back. The payer is the first captured one of the order's own method."""
        first = payments.alias("first")
        other, first_other = (
            case((attempt.c.method == orders.c.method, 0), else_=1) for attempt in (payments, first)
        )
        paid_before = (
            select(first.c.seq)
            .where(
                first.c.order_id == payments.c.order_id,
                first.c.state == word(PaymentState.CAPTURED),
                tuple_(first_other, first.c.captured_at, first.c.seq)
                < tuple_(other, payments.c.captured_at, payments.c.seq),
            )
            .exists()
        )
        several = (  # few orders, found in the index alone
            select(payments.c.order_id)
            .where(payments.c.state == word(PaymentState.CAPTURED))
            .group_by(payments.c.order_id)
            .having(func.count() > 1)
        )
        returned = orders.c.state == word(OrderState.REFUNDED)
        found = several.union(select(orders.c.id).where(returned))
        statement = _PAYMENTS.join(orders, orders.c.id == payments.c.order_id).where(
            payments.c.state == word(PaymentState.CAPTURED),
            payments.c.order_id.in_(found),
            or_(returned, paid_before),
        )
        return await self._many(statement.order_by(payments.c.seq))

    async def in_states(self, states: Sequence[PaymentState]) -> list[Payment]:
        """Oldest first."""
        statement = _PAYMENTS.where(payments.c.state.in_(list(states)))
        return await self._many(statement.order_by(payments.c.seq))

    async def move(
        self, payment_id: str, old: PaymentState, new: PaymentState, reason: str, at: datetime,
        **changes: Any,
    ) -> bool:  # fmt: skip
        """Compare-and-set on the state, recorded; False when it had moved.

        `actor` among the changes says who did it, "bot" when it is left out. Raises
        IllegalTransition, ValueError for unknown names, and an integrity error when another
        attempt holds the same charge_id.
        """
        actor = changes.pop("actor", "bot")
        values = _PAYMENT.changes(changes, _FIXED)
        return await move(
            self._conn, payments, "payment", PAYMENT, payment_id, old, new, reason, at, actor,
            values,
        )  # fmt: skip

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Payment]:
        return [_PAYMENT.load(row) for row in await self._conn.execute(statement)]


class RefundRows:
    """Implements `ports.Refunds`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, refund: Refund) -> None:
        """Save the intent, before anybody is called."""
        await self._conn.execute(insert(refunds).inline().values(_REFUND.dump(refund)))

    async def get(self, refund_id: str) -> Refund | None:
        """The refund by our reference."""
        found = await self._many(_REFUNDS.where(refunds.c.id == refund_id))
        return found[0] if found else None

    async def of_payment(self, payment_id: str) -> list[Refund]:
        """Oldest first."""
        statement = _REFUNDS.where(refunds.c.payment_id == payment_id)
        return await self._many(statement.order_by(refunds.c.seq))

    async def due(self, now: datetime, limit: int) -> list[Refund]:
        """Those whose next_at has come, the longest waiting first."""
        statement = _REFUNDS.where(refunds.c.next_at <= now).order_by(refunds.c.next_at)
        return await self._many(statement.limit(limit))

    async def in_states(self, states: Sequence[RefundState]) -> list[Refund]:
        """Oldest first."""
        statement = _REFUNDS.where(refunds.c.state.in_(list(states)))
        return await self._many(statement.order_by(refunds.c.seq))

    async def next_due(self) -> datetime | None:
        """The smallest next_at there is."""
        statement = select(refunds.c.next_at).where(refunds.c.next_at.is_not(None))
        return await self._conn.scalar(statement.order_by(refunds.c.next_at).limit(1))

    async def set(self, refund_id: str, **changes: Any) -> None:
        """Change what is not its state. Raises ValueError for unknown names."""
        values = _REFUND.changes(changes, _REFUND_FIXED)
        await self._conn.execute(update(refunds).where(refunds.c.id == refund_id).values(values))

    async def move(
        self, refund_id: str, old: RefundState, new: RefundState, reason: str, at: datetime,
        **changes: Any,
    ) -> bool:  # fmt: skip
        """Compare-and-set on the state, recorded; as `PaymentRows.move`."""
        actor = changes.pop("actor", "bot")
        values = _REFUND.changes(changes, _REFUND_FIXED)
        return await move(
            self._conn, refunds, "refund", REFUND, refund_id, old, new, reason, at, actor, values
        )

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Refund]:
        return [_REFUND.load(row) for row in await self._conn.execute(statement)]


_PAYMENTS = select(*_PAYMENT.columns)
_REFUNDS = select(*_REFUND.columns)
