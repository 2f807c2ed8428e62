"""The eSIM Access stand-in's notifications: unsigned, of a changed state, low data, a last day."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from bot.demo.esim_access_state import EsimAccessState, Profile

THRESHOLDS = (0.5, 0.2, 0.1)
LAST_DAY = timedelta(days=1)


def notifications_due(state: EsimAccessState, now: datetime) -> list[bytes]:
    """What has become true of each profile since it was told of last; nothing of a fresh world."""
    due = []
    for profile in state.profiles:
        present = _present(profile, now)
        if profile.told is not None:
            due += [
                _body(state, profile, kind, content, now)
                for event, (kind, content) in present.items()
                if event not in profile.told
            ]
        profile.told = sorted(present)
    return due


def _present(profile: Profile, now: datetime) -> dict[str, tuple[str, dict[str, Any]]]:
    """What could be told of it at `now`, by a name of ours: the kind, and what is in it."""
    status = profile.status_at(now)
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    found[status] = ("ESIM_STATUS", {"esimStatus": status, "smdpStatus": "ENABLED"})
    if status not in ("IN_USE", "USED_UP"):
        return found
    left = profile.volume() - profile.used
    for threshold in THRESHOLDS:
        if left <= profile.volume() * threshold:
            found[f"data {threshold}"] = (
                "DATA_USAGE",
                {
                    "totalVolume": profile.volume(),
                    "orderUsage": profile.used,
                    "remain": left,
                    "remainThreshold": threshold,
                },
            )
    if profile.expires_at - now <= LAST_DAY:
        found["last day"] = (
            "VALIDITY_USAGE",
            {"durationUnit": "DAY", "remain": 1, "expiredTime": _time(profile.expires_at)},
        )
    return found


def _body(
    state: EsimAccessState, profile: Profile, kind: str, content: dict[str, Any], now: datetime
) -> bytes:
    state.last_notify += 1
    about = {
        "orderNo": profile.order_no,
        "esimTranNo": profile.esim_tran_no,
        "iccid": profile.iccid,
    }
    event = {
        "notifyType": kind,
        "notifyId": f"demo-{state.last_notify}",
        "eventGenerateTime": _time(now),
        "content": about | content,
    }
    return json.dumps(event).encode()


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")
