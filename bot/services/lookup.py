"""Which carrier an identifier may be of (F2): our suppliers' word first, then what is on hand.

Numbers are ported and suppliers go by ranges, so all of it is offered, never taken for granted.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from bot.domain.carrier_names import our_name
from bot.domain.identify import Candidate, Identified, Kind, Why, carrier_of_number, issuer
from bot.ports import Carrier, Resolved, SupplierUnavailable

log = structlog.get_logger()

PATIENCE = 3.0
"""Seconds that the suppliers have for their word; somebody waits in the chat."""


async def candidates(
    carriers: Mapping[str, Carrier], identified: Identified, patience: float = PATIENCE
) -> tuple[Candidate, ...]:
    """Carriers by our own names, best first, each once with its best reason. With none of them at
    least the country, where that is known. A supplier that fails or is slow is left out."""
    match identified.kind:
        case Kind.ICCID:
            return issuer(identified.value)
        case Kind.NUMBER:
            told = await _told(carriers.values(), identified.value, patience)
            return _ranked([*told, *carrier_of_number(identified.value)])
    return ()


async def _told(carriers: Iterable[Carrier], number: str, patience: float) -> list[Candidate]:
    """What the airtime suppliers say of a number; the name most of them say comes first."""
    asked = [carrier for carrier in carriers if carrier.capabilities.numbers]
    answers = await asyncio.gather(*(_ask(carrier, number, patience) for carrier in asked))
    found = [
        Candidate(one.carrier, one.country, Why.SUPPLIER, "high" if one.carrier else "low")
        for one in answers
        if one is not None and (one.carrier or one.country)
    ]
    named = [_as_ours(one).carrier for one in found]
    return sorted(found, key=lambda one: -named.count(_as_ours(one).carrier))


async def _ask(carrier: Carrier, number: str, patience: float) -> Resolved | None:
    try:
        async with asyncio.timeout(patience):
            return await carrier.resolve(iccid=None, msisdn=number)
    except TimeoutError:
        reason = "timeout"
    except SupplierUnavailable as error:
        reason = error.reason
    log.info("lookup_failed", supplier=carrier.name, reason=reason)
    return None


def _ranked(found: list[Candidate]) -> tuple[Candidate, ...]:
    named: dict[str, Candidate] = {}
    for one in map(_as_ours, found):
        if one.carrier is not None:
            named.setdefault(one.carrier.casefold(), one)
    return tuple(named.values()) or tuple(found[:1])


def _as_ours(one: Candidate) -> Candidate:
    if one.carrier is None:
        return one
    return replace(one, carrier=our_name(one.carrier, one.country))
