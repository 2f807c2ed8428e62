"""The database, continued: differences between our books and others'."""

from datetime import datetime
from typing import Protocol

from bot.domain.books import Difference


class Differences(Protocol):
    """Gaps that reconciliation found and no job can settle."""

    async def add(self, difference: Difference) -> bool:
        """False when that gap of that subject was found before."""
        ...

    async def get(self, difference_id: str) -> Difference | None: ...
    async def open(self) -> list[Difference]:
        """Those nobody has settled, oldest first."""
        ...

    async def settle(self, difference_id: str, at: datetime, actor: str) -> bool:
        """False when it was settled before."""
        ...
