"""Telegram Stars: an invoice in the chat, a refund of the whole charge.

Facts: payments.md. A refund takes no amount, and one of a charge that was refunded already says
so, which makes a repeat harmless.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from telegram import Bot, LabeledPrice
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.domain.money import STARS
from bot.domain.sales import Method, Payment, Refund
from bot.ports import (
    Bill,
    Call,
    Charge,
    Found,
    PaymentCapabilities,
    PaymentEvent,
    PaymentUnavailable,
    Return,
    Returns,
    Shown,
    Way,
)

_LONGEST_WAIT = 5.0
"""Seconds for which an invoice waits when Telegram asks us to slow down."""


class Stars:
    """ports.PaymentMethod over the bot's own invoices."""

    method = Method.STARS
    provider = "telegram"
    capabilities = PaymentCapabilities(
        way=Way.INVOICE, currencies=frozenset({STARS}), returns=Returns.WHOLE, finds=False,
        cancels=False,
    )  # fmt: skip

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        """Send the invoice. Our reference is its payload; the start parameter keeps a forwarded
        copy from being paid by someone else. Raises PaymentUnavailable."""
        try:
            return await self._send(payment, bill)
        except RetryAfter as error:
            wait = _seconds(error)
            if wait > _LONGEST_WAIT:
                raise PaymentUnavailable(error.message) from error
        except TelegramError as error:
            raise PaymentUnavailable(error.message) from error
        await asyncio.sleep(wait)
        try:
            return await self._send(payment, bill)
        except TelegramError as error:
            raise PaymentUnavailable(error.message) from error

    async def _send(self, payment: Payment, bill: Bill) -> Shown:
        message = await self._bot.send_invoice(
            payment.chat_id,
            title=bill.title,
            description=bill.description,
            payload=payment.id,
            currency=STARS,
            prices=[LabeledPrice(bill.label, payment.amount.minor)],
            provider_token="",
            start_parameter=f"order-{payment.order_id}",
        )
        return Shown(message_id=message.message_id)

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        """Return the Stars of a captured charge. Raises PaymentUnavailable."""
        if payment.charge_id is None:
            raise PaymentUnavailable("no charge to refund")
        payer = payment.payer_id or payment.chat_id
        try:
            await self._bot.refund_star_payment(payer, payment.charge_id)
        except BadRequest as error:
            if "CHARGE_ALREADY_REFUNDED" not in error.message:
                raise PaymentUnavailable(error.message) from error
        except TelegramError as error:
            raise PaymentUnavailable(error.message) from error
        return Return.DONE

    async def lookup(self, payment: Payment) -> Found:
        raise PaymentUnavailable("not asked")

    async def cancel(self, payment: Payment) -> Found:
        raise PaymentUnavailable("not asked")

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        raise PaymentUnavailable("not asked")

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        return []

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        return []

    async def close(self) -> None:
        return None


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
