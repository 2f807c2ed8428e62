"""`xuka run` by webhook and by polling; every call of a whole run fits the Bot API."""

from pathlib import Path

import httpx
import pytest

from tests.contract.botapi_schema import ABSENT, API_JSON, Schema
from tests.flows.people import GROUP, Town, town
from tests.flows.steps import RECEIPT, US_CARD, to_invoice

SECRET = "a-secret-of-the-webhook"
WEBHOOK = {
    "XUKA_WEBHOOK__URL": "http://127.0.0.1:{bot_port}/telegram",
    "XUKA_WEBHOOK__SECRET": SECRET,
}


async def whole_job(place: Town) -> None:
    """Renew, ask, lapse, be reminded, be refunded."""
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await emma.say("/start")
    await to_invoice(emma)
    assert (await emma.pay())["status"] == "paid"
    await emma.find(RECEIPT)
    await emma.say("/support")
    await emma.say("Thank you")
    await owner.press("回复")
    await owner.say("You are welcome")
    await emma.find("You are welcome")
    await place.fault("esim_access.wallet_empty", on=True)
    await to_invoice(emma)
    await emma.pay()
    await emma.find("went back")
    await emma.post("messages", {"text": "/sims"}, GROUP)
    await emma.say("/language")
    await emma.press("English")
    await place.advance(days=3)
    await emma.find("T-Mobile US .*expires")
    assert place.topups(US_CARD) == place.kept() == 1


async def test_the_whole_job_by_webhook(tmp_path: Path) -> None:
    async with town(tmp_path, extra=WEBHOOK) as place:
        await whole_job(place)
        assert await place.calls("setWebhook")
        assert not await place.calls("getUpdates")
        await place.kill()
        await place.en.say("/orders")
        await place.en.find("XK-")


async def test_a_webhook_with_a_wrong_secret_is_refused(tmp_path: Path) -> None:
    async with town(tmp_path, extra=WEBHOOK) as place:
        url = f"{place.demo.bot_url}/telegram"
        user = {"id": 1002, "is_bot": False, "first_name": "Emma"}
        chat = {"id": 1002, "type": "private", "first_name": "Emma"}
        message = {"message_id": 9, "date": 1, "chat": chat, "from": user, "text": "/start"}
        update = {"update_id": 7, "message": message}
        header = "X-Telegram-Bot-Api-Secret-Token"
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.post(url, json=update)).status_code == 403
            wrong = {header: "another"}
            assert (await http.post(url, json=update, headers=wrong)).status_code == 403
            right = {header: SECRET}
            for body in (b"", b"[]", b"{}", b'{"update_id": "x"}', b"\xff\xfe"):
                answer = await http.post(url, content=body, headers=right)
                assert answer.status_code == 400, body
            for _ in range(2):
                assert (await http.post(url, json=update, headers=right)).status_code == 200
            assert (await http.get(url)).status_code == 405
        assert await place.idle(10)
        assert place.rows("select update_id from inbox") == [(7,)]


async def test_every_call_of_a_whole_run_fits_the_bot_api(place: Town) -> None:
    if not API_JSON.exists():
        pytest.skip(ABSENT)
    await whole_job(place)
    assert await place.calls("getUpdates")
    calls = (await place.http.get("/calls")).json()
    assert len([call for call in calls if call["to"] == "telegram"]) > 60
    problems = Schema().problems_of_calls(calls)
    assert problems == []
