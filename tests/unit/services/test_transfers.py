"""Transfers with a proof: what is asked, what is handed in, what an operator says, and when."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain import ledger
from bot.domain.money import Money
from bot.domain.orders import RefundState
from bot.domain.quotes import Terms, Total
from bot.domain.sales import Method, Order, Payment
from bot.domain.transfers import Picture, ProofState, Same
from bot.services.selling import Refused
from bot.services.transfers import Account, Checked, Receiving
from bot.services.waiting import Action, Kind
from tests.unit.services.house import OPERATOR, SECOND, SELLING
from tests.unit.services.sale_house import BILL, Killed, P, S, Shop, sale_house
from tests.unit.services.test_money_properties import Mortal
from tests.unit.store.samples import ALICE, BOB, managed, quote

PRICE = Money(1290, "USD")
TOTALS = (*quote().totals, Total(Method.TRANSFER, PRICE, Money(0, "USD")))
TRANSFERS = replace(
    SELLING,
    terms={**SELLING.terms, Method.TRANSFER: Terms(("USD",)), Method.WALLET: Terms()},
)
ACCOUNT = Account({"en": "Bank", "zh": "银行"}, "Xuka, 12-34", "USD")


def picture(name: str = "a", look: str = "00ff00ff00ff00ff") -> Picture:
    return Picture(f"file-{name}", photo=True, sha256=name * 64, look=look)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with sale_house(tmp_path) as found:
        found.selling = TRANSFERS
        found.receiving = Receiving((ACCOUNT,), timedelta(hours=24))
        found.restart()
        await found.stock()
        yield found


async def asked(shop: Shop, number: int = 1, sim_id: str = "m1") -> tuple[Order, Payment]:
    """An order whose transfer is shown."""
    placed = await shop.place(number, sim_id=sim_id, totals=TOTALS)
    one = await shop.transfers.for_order(placed.id, ALICE)
    return await shop.order(placed.id), one.payment


async def proved(shop: Shop, number: str | None = None) -> tuple[Order, Payment, Checked]:
    order, payment = await asked(shop)
    checked = await shop.transfers.hand_in(payment.id, ALICE, picture(), number, 101)
    return order, payment, checked


async def again(shop: Shop, number: int) -> Payment:
    """Another SIM's transfer."""
    async with shop.database.write() as tx:
        await tx.sims.add(managed(f"s{number}", ALICE, supplier_ref=f"tran{number}"))
    return (await asked(shop, number, f"s{number}"))[1]


# ---- asking ------------------------------------------------------------------------------


async def test_a_transfer_bears_a_reference_and_waits_longer_than_the_quote(shop: Shop) -> None:
    order, payment = await asked(shop)
    assert (payment.state, payment.amount) == (P.PENDING, PRICE)
    assert payment.provider_ref is not None
    assert len(payment.provider_ref) == 6
    assert order.expires_at == order.created_at + timedelta(hours=24)
    shop.clock.advance(hours=5)
    await shop.paying.expire_due()
    again = await shop.transfers.for_order(order.id, ALICE)
    assert again.payment == payment
    assert again.until == order.expires_at
    assert shop.transfers.accounts("USD") == [ACCOUNT]
    assert shop.transfers.accounts("EUR") == []


async def test_an_order_that_waits_for_a_transfer_sells_no_old_rate(shop: Shop) -> None:
    order, _ = await asked(shop)
    shop.clock.advance(hours=1)
    with pytest.raises(Refused, match="quote_expired"):
        await shop.paying.pay(order.id, ALICE, Method.STARS, BILL)


async def test_unique_amounts_differ_and_are_never_above_the_total(shop: Shop) -> None:
    shop.receiving = replace(shop.receiving, unique_amount=True)
    shop.restart()
    amounts = {(await again(shop, number)).amount.minor for number in range(20)}
    assert len(amounts) == 20
    assert all(1290 - 99 <= minor < 1290 for minor in amounts)


async def test_a_transfer_ends_with_its_time_and_late_money_is_honoured(shop: Shop) -> None:
    order, payment = await asked(shop)
    shop.clock.advance(hours=25)
    await shop.paying.expire_due()
    assert (await shop.order(order.id)).state is S.EXPIRED
    checked = await shop.transfers.hand_in(payment.id, ALICE, picture(), None, 5)
    await shop.transfers.confirm(checked.proof.id, OPERATOR, None)
    assert (await shop.order(order.id)).state is S.PAID


async def test_another_way_to_pay_ends_the_transfer(shop: Shop) -> None:
    order, payment = await asked(shop)
    await shop.stars(order)
    [transfer, stars] = await shop.payments(order.id)
    assert (transfer.state, stars.state) == (P.CANCELLED, P.PENDING)
    back = await shop.transfers.for_order(order.id, ALICE)
    assert back.payment.provider_ref != payment.provider_ref


async def test_only_its_customer_sees_and_proves_it(shop: Shop) -> None:
    order, payment = await asked(shop)
    with pytest.raises(Refused, match="unknown"):
        await shop.transfers.for_order(order.id, BOB)
    with pytest.raises(Refused, match="unknown"):
        await shop.transfers.hand_in(payment.id, BOB, picture(), None, 5)
    _, invoice = await shop.invoice(2)
    with pytest.raises(Refused, match="unknown"):
        await shop.transfers.hand_in(invoice.id, ALICE, picture(), None, 6)


# ---- proving -----------------------------------------------------------------------------


async def test_a_proof_waits_for_a_person_with_what_to_compare(shop: Shop) -> None:
    order, payment, checked = await proved(shop, number="TX 2027-0302-99")
    assert checked.proof.number == "TX2027030299"
    [item] = await shop.desk.queue()
    assert (item.kind, item.subject) == (Kind.PROOF, f"proof:{checked.proof.id}")
    assert (item.payment, item.order, item.alike) == (payment, await shop.order(order.id), [])
    assert item.reason == "proof"
    assert await shop.whys() == ["proof"]


async def test_an_order_does_not_end_while_its_proof_waits(shop: Shop) -> None:
    order, _ = await asked(shop)
    shop.clock.advance(hours=23)
    [payment] = await shop.payments(order.id)
    await shop.transfers.hand_in(payment.id, ALICE, picture(), None, 5)
    shop.clock.advance(hours=48)
    await shop.paying.expire_due()
    assert (await shop.order(order.id)).state is S.AWAITING_PAYMENT


async def test_the_same_update_hands_in_one_proof_and_a_new_one_replaces_it(shop: Shop) -> None:
    _, payment = await asked(shop)
    first = await shop.transfers.hand_in(payment.id, ALICE, picture("a"), None, 5)
    replay = await shop.transfers.hand_in(payment.id, ALICE, picture("a"), None, 5)
    assert replay.proof == first.proof
    second = await shop.transfers.hand_in(payment.id, ALICE, picture("b"), None, 6)
    assert [item.subject for item in await shop.desk.queue()] == [f"proof:{second.proof.id}"]
    with pytest.raises(Refused, match="nothing_waits"):
        await shop.transfers.confirm(first.proof.id, OPERATOR, None)


@pytest.mark.parametrize(
    ("name", "look", "number", "found"),
    [
        ("a", "1234123412341234", None, Same.PICTURE),
        ("b", "00ff00ff00ff00fe", None, Same.LOOKS),
        ("b", "1234123412341234", "tx 99887766", Same.NUMBER),
        ("b", "1234123412341234", "tx 11111111", None),
    ],
)
async def test_a_proof_used_before_is_found(
    shop: Shop, name: str, look: str, number: str | None, found: Same | None
) -> None:
    _, first, _ = await proved(shop, number="TX99887766")
    other = await again(shop, 2)
    checked = await shop.transfers.hand_in(other.id, ALICE, picture(name, look), number, 9)
    assert [same for same, _ in checked.alike] == ([found] if found else [])
    item = await shop.desk.item(f"proof:{checked.proof.id}")
    assert item is not None
    assert item.reason == ("proof_again" if found else "proof")
    if found:
        assert checked.alike[0][1].payment_id == first.id


async def test_a_number_may_come_after_the_picture(shop: Shop) -> None:
    _, payment = await asked(shop)
    assert await shop.transfers.number(payment.id, ALICE, "TX99887766") is None
    with pytest.raises(Refused, match="not_a_number"):
        await shop.transfers.number(payment.id, ALICE, "soon")
    await shop.transfers.hand_in(payment.id, ALICE, picture(), None, 5)
    checked = await shop.transfers.number(payment.id, ALICE, "TX-99887766")
    assert checked is not None
    assert checked.proof.number == "TX99887766"


# ---- the operator's word -----------------------------------------------------------------


async def test_a_confirmed_transfer_pays_once_whoever_presses(shop: Shop) -> None:
    order, payment, checked = await proved(shop)
    await asyncio.gather(
        *(shop.transfers.confirm(checked.proof.id, who, None) for who in (OPERATOR, SECOND)),
        return_exceptions=True,
    )
    paid = await shop.order(order.id)
    assert (paid.state, paid.method, paid.charge) == (S.PAID, Method.TRANSFER, PRICE)
    [attempt] = await shop.payments(order.id)
    assert attempt.charge_id == f"transfer:{payment.id}"
    assert await shop.desk.queue() == []
    with pytest.raises(Refused, match="nothing_waits"):
        await shop.transfers.decline(checked.proof.id, OPERATOR, "unreadable")
    with pytest.raises(Refused, match="already_paid"):
        await shop.transfers.hand_in(payment.id, ALICE, picture("c"), None, 7)


async def test_only_operators_decide(shop: Shop) -> None:
    order, _, checked = await proved(shop)
    for decide in (
        shop.transfers.confirm(checked.proof.id, BOB, None),
        shop.transfers.decline(checked.proof.id, BOB, "unreadable"),
    ):
        with pytest.raises(Refused, match="nothing_waits"):
            await decide
    assert (await shop.order(order.id)).state is S.AWAITING_PAYMENT


@pytest.mark.parametrize("minor", [1289, 1291])
async def test_another_amount_is_held_and_can_be_accepted_or_returned(
    shop: Shop, minor: int
) -> None:
    order, _, checked = await proved(shop)
    await shop.transfers.confirm(checked.proof.id, OPERATOR, Money(minor, "USD"))
    assert (await shop.order(order.id)).state is S.NEEDS_OPERATOR
    [item] = await shop.desk.queue()
    assert item.kind is Kind.MISMATCH
    await shop.desk.act(item.subject, Action.REFUND, OPERATOR, 9)
    await shop.refund()
    [item] = [one for one in await shop.desk.queue() if one.refund is not None]
    assert item.refund is not None
    assert (item.refund.state, item.refund.amount.minor) == (RefundState.BY_HAND, minor)
    await shop.desk.act(item.subject, Action.RETURNED, OPERATOR, 10)
    await shop.refund()
    assert (await shop.order(order.id)).state is S.REFUNDED


async def test_a_declined_transfer_may_be_proved_again_under_its_reference(shop: Shop) -> None:
    order, payment, checked = await proved(shop)
    await shop.transfers.decline(checked.proof.id, OPERATOR, "unreadable")
    [attempt] = await shop.payments(order.id)
    assert attempt.state is P.FAILED
    [news] = await shop.notices("proof")
    assert (news.chat_id, news.data) == (ALICE, {"proof_id": checked.proof.id})
    shop.clock.advance(hours=2)
    once_more = await shop.transfers.for_order(order.id, ALICE)
    assert once_more.payment.id != payment.id
    assert once_more.payment.provider_ref == payment.provider_ref
    better = await shop.transfers.hand_in(once_more.payment.id, ALICE, picture(), None, 8)
    assert better.alike == []  # the same picture for the same order is no cheat
    await shop.transfers.confirm(better.proof.id, OPERATOR, None)
    assert (await shop.order(order.id)).state is S.PAID


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("life", [1, 2])
async def test_a_crash_while_confirming_takes_the_money_once(
    shop: Shop, life: int, before: bool
) -> None:
    order, _, checked = await proved(shop)
    mortal = Mortal(shop.database)
    shop.restart(mortal)
    mortal.life, mortal.before = life, before
    with pytest.raises(Killed):
        await shop.transfers.confirm(checked.proof.id, OPERATOR, None)
    await shop.die_and_rise()
    if await shop.transfers.checked(checked.proof.id) is not None:
        await shop.transfers.confirm(checked.proof.id, OPERATOR, None)
    assert (await shop.order(order.id)).state is S.PAID
    [attempt] = await shop.payments(order.id)
    assert attempt.captured == PRICE
    async with shop.database.read() as tx:
        proof = await tx.proofs.get(checked.proof.id)
    assert proof is not None
    assert proof.state is ProofState.CONFIRMED


async def test_a_transfer_fills_a_wallet_with_what_arrived(shop: Shop) -> None:
    made = await shop.deposits.open(ALICE, Money(2000, "USD"), None)
    one = await shop.transfers.for_deposit(made.id, ALICE)
    assert one.until == made.created_at + timedelta(hours=24)
    shop.clock.advance(hours=3)
    await shop.deposits.expire_due()
    checked = await shop.transfers.hand_in(one.payment.id, ALICE, picture(), None, 5)
    item = await shop.desk.item(f"proof:{checked.proof.id}")
    assert item is not None
    assert item.order is None
    await shop.transfers.confirm(checked.proof.id, OPERATOR, Money(1500, "USD"))
    async with shop.database.read() as tx:
        assert await tx.ledger.balance(ledger.wallet(ALICE), "USD") == Money(1500, "USD")
    refund = await shop.deposits.give_back(one.payment.id, ALICE)
    assert f"refund:{refund.id}" in [item.subject for item in await shop.desk.queue()]
