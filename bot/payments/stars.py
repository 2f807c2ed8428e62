"""Telegram Stars: an invoice in the chat, or a subscription behind a link.

Facts: payments.md. A refund takes no amount, and one of a charge that was refunded already says
so, which makes a repeat harmless. An invoice can't be taken back: what stops a late payer is our
answer to the pre-checkout query.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from telegram import Bot

from bot.domain.money import STARS
from bot.domain.sales import Method, Payment, Refund
from bot.payments.star_ledger import StarLedger
from bot.payments.telegram_calls import asked, prices, start_parameter, titles
from bot.ports import (
    Bill,
    Call,
    Charge,
    Found,
    PaymentCapabilities,
    PaymentEvent,
    PaymentRefused,
    PaymentUnavailable,
    Return,
    Returns,
    Shown,
    Standing,
    Way,
)

PERIOD = timedelta(days=30)
"""The one length of a subscription that Telegram knows."""
_SKEW = timedelta(minutes=10)
"""By which Telegram's clock and ours may differ."""


class Stars:
    """ports.PaymentMethod over the bot's own invoices."""

    method = Method.STARS
    provider = "telegram"
    capabilities = PaymentCapabilities(
        way=Way.INVOICE,
        currencies=frozenset({STARS}),
        returns=Returns.WHOLE,
        finds=True,
        cancels=False,
    )

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._ledger = StarLedger(bot)

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        """Send the invoice, or with `bill.keep` make the link of a subscription. Our reference is
        the payload: every charge of a subscription comes with it."""
        if payment.amount.currency != STARS:
            raise PaymentRefused("currency")
        if payment.amount.minor < 1:
            raise PaymentRefused("too_small")
        if bill.keep:
            return await self._subscription(payment, bill)
        title, description = titles(bill)
        message = await asked(
            lambda: self._bot.send_invoice(
                payment.chat_id,
                title=title,
                description=description,
                payload=payment.id,
                currency=STARS,
                prices=prices(payment, bill),
                provider_token="",
                start_parameter=start_parameter(payment),
            )
        )
        return Shown(message_id=message.message_id)

    async def _subscription(self, payment: Payment, bill: Bill) -> Shown:
        title, description = titles(bill)
        link = await asked(
            lambda: self._bot.create_invoice_link(
                title=title,
                description=description,
                payload=payment.id,
                currency=STARS,
                prices=prices(payment, bill),
                provider_token="",
                subscription_period=PERIOD,
            )
        )
        return Shown(url=link)

    async def lookup(self, payment: Payment) -> Found:
        """From the bot's account. What is not paid can still be: an invoice never closes."""
        charges = await self._ledger.charges_since(payment.created_at - _SKEW)
        ours = tuple(charge for charge in charges if charge.reference == payment.id)
        return Found(Standing.PAID, ours) if ours else Found(Standing.OPEN)

    async def cancel(self, payment: Payment) -> Found:
        """Not declared: an invoice can't be taken back. Tells where it stands."""
        return await self.lookup(payment)

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        """Return the Stars of a captured charge, all of them."""
        charge_id = payment.charge_id
        if charge_id is None or payment.captured is None:
            raise PaymentRefused("no_charge")
        if refund.amount != payment.captured:
            raise PaymentRefused("whole_only")
        payer = payment.payer_id or payment.chat_id
        try:
            await asked(lambda: self._bot.refund_star_payment(payer, charge_id))
        except PaymentRefused as error:
            if error.reason != "already_returned":
                raise
        return Return.DONE

    async def subscription(self, payer_id: int, charge_id: str, *, cancelled: bool) -> None:
        """Stop a subscription at the end of what is paid, or allow its payer to take it up again.

        `charge_id` is that of its first charge. Raises PaymentRefused (`not_active` when it has
        ended, `no_charge` when there is none), PaymentUnavailable.
        """
        await asked(lambda: self._bot.edit_user_star_subscription(payer_id, charge_id, cancelled))

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        """Not declared: Telegram itself charges a subscription again."""
        raise PaymentUnavailable("not_offered")

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        """Not declared: Telegram tells the chat."""
        return ()

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        """From the bot's account."""
        return await self._ledger.charges_since(since)

    async def close(self) -> None:
        """Nothing: the bot's connections are the application's."""
