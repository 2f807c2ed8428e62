"""What a group's posts brought as a picture: three bars a day, for opened, saw a price, paid."""

from dataclasses import dataclass
from functools import partial

from bot.chat.pictures.canvas import ACCENT, INK, LEFT, MUTED, RIGHT, ROOM, Canvas, Sheet, Tone
from bot.chat.pictures.fonts import SMALL, TEXT, TITLE, clean, width, wrap

_HEIGHT = 200
_TONES = ("#b9d0e3", Tone.CALM.strong, ACCENT)
"""Opened, saw a price, paid."""


@dataclass(frozen=True, slots=True)
class TurnoutFacts:
    """The plot in finished words and plain numbers.

    `bars` are opened, saw a price and paid, a number for each day; `names` are theirs. `ticks`
    are days by their place, `steps` the values at the side, the last one the highest.
    """

    title: str
    subtitle: str
    names: tuple[str, str, str]
    bars: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    steps: tuple[tuple[int, str], ...]
    ticks: tuple[tuple[int, str], ...]
    sums: str = ""
    """What it comes to, below."""


def turnout_plot(facts: TurnoutFacts) -> bytes:
    """The plot as a PNG, 1040 pixels wide. Raises ValueError when there is nothing to draw."""
    if not facts.bars[0] or not facts.steps or facts.steps[-1][0] <= 0:
        raise ValueError("a plot needs days, and a highest value above nothing")
    sheet = Sheet()
    sheet.lines([clean(facts.title)], TITLE, INK, bold=True)
    sheet.lines([clean(facts.subtitle)], TEXT, MUTED)
    sheet.gap(10)
    sheet.add(26, partial(_legend, facts=facts))
    sheet.add(_HEIGHT + 48, partial(_plot, facts=facts))
    if facts.sums:
        sheet.lines(wrap(clean(facts.sums), TEXT, ROOM, 3, bold=True), TEXT, INK, bold=True)
    return sheet.png()


def _legend(canvas: Canvas, y: float, *, facts: TurnoutFacts) -> None:
    x: float = LEFT
    for name, fill in zip(facts.names, _TONES, strict=True):
        canvas.rounded((x, y + 4, x + 14, y + 18), 3, fill)
        text = clean(name)
        canvas.text((x + 20, y + 16), text, SMALL, MUTED)
        x += 20 + width(text, SMALL) + 22


def _plot(canvas: Canvas, y: float, *, facts: TurnoutFacts) -> None:
    left = LEFT + max(width(clean(label), SMALL) for _, label in facts.steps) + 10
    top, low = y + 8, y + 8 + _HEIGHT
    highest = facts.steps[-1][0]
    for value, label in facts.steps:
        at = low - _HEIGHT * value / highest
        canvas.rule(left, at, RIGHT, at + 0.5)
        canvas.text((left - 10, at + 4.5), clean(label), SMALL, MUTED, anchor="rs")
    room = (RIGHT - left) / len(facts.bars[0])
    each = max(room * 0.8 / len(facts.bars), 1.0)
    for number, (counts, fill) in enumerate(zip(facts.bars, _TONES, strict=True)):
        for day, count in enumerate(counts):
            if count:
                x = left + day * room + room * 0.1 + number * each
                tall = max(_HEIGHT * count / highest, 1.0)
                canvas.rounded((x, max(low - tall, top), x + each, low), 1, fill)
    canvas.rule(left, low, RIGHT, low + 1, MUTED)
    free = 0.0
    for day, label in facts.ticks:
        text = clean(label)
        half = width(text, SMALL) / 2
        middle = min(max(left + (day + 0.5) * room, left + half), RIGHT - half)
        if middle - half < free:
            continue  # a label that would touch the one before it
        canvas.text((middle, low + 20), text, SMALL, MUTED, anchor="ms")
        free = middle + half + 8
