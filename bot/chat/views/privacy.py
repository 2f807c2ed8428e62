"""What is kept of a person, in words: the notice, the copy as a file, the way to be forgotten."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.shop import Merchant
from bot.chat.views.export import guarded
from bot.chat.views.help import seller
from bot.chat.views.sims import title
from bot.domain.sales import Saved
from bot.domain.sims import Sim
from bot.i18n import N_, Words
from bot.ports import Section
from bot.services.privacy import PrivacyRefused

_HELD = {
    "order": N_("An order of yours is still under way. Please wait for its end, or cancel it."),
    "deposit": N_(
        "A top-up of your wallet still waits for its payment. Please pay it, or wait until it ends."
    ),
    "wallet": N_(
        "There is still money in your wallet. Please spend it, or write to /support to get it back."
    ),
    "payment": N_("Our shop is still looking into a payment of yours. We write to you soon."),
    "refund": N_("Money is on its way back to you. Please wait until it is there."),
    "request": N_("You asked for a refund, and our shop has not answered yet. It soon will."),
    "proof": N_("Our shop has not looked at your proof of payment yet. It soon will."),
    "subscription": N_(
        "Your automatic renewals are stopped. Telegram still has to be told; please try again in a "
        "minute."
    ),
    "earnings": N_(
        "Your posts have earned money that is not paid out yet. Please write to /support to get it."
    ),
    "locked": N_("There were too many wrong codes. Please come back in an hour."),
    "operator": N_(
        "You run this shop. Please take your id out of its settings first (XUKA_OPERATOR_IDS)."
    ),
}


def privacy(t: Words, merchant: Merchant, cards: Sequence[Saved] = ()) -> Screen:
    """What is kept, why, for how long, who sees it; `cards` can be removed one by one."""
    text = lines(
        t("<b>What we keep about you</b>"),
        *seller(t, merchant),
        "",
        t("• Your Telegram id, name, language and time zone: to answer you, and to write at a good "
          "hour."),
        t("• Your SIMs with their numbers, your notes and reminders; what was left on them for 90 "
          "days."),
        t("• Orders, payments, receipts, wallet and points: the law asks us for such books."),
        t("• Which posts of groups you opened: a group sees how many came, never who."),
        t("• What you send to this chat for 30 days, so that none of it is lost; what you write to "
          "our shop, for longer."),
        "",
        t("Card numbers never reach us: you type them on the payment provider's page, or "
          "Telegram's. Kept cards, payment numbers, proofs of payment, PINs, IMEIs and messages "
          "are encrypted in our database, on our own server."),
        t("Our shop's people see what they need when you order or write to us. The supplier gets "
          "the number of the SIM it tops up; the payment provider the amount, what it is for and "
          "an order number. Nothing is sold or shown to anyone else."),
        "",
        t("All of it stays until you delete it with /forget. /export sends you a copy."),
    )  # fmt: skip
    return Screen(
        text,
        [
            *([_remove(t, card)] for card in cards),
            [button(t.plain("📦 Send me a copy"), "mydata")],
            [button(t.plain("🗑 Delete my data"), "forget")],
            [button(t.plain("Terms"), "terms"), button(t.plain("‹ Menu"), "menu")],
        ],
    )


def _remove(t: Words, card: Saved) -> Button:
    return button(t.plain("💳 Remove {card}", card=card.label), "cardout", card.id)


# ---- a kept card ---------------------------------------------------------------------------------


def ask_card(t: Words, card: Saved, sims: Sequence[Sim]) -> Screen:
    """Sure? `sims` renew by themselves with it."""
    text = lines(
        t("Remove <b>{card}</b>? It is deleted here and at the payment provider, and nothing can "
          "be charged to it any more.", card=card.label),
        *(t("Auto-renew for <b>{title}</b> stops with it.", title=title(t, sim)) for sim in sims),
    )  # fmt: skip
    rows = [
        [button(t.plain("Yes, remove it"), "cardgone", card.id)],
        [button(t.plain("No, keep it"), "privacy")],
    ]
    return Screen(text, rows)


def card_removed(t: Words, card: Saved, sims: Sequence[Sim]) -> Screen:
    """It is charged no more; what stopped with it can go on in another way."""
    again = t("I remind you before they expire. To renew by itself again, open the SIM and choose "
              "another way to pay.")  # fmt: skip
    text = lines(
        t("✓ {card} is removed. Nothing can be charged to it any more.", card=card.label),
        *(t("Auto-renew is off for <b>{title}</b>.", title=title(t, sim)) for sim in sims),
        again if sims else None,
    )
    return Screen(
        text, [[button(t.plain("My SIMs"), "sims"), button(t.plain("‹ Privacy"), "privacy")]]
    )


# ---- a copy --------------------------------------------------------------------------------------


def package(t: Words, told: Mapping[str, Section]) -> bytes:
    """A ZIP file: everything as JSON, and each table for a spreadsheet."""
    note = lines(
        t("Everything this shop keeps of you."),
        t("data.json has all of it. The .csv files are the same, one for each kind of thing, for "
          "Excel or any spreadsheet. Times are in UTC."),
        t("Left out are keys and numbers that only open something at a payment provider."),
    )  # fmt: skip
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", str(note))
        archive.writestr("data.json", json.dumps(told, ensure_ascii=False, indent=1))
        for name, section in told.items():
            archive.writestr(f"{name}.csv", _csv(section))
    return out.getvalue()


def _csv(section: Section) -> bytes:
    """One line a row; with a mark in front, without which Excel shows no Chinese."""
    out = StringIO()
    writer = csv.writer(out)
    columns = list(dict.fromkeys(name for row in section for name in row))
    writer.writerow(columns)
    for row in section:
        writer.writerow([guarded(_cell(row.get(name))) for name in columns])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def copy_caption(t: Words) -> Screen:
    """Below the file."""
    text = t("Everything we keep of you. Please keep this file to yourself.")
    return Screen(text, [[button(t.plain("‹ Privacy"), "privacy")]])


def copy_not_sent(t: Words) -> Screen:
    """Telegram did not take the file."""
    text = t("Telegram did not take the file just now. If it is not here in a moment, tap again.")
    again = [button(t.plain("Try again"), "mydata"), button(t.plain("‹ Privacy"), "privacy")]
    return Screen(text, [again])


# ---- being forgotten -----------------------------------------------------------------------------


def ask(t: Words) -> Screen:
    """What goes and what has to stay."""
    text = lines(
        t("<b>Delete my data</b>"),
        t("What goes: your name, your SIMs with notes and reminders, kept cards, what you wrote. "
          "Automatic renewals stop, and your points are lost. A SIM from our shop is shown to "
          "nobody any more; to see it again you need a new code from us."),
        t("What the law asks us to keep: orders, payments and receipts, without your name and with "
          "only the ends of SIM numbers. We then can't refund them here any more."),
        t("If you have bought here, we also keep an encrypted mark of your Telegram id, so that "
          "gifts for new customers are given once; the same if our shop has closed its offers to "
          "you."),
        t("Backups of our shop still have everything until newer ones replace them."),
        "",
        t("For a copy before you go, send /export."),
    )  # fmt: skip
    rows = [
        [button(t.plain("🗑 Delete my data"), "forgetsure")],
        [button(t.plain("No, keep it"), "menu")],
    ]
    return Screen(text, rows)


def ask_again(t: Words, token: int) -> Screen:
    """The second of two taps."""
    rows = [
        [button(t.plain("Yes, delete everything"), "forgetyes", token)],
        [button(t.plain("No, keep it"), "menu")],
    ]
    return Screen(t("Really delete everything? Nobody can bring it back."), rows)


def forgotten(t: Words) -> Screen:
    """The last answer to somebody who is not known any more."""
    return Screen(t("Your data is deleted. Should you come back one day, send /start."))


def refused(t: Words, why: PrivacyRefused) -> Screen:
    """Not now, and what to do about it."""
    below = [button(t.plain("‹ Privacy"), "privacy"), button(t.plain("‹ Menu"), "menu")]
    if why.until is not None:
        text = t("You got a copy less than an hour ago. The next one is there for you from {time}.",
                 time=t.clock(why.until))  # fmt: skip
        return Screen(text, [below])
    text = lines(
        t("I can't delete your data just yet."),
        t(_HELD[why.reason]),
        t("Then send /forget again."),
    )
    order = [[button(t.plain("Show the order"), "order", why.order_id)]] if why.order_id else []
    return Screen(text, [*order, below])
