"""The page on which customers pay at the Stripe stand-in: plain forms, no script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from html import escape

import segno
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.demo.faults import FaultBoard
from bot.demo.hosted_page import chat_at
from bot.demo.stripe_shown import Shown
from bot.demo.stripe_state import CARDS, Card, Page, StripeState
from bot.ports import Clock

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_NO_DECIMALS = frozenset(
    [
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    ]
)
_THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})

_COLOURS = {"card": "#4b4fd8", "alipay": "#0958d9", "wechat_pay": "#067a3a"}

_EN = {
    "lang": "en",
    "demo": "Demo stand-in for Stripe. No money moves here, and no real card is asked for.",
    "card": "Pay by card",
    "alipay": "Pay with Alipay",
    "wechat_pay": "Pay with WeChat Pay",
    "choose": "Which test card?",
    "ok": "the bank says yes",
    "declined": "yes now, no when charged later",
    "asks": "yes now, wants a confirmation later",
    "kept": "This card will be kept for automatic renewals. You can remove it in the chat.",
    "scan": "On a real page you would scan this with WeChat. Here, press the button.",
    "pay": "Pay",
    "decline": "Pay, but the bank says no",
    "away": "Go back without paying",
    "no": "The bank said no. Nothing was charged. Try again, or go back to the chat.",
    "succeeded": "Paid. Thank you!",
    "processing": "Your payment is under way. The chat will tell you when it has arrived.",
    "over": "This page has ended. Nothing can be paid here any more.",
    "back": "Back to the chat",
    "unknown": "There is no such page.",
}
_ZH = {
    "lang": "zh-Hans",
    "demo": "这是演示用的 Stripe 替身：不会真的扣款，也不需要真实的银行卡。",
    "card": "银行卡支付",
    "alipay": "支付宝支付",
    "wechat_pay": "微信支付",
    "choose": "用哪张测试卡？",
    "ok": "银行会同意",
    "declined": "这次同意，以后自动扣款会被拒",
    "asks": "这次同意，以后自动扣款需要本人确认",
    "kept": "这张卡会保存下来用于自动续费，随时可以在聊天里移除。",
    "scan": "真实页面上要用微信扫这个码；演示里直接按下面的按钮。",
    "pay": "支付",
    "decline": "支付，但银行拒绝",
    "away": "不付了，返回",
    "no": "银行拒绝了这笔付款，没有扣款。可以再试一次，或返回聊天。",
    "succeeded": "付款成功，谢谢！",
    "processing": "付款正在处理，到账后会在聊天里告诉您。",
    "over": "这个付款页面已经失效，不能再付款了。",
    "back": "返回聊天",
    "unknown": "没有这个付款页面。",
}
_TW = {
    **_ZH,
    "lang": "zh-Hant",
    "demo": "這是示範用的 Stripe 替身：不會真的扣款，也不需要真實的信用卡。",
    "card": "以信用卡付款",
    "alipay": "以支付寶付款",
    "wechat_pay": "以微信支付付款",
    "choose": "要用哪張測試卡？",
    "ok": "銀行會同意",
    "declined": "這次同意，之後自動扣款會被拒絕",
    "asks": "這次同意，之後自動扣款需要本人確認",
    "kept": "這張卡會保存下來用於自動續費，隨時可以在聊天中移除。",
    "scan": "真實頁面上要用微信掃描這個碼；示範中直接按下面的按鈕。",
    "pay": "付款",
    "decline": "付款，但銀行拒絕",
    "away": "先不付款，返回",
    "no": "銀行拒絕了這筆付款，沒有扣款。可以再試一次，或返回聊天。",
    "succeeded": "付款成功，謝謝！",
    "processing": "付款處理中，入帳後會在聊天中通知您。",
    "over": "這個付款頁面已經失效，無法再付款。",
    "unknown": "沒有這個付款頁面。",
}

_CSS = """
*{box-sizing:border-box}
body{margin:0;background:#f3f4f7;color:#1b1f2a;
font:17px/1.5 system-ui,-apple-system,"PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:440px;margin:0 auto;padding:20px}
.note{background:#fff4d6;border:1px solid #e2b93b;border-radius:10px;padding:10px 14px;
font-size:15px}
.sum{background:#fff;border-radius:14px;padding:20px;margin:16px 0;border-top:6px solid COLOUR}
.sum p{margin:4px 0;color:#505767}.sum strong{display:block;font-size:34px;line-height:1.3}
h1{font-size:19px;margin:0}
fieldset{border:0;padding:0;margin:0 0 16px}legend{font-weight:600;padding:0;margin-bottom:8px}
label{display:flex;gap:12px;align-items:center;background:#fff;border:1px solid #d4d8e0;
border-radius:12px;padding:12px 14px;margin:8px 0;min-height:52px}
input{width:20px;height:20px;flex:none}
small{display:block;color:#505767}
button,.go{display:block;width:100%;min-height:52px;padding:13px;margin:10px 0;border-radius:12px;
border:1px solid #c5cad4;background:#fff;color:#1b1f2a;font:inherit;text-align:center;
text-decoration:none;cursor:pointer}
.first{background:COLOUR;border-color:COLOUR;color:#fff;font-weight:600}
.qr{background:#fff;border-radius:14px;text-align:center;padding:16px}
.said{background:#fde7e7;border-radius:10px;padding:10px 14px}
:focus-visible{outline:3px solid #1b1f2a;outline-offset:2px}
"""


def price(amount: int, currency: str) -> str:
    """As people read it, from Stripe's units."""
    places = 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
    return f"{Decimal(amount).scaleb(-places):,.{places}f} {currency.upper()}"


def _words(locale: str) -> Mapping[str, str]:
    if locale.lower() in ("zh-tw", "zh-hk"):
        return _TW
    return _ZH if locale.lower().startswith("zh") else _EN


class HostedPage:
    """GET shows it, POST does what a customer does on it: pay, or be declined."""

    def __init__(
        self,
        state: StripeState,
        clock: Clock,
        faults: FaultBoard,
        telling: Callable[[], Awaitable[None]],
    ) -> None:
        self._state = state
        self._clock = clock
        self._faults = faults
        self._telling = telling

    async def show(self, request: Request) -> Response:
        """The page, or how it ended."""
        page = self._state.page(request.path_params["id"])
        if page is None:
            return _html(_EN, "card", f"<p class=sum>{escape(_EN['unknown'])}</p>", 404)
        done = self._settled(page)
        background = BackgroundTask(self._telling) if done else None
        return self._answer(page, "", background)

    async def act(self, request: Request) -> Response:
        """One press of a button. What has ended stays as it is."""
        page = self._state.page(request.path_params["id"])
        now = self._clock.now()
        if page is None or self._state.page_status(page, now) != "open":
            return await self.show(request)
        form = await request.form()
        declined = form.get("do") != "pay" or self._faults.take("stripe.declined")
        card = self._card(page, str(form.get("card", "0")))
        intent = self._state.try_page(page, card, now, "generic_decline" if declined else None)
        late = self._faults.is_set("stripe.webhook_late")
        shown = Shown(self._state, now)
        if declined:
            self._state.tell("payment_intent.payment_failed", shown.intent(intent), now, late)
        elif self._faults.is_set("stripe.stays_processing"):
            intent.status, intent.charge = "processing", None
            self._state.tell("checkout.session.completed", shown.page(page), now, late)
        else:
            self._state.tell("payment_intent.succeeded", shown.intent(intent), now, late)
            self._state.tell("checkout.session.completed", shown.page(page), now, late)
        said = "no" if declined else ""
        return self._answer(page, said, BackgroundTask(self._telling))

    def _settled(self, page: Page) -> bool:
        """Whether a payment that was under way has come in just now."""
        intent = self._state.intent(page.intent)
        if intent is None or intent.status != "processing":
            return False
        card = self._state.card(intent.card)
        if card is None or self._faults.is_set("stripe.stays_processing"):
            return False
        now = self._clock.now()
        self._state.charge(intent, card, now)
        body = Shown(self._state, now).page(page)
        self._state.tell("checkout.session.async_payment_succeeded", body, now)
        return True

    def _card(self, page: Page, chosen: str) -> Card:
        brand, last4, later = CARDS[int(chosen) if chosen in "0123" and chosen else 0]
        made = Card(id=self._state.new_id("pm"), type=page.type)
        if page.type == "card":
            made = made.model_copy(update={"brand": brand, "last4": last4, "later": later})
        self._state.cards.append(made)
        return made

    def _answer(self, page: Page, said: str, background: BackgroundTask | None) -> Response:
        words = _words(page.locale)
        intent = self._state.intent(page.intent)
        status = self._state.page_status(page, self._clock.now())
        body = _sum(page, words)
        if status == "open":
            body += f"<p class=said role=alert>{escape(words[said])}</p>" if said else ""
            body += _form(page, words)
        else:
            how = intent.status if intent is not None and status == "complete" else "over"
            body += f"<p class=sum role=status>{escape(words[how])}</p>"
            back = page.back if status == "complete" else page.away
            body += (
                f'<a class="go first" href="{escape(chat_at(back))}">{escape(words["back"])}</a>'
            )
        return _html(words, page.type, body, background=background)


def _sum(page: Page, words: Mapping[str, str]) -> str:
    return (
        f"<div class=sum><h1>{escape(words[page.type])}</h1>"
        f"<strong>{escape(price(page.amount, page.currency))}</strong>"
        f"<p>{escape(page.title)}</p><p>{escape(page.description)}</p></div>"
    )


def _form(page: Page, words: Mapping[str, str]) -> str:
    inside = ""
    if page.type == "card":
        cards = "".join(
            f"<label><input type=radio name=card value={n}{' checked' if n == 0 else ''}>"
            f"<span>{escape(brand.capitalize())} ···· {last4}"
            f"<small>{escape(words[later])}</small></span></label>"
            for n, (brand, last4, later) in enumerate(CARDS)
        )
        inside = f"<fieldset><legend>{escape(words['choose'])}</legend>{cards}</fieldset>"
        inside += f"<p>{escape(words['kept'])}</p>" if page.keep else ""
    elif page.type == "wechat_pay":
        code = segno.make(f"weixin://wxpay/demo/{page.id}", micro=False)
        inside = f"<div class=qr>{code.svg_inline(scale=5)}</div><p>{escape(words['scan'])}</p>"
    amount = escape(price(page.amount, page.currency))
    return (
        f"<form method=post>{inside}"
        f"<button class=first name=do value=pay>{escape(words['pay'])} {amount}</button>"
        f"<button name=do value=decline>{escape(words['decline'])}</button>"
        f'</form><a class=go href="{escape(chat_at(page.away))}">{escape(words["away"])}</a>'
    )


def _html(
    words: Mapping[str, str],
    kind: str,
    body: str,
    status: int = 200,
    background: BackgroundTask | None = None,
) -> Response:
    style = _CSS.replace("COLOUR", _COLOURS.get(kind, _COLOURS["card"]))
    text = (
        f'<!doctype html><html lang="{words["lang"]}"><head><meta charset=utf-8>'
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>{escape(words[kind])}</title><style>{style}</style></head>"
        f"<body><main><p class=note>{escape(words['demo'])}</p>{body}</main></body></html>"
    )
    return HTMLResponse(text, status, _HEADERS, background=background)
