"""The wallets' books: every movement of money is an entry whose postings sum to zero.

Accounts are names. A customer's wallet is `wallet:<chat id>`; what stands on it belongs to them,
and it is never below zero. The other accounts say where money came from and went to: taken by a
method, turned into another currency, sold for, lost.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.money import Money
from bot.domain.quotes import Total
from bot.domain.sales import Method, Payment

SOLD = "sold"
"""What orders were paid with."""
EXCHANGE = "exchange"
"""Where one currency goes in and another comes out."""
FEES = "fees"
"""Fees of top-ups, paid on top of what was credited."""
DISPUTED = "disputed"
"""Credited money that payers' banks hold back until it is decided whose it is."""
LOST = "lost"
"""Credited money that a provider took back after it was spent."""
COMMISSION = "commission"
"""What people were paid for their posts in groups."""
WALLET = "wallet:"
"""How the names of customers' wallets begin."""


class Unbalanced(ValueError):
    """Postings that do not sum to zero: a defect of the caller."""


class Overdrawn(Exception):
    """A wallet would fall below zero; nothing of the entry may stay."""


class EntryKind(StrEnum):
    """Why money moved."""

    TOPUP = "topup"  # into a wallet
    ORDER = "order"  # out of a wallet, for an order
    RETURNED = "returned"  # an order's money, back into the wallet
    PAID_OUT = "paid_out"  # a top-up's money, back to where it came from
    TAKEN_BACK = "taken_back"  # the provider returned a top-up without us
    HELD = "held"  # the payer's bank disputes a top-up
    FREED = "freed"  # that has ended, or is settled anew
    COMMISSION = "commission"  # earned by posts in groups


@dataclass(frozen=True, slots=True)
class Posting:
    """`amount` is added to `account`; below zero it is taken from it."""

    account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement. `key` names its cause (a payment, a refund) and is posted once for ever.

    Raises Unbalanced unless the postings sum to zero in every currency.
    """

    key: str
    kind: EntryKind
    at: datetime
    postings: tuple[Posting, ...]
    about: str | None = None
    """The order or deposit it belongs to."""

    def __post_init__(self) -> None:
        if not self.postings or any(sums(self.postings).values()):
            raise Unbalanced(f"{self.key}: {self.postings}")

    def on(self, account: str) -> Money | None:
        """What it adds to an account; None when it does not touch it."""
        touched = [posting.amount for posting in self.postings if posting.account == account]
        return touched[0] if touched else None


@dataclass(frozen=True, slots=True)
class Line:
    """A movement as the owner of one account sees it."""

    kind: EntryKind
    amount: Money
    at: datetime
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that a customer puts into their wallet; paid by an attempt like an order."""

    id: str
    chat_id: int
    amount: Money
    """What is credited."""
    totals: tuple[Total, ...]
    """What each way to pay charges for it, frozen until `expires_at`."""
    created_at: datetime
    expires_at: datetime
    message_id: int | None = None
    paid_at: datetime | None = None
    ended_at: datetime | None = None
    """When it was given up or ran out unpaid; money that comes later is credited all the same."""

    @property
    def number(self) -> str:
        """Its number as people read it out."""
        return f"XK-{self.id.upper()}"

    def total(self, method: Method) -> Total | None:
        """What this method charges; None when it can't be paid so."""
        return next((total for total in self.totals if total.method is method), None)

    def waits(self, now: datetime) -> bool:
        """Whether it may still be paid."""
        return self.paid_at is None and self.ended_at is None and now < self.expires_at


def sums(postings: Sequence[Posting]) -> dict[str, int]:
    """The sum of the postings in each currency, in minor units."""
    found: Counter[str] = Counter()
    for posting in postings:
        found[posting.amount.currency] += posting.amount.minor
    return dict(found)


def wallet(chat_id: int) -> str:
    """The account of a customer's wallet."""
    return f"{WALLET}{chat_id}"


def is_wallet(account: str) -> bool:
    """Whether the account may never be below zero."""
    return account.startswith(WALLET)


def taken(method: Method) -> str:
    """The account of what came in by a method."""
    return f"taken:{method.value}"


def minus(money: Money) -> Money:
    """The same amount, taken instead of given."""
    return Money(-money.minor, money.currency)


def credit(
    payment: Payment, deposit: Deposit, charge: Money, at: datetime, *, first: bool
) -> Entry:
    """A deposit's charge comes into the wallet.

    The amount that was asked is credited as it was promised, whatever its fee and its currency;
    any other amount, and money beyond the first charge, as it came.
    """
    source, own = taken(payment.method), wallet(payment.chat_id)
    postings: tuple[Posting, ...]
    if not first or charge != payment.amount:
        postings = (Posting(source, minus(charge)), Posting(own, charge))
    elif charge.currency == deposit.amount.currency:
        fee = charge - deposit.amount
        postings = (Posting(source, minus(charge)), Posting(own, deposit.amount))
        postings += (Posting(FEES, fee),) if fee.minor else ()
    else:
        postings = (
            Posting(source, minus(charge)),
            Posting(EXCHANGE, charge),
            Posting(EXCHANGE, minus(deposit.amount)),
            Posting(own, deposit.amount),
        )
    return Entry(f"payment:{payment.id}", EntryKind.TOPUP, at, postings, deposit.id)


def spend(payment: Payment, at: datetime) -> Entry:
    """A wallet pays for an order."""
    own = Posting(wallet(payment.chat_id), minus(payment.amount))
    postings = (own, Posting(SOLD, payment.amount))
    return Entry(f"payment:{payment.id}", EntryKind.ORDER, at, postings, payment.order_id)


def give_back(payment: Payment, refund_id: str, amount: Money, at: datetime) -> Entry:
    """Money of an order, or part of it, comes back into the wallet that paid."""
    postings = (Posting(SOLD, minus(amount)), Posting(wallet(payment.chat_id), amount))
    return Entry(f"refund:{refund_id}", EntryKind.RETURNED, at, postings, payment.order_id)


def pay_out(
    payment: Payment, refund_id: str, credited: Money, returned: Money, at: datetime
) -> Entry:
    """`credited` leaves the wallet, `returned` goes back to where the top-up was paid from."""
    own, source = wallet(payment.chat_id), taken(payment.method)
    postings: tuple[Posting, ...] = (
        Posting(own, minus(credited)),
        Posting(EXCHANGE, credited),
        Posting(EXCHANGE, minus(returned)),
        Posting(source, returned),
    )
    if credited.currency == returned.currency:
        fee = returned - credited
        postings = (Posting(own, minus(credited)), Posting(source, returned))
        postings += (Posting(FEES, minus(fee)),) if fee.minor else ()
    return Entry(f"refund:{refund_id}", EntryKind.PAID_OUT, at, postings, payment.deposit_id)


def commission(key: str, chat_id: int, amount: Money, at: datetime) -> Entry:
    """What posts earned comes into the wallet of who posted."""
    postings = (Posting(COMMISSION, minus(amount)), Posting(wallet(chat_id), amount))
    return Entry(key, EntryKind.COMMISSION, at, postings)


def take_back(
    payment: Payment, key: str, left: Money, credited: Money, at: datetime
) -> Entry | None:
    """A provider returned a top-up without us: what is left of it leaves the wallet, the rest is
    the shop's loss. None when nothing was credited."""
    if credited.minor <= 0:
        return None
    found = min(max(left, Money(0, left.currency)), credited)
    postings: tuple[Posting, ...] = (Posting(taken(payment.method), credited),)
    if found.minor:
        postings += (Posting(wallet(payment.chat_id), minus(found)),)
    if found != credited:
        postings += (Posting(LOST, found - credited),)
    return Entry(key, EntryKind.TAKEN_BACK, at, postings, payment.deposit_id)


def hold(payment: Payment, key: str, amount: Money, at: datetime) -> Entry:
    """What is left of a disputed top-up can't be spent."""
    postings = (Posting(wallet(payment.chat_id), minus(amount)), Posting(DISPUTED, amount))
    return Entry(key, EntryKind.HELD, at, postings, payment.deposit_id)


def free(payment: Payment, key: str, amount: Money, at: datetime) -> Entry:
    """What was held of a top-up is in its wallet again."""
    postings = (Posting(DISPUTED, minus(amount)), Posting(wallet(payment.chat_id), amount))
    return Entry(key, EntryKind.FREED, at, postings, payment.deposit_id)
