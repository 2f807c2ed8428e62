"""Revisions: an old database with rows is upgraded; tables and revisions say the same."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.domain.chats import Chat, Preferences
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, TopUpState
from bot.domain.sales import Method
from bot.ports import InboxRow
from bot.store import Database, migrations
from bot.store import db as module
from bot.store.tables import metadata
from bot.store.transactions import transaction
from tests.unit.store.samples import NOW, PLAN, days, minutes, payment, reading, sim, topup

FIRST = Path(__file__).with_name("first.sql")


async def run(url: str, work: Callable[[Connection], None]) -> None:
    """Run a synchronous function in one transaction of its own connection, no foreign keys."""
    parsed = module._url(url)
    engine = (
        module._sqlite_engine(parsed, 1, (), "BEGIN IMMEDIATE")
        if parsed.get_backend_name() == "sqlite"
        else create_async_engine(parsed, poolclass=NullPool)
    )
    try:
        async with transaction(engine) as conn:
            await conn.run_sync(work)
    finally:
        await engine.dispose()


async def test_a_database_of_the_first_release_is_upgraded_with_its_rows(
    empty_url: str, backend: str
) -> None:
    def fill(connection: Connection) -> None:
        migrations.upgrade(connection, "0001")
        script = FIRST.read_text().replace("{Z}", "" if backend == "sqlite" else "+00")
        for statement in script.split(";\n")[:-1]:
            connection.exec_driver_sql(statement)

    await run(empty_url, fill)
    database = await Database.open(empty_url)
    assert (await database.check()).revision == module.HEAD
    async with database.read() as tx:
        assert await tx.chats.get(1001) == Chat(
            1001, "private", "zh_Hans", True,
            Preferences(zone="Asia/Shanghai", zone_confirmed=True, hour=20, offsets=(7, 1),
                        digest=False),
            "Alice", "alice", created_at=NOW,
        )  # fmt: skip
        assert await tx.chats.wrong_claims(1001) == (2, None)
        assert await tx.sims.due(minutes(2), 9) == [
            sim(version=4, reading=reading(), next_reminder_at=minutes(1))
        ]
        assert [plan.version for plan in await tx.catalogue.all()] == [3]
        quote = await tx.quotes.get("q1")
        assert quote is not None
        assert quote.plan == PLAN
        assert (quote.due, quote.totals) == (quote.price, ())
        [order] = await tx.orders.in_states([OrderState.PAID])
        assert (order.plan, order.method, order.charge) == (PLAN, Method.STARS, Money(993, "XTR"))
        assert await tx.payments.by_charge("ch1") == payment(
            state=PaymentState.CAPTURED, charge_id="ch1", captured_at=minutes(1),
            captured=Money(993, "XTR"), payer_id=1001,
        )  # fmt: skip
        assert await tx.topups.due(NOW, 9) == [topup(state=TopUpState.SAVED, next_at=NOW)]
        assert await tx.reminders.sent("sim-a", "2026-11-30") == {"expiry-7"}
        assert await tx.inbox.unfinished() == [InboxRow(701, "chat:1001", '{"update_id":701}')]
        assert await tx.talks.states("renew") == {(1001, 1001): 4}
        assert await tx.talks.drafts() == {1001: {"sim": "sim-a"}}
    async with database.write() as tx:
        assert [found.data for found in await tx.outbox.claim(NOW, 9)] == [{"order": "o1"}]
        assert await tx.sims.update("sim-a", 4, expiry=days(1))  # and it can be worked with
        assert await tx.topups.move("t1", TopUpState.SAVED, TopUpState.SUBMITTING, "x", NOW)
    await database.close()


async def test_tables_and_revisions_say_the_same(empty_url: str) -> None:
    await (await Database.open(empty_url)).close()
    differences: list[object] = []

    def compare(connection: Connection) -> None:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences.extend(compare_metadata(context, metadata))

    await run(empty_url, compare)
    assert differences == []


async def test_sqlite_indexes_and_constraints_agree_to_the_letter(tmp_path: Path) -> None:
    """Alembic's comparison does not look into the conditions of partial indexes; this does."""
    await (await Database.open(f"sqlite:///{tmp_path}/migrated.db")).close()
    engine = create_engine(f"sqlite:///{tmp_path}/created.db")
    metadata.create_all(engine)
    engine.dispose()

    def schema(name: str) -> dict[str, str]:
        connection = sqlite3.connect(tmp_path / name)
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        # A table that was rebuilt has quotes around its name.
        found = {
            name: " ".join(sql.replace('"', "").split())
            for name, sql in rows
            if name != "alembic_version"
        }
        connection.close()
        return {
            # The order of constraints within a table says nothing.
            name: sql if "INDEX" in sql else " ".join(sorted(sql.replace(" )", "").split(", ")))
            for name, sql in found.items()
        }

    assert schema("migrated.db") == schema("created.db")


def test_the_newest_revision_is_the_one_that_opening_expects() -> None:
    assert ScriptDirectory.from_config(migrations.config()).get_heads() == [module.HEAD]


async def test_an_upgrade_that_fails_changes_nothing(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = migrations.upgrade

    def cut_short(connection: Connection) -> None:
        whole(connection)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "upgrade", cut_short)
    with pytest.raises(RuntimeError, match="power cut"):
        await Database.open(empty_url)
    monkeypatch.undo()
    await (await Database.open(empty_url)).close()  # else: "table chats already exists"
