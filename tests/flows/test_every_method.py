"""Every way to pay through its whole life, in both languages: left alone, refused, paid with a
receipt, and paid back."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest

from bot.domain.sales import IN_STORE, Method
from tests.flows.people import Person, Town, labels
from tests.flows.steps import BOOM, US_CARD, VOUCHER_BOOM, VOUCHER_US
from tests.flows.test_providers import on_page


class Say(NamedTuple):
    """One language: its customer, what they renew, and the texts they read."""

    chinese: bool
    sim: str
    plan: str
    profile: str
    number: str
    voucher: str
    asked: tuple[str, str, str]
    """What the plan costs in USD, CNY and Stars."""
    price_over: str
    waiting: str
    unknown: str
    short: str
    no_money: str
    proof: str
    proof_no: str
    receipt: str
    valid: str
    returned: str
    back: str


EN = Say(
    False, "US Data Card", "USA 5 GB · 30", US_CARD, "8985••••2195", VOUCHER_US,
    ("$8.50", "CN¥61.20", "655 ⭐"),
    "This price has expired and nothing was charged", "Waiting for your payment",
    "We don't know this voucher code", "Wallet · top up first", "your wallet holds $0",
    "We have your proof", "could not confirm your transfer",
    "✅ Renewed and checked on the SIM\nUSA 5 GB · 30 days for US Data Card ·2195\n",
    r"\nValid until: (\d.+) → (\d.+)\n", r"\nReturned: {amount} on \d+ Mar 2027\n",
    "{amount} went back to where you paid from.",
)  # fmt: skip
ZH = Say(
    True, "boom eSIM", "日本 5 GB", BOOM, "8985••••1015", VOUCHER_BOOM,
    ("US$7.50", "¥54", "578 ⭐"),
    "报价已过期，没有扣款", "等您付款", "查不到这个券码", "钱包 · 余额不足", "钱包余额 US$0",
    "已收到 XK-", "未能确认",
    "✅ 已续费，并在 SIM 卡上核实\nboom eSIM ·1015：日本 5 GB · 30 天\n",
    r"\n有效期至：(\d.+) → (\d.+)\n", r"\n已退款：{amount}，2027年3月\d+日\n",
    "{amount} 已原路退回。",
)  # fmt: skip

NAMES = {
    Method.STARS: ("Telegram Stars", "Telegram Stars"),
    Method.TELEGRAM: ("Card in Telegram", "Telegram 内刷卡"),
    Method.CARD: ("Card", "银行卡"),
    Method.ALIPAY: ("Alipay", "支付宝"),
    Method.WECHAT: ("WeChat Pay", "微信支付"),
    Method.PAYPAL: ("PayPal", "PayPal"),
    Method.EPAY: ("Alipay or WeChat", "支付宝或微信"),
    Method.WALLET: ("Wallet", "钱包余额"),
    Method.TRANSFER: ("Bank or QR transfer", "转账或扫码"),
    Method.VOUCHER: ("Voucher", "充值券"),
    Method.CASH: ("Cash", "现金"),
}
BY_HAND = (Method.TELEGRAM, Method.TRANSFER, Method.CASH)
"""What no provider sends back: the operator does, and says so."""


class Life:
    """One customer, the operator, and a way to pay."""

    def __init__(self, place: Town, method: Method, say: Say) -> None:
        self.place, self.method, self.say = place, method, say
        self.payer: Person = place.zh if say.chinese else place.en
        usd, cny, stars = say.asked
        in_yuan = (Method.EPAY, Method.TRANSFER)
        self.amount = stars if method is Method.STARS else cny if method in in_yuan else usd
        self.name = NAMES[method][say.chinese]

    def words(self, english: str, chinese: str) -> str:
        return chinese if self.say.chinese else english

    async def choose(self) -> None:
        """From /renew to this way to pay."""
        if self.method is Method.CASH:
            await self.to_counter()
            return
        await self.payer.say("/renew")
        await self.payer.press(self.say.sim)
        await self.payer.press(self.say.plan)
        await self.press_method()

    async def press_method(self) -> None:
        label = f"{self.name} · "
        if self.method is Method.STARS:
            label = self.words("Pay ", "支付 ") + self.amount
        elif self.method is Method.VOUCHER:
            label = self.words("Use a voucher", "用充值券")
        elif self.method is Method.WALLET:
            shown = labels(await self.payer.last())
            short = [one for one in shown if self.say.short in one]
            label = short[0] if short else label
        await self.payer.press(label)

    async def to_counter(self) -> None:
        """The price at the counter, where cash is taken; the operator reads Chinese."""
        await self.place.operator.say("/find " + self.words("Emma", "林小雨"))
        await self.place.operator.press(self.say.sim)
        await self.place.operator.press(self.words("美国 5 GB · 30", self.say.plan))

    async def states(self) -> list[tuple[str, ...]]:
        return self.place.rows("SELECT state FROM payments WHERE order_id IS NOT NULL ORDER BY seq")

    # ---- left alone ----------------------------------------------------------------------

    async def leave(self) -> None:
        """Chosen and left: the price ends, nobody is charged, nothing is delivered."""
        await self.choose()
        if self.method is not Method.CASH:
            [(left,)] = self.place.rows(
                "SELECT (julianday(expires_at) - julianday(?)) * 86400 FROM orders"
                " WHERE state = 'awaiting_payment'",
                self.place.now.isoformat(),
            )
            await self.place.advance(seconds=left + 90)
            await self.payer.find(self.say.price_over)
            assert self.place.rows("SELECT state FROM orders") == [("expired",)]
        assert {row[0] for row in await self.states()} <= {"expired", "cancelled"}
        assert self.place.topups(self.say.profile) == self.place.kept() == 0

    # ---- refused -------------------------------------------------------------------------

    async def refused(self) -> None:
        """What was chosen last is refused: the order goes on waiting, nothing is charged."""
        steps: dict[Method, Callable[[], Awaitable[None]]] = {
            Method.STARS: self._sheet_closed,
            Method.TELEGRAM: self._card_declined,
            Method.WALLET: self._short,
            Method.TRANSFER: self._proof_declined,
            Method.VOUCHER: self._unknown_voucher,
            Method.CASH: self._bad_receipt,
        }
        await steps.get(self.method, self._page_declined)()
        assert "captured" not in {row[0] for row in await self.states()}
        assert self.place.topups(self.say.profile) == self.place.kept() == 0

    async def _sheet_closed(self) -> None:
        assert (await self.payer.pay(decline=True))["status"] == "declined_by_person"

    async def _card_declined(self) -> None:
        invoice = {"message_id": (await self.payer.invoices())[-1], "card": "declined"}
        assert (await self.payer.post("pay", invoice))["status"] == "card_declined"

    async def _page_declined(self) -> None:
        await self._on_page("decline")
        await self.payer.press(self.words("I have paid", "我已付款"))
        await self.payer.find(self.say.waiting)
        if self.method is Method.PAYPAL:  # which has ended by that: another one is opened
            await self.payer.find("payment was declined|付款没有成功")
            await self.payer.press(self.words("Choose how to pay", "选择付款方式"))
            await self.press_method()

    async def _short(self) -> None:
        assert self.say.no_money in (await self.payer.last())["text"]

    async def _proof_declined(self) -> None:
        await self._send_proof(190)
        await self._decide("拒绝", "看不清")
        await self.payer.find(self.say.proof_no)
        await self.payer.press(self.words("Send it again", "重新发送凭证"))

    async def _unknown_voucher(self) -> None:
        await self.payer.say("XVKA-AAAA-BBBB-CCCC")
        await self.payer.find(self.say.unknown)

    async def _bad_receipt(self) -> None:
        await self.place.operator.press("已收现金")
        await self.place.operator.say("!!")
        await self.place.operator.find("只能包含字母")

    async def _on_page(self, do: str) -> None:
        await on_page(self.payer, do, "zh-CN" if self.say.chinese else "en")

    async def _send_proof(self, shade: int) -> None:
        await self.payer.press(self.words("I have sent it", "我已转账"))
        assert self.say.proof in (await self.payer.send_file("photo", shade=shade))["text"]

    async def _decide(self, *words: str) -> None:
        """The operator looks at the transfer that waits."""
        await self.place.operator.say("/queue")
        for label in ("待核对的转账", *words):
            await self.place.operator.press(label)

    # ---- paid ----------------------------------------------------------------------------

    async def paid(self) -> None:
        """Paid now, up to the receipt."""
        steps: dict[Method, Callable[[], Awaitable[None]]] = {
            Method.STARS: self._invoice_paid,
            Method.TELEGRAM: self._invoice_paid,
            Method.EPAY: self._epay_paid,
            Method.WALLET: self._wallet_paid,
            Method.TRANSFER: self._transfer_paid,
            Method.VOUCHER: self._voucher_paid,
            Method.CASH: self._cash_paid,
        }
        await steps.get(self.method, self._page_paid)()
        for _ in range(10):
            if await self.payer.count(self.say.receipt):
                break
            await self.place.advance(seconds=20)
        receipt = (await self.payer.find(self.say.receipt))["text"]
        self.check_receipt(receipt)
        self.check_validity(receipt)
        assert self.place.topups(self.say.profile) == 1
        assert (await self.states())[-1] == ("captured",)

    async def _invoice_paid(self) -> None:
        assert (await self.payer.pay())["status"] == "paid"

    async def _page_paid(self) -> None:
        await self._on_page("pay")

    async def _epay_paid(self) -> None:
        await self._on_page("wxpay" if self.say.chinese else "alipay")

    async def _wallet_paid(self) -> None:
        """What is missing is put in, by Stars, and the order paid from it."""
        await self.payer.press(self.words("Top up $8.50", "充值 US$7.50"))
        await self.payer.press("Telegram Stars · ")
        await self.payer.pay()
        await self.payer.press(self.words("Pay order XK-", "支付订单 XK-"))

    async def _transfer_paid(self) -> None:
        await self._send_proof(90)
        await self._decide("已到账", "是的，已到账")

    async def _voucher_paid(self) -> None:
        await self.payer.say(self.say.voucher)

    async def _cash_paid(self) -> None:
        await self.place.operator.say("B-204")
        await self.place.operator.press("确定，充值")

    def check_receipt(self, text: str) -> None:
        """Order, amount, method, SIM, and the validity before and after."""
        [(order_id,)] = self.place.rows("SELECT id FROM orders WHERE paid_at IS NOT NULL")
        paid = f"\nPaid: {self.amount} by {self.name}\n"
        said = [f"\nOrder: XK-{order_id.upper()}\n", f"\nSIM: {self.say.number}\n",
                "Sold by Xuka Demo Shop"]  # fmt: skip
        if self.say.chinese:
            paid = f"\n已付：{self.amount}（{self.name}）\n"
            said = [f"\n订单：XK-{order_id.upper()}\n", f"\nSIM 卡：{self.say.number}\n",
                    "销售方：Xuka Demo Shop"]  # fmt: skip
        for part in (paid, *said):
            assert part in text, f"{part!r} is not in\n{text}"
        charge = re.search(r"\n(?:Charge|付款流水号)(?:: |：)\S{6,}\n", text)
        in_store = self.method in IN_STORE
        assert (charge is None) is in_store, "an id of ours says nothing to anybody"
        assert ("B-204" in text) is (self.method is Method.CASH), text

    def check_validity(self, text: str) -> None:
        """From the SIM itself: before and after, a month apart."""
        found = re.search(self.say.valid, text)
        assert found is not None, text
        expected = ("2027年3月5日", "2027年4月4日") if self.say.chinese else (
            "14 Mar 2027", "13 Apr 2027")  # fmt: skip
        assert found.groups() == expected

    # ---- paid back -----------------------------------------------------------------------

    async def refunded(self) -> None:
        """Asked for by the customer, given by the operator; the order's message tells it all."""
        payer, owner = self.payer, self.place.operator
        await payer.press(self.words("Ask for a refund", "申请退款"))
        await payer.press(self.words("It does not work", "无法使用"))
        await owner.find("客户申请退款|申请退款")
        for label in ("打开", "退款", "确定"):
            await owner.press(label)
        if self.method in BY_HAND:
            await self.place.advance(minutes=1)
            await owner.find("付款平台退不了")
            for label in ("打开", "我已自行退回", "确定"):
                await owner.press(label)
        await self.place.advance(minutes=1)
        back = self.say.back.format(amount=self.amount)
        if self.method is Method.VOUCHER:
            back = self.words("the same code works again", "原券码可以再用")
        text = (await payer.find(re.escape(back)))["text"]
        self.check_receipt(text)
        assert re.search(self.say.returned.format(amount=re.escape(self.amount)), text), text
        assert (await self.states())[-1] == ("refunded",)
        assert self.place.rows("SELECT state FROM refunds") == [("done",)]
        if self.method is Method.WALLET:
            held = (await payer.say("/wallet"))["text"]
            assert self.words("Balance: $8.50", "余额：US$7.50") in held


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("method", Method)
async def test_it_is_left_refused_paid_with_a_receipt_and_paid_back(
    place: Town, method: Method, say: Say
) -> None:
    life = Life(place, method, say)
    for person in (place.operator, life.payer):
        await person.say("/start")
    await life.leave()
    await life.choose()
    await life.refused()
    await life.paid()
    await life.refunded()
