"""Stripe on the bench: cards, Alipay and WeChat Pay on its hosted page."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from fractions import Fraction
from functools import partial
from typing import Any, ClassVar

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.stripe import stripe_routes
from bot.demo.stripe_shown import dispute, return_outside, signature, written
from bot.demo.stripe_state import Intent, Notice, StripeState
from bot.domain.money import Money
from bot.domain.sales import Method, Payment
from bot.payments.stripe import StripeCheckout
from bot.payments.stripe_api import Api
from bot.payments.stripe_settings import StripeSettings
from bot.ports import Call, Charge, Kept, Shown
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import Bench, one_charge

OK, OTHER, DECLINED_LATER, ASKS_LATER = range(4)
"""The cards on the stand-in's page, in its order."""


class StripeBench(Bench):
    name = "stripe"
    kind = Method.CARD
    amount = Money.of("12.50", "USD")
    amounts: ClassVar[Sequence[Money]] = (
        Money.of("12.50", "USD"),
        Money.of(1250, "JPY"),
        Money.of("4.120", "KWD"),
        Money.of(1500, "ISK"),
        Money.of("5000.00", "MGA"),
    )
    too_small = Money.of("0.10", "USD")
    foreign = Money(100, "XTR")
    by_reference = True
    disputes = True
    retries = True
    page_ends = timedelta(minutes=46)
    misbehaviour: ClassVar[Mapping[str, str]] = {
        "answer_lost": "timeout_after_success",
        "answer_slow": "slow_after_success",
        "never_arrives": "timeout_before",
        "http_500": "http_500",
        "http_429": "http_429",
        "garbage": "garbage",
        "other_shape": "other_shape",
        "acting_500": "server_error",
        "done_500": "done_500",
        "other_types": "other_types",
        "forgets_keys": "idempotency_ignored",
        "over_refund": "over_refund",
        "refund_pending": "refund_pending",
        "refund_fails": "refund_fails",
        "list_lags": "list_lags",
        "short_pages": "short_pages",
    }
    paying: StripeCheckout
    state: StripeState

    def __init__(self) -> None:
        self.opened = AsyncExitStack()
        self.http = httpx.AsyncClient(trust_env=False, timeout=10)
        self.opened.push_async_callback(self.http.aclose)

    def settings(self, **changes: Any) -> StripeSettings:
        usual = {
            "secret_key": self.state.secret_key,
            "webhook_secret": self.state.webhook_secret,
            "base_url": self.base_url,
            "methods": "card,alipay,wechat",
        }
        return StripeSettings.model_validate({**usual, **changes})

    def another(
        self,
        *,
        address: str | None = None,
        wrong_keys: bool = False,
        seconds: float = 10.0,
        **changes: Any,
    ) -> StripeCheckout:
        settings = self.settings(**changes)
        key = "sk_test_wrong" if wrong_keys else self.state.secret_key
        api = Api(key, address or self.base_url, seconds)
        made = StripeCheckout(self.kind, settings, self.clock, api)
        self.opened.push_async_callback(made.close)
        return made

    async def press(self, shown: Shown, button: str, card: int = OK) -> str:
        """What the page says then."""
        answer = await self.http.post(str(shown.url), data={"do": button, "card": str(card)})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def pay(self, payment: Payment, shown: Shown) -> None:
        await self.press(shown, "pay")

    async def decline(self, payment: Payment, shown: Shown) -> None:
        await self.press(shown, "decline")

    def attempts(self, ref: str) -> int:
        now = self.clock.now()
        ours = [one for one in self.state.pages if one.reference == ref]
        return sum(self.state.page_status(one, now) == "open" for one in ours)

    def intents(self, ref: str) -> list[Intent]:
        ours = [one for one in self.state.intents if one.metadata.get("xuka_payment") == ref]
        return [one for one in ours if one.charge]

    def taken(self, ref: str) -> list[Money]:
        # Its króna has two decimals that ours has not, its ariary none where ours has two.
        times = {"isk": Fraction(1, 100), "mga": Fraction(100)}
        return [
            Money(int(one.amount * times.get(one.currency, 1)), one.currency.upper())
            for one in self.intents(ref)
        ]

    def returned(self, ref: str) -> int:
        now = self.clock.now()
        return sum(self.state.returned(one, now) for one in self.intents(ref))

    def intent_of(self, charge: Charge) -> Intent:
        found = self.state.intent(charge.id)
        assert found is not None
        return found

    async def return_outside(self, charge: Charge, minor: int) -> None:
        return_outside(self.state, self.intent_of(charge), minor, self.clock.now())

    def dispute(self, charge: Charge) -> None:
        dispute(self.state, self.intent_of(charge), self.clock.now())

    def secrets(self) -> list[str]:
        return [self.state.secret_key, self.state.webhook_secret, "sk_test_wrong"]

    # -- its calls to us

    def called(self, notice: Notice, secret: str | None = None, at: int | None = None) -> Call:
        body = written(notice, self.clock.now())
        return Call(body, signature(body, secret or self.state.webhook_secret, at))

    def notice_of(self, payment: Payment) -> Notice:
        return next(
            one
            for one in reversed(self.state.notices)
            if one.type == "checkout.session.completed"
            and one.body["client_reference_id"] == payment.id
        )

    def told(self, payment: Payment) -> Call:
        return self.called(self.notice_of(payment))

    def forged(self, payment: Payment) -> Call:
        return self.called(self.notice_of(payment), secret="whsec_somebody")

    def stale(self, payment: Payment) -> Call | None:
        return self.called(self.notice_of(payment), at=int(time.time()) - 3600)

    def unrelated(self) -> Call:
        body = {"id": "cus_1", "object": "customer", "metadata": {}}
        notice = Notice(id="evt_1", type="customer.created", body=body, due=self.clock.now())
        return self.called(notice)

    # -- cards kept for later

    async def kept(self, card: int) -> Kept:
        """What is told of a card that was paid with once, and kept."""
        payment = self.payment("keep0001")
        shown = await self.paying.request(payment, self.bill(keep=True))
        await self.press(shown, "pay", card)
        kept = one_charge(await self.paying.lookup(self.shown(payment, shown))).kept
        assert kept is not None
        return kept


class AlipayBench(StripeBench):
    kind = Method.ALIPAY
    amounts: ClassVar[Sequence[Money]] = (Money.of("12.50", "CNY"), Money.of(1250, "JPY"))


class WechatBench(AlipayBench):
    kind = Method.WECHAT


@asynccontextmanager
async def stripe_bench(
    host: Host, address: str, kind: type[StripeBench] = StripeBench
) -> AsyncIterator[StripeBench]:
    bench = kind()
    bench.clock, bench.faults, bench.state = WorldClock(), FaultBoard(), StripeState()
    bench.calls = CallLog(bench.clock)
    routes = stripe_routes(bench.state, bench.clock, bench.faults, bench.calls)
    host.app = Starlette(routes=[Mount("/payments/stripe", routes=routes)])
    bench.base_url = f"{address}/payments/stripe"
    async with bench.opened:
        bench.paying = bench.another()
        yield bench


alipay_bench = partial(stripe_bench, kind=AlipayBench)
wechat_bench = partial(stripe_bench, kind=WechatBench)
