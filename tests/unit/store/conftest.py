"""The store's suite runs on SQLite and, where XUKA_TEST_POSTGRES_URL names a server, on it too."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.store import Database
from bot.store.tables import metadata

SERVER = os.environ.get("XUKA_TEST_POSTGRES_URL")
BACKENDS = [
    "sqlite",
    pytest.param(
        "postgresql",
        marks=pytest.mark.skipif(
            SERVER is None, reason="XUKA_TEST_POSTGRES_URL names no PostgreSQL server"
        ),
    ),
]


async def admin(*statements: str, url: str | None = SERVER) -> None:
    """Run statements on the server, outside of transactions."""
    assert url is not None
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as conn:
        for statement in statements:
            await conn.execute(text(statement))
    await engine.dispose()


def database_url(name: str) -> str:
    """The server's URL with another database."""
    assert SERVER is not None
    return make_url(SERVER).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def emptied() -> Iterator[str]:
    """URL of a migrated PostgreSQL database of this process; each test that used it empties it."""
    name = f"xuka_{uuid4().hex[:12]}"

    async def make() -> None:
        await admin(f"CREATE DATABASE {name}")
        await (await Database.open(database_url(name))).close()

    asyncio.run(make())
    yield database_url(name)
    asyncio.run(admin(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """ "sqlite" or "postgresql"."""
    return str(request.param)


@pytest.fixture
async def empty_url(backend: str, tmp_path: Path) -> AsyncIterator[str]:
    """Of a database without tables."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'xuka.db'}"
        return
    name = f"xuka_{uuid4().hex[:12]}"
    await admin(f"CREATE DATABASE {name}")
    yield database_url(name)
    await admin(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def shared(backend: str, request: pytest.FixtureRequest) -> str:
    """URL of the PostgreSQL database to use; made only when one is needed."""
    return "" if backend == "sqlite" else str(request.getfixturevalue("emptied"))


@pytest.fixture
async def url(backend: str, tmp_path: Path, shared: str) -> AsyncIterator[str]:
    """Of a database at the newest revision, without rows, of this test alone."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'xuka.db'}"
        return
    yield shared
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    await admin(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}",  # noqa: S608
        f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY",
        url=shared,
    )


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """An open database of this test alone."""
    database = await Database.open(url)
    yield database
    await database.close()
