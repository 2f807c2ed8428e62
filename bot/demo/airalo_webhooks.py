"""The Airalo stand-in's notifications: opting in, and sending one on demand, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import httpx

from bot.demo.airalo_shown import wrong
from bot.demo.airalo_state import AiraloState, Esim

LEVELS = {"data_75": "75%", "data_90": "90%", "expire_1": "1days", "expire_3": "3days"}


def notification(state: AiraloState, iccid: str, level: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of a low-data notification. KeyError for an unknown ICCID or level."""
    esim = state.esim(iccid)
    if esim is None:
        raise KeyError(iccid)
    total = sum(held.package.mb for held in esim.held)
    left = max(0, total - esim.used_mb) * 100 // total if total else 100
    return signed(state, {
        "level": LEVELS[level],
        "package_name": esim.held[-1].package.id,
        "remaining_percentage": left,
        "iccid": iccid,
    })  # fmt: skip


def notifications_due(state: AiraloState, now: datetime) -> list[tuple[dict[str, str], bytes]]:
    """A notification of each level an eSIM has reached since the last look; nothing of a fresh
    world."""
    due = []
    for esim in state.esims:
        present = _levels(esim, now)
        if esim.told is not None:
            due += [notification(state, esim.iccid, one) for one in present if one not in esim.told]
        esim.told = present
    return due


def _levels(esim: Esim, now: datetime) -> list[str]:
    if esim.status != "ACTIVE":
        return []
    total = sum(one.package.mb for one in esim.held)
    unlimited = any(one.package.unlimited for one in esim.held)
    found = [
        name
        for name, share in (("data_75", 0.75), ("data_90", 0.9))
        if not unlimited and esim.used_mb >= total * share
    ]
    left = None if esim.expires_at is None else esim.expires_at - now
    found += [
        name
        for name, days in (("expire_3", 3), ("expire_1", 1))
        if left is not None and left <= timedelta(days=days)
    ]
    return found


def signed(state: AiraloState, payload: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Any notification, with the HMAC of its raw JSON beside it."""
    body = json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()
    signature = hmac.new(state.client_secret.encode(), body, hashlib.sha512).hexdigest()
    return {"content-type": "application/json", "airalo-signature": signature}, body


class Notifier:
    """The paths that have to do with notifications. It calls only loopback addresses."""

    def __init__(self, state: AiraloState) -> None:
        self._state = state

    async def opt_in(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Remember where notifications of a kind go, once the place answers HEAD with 200."""
        kind, url = str(asked.get("type")), str(asked.get("webhook_url"))
        if not await self._called("HEAD", url):
            raise wrong(webhook_url="The webhook url does not answer.")
        self._state.webhooks[kind] = url
        about = {"type": kind, "contact_point": url}
        return {"data": {"notification": about}, "meta": {"message": "success"}}

    async def simulate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Send a low-data notification now, to the place named or the one opted in to."""
        iccid, level = str(asked.get("iccid")), str(asked.get("type") or "data_75")
        if self._state.esim(iccid) is None or level not in LEVELS:
            raise wrong(iccid="The selected iccid or type is invalid.")
        headers, body = notification(self._state, iccid, level)
        url = str(asked.get("webhook_url") or self._state.webhooks.get("webhook_low_data", ""))
        sent = await self._called("POST", url, headers, body)
        return {"success": "Notification sent" if sent else "Notification failed"}

    async def _called(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> bool:
        if httpx.URL(url).host not in ("127.0.0.1", "localhost", "::1"):
            return False
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                answer = await http.request(method, url, headers=headers, content=body)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK
