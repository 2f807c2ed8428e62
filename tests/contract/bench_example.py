"""The example's bench and the stand-in of its supplier, which does not exist."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Dropped
from bot.domain.money import Money
from bot.domain.sims import Sim
from tests.contract.bench_dingconnect import SMART, a_line
from tests.contract.carrier_bench import Bench, Host, impatient_http
from tests.contract.example_carrier import Tingi, TingiSettings

KEY = "tingi-secret-key"


class Supplier:
    """What Tingi knows and answers. Each fault strikes at the moment of truth."""

    def __init__(self, faults: FaultBoard, calls: CallLog) -> None:
        self.faults, self.calls = faults, calls
        self.cents = 10_000
        self.topups: list[dict[str, Any]] = []
        for name in TingiBench.misbehaviour.values():
            faults.register(f"tingi.{name}", name, name, "")

    def struck(self, fault: str) -> bool:
        return self.faults.take(f"tingi.{fault}")

    def route(self, path: str, work: Callable[[Request, Any], Any], verb: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            asked = await request.json() if verb == "POST" else dict(request.query_params)
            response = self.answer(request, asked, work)
            self.calls.add(to="tingi", method=f"{verb} {path}", request=asked, answer=None,
                           status=response.status_code, ms=0)  # fmt: skip
            if verb == "POST" and self.struck("answer_slow"):
                await asyncio.sleep(1)
            return response

        return Route(path, answer, methods=[verb])

    def answer(self, request: Request, asked: Any, work: Callable[[Request, Any], Any]) -> Response:
        buys = request.method == "POST"
        if request.headers.get("X-Key") != KEY:
            return JSONResponse({"error": "key"}, 401)
        if self.struck("http_500") or (buys and self.struck("buying_500")):
            return JSONResponse({"error": "trouble"}, 500)
        if self.struck("http_429") or (buys and self.struck("buying_429")):
            return JSONResponse({"error": "slow down"}, 429)
        if buys and self.struck("never_arrives"):
            return Dropped()
        done = JSONResponse(work(request, asked))
        return Dropped() if buys and self.struck("answer_lost") else done

    def routes(self) -> list[Route]:
        return [
            self.route("/balance", lambda r, q: {"balance": f"{self.cents / 100:.2f}"}),
            self.route("/numbers/{number}", self.number),
            self.route("/products", lambda r, q: [{"id": "p100", "cost": self.cost}]),
            self.route("/topups", lambda r, q: [t for t in self.topups if t["ref"] == q["ref"]]),
            self.route("/topups/{id}", lambda r, q: self.topups[int(r.path_params["id"])]),
            self.route("/topups", self.buy, "POST"),
        ]

    @property
    def cost(self) -> str:
        return "2.50" if self.faults.is_set("tingi.price_moves") else "1.98"

    def number(self, request: Request, _: Any) -> Any:
        smart = request.path_params["number"] == SMART
        return {"carrier": "Smart Philippines", "country": "PH"} if smart else None

    def buy(self, _: Request, asked: Any) -> Any:
        for known in self.topups:
            if known["ref"] == asked["ref"]:
                return known
        one = {"id": str(len(self.topups)), "ref": asked["ref"], "state": "done"}
        if self.struck("wallet_empty"):
            return one | {"state": "refused", "reason": "funds"}
        self.cents -= 198
        self.topups.append(one)
        return one


class TingiBench(Bench):
    name = "tingi"
    plan = "p100"
    cap = Money.of("2.20", "USD")
    buys = "POST /topups"
    misbehaviour: ClassVar[Mapping[str, str]] = {
        fault: fault
        for fault in (
            "answer_lost", "answer_slow", "never_arrives", "http_500", "http_429", "buying_500",
            "buying_429", "wallet_empty", "price_moves",
        )
    }  # fmt: skip
    state: Supplier

    def sim(self, n: int = 0) -> Sim:
        return a_line(SMART)

    def another(self, *, address: str | None = None, wrong_keys: bool = False) -> Tingi:
        key = SecretStr("wrong" if wrong_keys else KEY)
        return Tingi(TingiSettings(key=key, base_url=address or self.base_url), self.http)

    def topups(self) -> int:
        return len(self.state.topups)

    def secrets(self) -> list[str]:
        return [KEY]


@asynccontextmanager
async def example_bench(host: Host, address: str) -> AsyncIterator[TingiBench]:
    bench = TingiBench()
    bench.clock, bench.faults, bench.base_url = WorldClock(), FaultBoard(), address
    bench.calls = CallLog(bench.clock)
    bench.state = Supplier(bench.faults, bench.calls)
    host.app = Starlette(routes=bench.state.routes())
    async with impatient_http() as bench.http:
        bench.carrier = bench.another()
        yield bench
