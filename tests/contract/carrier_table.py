"""The table of the carriers' tests: cases on one side, adapters on the other.

A new adapter is a Bench of its own and a line in ADAPTERS; `tingi` is the example of
CONTRIBUTING.md.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.carriers.airalo import Airalo
from bot.carriers.dingconnect import DingConnect
from bot.carriers.esim_access import EsimAccess
from bot.carriers.manual import Manual
from bot.carriers.reloadly import Reloadly
from bot.ports import Capabilities
from tests.contract.bench_airalo import AiraloBench, airalo_bench
from tests.contract.bench_dingconnect import DingConnectBench, dingconnect_bench
from tests.contract.bench_esim_access import EsimAccessBench, esim_access_bench, manual_bench
from tests.contract.bench_example import TingiBench, example_bench
from tests.contract.bench_reloadly import ReloadlyBench, reloadly_bench
from tests.contract.carrier_bench import Bench, Host
from tests.contract.example_carrier import Tingi

Check = Callable[[Any], Awaitable[None]]
Applies = Callable[[Capabilities], bool]


@dataclass(frozen=True)
class Adapter:
    """How to set a bench up, and what the adapter says it can do."""

    bench: Callable[[Host, str], AbstractAsyncContextManager[Bench]]
    capabilities: Capabilities
    misbehaviour: Mapping[str, str]


ADAPTERS: Mapping[str, Adapter] = {
    "esim_access": Adapter(
        esim_access_bench, EsimAccess.capabilities, EsimAccessBench.misbehaviour
    ),
    "dingconnect": Adapter(
        dingconnect_bench, DingConnect.capabilities, DingConnectBench.misbehaviour
    ),
    "airalo": Adapter(airalo_bench, Airalo.capabilities, AiraloBench.misbehaviour),
    "reloadly": Adapter(reloadly_bench, Reloadly.capabilities, ReloadlyBench.misbehaviour),
    "manual": Adapter(manual_bench, Manual.capabilities, {}),
    "tingi": Adapter(example_bench, Tingi.capabilities, TingiBench.misbehaviour),
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
        applies: Applies = lambda can: not can.by_hand,
        needs: str | None = None,
    ) -> Callable[[Check], Check]:
        """Add a row; without `applies` it is for every adapter with an API behind it. `needs` is
        a misbehaviour that the stand-in must be able to show."""

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
            and applies(adapter.capabilities)
            and (needs is None or needs in adapter.misbehaviour)
        ]
