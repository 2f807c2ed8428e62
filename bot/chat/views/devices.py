"""Phones in words: will it do eSIM, and which one a SIM sits in."""

from collections.abc import Sequence

from bot.chat.screen import Screen, button, lines
from bot.chat.views.sims import title
from bot.domain.devices import Answer, Remark, Verdict
from bot.domain.sims import Sim, mask
from bot.i18n import N_, Html, Words

_REMARKS = {
    Remark.MADE_FOR_CHINA: N_(
        "Not those made for mainland China, and not most of those made for Hong Kong and Macao: "
        "they take two cards instead."
    ),
    Remark.MAINLAND_TOO: N_(
        "Also those made for mainland China; there the eSIM of a Chinese carrier is set up in its "
        "shop, in person."
    ),
    Remark.MAINLAND: N_("Made for mainland China, it takes two cards and has no eSIM."),
    Remark.HONG_KONG: N_(
        "Of the iPhones made for Hong Kong and Macao only some have it: Apple names XS, SE (2nd "
        "generation), 12 mini and 13 mini; others take two cards."
    ),
    Remark.WHICH_SE: N_("The first iPhone SE (2016) has none; those from 2020 and 2022 have."),
    Remark.CELLULAR: N_("Only the models with a mobile network, not those with Wi-Fi alone."),
    Remark.PIXEL3: N_("With exceptions by country and by the carrier that sold it."),
    Remark.FI_ONLY: N_("Its eSIM works with Google Fi only."),
    Remark.BY_COUNTRY: N_("It depends on the country it was made for: some versions have none."),
    Remark.ABROAD_ONLY: N_("Not those made for mainland China."),
}
_MOST_SIMS = 10
"""SIMs to choose from at once; the others are under My SIMs › More › Phone."""


def ask_model(t: Words) -> Screen:
    """Which phone?"""
    text = lines(
        t("<b>Will my phone do eSIM?</b>"),
        t("Write its model, for example: iPhone 13, Galaxy S23, Pixel 7a."),
        "",
        *_sure(t),
    )
    return Screen(text, [[button(t.plain("‹ Help"), "help"), button(t.plain("Add a SIM"), "add")]])


def _sure(t: Words) -> list[Html]:
    return [
        t("The sure way: dial <code>*#06#</code>. If an EID is shown, the phone has eSIM. It must "
          "also be unlocked, that is, not tied to one carrier.")
    ]  # fmt: skip


def verdict(t: Words, asked: str, found: Verdict) -> Screen:
    """Yes, no, or not known; with the reason."""
    if found.answer is Answer.YES:
        head = t("✅ <b>{model}</b> supports eSIM.", model=asked)
    elif found.answer is Answer.NO:
        head = t("❌ <b>{model}</b> doesn't support eSIM.", model=asked)
    elif found.model is not None:
        head = t("❔ It depends: <b>{model}</b>.", model=asked)
    else:
        head = t("❔ I don't know <b>{model}</b>. That does not mean no.", model=asked)
    known = (
        t("What I know: {model} ({source})", model=found.model, source=found.source or "")
        if found.model is not None
        else None
    )
    text = lines(
        head, t(_REMARKS[found.remark]) if found.remark else None, known, "", *_sure(t),
        "", t("You can write another model."),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Help"), "help"), button(t.plain("Add a SIM"), "add")]])


def ask_phone(t: Words, sim: Sim, problem: Html | None = None) -> Screen:
    """Which phone a SIM sits in."""
    text = lines(
        problem,
        "" if problem else None,
        t("Which phone is <b>{title}</b> in? Support may ask for it.", title=title(t, sim)),
        t("Phone: {model}", model=sim.device) if sim.device else None,
        t("IMEI: <code>{value}</code>", value=mask(sim.imei)) if sim.imei else None,
        t("Write its model, or its IMEI: the 15 digits shown when you dial <code>*#06#</code>."),
    )
    forget = [button(t.plain("Forget the phone"), "phonex", sim.id)]
    known = sim.device is not None or sim.imei is not None
    return Screen(text, [forget if known else [], [button(t.plain("‹ Back"), "more", sim.id)]])


def whose_imei(t: Words, imei: str, sims: Sequence[Sim]) -> Screen:
    """An IMEI was written where none was asked for; it can be kept with a SIM."""
    text = lines(
        t("<code>{value}</code> is the IMEI of a phone.", value=imei),
        t("Which SIM is in that phone? I keep the IMEI with it, for support.")
        if sims
        else t("Add the SIM that is in it first; then I can keep the IMEI with it."),
    )
    rows = [[button(title(t, sim), "imei", sim.id, imei)] for sim in sims[:_MOST_SIMS]]
    return Screen(text, [*rows, [button(t.plain("Add a SIM"), "add"),
                                 button(t.plain("‹ My SIMs"), "sims")]])  # fmt: skip


def imei_problem(t: Words) -> Html:
    """What was written is no IMEI."""
    return t("That is no IMEI: it has 15 digits, and the last one checks the others. Compare it "
             "digit by digit.")  # fmt: skip


def model_problem(t: Words, most: int) -> Html:
    """What was written is no model."""
    return t.n("Write the model in at most {n} character.",
               "Write the model in at most {n} characters.", most)  # fmt: skip
