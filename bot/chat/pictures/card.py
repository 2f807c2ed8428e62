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
from bot.chat.pictures.fonts import clean, fit, width, wrap


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
    detail: str = ""
    allowances: tuple[Allowance, ...] = ()
    timeline: Timeline | None = None
    warning: str = ""
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
    if facts.detail:
        sheet.lines(wrap(clean(facts.detail), 16, ROOM, 2), 16, MUTED)
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
        sheet.notice(clean(facts.warning), Tone.WARN)
    if facts.source or facts.reminder:
        sheet.rule()
    if facts.reminder:
        sheet.add(25, partial(_reminder, text=clean(facts.reminder)))
    if facts.source:
        sheet.lines([clean(facts.source)], 14, MUTED)
    return sheet.png()


def _head(canvas: Canvas, y: float, *, facts: CardFacts) -> None:
    left = pill(canvas, RIGHT, y + 1, clean(facts.state), facts.tone)
    title = fit(clean(facts.title), 24, left - LEFT - 14, bold=True)
    canvas.text((LEFT, y + 24), title, 24, INK, bold=True)


def _headline(canvas: Canvas, y: float, *, text: str, tone: Tone) -> None:
    canvas.text((LEFT, y + 37), fit(text, 34, ROOM, bold=True), 34, tone.strong, bold=True)


def _bar(canvas: Canvas, y: float, *, one: Allowance) -> None:
    share = min(1.0, max(0.0, one.share or 0.0))
    percent = f"{round(share * 100)}%"
    room = ROOM - width(percent, 16, bold=True) - 12
    canvas.text((LEFT, y + 16), fit(clean(one.label), 16, room), 16, INK)
    canvas.text((RIGHT, y + 16), percent, 16, one.tone.strong, bold=True, anchor="rs")
    canvas.rounded((LEFT, y + 26, RIGHT, y + 38), 6, TRACK)
    if share > 0:
        canvas.rounded((LEFT, y + 26, LEFT + max(12, ROOM * share), y + 38), 6, one.tone.strong)


def _rows(chips: list[str]) -> list[list[str]]:
    """Chips, as many beside each other as fit."""
    rows: list[list[str]] = []
    room = 0.0
    for chip in chips:
        need = min(ROOM, width(chip, 15) + 28) + 8
        if not rows or room < need:
            rows.append([])
            room = ROOM + 8
        rows[-1].append(chip)
        room -= need
    return rows


def _chips(canvas: Canvas, y: float, *, row: list[str]) -> None:
    x: float = LEFT
    for chip in row:
        text = fit(chip, 15, ROOM - 28)
        end = x + width(text, 15) + 28
        canvas.rounded((x, y, end, y + 34), 10, Tone.GOOD.soft)
        canvas.text((x + 14, y + 22.4), text, 15, INK)
        x = end + 8


_SHARES = {1: (1.0,), 2: (0.72, 0.28), 3: (0.5, 0.3, 0.2)}


def _timeline(canvas: Canvas, y: float, *, line: Timeline) -> None:
    """The track with today's knob on it, names and dates below."""
    gap, top = 3, y + 22
    widths = [share * ROOM for share in _SHARES[len(line.stretches)]]
    edges = [LEFT + sum(widths[:place]) for place in range(len(widths) + 1)]
    for place, one in enumerate(line.stretches):
        x0, x1 = edges[place], edges[place + 1] - (gap if place + 1 < len(widths) else 0)
        past = place < line.at
        canvas.rounded((x0, top, x1, top + 10), 5, one.tone.soft if past else one.tone.strong)
        name = fit(clean(one.name), 14, x1 - x0 - 4, bold=True)
        canvas.text((x0, top + 29), name, 14, one.tone.strong, bold=True)
        if one.until:
            _until(canvas, (x1, top + 47), x1 - x0, clean(one.until))
    x0, x1 = edges[line.at], edges[line.at + 1]
    knob = min(max(x0 + (x1 - x0) * line.share, LEFT + 8), RIGHT - 8)
    if line.share > 0:
        passed = line.stretches[line.at].tone.soft
        canvas.rounded((x0, top, knob, top + 10), 5, passed)
    canvas.disc((knob, top + 5), 10, PANEL)
    canvas.disc((knob, top + 5), 7.5, INK)
    half = width(line.today, 13, bold=True) / 2
    middle = min(max(knob, LEFT + half), RIGHT - half)
    canvas.text((middle, top - 10), clean(line.today), 13, INK, bold=True, anchor="ms")


def _until(canvas: Canvas, at: Point, room: float, text: str) -> None:
    """The day a stretch ends, under its end."""
    canvas.text(at, fit(text, 14, room + 40), 14, MUTED, anchor="rs")


def _reminder(canvas: Canvas, y: float, *, text: str) -> None:
    canvas.smooth((LEFT, y, LEFT + 18, y + 20), INK, _bell)
    canvas.text((LEFT + 24, y + 16), fit(text, 15, ROOM - 24), 15, INK)


def _bell(draw: ImageDraw.ImageDraw, scale: int) -> None:
    """A small bell, 18 by 20, drawn because the fonts hold no emoji."""

    def box(*sides: float) -> tuple[float, ...]:
        return tuple(side * scale for side in sides)

    draw.pieslice(box(4, 3, 14, 13), 180, 360, fill=255)
    draw.rectangle(box(4, 8, 14, 13), fill=255)
    draw.rounded_rectangle(box(2, 12.4, 16, 14.4), scale, fill=255)
    draw.pieslice(box(7, 13, 11, 18), 0, 180, fill=255)
    draw.ellipse(box(8, 1.4, 10, 4), fill=255)
