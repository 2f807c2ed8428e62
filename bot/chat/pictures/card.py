"""The balance card as a picture (F4): what is left, until when, and what comes after."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from PIL import ImageDraw

from bot.chat.pictures.canvas import (
    INK,
    LEFT,
    MUTED,
    PANEL,
    RIGHT,
    ROOM,
    TRACK,
    Canvas,
    Point,
    Sheet,
    Tone,
    pill,
)
from bot.chat.pictures.fonts import HERO, SMALL, TEXT, TITLE, clean, fit, width, wrap


@dataclass(frozen=True, slots=True)
class Allowance:
    """Something that is left, in words. `share` (0.0 to 1.0) draws a bar; None when unknown."""

    label: str
    share: float | None = None
    tone: Tone = Tone.GOOD


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the line's life: its name, its colour and, in words, the day it ends."""

    name: str
    tone: Tone
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Validity → grace → lost, each as wide as it needs, not to scale.

    `today` is the marker's word; it stands in the stretch number `at`, after `share` (0.0 to
    1.0) of it.
    """

    stretches: tuple[Stretch, ...]
    today: str
    at: int
    share: float


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything on the card, in finished words. Empty texts are left out."""

    title: str
    state: str
    tone: Tone
    headline: str = ""
    detail: tuple[str, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    timeline: Timeline | None = None
    warning: str = ""
    warning_tone: Tone = Tone.WARN
    source: str = ""
    reminder: str = ""


def progress(start: datetime, end: datetime, now: datetime) -> float:
    """How much of a stretch has gone by, 0.0 to 1.0."""
    whole = end - start
    return min(1.0, max(0.0, (now - start) / whole)) if whole > timedelta(0) else 1.0


def balance_card(facts: CardFacts) -> bytes:
    """The card as a PNG, 1040 pixels wide. Emoji and scripts the fonts lack are left out."""
    sheet = Sheet()
    sheet.add(38, partial(_head, facts=facts))
    if facts.headline:
        sheet.add(48, partial(_headline, text=clean(facts.headline), tone=facts.tone))
    for line in facts.detail:
        sheet.lines(wrap(clean(line), TEXT, ROOM, 2), TEXT, MUTED)
    for one in facts.allowances:
        if one.share is not None:
            sheet.gap(14)
            sheet.add(40, partial(_bar, one=one))
    chips = [clean(one.label) for one in facts.allowances if one.share is None]
    if chips:
        sheet.gap(14)
    for row in _rows(chips):
        sheet.add(42, partial(_chips, row=row))
    if facts.timeline is not None:
        sheet.gap(18)
        sheet.add(78, partial(_timeline, line=facts.timeline))
    if facts.warning:
        sheet.gap(10)
        sheet.notice(clean(facts.warning), facts.warning_tone)
    if facts.source or facts.reminder:
        sheet.rule()
    if facts.reminder:
        sheet.add(25, partial(_reminder, text=clean(facts.reminder)))
    if facts.source:
        sheet.lines([clean(facts.source)], SMALL, MUTED)
    return sheet.png()


def _head(canvas: Canvas, y: float, *, facts: CardFacts) -> None:
    left = pill(canvas, RIGHT, y + 1, clean(facts.state), facts.tone)
    title = fit(clean(facts.title), TITLE, left - LEFT - 14, bold=True)
    canvas.text((LEFT, y + 24), title, TITLE, INK, bold=True)


def _headline(canvas: Canvas, y: float, *, text: str, tone: Tone) -> None:
    canvas.text((LEFT, y + 37), fit(text, HERO, ROOM, bold=True), HERO, tone.strong, bold=True)


def _bar(canvas: Canvas, y: float, *, one: Allowance) -> None:
    share = min(1.0, max(0.0, one.share or 0.0))
    percent = f"{round(share * 100)}%"
    room = ROOM - width(percent, TEXT, bold=True) - 12
    canvas.text((LEFT, y + 16), fit(clean(one.label), TEXT, room), TEXT, INK)
    canvas.text((RIGHT, y + 16), percent, TEXT, one.tone.strong, bold=True, anchor="rs")
    canvas.rounded((LEFT, y + 26, RIGHT, y + 38), 6, TRACK)
    if share > 0:
        canvas.rounded((LEFT, y + 26, LEFT + max(12, ROOM * share), y + 38), 6, one.tone.strong)


def _rows(chips: list[str]) -> list[list[str]]:
    """Chips, as many beside each other as fit."""
    rows: list[list[str]] = []
    room = 0.0
    for chip in chips:
        need = min(ROOM, width(chip, TEXT) + 28) + 8
        if not rows or room < need:
            rows.append([])
            room = ROOM + 8
        rows[-1].append(chip)
        room -= need
    return rows


def _chips(canvas: Canvas, y: float, *, row: list[str]) -> None:
    x: float = LEFT
    for chip in row:
        text = fit(chip, TEXT, ROOM - 28)
        end = x + width(text, TEXT) + 28
        canvas.rounded((x, y, end, y + 34), 10, Tone.GOOD.soft)
        canvas.text((x + 14, y + 23), text, TEXT, INK)
        x = end + 8


_SHARES = {1: (1.0,), 2: (0.72, 0.28), 3: (0.44, 0.31, 0.25)}


def _timeline(canvas: Canvas, y: float, *, line: Timeline) -> None:
    """The track with today's knob on it, names and dates below."""
    gap, top = 3, y + 22
    widths = [share * ROOM for share in _SHARES[len(line.stretches)]]
    knob: float = LEFT
    x0: float = LEFT
    for place, one in enumerate(line.stretches):
        x1 = x0 + widths[place] - (gap if place + 1 < len(widths) else 0)
        if place == line.at:
            knob = min(max(x0 + (x1 - x0) * line.share, LEFT + 8), RIGHT - 8)
        gone = x1 if place < line.at else x0 if place > line.at else knob
        canvas.rounded((x0, top, x1, top + 10), 5, one.tone.soft)
        canvas.rounded((gone, top, x1, top + 10), 5, one.tone.strong)
        name = fit(clean(one.name), SMALL, x1 - x0 - 4, bold=True)
        canvas.text((x0, top + 29), name, SMALL, one.tone.strong, bold=True)
        if one.until:
            _until(canvas, (x1, top + 47), x1 - x0, clean(one.until))
        x0 += widths[place]
    canvas.disc((knob, top + 5), 10, PANEL)
    canvas.disc((knob, top + 5), 7.5, INK)
    half = width(line.today, SMALL, bold=True) / 2
    middle = min(max(knob, LEFT + half), RIGHT - half)
    canvas.text((middle, top - 10), clean(line.today), SMALL, INK, bold=True, anchor="ms")


def _until(canvas: Canvas, at: Point, room: float, text: str) -> None:
    """The day a stretch ends, under its end."""
    canvas.text(at, fit(text, SMALL, room + 40), SMALL, MUTED, anchor="rs")


def _reminder(canvas: Canvas, y: float, *, text: str) -> None:
    canvas.smooth((LEFT, y, LEFT + 18, y + 20), INK, _bell)
    canvas.text((LEFT + 24, y + 16), fit(text, TEXT, ROOM - 24), TEXT, INK)


def _bell(draw: ImageDraw.ImageDraw, scale: int) -> None:
    """A small bell, 18 by 20, drawn because the fonts hold no emoji."""

    def box(*sides: float) -> tuple[float, ...]:
        return tuple(side * scale for side in sides)

    draw.pieslice(box(4, 3, 14, 13), 180, 360, fill=255)
    draw.rectangle(box(4, 8, 14, 13), fill=255)
    draw.rounded_rectangle(box(2, 12.4, 16, 14.4), scale, fill=255)
    draw.pieslice(box(7, 13, 11, 18), 0, 180, fill=255)
    draw.ellipse(box(8, 1.4, 10, 4), fill=255)
