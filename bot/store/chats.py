"""Chats and their preferences."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.chats import Chat, Preferences
from bot.store.rows import Shape, insert_new, word
from bot.store.tables import chats, outbox

_PREFERENCES = Shape(chats, Preferences)
_OWN = (
    chats.c.id, chats.c.kind, chats.c.language, chats.c.language_chosen, chats.c.first_name,
    chats.c.username, chats.c.blocked_at, chats.c.migrated_to, chats.c.created_at,
)  # fmt: skip

_MANY = select(*_OWN, *_PREFERENCES.columns).where(chats.c.id.in_(bindparam("ids", expanding=True)))


class ChatRows:
    """Implements `ports.Chats`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, chat_id: int) -> Chat | None:
        """The chat; None when it never wrote."""
        return (await self.many([chat_id])).get(chat_id)

    async def many(self, chat_ids: Collection[int]) -> dict[int, Chat]:
        """Those that are known, by their ids."""
        rows = await self._conn.execute(_MANY, {"ids": list(chat_ids)})
        return {row[0]: _chat(row) for row in rows}

    async def named(self, name: str, limit: int) -> list[Chat]:
        """Private chats whose first name or username has that, in any case; newest first."""
        fits = (
            column.icontains(name, autoescape=True)
            for column in (chats.c.first_name, chats.c.username)
        )
        statement = select(*_OWN, *_PREFERENCES.columns).where(
            chats.c.kind == "private", or_(*fits)
        )
        rows = await self._conn.execute(statement.order_by(chats.c.created_at.desc()).limit(limit))
        return [_chat(row) for row in rows]

    async def add(self, chat: Chat) -> bool:
        """Save a new chat; False when it is known."""
        values = {column.name: getattr(chat, column.name) for column in _OWN}
        return await insert_new(self._conn, chats, values | _PREFERENCES.dump(chat.preferences))

    async def set_name(self, chat_id: int, first_name: str, username: str | None) -> None:
        """What Telegram calls the person now."""
        await self._set(chat_id, first_name=first_name, username=username)

    async def set_language(self, chat_id: int, language: str) -> None:
        """The language somebody tapped."""
        await self._set(chat_id, language=language, language_chosen=True)

    async def set_preferences(self, chat_id: int, preferences: Preferences) -> None:
        """Replace all preferences."""
        await self._set(chat_id, **_PREFERENCES.dump(preferences))

    async def set_blocked(self, chat_id: int, at: datetime | None) -> None:
        """Since when the bot can't write there; None when it can again."""
        await self._set(chat_id, blocked_at=at)

    async def migrate(self, old_id: int, new_id: int) -> None:
        """A group became a supergroup: its row and what waits to be sent follow the new id."""
        row = (await self._conn.execute(select(chats).where(chats.c.id == old_id))).first()
        if row is not None:
            await insert_new(self._conn, chats, {**row._mapping, "id": new_id})
        await self._set(old_id, migrated_to=new_id)
        waiting = (outbox.c.chat_id == old_id, outbox.c.state == word("queued"))
        await self._conn.execute(update(outbox).where(*waiting).values(chat_id=new_id))

    async def wrong_claims(self, chat_id: int) -> tuple[int, datetime | None]:
        """Wrong claim codes in a row, and until when guessing is locked."""
        statement = select(chats.c.wrong_claims, chats.c.claims_locked_until)
        row = (await self._conn.execute(statement.where(chats.c.id == chat_id))).first()
        return (0, None) if row is None else (row[0], row[1])

    async def set_wrong_claims(self, chat_id: int, count: int, until: datetime | None) -> None:
        """Set both; 0 and None after a right code."""
        await self._set(chat_id, wrong_claims=count, claims_locked_until=until)

    async def _set(self, chat_id: int, **values: Any) -> None:
        await self._conn.execute(update(chats).where(chats.c.id == chat_id).values(**values))


def _chat(row: Sequence[Any]) -> Chat:
    id_, kind, language, chosen, first_name, username, blocked_at, migrated_to, created = row[
        : len(_OWN)
    ]
    preferences = Preferences(*row[len(_OWN) :])
    return Chat(id_, kind, language, chosen, preferences, first_name, username, blocked_at,
                migrated_to, created)  # fmt: skip
