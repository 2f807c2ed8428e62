"""A whole adapter in under 150 lines: Tingi, an airtime supplier that does not exist.

A real one would stand in bot/carriers/tingi.py. Its API, as one reads it before writing a line:
the key in `X-Key`; money as text in USD; `POST /topups` buys, and one `ref` buys once.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import structlog
from pydantic import BaseModel, BeforeValidator, SecretStr, TypeAdapter, ValidationError

from bot import ports
from bot.domain.money import Money
from bot.domain.sims import Reading, Sim
from bot.ports import SupplierUnavailable, TopUpAnswer, TopUpRequest, TopUpStatus

log = structlog.get_logger(__name__)
REASONS = {"funds": "no_money", "product": "not_sold_now"}  # our codes, which the views know
STATES = {"done": "succeeded", "running": "processing", "refused": "rejected"}

Usd = Annotated[Money, BeforeValidator(lambda text: Money.of(text, "USD"))]


class TingiSettings(BaseModel):  # its section of the settings: XUKA_TINGI__KEY
    key: SecretStr
    base_url: str = "https://api.tingi.example"


class Balance(BaseModel):  # models take what is needed and leave unknown fields alone
    balance: Usd


class Number(BaseModel):
    carrier: str
    country: str


class Product(BaseModel):
    id: str
    cost: Usd


class TopUp(BaseModel):
    id: str
    ref: str
    state: str
    reason: str = ""


class Tingi:
    name = "tingi"  # the core asks only for what is declared; in doubt say no, and a person decides
    capabilities = ports.Capabilities(
        reads=False, finds=True, unique_refs=True, after_expiry=True, numbers=True
    )

    def __init__(self, settings: TingiSettings, http: httpx.AsyncClient | None = None) -> None:
        self._root, self._key = settings.base_url, {"X-Key": settings.key.get_secret_value()}
        self._http, self._own = http or httpx.AsyncClient(timeout=20), http is None

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> ports.Resolved | None:
        one = await self._read(Number | None, f"/numbers/{msisdn}") if msisdn else None
        known = (one.carrier, one.country) if one else None
        return ports.Resolved(msisdn or "", None, msisdn, None, None, *known) if known else None

    async def plans(self, sim: Sim) -> list[ports.SupplierPlan]:
        products = await self._read(list[Product], "/products", number=sim.msisdn or "")
        return [ports.SupplierPlan(one.id, one.cost, days=0, data=None) for one in products]

    async def quote(self, sim: Sim, code: str, amount: Money | None) -> ports.SupplierQuote:
        cost = {plan.code: plan.cost for plan in await self.plans(sim)}.get(code)
        return ports.SupplierQuote(cost=cost, refused=None if cost else "not_sold_now")

    async def snapshot(self, sim: Sim) -> Reading:
        raise SupplierUnavailable("no_readings")  # it only sends airtime, so it invents nothing

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """Never raises: NOT_SENT while nothing has left, UNKNOWN once something may have."""
        try:
            quote = await self.quote(request.sim, request.supplier_code, request.amount)
        except SupplierUnavailable as error:
            return TopUpAnswer(TopUpStatus.NOT_SENT, reason=error.reason)
        cost, cap, refused = quote.cost, request.max_cost, quote.refused
        if cost is not None and cap is not None and refused is None:
            other = cost.currency != cap.currency
            refused = "cost_currency" if other else "price_moved" if cap < cost else None
        if refused is not None:
            return TopUpAnswer(TopUpStatus.REJECTED, reason=refused)
        bill = {"ref": request.ref, "product": request.supplier_code, "to": request.sim.msisdn}
        try:  # sent once: whether it may be repeated is the core's to decide
            return _told(await self._call(TopUp, "POST", "/topups", json=bill))
        except SupplierUnavailable as error:
            status = TopUpStatus.NOT_SENT if error.reason == "not_sent" else TopUpStatus.UNKNOWN
            return TopUpAnswer(status, reason=error.reason)

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        found = await self._read(list[TopUp], "/topups", ref=request.ref)
        ours = [one for one in found if one.ref == request.ref]  # a filter may be ignored
        return _told(ours[0]) if ours else TopUpAnswer(TopUpStatus.NOT_FOUND)

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        return _told(await self._read(TopUp, f"/topups/{supplier_ref}"))

    async def wallet(self) -> Money | None:
        balance: Balance = await self._read(Balance, "/balance")
        return balance.balance

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[ports.Hint]:
        raise ports.WebhookRefused("it has none")

    async def close(self) -> None:
        if self._own:  # what was lent is its owner's to close
            await self._http.aclose()

    async def _read(self, kind: Any, path: str, **query: str) -> Any:
        """A question costs nothing, so it may wait its turn and be asked again."""
        for left in (2, 1, 0):
            try:
                return await self._call(kind, "GET", path, params=query)
            except SupplierUnavailable as error:
                if error.reason != "busy" or not left:
                    raise
                await asyncio.sleep(1)
        raise AssertionError("the last try returns or raises")

    async def _call(self, kind: Any, verb: str, path: str, **parts: Any) -> Any:
        try:
            answer = await self._http.request(verb, self._root + path, headers=self._key, **parts)
            if answer.is_success:
                return TypeAdapter(kind).validate_json(answer.content)
            known = {401: "credentials", 429: "busy"}
            reason = known.get(answer.status_code, f"http_{answer.status_code}")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            reason = "not_sent"
        except httpx.TimeoutException:
            reason = "timeout"
        except httpx.HTTPError:
            reason = "connection_lost"
        except ValidationError:
            reason = "unreadable"
        log.warning("tingi.failed", verb=verb, reason=reason)  # neither the key nor the number
        raise SupplierUnavailable(reason)


def _told(one: TopUp) -> TopUpAnswer:
    status = TopUpStatus(STATES.get(one.state, "unknown"))
    return TopUpAnswer(status, one.id, REASONS.get(one.reason))
