"""A shop that writes to many at once, with a messenger that a test answers for."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.domain.broadcasts import Broadcast, BroadcastState, Report
from bot.ports import Delivery, Notice, Outcome, Place, Priority
from bot.services import notices
from bot.services.broadcasting import Broadcasting
from bot.services.broadcasts import Broadcasts
from bot.services.outbox import Outbox
from bot.store import Database
from tests.unit.services.house import OPERATOR, HandClock, opened
from tests.unit.store.samples import chat

FIRST = 20_000
NEWS = (Priority.BROADCAST, Priority.BROADCAST)
SENT, AMBIGUOUS, RETRY = (
    Delivery(outcome) for outcome in (Outcome.SENT, Outcome.AMBIGUOUS, Outcome.RETRY)
)
EVERYBODY = list(range(FIRST, FIRST + 25))


@dataclass
class Post:
    """A messenger that keeps what it is given; its answers are SENT, or as the test says."""

    news: list[int] = field(default_factory=list)
    """Chats that got news, in order."""
    told: list[Notice] = field(default_factory=list)
    answer: Callable[[Notice], Delivery] = lambda _: SENT

    async def deliver(self, notice: Notice, place: Place | None = None) -> Delivery:
        if notice.kind != notices.BROADCAST:
            self.told.append(notice)
            return SENT
        self.news.append(notice.chat_id)
        return self.answer(notice)


@dataclass
class Newsroom:
    database: Database
    clock: HandClock
    post: Post
    desk: Broadcasts
    sender: Broadcasting
    outbox: Outbox
    drafts: int = 0

    async def draft(self, texts: dict[str, str] | None = None, **segment: object) -> Broadcast:
        """Something to send, to English readers unless said otherwise."""
        self.drafts += 1
        one = await self.desk.draft(OPERATOR, 9000 + self.drafts)
        for language, text in (texts or {"en": "News"}).items():
            one = await self.desk.say(OPERATOR, one.id, language, text)
        return await self.desk.narrow(OPERATOR, one.id, **(segment or {"languages": ("en",)}))

    async def begin(self, at: datetime | None = None, **segment: object) -> Broadcast:
        """A draft that was confirmed."""
        one = await self.draft(**segment)  # type: ignore[arg-type]
        return await self.desk.start(OPERATOR, one.id, one.version, at, 77)

    async def live(self) -> None:
        """Everything that can be done now."""
        await self.outbox.worker.run()
        while (due := await self.sender.next_due()) is not None and due <= self.clock.now():
            await self.sender.worker.run()
            await self.outbox.worker.run()

    async def state(self, one: Broadcast) -> BroadcastState:
        async with self.database.read() as tx:
            found = await tx.broadcasts.get(one.id)
        assert found is not None
        return found.state

    async def report(self, one: Broadcast) -> Report:
        async with self.database.read() as tx:
            return await tx.broadcasts.report(one.id)

    async def queued(self) -> int:
        async with self.database.read() as tx:
            backlog = await tx.outbox.backlog(self.clock.now())
        return sum(row.waiting + row.planned for row in backlog
                   if row.priority is Priority.BROADCAST)  # fmt: skip

    def restart(self) -> None:
        """Another process takes over."""
        self.sender = Broadcasting(self.database, self.clock, 10)
        self.outbox = Outbox(self.database, self.clock, self.post)


@asynccontextmanager
async def newsroom(folder: Path, people: int = 25, window: int = 10) -> AsyncIterator[Newsroom]:
    """A shop whose customers read English, Alice and Bob Chinese."""
    async with opened(folder) as database:
        clock, post = HandClock(), Post()
        async with database.write() as tx:
            for n in range(people):
                await tx.chats.add(chat(FIRST + n, language="en"))
        yield Newsroom(
            database, clock, post, Broadcasts(database, clock, (OPERATOR,)),
            Broadcasting(database, clock, window), Outbox(database, clock, post),
        )  # fmt: skip
