"""DingConnect on the bench."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

from starlette.applications import Starlette
from starlette.routing import Mount

from bot.carriers.dingconnect import DingConnect
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.dingconnect import dingconnect_routes
from bot.demo.dingconnect_state import DingConnectState, Transfer, demo_state
from bot.demo.faults import FaultBoard
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from tests.contract.carrier_bench import Bench, Host, impatient_http

SMART, GLOBE, TMOBILE, ATT, CMCC = (
    "+639189876543",
    "+639171234567",
    "+13055550142",
    "+12125550188",
    "+8613800138000",
)
RANGE, FIXED, CODE = "PH_SM_TopUp", "SMPH0100", "ATUS0025PIN"
PHP_100 = Money.of(100, "PHP")


def a_line(msisdn: str | None, carrier: str = "Smart") -> Sim:
    return Sim(
        id="sim1",
        version=1,
        owner_id=1001,
        tracking=Tracking.SELF,
        form=SimForm.CARD,
        carrier=carrier,
        supplier="dingconnect",
        msisdn=msisdn,
    )


class DingConnectBench(Bench):
    name = "dingconnect"
    plan = RANGE
    amount = PHP_100
    cap = Money.of("2.20", "USD")
    buys = "SendTransfer"
    misbehaviour: ClassVar[Mapping[str, str]] = {
        "answer_lost": "timeout_after_success",
        "answer_slow": "slow_after_success",
        "never_arrives": "drop_before_accept",
        "http_500": "http_500",
        "http_429": "http_429",
        "buying_500": "http_500",
        "buying_429": "http_429",
        "wallet_empty": "wallet_empty",
        "lookup_lags": "lookup_lags",
        "price_moves": "price_changed",
        "other_types": "other_forms",
        "repeat_is_refused": "repeat_is_refused",
        "slow_final": "slow_final",
        "fails_later": "fails_later",
    }
    state: DingConnectState

    def sim(self, n: int = 0) -> Sim:
        """By range: 0 Smart, 1 Globe, 2 T-Mobile, 3 AT&T, 4 China Mobile."""
        return a_line((SMART, GLOBE, TMOBILE, ATT, CMCC)[n])

    def another(self, *, address: str | None = None, wrong_keys: bool = False) -> DingConnect:
        key = "wrong" if wrong_keys else self.state.api_key
        return DingConnect(key, address or self.base_url, self.http, self.clock)

    def topups(self) -> int:
        return len(self.state.done())

    def last(self) -> Transfer:
        """The newest transfer, failed ones too."""
        return self.state.transfers[-1]

    def secrets(self) -> list[str]:
        return [self.state.api_key]


@asynccontextmanager
async def dingconnect_bench(host: Host, address: str) -> AsyncIterator[DingConnectBench]:
    bench = DingConnectBench()
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls, bench.state = CallLog(bench.clock), demo_state()
    routes = dingconnect_routes(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/suppliers/dingconnect", routes=routes)])
    bench.base_url = f"{address}/suppliers/dingconnect"
    async with impatient_http() as bench.http:
        bench.carrier = bench.another()
        yield bench
