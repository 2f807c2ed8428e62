"""A photo of a SIM's barcode or an eSIM's QR code, as the text it holds (F1).

Decoding works the processor and may take a second on a bad picture: it is done in a thread, one
picture at a time in the whole bot, and nobody waits for it longer than `PATIENCE`.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from io import BytesIO

import zxingcpp
from PIL import Image, ImageFilter, ImageOps
from telegram import Document, Message, PhotoSize

from bot.chat.threads import OneThread
from bot.domain.codes import CODE_LENGTH, normalise
from bot.domain.identify import Identified, Kind, identify

MOST_BYTES = 10 << 20
"""As large as a photo may be in Telegram; a picture sent as a file may be larger."""
PATIENCE = 8.0
"""Seconds from a picture's arrival to its answer, waiting for its turn included."""
MOST_PIXELS = 20_000_000
"""A small file can unfold to gigabytes; this much takes about 80 MB for a moment."""
_SIDE = 1600
"""The longer side when first looked at: codes in a photo are read best at about this size."""
_SMALL = 700
_ANGLES = (22, 45, 68)
"""Bars are found within some twenty degrees of a right angle; these cover the rest."""
_FORMATS = zxingcpp.BarcodeFormats(
    [
        getattr(zxingcpp.BarcodeFormat, name)
        for name in (
            "QRCode", "MicroQRCode", "DataMatrix", "Aztec", "PDF417", "Code128", "Code39",
            "Code93", "ITF", "Codabar", "EAN13", "EAN8", "UPCA",
        )
    ]
)  # fmt: skip
_READ = frozenset({"jpg", "jpeg", "png", "webp"})
_HEIC = frozenset({"heic", "heif", "heics", "heifs", "avif"})
_MOVING = frozenset({"gif", "mp4", "mov", "webm", "mkv", "avi", "3gp"})
_READER = OneThread("photo")
_ICCID = re.compile(r"(?<![0-9A-Za-z])89[0-9]{16,19}[0-9A-Fa-f]?(?![0-9A-Za-z])")


class Trouble(StrEnum):
    """Why a photo told nothing; the views turn it into words and advice."""

    TOO_BIG = "too_big"
    NOT_A_PICTURE = "not_a_picture"
    """Broken, or of a kind that is not read (JPEG, PNG and WebP are)."""
    NOTHING_FOUND = "nothing_found"
    FOREIGN = "foreign"
    """A code is there, and it is no SIM's: a shop's bar code, a web address."""
    SEVERAL = "several"
    """Codes of more than one SIM."""
    TOO_SLOW = "too_slow"
    NOT_FETCHED = "not_fetched"
    """Telegram did not hand it over."""
    HEIC = "heic"
    MOVING = "moving"
    """A video, or an animation, which Telegram makes of every GIF."""
    SOUND = "sound"
    OTHER_FILE = "other_file"


def picture_of(message: Message) -> PhotoSize | Document | Trouble:
    """The picture in a message, by what the message itself says of it; nothing is downloaded."""
    found: PhotoSize | Document
    if message.photo:
        found = message.photo[-1]  # the largest
    elif message.animation or message.video or message.video_note:
        return Trouble.MOVING
    elif message.voice or message.audio:
        return Trouble.SOUND
    elif message.document:
        found = message.document
        kind = _kind(found)
        if kind not in _READ:
            return Trouble.HEIC if kind in _HEIC else _other(kind)
    else:
        return Trouble.OTHER_FILE
    return Trouble.TOO_BIG if (found.file_size or 0) > MOST_BYTES else found


def _other(kind: str) -> Trouble:
    return Trouble.MOVING if kind in _MOVING else Trouble.OTHER_FILE


def _kind(document: Document) -> str:
    """What a file is: by its media type; by its name when that says nothing of pictures."""
    family, _, kind = (document.mime_type or "").lower().partition("/")
    if family in ("image", "video"):
        return kind if family == "image" else "mp4"
    return (document.file_name or "").lower().rpartition(".")[2]


async def read(data: bytes, *, voucher: bool = False) -> str | Trouble:
    """`read_photo` beside the bot's other work."""
    try:
        work = partial(read_photo, data, voucher=voucher)
        return await asyncio.wait_for(_READER.run(work), PATIENCE)
    except TimeoutError:
        return Trouble.TOO_SLOW


def read_photo(data: bytes, *, voucher: bool = False) -> str | Trouble:
    """The ICCID or activation code in a picture, as `identify` understands it; a voucher's code
    instead, where that was asked for.

    When a picture shows both of one SIM, its ICCID. Never raises for what a picture holds.
    """
    if len(data) > MOST_BYTES:
        return Trouble.TOO_BIG
    shades = _open(data)
    if isinstance(shades, Trouble):
        return shades
    foreign = False
    for variant in _variants(shades):
        texts = [code.text for code in zxingcpp.read_barcodes(variant, formats=_FORMATS)]
        codes = [text for text in texts if len(normalise(text)) == CODE_LENGTH]
        if voucher and codes:
            return codes[0]
        found = {one.value: one for one in map(_sim, texts) if one is not None}
        if found and not voucher:
            return _one(list(found.values()))
        foreign = foreign or any(texts)
    return Trouble.FOREIGN if foreign else Trouble.NOTHING_FOUND


async def fingerprint(data: bytes) -> tuple[str, str] | Trouble:
    """`fingerprint_of` beside the bot's other work."""
    try:
        return await asyncio.wait_for(_READER.run(partial(fingerprint_of, data)), PATIENCE)
    except TimeoutError:
        return Trouble.TOO_SLOW


def fingerprint_of(data: bytes) -> tuple[str, str] | Trouble:
    """What a picture is told by: the SHA-256 of its bytes, and its average hash, 64 bits as hex:
    which of 8 × 8 fields are lighter than their mean. Sent anew or shrunk, it keeps the second."""
    if len(data) > MOST_BYTES:
        return Trouble.TOO_BIG
    shades = _open(data)
    if isinstance(shades, Trouble):
        return shades
    fields = list(shades.resize((8, 8), Image.Resampling.BOX).tobytes())
    mean = sum(fields) / len(fields)
    bits = "".join("1" if field > mean else "0" for field in fields)
    return hashlib.sha256(data).hexdigest(), f"{int(bits, 2):016x}"


def _open(data: bytes) -> Image.Image | Trouble:
    """The picture in shades of grey, on white where it is transparent.

    Its EXIF orientation is of no interest: codes are looked for along both sides anyway.
    """
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MOST_PIXELS:
                return Trouble.TOO_BIG
            image.draft("L", image.size)  # a JPEG's colours would take four times the memory
            if image.has_transparency_data:
                coloured = image.convert("RGBA")
                white = Image.new("L", image.size, 255)
                white.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
                return white
            return image.convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Trouble.TOO_BIG
    except Exception:
        # Pillow tells a broken file by a dozen kinds of exception, some of them its codecs'.
        return Trouble.NOT_A_PICTURE


def _variants(shades: Image.Image) -> Iterator[Image.Image]:
    """The picture as it is, then helped along in the ways that bad photos need."""
    longer = max(shades.size)
    first = shades if longer <= _SIDE else ImageOps.contain(shades, (_SIDE, _SIDE))
    if min(first.size) < 3:
        return
    yield first
    clear = ImageOps.autocontrast(first, cutoff=1)
    if longer < _SMALL:
        clear = ImageOps.scale(clear, 2, Image.Resampling.BICUBIC)
    yield clear
    yield clear.filter(ImageFilter.UnsharpMask(radius=4, percent=250, threshold=0))
    yield clear.filter(ImageFilter.UnsharpMask(radius=9, percent=350, threshold=0))
    if longer > _SIDE * 5 / 4:
        yield shades
    yield ImageOps.contain(first, (_SIDE // 2, _SIDE // 2))
    for angle in _ANGLES:
        yield first.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def _sim(text: str) -> Identified | None:
    """The SIM a code names: an ICCID, alone or among other things, or an activation code.

    A number alone is no SIM: shops' bar codes look like phone numbers.
    """
    inside = _ICCID.search(text)
    for candidate in (text, inside[0] if inside else ""):
        found = identify(candidate)
        if isinstance(found, Identified) and found.kind in (Kind.ICCID, Kind.ACTIVATION):
            return found
    return None


def _one(found: list[Identified]) -> str | Trouble:
    """The one SIM that these are all of."""
    for kind in (Kind.ICCID, Kind.ACTIVATION):
        values = [one.value for one in found if one.kind is kind]
        longest = max(values, key=len, default="")
        if not values:
            continue
        # Some cards bear their number twice, once without its check digit.
        same = all(longest.startswith(value) for value in values)
        return longest if same else Trouble.SEVERAL
    return Trouble.NOTHING_FOUND
