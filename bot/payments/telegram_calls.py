"""Invoices and what Telegram's refusals and its silence mean for money.

A refusal (400, 403) means that nothing was done. Anything else that is no answer leaves it open.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from telegram import LabeledPrice
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.domain.sales import Payment
from bot.ports import Bill, PaymentRefused, PaymentUnavailable

_LONGEST_WAIT = 5.0
"""Seconds for which a call waits when Telegram asks us to slow down."""
_TITLE, _DESCRIPTION = 32, 255
"""Characters that Telegram allows."""
_REASONS = {
    "PAYMENT_PROVIDER_INVALID": "method_off",
    "CURRENCY_INVALID": "currency",
    "CURRENCY_TOTAL_AMOUNT_INVALID": "not_payable",
    "CHARGE_NOT_FOUND": "no_charge",
    "CHARGE_ALREADY_REFUNDED": "already_returned",
    "BALANCE_TOO_LOW": "no_balance",
    "SUBSCRIPTION_NOT_ACTIVE": "not_active",
}
_PASSING = frozenset({"no_balance"})
"""Refusals that another day may bring to an end."""

Answer = TypeVar("Answer")


async def asked(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Telegram's answer to a call, made once more when it asks for a short pause.

    Raises PaymentRefused for its no, PaymentUnavailable without an answer.
    """
    try:
        return await call()
    except RetryAfter as error:
        wait = _seconds(error)
        if wait > _LONGEST_WAIT:
            raise PaymentUnavailable(error.message) from error
    except TelegramError as error:
        raise _meant(error) from error
    await asyncio.sleep(wait)
    try:
        return await call()
    except TelegramError as error:
        raise _meant(error) from error


def _meant(error: TelegramError) -> PaymentRefused | PaymentUnavailable:
    if not isinstance(error, BadRequest | Forbidden):
        return PaymentUnavailable(error.message)
    said = error.message.upper()  # the library writes "Charge_not_found"
    reason = next((ours for theirs, ours in _REASONS.items() if theirs in said), "refused")
    return PaymentRefused(reason, final=reason not in _PASSING)


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def titles(bill: Bill) -> tuple[str, str]:
    """Title and description of an invoice, as long as Telegram allows."""
    return _cut(bill.title, _TITLE), _cut(bill.description, _DESCRIPTION)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def prices(payment: Payment, bill: Bill) -> list[LabeledPrice]:
    """The one line of an invoice."""
    return [LabeledPrice(_cut(bill.label, _TITLE), payment.amount.minor)]


def start_parameter(payment: Payment) -> str:
    """Never empty: a forwarded copy of the invoice then leads to the bot and can't be paid by
    someone else."""
    return f"order-{payment.order_id}" if payment.order_id else f"wallet-{payment.deposit_id}"
