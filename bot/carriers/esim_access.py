"""eSIM Access (Redtea): plans, readings, top-ups and their look-up.

What the supplier says of itself: at most ten top-ups a profile, none after expiry, no sandbox,
and nowhere a promise that a repeated `transactionId` buys once. So a top-up is sent once, and a
lost answer is looked up by that id in the profile's list of packages.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self

import httpx
import structlog
from pydantic import BaseModel, Field, SecretStr, ValidationError

from bot.carriers.asking import Failed, over
from bot.carriers.esim_access_api import (
    ALLOCATING,
    BUSY,
    RATE,
    REFUSALS,
    Api,
    Balance,
    Esim,
    EsimList,
    Event,
    Package,
    PackageList,
    Usage,
    Usages,
)
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

MAX_TOPUPS = 10
UNITS_PER_CENT = 100

STATES: Mapping[str, SimState] = {
    "GOT_RESOURCE": SimState.PENDING_ACTIVATION,
    "RELEASED": SimState.PENDING_ACTIVATION,
    "IN_USE": SimState.ACTIVE,
    "USED_UP": SimState.USED_UP,
    "USED_EXPIRED": SimState.EXPIRED,
    "UNUSED_EXPIRED": SimState.EXPIRED,
    "SUSPENDED": SimState.SUSPENDED,
    "CANCEL": SimState.LOST,
    "REVOKED": SimState.LOST,
}


class EsimAccessSettings(BaseModel):
    """The section of the settings that switches this supplier on."""

    access_code: SecretStr
    secret_key: SecretStr
    base_url: str = Field("https://api.esimaccess.com", pattern=r"^https?://[^/]")
    requests_per_second: int = Field(RATE, ge=1)
    """The supplier's limit for this account."""
    low_wallet: LowWallet = DEFAULT_LOW
    """Operators are told when our balance falls below it, once a day."""


class EsimAccess:
    """Carrier over eSIM Access. A profile is known by its esimTranNo: an ICCID may be reused."""

    name = "esim_access"
    capabilities = Capabilities(
        reads=True,
        finds=True,
        unique_refs=False,
        after_expiry=False,
        webhooks=True,
        extends=True,
    )

    def __init__(
        self,
        access_code: str,
        secret_key: str,
        base_url: str,
        http: httpx.AsyncClient | None,
        clock: Clock,
        rate: int = RATE,
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one."""
        self._api = Api(access_code, secret_key, base_url, http, rate)
        self._clock = clock

    @classmethod
    def from_settings(cls, settings: EsimAccessSettings, clock: Clock) -> Self:
        """With a connection pool of its own."""
        return cls(
            settings.access_code.get_secret_value(),
            settings.secret_key.get_secret_value(),
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
        """The profile with that ICCID, the longest valid one where it was reused.

        Numbers can't be looked up there: without an ICCID the answer is None.
        """
        if iccid is None:
            return None
        found = [esim for esim in await self._query(iccid=iccid) if esim.iccid == iccid]
        if not found:
            return None
        never = datetime.min.replace(tzinfo=UTC)
        esim = max(found, key=lambda e: (not _gone(e), e.expired_time or never))
        reading = await self._reading(esim)
        return Resolved(esim.esim_tran_no, esim.iccid, esim.msisdn or None, esim.ac, reading)

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        """Top-ups for this profile; cost in USD, rounded up to the cent, data in bytes."""
        return [
            SupplierPlan(p.package_code, _cents_up(p.price), p.duration, p.volume, str(p.price))
            for p in await self._packages(sim)
        ]

    async def snapshot(self, sim: Sim) -> Reading:
        """State, validity and data. The supplier's readings of data are two or three hours old.

        While a profile waits for its activation, `expiry` is the last day to activate it.
        """
        return await self._reading(await self._profile(sim))

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        """Look for our reference among the profile's packages.

        UNKNOWN when the list names no references: then its silence proves nothing.
        """
        esim = await self._profile(request.sim)
        for bought in esim.package_list:
            if bought.transaction_id == request.ref:
                return TopUpAnswer(TopUpStatus.SUCCEEDED, supplier_ref=bought.esim_tran_no)
        if any(not bought.transaction_id for bought in esim.package_list[1:]):
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="no_references")
        return TopUpAnswer(TopUpStatus.NOT_FOUND)

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        """The listed price of one top-up now."""
        for plan in await self.plans(sim):
            if plan.code == supplier_code and plan.cost is not None:
                return SupplierQuote(cost=plan.cost, quoted=plan.quoted)
        return SupplierQuote(refused="not_sold_now")

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        """The same look-up as by our reference: a top-up there is done at once and stays."""
        return await self.find(request)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        """The profile it is about. It is not signed, so nothing in it is believed."""
        try:
            event = Event.model_validate_json(body)
        except ValidationError:
            raise WebhookRefused("not a notification") from None
        content = event.content
        if content is None or not (content.esim_tran_no or content.iccid):
            return [Hint(event.notify_id)]
        return [Hint(event.notify_id, supplier_ref=content.esim_tran_no, iccid=content.iccid)]

    async def wallet(self) -> Money:
        """Our balance, rounded down to the cent."""
        balance: Balance = await self._api.read(Balance, "/balance/query", {})
        return Money(balance.balance // UNITS_PER_CENT, "USD")

    async def _query(self, **by: str) -> list[Esim]:
        pager = {"pageNum": 1, "pageSize": 50}
        try:
            esims: EsimList = await self._api.read(EsimList, "/esim/query", {**by, "pager": pager})
        except SupplierUnavailable as error:
            if error.reason == "unknown_sim":
                return []
            raise
        return esims.esim_list

    async def _profile(self, sim: Sim) -> Esim:
        tran_no = _tran_no(sim)
        for esim in await self._query(esimTranNo=tran_no):
            if esim.esim_tran_no == tran_no:
                return esim
        raise SupplierUnavailable("unknown_sim")

    async def _reading(self, esim: Esim) -> Reading:
        usages: list[Usage] = await self._api.read(
            Usages, "/esim/usage/query", {"esimTranNoList": [esim.esim_tran_no]}
        )
        usage = next((u for u in usages if u.esim_tran_no == esim.esim_tran_no), None)
        state = STATES.get(esim.esim_status, SimState.UNKNOWN)
        if state is SimState.UNKNOWN:
            log.warning("esim_access.new_state", state=esim.esim_status)
        now = self._clock.now()
        used = usage.data_usage if usage else None
        return Reading(
            source=Source.SUPPLIER,
            as_of=min(now, (usage.last_update_time if usage else None) or now),
            taken_at=now,
            state=state,
            expiry=esim.expired_time,
            data_total=esim.total_volume,
            data_used=esim.order_usage if used is None else used,
            topups_left=_topups_left(esim),
        )

    async def _packages(self, sim: Sim) -> list[Package]:
        query = {"locationCode": "", "type": "TOPUP", "esimTranNo": _tran_no(sim)}
        if sim.iccid:
            query["iccid"] = sim.iccid
        packages: PackageList = await self._api.read(PackageList, "/package/list", query)
        return [package for package in packages.package_list if package.sellable]

    # -- buying

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """Buy one top-up; the call that buys is made at most once.

        With a `max_cost` the price is read first, refused above the cap, and sent along so that
        the supplier refuses if it has moved since. REJECTED only where certainly nothing was
        bought by the supplier's or our own refusal; NOT_SENT when the supplier could not be
        reached to buy.
        """
        if request.sim.supplier_ref is None:
            return TopUpAnswer(TopUpStatus.REJECTED, reason="unknown_sim")
        body = {
            "esimTranNo": request.sim.supplier_ref,
            "packageCode": request.supplier_code,
            "transactionId": request.ref,
        }
        if request.quoted is not None:
            body["amount"] = request.quoted
        elif request.max_cost is not None:
            try:
                price = await self._guarded_price(request, request.max_cost)
            except SupplierUnavailable as error:
                log.warning("esim_access.not_sent", ref=request.ref, reason=error.reason)
                return TopUpAnswer(TopUpStatus.NOT_SENT, reason=error.reason)
            if isinstance(price, TopUpAnswer):
                return price
            body["amount"] = str(price)
        answer = await self._buy(body)
        log.info("esim_access.topup", ref=request.ref, status=answer.status, reason=answer.reason)
        return answer

    async def _guarded_price(self, request: TopUpRequest, cap: Money) -> int | TopUpAnswer:
        """The listed price in the supplier's units, or our refusal to pay it."""
        for package in await self._packages(request.sim):
            if package.package_code == request.supplier_code:
                reason = over(_cents_up(package.price), cap)
                if reason is not None:
                    return TopUpAnswer(TopUpStatus.REJECTED, reason=reason)
                return package.price
        return TopUpAnswer(TopUpStatus.REJECTED, reason="not_sold_now")

    async def _buy(self, body: dict[str, str]) -> TopUpAnswer:
        try:
            obj = await self._api.call("/esim/topup", body)
        except Failed as failed:
            if failed.code in (BUSY, ALLOCATING):
                return TopUpAnswer(TopUpStatus.PROCESSING, reason=failed.reason)
            if failed.unsent:
                return TopUpAnswer(TopUpStatus.NOT_SENT, reason=failed.reason)
            refused = failed.code in REFUSALS
            status = TopUpStatus.REJECTED if refused else TopUpStatus.UNKNOWN
            return TopUpAnswer(status, reason=failed.reason)
        # It is bought; a field missing in the answer must not make that doubtful.
        ref = obj.get("topUpEsimTranNo") if isinstance(obj, dict) else None
        return TopUpAnswer(TopUpStatus.SUCCEEDED, supplier_ref=str(ref) if ref else None)


def _gone(esim: Esim) -> bool:
    return STATES.get(esim.esim_status) is SimState.LOST


def _tran_no(sim: Sim) -> str:
    if sim.supplier_ref is None:
        raise SupplierUnavailable("unknown_sim")
    return sim.supplier_ref


def _cents_up(units: int) -> Money:
    """Our Money has cents; a cost is never shown smaller than it is."""
    return Money(-(-units // UNITS_PER_CENT), "USD")


def _topups_left(esim: Esim) -> int | None:
    """Ten less those on the list, whose first entry is the package the profile was sold with."""
    if not esim.package_list:
        return None
    return max(0, MAX_TOPUPS + 1 - len(esim.package_list))
