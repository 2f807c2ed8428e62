"""How every supplier is asked: what is asked again, how long a token is used, what is logged."""

import asyncio
from datetime import timedelta

import pytest

from bot.carriers.asking import (
    LONGEST_PAUSE,
    READ_TRIES,
    Failed,
    TokenRefused,
    loggable,
    over,
    patiently,
)
from bot.demo.clock import WorldClock
from bot.domain.money import Money
from bot.tokens import Token


class Asked:
    """A question that fails in these ways, one after the other, and then is answered."""

    def __init__(self, *failures: Failed) -> None:
        self._failures = list(failures)
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        if self._failures:
            raise self._failures.pop(0)
        return "yes"


async def test_a_question_is_asked_again_where_that_may_help() -> None:
    ask = Asked(Failed("busy", wait=0), Failed("connection_lost", wait=0))
    assert await patiently(ask) == "yes"
    assert ask.times == READ_TRIES


@pytest.mark.parametrize(
    ("failures", "times"),
    [
        ([Failed("busy", wait=0)] * 9, READ_TRIES),
        ([Failed("busy", wait=LONGEST_PAUSE + 1)], 1),
        ([Failed("http_500")], 1),
        ([TokenRefused(), Failed("busy", wait=0), TokenRefused()], 3),
        ([TokenRefused(), TokenRefused()], 2),
    ],
)
async def test_a_question_is_given_up(failures: list[Failed], times: int) -> None:
    ask = Asked(*failures)
    with pytest.raises(Failed):
        await patiently(ask)
    assert ask.times == times


class Granting:
    def __init__(self) -> None:
        self.given = 0

    async def __call__(self) -> tuple[str, timedelta]:
        await asyncio.sleep(0)
        self.given += 1
        return f"token {self.given}", timedelta(hours=1)


async def test_a_token_is_fetched_once_for_all_and_renewed_at_its_end() -> None:
    granting, clock = Granting(), WorldClock()
    token = Token(granting, clock)
    assert await asyncio.gather(*(token.get() for _ in range(5))) == ["token 1"] * 5
    clock.advance(3599)
    assert await token.get() == "token 1"
    clock.advance(1)
    assert await token.get() == "token 2"


async def test_a_refused_token_is_forgotten_a_newer_one_kept() -> None:
    token = Token(Granting(), WorldClock())
    old = await token.get()
    token.forget(old)
    new = await token.get()
    token.forget(old)
    assert await token.get() == new != old


def test_no_number_of_a_customer_is_logged() -> None:
    path = loggable("/operators/auto-detect/phone/639189876543/countries/PH")
    assert path == "/operators/auto-detect/phone/…/countries/PH"
    assert loggable("/sims/89852041000000001015/usage") == "/sims/…/usage"
    assert loggable("/operators/423") == "/operators/423"


@pytest.mark.parametrize(
    ("cap", "reason"),
    [
        (None, None),
        (Money(124, "USD"), None),
        (Money(123, "USD"), "price_moved"),
        (Money(124, "EUR"), "cost_currency"),
    ],
)
def test_a_price_above_its_cap_is_not_paid(cap: Money | None, reason: str | None) -> None:
    assert over(Money(124, "USD"), cap) == reason
