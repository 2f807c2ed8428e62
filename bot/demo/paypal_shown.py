"""What the PayPal stand-in answers: orders, captures, refunds, the report, in its shapes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.demo.paypal_state import Capture, Order, Refund
from bot.demo.stand_in import Json

WHOLE = frozenset({"HUF", "JPY", "TWD"})


def amount_shown(value: Decimal, currency: str) -> Json:
    """Money as PayPal writes it."""
    places = 0 if currency in WHOLE else 2
    return {"currency_code": currency, "value": f"{value:.{places}f}"}


def time_shown(at: datetime) -> str:
    """A time as PayPal writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def order_shown(order: Order, root: str, now: datetime) -> Json:
    """An order with all that belongs to it."""
    unit: Json = {
        "reference_id": order.reference_id,
        "custom_id": order.custom_id,
        "invoice_id": order.invoice_id,
        "description": order.title,
        "amount": amount_shown(order.amount, order.currency),
    }
    if order.captures:
        unit["payments"] = {
            "captures": [capture_shown(order, one, root, now) for one in order.captures],
            "refunds": [
                refund_shown(order, one, back, root, now)
                for one in order.captures
                for back in one.refunds
            ],
        }
    return {
        "id": order.id,
        "intent": "CAPTURE",
        "status": order.status,
        "create_time": time_shown(order.created_at),
        "purchase_units": [unit],
        "links": [
            {"href": f"{root}/v2/checkout/orders/{order.id}", "rel": "self", "method": "GET"},
            {"href": page_of(order, root), "rel": "payer-action", "method": "GET"},
        ],
    }


def page_of(order: Order, root: str) -> str:
    """Where the payer approves it."""
    return f"{root}/checkoutnow?token={order.id}"


def capture_shown(order: Order, capture: Capture, root: str, now: datetime) -> Json:
    """Money taken."""
    url = f"{root}/v2/payments/captures/{capture.id}"
    return {
        "id": capture.id,
        "status": capture.status(now),
        "amount": amount_shown(capture.amount, order.currency),
        "final_capture": True,
        "custom_id": order.custom_id,
        "invoice_id": order.invoice_id,
        "create_time": time_shown(capture.at),
        "supplementary_data": {"related_ids": {"order_id": order.id}},
        "links": [
            {"href": url, "rel": "self", "method": "GET"},
            {"href": f"{root}/v2/checkout/orders/{order.id}", "rel": "up", "method": "GET"},
        ],
    }


def refund_shown(order: Order, capture: Capture, refund: Refund, root: str, now: datetime) -> Json:
    """Money sent back."""
    return {
        "id": refund.id,
        "status": refund.status(now),
        "amount": amount_shown(refund.amount, order.currency),
        "custom_id": refund.custom_id,
        "invoice_id": refund.invoice_id,
        "create_time": time_shown(refund.at),
        "links": [
            {"href": f"{root}/v2/payments/refunds/{refund.id}", "rel": "self", "method": "GET"},
            {"href": f"{root}/v2/payments/captures/{capture.id}", "rel": "up", "method": "GET"},
        ],
    }


def report_rows(orders: list[Order], now: datetime) -> Iterator[Json]:
    """The account's lines, one for each movement of money."""
    for order in orders:
        for capture in order.captures:
            status = "V" if capture.status(now) == "REFUNDED" else "S"
            yield _row(order, capture.id, "T0006", capture.amount, capture.at, status)
            if capture.disputed:
                yield _row(order, f"H{capture.id[1:]}", "T1110", -capture.amount, capture.at) | {
                    "paypal_reference_id": capture.id,
                    "paypal_reference_id_type": "TXN",
                }
            for back in capture.refunds:
                if back.status(now) == "FAILED":
                    continue
                yield _row(order, back.id, "T1107", -back.amount, back.at) | {
                    "paypal_reference_id": capture.id,
                    "paypal_reference_id_type": "TXN",
                    "custom_field": back.custom_id,
                }


def _row(
    order: Order, row_id: str, code: str, amount: Decimal, at: datetime, status: str = "S"
) -> Json:
    return {
        "transaction_id": row_id,
        "transaction_event_code": code,
        "transaction_initiation_date": at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "transaction_amount": amount_shown(amount, order.currency),
        "transaction_status": status,
        "invoice_id": order.invoice_id,
        "custom_field": order.custom_id,
    }


def in_other_types(value: Any) -> Any:
    """The same, with nulls for empty lists and fields that nobody knows."""
    if isinstance(value, dict):
        shown = {key: in_other_types(one) for key, one in value.items()}
        if "value" in shown and "currency_code" in shown:
            shown["value"] = float(shown["value"])
        return shown | {"processor_hint": {"new": [1, "2", None]}}
    if isinstance(value, list):
        return [in_other_types(one) for one in value] or None
    return value
