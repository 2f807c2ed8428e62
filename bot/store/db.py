"""The database itself: opening, upgrading, transactions.

SQLite has one writer connection, so that two tasks never share a transaction, and a few readers
that refuse to write. On PostgreSQL the same limits are a pool's.
"""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_

from bot import ports
from bot.ports.calendars import Calendars
from bot.store.audit import AuditRows
from bot.store.books import DifferenceRows
from bot.store.broadcasts import BroadcastRows
from bot.store.calendars import CalendarRows
from bot.store.catalogue import PlanRows
from bot.store.chats import ChatRows
from bot.store.claims import ClaimRows
from bot.store.earnings import EarningRows
from bot.store.groups import CampaignRows, GroupRows
from bot.store.handovers import HandoverRows
from bot.store.inbox import InboxRows
from bot.store.keeping import ActivityRows, RuleRows
from bot.store.ledger import LedgerRows
from bot.store.orders import OrderRows, QuoteRows
from bot.store.outbox import OutboxRows
from bot.store.paying import DepositRows, RateRows, RemovalRows, SavedRows
from bot.store.payments import PaymentRows, RefundRows
from bot.store.points import PointRows
from bot.store.posts import PostRows
from bot.store.privacy import PersonalRows
from bot.store.promos import PromoRows
from bot.store.reminders import ReminderRows
from bot.store.renewals import RenewalRows
from bot.store.requests import RequestRows
from bot.store.sealing import WrongKey, seal, to_seal
from bot.store.sims import SimRows
from bot.store.talks import TalkRows
from bot.store.topups import TopUpRows, VoucherRows
from bot.store.transactions import transaction
from bot.store.transfers import ProofRows
from bot.store.vault import Vault, lock
from bot.store.watching import ActivationRows, HintRows

HEAD = "0007"
"""Newest revision in `migrations/versions`; here too, so that opening needs no Alembic."""

_READERS = 4
_WRITERS = 8  # PostgreSQL only
_BUSY_SECONDS = 10  # how long SQLite waits for another process's write
_COMMAND_SECONDS = 60  # after this a PostgreSQL statement counts as hanging and fails
_MIGRATION_LOCK = 0x58754B6D  # "XuKm": PostgreSQL's advisory lock around an upgrade
_SAFE_SQLITE = (3, 51, 3)  # before it, two processes that write at once may damage the WAL
_CURES = {
    "unable to open database file": "; its folder has to exist, and to be ours to write in",
    "attempt to write a readonly database": "; the file and its folder have to be ours to write",
    "database or disk is full": "; make room on the disk",
    "disk I/O error": "; look at the disk, it may be full",
    "file is not a database": "; another file's name may be meant",
}
"""What to do about SQLite's words."""
_WRONG_KEY = (
    "what is secret in the database was sealed with another key: set XUKA_DATA_KEY back to what "
    "it was, or XUKA_SECRET_KEY; where neither was set, put the bot token that you had before into "
    "XUKA_SECRET_KEY"
)


class StoreRefused(Exception):
    """The database can't be used as it is; the message names the cure."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What `xuka check` shows of the store."""

    server: str
    """Its name: SQLite, PostgreSQL."""
    version: str
    revision: str
    warning: str | None = None


class SqlTx:
    """Implements `ports.Tx` over one connection."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.chats: ports.Chats = ChatRows(conn)
        self.sims: ports.Sims = SimRows(conn)
        self.activities: ports.Activities = ActivityRows(conn)
        self.activations: ports.Activations = ActivationRows(conn)
        self.hints: ports.Hints = HintRows(conn)
        self.rules: ports.Rules = RuleRows(conn)
        self.claims: ports.Claims = ClaimRows(conn)
        self.handovers: ports.Handovers = HandoverRows(conn)
        self.catalogue: ports.Catalogue = PlanRows(conn)
        self.quotes: ports.Quotes = QuoteRows(conn)
        self.orders: ports.Orders = OrderRows(conn)
        self.payments: ports.Payments = PaymentRows(conn)
        self.refunds: ports.Refunds = RefundRows(conn)
        self.renewals: ports.Renewals = RenewalRows(conn)
        self.requests: ports.Requests = RequestRows(conn)
        self.deposits: ports.Deposits = DepositRows(conn)
        self.ledger: ports.Ledger = LedgerRows(conn)
        self.proofs: ports.Proofs = ProofRows(conn)
        self.saved: ports.SavedMethods = SavedRows(conn)
        self.removals: ports.Removals = RemovalRows(conn)
        self.rates: ports.ExchangeRates = RateRows(conn)
        self.topups: ports.TopUps = TopUpRows(conn)
        self.vouchers: ports.Vouchers = VoucherRows(conn)
        self.promos: ports.Promos = PromoRows(conn)
        self.points: ports.Points = PointRows(conn)
        self.groups: ports.Groups = GroupRows(conn)
        self.campaigns: ports.Campaigns = CampaignRows(conn)
        self.posts: ports.Posts = PostRows(conn)
        self.earnings: ports.Earnings = EarningRows(conn)
        self.broadcasts: ports.Broadcasts = BroadcastRows(conn)
        self.reminders: ports.Reminders = ReminderRows(conn)
        self.calendars: Calendars = CalendarRows(conn)
        self.differences: ports.Differences = DifferenceRows(conn)
        self.inbox: ports.Inbox = InboxRows(conn)
        self.outbox: ports.Outbox = OutboxRows(conn)
        self.talks: ports.Talks = TalkRows(conn)
        self.audit: ports.Audit = AuditRows(conn)
        self.personal: ports.PersonalData = PersonalRows(conn)


class Database:
    """Implements `ports.Store`. Make it with `open`, end it with `close`. `instance` names who
    uses it, among all that use it at the same time."""

    def __init__(
        self, url: URL, writer: AsyncEngine, reader: AsyncEngine, vault: Vault | None
    ) -> None:
        self._url = url
        self._sqlite = url.get_backend_name() == "sqlite"
        # One bot at a time uses a file, so what "only" left behind is its successor's.
        self.instance = "only" if self._sqlite else f"{socket.gethostname()}:{uuid4().hex[:8]}"
        self._writer = writer
        self._reader = reader
        self._vault = vault
        for engine in (writer, reader):
            if vault is not None:
                lock(engine.dialect, vault)
        self._writing = asyncio.Semaphore(1 if self._sqlite else _WRITERS)
        self._reading = asyncio.Semaphore(_READERS)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        migrate: bool = True,
        beside: bool = False,
        keys: Sequence[bytes] = (),
    ) -> "Database":
        """Open and, unless `migrate` is off, upgrade the database at an SQLAlchemy URL.

        `beside`: another process, the running bot, has this SQLite file open; then this one
        leaves checkpoints to it. `keys`: the first seals what is secret, the others open what they
        sealed before it; without any it is stored as it is. Raises StoreRefused when the schema
        is not ours to use, or the keys are not the database's.
        """
        parsed = _url(url)
        if parsed.get_backend_name() == "sqlite":
            writer = _sqlite_engine(parsed, 1, _write_pragmas(beside), "BEGIN IMMEDIATE")
            reader = _sqlite_engine(parsed, _READERS, _READ_PRAGMAS, "BEGIN")
        else:
            writer = create_async_engine(
                parsed,
                pool_size=_READERS + _WRITERS,
                max_overflow=0,
                hide_parameters=True,
                connect_args={"command_timeout": _COMMAND_SECONDS},
            )
            reader = writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        vault = Vault(keys[0], keys[1:]) if keys else None
        database = cls(parsed, writer, reader, vault)
        try:
            if database._sqlite:
                await asyncio.to_thread(_openable, parsed)
            await database._prepare(migrate)
            await database._seal(migrate)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Release every connection; running transactions have to be over."""
        await self._reader.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[ports.Tx]:
        """A writing transaction: committed on leaving, rolled back when an exception leaves.

        When the task is cancelled while it commits, it is committed and CancelledError raised.
        """
        async with self._writing, transaction(self._writer) as conn:
            yield SqlTx(conn)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ports.Tx]:
        """A consistent look; writing in it raises."""
        async with self._reading, transaction(self._reader) as conn:
            yield SqlTx(conn)

    async def check(self) -> Facts:
        """Server, versions, and what an operator should know of them."""
        async with self._reading, transaction(self._reader) as conn:
            revision = await conn.run_sync(_revision) or "none"
            if not self._sqlite:
                version = str(await conn.scalar(text("SHOW server_version")))
                return Facts("PostgreSQL", version.split()[0], revision)
            version = str(await conn.scalar(text("SELECT sqlite_version()")))
        old = tuple(int(part) for part in version.split(".")) < _SAFE_SQLITE
        wanted = ".".join(str(part) for part in _SAFE_SQLITE)
        warning = (
            f"before {wanted} two processes that write at the same moment may damage the file: "
            "give commands beside a running bot one at a time"
        )
        return Facts("SQLite", version, revision, warning if old else None)

    async def _prepare(self, migrate: bool) -> None:
        try:
            async with transaction(self._writer) as conn:
                revision = await conn.run_sync(_revision)
        except (DBAPIError, OSError) as error:
            raise _refused(self._url, getattr(error, "orig", None) or error) from error
        if revision == HEAD:
            return
        if not migrate:
            raise StoreRefused(
                f"the database has revision {revision or 'none'}, this release needs {HEAD}: "
                "start one instance that may upgrade it first"
            )
        # Rebuilding a table, as SQLite's changes need, drops it: no foreign keys meanwhile.
        engine = (
            _sqlite_engine(self._url, 1, (), "BEGIN IMMEDIATE")
            if self._sqlite
            else create_async_engine(self._url, poolclass=NullPool)
        )
        try:
            async with transaction(engine) as conn:
                await conn.run_sync(_upgrade)
        finally:
            await engine.dispose()

    async def _seal(self, migrate: bool) -> None:
        vault = self._vault
        try:
            async with transaction(self._reader) as conn:
                left = await conn.run_sync(to_seal, vault)
            if left and migrate and vault is not None:
                async with transaction(self._writer) as conn:
                    await conn.run_sync(_seal, vault)
        except WrongKey as error:
            raise StoreRefused(_WRONG_KEY) from error


def _seal(connection: Connection, vault: Vault) -> None:
    """Seal what is to be sealed; several instances take turns."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    seal(connection, vault, to_seal(connection, vault))


def _url(url: str) -> URL:
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port in words
        raise StoreRefused("not a database URL; like sqlite:///xuka.db") from error
    driver = drivers.get(parsed.get_backend_name())
    if driver is None:
        raise StoreRefused(
            f"{parsed.get_backend_name()} is not supported: use sqlite:///… or postgresql://…"
        )
    if driver == "postgresql+asyncpg" and find_spec("asyncpg") is None:
        raise StoreRefused("PostgreSQL needs its driver: pip install 'xuka[postgres]'")
    if driver.startswith("sqlite") and parsed.database in (None, "", ":memory:"):
        raise StoreRefused("SQLite needs a file: sqlite:///xuka.db")
    return parsed.set(drivername=driver)


def _openable(url: URL) -> None:
    """Raises StoreRefused. Looked at here, because a connection that aiosqlite can't open leaves
    a thread behind that prints a traceback of its own."""
    connection = None
    try:
        connection = sqlite3.connect(str(url.database), timeout=_BUSY_SECONDS)
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        raise _refused(url, error) from error
    finally:
        if connection is not None:
            connection.close()


def _refused(url: URL, error: BaseException) -> StoreRefused:
    reason = str(error).strip().split("\n")[0]
    return StoreRefused(f"cannot open {url.render_as_string()}: {reason}{_CURES.get(reason, '')}")


def _write_pragmas(beside: bool) -> tuple[str, ...]:
    common = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
    return (*common, "wal_autocheckpoint=0") if beside else common


_READ_PRAGMAS = ("query_only=ON",)


def _sqlite_engine(url: URL, size: int, pragmas: tuple[str, ...], begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # an error's text goes to the log, people's words do not
        pool_reset_on_return=None,  # `_transaction` ends every transaction itself
        # isolation_level None: Python's sqlite3 then begins nothing on its own.
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            _patiently(cursor, f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _patiently(cursor: Any, statement: str) -> None:
    """Execute, again and again while the file is locked: changing to WAL waits for nobody."""
    for _ in range(_BUSY_SECONDS * 20):
        try:
            cursor.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            await_(asyncio.sleep(0.05))
    cursor.execute(statement)


def _revision(connection: Connection) -> str | None:
    """The stored schema revision; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    """Upgrade to HEAD within the connection's transaction; several instances take turns."""
    from bot.store import migrations  # imports Alembic, 0.1 s that an ordinary start saves

    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    try:
        migrations.upgrade(connection)
    except migrations.UnknownRevision as error:
        raise StoreRefused(
            f"the database was made by a newer release ({error}): install that release"
        ) from error
    if not postgresql and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreRefused("the upgrade left rows without their parent; nothing was changed")
