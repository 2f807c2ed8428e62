"""Transfers in words: where to send the money, the proof, and what an operator decides."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.reasons import REASONS, because
from bot.domain.money import Money
from bot.domain.sales import Payment
from bot.domain.transfers import Proof, Same
from bot.i18n import N_, Html, Words
from bot.services.transfers import Account, Checked, Transfer
from bot.services.waiting import QueueItem

DECLINED = ("no_money_arrived", "unreadable", "used_before")
"""Reasons to decline, as in `reasons`."""
_SAME = {
    Same.PICTURE: N_("⚠️ The same picture was sent for {number}."),
    Same.LOOKS: N_("⚠️ A picture that looks the same was sent for {number}."),
    Same.NUMBER: N_("⚠️ The same transaction number was sent for {number}."),
}


def number_of(payment_id: str) -> str:
    """The number of the order or top-up that a payment is for."""
    return f"XK-{payment_id.rpartition('-')[0].upper()}"


def label(t: Words, account: Account) -> str:
    """An account's name in the reader's language."""
    names = account.label
    chinese = names.get(t.language) or names.get("zh")
    return names["en"] if t.language == "en" else chinese or names["en"]


def instructions(t: Words, one: Transfer, accounts: Sequence[Account], now: datetime) -> Screen:
    """Where to send how much, under which reference, until when."""
    payment = one.payment
    amount = payment.amount
    parts: list[str | None] = [
        t("<b>Transfer {amount}</b>", amount=t.money(amount)),
        t("For {number}", number=number_of(payment.id)),
        "",
        t("Amount: <code>{amount}</code> {currency}", amount=f"{amount.major}",
          currency=amount.currency),
        t("A little less than the price, so that we know it is yours. Please send exactly this.")
        if one.lowered else None,
        t("Reference, for the note of the transfer: <code>{ref}</code>",
          ref=payment.provider_ref or ""),
        t("Until: {when}", when=t.moment(one.until, now=now)),
        t("The price stays as it is until then."),
    ]  # fmt: skip
    for account in accounts:
        parts += ["", t("<b>{name}</b>", name=label(t, account))]
        parts.append(t("{text}", text=account.details) if account.details else None)
    parts += ["", t("When it is sent, tap the button below and send us a photo of the proof.")]
    rows = [[button(t.plain("I have sent it"), "proof", payment.id)]]
    rows += [
        [button(t.plain("QR code: {name}", name=label(t, account)), "tqr", payment.id, place)]
        for place, account in enumerate(accounts)
        if account.qr is not None
    ]
    return Screen(lines(*parts), [*rows, *_back(t, one)])


def _back(t: Words, one: Transfer) -> list[list[Button]]:
    if one.order is not None:
        return [[button(t.plain("‹ Order"), "order", one.order.id)]]
    return [[button(t.plain("‹ Back"), "deposit", one.deposit.id)]] if one.deposit else []


def qr_caption(t: Words, account: Account, payment: Payment) -> Html:
    """Below the picture of an account's code."""
    return t(
        "{name}: scan, send {amount}, and write <code>{ref}</code> into the note.",
        name=label(t, account), amount=t.money(payment.amount), ref=payment.provider_ref or "",
    )  # fmt: skip


def no_picture(t: Words) -> str:
    """The code's picture is not to be had."""
    return t.plain("This picture can't be shown right now. Please use the details above.")


def ask_proof(t: Words, payment_id: str) -> Screen:
    """Ask for the photo."""
    text = lines(
        t("<b>Proof for {number}</b>", number=number_of(payment_id)),
        t("Send me a photo or screenshot of the confirmed transfer. It should show the amount, "
          "the time and the receiver."),
        t("You may also write its transaction number; that makes the check faster."),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Menu"), "menu")]])


def no_proof(t: Words) -> Screen:
    """What was sent is no picture, or can't be read."""
    text = t("I can't use this as a proof. Please send a photo or a screenshot, as a picture or "
             "a file of at most 10 MB.")  # fmt: skip
    return Screen(text, [[button(t.plain("💬 Support"), "support")]])


def not_a_number(t: Words) -> Screen:
    """What was written is no transaction number."""
    return Screen(because(t, "not_a_number"), [[button(t.plain("‹ Menu"), "menu")]])


def number_noted(t: Words) -> Screen:
    """A number came before the picture."""
    return Screen(t("Thank you, I have noted the number. Now please send the photo."))


def handed_in(t: Words, checked: Checked) -> Screen:
    """The proof is with the shop."""
    exact = [same for same, _ in checked.alike if same is not Same.LOOKS]
    again = None
    if exact:
        again = t("This picture or number came for another payment before. If that was a mistake, "
                  "please send the right one now; our shop looks at both.")  # fmt: skip
    wanted = None
    if checked.proof.number is None:
        wanted = t("If you have the transaction number, write it now; it makes the check faster.")
    text = lines(
        t("✅ We have your proof for {number}.", number=number_of(checked.payment.id)),
        again,
        t("Our shop compares it with its account, mostly within a few hours, and writes to you "
          "here. You don't have to do anything more."),
        wanted,
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Menu"), "menu")]])


def declined(t: Words, proof: Proof, again: Button | None) -> Screen:
    """The shop has not found the money; what to do next."""
    text = lines(
        t("Our shop could not confirm your transfer for {number}.",
          number=number_of(proof.payment_id)),
        because(t, proof.reason),
        t("If you have sent the money, send a better photo: it is not lost. Or write to /support."),
    )  # fmt: skip
    rows = [[again]] if again is not None else []
    return Screen(text, [*rows, [button(t.plain("💬 Support"), "support")]])


# ---- the operator ------------------------------------------------------------------------


def facts(t: Words, one: QueueItem) -> list[str | None]:
    """What a proof is compared with."""
    payment, proof = one.payment, one.proof
    if payment is None or proof is None:
        return []
    found: list[str | None] = [
        t("For {number}", number=number_of(payment.id)),
        t("Expected: <b>{amount}</b>", amount=t.money(payment.amount)),
        t("Reference: <code>{ref}</code>", ref=payment.provider_ref or ""),
    ]
    if proof.number is not None:
        found.append(t("Transaction number: <code>{number}</code>", number=proof.number))
    return found + [t(_SAME[same], number=number_of(other.payment_id)) for same, other in one.alike]


def choices(t: Words, one: QueueItem) -> list[list[Button]]:
    """What an operator can do with a proof."""
    if one.proof is None or one.payment is None:
        return []
    proof_id, amount = one.proof.id, t.money(one.payment.amount)
    return [
        [button(t.plain("Show the picture"), "ppic", proof_id)],
        [button(t.plain("{amount} arrived", amount=amount), "pyes", proof_id)],
        [button(t.plain("Another amount arrived"), "pother", proof_id)],
        [button(t.plain("Decline"), "pno", proof_id)],
    ]


def ask_confirm(t: Words, checked: Checked, received: Money) -> Screen:
    """Asked once more before money counts as received."""
    text = lines(
        t("Has {amount} arrived on your account for {number}?", amount=t.money(received),
          number=number_of(checked.payment.id)),
        None if received == checked.payment.amount else
        t("Expected was {amount}; the order then waits for your decision.",
          amount=t.money(checked.payment.amount)),
    )  # fmt: skip
    return Screen(
        text,
        [
            [button(t.plain("Yes, it is there"), "pyes!", checked.proof.id)],
            [button(t.plain("‹ Back"), "qitem", f"proof:{checked.proof.id}")],
        ],
    )


def ask_received(t: Words, checked: Checked, *, wrong: bool = False) -> Screen:
    """Ask which amount arrived."""
    amount = checked.payment.amount
    text = lines(
        t("That is no amount.") if wrong else None,
        t("Which amount has arrived, in {currency}? Write it, for example <code>{example}</code>.",
          currency=amount.currency, example=f"{amount.major}"),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Back"), "qitem", f"proof:{checked.proof.id}")]])


def ask_why(t: Words, proof_id: str) -> Screen:
    """Why a proof is declined; the customer reads the same sentence."""
    rows = [[button(t.plain(REASONS[reason]), "pno", reason, proof_id)] for reason in DECLINED]
    text = t("Why is it declined? The customer reads this and may send another photo.")
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "qitem", f"proof:{proof_id}")]])
