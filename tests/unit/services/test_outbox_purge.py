"""What was sent long ago leaves the outbox, unless its name or its row is needed again."""

from pathlib import Path

from sqlalchemy import select

from bot.ports import Delivery, Notice, Outcome, Place
from bot.services import notices
from bot.services.outbox import Outbox
from bot.store import Database, tables
from tests.unit.services.house import HandClock, opened
from tests.unit.store.samples import ALICE, BOB, days, notice


class Post:
    """A messenger that takes everything but what is for Bob."""

    async def deliver(self, notice: Notice, place: Place | None = None) -> Delivery:
        return Delivery(Outcome.FAILED if notice.dedupe_key == "refused" else Outcome.SENT)


async def known(database: Database) -> set[str]:
    """The names of all that is kept."""
    async with database._reader.connect() as conn:
        return set(await conn.scalars(select(tables.outbox.c.dedupe_key)))


async def test_what_was_sent_long_ago_and_nobody_reads_is_forgotten(tmp_path: Path) -> None:
    kept = (notices.LETTER, notices.BROADCAST, notices.POST, notices.QUEUE, notices.RENEWAL)
    async with opened(tmp_path) as database:
        clock = HandClock()
        outbox = Outbox(database, clock, Post())

        async def add(*found: Notice) -> None:
            async with database.write() as tx:
                for one in found:
                    assert await tx.outbox.add(one)
            await outbox.worker.run()

        old = [notice(f"n{n}", ALICE, kind=notices.REMINDER) for n in range(5)]
        stays = [notice(kind, BOB, kind=kind) for kind in kept]
        refused = notice("refused", BOB, kind=notices.ORDER)
        expired = notice("expired", BOB, kind=notices.ORDER, expires_at=days(-1))
        await add(*old, *stays, refused, expired)
        clock.advance(days=89)
        young = notice("young", ALICE, kind=notices.ORDER)
        waits = notice("waits", ALICE, kind=notices.ORDER, not_before=days(900))
        await add(young, waits)
        everything = {"refused", "young", "waits", *kept}
        await outbox.purge(slice_=2)
        assert await known(database) == {*everything, "expired", *(one.dedupe_key for one in old)}
        clock.advance(days=2)
        await outbox.purge(slice_=2)
        assert await known(database) == everything
