"""The wallets' books against what moved them: a part of reconciliation (payments.md, rule 22).

Every entry sums to zero, every balance is the sum of its postings, no wallet is below zero; each
payment and refund that touches a wallet has its entry, of its amount, and each such entry its
payment or refund.
"""

from collections.abc import AsyncIterator
from datetime import datetime

from bot.domain import ledger as books
from bot.domain.books import TAKEN, Fault
from bot.domain.ledger import EntryKind
from bot.domain.money import Money
from bot.domain.orders import RefundState
from bot.domain.sales import Method, Payment
from bot.ports import Tx

_PAID = (EntryKind.TOPUP, EntryKind.ORDER)
_BACK = (EntryKind.RETURNED, EntryKind.PAID_OUT)


async def faults(tx: Tx, since: datetime) -> AsyncIterator[Fault]:
    """Whatever does not add up now, and what is without its counterpart since then (UTC)."""
    for key, amount in await tx.ledger.unbalanced():
        yield Fault(f"entry:{key}", amount)
    for account, amount in await tx.ledger.drifted():
        yield Fault(f"account:{account}", amount)
    for key, kind in await tx.ledger.posted_since(since):
        if not await _has_cause(tx, key, kind):
            yield Fault(f"entry:{key}", None)
    for payment in await tx.payments.captured_since(since):
        if payment.state in TAKEN and payment.captured is not None:
            if not await _entered(tx, payment, payment.captured):
                yield Fault(f"payment:{payment.id}", payment.captured)
            async for fault in _refunds(tx, payment):
                yield fault


async def _has_cause(tx: Tx, key: str, kind: EntryKind) -> bool:
    name, _, row_id = key.partition(":")
    if kind in _PAID:
        payment = await tx.payments.get(row_id) if name == "payment" else None
        return payment is not None and payment.state in TAKEN
    if kind in _BACK:
        return name == "refund" and await tx.refunds.get(row_id) is not None
    return True  # told by a provider, or earned


async def _entered(tx: Tx, payment: Payment, captured: Money) -> bool:
    """Whether the wallet has what its payment says; other payments don't touch it."""
    own = books.wallet(payment.chat_id)
    posted = await tx.ledger.posted(f"payment:{payment.id}", own)
    if payment.method is Method.WALLET:
        return posted == books.minus(captured)
    deposit = await tx.deposits.get(payment.deposit_id) if payment.deposit_id else None
    if deposit is None:
        return posted is None
    at = payment.captured_at or payment.created_at
    right = [books.credit(payment, deposit, captured, at, first=first) for first in (True, False)]
    return posted in [entry.on(own) for entry in right]


async def _refunds(tx: Tx, payment: Payment) -> AsyncIterator[Fault]:
    own = books.wallet(payment.chat_id)
    for refund in await tx.refunds.of_payment(payment.id):
        posted = await tx.ledger.posted(f"refund:{refund.id}", own)
        if payment.method is Method.WALLET:
            wrong = refund.state is RefundState.DONE and posted != refund.amount
        else:
            wrong = posted is not None and (payment.deposit_id is None or posted.minor > 0)
        if wrong:
            yield Fault(f"refund:{refund.id}", refund.amount)
