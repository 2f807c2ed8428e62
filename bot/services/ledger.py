"""Money in and out of customers' wallets, each within the transaction of what caused it.

The key of every entry is its cause's, so that a replay posts nothing twice.
"""

from datetime import datetime

from bot.domain import ledger as books
from bot.domain.chats import forgotten
from bot.domain.ledger import Deposit, Overdrawn
from bot.domain.money import Money
from bot.domain.orders import PaymentState, RefundState
from bot.domain.sales import Order, Payment, Refund
from bot.ports import Charge, Tx
from bot.services import notices
from bot.services.ids import new_id
from bot.services.selling import Refused


async def pay(tx: Tx, order: Order, payment: Payment, now: datetime) -> None:
    """The wallet pays an attempt. Raises Refused "wallet_short", which has to leave the
    transaction."""
    try:
        await tx.ledger.post(books.spend(payment, now))
    except Overdrawn:
        raise Refused("wallet_short", order) from None


async def credit(
    tx: Tx, payment: Payment, deposit: Deposit, charge: Charge, now: datetime, *, first: bool
) -> None:
    """A charge for a deposit: captured, credited and told together, whatever its amount."""
    await tx.payments.move(
        payment.id, payment.state, PaymentState.CAPTURED, "provider", now,
        charge_id=charge.id, captured=charge.amount, captured_at=now, payer_id=charge.payer_id,
        look_at=None,
    )  # fmt: skip
    first = first and deposit.paid_at is None
    await tx.ledger.post(books.credit(payment, deposit, charge.amount, now, first=first))
    if deposit.paid_at is None:
        await tx.deposits.set(deposit.id, paid_at=now)
    await tx.outbox.add(notices.deposit_moved(deposit.id, payment.chat_id, payment.id))
    if forgotten(payment.chat_id):
        await _nobodys(tx, payment, charge.amount, now)


async def _nobodys(tx: Tx, payment: Payment, amount: Money, now: datetime) -> None:
    """Money for the wallet of somebody who was forgotten meanwhile: a person sends it back."""
    added = await credited(tx, payment)
    if added is None or not await tx.payments.reserve(payment.id, amount.minor):
        return
    by_hand = RefundState.BY_HAND
    refund = Refund(f"{payment.id}-r{new_id(6)}", payment.id, by_hand, amount, "late_money", now)
    await tx.refunds.add(refund)
    await tx.ledger.post(books.pay_out(payment, refund.id, added, amount, now))


async def give_back(tx: Tx, payment: Payment, refund_id: str, amount: Money, now: datetime) -> None:
    """Money that an order was paid with comes back into the wallet."""
    await tx.ledger.post(books.give_back(payment, refund_id, amount, now))


async def credited(tx: Tx, payment: Payment) -> Money | None:
    """What a deposit's charge has added to the wallet; None when it was none."""
    return await tx.ledger.posted(f"payment:{payment.id}", books.wallet(payment.chat_id))


async def taken_back(tx: Tx, payment: Payment, key: str, minor: int, now: datetime) -> None:
    """`minor` of a deposit's charge went back without us: it leaves the wallet, as far as it is
    still there. Nothing happens for an order's charge."""
    added = await credited(tx, payment) if payment.deposit_id is not None else None
    if added is None or payment.captured is None:
        return
    was_held = await freed(tx, payment, now)
    part = Money(added.minor * minor // payment.captured.minor, added.currency)
    left = await tx.ledger.balance(books.wallet(payment.chat_id), added.currency)
    entry = books.take_back(payment, key, left, part, now)
    if entry is not None:
        await tx.ledger.post(entry)
    if was_held is not None and part < was_held:
        await _hold(tx, payment, was_held - part, now)


async def disputed(tx: Tx, payment: Payment, now: datetime) -> None:
    """The payer's bank holds a deposit's charge back: what is left of it is not spent until that
    is decided. Nothing happens for an order's charge."""
    added = await credited(tx, payment) if payment.deposit_id is not None else None
    if added is None or payment.captured is None or await held(tx, payment) is not None:
        return
    stays = payment.captured.minor - payment.going_back
    await _hold(tx, payment, Money(added.minor * stays // payment.captured.minor,
                                   added.currency), now)  # fmt: skip


async def _hold(tx: Tx, payment: Payment, most: Money, now: datetime) -> None:
    left = await tx.ledger.balance(books.wallet(payment.chat_id), most.currency)
    found = min(left, most)
    if found.minor > 0:
        key = f"dispute:{payment.id}:{await _disputes(tx, payment) + 1}"
        await tx.ledger.post(books.hold(payment, key, found, now))


async def freed(tx: Tx, payment: Payment, now: datetime) -> Money | None:
    """What was held of a deposit's charge is in the wallet again; how much that was."""
    found = await held(tx, payment)
    if found is not None:
        key = f"dispute-over:{payment.id}:{await _disputes(tx, payment)}"
        await tx.ledger.post(books.free(payment, key, found, now))
    return found


async def held(tx: Tx, payment: Payment) -> Money | None:
    """What is held of a deposit's charge now; None when nothing is."""
    last, own = await _disputes(tx, payment), books.wallet(payment.chat_id)
    out = await tx.ledger.posted(f"dispute:{payment.id}:{last}", own)
    over = await tx.ledger.posted(f"dispute-over:{payment.id}:{last}", own)
    return books.minus(out) if out is not None and over is None else None


async def _disputes(tx: Tx, payment: Payment) -> int:
    """How often something of a charge was held: a dispute may come again."""
    own, count = books.wallet(payment.chat_id), 0
    while await tx.ledger.posted(f"dispute:{payment.id}:{count + 1}", own) is not None:
        count += 1
    return count
