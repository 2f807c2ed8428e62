"""Quotes and orders."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.orders import (
    OPEN_ORDERS,
    ORDER,
    REFUND_STATES,
    RUNNING_ORDERS,
    Listed,
    OrderState,
)
from bot.domain.quotes import Quote
from bot.domain.sales import Order
from bot.store.rows import Shape, insert_new, move, word
from bot.store.tables import orders, payments, quotes

_QUOTE = Shape(quotes, Quote, money=("price", "due", "points_worth"))
_ORDER = Shape(orders, Order, money=("price", "due", "charge"))
_FIXED = frozenset(
    {
        "id",
        "version",
        "state",
        "quote_id",
        "chat_id",
        "sim_id",
        "plan",
        "price",
        "due",
        "created_at",
    }
)
_MAIN_LINE = frozenset(
    {
        OrderState.QUOTED, OrderState.AWAITING_PAYMENT, OrderState.PAID, OrderState.TOPPING_UP,
        OrderState.FULFILLED,
    }
)  # fmt: skip


class QuoteRows:
    """Implements `ports.Quotes`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, quote: Quote, update_id: int | None) -> Quote:
        """Save it; a replay of the same update gets the quote that the first run saved."""
        values = _QUOTE.dump(quote) | {"update_id": update_id}
        if await insert_new(self._conn, quotes, values):
            return quote
        first = await self._one(select(*_QUOTE.columns).where(quotes.c.update_id == update_id))
        if first is None:
            raise ValueError(f"quote {quote.id} is saved already, by another update")
        return first

    async def get(self, quote_id: str) -> Quote | None:
        """The quote, lapsed ones too."""
        return await self._one(select(*_QUOTE.columns).where(quotes.c.id == quote_id))

    async def _one(self, statement: Select[*tuple[Any, ...]]) -> Quote | None:
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _QUOTE.load(row)


class OrderRows:
    """Implements `ports.Orders`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, order: Order) -> Order:
        """Save it; one order per quote: a second call gets the first one's order."""
        if await insert_new(self._conn, orders, _ORDER.dump(order)):
            return order
        first = await self.by_quote(order.quote_id)
        if first is None:
            raise ValueError(f"order {order.id} is saved already, for another quote")
        return first

    async def get(self, order_id: str) -> Order | None:
        """The order in any state."""
        found = await self._many(_SELECT.where(orders.c.id == order_id))
        return found[0] if found else None

    async def by_quote(self, quote_id: str) -> Order | None:
        """The one order that was made of the quote."""
        found = await self._many(_SELECT.where(orders.c.quote_id == quote_id))
        return found[0] if found else None

    async def of_chat(
        self, chat_id: int, limit: int, offset: int = 0, *, listed: Listed = Listed.ALL,
        sim_id: str | None = None,
    ) -> list[Order]:  # fmt: skip
        """Newest first."""
        statement = _SELECT.where(orders.c.chat_id == chat_id, *_LISTED[listed])
        if sim_id is not None:
            statement = statement.where(orders.c.sim_id == sim_id)
        return await self._many(statement.order_by(orders.c.seq.desc()).limit(limit).offset(offset))

    async def in_states(self, states: Sequence[OrderState], limit: int = 100) -> list[Order]:
        """Oldest first."""
        statement = _SELECT.where(orders.c.state.in_(list(states))).order_by(orders.c.seq)
        return await self._many(statement.limit(limit))

    async def of_sim(self, sim_id: str, states: Sequence[OrderState]) -> list[Order]:
        """Oldest first."""
        return await self.of_sims([sim_id], states)

    async def of_sims(self, sim_ids: Collection[str], states: Sequence[OrderState]) -> list[Order]:
        """Those of these SIMs, oldest first."""
        wanted = {"sims": list(sim_ids), "states": list(states)}
        return [_ORDER.load(row) for row in await self._conn.execute(_OF_SIMS, wanted)]

    async def expiring(self, now: datetime, limit: int) -> list[Order]:
        """Open orders whose expires_at has passed, oldest first."""
        statement = _SELECT.where(_OPEN, orders.c.expires_at <= now)
        return await self._many(statement.order_by(orders.c.expires_at).limit(limit))

    async def paid_since(self, since: datetime) -> list[Order]:
        """Orders whose money came since then, oldest first."""
        return await self._many(_SELECT.where(orders.c.paid_at >= since).order_by(orders.c.seq))

    async def next_expiring(self) -> datetime | None:
        """When the next open order runs out; None when none is open."""
        statement = select(orders.c.expires_at).where(_OPEN).order_by(orders.c.expires_at)
        return await self._conn.scalar(statement.limit(1))

    async def set_message(self, order_id: str, message_id: int) -> None:
        """The chat message that shows this order; the version stays, nothing was decided."""
        statement = update(orders).where(orders.c.id == order_id).values(message_id=message_id)
        await self._conn.execute(statement)

    async def wait_until(self, order_id: str, at: datetime) -> None:
        """It waits for money for longer; never for less long than before."""
        statement = update(orders).where(orders.c.id == order_id, orders.c.expires_at < at)
        await self._conn.execute(statement.values(expires_at=at))

    async def move(
        self, order_id: str, old: OrderState, new: OrderState, reason: str, at: datetime,
        **changes: Any,
    ) -> bool:  # fmt: skip
        """Compare-and-set on the state, recorded; False when it had moved.

        `reason` becomes the order's own in a side state; on the main line it has none. `actor`
        among the changes says who did it, "bot" when it is left out. Raises IllegalTransition,
        and ValueError for unknown names.
        """
        actor = changes.pop("actor", "bot")
        values = _ORDER.changes(changes, _FIXED)
        values["reason"] = None if new in _MAIN_LINE else reason
        values["version"] = orders.c.version + 1
        return await move(
            self._conn, orders, "order", ORDER, order_id, old, new, reason, at, actor, values
        )

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Order]:
        return [_ORDER.load(row) for row in await self._conn.execute(statement)]


_SELECT = select(*_ORDER.columns)
_OF_SIMS = _SELECT.where(
    orders.c.sim_id.in_(bindparam("sims", expanding=True)),
    orders.c.state.in_(bindparam("states", expanding=True)),
).order_by(orders.c.seq)
_PARTLY_BACK = (
    select(payments.c.id)
    .where(payments.c.order_id == orders.c.id, payments.c.going_back > 0)
    .correlate(orders)
    .exists()
)
_LISTED: Mapping[Listed, tuple[ColumnElement[bool], ...]] = {
    Listed.ALL: (),
    Listed.RUNNING: (orders.c.state.in_(sorted(OPEN_ORDERS | RUNNING_ORDERS)),),
    Listed.DONE: (orders.c.state == OrderState.FULFILLED,),
    Listed.REFUNDED: (or_(orders.c.state.in_(sorted(REFUND_STATES)), _PARTLY_BACK),),
}
_OPEN = orders.c.state.in_([word(state) for state in sorted(OPEN_ORDERS)])
