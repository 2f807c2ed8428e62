"""Transactions that a cancelled task can't leave half done.

aiosqlite's thread goes on with a statement that nobody awaits any more, and SQLAlchemy throws
away a connection on which an await was cut off. Here nothing on a connection is ever cut off: the
statement under way ends first, then the cancellation takes its course and the transaction is
rolled back before anybody else gets the connection.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")


class WholeConnection(AsyncConnection):
    """A connection whose statements run to their end even when the waiting task is cancelled."""

    __slots__ = ()

    async def execute(self, *args: Any, **options: Any) -> Any:
        """As SQLAlchemy's; `scalar` and `scalars` use it."""
        return await to_its_end(super().execute(*args, **options))

    async def exec_driver_sql(self, *args: Any, **options: Any) -> Any:
        """As SQLAlchemy's."""
        return await to_its_end(super().exec_driver_sql(*args, **options))

    async def run_sync(self, *args: Any, **options: Any) -> Any:
        """As SQLAlchemy's."""
        return await to_its_end(super().run_sync(*args, **options))


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Committed on leaving, rolled back when an exception leaves; then the connection is free.

    When the task is cancelled while it commits, it is committed and CancelledError raised.
    """
    conn = WholeConnection(engine)
    try:
        await to_its_end(_start(conn))
        yield conn
    except BaseException:
        await to_its_end(_finish(conn, commit=False))
        raise
    await to_its_end(_finish(conn, commit=True))


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end even if the waiting task is cancelled; that is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()


async def _start(conn: AsyncConnection) -> None:
    await conn.start()
    await conn.begin()


async def _finish(conn: AsyncConnection, *, commit: bool) -> None:
    if conn.sync_connection is None:
        return  # connecting failed: there is nothing to end
    try:
        if commit:
            await conn.commit()
        else:
            await conn.rollback()
    except BaseException:
        # Whatever state it is in, closing the connection rolls back and the pool makes a new one.
        await conn.invalidate()
        raise
    finally:
        await conn.close()
