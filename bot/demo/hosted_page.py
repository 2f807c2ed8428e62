"""The payment stand-ins' own pages: plain HTML forms, in English or Chinese, for phones too.

Each says that it is the demo's, so that nobody takes it for the real one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_STYLE = """
:root{color-scheme:light dark}
body{margin:0;font:16px/1.5 system-ui,-apple-system,"PingFang SC","Microsoft YaHei",
"Noto Sans CJK SC",sans-serif;background:light-dark(#eef1f0,#111616);
color:light-dark(#17211f,#e7eeec)}
main{max-width:25rem;margin:0 auto;padding:1.25rem 1rem 3rem}
.demo{margin:0 0 1rem;padding:.6rem .8rem;border-radius:.6rem;font-size:.875rem;
background:light-dark(#fff3d6,#3a3016);color:light-dark(#5c4300,#f0d692)}
.card{padding:1.25rem;border-radius:.9rem;background:light-dark(#fff,#1f2727)}
h1{margin:0 0 .25rem;font-size:1.1rem}
.sum{margin:.25rem 0 1rem;font-size:1.9rem;font-weight:650;font-variant-numeric:tabular-nums}
p{margin:0 0 .75rem;overflow-wrap:anywhere}
small{color:light-dark(#566360,#a0aeab)}
form{display:grid;gap:.6rem;margin:1rem 0 0}
button,.back{display:block;box-sizing:border-box;width:100%;padding:.8rem 1rem;border:0;
border-radius:.6rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;
cursor:pointer;background:light-dark(#e7ecea,#2b3535);color:inherit}
button.first,.back.first{background:light-dark(#0b7a6f,#4cc2b1);color:light-dark(#fff,#06231f)}
:focus-visible{outline:3px solid light-dark(#0b62c4,#7db8ff);outline-offset:2px}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Said = tuple[str, str]
"""A text in English and Chinese."""

DEMO: Said = (
    "This is the demo's stand-in for {name}. No real money moves here.",
    "这是演示用的 {name} 模拟页面，不会产生真实扣款。",
)
BACK: Said = ("Back to the chat", "返回聊天")
PAY: Said = ("Pay {amount}", "支付 {amount}")
DECLINE: Said = ("Pay with a card that is declined", "用会被拒绝的卡支付")
LEAVE: Said = ("Leave without paying", "不付款，返回聊天")
PAID: Said = ("Paid. You can go back to the chat.", "已付款，可以返回聊天了。")
DECLINED: Said = (
    "The payment was declined. Nothing was taken.", "付款被拒绝，没有扣款。"
)  # fmt: skip
LEFT: Said = ("Nothing was paid.", "没有付款。")
GONE: Said = ("This page has ended. Go back to the chat.", "此页面已失效，请返回聊天。")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page shows: `said` below the amount, and one button for each thing to do, the first
    of them the one to be expected."""

    name: str
    title: str
    amount: str = ""
    said: Said | None = None
    does: Sequence[tuple[str, Said]] = ()
    back: str = "/"
    """Where the chat is."""


def hosted(sheet: Sheet, language: str, status: int = 200) -> Response:
    """The page. `language` "zh…" is Chinese, any other English."""
    words = _Words(language.lower().startswith("zh"), sheet)
    buttons = "".join(
        f'<button name="do" value="{escape(value)}"{_first(number)}>{words.of(said)}</button>'
        for number, (value, said) in enumerate(sheet.does)
    )
    form = f'<form method="post">{buttons}</form>' if buttons else ""
    back = f'<p><a class="back first" href="{escape(sheet.back)}">{words.of(BACK)}</a></p>'
    said = f"<p>{words.of(sheet.said)}</p>" if sheet.said else ""
    amount = f'<p class="sum">{escape(sheet.amount)}</p>' if sheet.amount else ""
    html = f"""<!doctype html>
<html lang="{"zh-CN" if words.chinese else "en"}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escape(sheet.name)}</title><style>{_STYLE}</style></head>
<body><main><p class="demo">{words.of(DEMO)}</p>
<section class="card"><h1>{escape(sheet.title)}</h1>{amount}{said}{form or back}</section>
</main></body></html>
"""
    return HTMLResponse(html, status, headers=_HEADERS)


class _Words:
    def __init__(self, chinese: bool, sheet: Sheet) -> None:
        self.chinese = chinese
        self._sheet = sheet

    def of(self, said: Said) -> str:
        text = said[1] if self.chinese else said[0]
        return escape(text.format(name=self._sheet.name, amount=self._sheet.amount))


def _first(number: int) -> str:
    return ' class="first"' if number == 0 else ""


def spoken(request: Request) -> str:
    """The language that the browser asks for."""
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def chat_at(address: str, params: Mapping[str, str] | None = None) -> str:
    """Where the way back leads: the address given, if it is of this machine; else the demo's chat
    page, for nothing here may lead out."""
    if urlsplit(address).hostname not in ("127.0.0.1", "localhost", "::1"):
        return "/"
    if not params:
        return address
    return f"{address}{'&' if '?' in address else '?'}{urlencode(params)}"
