"""The one list of payment methods. A new one is a file beside this one and a line here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel
from telegram import Bot

from bot.domain.quotes import Terms
from bot.domain.sales import Method
from bot.payments.charging import StarsSettings
from bot.payments.epay import Epay, EpaySettings
from bot.payments.paypal import PayPal, PayPalSettings
from bot.payments.stars import Stars
from bot.payments.stripe_settings import StripeSettings
from bot.payments.telegram import TelegramInvoice, TelegramSettings
from bot.ports import Clock, PaymentMethod


class Section(Protocol):
    """The part of the settings that switches a method on and says what it charges."""

    def terms(self) -> Terms: ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """A provider that settings switch on: the model of its section, how to make its methods."""

    settings: type[BaseModel]
    make: Callable[[Any, Clock, Bot], Sequence[PaymentMethod]]


def _stars(settings: StarsSettings, clock: Clock, bot: Bot) -> Sequence[PaymentMethod]:
    return [Stars(bot)] if settings.enabled else []


def _telegram(settings: TelegramSettings, clock: Clock, bot: Bot) -> Sequence[PaymentMethod]:
    return [TelegramInvoice(bot, settings)]


def _stripe(settings: StripeSettings, clock: Clock, bot: Bot) -> Sequence[PaymentMethod]:
    from bot.payments.stripe import StripeCheckout  # its package is large: only where it is used

    return StripeCheckout.from_settings(settings, clock)


def _paypal(settings: PayPalSettings, clock: Clock, bot: Bot) -> Sequence[PaymentMethod]:
    return [PayPal.from_settings(settings, clock)]


def _epay(settings: EpaySettings, clock: Clock, bot: Bot) -> Sequence[PaymentMethod]:
    return [Epay.from_settings(settings, clock)]


ADAPTERS: Mapping[str, Adapter] = {
    "stars": Adapter(StarsSettings, _stars),
    "telegram": Adapter(TelegramSettings, _telegram),
    "stripe": Adapter(StripeSettings, _stripe),
    "paypal": Adapter(PayPalSettings, _paypal),
    "epay": Adapter(EpaySettings, _epay),
}


def build(
    sections: Mapping[str, Section | None], clock: Clock, bot: Bot
) -> tuple[dict[Method, PaymentMethod], dict[Method, Terms]]:
    """Every method with a section in the settings, and what each charges.

    Raises KeyError for a section whose name no adapter has.
    """
    methods: dict[Method, PaymentMethod] = {}
    terms: dict[Method, Terms] = {}
    for name, section in sections.items():
        if section is None:
            continue
        for method in ADAPTERS[name].make(section, clock, bot):
            methods[method.method] = method
            terms[method.method] = section.terms()
    return methods, terms


def ordered(terms: Mapping[Method, Terms], first: Iterable[Method]) -> dict[Method, Terms]:
    """In the shop's order: those it names first, the others as they are listed in `Method`."""
    order = [*first, *Method]
    return {method: terms[method] for method in dict.fromkeys(order) if method in terms}
