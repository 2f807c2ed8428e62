"""PTB's persistence, kept in our store: where each conversation stands, and its draft.

PTB flushes on a timer; we do not wait for it. After each update the processor lets PTB hand over
what changed and commits this user's part together with the inbox row.
"""

from dataclasses import dataclass, field
from typing import Any, cast

from telegram.ext import BasePersistence, PersistenceInput
from telegram.ext._utils.types import ConversationDict, ConversationKey

from bot.ports import Store, Tx

Draft = dict[str, Any]


@dataclass(slots=True)
class Changes:
    """What one user's update changed; a state of None means that the conversation ended."""

    states: dict[tuple[str, tuple[int, ...]], int | None] = field(default_factory=dict)
    draft: Draft | None = None

    async def save(self, tx: Tx, user_id: int) -> None:
        """Write it in the given transaction."""
        for (name, key), state in self.states.items():
            await tx.talks.set_state(name, key, state)
        if self.draft is not None:
            await tx.talks.set_draft(user_id, self.draft)


class Memory(BasePersistence[Draft, dict[Any, Any], dict[Any, Any]]):
    """Conversation states and drafts (`context.user_data`); nothing else is persisted here."""

    def __init__(self, store: Store) -> None:
        super().__init__(
            store_data=PersistenceInput(
                bot_data=False, chat_data=False, user_data=True, callback_data=False
            ),
            update_interval=3600,
        )
        self._store = store
        self._changed: dict[int, Changes] = {}
        self._states: dict[int, int] = {}
        self.errors: dict[int, str] = {}
        """Error ids by update id: shown to the person and kept with the inbox row."""

    def take(self, user_id: int) -> Changes:
        """What moved for this user since the last call."""
        return self._changed.pop(user_id, Changes())

    def state(self, user_id: int) -> int | None:
        """Where this user's conversation stands, as of their last update; None before it began."""
        return self._states.get(user_id)

    # ---- what PTB asks of a persistence ----------------------------------------------------

    async def get_conversations(self, name: str) -> ConversationDict:
        """States of one conversation handler, at start."""
        async with self._store.read() as tx:
            states = await tx.talks.states(name)
        self._states = {key[-1]: state for key, state in states.items()}
        return cast("ConversationDict", states)

    async def update_conversation(
        self, name: str, key: ConversationKey, new_state: object | None
    ) -> None:
        """PTB hands a changed state over; the key ends with the user's id."""
        numbers = tuple(int(part) for part in key)
        changes = self._changed.setdefault(numbers[-1], Changes())
        state = None if new_state is None else int(str(new_state))
        changes.states[(name, numbers)] = state
        self._states[numbers[-1]] = 0 if state is None else state

    async def get_user_data(self) -> dict[int, Draft]:
        """Drafts, at start."""
        async with self._store.read() as tx:
            return await tx.talks.drafts()

    async def update_user_data(self, user_id: int, data: Draft) -> None:
        """PTB hands a user's draft over after each of their updates."""
        self._changed.setdefault(user_id, Changes()).draft = data

    async def drop_user_data(self, user_id: int) -> None:
        """PTB forgot a user's draft."""
        self._changed.setdefault(user_id, Changes()).draft = {}

    async def get_chat_data(self) -> dict[int, dict[Any, Any]]:
        """Not kept."""
        return {}

    async def update_chat_data(self, chat_id: int, data: dict[Any, Any]) -> None:
        """Not kept."""

    async def drop_chat_data(self, chat_id: int) -> None:
        """Not kept."""

    async def get_bot_data(self) -> dict[Any, Any]:
        """Not kept."""
        return {}

    async def update_bot_data(self, data: dict[Any, Any]) -> None:
        """Not kept."""

    async def get_callback_data(self) -> None:
        """Not kept."""

    async def update_callback_data(self, data: Any) -> None:
        """Not kept."""

    async def refresh_user_data(self, user_id: int, user_data: Draft) -> None:
        """The memory is the only writer: nothing to refresh."""

    async def refresh_chat_data(self, chat_id: int, chat_data: dict[Any, Any]) -> None:
        """Not kept."""

    async def refresh_bot_data(self, bot_data: dict[Any, Any]) -> None:
        """Not kept."""

    async def flush(self) -> None:
        """Every update was flushed when it was settled."""
