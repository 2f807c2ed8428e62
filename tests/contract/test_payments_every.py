"""What every PaymentMethod promises of asking for money, and of what became of it.

Each case runs on each adapter it fits; it knows an adapter only through its Bench.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports import (
    Returns,
    Standing,
    Way,
)
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import EPOCH, Bench, one_charge, refused, unavailable
from tests.contract.payment_table import (
    Adapter,
    Check,
    Table,
    asks,
    cancels,
    finds,
    returns,
)

OPEN, ENDED, UNKNOWN = Standing.OPEN, Standing.ENDED, Standing.UNKNOWN
TABLE = Table()
case = TABLE.case


# ---- asking for money --------------------------------------------------------------------


@case("what is shown can be paid, and takes nothing by itself")
async def _(b: Bench) -> None:
    shown = await b.paying.request(b.payment(), b.bill())
    page = b.paying.capabilities.way is Way.PAGE
    assert (shown.url is not None, shown.message_id is not None) == (page, not page)
    assert b.attempts("pay0001") == 1
    assert b.taken("pay0001") == []


@case("a page's end is told, in the future", lambda can, bench: bench.page_ends is not None)
async def _(b: Bench) -> None:
    shown = await b.paying.request(b.payment(), b.bill())
    assert shown.ends_at is not None
    assert shown.ends_at > b.clock.now() + timedelta(minutes=15)


@case("asked again, it shows the same or another of the same reference; it is paid once")
async def _(b: Bench) -> None:
    payment, _shown = await b.asked()
    again = await b.paying.request(payment, b.bill())
    await b.pay(payment, again)
    charge = await b.charge_of(b.shown(payment, again))
    assert charge.amount == b.amount
    assert b.taken("pay0001") == [b.amount]


@case("asked twice at once, whichever is paid is ours")
async def _(b: Bench) -> None:
    payment = b.payment()
    one, two = await asyncio.gather(
        b.paying.request(payment, b.bill()), b.paying.request(payment, b.bill())
    )
    await b.pay(b.shown(payment, two), two)
    assert (await b.charge_of(b.shown(payment, two))).amount == b.amount
    assert one.provider_ref or one.url or one.message_id


@case("in another language it is asked again all the same")
async def _(b: Bench) -> None:
    await b.paying.request(b.payment(), b.bill())
    shown = await b.paying.request(b.payment(), b.bill(title="Speedtalk 30 天", language="en"))
    payment = b.shown(b.payment(), shown)
    await b.pay(payment, shown)
    assert (await b.charge_of(payment)).amount == b.amount
    assert b.taken("pay0001") == [b.amount]


@case("its answer is lost: unavailable, then asked again and paid once", asks, needs="answer_lost")
async def _(b: Bench) -> None:
    b.strike("answer_lost", times=1)
    await unavailable(b.paying.request(b.payment(), b.bill()))
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    assert (await b.charge_of(payment)).amount == b.amount
    assert b.taken("pay0001") == [b.amount]


@case("its answer is too slow: unavailable, then asked again", asks, needs="answer_slow")
async def _(b: Bench) -> None:
    b.strike("answer_slow", times=1)
    await unavailable(b.another(seconds=0.3).request(b.payment(), b.bill()))
    b.calm()
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    assert (await b.charge_of(payment)).amount == b.amount
    assert b.taken("pay0001") == [b.amount]


@case("it never arrives: unavailable, nothing can be paid", asks, needs="never_arrives")
async def _(b: Bench) -> None:
    b.strike("never_arrives", times=1)
    await unavailable(b.paying.request(b.payment(), b.bill()))
    assert b.attempts("pay0001") == 0
    await b.asked()
    assert b.attempts("pay0001") == 1


@case("an amount too small is refused", lambda can, bench: bench.too_small is not None)
async def _(b: Bench) -> None:
    payment = b.payment(amount=b.too_small)
    assert await refused(b.paying.request(payment, b.bill())) == "too_small"
    assert b.attempts("pay0001") == 0


@case("money it does not charge in is refused", lambda can, bench: bench.foreign is not None)
async def _(b: Bench) -> None:
    assert await refused(b.paying.request(b.payment(amount=b.foreign), b.bill())) == "currency"


@case(
    "exactly what was asked is taken, in currencies of any decimals",
    lambda can, bench: bool(bench.amounts),
)
async def _(b: Bench) -> None:
    for n, amount in enumerate(b.amounts):
        _payment, charge = await b.paid(f"pay100{n}", amount=amount)
        assert charge.amount == amount
        assert b.taken(f"pay100{n}") == [amount]


# ---- what became of it -------------------------------------------------------------------


@case("what nobody has paid yet is open", finds)
async def _(b: Bench) -> None:
    payment, _shown = await b.asked()
    found = await b.paying.lookup(payment)
    assert (found.standing, found.charges) == (OPEN, ())


@case("what was never asked for is unknown", finds)
async def _(b: Bench) -> None:
    found = await b.paying.lookup(b.payment())
    assert (found.standing, found.charges) == (UNKNOWN if b.sees_unpaid else OPEN, ())


@case("a payment is told with all that the core compares")
async def _(b: Bench) -> None:
    before = b.clock.now()
    payment, charge = await b.paid()
    assert charge.id
    assert charge.reference == payment.id
    assert charge.amount == b.amount
    assert (charge.returned, charge.disputed) == (0, False)
    assert abs(charge.at - before) < timedelta(minutes=5)


@case("looked up again, it is told the same", finds)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    assert one_charge(await b.paying.lookup(payment)) == charge


@case("another attempt's payment is not ours", finds)
async def _(b: Bench) -> None:
    await b.paid("pay00010")
    found = await b.paying.lookup(b.payment("pay0001"))
    assert found.standing is (UNKNOWN if b.sees_unpaid else OPEN)


@case("two attempts have two charges", finds)
async def _(b: Bench) -> None:
    (_one, first), (_two, second) = await b.paid("pay0001"), await b.paid("pay0002")
    assert first.id != second.id
    assert (first.reference, second.reference) == ("pay0001", "pay0002")


@case("declined is no money", finds)
async def _(b: Bench) -> None:
    payment, shown = await b.asked()
    await b.decline(payment, shown)
    found = await b.paying.lookup(payment)
    assert found.standing in ((OPEN,) if b.retries else (OPEN, ENDED))
    assert (found.charges, b.taken("pay0001")) == ((), [])


@case("declined, then paid on the same page", lambda can, bench: can.finds and bench.retries)
async def _(b: Bench) -> None:
    payment, shown = await b.asked()
    await b.decline(payment, shown)
    await b.pay(payment, shown)
    assert one_charge(await b.paying.lookup(payment)).amount == b.amount
    assert b.taken("pay0001") == [b.amount]


@case(
    "a page that ended says so, and takes no money",
    lambda can, bench: can.finds and bench.page_ends is not None,
)
async def _(b: Bench) -> None:
    payment, shown = await b.asked()
    assert b.page_ends is not None
    b.clock.advance(b.page_ends.total_seconds() + 60)
    found = await b.paying.lookup(payment)
    assert (found.standing, found.reason) == (ENDED, "expired")
    await b.pay(payment, shown)
    assert b.taken("pay0001") == []


@case(
    "by our reference alone an attempt is found, when the answer to it was lost",
    lambda can, bench: can.finds and bench.asks and bench.by_reference,
    needs="answer_lost",
)
async def _(b: Bench) -> None:
    b.strike("answer_lost", times=1)
    await unavailable(b.paying.request(b.payment(), b.bill()))
    assert (await b.paying.lookup(b.payment())).standing is OPEN


@case(
    "by our reference alone a payment is found",
    lambda can, bench: can.finds and bench.by_reference,
)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    blank = replace(payment, provider_ref=None, url=None, charge_id=None)
    assert one_charge(await b.paying.lookup(blank)) == charge


@case("answers in other types and with unknown fields read the same", finds, needs="other_types")
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    b.strike("other_types")
    assert one_charge(await b.paying.lookup(payment)) == charge
    assert charge.id in {one.id for one in await b.paying.list_since(EPOCH)}
    other, shown = await b.asked("pay0002")
    await b.pay(other, shown)
    assert one_charge(await b.paying.lookup(other)).amount == b.amount
    assert b.taken("pay0002") == [b.amount]


@case(
    "money that went back elsewhere is told", lambda can, bench: can.finds and returns(can, bench)
)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    part = b.paying.capabilities.returns is Returns.PART
    back = charge.amount.minor // 2 if part else charge.amount.minor
    await b.return_outside(charge, back)
    told = one_charge(await b.paying.lookup(payment))
    assert (told.id, told.amount, told.returned) == (charge.id, charge.amount, back)


@case("a dispute is told", lambda can, bench: can.finds and bench.disputes)
async def _(b: Bench) -> None:
    payment, charge = await b.paid()
    b.dispute(charge)
    assert one_charge(await b.paying.lookup(payment)).disputed
    assert [one.disputed for one in await b.paying.list_since(EPOCH)] == [True]


# ---- closing an attempt ------------------------------------------------------------------


@case("closed, it can't be paid any more", cancels)
async def _(b: Bench) -> None:
    payment, shown = await b.asked()
    assert (await b.paying.cancel(payment)).standing is ENDED
    assert b.attempts("pay0001") == 0
    await b.pay(payment, shown)
    assert b.taken("pay0001") == []
    assert (await b.paying.lookup(payment)).standing is ENDED


@case("closing what was paid meanwhile tells of the money", cancels)
async def _(b: Bench) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    assert one_charge(await b.paying.cancel(payment)).amount == b.amount
    assert b.returned("pay0001") == 0


@case("closing twice is closing once", cancels)
async def _(b: Bench) -> None:
    payment, _shown = await b.asked()
    assert (await b.paying.cancel(payment)).standing is ENDED
    assert (await b.paying.cancel(payment)).standing is ENDED


@case("what was never asked for has nothing to close", cancels)
async def _(b: Bench) -> None:
    found = await b.paying.cancel(b.payment())
    assert found.standing in (UNKNOWN, ENDED)


@case("closing whose answer is lost is asked again", cancels, needs="answer_lost")
async def _(b: Bench) -> None:
    payment, _shown = await b.asked()
    b.strike("answer_lost", times=1)
    await unavailable(b.paying.cancel(payment))
    assert (await b.paying.cancel(payment)).standing is ENDED
    assert b.attempts("pay0001") == 0


@case(
    "an attempt whose answer was lost is closed by our reference",
    lambda can, bench: can.cancels and bench.by_reference,
    needs="answer_lost",
)
async def _(b: Bench) -> None:
    b.strike("answer_lost", times=1)
    await unavailable(b.paying.request(b.payment(), b.bill()))
    assert b.attempts("pay0001") == 1
    assert (await b.paying.cancel(b.payment())).standing is ENDED
    assert b.attempts("pay0001") == 0


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_payment(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
