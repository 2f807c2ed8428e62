"""The fonts of the pictures, made from Debian's package fonts-noto-cjk.

`python -m tests.fonts` writes bot/chat/pictures/data/*.otf again. It needs fonttools and that
package; the bot itself needs neither. Run it when a test says that a character of the catalogues
has no glyph, and commit what it wrote.

One face, Noto Sans CJK SC, in two weights. Traditional characters are in it too, drawn as in
mainland print: differences from Taiwanese print are single strokes, and a second face would
double the size. The licence is the SIL Open Font License, `OFL.txt` beside the fonts.
"""

import importlib
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
SOURCE = Path("/usr/share/fonts/opentype/noto")
TARGET = ROOT / "bot" / "chat" / "pictures" / "data"
WEIGHTS = {"Regular": "NotoSansCJK-Regular.ttc", "Bold": "NotoSansCJK-Bold.ttc"}
SIMPLIFIED = 2
"""Place of the SC face in the collection: JP, KR, SC, TC, HK."""
JAPANESE = 0
NARROW = "·•“”‘’"
"""A Chinese face has these as wide as a character, which tears Latin text apart; the glyphs that
the Japanese face has for them are narrow."""
RANGES = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x1CD, 0x1DC), (0x1E00, 0x1EF9),  # Latin, pinyin, Vietnamese
    (0x370, 0x3FF), (0x400, 0x45F),  # Greek, Cyrillic
    (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20BF),  # dashes, quotes, currencies
    (0x2100, 0x214F), (0x2150, 0x218B), (0x2190, 0x2199),  # №, ℃, fractions, arrows
    (0x2200, 0x226F), (0x2460, 0x24FF), (0x2500, 0x25FF),  # signs, circled numbers, boxes and bars
    (0x2600, 0x2606), (0x2713, 0x2713),  # stars, a tick
    (0x3000, 0x303F), (0x3041, 0x30FF), (0x3100, 0x312F),  # CJK punctuation, kana, zhuyin
    (0xFE30, 0xFE4F), (0xFF01, 0xFF5E), (0xFFE0, 0xFFE6),  # full width
)  # fmt: skip


def _decoded(encoding: str, rows: range, places: list[int]) -> set[str]:
    """The characters of a double-byte encoding in these rows and places."""
    return {bytes([row, place]).decode(encoding, "ignore") for row in rows for place in places}


def characters() -> set[str]:
    """Every character the fonts shall hold.

    All of GB 2312, which is what a mainlander writes; Big5's first level, which is what a
    Taiwanese writes; whatever else stands in the catalogues.
    """
    high = list(range(0xA1, 0xFF))
    found = _decoded("gb2312", range(0xB0, 0xF8), high)
    found |= _decoded("big5", range(0xA4, 0xC7), [*range(0x40, 0x7F), *high])
    found |= {chr(code) for first, last in RANGES for code in range(first, last + 1)}
    return {one for text in (*found, *translations()) for one in text}


def translations() -> list[str]:
    """Every text of every catalogue."""
    found: list[str] = []
    for path in sorted((ROOT / "locales").glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                for text in (message.id, message.string):
                    found += [text] if isinstance(text, str) else list(text or ())
    return found


def make(weight: str, target: Path) -> None:
    """Write the subset of one weight."""
    # Looked up by name: only who makes the fonts needs fonttools, not who checks types.
    subset = importlib.import_module("fontTools.subset")
    ttlib = importlib.import_module("fontTools.ttLib")
    source = SOURCE / WEIGHTS[weight]
    japanese = ttlib.TTFont(source, fontNumber=JAPANESE).getBestCmap()
    font = ttlib.TTFont(source, fontNumber=SIMPLIFIED)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap.update({ord(one): japanese[ord(one)] for one in NARROW})
    options = subset.Options(
        layout_features=[], hinting=False, notdef_outline=False, prune_codepage_ranges=False,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
    )  # fmt: skip
    options.drop_tables += ["BASE", "GSUB", "GPOS", "VORG", "vhea", "vmtx"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(characters())))
    subsetter.subset(font)
    font.save(target, reorderTables=True)


if __name__ == "__main__":
    for one in WEIGHTS:
        path = TARGET / f"{one.lower()}.otf"
        make(one, path)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
