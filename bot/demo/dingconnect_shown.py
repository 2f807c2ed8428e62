"""How DingConnect writes what it knows: fields in PascalCase, amounts as numbers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.demo.dingconnect_state import Product, Provider, Transfer
from bot.demo.stand_in import Json


def price_shown(product: Product, send: Decimal, receive: Decimal) -> Json:
    """A price; nothing here is taxed."""
    return {
        "CustomerFee": 0.0,
        "DistributorFee": float(product.fee),
        "ReceiveValue": float(receive),
        "ReceiveCurrencyIso": product.currency,
        "ReceiveValueExcludingTax": float(receive),
        "TaxRate": 0.0,
        "TaxName": None,
        "TaxCalculation": None,
        "SendValue": float(send),
        "SendCurrencyIso": "USD",
    }


def product_shown(product: Product) -> Json:
    """One item of GetProducts."""
    return {
        "ProviderCode": product.provider,
        "SkuCode": product.sku,
        "LocalizationKey": product.sku,
        "SettingDefinitions": [],
        "Maximum": price_shown(product, product.most[1], product.most[0]),
        "Minimum": price_shown(product, product.least[1], product.least[0]),
        "CommissionRate": 0.0,
        "ProcessingMode": "Instant",
        "RedemptionMechanism": "ReadReceipt" if product.by_receipt else "Immediate",
        "Benefits": ["Mobile", "Minutes"],
        "ValidityPeriodIso": product.validity,
        "UatNumber": product.uat_number,
        "AdditionalInformation": None,
        "DefaultDisplayText": product.text,
        "RegionCode": product.provider[-2:],
        "PaymentTypes": ["Prepaid"],
        "LookupBillsRequired": False,
    }


def provider_shown(provider: Provider) -> Json:
    """One item of GetProviders."""
    return {
        "ProviderCode": provider.code,
        "CountryIso": provider.country,
        "Name": provider.name,
        "ShortName": provider.short_name,
        "ValidationRegex": provider.regex,
        "CustomerCareNumber": "",
        "RegionCodes": [provider.country],
        "PaymentTypes": ["Prepaid"],
        "LogoUrl": f"https://operators.example/{provider.code}.png",
    }


def transfer_shown(transfer: Transfer, product: Product | None, now: datetime) -> Json:
    """A TransferRecord at `now`; the receipt comes with the end."""
    state = transfer.state(now)
    done = state not in ("Submitted", "Processing", "Failed")
    receipt = {"providerRef": transfer.provider_ref} if done else {}
    if transfer.pin and done:
        receipt["pin"] = transfer.pin
    return {
        "TransferId": {"TransferRef": transfer.ref, "DistributorRef": transfer.distributor_ref},
        "SkuCode": transfer.sku,
        "Price": price_shown(product, transfer.send, transfer.receive) if product else None,
        "CommissionApplied": 0.0,
        "StartedUtc": _time(transfer.at),
        "CompletedUtc": _time(transfer.settles_at) if now >= transfer.settles_at else None,
        "ProcessingState": state,
        "ReceiptText": f"PIN {transfer.pin}" if "pin" in receipt else None,
        "ReceiptParams": receipt,
        "AccountNumber": transfer.account,
    }


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def in_other_forms(told: Json) -> Json:
    """The same answer in the other forms seen of this supplier, and a field from its future."""

    def texts(value: Any) -> Any:
        if isinstance(value, dict):
            return {_renamed(key): texts(item) for key, item in value.items()} | {"New": {"a": 1}}
        if isinstance(value, list):
            return [texts(item) for item in value] or None
        if value == "Complete":
            return "Completed"
        return str(value).lower() if isinstance(value, int | float) else value

    result = told["ResultCode"]
    items = [item.get("TransferRecord", item) for item in told.get("Items", [])]
    bare = {**told, "ResultCode": 0 if result == 1 else result}
    return dict(texts({**bare, "Items": items} if "Items" in told else bare))


def _renamed(key: str) -> str:
    return "Pin" if key == "pin" else key
