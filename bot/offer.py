"""What the settings say that the shop offers: suppliers, ways to pay, rates, points, accounts."""

from collections.abc import Mapping
from datetime import timedelta

from bot.carriers import registry
from bot.carriers.rules import packs
from bot.carriers.wallet import threshold
from bot.chat.shop import Merchant, Purses
from bot.config import Settings
from bot.domain.money import Money
from bot.domain.points import PointTerms
from bot.domain.quotes import Rate, Rates, Terms
from bot.domain.sales import Method
from bot.payments import registry as methods
from bot.ports import Carrier, Clock
from bot.services.selling import Selling
from bot.services.transfers import Account, Receiving


def carriers_of(settings: Settings, clock: Clock) -> dict[str, Carrier]:
    """Every supplier the settings switch on."""
    return registry.build({name: getattr(settings, name) for name in registry.ADAPTERS}, clock)


PAID_BY = tuple(methods.ADAPTERS)
"""Sections of the settings that switch on a payment provider."""


def rates_of(settings: Settings) -> Rates:
    """The operator's own exchange rates."""
    pairs = {pair: pair.split("/") for pair in settings.rates.table}
    own = {
        (base, into): Rate(base, into, settings.rates.table[pair])
        for pair, (base, into) in pairs.items()
    }
    return {**own, **settings.stars.table()}


def points_of(settings: Settings) -> PointTerms | None:
    """How the shop gives and takes points; None when it does not."""
    own = settings.points
    return PointTerms(own.earn, own.worth, own.months, own.most_percent) if own.enabled else None


def selling_of(settings: Settings, terms: Mapping[Method, Terms]) -> Selling:
    """The shop's terms from the settings; `terms` are those of its payment providers."""
    in_store = {Method.VOUCHER: Terms()} if settings.voucher.enabled else {}
    if settings.wallet.enabled:
        in_store[Method.WALLET] = Terms()
    if settings.transfer.accounts:
        in_store[Method.TRANSFER] = settings.transfer.terms()
    return Selling(
        terms=methods.ordered({**terms, **in_store}, settings.methods),
        rates=rates_of(settings),
        pepper=settings.pepper,
        operators=settings.operator_ids,
        fresh=timedelta(hours=settings.rates.fresh_hours),
        margin=settings.rates.margin_percent,
        packs=packs(),
        points=points_of(settings),
    )


def receiving_of(settings: Settings) -> Receiving:
    """Where customers send transfers to."""
    said = settings.transfer
    accounts = tuple(Account(one.label, one.details, one.currency, one.qr) for one in said.accounts)
    return Receiving(accounts, timedelta(hours=said.wait_hours), said.unique_amount)


def purses_of(settings: Settings) -> Purses:
    """What is offered for wallets; no amounts where the shop has none."""
    said = settings.wallet
    amounts = {
        currency: tuple(Money.of(amount, currency) for amount in some)
        for currency, some in said.amounts.items()
    }
    return Purses(amounts if said.enabled else {}, said.most)


def merchant_of(settings: Settings) -> Merchant:
    """Who sells."""
    shop = settings.shop
    return Merchant(shop.name, shop.legal_name, shop.contact, shop.hotline, tuple(shop.shops))


def low_wallets(settings: Settings) -> dict[str, Money]:
    """Below which balance operators are told, by supplier."""
    sections = {name: getattr(settings, name) for name in registry.ADAPTERS}
    return {name: threshold(s.low_wallet) for name, s in sections.items() if s is not None}
