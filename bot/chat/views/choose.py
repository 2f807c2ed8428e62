"""Pick one of several SIMs."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Screen, button
from bot.chat.views.sims import MARKS, span, title
from bot.domain.sims import Sim
from bot.i18n import Words


def sim(t: Words, sims: Sequence[Sim], now: datetime) -> Screen:
    """Which SIM to renew."""
    if not sims:
        return Screen(
            t("Add a SIM first: with its ICCID, its number, or its eSIM code."),
            [[button(t.plain("Add a SIM"), "add")], [button(t.plain("‹ Menu"), "menu")]],
        )
    rows = []
    for one in sims:
        left = f" · {span(t, one.expiry, now)}" if one.expiry and one.expiry > now else ""
        rows.append([button(f"{MARKS[one.state_at(now)]} {title(t, one)}{left}", "renew", one.id)])
    return Screen(t("Which SIM shall I renew?"), [*rows, [button(t.plain("‹ Menu"), "menu")]])
