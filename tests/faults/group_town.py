"""The house of the groups' fault harness: the Bot API stand-in, a supplier and a database that live
on when the bot's process dies; and the bot, put together as `xuka run` does, which may die between
any two transactions and calls of Telegram."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from unittest.mock import patch

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from telegram.error import TelegramError
from telegram.request import BaseRequest

from bot import app
from bot.chat.application import ALLOWED_UPDATES
from bot.config import Settings
from bot.demo.botapi.app import create_app
from bot.demo.calls import CallLog
from bot.demo.world import World
from bot.live import Bot
from bot.schedule import Job
from bot.store import Database
from tests.contract.botapi_server import serving
from tests.faults.payment_supplier import Supplier
from tests.faults.supplier_town import Board, Dead, Life, MortalStore, StillClock
from tests.unit.services.house import OPERATOR
from tests.unit.store.samples import NOW, PLAN, chat

JOBS = frozenset({"outbox", "postings", "posts", "expiry", "fulfilment", "refunds"})
"""Those that have to do with groups and with what is sold from them."""
_DUE = {
    "outbox": "select min(not_before) from outbox where state = 'queued'",
    "postings": "select min(next_at) from group_postings",
    "posts": "select min(look_at) from posts",
    "expiry": "select min(expires_at) from orders where state in ('quoted', 'awaiting_payment')",
    "fulfilment": "select min(next_at) from topups",
    "refunds": "select min(next_at) from refunds",
}
"""When each job has something to do; to ask the store each time takes most of a case."""
_ROUNDS = 200
_MOMENTS = 1000
_STEP = timedelta(seconds=30)

T = TypeVar("T")


class Mortal(Life):
    """A life that can be shortened while it is lived."""

    def dies_in(self, steps: int) -> None:
        """So many steps are left."""
        self._left = steps

    def lives(self) -> None:
        """It has no end any more."""
        self._left = None


class _Store(MortalStore):
    """As the composition root knows it; one bot at a time uses the file."""

    instance = "only"


def _mortal(request: BaseRequest, life: Life) -> None:
    """Death comes before a call of Telegram, or after Telegram has carried it out."""
    ask = request.do_request

    async def asked(*given: Any, **named: Any) -> tuple[int, bytes]:
        life.step()
        answer = await ask(*given, **named)
        life.step()
        return answer

    request.do_request = asked  # type: ignore[method-assign]


class Process:
    """The bot. Updates are handed to it as they come; jobs run when they are rung for or due."""

    def __init__(self, house: "House", life: Mortal) -> None:
        self.life, self._house = life, house
        store = cast(Database, _Store(house.database, life))
        with patch.object(app, "carriers_of", return_value={house.supplier.name: house.supplier}):
            self.bot: Bot = app.compose(house.settings, house.clock, store)
        self._requests = self.bot.app.bot._request
        for request in self._requests:
            _mortal(request, life)
        self._jobs: list[Job] = [job for job in self.bot.jobs if job.worker.name in JOBS]

    @property
    def shop(self) -> Any:
        """The services behind the chat."""
        return self.bot.shop

    async def start(self) -> None:
        """As `live` does: what a dead process left is taken over, and replayed."""
        await self.bot.app.initialize()
        self.bot.app._running = True  # updates are handed to it one by one, not fetched
        await self.bot.outbox.recover()
        await self.bot.fulfilment.recover()
        await self.bot.intake.replay()
        for job in self._jobs:
            job.worker.ring()

    # ---- work ------------------------------------------------------------------------------

    async def work(self, *, hears: bool = True) -> None:
        """Until nothing is left to do now."""
        for _ in range(_ROUNDS):
            if hears:
                await self._hear()
            rung = [job for job in self._jobs if not job.worker.idle]
            if not rung and (not hears or self._deaf()):
                return
            for job in rung:
                await job.worker.run()
        raise AssertionError(f"no end of work: {[job.worker.name for job in rung]}")

    async def _hear(self) -> None:
        """Take what Telegram has for us, and handle it; chats at the same time, as PTB does."""
        updates = self._house.world.updates
        updates.expire()
        while updates.pending and not self._house.board.is_set("telegram_down"):
            first = updates.pending[0]
            for _ in range(1 + self._house.repeats):
                await self.bot.intake.accept(first.as_update())
            updates.acknowledge(first.update_id + 1)
        while not self.bot.queue.empty():
            waiting = [self.bot.queue.get_nowait() for _ in range(self.bot.queue.qsize())]
            ends = await asyncio.gather(
                *(self._handle(one) for one in waiting), return_exceptions=True
            )
            for end in ends:
                if end is not None:
                    raise end

    async def _handle(self, update: object) -> None:
        application = self.bot.app
        await application.update_processor.process_update(
            update, application.process_update(update)
        )

    def _deaf(self) -> bool:
        """Nothing has come that can be heard."""
        down = self._house.board.is_set("telegram_down")
        return self.bot.queue.empty() and (down or not self._house.world.updates.pending)

    def ring(self, names: Container[str] = JOBS) -> None:
        """These jobs look."""
        for job in self._jobs:
            if job.worker.name in names:
                job.worker.ring()

    async def close(self) -> None:
        """Release the connections."""
        for request in self._requests:
            await request.shutdown()
        for connected in self.bot.connected:
            await connected.close()


class House:
    """What outlives the process, and the present process."""

    def __init__(self, database: Database, path: Path, clock: StillClock) -> None:
        self.database = database
        self._glance = sqlite3.connect(path, isolation_level=None)
        self.clock = clock
        self.board = Board()
        self.world = World(clock, people=[], groups=[], limits=False)
        self.world.updates.allow(list(ALLOWED_UPDATES))
        self.supplier = Supplier(clock)
        self.calls = CallLog(clock, size=1)
        self.deaths = 0
        self.repeats = 0
        """How often Telegram brings each update again."""
        self.promos: list[Any] = []
        self.campaigns: list[Any] = []
        self._rising = asyncio.Lock()
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._routes = create_app(self.world, self.board, self.calls)
        self.settings: Settings
        self.process: Process

    async def opened(self, url: str) -> None:
        """It listens there, and the bot has started."""
        self.settings = Settings.model_validate({
            "bot_token": self.world.token, "telegram_api_url": url, "operator_ids": (OPERATOR,),
            "sending": {"limited": False}, "secret_key": "a secret of the harness",
        })  # fmt: skip
        await self._rise()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stand-in, counting the calls under way; a caller may die meanwhile."""
        self._busy += 1
        self._idle.clear()
        try:
            await self._routes(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    # ---- lives -------------------------------------------------------------------------------

    async def alive(self, what: Callable[[Process], Awaitable[T]]) -> T:
        """Do it, in as many lives as it takes: what is asked for stands in the inbox or in rows."""
        while True:
            process = self.process
            try:
                return await what(process)
            except Dead:
                async with self._rising:
                    if process is self.process:  # else somebody else has seen it die
                        self.deaths += 1
                        await self._rise()

    async def _rise(self) -> None:
        """A new process. Without Telegram it can't start: an outage ends before."""
        while True:
            await self.calls_ended()
            self.board.set("telegram_down", on=False)
            if hasattr(self, "process"):
                self.process.life.over = True
                await self.process.close()
            self.process = Process(self, Mortal(None))
            with suppress(TelegramError):
                await self.process.start()
                return

    async def sleep(self, until: datetime) -> None:
        """The process dies, the world goes on, and a new one starts later."""
        self.process.life.over = True
        self.clock.move_to(until)
        self.deaths += 1
        await self._rise()

    async def overlap(self) -> None:
        """A new process begins to work while the old one, which should have ended, still does."""
        old, self.process = self.process, Process(self, Mortal(None))
        await self.process.start()
        old.ring()
        both = (old.work(hears=False), self.process.work())
        ends = await asyncio.gather(*both, return_exceptions=True)
        for end in ends:
            if end is not None and not isinstance(end, Dead):  # the old one may die of its own
                raise end
        old.life.over = True
        await old.close()

    async def calls_ended(self) -> None:
        """The stand-in has finished every call, those of the dead too."""
        await asyncio.sleep(0)
        await self._idle.wait()

    # ---- time --------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Until nothing is left to do now."""
        await self.alive(lambda process: process.work())

    async def until(self, moment: datetime) -> None:
        """From one thing that is due to the next, up to a moment (UTC)."""
        for _ in range(_MOMENTS):
            await self.settle()
            due = min(self.due().values(), default=moment)
            if due >= moment:
                break
            self.clock.move_to(max(due, self.clock.now() + _STEP))
            self._ring()
        else:
            raise AssertionError(f"something is due again and again: {self.due()}")
        if moment > self.clock.now():
            self.clock.move_to(moment)
        self._ring()
        await self.settle()

    def due(self) -> Mapping[str, datetime]:
        """When each job has something to do next."""
        found = {name: self._glance.execute(text).fetchone()[0] for name, text in _DUE.items()}
        return {n: datetime.fromisoformat(at).replace(tzinfo=UTC) for n, at in found.items() if at}

    def _ring(self) -> None:
        now = self.clock.now()
        self.process.ring({name for name, at in self.due().items() if at <= now})

    async def later(self, **span: float) -> None:
        """The same, by the arguments of a timedelta."""
        await self.until(self.clock.now() + timedelta(**span))

    async def close(self) -> None:
        """Release the connections."""
        self.process.life.over = True
        await self.process.close()
        self._glance.close()
        self.world.events.close()


async def furnish(folder: Path) -> Path:
    """A database file to be copied: the operator and the plan are in it. Upgrading one takes a
    while, and two can't be upgraded at once."""
    path = folder / "new.db"
    database = await Database.open(f"sqlite:///{path}")
    async with database.write() as tx:
        await tx.chats.add(chat(OPERATOR))
        await tx.catalogue.apply([PLAN])
    await database.close()
    return path


@asynccontextmanager
async def house(furnished: Path, number: int) -> AsyncIterator[House]:
    """An open one, with its own database beside the furnished one."""
    clock = StillClock(NOW.timestamp())
    path = furnished.with_name(f"groups-{number}.db")
    shutil.copyfile(furnished, path)
    database = await Database.open(f"sqlite:///{path}")
    try:
        made = House(database, path, clock)
        async with serving(made) as url:
            await made.opened(url)
            try:
                yield made
            finally:
                await made.close()
    finally:
        await database.close()
        path.unlink(missing_ok=True)
