"""Invoices by a provider token over the Bot API stand-in: what only they have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from pydantic import ValidationError

from bot.domain.money import Money
from bot.payments.telegram import TelegramInvoice, TelegramSettings
from tests.contract.bench_telegram import InvoiceBench, invoice_bench
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import PAYER, refused, unavailable


@pytest.fixture
async def bench() -> AsyncIterator[InvoiceBench]:
    host = Host()
    async with serving(host) as address, invoice_bench(host, address) as found:
        yield found


async def test_it_asks_for_one_line_and_nothing_of_the_payer(bench: InvoiceBench) -> None:
    await bench.asked()
    [call] = [one.request for one in bench.calls.after() if one.method == "sendInvoice"]
    assert call["payload"] == "pay0001"
    assert call["prices"] == '[{"amount": 850, "label": "30 days"}]'
    assert call["start_parameter"] == "order-order001"
    assert not any("need" in name or "tip" in name for name in call)


@pytest.mark.parametrize("minor", [99, 1_000_001])
async def test_what_telegram_does_not_charge_is_refused(bench: InvoiceBench, minor: int) -> None:
    payment = bench.payment(amount=Money(minor, "USD"))
    assert await refused(bench.paying.request(payment, bench.bill())) == "not_payable"


async def test_a_provider_that_telegram_does_not_know_is_switched_off(bench: InvoiceBench) -> None:
    wrong = TelegramSettings.model_validate({"provider_token": "1:TEST:other"})
    paying = TelegramInvoice(bench.bot(bench.world.token, bench.base_url, 5), wrong)
    assert await refused(paying.request(bench.payment(), bench.bill())) == "method_off"


async def test_what_it_can_not_do_it_says(bench: InvoiceBench) -> None:
    payment, _ = await bench.paid()
    await unavailable(bench.paying.lookup(payment))
    await unavailable(bench.paying.cancel(payment))
    await unavailable(bench.paying.refund(payment, bench.refund(payment)))
    assert bench.returned(payment.id) == 0


async def test_two_currencies_two_charges(bench: InvoiceBench) -> None:
    _, dollars = await bench.paid("pay0001")
    _, yen = await bench.paid("pay0002", amount=Money.of(1200, "JPY"))
    assert dollars.id != yen.id
    assert (yen.amount, yen.payer_id) == (Money(1200, "JPY"), PAYER)


def test_the_settings_hide_the_token_and_offer_nothing_below_one() -> None:
    settings = TelegramSettings.model_validate({"provider_token": "1:TEST:x"})
    assert "TEST" not in repr(settings)
    assert settings.terms().currencies == ("USD",)
    assert settings.terms().least == Decimal(1)
    with pytest.raises(ValidationError):
        TelegramSettings.model_validate({})
