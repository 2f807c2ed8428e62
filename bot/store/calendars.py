"""The addresses of people's calendars."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import calendars


class CalendarRows:
    """Implements `ports.Calendars`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def token(self, chat_id: int) -> str | None:
        """The chat's token."""
        statement = select(calendars.c.token).where(calendars.c.chat_id == chat_id)
        return await self._conn.scalar(statement)

    async def set(self, chat_id: int, token: str | None) -> None:
        """Replace the token; None ends the address."""
        await self._conn.execute(delete(calendars).where(calendars.c.chat_id == chat_id))
        if token is not None:
            await self._conn.execute(calendars.insert().values(chat_id=chat_id, token=token))

    async def chat_of(self, token: str) -> int | None:
        """Whose token it is."""
        statement = select(calendars.c.chat_id).where(calendars.c.token == token)
        return await self._conn.scalar(statement)
