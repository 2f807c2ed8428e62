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
from bot.chat.pictures.fonts import SMALL, TEXT, TITLE, clean, fit, width, wrap


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
    heading = wrap(clean(facts.heading), TITLE, ROOM - 44, 2, bold=True)
    sheet.add(max(36, len(heading) * 30), partial(_heading, found=heading))
    sheet.gap(4)
    sheet.lines(wrap(clean(facts.subject), TEXT, ROOM, 2), TEXT, MUTED)
    if facts.changes:
        sheet.gap(12)
        tall = sum(map(_tall, facts.changes)) + 12
        sheet.add(tall, partial(_changes, rows=facts.changes, tall=tall))
    sheet.rule()
    if facts.name:
        sheet.lines([clean(facts.name)], TEXT, INK, bold=True)
        sheet.gap(4)
    for row in facts.rows:
        value = clean(row.value)
        found = wrap(value, TEXT, _value_room(row), 3)
        sheet.add(len(found) * 22 + 8, partial(_row, label=clean(row.label), found=found))
    return sheet.png()


def _value_room(row: Row) -> float:
    """What a label leaves of the line, never less than half."""
    return ROOM - min(ROOM / 2, width(clean(row.label), TEXT)) - 16 if row.label else ROOM


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
        canvas.text((LEFT + 44, y + 24 + place * 30), line, TITLE, INK, bold=True)


def _tall(row: Row) -> float:
    return 62 if row.label else len(_remark(row)) * 22 + 12


def _remark(row: Row) -> list[str]:
    """What stands beside the dates: it may say what is still to be done, so it is not cut short."""
    return wrap(clean(row.value), TEXT, ROOM - 36, 4)


def _changes(canvas: Canvas, y: float, *, rows: tuple[Row, ...], tall: float) -> None:
    """Before and after, large; a remark small."""
    canvas.rounded((LEFT, y, RIGHT, y + tall), 14, Tone.GOOD.soft)
    top, room = y + 6, ROOM - 36
    for row in rows:
        if row.label:
            value = clean(row.value)
            canvas.text((LEFT + 18, top + 23), clean(row.label), SMALL, Tone.GOOD.strong)
            at = (LEFT + 18, top + 49)
            canvas.text(at, fit(value, TITLE, room, bold=True), TITLE, INK, bold=True)
        else:
            for place, line in enumerate(_remark(row)):
                canvas.text((LEFT + 18, top + 23 + place * 22), line, TEXT, INK)
        top += _tall(row)


def _row(canvas: Canvas, y: float, *, label: str, found: list[str]) -> None:
    room = ROOM / 2
    if label:
        canvas.text((LEFT, y + 16), fit(label, TEXT, room), TEXT, MUTED)
    for place, line in enumerate(found):
        at = (RIGHT, y + 16 + place * 22) if label else (LEFT, y + 16 + place * 22)
        canvas.text(at, line, TEXT, INK, anchor="rs" if label else "ls")
