"""News to many at once: what is written, who it is for, and who got it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.broadcasts import (
    BROADCAST,
    PAID_WITHIN,
    Broadcast,
    BroadcastState,
    Reached,
    Recipient,
    Report,
    Segment,
)
from bot.domain.chats import Chat
from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.store.chats import ChatRows
from bot.store.rows import Shape, insert_new, move, word
from bot.store.tables import (
    broadcasts,
    chats,
    orders,
    outbox,
    payments,
    posts,
    recipients,
    sims,
    visits,
)

_BROADCAST = Shape(broadcasts, Broadcast)
_RECIPIENT = Shape(recipients, Recipient)
_FIXED = frozenset({"id", "state", "created_at", "version"})
_B, _R, _C, _O = broadcasts.c, recipients.c, chats.c, orders.c
_SELECT = select(*_BROADCAST.columns)
_PEOPLE = select(*_RECIPIENT.columns)
_QUEUED = _R.state == word(Reached.QUEUED)
_WAITING = _R.state == word(Reached.WAITING)
_LIVE = or_(_B.state == word(BroadcastState.SCHEDULED), _B.state == word(BroadcastState.RUNNING))
_SETTLED = exists().where(outbox.c.id == _R.outbox_id, outbox.c.settled_at.is_not(None))


class BroadcastRows:
    """Implements `ports.Broadcasts`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, broadcast: Broadcast, update_id: int) -> Broadcast:
        """Save it; a replay of the same update gets the one that the first run saved."""
        values = _BROADCAST.dump(broadcast) | {"update_id": update_id}
        if await insert_new(self._conn, broadcasts, values):
            return broadcast
        [found] = await self._many(_SELECT.where(_B.update_id == update_id))
        return found

    async def get(self, broadcast_id: str) -> Broadcast | None:
        """The broadcast, ended ones too."""
        found = await self._many(_SELECT.where(_B.id == broadcast_id))
        return found[0] if found else None

    async def latest(self, limit: int) -> list[Broadcast]:
        """Newest first, without drafts that were thrown away."""
        told = or_(_B.state != BroadcastState.STOPPED, _B.start_at.is_not(None))
        return await self._many(_SELECT.where(told).order_by(_B.seq.desc()).limit(limit))

    async def change(self, broadcast_id: str, version: int, **changes: Any) -> bool:
        """Change a draft, compare-and-set on its version. Raises ValueError for unknown names."""
        values = _BROADCAST.changes(changes, _FIXED) | {"version": version + 1}
        mine = (_B.id == broadcast_id, _B.version == version, _B.state == BroadcastState.DRAFT)
        done = await self._conn.execute(update(broadcasts).where(*mine).values(values))
        return done.rowcount == 1

    async def set(self, broadcast_id: str, **changes: Any) -> None:
        """Note how far it is. Raises ValueError for unknown names."""
        values = _BROADCAST.changes(changes, _FIXED)
        await self._conn.execute(update(broadcasts).where(_B.id == broadcast_id).values(values))

    async def move(
        self, broadcast_id: str, old: BroadcastState, new: BroadcastState, reason: str,
        at: datetime, **changes: Any,
    ) -> bool:  # fmt: skip
        """See `rows.move`; `actor` among the changes says who did it, "bot" when left out."""
        actor = changes.pop("actor", "bot")
        values = _BROADCAST.changes(changes, _FIXED)
        return await move(
            self._conn, broadcasts, "broadcast", BROADCAST, broadcast_id, old, new, reason, at,
            actor, values,
        )  # fmt: skip

    async def live(self) -> list[Broadcast]:
        """Scheduled and running ones, oldest first."""
        return await self._many(_SELECT.where(_LIVE).order_by(_B.seq))

    # ---- who it is for ---------------------------------------------------------------------

    async def audience(self, segment: Segment, now: datetime) -> Mapping[str, int]:
        """How many people a segment has at this moment, by language."""
        rows = await self._conn.execute(
            select(_C.language, func.count()).where(*_within(segment, now)).group_by(_C.language)
        )
        return {row[0]: row[1] for row in rows}

    async def following(self, segment: Segment, after: int, now: datetime, limit: int) -> list[int]:
        """Chats of a segment with ids above that, in their order."""
        statement = select(_C.id).where(_C.id > after, *_within(segment, now))
        return list(await self._conn.scalars(statement.order_by(_C.id).limit(limit)))

    async def carriers(self, limit: int) -> list[str]:
        """Those of customers' SIMs, the most common first."""
        owned = (sims.c.owner_id.is_not(None), sims.c.removed_at.is_(None))
        common = select(sims.c.carrier).where(*owned).group_by(sims.c.carrier)
        ranked = common.order_by(func.count().desc(), sims.c.carrier).limit(limit)
        return list(await self._conn.scalars(ranked))

    # ---- who gets it -----------------------------------------------------------------------

    async def enrol(self, people: Sequence[Recipient]) -> None:
        """Write people down; who is there already stays as they are."""
        for one in people:
            await insert_new(self._conn, recipients, _RECIPIENT.dump(one))

    async def waiting(
        self, broadcast_id: str, now: datetime, limit: int
    ) -> list[tuple[Recipient, Chat]]:
        """Those whose time has come, the longest due first."""
        ripe = _PEOPLE.where(_R.broadcast_id == broadcast_id, _WAITING, _R.due_at <= now)
        rows = await self._conn.execute(ripe.order_by(_R.due_at, _R.seq).limit(limit))
        people = [_RECIPIENT.load(row) for row in rows]
        known = await ChatRows(self._conn).many([one.chat_id for one in people])
        return [(one, known[one.chat_id]) for one in people]

    async def put_off(self, recipient_id: str, due_at: datetime) -> None:
        """Not before then."""
        here = (_R.id == recipient_id, _WAITING)
        await self._conn.execute(update(recipients).where(*here).values(due_at=due_at))

    async def queued(self, recipient_ids: Sequence[str]) -> frozenset[str]:
        """Compare-and-set from waiting; those that were."""
        going = update(recipients).where(_R.id.in_(recipient_ids), _WAITING)
        done = going.values(state=Reached.QUEUED, outbox_id=None).returning(_R.id)
        return frozenset(await self._conn.scalars(done))

    async def sent_as(self, keys: Mapping[str, str]) -> None:
        """Remember which rows of the outbox they are."""
        owners = {key: recipient_id for recipient_id, key in keys.items()}
        rows = await self._conn.execute(
            select(outbox.c.id, outbox.c.dedupe_key).where(outbox.c.dedupe_key.in_(list(owners)))
        )
        for outbox_id, key in rows.all():
            here = update(recipients).where(_R.id == owners[key])
            await self._conn.execute(here.values(outbox_id=outbox_id))

    async def settle(self) -> int:
        """Take over what became of all that was queued; how many that changed."""
        mine = outbox.c.id == _R.outbox_id
        became = select(outbox.c.state).where(mine).scalar_subquery()
        at = select(outbox.c.settled_at).where(mine).scalar_subquery()
        done = update(recipients).where(_QUEUED, _SETTLED).values(state=became, settled_at=at)
        return (await self._conn.execute(done)).rowcount

    async def withdraw(self, broadcast_id: str, to: Reached) -> int:
        """See `ports.Broadcasts`. What is queued of this class was certainly not sent."""
        mine = _R.broadcast_id == broadcast_id
        unsent = outbox.c.state == word("queued")
        rows = select(_R.id, _R.outbox_id).join(outbox, outbox.c.id == _R.outbox_id)
        found = (await self._conn.execute(rows.where(mine, _QUEUED, unsent))).all()
        taken = 0
        for start in range(0, len(found), _MANY):
            owners = {row[1]: row[0] for row in found[start : start + _MANY]}
            # Whoever began to send one since it was read has it: it stays where it is.
            out = delete(outbox).where(outbox.c.id.in_(list(owners)), unsent)
            gone = await self._conn.scalars(out.returning(outbox.c.id))
            ids = [owners[outbox_id] for outbox_id in gone]
            away = update(recipients).where(_R.id.in_(ids))
            await self._conn.execute(away.values(state=to, outbox_id=None))
            taken += len(ids)
        if to is Reached.DROPPED:
            rest = update(recipients).where(mine, _WAITING)
            await self._conn.execute(rest.values(state=to))
        return taken

    async def recipient(self, recipient_id: str) -> Recipient | None:
        """One person of one broadcast."""
        row = (await self._conn.execute(_PEOPLE.where(_R.id == recipient_id))).first()
        return None if row is None else _RECIPIENT.load(row)

    async def note(self, recipient_id: str, **at: datetime) -> None:
        """See `ports.Broadcasts`."""
        for name, moment in at.items():
            fresh = (_R.id == recipient_id, _R[name].is_(None))
            await self._conn.execute(update(recipients).where(*fresh).values({name: moment}))

    # ---- how far it is ---------------------------------------------------------------------

    async def progress(self, broadcast_id: str) -> Report:
        """How many are where."""
        rows = await self._conn.execute(
            select(_R.state, func.count()).where(_R.broadcast_id == broadcast_id).group_by(_R.state)
        )
        return Report({row[0]: row[1] for row in rows})

    async def report(self, broadcast_id: str) -> Report:
        """The same, and what people did."""
        far = await self.progress(broadcast_id)
        mine = _R.broadcast_id == broadcast_id
        acted = select(func.count(_R.clicked_at), func.count(_R.left_at)).where(mine)
        clicked, left = (await self._conn.execute(acted)).one()
        kept = payments.c.captured_minor - payments.c.going_back
        rows = await self._conn.execute(
            select(_O.id, _R.clicked_at, payments.c.captured_at, payments.c.captured_currency, kept)
            .select_from(recipients)
            .join(orders, _O.chat_id == _R.chat_id)
            .join(payments, payments.c.order_id == _O.id)
            .where(mine, payments.c.captured_at >= _R.clicked_at, kept > 0)
        )
        paid, amounts = set[str](), defaultdict[str, int](int)
        for order_id, clicked_at, captured_at, currency, minor in rows:
            if captured_at - clicked_at <= PAID_WITHIN:
                paid.add(order_id)
                amounts[currency] += minor
        return replace(far, clicked=clicked, left=left, paid=len(paid), amounts=dict(amounts))

    async def under_way(self) -> int:
        """How many are in the outbox, of all broadcasts."""
        return await self._conn.scalar(select(func.count()).where(_QUEUED)) or 0

    async def to_settle(self) -> bool:
        """Whether something was sent that `settle` has not taken over."""
        return bool(await self._conn.scalar(select(exists().where(_QUEUED, _SETTLED))))

    async def next_waiting(self, broadcast_id: str) -> datetime | None:
        """When the next one who waits is due."""
        mine = (_R.broadcast_id == broadcast_id, _WAITING)
        found: datetime | None = await self._conn.scalar(
            select(_R.due_at).where(*mine).order_by(_R.due_at).limit(1)
        )
        return found

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Broadcast]:
        return [_BROADCAST.load(row) for row in await self._conn.execute(statement)]


_MANY = 1000
"""Rows named in one statement."""


# ---- segments ------------------------------------------------------------------------------


def _within(segment: Segment, now: datetime) -> list[ColumnElement[bool]]:
    """What a chat of the segment fulfils."""
    found: list[ColumnElement[bool]] = [
        _C.kind == "private", _C.id > 0, _C.blocked_at.is_(None), _C.news.is_(True),
    ]  # fmt: skip
    if segment.languages:
        found.append(_C.language.in_(segment.languages))
    if segment.carriers or segment.ends is not None:
        found.append(_has_sim(segment, now))
    if segment.bought is not None:
        ever = exists().where(_paid())
        found.append(ever if segment.bought else ~ever)
    if segment.spent_least is not None:
        found.append(_spent(segment.spent_least) >= segment.spent_least.minor)
    if segment.spent_most is not None:
        found.append(_spent(segment.spent_most) <= segment.spent_most.minor)
    if segment.idle_days is not None:
        since = now - timedelta(days=segment.idle_days)
        found.append(or_(_C.created_at.is_(None), _C.created_at <= since))
        found.append(~exists().where(_paid(), _O.paid_at > since))
    if segment.group_id is not None:
        here = select(posts.c.id).where(posts.c.group_id == segment.group_id)
        found.append(exists().where(visits.c.chat_id == _C.id, visits.c.post_id.in_(here)))
    return found


def _has_sim(segment: Segment, now: datetime) -> ColumnElement[bool]:
    owned = [sims.c.owner_id == _C.id, sims.c.removed_at.is_(None)]
    if segment.carriers:
        owned.append(sims.c.carrier.in_(segment.carriers))
    if segment.ends is not None:
        end = func.coalesce(sims.c.expiry, sims.c.keep_deadline)
        first, last = (now + timedelta(days=day) for day in segment.ends)
        owned.append(end.between(first, last))
    return exists().where(*owned)


def _paid() -> ColumnElement[bool]:
    """An order of the chat that was paid, and not given back."""
    return and_(_O.chat_id == _C.id, _O.paid_at.is_not(None), _O.state != OrderState.REFUNDED)


def _spent(amount: Money) -> ColumnElement[int]:
    price = func.coalesce(_O.due_minor, _O.price_minor)
    mine = select(func.sum(price)).where(_paid(), _O.price_currency == amount.currency)
    return func.coalesce(mine.correlate(chats).scalar_subquery(), 0)
