"""What every PaymentMethod promises of its provider's list and calls, and of what was kept.

Each case runs on each adapter it fits; it knows an adapter only through its Bench.
"""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog.testing

from bot.ports import (
    Call,
    Forgetting,
    PaymentMethod,
    PaymentRefused,
    PaymentUnavailable,
    Standing,
    WebhookRefused,
)
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import EPOCH, Bench, one_charge, unavailable
from tests.contract.payment_table import (
    Adapter,
    Check,
    Table,
    calls_us,
    finds,
    returns,
    saves,
)

ENDED, UNKNOWN = Standing.ENDED, Standing.UNKNOWN
TABLE = Table()
case = TABLE.case


# ---- the provider's list -----------------------------------------------------------------


@case("the list has everything taken, with what went back", finds)
async def _(b: Bench) -> None:
    kept, charge = await b.paid("pay0001")
    gone, other = await b.paid("pay0002")
    await b.asked("pay0003")
    if returns(b.paying.capabilities, type(b)):
        await b.paying.refund(gone, b.refund(gone))
    listed = {one.id: one for one in await b.paying.list_since(kept.created_at)}
    assert set(listed) == {charge.id, other.id}
    assert (listed[charge.id].reference, listed[charge.id].returned) == ("pay0001", 0)
    assert listed[charge.id].amount == charge.amount
    assert listed[other.id].returned == b.returned("pay0002")


@case("what was taken before is not in the list", finds)
async def _(b: Bench) -> None:
    await b.paid("pay0001")
    b.clock.advance(3600)
    since = b.clock.now() - timedelta(minutes=5)
    _payment, charge = await b.paid("pay0002")
    assert [one.id for one in await b.paying.list_since(since)] == [charge.id]


@case("a declined try is not in the list", finds)
async def _(b: Bench) -> None:
    payment, shown = await b.asked()
    await b.decline(payment, shown)
    assert list(await b.paying.list_since(EPOCH)) == []


@case("the list is read to its end", finds, needs="short_pages")
async def _(b: Bench) -> None:
    ids = {(await b.paid(f"pay000{n}"))[1].id for n in range(5)}
    b.strike("short_pages")
    listed = [one.id for one in await b.paying.list_since(EPOCH)]
    assert (set(listed), len(listed)) == (ids, 5)


# ---- the provider's calls ----------------------------------------------------------------


@case("a call tells which payment it is about, and its own name", calls_us)
async def _(b: Bench) -> None:
    payment, _charge = await b.paid()
    [event] = await b.paying.parse_event(b.told(payment))
    assert event.event_id
    assert event.reference in (None, payment.id)
    assert event.provider_ref in (None, payment.provider_ref)
    assert event.reference or event.provider_ref


@case("a call that comes again has the same name", calls_us)
async def _(b: Bench) -> None:
    payment, _charge = await b.paid()
    call = b.told(payment)
    assert await b.paying.parse_event(call) == await b.paying.parse_event(call)


@case("the calls of two payments have different names", calls_us)
async def _(b: Bench) -> None:
    (one, _), (two, _) = await b.paid("pay0001"), await b.paid("pay0002")
    [first] = await b.paying.parse_event(b.told(one))
    [second] = await b.paying.parse_event(b.told(two))
    assert first.event_id != second.event_id


@case("a forged call is refused", calls_us)
async def _(b: Bench) -> None:
    payment, _charge = await b.paid()
    with pytest.raises(WebhookRefused):
        await b.paying.parse_event(b.forged(payment))


@case("a call signed an hour ago is refused", calls_us)
async def _(b: Bench) -> None:
    payment, _charge = await b.paid()
    stale = b.stale(payment)
    if stale is not None:
        with pytest.raises(WebhookRefused):
            await b.paying.parse_event(stale)


@case("what was changed on its way is refused", calls_us)
async def _(b: Bench) -> None:
    payment, _charge = await b.paid()
    call = b.told(payment)
    changed = replace(
        call,
        body=call.body.replace(b"pay0001", b"pay0009"),
        query={key: item.replace("pay0001", "pay0009") for key, item in call.query.items()},
    )
    assert changed != call
    with pytest.raises(WebhookRefused):
        await b.paying.parse_event(changed)


@case("a call that is none is refused", calls_us)
async def _(b: Bench) -> None:
    for body in (b"", b"hello", b"[]", b"{}", b'{"a": 1}', b"\xff\xfe", b"null"):
        with pytest.raises(WebhookRefused):
            await b.paying.parse_event(Call(body))


@case("a call that concerns no payment tells nothing", calls_us)
async def _(b: Bench) -> None:
    assert list(await b.paying.parse_event(b.unrelated())) == []


# ---- what was kept -----------------------------------------------------------------------


@case("nothing is kept unasked", saves)
async def _(b: Bench) -> None:
    _payment, charge = await b.paid()
    assert charge.kept is None


@case("what was kept is charged once, exactly", saves)
async def _(b: Bench) -> None:
    token = await b.keep()
    payment = b.payment("renew001", saved_id="saved001")
    first = one_charge(await b.paying.charge_saved(payment, token, b.bill()))
    assert (first.amount, first.reference) == (b.amount, "renew001")
    again = one_charge(await b.paying.charge_saved(payment, token, b.bill()))
    assert again.id == first.id
    assert one_charge(await b.paying.lookup(payment)).id == first.id
    assert b.taken("renew001") == [b.amount]


@case("charging again whose answer was lost takes once", saves, needs="answer_lost")
async def _(b: Bench) -> None:
    token = await b.keep()
    if "forgets_keys" in b.misbehaviour:
        b.strike("forgets_keys")
    payment = b.payment("renew001", saved_id="saved001")
    b.strike("answer_lost", times=1)
    await unavailable(b.paying.charge_saved(payment, token, b.bill()))
    assert one_charge(await b.paying.lookup(payment)).amount == b.amount
    assert one_charge(await b.paying.charge_saved(payment, token, b.bill())).amount == b.amount
    assert b.taken("renew001") == [b.amount]


@case("what never arrived took nothing, and is unknown", saves, needs="never_arrives")
async def _(b: Bench) -> None:
    token = await b.keep()
    payment = b.payment("renew001", saved_id="saved001")
    b.strike("never_arrives", times=1)
    await unavailable(b.paying.charge_saved(payment, token, b.bill()))
    assert (await b.paying.lookup(payment)).standing is UNKNOWN
    assert b.taken("renew001") == []


@case("what nobody kept can't be charged", saves)
async def _(b: Bench) -> None:
    payment = b.payment("renew001", saved_id="saved001")
    found = await b.paying.charge_saved(payment, "no-such-token", b.bill())
    assert (found.standing, bool(found.reason)) == (ENDED, True)


@case("what was kept is forgotten, asked once or twice", saves)
async def _(b: Bench) -> None:
    token = await b.keep()
    for _n in range(2):
        await forgetting(b.paying).forget_saved(token)
    found = await b.paying.charge_saved(b.payment("renew001", saved_id="s1"), token, b.bill())
    assert (found.standing, bool(found.reason)) == (ENDED, True)
    assert b.taken("renew001") == []


@case("what was charged before is not undone by forgetting", saves)
async def _(b: Bench) -> None:
    token = await b.keep()
    payment = b.payment("renew001", saved_id="s1")
    charge = one_charge(await b.paying.charge_saved(payment, token, b.bill()))
    await forgetting(b.paying).forget_saved(token)
    assert one_charge(await b.paying.lookup(payment)).id == charge.id


@case("forgetting whose answer was lost is asked for again", saves, needs="answer_lost")
async def _(b: Bench) -> None:
    token = await b.keep()
    for _n in range(2):  # it may take more than one call
        b.strike("answer_lost", times=1)
        await unavailable(forgetting(b.paying).forget_saved(token))
    await forgetting(b.paying).forget_saved(token)
    found = await b.paying.charge_saved(b.payment("renew001", saved_id="s1"), token, b.bill())
    assert found.standing is ENDED


@case("forgetting in trouble assumes nothing, and nothing has happened", saves)
async def _(b: Bench) -> None:
    token = await b.keep()
    for fault in ("never_arrives", "http_500", "http_429", "acting_500"):
        if fault in b.misbehaviour:
            b.strike(fault)
            await unavailable(forgetting(b.paying).forget_saved(token))
            b.calm()
    await unavailable(forgetting(b.another(wrong_keys=True)).forget_saved(token))
    one_charge(await b.paying.charge_saved(b.payment("renew001", saved_id="s1"), token, b.bill()))


@case("an answer to forgetting that is none is no word", saves, needs="garbage")
async def _(b: Bench) -> None:
    token = await b.keep()
    b.strike("garbage")
    await unavailable(forgetting(b.paying).forget_saved(token))
    b.calm()
    await forgetting(b.paying).forget_saved(token)


@case("forgetting what nobody kept is no trouble", saves)
async def _(b: Bench) -> None:
    for token in ("no-such-token", "cus_gone/pm_gone", ""):
        await forgetting(b.paying).forget_saved(token)


def forgetting(paying: PaymentMethod) -> Forgetting:
    """What keeps can also forget."""
    assert isinstance(paying, Forgetting)
    return paying


# ---- the rest ----------------------------------------------------------------------------


@case("no secret reaches the log")
async def _(b: Bench) -> None:
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{record.getMessage()} {record.args} {record.exc_info}")

    ear, root = Ear(), logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.INFO)
    try:
        with structlog.testing.capture_logs() as logs:
            payment, _charge = await b.paid()
            if returns(b.paying.capabilities, type(b)):
                await b.paying.refund(payment, b.refund(payment))
            with pytest.raises((PaymentUnavailable, PaymentRefused)):
                await b.another(wrong_keys=True).refund(payment, b.refund(payment, ref="back0009"))
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
    for secret in b.secrets():
        assert secret not in str(logs)
        assert secret not in str(heard)
        assert secret not in str(b.calls.after())


@case("closing twice does no harm")
async def _(b: Bench) -> None:
    other = b.another()
    await other.close()
    await other.close()
    await b.asked()


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_payment(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
