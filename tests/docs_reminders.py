"""docs/reminders.md: every reminder as it is read, in the three languages."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.carriers.rules import packs
from bot.chat.screen import Screen
from bot.chat.views import reminders as views
from bot.domain.chats import LANGUAGES
from bot.domain.rules import Rule, effective
from bot.domain.sims import Reading, Sim, SimForm, Source, Tracking
from bot.domain.stages import Stage
from bot.i18n import NAMES, Words, words

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
INTRODUCTION = """\
# What reminders say

Every reminder in every language, made from the code by `python -m tests.docs`; don't edit it by
hand. It is 20 November 2026, 09:00 in Shanghai. Buttons stand in brackets.

Calm a week before, precise on the day before. In the grace period: what works, what does not, and
on which date the number or the data is lost. Where a number has to be used to be kept: the cheapest
way, and how to do it without the bot.
"""


def _in(days: float) -> datetime:
    """That many days from now, at the end of a day in Shanghai."""
    return NOW + timedelta(days=days, hours=14, minutes=59)


CARD = Sim(
    id="s1", version=1, owner_id=1, tracking=Tracking.SELF, form=SimForm.CARD, carrier="Smart",
    supplier="manual", msisdn="+639171234567", country="PH",
)  # fmt: skip
ESIM = Sim(
    id="s2", version=1, owner_id=1, tracking=Tracking.MANAGED, form=SimForm.ESIM,
    carrier="boom eSIM", supplier="esim_access", iccid="8985200012345678901",
)  # fmt: skip


def _card(days: float, grace: float | None = 120, **changes: object) -> Sim:
    expiry = _in(days)
    end = None if grace is None else expiry + timedelta(days=grace)
    return _with(CARD, expiry=expiry, grace_end=end, **changes)


def _esim(days: float, grace: float | None, left: int | None = None) -> Sim:
    end = None if grace is None else _in(days + grace)
    reading = Reading(Source.SUPPLIER, NOW, NOW, expiry=_in(days), data_total=5 << 30,
                      data_used=(5 << 30) - (left or 0))  # fmt: skip
    known = reading if left is not None else None
    return _with(ESIM, expiry=_in(days), grace_end=end, reading=known)


def _kept(days: float, carrier: str) -> Sim:
    return _with(CARD, carrier=carrier, country="GB", msisdn="+447700900123", expiry=None,
                 grace_end=None, keep_deadline=_in(days))  # fmt: skip


def _with(sim: Sim, **changes: object) -> Sim:
    return replace(sim, **changes)  # type: ignore[arg-type]


def _rule(code: str) -> Rule | None:
    return effective("", packs()[code], None)


def _one(
    sim: Sim, code: str, *, also: str | None = None, rule: str | None = None, after: bool = True
) -> Callable[[Words], Screen]:
    second = Stage.parse(also) if also else None
    known = _rule(rule) if rule else None
    return lambda t: views.reminder(
        t, sim, Stage.parse(code), second, NOW, after_expiry=after, rule=known
    )


def _digest(t: Words) -> Screen:
    items = [
        (_card(-3, 4), Stage.parse("grace-1"), None),
        (_kept(3, "giffgaff"), Stage.parse("keep-3"), None),
        (_esim(1, None, 300 << 20), Stage.parse("expiry-1"), Stage.parse("data-10")),
    ]
    return views.digest(t, items, NOW)


SCENES: tuple[tuple[str, Callable[[Words], Screen]], ...] = (
    ("7 days before expiry", _one(_card(7), "expiry-7", rule="smart")),
    ("3 days before expiry", _one(_card(3), "expiry-3", rule="smart")),
    ("1 day before expiry", _one(_card(1), "expiry-1", rule="smart")),
    ("On the day of expiry", _one(_card(0), "expiry-0", rule="smart")),
    ("1 day before: an eSIM that can't be topped up later",
     _one(_esim(1, None), "expiry-1", after=False)),
    ("1 day before: nothing is known of a grace period", _one(_card(1, None), "expiry-1")),
    ("Grace began: a number that can still receive",
     _one(_card(-1), "grace-started", rule="smart")),
    ("Grace began: a number that is paused, its balance lost",
     _one(_card(-1, 90, carrier="EE"), "grace-started", rule="ee_uk")),
    ("Grace began: no rule is known, nor how long it lasts",
     _one(_card(-1, None), "grace-started")),
    ("Grace began: a data eSIM", _one(_esim(-1, 30, 1 << 30), "grace-started")),
    ("Grace began: an eSIM that can't be topped up any more",
     _one(_esim(-1, None, 1 << 30), "grace-started", after=False)),
    ("3 days before grace ends", _one(_card(-7, 10), "grace-3", rule="smart")),
    ("1 day before grace ends", _one(_card(-9, 10), "grace-1", rule="smart")),
    ("1 day before grace ends: a data eSIM", _one(_esim(-9, 10, 1 << 30), "grace-1")),
    ("Lost: a number", _one(_card(-20, 10), "lost", rule="smart")),
    ("Lost: a data eSIM", _one(_esim(-20, 10), "lost")),
    ("30 days before a keep-number deadline",
     _one(_kept(30, "giffgaff"), "keep-30", rule="giffgaff")),
    ("7 days before", _one(_kept(7, "giffgaff"), "keep-7", rule="giffgaff")),
    ("3 days before", _one(_kept(3, "giffgaff"), "keep-3", rule="giffgaff")),
    ("1 day before", _one(_kept(1, "EE"), "keep-1", rule="ee_uk")),
    ("A keep-number deadline has passed",
     _one(_kept(-1, "giffgaff"), "grace-started", rule="giffgaff")),
    ("Less than 20 % of the data", _one(_esim(12, None, 900 << 20), "data-20")),
    ("Less than 10 % of the data", _one(_esim(12, None, 400 << 20), "data-10")),
    ("Data used up", _one(_esim(12, None, 0), "used-up")),
    ("Two things at once", _one(_esim(3, None, 400 << 20), "expiry-3", also="data-10")),
    ("Several SIMs in one message", _digest),
)  # fmt: skip


def _shown(screen: Screen) -> str:
    text = re.sub(r"<(/?)b>", "**", screen.text)
    text = re.sub(r"</?code>", "`", text)
    rows = [" ".join(f"[{one.label}]" for one in row) for row in screen.rows]
    return "\n".join(f"> {line}  " for line in [*text.split("\n"), "", *rows])


def page() -> str:
    """The whole of docs/reminders.md."""
    parts = [INTRODUCTION]
    for heading, scene in SCENES:
        parts.append(f"## {heading}\n")
        for language in LANGUAGES:
            parts.append(f"{NAMES[language]}\n\n{_shown(scene(words(language, ZONE)))}\n")
    return "\n".join(parts)
