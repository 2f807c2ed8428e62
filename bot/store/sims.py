"""SIMs and their readings."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.sims import Reading, Sim, Tracking
from bot.store.rows import Shape, insert_new, word
from bot.store.tables import chats, readings, sims
from bot.store.types import EPOCH

_Ts = TypeVarTuple("_Ts")
_SIM = Shape(sims, Sim)
_FIXED = frozenset({"id", "version", "created_at"})
_OF = sims.c.id == bindparam("of")
_THEN = bindparam("then", type_=sims.c.next_reminder_at.type)
# What each tick asks, made once: to put a statement together takes as long as to run it.
_MANY = (
    select(*_SIM.columns)
    .where(sims.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(sims.c.seq)
)
_SOON = (
    select(*_SIM.columns)
    .where(
        sims.c.owner_id.in_(bindparam("chats", expanding=True)),
        sims.c.removed_at.is_(None),
        sims.c.next_reminder_at < _THEN,
    )
    .order_by(sims.c.seq)
)
_NEXT_REMINDER = update(sims).where(_OF).values(next_reminder_at=_THEN)
_NEXT_READ = update(sims).where(_OF, sims.c.read_failures == 0).values(next_read_at=_THEN)


def bare_iccid(iccid: str) -> str:
    """An ICCID as it is stored: no spaces, capitals, without the trailing filler F."""
    return "".join(iccid.split()).upper().rstrip("F")


class SimRows:
    """Implements `ports.Sims`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, sim_id: str) -> Sim | None:
        """The SIM, removed ones too."""
        found = await self._many(_MANY, {"ids": [sim_id]})
        return found[0] if found else None

    async def many(self, sim_ids: Collection[str]) -> list[Sim]:
        """Those of them that there are, removed ones too, in the order they came."""
        return await self._many(_MANY, {"ids": list(sim_ids)})

    async def soon(self, chat_ids: Collection[int], before: datetime) -> list[Sim]:
        """The SIMs of these people whose next_reminder_at comes before that moment."""
        return await self._many(_SOON, {"chats": list(chat_ids), "then": before})

    async def owned(self, chat_id: int) -> list[Sim]:
        """The chat's SIMs that were not removed, in the order they came."""
        statement = select(*_SIM.columns).where(
            sims.c.owner_id == chat_id, sims.c.removed_at.is_(None)
        )
        return await self._many(statement.order_by(sims.c.seq))

    async def ending(self, tail: str, limit: int) -> list[Sim]:
        """Owned SIMs whose ICCID or number ends so, newest first."""
        ends = (column.endswith(tail, autoescape=True) for column in (sims.c.iccid, sims.c.msisdn))
        statement = select(*_SIM.columns).where(
            sims.c.owner_id.is_not(None), sims.c.removed_at.is_(None), or_(*ends)
        )
        return await self._many(statement.order_by(sims.c.seq.desc()).limit(limit))

    async def add(self, sim: Sim) -> bool:
        """False when this owner already has that ICCID or number.

        So it is for a managed SIM whose ICCID is managed already, whoever owns that one.
        """
        values = _SIM.dump(sim)
        if sim.iccid is not None:
            values["iccid"] = bare_iccid(sim.iccid)
        values["read_at"] = sim.reading.taken_at if sim.reading else EPOCH
        return await insert_new(self._conn, sims, values)

    async def stock(self, *, iccid: str | None, msisdn: str | None) -> Sim | None:
        """The managed SIM with that ICCID (with or without its check digit) or number.

        The whole ICCID wins over one that only fits with or without a check digit; when two fit
        only so, there is none: it is never guessed.
        """
        managed = (sims.c.tracking == word(Tracking.MANAGED), sims.c.removed_at.is_(None))
        statement = select(*_SIM.columns).where(*managed).order_by(sims.c.seq.desc())
        if iccid is not None:
            bare = bare_iccid(iccid)
            near = [bare, bare[:-1], *(f"{bare}{digit}" for digit in range(10))]
            found = await self._many(statement.where(sims.c.iccid.in_(near)))
            exact = [sim for sim in found if sim.iccid == bare]
            if exact or len(found) == 1:
                return (exact or found)[0]
        if msisdn is not None:
            found = await self._many(statement.where(sims.c.msisdn == msisdn).limit(1))
            return found[0] if found else None
        return None

    async def update(self, sim_id: str, version: int, **changes: Any) -> bool:
        """Compare-and-set on the version, which grows by one; False when it had moved.

        Raises ValueError for unknown names, and an integrity error when the new owner already
        has that ICCID or number. With a SIM's owner its history goes: nobody sees what another
        one used.
        """
        values = _SIM.changes(changes, _FIXED)
        if "owner_id" in changes:
            await self._forget(sim_id, version, changes["owner_id"])
        if values.get("iccid") is not None:
            values["iccid"] = bare_iccid(values["iccid"])
        if "reading" in changes:
            values["read_at"] = changes["reading"].taken_at if changes["reading"] else EPOCH
        statement = update(sims).where(sims.c.id == sim_id, sims.c.version == version)
        result = await self._conn.execute(statement.values(version=version + 1, **values))
        return result.rowcount == 1

    async def add_reading(self, sim_id: str, reading: Reading) -> None:
        """Keep a reading and, unless a later one is there, make it the SIM's newest.

        The dates it tells become the SIM's. A grace end that the new expiry has overtaken
        belongs to the cycle before and is forgotten.
        """
        await self._conn.execute(
            readings.insert().inline().values(
                sim_id=sim_id, taken_at=reading.taken_at, source=reading.source, reading=reading
            )
        )  # fmt: skip
        values: dict[str, Any] = {
            "reading": reading, "read_at": reading.taken_at, "read_failures": 0
        }  # fmt: skip
        if reading.expiry is not None:
            values["expiry"] = reading.expiry
            values["grace_end"] = case(
                (sims.c.grace_end <= reading.expiry, None), else_=sims.c.grace_end
            )
        if reading.grace_end is not None:
            values["grace_end"] = reading.grace_end
        if reading.expiry is not None or reading.grace_end is not None:
            values["dates_source"] = reading.source
        newest = (sims.c.id == sim_id, sims.c.read_at <= reading.taken_at)
        await self._conn.execute(update(sims).where(*newest).values(values))

    async def history(self, sim_id: str, since: datetime) -> list[Reading]:
        """Readings taken since then, oldest first."""
        statement = select(readings.c.reading).where(
            readings.c.sim_id == sim_id, readings.c.taken_at >= since
        )
        found = await self._conn.scalars(statement.order_by(readings.c.taken_at, readings.c.seq))
        return list(found)

    async def _forget(self, sim_id: str, version: int, owner_id: int | None) -> None:
        """Drop the history of a SIM that leaves its owner."""
        leaves = select(sims.c.id).where(
            sims.c.id == sim_id,
            sims.c.version == version,
            sims.c.owner_id.is_distinct_from(owner_id),
        )
        await self._conn.execute(delete(readings).where(readings.c.sim_id.in_(leaves)))

    async def set_next_reminders(self, moments: Mapping[str, datetime | None]) -> None:
        """When the reminding tick has to look at each again; None for never."""
        if moments:
            rows = [{"of": sim_id, "then": at} for sim_id, at in sorted(moments.items())]
            await self._conn.execute(_NEXT_REMINDER, rows)

    async def due(self, now: datetime, limit: int) -> list[Sim]:
        """SIMs whose next_reminder_at <= now and whose chat can be written to, oldest first."""
        return await self._many(_DUE, {"then": now, "most": limit})

    async def next_due(self) -> datetime | None:
        """The smallest next_reminder_at of the SIMs that `due` would ever give."""
        return await self._conn.scalar(_NEXT_DUE)

    async def of_supplier(
        self, supplier: str, supplier_ref: str | None, iccid: str | None
    ) -> Sim | None:
        """The supplier's managed SIM of that name there, else of that ICCID."""
        ours = (
            sims.c.tracking == word(Tracking.MANAGED), sims.c.removed_at.is_(None),
            sims.c.supplier == supplier,
        )  # fmt: skip
        statement = select(*_SIM.columns).where(*ours).order_by(sims.c.seq.desc()).limit(1)
        found: list[Sim] = []
        if supplier_ref is not None:
            found = await self._many(statement.where(sims.c.supplier_ref == supplier_ref))
        if not found and iccid is not None:
            found = await self._many(statement.where(sims.c.iccid == bare_iccid(iccid)))
        return found[0] if found else None

    async def to_read(self, now: datetime, limit: int) -> list[tuple[Sim, int]]:
        """Owned managed SIMs whose next reading is due, the longest due first, each with how
        often reading it has failed in a row."""
        columns = (sims.c.read_failures, *_SIM.columns)
        statement = _readable(select(*columns)).where(sims.c.next_read_at <= now)
        ordered = statement.order_by(sims.c.next_read_at, sims.c.seq).limit(limit)
        rows = await self._conn.execute(ordered)
        return [(_SIM.load(row[1:]), row[0]) for row in rows]

    async def next_to_read(self) -> datetime | None:
        """The smallest next_read_at of the SIMs that `to_read` would ever give."""
        statement = _readable(select(sims.c.next_read_at))
        return await self._conn.scalar(statement.order_by(sims.c.next_read_at).limit(1))

    async def plan_reads(self, moments: Mapping[str, datetime]) -> None:
        """When to read each next, unless readings of it fail: then that pause stands."""
        if moments:
            rows = [{"of": sim_id, "then": at} for sim_id, at in sorted(moments.items())]
            await self._conn.execute(_NEXT_READ, rows)

    async def set_next_read(self, sim_id: str, at: datetime, failures: int = 0) -> None:
        """When to read it next; `failures` is how often reading it has failed in a row."""
        statement = update(sims).where(sims.c.id == sim_id)
        await self._conn.execute(statement.values(next_read_at=at, read_failures=failures))

    async def purge_readings(self, before: datetime) -> int:
        """Forget readings taken before that moment; how many went. A SIM keeps its newest."""
        statement = delete(readings).where(readings.c.taken_at < before)
        return (await self._conn.execute(statement)).rowcount

    async def kept(self) -> list[Sim]:
        """Owned SIMs with a rule or a keep-number deadline, in the order they came."""
        statement = select(*_SIM.columns).where(
            or_(sims.c.rule.is_not(None), sims.c.keep_deadline.is_not(None)),
            sims.c.removed_at.is_(None),
            sims.c.owner_id.is_not(None),
        )
        return await self._many(statement.order_by(sims.c.seq))

    async def _many(
        self, statement: Select[*tuple[Any, ...]], given: Mapping[str, Any] | None = None
    ) -> list[Sim]:
        return [_SIM.load(row) for row in await self._conn.execute(statement, given)]


def _remindable(statement: Select[*_Ts]) -> Select[*_Ts]:
    reachable: ColumnElement[bool] = and_(
        chats.c.id == sims.c.owner_id, chats.c.blocked_at.is_(None), chats.c.migrated_to.is_(None)
    )
    return statement.join_from(sims, chats, reachable).where(
        sims.c.next_reminder_at.is_not(None), sims.c.removed_at.is_(None)
    )


def _readable(statement: Select[*_Ts]) -> Select[*_Ts]:
    return statement.where(
        sims.c.tracking == word(Tracking.MANAGED),
        sims.c.removed_at.is_(None),
        sims.c.owner_id.is_not(None),
    )


_DUE = (
    _remindable(select(*_SIM.columns))
    .where(sims.c.next_reminder_at <= _THEN)
    .order_by(sims.c.next_reminder_at)
    .limit(bindparam("most"))
)
_NEXT_DUE = _remindable(select(sims.c.next_reminder_at)).order_by(sims.c.next_reminder_at).limit(1)
