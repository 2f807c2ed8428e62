"""Adding a SIM in words: what to send, whose it is, which carrier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import phonenumbers

from bot.chat.screen import Screen, button, grid, lines
from bot.chat.views.carriers import carrier_name
from bot.domain.identify import Identified, Kind, Reason, Why
from bot.i18n import N_, Html, Words

KINDS = {
    Kind.ICCID: N_("ICCID"),
    Kind.NUMBER: N_("Number"),
    Kind.ACTIVATION: N_("eSIM code"),
}
PROBLEMS = {
    Reason.EMPTY: N_("I can't find anything to read in that."),
    Reason.BAD_CHARACTERS: N_("It has characters that a SIM number can't have."),
    Reason.TOO_SHORT: N_("That is too short: some digits are missing."),
    Reason.TOO_LONG: N_("That is too long: it has too many digits."),
    Reason.NOT_89: N_("An ICCID begins with 89, and for a phone number this is too long."),
    Reason.NEEDS_COUNTRY: N_("Which country is this number from?"),
    Reason.UNKNOWN_COUNTRY: N_("I don't know that country code."),
    Reason.NOT_A_NUMBER: N_("That isn't an ICCID, a phone number or an eSIM code."),
    Reason.ACTIVATION_MALFORMED: N_("This eSIM code is not complete. Copy all of it."),
    Reason.IMEI: N_("That is the IMEI of a phone, not a SIM's number."),
}
WHYS = {
    Why.SUPPLIER: N_("our supplier says so"),
    Why.ICCID_ISSUER: N_("its ICCIDs start like this"),
    Why.ICCID_NETWORK: N_("uses the network this ICCID is from"),
    Why.NUMBER_RANGE: N_("this number is in its range"),
    Why.ICCID_COUNTRY: N_("the ICCID is from its country"),
    Why.NUMBER_COUNTRY: N_("the number is from its country"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A carrier offered, spelt as in the shop's plans where it is sold; `why` None when listed."""

    carrier: str
    country: str | None
    why: Why | None


def written(identified: Identified) -> str:
    """An identifier as people read it: in groups."""
    if identified.kind is Kind.NUMBER:
        return number(identified.value)
    if identified.kind is Kind.ICCID:
        return " ".join(identified.value[i : i + 4] for i in range(0, len(identified.value), 4))
    return identified.value


def number(e164: str) -> str:
    """A phone number in the groups of its country."""
    parsed = phonenumbers.parse(e164, None)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def flag(region: str | None) -> str:
    """The flag of an ISO 3166 code."""
    if not region or len(region) != 2 or not region.isalpha():
        return ""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in region.upper())


def country_name(t: Words, region: str | None) -> str:
    """A country in the reader's language; the code itself when it has no name."""
    return str(t.locale.territories.get(region or "", region or ""))


def ask_identifier(t: Words) -> Screen:
    """What to send, with an example of each."""
    text = lines(
        t("<b>Add a SIM</b>"),
        t("Send me one of these:"),
        "",
        t("• ICCID, printed on the card: <code>8986001234567890120</code>"),
        t("• phone number with country code: <code>+63 918 123 4567</code>"),
        t("• eSIM code: <code>LPA:1$rsp.example.com$K2-ABC</code>"),
        t("• photo of the bar code on its card, or of the eSIM's QR code"),
        t("• claim code that came with a SIM from our shop"),
    )
    phone = [button(t.plain("Will my phone do eSIM?"), "esim")]
    return Screen(text, [phone, [button(t.plain("‹ My SIMs"), "sims")]])


def not_identified(
    t: Words, reason: Reason, guesses: Sequence[tuple[str | None, str]] = ()
) -> Screen:
    """Why it was not understood, an example, and for a bare number the countries it fits.

    `guesses` are ISO 3166 codes with the number in E.164.
    """
    examples = {
        Reason.ACTIVATION_MALFORMED: t("Example: <code>LPA:1$rsp.example.com$K2-ABC</code>"),
        Reason.NEEDS_COUNTRY: t("Tap it, or write the number with + and its country code: "
                                "<code>+63 918 123 4567</code>")
        if guesses
        else t("Write it with + and the country code: <code>+63 918 123 4567</code>"),
        Reason.UNKNOWN_COUNTRY: t("Example: <code>+63 918 123 4567</code>"),
        Reason.NOT_89: t("Example: <code>8986001234567890120</code>"),
    }  # fmt: skip
    example = examples.get(
        reason,
        t("An ICCID has 18 to 22 characters: <code>8986001234567890120</code>\n"
          "A number has its country code: <code>+63 918 123 4567</code>"),
    )  # fmt: skip
    rows = [[button(f"{flag(region)} {number(e164)}", "addn", e164)] for region, e164 in guesses]
    return Screen(
        lines(t(PROBLEMS[reason]), example), [*rows, [button(t.plain("‹ My SIMs"), "sims")]]
    )


def doubtful(t: Words, identified: Identified, token: int) -> Screen:
    """A check digit that does not fit, or a number outside the ranges in use: ask once."""
    if identified.kind is Kind.NUMBER:
        why = t("I know no number range it fits into. A digit may be wrong.")
    elif identified.value.isdigit():
        why = t("Its check digit is missing or does not fit. Some cards are printed so; "
                "otherwise a digit is wrong.")  # fmt: skip
    else:
        why = t("It has letters, as some cards do, so I can't check its digits.")
    text = lines(t("Is this correct?"), t("<code>{value}</code>", value=written(identified)), why)
    rows = [
        [
            button(t.plain("Yes, it is correct"), "addyes", token),
            button(t.plain("No, write again"), "add"),
        ]
    ]
    return Screen(text, rows)


def ask_code(t: Words, identified: Identified, token: int, problem: str | None = None) -> Screen:
    """The SIM is the shop's: only who proves that it is theirs sees it."""
    text = lines(
        Html(problem) if problem else None,
        t("<code>{value}</code> is from our shop. Send me the claim code that came with it, "
          "so that nobody else sees your SIM.", value=written(identified))
        if not problem
        else t("Send the claim code that came with the SIM, for example "
               "<code>XUKS-7F3K-2M9P-Q4TD</code>."),
    )  # fmt: skip
    rows = [
        [button(t.plain("No code: ask our shop"), "addask", token)],
        [button(t.plain("Cancel"), "sims")],
    ]
    return Screen(text, rows)


def code_refused(t: Words, reason: str, until: datetime | None, now: datetime) -> Html:
    """Why a claim code was not taken; nothing about the SIM behind it."""
    if reason == "code_wrong":
        return t("This claim code is not right, or it was used before.")
    if reason == "locked" and until is not None:
        return t("Too many wrong codes. You can try again at {time}.",
                 time=t.moment(until, now=now))  # fmt: skip
    return t("This SIM can't be added with that code. Please write to /support.")


def code_only_refused(t: Words, why: Html) -> Screen:
    """A claim code sent by itself was refused."""
    return Screen(
        lines(
            why,
            t("Check the card that came with the SIM. A voucher is used when you /renew."),
        ),
        [[button(t.plain("Add a SIM"), "add"), button(t.plain("‹ My SIMs"), "sims")]],
    )


def shop_asked(t: Words, *, first: bool) -> Screen:
    """Our shop decides; the answer comes by itself."""
    text = (
        t("I have asked our shop. You get a message here as soon as they have decided.")
        if first
        else t("Our shop has your question already. You get a message here when they decide.")
    )
    return Screen(text, [[button(t.plain("‹ My SIMs"), "sims")]])


def ask_carrier(
    t: Words,
    identified: Identified,
    country: str | None,
    choices: Sequence[Choice],
    token: int,
    problem: str | None = None,
) -> Screen:
    """Which carrier; the reasons are shown, because numbers are ported and cards renamed."""
    shown = t("<code>{value}</code>", value=written(identified))
    place = Html(f"{flag(country)} {t('{name}', name=country_name(t, country))}")
    reasons = [
        t("• {carrier}: {why}", carrier=carrier_name(t, choice.carrier), why=t(WHYS[choice.why]))
        for choice in choices
        if choice.why is not None
    ]
    text = lines(
        Html(problem) if problem else None,
        "" if problem else None,
        shown,
        place if country else None,
        *reasons,
        "",
        t("Which carrier is it? Tap it, or write its name.")
        if choices
        else t("Which carrier is it? Write its name, for example Smart."),
    )
    rows = grid(
        [
            button(carrier_name(t, choice.carrier), "addc", token, place)
            for place, choice in enumerate(choices)
        ],
        2,
    )
    return Screen(text, [*rows, [button(t.plain("Cancel"), "sims")]])


def carrier_problem(t: Words, most: int) -> Html:
    """A name that can't be one."""
    return t.n(
        "Write only the carrier's name, in at most {n} character. It stands at the top of your "
        "phone's screen or on the card.",
        "Write only the carrier's name, in at most {n} characters. It stands at the top of your "
        "phone's screen or on the card.",
        most,
    )


def already_yours(t: Words) -> Html:
    """Said above the card."""
    return t("You have this SIM already. Here it is:")


def claimed(t: Words) -> Html:
    """Said above the card of a SIM proved by its code."""
    return t("✅ Added. From now on I read it from the supplier and remind you in time.")


def added(t: Words, *, dated: bool) -> Html:
    """Said above the card of a self-tracked SIM."""
    if dated:
        return t("✅ Added.")
    return t("✅ Added. Tell me its date when you know it; then I can remind you.")
