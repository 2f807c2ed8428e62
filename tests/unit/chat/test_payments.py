"""The answer to a pre-checkout query, over connections that break."""

import json

import pytest
from telegram import Bot, PreCheckoutQuery, User
from telegram._utils.types import ODVInput
from telegram.error import NetworkError
from telegram.request import BaseRequest, RequestData

from bot.chat import payments


class Breaking(BaseRequest):
    """Telegram's end of the line: the first calls break, the others are taken."""

    def __init__(self, breaks: int) -> None:
        self.breaks = breaks
        self.answers: list[bool] = []

    @property
    def read_timeout(self) -> float | None:
        return 1.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        if self.breaks:
            self.breaks -= 1
            raise NetworkError("Bad Gateway")
        assert request_data is not None
        self.answers.append(bool(request_data.parameters["ok"]))
        return 200, json.dumps({"ok": True, "result": True}).encode()


def asked(line: Breaking) -> PreCheckoutQuery:
    query = PreCheckoutQuery("1", User(1, "Emma", False), "XTR", 655, "order")
    query.set_bot(Bot("1:x", request=line, get_updates_request=Breaking(0)))
    return query


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "_ANSWER_AGAIN", (0.0, 0.0))


async def test_the_answer_is_given_again_after_a_break() -> None:
    line = Breaking(2)
    await payments._answer(asked(line), None)
    assert line.answers == [True]


async def test_a_line_that_stays_broken_is_a_failure() -> None:
    line = Breaking(9)
    with pytest.raises(NetworkError):
        await payments._answer(asked(line), "too late")
    assert line.answers == []
