"""Stripe's adapter on somebody else's stand-in: localstripe, which has no Checkout, but kept cards,
refunds and signed calls. It ignores idempotency keys and lets more go back than was taken: our own
checks must hold all the same.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.clock import WorldClock
from bot.domain.money import Money
from bot.domain.orders import PaymentState, RefundState
from bot.domain.sales import Method, Payment, Refund
from bot.payments.stripe import StripeCheckout
from bot.payments.stripe_settings import StripeSettings
from bot.ports import Bill, Call, Return, Standing, WebhookRefused
from tests.contract.botapi_server import serving
from tests.contract.payment_bench import EPOCH, one_charge, refused

SERVER = Path(__file__).with_name("localstripe_server.py")
SECRET = "whsec_local"
BILL = Bill("Speedtalk 30 days", "SIM ···· 0142", "30 days")
ENDED, UNKNOWN = Standing.ENDED, Standing.UNKNOWN
FINE, DECLINED_LATER, ASKS = "4242424242424242", "4000000000000341", "4000002760003184"


@dataclass
class Local:
    """localstripe, the adapter on it, and what Checkout would have done there."""

    http: httpx.AsyncClient
    paying: StripeCheckout

    async def post(self, path: str, **form: str) -> dict[str, Any]:
        answer = await self.http.post(path, data=form)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def keep(self, number: str = FINE) -> str:
        """A customer with a kept card; its token."""
        customer = await self.post("/v1/customers")
        card = {"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        fields = {f"card[{key}]": item for key, item in card.items()}
        made = await self.post("/v1/payment_methods", type="card", **fields)
        await self.post(f"/v1/payment_methods/{made['id']}/attach", customer=customer["id"])
        return f"{customer['id']}/{made['id']}"

    async def rows(self, path: str) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = (await self.http.get(path, params={"limit": 100})).json()[
            "data"
        ]
        return data

    async def charged(self, ref: str) -> Payment:
        """A payment that was taken from a kept card."""
        payment = attempt(ref)
        charge = one_charge(await self.paying.charge_saved(payment, await self.keep(), BILL))
        return replace(
            payment, state=PaymentState.CAPTURED, charge_id=charge.id, captured=charge.amount
        )

    async def returned(self, payment: Payment) -> int:
        rows = await self.rows("/v1/refunds")
        return sum(row["amount"] for row in rows if row["payment_intent"] == payment.charge_id)


def attempt(ref: str) -> Payment:
    return Payment(
        id=ref,
        order_id="order001",
        chat_id=1001,
        method=Method.CARD,
        state=PaymentState.CREATED,
        amount=Money.of("12.50", "USD"),
        created_at=datetime.now(UTC),
        saved_id="saved001",
    )


def back(payment: Payment, minor: int, ref: str = "back0001") -> Refund:
    amount = Money(minor, "USD")
    return Refund(ref, payment.id, RefundState.DUE, amount, "topup_failed", datetime.now(UTC))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """localstripe in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = subprocess.Popen([sys.executable, str(SERVER), str(port)], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert running.poll() is None, "localstripe ended at once"
                assert time.monotonic() < end, "localstripe does not listen"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


@pytest.fixture
async def local(address: str) -> AsyncIterator[Local]:
    settings = StripeSettings.model_validate(
        {"secret_key": "sk_test_local", "webhook_secret": SECRET, "base_url": address}
    )
    [paying] = StripeCheckout.from_settings(settings, WorldClock())
    auth = ("sk_test_local", "")
    async with httpx.AsyncClient(base_url=address, trust_env=False, auth=auth, timeout=10) as http:
        await http.delete("/_config/data")
        yield Local(http, paying)
    await paying.close()


async def test_a_kept_card_is_charged_once(local: Local) -> None:
    token, payment = await local.keep(), attempt("renew001")
    first = one_charge(await local.paying.charge_saved(payment, token, BILL))
    assert (first.amount, first.reference) == (payment.amount, "renew001")
    again = one_charge(await local.paying.charge_saved(payment, token, BILL))
    assert again.id == first.id
    assert one_charge(await local.paying.lookup(payment)).id == first.id
    assert len(await local.rows("/v1/charges")) == 1


async def test_what_was_never_charged_is_unknown(local: Local) -> None:
    await local.charged("renew001")
    assert (await local.paying.lookup(attempt("renew002"))).standing is UNKNOWN


@pytest.mark.parametrize(
    ("number", "reason"), [(DECLINED_LATER, "declined"), (ASKS, "needs_confirmation")]
)
async def test_what_the_bank_refuses_ends(local: Local, number: str, reason: str) -> None:
    token, payment = await local.keep(number), attempt("renew001")
    found = await local.paying.charge_saved(payment, token, BILL)
    assert (found.standing, found.reason) == (ENDED, reason)
    assert (await local.paying.lookup(payment)).standing is ENDED
    assert (await local.paying.charge_saved(payment, token, BILL)).standing is ENDED
    assert len(await local.rows("/v1/payment_intents")) == 1
    assert list(await local.paying.list_since(EPOCH)) == []


async def test_a_card_that_is_gone_ends(local: Local) -> None:
    found = await local.paying.charge_saved(attempt("renew001"), "cus_gone/pm_gone", BILL)
    assert found.standing is ENDED


async def test_a_forgotten_card_and_its_customer_are_deleted_there(local: Local) -> None:
    kept, other = await local.keep(), await local.keep()
    for _n in range(2):
        await local.paying.forget_saved(kept)
    customers = [row["id"] for row in await local.rows("/v1/customers")]
    assert customers == [other.partition("/")[0]]
    assert one_charge(await local.paying.charge_saved(attempt("renew001"), other, BILL))


async def test_a_refund_goes_back_once_though_keys_are_ignored(local: Local) -> None:
    payment = await local.charged("renew001")
    for _n in range(3):
        assert await local.paying.refund(payment, back(payment, 250)) is Return.DONE
    assert await local.returned(payment) == 250
    assert one_charge(await local.paying.lookup(payment)).returned == 250


async def test_never_more_goes_back_than_was_taken_though_it_would(local: Local) -> None:
    payment = await local.charged("renew001")
    assert await local.paying.refund(payment, back(payment, 1000, "back0001")) is Return.DONE
    assert await refused(local.paying.refund(payment, back(payment, 500, "back0002")))
    assert await refused(local.paying.refund(payment, back(payment, 1251, "back0003")))
    assert await local.returned(payment) == 1000
    # It really would have.
    await local.post("/v1/refunds", payment_intent=str(payment.charge_id), amount="1250")
    assert await local.returned(payment) == 2250


async def test_the_list_has_what_was_taken_and_what_went_back(local: Local) -> None:
    one, two = await local.charged("renew001"), await local.charged("renew002")
    await local.paying.refund(two, back(two, 1250))
    listed = {charge.id: charge.returned for charge in await local.paying.list_since(EPOCH)}
    assert listed == {one.charge_id: 0, two.charge_id: 1250}


async def test_its_signed_call_is_taken_and_a_forged_one_is_not(local: Local) -> None:
    heard: asyncio.Queue[Call] = asyncio.Queue()

    async def hook(request: Request) -> Response:
        heard.put_nowait(Call(await request.body(), dict(request.headers)))
        return Response()

    async with serving(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as where:
        config = {"url": f"{where}/hook", "secret": SECRET, "events": ["payment_intent.succeeded"]}
        await local.http.post("/_config/webhooks/xuka", json=config)
        await local.charged("renew001")
        async with asyncio.timeout(20):
            call = await heard.get()
    [event] = await local.paying.parse_event(call)
    assert event.reference == "renew001"
    with pytest.raises(WebhookRefused):
        await local.paying.parse_event(replace(call, body=call.body + b" "))
