"""易支付 on the bench, with a platform that gives money back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.epay import EpayStandIn
from bot.demo.epay_page import sign
from bot.demo.epay_state import EpayState, Trade, demo_state
from bot.demo.faults import FaultBoard
from bot.domain.money import Money
from bot.domain.sales import Method, Payment
from bot.payments.epay import Epay, EpaySettings
from bot.ports import Call, Charge, Shown
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import Bench


class EpayBench(Bench):
    name = "epay"
    kind = Method.EPAY
    amount = Money.of("68.90", "CNY")
    amounts: ClassVar = (Money.of("0.01", "CNY"), Money.of("1234", "CNY"))
    foreign = Money.of(5, "USD")
    asks = False
    by_reference = True
    disputes = True
    retries = True
    misbehaviour: ClassVar[Mapping[str, str]] = {
        "answer_lost": "timeout_after_success",
        "answer_slow": "slow_after_success",
        "never_arrives": "drop_before_accept",
        "garbage": "garbage",
        "short_pages": "short_pages",
        "http_500": "http_500",
        "http_429": "http_429",
        "other_types": "other_types",
    }
    state: EpayState
    stand_in: EpayStandIn
    opened: AsyncExitStack

    def settings(self, **changes: Any) -> EpaySettings:
        usual = {
            "url": self.base_url,
            "pid": self.state.pid,
            "key": self.state.key,
            "refunds": self.state.refunds,
        }
        return EpaySettings.model_validate({**usual, **changes})

    def another(
        self, *, address: str | None = None, wrong_keys: bool = False, seconds: float = 10.0
    ) -> Epay:
        changes: dict[str, object] = {"url": address} if address else {}
        if wrong_keys:
            changes |= {"key": SecretStr("wrong")}
        http = httpx.AsyncClient(trust_env=False, timeout=seconds)
        self.opened.push_async_callback(http.aclose)
        return Epay(self.settings(**changes), http, self.clock)

    # -- the provider's side

    async def on_page(self, shown: Shown, does: str) -> httpx.Response:
        """What the payer chooses on the page."""
        assert shown.url is not None
        async with httpx.AsyncClient(trust_env=False, timeout=10) as browser:
            return await browser.post(shown.url, data={"do": does})

    async def pay(self, payment: Payment, shown: Shown) -> None:
        await self.on_page(shown, "alipay")

    async def decline(self, payment: Payment, shown: Shown) -> None:
        await self.on_page(shown, "decline")

    def trades(self, ref: str) -> list[Trade]:
        return [trade for trade in self.state.of(ref) if trade.paid_at is not None]

    def attempts(self, ref: str) -> int:
        """A link is one; the platform learns of it when it is opened."""
        return 0 if self.trades(ref) else 1

    def taken(self, ref: str) -> list[Money]:
        return [Money.of(trade.money, "CNY") for trade in self.trades(ref)]

    def returned(self, ref: str) -> int:
        return sum(Money.of(trade.returned, "CNY").minor for trade in self.trades(ref))

    def at(self, charge: Charge) -> Trade:
        return next(trade for trade in self.state.trades if trade.trade_no == charge.id)

    async def return_outside(self, charge: Charge, minor: int) -> None:
        self.at(charge).returned += Decimal(minor) / 100

    def dispute(self, charge: Charge) -> None:
        self.at(charge).frozen = True

    def secrets(self) -> list[str]:
        return [self.state.key]

    def told(self, payment: Payment) -> Call:
        sent = [one for one in self.state.sent if one.reference == payment.id][-1]
        return Call(b"", {}, sent.query)

    def forged(self, payment: Payment) -> Call:
        trade = self.state.of(payment.id)[-1]
        return Call(b"", {}, self.stand_in.cashier.told(trade, trade.money, "nobody's"))

    def unrelated(self) -> Call:
        return self.signed(trade_status="TRADE_CLOSED", trade_no="1", out_trade_no="x")

    def signed(self, **params: str) -> Call:
        """Any notification, rightly signed."""
        told = {"pid": self.state.pid, **params}
        return Call(b"", {}, {**told, "sign": sign(told, self.state.key), "sign_type": "MD5"})


class HandEpayBench(EpayBench):
    """A platform that gives money back by hand only."""

    misbehaviour: ClassVar[Mapping[str, str]] = {
        name: fault
        for name, fault in EpayBench.misbehaviour.items()
        if name not in ("answer_lost", "answer_slow", "never_arrives")
    }


def _set_up(bench: EpayBench, host: Host, address: str, refunds: bool) -> None:
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls, bench.state = CallLog(bench.clock), demo_state()
    bench.state.refunds = refunds
    bench.stand_in = EpayStandIn(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/providers/epay", routes=bench.stand_in.routes())])
    bench.base_url = f"{address}/providers/epay"
    bench.paying = bench.another()


@asynccontextmanager
async def epay_bench(host: Host, address: str) -> AsyncIterator[EpayBench]:
    bench = EpayBench()
    async with AsyncExitStack() as bench.opened:
        _set_up(bench, host, address, True)
        yield bench


@asynccontextmanager
async def hand_epay_bench(host: Host, address: str) -> AsyncIterator[HandEpayBench]:
    bench = HandEpayBench()
    async with AsyncExitStack() as bench.opened:
        _set_up(bench, host, address, False)
        yield bench
