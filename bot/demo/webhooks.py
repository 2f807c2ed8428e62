"""The suppliers' own calls to the bot: each stand-in tells what has changed, once, by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping

import httpx

from bot.demo.airalo_webhooks import notifications_due as airalo_due
from bot.demo.calls import CallLog
from bot.demo.esim_access_webhooks import notifications_due as esim_access_due
from bot.demo.faults import FaultBoard
from bot.demo.reloadly_shapes import webhooks_due as reloadly_due
from bot.demo.suppliers import Suppliers
from bot.ports import Clock

_PATIENCE = 5.0


class Webhooks:
    """Posts what is due to `url` + "/{supplier}/{secret}". One that nobody takes is lost: the bot
    asks by itself, only later."""

    def __init__(
        self, suppliers: Suppliers, clock: Clock, faults: FaultBoard, calls: CallLog
    ) -> None:
        self._suppliers = suppliers
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self._http = httpx.AsyncClient(trust_env=False, timeout=_PATIENCE)

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()

    async def send(self, url: str, secret: str) -> bool:
        """Post what is due; whether there was anything."""
        due = list(self._due())
        for supplier, headers, body in due:
            began, status = time.perf_counter(), 0
            try:
                address = f"{url}/{supplier}/{secret}"
                answer = await self._http.post(address, content=body, headers=headers)
                status = answer.status_code
            except httpx.HTTPError:
                status = 0  # the bot is down
            self._calls.add(
                to="webhook",
                method=supplier,
                request=json.loads(body),
                answer=None,
                status=status,
                ms=(time.perf_counter() - began) * 1000,
            )
        return bool(due)

    def _due(self) -> Iterator[tuple[str, Mapping[str, str], bytes]]:
        now = self._clock.now()
        for body in esim_access_due(self._suppliers.esim_access, now):
            yield "esim_access", {"content-type": "application/json"}, body
        for headers, body in airalo_due(self._suppliers.airalo, now):
            yield "airalo", headers, body
        for made in reloadly_due(self._suppliers.reloadly, now, self._faults):
            yield "reloadly", made.headers, made.body
