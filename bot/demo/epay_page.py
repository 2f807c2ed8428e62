"""The 易支付 stand-in's page: the payer opens the signed link and pays by Alipay or WeChat."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from bot.demo import hosted_page as pages
from bot.demo.epay_state import LAG, EpayState, Sent, Trade
from bot.demo.hosted_page import Sheet, chat_at, hosted, spoken
from bot.demo.ringing import Ring, Ringer
from bot.ports import Clock

NAME = "易支付"
TYPES = {"alipay": ("Pay by Alipay", "支付宝支付"), "wxpay": ("Pay by WeChat", "微信支付")}
BAD_LINK: pages.Said = (
    "This link is not signed by the shop, or lacks something. Nothing can be paid here.",
    "链接签名错误或缺少参数，无法付款。",
)
EMPTY: pages.Said = ("Pay from an empty account", "用余额不足的账户支付")
MOST_SENT = 500


def sign(params: Mapping[str, str], key: str) -> str:
    """As the platforms' documents tell it."""
    names = sorted(name for name, value in params.items() if value != "")
    text = "&".join(f"{name}={params[name]}" for name in names if name[:4] != "sign")
    return hashlib.md5(f"{text}{key}".encode(), usedforsecurity=False).hexdigest()


class Cashier:
    """submit.php, and the calls to the shop that follow a payment."""

    def __init__(self, state: EpayState, clock: Clock, struck: Callable[[str], bool]) -> None:
        self._state = state
        self._clock = clock
        self._struck = struck
        self._ringer = Ringer(lambda answer: answer.text.strip() == "success")

    async def page(self, request: Request) -> Response:
        """GET shows the page of a link; POST does what the payer chose."""
        params = dict(request.query_params)
        language = spoken(request)
        if not self._is_ours(params):
            return hosted(Sheet(NAME, NAME, said=BAD_LINK), language, 400)
        trade = self._opened(params)
        if trade.paid_at is not None and not self._struck("paid_twice"):
            return self._said(trade, pages.PAID, language)
        if request.method == "GET":
            kinds = [trade.type] if trade.type in TYPES else list(TYPES)
            does = [*((kind, TYPES[kind]) for kind in kinds), ("decline", EMPTY),
                    ("leave", pages.LEAVE)]  # fmt: skip
            return hosted(Sheet(NAME, trade.name, _amount(trade), does=does), language)
        chosen = str((await request.form()).get("do", ""))
        if chosen in TYPES:
            self.pay(trade, chosen)
            return self._said(trade, pages.PAID, language)
        return self._said(trade, pages.DECLINED if chosen == "decline" else pages.LEFT, language)

    def _is_ours(self, params: Mapping[str, str]) -> bool:
        wanted = ("pid", "out_trade_no", "notify_url", "return_url", "name", "money")
        if not all(params.get(name) for name in wanted) or params["pid"] != self._state.pid:
            return False
        right = sign(params, self._state.key)
        return hmac.compare_digest(params.get("sign", "").encode(), right.encode())

    def _opened(self, params: Mapping[str, str]) -> Trade:
        """The trade of a link: the same one, however often it is opened."""
        known = self._state.of(params["out_trade_no"])
        if known:
            return known[0]
        money = Decimal(params["money"])
        now = self._clock.now()
        return self._state.open(
            Trade(
                trade_no=self._state.next_no(now),
                out_trade_no=params["out_trade_no"],
                name=params["name"],
                money=money - Decimal("0.01") if self._struck("money_differs") else money,
                type=params.get("type", ""),
                notify_url=params["notify_url"],
                return_url=params["return_url"],
                opened_at=now,
            )
        )

    def pay(self, trade: Trade, kind: str) -> None:
        """Take the money, and tell the shop."""
        now = self._clock.now()
        if trade.paid_at is not None:
            again = {"trade_no": self._state.next_no(now), "opened_at": now, "paid_at": None}
            trade = self._state.open(trade.model_copy(update=again))
        lag = LAG if self._struck("lookup_lags") else timedelta(0)
        trade.type, trade.paid_at, trade.visible_from = kind, now, now + lag
        self._tell(trade)

    def _tell(self, trade: Trade) -> None:
        if self._struck("webhook_lost"):
            return
        key = "nobody's" if self._struck("webhook_forged") else self._state.key
        money = Decimal("0.01") if self._struck("notifies_wrong_money") else trade.money
        sent = Sent(reference=trade.out_trade_no, query=self.told(trade, money, key))
        self._state.sent = [*self._state.sent[-MOST_SENT:], sent]
        call = Ring(f"{trade.notify_url}?{urlencode(sent.query)}", "GET")
        times = 2 if self._struck("webhook_twice") else 1
        self._ringer.ring(call, times=times, late=self._struck("webhook_late"))

    def told(self, trade: Trade, money: Decimal, key: str) -> dict[str, str]:
        """The parameters of a notification."""
        params = {
            "pid": self._state.pid,
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "type": trade.type,
            "name": trade.name,
            "money": f"{money:.2f}",
            "trade_status": "TRADE_SUCCESS",
            "param": "",
        }
        return params | {"sign": sign(params, key), "sign_type": "MD5"}

    def _said(self, trade: Trade, said: pages.Said, language: str) -> Response:
        way = chat_at(trade.return_url)
        return hosted(Sheet(NAME, trade.name, _amount(trade), said, back=way), language)


def _amount(trade: Trade) -> str:
    return f"¥{trade.money:.2f}"
