"""What posts earned, and what of it was paid out."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.groups import Account, Earning, EarningKind
from bot.domain.money import Money
from bot.store.rows import Shape, insert_new
from bot.store.tables import earnings

_EARNING = Shape(earnings, Earning, money=("money",))
_EARNINGS = select(*_EARNING.columns)
_C = earnings.c


class EarningRows:
    """Implements `ports.Earnings`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, earning: Earning) -> bool:
        """False when its key was written before."""
        return await insert_new(self._conn, earnings, _EARNING.dump(earning))

    async def of_order(self, order_id: str) -> list[Earning]:
        """Oldest first."""
        return await self._many(_EARNINGS.where(_C.order_id == order_id).order_by(_C.seq))

    async def accounts(self, group_id: str | None = None, by: int | None = None) -> list[Account]:
        """What is not paid out, of all or of one group or person; the oldest first."""
        wanted = {_C.group_id: group_id, _C.by: by}
        here = [column == value for column, value in wanted.items() if value is not None]
        paid_out = func.sum(case((_C.kind == EarningKind.PAID_OUT, 1), else_=0))
        heads = await self._conn.execute(
            select(_C.group_id, _C.by, func.sum(_C.points), func.count(), paid_out)
            .where(*here)
            .group_by(_C.group_id, _C.by)
            .order_by(func.min(_C.seq))
        )
        sums = await self._conn.execute(
            select(_C.group_id, _C.by, _C.money_currency, func.sum(_C.money_minor))
            .where(*here, _C.money_currency.is_not(None))
            .group_by(_C.group_id, _C.by, _C.money_currency)
            .order_by(_C.money_currency)
        )
        money: defaultdict[tuple[str, int], list[Money]] = defaultdict(list)
        for group, person, currency, minor in sums:
            if minor:
                money[group, person].append(Money(int(minor), currency))
        return [
            Account(group, person, int(points), tuple(money[group, person]), int(rows), int(paid))
            for group, person, points, rows, paid in heads
        ]

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Earning]:
        return [_EARNING.load(row) for row in await self._conn.execute(statement)]
