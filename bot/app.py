"""The composition root: the only file that names concrete adapters."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import structlog

from bot import STARTED, live, logs
from bot.carriers.rules import packs
from bot.chat import application
from bot.chat.messenger import TelegramMessenger
from bot.chat.notices import Renderer
from bot.chat.shop import Shop
from bot.config import Settings, SettingsError, unknown
from bot.demo.follow import FollowingClock
from bot.domain.sales import Method
from bot.live import Bot
from bot.offer import (
    PAID_BY,
    carriers_of,
    low_wallets,
    merchant_of,
    purses_of,
    receiving_of,
    selling_of,
)
from bot.payments import registry as methods
from bot.payments.fx import RatePage
from bot.ports import Carrier, Clock, PaymentMethod, RateSource
from bot.process import Stop, bound
from bot.schedule import Job
from bot.services.activation import Activations
from bot.services.agreeing import Agreeing
from bot.services.assisting import Assisting
from bot.services.checkout import Checkout
from bot.services.deposits import Deposits
from bot.services.desk import Desk
from bot.services.fulfilment import Fulfilment
from bot.services.handover import Handovers
from bot.services.hints import Hints
from bot.services.intake import Intake
from bot.services.keeping import Keeping
from bot.services.limits import Gate, Limits
from bot.services.outbox import PAID_WIDTH, WIDTH, Outbox
from bot.services.paying import Paying
from bot.services.points import Points
from bot.services.privacy import Privacy
from bot.services.rates import ExchangeRates
from bot.services.readings import Readings
from bot.services.reconcile import Reconciliation
from bot.services.refunds import Refunds
from bot.services.reminding import Reminding
from bot.services.removing import Removing
from bot.services.renewals import Renewals
from bot.services.requesting import Requesting
from bot.services.selling import Selling
from bot.services.sims import Sims
from bot.services.status import Status
from bot.services.till import Till
from bot.services.transfers import Receiving, Transfers
from bot.services.wallets import Wallets
from bot.services.work import Worker
from bot.squares import Squares, squares_of
from bot.store.db import Database

log = structlog.get_logger()


class SystemClock:
    """ports.Clock: the machine's clock."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Lookouts:
    """What goes on without anybody asking for it."""

    readings: Readings
    activations: Activations
    wallets: Wallets
    hints: Hints

    def wire(self, outbox: Worker, reminding: Worker, sale: "Sale") -> None:
        """Who wakes whom."""
        self.readings.rings += [outbox, reminding]
        self.activations.rings += [outbox]
        self.wallets.rings += [outbox]
        self.hints.rings += [self.readings.worker, sale.fulfilment.worker, sale.paying.worker]

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
    paid_by: Mapping[Method, PaymentMethod],
    selling: Selling,
) -> Lookouts:
    """The lookouts, not wired yet."""
    return Lookouts(
        Readings(store, clock, carriers),
        Activations(store, clock, carriers, selling),
        Wallets(store, clock, carriers, selling, low_wallets(settings)),
        Hints(store, clock, carriers, paid_by),
    )


@dataclass(frozen=True, slots=True)
class Sale:
    """The way of an order: from the price to the money, and back."""

    checkout: Checkout
    paying: Paying
    till: Till
    refunds: Refunds
    fulfilment: Fulfilment
    deposits: Deposits
    transfers: Transfers
    rates: ExchangeRates
    reconciliation: Reconciliation
    agreeing: Agreeing
    renewals: Renewals
    removing: Removing

    def wire(self, outbox: Worker) -> None:
        """Who wakes whom."""
        top_ups, refunds = self.fulfilment.worker, self.refunds.worker
        self.till.rings += [outbox, top_ups, refunds]
        self.agreeing.rings.append(self.renewals.worker)
        self.removing.rings.append(self.renewals.worker)
        self.fulfilment.rings += [outbox, refunds]
        for service in (self.checkout, self.paying, self.refunds, self.rates, self.deposits,
                        self.transfers, self.reconciliation, self.renewals):  # fmt: skip
            service.rings.append(outbox)

    def jobs(self) -> list[Job]:
        """What goes on by itself."""
        return [
            Job(Worker("expiry", self.paying.expire_due), 30, self.paying.next_expiry),
            Job(self.paying.worker, 15, self.paying.next_look),
            Job(self.fulfilment.worker, 2, self.fulfilment.next_due),
            Job(self.refunds.worker, 30, self.refunds.next_due),
            Job(Worker("deposits", self.deposits.expire_due), 30, self.deposits.next_expiry),
            Job(self.renewals.worker, 60, self.renewals.next_due),
            Job(self.removing.worker, 60, self.removing.next_due),
            Job(self.rates.worker, 3600),
            Job(self.reconciliation.worker, 3600),
        ]


def sale_of(
    store: Database,
    clock: Clock,
    carriers: Mapping[str, Carrier],
    paid_by: Mapping[Method, PaymentMethod],
    selling: Selling,
    wallets: Wallets,
    source: RateSource | None,
    receiving: Receiving,
) -> Sale:
    """The way of an order, not wired yet."""
    till = Till(store, clock, selling)
    paying = Paying(store, clock, paid_by, selling, till)
    refunds = Refunds(store, clock, paid_by, selling)
    checkout = Checkout(store, clock, carriers, selling, wallets)
    return Sale(
        checkout=checkout,
        paying=paying,
        till=till,
        refunds=refunds,
        deposits=Deposits(store, clock, selling, paid_by, paying, refunds),
        transfers=Transfers(store, clock, selling, till, receiving),
        fulfilment=Fulfilment(store, clock, carriers, selling, store.instance),
        rates=ExchangeRates(store, clock, source, selling),
        reconciliation=Reconciliation(store, clock, paid_by, selling, till),
        agreeing=Agreeing(store, clock, carriers, paid_by, selling),
        renewals=Renewals(store, clock, carriers, paid_by, selling, checkout, till),
        removing=Removing(store, clock, paid_by),
    )


@dataclass(frozen=True, slots=True)
class Counter:
    """What customers and operators do besides buying: their SIMs, reminders, wishes."""

    reminding: Reminding
    sims: Sims
    keeping: Keeping
    handovers: Handovers
    desk: Desk
    requesting: Requesting
    privacy: Privacy
    assisting: Assisting

    def wire(self, outbox: Worker, sale: Sale) -> None:
        """Who wakes whom."""
        self.sims.rings += [outbox, self.reminding.worker]
        self.desk.rings += [sale.fulfilment.worker, sale.refunds.worker, outbox]
        self.privacy.rings += [sale.renewals.worker, sale.removing.worker]
        for service in (self.reminding, self.handovers, self.requesting, self.assisting):
            service.rings.append(outbox)

    def jobs(self) -> list[Job]:
        """What goes on by itself."""
        return [
            Job(self.reminding.worker, 60, self.reminding.next_due),
            Job(self.keeping.worker, 24 * 3600),
        ]


def counter_of(
    store: Database, clock: Clock, carriers: Mapping[str, Carrier], selling: Selling, sale: Sale
) -> Counter:
    """The counter, not wired yet."""
    return Counter(
        reminding=Reminding(store, clock, carriers),
        sims=Sims(store, clock, carriers, selling.pepper, selling.operators),
        keeping=Keeping(store, clock, packs()),
        handovers=Handovers(store, clock, selling.pepper),
        desk=Desk(store, clock, carriers, selling, sale.refunds),
        requesting=Requesting(store, clock, selling),
        privacy=Privacy(store, clock, selling.operators),
        assisting=Assisting(store, clock, selling, sale.checkout, sale.paying, sale.till),
    )


def compose(settings: Settings, clock: Clock, store: Database) -> Bot:
    """Put the services together and wire who wakes whom."""
    carriers = carriers_of(settings, clock)
    intake = Intake(store, clock)
    sending = settings.sending
    limits = Limits(sending.per_second, sending.paid_broadcasts, sending.limited)
    gate, width = Gate(limits, started=STARTED), PAID_WIDTH if limits.paid else WIDTH
    app, queue = application.build(
        settings.bot_token.get_secret_value(), str(settings.telegram_api_url), store, clock, intake,
        gate, width,
    )  # fmt: skip
    sections = {name: getattr(settings, name) for name in PAID_BY}
    paid_by, terms = methods.build(sections, clock, app.bot)
    selling, merchant = selling_of(settings, terms), merchant_of(settings)
    renderer = Renderer(store, clock, carriers, merchant, packs())
    messenger = TelegramMessenger(app.bot, store, clock, renderer)
    outbox = Outbox(store, clock, messenger, gate, store.instance, width)
    lookouts = lookouts_of(settings, clock, store, carriers, paid_by, selling)
    source = RatePage(str(settings.rates.url)) if settings.rates.url is not None else None
    sale = sale_of(
        store, clock, carriers, paid_by, selling, lookouts.wallets, source, receiving_of(settings)
    )
    counter = counter_of(store, clock, carriers, selling, sale)
    sale.wire(outbox.worker)
    counter.wire(outbox.worker, sale)
    lookouts.wire(outbox.worker, counter.reminding.worker, sale)
    squares = squares_of(app.bot, store, clock, selling, sale.checkout, limits)
    squares.wire(outbox)
    status = Status(store, clock, gate, lookouts.wallets, sale.reconciliation)
    shop = shop_of(settings, clock, store, sale, counter, lookouts, squares, outbox, status)
    app.bot_data["shop"] = shop
    connected = (*carriers.values(), *paid_by.values(), *((source,) if source else ()))
    jobs = (
        *lookouts.jobs(),
        *counter.jobs(),
        *sale.jobs(),
        *squares.jobs(),
        Job(outbox.worker, 2, outbox.next_due),
        Job(Worker("purge", intake.purge), 24 * 3600),
        Job(Worker("purge_outbox", outbox.purge), 24 * 3600),
        Job(Worker("purge_watched", lookouts.purge), 24 * 3600),
        Job(Worker("points", Points(store, clock).expire), 24 * 3600),
    )
    return Bot(
        settings, clock, store, connected, app, queue, intake, shop, outbox,
        sale.fulfilment, lookouts.hints, jobs,
    )  # fmt: skip


def shop_of(
    settings: Settings,
    clock: Clock,
    store: Database,
    sale: Sale,
    counter: Counter,
    lookouts: Lookouts,
    squares: Squares,
    outbox: Outbox,
    status: Status,
) -> Shop:
    """What handlers may use."""
    return Shop(
        store=store,
        clock=clock,
        sims=counter.sims,
        keeping=counter.keeping,
        handovers=counter.handovers,
        checkout=sale.checkout,
        paying=sale.paying,
        till=sale.till,
        deposits=sale.deposits,
        transfers=sale.transfers,
        purses=purses_of(settings),
        reminding=counter.reminding,
        desk=counter.desk,
        requesting=counter.requesting,
        privacy=counter.privacy,
        agreeing=sale.agreeing,
        removing=sale.removing,
        assisting=counter.assisting,
        activations=lookouts.activations,
        grouping=squares.grouping,
        postings=squares.postings,
        rooms=squares.rooms,
        visits=squares.visits,
        payouts=squares.payouts,
        broadcasts=squares.broadcasts,
        merchant=merchant_of(settings),
        outbox=outbox,
        status=status,
        operators=frozenset(settings.operator_ids),
        public_url=live.public_address(settings),
    )


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. What is unfinished then is in the store.

    Raises SettingsError, StoreRefused.
    """
    stop = Stop()
    stop.on_signals()
    with bound(settings.listen_host, settings.listen_port) as port:
        clock = await _clock(settings)
        store = await Database.open(settings.database_url, keys=settings.data_keys)
        bot = compose(settings, clock, store)
        try:
            if isinstance(clock, FollowingClock):
                from bot.demo.seed import seed

                await seed(store, clock, bot.shop.sims, settings.pepper)
            await live.run(bot, stop, port)
        finally:
            for connected in bot.connected:
                await connected.close()
            await store.close()
    if stop.reason is not None:
        raise stop.reason
    log.info("stopped")


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
