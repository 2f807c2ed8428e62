"""Renewals that pay by themselves: agreements and their runs."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.money import Money
from bot.domain.renewals import (
    AGREEMENT,
    KEPT,
    OPEN_RUNS,
    RUN,
    Agreement,
    AgreementState,
    Run,
    RunState,
)
from bot.store.rows import Shape, insert_new, move, word
from bot.store.tables import agreements, runs

_AGREEMENT = Shape(agreements, Agreement, money=("price", "cap", "amount", "asked"))
_RUN = Shape(runs, Run, money=("price", "most"))
_FIXED = frozenset(
    {"id", "version", "state", "sim_id", "chat_id", "plan_code", "method", "terms", "accepted_at"}
)
_RUN_FIXED = frozenset({"id", "sim_id", "period", "state"})
_SELECT = select(*_AGREEMENT.columns)
_SELECT_RUN = select(*_RUN.columns)
_KEPT = agreements.c.state.not_in([word(state) for state in sorted(set(AgreementState) - KEPT)])
"""As the index says it, of which a SIM has one row at most."""
_OF_SIMS = _SELECT.where(agreements.c.sim_id.in_(bindparam("sims", expanding=True)), _KEPT)
_COUNTED = runs.c.state.in_([RunState.PAID, RunState.CHARGING])


class RenewalRows:
    """Implements `ports.Renewals`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, agreement: Agreement) -> bool:
        """False when the SIM has one that has not ended."""
        return await insert_new(self._conn, agreements, _AGREEMENT.dump(agreement))

    async def get(self, agreement_id: str) -> Agreement | None:
        """The agreement, ended ones too."""
        return await self._one(_SELECT.where(agreements.c.id == agreement_id))

    async def of_sim(self, sim_id: str) -> Agreement | None:
        """The SIM's one that has not ended."""
        found = await self.of_sims([sim_id])
        return found[0] if found else None

    async def of_sims(self, sim_ids: Collection[str]) -> list[Agreement]:
        """Those of these SIMs that have not ended."""
        rows = await self._conn.execute(_OF_SIMS, {"sims": list(sim_ids)})
        return [_AGREEMENT.load(row) for row in rows]

    async def of_chat(self, chat_id: int) -> list[Agreement]:
        """Those that have not ended, oldest first."""
        statement = _SELECT.where(agreements.c.chat_id == chat_id, _KEPT)
        return await self._many(statement.order_by(agreements.c.seq))

    async def by_order(self, order_id: str) -> Agreement | None:
        """The newest one that this order's payment begins."""
        statement = _SELECT.where(agreements.c.order_id == order_id)
        return await self._one(statement.order_by(agreements.c.seq.desc()).limit(1))

    async def due(self, now: datetime, limit: int) -> list[Agreement]:
        """Those whose next_at has come, the longest due first."""
        statement = _SELECT.where(agreements.c.next_at <= now).order_by(agreements.c.next_at)
        return await self._many(statement.limit(limit))

    async def next_due(self) -> datetime | None:
        """When the next one is looked at; None when none is."""
        statement = select(agreements.c.next_at).where(agreements.c.next_at.is_not(None))
        return await self._conn.scalar(statement.order_by(agreements.c.next_at).limit(1))

    async def claim(self, agreement: Agreement, next_at: datetime) -> bool:
        """Put off when it is looked at next; False when somebody else has done so."""
        statement = update(agreements).where(
            agreements.c.id == agreement.id, agreements.c.next_at == agreement.next_at
        )
        return (await self._conn.execute(statement.values(next_at=next_at))).rowcount == 1

    async def set(self, agreement_id: str, **changes: Any) -> None:
        """Change what is not its state. Raises ValueError for unknown names."""
        values = _AGREEMENT.changes(changes, _FIXED)
        statement = update(agreements).where(agreements.c.id == agreement_id)
        await self._conn.execute(statement.values(values))

    async def move(
        self, agreement: Agreement, new: AgreementState, reason: str, at: datetime, **changes: Any
    ) -> bool:
        """Compare-and-set on the state, recorded; False when it had moved. `actor` among the
        changes says who did it, "bot" when it is left out. Raises IllegalTransition."""
        actor = changes.pop("actor", "bot")
        values = _AGREEMENT.changes(changes, _FIXED)
        values |= {"reason": reason, "version": agreements.c.version + 1}
        return await move(
            self._conn, agreements, "agreement", AGREEMENT, agreement.id, agreement.state, new,
            reason, at, actor, values,
        )  # fmt: skip

    # ---- runs ----------------------------------------------------------------------------

    async def add_run(self, run: Run) -> bool:
        """False when there is one of that SIM and period."""
        return await insert_new(self._conn, runs, _RUN.dump(run))

    async def run(self, run_id: str) -> Run | None:
        """The run in any state."""
        return await self._one_run(_SELECT_RUN.where(runs.c.id == run_id))

    async def run_of(self, sim_id: str, period: datetime) -> Run | None:
        """The one of that SIM and period."""
        return await self._one_run(
            _SELECT_RUN.where(runs.c.sim_id == sim_id, runs.c.period == period)
        )

    async def run_by_order(self, order_id: str) -> Run | None:
        """The one that made the order."""
        return await self._one_run(_SELECT_RUN.where(runs.c.order_id == order_id))

    async def open_run(self, sim_id: str) -> Run | None:
        """The SIM's one that has not ended; one that is being charged first."""
        statement = _SELECT_RUN.where(runs.c.sim_id == sim_id, runs.c.state.in_(sorted(OPEN_RUNS)))
        order = (runs.c.state != RunState.CHARGING, runs.c.seq.desc())
        return await self._one_run(statement.order_by(*order).limit(1))

    async def last_paid(self, sim_id: str) -> datetime | None:
        """The newest period of the SIM that was paid so."""
        statement = select(runs.c.period).where(
            runs.c.sim_id == sim_id, runs.c.state == RunState.PAID
        )
        return await self._conn.scalar(statement.order_by(runs.c.period.desc()).limit(1))

    async def spent(self, sim_id: str, since: datetime, currency: str) -> Money:
        """What was paid so for the SIM since then, or is being charged."""
        total = await self._conn.scalar(
            select(func.coalesce(func.sum(runs.c.price_minor), 0)).where(
                runs.c.sim_id == sim_id, _COUNTED, runs.c.first_at >= since,
                runs.c.price_currency == currency,
            )
        )  # fmt: skip
        return Money(int(total or 0), currency)

    async def set_run(self, run_id: str, **changes: Any) -> None:
        """Change what is not its state. Raises ValueError for unknown names."""
        values = _RUN.changes(changes, _RUN_FIXED)
        await self._conn.execute(update(runs).where(runs.c.id == run_id).values(values))

    async def move_run(
        self, run: Run, new: RunState, reason: str, at: datetime, **changes: Any
    ) -> bool:
        """Compare-and-set on the state, recorded. Raises IllegalTransition."""
        values = _RUN.changes(changes, _RUN_FIXED) | {"reason": reason}
        return await move(
            self._conn, runs, "renewal", RUN, run.id, run.state, new, reason, at, "bot", values
        )

    async def _one(self, statement: Select[*tuple[Any, ...]]) -> Agreement | None:
        found = await self._many(statement)
        return found[0] if found else None

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Agreement]:
        return [_AGREEMENT.load(row) for row in await self._conn.execute(statement)]

    async def _one_run(self, statement: Select[*tuple[Any, ...]]) -> Run | None:
        row = (await self._conn.execute(statement)).first()
        return None if row is None else _RUN.load(row)
