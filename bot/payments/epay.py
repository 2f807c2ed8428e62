"""易支付 (epay): a signed link to the platform's page, and a look-up by our reference.

Many shops run such a platform, each a little different; this keeps to what all of them have:
submit.php, api.php?act=order and act=orders, MD5 over the sorted parameters and the key. The link
can't be taken back and ends never. A platform sees an attempt only once its link was opened.
"""

import hashlib
import hmac
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, urlencode

import httpx
import structlog
from pydantic import BaseModel, BeforeValidator, Field, SecretStr, model_validator

from bot.domain.money import Money
from bot.domain.sales import Method, Payment, Refund
from bot.domain.zones import zone
from bot.payments.asking import Failed, Line, SafeUrl, from_json, parsed, patiently
from bot.payments.charging import Charging, Currencies
from bot.ports import (
    Bill,
    Call,
    Charge,
    Clock,
    Found,
    PaymentCapabilities,
    PaymentEvent,
    PaymentRefused,
    PaymentUnavailable,
    Return,
    Returns,
    Shown,
    Standing,
    Way,
    WebhookRefused,
)
from bot.tokens import pause

log = structlog.get_logger(__name__)
# The platforms want the key in the address, which the HTTP client would write to its log.
logging.getLogger("httpx").addFilter(lambda record: "/api.php?" not in record.getMessage())

NAME = "epay"
_ZONE = zone("Asia/Shanghai")
"""Its times have no zone; the platforms are in China."""
_DONE = 1
_NO_SUCH_ORDER = -1
_PAID, _REFUNDED, _FROZEN = 1, 2, 3
_PAGE = 50
_PAGES = 20
_NAME_BYTES = 127
_OPENED_BEFORE = timedelta(days=3)
"""How long before its payment a link was opened, at the most."""


class EpaySettings(Charging):
    """The section of the settings that switches 易支付 on."""

    url: SafeUrl
    """The platform's address, the part before submit.php."""
    pid: str = Field(pattern=r"^[0-9A-Za-z_-]{1,32}$")
    """Our number there."""
    key: SecretStr
    currencies: Currencies = ("CNY",)
    refunds: bool = False
    """The platform gives money back through api.php; most do so only by hand."""
    notify_url: SafeUrl | None = None
    """Where it calls us when somebody has paid. It stands in the link, so customers can read it;
    without it we ask the platform from time to time."""
    pay_type: str | None = Field(None, pattern=r"^[a-z0-9_]{1,32}$")
    """Only this way of paying (alipay, wxpay); without it the payer chooses on the page."""

    @model_validator(mode="after")
    def _it_has_one_currency(self) -> "EpaySettings":
        if len(self.currencies) != 1:
            raise ValueError("its links name no currency: write the one that it charges")
        return self


# ---- what the platform sends -------------------------------------------------------------


def _time(value: object) -> object:
    """ "2026-11-20 15:30:00", by the clock in China."""
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=_ZONE).astimezone(UTC)
    except ValueError:
        return None


def _number(value: object) -> object:
    return 0 if value in (None, "") else value


Moment = Annotated[datetime | None, BeforeValidator(_time)]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]


class Trade(BaseModel):
    """An order there; numbers may come as texts. `trade_no` is the platform's own, `money` in
    major units."""

    trade_no: Text
    out_trade_no: Text
    pid: Text = ""
    money: Decimal
    status: Annotated[int, BeforeValidator(_number)] = 0
    refundmoney: Annotated[Decimal, BeforeValidator(_number)] = Decimal(0)
    addtime: Moment = None
    endtime: Moment = None


class _Listed(BaseModel):
    data: Annotated[list[Trade], BeforeValidator(lambda value: value or [])] = []


class _Answer(BaseModel):
    code: int


# ---- the method ----------------------------------------------------------------------------


def signature(params: Mapping[str, str], key: str) -> str:
    """MD5 over the sorted parameters that hold something, and the key."""
    text = "&".join(
        f"{name}={value}"
        for name, value in sorted(params.items())
        if value and name not in ("sign", "sign_type")
    )
    return hashlib.md5((text + key).encode(), usedforsecurity=False).hexdigest()


def capabilities(currency: str, *, refunds: bool) -> PaymentCapabilities:
    """What a platform can do that charges that, and gives money back through its API or not."""
    return PaymentCapabilities(
        way=Way.PAGE,
        currencies=frozenset({currency}),
        returns=Returns.WHOLE if refunds else Returns.NOTHING,
        finds=True,
        cancels=False,
        webhooks=True,
        answer="success",
    )


class Epay:
    """ports.PaymentMethod over one platform. A charge is a `trade_no` of the platform's."""

    method = Method.EPAY
    provider = NAME

    def __init__(
        self, settings: EpaySettings, http: httpx.AsyncClient | None, clock: Clock
    ) -> None:
        """`http` brings its own time limits and stays its owner's to close; None makes one."""
        self._settings = settings
        self._key = settings.key.get_secret_value()
        self._currency = settings.currencies[0]
        self._line = Line(NAME, http)
        self._clock = clock
        self.capabilities = capabilities(self._currency, refunds=settings.refunds)

    @classmethod
    def from_settings(cls, settings: EpaySettings, clock: Clock) -> Self:
        """With a connection pool of its own."""
        return cls(settings, None, clock)

    async def close(self) -> None:
        """Release the connections it opened itself."""
        await self._line.close()

    # -- paying

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        """The link, made without asking anybody: the same for the same attempt and bill."""
        if payment.amount.currency != self._currency:
            raise PaymentRefused("currency")
        if payment.amount.minor <= 0:
            raise PaymentRefused("too_small")
        params = {
            "pid": self._settings.pid,
            "type": self._settings.pay_type or "",
            "out_trade_no": payment.id,
            # Platforms want one; the chat's address does not answer "success" and is let be.
            "notify_url": self._settings.notify_url or bill.back,
            "return_url": bill.back,
            "name": _short(bill.title),
            "money": f"{payment.amount.major:f}",
        }
        params = {name: value for name, value in params.items() if value}
        params |= {"sign": signature(params, self._key), "sign_type": "MD5"}
        return Shown(url=f"{self._settings.url}/submit.php?{urlencode(params)}")

    async def lookup(self, payment: Payment) -> Found:
        """What the platform knows of our reference. A link that nobody opened yet is OPEN: it can
        still be."""
        trade = await self._order(payment.id)
        if trade is None:
            return Found(Standing.OPEN if payment.url else Standing.UNKNOWN)
        if trade.status not in (_PAID, _REFUNDED, _FROZEN):
            return Found(Standing.OPEN)
        trades = {trade.trade_no: trade, **await self._others(payment.id)}
        return Found(Standing.PAID, tuple(self._charge(one) for one in trades.values()))

    async def cancel(self, payment: Payment) -> Found:
        """Not declared: a link can't be taken back."""
        raise PaymentUnavailable("not_offered")

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        """Not declared: nothing is kept."""
        raise PaymentUnavailable("not_offered")

    async def _order(self, reference: str) -> Trade | None:
        """The order of our reference. Raises Failed."""
        answer = await self._asked("order", {"out_trade_no": reference}, none=True)
        if answer is None:
            return None
        trade: Trade = parsed(NAME, Trade, answer)
        if trade.out_trade_no != reference or trade.pid not in ("", self._settings.pid):
            log.error("epay.another_order", ref=reference, told=trade.trade_no)
            raise Failed("another_order")
        return trade

    async def _trade(self, trade_no: str) -> Trade | None:
        """A trade by the platform's own number: of a link that was paid twice the second one's
        attempt has a reference that the platform never heard of. Raises Failed."""
        answer = await self._asked("order", {"trade_no": trade_no}, none=True)
        trade: Trade | None = parsed(NAME, Trade, answer) if answer is not None else None
        if trade is not None and (
            trade.trade_no != trade_no or trade.pid not in ("", self._settings.pid)
        ):
            log.error("epay.another_order", ref=trade_no, told=trade.trade_no)
            raise Failed("another_order")
        return trade

    async def _others(self, reference: str) -> dict[str, Trade]:
        """Further payments on one link, of the latest there: the look-up tells one alone."""
        try:
            listed = await self._listed(1)
        except Failed:
            # The hourly comparison reads the list too.
            return {}
        return {
            one.trade_no: one
            for one in listed
            if one.out_trade_no == reference and one.status in (_PAID, _REFUNDED, _FROZEN)
        }

    async def _listed(self, page: int) -> list[Trade]:
        answer = await self._asked("orders", {"limit": str(_PAGE), "page": str(page)})
        listed: _Listed = parsed(NAME, _Listed, answer)
        return listed.data

    def _charge(self, trade: Trade) -> Charge:
        try:
            amount = Money.of(trade.money, self._currency)
            back = Money.of(trade.refundmoney, self._currency).minor
        except ValueError:
            raise Failed("unreadable") from None
        if trade.status == _REFUNDED and not back:
            back = amount.minor
        return Charge(
            id=trade.trade_no,
            reference=trade.out_trade_no,
            amount=amount,
            at=trade.endtime or trade.addtime or self._clock.now(),
            returned=back,
            disputed=trade.status == _FROZEN,
        )

    # -- sending back

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        """Send the whole charge back. The platform knows no reference for it and returns a trade
        once: whether it did is looked up first, and after any doubtful answer."""
        if payment.charge_id is None:
            raise PaymentRefused("no_charge")
        trade = await self._trade(payment.charge_id)
        charge = self._charge(trade) if trade is not None else None
        if charge is None or trade is None or trade.status not in (_PAID, _REFUNDED, _FROZEN):
            raise PaymentUnavailable("charge_not_found")
        if refund.amount != charge.amount:
            raise PaymentRefused("whole_only")
        if charge.returned >= charge.amount.minor:
            return Return.DONE
        body = {
            "pid": self._settings.pid,
            "key": self._key,
            "trade_no": charge.id,
            "money": f"{charge.amount.major:f}",
        }
        url = f"{self._settings.url}/api.php?act=refund"
        code = _code(_content("refund", await self._line.send("POST", url, data=body)))
        if code == _DONE:
            return Return.DONE
        log.warning("epay.not_refunded", ref=payment.id, code=code)
        raise PaymentRefused("refused", final=False)

    # -- hearing

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        """Which order was paid; the parameters come in the address or as a form."""
        params = {**call.query, **_form(call.body)}
        given = params.get("sign", "").lower().encode()
        if not hmac.compare_digest(given, signature(params, self._key).encode()):
            raise WebhookRefused("signature")
        if params.get("pid") != self._settings.pid:
            raise WebhookRefused("another merchant")
        trade_no, reference = params.get("trade_no"), params.get("out_trade_no")
        if params.get("trade_status") != "TRADE_SUCCESS" or not (trade_no and reference):
            return ()
        return (PaymentEvent(trade_no, reference),)

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        """From the platform's list, the newest first. Raises PaymentUnavailable when it is
        longer than we read."""
        found: dict[str, Charge] = {}
        seen: set[str] = set()
        begin = since.replace(microsecond=0)  # the platform tells whole seconds
        for number in range(1, _PAGES + 1):
            trades = await self._listed(number)
            for trade in trades:
                if trade.status in (_PAID, _REFUNDED, _FROZEN):
                    charge = self._charge(trade)
                    if charge.at >= begin:
                        found[charge.id] = charge
            opened = [trade.addtime for trade in trades if trade.addtime is not None]
            new = {trade.trade_no for trade in trades} - seen
            # A list that ends, or gives its first page for ever, or is old enough by now.
            if not new or (opened and max(opened) < since - _OPENED_BEFORE):
                return tuple(found.values())
            seen |= new
        raise PaymentUnavailable("list_too_long")

    async def _asked(self, act: str, params: Mapping[str, str], *, none: bool = False) -> Any:
        """A question to api.php; None, where that may be, for an order it does not know. Raises
        Failed. The key goes along in the address, as the platforms want it: it is not logged."""
        query = {"act": act, "pid": self._settings.pid, "key": self._key, **params}
        url = f"{self._settings.url}/api.php"

        async def ask() -> Any:
            return _content(act, await self._line.send("GET", url, params=query))

        answer = await patiently(ask)
        code = _code(answer)
        if code == _NO_SUCH_ORDER and none:
            return None
        if code != _DONE:
            log.warning("epay.refused", act=act, code=code)
            raise Failed(f"code_{code}")
        return answer


def _content(act: str, response: httpx.Response) -> Any:
    """The JSON of an answer. Raises Failed."""
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise Failed("busy", wait=pause(response))
    if not response.is_success:
        raise Failed(f"http_{status}")
    try:
        return from_json(response.content)
    except ValueError:
        log.warning("epay.unreadable", act=act, status=status)
        raise Failed("unreadable") from None


def _code(answer: Any) -> int:
    told: _Answer = parsed(NAME, _Answer, answer)
    return told.code


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise WebhookRefused("not a form") from None


def _short(title: str) -> str:
    """At most as many bytes as a platform keeps."""
    return title.encode()[:_NAME_BYTES].decode(errors="ignore")
