"""Help and the texts a shop must have: questions and answers (F22), terms, payments."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Screen, button, lines
from bot.chat.shop import Merchant
from bot.chat.views.orders import STATES
from bot.domain.sales import Order
from bot.i18n import N_, Html, Words

QUESTIONS = (
    (
        "used_up",
        N_("My data is used up"),
        N_(
            "Renew the same SIM: the new data is added and is usually there within a minute. The "
            "receipt shows the data before and after."
        ),
    ),
    (
        "forgot",
        N_("I forgot to renew"),
        N_(
            "Open My SIMs. If the SIM is in its grace period, renew it now and the number can "
            "stay yours. An expired travel eSIM can usually not be topped up; ask our shop for a "
            "new one."
        ),
    ),
    (
        "pending",
        N_("My eSIM is still waiting for activation"),
        N_(
            "Switch the eSIM on in the phone's settings, switch on data roaming for it, and "
            "restart the phone where you want to use it. It starts with its first connection."
        ),
    ),
    (
        "sharing",
        N_("Can I share my data?"),
        N_(
            "Yes, with your phone's hotspot, if the plan does not say otherwise. One eSIM sits on "
            "one device at a time."
        ),
    ),
    (
        "devices",
        N_("How many devices may share a plan?"),
        N_(
            "An eSIM or card works in one phone at a time. That phone's hotspot serves others: as "
            "many as the phone allows, mostly 5 to 10, unless the plan sets a limit or forbids it; "
            "then the plan's page says so before you pay."
        ),
    ),
    (
        "new_phone",
        N_("How do I move an eSIM to a new phone?"),
        N_(
            "Do not delete it from the old phone before you know how: most codes work once. A "
            "travel eSIM usually stays where it was installed; ask our shop first. An eSIM of your "
            "own carrier moves with the phone's transfer function or a new code from the carrier. "
            "Then tell me the new phone under My SIMs › More › Phone."
        ),
    ),
    (
        "password",
        N_("I forgot my carrier's password"),
        N_(
            "You need no carrier account here: your Telegram is your key. For the carrier's own "
            "app, reset the password there; its code comes by SMS to this SIM."
        ),
    ),
    (
        "two_factor",
        N_("I need the SIM for log-in codes"),
        N_(
            "Keep the line valid and it receives SMS. Add it under My SIMs with its expiry, and I "
            "write to you before the number is lost."
        ),
    ),
    (
        "provider",
        N_("I want to change the provider"),
        N_(
            "Renew only with the carrier that is printed on your SIM. After moving your number to "
            "another carrier, remove the SIM here and add it again."
        ),
    ),
    (
        "money",
        N_("I paid, but nothing happened"),
        N_(
            "Open Orders: every payment is listed with what became of it. A top-up that fails is "
            "paid back by itself. Send /paysupport if anything looks wrong."
        ),
    ),
)


def faq(t: Words, chosen: str | None) -> Screen:
    """The questions, or one answer."""
    for key, question, answer in QUESTIONS:
        if key == chosen:
            return Screen(
                lines(t("<b>{question}</b>", question=t(question)), "", t(answer)),
                [
                    [
                        button(t.plain("‹ Questions"), "help"),
                        button(t.plain("💬 Support"), "support"),
                    ]
                ],
            )
    text = lines(
        t("<b>Help</b>"),
        t("I show what is left on each SIM, renew it, check the top-up on the SIM itself, and "
          "write before it expires."),
        t("/sims shows your SIMs, /renew renews one, /cancel stops what you are doing."),
        "",
        t("People often ask:"),
    )  # fmt: skip
    rows = [[button(t.plain("Will my phone do eSIM?"), "esim")]]
    rows += [[button(t.plain(question), "help", key)] for key, question, _ in QUESTIONS]
    return Screen(text, [*rows, [button(t.plain("‹ Menu"), "menu")]])


def seller(t: Words, merchant: Merchant) -> list[Html | None]:
    """Who sells and how to reach them, a line each."""
    return [
        t("Seller: {name}", name=merchant.legal_name or merchant.name),
        t("Contact: {contact}", contact=merchant.contact) if merchant.contact else None,
        t("Phone: {phone}", phone=merchant.hotline) if merchant.hotline else None,
    ]


def terms(t: Words, merchant: Merchant) -> Screen:
    """Terms of sale, in plain words."""
    text = lines(
        t("<b>Terms of sale</b>"),
        *seller(t, merchant),
        "",
        t("• The price you see before paying is all you pay: the fee of your way to pay and the "
          "exchange rate are in it and named. It stands for 15 minutes."),
        t("• After payment the SIM is topped up. You get a receipt; where the SIM can be read, it "
          "shows the values before and after."),
        t("• A top-up that definitely failed is paid back in full, to where you paid from."),
        t("• A top-up that has arrived can't be taken back. If it is of no use to you, ask for a "
          "refund below its receipt: our shop decides and answers you."),
        t("• Coverage and speed are the carrier's. Please check your number before you pay."),
    )  # fmt: skip
    return Screen(
        text, [[button(t.plain("Privacy"), "privacy"), button(t.plain("‹ Menu"), "menu")]]
    )


def paysupport(t: Words, merchant: Merchant, latest: Sequence[Order], now: datetime) -> Screen:
    """Help with payments; the newest orders are one tap away."""
    text = lines(
        t("<b>Help with a payment</b>"),
        t("Open the order below: it says what became of your money. If a top-up fails, the money "
          "goes back by itself. Of any other order you can ask for your money back there.")
        if latest
        else t("You have no orders yet. If a top-up fails, the money goes back by itself."),
        t("Anything else: tap Support and write to us with the order number. Telegram itself "
          "can't help with purchases made here."),
        *seller(t, merchant)[1:],
    )  # fmt: skip
    rows = [
        [button(f"{one.number} · {t.date(one.created_at, now=now)} · {t.plain(STATES[one.state])}",
                "order", one.id)]
        for one in latest
    ]  # fmt: skip
    return Screen(
        text,
        [
            *rows,
            [button(t.plain("🧾 Orders"), "orders", 0), button(t.plain("💬 Support"), "support")],
            [button(t.plain("‹ Menu"), "menu")],
        ],
    )


def support(t: Words, merchant: Merchant) -> Screen:
    """How to reach the shop: by writing right here."""
    text = lines(
        t("<b>Support</b>"),
        t("Write your question in one message and I pass it on to our shop. The answer comes "
          "into this chat."),
        *seller(t, merchant)[1:],
        t("Our shops:") if merchant.shops else None,
        *(t("• {name}", name=shop) for shop in merchant.shops),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("❓ Help"), "help"), button(t.plain("‹ Menu"), "menu")]])


def letter_or_sim(t: Words, written: str, token: int) -> Screen:
    """A SIM's number, and nothing else, where a letter was asked for."""
    text = lines(
        t("<code>{value}</code>", value=written),
        t("Is that for our shop, or shall I add this SIM to your list?"),
    )
    rows = [
        [button(t.plain("Send it to our shop"), "letter", token)],
        [button(t.plain("Add this SIM"), "lettersim", token)],
        [button(t.plain("‹ Menu"), "menu")],
    ]
    return Screen(text, rows)


def only_words_and_pictures(t: Words) -> Screen:
    """A recording or a video, where a letter was asked for."""
    text = t("I can pass on text and pictures only. Please write it, or send a photo.")
    return Screen(text, [[button(t.plain("‹ Menu"), "menu")]])


def picture_passed_on(t: Words) -> Screen:
    """A picture is on its way; more may follow."""
    text = t("Your picture is passed on. You can send more, or write something to it.")
    return Screen(text, [[button(t.plain("‹ Menu"), "menu")]])


def passed_on(t: Words) -> Screen:
    """A question is on its way to the shop."""
    return Screen(
        t("Your message is with our shop. The answer comes into this chat."),
        [[button(t.plain("Write more"), "support"), button(t.plain("‹ Menu"), "menu")]],
    )
