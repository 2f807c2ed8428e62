"""eSIM Access on the bench, and `manual`, which has nothing behind it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.routing import Mount

from bot.carriers.esim_access import EsimAccess
from bot.carriers.manual import Manual
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.esim_access import esim_access_routes
from bot.demo.esim_access_state import EsimAccessState, demo_state
from bot.demo.faults import FaultBoard
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import TopUpRequest
from tests.contract.carrier_bench import Bench, Host, impatient_http

PLAN = "TOPUP_JP_M_1"  # 1 GB, 30 days, 1.2345 dollars
CAP = Money.of("2", "USD")


def a_sim(supplier: str, supplier_ref: str | None, iccid: str | None) -> Sim:
    return Sim(
        id="sim1",
        version=1,
        owner_id=1001,
        tracking=Tracking.MANAGED,
        form=SimForm.ESIM,
        carrier="boom eSIM",
        supplier=supplier,
        supplier_ref=supplier_ref,
        iccid=iccid,
    )


class EsimAccessBench(Bench):
    name = "esim_access"
    plan = PLAN
    cap = CAP
    buys = "/esim/topup"
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
        "other_types": "string_success",
        "repeat_is_refused": "repeat_is_refused",
    }
    state: EsimAccessState

    def sim(self, n: int = 0) -> Sim:
        """Of the demo's profiles: 0 active, 1 low, 2 waits for activation, 3 used up."""
        profile = self.state.profiles[n]
        return a_sim("esim_access", profile.esim_tran_no, profile.iccid)

    def request(self, ref: str = "ref-1", n: int = 0, **changes: Any) -> TopUpRequest:
        return super().request(ref, **{"sim": self.sim(n), **changes})

    def another(self, *, address: str | None = None, wrong_keys: bool = False) -> EsimAccess:
        key = "wrong" if wrong_keys else self.state.secret_key
        return EsimAccess(
            self.state.access_code, key, address or self.base_url, self.http, self.clock
        )

    def topups(self, n: int = 0) -> int:
        return len(self.state.profiles[n].bought) - 1

    def secrets(self) -> list[str]:
        return [self.state.secret_key, self.state.access_code]


@asynccontextmanager
async def esim_access_bench(host: Host, address: str) -> AsyncIterator[EsimAccessBench]:
    bench = EsimAccessBench()
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls, bench.state = CallLog(bench.clock), demo_state(bench.clock.now())
    routes = esim_access_routes(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/suppliers/esim-access", routes=routes)])
    bench.base_url = f"{address}/suppliers/esim-access"
    async with impatient_http() as bench.http:
        bench.carrier = bench.another()
        yield bench


@asynccontextmanager
async def manual_bench(host: Host, address: str) -> AsyncIterator[EsimAccessBench]:
    bench = EsimAccessBench()
    bench.clock = WorldClock()
    bench.state = demo_state(bench.clock.now())
    bench.carrier = Manual()
    yield bench
