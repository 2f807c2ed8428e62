"""What a whole sale leaves in the log, at its most talkative: no secret, nobody's data."""

import json
from pathlib import Path

from bot.demo.tryout import SMART_NUMBER, STOCK, TOKEN, VOUCHERS
from bot.logs import redact
from tests.flows.people import town
from tests.flows.test_modes import whole_job

CANARY = "my passport is CANARY-42"


async def test_a_whole_sale_leaves_no_secret_and_nobodys_data_in_the_log(tmp_path: Path) -> None:
    async with town(tmp_path, extra={"XUKA_LOG_LEVEL": "DEBUG"}) as place:
        await place.hant.say("/start")
        await place.hant.say(STOCK[2].iccid)
        await place.hant.say(STOCK[2].claim_code)
        await place.hant.say(SMART_NUMBER)
        await place.hant.say("/cancel")
        await place.hant.say(CANARY)
        await whole_job(place)
        sections = place.demo.suppliers.settings("").items()
        secrets = [
            value for name, value in sections if name.endswith(("_CODE", "_KEY", "_ID", "_SECRET"))
        ]
    lines = (tmp_path / "bot.log").read_text("utf-8").splitlines()
    assert lines
    records = [json.loads(line) for line in lines]
    # As the log's text shows them, not as JSON escapes them.
    text = "\n".join(str(record) for record in records)
    private = {
        TOKEN.split(":")[1],
        CANARY,
        SMART_NUMBER.lstrip("+"),
        *(value for sim in STOCK for value in (sim.iccid, sim.claim_code)),
        *(code for code, _ in VOUCHERS),
        *secrets,
        "林家豪", "Emma Clark", "xiaoyu_lin", "Thank you",
    }  # fmt: skip
    assert [value for value in private if value in text] == []


def test_a_token_in_an_address_is_taken_out() -> None:
    assert redact(f"GET http://127.0.0.1:1/bot{TOKEN}/getMe") == (
        "GET http://127.0.0.1:1/bot<token>/getMe"
    )
