"""Handing a SIM over, in words: to its owner, and to the one who is to have it."""

from datetime import datetime

from bot.chat.screen import Screen, button, lines
from bot.chat.views.sims import title
from bot.domain.chats import Chat
from bot.domain.handover import Handover
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words

_REFUSALS = {
    "code_wrong": N_("This hand-over code is not right, was used before, or has expired."),
    "own_code": N_("This is your own code. Forward it to the person who is to have the SIM."),
    "have_already": N_("You have this SIM already."),
}


def explain(t: Words, sim: Sim) -> Screen:
    """What will happen, before anything does."""
    text = lines(
        t("Hand <b>{title}</b> over to somebody else?", title=title(t, sim)),
        t("1. I make a code; you forward it to them."),
        t("2. They send it to me; I tell you who it was."),
        t("3. Only when you confirm does the SIM become theirs."),
        "",
        t("Your orders and everything noted so far stay with you; your reminders of it stop."),
    )
    rows = [
        [button(t.plain("Make a code"), "handgo", sim.id)],
        [button(t.plain("‹ Back"), "more", sim.id)],
    ]
    return Screen(text, rows)


def offered(t: Words, sim: Sim, handover: Handover, now: datetime) -> Screen:
    """Said above the message that is to be forwarded."""
    text = t(
        "Forward the next message to the new owner of <b>{title}</b>. Its code works once, until "
        "{time}; a new code makes it void.",
        title=title(t, sim),
        time=t.moment(handover.expires_at, now=now),
    )
    rows = [
        [button(t.plain("Withdraw the code"), "handno", sim.id)],
        [button(t.plain("‹ Back"), "sim", sim.id)],
    ]
    return Screen(text, rows)


def forwarded(t: Words, sim: Sim, bot: str, code: str) -> Screen:
    """The message to forward: it says by itself what to do."""
    return Screen(
        lines(
            t("I would like to hand a SIM over to you: <b>{carrier}</b>.", carrier=sim.carrier),
            t("Open @{bot} and send this code: <code>{code}</code>", bot=bot, code=code),
        )
    )


def withdrawn(t: Words) -> Html:
    """Said above the card."""
    return t("The code opens nothing any more.")


def running(t: Words, sim: Sim) -> Screen:
    """It can't change hands while money or a top-up is under way."""
    text = t(
        "A renewal of <b>{title}</b> is under way. You can hand it over when that is finished.",
        title=title(t, sim),
    )
    rows = [[button(t.plain("Orders"), "orders", 0), button(t.plain("‹ Back"), "sim", sim.id)]]
    return Screen(text, rows)


def ask_owner(t: Words, handover: Handover, sim: Sim, asker: Chat, now: datetime) -> Screen:
    """Somebody sent the code. A first name can be anybody's; the user name is one person's."""
    name = asker.first_name or t.plain("Somebody")
    who = f"{name} (@{asker.username})" if asker.username else name
    text = lines(
        t("🔑 <b>{who}</b> wants to take over <b>{title}</b>.", who=who, title=title(t, sim)),
        t("Confirm only if you know that this is the right person. You can decide until {time}.",
          time=t.moment(handover.expires_at, now=now)),
    )  # fmt: skip
    rows = [
        [
            button(t.plain("Confirm"), "handyes", handover.id),
            button(t.plain("Refuse"), "handref", handover.id),
        ]
    ]
    return Screen(text, rows)


def confirmed(t: Words, sim: Sim) -> Html:
    """To the old owner, above the overview."""
    return t("✅ {title} was handed over. I no longer remind you of it.", title=title(t, sim))


def refused(t: Words, sim: Sim) -> Html:
    """To the owner, above the card."""
    return t("{title} stays yours. The code opens nothing any more.", title=title(t, sim))


def asked(t: Words, handover: Handover, now: datetime) -> Screen:
    """To the one who sent the code; the owner's answer comes by itself."""
    text = t(
        "I have asked the owner to confirm. You get a message here when they have decided, at the "
        "latest by {time}; after that you need a new code.",
        time=t.moment(handover.expires_at, now=now),
    )
    return Screen(text, [[button(t.plain("‹ My SIMs"), "sims")]])


def not_taken(t: Words, why: Html) -> Screen:
    """The code was not accepted."""
    return Screen(
        why, [[button(t.plain("Add a SIM"), "add"), button(t.plain("‹ My SIMs"), "sims")]]
    )


def why_not(t: Words, reason: str) -> Html:
    """Why a hand-over code was not taken; nothing about the SIM behind it."""
    return t(_REFUSALS.get(reason, _REFUSALS["code_wrong"]))


def decided(t: Words, sim: Sim | None) -> Screen:
    """To the one who sent the code: the owner has decided; `sim` None when it was a no."""
    if sim is None:
        text = t("The owner of the SIM did not confirm the hand-over. The code is used up.")
        return Screen(text, [[button(t.plain("My SIMs"), "sims")]])
    return Screen(
        t("✅ <b>{title}</b> is yours now. I remind you of it from here on.", title=title(t, sim)),
        [[button(t.plain("Show this SIM"), "sim", sim.id)]],
    )
