"""How the Reloadly stand-in writes operators and top-ups, and the webhooks it sends of them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.reloadly_state import Operator, ReloadlyState, TopUp
from bot.demo.stand_in import Json
from bot.ports import Clock


def zoneless(at: datetime) -> str:
    """As the supplier writes times: without saying of which zone they are."""
    return at.strftime("%Y-%m-%d %H:%M:%S")


def fixed_numbers(told: Any) -> Any:
    """Decimals as JSON numbers."""
    if isinstance(told, dict):
        return {key: fixed_numbers(item) for key, item in told.items()}
    if isinstance(told, list):
        return [fixed_numbers(item) for item in told]
    if isinstance(told, Decimal):
        return int(told) if told == told.to_integral_value() else float(told)
    return told


def in_other_types(told: Any) -> Any:
    """The same answer with texts for numbers, and a field from the supplier's future."""
    if isinstance(told, dict):
        return {**{key: in_other_types(item) for key, item in told.items()}, "newField": {"a": 1}}
    if isinstance(told, list):
        return [in_other_types(item) for item in told]
    if isinstance(told, bool):
        return str(told).lower()
    return str(told) if isinstance(told, int | float) else told


def operator_shown(one: Operator) -> Json:
    """One operator, with the fields the documents name."""
    low, high = one.range or (None, None)
    local_low, local_high = one.local_range or (None, None)
    return {
        "id": one.id,
        "operatorId": one.id,
        "name": one.name,
        "bundle": False,
        "data": False,
        "pin": one.pin,
        "supportsLocalAmounts": one.local,
        "denominationType": "RANGE" if one.range or one.local_range else "FIXED",
        "senderCurrencyCode": "USD",
        "senderCurrencySymbol": "$",
        "destinationCurrencyCode": one.currency,
        "destinationCurrencySymbol": one.currency,
        "commission": one.discount,
        "internationalDiscount": one.discount,
        "localDiscount": one.local_discount,
        "mostPopularAmount": None,
        "minAmount": low,
        "maxAmount": high,
        "localMinAmount": local_low,
        "localMaxAmount": local_high,
        "country": {"isoName": one.iso, "name": one.country},
        "fx": {"rate": one.rate, "currencyCode": one.currency},
        "logoUrls": [],
        "fixedAmounts": one.fixed,
        "fixedAmountsDescriptions": one.words,
        "localFixedAmounts": one.local_fixed,
        "localFixedAmountsDescriptions": {},
        "suggestedAmounts": [],
        "suggestedAmountsMap": {},
        "fees": {
            "international": one.fee,
            "internationalPercentage": 0,
            "local": one.fee * one.rate,
            "localPercentage": 0,
        },
        "promotions": [],
        "status": "ACTIVE" if one.active else "INACTIVE",
    }


def topup_shown(one: TopUp, state: ReloadlyState, now: datetime) -> Json:
    """One top-up as it stands at `now`."""
    operator = state.operator(one.operator_id)
    pin = {
        "serial": str(810_000 + one.id % 1000),
        "info1": "Dial *233* and the PIN, then #",
        "info2": None,
        "info3": None,
        "value": None,
        "code": one.pin,
        "ivr": "1-888-888-8888",
        "validity": "30 days",
    }
    return {
        "transactionId": one.id,
        "status": one.status_at(now),
        "operatorTransactionId": f"{one.id % 100_000}:OrderConfirmed",
        "customIdentifier": one.ref or None,
        "recipientPhone": one.number,
        "recipientEmail": None,
        "senderPhone": None,
        "countryCode": operator.iso if operator else None,
        "operatorId": one.operator_id,
        "operatorName": operator.name if operator else None,
        "discount": 0,
        "discountCurrencyCode": "USD",
        "requestedAmount": one.requested,
        "requestedAmountCurrencyCode": one.currency,
        "deliveredAmount": one.delivered,
        "deliveredAmountCurrencyCode": operator.currency if operator else None,
        "transactionDate": zoneless(one.at),
        "pinDetail": pin if one.pin else None,
        "balanceInfo": {
            "oldBalance": state.balance + one.cost,
            "newBalance": state.balance,
            "currencyCode": "USD",
            "currencyName": "US Dollar",
            # Of another zone than transactionDate, as in the supplier's own examples.
            "updatedAt": zoneless(one.at + timedelta(hours=5)),
        },
    }


# ---- webhooks ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Webhook:
    """A notification ready to be posted."""

    headers: dict[str, str]
    body: bytes


def webhook(state: ReloadlyState, one: TopUp, now: datetime, faults: FaultBoard) -> Webhook:
    """What the supplier says of one top-up at `now`, signed by real time."""
    event = {
        "type": "airtime_transaction.status",
        "date": zoneless(now),
        "data": {"transaction": topup_shown(one, state, now)},
    }
    body = json.dumps(fixed_numbers(event)).encode()
    hour = 3_600_000 if faults.take("reloadly.webhook_old") else 0
    stamp = str(time.time_ns() // 1_000_000 - hour)
    joined = b"." if faults.take("reloadly.webhook_dot") else b":"
    forged = faults.take("reloadly.webhook_forged")
    key = "somebody else's" if forged else state.webhook_secret
    signature = hmac.new(key.encode(), body + joined + stamp.encode(), hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-reloadly-signature": signature,
        "x-reloadly-request-timestamp": stamp,
    }
    return Webhook(headers, body)


def webhooks_due(state: ReloadlyState, now: datetime, faults: FaultBoard) -> list[Webhook]:
    """A notification for each top-up whose status has changed since the last one."""
    due = []
    for one in state.topups:
        status = one.status_at(now)
        if status != one.told:
            one.told = status
            made = webhook(state, one, now, faults)
            due += [made, made] if faults.take("reloadly.webhook_twice") else [made]
    return due


async def send_webhooks(
    url: str,
    state: ReloadlyState,
    clock: Clock,
    faults: FaultBoard,
    calls: CallLog,
    http: httpx.AsyncClient,
) -> None:
    """Post what is due to `url` (ours, loopback). One that nobody takes is lost: the supplier's
    own attempts to repeat are not documented."""
    for one in webhooks_due(state, clock.now(), faults):
        began, status = time.perf_counter(), 0
        try:
            status = (await http.post(url, content=one.body, headers=one.headers)).status_code
        except httpx.HTTPError:
            status = 0
        calls.add(
            to="webhook",
            method="reloadly",
            request=json.loads(one.body),
            answer=None,
            status=status,
            ms=(time.perf_counter() - began) * 1000,
        )
