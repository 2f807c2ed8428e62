"""Telegram's side of a payment in the chat: the pre-checkout question and the money's arrival."""

import asyncio
from datetime import datetime

import structlog
from telegram import PreCheckoutQuery, SuccessfulPayment, Update
from telegram.error import BadRequest, NetworkError
from telegram.ext import MessageHandler, PreCheckoutQueryHandler
from telegram.ext import filters as f

from bot.chat.context import Context
from bot.chat.views.reasons import REASONS
from bot.domain.money import Money
from bot.domain.subscriptions import Recurring
from bot.i18n import words
from bot.ports import Charge

log = structlog.get_logger()

_ANSWER_AGAIN = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries to answer a pre-checkout query when Telegram can't be reached."""
_CAPTURE_AGAIN = (0.2, 1.0, 5.0, 15.0, 30.0)
"""Seconds between tries to take over a charge that the store does not take."""


async def pre_checkout(update: Update, context: Context) -> None:
    """May this be paid? Answered from the store alone: Telegram gives ten seconds in all."""
    query = update.pre_checkout_query
    if query is None:
        return
    reason = await context.shop.till.precheck(
        query.invoice_payload, query.from_user.id, Money(query.total_amount, query.currency)
    )
    refusal = None
    if reason is not None:
        log.info("pre_checkout_refused", reason=reason)
        async with context.shop.store.read() as tx:
            chat = await tx.chats.get(query.from_user.id)
        refusal = words(chat.language if chat else "en").plain(REASONS[reason])
    await _answer(query, refusal)


async def _answer(query: PreCheckoutQuery, refusal: str | None) -> None:
    """Say yes, or why not; again after a broken connection, for the sheet waits only so long."""
    for pause in (*_ANSWER_AGAIN, None):
        try:
            await query.answer(ok=refusal is None, error_message=refusal)
        except BadRequest as error:
            # Too old: the sheet has given up, or a replay after a crash answers a second time.
            log.info("pre_checkout_over", detail=error.message)
        except NetworkError:
            if pause is None:
                raise
            await asyncio.sleep(pause)
            continue
        return


async def paid(update: Update, context: Context) -> None:
    """Money arrived: taken over once by its charge id; what follows is told by the outbox."""
    message = update.effective_message
    payment = message.successful_payment if message else None
    if message is None or payment is None:
        return
    payer = update.effective_user.id if update.effective_user else message.chat_id
    charge = charge_of(payment, payer, message.date)
    for pause in (*_CAPTURE_AGAIN, None):
        try:
            await context.shop.till.capture(payment.invoice_payload, charge)
            return
        except Exception:
            if pause is None:
                raise
            log.exception("capture_failed", charge=charge.id)
            await asyncio.sleep(pause)


def charge_of(payment: SuccessfulPayment, payer_id: int, at: datetime) -> Charge:
    """The money that Telegram tells of, as a provider would list it; `at` is the message's time.

    In Stars and by card its id is Telegram's, which is the one that a refund takes.
    """
    return Charge(
        id=payment.telegram_payment_charge_id,
        reference=payment.invoice_payload,
        amount=Money(payment.total_amount, payment.currency),
        at=at,
        payer_id=payer_id,
    )


def recurring_of(payment: SuccessfulPayment) -> Recurring | None:
    """What it says of a subscription; None for what is paid once."""
    if not payment.is_recurring:
        return None
    return Recurring(bool(payment.is_first_recurring), payment.subscription_expiration_date)


PAYMENT = f.SUCCESSFUL_PAYMENT | f.StatusUpdate.REFUNDED_PAYMENT


async def refunded(update: Update, context: Context) -> None:
    """Telegram says that a charge went back: by our refund job, which knows, or without us."""
    message = update.effective_message
    payment = message.refunded_payment if message else None
    if message is None or payment is None:
        return
    amount = Money(payment.total_amount, payment.currency)
    charge = Charge(
        id=payment.telegram_payment_charge_id,
        reference=payment.invoice_payload,
        amount=amount,
        at=message.date,
        returned=amount.minor,
        payer_id=message.chat_id,
    )
    await context.shop.till.capture(payment.invoice_payload, charge)


HANDLERS = (
    PreCheckoutQueryHandler(pre_checkout),
    MessageHandler(f.SUCCESSFUL_PAYMENT, paid),
    MessageHandler(f.StatusUpdate.REFUNDED_PAYMENT, refunded),
)
