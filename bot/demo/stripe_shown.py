"""How the Stripe stand-in writes its objects, and the events it calls us with."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import datetime, timedelta
from typing import Any

import httpx

from bot.demo.calls import CallLog
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Json
from bot.demo.stripe_state import (
    RETRY_SECONDS,
    TRIES,
    Intent,
    Notice,
    Page,
    Refund,
    StripeState,
)
from bot.ports import Clock

VERSION = "2026-10-28.endive"


def stamp(at: datetime) -> int:
    """Unix seconds, as Stripe writes times."""
    return int(at.timestamp())


def in_other_types(told: Any) -> Any:
    """The same answer with texts for numbers, and a field from its future."""
    if isinstance(told, dict):
        # Metadata is ours: Stripe adds nothing to it.
        changed = {k: v if k == "metadata" else in_other_types(v) for k, v in told.items()}
        return {**changed, "new_field": {"a": 1}}
    if isinstance(told, list):
        return [in_other_types(item) for item in told]
    if isinstance(told, int) and not isinstance(told, bool):
        return str(told)
    return told


class Shown:
    """The objects as they stand at one moment; `expand` names what is written out in full."""

    def __init__(self, state: StripeState, now: datetime, expand: list[str] | None = None) -> None:
        self._state = state
        self._now = now
        parts = [part for path in expand or [] for part in path.split(".")]
        self._expand = frozenset(parts)

    def page(self, one: Page) -> Json:
        """A Checkout Session."""
        status = self._state.page_status(one, self._now)
        intent = self._state.intent(one.intent)
        paid = intent is not None and intent.status == "succeeded"
        full = intent is not None and "payment_intent" in self._expand
        return {
            "id": one.id,
            "object": "checkout.session",
            "amount_total": one.amount,
            "cancel_url": one.away,
            "client_reference_id": one.reference or None,
            "created": stamp(one.created),
            "currency": one.currency,
            "customer": one.customer,
            "expires_at": stamp(one.expires_at),
            "livemode": False,
            "metadata": one.metadata,
            "mode": "payment",
            "payment_intent": self.intent(intent) if intent and full else one.intent,
            "payment_method_types": [one.type],
            "payment_status": "paid" if paid else "unpaid",
            "status": status,
            "success_url": one.back,
            "ui_mode": "hosted_page",
        }

    def intent(self, one: Intent) -> Json:
        """A payment intent."""
        error = None
        if one.error is not None:
            declined = one.error != "authentication_required"
            error = {
                "type": "card_error",
                "code": "card_declined" if declined else "authentication_required",
                "decline_code": one.error,
                "message": "The bank said no.",
            }
        full = one.charge is not None and "latest_charge" in self._expand
        return {
            "id": one.id,
            "object": "payment_intent",
            "amount": one.amount,
            "amount_received": one.amount if one.status == "succeeded" else 0,
            "canceled_at": None,
            "cancellation_reason": one.cancellation_reason,
            "capture_method": "automatic_async",
            "created": stamp(one.created),
            "currency": one.currency,
            "customer": one.customer,
            "last_payment_error": error,
            "latest_charge": self.charge(one) if full else one.charge,
            "livemode": False,
            "metadata": one.metadata,
            "next_action": None,
            "payment_method": one.card,
            "setup_future_usage": "off_session" if one.keep else None,
            "status": one.status,
        }

    def charge(self, one: Intent) -> Json:
        """The charge of a payment that was made."""
        card = self._state.card(one.card)
        kind = card.type if card else "card"
        back = self._state.returned(one, self._now)
        return {
            "id": one.charge,
            "object": "charge",
            "amount": one.amount,
            "amount_captured": one.amount,
            "amount_refunded": back,
            "captured": True,
            "created": stamp(one.charged_at or one.created),
            "currency": one.currency,
            "customer": one.customer,
            "disputed": one.disputed,
            "livemode": False,
            "metadata": one.metadata,
            "paid": True,
            "payment_intent": one.id,
            "payment_method": one.card,
            "payment_method_details": {
                "type": kind,
                kind: {"brand": card.brand, "last4": card.last4} if card and card.last4 else {},
            },
            "refunded": back >= one.amount,
            "status": "succeeded",
        }

    def refund(self, one: Refund) -> Json:
        """A refund."""
        intent = self._state.intent(one.intent)
        return {
            "id": one.id,
            "object": "refund",
            "amount": one.amount,
            "charge": intent.charge if intent else None,
            "created": stamp(one.created),
            "currency": intent.currency if intent else None,
            "metadata": one.metadata,
            "payment_intent": one.intent,
            "reason": None,
            "status": one.status_at(self._now),
        }


# ---- its calls to us ---------------------------------------------------------------------


def dispute(state: StripeState, intent: Intent, now: datetime) -> None:
    """The payer asks their bank for the money; we are told. For tests and the demo."""
    intent.disputed = True
    body = {
        "id": state.new_id("dp"),
        "object": "dispute",
        "amount": intent.amount,
        "charge": intent.charge,
        "currency": intent.currency,
        "metadata": {},
        "payment_intent": intent.id,
        "reason": "fraudulent",
        "status": "needs_response",
    }
    state.tell("charge.dispute.created", body, now)


def return_outside(state: StripeState, intent: Intent, amount: int, now: datetime) -> None:
    """Somebody refunds on Stripe's own pages; we are told. For tests and the demo."""
    made = state.send_back(intent, amount, {}, now)
    shown = Shown(state, now)
    state.tell("refund.created", shown.refund(made), now)
    state.tell("charge.refunded", shown.charge(intent), now)


def written(notice: Notice, now: datetime) -> bytes:
    """The event's body as it is posted."""
    event = {
        "id": notice.id,
        "object": "event",
        "api_version": VERSION,
        "created": stamp(now),
        "data": {"object": notice.body},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": notice.type,
    }
    return json.dumps(event).encode()


def signature(body: bytes, secret: str, at: int | None = None) -> dict[str, str]:
    """The headers of a call, signed by real time (`at` in Unix seconds otherwise)."""
    moment = int(time.time()) if at is None else at
    signed = f"{moment}.".encode() + body
    mac = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": f"t={moment},v1={mac}",
    }


async def send_webhooks(
    state: StripeState, clock: Clock, faults: FaultBoard, calls: CallLog, http: httpx.AsyncClient
) -> None:
    """Make the calls that are due, to `webhook_url` (ours, loopback). One that nobody takes is
    repeated after a minute of the demo's time, a few times."""
    url, now = state.webhook_url, clock.now()
    if url is None or httpx.URL(url).host not in ("127.0.0.1", "localhost", "::1"):
        return
    for notice in [one for one in state.notices if one.due <= now]:
        state.notices.remove(notice)
        if faults.take("stripe.webhook_lost"):
            continue
        body = written(notice, now)
        forged = faults.take("stripe.webhook_forged")
        hour_ago = int(time.time()) - 3600 if faults.take("stripe.webhook_old") else None
        headers = signature(body, "whsec_somebody" if forged else state.webhook_secret, hour_ago)
        times = 2 if faults.take("stripe.webhook_twice") else 1
        taken = [await _posted(url, headers, body, notice, calls, http) for _ in range(times)]
        if not any(taken) and notice.tries + 1 < TRIES:
            notice.tries += 1
            notice.due = now + timedelta(seconds=RETRY_SECONDS)
            state.notices.append(notice)


async def _posted(
    url: str,
    headers: dict[str, str],
    body: bytes,
    notice: Notice,
    calls: CallLog,
    http: httpx.AsyncClient,
) -> bool:
    began, status = time.perf_counter(), 0
    try:
        status = (await http.post(url, content=body, headers=headers)).status_code
    except httpx.HTTPError:
        status = 0
    calls.add(
        to="webhook",
        method=f"stripe {notice.type}",
        request=json.loads(body),
        answer=None,
        status=status,
        ms=(time.perf_counter() - began) * 1000,
    )
    return 200 <= status < 300
