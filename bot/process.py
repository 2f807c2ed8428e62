"""The bot as a process: its port, its signals, and the first words with Telegram."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import Updater

from bot.config import SettingsError, WebhookSettings

log = structlog.get_logger()

T = TypeVar("T")

_RETRY_START = 2.0
_STOP_SECONDS = 3.0
_GOODBYE_SECONDS = 1.0
_POLLING = "Updater:start_polling:polling_task"


class Stop:
    """The wish to end, by a signal or because the bot can't go on."""

    def __init__(self) -> None:
        self._wished = asyncio.Event()
        self.reason: SettingsError | None = None
        """Why the bot can't go on; None when a person or a service manager ended it."""

    def on_signals(self) -> None:
        """SIGTERM and SIGINT end the bot, within `_STOP_SECONDS`, whoever does not answer it."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._signalled)

    def _signalled(self) -> None:
        if not self._wished.is_set():
            deadline = threading.Timer(_STOP_SECONDS, _leave)
            deadline.daemon = True
            deadline.start()
        self._wished.set()

    def refuse(self, reason: SettingsError) -> None:
        """End: going on is useless until somebody cures it."""
        self.reason = reason
        self._wished.set()

    @property
    def wished(self) -> bool:
        """Whether it is time to end."""
        return self._wished.is_set()

    async def wait(self) -> None:
        """Until it is time."""
        await self._wished.wait()

    async def unless(self, work: Awaitable[T]) -> T | None:
        """What `work` returns; None when it is time to end first, then it is cancelled."""
        doing = asyncio.ensure_future(work)
        ending = asyncio.create_task(self._wished.wait())
        try:
            await asyncio.wait((doing, ending), return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            for task in (doing, ending):
                task.cancel()
            await asyncio.gather(doing, ending, return_exceptions=True)


def _token_refused() -> SettingsError:
    text = "Telegram refuses it; copy it again from @BotFather"
    return SettingsError([("XUKA_BOT_TOKEN", text)])


def _leave() -> None:
    """Leave in mid-work, as `kill -9` would: the store is made for that, a half-cancelled top-up
    is a state of its own that nothing was made for."""
    log.warning("stopped", unfinished=True)
    os._exit(0)


def bound(host: str, port: int) -> socket.socket:
    """The web server's socket, taken before anything else: a second bot by mistake, on the same
    database, ends here. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError([_unbound(host, port, error.errno)]) from None


def _unbound(host: str, port: int, code: int | None) -> tuple[str, str]:
    if code == errno.EADDRINUSE:
        text = f"port {port} is in use: is the bot running already? If not, choose another"
        return "XUKA_LISTEN_PORT", text
    if code == errno.EACCES:
        return "XUKA_LISTEN_PORT", f"port {port} is for root alone; choose one above 1023"
    return "XUKA_LISTEN_HOST", f"{host} is no address of this machine; leave it out for 127.0.0.1"


async def reached(what: Callable[[], Awaitable[Any]], stop: Stop) -> bool:
    """Do it, again and again while Telegram is out of reach. False: it is time to end.

    Raises SettingsError when the token is refused, TelegramError for any other refusal.
    """
    while not stop.wished:
        pause = _RETRY_START
        try:
            await stop.unless(what())
        except InvalidToken:
            raise _token_refused() from None
        except RetryAfter as error:
            pause += error._retry_after.total_seconds()
            log.warning("telegram_asks_to_wait", seconds=pause)
        except BadRequest:
            raise  # a NetworkError too, by PTB's family tree
        except NetworkError as error:
            log.warning("telegram_unreachable", reason=type(error).__name__)
        else:
            return not stop.wished
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
    return False


async def push(bot: Bot, webhook: WebhookSettings, allowed: list[str], stop: Stop) -> bool:
    """Ask Telegram to call us. False: it is time to end. Raises SettingsError."""
    url, secret = webhook.url, webhook.secret
    assert url is not None  # noqa: S101  the caller looked
    assert secret is not None  # noqa: S101  goes with the address

    async def register() -> None:
        await bot.set_webhook(
            str(url), secret_token=secret.get_secret_value(), allowed_updates=allowed
        )

    try:
        return await reached(register, stop)
    except BadRequest as error:
        text = f"Telegram refuses {url}: {error.message}"
        raise SettingsError([("XUKA_WEBHOOK__URL", text)]) from None


async def poll(updater: Updater, allowed: list[str], stop: Stop) -> bool:
    """Ask Telegram for updates from now on. False: it is time to end. Raises SettingsError."""

    async def begin() -> None:
        if not updater.running:
            await updater.start_polling(
                timeout=30,
                bootstrap_retries=-1,
                allowed_updates=allowed,
                error_callback=_poll_failed,
            )

    begun = await reached(begin, stop)
    for task in asyncio.all_tasks():
        if task.get_name() == _POLLING:
            # A token revoked while we run ends this task without a word to anybody.
            task.add_done_callback(lambda done: _polling_ended(done, stop))
    return begun


async def no_more(updater: Updater) -> None:
    """Ask for no more updates. Telegram is told what we have, or tells us again: it may not
    answer, and need not."""
    if updater.running:
        # PTB calls it an error, with a traceback, when its goodbye is not heard.
        logging.getLogger("telegram.ext.Updater").setLevel(logging.CRITICAL)
        with contextlib.suppress(TimeoutError, TelegramError):
            await asyncio.wait_for(updater.stop(), _GOODBYE_SECONDS)


def _polling_ended(task: asyncio.Task[Any], stop: Stop) -> None:
    if not task.cancelled() and isinstance(task.exception(), InvalidToken):
        stop.refuse(_token_refused())


def _poll_failed(error: TelegramError) -> None:
    """Polling goes on by itself: a break in the line is no news, anything else is."""
    if isinstance(error, NetworkError) and not isinstance(error, BadRequest):
        log.warning("telegram_unreachable", reason=type(error).__name__)
    else:
        log.error("polling_failed", reason=type(error).__name__, detail=error.message)
