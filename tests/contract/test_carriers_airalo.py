"""Airalo Partners beyond what every supplier's adapter must pass: grace, tokens, look-ups."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.carriers.airalo import Airalo
from bot.demo.airalo_webhooks import notification, signed
from bot.domain.money import Money
from bot.domain.sims import Reading, SimState
from bot.ports import Hint, SupplierQuote, TopUpStatus, WebhookRefused
from tests.contract.bench_airalo import AiraloBench as Bench
from tests.contract.bench_airalo import a_sim
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host, unavailable
from tests.contract.carrier_table import Adapter, Check, Table

SUCCEEDED, REJECTED, UNKNOWN, NOT_FOUND, NOT_SENT = (
    TopUpStatus.SUCCEEDED,
    TopUpStatus.REJECTED,
    TopUpStatus.UNKNOWN,
    TopUpStatus.NOT_FOUND,
    TopUpStatus.NOT_SENT,
)
MB = 1 << 20
EVER = datetime(2026, 1, 1, tzinfo=UTC)
BOOM = "boom-jp-30days-1gb-topup"
STRANGER = "8981040000000099993"
TABLE = Table("airalo")
case = TABLE.case


def grace(**changes: Any) -> dict[str, Any]:
    """A request for the eSIM that expired ten days ago."""
    return {"n": 0, "supplier_code": BOOM, **changes}


# ---- reading -----------------------------------------------------------------------------


@case("an eSIM is found by its ICCID, with its activation code and its reading")
async def _(b: Bench) -> None:
    found = await b.carrier.resolve(iccid=b.sim().iccid, msisdn=None)
    assert found is not None
    assert (found.supplier_ref, found.iccid) == (b.sim().iccid, b.sim().iccid)
    assert found.activation_code == b.state.esims[1].activation_code
    assert found.reading is not None
    told = await b.carrier.snapshot(b.sim())
    assert replace(found.reading, taken_at=EVER, as_of=EVER) == replace(
        told, taken_at=EVER, as_of=EVER
    )


@case("an unknown ICCID or number is nobody's, and odd text is not asked about")
async def _(b: Bench) -> None:
    assert await b.carrier.resolve(iccid=STRANGER, msisdn=None) is None
    asked = len(b.calls.after())
    assert await b.carrier.resolve(iccid=None, msisdn="+13125550100") is None
    assert await b.carrier.resolve(iccid="../balance", msisdn=None) is None
    assert len(b.calls.after()) == asked


@case("a reading tells data in bytes, validity and the end of the grace")
async def _(b: Bench) -> None:
    reading = await b.carrier.snapshot(b.sim())
    expiry = b.state.esims[1].expires_at
    assert expiry is not None
    assert reading.state is SimState.ACTIVE
    assert (reading.data_total, reading.data_used) == (5120 * MB, 3072 * MB)
    assert reading.data_share_left == pytest.approx(0.4)
    assert reading.expiry == expiry
    assert reading.grace_end == expiry + timedelta(days=180)
    assert (reading.minutes_left, reading.sms_left, reading.topups_left) == (None, None, None)


@case("an eSIM past its expiry is in its grace, until its operator's day")
async def _(b: Bench) -> None:
    reading = await b.carrier.snapshot(b.sim(0))
    assert reading.state is SimState.EXPIRED
    assert reading.expiry is not None
    assert reading.grace_end == reading.expiry + timedelta(days=120)


@case("minutes and messages are told where the package has some; a grace not told is not known")
async def _(b: Bench) -> None:
    b.state.esims[3].used_voice = 30
    reading = await b.carrier.snapshot(b.sim(3))
    assert (reading.minutes_left, reading.sms_left, reading.grace_end) == (70, 50, None)


@case("the data of an unlimited package is not told as zero")
async def _(b: Bench) -> None:
    unlimited = "change-30days-unlimited-topup"
    await b.carrier.submit(b.request(supplier_code=unlimited, max_cost=None))
    reading = await b.carrier.snapshot(b.sim())
    assert (reading.data_total, reading.data_used) == (None, None)
    plans = {plan.code: plan for plan in await b.carrier.plans(b.sim())}
    assert plans[unlimited].data is None


def state_case(name: str, n: int, expected: SimState, **told: Any) -> None:
    async def check(b: Bench) -> None:
        b.state.esims[n] = b.state.esims[n].model_copy(update=told)
        assert (await b.carrier.snapshot(b.sim(n))).state is expected

    case(f"state {name}")(check)


state_case("pending activation", 2, SimState.PENDING_ACTIVATION)
state_case("used up", 1, SimState.USED_UP, used_mb=5120)
state_case("expired", 0, SimState.EXPIRED)
state_case("recycled", 0, SimState.LOST, status="RECYCLED")
state_case("unknown to the supplier itself", 1, SimState.UNKNOWN, status="UNKNOWN")
state_case("that nobody knows yet", 1, SimState.UNKNOWN, status="FROZEN")


@case("a SIM the supplier does not know can't be read, nor topped up")
async def _(b: Bench) -> None:
    for sim in (a_sim(STRANGER), a_sim(None)):
        assert await unavailable(b.carrier.snapshot(sim)) == "unknown_sim"
        assert await unavailable(b.carrier.plans(sim)) == "unknown_sim"
        for cap in (b.cap, None):
            answer = await b.carrier.submit(b.request(sim=sim, max_cost=cap))
            assert (answer.status, answer.reason) == (REJECTED, "unknown_sim")


@case("a discount gives the same kind of price as a net price")
async def _(b: Bench) -> None:
    net = {plan.code: plan.cost for plan in await b.carrier.plans(b.sim())}
    b.strike("discount_pricing")
    less = {plan.code: plan.cost for plan in await b.carrier.plans(b.sim())}
    assert net[b.plan] == Money.of("1.50", "USD")
    assert less[b.plan] == Money.of("4", "USD")  # 5 dollars less 20 %


@case("a reading in other types reads the same")
async def _(b: Bench) -> None:
    async def readings() -> list[Reading]:
        told = [await b.another().snapshot(b.sim(n)) for n in range(3)]
        return [replace(one, taken_at=EVER, as_of=EVER) for one in told]

    b.state.tokens_per_minute = 100
    plain = await readings()
    b.strike("other_types")
    assert await readings() == plain


@case("the catalogue is asked for hourly at most; a reading does without it")
async def _(b: Bench) -> None:
    for _n in range(3):
        await b.carrier.snapshot(b.sim())
    assert (b.asked("/packages"), b.asked("/sims/{iccid}")) == (1, 1)
    b.state.operators[1].grace_days = None
    assert (await b.another().snapshot(b.sim())).grace_end is None


# ---- the grace ---------------------------------------------------------------------------


@case("in its grace an eSIM is topped up, and its validity begins anew")
async def _(b: Bench) -> None:
    before = await b.carrier.snapshot(b.sim(0))
    answer = await b.carrier.submit(b.request(**grace()))
    assert answer.status is SUCCEEDED
    after = await b.carrier.snapshot(b.sim(0))
    assert (after.state, after.data_left) == (SimState.ACTIVE, 1024 * MB)
    assert before.expiry is not None
    assert after.expiry is not None
    assert after.expiry > b.clock.now() + timedelta(days=29)


@case("after its grace nothing is sold for it, and nothing is sent")
async def _(b: Bench) -> None:
    b.clock.advance(111 * 86400)
    expired = replace(b.sim(0), expiry=b.state.esims[0].expires_at)
    for sim in (b.sim(0), expired):
        assert await b.carrier.plans(sim) == []
        refused = SupplierQuote(refused="not_sold_now")
        assert await b.carrier.quote(sim, BOOM, None) == refused
        answer = await b.carrier.submit(b.request(**grace(sim=sim)))
        assert (answer.status, answer.reason) == (REJECTED, "not_sold_now")
    assert b.asked(b.buys) == 0
    answer = await b.carrier.submit(b.request(**grace(max_cost=None)))
    assert (answer.status, answer.reason, b.topups()) == (REJECTED, "not_sold_now", 0)


@case("while it is valid its top-ups are listed without a reading")
async def _(b: Bench) -> None:
    valid = replace(b.sim(), expiry=b.clock.now() + timedelta(days=3))
    assert b.plan in {plan.code for plan in await b.carrier.plans(valid)}
    assert b.asked("/sims/{iccid}/usage") == 0


@case("a recycled eSIM is sold nothing")
async def _(b: Bench) -> None:
    b.state.esims[1].status = "RECYCLED"
    assert await b.carrier.plans(b.sim()) == []
    valid = replace(b.sim(), expiry=b.clock.now() + timedelta(days=3))
    assert await b.carrier.plans(valid) == []
    answer = await b.carrier.submit(b.request(max_cost=None))
    assert (answer.status, answer.reason, b.topups()) == (REJECTED, "recycled", 0)


# ---- tokens and pace ---------------------------------------------------------------------


@case("one token serves them all")
async def _(b: Bench) -> None:
    await asyncio.gather(*(b.carrier.wallet() for _ in range(12)), b.carrier.snapshot(b.sim()))
    assert b.asked("/token") == 1


@case("a token refused before its time is renewed once")
async def _(b: Bench) -> None:
    await b.carrier.wallet()
    b.strike("token_revoked", times=1)
    assert await b.carrier.wallet() is not None
    assert (b.asked("/token"), b.asked("/balance")) == (2, 3)


@case("a token refused again and again is a matter of credentials")
async def _(b: Bench) -> None:
    b.strike("token_revoked")
    assert await unavailable(b.carrier.wallet()) == "credentials"
    assert b.asked("/token") == 2


@case("a token refused while buying: nothing was bought, the call is not repeated")
async def _(b: Bench) -> None:
    await b.carrier.wallet()
    b.strike("token_revoked", times=1)
    answer = await b.carrier.submit(b.request(max_cost=None))
    assert (answer.status, answer.reason) == (NOT_SENT, "credentials")
    assert (b.asked(b.buys), b.topups()) == (1, 0)
    assert (await b.carrier.submit(b.request(max_cost=None))).status is SUCCEEDED


@case("no more tokens for a minute: nothing is sent")
async def _(b: Bench) -> None:
    for _n in range(3):
        await b.another().wallet()
    late = b.another()
    assert await unavailable(late.wallet()) == "busy"
    answer = await late.submit(b.request(max_cost=None))
    assert (answer.status, answer.reason, b.asked(b.buys)) == (NOT_SENT, "busy", 0)


@case("a wait of a minute is not sat out")
async def _(b: Bench) -> None:
    began = time.monotonic()
    for _n in range(10):
        await b.carrier.snapshot(b.sim())
    assert await unavailable(b.carrier.snapshot(b.sim())) == "busy"
    assert time.monotonic() - began < 5


@case("five requests a second and no more")
async def _(b: Bench) -> None:
    slow = Airalo(b.state.client_id, b.state.client_secret, b.base_url, b.http, b.clock)
    began = time.monotonic()
    await asyncio.gather(*(slow.wallet() for _ in range(6)))
    assert time.monotonic() - began >= 1


@case("another secret's signature is refused")
async def _(b: Bench) -> None:
    await b.carrier.wallet()
    b.state.client_secret = "changed meanwhile"
    answer = await b.carrier.submit(b.request(max_cost=None))
    assert (answer.status, answer.reason, b.topups()) == (REJECTED, "credentials", 0)


# ---- buying ------------------------------------------------------------------------------


def refusal(fault: str, reason: str) -> None:
    async def check(b: Bench) -> None:
        b.strike(fault)
        balance = b.state.balance
        answer = await b.carrier.submit(b.request())
        assert (answer.status, answer.reason) == (REJECTED, reason)
        assert (b.topups(), b.state.balance, b.asked(b.buys)) == (0, balance, 1)

    case(f"refused: {fault}")(check)


refusal("maintenance_13", "maintenance")
refusal("disabled_23", "not_sold_now")
refusal("limit_reached", "not_allowed")


@case("something unexpected (53) may have been bought, and was")
async def _(b: Bench) -> None:
    b.strike("unexpected_53", times=1)
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.topups()) == (UNKNOWN, "server_error", 1)
    assert (await b.carrier.find(b.request())).status is SUCCEEDED


@case("a top-up adds data and validity, and waits with an eSIM not yet activated")
async def _(b: Bench) -> None:
    before = await b.carrier.snapshot(b.sim())
    await b.carrier.submit(b.request())
    after = await b.carrier.snapshot(b.sim())
    assert after.data_total == (before.data_total or 0) + 1024 * MB
    assert before.expiry is not None
    assert after.expiry == before.expiry + timedelta(days=30)
    waiting = b.request(n=2, supplier_code=BOOM)
    assert (await b.carrier.submit(waiting)).status is SUCCEEDED
    reading = await b.carrier.snapshot(b.sim(2))
    assert (reading.state, reading.expiry) == (SimState.PENDING_ACTIVATION, None)
    assert reading.data_total == 2048 * MB


# ---- looking up --------------------------------------------------------------------------


async def lost(b: Bench, ref: str = "ref-1") -> None:
    """A top-up is bought, and its answer lost."""
    b.strike("timeout_after_success", times=1)
    assert (await b.carrier.submit(b.request(ref))).status is UNKNOWN


@case("a shown reference is found even after a restart")
async def _(b: Bench) -> None:
    b.strike("echoes_description")
    await lost(b)
    found = await b.another().find(b.request())
    assert (found.status, found.supplier_ref) == (SUCCEEDED, str(b.state.last_order_id))
    assert (await b.another().find(b.request("ref-2"))).status is NOT_FOUND


@case("after a restart an order without a reference proves nothing")
async def _(b: Bench) -> None:
    await lost(b)
    found = await b.another().find(b.request())
    assert (found.status, found.reason) == (UNKNOWN, "no_references")


@case("an order that names no eSIM proves nothing")
async def _(b: Bench) -> None:
    await lost(b)
    b.strike("names_no_sim")
    found = await b.carrier.find(b.request())
    assert (found.status, found.reason) == (UNKNOWN, "ambiguous")


@case("two orders that both may be ours prove nothing")
async def _(b: Bench) -> None:
    await lost(b)
    esim = b.state.esims[1]
    package = b.state.operator(esim).topups[1]
    b.state.top_up(esim, package, 150, "by hand", b.clock.now(), timedelta(0))
    found = await b.carrier.find(b.request())
    assert (found.status, found.reason) == (UNKNOWN, "ambiguous")


@case("the same top-up of an hour ago, of another package or another eSIM, is not it")
async def _(b: Bench) -> None:
    esim, other = b.state.esims[1], b.state.esims[0]
    cheap, larger = b.state.operator(esim).topups[1:3]
    b.state.top_up(esim, cheap, 150, "earlier", b.clock.now(), timedelta(0))
    b.clock.advance(3600)
    b.strike("drop_before_accept", times=1)
    assert (await b.carrier.submit(b.request())).status is UNKNOWN
    b.state.top_up(esim, larger, 510, "larger", b.clock.now(), timedelta(0))
    b.state.top_up(other, cheap, 150, "elsewhere", b.clock.now(), timedelta(0))
    longer = esim.model_copy(update={"iccid": esim.iccid + "9"})
    b.state.top_up(longer, cheap, 150, "a longer ICCID", b.clock.now(), timedelta(0))
    assert (await b.carrier.find(b.request())).status is NOT_FOUND


@case("a lost top-up is not taken for the one before, whose order is known")
async def _(b: Bench) -> None:
    assert (await b.carrier.submit(b.request("first"))).status is SUCCEEDED
    b.strike("drop_before_accept", times=1)
    assert (await b.carrier.submit(b.request("second"))).status is UNKNOWN
    assert (await b.carrier.find(b.request("second"))).status is NOT_FOUND


@case("an order's state is told as it is")
async def _(b: Bench) -> None:
    answer = await b.carrier.submit(b.request())
    ref = str(answer.supplier_ref)
    for status, told in (
        ("completed", SUCCEEDED),
        ("refunded", TopUpStatus.REVERSED),
        ("pending", TopUpStatus.PROCESSING),
        ("odd", UNKNOWN),
    ):
        b.state.orders[0].status = status
        assert (await b.carrier.status(b.request(), ref)).status is told
        assert (await b.carrier.find(b.request())).status is told
    assert (await b.carrier.status(b.request(), "404")).status is NOT_FOUND
    assert (await b.carrier.status(b.request(), "../balance")).status is NOT_FOUND


# ---- webhooks ----------------------------------------------------------------------------


@case("a notification of low data names its eSIM; its repetition is the same event")
async def _(b: Bench) -> None:
    headers, body = notification(b.state, str(b.sim().iccid), "data_75")
    (hint,) = b.carrier.parse_webhook(headers, body)
    assert hint == Hint(hint.event_id, supplier_ref=b.sim().iccid, iccid=b.sim().iccid)
    assert b.carrier.parse_webhook(headers, body) == [hint]
    b.clock.advance(2 * 86400)
    assert b.carrier.parse_webhook(headers, body)[0].event_id != hint.event_id


@case("a notification of credit is about no eSIM")
async def _(b: Bench) -> None:
    told = {"message": "Surpassed 80% of the credit limit balance", "remaining": 225.35}
    (hint,) = b.carrier.parse_webhook(*signed(b.state, told))
    assert hint == Hint(hint.event_id)


@case("a forged, changed or unknown notification is refused")
async def _(b: Bench) -> None:
    headers, body = notification(b.state, str(b.sim().iccid), "expire_1")
    strange = signed(b.state, {"hello": 1})
    for given, text in (({}, body), (headers, body + b" "), (headers, b"{}"), strange):
        with pytest.raises(WebhookRefused):
            b.carrier.parse_webhook(given, text)
    with pytest.raises(WebhookRefused):
        b.carrier.parse_webhook({"airalo-signature": "é"}, body)


@case("the stand-in sends a signed notification where we opted in, on loopback only")
async def _(b: Bench) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: Request) -> Response:
        if request.method == "POST":
            got.append((dict(request.headers), await request.body()))
        return Response()

    await b.carrier.wallet()
    auth = {"Authorization": f"Bearer {b.state.tokens[-1]}"}
    ours = Starlette(routes=[Route("/airalo", take, methods=["HEAD", "POST"])])
    async with serving(ours) as address:
        for url, status in (("http://example.com/", 422), (f"{address}/airalo", 200)):
            asked = {"type": "webhook_low_data", "webhook_url": url}
            answer = await b.http.post(
                f"{b.base_url}/notifications/opt-in", headers=auth, json=asked
            )
            assert answer.status_code == status
        asked = {"event": "low_data_notification", "type": "data_90", "iccid": str(b.sim().iccid)}
        answer = await b.http.post(f"{b.base_url}/simulator/webhook", headers=auth, json=asked)
        assert answer.json() == {"success": "Notification sent"}
    (hint,) = b.carrier.parse_webhook(*got[0])
    assert hint.iccid == b.sim().iccid


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_carrier(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
