"""Invoices: what Telegram takes for one, in Stars and in the currencies of a payment provider."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import PROVIDER_TOKEN, STARS, Invoice, Json
from bot.demo.botapi.params import CHAT_MISSING, SENDING, Method, Params
from bot.demo.botapi.sending import deliver

if TYPE_CHECKING:
    from bot.demo.world import World

MAX_STARS = 100_000
MAX_SUBSCRIPTION = 10_000
PERIOD = 30 * 24 * 3600
"""The one length of a subscription that Telegram knows, in seconds."""
LINK = "https://t.me/$"

# Smallest and largest total in minor units. Telegram's are a dollar and ten thousand dollars by
# the rates of the day; these are about that, and only some of its currencies.
_LIMITS = {
    "USD": (100, 1_000_000),
    "EUR": (86, 860_000),
    "GBP": (75, 750_000),
    "CNY": (715, 7_150_000),
    "HKD": (778, 7_780_000),
    "TWD": (3_050, 30_500_000),
    "SGD": (130, 1_300_000),
    "JPY": (150, 1_500_000),
    "KRW": (1_400, 14_000_000),
    "PHP": (5_800, 58_000_000),
}


def read_invoice(params: Params) -> Invoice:
    """An invoice by Telegram's rules; ApiError 400 for what breaks one."""
    title, description, payload = params["title"], params["description"], params["payload"]
    if not 1 <= len(title.strip()) <= 32:
        raise bad_request("INVOICE_TITLE_INVALID")
    if not 1 <= len(description.strip()) <= 255:
        raise bad_request("INVOICE_DESCRIPTION_INVALID")
    if not 1 <= len(payload.encode()) <= 128:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    currency, token = params["currency"], params.get("provider_token", "")
    if token != ("" if currency == STARS else PROVIDER_TOKEN):
        raise bad_request("PAYMENT_PROVIDER_INVALID")
    amounts = _amounts(params["prices"])
    total = _stars(amounts) if currency == STARS else _fiat(amounts, currency)
    start, period = params.get("start_parameter", ""), _period(params, currency, total)
    return Invoice(title, description, payload, total, start, currency, period)


def _amounts(prices: Any) -> list[int]:
    if not isinstance(prices, list) or not all(isinstance(price, dict) for price in prices):
        raise bad_request("can't parse prices: expected an Array of LabeledPrice")
    return [_price(price) for price in prices]


def _price(price: Json) -> int:
    label, amount = price.get("label"), price.get("amount")
    if not isinstance(label, str) or not label:
        raise bad_request("can't parse LabeledPrice: Can't find field \"label\"")
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise bad_request('can\'t parse LabeledPrice: Field "amount" must be of type Integer')
    return amount


def _stars(amounts: list[int]) -> int:
    if len(amounts) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    if not 1 <= amounts[0] <= MAX_STARS:
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
    return amounts[0]


def _fiat(amounts: list[int], currency: str) -> int:
    limits = _LIMITS.get(currency)
    if limits is None:
        raise bad_request("CURRENCY_INVALID")
    total = sum(amounts)
    if not limits[0] <= total <= limits[1]:
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
    return total


def _period(params: Params, currency: str, total: int) -> int:
    period: int = params.get("subscription_period", 0)
    if not period:
        return 0
    if period != PERIOD or currency != STARS:
        raise bad_request("SUBSCRIPTION_PERIOD_INVALID")
    if total > MAX_SUBSCRIPTION:
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
    return period


def send_invoice(world: World, params: Params) -> Json:
    invoice = read_invoice(params)
    return deliver(world, params, {"invoice": invoice.as_message()}, invoice).data


def create_invoice_link(world: World, params: Params) -> str:
    invoice = read_invoice(params)
    link = LINK + secrets.token_urlsafe(12)
    world.invoice_links[link] = invoice
    return link


_INVOICE = {
    "title": p.string,
    "description": p.string,
    "payload": p.string,
    "provider_token": p.string,
    "currency": p.string,
    "prices": p.structure,
    "photo_url": p.string,
    "photo_size": p.integer,
    "photo_width": p.integer,
    "photo_height": p.integer,
}
_REQUIRED = ("title", "description", "payload", "currency", "prices")
METHODS = {
    "sendInvoice": Method(
        send_invoice,
        {**SENDING, **_INVOICE, "start_parameter": p.string},
        ("chat_id", *_REQUIRED),
        CHAT_MISSING,
        sends=True,
    ),
    "createInvoiceLink": Method(
        create_invoice_link, {**_INVOICE, "subscription_period": p.integer}, _REQUIRED
    ),
}
