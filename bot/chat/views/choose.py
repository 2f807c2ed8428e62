"""Pick one of several SIMs."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Screen, button
from bot.chat.views.sims import MARKS, span, title
from bot.domain.sims import Sim
from bot.i18n import Words


def label(t: Words, sim: Sim, now: datetime) -> str:
    """A SIM on a button: its state, its name, and how long it still is valid."""
    left = f" · {span(t, sim.expiry, now)}" if sim.expiry and sim.expiry > now else ""
    return f"{MARKS[sim.state_at(now)]} {title(t, sim)}{left}"


def sim(t: Words, sims: Sequence[Sim], now: datetime) -> Screen:
    """Which SIM to renew."""
    if not sims:
        return Screen(
            t("Add a SIM first: with its ICCID, its number, or its eSIM code."),
            [[button(t.plain("Add a SIM"), "add")], [button(t.plain("‹ Menu"), "menu")]],
        )
    rows = [[button(label(t, one, now), "renew", one.id)] for one in sims]
    return Screen(t("Which SIM shall I renew?"), [*rows, [button(t.plain("‹ Menu"), "menu")]])
