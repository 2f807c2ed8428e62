"""What Telegram's answers mean for money."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.payments.telegram_calls import asked
from bot.ports import PaymentRefused, PaymentUnavailable


@pytest.fixture(autouse=True)
def times_as_the_app_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


class Line:
    """Telegram's end: each call gets the next of `answers`."""

    def __init__(self, *answers: TelegramError | str) -> None:
        self.answers = list(answers)

    async def call(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, TelegramError):
            raise answer
        return answer


def asking(*answers: TelegramError | str) -> tuple[Callable[[], Awaitable[str]], Line]:
    line = Line(*answers)
    return line.call, line


async def test_a_short_pause_is_kept_and_the_call_made_again() -> None:
    call, line = asking(RetryAfter(timedelta(0)), "done")
    assert await asked(call) == "done"
    assert line.answers == []


async def test_a_second_pause_is_too_much() -> None:
    call, line = asking(RetryAfter(0), RetryAfter(0), "never asked for")
    with pytest.raises(PaymentUnavailable):
        await asked(call)
    assert line.answers == ["never asked for"]


async def test_a_long_pause_is_not_waited_for() -> None:
    call, line = asking(RetryAfter(60), "never asked for")
    with pytest.raises(PaymentUnavailable):
        await asked(call)
    assert line.answers == ["never asked for"]


@pytest.mark.parametrize(
    "error", [TimedOut(), NetworkError("Bad Gateway"), InvalidToken("Unauthorized")]
)
async def test_no_answer_is_no_no(error: TelegramError) -> None:
    """And is not asked again: what was sent may have arrived."""
    call, line = asking(error, "never asked for")
    with pytest.raises(PaymentUnavailable):
        await asked(call)
    assert line.answers == ["never asked for"]


@pytest.mark.parametrize(
    ("error", "reason", "final"),
    [
        (BadRequest("CHARGE_ALREADY_REFUNDED"), "already_returned", True),
        (BadRequest("Charge_already_refunded"), "already_returned", True),
        (BadRequest("CHARGE_NOT_FOUND"), "no_charge", True),
        (BadRequest("BALANCE_TOO_LOW"), "no_balance", False),
        (BadRequest("CURRENCY_INVALID"), "currency", True),
        (BadRequest("something new"), "refused", True),
        (Forbidden("bot was blocked by the user"), "refused", True),
    ],
)
async def test_a_no_has_a_reason(error: TelegramError, reason: str, final: bool) -> None:
    call, _ = asking(error)
    with pytest.raises(PaymentRefused) as caught:
        await asked(call)
    assert (caught.value.reason, caught.value.final) == (reason, final)
