"""The inbox: every update is committed before it is acknowledged, and replayed if unfinished."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.ports import Clock, InboxRow, Store

KEEP = timedelta(days=30)
"""How long handled updates are kept: longer than Telegram (24 h) or a person could replay one."""

PRECHECKOUT_LANE = "pre_checkout"


def lane_of(update: Mapping[str, Any]) -> str:
    """The queue an update waits in: one per chat; pre-checkout queries have none and may not wait.

    A tap and a message of one private chat share a lane, so that a conversation sees them in order.
    """
    if "pre_checkout_query" in update:
        return PRECHECKOUT_LANE
    for body in update.values():
        if not isinstance(body, Mapping):
            continue
        message = body.get("message", body)
        chat = message.get("chat") if isinstance(message, Mapping) else None
        if isinstance(chat, Mapping):
            return f"chat:{chat['id']}"
        if isinstance(body.get("from"), Mapping):
            return f"chat:{body['from']['id']}"
    return "other"


class Intake:
    """Takes updates from polling and from the webhook alike."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._listener: Callable[[InboxRow], None] | None = None

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
        if fresh and self._listener is not None:
            self._listener(row)

    async def replay(self) -> int:
        """Pass on what a former process took and did not finish; how many there were."""
        async with self._store.read() as tx:
            rows = await tx.inbox.unfinished()
        if self._listener is not None:
            for row in rows:
                self._listener(row)
        return len(rows)

    async def purge(self) -> None:
        """Forget updates handled long ago."""
        async with self._store.write() as tx:
            await tx.inbox.purge(self._clock.now() - KEEP)
