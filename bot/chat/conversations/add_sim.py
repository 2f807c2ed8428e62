"""Adding a SIM: what it is, whose it is, which carrier, its dates.

    /add ─► IDENTIFIER ─┬► doubtful: is this right? ─┐
      (or typed anywhere)└──────────────────────────┤
        ┌─ mine already ─► card ◄────────────────────┤
        │  our shop's ─► CODE ─► card, or: ask our shop
        └─ unknown ─► CARRIER ─► its rule (keeping.py), or dates (dates.py) ─► card

A SIM of our shop answers the same whether it waits in stock or belongs to another customer.
"""

import re
from enum import IntEnum
from typing import Any

import phonenumbers
from telegram import Update
from telegram.ext import MessageHandler

from bot.chat.context import Context
from bot.chat.conversations import dates, devices, handover, keeping, reminder_settings
from bot.chat.conversations.my_sims import mine, show_card, show_new, show_overview
from bot.chat.conversations.routes import END, NUMBER, command, on, written
from bot.chat.views import add_sim as views
from bot.chat.views.carriers import carrier_meant, carrier_name
from bot.chat.views.reasons import REASONS
from bot.domain import identify as idents
from bot.domain.codes import normalise
from bot.domain.iccid_issuers import ISSUERS
from bot.domain.identify import Candidate, Identified, Kind, Problem, Reason, Why
from bot.i18n import Html
from bot.services.handover import is_handover_code
from bot.services.ownership import SimRefused
from bot.services.sims import MatchKind

MOST_CHOICES = 8
CARRIER_NAME = 30
_REGIONS = {
    "zh_Hans": ("CN", "HK", "US", "PH", "GB", "TW", "MO", "SG"),
    "zh_Hant": ("TW", "HK", "MO", "CN", "US", "PH", "GB", "SG"),
    "en": ("US", "GB", "PH", "CN", "HK", "TW", "SG", "AU"),
}
"""Countries that a number written without one may be from, by language."""
_CODE = re.compile(r"[0-9A-Z]{4}(?:[- ]?[0-9A-Z]{4}){2,4}")


class AddSim(IntEnum):
    """What a written text means."""

    IDENTIFIER = 40
    CODE = 41
    CARRIER = 42


# ---- what it is --------------------------------------------------------------------------


async def add(update: Update, context: Context) -> int:
    """Ask what to add; `/add 8986…` says it at once."""
    context.draft.pop("line", None)
    if context.query is None and context.args:
        return await begin(context, " ".join(context.args))
    await context.show(views.ask_identifier(context.t))
    return AddSim.IDENTIFIER


async def identifier_written(update: Update, context: Context) -> int:
    """An identifier, or a claim code, was written."""
    return await begin(context, context.text)


async def try_add(update: Update, context: Context) -> int | None:
    """Begin to add what was written outside every conversation; None when it names no SIM."""
    return await begin(context, context.text) if names_a_sim(context.text) else None


def names_a_sim(text: str) -> bool:
    """Whether a text was meant to be a SIM's number or code."""
    found = idents.identify(text)
    return names_one(text) or (isinstance(found, Problem) and _meant(text, found))


def names_one(text: str) -> bool:
    """Whether a text is a SIM's number or code, in full."""
    return isinstance(idents.identify(text), Identified) or _code(text) is not None


def _meant(text: str, problem: Problem) -> bool:
    """Whether a text that is no identifier was meant to be one."""
    digits = sum(character.isdigit() for character in text)
    match problem.reason:
        case Reason.ACTIVATION_MALFORMED | Reason.NOT_89 | Reason.IMEI:
            return True
        case Reason.NEEDS_COUNTRY | Reason.UNKNOWN_COUNTRY | Reason.TOO_SHORT | Reason.TOO_LONG:
            return digits >= 8
    return False


def _code(text: str) -> str | None:
    """A claim code as it was typed, or None: letters and digits, in groups of four."""
    shown = idents.plain(text).upper()
    mixed = any(c.isdigit() for c in shown) and any(c.isalpha() for c in shown)
    return text if mixed and _CODE.fullmatch(shown) and normalise(text) else None


async def begin(context: Context, text: str) -> int:
    """Begin to add what a text, or a photo's code, names."""
    found = idents.identify(text)
    if isinstance(found, Identified):
        return await _identified(context, found)
    if (code := _code(text)) is not None:
        return await _code_only(context, code)
    reason = found.reason
    if reason is Reason.IMEI:
        return await devices.offer_imei(context, text)
    guesses = _countries(context.t.language, text) if reason is Reason.NEEDS_COUNTRY else []
    if not guesses and reason is Reason.NEEDS_COUNTRY and idents.plain(text).startswith("89"):
        reason = Reason.TOO_SHORT  # the beginning of an ICCID
    await context.show(views.not_identified(context.t, reason, guesses))
    return AddSim.IDENTIFIER


def _countries(language: str, text: str) -> list[tuple[str | None, str]]:
    """The numbers in use that a number without its country may be."""
    found: dict[str, str | None] = {}
    for region in _REGIONS[language]:
        read = idents.identify(text, region)
        if isinstance(read, Identified) and not read.doubtful and _mobile(read.value):
            found.setdefault(read.value, region)
    bare = idents.identify(text)
    if isinstance(bare, Problem) and bare.suggestion is not None:
        candidates = idents.carrier_of_number(bare.suggestion)
        found.setdefault(bare.suggestion, candidates[0].country if candidates else None)
    return [(region, number) for number, region in found.items()][:5]


def _mobile(e164: str) -> bool:
    """Whether a number's range is one that SIMs have; America's are one with those of houses."""
    kind = phonenumbers.number_type(phonenumbers.parse(e164, None))
    return kind in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )


async def number_chosen(update: Update, context: Context) -> int:
    """The country of a number was tapped."""
    found = idents.identify(context.arguments[0])
    if isinstance(found, Problem):
        return await add(update, context)
    return await _identified(context, found)


async def _identified(context: Context, found: Identified) -> int:
    line: dict[str, Any] = {
        "token": context.update_id,
        "kind": found.kind.value,
        "value": found.value,
        "doubtful": found.doubtful,
    }
    context.draft["line"] = line
    if found.doubtful:
        await context.show(views.doubtful(context.t, found, context.update_id))
        return AddSim.IDENTIFIER
    return await _match(context, line)


async def confirmed(update: Update, context: Context) -> int:
    """ "Yes, it is correct"."""
    line = await _line(context)
    return END if line is None else await _match(context, line)


async def _line(context: Context) -> dict[str, Any] | None:
    """The draft a tapped button belongs to; otherwise the person is told, and sees their SIMs."""
    line: dict[str, Any] | None = context.draft.get("line")
    if line is None or "value" not in line or str(line["token"]) != context.arguments[0]:
        await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
        await show_overview(context)
        return None
    return line


# ---- whose it is -------------------------------------------------------------------------


async def _match(context: Context, line: dict[str, Any]) -> int:
    found = _found(line)
    match = await context.shop.sims.match(found, context.me.id)
    if match.kind is MatchKind.MINE and match.sim_id is not None:
        context.draft.pop("line", None)
        sim = await mine(context, match.sim_id)
        if sim is not None:
            await show_card(context, sim, views.already_yours(context.t))
        return END
    if match.kind is MatchKind.CLAIM:
        line["claims"] = match.sim_id
        await context.show(views.ask_code(context.t, found, line["token"]))
        return AddSim.CODE
    return await _ask_carrier(context, line)


def _found(line: dict[str, Any]) -> Identified:
    return Identified(Kind(line["kind"]), line["value"], line["doubtful"])


async def code_written(update: Update, context: Context) -> int:
    """The claim code of the SIM at hand."""
    line = context.draft.get("line") or {}
    sim_id = line.get("claims")
    if sim_id is None:
        return await begin(context, context.text)
    if _code(context.text) is None:
        text = context.text
        if isinstance(idents.identify(text), Identified):
            return await begin(context, text)
        # No code looks like that, so it does not count as a wrong one.
        why = context.t("That doesn't look like a claim code.")
        await context.show(views.ask_code(context.t, _found(line), line["token"], why))
        return AddSim.CODE
    if is_handover_code(context.text):
        return await _code_only(context, context.text)
    try:
        sim = await context.shop.sims.claim(context.me.id, sim_id, context.text)
    except SimRefused as refused:
        why = views.code_refused(context.t, refused.reason, refused.until, context.now)
        await context.show(views.ask_code(context.t, _found(line), line["token"], why))
        return AddSim.CODE
    context.draft.pop("line", None)
    await show_new(context, sim, views.claimed(context.t))
    return END


async def _code_only(context: Context, code: str) -> int:
    """A claim code names its SIM by itself; so does one with which an owner hands theirs over."""
    if is_handover_code(code):
        context.draft.pop("line", None)
        return await handover.take(context, code)
    try:
        sim = await context.shop.sims.claim_by_code(context.me.id, code)
    except SimRefused as refused:
        why = views.code_refused(context.t, refused.reason, refused.until, context.now)
        await context.show(views.code_only_refused(context.t, why))
        return AddSim.IDENTIFIER
    context.draft.pop("line", None)
    await show_new(context, sim, views.claimed(context.t))
    return END


async def ask_shop(update: Update, context: Context) -> int:
    """Without a code an operator decides."""
    line = await _line(context)
    if line is None:
        return END
    if line.get("claims") is None:
        return await _match(context, line)
    try:
        first = await context.shop.sims.ask_operator(context.me.id, line["claims"])
    except SimRefused:
        # It left our stock meanwhile: look again, as if it had just been written.
        return await _match(context, line)
    context.draft.pop("line", None)
    await context.show(views.shop_asked(context.t, first=first))
    return END


# ---- which carrier -----------------------------------------------------------------------


async def _ask_carrier(context: Context, line: dict[str, Any], problem: Html | None = None) -> int:
    found = _found(line)
    candidates = await _candidates(context, line)
    country = next((c.country for c in candidates if c.country), None)
    # What the shop sells is no guess at whose an eSIM of an unknown server is.
    sold = await _sold(context) if candidates or found.kind is not Kind.ACTIVATION else []
    offered = choices(candidates, country, sold)
    line["choices"] = [[choice.carrier, choice.country or country] for choice in offered]
    line["country"] = country
    screen = views.ask_carrier(context.t, found, country, offered, line["token"], problem)
    await context.show(screen)
    return AddSim.CARRIER


async def _candidates(context: Context, line: dict[str, Any]) -> tuple[Candidate, ...]:
    """Asked for once: a name that was mistyped is no reason to ask the suppliers again."""
    if "candidates" not in line:
        known = await context.shop.sims.candidates(_found(line))
        line["candidates"] = [[c.carrier, c.country, c.why.value, c.confidence] for c in known]
    return tuple(
        Candidate(carrier, country, Why(why), confidence)
        for carrier, country, why, confidence in line["candidates"]
    )


async def _sold(context: Context) -> list[str]:
    """Carriers whose self-tracked lines the shop renews."""
    async with context.shop.store.read() as tx:
        plans = await tx.catalogue.all()
    return list(dict.fromkeys(plan.carrier for plan in plans if plan.supplier == "manual"))


def choices(
    candidates: tuple[Candidate, ...], country: str | None, sold: list[str]
) -> list[views.Choice]:
    """Carriers to offer, best first: the candidates; with none of them, or where only a supplier
    says so, those of the country too; with not even that, those the shop sells."""
    named = [
        views.Choice(_as_sold(c.carrier, c.country, sold), c.country, c.why)
        for c in candidates
        if c.carrier is not None
    ]
    if country is not None and all(choice.why is Why.SUPPLIER for choice in named):
        rows = [row for row in ISSUERS if row.country == country]
        rows.sort(key=lambda row: (row.carrier not in sold, row.role != "issuer"))
        named += [views.Choice(row.carrier, country, None) for row in rows]
    if not named:
        named = [views.Choice(carrier, None, None) for carrier in sold]
    unique = {choice.carrier: choice for choice in reversed(named)}
    return [choice for choice in named if unique.pop(choice.carrier, None)][:MOST_CHOICES]


def _as_sold(carrier: str, country: str | None, sold: list[str]) -> str:
    """A carrier as the shop's plans spell it: in any case, and with or without its country."""
    wanted = {carrier.casefold(), f"{carrier} {country}".casefold()}
    return next((name for name in sold if name.casefold() in wanted), carrier)


async def carrier_chosen(update: Update, context: Context) -> int:
    """A carrier was tapped."""
    line = await _line(context)
    if line is None:
        return END
    carrier, country = line["choices"][int(context.arguments[1])]
    return await _ask_dates(context, line, carrier, country)


async def carrier_written(update: Update, context: Context) -> int:
    """Another carrier's name."""
    line = context.draft.get("line")
    if line is None or "value" not in line:
        return await begin(context, context.text)
    if names_a_sim(context.text):
        return await begin(context, context.text)
    name = idents.carrier_written(context.text, CARRIER_NAME)
    if name is None:
        return await _ask_carrier(context, line, views.carrier_problem(context.t, CARRIER_NAME))
    known = [*await _sold(context), *(row.carrier for row in ISSUERS)]
    return await _ask_dates(
        context, line, _as_sold(carrier_meant(name), line["country"], known), line["country"]
    )


async def _ask_dates(
    context: Context, line: dict[str, Any], carrier: str, country: str | None
) -> int:
    await reminder_settings.guess_zone(context, country)
    line.update(
        carrier=carrier,
        country=country,
        name=f"{carrier_name(context.t, carrier)} ·{line['value'][-4:]}",
    )
    return await keeping.begin(context, line)


ENTRY = [
    command("add", add),
    on("add", add),
    on("addn", number_chosen, r":\+\d{6,15}"),
    on("addyes", confirmed, NUMBER),
    on("addask", ask_shop, NUMBER),
    on("addc", carrier_chosen, NUMBER + r":\d"),
    *dates.ENTRY,
]
STATES: dict[int, list[MessageHandler[Context, Any]]] = {
    AddSim.IDENTIFIER: [written(identifier_written, anything=True)],
    AddSim.CODE: [written(code_written, anything=True)],
    AddSim.CARRIER: [written(carrier_written, anything=True)],
    **dates.STATES,
}
