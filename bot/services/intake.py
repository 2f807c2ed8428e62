"""The inbox: every update is committed before it is acknowledged, and replayed if unfinished."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from bot.ports import Clock, InboxRow, Store
from bot.services.ids import new_id

log = structlog.get_logger()

KEEP = timedelta(days=30)
"""How long handled updates are kept: longer than Telegram (24 h) or a person could replay one."""


def lane_of(update: Mapping[str, Any]) -> str:
    """The queue an update waits in: one per chat, and one for each pre-checkout query alone.

    A tap and a message of one private chat share a lane, so that a conversation sees them in order.
    """
    if isinstance(query := update.get("pre_checkout_query"), Mapping):
        return f"pre_checkout:{query.get('id')}"
    for body in update.values():
        if not isinstance(body, Mapping):
            continue
        message = body.get("message", body)
        chat = message.get("chat") if isinstance(message, Mapping) else None
        if isinstance(chat, Mapping):
            return f"chat:{chat.get('id')}"
        if isinstance(writer := body.get("from"), Mapping):
            return f"chat:{writer.get('id')}"
    return "other"


class Intake:
    """Takes updates from polling and from the webhook alike."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._listener: Callable[[InboxRow], None] | None = None
        self._held: list[InboxRow] | None = []
        """What is taken before the replay; it comes after what a former process left."""
        self._replayed: set[int] = set()

    def listen(self, listener: Callable[[InboxRow], None]) -> None:
        """Who handles new rows; called once for each update, in order of arrival."""
        self._listener = listener

    async def accept(self, update: Mapping[str, Any]) -> None:
        """Commit one update, then pass it on; one seen before is acknowledged and dropped."""
        row = InboxRow(
            update_id=int(update["update_id"]),
            lane=lane_of(update),
            payload=json.dumps(update, ensure_ascii=False, separators=(",", ":")),
        )
        # Shielded: were this cut off after the commit, the row would wait for the next start.
        await asyncio.shield(asyncio.create_task(self._keep(row)))

    async def _keep(self, row: InboxRow) -> None:
        async with self._store.write() as tx:
            [fresh] = await tx.inbox.append([row], self._clock.now())
        if not fresh or row.update_id in self._replayed:
            return
        if self._held is not None:
            self._held.append(row)
        else:
            await self._pass_on(row)

    async def replay(self) -> int:
        """Pass on what a former process took and did not finish; how many there were.

        To be called once, at start: until then what is taken is only kept.
        """
        async with self._store.read() as tx:
            rows = await tx.inbox.unfinished()
        held, self._held = self._held or [], None
        self._replayed = {row.update_id for row in rows}
        rows += [row for row in held if row.update_id not in self._replayed]
        for row in rows:
            await self._pass_on(row)
        return len(rows)

    async def _pass_on(self, row: InboxRow) -> None:
        """Give a row to the listener; one it can't read would come back for ever: it is closed."""
        try:
            if self._listener is not None:
                self._listener(row)
        except Exception:
            error_id = new_id(6)
            log.exception("update_unreadable", update_id=row.update_id, error_id=error_id)
            async with self._store.write() as tx:
                await tx.inbox.done(row.update_id, self._clock.now(), error_id)

    async def purge(self) -> None:
        """Forget updates handled long ago."""
        async with self._store.write() as tx:
            await tx.inbox.purge(self._clock.now() - KEEP)
