"""Photos of bar codes and QR codes, made here and spoilt in the ways photos are."""

import asyncio
import struct
import time
import zlib
from io import BytesIO
from typing import Any

import pytest
import segno
import zxingcpp
from PIL import Image, ImageFilter
from telegram import Document, Message, PhotoSize

from bot.chat import photos
from bot.chat.photos import MOST_BYTES, Trouble, picture_of, read_photo
from bot.chat.threads import OneThread
from bot.chat.views.pictures import TROUBLES, trouble
from bot.domain.identify import Identified, Kind, identify
from bot.i18n import words

ICCID = "8985200012345678905"
OTHER = "89860012345678901238"
CODE = "LPA:1$rsp.example.com$ABC-123-XYZ"


def qr(text: str, scale: int = 6) -> Image.Image:
    """A QR code as scanned."""
    out = BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=scale, border=4)
    return Image.open(out).convert("L")


def bars(text: str, kind: str = "Code128", scale: int = 3) -> Image.Image:
    """A bar code, as high as those on cards."""
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    image = Image.fromarray(code.to_image(scale=scale))
    return image if kind == "DataMatrix" else image.resize((image.width, 160))


def on_table(*codes: Image.Image, size: tuple[int, int] = (1600, 1200)) -> Image.Image:
    """Codes lying on something grey."""
    table = Image.new("L", size, 190)
    x = 60
    for place, code in enumerate(codes):
        table.paste(code, (x, 80 + place * 380))
    return table


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a picture."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["Code128", "Code39", "ITF", "QRCode", "DataMatrix"])
def test_an_iccid_is_read_from_whatever_code_it_is_printed_in(kind: str) -> None:
    text = OTHER if kind == "ITF" else ICCID
    code = qr(text) if kind == "QRCode" else bars(text, kind)
    assert read_photo(saved(on_table(code))) == text


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_esim_code_is_read_from_each_kind_of_picture(kind: str) -> None:
    assert read_photo(saved(on_table(qr(CODE)), kind)) == CODE


def test_what_is_read_is_understood() -> None:
    assert identify(str(read_photo(saved(qr(CODE))))) == Identified(Kind.ACTIVATION, CODE)
    assert identify(str(read_photo(saved(bars(ICCID))))) == Identified(Kind.ICCID, ICCID)


def test_an_iccid_with_words_around_it_is_found() -> None:
    assert read_photo(saved(qr(f"ICCID: {ICCID}"))) == ICCID
    assert read_photo(saved(qr(f"SN=12345;ICCID={ICCID}F;PUK=12345678"))) == ICCID
    assert read_photo(saved(qr(f"https://shop.example/a?iccid={ICCID}&x=1"))) == ICCID


def test_the_angle_does_not_matter() -> None:
    for angle in (7, 33, 90, 121, 180, 258):
        turned = on_table(bars(ICCID)).rotate(angle, expand=True, fillcolor=190)
        assert read_photo(saved(turned)) == ICCID, angle
        turned = on_table(qr(CODE)).rotate(angle, expand=True, fillcolor=190)
        assert read_photo(saved(turned)) == CODE, angle


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phone_that_only_notes_how_it_was_held_is_read_too(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = on_table(bars(ICCID)).rotate(90 * orientation, expand=True)
    assert read_photo(saved(turned, exif=exif)) == ICCID


def test_a_somewhat_blurred_photo_is_read() -> None:
    for blur in (1.5, 2.5):
        photo = on_table(bars(ICCID, scale=4)).filter(ImageFilter.GaussianBlur(blur))
        assert read_photo(saved(photo, quality=60)) == ICCID, blur
        photo = on_table(qr(CODE, scale=8)).filter(ImageFilter.GaussianBlur(blur * 1.5))
        assert read_photo(saved(photo, quality=60)) == CODE, blur


def test_a_small_dark_and_a_large_photo_are_read() -> None:
    small = on_table(bars(ICCID, scale=1), size=(400, 300)).point(lambda shade: shade // 4)
    assert read_photo(saved(small)) == ICCID
    large = Image.new("L", (4000, 3000), 200)
    large.paste(bars(ICCID, scale=3), (3100, 2500))
    assert read_photo(saved(large)) == ICCID


def test_a_transparent_and_an_inverted_code_are_read() -> None:
    code = qr(CODE)
    clear = Image.new("RGBA", code.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=code.point(lambda shade: 255 - shade))
    assert read_photo(saved(clear, "PNG")) == CODE
    assert read_photo(saved(code.point(lambda shade: 255 - shade))) == CODE


def test_a_blur_beyond_reading_or_no_code_at_all_is_said_so() -> None:
    lost = on_table(bars(ICCID)).filter(ImageFilter.GaussianBlur(14))
    assert read_photo(saved(lost)) is Trouble.NOTHING_FOUND
    assert read_photo(saved(Image.new("RGB", (900, 700), "green"))) is Trouble.NOTHING_FOUND
    assert read_photo(saved(Image.new("L", (1, 1)), "PNG")) is Trouble.NOTHING_FOUND
    assert read_photo(saved(Image.new("L", (5000, 1)), "PNG")) is Trouble.NOTHING_FOUND


@pytest.mark.parametrize(
    "code",
    [
        bars("4006381333931", "EAN13"), bars("89101112131", "Code128"), qr("+639181234567"),
        qr("https://shop.example/89"), qr("WIFI:S:home;P:secret;;"), bars("123456789012", "Code39"),
    ],
    ids=["ean", "short", "number", "address", "wifi", "code39"],
)  # fmt: skip
def test_a_code_of_something_else_is_told_apart(code: Image.Image) -> None:
    assert read_photo(saved(on_table(code))) is Trouble.FOREIGN


def test_a_shops_code_beside_the_sims_does_not_disturb() -> None:
    photo = on_table(bars("4006381333931", "EAN13"), bars(ICCID), qr("https://help.example"))
    assert read_photo(saved(photo)) == ICCID


def test_two_sims_in_one_photo_are_not_guessed_between() -> None:
    assert read_photo(saved(on_table(bars(ICCID), bars(OTHER)))) is Trouble.SEVERAL
    codes = (qr(CODE, 5), qr(CODE.replace("ABC", "DEF"), 5))
    assert read_photo(saved(on_table(*codes))) is Trouble.SEVERAL


def test_two_codes_of_one_sim_are_one() -> None:
    assert read_photo(saved(on_table(bars(ICCID), bars(ICCID)))) == ICCID
    assert read_photo(saved(on_table(bars(ICCID[:-1]), bars(ICCID)))) == ICCID
    assert read_photo(saved(on_table(qr(CODE), bars(ICCID)))) == ICCID


def test_what_is_no_picture_is_said_so() -> None:
    whole = saved(on_table(bars(ICCID)))
    for data in (b"", b"hello", b"%PDF-1.7 x", whole[:30], whole[: len(whole) // 3], b"\xff\xd8"):
        assert read_photo(data) is Trouble.NOT_A_PICTURE
    assert read_photo(saved(qr(CODE), "GIF")) is Trouble.NOT_A_PICTURE


def test_a_file_too_large_is_not_even_opened() -> None:
    assert read_photo(b"\0" * (MOST_BYTES + 1)) is Trouble.TOO_BIG


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


@pytest.mark.parametrize("side", [5_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_unopened(side: int) -> None:
    header = struct.pack(">LLBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    assert read_photo(b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")) is Trouble.TOO_BIG


# ---- what a message says of its picture ----------------------------------------------------------


def message(**content: Any) -> Message:
    """A message of that content, as Telegram tells it."""
    found = Message.de_json(
        {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, **content}, None
    )
    assert found is not None
    return found


def size(side: int, file_size: int | None = None) -> dict[str, Any]:
    """One of a photo's sizes."""
    return {"file_id": f"p{side}", "file_unique_id": "u", "width": side, "height": side,
            "file_size": file_size}  # fmt: skip


def document(**content: Any) -> Message:
    """A message with a file."""
    return message(document={"file_id": "d", "file_unique_id": "u", **content})


def test_the_largest_size_of_a_photo_is_taken() -> None:
    found = picture_of(message(photo=[size(90), size(320), size(1280, 200_000)]))
    assert isinstance(found, PhotoSize)
    assert found.file_id == "p1280"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"mime_type": "image/jpeg"}, None), ({"mime_type": "IMAGE/PNG"}, None),
        ({"file_name": "IMG.JPG"}, None), ({"file_name": "a.b.webp"}, None),
        ({"mime_type": "application/octet-stream", "file_name": "x.jpeg"}, None),
        ({"mime_type": "image/heic", "file_name": "x.jpg"}, Trouble.HEIC),
        ({"mime_type": "image/heif"}, Trouble.HEIC), ({"file_name": "IMG.HEIC"}, Trouble.HEIC),
        ({"mime_type": "image/gif"}, Trouble.MOVING), ({"mime_type": "video/x-y"}, Trouble.MOVING),
        ({"file_name": "clip.MOV"}, Trouble.MOVING), ({"mime_type": "image/tiff"},
                                                      Trouble.OTHER_FILE),
        ({"mime_type": "application/pdf"}, Trouble.OTHER_FILE), ({}, Trouble.OTHER_FILE),
        ({"mime_type": "image/png", "file_size": MOST_BYTES + 1}, Trouble.TOO_BIG),
        ({"mime_type": "image/png", "file_size": MOST_BYTES}, None),
    ],
)  # fmt: skip
def test_a_file_is_judged_before_it_is_fetched(
    content: dict[str, Any], expected: Trouble | None
) -> None:
    found = picture_of(document(**content))
    assert found == expected if expected else isinstance(found, Document)


async def test_nobody_waits_for_a_picture_longer_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photos, "PATIENCE", 0.05)
    hard = saved(Image.effect_noise((2400, 2400), 60))
    found = await asyncio.gather(*(photos.read(hard) for _ in range(5)))
    assert set(found) == {Trouble.TOO_SLOW}
    monkeypatch.setattr(photos, "PATIENCE", 60.0)
    assert await photos.read(saved(on_table(bars(ICCID)))) == ICCID


async def test_one_picture_is_read_at_a_time() -> None:
    thread, running, most = OneThread("test"), 0, 0

    def work() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.005)
        running -= 1
        return most

    assert await asyncio.gather(*(thread.run(work) for _ in range(8))) == [1] * 8


def test_every_trouble_has_words_in_every_language() -> None:
    assert set(TROUBLES) == set(Trouble)
    for language in ("en", "zh_Hans", "zh_Hant"):
        for why in Trouble:
            shown = trouble(words(language), why)
            assert "8986001234567890120" in shown.text
            assert [one.data for one in shown.rows[0]] == ["add", "sims"]
