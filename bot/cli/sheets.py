"""Vouchers as a sheet to print: cut along the lines, one code a card, with its QR code (F20, F52).

One HTML file that needs nothing else; any browser prints it on A4 or Letter. The QR code holds
the voucher's code itself: a phone's camera copies it into the chat.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import segno

from bot.domain.money import Money

_STYLE = """
@page { size: auto; margin: 10mm }
* { box-sizing: border-box }
body { margin: 0; color: #111; font: 11pt/1.35 system-ui, "Noto Sans SC", sans-serif }
main { display: grid; grid-template-columns: 1fr 1fr }
article { border: 1px dashed #999; padding: 5mm; display: flex; gap: 5mm; break-inside: avoid }
svg { width: 32mm; height: 32mm; flex: none }
h2 { margin: 0 0 1mm; font-size: 12pt }
p { margin: 0 0 1.2mm }
.worth { font-size: 15pt; font-weight: 700 }
.code { font: 700 11.5pt ui-monospace, Menlo, Consolas, monospace; white-space: nowrap }
small { color: #444 }
"""


@dataclass(frozen=True, slots=True)
class Card:
    """One voucher: its code, what it is worth, and the plan it pays, if it is for one."""

    code: str
    value: Money
    plan: str | None = None


def sheet(cards: Sequence[Card], shop: str, bot: str | None, last: date | None) -> str:
    """The whole page, Chinese and English side by side. `bot` is the bot's name on Telegram."""
    body = "\n".join(_card(card, shop, bot, last) for card in cards)
    return (
        '<!doctype html>\n<html lang="zh"><head><meta charset="utf-8">'
        f"<title>{html.escape(shop)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _card(card: Card, shop: str, bot: str | None, last: date | None) -> str:
    worth = f"{card.value.major} {card.value.currency}"
    where = f"Telegram @{bot.removeprefix('@')}" if bot else "Telegram"
    lines = [
        f"<h2>{html.escape(shop)}</h2>",
        f'<p class="worth">{html.escape(card.plan or worth)}</p>',
        f"<p>{html.escape(worth)}</p>" if card.plan else "",
        f'<p class="code">{html.escape(card.code)}</p>',
        f"<p><small>{html.escape(where)} → /renew → SIM → 用充值券 / Use a voucher</small></p>",
        f"<p><small>有效期至 / Valid until {last.isoformat()}</small></p>" if last else "",
    ]
    picture = segno.make(card.code, error="m").svg_inline(border=1, omitsize=True)
    return f"<article>{picture}<div>{''.join(lines)}</div></article>"
