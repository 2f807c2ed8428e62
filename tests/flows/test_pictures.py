"""Photos of SIM codes come in; balance cards, use plots and receipts go out as pictures."""

from io import BytesIO
from typing import Any

import pytest
import segno
import zxingcpp
from PIL import Image, ImageFilter

from bot.demo.botapi.params import Upload
from tests.flows.people import Message, Person, Town, labels, until
from tests.flows.steps import BOOM, RECEIPT, US_CARD, VOUCHER_US, to_quote

UNICOM = "89860119801234567899"
LINS, LINS_CODE = "89852041000000001015", "XUKS-J2B3-C4D5-E6F7"
LPA = "LPA:1$rsp.demo.example$XK-7F3K-2M9P"
SECRET = "https://shop.example/order/4711?token=hush"
GB = 1 << 30


# ---- making and sending ----------------------------------------------------------------------


def bars(text: str) -> Image.Image:
    """A bar code on a grey table, as a phone sees it."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    image = Image.fromarray(code.to_image(scale=3))
    table = Image.new("L", (1600, 1200), 190)
    table.paste(image.resize((image.width, 160)), (100, 400))
    return table.rotate(4, fillcolor=190)


def qr(text: str) -> Image.Image:
    """A QR code as a screenshot."""
    out = BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=6, border=4)
    return Image.open(out).convert("L")


def saved(image: Image.Image, kind: str = "JPEG") -> bytes:
    """The bytes of a picture."""
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


async def send(
    place: Town, person: Person, data: bytes, *, kind: str = "photo", caption: str = "",
    name: str = "card.jpg", mime: str = "image/jpeg",
) -> Message:  # fmt: skip
    """Send a file; the bot's answer."""
    path = f"/people/{person.id}/chats/{person.id}/messages"
    answer = await place.http.post(
        path, files={kind: (name, data, mime)}, data={"caption": caption}
    )
    assert answer.status_code == 200, answer.text
    await person.idle()
    return await person.last()


async def opened(place: Town, message: Message) -> Image.Image:
    """The picture of a message, which has to be a PNG."""
    assert "photo" in message, message.get("text")
    answer = await place.http.get(message["x"]["file"]["url"])
    assert answer.content.startswith(b"\x89PNG")
    image = Image.open(BytesIO(answer.content))
    image.load()
    assert image.width == 1040
    assert len(set(image.convert("L").tobytes())) > 20
    return image


async def tap(place: Town, person: Person, verb: str) -> Message:
    """Press the newest button with that verb, in whatever language; the bot's newest message."""
    for message in reversed(await person.from_bot()):
        for row in message.get("reply_markup", {}).get("inline_keyboard", []):
            for cell in row:
                if cell["callback_data"].split(":")[0] == verb:
                    await place.tap(person, message["message_id"], cell["callback_data"])
                    return await person.last()
    raise AssertionError(f"no button {verb!r}")


async def photos(person: Person) -> int:
    """How many pictures the bot has sent."""
    return sum("photo" in message for message in await person.from_bot())


async def days_of_use(place: Town, profile: str, days: int, volume: int) -> None:
    """Live through some days, with some use in each half of a day."""
    for _ in range(2 * days):
        place.demo.supplier.use(profile, volume // 2, place.now)
        await place.advance(hours=12)


# ---- a photo comes in --------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_photo_of_a_bar_code_is_as_good_as_its_number(place: Town, language: str) -> None:
    person = place.en if language == "en" else place.zh
    typed = await person.say(UNICOM)
    await person.say("/start")
    shown = await send(place, person, saved(bars(UNICOM)))
    assert shown["text"] == typed["text"]
    assert labels(shown) == labels(typed)
    assert "8986 0119 8012 3456 7899" in shown["text"]
    actions = await place.calls("sendChatAction")
    assert [call["request"]["action"] for call in actions] == ["typing"]
    await person.press("China Unicom" if language == "en" else "中国联通")
    assert (await person.last())["text"] != typed["text"]


async def test_an_esims_qr_code_as_photo_as_file_and_in_each_state(place: Town) -> None:
    sam = place.stranger
    await sam.say("/start")
    await sam.press("English")
    # Not in /support: a picture sent there is for the shop.
    for enter in ("/start", "/add", "/reminders", f"/add {LINS}", f"/add {UNICOM}"):
        await sam.say(enter)
        shown = await send(place, sam, saved(qr(LPA), "PNG"), name="qr.png", mime="image/png")
        assert LPA in shown["text"], enter
    for name, mime in (("a.webp", "image/webp"), ("a.PNG", "application/octet-stream")):
        data = saved(qr(LPA), "WEBP" if "webp" in name else "PNG")
        shown = await send(place, sam, data, kind="document", name=name, mime=mime)
        assert LPA in shown["text"], name


async def test_a_photo_proves_nothing_and_shows_nothing_of_others(place: Town) -> None:
    sam = place.stranger
    await sam.say("/start")
    await sam.press("English")
    shown = await send(place, sam, saved(bars(LINS)))
    assert "is from our shop" in shown["text"]
    assert "boom" not in shown["text"]
    await sam.say(LINS_CODE)
    await sam.find("not right, or it was used before")


async def test_a_photo_that_tells_nothing_says_what_helps(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    blurred = saved(bars(UNICOM).filter(ImageFilter.GaussianBlur(14)))
    shown = await send(place, emma, blurred)
    assert "no readable code" in shown["text"]
    assert "Go closer" in shown["text"]
    assert "8986001234567890120" in shown["text"]
    shown = await send(place, emma, saved(qr(SECRET)))
    assert "not a SIM's" in shown["text"]
    assert "shop.example" not in str(await emma.from_bot())
    assert "hush" not in (place.demo.home / "bot.log").read_text("utf-8")
    two = Image.new("L", (1600, 2400), 190)
    two.paste(bars(UNICOM), (0, 0))
    two.paste(bars(LINS), (0, 1200))
    assert "more than one SIM" in (await send(place, emma, saved(two)))["text"]
    await emma.say("/add")
    await send(place, emma, blurred)
    assert "Which carrier" in (await emma.say(UNICOM))["text"]


async def test_what_was_asked_stays_asked(place: Town) -> None:
    emma = place.en
    await emma.say("/sims")
    await emma.press("T-Mobile US")
    await emma.press("More")
    await emma.press("Rename")
    await send(place, emma, saved(Image.new("L", (300, 300), 90)))
    assert "Dad's phone" in (await emma.say("Dad's phone"))["text"]


async def test_the_caption_helps_when_the_picture_does_not(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    blank = saved(Image.new("L", (300, 300), 90))
    shown = await send(place, emma, blank, caption=f"my card: {UNICOM}")
    assert "no readable code" in shown["text"]
    shown = await send(place, emma, blank, caption=UNICOM)
    assert "Which carrier" in shown["text"]
    shown = await send(place, emma, saved(qr(LPA)), caption="what is this?")
    assert LPA in shown["text"]


@pytest.mark.parametrize(
    ("name", "mime", "said"),
    [
        ("IMG_1.HEIC", "image/heic", "HEIC"),
        ("IMG_1.HEIC", "application/octet-stream", "HEIC"),
        ("a.gif", "image/gif", "moving pictures"),
        ("a.mp4", "video/mp4", "moving pictures"),
        ("card.pdf", "application/pdf", "files of this kind"),
        ("broken.jpg", "image/jpeg", "can't open"),
        ("large.jpg", "image/jpeg", "too large"),
    ],
)
async def test_files_that_are_not_read(place: Town, name: str, mime: str, said: str) -> None:
    emma = place.en
    await emma.say("/start")
    data = b"\0" * (11 << 20) if name == "large.jpg" else b"no picture"
    shown = await send(place, emma, data, kind="document", name=name, mime=mime)
    assert said in shown["text"]
    assert len(await place.calls("getFile")) == (name == "broken.jpg")


async def test_recordings_and_pictures_that_are_gone(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    file: dict[str, Any] = {"file_id": "x", "file_unique_id": "y"}
    for content, said in (
        ({"voice": {**file, "duration": 3}}, "listen"),
        ({"video_note": {**file, "length": 9, "duration": 3}}, "moving pictures"),
        ({"animation": {**file, "width": 9, "height": 9, "duration": 1},
          "document": {**file, "mime_type": "video/mp4"}}, "moving pictures"),
        ({"photo": [{**file, "width": 9, "height": 9}]}, "did not hand me"),
    ):  # fmt: skip
        await place.push(emma, content)
        assert said in (await emma.last())["text"]


async def test_of_an_album_the_code_counts(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    world = place.demo.world
    sides = [world.files.add("photo", Upload("a.jpg", "image/jpeg", saved(image)))
             for image in (bars(UNICOM), Image.new("L", (300, 300), 90))]  # fmt: skip
    for side in sides:
        await place.push(emma, {**side.as_content(), "media_group_id": "77"})
    assert "Which carrier" in (await emma.last())["text"]
    await place.push(emma, {**sides[1].as_content(), "media_group_id": "78"})
    assert "no readable code" in (await emma.last())["text"]


# ---- pictures go out -----------------------------------------------------------------------------


async def test_the_card_as_a_picture_in_english(place: Town) -> None:
    emma = place.en
    await emma.say("/sims")
    await emma.press("US Data Card")
    text = await emma.last()
    await emma.press("Picture")
    sent = await emma.last()
    await opened(place, sent)
    assert "US Data Card" in sent["caption"]
    assert "Valid until" in sent["caption"]
    assert (await emma.messages())[-2]["message_id"] == text["message_id"]
    await emma.press("As text")
    assert "Next reminder" in (await emma.last())["text"]
    await emma.press("Picture")
    await emma.press("Renew")
    assert "USA 5 GB" in str(labels(await emma.last()))
    assert await photos(emma) == 2


async def test_the_card_as_a_picture_in_chinese(place: Town) -> None:
    lin = place.zh
    await lin.say("/sims")
    for verb in ("sim", "pic"):
        sent = await tap(place, lin, verb)
    await opened(place, sent)
    assert sent["caption"].startswith("Smart ·6543\n已于 ")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_plot_after_some_days_of_use(place: Town, language: str) -> None:
    person, profile = (place.en, US_CARD) if language == "en" else (place.zh, BOOM)
    await person.say("/sims")
    [sim_id] = place.rows("select id from sims where supplier_ref = ?", profile)[0]
    card = await tap_sim(place, person, str(sim_id))
    first = await tap(place, person, "use")
    await opened(place, first)  # a fresh demo has weeks of use to show
    assert first["message_id"] != card["message_id"]
    await tap_sim(place, person, str(sim_id))
    await days_of_use(place, profile, 2, GB // 20)
    await person.say("/sims")
    card = await tap_sim(place, person, str(sim_id))
    assert "📈" in card["text"]
    how = await tap(place, person, "pace")
    assert "÷" in how["text"]
    await opened(place, await tap(place, person, "use"))
    assert await photos(person) == 2


async def tap_sim(place: Town, person: Person, sim_id: str) -> Message:
    """Open the card of one SIM."""
    newest = await person.last()
    await place.tap(person, newest["message_id"], f"sim:{sim_id}")
    return await person.last()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_receipt_as_a_picture(place: Town, language: str) -> None:
    emma = place.en
    await to_quote(emma)
    await emma.press("Use a voucher")
    await emma.say(VOUCHER_US)
    await place.advance(minutes=5)
    await emma.find(RECEIPT)
    if language == "zh":
        await emma.say("/language")
        await emma.press("简体中文")
        await emma.say("/orders")
        await tap(place, emma, "order")
    sent = await tap(place, emma, "slip")
    await opened(place, sent)
    assert "XK-" in sent["caption"]
    back = await tap(place, emma, "order")
    assert "XK-" in back["text"]


async def test_a_picture_of_somebody_elses_is_not_drawn(place: Town) -> None:
    emma, lin = place.en, place.zh
    await lin.say("/sims")
    [sim_id] = place.rows("select id from sims where owner_id = ?", lin.id)[0]
    card = await emma.say("/sims")
    for verb in ("pic", "use", "pace"):
        answer = await place.tap(emma, card["message_id"], f"{verb}:{sim_id}")
        assert answer is not None
        assert "among yours" in answer["text"]
    await place.tap(emma, card["message_id"], "slip:nobodys")
    assert await photos(emma) == 0


async def test_a_picture_that_telegram_has_no_time_for_is_not_repeated(place: Town) -> None:
    emma = place.en
    await emma.say("/sims")
    await emma.press("US Data Card")
    message_id, label = await emma.button("Picture")

    async def tried() -> bool:
        return len(await place.calls("sendPhoto")) == 1

    await place.fault("telegram_flood", on=True)
    await emma.post("press", {"message_id": message_id, "text": label, "wait": False})
    await until(tried)
    await place.fault("telegram_flood", on=False)
    await place.advance(minutes=2)
    assert "did not take the picture" in (await emma.last())["text"]
    assert await tried()
    await emma.press("Try again")
    await opened(place, await emma.last())


async def test_a_picture_whose_answer_is_lost_is_not_sent_twice(place: Town) -> None:
    emma = place.en
    await emma.say("/sims")
    await emma.press("US Data Card")
    await place.fault("telegram_send_lost_answer", times=1)
    await emma.press("Picture")
    assert "If it is not here in a moment" in (await emma.last())["text"]
    await place.advance(minutes=15)
    assert await photos(emma) == 1
