"""The bench on which every Carrier is tried: the adapter over real HTTP against its stand-in.

A new adapter adds a line to ADAPTERS and gets every case of the carriers' tests that applies to
it by what it declares (`Capabilities`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.carriers.esim_access import EsimAccess
from bot.carriers.manual import Manual
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.esim_access import esim_access_routes
from bot.demo.esim_access_state import EsimAccessState, demo_state
from bot.demo.faults import FaultBoard
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import Capabilities, Carrier, SupplierUnavailable, TopUpRequest

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


class Bench:
    """An adapter, its supplier's stand-in, and the questions that the cases ask of the two."""

    carrier: Carrier
    faults: FaultBoard
    calls: CallLog
    clock: WorldClock
    state: EsimAccessState
    http: httpx.AsyncClient
    base_url: str

    def sim(self, n: int = 0) -> Sim:
        """Of the demo's profiles: 0 active, 1 low, 2 waits for activation, 3 used up."""
        profile = self.state.profiles[n]
        return a_sim("esim_access", profile.esim_tran_no, profile.iccid)

    def request(self, n: int = 0, ref: str = "ref-1", cap: Money | None = CAP) -> TopUpRequest:
        return TopUpRequest(ref, self.sim(n), PLAN, None, cap)

    def strike(self, fault: str, *, times: int | None = None) -> None:
        self.faults.set(f"esim_access.{fault}", on=times is None, times=times)

    def calm(self) -> None:
        self.faults.clear()

    def topups(self, n: int = 0) -> int:
        return len(self.state.profiles[n].bought) - 1

    def asked(self, path: str) -> int:
        return sum(call.method == path for call in self.calls.after())


class Host:
    """What the one server serves: the stand-in of the bench at hand."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@asynccontextmanager
async def esim_access_bench(host: Host, address: str) -> AsyncIterator[Bench]:
    bench = Bench()
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls, bench.state = CallLog(bench.clock), demo_state(bench.clock.now())
    routes = esim_access_routes(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/suppliers/esim-access", routes=routes)])
    bench.base_url = f"{address}/suppliers/esim-access"
    async with httpx.AsyncClient(trust_env=False, timeout=10) as bench.http:
        codes = bench.state.access_code, bench.state.secret_key
        bench.carrier = EsimAccess(*codes, bench.base_url, bench.http, bench.clock)
        yield bench


@asynccontextmanager
async def manual_bench(host: Host, address: str) -> AsyncIterator[Bench]:
    bench = Bench()
    bench.clock = WorldClock()
    bench.state = demo_state(bench.clock.now())
    bench.carrier = Manual()
    yield bench


Check = Callable[[Bench], Awaitable[None]]
Applies = Callable[[Capabilities], bool]


@dataclass(frozen=True)
class Adapter:
    """How to set a bench up, and what the adapter says it can do."""

    bench: Callable[[Host, str], AbstractAsyncContextManager[Bench]]
    capabilities: Capabilities


ADAPTERS: Mapping[str, Adapter] = {
    "esim_access": Adapter(esim_access_bench, EsimAccess.capabilities),
    "manual": Adapter(manual_bench, Manual.capabilities),
}


class Table:
    """Cases by title; `rows` crosses them with the adapters they apply to."""

    def __init__(self) -> None:
        self._cases: list[tuple[str, Applies, Check]] = []

    def case(
        self, title: str, applies: Applies = lambda can: not can.by_hand
    ) -> Callable[[Check], Check]:
        """Add a row; without `applies` it is for every adapter with an API behind it."""

        def add(check: Check) -> Check:
            self._cases.append((title, applies, check))
            return check

        return add

    def rows(self) -> list[object]:
        """Parameters (adapter, check) with readable ids."""
        return [
            pytest.param(adapter, check, id=f"{name}: {title}")
            for name, adapter in ADAPTERS.items()
            for title, applies, check in self._cases
            if applies(adapter.capabilities)
        ]


async def unavailable(asking: Awaitable[object]) -> str:
    with pytest.raises(SupplierUnavailable) as caught:
        await asking
    return caught.value.reason
