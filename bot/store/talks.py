"""Where each conversation stands, and what it has gathered so far."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import conversations, drafts


class TalkRows:
    """Implements `ports.Talks`. Drafts come back as JSON gives them: lists, text keys."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert

    async def states(self, name: str) -> dict[tuple[int, ...], int]:
        """All states of one conversation by its key (chat id, user id)."""
        statement = select(conversations.c.key, conversations.c.state)
        rows = await self._conn.execute(statement.where(conversations.c.name == name))
        return {tuple(int(part) for part in key.split(",")): state for key, state in rows}

    async def set_state(self, name: str, key: tuple[int, ...], state: int | None) -> None:
        """Where it stands now; None when it ended."""
        text = ",".join(str(part) for part in key)
        if state is None:
            await self._conn.execute(
                delete(conversations).where(
                    conversations.c.name == name, conversations.c.key == text
                )
            )
            return
        saved = self._insert(conversations).values(name=name, key=text, state=state)
        await self._conn.execute(
            saved.on_conflict_do_update(index_elements=["name", "key"], set_={"state": state})
        )

    async def drafts(self) -> dict[int, dict[str, Any]]:
        """What each person has entered so far, by user id."""
        rows = await self._conn.execute(select(drafts.c.user_id, drafts.c.draft))
        return {row.user_id: row.draft for row in rows}

    async def set_draft(self, user_id: int, draft: Mapping[str, Any]) -> None:
        """Replace a person's draft; an empty one is forgotten."""
        if not draft:
            await self._conn.execute(delete(drafts).where(drafts.c.user_id == user_id))
            return
        saved = self._insert(drafts).values(user_id=user_id, draft=dict(draft))
        await self._conn.execute(
            saved.on_conflict_do_update(
                index_elements=["user_id"], set_={"draft": saved.excluded.draft}
            )
        )
