"""The table of the payment methods' tests: cases on one side, adapters on the other.

A new adapter is a Bench of its own and a line in ADAPTERS.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.domain.sales import Method
from bot.payments.epay import capabilities as epay_can
from bot.payments.paypal import PayPal
from bot.payments.stars import Stars
from bot.payments.stripe import CAPABILITIES as STRIPE
from bot.payments.telegram import TelegramInvoice
from bot.ports import PaymentCapabilities, Returns
from tests.contract.bench_epay import EpayBench, HandEpayBench, epay_bench, hand_epay_bench
from tests.contract.bench_paypal import PayPalBench, paypal_bench
from tests.contract.bench_stripe import (
    AlipayBench,
    StripeBench,
    WechatBench,
    alipay_bench,
    stripe_bench,
    wechat_bench,
)
from tests.contract.bench_telegram import (
    InvoiceBench,
    StarsBench,
    invoice_bench,
    stars_bench,
)
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import Bench

Check = Callable[[Any], Awaitable[None]]
Applies = Callable[[PaymentCapabilities, type[Bench]], bool]


@dataclass(frozen=True)
class Adapter:
    """How to set a bench up, and what the adapter says it can do."""

    bench: Callable[[Host, str], AbstractAsyncContextManager[Bench]]
    kind: type[Bench]
    capabilities: PaymentCapabilities


ADAPTERS: Mapping[str, Adapter] = {
    "stars": Adapter(stars_bench, StarsBench, Stars.capabilities),
    "telegram": Adapter(invoice_bench, InvoiceBench, TelegramInvoice.capabilities),
    "stripe card": Adapter(stripe_bench, StripeBench, STRIPE[Method.CARD]),
    "stripe alipay": Adapter(alipay_bench, AlipayBench, STRIPE[Method.ALIPAY]),
    "stripe wechat": Adapter(wechat_bench, WechatBench, STRIPE[Method.WECHAT]),
    "paypal": Adapter(paypal_bench, PayPalBench, PayPal.capabilities),
    "epay": Adapter(epay_bench, EpayBench, epay_can("CNY", refunds=True)),
    "epay by hand": Adapter(hand_epay_bench, HandEpayBench, epay_can("CNY", refunds=False)),
}


class Table:
    """Cases by title; `rows` crosses them with the adapters they apply to: all of them, or the
    ones named to the table."""

    def __init__(self, *only: str) -> None:
        self._only = only or tuple(ADAPTERS)
        self._cases: list[tuple[str, Applies, str | None, Check]] = []

    def case(
        self,
        title: str,
        applies: Applies = lambda can, bench: True,
        needs: str | None = None,
    ) -> Callable[[Check], Check]:
        """Add a row; without `applies` it is for every adapter. `needs` is a misbehaviour that
        the stand-in must be able to show."""

        def add(check: Check) -> Check:
            self._cases.append((title, applies, needs, check))
            return check

        return add

    def rows(self) -> list[object]:
        """Parameters (adapter, check) with readable ids."""
        return [
            pytest.param(adapter, check, id=f"{name}: {title}")
            for name, adapter in ADAPTERS.items()
            for title, applies, needs, check in self._cases
            if name in self._only
            and applies(adapter.capabilities, adapter.kind)
            and (needs is None or needs in adapter.kind.misbehaviour)
        ]


# ---- which adapters a case is for ------------------------------------------------------


def finds(can: PaymentCapabilities, bench: type[Bench]) -> bool:
    return can.finds


def asks(can: PaymentCapabilities, bench: type[Bench]) -> bool:
    return bench.asks


def cancels(can: PaymentCapabilities, bench: type[Bench]) -> bool:
    return can.cancels


def returns(can: PaymentCapabilities, bench: type[Bench]) -> bool:
    return can.returns is not Returns.NOTHING


def returns_part(can: PaymentCapabilities, bench: type[Bench]) -> bool:
    return can.returns is Returns.PART


def calls_us(can: PaymentCapabilities, bench: type[Bench]) -> bool:
    return can.webhooks


def saves(can: PaymentCapabilities, bench: type[Bench]) -> bool:
    return can.saves


def both(*all_of: Applies) -> Applies:
    return lambda can, bench: all(applies(can, bench) for applies in all_of)
