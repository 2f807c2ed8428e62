"""PayPal on the bench."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.paypal import PayPalStandIn
from bot.demo.paypal_state import Capture, Order, PayPalState, demo_state
from bot.domain.money import Money
from bot.domain.sales import Method, Payment
from bot.payments.paypal import PayPal, PayPalSettings
from bot.ports import Call, Charge, Shown
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import Bench


class PayPalBench(Bench):
    name = "paypal"
    kind = Method.PAYPAL
    amount = Money.of("9.90", "USD")
    amounts: ClassVar = (Money(1500, "JPY"), Money.of("12.34", "EUR"))
    foreign = Money(500, "KRW")
    disputes = True
    page_ends = timedelta(hours=3)
    misbehaviour: ClassVar[Mapping[str, str]] = {
        "answer_lost": "timeout_after_success",
        "answer_slow": "slow_after_success",
        "never_arrives": "drop_before_accept",
        "garbage": "garbage",
        "acting_500": "server_error",
        "done_500": "done_500",
        "over_refund": "over_refund",
        "refund_fails": "refund_fails",
        "short_pages": "short_pages",
        "http_500": "http_500",
        "http_429": "http_429",
        "forgets_keys": "forgets_request_ids",
        "refund_pending": "refund_pending",
        "list_lags": "report_lags",
        "other_types": "other_types",
    }
    state: PayPalState
    stand_in: PayPalStandIn
    opened: AsyncExitStack

    def settings(self, **changes: Any) -> PayPalSettings:
        usual = {
            "client_id": self.state.client_id,
            "secret": self.state.secret,
            "webhook_id": self.state.webhook_id,
            "base_url": self.base_url,
        }
        return PayPalSettings.model_validate({**usual, **changes})

    def another(
        self, *, address: str | None = None, wrong_keys: bool = False, seconds: float = 10.0
    ) -> PayPal:
        changes: dict[str, object] = {"base_url": address} if address else {}
        if wrong_keys:
            changes |= {"secret": SecretStr("wrong")}
        http = httpx.AsyncClient(trust_env=False, timeout=seconds)
        self.opened.push_async_callback(http.aclose)
        return PayPal(self.settings(**changes), http, self.clock)

    # -- the provider's side

    async def on_page(self, shown: Shown, does: str) -> httpx.Response:
        """What the payer chooses on the page."""
        assert shown.url is not None
        async with httpx.AsyncClient(trust_env=False, timeout=10) as browser:
            return await browser.post(shown.url, data={"do": does})

    async def pay(self, payment: Payment, shown: Shown) -> None:
        await self.on_page(shown, "pay")

    async def decline(self, payment: Payment, shown: Shown) -> None:
        await self.on_page(shown, "decline")

    def orders(self, ref: str) -> list[Order]:
        known = [self.state.order(order.id, self.clock.now()) for order in self.state.orders]
        return [order for order in known if order is not None and order.custom_id == ref]

    def attempts(self, ref: str) -> int:
        return sum(not order.captures for order in self.orders(ref))

    def captures(self, ref: str) -> list[Capture]:
        return [capture for order in self.orders(ref) for capture in order.captures]

    def taken(self, ref: str) -> list[Money]:
        return [
            Money.of(capture.amount, order.currency)
            for order in self.orders(ref)
            for capture in order.captures
        ]

    def returned(self, ref: str) -> int:
        return sum(
            Money.of(capture.returned(self.clock.now()), order.currency).minor
            for order in self.orders(ref)
            for capture in order.captures
        )

    def at(self, charge: Charge) -> Capture:
        found = self.state.capture(charge.id)
        assert found is not None
        return found[1]

    async def return_outside(self, charge: Charge, minor: int) -> None:
        amount = Money(minor, charge.amount.currency).major
        self.state.give_back(self.at(charge), Decimal(amount), self.clock.now())

    def dispute(self, charge: Charge) -> None:
        self.at(charge).disputed = True

    def secrets(self) -> list[str]:
        return [self.state.secret, self.state.client_id, *self.state.tokens]

    def told(self, payment: Payment) -> Call:
        sent = [one for one in self.state.sent if one.reference == payment.id][-1]
        headers = {name.lower(): value for name, value in sent.headers.items()}
        return Call(sent.body.encode(), headers)

    def call(self, ref: str, kind: str, of: str, resource: dict[str, Any]) -> Call:
        """Any event, rightly signed."""
        notifier = self.stand_in.notifier
        sent = notifier.signed(ref, notifier.event(kind, of, resource), self.state.signing_key)
        headers = {name.lower(): value for name, value in sent.headers.items()}
        return Call(sent.body.encode(), headers)

    def forged(self, payment: Payment) -> Call:
        told = self.told(payment)
        event = json.loads(told.body)
        event["id"] = "WH-FORGED"
        return Call(json.dumps(event).encode(), told.headers)

    def unrelated(self) -> Call:
        return self.call("", "BILLING.PLAN.CREATED", "plan", {"id": "P-1", "status": "ACTIVE"})


@asynccontextmanager
async def paypal_bench(host: Host, address: str) -> AsyncIterator[PayPalBench]:
    bench = PayPalBench()
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls, bench.state = CallLog(bench.clock), demo_state()
    bench.stand_in = PayPalStandIn(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/providers/paypal", routes=bench.stand_in.routes())])
    bench.base_url = f"{address}/providers/paypal"
    async with AsyncExitStack() as bench.opened:
        bench.paying = bench.another()
        yield bench
