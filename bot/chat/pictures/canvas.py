"""Drawing in units of `SCALE` pixels, with smooth edges, in the colours of the chat page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from io import BytesIO

from PIL import Image, ImageDraw

from bot.chat.pictures.fonts import SCALE, SMALL, TEXT, fit, font, width, wrap

WIDTH = 520
"""Of every picture: a phone shows its 1040 pixels about one to one."""
EDGE = 14
PADDING = 24
LEFT = EDGE + PADDING
RIGHT = WIDTH - LEFT
ROOM = RIGHT - LEFT

GROUND = "#e9f3f0"
PANEL = "#ffffff"
LINE = "#dfe9e6"
INK = "#14211f"
MUTED = "#5b6c68"
ACCENT = "#0b7a6f"
TRACK = "#e6efec"
_LEADING = 23
_SMOOTH = 4
"""Curves are drawn this much larger and shrunk, which is what makes them smooth."""

Point = tuple[float, float]
Painter = Callable[[ImageDraw.ImageDraw, int], None]
"""Gets a drawing of shades as large as its box, and how many of its pixels are a unit."""
Box = tuple[float, float, float, float]


class Tone(Enum):
    """What a colour says: (strong, soft)."""

    GOOD = ("#0b7a6f", "#dff2ee")
    WARN = ("#b25e00", "#fff0d9")
    BAD = ("#c0362c", "#fde7e4")
    OVER = ("#4a5654", "#e7ecea")
    CALM = ("#3f6b8c", "#e6eff6")

    @property
    def strong(self) -> str:
        """For text and bars."""
        return self.value[0]

    @property
    def soft(self) -> str:
        """For what lies behind them."""
        return self.value[1]


@cache
def _disc(diameter: int) -> Image.Image:
    """A smooth disc as a mask."""
    large = Image.new("L", (diameter * _SMOOTH, diameter * _SMOOTH))
    ImageDraw.Draw(large).ellipse((0, 0, large.width - 1, large.height - 1), fill=255)
    return large.reduce(_SMOOTH)


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    """A rectangle with smooth corners as a mask."""
    mask = Image.new("L", size, 255)
    disc = _disc(radius * 2)
    right, low = size[0] - radius, size[1] - radius
    for x, left in ((0, 0), (right, radius)):
        for y, top in ((0, 0), (low, radius)):
            mask.paste(disc.crop((left, top, left + radius, top + radius)), (x, y))
    return mask


def _px(*values: float) -> list[int]:
    return [round(value * SCALE) for value in values]


class Canvas:
    """A picture being drawn; every place and size is in units."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.image = Image.new("RGB", (WIDTH * SCALE, round(height * SCALE)), GROUND)
        self._draw = ImageDraw.Draw(self.image)

    def rounded(self, box: Box, radius: float, fill: str) -> None:
        """A filled rectangle with round corners."""
        left, top, right, low = _px(*box)
        if right <= left or low <= top:
            return
        size = (right - left, low - top)
        r = min(round(radius * SCALE), size[0] // 2, size[1] // 2)
        mask = _rounded(size, r) if r > 0 else None
        self.image.paste(fill, (left, top, right, low), mask)

    def panel(self, box: Box, radius: float) -> None:
        """The white sheet everything lies on, with a hairline around it."""
        left, top, right, low = box
        self.rounded(box, radius, LINE)
        self.rounded((left + 1, top + 1, right - 1, low - 1), radius - 1, PANEL)

    def disc(self, centre: Point, radius: float, fill: str) -> None:
        """A filled circle."""
        x, y = centre
        self.rounded((x - radius, y - radius, x + radius, y + radius), radius, fill)

    def rule(self, x0: float, y0: float, x1: float, y1: float, fill: str = LINE) -> None:
        """A straight hairline, across or down."""
        left, top, right, low = _px(x0, y0, x1, y1)
        self.image.paste(fill, (left, top, max(right, left + 1), max(low, top + 1)))

    def text(
        self,
        at: Point,
        text: str,
        size: float,
        fill: str = INK,
        *,
        bold: bool = False,
        anchor: str = "ls",
    ) -> None:
        """One line; `at` is on its baseline, `anchor` as Pillow's: l, m or r, then s."""
        self._draw.text(
            (at[0] * SCALE, at[1] * SCALE), text, fill=fill, font=font(size, bold), anchor=anchor
        )

    def smooth(self, box: Box, fill: str, paint: Painter) -> None:
        """Paint lines and areas smoothly in one colour, within a box."""
        left, top, right, low = _px(*box)
        factor = 2
        mask = Image.new("L", ((right - left) * factor, (low - top) * factor))
        paint(ImageDraw.Draw(mask), SCALE * factor)
        self.image.paste(fill, (left, top, right, low), mask.reduce(factor))

    def png(self) -> bytes:
        """The finished picture. Flat colours: a low level of compression is small already."""
        out = BytesIO()
        self.image.save(out, "PNG", compress_level=5)
        return out.getvalue()


Step = Callable[[Canvas, float], None]


@dataclass(slots=True)
class Sheet:
    """Blocks one below the other on a panel; the picture is as tall as they are."""

    blocks: list[tuple[float, Step]] = field(default_factory=list)

    def add(self, height: float, step: Step) -> None:
        """A block of that height, drawn from its upper edge."""
        self.blocks.append((height, step))

    def gap(self, height: float) -> None:
        """Nothing."""
        self.blocks.append((height, lambda canvas, y: None))

    def rule(self) -> None:
        """A hairline across, with room around it."""
        self.add(25, lambda canvas, y: canvas.rule(LEFT, y + 12, RIGHT, y + 13))

    def lines(
        self,
        texts: Sequence[str],
        size: float,
        fill: str = INK,
        *,
        bold: bool = False,
        indent: float = 0,
    ) -> None:
        """Lines of text, left."""
        for text in texts:
            step = partial(_line, text=text, size=size, fill=fill, bold=bold, indent=indent)
            self.add(size * 1.5, step)

    def notice(self, text: str, tone: Tone) -> None:
        """A soft box with a few lines in it."""
        found = wrap(text, TEXT, ROOM - 28, 3)
        self.add(len(found) * _LEADING + 20, partial(_notice, found=found, tone=tone))

    def png(self) -> bytes:
        """Draw it all."""
        tall = sum(height for height, _ in self.blocks)
        canvas = Canvas(tall + 2 * (EDGE + PADDING - 4))
        canvas.panel((EDGE, EDGE, WIDTH - EDGE, canvas.height - EDGE), 20)
        y: float = EDGE + PADDING - 4
        for height, step in self.blocks:
            step(canvas, y)
            y += height
        return canvas.png()


def _line(
    canvas: Canvas, y: float, *, text: str, size: float, fill: str, bold: bool, indent: float
) -> None:
    shown = fit(text, size, ROOM - indent, bold)
    canvas.text((LEFT + indent, y + size * 1.1), shown, size, fill, bold=bold)


def _notice(canvas: Canvas, y: float, *, found: list[str], tone: Tone) -> None:
    canvas.rounded((LEFT, y, RIGHT, y + len(found) * _LEADING + 20), 12, tone.soft)
    for place, line in enumerate(found):
        at = (LEFT + 14, y + 10 + 17 + place * _LEADING)
        canvas.text(at, line, TEXT, tone.strong)


def pill(canvas: Canvas, right: float, y: float, text: str, tone: Tone) -> float:
    """A state in its colour, against the right; returns its left edge."""
    text = fit(text, SMALL, ROOM * 0.5, bold=True)
    left = right - width(text, SMALL, bold=True) - 36
    canvas.rounded((left, y, right, y + 28), 14, tone.soft)
    canvas.disc((left + 16, y + 14), 4, tone.strong)
    canvas.text((left + 25, y + 19), text, SMALL, tone.strong, bold=True)
    return left
