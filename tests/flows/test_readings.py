"""What the bot sees unasked: low data, an activation, a supplier's call, an empty wallet."""

import json
from pathlib import Path

import httpx

from tests.flows.people import Person, Town, town
from tests.flows.steps import BOOM

EUROPE = "25112000000003"
EUROPE_ICCID, EUROPE_CODE = "89852041000000003276", "XUKS-3F7K-9M2P-Q4TD"
MB, GB = 1 << 20, 1 << 30
HOOKS = {"XUKA_HOOKS_SECRET": "flow-test-secret-of-hooks"}


async def in_english(person: Person) -> None:
    await person.say("/language")
    await person.press("English")


async def a_sim_not_yet_active(person: Person) -> None:
    """The European eSIM, claimed by its code."""
    await person.say(EUROPE_CODE)
    await person.find("Waiting for activation")


def readings(place: Town, tran: str) -> int:
    """How many readings of a profile are kept."""
    [(count,)] = place.rows(
        "SELECT count(*) FROM readings JOIN sims ON sims.id = sim_id WHERE supplier_ref = ?", tran
    )
    return int(count)


async def test_data_that_runs_low_by_use_is_told_the_same_day(place: Town) -> None:
    lin = place.zh
    await in_english(lin)
    place.demo.supplier.use(BOOM, 700 * MB, place.now)
    await place.advance(hours=3)
    await lin.find("data is running low")
    place.demo.supplier.use(BOOM, 3 * GB, place.now)
    await place.advance(hours=12)  # it is late in China: told in the morning
    await lin.find("data is used up")
    await place.advance(hours=6)
    assert await lin.count("data is running low") == 1
    assert await lin.count("data is used up") == 1


async def test_near_the_end_it_reads_oftener(place: Town) -> None:
    before = readings(place, BOOM)
    for _ in range(6):
        await place.advance(hours=1)
    early = readings(place, BOOM) - before
    await place.advance(hours=44)
    middle = readings(place, BOOM)
    for _ in range(6):
        await place.advance(hours=1)
    assert 3 <= early <= 4
    assert readings(place, BOOM) - middle == 6


async def test_waiting_then_active_then_told(place: Town) -> None:
    emma = place.en
    await a_sim_not_yet_active(emma)
    await place.advance(minutes=50)
    assert await emma.count("still waiting for its activation") == 0
    await place.advance(minutes=20)
    message = await emma.find("still waiting for its activation")
    assert "roaming" in message["text"]
    place.demo.supplier.use(EUROPE, MB, place.now)
    await place.advance(hours=2)
    active = await emma.find("is active now")
    assert "Valid until" in active["text"]
    await place.advance(days=2)
    assert await emma.count("still waiting for its activation") == 1
    assert await emma.count("is active now") == 1
    assert await place.operator.count("has not been activated") == 0


async def test_after_a_day_the_shop_helps(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await in_english(owner)
    await a_sim_not_yet_active(emma)
    await place.advance(hours=23)
    assert await owner.count("has not been activated") == 0
    await place.kill()
    await place.advance(hours=2)
    assert await owner.count("has not been activated") == 1
    await owner.press("Open")
    await owner.find(EUROPE_ICCID)
    await owner.press("Done: I helped")
    await owner.find("Nothing waits for a person")
    await place.advance(days=3)
    assert await owner.count("has not been activated") == 0, "its message became the queue"
    assert await emma.count("still waiting for its activation") == 1


async def test_later_means_later(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await a_sim_not_yet_active(emma)
    await place.advance(minutes=70)
    await emma.press("use it later")
    await emma.find("again when it is active")
    await place.advance(days=3)
    await owner.say("/queue")
    assert await owner.count("boom eSIM") == 0
    place.demo.supplier.use(EUROPE, MB, place.now)
    await place.advance(days=1)
    await emma.find("is active now")


async def call(place: Town, supplier: str, body: object, secret: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"{place.demo.bot_url}/hooks/{supplier}/{secret}"
        return (await http.post(url, content=json.dumps(body))).status_code


def used_up(event: str) -> dict[str, object]:
    content = {"esimTranNo": BOOM, "esimStatus": "USED_UP"}
    return {"notifyType": "ESIM_STATUS", "notifyId": event, "content": content}


async def test_a_suppliers_call_is_looked_into_and_not_believed(tmp_path: Path) -> None:
    secret = HOOKS["XUKA_HOOKS_SECRET"]
    async with town(tmp_path, extra=HOOKS) as place:
        lin = place.zh
        await in_english(lin)
        before = readings(place, BOOM)
        assert await call(place, "esim_access", used_up("a"), "wrong-secret") == 404
        assert await call(place, "esim_access", used_up("a"), secret) == 200
        assert await place.idle(10)
        assert readings(place, BOOM) == before + 1
        assert await lin.count("data is used up") == 0, "the SIM itself says that it is not"
        assert await call(place, "esim_access", used_up("a"), secret) == 200, "a replay"
        assert await place.idle(10)
        assert readings(place, BOOM) == before + 1


async def test_a_supplier_calls_by_itself_and_the_customer_hears_at_once(place: Town) -> None:
    lin = place.zh
    await in_english(lin)
    before = readings(place, BOOM)
    place.demo.supplier.use(BOOM, 3 * GB, place.now)
    assert await place.idle(10)
    assert readings(place, BOOM) == before + 1
    await lin.find("data is used up")
    [*_, told] = [row["request"] for row in await place.calls("esim_access")]
    assert told["content"]["esimTranNo"] == BOOM


async def test_without_a_secret_there_is_no_such_address(tmp_path: Path) -> None:
    async with town(tmp_path, extra={"XUKA_HOOKS_SECRET": ""}) as place:
        assert await call(place, "esim_access", used_up("a"), "None") == 404
        place.demo.supplier.use(BOOM, 3 * GB, place.now)
        assert await place.idle(10)
        assert await place.calls("esim_access") == []


async def test_an_empty_wallet_stops_the_sale_before_it_is_paid(place: Town) -> None:
    lin, owner = place.zh, place.operator
    await owner.say("/start")
    await in_english(owner)
    await in_english(lin)
    place.demo.supplier.balance = 1_000
    await place.advance(minutes=20)
    await owner.find("balance at a supplier is running low")
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.find("can't top up")
    assert await lin.invoices() == []
    place.demo.supplier.balance = 1_000_000
    await place.advance(minutes=20)
    await lin.say("/renew")
    await lin.press("boom eSIM")
    await lin.press("Japan 5 GB")
    await lin.find("Your price")
    assert await owner.count("balance at a supplier is running low") == 1
