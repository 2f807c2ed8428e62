"""The composition root: the only file that names concrete adapters."""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from socket import socket
from typing import Any

import httpx
import structlog
import uvicorn
from starlette.routing import BaseRoute

from bot import logs, schedule
from bot.carriers import registry
from bot.carriers.rules import packs
from bot.carriers.wallet import threshold
from bot.chat import application
from bot.chat.application import ALLOWED_UPDATES, App
from bot.chat.lanes import LaneQueue
from bot.chat.messenger import TelegramMessenger
from bot.chat.notices import Renderer
from bot.chat.shop import Merchant, Shop
from bot.config import Settings, SettingsError, unknown
from bot.demo.follow import Control, FollowingClock, Work
from bot.domain.money import Money
from bot.domain.sales import Method
from bot.payments.stars import Stars
from bot.ports import Carrier, Clock, PaymentMethod
from bot.process import Stop, bound, no_more, poll, push, reached
from bot.schedule import Job
from bot.services.activation import Activations
from bot.services.checkout import Checkout
from bot.services.desk import Desk
from bot.services.fulfilment import Fulfilment
from bot.services.handover import Handovers
from bot.services.hints import Hints
from bot.services.intake import Intake
from bot.services.keeping import Keeping
from bot.services.outbox import Outbox
from bot.services.readings import Readings
from bot.services.refunds import Refunds
from bot.services.reminding import Reminding
from bot.services.selling import Selling
from bot.services.sims import Sims
from bot.services.till import Till
from bot.services.wallets import Wallets
from bot.services.work import Worker
from bot.store.db import Database
from bot.web.app import create, health_route, webhook_route
from bot.web.hooks import hooks_route

log = structlog.get_logger()

WEBHOOK_PATH = "/telegram"


class SystemClock:
    """ports.Clock: the machine's clock."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Bot:
    """Everything that runs."""

    settings: Settings
    clock: Clock
    store: Database
    carriers: Mapping[str, Carrier]
    app: App
    queue: LaneQueue
    intake: Intake
    shop: Shop
    outbox: Outbox
    fulfilment: Fulfilment
    hints: Hints
    jobs: tuple[Job, ...]


def carriers_of(settings: Settings, clock: Clock) -> dict[str, Carrier]:
    """Every supplier the settings switch on."""
    return registry.build({name: getattr(settings, name) for name in registry.ADAPTERS}, clock)


def selling_of(settings: Settings) -> Selling:
    """The shop's terms from the settings."""
    methods = set()
    if settings.stars.enabled:
        methods.add(Method.STARS)
    if settings.voucher.enabled:
        methods.add(Method.VOUCHER)
    return Selling(
        methods=frozenset(methods),
        rates=settings.stars.rates,
        pepper=settings.pepper,
        operators=settings.operator_ids,
        packs=packs(),
    )


def merchant_of(settings: Settings) -> Merchant:
    """Who sells."""
    shop = settings.shop
    return Merchant(shop.name, shop.legal_name, shop.contact, shop.hotline, tuple(shop.shops))


def low_wallets(settings: Settings) -> dict[str, Money]:
    """Below which balance operators are told, by supplier."""
    sections = {name: getattr(settings, name) for name in registry.ADAPTERS}
    return {name: threshold(s.low_wallet) for name, s in sections.items() if s is not None}


@dataclass(frozen=True, slots=True)
class Lookouts:
    """What goes on without anybody asking for it."""

    readings: Readings
    activations: Activations
    wallets: Wallets
    hints: Hints

    def wire(self, outbox: Worker, reminding: Worker, fulfilment: Worker) -> None:
        """Who wakes whom."""
        self.readings.rings += [outbox, reminding]
        self.activations.rings += [outbox]
        self.wallets.rings += [outbox]
        self.hints.rings += [self.readings.worker, fulfilment]

    def jobs(self) -> list[Job]:
        """Hints first: they make SIMs due."""
        return [
            Job(self.hints.worker, 30, self.hints.next_due),
            Job(self.readings.worker, 60, self.readings.next_due, slack=timedelta(hours=2)),
            Job(self.activations.worker, 60, self.activations.next_due),
            Job(self.wallets.worker, 60),
        ]

    async def purge(self) -> None:
        """Forget what is old."""
        await self.readings.purge()
        await self.hints.purge()


def lookouts_of(
    settings: Settings,
    clock: Clock,
    store: Database,
    carriers: Mapping[str, Carrier],
    selling: Selling,
) -> Lookouts:
    """The lookouts, not wired yet."""
    return Lookouts(
        Readings(store, clock, carriers),
        Activations(store, clock, carriers, selling),
        Wallets(store, clock, carriers, selling, low_wallets(settings)),
        Hints(store, clock, carriers),
    )


def compose(settings: Settings, clock: Clock, store: Database) -> Bot:
    """Put the services together and wire who wakes whom."""
    carriers = carriers_of(settings, clock)
    selling, merchant = selling_of(settings), merchant_of(settings)
    intake = Intake(store, clock)
    app, queue = application.build(
        settings.bot_token.get_secret_value(), str(settings.telegram_api_url), store, clock, intake
    )
    payments: dict[Method, PaymentMethod] = {Method.STARS: Stars(app.bot)}
    messenger = TelegramMessenger(
        app.bot, store, clock, Renderer(store, clock, carriers, merchant, packs())
    )
    outbox = Outbox(store, clock, messenger)
    fulfilment = Fulfilment(store, clock, carriers, selling)
    refunds = Refunds(store, clock, payments, selling)
    lookouts = lookouts_of(settings, clock, store, carriers, selling)
    checkout = Checkout(store, clock, carriers, payments, selling, lookouts.wallets)
    till = Till(store, clock, selling)
    reminding = Reminding(store, clock, carriers)
    sims = Sims(store, clock, carriers, selling.pepper, selling.operators)
    keeping = Keeping(store, clock, packs())
    handovers = Handovers(store, clock, selling.pepper)
    desk = Desk(store, clock, carriers, selling)
    for rings in (checkout.rings, refunds.rings, reminding.rings, handovers.rings):
        rings.append(outbox.worker)
    till.rings += [outbox.worker, fulfilment.worker, refunds.worker]
    fulfilment.rings += [outbox.worker, refunds.worker]
    sims.rings += [outbox.worker, reminding.worker]
    desk.rings += [fulfilment.worker, refunds.worker, outbox.worker]
    lookouts.wire(outbox.worker, reminding.worker, fulfilment.worker)
    shop = Shop(
        store=store,
        clock=clock,
        sims=sims,
        keeping=keeping,
        handovers=handovers,
        checkout=checkout,
        till=till,
        reminding=reminding,
        desk=desk,
        activations=lookouts.activations,
        merchant=merchant,
        outbox=outbox,
        operators=frozenset(settings.operator_ids),
    )
    app.bot_data["shop"] = shop
    jobs = (
        Job(Worker("expiry", checkout.expire_due), 30, checkout.next_expiry),
        *lookouts.jobs(),
        Job(reminding.worker, 60, reminding.next_due),
        Job(fulfilment.worker, 2, fulfilment.next_due),
        Job(refunds.worker, 30),
        Job(outbox.worker, 2, outbox.next_due),
        Job(Worker("purge", intake.purge), 24 * 3600),
        Job(Worker("purge_watched", lookouts.purge), 24 * 3600),
    )
    return Bot(
        settings, clock, store, carriers, app, queue, intake, shop, outbox, fulfilment,
        lookouts.hints, jobs,
    )  # fmt: skip


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. What is unfinished then is in the store.

    Raises SettingsError, StoreRefused.
    """
    stop = Stop()
    stop.on_signals()
    with bound(settings.listen_host, settings.listen_port) as port:
        clock = await _clock(settings)
        store = await Database.open(settings.database_url)
        bot = compose(settings, clock, store)
        try:
            if isinstance(clock, FollowingClock):
                from bot.demo.seed import seed

                await seed(store, clock, bot.shop.sims, settings.pepper)
            await _run(bot, stop, port)
        finally:
            for carrier in bot.carriers.values():
                await carrier.close()
            await store.close()
    if stop.reason is not None:
        raise stop.reason
    log.info("stopped")


async def _run(bot: Bot, stop: Stop, port: socket) -> None:
    try:
        # Telegram may be out of reach for a while when we start.
        if await reached(bot.app.initialize, stop):
            await _live(bot, stop, port)
    finally:
        await bot.app.shutdown()
        # PTB leaves the connections open when Telegram did not take us in.
        await bot.app.bot.shutdown()


async def _live(bot: Bot, stop: Stop, port: socket) -> None:
    await bot.outbox.recover()
    await bot.fulfilment.recover()
    for job in bot.jobs:
        job.worker.start()
    server = _server(bot)
    serving = asyncio.create_task(server.serve(sockets=[port]), name="web")
    await bot.app.start()
    replayed = await bot.intake.replay()
    scheduler = schedule.start(bot.jobs)
    try:
        if await _listen(bot, stop):
            log.info("started", replayed=replayed, polling=bot.settings.webhook.url is None)
            for job in bot.jobs:
                job.worker.ring()
            background = asyncio.create_task(_commands(bot), name="commands")
            await stop.wait()
            background.cancel()
    finally:
        log.info("stopping")
        if bot.app.updater is not None:
            await no_more(bot.app.updater)
        scheduler.shutdown(wait=False)
        server.should_exit = True
        await serving
        await bot.app.stop()
        for job in bot.jobs:
            await job.worker.stop()


async def _listen(bot: Bot, stop: Stop) -> bool:
    if bot.settings.webhook.url is not None:
        return await push(bot.app.bot, bot.settings.webhook, ALLOWED_UPDATES, stop)
    assert bot.app.updater is not None  # noqa: S101  the builder made one
    return await poll(bot.app.updater, ALLOWED_UPDATES, stop)


async def _commands(bot: Bot) -> None:
    """The command menu is a comfort: without it the bot works all the same."""
    try:
        await application.register_commands(bot.app, bot.shop.operators)
    except RuntimeError as error:
        log.warning("commands_not_registered", reason=str(error))


def _server(bot: Bot) -> uvicorn.Server:
    settings = bot.settings

    async def facts() -> Mapping[str, Any]:
        return {"ok": True, "idle": bot.queue.idle}

    routes: list[BaseRoute] = [health_route(facts)]
    if settings.webhook.secret is not None:
        secret = settings.webhook.secret.get_secret_value()
        routes.append(webhook_route(WEBHOOK_PATH, secret, bot.intake.accept))
    if settings.hooks_secret is not None:
        secret = settings.hooks_secret.get_secret_value()
        routes.append(hooks_route(secret, bot.hints.knows, bot.hints.accept))
    if isinstance(bot.clock, FollowingClock):
        work = [Work(job.worker, job.next_due, job.slack) for job in bot.jobs]
        control = Control(bot.clock, work, lambda: bot.queue.idle, lambda: server.should_exit)
        routes += control.routes()
    config = uvicorn.Config(
        create(routes),
        host=settings.listen_host,
        port=settings.listen_port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
    )
    server = uvicorn.Server(config)
    # The signals are ours: they stop the whole bot, not the web server alone.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    return server


async def _clock(settings: Settings) -> Clock:
    if settings.demo_clock_url is None:
        return SystemClock()
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(str(settings.demo_clock_url))
    except httpx.HTTPError:
        text = "the demo does not answer there; unset it"
        raise SettingsError([("XUKA_DEMO_CLOCK_URL", text)]) from None
    return FollowingClock(float(answer.json()["offset_seconds"]))


def run(settings: Settings) -> None:
    """`xuka run`."""
    # Telegram's waiting times as timedelta: the number is deprecated and warns.
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    logs.configure(settings.log_level, settings.log_format)
    for name, text in unknown():
        log.warning("unknown_setting", name=name, text=text)
    asyncio.run(serve(settings))
