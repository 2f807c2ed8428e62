"""The fonts in the package, and text that fits: cleaned, cut or wrapped.

Sizes are in units of the pictures, `SCALE` pixels each.
"""

import re
import struct
import unicodedata
from functools import cache
from pathlib import Path

from PIL.ImageFont import FreeTypeFont, Layout, truetype

SCALE = 2
SMALL, TEXT, TITLE, HERO = 14, 16, 22, 34
"""The sizes there are. Each costs 2 MB a weight while a picture is drawn."""
_DATA = Path(__file__).parent / "data"
_SPACES = re.compile(r"\s+")
_ELLIPSIS = "…"
_INSTEAD = {
    "₡": "CRC ", "₦": "NGN ", "₪": "ILS ", "₭": "LAK ", "₮": "MNT ", "₱": "PHP ", "₲": "PYG ",
    "₴": "UAH ", "₵": "GHS ", "₸": "KZT ", "₹": "INR ", "₺": "TRY ", "₼": "AZN ", "₽": "RUB ",
    "₾": "GEL ", "₿": "BTC ", "⭐": "★", "ℹ": "",
}  # fmt: skip
# Where a line may break: at spaces, and around characters that are written without them.
_PIECES = re.compile(
    r"[\d.,]+ [GMK]B|\s+|[⺀-鿿豈-﫿＀-￯][、。，．：；！？）」』”…]*|[^\s⺀-鿿豈-﫿＀-￯]+"
)


def _file(bold: bool) -> Path:
    return _DATA / ("bold.otf" if bold else "regular.otf")


@cache
def font(size: float, bold: bool = False) -> FreeTypeFont:
    """A face of the package. Basic layout: the scripts it holds need no shaping."""
    return truetype(_file(bold), size * SCALE, layout_engine=Layout.BASIC)


def release() -> None:
    """Close the faces: 14 MB kept for nothing, since opening one takes less than a millisecond."""
    font.cache_clear()


@cache
def glyphs() -> frozenset[int]:
    """The code points the fonts can draw, read from the regular one's `cmap` table.

    Pillow does not tell: it draws nothing for them. The script that makes the fonts writes that
    table in OpenType's format 4, segments of code points without gaps.
    """
    data = _file(False).read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    entries = (struct.unpack_from(">4sLLL", data, 12 + 16 * one) for one in range(count))
    table = next(offset for tag, _, offset, _ in entries if tag == b"cmap")
    (offset,) = struct.unpack_from(">L", data, table + 8)
    form, _, _, twice = struct.unpack_from(">HHHH", data, table + offset)
    if form != 4:
        raise ValueError(f"the font's first cmap is of format {form}, not 4")
    ends = struct.unpack_from(f">{twice // 2}H", data, table + offset + 14)
    starts = struct.unpack_from(f">{twice // 2}H", data, table + offset + 16 + twice)
    segments = zip(starts, ends, strict=True)
    return frozenset(code for first, last in segments for code in range(first, last + 1)) - {0xFFFF}


def _drawable(one: str) -> str:
    """A character, or what stands for it in the fonts; nothing when nothing does."""
    if one.isspace():
        return " "
    if ord(one) in glyphs():
        return "" if unicodedata.category(one)[0] == "C" else one
    if one in _INSTEAD:
        return _INSTEAD[one]
    parts = unicodedata.normalize("NFKD", one)
    return "".join(part for part in parts if part != one and ord(part) in glyphs())


def clean(text: str) -> str:
    """What can be drawn of a text, on one line: emoji and other scripts are left out.

    An amount keeps its currency: a sign that the fonts lack becomes the ISO code.
    """
    composed = unicodedata.normalize("NFC", text)
    return _SPACES.sub(" ", "".join(map(_drawable, composed))).strip()


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is."""
    return font(size, bold).getlength(text) / SCALE


def fit(text: str, size: float, room: float, bold: bool = False) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width(text, size, bold) <= room:
        return text
    shown, most = 0, len(text)
    while shown < most:  # halving: a long text is measured a few times, not once a letter
        middle = (shown + most + 1) // 2
        if width(text[:middle].rstrip() + _ELLIPSIS, size, bold) <= room:
            shown = middle
        else:
            most = middle - 1
    return text[:shown].rstrip() + _ELLIPSIS


def wrap(text: str, size: float, room: float, lines: int, bold: bool = False) -> list[str]:
    """The text on at most so many lines, about equally long; the last is cut when it must be."""
    found = _broken(text, size, room, lines, bold)
    if len(found) > 1 and not found[-1].endswith(_ELLIPSIS):
        for share in (0.6, 0.7, 0.8, 0.9):
            even = _broken(text, size, room * share, lines, bold)
            if len(even) == len(found) and not even[-1].endswith(_ELLIPSIS):
                return even
    return found


def _broken(text: str, size: float, room: float, lines: int, bold: bool) -> list[str]:
    """The text on lines as full as can be."""
    found: list[str] = []
    line = ""
    pieces = [part for one in _PIECES.findall(text) for part in _parts(one, size, room, bold)]
    for place, piece in enumerate(pieces):
        if width(line + piece.rstrip(), size, bold) <= room or not line.strip():
            line += piece
            continue
        found.append(line.rstrip())
        line = piece.lstrip()
        if len(found) == lines - 1:
            line += "".join(pieces[place + 1 :])
            break
    return [fit(one, size, room, bold) for one in [*found, line.rstrip()] if one]


def _parts(piece: str, size: float, room: float, bold: bool) -> list[str]:
    """A piece too long for any line, such as a payment's id, in several."""
    found = []
    while len(piece) > 1 and width(piece, size, bold) > room:
        most = max(1, len(fit(piece, size, room, bold)) - 1)
        found.append(piece[:most])
        piece = piece[most:]
    return [*found, piece]
