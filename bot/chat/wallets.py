"""All that the message of a wallet's top-up tells, from the store."""

from bot.chat.views.wallet import Filling
from bot.domain import ledger as books
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState
from bot.ports import Tx
from bot.services import ledger


async def filling_of(tx: Tx, deposit_id: str) -> Filling | None:
    """The deposit, what is open of it, what has come in, and the order that waits for it."""
    deposit = await tx.deposits.get(deposit_id)
    if deposit is None:
        return None
    attempts = await tx.payments.of_deposit(deposit_id)
    opened = [p for p in attempts if p.state in (PaymentState.CREATED, PaymentState.PENDING)]
    added = [await ledger.credited(tx, p) for p in attempts if p.charge_id]
    orders = await tx.orders.of_chat(deposit.chat_id, 5)
    waiting = [order for order in orders if order.state is OrderState.AWAITING_PAYMENT]
    proof = await tx.proofs.waiting_of(opened[-1].id) if opened else None
    return Filling(
        deposit=deposit,
        attempt=opened[-1] if opened else None,
        credited=tuple(amount for amount in added if amount is not None),
        balances=tuple(await tx.ledger.balances(books.wallet(deposit.chat_id))),
        order=waiting[0] if waiting else None,
        proved=proof is not None,
        returned=tuple(
            Money(p.going_back, p.captured.currency)
            for p in attempts
            if p.captured and p.going_back
        ),
    )
