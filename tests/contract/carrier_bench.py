"""The bench on which every Carrier is tried: the adapter over real HTTP against its stand-in.

A new adapter brings a Bench of its own and a line in carrier_table.py, and gets every case of the
carriers' tests that applies to it by what it declares (`Capabilities`) and by the ways in which
its stand-in can misbehave (`Bench.misbehaviour`).
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.domain.money import Money
from bot.domain.sims import Sim
from bot.ports import Carrier, SupplierUnavailable, TopUpRequest


class Bench:
    """An adapter, its supplier's stand-in, and the questions that the cases ask of the two."""

    name: ClassVar[str]
    """Its registry name, before the names of its faults."""
    plan: ClassVar[str]
    """A supplier's code that `sim()` can buy."""
    amount: ClassVar[Money | None] = None
    """What the SIM is to receive, where `plan` is a range."""
    cap: ClassVar[Money]
    """A little more than `plan` costs."""
    buys: ClassVar[str]
    """How the call log names the one call that buys."""
    misbehaviour: ClassVar[Mapping[str, str]] = {}
    """The shared cases' names of faults (see test_carriers_every.py), and the stand-in's own."""

    carrier: Carrier
    faults: FaultBoard
    calls: CallLog
    clock: WorldClock
    state: Any
    http: httpx.AsyncClient
    base_url: str

    def sim(self, n: int = 0) -> Sim:
        """One that the supplier knows."""
        raise NotImplementedError

    def another(self, *, address: str | None = None, wrong_keys: bool = False) -> Carrier:
        """The same adapter, told another address or keys that the supplier does not know."""
        raise NotImplementedError

    def topups(self) -> int:
        """How many top-ups the supplier has really made."""
        raise NotImplementedError

    def secrets(self) -> list[str]:
        """What must stand in no log."""
        raise NotImplementedError

    def request(self, ref: str = "ref-1", **changes: Any) -> TopUpRequest:
        """Buy `plan` for `sim()`; `changes` are fields of the request."""
        usual = {
            "sim": self.sim(),
            "supplier_code": self.plan,
            "amount": self.amount,
            "max_cost": self.cap,
        }
        return TopUpRequest(**{"ref": ref, **usual, **changes})

    def strike(self, fault: str, *, times: int | None = None) -> None:
        """Let it misbehave: a shared name, or one of the stand-in's own."""
        own = self.misbehaviour.get(fault, fault)
        self.faults.set(f"{self.name}.{own}", on=times is None, times=times)

    def calm(self) -> None:
        self.faults.clear()

    def asked(self, path: str) -> int:
        return sum(call.method == path for call in self.calls.after())


class Host:
    """What the one server serves: the stand-in of the bench at hand."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@asynccontextmanager
async def impatient_http() -> AsyncIterator[httpx.AsyncClient]:
    """What an adapter calls with: nothing from the environment, and a short wait."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        yield http


async def unavailable(asking: Awaitable[object]) -> str:
    """The reason with which a read fails."""
    with pytest.raises(SupplierUnavailable) as caught:
        await asking
    return caught.value.reason
