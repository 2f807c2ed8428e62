"""Around pictures, in words: why a photo told nothing, and what stands below a picture sent."""

from datetime import datetime

from bot.chat.photos import Trouble
from bot.chat.screen import Screen, button, lines
from bot.chat.views.sims import dates, title
from bot.domain.sales import Order
from bot.domain.sims import Sim, Tracking
from bot.i18n import N_, Words

_CLOSER = N_(
    "Go closer, so that the code fills the picture. Good light, no glare, and wait until it is "
    "sharp."
)
_AS_PHOTO = N_("Send it as a photo instead of a file: Telegram then makes one I can read.")
_A_PHOTO = N_("Send a photo or a screenshot of the code.")
TROUBLES: dict[Trouble, tuple[str, str]] = {
    Trouble.NOTHING_FOUND: (N_("I found no readable code in this picture."), _CLOSER),
    Trouble.FOREIGN: (
        N_("There is a code in this picture, but it is not a SIM's."),
        N_("I need the bar code on the SIM's card (its number begins with 89) or the eSIM's QR "
           "code."),
    ),
    Trouble.SEVERAL: (
        N_("There are codes of more than one SIM in this picture."),
        N_("Cover the others, or send a photo of each SIM by itself."),
    ),
    Trouble.TOO_BIG: (N_("This picture is too large for me."), _AS_PHOTO),
    Trouble.NOT_A_PICTURE: (N_("I can't open this picture."), _AS_PHOTO),
    Trouble.HEIC: (N_("I can't read HEIC pictures."), _AS_PHOTO),
    Trouble.MOVING: (N_("I can't read videos or moving pictures."), _A_PHOTO),
    Trouble.SOUND: (N_("I can't listen to recordings."), _A_PHOTO),
    Trouble.OTHER_FILE: (N_("I can't read files of this kind."), _A_PHOTO),
    Trouble.NOT_FETCHED: (
        N_("Telegram did not hand me the picture just now."), N_("Please send it again."),
    ),
    Trouble.TOO_SLOW: (N_("Reading this picture takes too long."), _CLOSER),
}  # fmt: skip
"""What happened, and what helps."""


def trouble(t: Words, why: Trouble) -> Screen:
    """Why a photo told nothing, and what to do. Nothing of what it holds is repeated."""
    what, helps = TROUBLES[why]
    text = lines(
        t(what),
        t(helps),
        "",
        t("Or write the number below the bar code: <code>8986001234567890120</code>"),
    )
    rows = [[button(t.plain("Add a SIM"), "add"), button(t.plain("‹ My SIMs"), "sims")]]
    return Screen(text, rows)


def card_caption(t: Words, sim: Sim, now: datetime) -> Screen:
    """Below the picture of a balance card."""
    text = lines(t("<b>{title}</b>", title=title(t, sim)), *dates(t, sim, now)[:1])
    rows = [[button(t.plain("Renew"), "renew", sim.id), button(t.plain("As text"), "sim", sim.id)]]
    if sim.tracking is Tracking.MANAGED:
        rows.insert(0, [button(t.plain("30 days of use"), "use", sim.id)])
    return Screen(text, rows)


def plot_caption(t: Words, sim: Sim, *, told: bool) -> Screen:
    """Below the plot; `told` when a pace is known, whose arithmetic can be shown."""
    how = [button(t.plain("How is this worked out?"), "pace", sim.id)] if told else []
    rows = [
        how,
        [button(t.plain("Renew"), "renew", sim.id), button(t.plain("As text"), "sim", sim.id)],
    ]
    return Screen(t("<b>{title}</b>", title=title(t, sim)), rows)


def receipt_caption(t: Words, order: Order) -> Screen:
    """Below the picture of a receipt."""
    rows = [
        [
            button(t.plain("As text"), "order", order.id),
            button(t.plain("Show this SIM"), "sim", order.sim_id),
        ]
    ]
    return Screen(t("<b>Order {number}</b>", number=order.number), rows)


def no_plot(t: Words, sim: Sim) -> Screen:
    """There is nothing to draw yet."""
    text = lines(
        t("<b>{title}</b>", title=title(t, sim)),
        "",
        t("There are too few readings for a plot yet."),
        t("I read this SIM every few hours. From tomorrow on you see here how its data goes down.")
        if sim.tracking is Tracking.MANAGED
        else t("You keep this SIM's dates yourself, so I can't see its data."),
    )
    return Screen(text, [[button(t.plain("‹ Back"), "sim", sim.id)]])


def not_sent(t: Words, again: str, sim_or_order: str, back: str) -> Screen:
    """Telegram did not take a picture. It is not sent again by itself: it may have arrived."""
    text = lines(
        t("Telegram did not take the picture just now."),
        t("If it is not here in a moment, tap again. The text says the same."),
    )
    rows = [
        [
            button(t.plain("Try again"), again, sim_or_order),
            button(t.plain("As text"), back, sim_or_order),
        ]
    ]
    return Screen(text, rows)
