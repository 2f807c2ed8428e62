"""The payments' guards, each to be taken out of the bot: `python -m tests.faults payments --without
GUARD`. A harness that finds nothing proves little until it has been seen to find something.

What stands here takes the place of the bot's own code; see docs/payments.md for how many cases it
takes to find each.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

from bot.domain.books import Report
from bot.domain.ledger import Posting
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState
from bot.domain.sales import Method, Order, Payment, Voucher
from bot.domain.transfers import Proof
from bot.payments import paypal
from bot.payments.paypal import PayPal
from bot.payments.paypal_api import Order as PayPalOrder
from bot.ports import Charge, Found, HintRow, Tx
from bot.services import assisting, benefits, outside, paying, selling, till
from bot.services.fulfilment import Fulfilment
from bot.services.hints import Hints
from bot.services.ids import new_id
from bot.services.paying import Paying
from bot.services.reconcile import Reconciliation
from bot.services.selling import Selling
from bot.services.till import Till
from bot.store.ledger import LedgerRows
from bot.store.payments import PaymentRows
from bot.store.promos import PromoRows
from bot.store.topups import VoucherRows
from bot.store.transfers import ProofRows
from tests.faults.guardless import CARRIER_GUARDS

Patch = tuple[Any, str, Any]


async def _nothing(*_: Any, **__: Any) -> None:
    """It is not done."""


async def _no_rows(*_: Any, **__: Any) -> list[Any]:
    return []


async def _no_comparison(self: Reconciliation, since: datetime) -> Report:
    """The books are not compared."""
    return Report(self._clock.now(), since)


# ---- money comes in --------------------------------------------------------------------------

_capture, _take, _captured = Till._capture, Till._take, PayPal._captured
_open_attempt = selling.open_attempt


async def _known_charge(self: PaymentRows, charge_id: str) -> Payment | None:
    """Every word of money is news: nothing is known by its charge."""
    return None


async def _same_attempt(self: Till, tx: Tx, first: Payment, now: datetime) -> Payment:
    """A second charge is written where the first one stands."""
    return first


async def _any_amount(
    self: Till, tx: Tx, reference: str, charge: Charge, now: datetime
) -> Order | None:
    """Whatever was paid, it is what was asked."""
    payment = await tx.payments.get(reference)
    if payment is not None:
        charge = replace(charge, amount=payment.amount)
    return await _capture(self, tx, reference, charge, now)


async def _in_time_only(
    self: Till, tx: Tx, order: Order, method: Method, charge: Money, now: datetime
) -> None:
    """Money that comes after the end is left lying."""
    if order.state not in (OrderState.EXPIRED, OrderState.CANCELLED):
        await _take(self, tx, order, method, charge, now)


async def _anything(self: Till, reference: str, payer_id: int, amount: Money) -> str | None:
    """Whoever wants to pay an invoice may."""
    return None


async def _believed(self: Hints, tx: Tx, row: HintRow, now: datetime) -> None:
    """What a webhook says is paid is paid."""
    payment = await tx.payments.get(row.ref) if row.ref else None
    if payment is not None and payment.charge_id is None:
        charge = Charge(f"said-{row.event_id}", payment.id, payment.amount, now)
        selling = Selling({}, {}, "", ())
        await Till(self._store, self._clock, selling)._capture(tx, payment.id, charge, now)


# ---- attempts --------------------------------------------------------------------------------


async def _each_its_own(
    tx: Tx, order: Order, method: Method, amount: Money, now: datetime
) -> Payment:
    """Every tap opens another attempt, and those before stay open."""
    made = await _open_attempt(tx, order, method, amount, now)
    if made.created_at == now and made.provider_ref is None:
        return made
    again = replace(
        made, id=f"{order.id}-{new_id(6)}", state=PaymentState.CREATED, created_at=now,
        provider_ref=None, url=None, ends_at=None, look_at=None,
    )  # fmt: skip
    await tx.payments.add(again)
    return again


async def _closed_unasked(self: Paying, attempts: Sequence[Payment], *, given_up: bool) -> bool:
    """An order ends without its provider being asked."""
    return True


async def _unasked(self: Paying, attempt: Payment) -> None:
    """Nobody looks at an attempt."""
    async with self._store.write() as tx:
        await tx.payments.set(attempt.id, look_at=None)


async def _whatever_amount(self: PayPal, payment: Payment, order: PayPalOrder) -> Found:
    """An approved order is captured, whatever it is over."""
    if order.unit.amount is not None:
        payment = replace(payment, amount=order.unit.amount.money)
    return await _captured(self, payment, order)


# ---- our own store ---------------------------------------------------------------------------


async def _into_debt(self: LedgerRows, posting: Posting) -> None:
    """A wallet pays what is not in it."""
    values = {"account": posting.account, "currency": posting.amount.currency,
              "minor": posting.amount.minor}  # fmt: skip
    await self._conn.execute(
        text(
            "insert into balances (account, currency, minor) values (:account, :currency, :minor)"
            " on conflict (account, currency) do update set minor = minor + :minor"
        ),
        values,
    )


async def _unused(self: VoucherRows, voucher_id: str, order_id: str, at: datetime) -> bool:
    """A code is good however often."""
    return True


def _good(voucher: Voucher | None, order: Order, now: datetime) -> Voucher:
    """And fits everything."""
    assert voucher is not None
    return voucher


async def _never_alike(self: ProofRows, proof: Proof) -> list[Any]:
    """No picture has been seen before."""
    return []


_receipt_number = assisting.receipt_number


def _each_its_own_number(text: str) -> str:
    """A receipt is good however often."""
    return f"{_receipt_number(text)}-{new_id()}".upper()


async def _kept_place(self: PromoRows, order_id: str, promo_id: str) -> bool:
    """What an order held of a promo it holds for ever."""
    return False


GUARDS: Mapping[str, Sequence[Patch]] = {
    "charge_once": [(PaymentRows, "by_charge", _known_charge)],
    "second_charge": [(Till, "_second_capture", _same_attempt)],
    "amount": [(Till, "_capture", _any_amount)],
    "late_money": [(Till, "_take", _in_time_only)],
    "precheck": [(Till, "precheck", _anything)],
    "truth": [(Hints, "_look_at", _believed)],
    "one_attempt": [(paying, "open_attempt", _each_its_own)],
    "expiry_asks": [(Paying, "close", _closed_unasked)],
    "close_others": [(Paying, "close_others", _nothing)],
    "asking": [(Paying, "_look", _unasked), (Reconciliation, "run", _no_comparison)],
    "reconciliation": [(Reconciliation, "run", _no_comparison)],
    "paypal_amount": [(PayPal, "_captured", _whatever_amount)],
    "paypal_waits": [(paypal, "_WAITING", frozenset(PaymentState))],
    "surplus": [(PaymentRows, "surplus", _no_rows)],
    "outside": [(outside, "record", _nothing)],
    "wallet": [(LedgerRows, "_move", _into_debt)],
    "voucher": [(VoucherRows, "redeem", _unused), (till, "_fitting", _good)],
    "proofs": [(ProofRows, "alike", _never_alike)],
    "receipts": [(assisting, "receipt_number", _each_its_own_number)],
    "promo_places": [(PromoRows, "release", _kept_place)],
    "points": [(benefits, "went_back", _nothing)],
    "ask": [(Fulfilment, name, made) for name, made in CARRIER_GUARDS["ask"].items()],
}
"""What is put in the place of the bot's own."""


@contextmanager
def without(guard: str | None) -> Iterator[None]:
    """One guard taken out for a while, in this process; None takes none. Raises KeyError."""
    with ExitStack() as out:
        for where, name, instead in GUARDS[guard] if guard is not None else ():
            out.enter_context(patch.object(where, name, instead))
        yield
