"""What is secret lies sealed: no tool that reads the file finds it, and only its key opens it."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.orders import PaymentState
from bot.store import Database, StoreRefused
from bot.store.sealing import sealed_columns
from bot.store.transactions import transaction
from bot.store.vault import PREFIX, NotOpened, Vault
from tests.unit.store.samples import NOW, chat, notice, payment, populate, sim

KEY, OTHER = b"k" * 32, b"o" * 32
IMEI, CHARGE = "490154203237518", "ch_secret_4711"
COLUMN = "payments.charge_id"


async def raw(database: Database, statement: str) -> list[tuple[Any, ...]]:
    """What lies in the database, as a tool would see it."""
    async with transaction(database._writer) as conn:
        return [tuple(row) for row in (await conn.exec_driver_sql(statement)).all()]


async def filled(url: str, keys: Sequence[bytes] = ()) -> None:
    """Alice with an IMEI, a captured payment, a message to send."""
    database = await Database.open(url, keys=keys)
    await populate(database)
    async with database.write() as tx:
        await tx.sims.add(sim("sim-b", imei=IMEI, device="iPhone 15"))
        await tx.payments.add(payment(state=PaymentState.CAPTURED, charge_id=CHARGE))
        await tx.outbox.add(notice("order:o1:paid", data={"text": "for your eyes"}))
    await database.close()


# ---- the vault -------------------------------------------------------------------------------


def test_one_text_is_sealed_the_same_in_one_column_and_opens_again() -> None:
    vault = Vault(KEY)
    for plain in ("", "ch_1", "卡号 • 🔑", PREFIX + "looks sealed"):
        sealed = vault.seal(COLUMN, plain)
        assert sealed.startswith(PREFIX)
        assert sealed == vault.seal(COLUMN, plain)
        assert vault.open(COLUMN, sealed) == plain
    assert CHARGE not in vault.seal(COLUMN, CHARGE)
    assert vault.open(COLUMN, "from before") == "from before"


def test_what_was_changed_moved_or_sealed_with_another_key_does_not_open() -> None:
    sealed = Vault(KEY).seal(COLUMN, CHARGE)
    flipped = sealed[:-4] + ("A" if sealed[-4] != "A" else "B") + sealed[-3:]
    for vault, column, stored in (
        (Vault(KEY), COLUMN, flipped),
        (Vault(KEY), COLUMN, sealed[:-4]),
        (Vault(KEY), COLUMN, PREFIX + "no base64!"),
        (Vault(KEY), "payments.url", sealed),
        (Vault(OTHER), COLUMN, sealed),
    ):
        with pytest.raises(NotOpened):
            vault.open(column, stored)
    assert Vault(OTHER, [KEY]).open(COLUMN, sealed) == CHARGE


def test_sealed_names_are_their_columns() -> None:
    """Two columns of one name would open each other's texts."""
    for column in sealed_columns():
        assert getattr(column.type, "name") == str(column)  # noqa: B009  mypy knows no such type


# ---- a database ------------------------------------------------------------------------------


async def test_with_a_key_nothing_secret_lies_open_and_look_ups_still_hold(url: str) -> None:
    await filled(url, [KEY])
    database = await Database.open(url, keys=[KEY])
    [(imei, device)] = await raw(database, "SELECT imei, device FROM sims WHERE id = 'sim-b'")
    [(charge,)] = await raw(database, "SELECT charge_id FROM payments")
    [(data,)] = await raw(database, "SELECT data FROM outbox")
    for stored, secret in ((imei, IMEI), (device, "iPhone"), (charge, CHARGE), (data, "eyes")):
        assert stored.startswith(PREFIX)
        assert secret not in stored
    async with database.read() as tx:
        found = await tx.payments.by_charge(CHARGE)
        kept = await tx.sims.get("sim-b")
    assert found is not None
    assert found.charge_id == CHARGE
    assert kept is not None
    assert (kept.imei, kept.device) == (IMEI, "iPhone 15")
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await tx.payments.add(payment("p2", charge_id=CHARGE))
    async with database.write() as tx:
        assert not await tx.outbox.add(notice("order:o1:paid"))
        [taken] = await tx.outbox.claim(NOW, 9)
    assert (taken.dedupe_key, taken.data) == ("order:o1:paid", {"text": "for your eyes"})
    await database.close()


async def test_a_database_from_before_its_key_is_sealed_when_it_is_opened(url: str) -> None:
    await filled(url)
    looking = await Database.open(url, migrate=False, keys=[KEY])  # as `xuka check` does
    assert await raw(looking, "SELECT charge_id FROM payments") == [(CHARGE,)]
    async with looking.read() as tx:
        assert (await tx.sims.get("sim-b") or sim()).imei == IMEI
    await looking.close()
    database = await Database.open(url, keys=[KEY])
    columns = {str(column) for column in sealed_columns()}
    assert {name for (name,) in await raw(database, "SELECT name FROM seals")} == columns
    for column in sealed_columns():
        name = f"{column.table.name}.{column.name}"
        statement = f"SELECT {column.name} FROM {column.table.name} WHERE {name} IS NOT NULL"  # noqa: S608
        assert all(value.startswith(PREFIX) for (value,) in await raw(database, statement)), name
    async with database.read() as tx:
        assert await tx.payments.by_charge(CHARGE) is not None
        assert (await tx.sims.get("sim-b") or sim()).imei == IMEI
    await database.close()


async def test_many_rows_are_sealed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.sealing._BATCH", 3)
    database = await Database.open(url)
    async with database.write() as tx:
        await tx.chats.add(chat())
        for number in range(10):
            await tx.sims.add(sim(f"s{number}", imei=IMEI if number != 4 else None))
    await database.close()
    database = await Database.open(url, keys=[KEY])
    rows = await raw(database, "SELECT imei FROM sims ORDER BY seq")
    assert [value is not None and value.startswith(PREFIX) for (value,) in rows] == [
        number != 4 for number in range(10)
    ]
    await database.close()


@pytest.mark.parametrize("keys", [[], [OTHER]], ids=["no key", "another key"])
async def test_without_its_key_a_database_is_not_opened(url: str, keys: list[bytes]) -> None:
    await filled(url, [KEY])
    for migrate in (True, False):
        with pytest.raises(StoreRefused, match="XUKA_DATA_KEY"):
            await Database.open(url, migrate=migrate, keys=keys)


async def test_a_first_key_that_was_mistyped_may_be_put_right(url: str) -> None:
    await (await Database.open(url, keys=[OTHER])).close()
    await filled(url, [KEY])
    await (await Database.open(url, keys=[KEY])).close()
    with pytest.raises(StoreRefused):
        await Database.open(url, keys=[OTHER])


async def test_a_new_key_takes_over_what_an_older_one_sealed(url: str) -> None:
    await filled(url, [OTHER])
    looking = await Database.open(url, migrate=False, keys=[KEY, OTHER])
    async with looking.read() as tx:  # nothing was sealed anew yet
        assert (await tx.sims.get("sim-b") or sim()).imei == IMEI
    await looking.close()
    await (await Database.open(url, keys=[KEY, OTHER])).close()
    database = await Database.open(url, keys=[KEY])
    async with database.read() as tx:
        assert await tx.payments.by_charge(CHARGE) is not None
        assert (await tx.sims.get("sim-b") or sim()).imei == IMEI
    await database.close()


async def test_a_text_moved_to_another_row_s_column_is_noticed(url: str) -> None:
    await filled(url, [KEY])
    database = await Database.open(url, keys=[KEY])
    async with transaction(database._writer) as conn:
        await conn.execute(text("UPDATE payments SET url = charge_id"))
    with pytest.raises(NotOpened, match=r"payments\.url"):
        async with database.read() as tx:
            await tx.payments.get("p1")
    await database.close()


async def test_two_databases_with_keys_of_their_own_live_side_by_side(url: str) -> None:
    other = url.replace("xuka.db", "other.db")
    if other == url:
        pytest.skip("one database is enough on a server")
    one, two = await Database.open(url, keys=[KEY]), await Database.open(other, keys=[OTHER])
    for database in (one, two):
        await populate(database)
        async with database.write() as tx:
            await tx.payments.add(payment(charge_id=CHARGE))
    assert await raw(one, "SELECT charge_id FROM payments") != await raw(
        two, "SELECT charge_id FROM payments"
    )
    for database in (one, two):
        async with database.read() as tx:
            assert await tx.payments.by_charge(CHARGE) is not None
        await database.close()


async def test_an_error_of_the_database_tells_nobodys_words(db: Database) -> None:
    await populate(db)
    with pytest.raises(IntegrityError) as raised:
        async with db.write() as tx:
            await tx.payments.add(payment("p9", order_id="no-such-order", url="my own words"))
    assert "my own words" not in str(raised.value)
