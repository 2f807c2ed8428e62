"""The database: SQLAlchemy 2 Core on aiosqlite or asyncpg. Implements `bot.ports.Store`."""

from bot.store.db import Database, Facts, StoreRefused

__all__ = ["Database", "Facts", "StoreRefused"]
