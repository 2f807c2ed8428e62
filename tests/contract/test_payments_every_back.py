"""What every PaymentMethod promises of money that goes back, and with its provider in trouble.

Each case runs on each adapter it fits; it knows an adapter only through its Bench.
"""

import asyncio
import socket
from dataclasses import replace

import pytest

from bot.domain.money import Money
from bot.ports import (
    PaymentRefused,
    PaymentUnavailable,
    Return,
    Returns,
    Standing,
)
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import EPOCH, Bench, one_charge, refused, unavailable
from tests.contract.payment_table import (
    Adapter,
    Check,
    Table,
    both,
    finds,
    returns,
    returns_part,
)

PAID = Standing.PAID
TABLE = Table()
case = TABLE.case


# ---- money back --------------------------------------------------------------------------


@case("all of it goes back", returns)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    assert await b.paying.refund(payment, b.refund(payment)) is Return.DONE
    assert b.returned("pay0001") == charge.amount.minor
    if b.paying.capabilities.finds:
        told = one_charge(await b.paying.lookup(payment))
        assert (told.amount, told.returned) == (charge.amount, charge.amount.minor)


@case("a part goes back, then the rest", returns_part)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    half = charge.amount.minor // 2
    assert await b.paying.refund(payment, b.refund(payment, half, "back0001")) is Return.DONE
    assert b.returned("pay0001") == half
    rest = charge.amount.minor - half
    assert await b.paying.refund(payment, b.refund(payment, rest, "back0002")) is Return.DONE
    assert b.returned("pay0001") == charge.amount.minor


@case("equal parts under two ids are two refunds", returns_part)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    some = charge.amount.minor // 5
    for ref in ("back0001", "back0002"):
        assert await b.paying.refund(payment, b.refund(payment, some, ref)) is Return.DONE
    assert b.returned("pay0001") == 2 * some


@case("a part is refused where only all can go back", lambda can, _: can.returns is Returns.WHOLE)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    await refused(b.paying.refund(payment, b.refund(payment, charge.amount.minor // 2)))
    assert b.returned("pay0001") == 0


@case("a refund asked twice goes back once", returns)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    for _n in range(2):
        assert await b.paying.refund(payment, b.refund(payment)) is Return.DONE
    assert b.returned("pay0001") == charge.amount.minor


@case("a part asked twice goes back once", returns_part, needs="forgets_keys")
async def _(b: Bench) -> None:
    b.strike("forgets_keys")
    payment, charge = await b.paid()
    some = charge.amount.minor // 5
    for _n in range(3):
        assert await b.paying.refund(payment, b.refund(payment, some)) is Return.DONE
    assert b.returned("pay0001") == some


def doubted_refund(title: str, *faults: str, seconds: float = 10.0) -> None:
    async def check(b: Bench) -> None:
        payment, charge = await b.paid()
        part = b.paying.capabilities.returns is Returns.PART
        minor = charge.amount.minor // 5 if part else charge.amount.minor
        refund = b.refund(payment, minor)
        for fault in faults[1:]:
            b.strike(fault)
        b.strike(faults[0], times=1)
        await unavailable(b.another(seconds=seconds).refund(payment, refund))
        assert await b.paying.refund(payment, refund) is Return.DONE
        assert b.returned("pay0001") == minor

    applies = both(returns, lambda can, bench: all(fault in bench.misbehaviour for fault in faults))
    case(f"a refund in doubt goes back once: {title}", applies)(check)


doubted_refund("answer lost", "answer_lost")
doubted_refund("answer lost, keys forgotten", "answer_lost", "forgets_keys")
doubted_refund("answer too slow", "answer_slow", seconds=0.3)
doubted_refund("it never arrived", "never_arrives")
doubted_refund("done, but HTTP 500, keys forgotten", "done_500", "forgets_keys")


@case("more than was taken is refused", returns)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    if "over_refund" in b.misbehaviour:
        b.strike("over_refund")
    await refused(b.paying.refund(payment, b.refund(payment, charge.amount.minor + 10)))
    assert b.returned("pay0001") == 0


@case("two refunds together are never more than was taken", returns_part)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    if "over_refund" in b.misbehaviour:
        b.strike("over_refund")
    most = charge.amount.minor * 8 // 10
    await b.paying.refund(payment, b.refund(payment, most, "back0001"))
    await refused(b.paying.refund(payment, b.refund(payment, most, "back0002")))
    assert b.returned("pay0001") == most


@case("what went back elsewhere counts too", returns_part)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    if "over_refund" in b.misbehaviour:
        b.strike("over_refund")
    some = charge.amount.minor // 2
    await b.return_outside(charge, some)
    await refused(b.paying.refund(payment, b.refund(payment)))
    assert b.returned("pay0001") == some


@case("a refund in another currency is refused", returns)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    other = "CHF" if charge.amount.currency != "CHF" else "NOK"
    wrong = replace(b.refund(payment), amount=Money(charge.amount.minor, other))
    await refused(b.paying.refund(payment, wrong))
    assert b.returned("pay0001") == 0


@case("what was never taken can't go back", returns)
async def _(b: Bench) -> None:
    payment, _shown = await b.asked()
    assert await refused(b.paying.refund(payment, b.refund(payment))) == "no_charge"


@case("a refund under way is told as that, then done", returns, needs="refund_pending")
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    b.strike("refund_pending", times=1)
    assert await b.paying.refund(payment, b.refund(payment)) is Return.PENDING
    b.clock.advance(600)
    assert await b.paying.refund(payment, b.refund(payment)) is Return.DONE
    assert b.returned("pay0001") == charge.amount.minor


@case("a refund that fails on its way is told", returns, needs="refund_fails")
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    b.strike("refund_fails", times=1)
    assert await b.paying.refund(payment, b.refund(payment)) is Return.PENDING
    b.clock.advance(600)
    assert await refused(b.paying.refund(payment, b.refund(payment))) == "refund_failed"
    assert b.returned("pay0001") == 0
    again = b.refund(payment, ref="back0002")
    assert await b.paying.refund(payment, again) is Return.DONE
    assert b.returned("pay0001") == charge.amount.minor


# ---- a provider in trouble ---------------------------------------------------------------


def trouble(fault: str) -> None:
    async def check(b: Bench) -> None:
        payment, _charge = await b.paid()
        waiting, _shown = await b.asked("pay0002")
        can = b.paying.capabilities
        b.strike(fault)
        if b.asks:
            await unavailable(b.paying.request(b.payment("pay0003"), b.bill()))
        if can.finds:
            await unavailable(b.paying.lookup(payment))
            await unavailable(b.paying.list_since(EPOCH))
        if can.cancels:
            await unavailable(b.paying.cancel(waiting))
        if can.returns is not Returns.NOTHING:
            await unavailable(b.paying.refund(payment, b.refund(payment)))
        b.calm()
        assert b.returned("pay0001") == 0
        if can.finds:
            assert (await b.paying.lookup(payment)).standing is PAID

    case(f"{fault}: unavailable, and no wrong fact", needs=fault)(check)


for _fault in ("http_500", "http_429", "garbage", "other_shape"):
    trouble(_fault)


@case("it breaks when it should act: unavailable, nothing done", returns, needs="acting_500")
async def _(b: Bench) -> None:
    payment, _charge = await b.paid()
    b.strike("acting_500", times=2)
    await unavailable(b.paying.request(b.payment("pay0002"), b.bill()))
    await unavailable(b.paying.refund(payment, b.refund(payment)))
    assert (b.attempts("pay0002"), b.returned("pay0001")) == (0, 0)


@case("nobody listens: unavailable", finds)
async def _(b: Bench) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        lonely = b.another(address=f"http://127.0.0.1:{closed.getsockname()[1]}")
        await unavailable(lonely.lookup(replace(b.payment(), provider_ref="ref-1")))
        await unavailable(lonely.list_since(EPOCH))


@case("keys that nobody knows find nothing out", finds)
async def _(b: Bench) -> None:
    payment, _charge = await b.paid()
    stranger = b.another(wrong_keys=True)
    await unavailable(stranger.lookup(payment))
    await unavailable(stranger.list_since(EPOCH))
    if returns(b.paying.capabilities, type(b)):
        with pytest.raises((PaymentUnavailable, PaymentRefused)):
            await stranger.refund(payment, b.refund(payment))
    assert b.returned("pay0001") == 0


@case("twenty questions at once are all answered", finds)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    founds = await asyncio.gather(*(b.paying.lookup(payment) for _ in range(20)))
    assert {one_charge(found).id for found in founds} == {charge.id}


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_payment(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
