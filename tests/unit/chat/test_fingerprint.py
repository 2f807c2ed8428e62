"""What a proof's picture is told by: its bytes, and its look that survives shrinking."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from bot.chat.photos import MOST_BYTES, Trouble, fingerprint, fingerprint_of


def picture(*boxes: tuple[int, int, int, int], size: int = 400, kind: str = "PNG") -> bytes:
    """Dark boxes on white."""
    image = Image.new("RGB", (400, 400), "white")
    for box in boxes:
        ImageDraw.Draw(image).rectangle(box, fill="black")
    out = BytesIO()
    image.resize((size, size)).save(out, kind)
    return out.getvalue()


def told(data: bytes) -> tuple[str, str]:
    found = fingerprint_of(data)
    assert not isinstance(found, Trouble)
    return found


LEFT, BELOW = (0, 0, 200, 400), (0, 200, 400, 400)


def test_the_same_bytes_are_the_same_picture() -> None:
    assert told(picture(LEFT)) == told(picture(LEFT))
    assert len(told(picture(LEFT))[0]) == 64


def test_a_picture_keeps_its_look_when_it_is_sent_anew() -> None:
    one, small, photo = (told(picture(LEFT)), told(picture(LEFT, size=90)),
                         told(picture(LEFT, kind="JPEG")))  # fmt: skip
    assert len({sha for sha, _ in (one, small, photo)}) == 3
    assert one[1] == small[1] == photo[1] == "0f" * 8


def test_another_picture_looks_another_way() -> None:
    assert told(picture(LEFT))[1] != told(picture(BELOW))[1]


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"no picture", Trouble.NOT_A_PICTURE), (b"\0" * (MOST_BYTES + 1), Trouble.TOO_BIG)],
)
async def test_what_is_no_picture_says_so(data: bytes, why: Trouble) -> None:
    assert await fingerprint(data) is why
