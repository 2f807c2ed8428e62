"""What is kept of a person: told, given to them as a file, forgotten when they ask."""

import json
from io import BytesIO
from zipfile import ZipFile

from tests.flows.people import Person, Town
from tests.flows.steps import RECEIPT, to_invoice


async def copy_of(place: Town, person: Person) -> dict[str, list[dict[str, object]]]:
    """The data of the newest document, whose tables are all there for a spreadsheet as well."""
    message = await person.last()
    assert "document" in message, message.get("text")
    answer = await place.http.get(message["x"]["file"]["url"])
    with ZipFile(BytesIO(answer.content)) as archive:
        told: dict[str, list[dict[str, object]]] = json.loads(archive.read("data.json"))
        names = {"README.txt", "data.json", *(f"{name}.csv" for name in told)}
        assert set(archive.namelist()) == names
        assert archive.read("orders.csv").decode("utf-8-sig").count("\n") == 1 + len(told["orders"])
    return told


def left_of(place: Town, person: Person, *words: str) -> list[str]:
    """Where in the store the person's id, or one of their words, still stands."""
    found = []
    for (table,) in place.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in place.rows(f"SELECT * FROM {table}"):  # noqa: S608
            for value in row:
                if value == person.id or any(
                    word in str(value) for word in (f":{person.id}", f"{person.id},", *words)
                ):
                    found.append(f"{table}: {value}")
    return found


async def test_a_customer_gets_a_copy_and_is_forgotten(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    await emma.say("/forget")  # an order waits for its money
    await emma.find("can't delete your data just yet")
    await emma.press("Show the order")
    await emma.pay()
    await emma.find(RECEIPT)
    sold = place.rows("SELECT id, state, price_minor FROM orders WHERE chat_id = ?", emma.id)
    [(sim_id,)] = place.rows("SELECT DISTINCT sim_id FROM orders WHERE chat_id = ?", emma.id)

    await emma.say("/privacy")
    await emma.press("Send me a copy")
    told = await copy_of(place, emma)
    assert told["chats"][0]["first_name"] == "Emma"
    assert [row["id"] for row in told["orders"]] == [row[0] for row in sold]
    assert any(row["text"] == "/forget" for row in told["inbox"])
    await emma.say("/export")
    assert "less than an hour ago" in (await emma.last())["text"]
    await place.advance(minutes=61)
    await emma.say("/export")
    assert "document" in await emma.last()

    await emma.say("/forget")
    await emma.find("What goes: your name")
    await emma.press("Delete my data")
    old = place.data_of(emma, "Yes, delete everything")
    await emma.press("No, keep it")
    assert left_of(place, emma)
    await emma.say("/forget")
    await emma.press("Delete my data")
    button, _ = await emma.button("Yes, delete everything")
    assert await place.tap(emma, button, old) is not None  # of the time before: it only asks again
    assert left_of(place, emma)
    await emma.say("/forget")
    await emma.press("Delete my data")
    await emma.press("Yes, delete everything")
    assert (await emma.last())["text"].startswith("Your data is deleted.")
    assert left_of(place, emma, "Emma") == []

    # The books are as they were, and the SIM is the shop's again.
    for order_id, state, price in sold:
        rows = place.rows("SELECT state, price_minor FROM orders WHERE id = ?", order_id)
        assert rows == [(state, price)]
    assert place.rows("SELECT owner_id FROM sims WHERE id = ?", sim_id) == [(None,)]
    assert place.rows("PRAGMA foreign_key_check") == []

    # Nothing more is written to them, and whoever comes back is somebody new.
    before = len(await emma.from_bot())
    await place.advance(days=12)
    assert len(await emma.from_bot()) == before
    await emma.say("/start")
    assert "Emma" in (await emma.last())["text"]
    await emma.say("/orders")
    assert sold[0][0].upper() not in (await emma.last())["text"]
    assert place.rows("SELECT count(*) FROM sims WHERE owner_id = ?", emma.id) == [(0,)]


async def test_the_same_in_chinese_while_others_keep_everything(place: Town) -> None:
    lin = place.zh
    await place.en.say("/start")
    others = place.rows("SELECT * FROM sims WHERE owner_id = ?", place.en.id)
    assert others
    await lin.say("/privacy")
    assert "我们" in (await lin.last())["text"]
    await lin.press("给我一份副本")
    told = await copy_of_lins(place, lin)
    assert told["sims"]
    await lin.press("隐私")
    await lin.press("删除我的数据")
    await lin.find("法律要求保留")
    await lin.press("删除我的数据")
    await lin.press("确认全部删除")
    assert (await lin.last())["text"].startswith("您的数据已删除")
    assert left_of(place, lin) == []
    assert place.rows("SELECT * FROM sims WHERE owner_id = ?", place.en.id) == others


async def copy_of_lins(place: Town, person: Person) -> dict[str, list[dict[str, object]]]:
    """The copy of somebody who has not ordered yet."""
    message = await person.last()
    answer = await place.http.get(message["x"]["file"]["url"])
    with ZipFile(BytesIO(answer.content)) as archive:
        told: dict[str, list[dict[str, object]]] = json.loads(archive.read("data.json"))
        assert "本店" in archive.read("README.txt").decode()
    return told
