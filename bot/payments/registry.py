"""The one list of payment methods. A new one is a file beside this one and a line here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from telegram import Bot

from bot.domain.quotes import Terms
from bot.domain.sales import Method
from bot.payments.charging import StarsSettings
from bot.payments.stars import Stars
from bot.ports import Clock, PaymentMethod


class Section(Protocol):
    """The part of the settings that switches a method on and says what it charges."""

    def terms(self) -> Terms: ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """A provider that settings switch on: the model of its section, how to make its methods."""

    settings: type[Section]
    make: Callable[[Any, Clock, Bot], Sequence[PaymentMethod]]


def _stars(settings: StarsSettings, clock: Clock, bot: Bot) -> Sequence[PaymentMethod]:
    return [Stars(bot)] if settings.enabled else []


ADAPTERS: Mapping[str, Adapter] = {
    "stars": Adapter(StarsSettings, _stars),
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
