"""The house of the carriers' fault harness: stand-ins, a provider and a database that live on
when the bot's process dies, and the process itself, which may die at every step it takes."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from bot import ports
from bot.carriers.airalo import Airalo
from bot.carriers.dingconnect import DingConnect
from bot.carriers.esim_access import EsimAccess
from bot.carriers.reloadly import Reloadly, ReloadlySettings
from bot.demo import airalo_state, dingconnect_state, esim_access_state, reloadly_state
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.suppliers import PACE, Suppliers
from bot.domain.sales import Method
from bot.ports import Carrier, PaymentMethod
from bot.services.checkout import Checkout
from bot.services.desk import Desk
from bot.services.fulfilment import Fulfilment
from bot.services.paying import Paying
from bot.services.refunds import Refunds
from bot.services.till import Till
from bot.services.wallets import Wallets
from bot.store import Database
from tests.contract.botapi_server import serving
from tests.faults.supplier_books import PLANS, Books
from tests.unit.services.cashier import Cashier
from tests.unit.services.house import OPERATOR, SECOND, SELLING
from tests.unit.store.samples import ALICE, NOW, chat

PATIENCE = 1.5
"""Seconds an adapter waits for an answer; a slow one takes LATE."""
LATE = 2.0

T = TypeVar("T")


class Dead(BaseException):
    """The process has died; no `except Exception` may survive it."""


class StillClock(WorldClock):
    """Stands still until it is moved."""

    def timestamp(self) -> float:
        """The moment it was moved to."""
        return self.offset

    def move_to(self, at: datetime) -> None:
        """Forward to `at`, and a millisecond more, for floats round."""
        self.advance(max(0.0, at.timestamp() - self.offset) + 0.001)


class Board(FaultBoard):
    """Counts how often each fault struck."""

    def __init__(self) -> None:
        super().__init__()
        self.struck: Counter[str] = Counter()

    def take(self, name: str) -> bool:
        struck = super().take(name)
        self.struck[name] += struck
        return struck

    def is_set(self, name: str) -> bool:
        is_set = super().is_set(name)
        self.struck[name] += is_set
        return is_set


class Life:
    """A process's life: `left` more steps, or no end. Steps are transactions' and calls' ends."""

    def __init__(self, left: int | None) -> None:
        self._left = left
        self.over = False

    def step(self) -> None:
        """One step on. Raises Dead."""
        if self._left is not None:
            self._left -= 1
            self.over = self.over or self._left < 0
        if self.over:
            raise Dead


class MortalStore:
    """The database as one process sees it."""

    def __init__(self, database: Database, life: Life) -> None:
        self._database = database
        self._life = life

    @asynccontextmanager
    async def write(self) -> AsyncIterator[ports.Tx]:
        """Death comes before it or after its commit."""
        self._life.step()
        async with self._database.write() as tx:
            yield tx
        self._life.step()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ports.Tx]:
        """A look; the dead see nothing."""
        self._life.step()
        async with self._database.read() as tx:
            yield tx


class Process:
    """The bot: services over the database, adapters with their own connections."""

    def __init__(self, house: "House", life: Life) -> None:
        self.life = life
        self.http = httpx.AsyncClient(
            trust_env=False,
            verify=False,  # noqa: S501  plain HTTP on loopback: certificates take long to read
            timeout=PATIENCE,
            event_hooks={"request": [self._step], "response": [self._step]},
        )
        store = MortalStore(house.database, life)
        clock, carriers = house.clock, house.adapters(self.http)
        payments: Mapping[Method, PaymentMethod] = {Method.STARS: house.provider}
        self.wallets = Wallets(store, clock, carriers, SELLING, {})
        self.checkout = Checkout(store, clock, carriers, SELLING, self.wallets)
        self.till = Till(store, clock, SELLING)
        self.paying = Paying(store, clock, payments, SELLING, self.till)
        self.fulfilment = Fulfilment(store, clock, carriers, SELLING)
        self.refunds = Refunds(store, clock, payments, SELLING)
        self.desk = Desk(store, clock, carriers, SELLING, self.refunds)

    async def _step(self, _: httpx.Request | httpx.Response) -> None:
        self.life.step()

    async def work(self) -> None:
        """What is due now."""
        await self.fulfilment.worker.run()
        await self.refunds.worker.run()


class House:
    """What outlives the process, and the present process."""

    def __init__(self, database: Database, suppliers: Suppliers, clock: StillClock) -> None:
        self.database = database
        self.suppliers = suppliers
        self.clock = clock
        self.books = Books(suppliers)
        self.board = Board()
        self.provider = Cashier(clock)
        self.url = ""
        self.lives: list[int] = []
        """Steps that the next lives have; those after them have no end."""
        self.deaths = 0
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._routes = Starlette(
            routes=list(suppliers.routes(clock, self.board, CallLog(clock, size=1)))
        )
        self.process: Process

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stand-ins, counting the calls under way; a caller may die meanwhile."""
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

    def adapters(self, http: httpx.AsyncClient) -> Mapping[str, Carrier]:
        """All four, as the bot makes them, over one client."""
        base, its = f"{self.url}/suppliers", self.suppliers
        keys = ReloadlySettings.model_validate({
            "client_id": its.reloadly.client_id, "client_secret": its.reloadly.client_secret,
            "base_url": f"{base}/reloadly", "auth_url": f"{base}/reloadly",
        })  # fmt: skip
        found: list[Carrier] = [
            EsimAccess(
                its.esim_access.access_code, its.esim_access.secret_key, f"{base}/esim-access",
                http, self.clock, PACE,
            ),
            Airalo(
                its.airalo.client_id, its.airalo.client_secret, f"{base}/airalo/v2", http,
                self.clock, PACE,
            ),
            Reloadly(keys, http, self.clock),
            DingConnect(its.dingconnect.api_key, f"{base}/dingconnect", http, self.clock),
        ]  # fmt: skip
        return {carrier.name: carrier for carrier in found}

    # ---- lives -------------------------------------------------------------------------------

    def born(self) -> Process:
        """A new process, as long-lived as is written."""
        return Process(self, Life(self.lives.pop(0) if self.lives else None))

    async def alive(self, what: Callable[[Process], Awaitable[T]]) -> T:
        """Do it, in as many lives as it takes: the update is in the inbox, the work in rows."""
        while True:
            try:
                return await what(self.process)
            except Dead:
                await self._rise()

    async def cut_off(self, seconds: float) -> None:
        """Work, and be cut off wherever it is after `seconds`."""
        task = asyncio.create_task(self.process.work())
        await asyncio.wait([task], timeout=seconds)
        self.process.life.over = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._rise()

    async def overlap(self, seconds: float) -> None:
        """A new process begins to work while the old one, which should have ended, still does."""
        old = self.process
        task = asyncio.create_task(old.work())
        await asyncio.wait([task], timeout=seconds)
        self.process = self.born()
        await self.alive(lambda process: process.fulfilment.recover())
        await self.alive(lambda process: process.work())
        await asyncio.gather(task, return_exceptions=True)
        await old.http.aclose()

    async def _rise(self) -> None:
        while True:
            self.deaths += 1
            await self.process.http.aclose()
            self.process = self.born()
            try:
                await self.process.fulfilment.recover()
            except Dead:
                continue
            return

    async def calls_ended(self) -> None:
        """The suppliers have finished every call, those of the dead too."""
        await asyncio.sleep(0.001)
        await self._idle.wait()


def _fresh(now: datetime) -> Suppliers:
    """Stand-ins without the pace of real ones."""
    eased = {"tokens_per_minute": PACE, "usage_per_minute": PACE}
    return Suppliers(
        esim_access=esim_access_state.demo_state(now).model_copy(
            update={"requests_per_second": PACE}
        ),
        airalo=airalo_state.demo_state(now).model_copy(update=eased),
        reloadly=reloadly_state.demo_state().model_copy(update={"late_seconds": LATE}),
        dingconnect=dingconnect_state.demo_state(),
    )


async def furnish(folder: Path) -> Path:
    """A database file to be copied: people and plans are in it. Upgrading one takes a while, and
    two can't be upgraded at once."""
    path = folder / "new.db"
    database = await Database.open(f"sqlite:///{path}")
    async with database.write() as tx:
        for person in (ALICE, OPERATOR, SECOND):
            await tx.chats.add(chat(person))
        await tx.catalogue.apply(PLANS)
    await database.close()
    return path


@asynccontextmanager
async def house(furnished: Path, number: int) -> AsyncIterator[House]:
    """An open one, with its own database beside the furnished one."""
    clock = StillClock(NOW.timestamp())
    path = furnished.with_name(f"shop-{number}.db")
    shutil.copyfile(furnished, path)
    database = await Database.open(f"sqlite:///{path}")
    try:
        made = House(database, _fresh(clock.now()), clock)
        app: ASGIApp = made
        async with serving(app) as made.url:
            made.process = made.born()
            try:
                yield made
            finally:
                await made.process.http.aclose()
    finally:
        await database.close()
