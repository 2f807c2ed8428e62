"""From the inbox to the handlers: per-chat order, nothing lost, nothing in the way.

python-telegram-bot acknowledges an update when it puts it into the update queue. This queue's
`put` therefore commits to the inbox first, and its `get` releases one update per lane at a time,
so that a conversation sees its updates in order while different chats run concurrently and a
pre-checkout query, which has a lane of its own, never waits for a chat.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram import Bot, Update
from telegram.error import NetworkError
from telegram.ext import Application, BaseUpdateProcessor

from bot.chat.memory import Memory
from bot.ports import Clock, InboxRow, Store
from bot.services.intake import Intake, lane_of

log = structlog.get_logger()

CONCURRENCY = 256


class LaneQueue(asyncio.Queue[object]):
    """PTB's update queue, backed by the inbox."""

    def __init__(self, intake: Intake) -> None:
        super().__init__()
        self._intake = intake
        self._bot: Bot | None = None
        self._waiting: dict[str, deque[Update]] = defaultdict(deque)
        self._busy: set[str] = set()
        intake.listen(self._arrived)

    def use(self, bot: Bot) -> None:
        """The bot that updates belong to (known only after the application is built)."""
        self._bot = bot

    async def put(self, item: object) -> None:
        """Commit an update to the inbox; PTB's own signals pass straight through.

        Raises NetworkError when the store fails: then Telegram keeps the update and sends it
        again. Any other exception would end polling silently.
        """
        if not isinstance(item, Update):
            await super().put(item)
            return
        try:
            await self._intake.accept(item.to_dict())
        except Exception as error:
            log.exception("inbox_failed", update_id=item.update_id)
            raise NetworkError("the inbox could not take the update") from error

    def _arrived(self, row: InboxRow) -> None:
        update = Update.de_json(json.loads(row.payload), self._bot)
        if update is None:
            return
        if row.lane in self._busy:
            self._waiting[row.lane].append(update)
        else:
            self._busy.add(row.lane)
            self.put_nowait(update)

    def release(self, update: Update) -> None:
        """The update is done: the next one of its lane may run."""
        lane = lane_of(update.to_dict())
        queue = self._waiting.get(lane)
        if queue:
            self.put_nowait(queue.popleft())
            if not queue:
                del self._waiting[lane]
        else:
            self._busy.discard(lane)

    @property
    def idle(self) -> bool:
        """No update waits or is being handled."""
        return not self._busy and self.empty()


class Processor(BaseUpdateProcessor):
    """Runs PTB's handling of one update, then settles it: conversation state and inbox row in
    one transaction, so that a crash replays the update with the state it had before."""

    def __init__(self, store: Store, clock: Clock, queue: LaneQueue, memory: Memory) -> None:
        super().__init__(CONCURRENCY)
        self._store = store
        self._clock = clock
        self._queue = queue
        self._memory = memory
        self._hand_over: Callable[[], Awaitable[None]] | None = None

    def use(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """The application whose changes are settled (known only after it is built)."""
        self._hand_over = application.update_persistence

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Handle one update of a lane."""
        if not isinstance(update, Update):
            await coroutine
            return
        structlog.contextvars.bind_contextvars(update_id=update.update_id)
        try:
            await coroutine
            await self._settle(update)
        finally:
            self._queue.release(update)

    async def _settle(self, update: Update) -> None:
        if self._hand_over is not None:
            await self._hand_over()
        user = update.effective_user
        error_id = self._memory.errors.pop(update.update_id, None)
        async with self._store.write() as tx:
            if user is not None:
                await self._memory.save(tx, user.id)
            await tx.inbox.done(update.update_id, self._clock.now(), error_id)
