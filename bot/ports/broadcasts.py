"""The database, continued: news to many at once, and who got it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.domain.broadcasts import Broadcast, BroadcastState, Reached, Recipient, Report, Segment
from bot.domain.chats import Chat


class Broadcasts(Protocol):
    async def add(self, broadcast: Broadcast, update_id: int) -> Broadcast:
        """Save it; a replay of the same update gets the one that the first run saved."""
        ...

    async def get(self, broadcast_id: str) -> Broadcast | None: ...
    async def latest(self, limit: int) -> list[Broadcast]:
        """Newest first, without drafts that were thrown away."""
        ...

    async def change(self, broadcast_id: str, version: int, **changes: Any) -> bool:
        """Change a draft, compare-and-set on its version, which grows by one."""
        ...

    async def set(self, broadcast_id: str, **changes: Any) -> None:
        """Note how far it is."""
        ...

    async def move(
        self,
        broadcast_id: str,
        old: BroadcastState,
        new: BroadcastState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool:
        """Compare-and-set on the state."""
        ...

    async def live(self) -> list[Broadcast]:
        """Scheduled and running ones, oldest first."""
        ...

    # Who it is for.

    async def audience(self, segment: Segment, now: datetime) -> Mapping[str, int]:
        """How many people a segment has at this moment, by language."""
        ...

    async def following(self, segment: Segment, after: int, now: datetime, limit: int) -> list[int]:
        """Chats of a segment with ids above that, in their order."""
        ...

    async def carriers(self, limit: int) -> list[str]:
        """Those of customers' SIMs, the most common first."""
        ...

    # Who gets it.

    async def enrol(self, people: Sequence[Recipient]) -> None:
        """Write people down; who is there already stays as they are."""
        ...

    async def waiting(
        self, broadcast_id: str, now: datetime, limit: int
    ) -> list[tuple[Recipient, Chat]]:
        """Those whose time has come."""
        ...

    async def put_off(self, recipient_id: str, due_at: datetime) -> None: ...
    async def queued(self, recipient_ids: Sequence[str]) -> frozenset[str]:
        """Compare-and-set from waiting; those that were."""
        ...

    async def sent_as(self, keys: Mapping[str, str]) -> None:
        """Remember which rows of the outbox they are, by their dedupe_keys (recipient: key)."""
        ...

    async def settle(self) -> int:
        """Take over what became of all that was queued; how many that changed."""
        ...

    async def withdraw(self, broadcast_id: str, to: Reached) -> int:
        """Take out of the outbox what nobody has begun to send; how many that were.

        They, and with DROPPED those that wait, come to that state.
        """
        ...

    async def recipient(self, recipient_id: str) -> Recipient | None: ...
    async def note(self, recipient_id: str, **at: datetime) -> None:
        """When they tapped (clicked_at) or turned news off (left_at); the first time counts."""
        ...

    async def report(self, broadcast_id: str) -> Report: ...
    async def progress(self, broadcast_id: str) -> Report:
        """The same without what people did."""
        ...

    # What there is to do.

    async def under_way(self) -> int:
        """How many are in the outbox, of all broadcasts."""
        ...

    async def to_settle(self) -> bool:
        """Whether something was sent that `settle` has not taken over."""
        ...

    async def next_waiting(self, broadcast_id: str) -> datetime | None:
        """When the next one who waits is due."""
        ...
