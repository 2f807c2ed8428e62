"""The world breaks in the middle of the job; the job ends right all the same."""

from tests.flows.people import Town, until
from tests.flows.steps import RECEIPT, US_CARD, VOUCHER_US, to_invoice, to_quote

HEALING = (
    "timeout_after_success", "busy_900001", "http_429", "http_500", "lookup_lags", "reading_lags",
    "string_success",
)  # fmt: skip


async def test_what_the_supplier_does_wrong_is_mended_without_a_person(place: Town) -> None:
    emma = place.en
    for number, fault in enumerate(HEALING, 1):
        await to_invoice(emma)
        await place.fault(f"esim_access.{fault}", times=2)
        await emma.pay()
        await place.advance(minutes=12)
        await place.fault(f"esim_access.{fault}", on=False)
        await place.advance(minutes=20)
        assert await emma.count(RECEIPT) == number, fault
        assert place.topups(US_CARD) == place.kept() == number, fault


async def test_an_answer_that_comes_too_late_is_looked_up(place: Town) -> None:
    emma = place.en
    for fault in ("timeout_after_success", "lookup_lags"):
        await place.fault(f"esim_access.{fault}", on=True)
    await to_invoice(emma)
    await emma.pay()
    await emma.find("never buy twice")
    await place.advance(minutes=10)
    await emma.find(RECEIPT)
    assert place.topups(US_CARD) == place.kept() == 1


async def test_the_supplier_is_away_when_somebody_looks(place: Town) -> None:
    emma = place.en
    await place.advance(minutes=30)
    await place.fault("esim_access.http_500", on=True)
    await emma.say("/sims")
    await emma.press("US Data Card")
    await emma.find("can't be reached right now")
    await emma.press("Renew")
    answer = await emma.press("USA 5 GB")
    assert "can't be reached" in answer["answer"]["text"], "no price is promised unseen"
    await place.fault("esim_access.http_500", on=False)
    await emma.press("USA 5 GB")
    await emma.find("Your price")


async def test_telegram_is_down_for_a_minute(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    assert (await emma.pay_without_waiting())["status"] == "paid"
    await place.fault("telegram_down", on=True)
    await place.advance(minutes=1)
    await place.fault("telegram_down", on=False)
    await place.advance(minutes=1)
    await until(lambda: _shown(place, RECEIPT), 30)
    assert place.topups(US_CARD) == place.kept() == 1


async def _shown(place: Town, pattern: str) -> bool:
    return await place.en.count(pattern) > 0


async def test_telegram_goes_down_while_an_answer_is_made(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await place.fault("esim_access.slow", on=True)
    message_id, text = await emma.button("US Data Card")
    await emma.post("press", {"message_id": message_id, "text": text, "wait": False})
    await until(lambda: _busy(place))
    await place.fault("telegram_down", on=True)
    await place.fault("esim_access.slow", on=False)
    assert await place.idle(20)
    assert await emma.count("Renew US Data Card") == 0
    await place.fault("telegram_down", on=False)
    await place.advance(minutes=2)
    await emma.find("Renew US Data Card")


async def _busy(place: Town) -> bool:
    """Whether the bot has taken an update that it has not done yet."""
    return place.rows("select count(*) from inbox where done_at is null") != [(0,)]


async def test_an_answer_whose_receipt_was_lost_comes_at_most_twice(place: Town) -> None:
    emma = place.en
    await place.fault("telegram_send_lost_answer", times=1)
    await emma.say("/start")
    await place.advance(minutes=1)
    assert 1 <= await emma.count("Hello Emma") <= 2
    await to_quote(emma)
    await place.fault("telegram_send_lost_answer", times=1)
    await emma.press("Pay ")
    assert len(await emma.invoices()) == 1
    assert (await emma.pay())["status"] == "paid"
    await emma.find(RECEIPT)
    assert place.topups(US_CARD) == place.kept() == 1


async def test_answers_wait_when_telegram_asks_to_slow_down(place: Town) -> None:
    emma = place.en
    await place.fault("telegram_flood", times=1)
    await emma.say("/start")
    await place.advance(seconds=5)
    await emma.find("Hello Emma")
    sends = [call["status"] for call in await place.calls("sendMessage")]
    assert sends == [429, 200]
    await to_quote(emma)
    await place.fault("telegram_flood", times=1)
    await emma.press("Pay ")
    await place.advance(seconds=5)
    await emma.find("Waiting for your payment")
    await emma.pay()
    await emma.find(RECEIPT)


async def test_somebody_blocks_the_bot_before_its_answer(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await place.fault("esim_access.slow", on=True)
    message_id, text = await emma.button("US Data Card")
    await emma.post("press", {"message_id": message_id, "text": text, "wait": False})
    await emma.post("messages", {"text": "hello"})
    await until(lambda: _busy(place))
    await place.http.post(f"/people/{emma.id}/block", json={"on": True})
    await place.fault("esim_access.slow", on=False)
    assert await place.idle(20)
    await emma.block(on=False)
    await emma.say("/start")
    await emma.find("Hello Emma")


async def test_killed_after_every_step(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    for label in ("US Data Card", "USA 5 GB", "Use a voucher"):
        await place.kill()
        await emma.press(label)
    await place.kill()
    await emma.say("no such code")
    await emma.find("don't know this voucher")
    await place.kill()
    await emma.say(VOUCHER_US)
    await emma.find(RECEIPT)
    assert place.topups(US_CARD) == 1


async def test_killed_while_money_arrives(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    assert (await emma.pay_without_waiting())["status"] == "paid"
    await place.kill()
    await place.advance(minutes=30)
    if await emma.count("Someone at our shop"):
        # The supplier had not bought it when the bot died: a person says so.
        await place.operator.say("/queue")
    else:
        await emma.find(RECEIPT)
        assert place.topups(US_CARD) == 1
    assert place.topups(US_CARD) <= 1
    assert place.kept() == 1


async def test_a_clean_stop_in_the_middle_of_an_update(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await place.fault("esim_access.slow", on=True)
    message_id, text = await emma.button("US Data Card")
    await emma.post("press", {"message_id": message_id, "text": text, "wait": False})
    await emma.post("messages", {"text": "/orders"})
    await until(lambda: _busy(place))
    await place.terminate()
    await place.fault("esim_access.slow", on=False)
    await until(lambda: _shown(place, "You have no orders yet"))
    await emma.find("Renew US Data Card")
    assert place.rows("select count(*) from inbox where done_at is null") == [(0,)]
    assert [row["event"] for row in place.log() if row["event"] == "stopped"] == ["stopped"]
