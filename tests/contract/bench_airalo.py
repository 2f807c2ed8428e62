"""Airalo Partners on the bench."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.routing import Mount

from bot.carriers.airalo import Airalo
from bot.demo.airalo import airalo_routes
from bot.demo.airalo_state import AiraloState, demo_state
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import TopUpRequest
from tests.contract.carrier_bench import Bench, Host, impatient_http


def a_sim(iccid: str | None) -> Sim:
    return Sim(
        id="sim1",
        version=1,
        owner_id=1001,
        tracking=Tracking.MANAGED,
        form=SimForm.ESIM,
        carrier="boom eSIM",
        supplier="airalo",
        supplier_ref=iccid,
        iccid=iccid,
    )


class AiraloBench(Bench):
    name = "airalo"
    plan = "change-30days-1gb-topup"  # 1 GB, 30 days; net 1.50 dollars, retail 5
    cap = Money.of("1.60", "USD")
    buys = "/orders/topups"
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
        "other_types": "other_types",
    }
    state: AiraloState

    def sim(self, n: int = 1) -> Sim:
        """Of the demo's eSIMs: 0 in its grace, 1 active, 2 waits for activation, 3 with voice."""
        return a_sim(self.state.esims[n].iccid)

    def request(self, ref: str = "ref-1", n: int = 1, **changes: Any) -> TopUpRequest:
        return super().request(ref, **{"sim": self.sim(n), **changes})

    def another(self, *, address: str | None = None, wrong_keys: bool = False) -> Airalo:
        secret = "wrong" if wrong_keys else self.state.client_secret
        return Airalo(
            self.state.client_id,
            secret,
            address or self.base_url,
            self.http,
            self.clock,
            1000,  # its real pace is tried in a case of its own
        )

    def topups(self) -> int:
        return sum(order.type == "topup" for order in self.state.orders)

    def secrets(self) -> list[str]:
        return [self.state.client_secret, *self.state.tokens]


@asynccontextmanager
async def airalo_bench(host: Host, address: str) -> AsyncIterator[AiraloBench]:
    bench = AiraloBench()
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls, bench.state = CallLog(bench.clock), demo_state(bench.clock.now())
    routes = airalo_routes(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/suppliers/airalo", routes=routes)])
    bench.base_url = f"{address}/suppliers/airalo/v2"
    async with impatient_http() as bench.http:
        bench.carrier = bench.another()
        yield bench
