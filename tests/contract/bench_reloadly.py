"""Reloadly on the bench: Smart Philippines, a range in pesos."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.carriers.reloadly import Reloadly, ReloadlySettings
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.reloadly import reloadly_routes
from bot.demo.reloadly_state import ReloadlyState, TopUp, demo_state
from bot.domain.money import Money
from bot.domain.sims import Sim, SimForm, Tracking
from tests.contract.carrier_bench import Bench, Host, impatient_http

SMART, TMOBILE, ATT, CMCC, UNICOM, TELECOM, PIN = (
    "+639189876543",
    "+13055550142",
    "+12125550188",
    "+8613800138000",
    "+8613000138000",
    "+8618900138000",
    "+16465550123",
)


class ReloadlyBench(Bench):
    name = "reloadly"
    plan = "423"
    amount = Money.of(100, "PHP")
    cap = Money.of("2", "USD")
    buys = "POST /topups"
    misbehaviour: ClassVar[Mapping[str, str]] = {
        "answer_lost": "timeout_after_success",
        "answer_slow": "slow_after_success",
        "never_arrives": "drop_before_accept",
        "http_500": "http_500",
        "http_429": "http_429",
        "buying_500": "server_error",
        "buying_429": "topups_429",
        "wallet_empty": "wallet_empty",
        "lookup_lags": "lookup_lags",
        "price_moves": "price_changed",
        "other_types": "other_types",
        "repeat_is_refused": "nameless_errors",
        "slow_final": "stays_processing",
        "fails_later": "fails_later",
        "reverses": "refunded_later",
    }
    state: ReloadlyState

    def sim(self, number: str | int = SMART) -> Sim:
        return Sim(
            id="sim1",
            version=1,
            owner_id=1001,
            tracking=Tracking.SELF,
            form=SimForm.CARD,
            carrier="Smart",
            supplier="reloadly",
            msisdn=SMART if number == 0 else str(number),
        )

    def settings(self, **changes: Any) -> ReloadlySettings:
        usual = {
            "client_id": self.state.client_id,
            "client_secret": self.state.client_secret,
            "base_url": self.base_url,
            "auth_url": self.base_url,
            "webhook_secret": self.state.webhook_secret,
        }
        return ReloadlySettings.model_validate({**usual, **changes})

    def another(self, *, address: str | None = None, wrong_keys: bool = False) -> Reloadly:
        changes: dict[str, object] = {}
        if address:
            changes |= {"base_url": address, "auth_url": address}
        if wrong_keys:
            changes |= {"client_secret": SecretStr("wrong")}
        return Reloadly(self.settings(**changes), self.http, self.clock)

    def topups(self) -> int:
        return len(self.state.topups)

    def last(self) -> TopUp:
        return self.state.topups[-1]

    def secrets(self) -> list[str]:
        tokens = [token for token in self.state.tokens if len(token) > 8]
        return [self.state.client_secret, self.state.client_id, self.state.webhook_secret, *tokens]


@asynccontextmanager
async def reloadly_bench(host: Host, address: str) -> AsyncIterator[ReloadlyBench]:
    bench = ReloadlyBench()
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls, bench.state = CallLog(bench.clock), demo_state()
    routes = reloadly_routes(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/suppliers/reloadly", routes=routes)])
    bench.base_url = f"{address}/suppliers/reloadly"
    async with impatient_http() as bench.http:
        bench.carrier = bench.another()
        yield bench
