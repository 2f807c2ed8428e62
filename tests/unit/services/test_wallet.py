"""Wallets: filled by any provider, spent once, returned, never below zero."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from bot.domain import ledger
from bot.domain.ledger import Deposit, Entry, EntryKind, Overdrawn, Posting
from bot.domain.money import Money
from bot.domain.orders import RefundState
from bot.domain.quotes import Terms
from bot.domain.sales import Method, Payment
from bot.ports import PaymentCapabilities, PaymentUnavailable, Returns, Way
from bot.services.selling import Refused
from bot.services.waiting import Action
from bot.store import tables
from tests.unit.services.house import OPERATOR, SELLING
from tests.unit.services.sale_house import (
    BILL,
    REJECTED,
    Killed,
    P,
    S,
    Shop,
    charged,
    sale_house,
)
from tests.unit.services.test_money_properties import Mortal
from tests.unit.store.samples import ALICE, BOB, NOW, managed

WALLET = replace(
    SELLING,
    terms={
        Method.STARS: Terms(("XTR",)),
        Method.CARD: Terms(("USD",), percent=Decimal(3)),
        Method.WALLET: Terms(),
    },
)
TEN, PRICE = Money(1000, "USD"), Money(1290, "USD")
OWN = ledger.wallet(ALICE)


async def opened(folder: Path) -> AsyncIterator[Shop]:
    async with sale_house(folder) as found:
        found.selling = WALLET
        found.restart()
        await found.stock()
        yield found


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async for found in opened(tmp_path):
        yield found


async def balance(shop: Shop, currency: str = "USD") -> int:
    async with shop.database.read() as tx:
        return (await tx.ledger.balance(OWN, currency)).minor


async def deposit(
    shop: Shop, amount: Money = TEN, method: Method = Method.CARD
) -> tuple[Deposit, Payment]:
    """A deposit with its attempt shown."""
    made = await shop.deposits.open(ALICE, amount, 55)
    return made, await shop.deposits.pay(made.id, ALICE, method, BILL)


async def fill(
    shop: Shop, minor: int = 1290, charge: str = "d1", method: Method = Method.CARD
) -> Payment:
    """Money in Alice's wallet."""
    _, payment = await deposit(shop, Money(minor, "USD"), method)
    provider = shop.card if method is Method.CARD else shop.cashier
    taken = provider.takes(charge, payment.id, payment.amount)
    await shop.till.capture(payment.id, taken)
    return payment


async def balanced(shop: Shop) -> None:
    """The books sum to zero, and the balances are what the postings add up to."""
    async with shop.database._reader.connect() as conn:
        rows = (await conn.execute(select(tables.postings))).mappings().all()
        stands = (await conn.execute(select(tables.balances))).mappings().all()
    entries: Counter[tuple[str, str]] = Counter()
    accounts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        entries[row["entry"], row["currency"]] += row["minor"]
        accounts[row["account"], row["currency"]] += row["minor"]
    assert not any(entries.values())
    assert accounts == {(row["account"], row["currency"]): row["minor"] for row in stands}
    assert all(row["minor"] >= 0 for row in stands if ledger.is_wallet(row["account"]))


# ---- the books ---------------------------------------------------------------------------


def moved(key: str, minor: int) -> Entry:
    amount = Money(minor, "USD")
    postings = (Posting(OWN, amount), Posting(ledger.SOLD, ledger.minus(amount)))
    return Entry(key, EntryKind.TOPUP, NOW, postings)


async def test_an_entry_is_posted_once_for_its_key(shop: Shop) -> None:
    async with shop.database.write() as tx:
        assert await tx.ledger.post(moved("a", 50))
        assert not await tx.ledger.post(moved("a", 50))
    assert await balance(shop) == 50
    await balanced(shop)


async def test_what_would_overdraw_a_wallet_leaves_nothing_behind(shop: Shop) -> None:
    async with shop.database.write() as tx:
        await tx.ledger.post(moved("a", 50))
    with pytest.raises(Overdrawn):
        async with shop.database.write() as tx:
            await tx.ledger.post(moved("b", -51))
    assert await balance(shop) == 50
    async with shop.database.read() as tx:
        assert await tx.ledger.posted("b", OWN) is None
    await balanced(shop)


async def test_the_database_itself_refuses_a_wallet_below_zero(shop: Shop) -> None:
    with pytest.raises(IntegrityError):
        async with shop.database._writer.begin() as conn:
            await conn.execute(
                tables.balances.insert().values(account=OWN, currency="USD", minor=-1)
            )


# ---- filling it --------------------------------------------------------------------------


async def test_a_deposit_shows_each_total_and_credits_what_was_promised(shop: Shop) -> None:
    made, payment = await deposit(shop)
    assert [(t.method, t.amount) for t in made.totals] == [
        (Method.STARS, Money(770, "XTR")),
        (Method.CARD, Money(1030, "USD")),
    ]
    assert payment.amount == Money(1030, "USD")
    await shop.till.capture(payment.id, charged(payment.id, amount=payment.amount))
    await shop.till.capture(payment.id, charged(payment.id, amount=payment.amount))
    assert await balance(shop) == 1000
    await balanced(shop)
    [news] = await shop.notices("deposit")
    assert news.data == {"deposit_id": made.id}
    async with shop.database.read() as tx:
        assert [line.kind for line in await tx.ledger.history(OWN, 9)] == [EntryKind.TOPUP]


async def test_stars_credit_the_amount_of_the_deposit(shop: Shop) -> None:
    await fill(shop, 1000, method=Method.STARS)
    assert await balance(shop) == 1000
    assert await balance(shop, "XTR") == 0
    await balanced(shop)


async def test_another_amount_is_credited_as_it_came(shop: Shop) -> None:
    _, payment = await deposit(shop)
    await shop.till.capture(payment.id, charged(payment.id, amount=Money(77, "USD")))
    assert await balance(shop) == 77
    assert (await shop.deposits.purse(ALICE)).balances == (Money(77, "USD"),)
    await balanced(shop)


async def test_a_second_charge_is_credited_too(shop: Shop) -> None:
    _, payment = await deposit(shop, method=Method.STARS)
    for charge in ("c1", "c2"):
        await shop.till.capture(payment.id, charged(payment.id, charge, payment.amount))
    assert (await balance(shop), await balance(shop, "XTR")) == (1000, 770)
    await shop.refund()
    assert shop.cashier.refunded == {}
    await balanced(shop)


async def test_late_money_is_credited(shop: Shop) -> None:
    made, payment = await deposit(shop)
    shop.clock.advance(minutes=20)
    await shop.deposits.expire_due()
    assert payment.id in shop.card.closed
    assert await shop.till.precheck(payment.id, ALICE, payment.amount) == "cancelled"
    assert [news.dedupe_key for news in await shop.notices("deposit")] == [
        f"deposit:{made.id}:expired"
    ]
    await shop.till.capture(payment.id, charged(payment.id, amount=payment.amount))
    assert await balance(shop) == 1000


async def test_a_deposit_does_not_end_while_its_provider_is_away(shop: Shop) -> None:
    made, payment = await deposit(shop)
    shop.clock.advance(minutes=16)
    shop.card.down = True
    await shop.deposits.expire_due()
    assert made.id in [d.id for d in await _expiring(shop)]
    shop.card.down = False
    shop.card.takes("c9", payment.id, payment.amount)
    await shop.deposits.expire_due()
    assert await balance(shop) == 1000
    assert await _expiring(shop) == []


async def _expiring(shop: Shop) -> list[Deposit]:
    async with shop.database.read() as tx:
        return await tx.deposits.expiring(shop.clock.now(), 9)


async def test_what_a_provider_has_taken_is_found_without_its_word(shop: Shop) -> None:
    _, payment = await deposit(shop)
    shop.card.takes("c1", payment.id, payment.amount)
    await shop.look()
    assert await balance(shop) == 1000


async def test_precheck_lets_only_its_owner_pay_the_deposit_in_time(shop: Shop) -> None:
    _, payment = await deposit(shop, method=Method.STARS)
    ask = shop.till.precheck
    assert await ask(payment.id, ALICE, payment.amount) is None
    assert await ask(payment.id, BOB, payment.amount) == "not_yours"
    assert await ask(payment.id, ALICE, Money(769, "XTR")) == "amount_moved"
    shop.clock.advance(minutes=15)
    assert await ask(payment.id, ALICE, payment.amount) == "quote_expired"
    await shop.till.capture(payment.id, charged(payment.id, amount=payment.amount))
    assert await ask(payment.id, ALICE, payment.amount) == "already_paid"


async def test_another_way_closes_the_one_before(shop: Shop) -> None:
    made, card = await deposit(shop)
    stars = await shop.deposits.pay(made.id, ALICE, Method.STARS, BILL)
    assert card.id in shop.card.closed
    again = await shop.deposits.pay(made.id, ALICE, Method.STARS, BILL)
    assert again.id == stars.id


async def test_nobody_fills_from_a_wallet_or_pays_anothers_deposit(shop: Shop) -> None:
    made, _ = await deposit(shop)
    with pytest.raises(Refused, match="method_off"):
        await shop.deposits.pay(made.id, ALICE, Method.WALLET, BILL)
    with pytest.raises(Refused, match="unknown"):
        await shop.deposits.pay(made.id, BOB, Method.STARS, BILL)
    with pytest.raises(Refused, match="unknown"):
        await shop.deposits.cancel(made.id, BOB)
    with pytest.raises(Refused, match="amount_out_of_range"):
        await shop.deposits.open(ALICE, Money(0, "USD"), None)


# ---- spending ----------------------------------------------------------------------------


async def test_the_wallet_pays_an_order_in_one_step(shop: Shop) -> None:
    await fill(shop)
    placed = await shop.place()
    paid = await shop.till.spend(placed.id, ALICE)
    assert (paid.state, paid.method, paid.charge) == (S.PAID, Method.WALLET, PRICE)
    assert await shop.till.spend(placed.id, ALICE) == paid
    assert await balance(shop) == 0
    await shop.fulfil()
    assert (await shop.order(placed.id)).state is S.FULFILLED
    await balanced(shop)


async def test_a_wallet_that_is_short_pays_nothing(shop: Shop) -> None:
    await fill(shop, 1289)
    placed = await shop.place()
    with pytest.raises(Refused, match="wallet_short") as refused:
        await shop.till.spend(placed.id, ALICE)
    assert refused.value.order is not None
    assert await balance(shop) == 1289
    assert await shop.payments(placed.id) == []
    assert (await shop.order(placed.id)).state is S.AWAITING_PAYMENT


async def test_money_of_another_currency_or_person_pays_nothing(shop: Shop) -> None:
    _, payment = await deposit(shop, method=Method.STARS)
    await shop.till.capture(payment.id, charged(payment.id, amount=Money(5000, "XTR")))
    placed = await shop.place()
    with pytest.raises(Refused, match="wallet_short"):
        await shop.till.spend(placed.id, ALICE)
    with pytest.raises(Refused, match="unknown"):
        await shop.till.spend(placed.id, BOB)


async def test_fifty_orders_at_once_with_money_for_one_pay_one(shop: Shop) -> None:
    await fill(shop)
    orders = []
    for number in range(50):
        async with shop.database.write() as tx:
            await tx.sims.add(managed(f"s{number}", ALICE, supplier_ref=f"tran{number}"))
        orders.append(await shop.place(number, sim_id=f"s{number}"))
    done = await asyncio.gather(
        *(shop.till.spend(order.id, ALICE) for order in orders), return_exceptions=True
    )
    refused = [one for one in done if isinstance(one, Refused)]
    assert (len(done) - len(refused), {one.reason for one in refused}) == (1, {"wallet_short"})
    states = Counter([(await shop.order(order.id)).state for order in orders])
    assert states == {S.PAID: 1, S.AWAITING_PAYMENT: 49}
    assert await balance(shop) == 0
    await balanced(shop)


async def test_fifty_taps_on_one_order_pay_it_once(shop: Shop) -> None:
    await fill(shop, 5000)
    placed = await shop.place()
    await asyncio.gather(*(shop.till.spend(placed.id, ALICE) for _ in range(50)))
    assert await balance(shop) == 5000 - 1290
    assert len(await shop.payments(placed.id)) == 1


async def test_an_order_that_was_not_delivered_returns_into_the_wallet(shop: Shop) -> None:
    await fill(shop)
    placed = await shop.place()
    await shop.till.spend(placed.id, ALICE)
    shop.seller.answers = [REJECTED]
    await shop.fulfil()
    await shop.refund()
    assert (await shop.order(placed.id)).state is S.REFUNDED
    [payment] = await shop.payments(placed.id)
    assert payment.state is P.REFUNDED
    assert await balance(shop) == 1290
    await shop.refund()
    assert await balance(shop) == 1290
    await balanced(shop)


async def test_a_part_comes_back_and_never_more_than_was_paid(shop: Shop) -> None:
    await fill(shop)
    placed = await shop.place()
    await shop.till.spend(placed.id, ALICE)
    [payment] = await shop.payments(placed.id)
    for minor, begun in ((500, True), (791, False), (790, True), (1, False)):
        async with shop.database.write() as tx:
            refund = await shop.refunds.begin(tx, payment, Money(minor, "USD"), "operator")
        assert (refund is not None) is begun
    assert await balance(shop) == 1290
    await balanced(shop)


async def test_an_invoice_paid_beside_the_wallet_goes_back(shop: Shop) -> None:
    await fill(shop)
    placed, invoice = await shop.invoice()
    await shop.till.spend(placed.id, ALICE)
    await shop.pay(invoice, "late")
    await shop.refund()
    assert shop.cashier.returned == ["late"]
    assert await balance(shop) == 0


# ---- getting it back ---------------------------------------------------------------------


async def test_unspent_stars_go_back_whole_and_once(shop: Shop) -> None:
    payment = await fill(shop, 1000, method=Method.STARS)
    [one] = await shop.deposits.unspent(ALICE)
    assert (one.credited, one.returned) == (TEN, Money(770, "XTR"))
    await shop.deposits.give_back(payment.id, ALICE)
    assert await balance(shop) == 0
    with pytest.raises(Refused, match="deposit_spent"):
        await shop.deposits.give_back(payment.id, ALICE)
    await shop.refund()
    assert [minor for _, minor in shop.cashier.refunded.values()] == [770]
    await balanced(shop)


async def test_an_operator_returns_a_top_up_and_nobody_else_does(shop: Shop) -> None:
    payment = await fill(shop, 1000)
    with pytest.raises(Refused, match="nothing_waits"):
        await shop.deposits.give_back(payment.id, ALICE, BOB)
    refund = await shop.deposits.give_back(payment.id, ALICE, OPERATOR)
    async with shop.database.read() as tx:
        [row] = [row for row in await tx.audit.latest(9) if row.action == "deposit_returned"]
    assert (row.actor, row.subject) == (f"operator:{OPERATOR}", f"chat:{ALICE}")
    assert refund.id in [news.dedupe_key.split(":")[-1] for news in await shop.notices("deposit")]


async def test_what_was_spent_does_not_go_back(shop: Shop) -> None:
    stars = await fill(shop, 1290, method=Method.STARS)
    placed = await shop.place()
    await shop.till.spend(placed.id, ALICE)
    with pytest.raises(Refused, match="deposit_spent"):
        await shop.deposits.give_back(stars.id, ALICE)
    card = await fill(shop, 500, "d2")
    async with shop.database.write() as tx:
        await tx.ledger.post(moved("gone", -200))
    [one] = await shop.deposits.unspent(ALICE)
    assert (one.payment.id, one.returned) == (card.id, Money(300, "USD"))
    with pytest.raises(Refused, match="deposit_spent"):
        await shop.deposits.give_back(card.id, BOB)


async def test_a_top_up_can_not_be_spent_and_returned_at_once(shop: Shop) -> None:
    payment = await fill(shop, 1290)
    placed = await shop.place()
    await asyncio.gather(
        shop.till.spend(placed.id, ALICE),
        shop.deposits.give_back(payment.id, ALICE),
        return_exceptions=True,
    )
    await shop.refund()
    spent = (await shop.order(placed.id)).state is not S.AWAITING_PAYMENT
    assert spent is not bool(shop.card.refunded)
    assert await balance(shop) == 0
    await balanced(shop)


async def test_a_provider_that_can_not_return_it_leaves_it_to_a_person(shop: Shop) -> None:
    payment = await fill(shop, 1000)
    shop.card.capabilities = PaymentCapabilities(
        way=Way.PAGE, currencies=None, returns=Returns.NOTHING, finds=True, cancels=True
    )
    refund = await shop.deposits.give_back(payment.id, ALICE)
    assert await balance(shop) == 0
    [item] = [i for i in await shop.desk.queue() if i.subject == f"refund:{refund.id}"]
    await shop.desk.act(item.subject, Action.RETURNED, OPERATOR, 5)
    async with shop.database.read() as tx:
        found = await tx.refunds.get(refund.id)
    assert found is not None
    assert found.state is RefundState.DONE


async def test_money_returned_at_the_provider_leaves_the_wallet_as_far_as_it_can(
    shop: Shop,
) -> None:
    payment = await fill(shop, 1000)
    async with shop.database.write() as tx:
        await tx.ledger.post(moved("gone", -700))
    back = replace(charged(payment.id, "d1", payment.amount), returned=payment.amount.minor)
    for _ in range(2):
        await shop.till.capture(payment.id, back)
    assert await balance(shop) == 0
    async with shop.database.read() as tx:
        assert await tx.ledger.balance(ledger.LOST, "USD") == Money(-700, "USD")
    await balanced(shop)


# ---- whatever happens --------------------------------------------------------------------


@dataclass
class Purse:
    """A shop whose process dies at odd moments, and what the provider knows to be true."""

    shop: Shop
    mortal: Mortal
    charges: dict[str, tuple[str, Money]] = field(default_factory=dict)
    attempts: list[Payment] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    async def event(self, kind: str, number: int) -> None:
        try:
            await getattr(self, kind)(number)
        except (Refused, PaymentUnavailable):
            pass
        except Killed:
            await self.rise()
        await balanced(self.shop)

    async def rise(self) -> None:
        self.mortal = Mortal(self.shop.database)
        self.shop.restart(self.mortal)
        await self.shop.fulfilment.recover()
        for charge, (reference, amount) in self.charges.items():
            await self.shop.till.capture(reference, charged(reference, charge, amount))

    async def ask(self, number: int) -> None:
        method = (Method.CARD, Method.STARS)[number % 2]
        self.attempts.append((await deposit(self.shop, Money(100 * number + 1, "USD"), method))[1])

    async def charge(self, number: int) -> None:
        if self.attempts:
            attempt = self.attempts[number % len(self.attempts)]
            extra = number % 3 == 0
            amount = Money(attempt.amount.minor + extra, attempt.amount.currency)
            charge = f"c{len(self.charges)}"
            self.charges[charge] = (attempt.id, amount)
            provider = self.shop.card if attempt.method is Method.CARD else self.shop.cashier
            provider.takes(charge, attempt.id, amount)
            await self.shop.till.capture(attempt.id, charged(attempt.id, charge, amount))

    async def order(self, number: int) -> None:
        self.orders.append((await self.shop.place(len(self.orders) + 1)).id)

    async def spend(self, number: int) -> None:
        if self.orders:
            await self.shop.till.spend(self.orders[number % len(self.orders)], ALICE)

    async def back(self, number: int) -> None:
        if found := await self.shop.deposits.unspent(ALICE):
            await self.shop.deposits.give_back(found[number % len(found)].payment.id, ALICE)

    async def fail(self, number: int) -> None:
        self.shop.seller.answers = [REJECTED]
        await self.work(number)

    async def work(self, number: int) -> None:
        await self.shop.fulfil()
        await self.shop.refund()

    async def time(self, number: int) -> None:
        self.shop.clock.advance(minutes=number)
        await self.shop.deposits.expire_due()
        await self.shop.paying.expire_due()

    async def doom(self, number: int) -> None:
        self.mortal.life, self.mortal.before = 1 + number % 4, number % 2 == 0

    async def end(self) -> None:
        self.shop.seller.answers = []
        await self.rise()
        await self.shop.work_for(hours=24)
        await balanced(self.shop)
        async with self.shop.database._reader.connect() as conn:
            payments = (
                await conn.execute(
                    select(tables.payments.c.charge_id, func.count())
                    .where(tables.payments.c.deposit_id.is_not(None))
                    .where(tables.payments.c.charge_id.is_not(None))
                    .group_by(tables.payments.c.charge_id)
                )
            ).all()
        assert {row[0] for row in payments} == set(self.charges), "a charge was dropped"
        assert {row[1] for row in payments} <= {1}
        returned = sum(minor for _, minor in self.shop.card.refunded.values())
        assert returned <= sum(a.minor for _, a in self.charges.values() if a.currency == "USD")
        for order_id in self.orders:
            kept = [p for p in await self.shop.payments(order_id) if p.state is P.CAPTURED]
            order = await self.shop.order(order_id)
            assert len(kept) == (order.state is S.FULFILLED), order


EVENTS = ["ask", "charge", "charge", "order", "spend", "spend", "back", "fail", "work", "time",
          "doom", "doom"]  # fmt: skip
STORIES = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 30)), max_size=14)


async def live(story: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async for shop in opened(Path(folder)):
            purse = Purse(shop, Mortal(shop.database))
            await purse.rise()
            for kind, number in story:
                await purse.event(kind, number)
            await purse.end()


@settings(max_examples=40)
@given(STORIES)
@example([("ask", 20), ("charge", 1), ("order", 0), ("doom", 0), ("spend", 0), ("spend", 0)])
@example([("ask", 20), ("charge", 1), ("doom", 1), ("back", 0), ("back", 0), ("work", 0)])
@example([("ask", 21), ("doom", 0), ("charge", 1), ("order", 0), ("spend", 0), ("fail", 0)])
def test_no_cent_is_lost_or_made(story: list[tuple[str, int]]) -> None:
    asyncio.run(live(story))
