"""DingConnect V1: airtime and codes for phone numbers of some hundred countries.

What the supplier says of itself: a transfer is answered within 90 seconds; `ProviderTimedOut` is a
failed transfer that was not charged; transfers of two months can be listed by our reference. That
a repeated `DistributorRef` is refused is promised nowhere, and users saw one paid twice. So a
transfer is sent once, and a lost answer is looked up.

It knows nothing of a line but its operator. Results by callback have no published form.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Self

import httpx
import structlog
from pydantic import BaseModel, Field, SecretStr

from bot.carriers.asking import Failed, over
from bot.carriers.dingconnect_api import SEND_SECONDS, Api
from bot.carriers.dingconnect_transfers import answer_to, most_telling, standing
from bot.carriers.dingconnect_wire import (
    NEAREST,
    Balance,
    Estimates,
    Lookup,
    Price,
    Product,
    Products,
    Provider,
    Providers,
    Statuses,
    Transfer,
    Transfers,
)
from bot.carriers.wallet import DEFAULT as DEFAULT_LOW
from bot.carriers.wallet import LowWallet
from bot.domain.money import Money
from bot.domain.plans import OpenAmount
from bot.domain.sims import Reading, Sim
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

# How long the supplier advises to keep what it lists.
PRODUCTS_FOR = timedelta(hours=3)
PROVIDERS_FOR = timedelta(days=1)

CODE_ACCOUNT = "0000000000"
"""The account number of products whose code is on the receipt (the supplier's FAQ)."""
TAKE = 100


class DingConnectSettings(BaseModel):
    """The section of the settings that switches this supplier on."""

    api_key: SecretStr
    base_url: str = Field("https://api.dingconnect.com", pattern=r"^https?://[^/]")
    low_wallet: LowWallet = DEFAULT_LOW
    """Operators are told when our balance falls below it, once a day."""


class DingConnect:
    """Carrier over DingConnect. A supplier code is its SkuCode; an amount is what the SIM is to
    receive."""

    name = "dingconnect"
    capabilities = Capabilities(
        reads=False,
        finds=True,
        unique_refs=False,
        after_expiry=True,
        numbers=True,
        slowest=SEND_SECONDS,
    )

    def __init__(
        self, api_key: str, base_url: str, http: httpx.AsyncClient | None, clock: Clock
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one."""
        self._api = Api(api_key, base_url, http)
        self._clock = clock
        self._products: dict[tuple[str, str], tuple[datetime, list[Product]]] = {}
        self._providers: dict[str, tuple[datetime, Provider]] = {}

    @classmethod
    def from_settings(cls, settings: DingConnectSettings, clock: Clock) -> Self:
        """With a connection pool of its own."""
        return cls(settings.api_key.get_secret_value(), settings.base_url, None, clock)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._api.close()

    # -- reads

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        """The operator of a number, by its range: a ported number keeps its old one's name.

        Where the supplier is not sure, or several operators share the range, only the country is
        told. ICCIDs can't be looked up there: without a number the answer is None.
        """
        if msisdn is None:
            return None
        found = await self._lookup(msisdn)
        if not found.items:
            return None
        codes = {match.provider_code for match in found.items}
        sure = found.result_code != NEAREST and len(codes) == 1
        only = await self._provider(codes.pop()) if sure else None
        named = (only.short_name or only.name) if only else None
        digits = found.account_number_normalized or _account(msisdn)
        return Resolved(digits, None, msisdn, None, None, named, found.country_iso)

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        """What the number's operator sells, by a list of the last three hours; the true price is
        the quote's. Cost is the send value and our fee, without any commission."""
        found = await self._lookup(_number(sim))
        plans = []
        for match in found.items:
            for product in await self._listed("providerCodes", match.provider_code):
                elsewhere = match.region_code and product.region_code not in (
                    None, "", match.region_code,
                )  # fmt: skip
                if product.provider_code == match.provider_code and not elsewhere:
                    plans.append(_plan(product))
        return list({plan.code: plan for plan in plans}.values())

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        """What the supplier estimates at this moment, and whether the operator takes transfers.

        Any operator's product is quoted that takes the number: the customer may have ported it.
        """
        number = _number(sim)
        product = await self._product(supplier_code, fresh=True)
        if product is None:
            return SupplierQuote(refused="not_sold_now")
        wanted = _wanted(product, amount)
        if isinstance(wanted, str):
            return SupplierQuote(refused=wanted)
        provider = await self._provider(product.provider_code)
        if provider and not product.by_receipt and not provider.takes(_account(number)):
            return SupplierQuote(refused="not_sold_now")
        if not await self._takes_transfers(product.provider_code):
            return SupplierQuote(refused="operator_down")
        price = product.minimum if product.fixed else await self._estimate(product, wanted)
        if price is None:
            return SupplierQuote(refused="not_sold_now")
        if price.send_value <= 0:
            raise SupplierUnavailable("unreadable")
        return SupplierQuote(price.cost, price.delivered, _quoted(price))

    async def snapshot(self, sim: Sim) -> Reading:
        """Raises SupplierUnavailable: no operator tells it a line's balance or validity."""
        raise SupplierUnavailable("no_readings")

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        """Look for our reference among the transfers of the last two months.

        UNKNOWN when the list names no references or is longer than what was asked for: then its
        silence proves nothing.
        """
        return await self._looked_up(DistributorRef=request.ref)

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        """The same look-up by the supplier's own reference."""
        return await self._looked_up(TransferRef=supplier_ref)

    async def wallet(self) -> Money:
        """Our balance, rounded down; transfers under way are not in it yet."""
        balance = await self._api.get(Balance, "GetBalance")
        if balance.balance is None or balance.currency_iso is None:
            raise SupplierUnavailable("unreadable")
        return Money.rounded(balance.balance, balance.currency_iso, ROUND_FLOOR)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        """Raises WebhookRefused: we ask for no callbacks."""
        raise WebhookRefused("dingconnect has no webhooks here")

    async def _lookup(self, msisdn: str) -> Lookup:
        """Never GetProducts with a number: to one it does not know it answers with everything."""
        try:
            return await self._api.get(Lookup, "GetAccountLookup", accountNumber=_account(msisdn))
        except SupplierUnavailable as error:
            if error.reason == "number_refused":
                return Lookup()
            raise

    async def _provider(self, code: str) -> Provider | None:
        now = self._clock.now()
        kept = self._providers.get(code)
        if kept is not None and kept[0] > now:
            return kept[1]
        answer = await self._api.get(Providers, "GetProviders", providerCodes=code)
        for provider in answer.items:
            if provider.provider_code == code:
                self._providers[code] = now + PROVIDERS_FOR, provider
                return provider
        return None

    async def _takes_transfers(self, code: str) -> bool:
        answer = await self._api.get(Statuses, "GetProviderStatus", providerCodes=code)
        return all(one.is_processing_transfers for one in answer.items if one.provider_code == code)

    async def _listed(self, by: str, code: str, *, fresh: bool = False) -> list[Product]:
        now = self._clock.now()
        kept = self._products.get((by, code))
        if kept is not None and kept[0] > now and not fresh:
            return kept[1]
        answer = await self._api.get(Products, "GetProducts", **{by: code})
        sold = [product for product in answer.items if product.sellable]
        if sold:
            self._products[by, code] = now + PRODUCTS_FOR, sold
        return sold

    async def _product(self, sku: str, *, fresh: bool = False) -> Product | None:
        listed = await self._listed("skuCodes", sku, fresh=fresh)
        return next((product for product in listed if product.sku_code == sku), None)

    async def _estimate(self, product: Product, wanted: Decimal) -> Price | None:
        """What a range costs when `wanted` is to arrive; None when it can't be sent."""
        asked = {"ReceiveValue": float(wanted), "SkuCode": product.sku_code, "BatchItemRef": "1"}
        answer = await self._api.ask(Estimates, "EstimatePrices", [asked])
        one = answer.items[0] if len(answer.items) == 1 else None
        if one is not None and one.refused:
            return None
        if one is None or one.price is None or one.sku_code not in (None, product.sku_code):
            raise SupplierUnavailable("unreadable")
        return one.price

    # -- buying

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """Send one transfer; the call that sends is made at most once.

        With `quoted` of our quote that is sent: a fixed product whose price has moved since is
        refused, a range delivers what it is worth now. Without it the price is asked for first.
        """
        if request.sim.msisdn is None:
            return TopUpAnswer(TopUpStatus.REJECTED, reason="unknown_sim")
        try:
            product = await self._product(request.supplier_code)
            quote = SupplierQuote(quoted=request.quoted)
            if request.quoted is None:
                quote = await self.quote(request.sim, request.supplier_code, request.amount)
        except SupplierUnavailable as error:
            log.warning("dingconnect.not_sent", ref=request.ref, reason=error.reason)
            return TopUpAnswer(TopUpStatus.NOT_SENT, reason=error.reason)
        refused = quote.refused or ("not_sold_now" if product is None else None)
        refused = refused or _above_cap(quote.quoted, request.max_cost)
        if refused or product is None or quote.quoted is None:
            return TopUpAnswer(TopUpStatus.REJECTED, reason=refused)
        answer = await self._send(request, product, quote.quoted)
        log.info("dingconnect.topup", ref=request.ref, status=answer.status, reason=answer.reason)
        return answer

    async def _send(self, request: TopUpRequest, product: Product, quoted: str) -> TopUpAnswer:
        value, _, currency = quoted.split()
        account = _account(str(request.sim.msisdn))
        try:
            sent = await self._api.send(
                {
                    "SkuCode": product.sku_code,
                    # At most the currency's decimals, so a float writes exactly these digits.
                    "SendValue": float(Decimal(value)),
                    "SendCurrencyIso": currency,
                    "AccountNumber": CODE_ACCOUNT if product.by_receipt else account,
                    "DistributorRef": request.ref,
                    # Refused when left out.
                    "ValidateOnly": False,
                }
            )
        except Failed as failed:
            status = TopUpStatus.NOT_SENT if failed.unsent else TopUpStatus.UNKNOWN
            return TopUpAnswer(status, reason=failed.reason)
        return answer_to(sent, request.ref, product.by_receipt)

    async def _looked_up(self, **by: str) -> TopUpAnswer:
        """What the list of transfers says of one reference, compared exactly."""
        ((field, ref),) = by.items()
        listed = await self._api.ask(
            Transfers, "ListTransferRecords", {field: ref, "Skip": 0, "Take": TAKE}
        )
        answers = []
        for transfer in listed.items:
            if transfer.ref(field) == ref:
                answers.append(standing(transfer, await self._by_receipt(transfer)))
        if answers:
            return most_telling(answers)
        if any(not transfer.ref(field) for transfer in listed.items):
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="no_references")
        if listed.there_are_more_items:
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="list_cut")
        return TopUpAnswer(TopUpStatus.NOT_FOUND)

    async def _by_receipt(self, transfer: Transfer) -> bool:
        """Whether its receipt text is the code; asked only where no parameter holds one."""
        if transfer.param("pin") or not transfer.receipt_text or not transfer.sku_code:
            return False
        product = await self._product(transfer.sku_code)
        return product is not None and product.by_receipt


# ---- numbers and amounts -----------------------------------------------------------------


def _number(sim: Sim) -> str:
    if sim.msisdn is None:
        raise SupplierUnavailable("unknown_sim")
    return sim.msisdn


def _account(msisdn: str) -> str:
    """Bare digits: the supplier refuses a number with its plus."""
    return msisdn.removeprefix("+")


def _quoted(price: Price) -> str:
    """Send value, our fee and their currency: what `submit` sends and holds against the cap."""
    return f"{price.sent.major} {price.distributor_fee} {price.send_currency_iso}"


def _above_cap(quoted: str | None, cap: Money | None) -> str | None:
    """Why a quoted price is not paid; None when it is."""
    if quoted is None:
        return None
    value, fee, currency = quoted.split()
    return over(Money.rounded(Decimal(value) + Decimal(fee), currency, ROUND_CEILING), cap)


def _wanted(product: Product, amount: Money | None) -> Decimal | str:
    """What is to arrive, or a reason code. A fixed product has its own amount."""
    least, most = product.minimum, product.maximum
    if product.fixed:
        return least.receive_value
    if amount is None:
        return "amount_needed"
    if amount.currency != least.receive_currency_iso:
        return "amount_out_of_range"
    within = least.receive_value <= amount.major <= most.receive_value
    return amount.major if within else "amount_out_of_range"


def _plan(product: Product) -> SupplierPlan:
    """A product as a plan; the supplier sets no steps within a range."""
    least, most = product.minimum, product.maximum
    currency = least.receive_currency_iso
    return SupplierPlan(
        product.sku_code,
        least.cost if product.fixed else None,
        product.days,
        None,
        amount=None
        if product.fixed
        else OpenAmount(
            Money.rounded(least.receive_value, currency, ROUND_CEILING),
            Money.rounded(most.receive_value, currency, ROUND_FLOOR),
            Money(1, currency),
        ),
        name=product.default_display_text,
    )
