"""Reloadly Airtime: money onto prepaid numbers, of any network it sells.

It knows nothing of the subscriber: no balance, no validity. Our reference is its
`customIdentifier`, refused when it was used before; yet two calls at the same moment were seen
to be both carried out, so a lost answer is looked up, and never asked for again by this adapter.

Supplier codes of plans: `operatorId` is a range, `operatorId:amount` one of the fixed amounts in
our account's currency, `operatorId:amountCNY` one in the currency of the phone. The customer
always chooses a range's amount in the currency the phone receives.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Self
from urllib.parse import quote

import httpx
import phonenumbers
import structlog
from pydantic import BaseModel, Field, SecretStr

from bot.carriers.asking import Failed, over
from bot.carriers.reloadly_api import (
    BUYING_SECONDS,
    Api,
    Balance,
    Operator,
    Page,
    Status,
    Transaction,
)
from bot.carriers.reloadly_prices import Order, order_for, sold
from bot.carriers.reloadly_webhook import hint
from bot.carriers.wallet import DEFAULT as DEFAULT_LOW
from bot.carriers.wallet import LowWallet
from bot.domain.money import Money
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

_CODE = re.compile(r"([0-9]{1,9})(?::[0-9.]+(?:[A-Z]{3})?)?")
_ID = re.compile(r"[0-9]{1,9}")
_PAGE = 200
_PAGES = 5

NOBODYS = frozenset(
    {
        "COULD_NOT_AUTO_DETECT_OPERATOR",
        "COUNTRY_NOT_SUPPORTED",
        "INVALID_PHONE_NUMBER",
        "INVALID_RECIPIENT_PHONE",
    }
)
"""Ways of saying that no operator is known for a number."""

# The codes known to mean that nothing was bought; the supplier's own list, and what people who
# use it report. Any other code may hide a purchase and counts as unknown: among them
# CUSTOM_IDENTIFIER_ALREADY_USED and all that tell of a failure at the operator.
REFUSALS: Mapping[str, str] = {
    "INSUFFICIENT_BALANCE": "no_money",
    "INACTIVE_ACCOUNT": "not_allowed",
    **dict.fromkeys(
        (*NOBODYS, "RECIPIENT_PHONE_INACTIVE", "PHONE_BANNED_BY_OPERATOR"), "number_refused"
    ),
    "OPERATOR_NOT_FOUND": "not_sold_now",
    "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE": "operator_down",
    **dict.fromkeys(
        (
            "IMPOSSIBLE_AMOUNT",
            "INVALID_AMOUNT",
            "INVALID_AMOUNT_FOR_OPERATOR",
            "INVALID_AMOUNT_FOR_RECIPIENT_PHONE",
        ),
        "amount_out_of_range",
    ),
}

LATER: Mapping[str, str] = {"PHONE_RECENTLY_RECHARGED": "recharged_lately"}
"""Refusals that end by themselves: a number takes one top-up in two minutes."""

STATES: Mapping[str, TopUpStatus] = {
    "SUCCESSFUL": TopUpStatus.SUCCEEDED,
    "PROCESSING": TopUpStatus.PROCESSING,
    "REFUNDED": TopUpStatus.REVERSED,
    "FAILED": TopUpStatus.REJECTED,
}
"""In the order in which one reference's several top-ups are believed."""


class ReloadlySettings(BaseModel):
    """The section of the settings that switches this supplier on."""

    client_id: SecretStr
    client_secret: SecretStr
    base_url: str = Field("https://topups.reloadly.com", pattern=r"^https?://[^/]")
    """https://topups-sandbox.reloadly.com buys nothing real; it has keys of its own."""
    auth_url: str = Field("https://auth.reloadly.com", pattern=r"^https?://[^/]")
    webhook_secret: SecretStr | None = None
    """Signs its webhooks; without it they are refused."""
    low_wallet: LowWallet = DEFAULT_LOW
    """Operators are told when our balance falls below it, once a day."""


class Reloadly:
    """Carrier over Reloadly Airtime. A SIM is known by its number, its operator by an id."""

    name = "reloadly"
    capabilities = Capabilities(
        reads=False,
        finds=True,
        unique_refs=True,
        after_expiry=True,
        numbers=True,
        reverses=True,
        webhooks=True,
        slowest=BUYING_SECONDS,
    )

    def __init__(
        self, settings: ReloadlySettings, http: httpx.AsyncClient | None, clock: Clock
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one."""
        self._api = Api(
            settings.client_id.get_secret_value(),
            settings.client_secret.get_secret_value(),
            settings.base_url,
            settings.auth_url,
            http,
            clock,
        )
        self._webhook_secret = settings.webhook_secret

    @classmethod
    def from_settings(cls, settings: ReloadlySettings, clock: Clock) -> Self:
        """With a connection pool of its own."""
        return cls(settings, None, clock)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._api.close()

    # -- reads

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        """The operator of a number, by its prefix: after porting it may be another one, so the
        customer confirms it. `supplier_ref` is the operator's id. ICCIDs are not known there."""
        operator = await self._detected(msisdn) if msisdn else None
        if operator is None:
            return None
        return Resolved(
            supplier_ref=str(operator.operator_id),
            iccid=None,
            msisdn=msisdn,
            activation_code=None,
            reading=None,
            carrier=operator.name,
            country=operator.country.iso_name,
        )

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        """What the number's operator sells: one plan for each fixed amount, or one range."""
        if sim.supplier == self.name and sim.supplier_ref is not None:
            operator = await self._operator(sim.supplier_ref)
        elif sim.msisdn is not None:
            operator = await self._detected(sim.msisdn)
        else:
            operator = None
        if operator is None:
            raise SupplierUnavailable("unknown_sim")
        return sold(operator)

    async def snapshot(self, sim: Sim) -> Reading:
        """Raises SupplierUnavailable: the supplier knows nothing of the subscriber."""
        raise SupplierUnavailable("no_readings")

    async def quote(self, sim: Sim, supplier_code: str, amount: Money | None) -> SupplierQuote:
        """The price at this moment, rounded up to the smallest unit of our account's currency,
        and what arrives. The call that buys takes no price along: `quoted` is None."""
        order = await self._order(supplier_code, amount)
        if isinstance(order, str):
            return SupplierQuote(refused=order)
        return SupplierQuote(cost=order.cost, delivered=order.delivered)

    async def wallet(self) -> Money:
        """Our balance, rounded down to its smallest unit."""
        balance: Balance = await self._api.read(Balance, "/accounts/balance")
        return Money.rounded(balance.balance, balance.currency_code, ROUND_FLOOR)

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        """Look for our reference in the supplier's report, compared by ourselves.

        UNKNOWN when the report is longer than we read: then its silence proves nothing.
        """
        ours: dict[str, Transaction] = {}
        # The first page is asked for without a number: whether they begin at 0 or 1 is not told.
        for number in range(_PAGES):
            params = {"customIdentifier": request.ref, "size": str(_PAGE)}
            if number:
                params["page"] = str(number)
            page: Page = await self._api.read(Page, "/topups/reports/transactions", params)
            rows = [one for one in page.content if one.custom_identifier == request.ref]
            ours.update((one.transaction_id, one) for one in rows)
            if page.last or not page.content:
                break
        else:
            if not ours:
                return TopUpAnswer(TopUpStatus.UNKNOWN, reason="report_too_long")
        if not ours:
            return TopUpAnswer(TopUpStatus.NOT_FOUND)
        if len(ours) > 1:
            log.error("reloadly.several", ref=request.ref, ids=list(ours))
        # Rows of older accounts have no status; it has a question of its own.
        answers = [
            _told(one) if one.status else await self.status(request, one.transaction_id)
            for one in ours.values()
        ]
        believed = list(STATES.values())
        return min(answers, key=lambda a: believed.index(a.status) if a.status in believed else 1)

    async def status(self, request: TopUpRequest, supplier_ref: str) -> TopUpAnswer:
        """How a top-up stands. REVERSED is the supplier's REFUNDED: we have our money back."""
        try:
            shown: Status = await self._api.read(
                Status, f"/topups/{quote(supplier_ref, safe='')}/status"
            )
        except Failed as failed:
            if failed.reason == "http_404" or failed.code == "TRANSACTION_NOT_FOUND":
                return TopUpAnswer(TopUpStatus.NOT_FOUND)
            raise
        one = shown.transaction or Transaction(transactionId=supplier_ref)
        one = one.model_copy(update={"status": shown.status or one.status})
        if one.custom_identifier not in (None, request.ref):
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="another_reference")
        return _told(one)

    async def _detected(self, msisdn: str) -> Operator | None:
        """The operator by the supplier's own table of prefixes; None when it knows none."""
        try:
            number = phonenumbers.parse(msisdn, None)
        except phonenumbers.NumberParseException:
            return None
        country = phonenumbers.region_code_for_number(number)
        if country is None:
            return None
        path = f"/operators/auto-detect/phone/{_digits(msisdn)}/countries/{country}"
        return await self._asked(path, NOBODYS | {"OPERATOR_NOT_FOUND"})

    async def _operator(self, operator_id: str) -> Operator | None:
        if not _ID.fullmatch(operator_id):
            return None
        return await self._asked(f"/operators/{operator_id}", frozenset({"OPERATOR_NOT_FOUND"}))

    async def _asked(self, path: str, none: frozenset[str]) -> Operator | None:
        try:
            operator: Operator = await self._api.read(Operator, path)
        except Failed as failed:
            if failed.code in none:
                return None
            raise
        return operator

    async def _order(self, supplier_code: str, amount: Money | None) -> Order | str:
        """What to send for a code of ours, at the operator's price of now, or a reason code."""
        code = _CODE.fullmatch(supplier_code)
        operator = await self._operator(code[1]) if code else None
        return order_for(operator, supplier_code, amount) if operator else "not_sold_now"

    # -- buying

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """Buy one top-up; the call that buys is made at most once.

        The price is read first and refused above `max_cost`; the supplier itself takes no cap
        along. REJECTED, by the supplier or by ourselves, is said only when the supplier's report
        does not show our reference: this may be a repeat of a call whose answer was lost.
        """
        answer = await self._submitted(request)
        if answer.status is TopUpStatus.REJECTED:
            answer = await self._doubted(answer, request)
        log.info("reloadly.topup", ref=request.ref, status=answer.status, reason=answer.reason)
        return answer

    async def _submitted(self, request: TopUpRequest) -> TopUpAnswer:
        if request.sim.msisdn is None:
            return TopUpAnswer(TopUpStatus.REJECTED, reason="unknown_sim")
        try:
            order = await self._order(request.supplier_code, request.amount)
        except SupplierUnavailable as error:
            return TopUpAnswer(TopUpStatus.NOT_SENT, reason=error.reason)
        reason = order if isinstance(order, str) else over(order.cost, request.max_cost)
        if isinstance(order, str) or reason is not None:
            return TopUpAnswer(TopUpStatus.REJECTED, reason=reason)
        return await self._buy(order, request.ref, request.sim.msisdn)

    async def _buy(self, order: Order, ref: str, msisdn: str) -> TopUpAnswer:
        body = {
            "operatorId": str(order.operator.operator_id),
            "amount": f"{order.amount:f}",
            "useLocalAmount": order.local,
            "customIdentifier": ref,
            "recipientPhone": {
                "countryCode": order.operator.country.iso_name,
                "number": _digits(msisdn),
            },
        }
        try:
            one = await self._api.buy(body)
        except Failed as failed:
            if failed.unsent:
                return TopUpAnswer(TopUpStatus.NOT_SENT, reason=failed.reason)
            code = (failed.code or "") if failed.refused else ""
            if code in LATER:
                return TopUpAnswer(TopUpStatus.NOT_SENT, reason=LATER[code])
            if code in REFUSALS:
                return TopUpAnswer(TopUpStatus.REJECTED, reason=REFUSALS[code])
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason=failed.reason)
        answer = _told(one)
        if answer.status is TopUpStatus.REVERSED:
            # Never delivered: the answer to the purchase itself tells of the money's return.
            return TopUpAnswer(TopUpStatus.REJECTED, answer.supplier_ref, "refused")
        return answer

    async def _doubted(self, refused: TopUpAnswer, request: TopUpRequest) -> TopUpAnswer:
        """The refusal, if the report does not tell of an earlier purchase by this reference."""
        try:
            found = await self.find(request)
        except SupplierUnavailable as error:
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason=error.reason)
        return refused if found.status is TopUpStatus.NOT_FOUND else found

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Hint]:
        """Which top-up changed; without a secret in the settings no webhook is taken."""
        if self._webhook_secret is None:
            raise WebhookRefused("no webhook secret is set")
        return [hint(self._webhook_secret.get_secret_value(), headers, body)]


def _told(one: Transaction) -> TopUpAnswer:
    """A top-up as the supplier describes it. Without a status it may still be under way; a state
    that nobody knows is UNKNOWN."""
    status = STATES.get((one.status or "PROCESSING").upper(), TopUpStatus.UNKNOWN)
    if status is TopUpStatus.UNKNOWN:
        log.warning("reloadly.new_state", state=one.status)
    return TopUpAnswer(
        status,
        supplier_ref=one.transaction_id,
        reason="refused" if status is TopUpStatus.REJECTED else None,
        operator_ref=one.operator_transaction_id,
        delivered=_delivered(one),
        pin=one.pin_detail.code if one.pin_detail else None,
    )


def _delivered(one: Transaction) -> Money | None:
    """What arrived; an odd amount must not make a success doubtful, so it is just not told."""
    try:
        return Money.rounded(
            Decimal(str(one.delivered_amount)),
            str(one.delivered_amount_currency_code),
            ROUND_FLOOR,
        )
    except (ArithmeticError, ValueError):
        return None


def _digits(msisdn: str) -> str:
    """As the supplier writes numbers: the country's code first, nothing but digits."""
    return re.sub(r"[^0-9]", "", msisdn)
