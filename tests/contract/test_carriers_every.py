"""What every Carrier promises, whatever its supplier: each case runs on each adapter it fits.

The cases know an adapter only through its Bench. Misbehaviours they ask for, of those that can
show them: answer_lost, answer_slow, never_arrives, http_500, http_429 (of every call),
buying_500, buying_429 (of the call that buys), wallet_empty, lookup_lags, price_moves,
other_types, repeat_is_refused, slow_final, fails_later, reverses.
"""

import asyncio
import socket
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog.testing

from bot.domain.money import Money
from bot.ports import Capabilities, SupplierQuote, TopUpStatus, WebhookRefused
from tests.contract.carrier_bench import Bench, Host, unavailable
from tests.contract.carrier_table import Adapter, Check, Table

SUCCEEDED, PROCESSING, REJECTED, UNKNOWN, NOT_FOUND, NOT_SENT, REVERSED = (
    TopUpStatus.SUCCEEDED,
    TopUpStatus.PROCESSING,
    TopUpStatus.REJECTED,
    TopUpStatus.UNKNOWN,
    TopUpStatus.NOT_FOUND,
    TopUpStatus.NOT_SENT,
    TopUpStatus.REVERSED,
)
TABLE = Table()
case = TABLE.case


def finds(can: Capabilities) -> bool:
    return can.finds


# ---- asking ------------------------------------------------------------------------------


@case("what is sold has either a cost or a range, and what we sell is among it")
async def _(b: Bench) -> None:
    plans = await b.carrier.plans(b.sim())
    assert all((plan.cost is None) != (plan.amount is None) for plan in plans)
    assert b.plan in {plan.code for plan in plans}
    assert len({plan.code for plan in plans}) == len(plans)


@case("a price is told before it is paid, within the cap")
async def _(b: Bench) -> None:
    quote = await b.carrier.quote(b.sim(), b.plan, b.amount)
    assert quote.refused is None
    assert quote.cost is not None
    assert quote.cost <= b.cap


@case("what is not sold has no price")
async def _(b: Bench) -> None:
    quote = await b.carrier.quote(b.sim(), "no-such-plan", b.amount)
    assert quote == SupplierQuote(refused="not_sold_now")


@case("the wallet is money, of the currency costs are in")
async def _(b: Bench) -> None:
    wallet = await b.carrier.wallet()
    assert wallet is not None
    assert wallet.minor > 0
    assert wallet.currency == b.cap.currency


@case("who does not read invents no reading", lambda can: not can.reads and not can.by_hand)
async def _(b: Bench) -> None:
    assert await unavailable(b.carrier.snapshot(b.sim())) == "no_readings"


@case("an answer in other types and with unknown fields reads the same", needs="other_types")
async def _(b: Bench) -> None:
    async def everything() -> tuple[object, ...]:
        plans = await b.carrier.plans(b.sim())
        return plans, await b.carrier.quote(b.sim(), b.plan, b.amount), await b.carrier.wallet()

    plain = await everything()
    b.strike("other_types")
    assert await everything() == plain


# ---- asking a supplier in trouble --------------------------------------------------------


@case("HTTP 500 is unavailable", needs="http_500")
async def _(b: Bench) -> None:
    b.strike("http_500")
    assert await unavailable(b.carrier.wallet()) == "http_500"
    assert await unavailable(b.carrier.plans(b.sim())) == "http_500"
    if b.carrier.capabilities.finds:
        assert await unavailable(b.carrier.find(b.request())) == "http_500"


@case("too many requests: waits as told, then answers", needs="http_429")
async def _(b: Bench) -> None:
    await b.carrier.wallet()
    b.strike("http_429", times=1)
    began = time.monotonic()
    assert await b.carrier.wallet() is not None
    assert time.monotonic() - began >= 0.9


@case("too many requests without end: gives up", needs="http_429")
async def _(b: Bench) -> None:
    b.strike("http_429")
    assert await unavailable(b.carrier.wallet()) == "busy"


@case("nobody listens: unavailable to read, nothing sent to buy")
async def _(b: Bench) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        lonely = b.another(address=f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert await unavailable(lonely.wallet()) == "not_sent"
        for cap in (b.cap, None):
            answer = await lonely.submit(b.request(max_cost=cap))
            assert (answer.status, answer.reason) == (NOT_SENT, "not_sent")


@case("keys that nobody knows buy nothing")
async def _(b: Bench) -> None:
    stranger = b.another(wrong_keys=True)
    assert await unavailable(stranger.wallet()) == "credentials"
    answer = await stranger.submit(b.request(max_cost=None))
    assert answer.status in (REJECTED, NOT_SENT)
    assert answer.reason == "credentials"
    assert b.topups() == 0


@case("twenty questions at once are all answered")
async def _(b: Bench) -> None:
    answers = await asyncio.gather(*(b.carrier.wallet() for _ in range(20)))
    assert len(set(answers)) == 1


# ---- buying ------------------------------------------------------------------------------


@case("a top-up is bought once, at the price told before, and is found")
async def _(b: Bench) -> None:
    quote = await b.carrier.quote(b.sim(), b.plan, b.amount)
    before = await b.carrier.wallet()
    answer = await b.carrier.submit(b.request())
    after = await b.carrier.wallet()
    assert answer.status is SUCCEEDED
    assert answer.supplier_ref
    assert (b.asked(b.buys), b.topups()) == (1, 1)
    assert before is not None
    assert after is not None
    assert quote.cost is not None
    assert abs((before - after - quote.cost).minor) <= 1
    if b.carrier.capabilities.finds:
        found = await b.carrier.find(b.request())
        assert (found.status, found.supplier_ref) == (SUCCEEDED, answer.supplier_ref)


@case("its state can be asked by the supplier's own reference")
async def _(b: Bench) -> None:
    answer = await b.carrier.submit(b.request())
    status = await b.carrier.status(b.request(), str(answer.supplier_ref))
    assert (status.status, status.supplier_ref) == (SUCCEEDED, answer.supplier_ref)


@case("what was never bought is not found", finds)
async def _(b: Bench) -> None:
    assert (await b.carrier.find(b.request())).status is NOT_FOUND


@case("another top-up's reference is not ours", finds)
async def _(b: Bench) -> None:
    await b.carrier.submit(b.request("ref-10"))
    assert (await b.carrier.find(b.request("ref-1"))).status is NOT_FOUND


def refusal(title: str, reason: str, needs: str | None = None, **changes: Any) -> None:
    async def check(b: Bench) -> None:
        if needs:
            b.strike(needs)
        answer = await b.carrier.submit(replace(b.request(), **changes))
        assert (answer.status, answer.reason, b.topups()) == (REJECTED, reason, 0)

    case(f"refused: {title}", needs=needs)(check)


refusal("our wallet is empty", "no_money", "wallet_empty")
refusal("the cap is in another currency", "cost_currency", max_cost=Money(900, "KRW"))
refusal("nobody sells that", "not_sold_now", supplier_code="no-such-plan")


@case("refused: it costs more than the cap, and nothing is sent")
async def _(b: Bench) -> None:
    answer = await b.carrier.submit(b.request(max_cost=Money(1, b.cap.currency)))
    assert (answer.status, answer.reason) == (REJECTED, "price_moved")
    assert (b.asked(b.buys), b.topups()) == (0, 0)


@case("the price moved above the cap: nothing is bought", needs="price_moves")
async def _(b: Bench) -> None:
    b.strike("price_moves")
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.topups()) == (REJECTED, "price_moved", 0)


@case("the price can't be read: nothing is sent", needs="http_500")
async def _(b: Bench) -> None:
    b.strike("http_500")
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.asked(b.buys)) == (NOT_SENT, "http_500", 0)


def doubt(title: str, fault: str, reason: str, bought: int) -> None:
    async def check(b: Bench) -> None:
        quoted = (await b.carrier.quote(b.sim(), b.plan, b.amount)).quoted
        b.http.timeout = httpx.Timeout(0.5 if fault == "answer_slow" else 10)
        b.strike(fault)
        answer = await b.carrier.submit(b.request(max_cost=None, quoted=quoted))
        assert (answer.status, answer.reason) == (UNKNOWN, reason)
        assert (b.asked(b.buys), b.topups()) == (1, bought)
        b.calm()
        if b.carrier.capabilities.finds:
            found = await b.carrier.find(b.request())
            assert found.status is (SUCCEEDED if bought else NOT_FOUND)

    case(f"asked once and looked up: {title}", needs=fault)(check)


doubt("bought, connection lost", "answer_lost", "connection_lost", 1)
doubt("bought, answer too slow", "answer_slow", "timeout", 1)
doubt("lost on the way there", "never_arrives", "connection_lost", 0)
doubt("HTTP 500", "buying_500", "http_500", 0)
doubt("too many requests", "buying_429", "busy", 0)


@case("a look-up that lags says not found, later found", finds, needs="lookup_lags")
async def _(b: Bench) -> None:
    b.strike("lookup_lags", times=1)
    b.strike("answer_lost", times=1)
    assert (await b.carrier.submit(b.request())).status is UNKNOWN
    assert (await b.carrier.find(b.request())).status is NOT_FOUND
    b.clock.advance(180)
    assert (await b.carrier.find(b.request())).status is SUCCEEDED


@case("one reference twice buys once", lambda can: can.unique_refs)
async def _(b: Bench) -> None:
    first = await b.carrier.submit(b.request())
    again = await b.carrier.submit(b.request())
    assert (first.status, b.topups()) == (SUCCEEDED, 1)
    assert again.status in (SUCCEEDED, UNKNOWN)
    assert (await b.carrier.find(b.request())).supplier_ref == first.supplier_ref


@case("one reference twice buys twice", lambda can: not can.unique_refs and not can.by_hand)
async def _(b: Bench) -> None:
    for _n in range(2):
        assert (await b.carrier.submit(b.request())).status is SUCCEEDED
    assert b.topups() == 2


@case("a refused repeat is no proof that nothing was bought", needs="repeat_is_refused")
async def _(b: Bench) -> None:
    await b.carrier.submit(b.request())
    b.strike("repeat_is_refused")
    again = await b.carrier.submit(b.request())
    assert again.status in (UNKNOWN, SUCCEEDED)
    assert b.topups() == 1


@case("success in other types is success", needs="other_types")
async def _(b: Bench) -> None:
    b.strike("other_types")
    answer = await b.carrier.submit(b.request())
    assert answer.status is SUCCEEDED
    status = await b.carrier.status(b.request(), str(answer.supplier_ref))
    assert (status.status, status.supplier_ref) == (SUCCEEDED, answer.supplier_ref)


@case("a top-up under way ends well later", needs="slow_final")
async def _(b: Bench) -> None:
    b.strike("slow_final", times=1)
    answer = await b.carrier.submit(b.request())
    assert (answer.status, bool(answer.supplier_ref)) == (PROCESSING, True)
    ref = str(answer.supplier_ref)
    assert (await b.carrier.status(b.request(), ref)).status is PROCESSING
    b.clock.advance(600)
    assert (await b.carrier.status(b.request(), ref)).status is SUCCEEDED
    assert (await b.carrier.find(b.request())).status is SUCCEEDED


@case("a top-up under way fails later, and cost nothing", needs="fails_later")
async def _(b: Bench) -> None:
    before = await b.carrier.wallet()
    b.strike("fails_later", times=1)
    answer = await b.carrier.submit(b.request())
    assert answer.status is PROCESSING
    b.clock.advance(600)
    assert (await b.carrier.status(b.request(), str(answer.supplier_ref))).status is REJECTED
    assert (await b.carrier.find(b.request())).status is REJECTED
    assert await b.carrier.wallet() == before


@case("a success taken back later is told as that", lambda can: can.reverses, needs="reverses")
async def _(b: Bench) -> None:
    before = await b.carrier.wallet()
    b.strike("reverses", times=1)
    answer = await b.carrier.submit(b.request())
    assert answer.status is SUCCEEDED
    b.clock.advance(3 * 3600)
    assert (await b.carrier.status(b.request(), str(answer.supplier_ref))).status is REVERSED
    assert (await b.carrier.find(b.request())).status is REVERSED
    assert await b.carrier.wallet() == before


# ---- the rest ----------------------------------------------------------------------------


@case("a webhook that is none is refused", lambda can: True)
async def _(b: Bench) -> None:
    for body in (b"", b"hello", b"[]", b"{}", b'{"a": 1}', b"\xff\xfe"):
        with pytest.raises(WebhookRefused):
            b.carrier.parse_webhook({}, body)


@case("no secret reaches the log")
async def _(b: Bench) -> None:
    with structlog.testing.capture_logs() as logs:
        await b.carrier.submit(b.request())
        await unavailable(b.another(wrong_keys=True).wallet())
    assert logs
    for secret in b.secrets():
        assert secret not in str(logs)
        assert secret not in str(b.calls.after())


@case("connections of others stay open")
async def _(b: Bench) -> None:
    await b.another().close()
    assert not b.http.is_closed


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_carrier(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
