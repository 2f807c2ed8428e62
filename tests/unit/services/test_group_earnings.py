"""What posts earn: with the delivery, not from one's own post, back with the money, paid out."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.groups import Account, Approval, EarningKind
from bot.domain.ledger import COMMISSION, EntryKind, wallet
from bot.domain.money import Money
from bot.domain.points import Effect
from bot.domain.sales import Method, Order
from bot.services.desk import NotOperator
from bot.services.payouts import How, Paid, Payouts
from bot.services.privacy import Privacy, PrivacyRefused
from bot.services.selling import Refused
from tests.unit.services.group_house import GROUP, POST, ask, campaign, group_house, post
from tests.unit.services.house import OPERATOR, SELLING
from tests.unit.services.promo_house import TERMS, balance, buy, usd
from tests.unit.services.sale_house import BILL, S, Shop
from tests.unit.store.samples import ALICE, BOB, chat

EARNED = Account(GROUP, BOB, 50, (usd(58),), 1)
"""50 points, and 5 % of $11.61 rounded down."""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with group_house(tmp_path) as found:
        async with found.database.write() as tx:
            await tx.chats.add(chat(BOB))
        yield found


def payouts(shop: Shop, **changes: object) -> Payouts:
    terms = {**SELLING.terms, Method.WALLET: SELLING.terms[Method.CARD]}
    selling = replace(SELLING, points=TERMS, terms=terms)
    return Payouts(shop.database, shop.clock, replace(selling, **changes))  # type: ignore[arg-type]


async def account(shop: Shop, by: int = BOB) -> Account | None:
    found = await payouts(shop).accounts(GROUP, by)
    return found[0] if found else None


async def sold(shop: Shop, post_id: str = POST) -> Order:
    """Alice has bought from a post."""
    return await buy(shop, await ask(shop, post_id=post_id), f"c-{post_id}")


async def give_back(shop: Shop, order: Order, minor: int) -> None:
    """A part of what was paid."""
    async with shop.database.write() as tx:
        [paid] = await tx.payments.of_order(order.id)
        assert paid.captured is not None
        part = Money(minor, paid.captured.currency)
        assert await shop.refunds.begin(tx, paid, part, "asked") is not None


# ---- earning -------------------------------------------------------------------------------


async def test_a_delivered_order_earns_and_an_order_that_waits_does_not(shop: Shop) -> None:
    made = await ask(shop)
    await shop.checkout.place(made.id, ALICE, 1)
    assert await account(shop) is None
    order = await sold(shop)
    assert await account(shop) == EARNED
    async with shop.database.read() as tx:
        [row] = await tx.earnings.of_order(order.id)
        counts = (await tx.posts.counts([POST]))[POST]
    assert (row.kind, row.post_id, row.by) == (EarningKind.EARNED, POST, BOB)
    assert (counts.paid, counts.amounts) == (1, {"XTR": 894})


async def test_without_the_post_nothing_is_earned(shop: Shop) -> None:
    await buy(shop, await ask(shop, post_id=None))
    assert await account(shop) is None


async def test_ones_own_post_earns_nothing_and_the_buyer_hears_nothing_odd(shop: Shop) -> None:
    await post(shop, "own", by=ALICE)
    order = await sold(shop, "own")
    assert (order.state, order.due) == (S.FULFILLED, usd(1161))
    assert await payouts(shop).accounts() == []


async def test_a_banned_group_or_person_earns_nothing(shop: Shop) -> None:
    made = await ask(shop)
    async with shop.database.write() as tx:
        await tx.promos.ban(BOB, shop.clock.now())
    await buy(shop, made)
    assert await account(shop) is None
    async with shop.database.write() as tx:
        await tx.promos.unban(BOB)
    made = await ask(shop)
    placed = await shop.checkout.place(made.id, ALICE, 77)
    async with shop.database.write() as tx:
        await tx.groups.set(GROUP, approval=Approval.BANNED)
    await buy(shop, made, "c2")
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert await account(shop) is None


async def test_a_campaign_that_pays_nothing_writes_nothing(shop: Shop) -> None:
    await campaign(shop, earns_points=0, earns_percent=TERMS.earn["USD"] * 0)
    await sold(shop)
    assert await account(shop) is None


# ---- taking back ---------------------------------------------------------------------------


async def test_a_refund_takes_all_of_it_back(shop: Shop) -> None:
    order = await sold(shop)
    async with shop.database.write() as tx:
        await tx.orders.move(order.id, S.FULFILLED, S.REFUND_DUE, "asked", shop.clock.now())
    await shop.refund()
    assert (await shop.order(order.id)).state is S.REFUNDED
    assert await account(shop) == Account(GROUP, BOB, 0, (), 2)
    async with shop.database.read() as tx:
        counts = (await tx.posts.counts([POST]))[POST]
    assert (counts.paid, dict(counts.amounts)) == (0, {})


async def test_a_part_that_goes_back_takes_its_share(shop: Shop) -> None:
    order = await sold(shop)
    await give_back(shop, order, 447)
    found = await account(shop)
    assert found == Account(GROUP, BOB, 25, (usd(29),), 2), "a half"
    await give_back(shop, order, 446)
    found = await account(shop)
    assert found is not None
    assert (found.points, found.money) == (0, ()), "one Star of 894 earns less than a cent"
    async with shop.database.read() as tx:
        assert (await tx.posts.counts([POST]))[POST].amounts == {"XTR": 1}


async def test_a_charge_beyond_the_price_goes_back_without_touching_it(shop: Shop) -> None:
    placed = await shop.checkout.place((await ask(shop)).id, ALICE, 77)
    first = await shop.stars(placed)
    card = await shop.paying.pay(placed.id, ALICE, Method.CARD, BILL)
    await shop.pay(first, "c1", first.amount)
    await shop.pay(card, "c2", card.amount)
    await shop.fulfil()
    await shop.refund()
    assert (await shop.order(placed.id)).state is S.FULFILLED
    assert await account(shop) == EARNED


# ---- paying out ----------------------------------------------------------------------------


async def test_points_and_money_are_paid_out_once(shop: Shop) -> None:
    await sold(shop)
    desk = payouts(shop)
    assert desk.ways(EARNED) == [
        (How.WALLET, Paid(50, (usd(58),))), (How.POINTS, Paid(50 + 58, ()))
    ]  # fmt: skip
    paid = await desk.pay_out(GROUP, BOB, 1, How.WALLET, OPERATOR)
    assert paid == Paid(50, (usd(58),))
    with pytest.raises(Refused, match="nothing_waits"):
        await desk.pay_out(GROUP, BOB, 1, How.WALLET, OPERATOR)
    with pytest.raises(Refused, match="nothing_waits"):
        await desk.pay_out(GROUP, BOB, 2, How.WALLET, OPERATOR)
    assert await balance(shop, BOB) == 50
    async with shop.database.read() as tx:
        assert await tx.ledger.balances(wallet(BOB)) == [usd(58)]
        assert await tx.ledger.balances(COMMISSION) == [Money(-58, "USD")]
        [line] = await tx.ledger.history(wallet(BOB), 9)
        [points] = await tx.points.history(BOB, 9)
        [audit] = [row for row in await tx.audit.latest(9) if row.action == "paid_out"]
    assert (line.kind, points.effect) == (EntryKind.COMMISSION, Effect.POSTED)
    assert (audit.actor, audit.subject) == (f"operator:{OPERATOR}", f"chat:{BOB}")
    [told] = await shop.notices("paid_out")
    assert (told.chat_id, told.data["points"], told.data["money"]) == (BOB, 50, [[58, "USD"]])
    assert await account(shop) == Account(GROUP, BOB, 0, (), 2, 1)


async def test_money_as_points(shop: Shop) -> None:
    await sold(shop)
    await payouts(shop).pay_out(GROUP, BOB, 1, How.POINTS, OPERATOR)
    assert await balance(shop, BOB) == 108
    async with shop.database.read() as tx:
        assert await tx.ledger.balances(wallet(BOB)) == []
    assert await account(shop) == Account(GROUP, BOB, 0, (), 2, 1)


async def test_ten_operators_at_once_pay_once(shop: Shop) -> None:
    await sold(shop)
    desk = payouts(shop)
    done = await asyncio.gather(
        *(desk.pay_out(GROUP, BOB, 1, How.WALLET, OPERATOR) for _ in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Paid) for one in done) == 1
    assert sum(isinstance(one, Refused) for one in done) == 9
    assert await balance(shop, BOB) == 50


async def test_only_what_was_looked_at_is_paid_out(shop: Shop) -> None:
    await sold(shop)
    await post(shop, "post2")
    await sold(shop, "post2")
    with pytest.raises(Refused, match="nothing_waits"):
        await payouts(shop).pay_out(GROUP, BOB, 1, How.WALLET, OPERATOR)
    assert (await payouts(shop).pay_out(GROUP, BOB, 2, How.WALLET, OPERATOR)).points == 100


async def test_what_goes_back_after_the_pay_out_is_set_off_against_the_next(shop: Shop) -> None:
    order = await sold(shop)
    await payouts(shop).pay_out(GROUP, BOB, 1, How.WALLET, OPERATOR)
    await give_back(shop, order, 447)
    found = await account(shop)
    assert found is not None
    assert (found.points, found.money, found.empty) == (-25, (Money(-29, "USD"),), True)
    assert payouts(shop).ways(found) == []
    with pytest.raises(Refused, match="nothing_waits"):
        await payouts(shop).pay_out(GROUP, BOB, found.rows, How.WALLET, OPERATOR)
    await post(shop, "post2")
    await sold(shop, "post2")
    found = await account(shop)
    assert found is not None
    assert (found.points, found.money) == (25, (usd(29),))


async def test_a_shop_without_wallets_or_points_pays_what_it_can(shop: Shop) -> None:
    await sold(shop)
    assert payouts(shop, terms=SELLING.terms).ways(EARNED) == [(How.POINTS, Paid(108, ()))]
    assert payouts(shop, points=None).ways(EARNED) == []
    money = replace(EARNED, points=0)
    assert payouts(shop, points=None).ways(money) == [(How.WALLET, Paid(0, (usd(58),)))]
    only = replace(EARNED, money=())
    assert payouts(shop).ways(only) == [(How.POINTS, Paid(50, ()))]
    with pytest.raises(Refused, match="method_off"):
        await payouts(shop, points=None).pay_out(GROUP, BOB, 1, How.WALLET, OPERATOR)


async def test_only_operators_pay_and_only_people_who_are_there(shop: Shop) -> None:
    await sold(shop)
    with pytest.raises(NotOperator):
        await payouts(shop).pay_out(GROUP, BOB, 1, How.WALLET, BOB)
    privacy = Privacy(shop.database, shop.clock, (OPERATOR,))
    with pytest.raises(PrivacyRefused, match="earnings"):
        await privacy.forget(BOB, 1)
    async with shop.database.write() as tx:
        await tx.groups.set(GROUP, title="Another name")
    await payouts(shop).pay_out(GROUP, BOB, 1, How.POINTS, OPERATOR)
    await privacy.forget(BOB, 1)
    [left] = await payouts(shop).accounts(GROUP)
    assert left.by < 0
    with pytest.raises(Refused, match="unknown"):
        await payouts(shop).pay_out(GROUP, left.by, left.rows, How.POINTS, OPERATOR)
    async with shop.database.read() as tx:
        [wish] = await tx.posts.postings_of(GROUP)
        assert (wish.state.value, wish.extra, wish.reason) == ("stopped", None, "forgotten")
