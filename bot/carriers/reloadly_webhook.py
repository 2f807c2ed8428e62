"""Reloadly's webhooks: whether one is the supplier's, and which top-up it is about."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.ports import Hint, WebhookRefused

FRESH_SECONDS = 600.0


class _Event(BaseModel):
    """A notification; of its content only the reference is used."""

    type: str
    data: dict[str, Any]


def hint(secret: str, headers: Mapping[str, str], body: bytes) -> Hint:
    """Our reference of the top-up that changed. Raises WebhookRefused.

    The signature joins body and timestamp by ":" or by ".": its descriptions disagree, so both
    are taken. The timestamp (seconds or milliseconds) is compared with real time.
    """
    stamp = headers.get("x-reloadly-request-timestamp", "")
    given = headers.get("x-reloadly-signature", "").strip().lower()
    matches = [
        hmac.compare_digest(_signature(secret, body, separator, stamp).encode(), given.encode())
        for separator in (b":", b".")
    ]
    if not any(matches):
        raise WebhookRefused("wrong signature")
    if not _fresh(stamp):
        raise WebhookRefused("too old")
    try:
        event = _Event.model_validate_json(body)
    except ValidationError:
        raise WebhookRefused("not a notification") from None
    about = event.data.get("transaction") or event.data
    ref = about.get("customIdentifier") if isinstance(about, dict) else None
    event_id = hashlib.sha256(body).hexdigest()[:32]
    return Hint(event_id, ref=ref if isinstance(ref, str) and ref else None)


def _signature(secret: str, body: bytes, separator: bytes, stamp: str) -> str:
    signed = body + separator + stamp.encode()
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _fresh(stamp: str) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 16):
        return False
    at = int(stamp) / 1000 if len(stamp) > 11 else int(stamp)
    return abs(time.time() - at) <= FRESH_SECONDS
