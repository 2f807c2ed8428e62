"""An invoice in the chat that a payment provider of Telegram's charges to a card.

The Bot API tells of a payment once, as a message. It neither lists nor returns money: what is to go
back a person sends back at the provider.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import Field, SecretStr
from telegram import Bot

from bot.domain.sales import Method, Payment, Refund
from bot.payments.charging import Charging
from bot.payments.telegram_calls import asked, prices, start_parameter, titles
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


class TelegramSettings(Charging):
    """A payment provider that was joined to the bot with @BotFather.

    `provider_token` is @BotFather's. Telegram charges about 1 to 10,000 US dollars at once, in
    the currency charged; it refuses the rest.
    """

    provider_token: SecretStr
    least: Decimal = Field(Decimal(1), ge=0)


class TelegramInvoice:
    """ports.PaymentMethod over invoices with a provider token."""

    method = Method.TELEGRAM
    provider = "telegram"
    capabilities = PaymentCapabilities(
        way=Way.INVOICE, currencies=None, returns=Returns.NOTHING, finds=False, cancels=False
    )

    def __init__(self, bot: Bot, settings: TelegramSettings) -> None:
        self._bot = bot
        self._token = settings.provider_token.get_secret_value()

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        """Send the invoice. Our reference is its payload; nothing of the payer is asked."""
        title, description = titles(bill)
        message = await asked(
            lambda: self._bot.send_invoice(
                payment.chat_id,
                title=title,
                description=description,
                payload=payment.id,
                currency=payment.amount.currency,
                prices=prices(payment, bill),
                provider_token=self._token,
                start_parameter=start_parameter(payment),
            )
        )
        return Shown(message_id=message.message_id)

    async def lookup(self, payment: Payment) -> Found:
        """Not declared: Telegram can't be asked."""
        raise PaymentUnavailable("not_offered")

    async def cancel(self, payment: Payment) -> Found:
        """Not declared: an invoice can't be taken back."""
        raise PaymentUnavailable("not_offered")

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        """Not declared: by hand, at the provider."""
        raise PaymentUnavailable("not_offered")

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        """Not declared: nothing is kept."""
        raise PaymentUnavailable("not_offered")

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        """Not declared: Telegram tells the chat."""
        return ()

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        """Not declared: Telegram can't be asked."""
        raise PaymentUnavailable("not_offered")

    async def close(self) -> None:
        """Nothing: the bot's connections are the application's."""
