"""Transfers that a person checks: where to send the money, the proof of it, the operator's word.

A transfer's reference (or its amount, lowered by some cents) tells an operator whose it is. What
the operator confirms goes through the till like any provider's charge, so that late, doubled and
wrong amounts meet the same rules.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.domain.chats import Preferences
from bot.domain.ledger import Deposit
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState
from bot.domain.sales import Method, Order, Payment
from bot.domain.transfers import Picture, Proof, ProofState, Same, lowered, normal, reference
from bot.ports import AuditRow, Charge, Clock, Store, Tx
from bot.services import deposits, notices
from bot.services.ids import new_id
from bot.services.selling import Refused, Selling, open_attempt, payable, tell_operators
from bot.services.till import Till
from bot.services.work import Worker

log = structlog.get_logger()

_OPEN = (PaymentState.CREATED, PaymentState.PENDING)
_PAID = (
    PaymentState.CAPTURED, PaymentState.MISMATCH, PaymentState.REFUNDED, PaymentState.DISPUTED
)  # fmt: skip
_CHECKED_WITHIN = timedelta(days=3)
"""How long an order waits for the operator's word on its proof."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where customers send money to. `label` is by language; `qr` is a picture to scan."""

    label: Mapping[str, str]
    details: str
    currency: str
    qr: Path | None = None


@dataclass(frozen=True, slots=True)
class Receiving:
    """How this shop takes transfers: where to, how long it waits, and whether amounts differ by
    cents instead of bearing a reference alone."""

    accounts: tuple[Account, ...] = ()
    waits: timedelta = timedelta(hours=24)
    unique_amount: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a customer is to send: `payment.provider_ref` is the reference. `subject` is what it
    pays; `lowered` tells that the amount is below the total."""

    payment: Payment
    until: datetime
    lowered: bool
    order: Order | None = None
    deposit: Deposit | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A proof with what it shares with others, for who decides."""

    proof: Proof
    payment: Payment
    alike: Sequence[tuple[Same, Proof]]


class Transfers:
    """From the account shown to the operator's word."""

    def __init__(
        self, store: Store, clock: Clock, selling: Selling, till: Till, receiving: Receiving
    ) -> None:
        self._store = store
        self._clock = clock
        self._selling = selling
        self._till = till
        self.receiving = receiving
        self.rings: list[Worker] = []

    def accounts(self, currency: str) -> list[Account]:
        """Where money of that currency can be sent to."""
        return [account for account in self.receiving.accounts if account.currency == currency]

    # ---- choosing ------------------------------------------------------------------------

    async def for_order(self, order_id: str, chat_id: int) -> Transfer:
        """The order's transfer; the order waits for it longer than its quote stands.

        Raises Refused (as `payable`; method_off). Attempts elsewhere are closed before: see
        `Paying.close_others`.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            order = await payable(tx, order_id, chat_id, now)
            attempts = await tx.payments.of_order(order_id)
            known = _open_one(attempts)
            quote = await tx.quotes.get(order.quote_id)
            total = quote.total(Method.TRANSFER) if quote is not None else None
            if total is None or quote is None or Method.TRANSFER not in self._selling.terms:
                raise Refused("method_off", order)
            if known is None:
                last = _declined(attempts)
                if last is None and not quote.stands(now):
                    raise Refused("quote_expired", order)
                ref, amount = await self._names(tx, total.amount, last)
                payment = await open_attempt(tx, order, Method.TRANSFER, amount, now)
                until = max(order.expires_at, order.created_at + self.receiving.waits)
                known = await _show(tx, payment, ref, until, now)
                await tx.orders.wait_until(order_id, until)
                chat = await tx.chats.get(chat_id)
                for news in notices.payment_waits(
                    order, until, chat.preferences if chat else Preferences(), now
                ):
                    await tx.outbox.add(news)
            until = known.ends_at or order.expires_at
            return Transfer(known, until, known.amount != total.amount, order=order)

    async def for_deposit(self, deposit_id: str, chat_id: int) -> Transfer:
        """The same for money that goes into a wallet."""
        now = self._clock.now()
        async with self._store.write() as tx:
            deposit = await deposits.payable(tx, deposit_id, chat_id, now)
            attempts = await tx.payments.of_deposit(deposit_id)
            known = _open_one(attempts)
            total = deposit.total(Method.TRANSFER)
            if total is None or Method.TRANSFER not in self._selling.terms:
                raise Refused("method_off")
            if known is None:
                ref, amount = await self._names(tx, total.amount, _declined(attempts))
                payment = await deposits.attempt(tx, deposit, Method.TRANSFER, amount, now)
                until = max(deposit.expires_at, deposit.created_at + self.receiving.waits)
                known = await _show(tx, payment, ref, until, now)
                await tx.deposits.set(deposit_id, expires_at=until)
            until = known.ends_at or deposit.expires_at
            return Transfer(known, until, known.amount != total.amount, deposit=deposit)

    async def _names(self, tx: Tx, total: Money, last: Payment | None) -> tuple[str, Money]:
        """A reference and an amount that no other open transfer has. One that was declined keeps
        its own: the money may be on its way under them."""
        if last is not None and last.provider_ref is not None:
            return last.provider_ref, last.amount
        ref = reference(secrets.choice)
        while await tx.payments.by_provider_ref(ref) is not None:
            ref = reference(secrets.choice)
        if not self.receiving.unique_amount:
            return ref, total
        others = {
            payment.amount
            for payment in await tx.payments.in_states(_OPEN)
            if payment.method is Method.TRANSFER
        }
        return ref, lowered(total, others, secrets.randbelow(99))

    # ---- the proof -----------------------------------------------------------------------

    async def hand_in(
        self, payment_id: str, chat_id: int, picture: Picture, number: str | None, update_id: int
    ) -> Checked:
        """A picture of the transfer: kept, compared with all others, told to the operators.

        The order waits on while it is looked at. Raises Refused: unknown, already_paid.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            payment = await _mine(tx, payment_id, chat_id)
            proof = Proof(
                id=new_id(),
                payment_id=payment.id,
                chat_id=chat_id,
                state=ProofState.WAITING,
                file_id=picture.file_id,
                photo=picture.photo,
                sha256=picture.sha256,
                look=picture.look,
                created_at=now,
                number=normal(number) if number else None,
            )
            proof = await tx.proofs.add(proof, update_id)
            await _wait_until(tx, payment, now + _CHECKED_WITHIN)
            checked = await self._tell(tx, proof, payment)
        self._ring()
        return checked

    async def number(self, payment_id: str, chat_id: int, text: str) -> Checked | None:
        """The transaction number of a proof handed in; None while there is no proof.

        Raises Refused: unknown, already_paid, not_a_number.
        """
        found = normal(text)
        if found is None:
            raise Refused("not_a_number")
        async with self._store.write() as tx:
            payment = await _mine(tx, payment_id, chat_id)
            proof = await tx.proofs.waiting_of(payment.id)
            if proof is None:
                return None
            await tx.proofs.set_number(proof.id, found)
            proof = await tx.proofs.get(proof.id)
            assert proof is not None  # noqa: S101  read a moment ago
            checked = await self._tell(tx, proof, payment)
        self._ring()
        return checked

    async def _tell(self, tx: Tx, proof: Proof, payment: Payment) -> Checked:
        alike = await tx.proofs.alike(proof)
        why = "proof_again" if alike else "proof"
        await tell_operators(tx, self._selling, f"proof:{proof.id}", why, amount=payment.amount)
        return Checked(proof, payment, alike)

    # ---- the operator's word -------------------------------------------------------------

    async def checked(self, proof_id: str) -> Checked | None:
        """A proof that waits, with what it shares with others; None when none waits."""
        async with self._store.read() as tx:
            proof = await tx.proofs.get(proof_id)
            payment = await tx.payments.get(proof.payment_id) if proof is not None else None
            if proof is None or payment is None or proof.state is not ProofState.WAITING:
                return None
            return Checked(proof, payment, await tx.proofs.alike(proof))

    async def confirm(self, proof_id: str, operator_id: int, received: Money | None) -> None:
        """The money is there: `received`, or exactly what was asked.

        The charge is taken over first, once for the transfer's own id; a crash before the proof
        is settled leaves it in the queue, and confirming it again changes nothing. Raises Refused
        "nothing_waits".
        """
        one = await self.checked(proof_id)
        if one is None or operator_id not in self._selling.operators:
            raise Refused("nothing_waits")
        payment, now = one.payment, self._clock.now()
        amount = received or payment.amount
        charge = Charge(f"transfer:{payment.id}", payment.id, amount, now, payer_id=payment.chat_id)
        await self._till.capture(payment.id, charge)
        async with self._store.write() as tx:
            if await tx.proofs.move(proof_id, ProofState.WAITING, ProofState.CONFIRMED, now):
                details = {"minor": amount.minor, "currency": amount.currency}
                await tx.audit.add(_audit(now, operator_id, "proof_confirmed", proof_id, details))
        log.info("proof_confirmed", proof=proof_id, operator=operator_id)
        self._ring()

    async def decline(self, proof_id: str, operator_id: int, reason: str) -> None:
        """No such money: the attempt has failed, the customer is told why and may send again.

        Raises Refused "nothing_waits".
        """
        if operator_id not in self._selling.operators:
            raise Refused("nothing_waits")
        now = self._clock.now()
        async with self._store.write() as tx:
            proof = await tx.proofs.get(proof_id)
            payment = await tx.payments.get(proof.payment_id) if proof is not None else None
            if proof is None or payment is None or payment.state in _PAID:
                raise Refused("nothing_waits")
            if not await tx.proofs.move(
                proof_id, ProofState.WAITING, ProofState.DECLINED, now, reason=reason
            ):
                raise Refused("nothing_waits")
            if payment.state in _OPEN:
                await tx.payments.move(
                    payment.id, payment.state, PaymentState.FAILED, reason, now,
                    actor=f"operator:{operator_id}",
                )  # fmt: skip
            await _wait_until(tx, payment, now + self.receiving.waits)
            await tx.outbox.add(notices.proof_declined(proof_id, proof.chat_id))
            details = {"reason": reason}
            await tx.audit.add(_audit(now, operator_id, "proof_declined", proof_id, details))
        log.info("proof_declined", proof=proof_id, operator=operator_id, reason=reason)
        self._ring()

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


def _open_one(attempts: Sequence[Payment]) -> Payment | None:
    found = [one for one in attempts if one.method is Method.TRANSFER and one.state in _OPEN]
    return next((one for one in found if one.provider_ref is not None), None)


def _declined(attempts: Sequence[Payment]) -> Payment | None:
    """The newest transfer whose proof was declined."""
    found = [one for one in attempts if one.method is Method.TRANSFER]
    return next((one for one in reversed(found) if one.state is PaymentState.FAILED), None)


async def _show(tx: Tx, payment: Payment, ref: str, until: datetime, now: datetime) -> Payment:
    """The attempt with its reference, from now on before the customer."""
    await tx.payments.move(
        payment.id, payment.state, PaymentState.PENDING, "shown", now,
        provider_ref=ref, ends_at=until,
    )  # fmt: skip
    found = await tx.payments.get(payment.id)
    assert found is not None  # noqa: S101  read a moment ago
    return found


async def _mine(tx: Tx, payment_id: str, chat_id: int) -> Payment:
    """The chat's transfer, open or ended, if nothing was paid for it yet."""
    payment = await tx.payments.get(payment_id)
    if payment is None or payment.chat_id != chat_id or payment.method is not Method.TRANSFER:
        raise Refused("unknown")
    if payment.state in _PAID:
        raise Refused("already_paid")
    return payment


async def _wait_until(tx: Tx, payment: Payment, at: datetime) -> None:
    """What the transfer pays goes on waiting, if it still waits."""
    if payment.order_id is not None:
        order = await tx.orders.get(payment.order_id)
        if order is not None and order.state is OrderState.AWAITING_PAYMENT:
            await tx.orders.wait_until(order.id, at)
    if payment.deposit_id is not None:
        deposit = await tx.deposits.get(payment.deposit_id)
        if deposit is not None and deposit.expires_at < at and deposit.ended_at is None:
            await tx.deposits.set(deposit.id, expires_at=at)


def _audit(
    at: datetime, operator_id: int, action: str, proof_id: str, details: Mapping[str, object]
) -> AuditRow:
    return AuditRow(at, f"operator:{operator_id}", action, f"proof:{proof_id}", details)
