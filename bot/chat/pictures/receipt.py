"""The receipt as a picture (F17): the same lines as the text, laid out to be shown and kept."""

from dataclasses import dataclass
from functools import partial

from bot.chat.pictures.canvas import (
    ACCENT,
    INK,
    LEFT,
    MUTED,
    PANEL,
    RIGHT,
    ROOM,
    Canvas,
    Sheet,
    Tone,
)
from bot.chat.pictures.fonts import clean, fit, width, wrap


@dataclass(frozen=True, slots=True)
class Row:
    """One fact. Without a label the value has the line for itself."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """A receipt in finished words: what happened, what has changed, and the particulars."""

    heading: str
    subject: str
    changes: tuple[Row, ...]
    name: str
    rows: tuple[Row, ...]


def receipt_picture(facts: ReceiptFacts) -> bytes:
    """The receipt as a PNG, 1040 pixels wide."""
    sheet = Sheet()
    heading = wrap(clean(facts.heading), 22, ROOM - 44, 2, bold=True)
    sheet.add(max(36, len(heading) * 30), partial(_heading, found=heading))
    sheet.gap(4)
    sheet.lines(wrap(clean(facts.subject), 17, ROOM, 2), 17, MUTED)
    if facts.changes:
        sheet.gap(12)
        sheet.add(len(facts.changes) * 62 + 12, partial(_changes, rows=facts.changes))
    sheet.rule()
    if facts.name:
        sheet.lines([clean(facts.name)], 17, INK, bold=True)
        sheet.gap(4)
    for row in facts.rows:
        value = clean(row.value)
        found = wrap(value, 15, _value_room(row), 3)
        sheet.add(len(found) * 21 + 8, partial(_row, label=clean(row.label), found=found))
    return sheet.png()


def _value_room(row: Row) -> float:
    """What a label leaves of the line, never less than half."""
    return ROOM - min(ROOM / 2, width(clean(row.label), 15)) - 16 if row.label else ROOM


def _heading(canvas: Canvas, y: float, *, found: list[str]) -> None:
    canvas.disc((LEFT + 16, y + 16), 16, ACCENT)

    canvas.smooth(
        (LEFT, y, LEFT + 32, y + 32), PANEL,
        lambda draw, scale: draw.line(
            [(9 * scale, 16.5 * scale), (14 * scale, 21.5 * scale), (23.5 * scale, 11 * scale)],
            fill=255, width=3 * scale, joint="curve",
        ),
    )  # fmt: skip
    for place, line in enumerate(found):
        canvas.text((LEFT + 44, y + 24 + place * 30), line, 22, INK, bold=True)


def _changes(canvas: Canvas, y: float, *, rows: tuple[Row, ...]) -> None:
    """Before and after, large."""
    canvas.rounded((LEFT, y, RIGHT, y + len(rows) * 62 + 12), 14, Tone.GOOD.soft)
    for place, row in enumerate(rows):
        top = y + 6 + place * 62
        canvas.text((LEFT + 18, top + 23), clean(row.label), 14, Tone.GOOD.strong)
        value = fit(clean(row.value), 20, ROOM - 36, bold=True)
        canvas.text((LEFT + 18, top + 49), value, 20, INK, bold=True)


def _row(canvas: Canvas, y: float, *, label: str, found: list[str]) -> None:
    room = ROOM / 2
    if label:
        canvas.text((LEFT, y + 16), fit(label, 15, room), 15, MUTED)
    for place, line in enumerate(found):
        at = (RIGHT, y + 16 + place * 21) if label else (LEFT, y + 16 + place * 21)
        canvas.text(at, line, 15, INK, anchor="rs" if label else "ls")
