"""From the inbox to the handlers: per-chat order, nothing lost, nothing in the way.

python-telegram-bot acknowledges an update when it puts it into the update queue. This queue's
`put` therefore commits to the inbox first, and its `get` releases one update per lane at a time,
so that a conversation sees its updates in order while different chats run concurrently and a
pre-checkout query, each a lane of its own and outside the limit of concurrency, never waits.
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
from bot.services.intake import Intake

log = structlog.get_logger()

CONCURRENCY = 256
"""Updates handled at once, one a chat. Pre-checkout queries do not count."""
_NO_LIMIT = 1 << 20
_SETTLE_AGAIN = (0.1, 1.0, 5.0)
"""Seconds between tries to settle an update that the store does not take."""


class LaneQueue(asyncio.Queue[object]):
    """PTB's update queue, backed by the inbox."""

    def __init__(self, intake: Intake) -> None:
        super().__init__()
        self._intake = intake
        self._bot: Bot | None = None
        self._waiting: dict[str, deque[Update]] = defaultdict(deque)
        self._busy: set[str] = set()
        self._lanes: dict[int, str] = {}
        self._closing = False
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
            # PTB's sign to stop. It fetches nothing after it, but waits for all that was put.
            self._closing = True
            await super().put(item)
            return
        try:
            await self._intake.accept(item.to_dict())
        except Exception as error:
            log.exception("inbox_failed", update_id=item.update_id)
            raise NetworkError("the inbox could not take the update") from error

    def _arrived(self, row: InboxRow) -> None:
        update = Update.de_json(json.loads(row.payload), self._bot)
        self._lanes[update.update_id] = row.lane
        if row.lane in self._busy:
            self._waiting[row.lane].append(update)
        else:
            self._begin(row.lane, update)

    def release(self, update: Update) -> None:
        """The update is done: the next one of its lane may run."""
        lane = self._lanes.pop(update.update_id, None)
        if lane is None:
            return
        queue = self._waiting.get(lane)
        if not queue:
            self._busy.discard(lane)
            return
        following = queue.popleft()
        if not queue:
            del self._waiting[lane]
        self._begin(lane, following)

    def _begin(self, lane: str, update: Update) -> None:
        self._busy.add(lane)
        if self._closing:
            return  # it is in the inbox: the next start replays it
        self.put_nowait(update)

    @property
    def idle(self) -> bool:
        """No update waits or is being handled."""
        return not self._busy and self.empty()


class Processor(BaseUpdateProcessor):
    """Runs PTB's handling of one update, then settles it: conversation state and inbox row in
    one transaction, so that a crash replays the update with the state it had before."""

    def __init__(self, store: Store, clock: Clock, queue: LaneQueue, memory: Memory) -> None:
        super().__init__(_NO_LIMIT)
        self._slots = asyncio.Semaphore(CONCURRENCY)
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
            if update.pre_checkout_query is not None:
                await coroutine
            else:
                async with self._slots:
                    await coroutine
            await self._settle(update)
        finally:
            self._queue.release(update)

    async def _settle(self, update: Update) -> None:
        if self._hand_over is not None:
            await self._hand_over()
        user = update.effective_user
        changes = self._memory.take(user.id) if user is not None else None
        error_id = self._memory.errors.pop(update.update_id, None)
        if error_id is not None and update.message and update.message.successful_payment:
            # Money that could not be taken over stays in the inbox: the next start tries again.
            log.error("charge_not_taken", update_id=update.update_id, error_id=error_id)
            return
        for pause in (*_SETTLE_AGAIN, None):
            try:
                async with self._store.write() as tx:
                    if user is not None and changes is not None:
                        await changes.save(tx, user.id)
                    await tx.inbox.done(update.update_id, self._clock.now(), error_id)
                return
            except Exception:
                log.exception("update_not_settled", update_id=update.update_id)
                if pause is None:
                    return
                await asyncio.sleep(pause)
