"""eSIM Access and `manual` when asked: readings, plans, wallet, and honesty when in trouble."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.carriers.esim_access import EsimAccess
from bot.demo.esim_access_state import GB
from bot.domain.money import Money
from bot.domain.sims import SimState
from bot.ports import TopUpStatus
from tests.contract.bench_esim_access import PLAN, a_sim
from tests.contract.bench_esim_access import EsimAccessBench as Bench
from tests.contract.carrier_bench import Host, unavailable
from tests.contract.carrier_table import Adapter, Check, Table

TABLE = Table("esim_access", "manual")
case = TABLE.case


# ---- of every adapter --------------------------------------------------------------------


@case("what it can't read it refuses to invent", lambda c: not c.reads)
async def _(b: Bench) -> None:
    assert await unavailable(b.carrier.snapshot(b.sim())) == "by_hand"
    assert await b.carrier.resolve(iccid=b.sim().iccid, msisdn=None) is None
    assert await b.carrier.plans(b.sim()) == []
    assert await b.carrier.wallet() is None


@case("what it can't find it does not call missing", lambda c: not c.finds)
async def _(b: Bench) -> None:
    assert await unavailable(b.carrier.find(b.request())) == "by_hand"


@case("a person's top-up is under way", lambda c: c.by_hand)
async def _(b: Bench) -> None:
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason) == (TopUpStatus.PROCESSING, "by_hand")


@case("an unknown number is nobody's", lambda c: True)
async def _(b: Bench) -> None:
    assert await b.carrier.resolve(iccid=None, msisdn="+818012345678") is None
    assert await b.carrier.resolve(iccid="89852041000000009999", msisdn=None) is None


# ---- reading -----------------------------------------------------------------------------


@case("a SIM is found by its ICCID")
async def _(b: Bench) -> None:
    found = await b.carrier.resolve(iccid="89852041000000001015", msisdn=None)
    assert found is not None
    assert found.supplier_ref == b.sim().supplier_ref
    assert found.activation_code is not None
    assert found.reading is not None
    assert found.reading.state is SimState.ACTIVE


@case("a reused ICCID leads to its living line")
async def _(b: Bench) -> None:
    living = b.state.profiles[0]
    for n, place in enumerate((0, len(b.state.profiles) + 1)):
        gone = living.model_copy(update={"status": "REVOKED", "esim_tran_no": str(n)})
        b.state.profiles.insert(place, gone)
    found = await b.carrier.resolve(iccid=living.iccid, msisdn=None)
    assert found is not None
    assert found.supplier_ref == living.esim_tran_no


@case("a reading tells data, validity, age and top-ups left")
async def _(b: Bench) -> None:
    reading = await b.carrier.snapshot(b.sim())
    assert reading.state is SimState.ACTIVE
    assert reading.data_total == 3 * GB
    assert reading.data_used == 3 * GB * 62 // 100
    assert reading.expiry == b.state.profiles[0].expires_at.replace(microsecond=0)
    assert reading.topups_left == 10
    assert b.clock.now() - reading.as_of < timedelta(seconds=30)


def state_case(name: str, n: int, expected: SimState, status: str = "", days: int = 0) -> None:
    async def check(b: Bench) -> None:
        if status:
            b.state.profiles[n].status = status
        b.clock.advance(days * 86400)
        assert (await b.carrier.snapshot(b.sim(n))).state is expected

    case(f"state {name}")(check)


state_case("pending activation", 2, SimState.PENDING_ACTIVATION)
state_case("used up", 3, SimState.USED_UP)
state_case("expired after use", 0, SimState.EXPIRED, days=4)
state_case("expired unused", 2, SimState.EXPIRED, days=200)
state_case("suspended", 0, SimState.SUSPENDED, "SUSPENDED")
state_case("cancelled", 2, SimState.LOST, "CANCEL")
state_case("revoked", 0, SimState.LOST, "REVOKED")
state_case("that nobody knows yet", 0, SimState.UNKNOWN, "SOMETHING_NEW")


@case("an old measurement keeps its age")
async def _(b: Bench) -> None:
    first = await b.carrier.snapshot(b.sim())
    b.strike("reading_lags")
    b.state.use(str(b.sim().supplier_ref), GB // 2, b.clock.now())
    b.clock.advance(3 * 3600)
    late = await b.carrier.snapshot(b.sim())
    assert (late.data_used, late.as_of) == (first.data_used, first.as_of)
    assert late.taken_at - late.as_of >= timedelta(hours=3)


@case("a SIM the supplier does not know can't be read")
async def _(b: Bench) -> None:
    stranger = a_sim("esim_access", "404", None)
    assert await unavailable(b.carrier.snapshot(stranger)) == "unknown_sim"
    assert await unavailable(b.carrier.find(replace(b.request(), sim=stranger))) == "unknown_sim"
    assert await unavailable(b.carrier.plans(a_sim("esim_access", None, None))) == "unknown_sim"


@case("plans are for the SIM's region, with cost rounded up")
async def _(b: Bench) -> None:
    plans = {plan.code: plan for plan in await b.carrier.plans(b.sim())}
    assert all(code.startswith("TOPUP_JP_") for code in plans)
    assert len(plans) == 7
    assert plans[PLAN].cost == Money.of("1.24", "USD")
    assert (plans[PLAN].days, plans[PLAN].data) == (30, GB)


@case("a day pass, priced per day, is not offered")
async def _(b: Bench) -> None:
    assert "TOPUP_JP_PASS" not in {plan.code for plan in await b.carrier.plans(b.sim())}


@case("the wallet is rounded down")
async def _(b: Bench) -> None:
    b.state.balance = 1_239_999
    assert await b.carrier.wallet() == Money.of("123.99", "USD")


@case("numbers and success as text, bare lists and unknown fields read the same")
async def _(b: Bench) -> None:
    b.strike("reading_lags")  # holds the time of measurement still

    async def everything() -> tuple[object, ...]:
        reading = await b.carrier.snapshot(b.sim())
        plans = await b.carrier.plans(b.sim())
        return replace(reading, taken_at=reading.as_of), plans, await b.carrier.wallet()

    plain = await everything()
    b.strike("string_success")
    assert await everything() == plain


# ---- reading from a supplier in trouble --------------------------------------------------


@case("busy once: asks again")
async def _(b: Bench) -> None:
    b.strike("busy_900001", times=1)
    assert await b.carrier.wallet() is not None


@case("wrong keys are named as such")
async def _(b: Bench) -> None:
    stranger = EsimAccess(b.state.access_code, "wrong", b.base_url, b.http, b.clock)
    assert await unavailable(stranger.wallet()) == "credentials"
    answer = await stranger.submit(b.request(max_cost=None))
    assert (answer.status, answer.reason) == (TopUpStatus.REJECTED, "credentials")


@case("signatures follow real time, whatever the clock says")
async def _(b: Bench) -> None:
    b.clock.advance(365 * 86400)
    assert await b.carrier.wallet() is not None


@case("never more than eight requests a second")
async def _(b: Bench) -> None:
    began = time.monotonic()
    await asyncio.gather(*(b.carrier.wallet() for _ in range(9)))
    assert time.monotonic() - began >= 1


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_carrier(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
