"""Stars over the Bot API stand-in: what only they have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.demo.botapi.models import Invoice
from bot.demo.botapi.payments import _charge, refund_star_payment
from bot.domain.money import STARS, Money
from bot.payments.stars import Stars
from bot.ports import PaymentRefused, Return, Standing
from tests.contract.bench_telegram import StarsBench, stars_bench
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import EPOCH, PAYER, refused, unavailable

DAY = 24 * 3600


@pytest.fixture
async def bench() -> AsyncIterator[StarsBench]:
    host = Host()
    async with serving(host) as address, stars_bench(host, address) as found:
        yield found


def stars(bench: StarsBench) -> Stars:
    assert isinstance(bench.paying, Stars)
    return bench.paying


def crowd(bench: StarsBench, payments: int) -> None:
    """Others pay, a minute apart."""
    emma = bench.world.people[1002]
    for number in range(payments):
        _charge(bench.world, emma, Invoice("t", "d", f"other{number}", 1))
        bench.clock.offset += 60


@pytest.mark.parametrize("others", [0, 1, 99, 100, 101, 250, 1234])
async def test_a_charge_is_found_among_many(bench: StarsBench, others: int) -> None:
    crowd(bench, others)
    payment, charge = await bench.paid()
    assert (charge.reference, charge.amount, charge.payer_id) == (payment.id, bench.amount, PAYER)
    crowd(bench, others)
    assert (await bench.paying.lookup(payment)).charges == (charge,)
    assert (await bench.paying.lookup(bench.payment("pay0002"))).standing is Standing.OPEN


async def test_the_whole_account_is_listed_once(bench: StarsBench) -> None:
    crowd(bench, 321)
    listed = [charge.reference for charge in await bench.paying.list_since(EPOCH)]
    assert listed == [f"other{number}" for number in range(321)]
    half = bench.clock.now() - timedelta(minutes=60)
    assert len(await bench.paying.list_since(half)) in (59, 60)


async def test_the_end_of_the_account_is_not_searched_for_twice(bench: StarsBench) -> None:
    crowd(bench, 5000)
    payment, _ = await bench.paid()
    before = len(bench.calls.after())
    await bench.paying.lookup(payment)
    assert len(bench.calls.after()) - before <= 3


async def test_a_refund_shows_on_its_charge_alone(bench: StarsBench) -> None:
    payment, charge = await bench.paid()
    other, second = await bench.paid("pay0002")
    assert await bench.paying.refund(payment, bench.refund(payment)) is Return.DONE
    returned = {one.id: one.returned for one in await bench.paying.list_since(EPOCH)}
    assert returned == {charge.id: 650, second.id: 0}
    assert (await bench.paying.lookup(other)).charges == (second,)


async def test_a_refund_asked_for_again_is_done_once(bench: StarsBench) -> None:
    payment, _ = await bench.paid()
    refund = bench.refund(payment)
    assert await bench.paying.refund(payment, refund) is Return.DONE
    assert await bench.paying.refund(payment, refund) is Return.DONE
    assert bench.returned(payment.id) == 650
    assert bench.world.people[PAYER].stars == 50_000


async def test_a_refund_whose_answer_got_lost_is_done_by_asking_again(bench: StarsBench) -> None:
    payment, _ = await bench.paid()
    bench.strike("answer_lost", times=1)
    await unavailable(bench.paying.refund(payment, bench.refund(payment)))
    assert bench.returned(payment.id) == 650
    assert await bench.paying.refund(payment, bench.refund(payment)) is Return.DONE
    assert bench.returned(payment.id) == 650


async def test_a_part_does_not_go_back(bench: StarsBench) -> None:
    payment, _ = await bench.paid()
    assert await refused(bench.paying.refund(payment, bench.refund(payment, 1))) == "whole_only"
    unknown = replace(payment, charge_id="stx-nobody-knows")
    assert await refused(bench.paying.refund(unknown, bench.refund(payment))) == "no_charge"
    unpaid = bench.payment("pay0002")
    assert await refused(bench.paying.refund(unpaid, bench.refund(unpaid))) == "no_charge"
    assert bench.returned(payment.id) == 0


async def test_it_can_be_paid_until_our_answer_says_no(bench: StarsBench) -> None:
    payment, shown = await bench.asked()
    assert (await bench.paying.cancel(payment)).standing is Standing.OPEN
    await bench.pay(payment, shown)
    assert (await bench.paying.cancel(payment)).standing is Standing.PAID


async def test_a_second_payment_of_one_invoice_is_told_too(bench: StarsBench) -> None:
    payment, shown = await bench.asked()
    await bench.pay(payment, shown)
    await bench.pay(payment, shown)
    found = await bench.paying.lookup(payment)
    assert len({charge.id for charge in found.charges}) == 2


async def test_a_forwarded_invoice_leads_to_the_bot(bench: StarsBench) -> None:
    await bench.asked()
    await bench.asked("pay0002", order_id=None, deposit_id="dep00001")
    sent = [each.invoice for each in bench.world.messages[PAYER].values() if each.invoice]
    assert [one.start_parameter for one in sent] == ["order-order001", "wallet-dep00001"]


async def test_long_words_are_cut_and_not_refused(bench: StarsBench) -> None:
    bill = bench.bill(title="卡" * 40, description="天" * 300, label="天" * 40)
    shown = await bench.paying.request(bench.payment(), bill)
    assert shown.message_id is not None
    [invoice] = [one for one in bench.world.messages[PAYER].values() if one.invoice]
    assert invoice.data["invoice"]["title"] == "卡" * 31 + "…"


@pytest.mark.parametrize("stays_away", ["blocked", "deactivated"])
async def test_who_is_gone_is_a_plain_no(bench: StarsBench, stays_away: str) -> None:
    setattr(bench.world.people[PAYER], stays_away, True)
    assert await refused(bench.paying.request(bench.payment(), bench.bill())) == "refused"


async def test_a_subscription_is_a_link_whose_every_charge_is_found(bench: StarsBench) -> None:
    payment = bench.payment()
    shown = await bench.paying.request(payment, bench.bill(keep=True))
    assert shown.message_id is None
    assert shown.url in bench.world.invoice_links
    await bench.pay(payment, shown)
    bench.clock.advance(61 * DAY)
    found = await bench.paying.lookup(payment)
    assert [charge.amount for charge in found.charges] == [bench.amount] * 3
    last = bench.captured(payment, found.charges[-1])
    assert await bench.paying.refund(last, bench.refund(last)) is Return.DONE
    again = await bench.paying.lookup(payment)
    assert [charge.returned for charge in again.charges] == [0, 0, 650]


async def test_a_subscription_is_stopped_and_allowed_again(bench: StarsBench) -> None:
    payment = bench.payment()
    await bench.pay(payment, await bench.paying.request(payment, bench.bill(keep=True)))
    [kept] = bench.world.subscriptions.values()
    for cancelled in (True, True, False, False):
        await stars(bench).subscription(PAYER, kept.id, cancelled=cancelled)
        assert kept.by_bot is cancelled
    assert kept.cancelled
    bench.clock.advance(31 * DAY)
    ended = stars(bench).subscription(PAYER, kept.id, cancelled=True)
    assert await refused(ended) == "not_active"
    nobodys = stars(bench).subscription(PAYER, "stx-nobody-knows", cancelled=True)
    assert await refused(nobodys) == "no_charge"
    assert len(bench.taken(payment.id)) == 1


async def test_a_subscription_may_cost_ten_thousand(bench: StarsBench) -> None:
    dear = bench.payment(amount=Money(10_001, STARS))
    with pytest.raises(PaymentRefused, match="not_payable"):
        await bench.paying.request(dear, bench.bill(keep=True))
    assert (await bench.paying.request(dear, bench.bill())).message_id is not None


async def test_the_same_code_for_what_an_operator_returned_elsewhere(bench: StarsBench) -> None:
    payment, charge = await bench.paid()
    refund_star_payment(bench.world, {"user_id": PAYER, "telegram_payment_charge_id": charge.id})
    assert await bench.paying.refund(payment, bench.refund(payment)) is Return.DONE
    assert (await bench.charge_of(payment)).returned == 650
