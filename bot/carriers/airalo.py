"""Airalo Partners v2: readings, top-ups also in the days after expiry, and their look-up.

The supplier has no idempotency key, and a top-up's description need not come back as we sent it.
So a top-up is sent once, and a lost answer is looked up among the eSIM's orders: by our reference
where the list shows it, else by eSIM, package and time. That proves something only because the
core promises one top-up per ICCID at a time; what is not proved is UNKNOWN, and a person decides.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR
from typing import Self

import httpx
import structlog
from pydantic import BaseModel, Field, SecretStr, ValidationError

from bot.carriers.airalo_api import RATE, Api, sign
from bot.carriers.airalo_orders import Sent, order_state
from bot.carriers.airalo_wire import (
    BalanceAnswer,
    Catalogue,
    EsimAnswer,
    Event,
    OrderAnswer,
    Orders,
    Topups,
    Usage,
    UsageAnswer,
    in_bytes,
)
from bot.carriers.asking import Failed, over
from bot.carriers.wallet import DEFAULT as DEFAULT_LOW
from bot.carriers.wallet import LowWallet
from bot.domain.money import Money
from bot.domain.sims import Reading, Sim, SimState, Source
from bot.ports import (
    Capabilities,
    Clock,
    Hint,
    Resolved,
    SupplierPlan,
    SupplierQuote,
    SupplierUnavailable,
    TopUpAnswer,
    TopUpRequest,
    TopUpStatus,
    WebhookRefused,
)

log = structlog.get_logger(__name__)

STATES: Mapping[str, SimState] = {
    "NOT_ACTIVE": SimState.PENDING_ACTIVATION,
    "ACTIVE": SimState.ACTIVE,
    "FINISHED": SimState.USED_UP,
    "EXPIRED": SimState.EXPIRED,
    "RECYCLED": SimState.LOST,
}
CATALOGUE_SECONDS = 3600.0
"""The supplier wants its catalogue read hourly."""
CATALOGUE_PAUSE = 300.0
"""After a failure; it is some megabytes, and a reading does without."""
MOST_PAGES = 20


class AiraloSettings(BaseModel):
    """The section of the settings that switches this supplier on."""

    client_id: SecretStr
    client_secret: SecretStr
    """Signs our calls and the supplier's webhooks too."""
    base_url: str = Field("https://partners-api.airalo.com/v2", pattern=r"^https?://[^/]")
    requests_per_second: int = Field(RATE, ge=1)
    """The supplier's limit for this account."""
    low_wallet: LowWallet = DEFAULT_LOW
    """Operators are told when our balance falls below it, once a day."""


class Airalo:
    """Carrier over Airalo Partners. An eSIM is known by its ICCID, its supplier_ref too."""

    name = "airalo"
    capabilities = Capabilities(
        reads=True,
        finds=True,
        unique_refs=False,
        after_expiry=True,
        webhooks=True,
        extends=False,
    )

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        base_url: str,
        http: httpx.AsyncClient | None,
        clock: Clock,
        rate: int = RATE,
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one."""
        self._api = Api(client_id, client_secret, base_url, http, clock, rate)
        self._secret = client_secret
        self._clock = clock
        self._sent = Sent()
        self._sold_with: dict[str, str] = {}
        self._windows: dict[str, int] = {}
        self._windows_until = 0.0
        self._reading_windows = asyncio.Lock()

    @classmethod
    def from_settings(cls, settings: AiraloSettings, clock: Clock) -> Self:
        """With a connection pool of its own."""
        return cls(
            settings.client_id.get_secret_value(),
            settings.client_secret.get_secret_value(),
            settings.base_url,
            None,
            clock,
            settings.requests_per_second,
        )

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._api.close()

    # -- reads

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        """The eSIM with that ICCID, if it was bought through this account's API.

        Its eSIMs have no numbers to look up: without an ICCID the answer is None.
        """
        if iccid is None or not _is_iccid(iccid):
            return None
        try:
            esim = (await self._api.read(EsimAnswer, f"/sims/{iccid}", {"include": "order"})).data
        except SupplierUnavailable as error:
            if error.reason == "unknown_sim":
                return None
            raise
        if esim.iccid != iccid:
            return None
        return Resolved(iccid, iccid, None, esim.qrcode or None, await self._reading(iccid))

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        """Top-ups for this eSIM; what we pay in USD, rounded up to the cent, data in bytes.

        Empty once its days after expiry are over, and for a recycled eSIM.
        """
        iccid = _iccid(sim)
        now = self._clock.now()
        if sim.expiry is None or sim.expiry <= now:
            reading = await self._reading(iccid)
            if reading.state is SimState.LOST or _too_late(reading, now):
                return []
        try:
            topups = await self._api.read(Topups, f"/sims/{iccid}/topups")
        except SupplierUnavailable as error:
            if error.reason == "recycled":
                return []
            raise
        return [
            SupplierPlan(p.id, p.cost(topups.discount), p.day, p.data, name=p.title)
            for p in topups.data
        ]

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        """The listed price of one top-up now. The supplier takes no price as a guard."""
        for plan in await self.plans(sim):
            if plan.code == supplier_code:
                return SupplierQuote(cost=plan.cost)
        return SupplierQuote(refused="not_sold_now")

    async def snapshot(self, sim: Sim) -> Reading:
        """State, validity, data, minutes and messages.

        The supplier keeps its answer for 20 minutes and does not say since when, so `as_of`
        may be that much too late.
        """
        return await self._reading(_iccid(sim))

    async def wallet(self) -> Money | None:
        """Our credit, rounded down to the smallest unit; None when there is no account."""
        available = (await self._api.read(BalanceAnswer, "/balance")).available
        if available is None:
            return None
        return Money.rounded(available.amount, available.currency, ROUND_FLOOR)

    async def _reading(self, iccid: str) -> Reading:
        usage = (await self._api.read(UsageAnswer, f"/sims/{iccid}/usage")).data
        state = STATES.get(usage.status, SimState.UNKNOWN)
        if state is SimState.UNKNOWN:
            log.warning("airalo.state_unknown", state=usage.status)
        now = self._clock.now()
        total, used = _data(usage)
        window = await self._window(iccid) if usage.expired_at is not None else None
        return Reading(
            source=Source.SUPPLIER,
            as_of=now,
            taken_at=now,
            state=state,
            expiry=usage.expired_at,
            grace_end=None
            if window is None or usage.expired_at is None
            else usage.expired_at + window,
            data_total=total,
            data_used=used,
            minutes_left=usage.remaining_voice if usage.total_voice else None,
            sms_left=usage.remaining_text if usage.total_text else None,
        )

    async def _window(self, iccid: str) -> timedelta | None:
        """How long after expiry its operator still takes a top-up; None when not told.

        A reading does without it: a failure here leaves the grace that was known before.
        """
        try:
            if iccid not in self._sold_with:
                answer = await self._api.read(EsimAnswer, f"/sims/{iccid}", {"include": "order"})
                bought = answer.data.simable
                if bought is None or bought.package_id is None:
                    return None
                self._sold_with[iccid] = bought.package_id
            await self._read_windows()
        except SupplierUnavailable as error:
            log.warning("airalo.no_grace", reason=error.reason)
        days = self._windows.get(self._sold_with.get(iccid, ""))
        return None if days is None else timedelta(days=days)

    async def _read_windows(self) -> None:
        """The catalogue's grace by package, at most hourly."""
        loop = asyncio.get_running_loop()
        async with self._reading_windows:
            if loop.time() < self._windows_until:
                return
            self._windows_until = loop.time() + CATALOGUE_PAUSE
            # The documents ask for all in one page; where that is refused, the others follow.
            found: dict[str, int] = {}
            page, pages = 1, 1
            while page <= min(pages, MOST_PAGES):
                asked = {"limit": "10000", "page": str(page)}
                catalogue = await self._api.read(Catalogue, "/packages", asked)
                found.update(catalogue.windows())
                page, pages = page + 1, catalogue.pages
            self._windows = found
            self._windows_until = loop.time() + CATALOGUE_SECONDS

    # -- buying

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """Buy one top-up; the call that buys is made at most once.

        With a `max_cost` the price is read just before, and nothing is sent above the cap: the
        supplier itself takes whatever its price is by then. REJECTED only where certainly
        nothing was bought; NOT_SENT when the call did not reach the supplier.
        """
        try:
            iccid = _iccid(request.sim)
            refused = await self._refused(request)
        except SupplierUnavailable as error:
            log.warning("airalo.not_sent", ref=request.ref, reason=error.reason)
            nobody = error.reason == "unknown_sim"
            status = TopUpStatus.REJECTED if nobody else TopUpStatus.NOT_SENT
            return TopUpAnswer(status, reason=error.reason)
        if refused is not None:
            return TopUpAnswer(TopUpStatus.REJECTED, reason=refused)
        answer = await self._buy(request, iccid)
        log.info("airalo.topup", ref=request.ref, status=answer.status, reason=answer.reason)
        return answer

    async def _refused(self, request: TopUpRequest) -> str | None:
        """Why we don't pay its price of this moment; None when we do, or when there is no cap."""
        if request.max_cost is None:
            return None
        quote = await self.quote(request.sim, request.supplier_code, request.amount)
        return quote.refused if quote.cost is None else over(quote.cost, request.max_cost)

    async def _buy(self, request: TopUpRequest, iccid: str) -> TopUpAnswer:
        form = {
            "package_id": request.supplier_code,
            "iccid": iccid,
            "description": request.ref,
        }
        self._sent.began(request.ref, self._clock.now())
        try:
            order = (await self._api.buy(OrderAnswer, "/orders/topups", form)).data
        except Failed as failed:
            if failed.refused:
                return TopUpAnswer(TopUpStatus.REJECTED, reason=failed.reason)
            status = TopUpStatus.NOT_SENT if failed.unsent else TopUpStatus.UNKNOWN
            return TopUpAnswer(status, reason=failed.reason)
        self._sent.answered(request.ref, order.id)
        return TopUpAnswer(TopUpStatus.SUCCEEDED, supplier_ref=order.id)

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        """Look for it among the eSIM's orders.

        SUCCEEDED for the order that shows our reference, or else the only order of this package
        for this eSIM since our call. An order without a reference that may be ours, but need
        not be, makes it UNKNOWN; so does a restart, after which nobody remembers when we called.
        """
        iccid = _iccid(request.sim)
        now = self._clock.now()
        since = self._sent.since(request, now)
        asked = {
            "include": "status,sims",
            "filter[iccid]": iccid,
            # Whole days, and the last one ends as it begins: a day more on both sides.
            "filter[created_at]": f"{since - timedelta(days=1):%Y-%m-%d} - "
            f"{now + timedelta(days=1):%Y-%m-%d}",
            "limit": "100",
        }
        orders = await self._api.read(Orders, "/orders", asked)
        return self._sent.found(request, iccid, orders, since)

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        """The order's state. A finished one that was refunded on request is REVERSED."""
        if not (supplier_ref.isascii() and supplier_ref.isalnum()):
            return TopUpAnswer(TopUpStatus.NOT_FOUND)
        try:
            answer = await self._api.read(
                OrderAnswer, f"/orders/{supplier_ref}", {"include": "status"}
            )
        except SupplierUnavailable as error:
            if error.reason == "unknown_sim":
                return TopUpAnswer(TopUpStatus.NOT_FOUND)
            raise
        return order_state(answer.data)

    # -- being called

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        """The eSIM it is about, once its signature fits.

        Notifications have no id: the text stands for it, for a day. Retries come every 15
        minutes for five hours; the same words on another day are news.
        """
        given = headers.get("airalo-signature", "")
        if not _same(given, sign(self._secret, body)):
            raise WebhookRefused("wrong signature")
        try:
            event = Event.model_validate_json(body)
        except ValidationError:
            raise WebhookRefused("not a notification") from None
        if not event.known:
            raise WebhookRefused("not a notification")
        event_id = f"{self._clock.now():%Y%m%d}-{hashlib.sha256(body).hexdigest()[:24]}"
        if not event.iccid:
            return [Hint(event_id)]
        return [Hint(event_id, supplier_ref=event.iccid, iccid=event.iccid)]


def _is_iccid(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 22


def _iccid(sim: Sim) -> str:
    iccid = sim.supplier_ref or sim.iccid or ""
    if not _is_iccid(iccid):
        raise SupplierUnavailable("unknown_sim")
    return iccid


def _too_late(reading: Reading, now: datetime) -> bool:
    """Whether its operator takes no top-up any more; a grace not told is the supplier's to know."""
    return reading.grace_end is not None and reading.grace_end <= now


def _data(usage: Usage) -> tuple[int | None, int | None]:
    """Bytes in all and used. Zeros stand for an unlimited package, or for nothing told."""
    total = in_bytes(usage.total)
    left = in_bytes(usage.remaining)
    if usage.is_unlimited or not total:
        return None, None
    return total, None if left is None else max(0, total - left)


def _same(given: str, right: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(), right.encode())
