"""Messages the bot starts itself, waiting their turn."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Notice, Outcome, Priority
from bot.store.rows import insert_new, word
from bot.store.tables import outbox
from bot.store.types import EPOCH

AT_ONCE = EPOCH
"""Stored as `not_before` of a notice that need not wait, and what `next_due` then gives."""

_DOUBTFUL = "doubtful"
"""The `detail` of a queued notice that was sent once without an answer."""

_QUEUED, _CLAIMED = word("queued"), word("claimed")
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
_before_it = (
    select(_E.id)
    .where(
        _E.state == _QUEUED,
        _E.chat_id == _O.chat_id,
        tuple_(_E.priority, _E.id) < tuple_(_O.priority, _O.id),
        # A retry that still waits holds back what was to follow it, else an old edit would
        # overwrite a newer one; a notice planned for later holds back nothing.
        (_E.not_before <= _NOW) | ((_E.tries > 0) & (_E.priority == _O.priority)),
    )
    .exists()
)
_LOADED = (
    _O.id, _O.kind, _O.chat_id, _O.dedupe_key, _O.priority, _O.data, _O.not_before,
    _O.expires_at, _O.tries, _O.detail,
)  # fmt: skip
_DROP = (
    update(outbox)
    .where(_O.state == _QUEUED, _O.expires_at <= _NOW)
    .values(state=Outcome.DROPPED.value, settled_at=_NOW, detail="expired")
)
_CLAIM = (
    update(outbox)
    .where(
        _O.id.in_(
            select(_O.id)
            .where(_O.state == _QUEUED, _O.not_before <= _NOW, ~_busy, ~_before_it)
            .order_by(_O.priority, _O.id)
            .limit(bindparam("most"))
        )
    )
    .values(state="claimed", claimed_at=_NOW)
    .returning(*_LOADED)
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

    async def claim(self, now: datetime, limit: int) -> list[Notice]:
        """Take the most urgent sendable ones, at most one a chat and none of a chat that has
        one claimed; they count as being sent from now on. Expired ones are dropped."""
        if self._conn.dialect.name == "postgresql":
            # Two instances claiming at once could each take a message of the same chat, whatever
            # rows they lock: an urgent notice may arrive in between. So they take turns.
            await self._conn.execute(select(func.pg_advisory_xact_lock(_CLAIM_LOCK)))
        await self._conn.execute(_DROP, {"now": now})
        rows = await self._conn.execute(_CLAIM, {"now": now, "most": limit})
        return sorted((_load(row) for row in rows), key=lambda n: (n.priority, n.id))

    async def claimed(self) -> list[Notice]:
        """Those a dead process took and did not settle."""
        statement = select(*_LOADED).where(_O.state == _CLAIMED).order_by(_O.priority, _O.id)
        return [_load(row) for row in await self._conn.execute(statement)]

    async def settle(self, notice_id: int, outcome: Outcome, at: datetime,
                     message_id: int | None = None, detail: str | None = None) -> None:  # fmt: skip
        """Record what became of a claimed notice. Raises ValueError for RETRY: release it."""
        if outcome is Outcome.RETRY:
            raise ValueError("a notice to be retried is released, not settled")
        await self._conn.execute(
            update(outbox)
            .where(_O.id == notice_id, _O.state == _CLAIMED)
            .values(state=outcome.value, settled_at=at, message_id=message_id, detail=detail)
        )

    async def release(
        self, notice_id: int, not_before: datetime, *, doubtful: bool = False
    ) -> None:
        """Back into the queue, one try more; `doubtful`, and for ever, when it may have arrived."""
        changes: dict[str, Any] = {"not_before": not_before}
        if doubtful:
            changes["detail"] = _DOUBTFUL
        await self._conn.execute(
            update(outbox)
            .where(_O.id == notice_id, _O.state == _CLAIMED)
            .values(state="queued", tries=_O.tries + 1, **changes)
        )

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
