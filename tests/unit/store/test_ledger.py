"""The wallets' books and proofs in the store, on both databases, by many transactions at once."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain import ledger
from bot.domain.ledger import Deposit, Entry, EntryKind, Overdrawn, Posting
from bot.domain.money import Money
from bot.domain.quotes import Total
from bot.domain.sales import Method
from bot.domain.transfers import Proof, ProofState, Same
from bot.store import Database
from tests.unit.store.samples import ALICE, BOB, NOW, chat, days, minutes, payment

OWN = ledger.wallet(ALICE)
PROOF = Proof(
    "p1", "d1-p1", ALICE, ProofState.WAITING, "file", True, "ab" * 32, "f0" * 8, NOW,
    number="TX1234",
)  # fmt: skip
DEPOSIT = Deposit(
    "d1", ALICE, Money(1000, "USD"),
    (Total(Method.STARS, Money(770, "XTR"), Money(0, "XTR")),), NOW, minutes(15),
)  # fmt: skip


def moved(key: str, minor: int, currency: str = "USD") -> Entry:
    amount = Money(minor, currency)
    postings = (Posting(OWN, amount), Posting(ledger.SOLD, ledger.minus(amount)))
    return Entry(key, EntryKind.ORDER, NOW, postings, "o1")


@pytest.fixture
async def shop(db: Database) -> Database:
    async with db.write() as tx:
        for person in (ALICE, BOB):
            await tx.chats.add(chat(person))
        for number in (1, 2):
            await tx.deposits.add(replace(DEPOSIT, id=f"d{number}"))
            for attempt in (1, 2):
                await tx.payments.add(
                    payment(f"d{number}-p{attempt}", order_id=None, deposit_id=f"d{number}")
                )
    return db


async def test_balances_are_told_by_currency(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.ledger.post(moved("a", 50))
        await tx.ledger.post(moved("b", 7, "XTR"))
        await tx.ledger.post(moved("c", 5, "EUR"))
        await tx.ledger.post(moved("d", -5, "EUR"))
    async with shop.read() as tx:
        assert await tx.ledger.balances(OWN) == [Money(50, "USD"), Money(7, "XTR")]
        assert await tx.ledger.balance(ledger.SOLD, "USD") == Money(-50, "USD")
        assert await tx.ledger.balance(ledger.wallet(BOB), "USD") == Money(0, "USD")
        assert await tx.ledger.posted("a", OWN) == Money(50, "USD")
        lines = await tx.ledger.history(OWN, 2, 1)
    assert [(line.amount.minor, line.about) for line in lines] == [(5, "o1"), (7, "o1")]


async def test_many_at_once_never_overdraw(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.ledger.post(moved("in", 100))

    async def spend(number: int) -> bool:
        try:
            async with shop.write() as tx:
                return await tx.ledger.post(moved(f"out{number}", -30))
        except Overdrawn:
            return False

    done = await asyncio.gather(*(spend(number) for number in range(50)))
    assert sum(done) == 3
    async with shop.read() as tx:
        assert await tx.ledger.balance(OWN, "USD") == Money(10, "USD")


async def test_one_cause_posted_by_many_at_once_counts_once(shop: Database) -> None:
    async def post() -> bool:
        async with shop.write() as tx:
            return await tx.ledger.post(moved("same", 30))

    assert sum(await asyncio.gather(*(post() for _ in range(20)))) == 1
    async with shop.read() as tx:
        assert await tx.ledger.balance(OWN, "USD") == Money(30, "USD")


async def test_deposits_keep_their_totals_and_run_out(shop: Database) -> None:
    async with shop.read() as tx:
        assert await tx.deposits.get("d1") == DEPOSIT
        assert await tx.deposits.next_expiring() == minutes(15)
        assert await tx.deposits.expiring(minutes(14), 9) == []
        assert len(await tx.deposits.expiring(minutes(15), 9)) == 2
    async with shop.write() as tx:
        await tx.deposits.set("d1", paid_at=NOW)
        await tx.deposits.set("d2", ended_at=NOW)
    async with shop.read() as tx:
        assert await tx.deposits.next_expiring() is None
        assert [one.id for one in await tx.deposits.paid_of(ALICE, 9)] == ["d1"]
        assert await tx.deposits.paid_of(BOB, 9) == []


async def test_a_transfer_has_one_proof_that_waits(shop: Database) -> None:
    async with shop.write() as tx:
        assert await tx.proofs.add(PROOF, 1) == PROOF
        assert await tx.proofs.add(replace(PROOF, id="p2"), 1) == PROOF  # the same update
        newer = await tx.proofs.add(replace(PROOF, id="p3"), 2)
    async with shop.read() as tx:
        assert await tx.proofs.waiting() == [newer]
        assert await tx.proofs.waiting_of("d1-p1") == newer
        first = await tx.proofs.get("p1")
    assert first is not None
    assert first.state is ProofState.REPLACED


async def test_a_proof_is_settled_once(shop: Database) -> None:
    W, C, D = ProofState.WAITING, ProofState.CONFIRMED, ProofState.DECLINED
    async with shop.write() as tx:
        await tx.proofs.add(PROOF, 1)
        assert await tx.proofs.move("p1", W, D, days(1), reason="unreadable")
        assert not await tx.proofs.move("p1", W, C, days(1))
        with pytest.raises(ValueError, match="cannot change"):
            await tx.proofs.move("p1", W, C, days(1), payment_id="other")
        found = await tx.proofs.get("p1")
        assert await tx.proofs.waiting() == []
    assert found == replace(PROOF, state=D, decided_at=days(1), reason="unreadable")


async def test_proofs_of_other_sales_that_share_something_are_found(shop: Database) -> None:
    other = replace(
        PROOF, id="p2", payment_id="d2-p1", chat_id=BOB, sha256="cd" * 32, look="00" * 8
    )
    async with shop.write() as tx:
        await tx.proofs.add(PROOF, 1)
        await tx.proofs.add(replace(PROOF, id="p4", payment_id="d1-p2"), 2)
        await tx.proofs.add(other, 3)
        alike = await tx.proofs.alike(other)
        assert {(same, one.id) for same, one in alike} == {(Same.NUMBER, "p1"), (Same.NUMBER, "p4")}
        assert [one.id for _, one in await tx.proofs.alike(PROOF)] == ["p2"]
        await tx.proofs.set_number("p2", "OTHER99")
        assert await tx.proofs.alike(PROOF) == []
