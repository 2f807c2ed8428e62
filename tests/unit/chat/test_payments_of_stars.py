"""Telegram's side of a payment, and what its answers may do to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.sales import Order
from bot.ports import Charge
from bot.services.till import Till
from tests.unit.chat.chat_house import House, chat_house, pre_checkout, refused, successful, until
from tests.unit.services.sale_house import P, S, Shop, sale_house
from tests.unit.store.samples import ALICE, minutes


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        await found.stock()
        yield found


@pytest.fixture
async def house(shop: Shop) -> AsyncIterator[House]:
    async with chat_house(shop) as found:
        await found.intake.replay()
        yield found


async def test_the_question_is_answered_from_the_store(house: House) -> None:
    _, payment = await house.shop.invoice()
    await house.take(pre_checkout(1, payment.id))
    await house.take(pre_checkout(2, payment.id, chat=1002))
    await house.take(pre_checkout(3, payment.id, stars=1))
    await house.take(pre_checkout(4, "nothing"))
    await house.settled()
    answers = {a["pre_checkout_query_id"]: a for a in house.telegram.of("answerPreCheckoutQuery")}
    assert answers["q1"]["ok"] is True
    for number in (2, 3, 4):
        answer = answers[f"q{number}"]
        assert answer["ok"] is False
        assert answer["error_message"]


async def test_every_reason_has_its_words(house: House) -> None:
    placed, payment = await house.shop.invoice()
    await house.shop.paying.cancel(placed.id, ALICE)
    _, second = await house.shop.invoice(2)
    house.shop.clock.at = minutes(16)
    await house.shop.paying.expire_due()
    for number, reference in enumerate([payment.id, second.id]):
        await house.take(pre_checkout(number + 1, reference))
    await house.settled()
    texts = {a["error_message"] for a in house.telegram.of("answerPreCheckoutQuery")}
    assert len(texts) == 2
    assert house.telegram.of("sendMessage") == []


async def test_an_answer_that_comes_too_late_is_no_error(house: House) -> None:
    _, payment = await house.shop.invoice()
    house.telegram.answers["answerPreCheckoutQuery"] = [
        refused(400, "Bad Request: query is too old and response timeout expired")
    ]
    await house.take(pre_checkout(1, payment.id))
    await house.settled()
    assert house.memory.errors == {}


async def test_money_is_captured_once_however_often_it_is_told(house: House) -> None:
    placed, payment = await house.shop.invoice()
    await house.take(successful(1, payment.id))
    await house.take(successful(2, payment.id))
    await house.settled()
    assert (await house.shop.order(placed.id)).state is S.PAID
    [taken] = await house.shop.payments(placed.id)
    assert (taken.state, taken.charge_id, taken.payer_id) == (P.CAPTURED, "c1", ALICE)


class Stubborn(Till):
    """A till whose store is out of reach for a while."""

    failures = 0

    async def capture(self, reference: str, charge: Charge) -> Order | None:
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        return await super().capture(reference, charge)


async def test_money_waits_for_the_store(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.chat.payments._CAPTURE_AGAIN", (0.01, 0.01))
    shop.till.__class__ = Stubborn
    assert isinstance(shop.till, Stubborn)
    shop.till.failures = 2
    placed, payment = await shop.invoice()
    async with chat_house(shop) as house:
        await house.intake.replay()
        await house.take(successful(1, payment.id))
        await house.settled()
    assert (await shop.order(placed.id)).state is S.PAID


async def test_money_that_could_not_be_taken_is_taken_at_the_next_start(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.payments._CAPTURE_AGAIN", (0.01, 0.01))
    shop.till.__class__ = Stubborn
    assert isinstance(shop.till, Stubborn)
    shop.till.failures = 3
    placed, payment = await shop.invoice()
    async with chat_house(shop) as house:
        await house.intake.replay()
        await house.take(successful(1, payment.id))

        async def idle() -> bool:
            return house.queue.idle

        await until(idle)
        assert await house.left() == [1]
        assert len(house.telegram.of("sendMessage")) == 1
    async with chat_house(shop) as again:
        await again.intake.replay()
        await again.settled()
    assert (await shop.order(placed.id)).state is S.PAID
