"""Reloadly's top-ups beyond what every Carrier promises: refusals, the report, PINs, webhooks."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bot.carriers.reloadly import Reloadly
from bot.demo.reloadly_shapes import Webhook, send_webhooks, webhook, webhooks_due
from bot.domain.money import Money
from bot.ports import Hint, TopUpStatus, WebhookRefused
from tests.contract.bench_reloadly import (
    PIN,
    SMART,
    TMOBILE,
    ReloadlyBench,
)
from tests.contract.carrier_bench import Host
from tests.contract.carrier_table import Adapter, Check, Table

SUCCEEDED, PROCESSING, REJECTED, UNKNOWN, NOT_FOUND, NOT_SENT = (
    TopUpStatus.SUCCEEDED,
    TopUpStatus.PROCESSING,
    TopUpStatus.REJECTED,
    TopUpStatus.UNKNOWN,
    TopUpStatus.NOT_FOUND,
    TopUpStatus.NOT_SENT,
)
TABLE = Table("reloadly")
case = TABLE.case


# ---- buying ------------------------------------------------------------------------------


@case("the operator's own confirmation and what arrived are told")
async def _(b: ReloadlyBench) -> None:
    answer = await b.carrier.submit(b.request())
    assert answer.operator_ref == f"{b.last().id % 100_000}:OrderConfirmed"
    assert answer.delivered == b.amount
    assert answer.pin is None
    assert await b.carrier.find(b.request()) == answer
    assert await b.carrier.status(b.request(), str(answer.supplier_ref)) == answer


@case("a PIN comes along, and again on asking")
async def _(b: ReloadlyBench) -> None:
    request = b.request(sim=b.sim(PIN), supplier_code="711:20", amount=None, max_cost=None)
    answer = await b.carrier.submit(request)
    assert answer.pin == b.last().pin
    assert answer.pin
    assert (await b.carrier.find(request)).pin == answer.pin


@case("a number of another country is refused")
async def _(b: ReloadlyBench) -> None:
    answer = await b.carrier.submit(b.request(sim=b.sim(TMOBILE)))
    assert (answer.status, answer.reason, b.topups()) == (REJECTED, "number_refused", 0)


@case("a second top-up within two minutes may be sent later")
async def _(b: ReloadlyBench) -> None:
    await b.carrier.submit(b.request("ref-1"))
    soon = await b.carrier.submit(b.request("ref-2"))
    assert (soon.status, soon.reason, b.topups()) == (NOT_SENT, "recharged_lately", 1)
    b.clock.advance(121)
    assert (await b.carrier.submit(b.request("ref-2"))).status is SUCCEEDED


@case("a refusal without a code is no refusal")
async def _(b: ReloadlyBench) -> None:
    b.strike("nameless_errors")
    b.strike("wallet_empty", times=1)
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.topups()) == (UNKNOWN, "http_403", 0)


def late_refusal(title: str, **changes: Any) -> None:
    async def check(b: ReloadlyBench) -> None:
        b.strike("timeout_after_success", times=1)
        assert (await b.carrier.submit(b.request())).status is UNKNOWN
        again = await b.carrier.submit(b.request(**changes))
        assert (again.status, b.topups(), b.asked(b.buys)) == (SUCCEEDED, 1, 1)

    case(f"a repeat of a lost call that is refused by us was bought: {title}")(check)


late_refusal("the price moved", max_cost=Money(1, "USD"))
late_refusal("the amount left the range", amount=Money.of("1", "PHP"))


@case("a refusal while the report can't be read proves nothing")
async def _(b: ReloadlyBench) -> None:
    b.strike("wallet_empty")
    b.strike("no_report")
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason) == (UNKNOWN, "http_500")


@case("two calls at the same moment both buy: a repeat must wait for the first one's end")
async def _(b: ReloadlyBench) -> None:
    b.strike("accepts_late", times=2)
    b.state.pause_seconds, b.state.late_seconds = 0, 0.3
    await asyncio.gather(*(b.carrier.submit(b.request()) for _ in range(2)))
    assert b.topups() == 2
    assert (await b.carrier.find(b.request())).status is SUCCEEDED
    assert b.carrier.capabilities.slowest >= 90


# ---- looking up --------------------------------------------------------------------------


@case("a status is read in both its shapes")
async def _(b: ReloadlyBench) -> None:
    answer = await b.carrier.submit(b.request())
    wrapped = await b.carrier.status(b.request(), str(answer.supplier_ref))
    b.strike("flat_status")
    assert await b.carrier.status(b.request(), str(answer.supplier_ref)) == wrapped == answer


@case("another reference's top-up is not taken for ours")
async def _(b: ReloadlyBench) -> None:
    answer = await b.carrier.submit(b.request("ref-1"))
    other = await b.carrier.status(b.request("ref-2"), str(answer.supplier_ref))
    assert (other.status, other.reason) == (UNKNOWN, "another_reference")


@case("a top-up the supplier does not know is not found")
async def _(b: ReloadlyBench) -> None:
    assert (await b.carrier.status(b.request(), "404")).status is NOT_FOUND
    assert (await b.carrier.status(b.request(), "../accounts")).status is NOT_FOUND


@case("a report without states is asked on")
async def _(b: ReloadlyBench) -> None:
    b.strike("fails_later", times=1)
    await b.carrier.submit(b.request())
    b.strike("no_status_in_report")
    assert (await b.carrier.find(b.request())).status is PROCESSING
    b.clock.advance(600)
    assert (await b.carrier.find(b.request())).status is REJECTED


@case("a report that is not filtered is read on, up to a point")
async def _(b: ReloadlyBench) -> None:
    operator, now = b.state.operators[3], b.clock.now()
    await b.carrier.submit(b.request())
    b.strike("filter_ignored")
    for n in range(300):
        b.state.top_up(operator, SMART[1:], Decimal(50), True, f"other-{n}", now)
    assert (await b.carrier.find(b.request())).status is SUCCEEDED
    for n in range(1000):
        b.state.top_up(operator, SMART[1:], Decimal(50), True, f"more-{n}", now)
    found = await b.carrier.find(b.request())
    assert (found.status, found.reason) == (UNKNOWN, "report_too_long")


@case("of several top-ups with our reference the delivered one counts")
async def _(b: ReloadlyBench) -> None:
    b.strike("fails_later", times=1)
    await b.carrier.submit(b.request())
    b.clock.advance(600)
    operator = b.state.operators[3]
    b.state.top_up(operator, SMART[1:], Decimal(50), True, "ref-1", b.clock.now())
    found = await b.carrier.find(b.request())
    assert (found.status, found.supplier_ref) == (SUCCEEDED, str(b.last().id))


# ---- webhooks ----------------------------------------------------------------------------


async def told(b: ReloadlyBench) -> Webhook:
    if not b.state.topups:
        await b.carrier.submit(b.request())
    return webhook(b.state, b.last(), b.clock.now(), b.faults)


@case("a webhook names our reference, signed either way")
async def _(b: ReloadlyBench) -> None:
    for _n in range(2):
        one = await told(b)
        (hint,) = b.carrier.parse_webhook(one.headers, one.body)
        assert hint == Hint(hint.event_id, ref="ref-1")
        b.strike("webhook_dot")


@case("a webhook before the answer to the purchase names it already")
async def _(b: ReloadlyBench) -> None:
    b.http.timeout = httpx.Timeout(0.5)
    b.strike("slow_after_success")
    buying = asyncio.create_task(b.carrier.submit(b.request()))
    await asyncio.sleep(0.25)
    one = await told(b)
    assert b.carrier.parse_webhook(one.headers, one.body)[0].ref == "ref-1"
    assert (await buying).status is UNKNOWN


@case("the same webhook twice is one event, another status another one")
async def _(b: ReloadlyBench) -> None:
    b.strike("stays_processing", times=1)
    b.strike("webhook_twice")
    await b.carrier.submit(b.request())
    first = webhooks_due(b.state, b.clock.now(), b.faults)
    b.clock.advance(600)
    later = webhooks_due(b.state, b.clock.now(), b.faults)
    events = [b.carrier.parse_webhook(one.headers, one.body)[0].event_id for one in first + later]
    assert len(events) == 4
    assert len(set(events)) == 2
    assert webhooks_due(b.state, b.clock.now(), b.faults) == []


def bad_webhook(title: str, match: str, fault: str | None = None, **spoiled: str) -> None:
    async def check(b: ReloadlyBench) -> None:
        if fault:
            b.strike(fault)
        one = await told(b)
        headers = {**one.headers, **{f"x-reloadly-{k}": v for k, v in spoiled.items()}}
        with pytest.raises(WebhookRefused, match=match):
            b.carrier.parse_webhook(headers, one.body)

    case(f"a webhook is refused: {title}")(check)


bad_webhook("a wrong signature", "wrong signature", "webhook_forged")
bad_webhook("no signature", "wrong signature", signature="")
bad_webhook("a signature of odd characters", "wrong signature", signature="签名")
bad_webhook("an hour old", "too old", "webhook_old")


@case("a webhook is refused: another body than the signed one")
async def _(b: ReloadlyBench) -> None:
    one = await told(b)
    with pytest.raises(WebhookRefused, match="wrong signature"):
        b.carrier.parse_webhook(one.headers, one.body.replace(b"ref-1", b"ref-2"))


@case("webhooks are refused without a secret")
async def _(b: ReloadlyBench) -> None:
    one = await told(b)
    plain = Reloadly(b.settings(webhook_secret=None), b.http, b.clock)
    with pytest.raises(WebhookRefused, match="no webhook secret"):
        plain.parse_webhook(one.headers, one.body)


@case("what is due is posted, and a deaf listener does no harm")
async def _(b: ReloadlyBench) -> None:
    await b.carrier.submit(b.request())
    await send_webhooks(f"{b.base_url}/deaf", b.state, b.clock, b.faults, b.calls, b.http)
    sent = [call for call in b.calls.after() if call.to == "webhook"]
    assert [call.status for call in sent] == [406]
    assert sent[0].request["data"]["transaction"]["status"] == "SUCCESSFUL"


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_carrier(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
