"""The PayPal stand-in's calls to the shop: signed, sent, and verified when they come back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import zlib
from collections.abc import Callable, Mapping

from bot.demo.paypal_shown import time_shown
from bot.demo.paypal_state import PayPalState, Sent
from bot.demo.ringing import Ring, Ringer
from bot.demo.stand_in import Json
from bot.ports import Clock

HEADERS = {
    "auth_algo": "PAYPAL-AUTH-ALGO",
    "cert_url": "PAYPAL-CERT-URL",
    "transmission_id": "PAYPAL-TRANSMISSION-ID",
    "transmission_sig": "PAYPAL-TRANSMISSION-SIG",
    "transmission_time": "PAYPAL-TRANSMISSION-TIME",
}
MOST_SENT = 500


class Notifier:
    """Signs with a key of its own: whether a call is PayPal's only PayPal can tell."""

    def __init__(self, state: PayPalState, clock: Clock, struck: Callable[[str], bool]) -> None:
        self._state = state
        self._clock = clock
        self._struck = struck
        self._ringer = Ringer(lambda answer: answer.is_success)

    def tell(self, reference: str, kind: str, of: str, resource: Json) -> None:
        """Send an event about our reference, and keep it as it was sent."""
        if self._struck("webhook_lost"):
            return
        key = "nobody's" if self._struck("webhook_forged") else self._state.signing_key
        sent = self.signed(reference, self.event(kind, of, resource), key)
        self._state.sent = [*self._state.sent[-MOST_SENT:], sent]
        call = Ring(self._state.webhook_url, "POST", sent.headers, sent.body.encode())
        if call.url:
            times = 2 if self._struck("webhook_twice") else 1
            self._ringer.ring(call, times=times, late=self._struck("webhook_late"))

    def event(self, kind: str, of: str, resource: Json) -> str:
        """The JSON of an event."""
        event = {
            "id": f"WH-{secrets.token_hex(8).upper()}",
            "event_version": "1.0",
            "create_time": time_shown(self._clock.now()),
            "resource_type": of,
            "event_type": kind,
            "summary": "Something happened — 发生了变化",
            "resource": resource,
        }
        return json.dumps(event, ensure_ascii=False, separators=(",", ":"))

    def signed(self, reference: str, body: str, key: str) -> Sent:
        """An event with its headers."""
        sent_id, at = secrets.token_hex(16), time_shown(self._clock.now())
        signature = self._signature(sent_id, at, body, key)
        values = ("SHA256withRSA", "https://api.paypal.com/v1/notifications/certs/CERT-demo",
                  sent_id, signature, at)  # fmt: skip
        headers = {
            "content-type": "application/json",
            **dict(zip(HEADERS.values(), values, strict=True)),
        }
        return Sent(reference=reference, headers=headers, body=body)

    def verifies(self, asked: Mapping[str, object], raw: str) -> bool:
        """Whether these headers belong to these bytes, and both to this shop's webhook."""
        sent_id, at = str(asked.get("transmission_id")), str(asked.get("transmission_time"))
        right = self._signature(sent_id, at, raw, self._state.signing_key)
        given = str(asked.get("transmission_sig"))
        if not hmac.compare_digest(given.encode(), right.encode()):
            return False
        return asked.get("webhook_id") == self._state.webhook_id

    def _signature(self, sent_id: str, at: str, body: str, key: str) -> str:
        text = f"{sent_id}|{at}|{self._state.webhook_id}|{zlib.crc32(body.encode())}"
        return base64.b64encode(
            hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
        ).decode()
