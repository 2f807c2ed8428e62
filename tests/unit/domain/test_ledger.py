"""The wallets' books: whatever is posted sums to zero, and a deposit credits what was promised."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import ledger
from bot.domain.ledger import Deposit, Entry, EntryKind, Posting, Unbalanced, sums
from bot.domain.money import Money
from bot.domain.orders import PaymentState
from bot.domain.sales import Method, Payment
from tests.unit.store.samples import ALICE, NOW, days

OWN = ledger.wallet(ALICE)
DEPOSIT = Deposit("d1", ALICE, Money(1000, "USD"), (), NOW, days(1))
AMOUNTS = st.integers(1, 10**12)


def paid(amount: Money, method: Method = Method.CARD, **changes: object) -> Payment:
    made = Payment(
        "d1-p1", None, ALICE, method, PaymentState.CAPTURED, amount, NOW, captured=amount,
        deposit_id="d1",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def test_postings_that_do_not_sum_to_zero_are_refused() -> None:
    half = (Posting(OWN, Money(5, "USD")),)
    with pytest.raises(Unbalanced):
        Entry("k", EntryKind.TOPUP, NOW, half)
    with pytest.raises(Unbalanced):
        Entry("k", EntryKind.TOPUP, NOW, ())
    with pytest.raises(Unbalanced):  # the same number of another currency is not the same
        Entry("k", EntryKind.TOPUP, NOW, (*half, Posting(ledger.SOLD, Money(-5, "EUR"))))


@given(AMOUNTS, AMOUNTS, st.sampled_from(["USD", "XTR", "KWD"]), st.booleans())
def test_every_credit_sums_to_zero(asked: int, came: int, currency: str, first: bool) -> None:
    payment = paid(Money(asked, currency))
    entry = ledger.credit(payment, DEPOSIT, Money(came, currency), NOW, first=first)
    assert not any(sums(entry.postings).values())
    added = entry.on(OWN)
    promised = first and came == asked
    assert added == (DEPOSIT.amount if promised else Money(came, currency))


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_every_way_out_sums_to_zero(credited: int, returned: int, left: int) -> None:
    usd, stars = Money(credited, "USD"), Money(returned, "XTR")
    payment = paid(stars, Method.STARS)
    entries = [
        ledger.spend(paid(usd, Method.WALLET), NOW),
        ledger.give_back(paid(usd, Method.WALLET), "r1", usd, NOW),
        ledger.pay_out(payment, "r1", usd, stars, NOW),
        ledger.pay_out(payment, "r1", usd, Money(returned, "USD"), NOW),
        ledger.take_back(payment, "k", Money(left, "USD"), usd, NOW),
    ]
    for entry in entries:
        assert entry is not None
        assert not any(sums(entry.postings).values())
    taken = entries[-1].on(OWN) if entries[-1] else None
    assert taken == Money(-min(left, credited), "USD")


def test_what_was_spent_already_is_the_shops_loss() -> None:
    entry = ledger.take_back(
        paid(Money(1000, "USD")), "k", Money(0, "USD"), Money(1000, "USD"), NOW
    )
    assert entry is not None
    assert entry.on(OWN) is None
    assert entry.on(ledger.LOST) == Money(-1000, "USD")
    assert (
        ledger.take_back(paid(Money(9, "USD")), "k", Money(0, "USD"), Money(0, "USD"), NOW) is None
    )


def test_a_fee_stays_out_of_the_wallet() -> None:
    payment = paid(Money(1030, "USD"))
    entry = ledger.credit(payment, DEPOSIT, payment.amount, NOW, first=True)
    assert entry.on(OWN) == Money(1000, "USD")
    assert entry.on(ledger.FEES) == Money(30, "USD")


def test_a_deposit_waits_until_it_is_paid_ended_or_over() -> None:
    assert DEPOSIT.waits(NOW)
    assert not DEPOSIT.waits(days(1))
    assert not replace(DEPOSIT, paid_at=NOW).waits(NOW)
    assert not replace(DEPOSIT, ended_at=NOW).waits(NOW)
    assert DEPOSIT.number == "XK-D1"
