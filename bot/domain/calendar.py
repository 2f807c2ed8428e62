"""A person's dates as an iCalendar file (RFC 5545): whole days, in their own zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from bot.domain.sims import Sim
from bot.domain.zones import local_date, zone

_LINE = 75
"""Octets after which a line has to be folded."""
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
_REFRESH = "PT12H"
"""How often a program that subscribes should look again."""


class DateKind(StrEnum):
    """What happens on a date; part of the event's name, so that a moved date moves its event."""

    EXPIRY = "expiry"
    GRACE = "grace"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Event:
    """One whole day. The `uid` is the same whenever the file is made."""

    uid: str
    day: date
    summary: str
    description: str


def dates_of(sim: Sim, zone_name: str) -> list[tuple[DateKind, date]]:
    """The days of a SIM that matter, as its owner's zone counts them: the end of its validity, the
    last one on which the number can be saved, the one by which it has to be used."""
    tz = zone(zone_name)
    found = []
    if sim.expiry is not None:
        found.append((DateKind.EXPIRY, local_date(sim.expiry, tz)))
    if sim.keep_deadline is not None:
        found.append((DateKind.KEEP, local_date(sim.keep_deadline, tz)))
    if sim.end is not None and sim.grace_end is not None and sim.grace_end > sim.end:
        found.append((DateKind.GRACE, local_date(sim.grace_end, tz)))
    return found


def uid(sim: Sim, kind: DateKind) -> str:
    """The stable name of one of a SIM's events."""
    return f"{sim.id}-{kind}@xuka"


def ics(name: str, events: Iterable[Event], now: datetime) -> str:
    """The file, with the calendar's `name`. Lines end with CRLF and are folded by octets, never
    within a character."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Xuka//SIM dates//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{_REFRESH}",
        f"X-PUBLISHED-TTL:{_REFRESH}",
    ]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(event.uid)}",
            f"DTSTAMP:{stamp}",
            f"LAST-MODIFIED:{stamp}",
            f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{event.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_text(event.summary)}",
            f"DESCRIPTION:{_text(event.description)}",
            "TRANSP:TRANSPARENT",  # it keeps nobody busy
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _text(value: str) -> str:
    """A value of type TEXT; control characters, which no text may hold, are left out."""
    kept = "".join(c for c in value if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127))
    return kept.translate(_ESCAPED)


def _folded(line: str) -> str:
    parts, size = [""], 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LINE:
            parts.append("")
            size = 1  # the space that a line goes on with
        parts[-1] += character
        size += octets
    return "\r\n ".join(parts)
