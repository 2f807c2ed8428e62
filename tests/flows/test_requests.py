"""Money asked back in the chat, the counter's orders, and looking back, in both languages."""

import csv
import re
from io import BytesIO, StringIO
from typing import NamedTuple

import httpx
import pytest
import segno

from tests.flows.people import Message, Person, Town, labels
from tests.flows.steps import RECEIPT, US_CARD, VOUCHER_US, to_invoice, to_quote


class Say(NamedTuple):
    """Labels and texts of one language."""

    sim: str
    plan: str
    card: str
    receipt: str
    ask: str
    words: str
    part: str
    yes: str
    told: str
    back: str
    returned: str
    picture: str


EN = Say(
    "US Data Card", "USA 5 GB · 30", "Card ·", RECEIPT, "Ask for a refund", "It is slow",
    "Refund a part", "Yes: return", "approved your refund|went back", "went back to where",
    "Returned: ", "Picture",
)  # fmt: skip
ZH = Say(
    "US Data Card", "美国 5 GB · 30", "银行卡 ·", "并在 SIM 卡上核实", "申请退款", "太慢了",
    "部分退款", "确定：退还", "同意订单|原路退回", "已原路退回", "已退款：", "图片",
)  # fmt: skip


async def on_page(person: Person, do: str) -> None:
    """Press a button of the page that the newest order is paid on."""
    urls = [
        str(cell["url"])
        for message in await person.from_bot()
        for row in message.get("reply_markup", {}).get("inline_keyboard", [])
        for cell in row
        if "/pay" in cell.get("url", "") or "127.0.0.1" in cell.get("url", "")
    ]
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        shown = await browser.get(urls[-1])
        await browser.post(str(shown.url), data={"do": do})
    await person.idle()


async def until(place: Town, person: Person, pattern: str) -> Message:
    """What comes a moment later, since webhooks and look-ups take their time."""
    for _ in range(20):
        if await person.count(pattern):
            break
        await place.advance(seconds=20)
    return await person.find(pattern)


async def english(person: Person) -> Person:
    await person.say("/start")
    await person.press("English")
    return person


async def paid_by_card(place: Town, say: Say) -> Person:
    """A delivered top-up that was paid on a provider's page."""
    emma = place.en
    await emma.say("/language")
    await emma.press("English" if say is EN else "简体中文")
    await to_quote_in(emma, say)
    await emma.press(say.card)
    await on_page(emma, "pay")
    await until(place, emma, say.receipt)
    return emma


async def to_quote_in(person: Person, say: Say) -> None:
    await person.say("/renew")
    await person.press(say.sim)
    await person.press(say.plan)


async def owners(place: Town, say: Say) -> Person:
    """The operator, speaking that language."""
    owner = place.operator
    await owner.say("/start")
    await owner.press("English" if say is EN else "简体中文")
    return owner


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh"])
async def test_a_part_is_asked_for_approved_returned_and_on_the_receipt(
    place: Town, say: Say
) -> None:
    owner = await owners(place, say)
    emma = await paid_by_card(place, say)
    await emma.press(say.ask)
    await emma.say(say.words)
    await emma.say("/orders")
    await place.tap(emma, (await emma.last())["message_id"], place.data_of(emma, "XK-"))
    waiting = (await emma.last())["text"]
    assert say.ask not in labels(await emma.last()), "asked once"
    assert re.search("our shop decides|等待商家处理", waiting)
    await owner.find("money back|申请退款")
    await owner.press("Open" if say is EN else "打开")
    assert say.words in (await owner.last())["text"]
    await owner.press(say.part)
    await owner.say("999999")
    await owner.find("smaller amount|写小一点")
    await owner.say("2")
    yes = place.data_of(owner, say.yes)
    await owner.press(say.yes)
    await until(place, emma, say.back)
    await emma.find("20 points of this order went with it|本单的 20 积分已按比例扣回")
    await place.advance(minutes=1)
    await place.tap(owner, (await owner.last())["message_id"], yes)
    [(state, back)] = place.rows("select state, going_back from payments where captured_minor > 0")
    assert (state, back) == ("captured", 200)
    assert place.rows("select state, amount_minor from refunds") == [("done", 200)]
    await emma.press("Show the order" if say is EN else "查看订单")
    shown = (await emma.last())["text"]
    assert say.returned in shown
    assert say.receipt in shown
    assert place.topups(US_CARD) == 1
    await emma.press(say.picture)
    assert "photo" in (await emma.messages())[-1]


async def test_all_of_it_goes_back_by_the_shops_word(place: Town) -> None:
    owner = await owners(place, EN)
    emma = place.en
    await to_invoice(emma)
    await emma.pay()
    await emma.find(RECEIPT)
    await emma.press("Ask for a refund")
    await emma.press("It does not work")
    assert place.kept() == 1, "only a person gives back what was delivered"
    await owner.press("Open")
    assert not any("Refund a part" in label for label in labels(await owner.last())), "Stars"
    await owner.press("Refund")
    await owner.press("Yes: Refund")
    await emma.find("approved your refund")
    await place.advance(minutes=1)
    await emma.find("went back to where you paid from")
    assert place.kept() == 0
    await emma.say("/orders")
    await emma.press("Refunded")
    await emma.find("Only: Refunded")
    await emma.press("XK-")
    assert "Returned: " in (await emma.last())["text"]
    assert "Refund: asked for" in (await emma.last())["text"]


async def test_a_refund_declined_says_why(place: Town) -> None:
    owner = await owners(place, EN)
    emma = place.en
    await to_invoice(emma)
    await emma.pay()
    await emma.find(RECEIPT)
    await emma.press("Ask for a refund")
    await emma.press("Wrong plan")
    await owner.press("Open")
    await owner.press("Decline")
    await owner.say("All of the data was used")
    await emma.find("does not return the money of order XK-.*\n.*All of the data was used")
    assert place.kept() == 1
    assert "Nothing waits" in (await owner.say("/queue"))["text"]


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh"])
async def test_an_order_prepared_on_the_phone_is_paid_in_the_chat(place: Town, say: Say) -> None:
    en = say is EN
    owner, emma = await owners(place, say), place.en
    await emma.say("/language")
    await emma.press("English" if en else "简体中文")
    await owner.say("/find Emma")
    await owner.press(say.sim)
    await owner.press(say.plan)
    await owner.press("Send to the customer" if en else "发给客户")
    await emma.find("has prepared order|为您准备了订单")
    await emma.press("Choose how to pay" if en else "选择付款方式")
    await emma.press("Pay " if en else "支付 ")
    await emma.pay()
    await emma.find(say.receipt)
    assert place.topups(US_CARD) == place.kept() == 1
    [(chat,)] = place.rows("select chat_id from orders")
    assert chat == emma.id
    audited = [row[0] for row in place.rows("select action from audit where action like 'assist%'")]
    assert audited == ["assist_opened", "assist_sent"]


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh"])
async def test_cash_at_the_counter_tops_up_and_is_on_the_receipt(place: Town, say: Say) -> None:
    en = say is EN
    owner, emma = await owners(place, say), place.en
    await emma.say("/language")
    await emma.press("English" if en else "简体中文")
    await owner.say("/find")
    await owner.say("nobody at all")
    await owner.find("Nobody was found|没有找到")
    await owner.say("Emma")
    await owner.press(say.sim)
    await owner.press(say.plan)
    await owner.press("Took cash" if en else "已收现金")
    await owner.say("!!")
    await owner.find("letters, digits|只能包含字母")
    await owner.say("a-17")
    await owner.press("Yes: top up" if en else "确定，充值")
    receipt = await until(place, emma, say.receipt)
    assert "A-17" in receipt["text"]
    assert place.topups(US_CARD) == 1
    assert place.rows("select method, state from payments") == [("cash", "captured")]
    # The same receipt is good for nothing else.
    await owner.say("/find Emma")
    await owner.press(say.sim)
    await owner.press(say.plan)
    await owner.press("Took cash" if en else "已收现金")
    await owner.say("A-17")
    await owner.press("Yes: top up" if en else "确定，充值")
    await owner.find("used before|已经用过")
    assert place.topups(US_CARD) == 1


async def test_the_counter_is_closed_to_customers(place: Town) -> None:
    emma, lin = place.en, place.zh
    answer = await emma.say("/find Lin")
    assert "did not understand" in answer["text"]
    [(sim_id,)] = place.rows("select id from sims where owner_id = ? limit 1", lin.id)
    for data in (f"acust:{lin.id}", f"asim:{sim_id}", "aorder:x", "asend:x", "acash:x", "find"):
        await place.tap(emma, answer["message_id"], data)
        assert "did not understand" in (await emma.last())["text"], data
    assert place.rows("select 1 from audit where action like 'assist%'") == []


async def test_orders_are_filtered_found_and_taken_home_as_a_file(place: Town) -> None:
    emma, lin = place.en, place.zh
    for _ in range(2):
        await to_invoice(emma)
        await emma.pay()
    await to_invoice(emma)
    await emma.press("Cancel the order")
    numbers = [f"XK-{row[0].upper()}" for row in place.rows("select id from orders order by seq")]
    shown = await emma.say("/orders")
    assert [number for number in numbers if number in shown["text"]] == numbers
    await emma.press("Done")
    assert numbers[2] not in (await emma.last())["text"]
    await emma.press("Running")
    assert "There is none of these" in (await emma.last())["text"]
    await emma.press("By SIM")
    await emma.press("US Data Card")
    assert "SIM: US Data Card" in (await emma.last())["text"]
    await emma.press("By number")
    await emma.say("XK-NOTHING")
    await emma.find("no order with this number")
    found = await emma.say(numbers[0].lower().replace("-", " "))
    assert numbers[0] in found["text"]
    await emma.say("/orders")
    await emma.press("CSV")
    sent = (await emma.messages())[-1]
    assert sent["document"]["file_name"].endswith(".csv")
    data = (await place.http.get(f"/files/{sent['document']['file_unique_id']}")).content
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(data.decode("utf-8-sig"))))
    assert [row["Order"] for row in rows] == numbers[::-1]
    assert {row["State"] for row in rows} == {"done", "cancelled"}
    # Somebody else finds nothing of it.
    await lin.say("/orders")
    await place.tap(lin, (await lin.last())["message_id"], "ofind")
    assert numbers[0] not in (await lin.say(numbers[0]))["text"]


async def test_paysupport_leads_to_the_newest_orders(place: Town) -> None:
    emma = place.en
    assert "no orders yet" in (await emma.say("/paysupport"))["text"]
    await to_quote(emma)
    await emma.press("Pay ")
    shown = await emma.say("/paysupport")
    assert any(label.startswith("XK-") for label in labels(shown))
    terms = (await emma.say("/terms"))["text"]
    for said in ("Seller:", "fee", "refund"):
        assert said in terms


async def test_somebody_elses_orders_can_be_neither_seen_nor_asked_back(place: Town) -> None:
    emma, sam = place.en, place.stranger
    await to_invoice(emma)
    await emma.pay()
    await emma.find(RECEIPT)
    [(order, sim, quote)] = place.rows("select id, sim_id, quote_id from orders")
    await sam.say("/language")
    await sam.press("English")
    message_id = (await sam.last())["message_id"]
    for data in (
        f"rfask:{order}", f"rfwhy:{order}:twice", f"slip:{order}", f"orders:0:all:{sim}",
        f"orders:0:refunded:{sim}", "osims", f"aorder:{order}", f"acash:{quote}",
        "rfask", "rfwhy:x", f"rfwhy:{order}:because", "orders:0:nothing", "qpart!:1:request:x",
        "qact:part:request:x", "qitem:request:x",
    ):  # fmt: skip
        answer = await place.tap(sam, message_id, data)
        assert answer is not None, data
        for shown in await sam.from_bot():
            assert order.upper() not in shown.get("text", ""), data
            assert "US Data Card" not in shown.get("text", ""), data
    assert place.rows("select 1 from refund_requests") == []


async def photo(person: Person, data: bytes) -> Message:
    """Send a picture; the answer."""
    path = f"/people/{person.id}/chats/{person.id}/messages"
    await person._http.post(path, files={"photo": ("card.png", data, "image/png")})
    await person.idle()
    return await person.last()


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh"])
async def test_a_printed_voucher_is_redeemed_by_its_photo(place: Town, say: Say) -> None:
    emma = place.en
    await emma.say("/language")
    await emma.press("English" if say is EN else "简体中文")
    await to_quote_in(emma, say)
    await emma.press("Use a voucher" if say is EN else "用充值券")
    await photo(emma, picture("https://example.com/not-a-voucher"))
    await emma.find("can't read a voucher|看不出充值券")
    await photo(emma, picture(VOUCHER_US))
    proof = await emma.find(say.receipt)
    assert "→" in proof["text"], "the redeem message is the proof of the new validity"
    assert place.topups(US_CARD) == 1


def picture(text: str) -> bytes:
    """A photo of a QR code, as on a printed sheet."""
    out = BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=6, border=4)
    return out.getvalue()
