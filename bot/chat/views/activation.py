"""An eSIM that waits for its activation: what to try, and that it has come (F8)."""

from datetime import datetime

from bot.chat.screen import Screen, button, lines
from bot.chat.views.sims import dates, title
from bot.domain.sims import Sim
from bot.i18n import Words


def waiting(t: Words, sim: Sim, now: datetime) -> Screen:
    """What to try."""
    text = lines(
        t("🕓 <b>{title}</b> is still waiting for its activation.", title=title(t, sim)),
        "",
        t("If you are where it works, please try this:"),
        t("1. Switch on this eSIM's line in your phone's settings."),
        t("2. Switch on data roaming for it, and choose it for mobile data."),
        t("3. Restart the phone and wait a few minutes."),
        "",
        t("I keep looking and write when it is active. If it stays so, our shop helps you."),
    )
    return Screen(
        text,
        [
            [button(t.plain("I'll use it later"), "actlater", sim.id)],
            [button(t.plain("Show this SIM"), "sim", sim.id),
             button(t.plain("💬 Support"), "support")],
        ],
    )  # fmt: skip


def active(t: Words, sim: Sim, now: datetime) -> Screen:
    """It has come."""
    text = lines(t("🟢 <b>{title}</b> is active now.", title=title(t, sim)), *dates(t, sim, now))
    return Screen(text, [[button(t.plain("Show this SIM"), "sim", sim.id)]])


def later(t: Words, sim: Sim) -> Screen:
    """Its owner will use it another day."""
    text = t(
        "All right: I write about <b>{title}</b> again when it is active.", title=title(t, sim)
    )
    return Screen(text, [[button(t.plain("Show this SIM"), "sim", sim.id)]])
