"""Thirty days of use as a picture: what was left, when it was topped up, where the pace leads."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PIL import ImageDraw

from bot.chat.pictures.canvas import (
    ACCENT,
    INK,
    LEFT,
    MUTED,
    PANEL,
    RIGHT,
    ROOM,
    Canvas,
    Point,
    Sheet,
    Tone,
)
from bot.chat.pictures.fonts import SMALL, TEXT, TITLE, clean, fit, width, wrap

Value = tuple[datetime, int]
"""Bytes left at a moment."""
_HEIGHT = 216
_DASH, _SPACE = 6.0, 5.0


@dataclass(frozen=True, slots=True)
class PlotFacts:
    """The plot in finished words and plain numbers (bytes, UTC).

    `start` to `end` is the time shown, `top` the highest value. `line` are the readings, joined;
    where data was added it has two values at one moment. `forecast` is the last reading and where
    the pace leads. `pace` stands below, `advice` in a box of its tone.
    """

    title: str
    subtitle: str
    start: datetime
    end: datetime
    top: int
    line: tuple[Value, ...]
    x_ticks: tuple[tuple[datetime, str], ...] = ()
    y_ticks: tuple[tuple[int, str], ...] = ()
    today: tuple[datetime, str] | None = None
    expiry: tuple[datetime, str] | None = None
    topups: tuple[datetime, ...] = ()
    topup_word: str = ""
    forecast: tuple[Value, Value] | None = None
    pace: str = ""
    advice: str = ""
    tone: Tone = Tone.GOOD


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values lie in the picture, in units."""

    facts: PlotFacts
    left: float
    top: float

    @property
    def low(self) -> float:
        return self.top + _HEIGHT

    def x(self, moment: datetime) -> float:
        share = (moment - self.facts.start) / (self.facts.end - self.facts.start)
        return self.left + (RIGHT - self.left) * min(1.0, max(0.0, share))

    def y(self, value: int) -> float:
        return self.low - _HEIGHT * min(1.0, max(0.0, value / self.facts.top))

    def at(self, value: Value) -> Point:
        return (self.x(value[0]), self.y(value[1]))


def use_plot(facts: PlotFacts) -> bytes:
    """The plot as a PNG, 1040 pixels wide. Raises ValueError when there is no time or data."""
    if facts.end <= facts.start or facts.top <= 0:
        raise ValueError("a plot needs a stretch of time and a highest value above nothing")
    sheet = Sheet()
    sheet.lines([clean(facts.title)], TITLE, INK, bold=True)
    sheet.lines([clean(facts.subtitle)], TEXT, MUTED)
    sheet.gap(8)
    sheet.add(_HEIGHT + 62, partial(_plot, facts=facts))
    if facts.pace:
        sheet.lines(wrap(clean(facts.pace), TEXT, ROOM, 2, bold=True), TEXT, INK, bold=True)
    if facts.advice:
        sheet.gap(8)
        sheet.notice(clean(facts.advice), facts.tone)
    return sheet.png()


def _plot(canvas: Canvas, y: float, *, facts: PlotFacts) -> None:
    labels = max((width(clean(label), SMALL) for _, label in facts.y_ticks), default=0)
    frame = _Frame(facts, LEFT + labels + 10, y + 28)
    _grid(canvas, frame)
    _line(canvas, frame, [frame.at(value) for value in facts.line])
    if facts.forecast is not None:
        _dashes(canvas, frame.at(facts.forecast[0]), frame.at(facts.forecast[1]), facts.tone)
    for moment in facts.topups:
        _topup(canvas, (frame.x(moment), frame.low))
    _days(canvas, frame)
    if facts.topups and facts.topup_word:
        word = clean(facts.topup_word)
        x = RIGHT - width(word, SMALL)
        canvas.text((RIGHT, y - 14), word, SMALL, MUTED, anchor="rs")
        _topup(canvas, (x - 11, y - 18.5))


def _grid(canvas: Canvas, frame: _Frame) -> None:
    for value, label in frame.facts.y_ticks:
        y = frame.y(value)
        canvas.rule(frame.left, y, RIGHT, y + 0.5)
        canvas.text((frame.left - 10, y + 4.5), clean(label), SMALL, MUTED, anchor="rs")
    canvas.rule(frame.left, frame.low, RIGHT, frame.low + 1, MUTED)
    free = 0.0
    for moment, label in frame.facts.x_ticks:
        x, text = frame.x(moment), clean(label)
        half = width(text, SMALL) / 2
        middle = min(max(x, frame.left + half), RIGHT - half)
        if middle - half < free:
            continue  # a label that would touch the one before it
        canvas.rule(x, frame.low, x + 0.5, frame.low + 5, MUTED)
        canvas.text((middle, frame.low + 20), text, SMALL, MUTED, anchor="ms")
        free = middle + half + 8


def _line(canvas: Canvas, frame: _Frame, points: list[Point]) -> None:
    """The line with its area below; its newest reading is a dot."""
    box = (frame.left - 3, frame.top - 3, RIGHT + 3, frame.low)
    local = [(x - box[0], y - box[1]) for x, y in points]

    def area(draw: ImageDraw.ImageDraw, scale: int) -> None:
        floor = frame.low - box[1]
        edge = [(local[0][0], floor), *local, (local[-1][0], floor)]
        draw.polygon([(x * scale, y * scale) for x, y in edge], fill=255)

    def line(draw: ImageDraw.ImageDraw, scale: int) -> None:
        path = [(x * scale, y * scale) for x, y in local]
        draw.line(path, fill=255, width=round(2.5 * scale), joint="curve")

    canvas.smooth(box, Tone.GOOD.soft, area)
    canvas.smooth(box, ACCENT, line)
    canvas.disc(points[-1], 3.5, ACCENT)


def _dashes(canvas: Canvas, start: Point, end: Point, tone: Tone) -> None:
    """A dashed line: what is expected, not measured."""
    across, down = end[0] - start[0], end[1] - start[1]
    length = (across**2 + down**2) ** 0.5
    if length < 1:
        return
    corner = (min(start[0], end[0]) - 2, min(start[1], end[1]) - 2)
    box = (*corner, max(start[0], end[0]) + 2, max(start[1], end[1]) + 2)

    def paint(draw: ImageDraw.ImageDraw, scale: int) -> None:
        done = 0.0
        while done < length:
            ends = (done / length, min(done + _DASH, length) / length)
            path = [
                ((start[0] + across * share - corner[0]) * scale,
                 (start[1] + down * share - corner[1]) * scale)
                for share in ends
            ]  # fmt: skip
            draw.line(path, fill=255, width=2 * scale)
            done += _DASH + _SPACE

    canvas.smooth(box, tone.strong, paint)


def _topup(canvas: Canvas, at: Point) -> None:
    """A plus in a disc."""
    x, y = at
    canvas.disc(at, 8, PANEL)
    canvas.disc(at, 7, ACCENT)
    canvas.rounded((x - 4, y - 1, x + 4, y + 1), 0.5, PANEL)
    canvas.rounded((x - 1, y - 4, x + 1, y + 4), 0.5, PANEL)


def _days(canvas: Canvas, frame: _Frame) -> None:
    """Today and the expiry as lines down, their words above and never on each other."""
    facts, taken = frame.facts, float(RIGHT) + 1
    for day, fill in ((facts.expiry, Tone.BAD.strong), (facts.today, INK)):
        if day is None or not facts.start <= day[0] <= facts.end:
            continue
        x = frame.x(day[0])
        text = fit(clean(day[1]), SMALL, ROOM / 2, bold=True)
        wide = width(text, SMALL, bold=True)
        left = min(max(x - wide / 2, frame.left), RIGHT - wide, taken - wide - 8)
        canvas.rule(x - 0.5, frame.top - 6, x + 0.5, frame.low, fill)
        canvas.text((left, frame.top - 11), text, SMALL, fill, bold=True)
        taken = left
