"""What posts in groups earned, in words for who posted them."""

from collections.abc import Sequence

from bot.chat.screen import Screen, button, lines
from bot.domain.groups import Group
from bot.domain.money import Money
from bot.i18n import Words


def paid_out(t: Words, group: Group, points: int, money: Sequence[Money]) -> Screen:
    """It is theirs now, and where it is."""
    text = lines(
        t("💰 Our shop has paid out what your posts in <b>{name}</b> earned:", name=group.title),
        t.n("• {n} point: see /points", "• {n} points: see /points", points) if points else None,
        *(t("• {amount} in your /wallet", amount=t.money(amount)) for amount in money),
        "",
        t("Use it for your next renewal. Thank you for posting."),
    )
    return Screen(text, [[button(t.plain("🔄 Renew"), "renew"), button(t.plain("‹ Menu"), "menu")]])
