"""The shop as a command needs it, opened beside a running bot."""

import getpass
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.config import Settings, load
from bot.ports import Carrier, Clock
from bot.store import Database


@dataclass(frozen=True, slots=True)
class Opened:
    """Settings, store, clock and suppliers."""

    settings: Settings
    store: Database
    clock: Clock
    carriers: Mapping[str, Carrier]
    actor: str
    """Who is at the command line, for the audit log."""


@asynccontextmanager
async def opened() -> AsyncIterator[Opened]:
    """Open the shop. Raises SettingsError, StoreRefused."""
    settings = load()
    from bot.app import SystemClock  # imports Telegram: not before it is needed
    from bot.offer import carriers_of

    clock = SystemClock()
    store = await Database.open(settings.database_url, beside=True, keys=settings.data_keys)
    carriers = carriers_of(settings, clock)
    try:
        yield Opened(settings, store, clock, carriers, f"cli:{_user()}")
    finally:
        for carrier in carriers.values():
            await carrier.close()
        await store.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container's user may have no name
