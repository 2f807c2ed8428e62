"""The ledger of points: one row per effect; a balance is what is left of the rows that came."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.points import Effect, Lot, PointEntry, drawn, gone
from bot.store.rows import insert_new
from bot.store.tables import points

_T = points.c


class PointRows:
    """Implements `ports.Points`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def balance(self, chat_id: int, now: datetime) -> int:
        """What can be spent now."""
        statement = select(func.coalesce(func.sum(_T.left), 0))
        return int(await self._conn.scalar(statement.where(*_there(chat_id, now))) or 0)

    async def next_expiry(self, chat_id: int, now: datetime) -> tuple[datetime, int] | None:
        """When the next points expire, and how many."""
        statement = select(_T.expires_at, func.sum(_T.left)).where(*_there(chat_id, now))
        statement = statement.group_by(_T.expires_at).order_by(_T.expires_at).limit(1)
        row = (await self._conn.execute(statement)).first()
        return None if row is None else (row[0], int(row[1]))

    async def history(self, chat_id: int, limit: int) -> list[PointEntry]:
        """Newest first."""
        statement = _ENTRIES.where(_T.chat_id == chat_id).order_by(_T.seq.desc()).limit(limit)
        return await self._many(statement)

    async def of_order(self, order_id: str) -> list[PointEntry]:
        """Oldest first."""
        return await self._many(_ENTRIES.where(_T.order_id == order_id).order_by(_T.seq))

    async def earn(
        self, chat_id: int, order_id: str, amount: int, expires_at: datetime, at: datetime
    ) -> bool:
        """False when the order has earned before."""
        return await insert_new(
            self._conn,
            points,
            {
                "chat_id": chat_id, "order_id": order_id, "effect": Effect.EARNED, "turn": 0,
                "amount": amount, "left": amount, "expires_at": expires_at, "at": at,
            },
        )  # fmt: skip

    async def grant(self, chat_id: int, amount: int, expires_at: datetime, at: datetime) -> None:
        """Points for the person's posts in groups; whoever grants sees to it that it is once."""
        values = {
            "chat_id": chat_id, "effect": Effect.POSTED, "turn": 0, "amount": amount,
            "left": amount, "expires_at": expires_at, "at": at,
        }  # fmt: skip
        await self._conn.execute(insert(points).inline().values(values))

    async def spend(self, chat_id: int, order_id: str, amount: int, at: datetime) -> bool:
        """Those that expire first go first. False when there are too few, or the order's points
        are spent already."""
        turn = await self._turns(order_id, Effect.SPENT)
        if turn > await self._turns(order_id, Effect.RETURNED):
            return False
        parts = drawn(await self._lots(chat_id, at), amount)
        if parts is None or not await self._draw(parts):
            return False
        values = {"chat_id": chat_id, "order_id": order_id, "turn": turn, "at": at}
        went = {"effect": Effect.SPENT, "amount": -amount, "drawn": parts}
        await self._conn.execute(insert(points).inline().values(**values, **went))
        return True

    async def give_back(self, order_id: str, at: datetime, keep_until: datetime | None) -> int:
        """What the order spent is there again; how many. Points that have expired since last
        until `keep_until`."""
        turn = await self._turns(order_id, Effect.RETURNED)
        statement = select(_T.chat_id, _T.amount, _T.drawn).where(
            _T.order_id == order_id, _T.effect == Effect.SPENT, _T.turn == turn
        )
        row = (await self._conn.execute(statement)).first()
        if row is None:
            return 0
        back = {
            "chat_id": row[0], "order_id": order_id, "effect": Effect.RETURNED, "turn": turn,
            "amount": -row[1], "at": at,
        }  # fmt: skip
        if not await insert_new(self._conn, points, back):
            return 0  # another one has just done it
        for seq, part in row[2]:
            values: dict[str, Any] = {"left": _T.left + part}
            if keep_until is not None:
                kept = case((_T.expires_at <= at, keep_until), else_=_T.expires_at)
                values["expires_at"] = kept
            await self._conn.execute(update(points).where(_T.seq == seq).values(values))
        return -int(row[1])

    async def take_back(
        self, order_id: str, at: datetime, returned: int = 1, captured: int = 1
    ) -> int:
        """Of what the order earned the part goes that is `returned` of its `captured` money by
        now, as far as the chat has points left and none went before; how many."""
        statement = select(_T.chat_id, _T.amount, _T.seq).where(
            _T.order_id == order_id, _T.effect == Effect.EARNED
        )
        row = (await self._conn.execute(statement)).first()
        if row is None:
            return 0
        chat_id, earned, own = int(row[0]), int(row[1]), int(row[2])
        due, before = gone(earned, returned, captured), await self._went(order_id, earned)
        if due <= before:
            return 0
        lots = sorted(await self._lots(chat_id, at), key=lambda lot: lot.seq != own)
        amount = min(due - before, sum(lot.left for lot in lots))
        parts = drawn(lots, amount) or ()
        values = {
            "chat_id": chat_id, "order_id": order_id, "effect": Effect.TAKEN_BACK, "turn": due,
            "amount": -amount, "drawn": parts, "at": at,
        }  # fmt: skip
        if not await insert_new(self._conn, points, values):
            return 0
        if not await self._draw(parts):
            raise RuntimeError(f"points of chat {chat_id} moved; the job tries again")
        return amount

    async def _went(self, order_id: str, earned: int) -> int:
        """How many of its points had to go before. Rows of old, which took all, count none."""
        statement = select(_T.turn).where(_T.order_id == order_id, _T.effect == Effect.TAKEN_BACK)
        turns = [int(turn) for turn in await self._conn.scalars(statement)]
        return max((turn or earned for turn in turns), default=0)

    async def expire(self, now: datetime) -> int:
        """Write down what has expired; how many points."""
        statement = select(_T.seq, _T.chat_id, _T.left).where(_T.left > 0, _T.expires_at <= now)
        gone = 0
        for seq, chat_id, left in (await self._conn.execute(statement)).all():
            if await self._draw(((seq, left),)):
                values = {"chat_id": chat_id, "effect": Effect.EXPIRED, "amount": -left, "at": now}
                await self._conn.execute(insert(points).inline().values(values))
                gone += left
        return gone

    async def _lots(self, chat_id: int, now: datetime) -> list[Lot]:
        statement = select(_T.seq, _T.left, _T.expires_at).where(*_there(chat_id, now))
        rows = await self._conn.execute(statement.order_by(_T.expires_at, _T.seq))
        return [Lot(*row) for row in rows]

    async def _draw(self, parts: Sequence[tuple[int, int]]) -> bool:
        """Compare-and-set per lot; False when one has less by now. Nothing is half drawn."""
        for number, (seq, part) in enumerate(parts):
            statement = (
                update(points).where(_T.seq == seq, _T.left >= part).values(left=_T.left - part)
            )
            if (await self._conn.execute(statement)).rowcount != 1:
                for done, back in parts[:number]:
                    again = update(points).where(_T.seq == done).values(left=_T.left + back)
                    await self._conn.execute(again)
                return False
        return True

    async def _turns(self, order_id: str, effect: Effect) -> int:
        statement = select(func.count()).where(_T.order_id == order_id, _T.effect == effect)
        return int(await self._conn.scalar(statement) or 0)

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[PointEntry]:
        return [PointEntry(*row) for row in await self._conn.execute(statement)]


def _there(chat_id: int, now: datetime) -> tuple[Any, ...]:
    """Points of a chat that can still be spent."""
    return _T.chat_id == chat_id, _T.left > 0, _T.expires_at > now


_ENTRIES = select(_T.effect, _T.amount, _T.at, _T.order_id, _T.expires_at)
