"""Top-ups and vouchers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.orders import TOPUP, TopUpState
from bot.domain.sales import TopUp, Voucher, VoucherState
from bot.store.rows import Shape, move
from bot.store.tables import topups, vouchers

_TOPUP = Shape(topups, TopUp, money=("amount", "max_cost"))
_VOUCHER = Shape(vouchers, Voucher, money=("value",))
_TOPUP_FIXED = frozenset({"id", "order_id", "sim_id", "supplier", "state", "created_at"})


class TopUpRows:
    """Implements `ports.TopUps`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, topup: TopUp) -> None:
        """Save the intent with our reference, before the supplier is called."""
        await self._conn.execute(insert(topups).inline().values(_TOPUP.dump(topup)))

    async def get(self, topup_id: str) -> TopUp | None:
        """The top-up by our reference."""
        found = await self._many(_TOPUPS.where(topups.c.id == topup_id))
        return found[0] if found else None

    async def of_order(self, order_id: str) -> list[TopUp]:
        """Oldest first."""
        statement = _TOPUPS.where(topups.c.order_id == order_id)
        return await self._many(statement.order_by(topups.c.seq))

    async def due(self, now: datetime, limit: int) -> list[TopUp]:
        """Top-ups whose next_at has come, the longest waiting first."""
        statement = _TOPUPS.where(topups.c.next_at <= now).order_by(topups.c.next_at)
        return await self._many(statement.limit(limit))

    async def next_due(self) -> datetime | None:
        """The smallest next_at there is."""
        statement = select(topups.c.next_at).where(topups.c.next_at.is_not(None))
        return await self._conn.scalar(statement.order_by(topups.c.next_at).limit(1))

    async def in_states(self, states: Sequence[TopUpState]) -> list[TopUp]:
        """Oldest first."""
        statement = _TOPUPS.where(topups.c.state.in_(list(states)))
        return await self._many(statement.order_by(topups.c.seq))

    async def set(self, topup_id: str, **changes: Any) -> None:
        """Change what is not its state. Raises ValueError for unknown names."""
        values = _TOPUP.changes(changes, _TOPUP_FIXED)
        await self._conn.execute(update(topups).where(topups.c.id == topup_id).values(values))

    async def move(
        self, topup_id: str, old: TopUpState, new: TopUpState, reason: str, at: datetime,
        **changes: Any,
    ) -> bool:  # fmt: skip
        """Compare-and-set on the state, recorded; False when it had moved.

        `reason` becomes the top-up's own. `actor` among the changes says who did it, "bot" when
        it is left out. Raises IllegalTransition, and ValueError for unknown names.
        """
        actor = changes.pop("actor", "bot")
        values = _TOPUP.changes(changes, _TOPUP_FIXED) | {"reason": reason}
        return await move(
            self._conn, topups, "topup", TOPUP, topup_id, old, new, reason, at, actor, values
        )

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[TopUp]:
        return [_TOPUP.load(row) for row in await self._conn.execute(statement)]


class VoucherRows:
    """Implements `ports.Vouchers`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, voucher: Voucher, code_hash: str, batch: str) -> None:
        """Save a voucher; of its code only the hash."""
        values = _VOUCHER.dump(voucher) | {"code_hash": code_hash, "batch": batch}
        await self._conn.execute(insert(vouchers).inline().values(values))

    async def find(self, code_hash: str) -> Voucher | None:
        """The voucher, used and expired ones too."""
        return await self._one(_VOUCHERS.where(vouchers.c.code_hash == code_hash))

    async def of_order(self, order_id: str) -> Voucher | None:
        """The voucher that paid this order."""
        return await self._one(_VOUCHERS.where(vouchers.c.order_id == order_id))

    async def redeem(self, voucher_id: str, order_id: str, at: datetime) -> bool:
        """Use it up for an order; False when it is used or expired or the order has one."""
        taken = select(vouchers.c.seq).where(vouchers.c.order_id == order_id).exists()
        statement = (
            update(vouchers)
            .where(
                vouchers.c.id == voucher_id,
                vouchers.c.state == VoucherState.UNUSED,
                or_(vouchers.c.expires_at.is_(None), vouchers.c.expires_at > at),
                ~taken,
            )
            .values(state=VoucherState.REDEEMED, order_id=order_id, redeemed_at=at)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def release(self, voucher_id: str) -> bool:
        """Make a redeemed one usable again (a refund); False when it was not redeemed."""
        statement = (
            update(vouchers)
            .where(vouchers.c.id == voucher_id, vouchers.c.state == VoucherState.REDEEMED)
            .values(state=VoucherState.UNUSED, order_id=None, redeemed_at=None)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def _one(self, statement: Select[*tuple[Any, ...]]) -> Voucher | None:
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _VOUCHER.load(row)


_TOPUPS = select(*_TOPUP.columns)
_VOUCHERS = select(*_VOUCHER.columns)
