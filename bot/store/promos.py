"""Promos and who uses them. Limits hold by what the database counts, whoever comes at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.orders import OrderState
from bot.domain.promos import Promo
from bot.ports.promos import PromoUse
from bot.store.personal import marked, named
from bot.store.rows import insert_new
from bot.store.tables import orders, promo_bans, promo_people, promo_uses, promos, sims

_P, _W, _U = promos.c, promo_people.c, promo_uses.c


class PromoRows:
    """Implements `ports.Promos`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, promo_id: str) -> Promo | None:
        """The promo, stopped ones too."""
        found = await self._many(_SELECT.where(_P.code == promo_id))
        return found[0] if found else None

    async def by_code(self, code: str) -> Promo | None:
        """The promo of a typed code; a running one before any that was stopped."""
        statement = _SELECT.where(_P.typed == code).order_by(_P.active.desc(), _P.position)
        found = await self._many(statement.limit(1))
        return found[0] if found else None

    async def all(self, *, active: bool = True) -> list[Promo]:
        """In the order of the operator's file; with `active` False, stopped ones too."""
        statement = _SELECT.order_by(_P.position, _P.code)
        return await self._many(statement.where(_P.active) if active else statement)

    async def apply(self, promos_: Sequence[Promo]) -> None:
        """Make these the promos: new and changed ones saved, others stopped. Uses stay.

        A changed promo's version is one more than the stored one; an equal one keeps its own.
        """
        known = {promo.id: promo for promo in await self.all(active=False)}
        # A code may move to another promo: two may not have it, even for a moment.
        await self._conn.execute(update(promos).values(active=False))
        for position, promo in enumerate(promos_):
            old = known.pop(promo.id, None)
            if old is None:
                await self._conn.execute(insert(promos).values(_dump(promo, position)))
                continue
            same = replace(promo, version=old.version) == old
            version = old.version if same else old.version + 1
            values = _dump(replace(promo, version=version), position)
            await self._conn.execute(update(promos).where(_P.code == promo.id).values(values))

    async def stop(self, promo_id: str) -> bool:
        """False when it was stopped before."""
        statement = update(promos).where(_P.code == promo_id, _P.active).values(active=False)
        return (await self._conn.execute(statement)).rowcount == 1

    async def used(self, chat_id: int | None = None) -> Mapping[str, int]:
        """How many places each promo has given away: in all, or to one chat."""
        statement = select(_P.code, _P.used)
        if chat_id is not None:
            statement = select(_W.promo_id, _W.used).where(_W.chat_id == chat_id)
        return {row[0]: row[1] for row in await self._conn.execute(statement)}

    async def take(self, promo_id: str, order_id: str, chat_id: int, at: datetime) -> bool:
        """A place for the order, once; False when there is none left, or it was stopped."""
        if any(use.held and use.promo_id == promo_id for use in await self.of_order(order_id)):
            return True
        promo = await self.get(promo_id)
        if promo is None or not await self._count(promo_id):
            return False
        if not await self._count_person(promo, chat_id):
            await self._uncount(promo_id)
            return False
        use = {"promo_id": promo_id, "order_id": order_id, "chat_id": chat_id, "at": at}
        if await insert_new(self._conn, promo_uses, {**use, "held": True}):
            return True
        if not await self._hold(order_id, promo_id, held=True):
            await self._uncount(promo_id, chat_id)  # somebody else has just taken it
        return True

    async def release(self, order_id: str, promo_id: str) -> bool:
        """Give the order's place back; False when it has none."""
        if not await self._hold(order_id, promo_id, held=False):
            return False
        found = select(_U.chat_id).where(_U.order_id == order_id, _U.promo_id == promo_id)
        await self._uncount(promo_id, await self._conn.scalar(found))
        return True

    async def of_order(self, order_id: str) -> list[PromoUse]:
        """The order's promos, as they were taken."""
        statement = select(_U.promo_id, _U.order_id, _U.chat_id, _U.held)
        statement = statement.where(_U.order_id == order_id).order_by(_U.seq)
        return [PromoUse(*row) for row in await self._conn.execute(statement)]

    async def bought(self, chat_id: int, besides: str = "") -> bool:
        """Whether the chat has paid an order, other than `besides`, and not got it all back; or
        had done so when it was forgotten."""
        statement = select(
            exists().where(
                orders.c.chat_id == chat_id,
                orders.c.paid_at.is_not(None),
                orders.c.state != OrderState.REFUNDED,
                orders.c.id != besides,
            )
        )
        if await self._conn.scalar(statement):
            return True
        return bool(await self._conn.scalar(select(exists().where(marked(chat_id)))))

    async def renewed(self, sim_id: str, besides: str = "") -> bool:
        """Whether anybody has paid for a line of this ICCID or number, in an order other than
        `besides`, and not got it all back."""
        asked = select(sims.c.iccid, sims.c.msisdn).where(sims.c.id == sim_id)
        row = (await self._conn.execute(asked)).first()
        same = [sims.c.id == sim_id]
        for column, value in zip((sims.c.iccid, sims.c.msisdn), row or (), strict=False):
            if value is not None:
                same.append(column == value)
        statement = select(
            exists().where(
                orders.c.sim_id.in_(select(sims.c.id).where(or_(*same))),
                orders.c.paid_at.is_not(None),
                orders.c.state != OrderState.REFUNDED,
                orders.c.id != besides,
            )
        )
        return bool(await self._conn.scalar(statement))

    # ---- who gets none ---------------------------------------------------------------------

    async def ban(self, chat_id: int, at: datetime) -> bool:
        """No offers for this person any more; False when it was so before."""
        return await insert_new(self._conn, promo_bans, {"person": named(chat_id), "at": at})

    async def unban(self, chat_id: int) -> bool:
        """False when they were not banned."""
        statement = delete(promo_bans).where(promo_bans.c.person == named(chat_id))
        return (await self._conn.execute(statement)).rowcount == 1

    async def banned(self, chat_id: int) -> bool:
        """Whether the operator gives them no offers."""
        statement = select(exists().where(promo_bans.c.person == named(chat_id)))
        return bool(await self._conn.scalar(statement))

    async def bans(self) -> list[tuple[int, datetime]]:
        """Who is banned since when (UTC), newest first."""
        statement = select(promo_bans.c.person, promo_bans.c.at)
        rows = await self._conn.execute(statement.order_by(promo_bans.c.seq.desc()))
        return [(int(person.removeprefix("chat:")), at) for person, at in rows]

    # ---- counting --------------------------------------------------------------------------

    async def _count(self, promo_id: str) -> bool:
        """One place more, if there is one: the condition and the change are one statement."""
        statement = (
            update(promos)
            .where(_P.code == promo_id, _P.active, or_(_P.total.is_(None), _P.used < _P.total))
            .values(used=_P.used + 1)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def _count_person(self, promo: Promo, chat_id: int) -> bool:
        await insert_new(
            self._conn, promo_people, {"promo_id": promo.id, "chat_id": chat_id, "used": 0}
        )
        statement = (
            update(promo_people)
            .where(_W.promo_id == promo.id, _W.chat_id == chat_id)
            .values(used=_W.used + 1)
        )
        if promo.per_user is not None:
            statement = statement.where(_W.used < promo.per_user)
        return (await self._conn.execute(statement)).rowcount == 1

    async def _uncount(self, promo_id: str, chat_id: int | None = None) -> None:
        one_less = update(promos).where(_P.code == promo_id).values(used=_P.used - 1)
        await self._conn.execute(one_less)
        if chat_id is not None:
            person = (_W.promo_id == promo_id, _W.chat_id == chat_id)
            statement = update(promo_people).where(*person).values(used=_W.used - 1)
            await self._conn.execute(statement)

    async def _hold(self, order_id: str, promo_id: str, *, held: bool) -> bool:
        """Compare-and-set: only who changes it counts it."""
        statement = (
            update(promo_uses)
            .where(_U.order_id == order_id, _U.promo_id == promo_id, _U.held.is_(not held))
            .values(held=held)
        )
        return (await self._conn.execute(statement)).rowcount == 1

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Promo]:
        return [_load(row) for row in await self._conn.execute(statement)]


_SELECT = select(_P.promo, _P.version, _P.active)


def _load(row: Row[*tuple[Any, ...]]) -> Promo:
    promo: Promo = row[0]
    return replace(promo, version=row[1], active=row[2])


def _dump(promo: Promo, position: int) -> dict[str, Any]:
    return {
        "code": promo.id, "version": promo.version, "active": promo.active, "position": position,
        "typed": promo.code, "total": promo.total, "promo": promo,
    }  # fmt: skip
