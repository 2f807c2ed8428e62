"""The table of the payment methods' tests: cases on one side, adapters on the other.

A new adapter is a Bench of its own and a line in ADAPTERS.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.ports import PaymentCapabilities
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


ADAPTERS: Mapping[str, Adapter] = {}


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
