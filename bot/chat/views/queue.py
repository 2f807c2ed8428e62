"""What operators read: notes about what waits for a person."""

from bot.chat.screen import Screen, button
from bot.i18n import N_, Words

WHYS = {
    "by_hand": N_("A paid renewal waits for you to top it up by hand."),
    "mismatch": N_("A payment does not fit its order."),
    "no_order": N_("A charge arrived that belongs to no order."),
    "not_found": N_("A top-up was sent, its answer was lost, and the supplier does not know it."),
    "unknown": N_("A top-up was sent and the supplier can't be asked whether it arrived."),
    "no_look_up": N_("A top-up was sent and this supplier has no look-up."),
    "unverified": N_("A top-up was delivered, but the SIM does not show it."),
    "supplier_off": N_("A paid order's supplier is switched off."),
    "refund_due": N_("A refund does not go through."),
    "claim": N_("A customer says that a SIM is theirs."),
}


def note(t: Words, subject: str, why: str) -> Screen:
    """A short note that leads to the queue."""
    text = t(WHYS.get(why, N_("Something waits for a person.")))
    return Screen(t("📋 {text}", text=text), [[button(t.plain("Open the queue"), "queue")]])
