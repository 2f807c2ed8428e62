"""The database, continued: the addresses of people's calendars."""

from typing import Protocol


class Calendars(Protocol):
    """One secret token a chat at most; who knows it may read the dates of the chat's SIMs."""

    async def token(self, chat_id: int) -> str | None: ...
    async def set(self, chat_id: int, token: str | None) -> None:
        """Replace the token; None ends the address."""
        ...

    async def chat_of(self, token: str) -> int | None:
        """Whose token it is."""
        ...
