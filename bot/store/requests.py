"""What customers ask of the shop."""

from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.requests import RefundRequest, RequestState
from bot.store.rows import Shape, insert_new, word
from bot.store.tables import refund_requests

_REQUEST = Shape(refund_requests, RefundRequest, money=("amount",))
_FIXED = frozenset({"id", "order_id", "chat_id", "why", "words", "state", "asked_at", "update_id"})
_SELECT = select(*_REQUEST.columns)
_WAITING = refund_requests.c.state == word(RequestState.ASKED)


class RequestRows:
    """Implements `ports.Requests`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, request: RefundRequest) -> bool:
        """False when the order has one that waits, or the same update has asked before."""
        return await insert_new(self._conn, refund_requests, _REQUEST.dump(request))

    async def get(self, request_id: str) -> RefundRequest | None:
        """The request, decided ones too."""
        return await self._one(_SELECT.where(refund_requests.c.id == request_id))

    async def of_order(self, order_id: str) -> RefundRequest | None:
        """The order's newest."""
        statement = _SELECT.where(refund_requests.c.order_id == order_id)
        return await self._one(statement.order_by(refund_requests.c.seq.desc()).limit(1))

    async def by_refund(self, refund_id: str) -> RefundRequest | None:
        """The one that a refund was begun for."""
        return await self._one(_SELECT.where(refund_requests.c.refund_id == refund_id))

    async def waiting(self) -> list[RefundRequest]:
        """Those nobody has decided, oldest first."""
        rows = await self._conn.execute(_SELECT.where(_WAITING).order_by(refund_requests.c.seq))
        return [_REQUEST.load(row) for row in rows]

    async def decide(self, request_id: str, state: RequestState, **changes: Any) -> bool:
        """Compare-and-set from `asked`; False when somebody has decided. Raises ValueError for
        unknown names."""
        values = _REQUEST.changes(changes, _FIXED)
        statement = (
            update(refund_requests)
            .where(refund_requests.c.id == request_id, _WAITING)
            .values(state=state, **values)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def _one(self, statement: Select[*tuple[Any, ...]]) -> RefundRequest | None:
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _REQUEST.load(row)
