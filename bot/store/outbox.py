"""Messages the bot starts itself, waiting their turn."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Update,
    bindparam,
    case,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Backlog, Notice, Outcome, Priority
from bot.store.rows import insert_new, word
from bot.store.tables import outbox
from bot.store.types import EPOCH

AT_ONCE = EPOCH
"""Stored as `not_before` of a notice that need not wait, and what `next_due` then gives."""

_DOUBTFUL = "doubtful"
"""The `detail` of a queued notice that was sent once without an answer."""

_QUEUED, _CLAIMED = word("queued"), word("claimed")
_OVER = (Outcome.SENT.value, Outcome.DROPPED.value)
_CLAIM_LOCK = 0x58754B6F  # "XuKo": PostgreSQL's advisory lock around a claim

_O = outbox.c
_earlier = outbox.alias("earlier")
_E = _earlier.c
_under_way = outbox.alias("under_way")

_NOW = bindparam("now", type_=_O.not_before.type)
_busy = (
    select(_under_way.c.id)
    .where(_under_way.c.chat_id == _O.chat_id, _under_way.c.state == _CLAIMED)
    .exists()
)


def _held_back(by: ColumnElement[bool]) -> ColumnElement[bool]:
    """Another of its chat goes first, among those that come before it `by` that condition."""
    return (
        select(_E.id)
        .where(
            _E.state == _QUEUED,
            _E.chat_id == _O.chat_id,
            by,
            # A retry that still waits holds back what was to follow it, else an old edit would
            # overwrite a newer one; a notice planned for later holds back nothing.
            (_E.not_before <= _NOW) | ((_E.tries > 0) & (_E.priority == _O.priority)),
        )
        .exists()
    )


_urgent_first = _held_back(tuple_(_E.priority, _E.id) < tuple_(_O.priority, _O.id))
_in_its_class = _held_back((_E.priority == _O.priority) & (_E.id < _O.id))
_LOADED = (
    _O.id, _O.kind, _O.chat_id, _O.dedupe_key, _O.priority, _O.data, _O.not_before,
    _O.expires_at, _O.tries, _O.detail,
)  # fmt: skip
_DROP = (
    update(outbox)
    .where(_O.state == _QUEUED, _O.expires_at <= _NOW)
    .values(state=Outcome.DROPPED.value, settled_at=_NOW, detail="expired")
)
_SEEN = (
    update(outbox)
    .where(_O.state == _QUEUED, _O.due_at.is_(None), _O.not_before <= _NOW)
    .values(due_at=_NOW)
)


def _claim(
    priority: ColumnElement[int], held_back: ColumnElement[bool], *order: ColumnElement[Any]
) -> Update:
    sendable = (
        select(_O.id)
        .where(
            _O.state == _QUEUED,
            _O.due_at.is_not(None),
            _O.not_before <= _NOW,
            _O.chat_id.not_in(bindparam("without", expanding=True)),
            priority.between(bindparam("first"), bindparam("last")),
            ~_busy,
            ~held_back,
        )
        .order_by(*order)
        .limit(bindparam("most"))
    )
    return (
        update(outbox)
        .where(_O.id.in_(sendable))
        .values(
            state="claimed", claimed_at=_NOW, claimed_by=bindparam("by"),
            lease_until=bindparam("until", type_=_O.lease_until.type),
        )
        .returning(*_LOADED)
    )  # fmt: skip


_CLAIM_URGENT = _claim(_O.priority, _urgent_first, _O.priority, _O.id)
# A sum is in no index: so the one of due_at is used, and little of it is read.
_CLAIM_LONGEST = _claim(_O.priority + 0, _in_its_class, _O.due_at, _O.id)
_SENT = (
    update(outbox)
    .where(_O.id == bindparam("one"), _O.state == _CLAIMED, _O.claimed_by == bindparam("by"))
    .values(state=Outcome.SENT.value, settled_at=_NOW, message_id=bindparam("as"))
)
_BACKLOG = (
    select(
        _O.priority,
        func.count(case((_O.not_before <= _NOW, 1))),
        func.count(case((_O.not_before > _NOW, 1))),
        func.min(_O.due_at),
    )
    .where(_O.state == _QUEUED)
    .group_by(_O.priority)
    .order_by(_O.priority)
)
_NEXT = (
    select(_O.not_before)
    .where(
        _O.state == _QUEUED,
        ~_busy,
        ~select(_E.id)
        .where(
            _E.state == _QUEUED, _E.chat_id == _O.chat_id, _E.priority == _O.priority,
            _E.id < _O.id, _E.tries > 0, _E.not_before > _O.not_before,
        )
        .exists(),
    )
    .order_by(_O.not_before)
    .limit(1)
)  # fmt: skip


class OutboxRows:
    """Implements `ports.Outbox`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, notice: Notice) -> bool:
        """False when its dedupe_key was there before."""
        values = {
            "kind": notice.kind, "chat_id": notice.chat_id, "dedupe_key": notice.dedupe_key,
            "priority": int(notice.priority), "data": dict(notice.data),
            "not_before": notice.not_before or AT_ONCE, "expires_at": notice.expires_at,
            "state": "queued", "tries": notice.tries,
        }  # fmt: skip
        return await insert_new(self._conn, outbox, values)

    async def claim(
        self,
        now: datetime,
        limit: int,
        *,
        by: str = "",
        until: datetime | None = None,
        longest: int = 0,
        without: Collection[int] = (),
        among: tuple[Priority, Priority] = (Priority.PAYMENT, Priority.BROADCAST),
    ) -> list[Notice]:
        """See `ports.Outbox`. Expired ones are dropped."""
        if self._conn.dialect.name == "postgresql":
            # Two instances claiming at once could each take a message of the same chat, whatever
            # rows they lock: an urgent notice may arrive in between. So they take turns.
            await self._conn.execute(select(func.pg_advisory_xact_lock(_CLAIM_LOCK)))
        await self._conn.execute(_DROP, {"now": now})
        await self._conn.execute(_SEEN, {"now": now})
        common = {
            "now": now, "by": by, "until": until, "without": list(without),
            "first": int(among[0]), "last": int(among[1]),
        }  # fmt: skip
        # The longest waiting of one chat may be of several classes: so those are taken singly,
        # and what follows sees which chats have one under way.
        picks = [(_CLAIM_LONGEST, 1)] * min(longest, limit)
        picks.append((_CLAIM_URGENT, limit - len(picks)))
        found: list[Notice] = []
        for statement, most in picks:
            rows = await self._conn.execute(statement, {**common, "most": most})
            found += [_load(row) for row in rows]
        return sorted(found, key=lambda n: (n.priority, n.id))

    async def claimed(self) -> list[Notice]:
        """Those being sent, by any instance."""
        statement = select(*_LOADED).where(_O.state == _CLAIMED).order_by(_O.priority, _O.id)
        return [_load(row) for row in await self._conn.execute(statement)]

    async def take_over(
        self, now: datetime, by: str, until: datetime, *, own: bool
    ) -> list[Notice]:
        """See `ports.Outbox`."""
        over = _O.lease_until.is_(None) | (_O.lease_until <= now)
        mine = _O.claimed_by == by
        rows = await self._conn.execute(
            update(outbox)
            .where(_O.state == _CLAIMED, over | mine if own else over & ~func.coalesce(mine, False))
            .values(claimed_by=by, lease_until=until)
            .returning(*_LOADED)
        )
        return sorted((_load(row) for row in rows), key=lambda n: (n.priority, n.id))

    async def settle(self, notice_id: int, outcome: Outcome, at: datetime,
                     message_id: int | None = None, detail: str | None = None,
                     by: str | None = None) -> bool:  # fmt: skip
        """See `ports.Outbox`. Raises ValueError for RETRY: release it."""
        if outcome is Outcome.RETRY:
            raise ValueError("a notice to be retried is released, not settled")
        return await self._end(
            notice_id, by, state=outcome.value, settled_at=at, message_id=message_id, detail=detail
        )

    async def sent(self, messages: Mapping[int, int | None], at: datetime, by: str) -> int:
        """See `ports.Outbox`."""
        rows = [{"one": key, "as": id_, "now": at, "by": by} for key, id_ in messages.items()]
        done = await self._conn.execute(_SENT, rows) if rows else None
        if done is None or done.rowcount < 0:  # PostgreSQL's driver does not count these
            return len(rows)
        return done.rowcount

    async def release(
        self,
        notice_id: int,
        not_before: datetime,
        *,
        doubtful: bool = False,
        by: str | None = None,
    ) -> bool:
        """See `ports.Outbox`; it stays doubtful for ever."""
        changes: dict[str, Any] = {"not_before": not_before}
        if doubtful:
            changes["detail"] = _DOUBTFUL
        return await self._end(notice_id, by, state="queued", tries=_O.tries + 1, **changes)

    async def _end(self, notice_id: int, by: str | None, **values: Any) -> bool:
        held = (_O.id == notice_id, _O.state == _CLAIMED)
        mine = () if by is None else (_O.claimed_by == by,)
        done = await self._conn.execute(update(outbox).where(*held, *mine).values(values))
        return done.rowcount == 1

    async def backlog(self, now: datetime) -> list[Backlog]:
        """What is in the queue, by class, the most urgent first."""
        rows = await self._conn.execute(_BACKLOG, {"now": now})
        return [
            Backlog(Priority(priority), waiting, planned, oldest)
            for priority, waiting, planned, oldest in rows
        ]

    async def purge(self, before: datetime, kinds: Collection[str], limit: int) -> int:
        """See `ports.Outbox`."""
        over = select(_O.id).where(
            _O.settled_at < before, _O.state.in_(_OVER), _O.kind.in_(sorted(kinds))
        )
        gone = delete(outbox).where(_O.id.in_(over.order_by(_O.settled_at).limit(limit)))
        return (await self._conn.execute(gone)).rowcount

    async def outcomes(self, since: datetime) -> Mapping[Outcome, int]:
        """How many ended how since then."""
        rows = await self._conn.execute(
            select(_O.state, func.count()).where(_O.settled_at >= since).group_by(_O.state)
        )
        return {Outcome(state): count for state, count in rows}

    async def next_due(self) -> datetime | None:
        """When the next notice that waits for nothing but the clock may be sent.

        AT_ONCE when that is now; None when the queue holds none but those of chats with a
        message under way.
        """
        return await self._conn.scalar(_NEXT)


def _load(row: Row[*tuple[Any, ...]]) -> Notice:
    id_, kind, chat_id, dedupe_key, priority, data, not_before, expires_at, tries, detail = row
    start = None if not_before == AT_ONCE else not_before
    return Notice(kind, chat_id, dedupe_key, Priority(priority), data, start, expires_at, id_,
                  tries, detail == _DOUBTFUL)  # fmt: skip
