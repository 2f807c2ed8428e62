"""The house of the payments' fault harness: providers' stand-ins, a supplier and a database that
live on when the bot's process dies, and the process itself, which may die at every step."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import httpx
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.demo import epay_state, paypal_state
from bot.demo.botapi.app import create_app
from bot.demo.botapi.models import PROVIDER_TOKEN
from bot.demo.calls import CallLog
from bot.demo.providers import Providers
from bot.demo.stripe_state import StripeState
from bot.demo.world import World
from bot.domain.money import STARS
from bot.domain.points import PointTerms
from bot.domain.promos import Kind, Promo
from bot.domain.quotes import Rate, Terms
from bot.domain.sales import Method
from bot.payments.epay import Epay, EpaySettings
from bot.payments.paypal import PayPal, PayPalSettings
from bot.payments.stars import Stars
from bot.payments.stripe import StripeCheckout
from bot.payments.stripe_api import Api
from bot.payments.stripe_settings import StripeSettings
from bot.payments.telegram import TelegramInvoice, TelegramSettings
from bot.ports import PaymentMethod
from bot.services.assisting import Assisting
from bot.services.checkout import Checkout
from bot.services.deposits import Deposits
from bot.services.desk import Desk
from bot.services.fulfilment import Fulfilment
from bot.services.hints import Hints
from bot.services.paying import Paying
from bot.services.reconcile import Reconciliation
from bot.services.refunds import Refunds
from bot.services.requesting import Requesting
from bot.services.selling import Selling
from bot.services.till import Till
from bot.services.transfers import Receiving, Transfers
from bot.services.wallets import Wallets
from bot.store import Database
from tests.contract.botapi_server import serving
from tests.faults.payment_glance import Glance
from tests.faults.payment_supplier import Supplier
from tests.faults.supplier_town import Board, Dead, Life, MortalStore, StillClock
from tests.unit.services.house import OPERATOR, PEPPER, SECOND
from tests.unit.store.samples import NOW, PLAN, chat

PATIENCE = 1.5
"""Seconds an adapter waits for an answer; a slow one takes LATE."""
LATE = 2.0

SELLING = Selling(
    terms={
        Method.STARS: Terms((STARS,)),
        Method.TELEGRAM: Terms(("USD",)),
        Method.CARD: Terms(("USD",), fixed=Decimal("0.30")),
        Method.ALIPAY: Terms(("CNY",)),
        Method.WECHAT: Terms(("CNY",)),
        Method.PAYPAL: Terms(("USD",), percent=Decimal(3)),
        Method.EPAY: Terms(("CNY",)),
        Method.WALLET: Terms(),
        Method.TRANSFER: Terms(("CNY",)),
        Method.VOUCHER: Terms(),
    },
    rates={
        ("USD", STARS): Rate("USD", STARS, Decimal(77)),
        ("USD", "CNY"): Rate("USD", "CNY", Decimal("7.2")),
    },
    pepper=PEPPER,
    operators=(OPERATOR, SECOND),
    points=PointTerms({"USD": Decimal(10)}),
)
PROMO = Promo("once", 1, Kind.PERCENT, {"en": "once"}, code="ONCE", percent=Decimal(10), per_user=1)
"""Good for one order of each customer."""

T = TypeVar("T")


class Process:
    """The bot: services over the database, adapters with their own connections."""

    def __init__(self, house: "House", life: Life) -> None:
        self.life, self._house = life, house
        hooks = {"request": [self._step], "response": [self._step]}
        self._http = httpx.AsyncClient(
            trust_env=False,
            verify=False,  # noqa: S501  plain HTTP on loopback: certificates take long to read
            timeout=PATIENCE,
            event_hooks=hooks,
        )
        options = {"verify": False, "trust_env": False, "event_hooks": hooks}
        self._requests = [
            HTTPXRequest(read_timeout=PATIENCE, connect_timeout=PATIENCE, httpx_kwargs=options)
            for _ in range(2)
        ]
        with patch.object(ssl, "create_default_context", return_value=False):
            self._stripe = Api(house.stripe.secret_key.get_secret_value(),
                               house.stripe.base_url, PATIENCE)  # fmt: skip
        self._stripe._http._client_async.event_hooks = hooks
        store, clock = MortalStore(house.database, life), house.clock
        methods = self._methods(house)
        carriers = {house.supplier.name: house.supplier}
        self.checkout = Checkout(
            store, clock, carriers, SELLING, Wallets(store, clock, carriers, SELLING, {})
        )
        self.till = Till(store, clock, SELLING)
        self.paying = Paying(store, clock, methods, SELLING, self.till)
        self.fulfilment = Fulfilment(store, clock, carriers, SELLING)
        self.refunds = Refunds(store, clock, methods, SELLING)
        self.desk = Desk(store, clock, carriers, SELLING, self.refunds)
        self.deposits = Deposits(store, clock, SELLING, methods, self.paying, self.refunds)
        self.transfers = Transfers(store, clock, SELLING, self.till, Receiving())
        self.hints = Hints(store, clock, carriers, methods)
        self.reconciliation = Reconciliation(store, clock, methods, SELLING, self.till)
        self.requesting = Requesting(store, clock, SELLING)
        self.assisting = Assisting(store, clock, SELLING, self.checkout, self.paying, self.till)

    def _methods(self, house: "House") -> dict[Method, PaymentMethod]:
        bot = Bot(
            house.world.token, f"{house.url}/bot",
            request=self._requests[0], get_updates_request=self._requests[1],
        )  # fmt: skip
        made: list[PaymentMethod] = [
            *(StripeCheckout(method, house.stripe, house.clock, self._stripe)
              for method in house.stripe.methods),
            PayPal(house.paypal, self._http, house.clock),
            Epay(house.epay, self._http, house.clock),
            Stars(bot),
            TelegramInvoice(
                bot, TelegramSettings.model_validate({"provider_token": PROVIDER_TOKEN})
            ),
        ]  # fmt: skip
        return {one.method: one for one in made}

    async def _step(self, _: httpx.Request | httpx.Response) -> None:
        self.life.step()

    async def work(self) -> None:
        """What is due now."""
        jobs = (
            ("hints", self.hints.worker.run),
            ("expiry", self.paying.expire_due),
            ("deposits", self.deposits.expire_due),
            ("looks", self.paying.worker.run),
            ("topups", self.fulfilment.worker.run),
            ("refunds", self.refunds.worker.run),
        )
        for what, run in jobs:
            if self._house.glance.due(what, self._house.clock.now()):
                await run()

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()
        await self._stripe.close()
        for request in self._requests:
            await request.shutdown()


class House:
    """What outlives the process, and the present process."""

    def __init__(self, database: Database, path: Path, clock: StillClock) -> None:
        self.database = database
        self.glance = Glance(path)
        self.clock = clock
        self.board = Board()
        self.world = World(clock, people=[], groups=[], limits=False)
        self.providers = Providers(paypal_state.demo_state(), epay_state.demo_state(),
                                   StripeState())  # fmt: skip
        self.supplier = Supplier(clock)
        self.lives: list[int] = []
        """Steps that the next lives have; those after them have no end."""
        self.deaths = 0
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        calls = CallLog(clock, size=1)
        self._routes = create_app(self.world, self.board, calls)
        mounts = self.providers.routes(clock, self.board, calls)
        self._routes.router.routes[:0] = mounts
        self.url = ""
        self.process: Process
        self.browser = httpx.AsyncClient(trust_env=False, verify=False, timeout=20)  # noqa: S501

    def opened(self, url: str) -> None:
        """It listens there."""
        self.url = url
        settings, its = f"{url}/providers", self.providers
        self.stripe = StripeSettings.model_validate({
            "secret_key": its.stripe.secret_key, "webhook_secret": its.stripe.webhook_secret,
            "base_url": f"{settings}/stripe", "methods": "card,alipay,wechat",
        })  # fmt: skip
        self.paypal = PayPalSettings.model_validate({
            "client_id": its.paypal.client_id, "secret": its.paypal.secret,
            "webhook_id": its.paypal.webhook_id, "base_url": f"{settings}/paypal",
        })  # fmt: skip
        self.epay = EpaySettings.model_validate({
            "url": f"{settings}/epay", "pid": its.epay.pid, "key": its.epay.key, "refunds": True,
        })  # fmt: skip
        self.process = self.born()

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
        await old.close()

    async def _rise(self) -> None:
        while True:
            self.deaths += 1
            await self.process.close()
            self.process = self.born()
            try:
                await self.process.fulfilment.recover()
            except Dead:
                continue
            return

    async def calls_ended(self) -> None:
        """The stand-ins have finished every call, those of the dead too."""
        await asyncio.sleep(0.001)
        await self._idle.wait()

    async def close(self) -> None:
        """Release the connections."""
        await self.process.close()
        await self.browser.aclose()
        self.glance.close()
        self.world.events.close()


async def furnish(folder: Path) -> Path:
    """A database file to be copied: operators and the plan are in it. Upgrading one takes a while,
    and two can't be upgraded at once."""
    path = folder / "new.db"
    database = await Database.open(f"sqlite:///{path}")
    async with database.write() as tx:
        for person in (OPERATOR, SECOND):
            await tx.chats.add(chat(person))
        await tx.catalogue.apply([PLAN])
        await tx.promos.apply([PROMO])
    await database.close()
    return path


@asynccontextmanager
async def house(furnished: Path, number: int) -> AsyncIterator[House]:
    """An open one, with its own database beside the furnished one."""
    clock = StillClock(NOW.timestamp() + timedelta(hours=1).total_seconds())
    path = furnished.with_name(f"shop-{number}.db")
    shutil.copyfile(furnished, path)
    database = await Database.open(f"sqlite:///{path}")
    try:
        made = House(database, path, clock)
        async with serving(made) as url:
            made.opened(url)
            try:
                yield made
            finally:
                await made.close()
    finally:
        await database.close()
        path.unlink(missing_ok=True)
