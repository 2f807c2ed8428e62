"""A stand-in for a 易支付 platform on loopback: submit.php, api.php, notifications, misbehaviour.

Written from what such platforms publish, not from our adapter, so that the two check each other.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.calls import HIDDEN, CallLog
from bot.demo.epay_page import Cashier
from bot.demo.epay_state import EpayState, Trade
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Dropped, Json, StandIn
from bot.ports import Clock

NAME = "epay"
CHINA = ZoneInfo("Asia/Shanghai")
FAULTS = (
    ("timeout_after_success", "Epay: refunded, answer lost", "易支付：已退款，回复丢失",
     "The refund is made, then the connection drops."),
    ("slow_after_success", "Epay: refunded, answer too slow", "易支付：已退款，回复太慢",
     "The refund is made, but its answer comes after the client has given up."),
    ("slow", "Epay is slow", "易支付响应缓慢",
     "Every answer comes three seconds late."),
    ("drop_before_accept", "Epay: refund never arrives", "易支付：退款请求没有送达",
     "The connection drops before anything is returned."),
    ("http_500", "Epay: HTTP 500", "易支付：HTTP 500",
     "Every call breaks with HTTP 500."),
    ("http_429", "Epay: too many requests", "易支付：请求过多",
     "Calls are answered with HTTP 429 and Retry-After of one second."),
    ("garbage", "Epay: answers are no JSON", "易支付：回复不是 JSON",
     "A page of a proxy comes instead of an answer, with HTTP 200."),
    ("done_500", "Epay: refunded, but HTTP 500", "易支付：已退款却回复 500",
     "The refund is made, its answer is HTTP 500."),
    ("short_pages", "Epay: lists in short pages", "易支付：列表分页很短",
     "Lists come two at a time, however many are asked for."),
    ("lookup_lags", "Epay: look-up lags", "易支付：查询滞后",
     "A payment shows in queries only after two minutes of the demo's time."),
    ("money_differs", "Epay: paid a cent less", "易支付：实付少一分",
     "The platform takes a cent less than the link says."),
    ("paid_twice", "Epay: page paid twice", "易支付：同一页面付款两次",
     "A link that was paid can be paid again."),
    ("refunds_refused", "Epay: refunds refused", "易支付：拒绝退款",
     "Refunds are refused by the channel behind the platform."),
    ("notifies_wrong_money", "Epay: notification with a wrong amount", "易支付：通知金额不符",
     "The notification tells of one cent, rightly signed."),
    ("webhook_lost", "Epay: notifications lost", "易支付：通知丢失",
     "Nothing is told."),
    ("webhook_twice", "Epay: notifications come twice", "易支付：通知重复",
     "Every notification is sent twice."),
    ("webhook_late", "Epay: notifications late", "易支付：通知延迟",
     "A notification comes only after the next one."),
    ("webhook_forged", "Epay: forged notification", "易支付：伪造通知",
     "The notification's signature is not the platform's."),
    ("other_types", "Epay: answers in other types", "易支付：回复的数据类型不同",
     "Numbers come as text, and with fields nobody knows."),
)  # fmt: skip


class EpayStandIn(StandIn):
    """Its routes, to be mounted anywhere; its faults become known to the board."""

    def __init__(self, state: EpayState, clock: Clock, faults: FaultBoard, calls: CallLog) -> None:
        super().__init__(NAME, FAULTS, clock, faults, calls)
        self._state = state
        self.cashier = Cashier(state, clock, self._struck)

    def routes(self) -> list[Route]:
        """The API, and the payer's page."""
        return [
            Route("/submit.php", self.cashier.page, methods=["GET", "POST"]),
            Route("/api.php", self.answer, methods=["GET", "POST"]),
        ]

    async def answer(self, request: Request) -> Response:
        """One call of api.php: limits, the key, the act's own work, its misbehaviour, the log."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked: Json = {**request.query_params, **form}

        async def work() -> tuple[Json, Response]:
            return {**asked, "key": HIDDEN}, self._handled(asked)

        return await self._logged(f"{request.method} /api.php?act={asked.get('act')}", work)

    def _handled(self, asked: Json) -> Response:
        if self._struck("http_429"):
            return Response("Too Many Requests", 429, {"Retry-After": "1"})
        if self._struck("http_500"):
            return Response("<h1>500</h1>", 500)
        if self._struck("garbage"):
            return Response("<html>维护中</html>", media_type="text/html")
        if asked.get("pid") != self._state.pid:
            return self._told({"code": -3, "msg": "商户ID不存在"})
        if asked.get("key") != self._state.key:
            return self._told({"code": -3, "msg": "商户密钥错误"})
        act = asked.get("act")
        if act == "order":
            return self._told(self._order(asked))
        if act == "orders":
            return self._told(self._orders(asked))
        if act == "refund":
            return self._refund(asked)
        return self._told({"code": -5, "msg": "No Act!"})

    def _told(self, answer: Json) -> Response:
        return JSONResponse(_in_other_types(answer) if self._set("other_types") else answer)

    def _order(self, asked: Json) -> Json:
        for trade in self._state.trades:
            if asked.get("trade_no") == trade.trade_no or (
                "trade_no" not in asked and asked.get("out_trade_no") == trade.out_trade_no
            ):
                return {"code": 1, "msg": "查询订单号成功！", **self._shown(trade)}
        return {"code": -1, "msg": "订单号不存在"}

    def _orders(self, asked: Json) -> Json:
        limit = 2 if self._set("short_pages") else min(50, int(asked.get("limit", 20)))
        page = int(asked.get("page", 1))
        trades = self._state.trades[::-1][(page - 1) * limit : page * limit]
        return {"code": 1, "msg": "查询成功！", "data": [self._shown(one) for one in trades]}

    def _refund(self, asked: Json) -> Response:
        if not self._state.refunds:
            return self._told({"code": -1, "msg": "商户未开启订单退款API接口"})
        if self._struck("drop_before_accept"):
            return Dropped()
        trade = next((t for t in self._state.trades if t.trade_no == asked.get("trade_no")), None)
        try:
            money = Decimal(str(asked.get("money")))
        except InvalidOperation:
            return self._told({"code": -1, "msg": "金额输入错误"})
        if trade is None or trade.paid_at is None:
            return self._told({"code": -1, "msg": "当前订单不存在！"})
        if trade.returned:
            return self._told({"code": -1, "msg": "该订单已退款"})
        if money != trade.money:
            return self._told({"code": -1, "msg": "退款金额与订单金额不符"})
        if self._set("refunds_refused"):
            return self._told({"code": -1, "msg": "支付通道不支持退款"})
        trade.returned = money
        if self._struck("done_500"):
            return Response("<h1>500</h1>", 500)
        return self._arriving(self._told({"code": 1, "msg": f"退款成功！退款金额¥{money}"}))

    def _shown(self, trade: Trade) -> Json:
        now = self._clock.now()
        paid = trade.paid_at is not None and (trade.visible_from or now) <= now
        status = 0
        if paid:
            status = 3 if trade.frozen else 2 if trade.returned else 1
        return {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "api_trade_no": f"4200{trade.trade_no[-12:]}" if paid else None,
            "type": trade.type,
            "pid": int(self._state.pid),
            "addtime": _time(trade.opened_at),
            "endtime": _time(trade.paid_at) if paid else None,
            "name": trade.name,
            "money": f"{trade.money:.2f}",
            "status": status,
            "refundmoney": f"{trade.returned:.2f}" if trade.returned else None,
            "param": None,
            "buyer": None,
        }


def _time(at: datetime | None) -> str | None:
    """By the clock in China, without saying so."""
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if at else None


def _in_other_types(value: Any) -> Any:
    """The same, with numbers as text, money as a number, and fields that nobody knows."""
    if isinstance(value, dict):
        shown = {key: _in_other_types(one) for key, one in value.items()}
        if "money" in shown:
            shown["money"] = float(shown["money"])
        return shown | {"domain": "shop.example", "uid": None}
    if isinstance(value, list):
        return [_in_other_types(one) for one in value]
    return str(value) if isinstance(value, int) else value
