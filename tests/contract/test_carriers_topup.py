"""eSIM Access when it buys: at most once, and the truth about what is not known."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.esim_access_state import GB
from bot.domain.money import Money
from bot.domain.sims import SimState
from bot.ports import TopUpStatus
from tests.contract.bench_esim_access import EsimAccessBench as Bench
from tests.contract.bench_esim_access import a_sim
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
MONTH = timedelta(days=30)
TABLE = Table("esim_access", "manual")
case = TABLE.case


# ---- buying ------------------------------------------------------------------------------


@case("a top-up adds data and validity, costs its price, and is found")
async def _(b: Bench) -> None:
    before, wallet = await b.carrier.snapshot(b.sim()), b.state.balance
    answer = await b.carrier.submit(b.request())
    after = await b.carrier.snapshot(b.sim())
    assert answer.status is SUCCEEDED
    assert answer.supplier_ref is not None
    assert after.data_total == (before.data_total or 0) + GB
    assert before.expiry is not None
    assert after.expiry == before.expiry + MONTH
    assert after.topups_left == 9
    assert b.state.balance == wallet - 12_345
    assert await b.carrier.find(b.request()) == answer


@case("a top-up before activation adds data; the last day to activate stays")
async def _(b: Bench) -> None:
    request = replace(b.request(n=2), supplier_code="TOPUP_EU_M_1")
    before = await b.carrier.snapshot(request.sim)
    assert (await b.carrier.submit(request)).status is SUCCEEDED
    after = await b.carrier.snapshot(request.sim)
    assert (after.expiry, after.data_total) == (before.expiry, 6 * GB)


@case("a top-up brings a used-up SIM back")
async def _(b: Bench) -> None:
    assert (await b.carrier.submit(b.request(n=3))).status is SUCCEEDED
    assert (await b.carrier.snapshot(b.sim(3))).state is SimState.ACTIVE


@case("after expiry it is refused", lambda c: not c.after_expiry)
async def _(b: Bench) -> None:
    b.clock.advance(4 * 86400)
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.topups()) == (REJECTED, "not_allowed", 0)


@case("ten top-ups and no more")
async def _(b: Bench) -> None:
    for n in range(10):
        b.state.top_up(
            b.state.profiles[0], b.state.packages[0], f"r{n}", b.clock.now(), timedelta(0)
        )
    assert (await b.carrier.snapshot(b.sim())).topups_left == 0
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.topups()) == (REJECTED, "not_allowed", 10)


def refusal_case(name: str, reason: str, fault: str = "", sent: int = 1, **changes: Any) -> None:
    async def check(b: Bench) -> None:
        if fault:
            b.strike(fault)
        wallet = b.state.balance
        answer = await b.carrier.submit(replace(b.request(), **changes))
        assert (answer.status, answer.reason) == (REJECTED, reason)
        assert (b.topups(), b.state.balance, b.asked("/esim/topup")) == (0, wallet, sent)

    case(f"refused: {name}")(check)


refusal_case("our wallet is empty", "no_money", "wallet_empty")
refusal_case("the price moved after it was read", "price_moved", "price_changed")
refusal_case("it costs more than the cap", "price_moved", sent=0, max_cost=Money(123, "USD"))
refusal_case("the cap is in another currency", "cost_currency", sent=0, max_cost=Money(9, "EUR"))
refusal_case("not sold for this SIM", "not_sold_now", sent=0, supplier_code="TOPUP_US_M_1")
refusal_case("unknown without a cap", "not_sold_now", supplier_code="NO", max_cost=None)
refusal_case(
    "a SIM without the supplier's id", "unknown_sim", sent=0, sim=a_sim("esim_access", None, None)
)
refusal_case("a SIM of somebody else", "unknown_sim", sim=a_sim("x", "404", None), max_cost=None)


def doubt_case(name: str, fault: str, status: TopUpStatus, reason: str, bought: int) -> None:
    async def check(b: Bench) -> None:
        b.strike(fault)
        answer = await b.carrier.submit(b.request(max_cost=None))
        assert (answer.status, answer.reason) == (status, reason)
        assert (b.asked("/esim/topup"), b.topups()) == (1, bought)
        b.calm()
        found = await b.carrier.find(b.request())
        assert found.status is (SUCCEEDED if bought else NOT_FOUND)

    case(f"asked once and looked up: {name}")(check)


doubt_case("server error 000001", "server_error", UNKNOWN, "server_error", 0)
doubt_case("busy 900001", "busy_900001", PROCESSING, "busy", 0)


@case("a look-up that lags says not found, later found", lambda c: c.finds)
async def _(b: Bench) -> None:
    b.strike("lookup_lags", times=1)
    b.strike("timeout_after_success", times=1)
    before = await b.carrier.snapshot(b.sim())
    assert (await b.carrier.submit(b.request())).status is UNKNOWN
    assert (await b.carrier.find(b.request())).status is NOT_FOUND
    assert (await b.carrier.snapshot(b.sim())).expiry == before.expiry
    b.clock.advance(180)
    assert (await b.carrier.find(b.request())).status is SUCCEEDED


@case("a look-up without references proves nothing", lambda c: c.finds)
async def _(b: Bench) -> None:
    b.strike("unlisted_ref")
    assert (await b.carrier.find(b.request())).status is NOT_FOUND
    await b.carrier.submit(b.request())
    found = await b.carrier.find(b.request())
    assert (found.status, found.reason) == (UNKNOWN, "no_references")


@case("success in other types is success")
async def _(b: Bench) -> None:
    b.strike("string_success")
    assert (await b.carrier.submit(b.request())).status is SUCCEEDED
    assert (await b.carrier.find(b.request())).status is SUCCEEDED


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_carrier(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
