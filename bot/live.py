"""The bot while it runs: what is started in which order, and stopped in the other."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from socket import socket
from typing import Any, Protocol

import structlog
import uvicorn
from starlette.routing import BaseRoute

from bot import schedule
from bot.chat import application
from bot.chat.application import ALLOWED_UPDATES, App
from bot.chat.conversations import calendar
from bot.chat.lanes import LaneQueue
from bot.chat.shop import Shop
from bot.config import Settings
from bot.demo.follow import Control, FollowingClock, Work
from bot.ports import Clock
from bot.process import Stop, no_more, poll, push, reached
from bot.schedule import Job
from bot.services.fulfilment import Fulfilment
from bot.services.hints import Hints
from bot.services.intake import Intake
from bot.services.outbox import Outbox
from bot.store.db import Database
from bot.web.app import create, health_route, webhook_route
from bot.web.calendar import calendar_route
from bot.web.hooks import hooks_route

log = structlog.get_logger()

WEBHOOK_PATH = "/telegram"


def public_address(settings: Settings) -> str | None:
    """Where our web server is reached from outside, without a slash at its end."""
    if settings.public_url is not None:
        return str(settings.public_url).rstrip("/")
    hook = str(settings.webhook.url or "")
    return hook.removesuffix(WEBHOOK_PATH) if hook.endswith(WEBHOOK_PATH) else None


class Connected(Protocol):
    """Suppliers, payment providers, sources of rates."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Bot:
    """Everything that runs."""

    settings: Settings
    clock: Clock
    store: Database
    connected: Sequence[Connected]
    """What holds connections of its own, to be closed at the end."""
    app: App
    queue: LaneQueue
    intake: Intake
    shop: Shop
    outbox: Outbox
    fulfilment: Fulfilment
    hints: Hints
    jobs: tuple[Job, ...]


async def run(bot: Bot, stop: Stop, port: socket) -> None:
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
    read = partial(calendar.read, bot.store, bot.clock, bot.shop.merchant.name)
    routes.append(calendar_route(read))
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
