"""Phones: will one do eSIM, and which one a SIM sits in.

Help, Add a SIM ─► Will my phone do eSIM? ─► MODEL ─► answer ─► MODEL …
a SIM › More ─► Phone ─► PHONE (a model or an IMEI) ─► More
an IMEI written anywhere ─► of which SIM's phone? ─► More
"""

import re
from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.my_sims import mine, not_yours
from bot.chat.conversations.routes import END, ID, on, written
from bot.chat.views import devices as views
from bot.chat.views.sims import more
from bot.domain.devices import check
from bot.domain.identify import imei_ok, plain
from bot.domain.sims import Sim
from bot.i18n import Html
from bot.services.ownership import SimRefused
from bot.services.sims import NICKNAME

_LONGEST = 60
_DIGITS = re.compile(r"[\d\s./-]{10,}")


class Devices(IntEnum):
    """What a written text means."""

    MODEL = 90
    PHONE = 91


async def ask_model(update: Update, context: Context) -> int:
    """Will my phone do eSIM?"""
    await context.show(views.ask_model(context.t))
    return Devices.MODEL


async def model_written(update: Update, context: Context) -> int:
    """A phone's model: the answer, and another one may follow."""
    model = " ".join(plain(context.text).split())[:_LONGEST]
    await context.show(views.verdict(context.t, model, check(model)))
    return Devices.MODEL


async def ask_phone(update: Update, context: Context) -> int:
    """Which phone a SIM sits in."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await _ask_phone(context, sim)


async def _ask_phone(context: Context, sim: Sim, problem: Html | None = None) -> int:
    await context.show(views.ask_phone(context.t, sim, problem))
    context.draft["phone"] = sim.id
    return Devices.PHONE


async def phone_written(update: Update, context: Context) -> int:
    """A model or an IMEI; the other one stays."""
    sim = await mine(context, str(context.draft.get("phone", "")))
    if sim is None:
        return END
    text = " ".join(plain(context.text).split())
    if _DIGITS.fullmatch(text):
        if not imei_ok(text):
            return await _ask_phone(context, sim, views.imei_problem(context.t))
        return await _store(context, sim, sim.device, _digits(text))
    if not any(character.isalpha() for character in text) or len(text) > NICKNAME:
        return await _ask_phone(context, sim, views.model_problem(context.t, NICKNAME))
    return await _store(context, sim, text, sim.imei)


async def offer_imei(context: Context, text: str) -> int:
    """An IMEI was written where a SIM's number was expected: which SIM is in that phone?"""
    sims = await context.shop.sims.overview(context.me.id)
    await context.show(views.whose_imei(context.t, _digits(text), sims))
    return END


async def imei(update: Update, context: Context) -> int:
    """The SIM that is in the phone with that IMEI; the phone's model stays."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await _store(context, sim, sim.device, context.arguments[1])


def _digits(text: str) -> str:
    return re.sub(r"\D", "", plain(text))


async def forget(update: Update, context: Context) -> int:
    """The phone is nobody's business any more."""
    sim = await mine(context, context.arguments[0])
    return END if sim is None else await _store(context, sim, None, None)


async def _store(context: Context, sim: Sim, device: str | None, imei: str | None) -> int:
    try:
        noted = await context.shop.sims.note_phone(sim, device=device, imei=imei)
    except SimRefused:
        await not_yours(context)
        return END
    context.draft.pop("phone", None)
    await context.show(more(context.t, noted))
    return END


ENTRY = [
    on("esim", ask_model),
    on("phone", ask_phone, ID),
    on("phonex", forget, ID),
    on("imei", imei, ID + r":\d{15}"),
]
STATES = {
    Devices.MODEL: [written(model_written)],
    Devices.PHONE: [written(phone_written, anything=True)],
}
