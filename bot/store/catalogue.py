"""The operator's plans."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.plans import Plan
from bot.store import tables

_T = tables.plans


class PlanRows:
    """Implements `ports.Catalogue`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, code: str) -> Plan | None:
        """The plan, switched-off ones too."""
        row = (await self._conn.execute(_SELECT.where(_T.c.code == code))).first()
        return None if row is None else _load(row)

    async def all(self, *, carrier: str | None = None, active: bool = True) -> list[Plan]:
        """Plans in the order of the operator's file; with `active` False, switched-off ones too."""
        statement = _SELECT.order_by(_T.c.position, _T.c.code)
        if carrier is not None:
            statement = statement.where(_T.c.carrier == carrier)
        if active:
            statement = statement.where(_T.c.active.is_(True))
        return [_load(row) for row in await self._conn.execute(statement)]

    async def apply(self, plans: Sequence[Plan]) -> None:
        """Make these the catalogue: new and changed ones saved, others switched off.

        A changed plan's version is one more than the stored one; an equal plan keeps its own.
        """
        known = {plan.code: plan for plan in await self.all(active=False)}
        for position, plan in enumerate(plans):
            old = known.pop(plan.code, None)
            if old is None:
                await self._conn.execute(insert(_T).values(_dump(plan, position)))
                continue
            version = old.version if replace(plan, version=old.version) == old else old.version + 1
            values = _dump(replace(plan, version=version), position)
            await self._conn.execute(update(_T).where(_T.c.code == plan.code).values(values))
        gone = update(_T).where(_T.c.code.in_(known), _T.c.active.is_(True))
        await self._conn.execute(gone.values(active=False, version=_T.c.version + 1))


_SELECT = select(_T.c.plan, _T.c.version, _T.c.active)


def _load(row: Row[*tuple[Any, ...]]) -> Plan:
    plan: Plan = row[0]
    return replace(plan, version=row[1], active=row[2])


def _dump(plan: Plan, position: int) -> dict[str, Any]:
    return {
        "code": plan.code, "version": plan.version, "carrier": plan.carrier,
        "active": plan.active, "position": position, "plan": plan,
    }  # fmt: skip
